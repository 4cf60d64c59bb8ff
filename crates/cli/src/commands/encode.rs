//! `consilience encode`

use std::io::Write;

use anyhow::{Result, bail};
use clap::ValueEnum;
use consilience::methods::encoding::{
    ComponentsKind, ComponentsParams, Ridge, RidgeParams, components, components_memory, ridge,
};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::arrays;
use crate::encoding::{self, Common, Matrix, Problem, Results};

const HELP: &str = "\
Example: how well do up to 50 components of a layer predict voxels?

  consilience encode --x layer.npy --y voxels.npy --method pls --components 5,10,20,50 --folds 5 --out pls/

Writes predictions.npy, r.npy, r2.npy (n_targets), components.npy (n_targets; of pls and pcr) and summary.json. What they mean:
`consilience explain components`. With a penalty: `consilience ridge`.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Features (rows are stimuli or time points, columns are features)
    #[arg(long, value_name = "X.npy")]
    x: String,
    #[command(flatten)]
    common: Common,
    /// How targets are predicted
    #[arg(long, value_enum)]
    method: Method,
    /// Numbers of components of pls and pcr to choose from, for each target (25)
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    components: Option<Vec<usize>>,
    /// Folds of the cross-validation: so many contiguous blocks, or a file with a fold number for each
    /// row
    #[arg(long, value_name = "K|F.npy", default_value = "5")]
    folds: String,
    /// Do not centre features and targets at the means of each training set; ols only
    #[arg(long)]
    no_intercept: bool,
}

/// How targets are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Ordinary least squares on all features, which have to be independent
    Ols,
    /// Components of partial least squares, all targets together
    Pls,
    /// Principal components of the features
    Pcr,
}

/// What every method finds.
struct Found {
    r: Vec<f64>,
    r2: Vec<f64>,
    predictions: Array2<f64>,
    constant: Vec<usize>,
    /// Of each target, where they are chosen.
    components: Option<Vec<usize>>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    match args.method {
        Method::Ols if args.components.is_some() => {
            bail!("--components has no meaning for --method ols; leave it out or choose pls or pcr")
        }
        Method::Pls | Method::Pcr if args.no_intercept => bail!(
            "--no-intercept has no meaning for components, which are those of centred features; leave it out or choose ols"
        ),
        _ => {}
    }
    let names = [args.x.clone()];
    let x = vec![Matrix::load(&args.x, "the feature matrix")?];
    let mut problem = Problem::load(x, &names, &[&args.x], &args.common)?;
    let found = match args.method {
        Method::Ols => least_squares(args, &problem)?,
        Method::Pls => by_components(args, &mut problem, ComponentsKind::PartialLeastSquares)?,
        Method::Pcr => by_components(args, &mut problem, ComponentsKind::Principal)?,
    };

    let mut results = Results::begin(&args.common.out)?;
    results.say_inputs(&[&args.x], &args.common, &problem, &found.constant)?;
    results.say(json!({
        "method": match args.method {
            Method::Ols => "ols",
            Method::Pls => "pls",
            Method::Pcr => "pcr",
        },
        "folds": args.folds,
        "intercept": !args.no_intercept,
        "components": Value::Null,
        "mean_r": encoding::mean(&found.r),
        "mean_r2": encoding::mean(&found.r2),
    }));
    if let Some(chosen) = &found.components {
        let counts = counts(args);
        let most = counts.iter().copied().max().unwrap_or(0);
        let is_constant = |target| found.constant.binary_search(&target).is_ok();
        let n_most = (chosen.iter().enumerate())
            .filter(|&(target, &count)| count == most && !is_constant(target))
            .count();
        if n_most > 0 && counts.len() > 1 {
            results.warn([format!(
                "{n_most} of {} targets chose the most components, {most}: more may be better; extend --components",
                chosen.len()
            )]);
        }
        results.say(json!({ "components": counts }));
        let chosen: Vec<f64> = chosen.iter().map(|&count| count as f64).collect();
        results.write_vector("components.npy", &chosen)?;
    }
    results.write_scores(
        [&found.r, &found.r2],
        found.predictions.view(),
        &problem.rows,
    )?;
    writeln!(out, "{}", results.finish()?.display())?;
    Ok(())
}

fn counts(args: &Args) -> Vec<usize> {
    (args.components.clone()).unwrap_or(ComponentsParams::default().counts)
}

/// Ridge regression without a penalty.
fn least_squares(args: &Args, problem: &Problem) -> Result<Found> {
    let params = RidgeParams {
        alphas: vec![0.0],
        folds: problem.rows.folds(&args.folds)?,
        intercept: !args.no_intercept,
        nested: false,
    };
    let size = problem.size();
    let n_threads = rayon::current_num_threads();
    let files = [args.x.as_str(), &args.common.y];
    let needed = Ridge::<f64>::memory(size.n_rows, size.n_features, &params, n_threads);
    problem.check_memory(arrays::in_files(needed, &files)?)?;
    let found = encoding::work("fitting the training sets", &files, || {
        ridge(problem.x[0].patterns(), problem.y.patterns(), &params)
    })?;
    Ok(Found {
        r: found.r,
        r2: found.r2,
        predictions: found.predictions,
        constant: found.constant,
        components: None,
    })
}

fn by_components(args: &Args, problem: &mut Problem, kind: ComponentsKind) -> Result<Found> {
    let params = ComponentsParams {
        kind,
        counts: counts(args),
        folds: problem.rows.folds(&args.folds)?,
    };
    let files = [args.x.as_str(), &args.common.y];
    let needed = components_memory(problem.size(), &params, rayon::current_num_threads());
    problem.check_memory(arrays::in_files(needed, &files)?)?;
    problem.widen();
    let (x, y) = (problem.x[0].view_f64(), problem.y.view_f64());
    let found = encoding::work("finding components", &files, || components(x, y, &params))?;
    Ok(Found {
        r: found.r,
        r2: found.r2,
        predictions: found.predictions,
        constant: found.constant,
        components: Some(found.count),
    })
}
