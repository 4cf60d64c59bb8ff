//! Patterns of a subject for the pictures of a study: betas of trials, through masks, averaged for each picture.
//!
//! Betas are a NIfTI image with a volume for each trial, or a matrix (`.npy`, `.npz`, `.mat`, `.csv`, `.tsv`) with a row for each
//! trial and a column for each voxel. A table says which picture each of them shows; a picture is found in it as in
//! [`ratings`](crate::ratings).

use std::path::Path;

use ndarray::{Array2, Array3, Axis, Ix2};

use crate::error::AtPath;
use crate::nifti::{Mask, Nifti};
use crate::pictures::Pictures;
use crate::source::{Source, read_array};
use crate::{IoError, Limits, Result};

mod trials;

#[cfg(test)]
mod tests;

pub use trials::TrialTable;
pub(crate) use trials::shown;

/// Endings of files with volumes.
const VOLUMES: [&str; 6] = [".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz"];

/// Patterns of a subject, and what was left out on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Betas {
    /// Mean over the trials of each picture that was shown, `(n_shown, n_voxels)`.
    pub patterns: Array2<f64>,
    /// Which picture each row is, as a 0-based position in the names that were asked for; ascending.
    pub pictures: Vec<usize>,
    /// Pictures that were never shown, in the same way.
    pub missing: Vec<usize>,
    /// Trials behind each row.
    pub n_trials: Vec<usize>,
    /// Which voxels of the mask (or columns of the matrix) are kept, 0-based.
    pub voxels: Vec<usize>,
    /// Volumes without a picture, left out.
    pub n_without_picture: usize,
    /// Volumes with pictures that were not asked for, left out.
    pub n_other: usize,
    /// Voxels with the same value in all trials that are used, left out.
    pub n_constant: usize,
    /// Voxels with a NaN or an infinity in one of them, left out.
    pub n_not_finite: usize,
}

impl Betas {
    /// Reads a file, within the default [`Limits`].
    ///
    /// `masks` are united: the voxels that any of them holds, in the order of [`Mask`]. Without a mask, all voxels are taken.
    /// A matrix holds the voxels of a region already and takes no mask. Without `trials`, the volumes are `names` in
    /// their order.
    ///
    /// # Errors
    ///
    /// [`IoError`] as [`Nifti::voxels`] and [`read_array`]; [`IoError::GridMismatch`] for a mask on another grid,
    /// [`IoError::VolumeCount`] for another number of volumes than trials (or pictures), [`IoError::OutOfRange`] for a trial of a
    /// volume that is not there, [`IoError::NoVoxels`], [`IoError::SeveralPictures`], [`IoError::WrongKind`] for masks of a
    /// matrix, other axes, and trials without any of the pictures.
    ///
    /// # Example
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("betas.csv");
    /// # std::fs::write(&path, "v1,v2,v3\n1,0,2\n5,0,1\n3,0,4\n9,0,9\n").unwrap();
    /// # let table = folder.path().join("trials.csv");
    /// # std::fs::write(&table, "onset,picture\n0,a.png\n4,b.png\n8,a.png\n12,n/a\n").unwrap();
    /// use consilience_io::betas::{Betas, TrialTable};
    /// use consilience_io::source::Source;
    /// let trials = TrialTable::read(&table, "picture", None)?;
    /// let source = Source::parse(path.to_str().unwrap());
    /// let betas = Betas::read(&source, &[], Some(&trials), &["a", "b", "c"])?;
    /// assert_eq!(betas.patterns, ndarray::array![[2.0, 3.0], [5.0, 1.0]]);
    /// assert_eq!((betas.n_trials, betas.missing), (vec![2, 1], vec![2]));
    /// assert_eq!((betas.n_without_picture, betas.n_constant), (1, 1));
    /// # Ok::<(), consilience_io::IoError>(())
    /// ```
    pub fn read(
        source: &Source,
        masks: &[Mask],
        trials: Option<&TrialTable>,
        names: &[&str],
    ) -> Result<Self> {
        let limits = Limits::default();
        let values = match is_volumes(&source.path) {
            true => volumes(&source.path, masks, &limits)?,
            false => matrix(source, masks, &limits).at(source.to_string())?,
        };
        Self::from_matrix(values, trials, names).at(&source.path)
    }

