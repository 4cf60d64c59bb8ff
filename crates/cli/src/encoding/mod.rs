//! What the commands of encoding models read and write alike.

mod problem;
mod results;

use std::path::PathBuf;

use anyhow::{Result, bail};
use consilience::methods::MethodsError;
use consilience::methods::encoding::RidgeParams;
use consilience::study::Progress;
use ndarray::Axis;

use crate::arrays;
use crate::console::Console;
use crate::tables::Missing;

pub use problem::{Matrix, Problem, Rows};
pub use results::{Results, blake3, grid_warnings};

/// Targets, and where results go.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Targets (the same rows; columns are voxels, units or ratings)
    #[arg(long, value_name = "Y.npy")]
    pub y: String,
    /// What to do with rows that lack a feature or a target
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    /// Folder for the arrays and summary.json
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Features in several bands.
#[derive(Debug, clap::Args)]
pub struct Bands {
    /// Features of a band (rows are stimuli or time points, columns are features); one --x for each band
    #[arg(long, value_name = "X.npy", required = true)]
    x: Vec<String>,
    /// Instead of several --x: a band number for each column of one
    #[arg(long, value_name = "B.npy")]
    bands: Option<String>,
}

impl Bands {
    /// The features of each band by its name: the file, or the number of the band.
    pub fn load(&self) -> Result<(Vec<String>, Vec<Matrix>)> {
        let load = |spec: &String| Matrix::load(spec, "the feature matrix");
        let Some(spec) = &self.bands else {
            return Ok((
                self.x.clone(),
                self.x.iter().map(load).collect::<Result<_>>()?,
            ));
        };
        let [x] = self.x.as_slice() else {
            bail!(
                "--bands divides the columns of one --x, found {}; leave out --bands or join the features",
                self.x.len()
            );
        };
        let (numbers, whole) = (arrays::labels(spec, "--bands")?, load(x)?);
        let mismatch = MethodsError::ShapeMismatch {
            what: "band numbers, one for each column of the features",
            expected: whole.shape().1,
            found: numbers.len(),
        };
        if numbers.len() != whole.shape().1 {
            return arrays::in_files(Err(mismatch), &[x, spec]);
        }
        let mut bands = numbers.clone();
        bands.sort_unstable();
        bands.dedup();
        let columns = |band: &i64| -> Vec<usize> {
            (0..numbers.len())
                .filter(|&k| numbers[k] == *band)
                .collect()
        };
        let names = bands.iter().map(i64::to_string).collect();
        let values = bands.iter().map(|b| whole.select(Axis(1), &columns(b)));
        Ok((names, values.collect()))
    }

    /// The files, for messages and hashes.
    pub fn files(&self) -> Vec<&str> {
        (self.x.iter().chain(&self.bands))
            .map(String::as_str)
            .collect()
    }
}

/// Penalties from a file, else the usual ones.
pub fn alphas(spec: Option<&str>) -> Result<Vec<f64>> {
    match spec {
        None => Ok(RidgeParams::default().alphas),
        Some(spec) => arrays::vector_f64(spec, "--alphas"),
    }
}

/// Says what is done, does it, and names the files where it cannot be done.
pub fn work<T>(
    what: &str,
    files: &[&str],
    act: impl FnOnce() -> Result<T, MethodsError>,
) -> Result<T> {
    let console = Console::new();
    console.begin(what, 1);
    let found = act();
    console.end();
    arrays::in_files(found, files)
}

pub fn mean<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (sum, n) = (values.into_iter()).fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    sum / f64::from(n)
}
