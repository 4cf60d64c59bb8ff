//! Which voxels of a volume are meant.

use std::collections::BTreeSet;
use std::path::Path;

use ndarray::{Array2, Array3, ArrayView3};

use super::Nifti;
use super::affine::Voxel;
use super::grid::Grid;
use crate::error::AtPath;
use crate::{IoError, Named, Result};

/// A set of voxels of a grid, at least one.
///
/// Their order is C order of (x, y, z), z fastest: that of `data[mask]` in NumPy and of nilearn's
/// `apply_mask`. It is the order of columns in [`Nifti::voxels`] and [`write_masked`](super::write_masked).
///
/// # Example
///
/// ```
/// use consilience_io::nifti::{Affine, Grid, Mask, Voxel};
/// let grid = Grid { shape: [2, 2, 1], affine: Affine::from_sizes([2.0; 3]) };
/// let inside = ndarray::array![[[true], [false]], [[true], [true]]];
/// let mask = Mask::new(grid, inside.view())?;
/// let voxels: Vec<Voxel> = mask.voxels().collect();
/// assert_eq!(voxels, [Voxel([0, 0, 0]), Voxel([1, 0, 0]), Voxel([1, 1, 0])]);
/// assert_eq!(mask.millimetres().row(2).to_vec(), [2.0, 2.0, 0.0]);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    grid: Grid,
    /// Positions in C order, ascending.
    indices: Vec<usize>,
}

impl Mask {
    /// The voxels that are true.
    ///
    /// # Shapes
    ///
    /// `inside`: (x, y, z), that of the grid.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongKind`] for another shape, and when no voxel is true.
    pub fn new(grid: Grid, inside: ArrayView3<'_, bool>) -> Result<Self> {
        if inside.shape() != grid.shape {
            return Err(IoError::WrongKind {
                what: "the mask".into(),
                found: format!("of shape {:?}", inside.shape()),
                expected: "one value for each voxel of its grid",
            });
        }
        let indices: Vec<usize> = inside
            .iter()
            .enumerate()
            .filter_map(|(index, inside)| inside.then_some(index))
            .collect();
        if indices.is_empty() {
            return Err(IoError::WrongKind {
                what: "the mask".into(),
                found: "empty".into(),
                expected: "at least one voxel that is not 0",
            });
        }
        Ok(Self { grid, indices })
    }

    /// Reads a file of one volume: the voxels that are not 0.
    ///
    /// # Errors
    ///
    /// [`IoError`] as [`Nifti::open`]; [`IoError::WrongKind`] for several volumes, for NaN (which NumPy
    /// would count as inside), and when all voxels are 0.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_image(&Nifti::open(path)?).at(path)
    }

    /// [`read`](Self::read) from a file that is open.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_image(image: &Nifti) -> Result<Self> {
        let values = one_volume(image, "the mask")?;
        Self::new(
            image.header().grid(),
            values.mapv(|value| value != 0.0).view(),
        )
    }

    /// The voxels that any of the masks holds, such as those of all regions of a level.
    ///
    /// # Errors
    ///
    /// [`IoError::GridMismatch`] for masks on different grids, of which the first one's is expected; [`IoError::WrongKind`]
    /// without a mask.
    pub fn united(masks: &[Self]) -> Result<Self> {
        let Some(first) = masks.first() else {
            return Err(IoError::WrongKind {
                what: "the list of masks to unite".into(),
                found: "empty".into(),
                expected: "at least one mask",
            });
        };
        let mut indices = BTreeSet::new();
        for mask in masks {
            mask.check_grid(&first.grid)?;
            indices.extend(&mask.indices);
        }
        Ok(Self {
            grid: first.grid,
            indices: indices.into_iter().collect(),
        })
    }

    pub(crate) fn check_grid(&self, expected: &Grid) -> Result<()> {
        self.grid.check_same(expected)
    }

    /// The grid that the voxels belong to.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Number of voxels in the mask.
    #[must_use]
    pub fn n_voxels(&self) -> usize {
        self.indices.len()
    }

    /// The voxels, in the order of columns.
    pub fn voxels(&self) -> impl Iterator<Item = Voxel> + '_ {
        self.indices.iter().map(|index| self.grid.voxel(*index))
    }

    /// The centres of the voxels in millimetres, (voxels, 3).
    #[must_use]
    pub fn millimetres(&self) -> Array2<f64> {
        let mut places = Array2::zeros((self.n_voxels(), 3));
        for (mut row, voxel) in places.rows_mut().into_iter().zip(self.voxels()) {
            row.assign(&ndarray::arr1(&self.grid.to_millimetres(voxel).0));
        }
        places
    }

    /// A volume with a value for each voxel of the mask and `outside` elsewhere.
    ///
    /// # Shapes
    ///
    /// `values`: one for each voxel, in the order of columns; the result is (x, y, z).
    ///
    /// # Errors
    ///
    /// [`IoError::WrongCount`] for another number of values.
    pub fn volume<T: Copy>(&self, values: &[T], outside: T) -> Result<Array3<T>> {
        if values.len() != self.n_voxels() {
            return Err(self.wrong_count(1, values.len()));
        }
        let mut volume = Array3::from_elem(self.grid.shape, outside);
        for (voxel, value) in self.voxels().zip(values) {
            volume[voxel.0] = *value;
        }
        Ok(volume)
    }

    /// Position of each voxel in a file's volume, with its column; ascending in the file.
    pub(super) fn in_file(&self) -> Vec<(usize, usize)> {
        let mut wanted: Vec<(usize, usize)> = self
            .indices
            .iter()
            .enumerate()
            .map(|(column, index)| (self.grid.in_file(*index), column))
            .collect();
        wanted.sort_unstable();
        wanted
    }

    pub(super) fn wrong_count(&self, n_volumes: usize, found: usize) -> IoError {
        IoError::WrongCount {
            shape: vec![n_volumes, self.n_voxels()],
            expected: (n_volumes * self.n_voxels()) as u64,
            found: found as u64,
        }
    }
}