    /// Takes betas that were read, `(n_volumes, n_voxels)`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_matrix(
        values: Array2<f64>,
        trials: Option<&TrialTable>,
        names: &[&str],
    ) -> Result<Self> {
        let (n_volumes, n_voxels) = values.dim();
        let mut betas = Self {
            patterns: Array2::zeros((0, 0)),
            pictures: Vec::new(),
            missing: Vec::new(),
            n_trials: Vec::new(),
            voxels: Vec::new(),
            n_without_picture: 0,
            n_other: 0,
            n_constant: 0,
            n_not_finite: 0,
        };
        let rows_of = match trials {
            Some(trials) => betas.rows_by_trials(&trials.of_volumes(n_volumes)?, names)?,
            None if names.len() == n_volumes => (0..n_volumes).map(|row| vec![row]).collect(),
            None => {
                return Err(IoError::VolumeCount {
                    found: n_volumes,
                    expected: names.len(),
                    of: "pictures",
                    cure: "give a table of trials that says which picture each volume shows",
                });
            }
        };
        for (picture, rows) in rows_of.iter().enumerate() {
            match rows.len() {
                0 => betas.missing.push(picture),
                n => {
                    betas.pictures.push(picture);
                    betas.n_trials.push(n);
                }
            }
        }
        if betas.pictures.is_empty() {
            return Err(IoError::WrongKind {
                what: "the table of trials".into(),
                found: format!("without any of the {} pictures", names.len()),
                expected: "names of the pictures of the study (is it the right column?)",
            });
        }
        let used: Vec<usize> = rows_of.iter().flatten().copied().collect();
        for voxel in 0..n_voxels {
            let column = values.column(voxel);
            let mut those = used.iter().map(|&row| column[row]);
            if those.clone().any(|value| !value.is_finite()) {
                betas.n_not_finite += 1;
            } else if those.all(|value| value == column[used[0]]) {
                betas.n_constant += 1;
            } else {
                betas.voxels.push(voxel);
            }
        }
        if betas.voxels.is_empty() {
            return Err(IoError::NoVoxels {
                n_voxels,
                n_constant: betas.n_constant,
                n_not_finite: betas.n_not_finite,
            });
        }
        betas.patterns = Array2::zeros((betas.pictures.len(), betas.voxels.len()));
        let shown = betas.pictures.iter().map(|&picture| &rows_of[picture]);
        for (mut pattern, rows) in betas.patterns.rows_mut().into_iter().zip(shown) {
            for &row in rows {
                let values = values.row(row);
                for (mean, &voxel) in pattern.iter_mut().zip(&betas.voxels) {
                    *mean += values[voxel] / rows.len() as f64;
                }
            }
        }
        Ok(betas)
    }

    /// The rows of each picture, by what each volume shows.
    fn rows_by_trials(
        &mut self,
        shown: &[Option<&str>],
        names: &[&str],
    ) -> Result<Vec<Vec<usize>>> {
        let mut known: Vec<&str> = shown.iter().flatten().copied().collect();
        known.sort_unstable();
        known.dedup();
        let mut picture_of = vec![None; known.len()];
        let found = Pictures::new(known.iter().copied(), "the trials").find(names)?;
        for (picture, position) in found.into_iter().enumerate() {
            if let Some(position) = position {
                picture_of[position] = Some(picture);
            }
        }
        let mut rows_of = vec![Vec::new(); names.len()];
        for (row, name) in shown.iter().enumerate() {
            let Some(name) = name else {
                self.n_without_picture += 1;
                continue;
            };
            let position = known.binary_search(name).ok();
            match position.and_then(|position| picture_of[position]) {
                Some(picture) => rows_of[picture].push(row),
                None => self.n_other += 1,
            }
        }
        Ok(rows_of)
    }
}

fn is_volumes(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    VOLUMES.iter().any(|ending| name.ends_with(ending))
}

fn volumes(path: &Path, masks: &[Mask], limits: &Limits) -> Result<Array2<f64>> {
    let image = Nifti::open_with(path, limits)?;
    let grid = image.header().grid();
    // Before they are united, so that the message speaks of the image.
    for mask in masks {
        mask.check_grid(&grid).at(path)?;
    }
    let mask = match masks {
        [] => Mask::new(grid, Array3::from_elem(grid.shape, true).view()).at(path)?,
        _ => Mask::united(masks)?,
    };
    Ok(image.voxels::<f64>(&mask)?.values)
}

fn matrix(source: &Source, masks: &[Mask], limits: &Limits) -> Result<Array2<f64>> {
    let wrong = |found: String, expected| IoError::WrongKind {
        what: "the file of betas".into(),
        found,
        expected,
    };
    if !masks.is_empty() {
        return Err(wrong(
            "a matrix, whose columns have no place in the brain".into(),
            "a NIfTI file; leave out the masks, or give the betas as .nii or .nii.gz",
        ));
    }
    let array = read_array(source, limits)?.into_f64();
    let shape = array.shape().to_vec();
    let matrix = array.into_dimensionality::<Ix2>().map_err(|_| {
        wrong(
            format!("of shape {shape:?}"),
            "a matrix with a row for each trial and a column for each voxel",
        )
    })?;
    match matrix.len_of(Axis(1)) {
        0 => Err(wrong(
            format!("of shape {shape:?}"),
            "at least one column, a voxel each",
        )),
        _ => Ok(matrix),
    }
}
