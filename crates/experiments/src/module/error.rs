//! Why a module cannot be read, used or exchanged.

/// A module that cannot be read, used or exchanged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// A description that is none.
    #[error("module.json does not describe a module: {reason}")]
    Description {
        /// What is wrong with it.
        reason: String,
    },
    /// A description of another layout.
    #[error(
        "module.json has format {found}, expected {expected}; read it with the release that wrote it"
    )]
    Format {
        /// What it says.
        found: u32,
        /// What this release reads.
        expected: u32,
    },
    /// Weights that are not those of the description.
    #[error(
        "module.safetensors has the hash {found}, module.json was written for {expected}; keep both files of one training together"
    )]
    OtherWeights {
        /// Of the file.
        found: String,
        /// Of the description.
        expected: String,
    },
    /// Features of another network or layer.
    #[error(
        "the module reads {expected} features, found {found}; give features of the layer that it was trained on"
    )]
    Features {
        /// As many as it reads.
        expected: usize,
        /// As many as there are.
        found: usize,
    },
    /// A feature that is no number, which rectifiers would hide.
    #[error(
        "feature {column} of row {row} (counted from 0) is {value}, expected finite numbers; leave out the row"
    )]
    Feature {
        /// The row.
        row: usize,
        /// The feature.
        column: usize,
        /// The number.
        value: f32,
    },
    /// A rating that is no number.
    #[error(
        "the module's rating of row {row} (counted from 0) is {value}; check the features, which may be of another network or layer"
    )]
    NotFinite {
        /// The row.
        row: usize,
        /// The rating.
        value: f64,
    },
    /// Ratings that do not fit the outputs.
    #[error(
        "the weights rate {found} times, expected {expected}; name as many heads, in their order"
    )]
    Outputs {
        /// As many as are named.
        expected: usize,
        /// As many as the weights have.
        found: usize,
    },
    /// A module that the released program cannot read.
    #[error("the released program cannot read this module: {why}")]
    NotReleased {
        /// What it does not know, and what to do.
        why: &'static str,
    },
}
