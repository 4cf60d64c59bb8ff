//! Pictures of which parts are covered.

use std::ops::Range;

use consilience_io::image::RgbImage;
use ndarray::{ArrayViewMut3, s};

/// Pictures, each as it is and then with one window after the other covered.
///
/// Covered are pixels of what the network takes, after resizing and cutting, with 0 in every channel: the colour that the
/// preprocessing subtracts.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// The pictures.
    pub pictures: &'a [RgbImage],
    /// Rows and columns of what the network takes; beyond its edges nothing is covered.
    pub windows: &'a [[Range<usize>; 2]],
}

impl<'a> Covered<'a> {
    /// Images of one picture: as it is, and with each window covered.
    #[must_use]
    pub fn n_each(&self) -> usize {
        1 + self.windows.len()
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pictures.len() * self.n_each()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    pub(super) fn picture(&self, image_idx: usize) -> &'a RgbImage {
        &self.pictures[image_idx / self.n_each()]
    }

    /// How messages name an image.
    pub(super) fn name(&self, image_idx: usize) -> String {
        let picture = image_idx / self.n_each();
        match image_idx % self.n_each() {
            0 => format!("number {picture}"),
            window => format!("number {picture} with window {} covered", window - 1),
        }
    }

    /// Covers what is to be covered of image `image_idx`, `(3, height, width)`.
    pub(super) fn cover(&self, image_idx: usize, mut input: ArrayViewMut3<'_, f32>) {
        let Some(window) = (image_idx % self.n_each()).checked_sub(1) else {
            return;
        };
        let (_, height, width) = input.dim();
        let inside = |range: &Range<usize>, extent: usize| {
            let end = range.end.min(extent);
            range.start.min(end)..end
        };
        let [rows, columns] = &self.windows[window];
        let window = s![.., inside(rows, height), inside(columns, width)];
        input.slice_mut(window).fill(0.0);
    }
}
