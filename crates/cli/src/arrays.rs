//! Arrays in and results out, the same for every step command.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use consilience::io::{AnyArray, atomic, npy, source};
use consilience::methods::rsa::{self, Workload};
use consilience::methods::{MethodsError, NanPolicy};
use ndarray::{Array2, ArrayD, Ix1, Ix2};
use serde::Serialize;

use crate::{Format, places, tables};

/// What to do with NaN in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Nan {
    /// A NaN is an error
    Refuse,
    /// Leave NaN out, pair by pair, and say how many
    Omit,
}

impl From<Nan> for NanPolicy {
    fn from(nan: Nan) -> Self {
        match nan {
            Nan::Refuse => Self::Refuse,
            Nan::Omit => Self::Omit,
        }
    }
}

/// Loads a matrix; f32 stays f32, everything else becomes f64.
pub fn matrix(spec: &str, what: &str) -> Result<AnyArray> {
    check_matrix(source::load_array(spec)?.into_f32_or_f64(), spec, what)
}

/// An array as it is, if it has two axes.
pub fn check_matrix(array: AnyArray, spec: &str, what: &str) -> Result<AnyArray> {
    if array.shape().len() != 2 {
        bail!(
            "{what} has {} dimensions {:?}, expected 2 (rows are stimuli or observations, columns are channels); reshape it: {spec}",
            array.shape().len(),
            array.shape()
        );
    }
    Ok(array)
}

/// Loads an f64 matrix.
pub fn matrix_f64(spec: &str, what: &str) -> Result<Array2<f64>> {
    Ok(matrix(spec, what)?
        .into_f64()
        .into_dimensionality::<Ix2>()?)
}

/// Loads numbers along one axis.
pub fn vector_f64(spec: &str, what: &str) -> Result<Vec<f64>> {
    let array: ArrayD<f64> = source::load_array(spec)?.into_f64();
    if array.shape().iter().filter(|n| **n != 1).count() > 1 {
        bail!(
            "{what} has the shape {:?}, expected one axis: {spec}",
            array.shape()
        );
    }
    Ok(array.into_iter().collect())
}

/// Loads one matrix, or several that are stacked along the first axis.
pub fn matrices(spec: &str, what: &str) -> Result<Vec<Array2<f64>>> {
    let array = source::load_array(spec)?.into_f64();
    let shape = array.shape().to_vec();
    match shape.len() {
        2 => Ok(vec![array.into_dimensionality::<Ix2>()?]),
        3 if shape[0] > 0 => Ok(array
            .into_dimensionality::<ndarray::Ix3>()?
            .outer_iter()
            .map(|matrix| matrix.to_owned())
            .collect()),
        n => bail!(
            "{what} has {n} dimensions {shape:?}, expected 2 (one matrix) or 3 (a matrix for each run): {spec}"
        ),
    }
}

/// Loads RDM vectors; a one-dimensional array counts as one RDM.
pub fn rdms(spec: &str, what: &str) -> Result<Array2<f64>> {
    let array: ArrayD<f64> = source::load_array(spec)?.into_f64();
    let shape = array.shape().to_vec();
    let rdms = match shape.len() {
        1 => array
            .into_dimensionality::<Ix1>()?
            .insert_axis(ndarray::Axis(0)),
        2 => array.into_dimensionality::<Ix2>()?,
        n => bail!(
            "{what} has {n} dimensions {shape:?}, expected (n_rdms, n_pairs) or (n_pairs,): {spec}"
        ),
    };
    consilience::core::pairs::n_conditions(rdms.ncols())
        .with_context(|| format!("{what} does not hold RDM vectors (n_rdms, n_pairs): {spec}"))?;
    Ok(rdms)
}

/// Loads RDM vectors, of which there must be one.
pub fn one_rdm(spec: &str, what: &str) -> Result<ndarray::Array1<f64>> {
    let rdms = rdms(spec, what)?;
    if rdms.nrows() != 1 {
        bail!("{what} has {} RDMs, expected one: {spec}", rdms.nrows());
    }
    Ok(rdms.row(0).to_owned())
}

/// Loads one integer label for each row.
pub fn labels(spec: &str, what: &str) -> Result<Vec<i64>> {
    source::load_array(spec)?
        .into_labels()
        .with_context(|| format!("{what} are not integer labels, one a row: {spec}"))
}

/// Puts the names of the files before what a method says of their contents.
pub fn in_files<T>(outcome: Result<T, MethodsError>, files: &[&str]) -> Result<T> {
    outcome.with_context(|| files.join(", "))
}

/// Where a result goes: a file, or standard output as `-`.
#[derive(Debug, Clone, clap::Args)]
pub struct Output {
    /// File for the result (.npy); `-` prints it
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// How a printed result looks
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

impl Output {
    /// Writes `array` as `.npy`, or prints `json` or the array as text. What is not printed is not made:
    /// as JSON, the RDM of many conditions takes several times its memory.
    pub fn write<D: ndarray::Dimension, J: Serialize>(
        &self,
        array: ndarray::ArrayView<'_, f64, D>,
        json: impl FnOnce() -> J,
        out: &mut dyn Write,
    ) -> Result<()> {
        if self.out.as_os_str() != "-" {
            npy::write(&self.out, array)?;
            return Ok(());
        }
        match self.format {
            Format::Json => print_json(&json(), out),
            Format::Text => {
                let columns = array.shape().last().copied().unwrap_or(1).max(1);
                for (k, value) in array.iter().enumerate() {
                    let end = if (k + 1) % columns == 0 { "\n" } else { "\t" };
                    write!(out, "{value}{end}")?;
                }
                Ok(())
            }
        }
    }
}

/// Prints a value as indented JSON.
pub fn print_json(value: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    // As an I/O error again, so that a closed pipe is known for what it is.
    serde_json::to_writer_pretty(&mut *out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Writes a text file whole or not at all.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    atomic::write_atomically(path, |file| file.write_all(text.as_bytes()))?;
    Ok(())
}

/// Writes a JSON file for people to read, whole or not at all.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_text(path, &(serde_json::to_string_pretty(value)? + "\n"))
}

/// Refuses RDMs that cannot be compared in the memory that is free.
pub fn check_rdms_fit(workload: &Workload) -> Result<()> {
    check_memory_of_rdms(rsa::memory(workload), workload.n_rdms, workload.n_pairs)
}

/// The same for so many bytes.
pub fn check_memory_of_rdms(needed: f64, n_rdms: usize, n_pairs: usize) -> Result<()> {
    places::check_memory(
        needed,
        &format!("comparing {n_rdms} RDMs of {n_pairs} pairs"),
        "give fewer RDMs at once or use fewer threads",
    )
}

/// Tells how many values were left out, if any.
pub fn report_omitted(n: usize) {
    if n > 0 {
        tables::note(&format!("{n} NaN values were left out"));
    }
}
