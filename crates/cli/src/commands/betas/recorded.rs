//! Recordings of runs: volumes or matrices.

use std::path::Path;

use anyhow::{Result, bail};
use consilience::io::nifti::{Grid, Mask, Nifti, WriteParams, write_masked};
use consilience::io::npy;
use ndarray::{Array2, Array3, s};

use super::Args;
use crate::arrays;

/// Where the columns of a recording lie.
pub(super) enum Space {
    /// In the voxels of a mask.
    Brain(Mask),
    /// Nowhere: so many columns of a matrix.
    Matrix(usize),
}

impl Space {
    /// Writes betas under a name with the ending that fits, and says that name.
    pub(super) fn write(&self, stem: &Path, betas: &Array2<f32>) -> Result<&'static str> {
        match self {
            Self::Brain(mask) => {
                let params = WriteParams {
                    description: "a beta for each trial (consilience betas)".to_owned(),
                    ..WriteParams::default()
                };
                write_masked(
                    stem.with_extension("nii.gz"),
                    mask,
                    betas.view(),
                    0.0,
                    &params,
                )?;
                Ok("betas.nii.gz")
            }
            Self::Matrix(_) => {
                npy::write(stem.with_extension("npy"), betas.view())?;
                Ok("betas.npy")
            }
        }
    }
}

/// A run as it was recorded, without the volumes at its start.
pub(super) struct Recorded {
    pub values: Array2<f32>,
    pub repetition_time: f64,
    pub space: Space,
}

impl Recorded {
    pub(super) fn read(
        file: &str,
        args: &Args,
        mask: Option<&Mask>,
        first: Option<&Space>,
    ) -> Result<Self> {
        let lower = file.to_ascii_lowercase();
        let is_volumes = [".nii", ".nii.gz", ".hdr", ".img"]
            .iter()
            .any(|ending| lower.ends_with(ending));
        let (values, stated, space) = match is_volumes {
            true => {
                let image = Nifti::open(file)?;
                let mask = match (mask, first) {
                    (Some(mask), _) | (None, Some(Space::Brain(mask))) => mask.clone(),
                    (None, _) => everywhere(image.header().grid())?,
                };
                let values = image.voxels::<f32>(&mask)?.values;
                (values, image.header().repetition_time(), Space::Brain(mask))
            }
            false => {
                if mask.is_some() {
                    bail!("--mask is for recordings in NIfTI files, and this is a matrix: {file}");
                }
                let values = arrays::matrix_f64(file, "the recording")?.mapv(|value| value as f32);
                let space = Space::Matrix(values.ncols());
                (values, None, space)
            }
        };
        match (first, &space) {
            (None, _) | (Some(Space::Brain(_)), Space::Brain(_)) => {}
            (Some(Space::Matrix(n)), Space::Matrix(found)) if n == found => {}
            _ => bail!(
                "the voxels are not those of the first run; give runs of the same kind and size: {file}"
            ),
        }
        let Some(repetition_time) = args.repetition_time.or(stated) else {
            bail!(
                "the file does not say how long a volume takes; give --repetition-time in seconds: {file}"
            );
        };
        if values.nrows() <= args.drop {
            bail!(
                "--drop {} leaves nothing of {} volumes: {file}",
                args.drop,
                values.nrows()
            );
        }
        Ok(Self {
            values: values.slice(s![args.drop.., ..]).to_owned(),
            repetition_time,
            space,
        })
    }
}

fn everywhere(grid: Grid) -> Result<Mask> {
    Ok(Mask::new(grid, Array3::from_elem(grid.shape, true).view())?)
}
