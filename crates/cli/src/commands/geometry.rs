//! `consilience geometry`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::core::pairs;
use consilience::methods::behaviour::CorrelationKind;
use consilience::methods::emotion::{
    EmotionModel, Geometry, GeometryParams, emotion_rdm, participation_ratio,
};
use consilience::methods::rdm::{Dissimilarity, Patterns};
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::arrays;
use crate::rated::{BinArgs, RatingArgs, bins_as_json};
use crate::tables::{self, Named, Report};

const HELP: &str = "\
Example: do the layers of a network hold pictures as far apart as people feel about them?

  consilience geometry acts/LA.npy acts/B.npy acts/CeA.npy --ratings OASIS.csv --scale 1,7 --format text

Models: plane (Euclidean in valence and arousal), valence, arousal, category (the same bin or not; see `consilience bins`). \
For other models, `consilience rdm` and `consilience compare`.

JSON: n_items, n_omitted, dissimilarity, similarity, bins as `consilience bins` prints them; layers: file, n_units, \
participation_ratio (dimensions that the patterns use), scores (a number for each model).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Patterns (items × units), a file for each layer or epoch
    #[arg(value_name = "PATTERNS.npy", required = true)]
    patterns: Vec<String>,
    /// Ratings of the same items: a table, or an array (items × 2: valence, arousal)
    #[arg(long, value_name = "RATINGS")]
    ratings: String,
    /// Models: plane, valence, arousal, category
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "plane,valence,arousal,category"
    )]
    models: Vec<EmotionModel>,
    #[command(flatten)]
    columns: RatingArgs,
    #[command(flatten)]
    division: BinArgs,
    /// Dissimilarity of patterns, as for `rdm`
    #[arg(long, value_name = "NAME", default_value = "correlation")]
    dissimilarity: Dissimilarity,
    /// Similarity of RDMs: spearman, pearson
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    similarity: CorrelationKind,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let load =
        |file: &String| -> Result<Array2<f64>> { Ok(Named::load(file, "the patterns")?.values) };
    // Once to see what is missing, so that no more files are held than are worked on.
    let has_gap = |file: &String| -> Result<Vec<bool>> {
        let rows = load(file)?;
        let rows = rows.rows().into_iter();
        Ok(rows.map(|row| row.iter().any(|v| v.is_nan())).collect())
    };
    let gaps: Vec<Result<Vec<bool>>> = args.patterns.par_iter().map(has_gap).collect();
    let gaps = gaps.into_iter().collect::<Result<Vec<_>>>()?;
    let lacks = |item: usize| gaps.iter().any(|gaps| gaps.get(item) == Some(&true));
    let rated = args.columns.read(&args.ratings, &lacks)?;
    for (gaps, file) in gaps.iter().zip(&args.patterns) {
        rated.check_items(gaps.len(), [file, &args.ratings])?;
    }
    let n_items = rated.valence.len();
    if n_items < 2 {
        bail!(
            "{n_items} item is left, expected at least 2: {}",
            args.ratings
        );
    }
    let bins = args.division.divide(&rated)?;
    let mut models = Array2::zeros((args.models.len(), pairs::n_pairs(n_items)));
    for (row, &model) in args.models.iter().enumerate() {
        let rdm = emotion_rdm(model, &rated.valence, &rated.arousal, &bins);
        let rdm = arrays::in_files(rdm, &[&args.ratings])?;
        models.row_mut(row).assign(&Array1::from(rdm));
    }
    let params = GeometryParams {
        dissimilarity: args.dissimilarity,
        similarity: args.similarity,
    };
    let geometry = arrays::in_files(Geometry::new(models.view(), &params), &[&args.ratings])?;
    let of_layer = |file: &String| -> Result<(usize, f64, Vec<f64>)> {
        let layer = load(file)?.select(Axis(0), &rated.kept.rows);
        let scores = geometry.scores(&[Patterns::from(layer.view())]);
        let scores = arrays::in_files(scores, &[file])?;
        let ratio = arrays::in_files(participation_ratio(layer.view()), &[file])?;
        Ok((layer.ncols(), ratio, scores.into_iter().collect()))
    };
    let layers: Vec<Result<_>> = args.patterns.par_iter().map(of_layer).collect();
    let mut rows = vec![["layer", "units", "dimensions"].map(str::to_owned).to_vec()];
    rows[0].extend(args.models.iter().map(ToString::to_string));
    let mut found = Vec::new();
    for (layer, file) in layers.into_iter().zip(&args.patterns) {
        let (n_units, ratio, scores) = layer?;
        let named = args.models.iter().zip(&scores);
        let named = named.map(|(model, &score)| (model.to_string(), Value::from(score)));
        found.push(json!({
            "file": file,
            "n_units": n_units,
            "participation_ratio": ratio,
            "scores": named.collect::<serde_json::Map<_, _>>(),
        }));
        let mut row = vec![file.clone(), n_units.to_string(), format!("{ratio:.2}")];
        row.extend(scores.iter().map(|&score| tables::number(Some(score))));
        rows.push(row);
    }
    let mut json = bins_as_json(&bins);
    for (key, value) in [
        ("n_items", n_items.into()),
        ("n_omitted", rated.kept.n_omitted.into()),
        ("dissimilarity", args.dissimilarity.to_string().into()),
        ("similarity", args.similarity.to_string().into()),
        ("layers", found.into()),
    ] {
        json[key] = value;
    }
    args.report.write(&json, &tables::aligned(&rows), out)
}
