//! Where a patch goes, and what its places say of pixels.

use std::ops::Range;

use ndarray::{Array2, s};

use super::OcclusionError;

/// The windows that a square patch covers on its way over a picture.
///
/// # Definition
///
/// Windows begin at every `stride`-th row and column, ⌈(extent − patch) ÷ stride⌉ + 1 of them along an axis, row by row. The last
/// ones end at the edge of the picture and are smaller where the stride does not divide it up evenly, so that every pixel is covered.
///
/// # References
///
/// Zeiler MD, Fergus R 2014, doi:10.1007/978-3-319-10590-1_53, who show the prediction at the patch's position.
///
/// # Peer
///
/// `Occlusion` of Captum 0.9 with a square patch over all channels: the same windows and the same means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    size: [usize; 2],
    patch: usize,
    stride: usize,
}

impl Windows {
    /// Windows of `patch` × `patch` pixels on a picture of `size` (height, width), each `stride` pixels from the last one.
    ///
    /// # Errors
    ///
    /// [`OcclusionError::NoPatch`], [`OcclusionError::PatchTooLarge`], [`OcclusionError::NoStride`] and
    /// [`OcclusionError::StrideTooLarge`].
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_methods::occlusion::Windows;
    ///
    /// let windows = Windows::new([224, 224], 32, 16)?;
    /// assert_eq!(windows.counts(), [13, 13]);
    /// assert_eq!(windows.iter().next(), Some([0..32, 0..32]));
    /// # Ok::<(), consilience_methods::occlusion::OcclusionError>(())
    /// ```
    pub fn new(size: [usize; 2], patch: usize, stride: usize) -> Result<Self, OcclusionError> {
        let [height, width] = size;
        if patch == 0 {
            return Err(OcclusionError::NoPatch);
        }
        if patch > height.min(width) {
            return Err(OcclusionError::PatchTooLarge {
                patch,
                height,
                width,
            });
        }
        if stride == 0 {
            return Err(OcclusionError::NoStride { patch });
        }
        if stride > patch {
            return Err(OcclusionError::StrideTooLarge { stride, patch });
        }
        Ok(Self {
            size,
            patch,
            stride,
        })
    }

    /// Height and width of the picture.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// How many windows there are along height and width.
    #[must_use]
    pub fn counts(&self) -> [usize; 2] {
        self.size
            .map(|extent| (extent - self.patch).div_ceil(self.stride) + 1)
    }

    /// How many windows there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a window")]
    pub fn len(&self) -> usize {
        self.counts().into_iter().product()
    }

    /// Rows and columns of the windows, row by row.
    pub fn iter(&self) -> impl Iterator<Item = [Range<usize>; 2]> {
        let Self {
            size,
            patch,
            stride,
        } = *self;
        let place = move |axis: usize, step: usize| {
            let first = step * stride;
            first..(first + patch).min(size[axis])
        };
        let [n_rows, n_columns] = self.counts();
        (0..n_rows).flat_map(move |row| {
            (0..n_columns).map(move |column| [place(0, row), place(1, column)])
        })
    }

    /// What a prediction owes to each pixel.
    ///
    /// # Shapes
    ///
    /// `covered` has the prediction of the picture with each window covered, in the order of [`Windows::iter`]; the map is
    /// `(height, width)`.
    ///
    /// # Definition
    ///
    /// map(p) = mean over the windows that hold pixel p of `whole` − `covered`: positive where what is there raises the prediction,
    /// negative where it lowers it, in the prediction's units.
    ///
    /// # Errors
    ///
    /// [`OcclusionError::Count`] for another number of predictions than windows.
    pub fn map(&self, whole: f64, covered: &[f64]) -> Result<Array2<f64>, OcclusionError> {
        if covered.len() != self.len() {
            return Err(OcclusionError::Count {
                expected: self.len(),
                found: covered.len(),
            });
        }
        let mut sums = Array2::<f64>::zeros(self.size);
        let mut n_windows = Array2::<f64>::zeros(self.size);
        for ([rows, columns], covered) in self.iter().zip(covered) {
            let here = s![rows, columns];
            sums.slice_mut(here)
                .mapv_inplace(|sum| sum + (whole - covered));
            n_windows.slice_mut(here).mapv_inplace(|n| n + 1.0);
        }
        Ok(sums / n_windows)
    }
}
