//! `consilience ridge`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use consilience::io::atomic::NewFolder;
use consilience::io::npy::{ColumnReader, ColumnWriter};
use consilience::io::source::{Format, Source};
use consilience::io::{AnyArray, Dtype, hash, npy};
use consilience::methods::MethodsError;
use consilience::methods::encoding::{Folds, GridEnds, Ridge, RidgeOutcome, RidgeParams};
use consilience::methods::rdm::Patterns;
use consilience::stats::Real;
use consilience::stats::ridge::Side;
use consilience::study::Progress;
use ndarray::{Array1, Array2, ArrayD, Axis, Ix2, Slice, concatenate};
use serde_json::json;

use crate::console::Console;
use crate::{arrays, places};

/// Values of predictions that are in memory at once: 64 MiB.
const BLOCK_VALUES: usize = 1 << 23;
/// Constant targets that the summary names.
const MAX_NAMED: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Features (rows are stimuli or time points, columns are features): .npy, .npz:key, …
    #[arg(long, value_name = "X.npy")]
    x: String,
    /// Targets (the same rows; columns are voxels, units or ratings); a .npy file may be larger than
    /// memory
    #[arg(long, value_name = "Y.npy")]
    y: String,
    /// Penalties to choose from, for each target
    #[arg(long, value_name = "A.npy")]
    alphas: String,
    /// Folds of the cross-validation: so many contiguous blocks, or a file with a fold number for each
    /// row
    #[arg(long, value_name = "K|F.npy", default_value = "5")]
    folds: String,
    /// Do not centre features and targets at the means of each training set
    #[arg(long)]
    no_intercept: bool,
    /// Choose the penalty that predicts a fold without it, from the other folds
    #[arg(long)]
    nested: bool,
    /// Folder for alpha.npy, r.npy, r2.npy, predictions.npy and summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let params = RidgeParams {
        alphas: arrays::vector_f64(&args.alphas, "--alphas")?,
        folds: match args.folds.parse() {
            Ok(n_folds) => Folds::Contiguous(n_folds),
            Err(_) => Folds::Given(arrays::labels(&args.folds, "--folds")?),
        },
        intercept: !args.no_intercept,
        nested: args.nested,
    };
    arrays::in_files(params.validate(), &[&args.alphas])?;
    let x = arrays::matrix(&args.x, "the feature matrix")?;
    let y = Targets::open(&args.y)?;
    match (&x, y.is_single()) {
        (AnyArray::F32(_), true) => fit::<f32>(args, &params, x, y, out),
        _ => fit::<f64>(args, &params, x, y, out),
    }
}

