//! What the commands of encoding models read and write alike.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::source::Source;
use consilience::io::{AnyArray, hash, npy, source};
use consilience::methods::MethodsError;
use consilience::methods::encoding::{EncodingSize, Folds, GridEnds, RidgeParams};
use consilience::methods::rdm::Patterns;
use consilience::study::Progress;
use ndarray::{Array2, ArrayView2, Axis, CowArray, Ix2};
use serde_json::{Map, Value, json};

use crate::arrays;
use crate::console::Console;
use crate::tables::{self, Missing};

/// Constant targets that a summary names.
const MAX_NAMED: usize = 20;
/// Every array that some encoding command writes; a folder holds those of one run.
const ARRAYS: [&str; 11] = [
    "alpha.npy",
    "alpha_folds.npy",
    "baseline.npy",
    "components.npy",
    "parts.npy",
    "predictions.npy",
    "product_measure.npy",
    "r.npy",
    "r2.npy",
    "shapley.npy",
    "shares.npy",
];

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

/// Numbers of either width, in rows and columns.
pub enum Matrix {
    F32(Array2<f32>),
    F64(Array2<f64>),
}

impl Matrix {
    pub fn load(spec: &str, what: &str) -> Result<Self> {
        Self::of(arrays::matrix(spec, what)?)
    }

    pub fn of(array: AnyArray) -> Result<Self> {
        Ok(match array {
            AnyArray::F32(x) => Self::F32(x.into_dimensionality::<Ix2>()?),
            other => Self::F64(other.into_f64().into_dimensionality::<Ix2>()?),
        })
    }

    /// Targets; a single axis is one target.
    fn load_targets(spec: &str) -> Result<Self> {
        let array = match source::load_array(spec)?.into_f32_or_f64() {
            AnyArray::F32(y) if y.ndim() == 1 => AnyArray::F32(y.insert_axis(Axis(1))),
            AnyArray::F64(y) if y.ndim() == 1 => AnyArray::F64(y.insert_axis(Axis(1))),
            array => arrays::check_matrix(array, spec, "the target matrix")?,
        };
        Self::of(array)
    }

    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::F32(x) => x.dim(),
            Self::F64(x) => x.dim(),
        }
    }

    pub fn patterns(&self) -> Patterns<'_> {
        match self {
            Self::F32(x) => x.view().into(),
            Self::F64(x) => x.view().into(),
        }
    }

    /// After [`Problem::widen`].
    pub fn view_f64(&self) -> ArrayView2<'_, f64> {
        match self {
            Self::F32(_) => unreachable!("widened before"),
            Self::F64(x) => x.view(),
        }
    }

    fn widen(&mut self) {
        if let Self::F32(x) = self {
            *self = Self::F64(x.mapv(f64::from));
        }
    }

    pub fn select(&self, axis: Axis, places: &[usize]) -> Self {
        match self {
            Self::F32(x) => Self::F32(x.select(axis, places)),
            Self::F64(x) => Self::F64(x.select(axis, places)),
        }
    }

    /// The first column of a row that has NaN.
    pub fn gap(&self, row: usize) -> Option<usize> {
        match self {
            Self::F32(x) => x.row(row).iter().position(|v| v.is_nan()),
            Self::F64(x) => x.row(row).iter().position(|v| v.is_nan()),
        }
    }
}

/// Rows of files that lack nothing.
pub struct Rows {
    /// Their places.
    pub kept: Vec<usize>,
    /// Rows of the files.
    pub n: usize,
}

impl Rows {
    pub fn all(n: usize) -> Self {
        let kept = (0..n).collect();
        Self { kept, n }
    }

    /// Rows that were left out.
    pub fn n_omitted(&self) -> usize {
        self.n - self.kept.len()
    }

    /// How they are divided; a file numbers all rows.
    pub fn folds(&self, spec: &str) -> Result<Folds> {
        let Ok(n_folds) = spec.parse() else {
            let numbers = arrays::labels(spec, "--folds")?;
            let mismatch = MethodsError::ShapeMismatch {
                what: "fold numbers, one for each row",
                expected: self.n,
                found: numbers.len(),
            };
            if numbers.len() != self.n {
                return arrays::in_files(Err(mismatch), &[spec]);
            }
            return Ok(Folds::Given(tables::at_rows(&numbers, &self.kept)));
        };
        Ok(Folds::Contiguous(n_folds))
    }

    /// Predictions of all rows: NaN where a row was left out.
    pub fn spread<'a>(&self, predictions: ArrayView2<'a, f64>) -> CowArray<'a, f64, Ix2> {
        if self.n_omitted() == 0 {
            return predictions.into();
        }
        let mut all = Array2::from_elem((self.n, predictions.ncols()), f64::NAN);
        for (&row, found) in self.kept.iter().zip(predictions.rows()) {
            all.row_mut(row).assign(&found);
        }
        all.into()
    }
}

/// Features and targets of the rows that lack nothing.
pub struct Problem {
    pub x: Vec<Matrix>,
    pub y: Matrix,
    pub rows: Rows,
}

