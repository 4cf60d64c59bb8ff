//! `consilience brain-ratings`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use consilience::io::npy;
use consilience::methods::appraisal::{
    BrainModel, BrainRatingsParams, FoldMeans, SubjectPooling, brain_ratings,
};
use consilience::methods::encoding::Folds;
use ndarray::{ArrayView1, ArrayView2};
use serde_json::json;

use crate::arrays;
use crate::tables::{self, Named};

const HELP: &str = "\
Example: what three subjects' high-level regions say of the valence of pictures

  consilience brain-ratings one.npy two.npy three.npy --ratings valence.npy --out hlr

DIR/mean.npy is a number for each picture, ready as a target of `consilience correlate`; predictions.npy has a row for each \
subject. Predictions are of models that did not see the picture.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Responses of each subject (pictures × voxels)
    #[arg(value_name = "SUBJECT.npy", required = true)]
    subjects: Vec<String>,
    /// Ratings, one for each picture, in the same order; of a table with several columns --column is read
    #[arg(long, value_name = "R.npy|R.csv")]
    ratings: String,
    /// Column of the table
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// ridge, least-squares, components
    #[arg(long, value_name = "NAME", default_value = "ridge")]
    model: BrainModel,
    /// Penalties of ridge regression to choose from, each for one voxel; default: powers of ten from
    /// 0.0001 to 10000
    #[arg(long, value_name = "X,…", value_delimiter = ',')]
    penalties: Vec<f64>,
    /// Numbers of components to choose from; default: 1, 2, 5, 10, 20
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    counts: Vec<usize>,
    /// Folds: so many contiguous blocks, or a file with a fold number for each picture; default: each
    /// picture on its own
    #[arg(long, value_name = "K|F.npy")]
    folds: Option<String>,
    /// Most folds inside a training set
    #[arg(long, value_name = "N", default_value_t = 5)]
    inner: usize,
    /// How subjects become one: mean, z-scored-mean, pooled
    #[arg(long, value_name = "HOW", default_value = "mean")]
    pool: SubjectPooling,
    /// To which mean predicted deviations are added: common, training
    #[arg(long, value_name = "HOW", default_value = "common")]
    means: FoldMeans,
    /// Folder for mean.npy, predictions.npy and summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let subjects = args.subjects.iter();
    let subjects = subjects
        .map(|file| arrays::matrix_f64(file, "a subject's responses"))
        .collect::<Result<Vec<_>>>()?;
    let ratings = ratings(args)?;
    let defaults = BrainRatingsParams::default();
    let or = |given: &Vec<f64>, usual: Vec<f64>| match given.is_empty() {
        true => usual,
        false => given.clone(),
    };
    let params = BrainRatingsParams {
        model: args.model,
        penalties: or(&args.penalties, defaults.penalties),
        counts: match args.counts.is_empty() {
            true => defaults.counts,
            false => args.counts.clone(),
        },
        folds: match args
            .folds
            .as_deref()
            .map(|spec| (spec, spec.parse::<usize>()))
        {
            None => None,
            Some((_, Ok(n_folds))) => Some(Folds::Contiguous(n_folds)),
            Some((file, Err(_))) => Some(Folds::Given(arrays::labels(file, "--folds")?)),
        },
        inner: args.inner,
        subjects: args.pool,
        means: args.means,
    };
    let views: Vec<ArrayView2<'_, f64>> = subjects.iter().map(|s| s.view()).collect();
    let mut files: Vec<&str> = args.subjects.iter().map(String::as_str).collect();
    files.push(&args.ratings);
    let found = arrays::in_files(brain_ratings(&views, &ratings, &params), &files)?;
    for note in &found.notes {
        tables::note(note);
    }
    // The summary goes first and comes last: a folder with a summary is complete.
    let summary_path = args.out.join("summary.json");
    if summary_path.exists() {
        std::fs::remove_file(&summary_path)
            .with_context(|| format!("cannot replace {}", summary_path.display()))?;
    }
    npy::write(args.out.join("mean.npy"), ArrayView1::from(&found.mean))?;
    npy::write(args.out.join("predictions.npy"), found.predictions.view())?;
    let rows = found.subjects.iter().map(|subject| {
        json!({
            "r": subject.r,
            "n_voxels": subject.n_voxels,
            "n_constant": subject.n_constant,
            "chosen": subject.chosen,
            "n_smallest": subject.n_smallest,
            "n_largest": subject.n_largest,
        })
    });
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "subjects": args.subjects,
        "ratings": args.ratings,
        "model": args.model.to_string(),
        "penalties": params.penalties,
        "counts": params.counts,
        "folds": args.folds,
        "inner": args.inner,
        "pool": args.pool.to_string(),
        "means": args.means.to_string(),
        "n_pictures": ratings.len(),
        "r": found.r,
        "rows": rows.collect::<Vec<_>>(),
        "notes": found.notes,
    });
    arrays::write_json(&summary_path, &summary)?;
    writeln!(out, "{}", summary_path.display())?;
    Ok(())
}

/// A rating for each picture.
fn ratings(args: &Args) -> Result<Vec<f64>> {
    let named = Named::load(&args.ratings, "the ratings")?;
    let column = match &args.column {
        None if named.columns.len() == 1 => Some(0),
        None => None,
        Some(name) => named.columns.iter().position(|column| column == name),
    };
    let Some(column) = column else {
        bail!(
            "--column names the ratings among {}: {}",
            named.columns.join(", "),
            args.ratings
        );
    };
    Ok(named.values.column(column).to_vec())
}