/// Everything after the inputs are open, with products in the width of `T`.
fn fit<T: Real>(
    args: &Args,
    params: &RidgeParams,
    x: AnyArray,
    mut y: Targets,
    out: &mut dyn Write,
) -> Result<()> {
    let files = [args.x.as_str(), &args.y];
    let (n_rows, n_targets) = y.shape();
    let (n_rows_x, n_features) = (x.shape()[0], x.shape()[1]);
    if n_rows_x != n_rows {
        let mismatch = MethodsError::ShapeMismatch {
            what: "rows of the targets, one for each row of the features",
            expected: n_rows_x,
            found: n_rows,
        };
        return arrays::in_files(Err(mismatch), &files);
    }
    let block = (n_rows * block_width(n_rows).min(n_targets)) as f64 * 16.0;
    let needed = arrays::in_files(
        Ridge::<T>::memory(n_rows, n_features, params, rayon::current_num_threads()),
        &[&args.x],
    )? + block;
    places::check_memory(
        needed,
        &format!(
            "a model of {n_rows} rows × {n_features} features ({})",
            args.x
        ),
        "use fewer folds, penalties, threads or rows",
    )?;
    let console = Console::new();
    console.begin("factorising the training sets", 1);
    let mut x_files = vec![args.x.as_str(), &args.alphas];
    if let Folds::Given(_) = params.folds {
        x_files.push(&args.folds);
    }
    let model = arrays::in_files(prepare::<T>(x, params), &x_files)?;
    console.end();

    let _new = NewFolder::watch(&args.out);
    let mut predictions =
        ColumnWriter::<f64>::create(args.out.join("predictions.npy"), n_rows, n_targets)?;
    let mut found = Found::default();
    console.begin("predicting targets", n_targets as u64);
    for first in (0..n_targets.max(1)).step_by(block_width(n_rows)) {
        let columns = first..n_targets.min(first + block_width(n_rows));
        let outcome = match y.read(columns.clone())? {
            AnyArray::F32(y) => model.predict(y.into_dimensionality::<Ix2>()?.view()),
            y => model.predict(y.into_f64().into_dimensionality::<Ix2>()?.view()),
        };
        let outcome = arrays::in_files(outcome.map_err(|e| shifted(e, first)), &[&args.y])?;
        predictions.write(first, outcome.predictions.view())?;
        found.add(first, outcome, params);
        console.advance_to(columns.end as u64);
    }
    console.end();

    let warnings = found.warnings(params, n_targets);
    for warning in &warnings {
        console.note(&format!("warning: {warning}"));
    }
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "x": args.x,
        "x_blake3": blake3(&args.x)?,
        "y": args.y,
        "y_blake3": blake3(&args.y)?,
        "n_rows": n_rows,
        "n_features": n_features,
        "n_targets": n_targets,
        "n_folds": model.n_folds(),
        "folds": args.folds,
        "intercept": params.intercept,
        "nested": params.nested,
        "alphas": params.alphas,
        "solver": match model.side() {
            Side::Primal => "primal",
            Side::Dual => "dual",
        },
        "products": T::NAME,
        "mean_r": mean(&found.r),
        "mean_r2": mean(&found.r2),
        "n_at_smallest_alpha": found.ends.n_smallest,
        "n_at_largest_alpha": found.ends.n_largest,
        "n_constant_targets": found.constant.len(),
        "constant_targets": found.constant.iter().take(MAX_NAMED).collect::<Vec<_>>(),
        "warnings": warnings,
    });
    // The summary goes first and comes last: a folder with a summary is complete. The penalties of
    // folds may be those of an earlier run.
    let summary_path = args.out.join("summary.json");
    let fold_path = args.out.join("alpha_folds.npy");
    for path in [&summary_path, &fold_path] {
        if path.exists() {
            std::fs::remove_file(path)
                .with_context(|| format!("cannot replace {}", path.display()))?;
        }
    }
    let write = |name: &str, values: &[f64]| {
        npy::write(args.out.join(name), ndarray::ArrayView1::from(values))
    };
    write("alpha.npy", &found.alpha)?;
    write("r.npy", &found.r)?;
    write("r2.npy", &found.r2)?;
    if !found.fold_alphas.is_empty() {
        let views: Vec<_> = found.fold_alphas.iter().map(|block| block.view()).collect();
        let fold_alphas = concatenate(Axis(1), &views)?;
        npy::write(&fold_path, fold_alphas.view())?;
    }
    predictions.finish()?;
    arrays::write_text(
        &summary_path,
        &(serde_json::to_string_pretty(&summary)? + "\n"),
    )?;
    writeln!(out, "{}", summary_path.display())?;
    Ok(())
}

fn prepare<T: Real>(x: AnyArray, params: &RidgeParams) -> Result<Ridge<T>, MethodsError> {
    fn matrix<V>(x: ArrayD<V>) -> Array2<V> {
        x.into_dimensionality().expect("loaded as a matrix")
    }
    match x {
        AnyArray::F32(x) => Ridge::prepare(Patterns::F32(matrix(x).view()), params),
        other => Ridge::prepare(Patterns::F64(matrix(other.into_f64()).view()), params),
    }
}

/// Targets of one block, a multiple of what is worked on together.
fn block_width(n_rows: usize) -> usize {
    let chunk = Ridge::<f64>::CHUNK;
    (BLOCK_VALUES / n_rows.max(1) / chunk).max(1) * chunk
}

/// The same error with the column counted from the first of the file.
fn shifted(mut error: MethodsError, first: usize) -> MethodsError {
    if let MethodsError::NonFinite { column, .. } = &mut error {
        *column += first;
    }
    error
}