impl Problem {
    /// `names` says for each of `x` what it is called, `files` where they come from.
    pub fn load(x: Vec<Matrix>, names: &[String], files: &[&str], common: &Common) -> Result<Self> {
        let y = Matrix::load_targets(&common.y)?;
        let n_rows = y.shape().0;
        for x in &x {
            let mismatch = MethodsError::ShapeMismatch {
                what: "rows of the targets, one for each row of the features",
                expected: x.shape().0,
                found: n_rows,
            };
            if x.shape().0 != n_rows {
                return arrays::in_files(Err(mismatch), &[files, &[&common.y]].concat());
            }
        }
        let named = || x.iter().zip(names).chain([(&y, &common.y)]);
        let gaps = (0..n_rows).map(|row| {
            let mut places = named().filter_map(|(values, name)| Some((values.gap(row)?, name)));
            places.next().map(|(column, name)| {
                format!("row {row}, column {column} (counted from 0) of {name} is NaN")
            })
        });
        let kept = tables::complete(common.nan, "rows", gaps)?.rows;
        let rows = Rows { kept, n: n_rows };
        if rows.n_omitted() == 0 {
            return Ok(Self { x, y, rows });
        }
        let select = |values: &Matrix| values.select(Axis(0), &rows.kept);
        Ok(Self {
            x: x.iter().map(select).collect(),
            y: select(&y),
            rows,
        })
    }

    /// Makes all numbers f64, for methods that know nothing else.
    pub fn widen(&mut self) {
        self.x.iter_mut().for_each(Matrix::widen);
        self.y.widen();
    }

    pub fn size(&self) -> EncodingSize {
        EncodingSize {
            n_rows: self.rows.kept.len(),
            n_features: self.x.iter().map(|x| x.shape().1).sum(),
            n_targets: self.y.shape().1,
        }
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

/// Results of one run, written together at the end.
pub struct Results<'a> {
    folder: &'a Path,
    summary: Map<String, Value>,
    warnings: Vec<String>,
}

impl<'a> Results<'a> {
    /// Takes away what an earlier run left. The summary goes first and comes last: a folder with a summary is
    /// complete.
    pub fn begin(folder: &'a Path) -> Result<Self> {
        for name in std::iter::once("summary.json").chain(ARRAYS) {
            let path = folder.join(name);
            if path.exists() {
                std::fs::remove_file(&path)
                    .with_context(|| format!("cannot replace {}", path.display()))?;
            }
        }
        let mut results = Self {
            folder,
            summary: Map::new(),
            warnings: Vec::new(),
        };
        results.say(json!({ "consilience": env!("CARGO_PKG_VERSION") }));
        Ok(results)
    }

    pub fn write(&self, name: &str, values: ArrayView2<'_, f64>) -> Result<()> {
        debug_assert!(ARRAYS.contains(&name));
        Ok(npy::write(self.folder.join(name), values)?)
    }

    pub fn write_vector(&self, name: &str, values: &[f64]) -> Result<()> {
        debug_assert!(ARRAYS.contains(&name));
        Ok(npy::write(
            self.folder.join(name),
            ndarray::ArrayView1::from(values),
        )?)
    }

    /// Adds to the summary.
    pub fn say(&mut self, entries: Value) {
        if let Value::Object(entries) = entries {
            self.summary.extend(entries);
        }
    }

    /// Adds the inputs, and what is the same for every kind of model.
    pub fn say_inputs(
        &mut self,
        x: &[&str],
        common: &Common,
        problem: &Problem,
        constant: &[usize],
    ) -> Result<()> {
        let size = problem.size();
        let hashes: Vec<String> = x.iter().map(|x| blake3(x)).collect::<Result<_>>()?;
        self.say(json!({
            "x": x,
            "x_blake3": hashes,
            "y": common.y,
            "y_blake3": blake3(&common.y)?,
            "n_rows": size.n_rows,
            "n_rows_omitted": problem.rows.n_omitted(),
            "n_features": size.n_features,
            "n_targets": size.n_targets,
        }));
        self.say_constant(constant, size.n_targets);
        Ok(())
    }

    /// Names the targets that do not vary.
    pub fn say_constant(&mut self, constant: &[usize], n_targets: usize) {
        self.say(json!({
            "n_constant_targets": constant.len(),
            "constant_targets": constant.iter().take(MAX_NAMED).collect::<Vec<_>>(),
        }));
        self.warn(constant.first().map(|first| {
            format!(
                "{} of {n_targets} targets have the same value in all rows (the first is column {first}, counted from 0): their r and r2 are 0",
                constant.len()
            )
        }));
    }

    pub fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Tells the warnings and writes the summary; its path.
    pub fn finish(mut self) -> Result<PathBuf> {
        for warning in &self.warnings {
            Console::new().note(&format!("warning: {warning}"));
        }
        let warnings = std::mem::take(&mut self.warnings);
        self.say(json!({ "warnings": warnings }));
        let path = self.folder.join("summary.json");
        arrays::write_text(
            &path,
            &(serde_json::to_string_pretty(&self.summary)? + "\n"),
        )?;
        Ok(path)
    }
}

/// What is to be said of targets that chose an end of the grid.
pub fn grid_warnings(ends: GridEnds, alphas: &[f64], n_targets: usize) -> Vec<String> {
    let smallest = alphas.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = alphas.iter().copied().fold(0.0, f64::max);
    let mut warnings = Vec::new();
    if ends.n_largest > 0 {
        warnings.push(format!(
            "{} of {n_targets} targets chose the largest alpha, {largest:e}: the best may lie above it; extend the grid upwards",
            ends.n_largest
        ));
    }
    if ends.n_smallest > 0 {
        warnings.push(format!(
            "{} of {n_targets} targets chose the smallest alpha, {smallest:e}: the best may lie below it; extend the grid downwards",
            ends.n_smallest
        ));
    }
    warnings
}

pub fn blake3(spec: &str) -> Result<String> {
    Ok(hash::blake3_file(&Source::parse(spec).path)?)
}

pub fn mean<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (sum, n) = (values.into_iter()).fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    sum / f64::from(n)
}
