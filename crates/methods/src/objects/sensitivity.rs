//! Sensitivity of filters to classes of objects, picture by picture.

use ndarray::{Array2, ArrayView3, Axis};
use rayon::prelude::*;

use super::area::{AreaTable, Extent};
use super::boxes::{check_objects, check_picture, on_cells};
use super::importance::check_map;
use super::params::check_number;
use super::{DetectedObject, MapParams, OverBoxes, PictureBox, ScaleOver};
use crate::Result;
use crate::error::{at_least, same_count};

/// Options of [`FilterSensitivity`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SensitivityParams {
    /// How maps are read.
    pub map: MapParams,
    /// What a picture with several boxes of a class gives (default: the largest).
    pub over_boxes: OverBoxes,
    /// Score below which an object is left out (default 0).
    pub min_score: f64,
}

/// How much of each filter's map lies in boxes of each class (`EmoCAM++`).
///
/// Pictures are added one at a time and forgotten, so that memory does not grow with them: 16 bytes for each filter and
/// class. Parts of a corpus can be counted apart and merged.
///
/// # Definition
///
/// Sₖ(c) is the mean over the pictures that show class c of the largest (or mean) value that one of its boxes gets from the map
/// of filter k; see [`importance`](super::importance) for that value. A share of a map of zeros counts as 0: such a filter gives nothing to
/// any box. Means and squared deviations are updated by Welford's rule and merged by Chan's.
///
/// # Example
///
/// ```
/// use consilience_methods::objects::{
///     DetectedObject, FilterSensitivity, PictureBox, SensitivityParams,
/// };
/// use ndarray::array;
///
/// let maps = array![[[0.0, 2.0]], [[1.0, 0.0]]];
/// let face = DetectedObject { bounds: PictureBox::new(50.0, 0.0, 100.0, 80.0), class: 0, score: 0.9 };
/// let mut found = FilterSensitivity::new(2, 1, SensitivityParams::default())?;
/// found.add(maps.view(), [100.0, 80.0], &[face])?;
/// assert_eq!(found.mean(0, 0), Some(1.0));
/// assert_eq!(found.mean(1, 0), Some(0.0));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// arXiv 2509.21384 (`EmoCAM++`, whose formulas are reconstructed); Chan, Golub & `LeVeque` 1983, doi:10.1080/00031305.1983.10483115.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterSensitivity {
    params: SensitivityParams,
    /// `(n_filters, n_classes)`.
    means: Array2<f64>,
    /// Sums of squared deviations, of the same shape.
    squares: Array2<f64>,
    n_images: Vec<usize>,
    n_boxes: Vec<usize>,
    n_added: usize,
    n_empty: usize,
}

impl FilterSensitivity {
    /// Of no picture yet.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`](crate::MethodsError::TooFew) filters or classes, [`ObjectsError::SignedMap`](super::ObjectsError::SignedMap), [`MethodsError::OptionOutOfRange`](crate::MethodsError::OptionOutOfRange).
    pub fn new(n_filters: usize, n_classes: usize, params: SensitivityParams) -> Result<Self> {
        params.map.validate()?;
        check_number("the least score", params.min_score)?;
        for (what, found) in [("filters", n_filters), ("classes", n_classes)] {
            at_least(what, 1, found)?;
        }
        Ok(Self {
            params,
            means: Array2::zeros((n_filters, n_classes)),
            squares: Array2::zeros((n_filters, n_classes)),
            n_images: vec![0; n_classes],
            n_boxes: vec![0; n_classes],
            n_added: 0,
            n_empty: 0,
        })
    }

    /// Adds a picture.
    ///
    /// # Shapes
    ///
    /// `maps` is `(n_filters, h, w)` and covers the whole picture of `[width, height]` pixels. Objects without area or beside the
    /// picture are left out; a picture without any left is counted in [`FilterSensitivity::n_empty`].
    ///
    /// # Errors
    ///
    /// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch) of filters, [`MethodsError::NonFinite`](crate::MethodsError::NonFinite), [`ObjectsError`](super::ObjectsError) for a
    /// picture, map or object that is none. After an error nothing is added.
    pub fn add(
        &mut self,
        maps: ArrayView3<'_, f32>,
        picture: [f64; 2],
        objects: &[DetectedObject],
    ) -> Result<()> {
        let (n_filters, n_classes) = self.means.dim();
        same_count(
            "filters of the picture's maps",
            n_filters,
            maps.len_of(Axis(0)),
        )?;
        check_picture(picture)?;
        check_objects(self.n_added, objects, n_classes)?;
        let size = (maps.len_of(Axis(1)), maps.len_of(Axis(2)));
        let mut by_class = vec![Vec::new(); n_classes];
        for object in objects {
            let bounds = on_cells(&object.bounds, picture, size);
            if let Some(bounds) = bounds
                .ok()
                .filter(|_| object.score >= self.params.min_score)
            {
                by_class[object.class].push(bounds);
            }
        }
        let there: Vec<usize> = (0..n_classes)
            .filter(|&class| !by_class[class].is_empty())
            .collect();
        let values = self.read(maps, &by_class, &there)?;
        self.n_added += 1;
        self.n_empty += usize::from(there.is_empty());
        for (place, &class) in there.iter().enumerate() {
            self.n_images[class] += 1;
            self.n_boxes[class] += by_class[class].len();
            let n = self.n_images[class] as f64;
            for (filter, values) in values.iter().enumerate() {
                let off = values[place] - self.means[[filter, class]];
                self.means[[filter, class]] += off / n;
                self.squares[[filter, class]] +=
                    off * (values[place] - self.means[[filter, class]]);
            }
        }
        Ok(())
    }

