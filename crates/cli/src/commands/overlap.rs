//! `consilience overlap`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use consilience::methods::objects::{
    Averaging, BinarySimilarity, DetectedObject, OverlapParams, Pairing, co_occurrence, overlap,
};
use ndarray::{Array2, ArrayView2};
use serde_json::json;

use super::objects::BoxArgs;
use crate::arrays;
use crate::tables::{self, Report};

const HELP: &str = "\
Example: how far do people lie in places, and how often are they together?

  consilience overlap --boxes boxes.csv --images pictures --categories usual --format text

JSON: pairing, averaging, similarity, min_score, n_images; categories; overlap (row a, column b: the mean share of a box of \
a that lies in one of b, null where they never meet), n_images_with_pair, n_pairs; co_occurrence (pictures with both) and \
its similarity.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    boxes: BoxArgs,
    /// Pictures that the boxes belong to: a folder, or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// What is held against each other: boxes, unions
    #[arg(long, value_name = "HOW", default_value = "boxes")]
    pairing: Pairing,
    /// How pairs are averaged: pooled, images
    #[arg(long, value_name = "HOW", default_value = "pooled")]
    averaging: Averaging,
    /// Similarity of occurrences: dice, jaccard, yule
    #[arg(long, value_name = "NAME", default_value = "dice")]
    similarity: BinarySimilarity,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let paths = super::extract::images(&args.images)?;
    let objects = args.boxes.load(&paths)?;
    let names = objects.category_names();
    let by_category = |(_, found): &(_, Vec<DetectedObject>)| objects.by_category(found);
    let images: Vec<Vec<DetectedObject>> = objects.pictures.iter().map(by_category).collect();
    let min_score = args.boxes.min_score;
    let params = OverlapParams {
        pairing: args.pairing,
        averaging: args.averaging,
        min_score,
    };
    let file = args.boxes.boxes.display().to_string();
    let found = arrays::in_files(overlap(&images, names.len(), &params), &[&file])?;
    let present = Array2::from_shape_fn((images.len(), names.len()), |(picture, category)| {
        let mut own = images[picture].iter().filter(|o| o.class == category);
        own.any(|o| o.score >= min_score)
    });
    let together = co_occurrence(present.view(), args.similarity);
    let together = arrays::in_files(together, &[&file])?;
    let json = json!({
        "pairing": args.pairing.to_string(),
        "averaging": args.averaging.to_string(),
        "similarity": args.similarity.to_string(),
        "min_score": min_score,
        "n_images": images.len(),
        "categories": names,
        "overlap": rows(found.share.view()),
        "n_images_with_pair": rows(found.n_images.view()),
        "n_pairs": rows(found.n_pairs.view()),
        "co_occurrence": rows(together.counts.view()),
        "co_occurrence_similarity": rows(together.similarity.view()),
    });
    let table = |values: ArrayView2<'_, Option<f64>>| {
        let header = std::iter::once(String::new()).chain(names.iter().map(|n| (*n).to_owned()));
        let mut lines = vec![header.collect::<Vec<_>>()];
        for (name, row) in names.iter().zip(values.rows()) {
            let cells = row.iter().map(|value| tables::number(*value));
            lines.push(std::iter::once((*name).to_owned()).chain(cells).collect());
        }
        tables::aligned(&lines)
    };
    let text = format!(
        "share of a box of the row in one of the column\n{}\nthe same pictures ({})\n{}",
        table(found.share.view()),
        args.similarity,
        table(together.similarity.view())
    );
    args.report.write(&json, &text, out)
}

fn rows<T: Clone>(values: ArrayView2<'_, T>) -> Vec<Vec<T>> {
    values.rows().into_iter().map(|row| row.to_vec()).collect()
}