fn blake3(spec: &str) -> Result<String> {
    Ok(hash::blake3_file(&Source::parse(spec).path)?)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Targets, read block by block where the file allows it.
enum Targets {
    Columns(ColumnReader),
    Whole(AnyArray),
}

impl Targets {
    fn open(spec: &str) -> Result<Self> {
        let source = Source::parse(spec);
        if source.format()? == Format::Npy {
            let header = npy::header(&source.path)?;
            if header.shape.len() == 2 && matches!(header.dtype, Dtype::F32 | Dtype::F64) {
                return Ok(Self::Columns(ColumnReader::open(&source.path)?));
            }
        }
        let array = consilience::io::source::load_array(spec)?.into_f32_or_f64();
        Ok(Self::Whole(match array {
            AnyArray::F32(y) if y.ndim() == 1 => AnyArray::F32(y.insert_axis(Axis(1))),
            AnyArray::F64(y) if y.ndim() == 1 => AnyArray::F64(y.insert_axis(Axis(1))),
            array => arrays::check_matrix(array, spec, "the target matrix")?,
        }))
    }

    fn is_single(&self) -> bool {
        match self {
            Self::Columns(reader) => reader.dtype() == Dtype::F32,
            Self::Whole(array) => array.dtype() == Dtype::F32,
        }
    }

    fn shape(&self) -> (usize, usize) {
        match self {
            Self::Columns(reader) => reader.shape(),
            Self::Whole(array) => (array.shape()[0], array.shape()[1]),
        }
    }

    fn read(&mut self, columns: std::ops::Range<usize>) -> Result<AnyArray> {
        Ok(match self {
            Self::Columns(reader) => reader.read(columns)?,
            Self::Whole(AnyArray::F32(y)) => {
                AnyArray::F32(y.slice_axis(Axis(1), Slice::from(columns)).to_owned())
            }
            Self::Whole(AnyArray::F64(y)) => {
                AnyArray::F64(y.slice_axis(Axis(1), Slice::from(columns)).to_owned())
            }
            Self::Whole(_) => unreachable!("targets are f32 or f64"),
        })
    }
}

/// What is found for each target, block by block.
#[derive(Default)]
struct Found {
    alpha: Vec<f64>,
    r: Vec<f64>,
    r2: Vec<f64>,
    fold_alphas: Vec<Array2<f64>>,
    constant: Vec<usize>,
    ends: GridEnds,
}

impl Found {
    fn add(&mut self, first: usize, outcome: RidgeOutcome, params: &RidgeParams) {
        self.ends = self.ends.and(GridEnds::count(&outcome, params));
        self.alpha.extend(outcome.alpha);
        self.r.extend(outcome.r);
        self.r2.extend(outcome.r2);
        self.fold_alphas.extend(outcome.fold_alphas);
        self.constant
            .extend(outcome.constant.iter().map(|target| first + target));
    }

    fn warnings(&self, params: &RidgeParams, n_targets: usize) -> Vec<String> {
        let alphas = Array1::from_vec(params.alphas.clone());
        let smallest = alphas.fold(f64::INFINITY, |a, b| a.min(*b));
        let largest = alphas.fold(0.0_f64, |a, b| a.max(*b));
        let mut warnings = Vec::new();
        if self.ends.n_largest > 0 {
            warnings.push(format!(
                "{} of {n_targets} targets chose the largest alpha, {largest:e}: the best may lie above it; extend the grid upwards",
                self.ends.n_largest
            ));
        }
        if self.ends.n_smallest > 0 {
            warnings.push(format!(
                "{} of {n_targets} targets chose the smallest alpha, {smallest:e}: the best may lie below it; extend the grid downwards",
                self.ends.n_smallest
            ));
        }
        if !self.constant.is_empty() {
            warnings.push(format!(
                "{} of {n_targets} targets have the same value in all rows (the first is column {}, counted from 0): their r and r2 are 0",
                self.constant.len(),
                self.constant[0]
            ));
        }
        warnings
    }
}
