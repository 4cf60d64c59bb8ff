//! `consilience ridge`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use consilience::io::atomic::NewFolder;
use consilience::io::npy::{ColumnReader, ColumnWriter};
use consilience::io::source::{Format, Source};
use consilience::io::{AnyArray, Dtype, npy};
use consilience::methods::MethodsError;
use consilience::methods::encoding::{Folds, GridEnds, Ridge, RidgeOutcome, RidgeParams};
use consilience::stats::Real;
use consilience::stats::ridge::Side;
use consilience::study::Progress;
use ndarray::{Array2, Axis, Slice, concatenate};
use serde_json::json;

use crate::console::Console;
use crate::encoding::{self, Matrix, Results, Rows};
use crate::tables::{self, Missing};
use crate::{arrays, places};

/// Values of predictions that are in memory at once: 64 MiB.
const BLOCK_VALUES: usize = 1 << 23;

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
    /// What to do with rows that lack a feature or a target
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    /// Folder for alpha.npy, r.npy, r2.npy, predictions.npy and summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let mut params = RidgeParams {
        alphas: arrays::vector_f64(&args.alphas, "--alphas")?,
        intercept: !args.no_intercept,
        nested: args.nested,
        ..RidgeParams::default()
    };
    arrays::in_files(params.validate(), &[&args.alphas])?;
    let mut x = Matrix::load(&args.x, "the feature matrix")?;
    let mut y = Targets::open(&args.y)?;
    let (n_rows, n_rows_x) = (y.shape().0, x.shape().0);
    if n_rows_x != n_rows {
        let mismatch = MethodsError::ShapeMismatch {
            what: "rows of the targets, one for each row of the features",
            expected: n_rows_x,
            found: n_rows,
        };
        return arrays::in_files(Err(mismatch), &[&args.x, &args.y]);
    }
    // Where a missing value is an error, it is found while the targets are read for the model.
    let rows = match args.nan {
        Missing::Refuse => Rows::all(n_rows),
        Missing::Omit => y.complete_rows(&x)?,
    };
    if rows.n_omitted() > 0 {
        x = x.select(Axis(0), &rows.kept);
    }
    params.folds = rows.folds(&args.folds)?;
    match (&x, y.is_single()) {
        (Matrix::F32(_), true) => fit::<f32>(args, &params, x, y, &rows, out),
        _ => fit::<f64>(args, &params, x, y, &rows, out),
    }
}

/// Everything after the inputs are open, with products in the width of `T`.
fn fit<T: Real>(
    args: &Args,
    params: &RidgeParams,
    x: Matrix,
    mut y: Targets,
    rows: &Rows,
    out: &mut dyn Write,
) -> Result<()> {
    let (n_file_rows, n_targets) = y.shape();
    let (n_rows, n_features) = x.shape();
    let width = block_width(n_file_rows);
    let block = (n_file_rows * width.min(n_targets)) as f64 * 16.0;
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
    let model = arrays::in_files(Ridge::<T>::prepare(x.patterns(), params), &x_files)?;
    drop(x);
    console.end();

    let _new = NewFolder::watch(&args.out);
    let mut predictions =
        ColumnWriter::<f64>::create(args.out.join("predictions.npy"), n_file_rows, n_targets)?;
    let mut found = Found::default();
    console.begin("predicting targets", n_targets as u64);
    for first in (0..n_targets.max(1)).step_by(width) {
        let columns = first..n_targets.min(first + width);
        let mut block = Matrix::of(y.read(columns.clone())?)?;
        if rows.n_omitted() > 0 {
            block = block.select(Axis(0), &rows.kept);
        }
        let outcome = match block {
            Matrix::F32(y) => model.predict(y.view()),
            Matrix::F64(y) => model.predict(y.view()),
        };
        let outcome = arrays::in_files(outcome.map_err(|e| shifted(e, first)), &[&args.y])?;
        predictions.write(first, rows.spread(outcome.predictions.view()).view())?;
        found.add(first, outcome, params);
        console.advance_to(columns.end as u64);
    }
    console.end();

    let mut results = Results::begin(&args.out)?;
    results.warn(encoding::grid_warnings(
        found.ends,
        &params.alphas,
        n_targets,
    ));
    results.say_constant(&found.constant, n_targets);
    results.say(json!({
        "x": args.x,
        "x_blake3": encoding::blake3(&args.x)?,
        "y": args.y,
        "y_blake3": encoding::blake3(&args.y)?,
        "n_rows": n_rows,
        "n_rows_omitted": rows.n_omitted(),
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
        "mean_r": encoding::mean(&found.r),
        "mean_r2": encoding::mean(&found.r2),
        "n_at_smallest_alpha": found.ends.n_smallest,
        "n_at_largest_alpha": found.ends.n_largest,
    }));
    results.write_vector("alpha.npy", &found.alpha)?;
    results.write_vector("r.npy", &found.r)?;
    results.write_vector("r2.npy", &found.r2)?;
    if !found.fold_alphas.is_empty() {
        let views: Vec<_> = found.fold_alphas.iter().map(|block| block.view()).collect();
        results.write("alpha_folds.npy", concatenate(Axis(1), &views)?.view())?;
    }
    predictions.finish()?;
    writeln!(out, "{}", results.finish()?.display())?;
    Ok(())
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

    /// Rows without NaN in the features or in any target.
    fn complete_rows(&mut self, x: &Matrix) -> Result<Rows> {
        let (n, n_targets) = self.shape();
        let mut has_gap: Vec<bool> = (0..n).map(|row| x.gap(row).is_some()).collect();
        for first in (0..n_targets).step_by(block_width(n)) {
            let block = Matrix::of(self.read(first..n_targets.min(first + block_width(n)))?)?;
            for (row, has_gap) in has_gap.iter_mut().enumerate() {
                *has_gap |= block.gap(row).is_some();
            }
        }
        let gaps = has_gap.iter().map(|has_gap| has_gap.then(String::new));
        let kept = tables::complete(Missing::Omit, "rows", gaps)?.rows;
        Ok(Rows { kept, n })
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
        self.ends = self.ends.and(GridEnds::count(
            &outcome.alpha,
            &outcome.constant,
            &params.alphas,
        ));
        self.alpha.extend(outcome.alpha);
        self.r.extend(outcome.r);
        self.r2.extend(outcome.r2);
        self.fold_alphas.extend(outcome.fold_alphas);
        self.constant
            .extend(outcome.constant.iter().map(|target| first + target));
    }
}
