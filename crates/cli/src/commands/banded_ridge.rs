//! `consilience banded-ridge`

use std::io::Write;

use anyhow::{Result, bail};
use clap::ValueEnum;
use consilience::methods::encoding::{BandedParams, BandedSearch, GridEnds, banded, banded_memory};
use serde_json::json;

use crate::encoding::{self, Bands, Common, Problem, Results};
use crate::{arrays, places};

const HELP: &str = "\
Example: motion energy and a layer of a network, each with a penalty of its own for each voxel

  consilience banded-ridge --x motion.npy --x layer.npy --y voxels.npy --folds 5 --out bands/

Writes predictions.npy, r.npy, r2.npy, alpha.npy (n_targets), shares.npy and product_measure.npy (n_bands, n_targets),
baseline.npy (n_targets) and summary.json; the penalty of a band is alpha ÷ its share. What they mean: `consilience explain banded`.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    features: Bands,
    #[command(flatten)]
    common: Common,
    /// Penalties to choose from, for each target; default: 13 powers of ten from 1e-6 to 1e6
    #[arg(long, value_name = "A.npy")]
    alphas: Option<String>,
    /// Folds of the cross-validation: so many contiguous blocks, or a file with a fold number for each
    /// row
    #[arg(long, value_name = "K|F.npy", default_value = "5")]
    folds: String,
    /// Do not centre features and targets at the means of each training set
    #[arg(long)]
    no_intercept: bool,
    /// How shares of the bands are searched for
    #[arg(long, value_enum, default_value_t = Search::Random)]
    search: Search,
    /// Shares to try at random, the first equal (100)
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Concentrations of the Dirichlet distributions that they are drawn from in turn (0.1,1)
    #[arg(long, value_name = "C,…", value_delimiter = ',')]
    concentrations: Option<Vec<f64>>,
    /// Shares to try instead (n_samples, n_bands); to start from, with --search gradient
    #[arg(long, value_name = "G.npy")]
    shares: Option<String>,
    /// Most steps down the gradient (10)
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Change of a logarithm of share ÷ alpha below which a step is the last (0.01)
    #[arg(long, value_name = "T")]
    tolerance: Option<f64>,
    /// Seed of the draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// How shares are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Search {
    /// The best of shares that are drawn
    Random,
    /// Down the gradient of the cross-validated error, from equal shares
    Gradient,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let search = search(args)?;
    let (names, x) = args.features.load()?;
    let files = args.features.files();
    let problem = Problem::load(x, &names, &files, &args.common)?;
    let usual = BandedParams::default();
    let params = BandedParams {
        alphas: encoding::alphas(args.alphas.as_deref())?,
        folds: problem.rows.folds(&args.folds)?,
        intercept: !args.no_intercept,
        search,
        n_samples: args.samples.unwrap_or(usual.n_samples),
        concentrations: args.concentrations.clone().unwrap_or(usual.concentrations),
        shares: match &args.shares {
            Some(spec) => Some(arrays::matrix_f64(spec, "--shares")?),
            None => None,
        },
        seed: args.seed,
    };
    let all_files = [files.as_slice(), &[args.common.y.as_str()]].concat();
    let size = problem.size();
    let n_threads = rayon::current_num_threads();
    let needed = banded_memory(size, problem.x.len(), &params, n_threads);
    places::check_memory(
        arrays::in_files(needed, &all_files)?,
        &format!(
            "a model of {} rows and {} bands of features",
            size.n_rows,
            problem.x.len()
        ),
        "use fewer rows, bands, penalties, targets or threads",
    )?;
    let bands: Vec<_> = problem.x.iter().map(|x| x.patterns()).collect();
    let found = encoding::work("searching for penalties", &all_files, || {
        banded(&bands, problem.y.patterns(), &params)
    })?;

    let mut results = Results::begin(&args.common.out)?;
    results.say_inputs(&files, &args.common, &problem, &found.constant)?;
    if search == BandedSearch::Random {
        let ends = GridEnds::count(&found.alpha, &found.constant, &params.alphas);
        results.warn(encoding::grid_warnings(
            ends,
            &params.alphas,
            size.n_targets,
        ));
    }
    let bands = names.iter().zip(&problem.x).enumerate();
    let bands: Vec<_> = bands
        .map(|(band, (name, x))| {
            json!({
                "name": name,
                "n_features": x.shape().1,
                "mean_product_measure": encoding::mean(found.product_measure.row(band)),
                "mean_share": encoding::mean(found.shares.row(band)),
            })
        })
        .collect();
    results.say(json!({
        "bands": bands,
        "folds": args.folds,
        "intercept": params.intercept,
        "alphas": params.alphas,
        "search": match search {
            BandedSearch::Random => json!({
                "kind": "random",
                "samples": params.shares.as_ref().map_or(params.n_samples, |s| s.nrows()),
                "concentrations": params.shares.is_none().then_some(&params.concentrations),
                "seed": params.seed,
            }),
            BandedSearch::Gradient { steps, tolerance } => json!({
                "kind": "gradient",
                "steps": steps,
                "tolerance": tolerance,
            }),
        },
        "shares": args.shares,
        "mean_r": encoding::mean(&found.r),
        "mean_r2": encoding::mean(&found.r2),
        "mean_baseline": encoding::mean(&found.baseline),
    }));
    results.write_vector("alpha.npy", &found.alpha)?;
    results.write("shares.npy", found.shares.view())?;
    results.write("product_measure.npy", found.product_measure.view())?;
    results.write_vector("baseline.npy", &found.baseline)?;
    results.write_scores(
        [&found.r, &found.r2],
        found.predictions.view(),
        &problem.rows,
    )?;
    writeln!(out, "{}", results.finish()?.display())?;
    Ok(())
}

/// The search, and refusals of options that it does not know.
fn search(args: &Args) -> Result<BandedSearch> {
    let BandedSearch::Gradient { steps, tolerance } = BandedSearch::GRADIENT else {
        unreachable!("it is a search by gradient")
    };
    let (search, of_other) = match args.search {
        Search::Random => (
            BandedSearch::Random,
            [
                ("--steps", args.steps.is_some()),
                ("--tolerance", args.tolerance.is_some()),
            ],
        ),
        Search::Gradient => (
            BandedSearch::Gradient {
                steps: args.steps.unwrap_or(steps),
                tolerance: args.tolerance.unwrap_or(tolerance),
            },
            [
                ("--samples", args.samples.is_some()),
                ("--concentrations", args.concentrations.is_some()),
            ],
        ),
    };
    for (option, is_given) in of_other {
        if is_given {
            bail!(
                "{option} has no meaning for --search {}; leave it out or choose the other search",
                match args.search {
                    Search::Random => "random",
                    Search::Gradient => "gradient",
                }
            );
        }
    }
    for (option, is_given) in [
        ("--samples", args.samples.is_some()),
        ("--concentrations", args.concentrations.is_some()),
    ] {
        if is_given && args.shares.is_some() {
            bail!(
                "{option} has no meaning beside --shares, which are tried as they are; leave one of them out"
            );
        }
    }
    Ok(search)
}
