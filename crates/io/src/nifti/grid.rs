//! The lattice of voxels that an image and a mask have to share.

use std::fmt;

use super::affine::{Affine, Millimetres, Voxel};
use crate::{IoError, Result};

/// Number of voxels along x, y and z and where they lie, in millimetres.
///
/// # Example
///
/// ```
/// use consilience_io::nifti::{Affine, Grid, Millimetres, Voxel};
/// let grid = Grid {
///     shape: [40, 48, 40],
///     affine: Affine([
///         [4.0, 0.0, 0.0, -78.0],
///         [0.0, 4.0, 0.0, -112.0],
///         [0.0, 0.0, 4.0, -70.0],
///     ]),
/// };
/// let place = grid.to_millimetres(Voxel([20, 28, 18]));
/// assert_eq!(place, Millimetres([2.0, 0.0, 2.0]));
/// assert_eq!(grid.voxel_at(place), Some(Voxel([20, 28, 18])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Length of the axes.
    pub shape: [usize; 3],
    /// From voxel indices to millimetres.
    pub affine: Affine,
}

impl Grid {
    /// Largest distance between the corners of two grids that count as the same, in edges of the smallest
    /// voxel. Headers round to single precision, which displaces corners by some 1e-5 of an edge.
    pub const TOLERANCE: f64 = 1e-3;

    /// Number of voxels.
    #[must_use]
    pub fn n_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The place of the centre of a voxel.
    #[must_use]
    pub fn to_millimetres(&self, Voxel(at): Voxel) -> Millimetres {
        Millimetres(self.affine.apply(at.map(|value| value as f64)))
    }

    /// The voxel whose centre is nearest to a place, counted along the voxels' own axes; `None` outside of
    /// the grid and where the affine cannot be inverted.
    #[must_use]
    pub fn voxel_at(&self, Millimetres(place): Millimetres) -> Option<Voxel> {
        let rows = self.affine.0;
        let shifted = [0, 1, 2].map(|r| place[r] - rows[r][3]);
        let minor = |r: usize, k: usize| {
            let [a, b] = [(r + 1) % 3, (r + 2) % 3];
            let [c, d] = [(k + 1) % 3, (k + 2) % 3];
            rows[a][c] * rows[b][d] - rows[a][d] * rows[b][c]
        };
        let determinant: f64 = (0..3).map(|k| rows[0][k] * minor(0, k)).sum();
        let mut at = [0; 3];
        for (k, index) in at.iter_mut().enumerate() {
            let value = (0..3).map(|r| minor(r, k) * shifted[r]).sum::<f64>() / determinant;
            let nearest = value.round();
            if !(0.0..self.shape[k] as f64).contains(&nearest) {
                return None;
            }
            *index = nearest as usize;
        }
        Some(Voxel(at))
    }

    /// Position of a voxel in C order of (x, y, z), the last axis fastest.
    #[must_use]
    pub fn index_of(&self, Voxel([x, y, z]): Voxel) -> usize {
        (x * self.shape[1] + y) * self.shape[2] + z
    }

    /// The voxel at a position in C order.
    ///
    /// # Panics
    ///
    /// When there are not so many voxels.
    #[must_use]
    pub fn voxel(&self, index: usize) -> Voxel {
        assert!(
            index < self.n_voxels(),
            "voxel {index} of {}",
            self.n_voxels()
        );
        let [_, n_y, n_z] = self.shape;
        Voxel([index / (n_y * n_z), index / n_z % n_y, index % n_z])
    }

    /// Position in a file, where x runs fastest, of a position in C order.
    pub(super) fn in_file(&self, index: usize) -> usize {
        let Voxel([x, y, z]) = self.voxel(index);
        x + self.shape[0] * (y + self.shape[1] * z)
    }

    /// Whether the shapes are equal and no corner is further than [`TOLERANCE`](Self::TOLERANCE) from its
    /// counterpart.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let sizes = self.affine.voxel_sizes();
        let edge = sizes.into_iter().fold(f64::INFINITY, f64::min);
        self.shape == other.shape
            && (0..8).all(|corner| {
                let at = [0, 1, 2]
                    .map(|k| (((corner >> k) & 1) * self.shape[k].saturating_sub(1)) as f64);
                let [here, there] = [self, other].map(|grid| grid.affine.apply(at));
                let square: f64 = here.iter().zip(there).map(|(a, b)| (a - b).powi(2)).sum();
                square.sqrt() <= Self::TOLERANCE * edge
            })
    }

    /// Refuses two grids that differ.
    ///
    /// # Errors
    ///
    /// [`IoError::GridMismatch`] with both.
    pub(super) fn check_same(&self, expected: &Self) -> Result<()> {
        if self.is_same(expected) {
            return Ok(());
        }
        Err(IoError::GridMismatch {
            found: Box::new(*self),
            expected: Box::new(*expected),
        })
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.shape;
        let [a, b, c] = self.affine.0;
        write!(
            f,
            "{x} × {y} × {z} voxels with the affine [{a:?}, {b:?}, {c:?}]"
        )
    }
}
