//! `consilience partition`

use std::io::Write;

use anyhow::{Result, bail};
use clap::ValueEnum;
use consilience::methods::encoding::{PartitionBy, RidgeParams, partition, partition_memory};
use serde_json::{Value, json};

use crate::arrays;
use crate::encoding::{self, Bands, Common, Matrix, Problem, Results};

const HELP: &str = "\
Example: what do edges and categories each explain of voxels, and what do both?

  consilience partition --x edges.npy --x categories.npy --y voxels.npy --by cross-validated --out parts/

Writes r2.npy and parts.npy (2^n_sets − 1, n_targets): row m − 1 is the subset whose bits are those of m, set 0 first, as
`subsets` of summary.json spells out; shapley.npy (n_sets, n_targets). What they mean: `consilience explain variance-partitioning`.
The product measure is that of `consilience banded-ridge`.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    features: Bands,
    #[command(flatten)]
    common: Common,
    /// What R² is
    #[arg(long, value_enum, default_value_t = By::Adjusted)]
    by: By,
    /// Penalties to choose from, for each target; cross-validated only; default: 13 powers of ten from 1e-6 to 1e6
    #[arg(long, value_name = "A.npy")]
    alphas: Option<String>,
    /// Folds: so many contiguous blocks, or a file with a fold number for each row; cross-validated only (5)
    #[arg(long, value_name = "K|F.npy")]
    folds: Option<String>,
    /// Do not centre features and targets at the means of each training set; cross-validated only
    #[arg(long)]
    no_intercept: bool,
    /// Choose the penalty that predicts a fold without it, from the other folds; cross-validated only
    #[arg(long)]
    nested: bool,
}

/// What R² of a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Ordinary least squares on all rows, adjusted for the number of features
    Adjusted,
    /// Ridge regression, on rows that it has not seen
    CrossValidated,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    for (option, is_given) in [
        ("--alphas", args.alphas.is_some()),
        ("--folds", args.folds.is_some()),
        ("--no-intercept", args.no_intercept),
        ("--nested", args.nested),
    ] {
        if is_given && args.by == By::Adjusted {
            bail!(
                "{option} has no meaning for --by adjusted; leave it out or choose --by cross-validated"
            );
        }
    }
    let (names, x) = args.features.load()?;
    let files = args.features.files();
    if names.len() < 2 {
        bail!(
            "one set of features shares nothing: {}; give several --x, or --bands to divide one",
            files.join(", ")
        );
    }
    let mut problem = Problem::load(x, &names, &files, &args.common)?;
    let folds = args.folds.as_deref().unwrap_or("5");
    let by = match args.by {
        By::Adjusted => PartitionBy::Adjusted,
        By::CrossValidated => PartitionBy::CrossValidated(RidgeParams {
            alphas: encoding::alphas(args.alphas.as_deref())?,
            folds: problem.rows.folds(folds)?,
            intercept: !args.no_intercept,
            nested: args.nested,
        }),
    };
    let all_files = [files.as_slice(), &[args.common.y.as_str()]].concat();
    let needed = partition_memory(problem.size(), &by, rayon::current_num_threads());
    problem.check_memory(arrays::in_files(needed, &all_files)?)?;
    problem.widen();
    let sets: Vec<_> = problem.x.iter().map(Matrix::view_f64).collect();
    let found = encoding::work("fitting every combination of sets", &all_files, || {
        partition(&sets, problem.y.view_f64(), &by)
    })?;

    let mut results = Results::begin(&args.common.out)?;
    results.say_inputs(&files, &args.common, &problem, &found.constant)?;
    let sets = names.iter().zip(&problem.x).enumerate();
    let sets: Vec<Value> = sets
        .map(|(set, (name, x))| {
            json!({
                "name": name,
                "n_features": x.shape().1,
                "mean_shapley": encoding::mean(found.shapley.row(set)),
            })
        })
        .collect();
    let subsets: Vec<Value> = (0..found.r2.nrows())
        .map(|row| {
            json!({
                "sets": (0..names.len()).filter(|set| (row + 1) >> set & 1 == 1).collect::<Vec<_>>(),
                "mean_r2": encoding::mean(found.r2.row(row)),
                "mean_part": encoding::mean(found.parts.row(row)),
            })
        })
        .collect();
    results.say(json!({ "sets": sets, "subsets": subsets }));
    results.say(match &by {
        PartitionBy::Adjusted => json!({ "by": "adjusted" }),
        PartitionBy::CrossValidated(params) => json!({
            "by": "cross-validated",
            "folds": folds,
            "intercept": params.intercept,
            "nested": params.nested,
            "alphas": params.alphas,
        }),
    });
    results.write("r2.npy", found.r2.view())?;
    results.write("parts.npy", found.parts.view())?;
    results.write("shapley.npy", found.shapley.view())?;
    writeln!(out, "{}", results.finish()?.display())?;
    Ok(())
}