    /// For each filter, a value for each class that is there.
    fn read(
        &self,
        maps: ArrayView3<'_, f32>,
        by_class: &[Vec<PictureBox>],
        there: &[usize],
    ) -> Result<Vec<Vec<f64>>> {
        let MapParams {
            sign,
            scale_over,
            summary,
            ..
        } = self.params.map;
        let filters = || maps.axis_iter(Axis(0)).into_par_iter();
        let extents: Vec<Extent> = filters()
            .map(|map| {
                check_map("a filter's map", map)?;
                Ok(Extent::of(map, sign))
            })
            .collect::<Result<_>>()?;
        let all = extents.iter().copied().reduce(Extent::with);
        let of_filter = |(map, own): (ndarray::ArrayView2<'_, f32>, &Extent)| {
            let extent = match (scale_over, all) {
                (ScaleOver::Layer, Some(all)) => all,
                _ => *own,
            };
            let table = AreaTable::new(map, extent, &self.params.map);
            let of_class = |&class: &usize| {
                let values = by_class[class].iter().map(|b| table.read(b, summary));
                let value = self.params.over_boxes.of(values.map(|v| v.unwrap_or(0.0)));
                value.expect("a class that is there has a box")
            };
            there.iter().map(of_class).collect()
        };
        Ok(filters().zip(&extents).map(of_filter).collect())
    }

    /// Adds what another part of the corpus gave.
    ///
    /// # Errors
    ///
    /// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch) of filters or classes,
    /// [`ObjectsError::OtherOptions`](super::ObjectsError::OtherOptions).
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let (own, others) = (self.means.dim(), other.means.dim());
        for (what, expected, found) in [
            ("filters of the other part", own.0, others.0),
            ("classes of the other part", own.1, others.1),
        ] {
            same_count(what, expected, found)?;
        }
        if self.params != other.params {
            return Err(super::ObjectsError::OtherOptions.into());
        }
        for class in 0..own.1 {
            let (n, m) = (self.n_images[class] as f64, other.n_images[class] as f64);
            if m == 0.0 {
                continue;
            }
            for filter in 0..own.0 {
                let at = [filter, class];
                let off = other.means[at] - self.means[at];
                self.means[at] += off * m / (n + m);
                self.squares[at] += other.squares[at] + off * off * n * m / (n + m);
            }
            self.n_images[class] += other.n_images[class];
            self.n_boxes[class] += other.n_boxes[class];
        }
        self.n_added += other.n_added;
        self.n_empty += other.n_empty;
        Ok(())
    }

    /// Sₖ(c); `None` when no picture shows the class.
    ///
    /// # Panics
    ///
    /// When the filter or class is not there.
    #[must_use]
    pub fn mean(&self, filter: usize, class: usize) -> Option<f64> {
        (self.n_images[class] > 0).then(|| self.means[[filter, class]])
    }

    /// Standard deviation over pictures (denominator n − 1); `None` for fewer than two.
    ///
    /// # Panics
    ///
    /// When the filter or class is not there.
    #[must_use]
    pub fn sd(&self, filter: usize, class: usize) -> Option<f64> {
        let n = self.n_images[class];
        (n > 1).then(|| (self.squares[[filter, class]] / (n as f64 - 1.0)).sqrt())
    }

    /// All Sₖ(c), `(n_filters, n_classes)`.
    #[must_use]
    pub fn means(&self) -> Array2<Option<f64>> {
        Array2::from_shape_fn(self.means.dim(), |(filter, class)| self.mean(filter, class))
    }

    /// Filters.
    #[must_use]
    pub fn n_filters(&self) -> usize {
        self.means.nrows()
    }

    /// Classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.means.ncols()
    }

    /// Pictures that show each class.
    #[must_use]
    pub fn n_images(&self) -> &[usize] {
        &self.n_images
    }

    /// Boxes of each class.
    #[must_use]
    pub fn n_boxes(&self) -> &[usize] {
        &self.n_boxes
    }

    /// Pictures that were added.
    #[must_use]
    pub fn n_added(&self) -> usize {
        self.n_added
    }

    /// Pictures among them without an object that counts.
    #[must_use]
    pub fn n_empty(&self) -> usize {
        self.n_empty
    }
}
