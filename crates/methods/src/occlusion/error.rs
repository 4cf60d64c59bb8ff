//! What can be wrong with a sliding patch.

/// A patch that cannot slide, or predictions that are not those of its windows.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OcclusionError {
    /// A patch without pixels.
    #[error("the patch has a side of 0 pixels, expected at least 1")]
    NoPatch,
    /// A patch that does not fit.
    #[error(
        "the patch has a side of {patch} pixels, the picture {height} × {width} as the network takes it; take a smaller patch"
    )]
    PatchTooLarge {
        /// Side of the patch.
        patch: usize,
        /// Rows of the picture.
        height: usize,
        /// Columns of the picture.
        width: usize,
    },
    /// A patch that stays where it is.
    #[error("the stride is 0 pixels, expected 1 to the side of the patch, {patch}")]
    NoStride {
        /// Side of the patch.
        patch: usize,
    },
    /// A patch that leaves out pixels between its windows.
    #[error(
        "the stride is {stride} pixels, more than the side of the patch, {patch}: pixels between would never be covered; take a smaller stride"
    )]
    StrideTooLarge {
        /// Pixels from window to window.
        stride: usize,
        /// Side of the patch.
        patch: usize,
    },
    /// Not one prediction for each window.
    #[error("expected a prediction for each of {expected} windows, found {found}")]
    Count {
        /// Windows.
        expected: usize,
        /// Predictions.
        found: usize,
    },
}