/// Regions of a volume, each the voxels that have its label; 0 is no region.
#[derive(Debug, Clone, PartialEq)]
pub struct Atlas {
    grid: Grid,
    values: Array3<i64>,
}

impl Atlas {
    /// Reads a file of one volume of whole numbers.
    ///
    /// # Errors
    ///
    /// [`IoError`] as [`Nifti::open`]; [`IoError::WrongKind`] for several volumes, NaN, fractions and
    /// numbers from 2⁵³.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_image(&Nifti::open(path)?).at(path)
    }

    /// [`read`](Self::read) from a file that is open.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_image(image: &Nifti) -> Result<Self> {
        let values = one_volume(image, "the atlas")?;
        let is_label = |value: f64| value.fract() == 0.0 && value.abs() < 2_f64.powi(53);
        if let Some((at, value)) = values.indexed_iter().find(|(_, value)| !is_label(**value)) {
            return Err(IoError::WrongKind {
                what: format!("the label of voxel {at:?}"),
                found: value.to_string(),
                expected: "a whole number below 2^53 (was the atlas resampled with interpolation? take nearest neighbours)",
            });
        }
        Ok(Self {
            grid: image.header().grid(),
            values: values.mapv(|value| value as i64),
        })
    }

    /// The grid of the regions.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The labels that voxels have, ascending, without 0.
    #[must_use]
    pub fn labels(&self) -> Vec<i64> {
        let labels: BTreeSet<i64> = self.values.iter().copied().collect();
        labels.into_iter().filter(|label| *label != 0).collect()
    }

    /// The voxels with this label.
    ///
    /// # Errors
    ///
    /// [`IoError::Missing`] lists the labels there.
    pub fn mask(&self, label: i64) -> Result<Mask> {
        let inside = self.values.mapv(|value| value == label);
        Mask::new(self.grid, inside.view()).map_err(|_| IoError::Missing {
            kind: Named::Label,
            name: label.to_string(),
            available: self.labels().iter().map(i64::to_string).collect(),
        })
    }
}

/// The values of a file that has to hold one volume without NaN.
fn one_volume(image: &Nifti, what: &str) -> Result<Array3<f64>> {
    let wrong = |found: String, expected| IoError::WrongKind {
        what: what.into(),
        found,
        expected,
    };
    let shape = &image.header().shape;
    if shape.len() > 3 {
        let found = format!("of shape {shape:?}");
        return Err(wrong(
            found,
            "one volume, of three axes; save the one that is meant",
        ));
    }
    let volume = image.volume::<f64>(0)?;
    if volume.n_nan > 0 {
        let found = format!("{} NaN among {} voxels", volume.n_nan, volume.values.len());
        return Err(wrong(found, "numbers only; set to 0 what is outside"));
    }
    Ok(volume.values)
}
