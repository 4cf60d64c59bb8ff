//! Ratings of valence and arousal in, items in bins out: the same for every command on emotion.

use anyhow::{Context, Result, bail};
use consilience::methods::emotion::{BinParams, Bins, Edges, RatingScale, bins};
use serde_json::{Value, json};

use crate::arrays;
use crate::tables::{self, Kept, Missing, Named, Sheet};

/// How ratings are read and divided into bins.
#[derive(Debug, Clone, clap::Args)]
pub struct RatingArgs {
    /// Column of valence in the table; default: valence, valence_mean
    #[arg(long, value_name = "COLUMN")]
    valence: Option<String>,
    /// Column of arousal in the table; default: arousal, arousal_mean
    #[arg(long, value_name = "COLUMN")]
    arousal: Option<String>,
    /// Lowest and highest rating that could be given
    #[arg(long, value_name = "LOW,HIGH", default_value = "1,9", value_parser = scale)]
    scale: RatingScale,
    /// Scale that ratings are moved to before anything else, ends to ends
    #[arg(long, value_name = "LOW,HIGH", value_parser = scale)]
    rescale: Option<RatingScale>,
    /// What to do with items that lack a value
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
}

/// Where the axes are divided.
#[derive(Debug, Clone, clap::Args)]
pub struct BinArgs {
    /// Edges of valence: thirds (of the scale), tertiles (of the ratings), 3,5 or 4.3,6,0.5 (with a gap around each)
    #[arg(long, value_name = "EDGES", default_value = "thirds")]
    valence_edges: Edges,
    /// Edges of arousal, as for valence
    #[arg(long, value_name = "EDGES", default_value = "thirds")]
    arousal_edges: Edges,
    /// Divide by valence alone: three categories
    #[arg(long, conflicts_with = "arousal_edges")]
    valence_only: bool,
    /// Items that a bin needs to be looked at
    #[arg(long, value_name = "N", default_value_t = 10)]
    min_items: usize,
}

/// Ratings of the items that have both.
pub struct Rated {
    pub valence: Vec<f64>,
    pub arousal: Vec<f64>,
    /// The scale that they are on now.
    scale: RatingScale,
    /// Rows of the file that are left.
    pub kept: Kept,
    /// Rows of the file.
    pub n_rows: usize,
}

impl RatingArgs {
    /// The ratings of a table, or of an array (items × 2: valence, arousal). `lacks` says what else a row lacks.
    pub fn read(&self, file: &str, lacks: &dyn Fn(usize) -> bool) -> Result<Rated> {
        let columns = match tables::is_table(file) {
            true => {
                let sheet = Sheet::read(file)?;
                let column = |option, given: &Option<String>, usual: &[&str]| {
                    sheet.numbers(&sheet.choose(option, given.as_deref(), usual)?)
                };
                [
                    column("--valence", &self.valence, &["valence", "valence_mean"])?,
                    column("--arousal", &self.arousal, &["arousal", "arousal_mean"])?,
                ]
            }
            false => {
                if self.valence.is_some() || self.arousal.is_some() {
                    bail!(
                        "--valence and --arousal name columns of a table, but {file} is none; leave them out"
                    );
                }
                let values = Named::load(file, "the ratings")?.values;
                if values.ncols() != 2 {
                    bail!(
                        "the ratings have {} columns, expected 2 (valence, arousal): {file}",
                        values.ncols()
                    );
                }
                [0, 1].map(|column| values.column(column).to_vec())
            }
        };
        let n_rows = columns[0].len();
        let gaps = (0..n_rows).map(|item| {
            let place = |what| {
                Some(format!(
                    "item {item} (counted from 0) lacks a {what} ({file})"
                ))
            };
            if columns.iter().any(|column| column[item].is_nan()) {
                place("rating")
            } else if lacks(item) {
                place("response")
            } else {
                None
            }
        });
        let kept = tables::complete(self.nan, "items", gaps)?;
        let mut scale = self.scale;
        let [mut valence, mut arousal] = columns.map(|column| tables::at_rows(&column, &kept.rows));
        for ratings in [&mut valence, &mut arousal] {
            let to = self.rescale.unwrap_or(self.scale);
            *ratings = arrays::in_files(self.scale.mapped(ratings, &to), &[file])?;
            scale = to;
        }
        Ok(Rated {
            valence,
            arousal,
            scale,
            kept,
            n_rows,
        })
    }
}

impl BinArgs {
    /// The items in bins.
    pub fn divide(&self, rated: &Rated) -> Result<Bins> {
        let arousal = (!self.valence_only).then_some(rated.arousal.as_slice());
        Ok(bins(
            &rated.valence,
            arousal,
            &BinParams {
                scale: rated.scale,
                valence: self.valence_edges,
                arousal: self.arousal_edges,
                min_items: self.min_items,
            },
        )?)
    }
}

impl Rated {
    /// Refuses responses to another number of items.
    pub fn check_items(&self, n_items: usize, files: [&str; 2]) -> Result<()> {
        if n_items != self.n_rows {
            bail!(
                "{} has {n_items} items (rows), {} has {}; give the same items in the same order",
                files[0],
                files[1],
                self.n_rows
            );
        }
        Ok(())
    }
}

/// What is said of bins in every result.
pub fn bins_as_json(bins: &Bins) -> Value {
    let kept = bins.kept();
    let each = bins.names.iter().zip(&bins.counts).enumerate();
    let each =
        each.map(|(k, (name, n))| json!({"bin": name, "n_items": n, "kept": kept.contains(&k)}));
    json!({
        "bins": each.collect::<Vec<_>>(),
        "left_out": bins.left_out().iter().map(|&k| bins.names[k]).collect::<Vec<_>>(),
        "min_items": bins.min_items,
        "n_between": bins.n_between(),
        "valence_edges": bins.valence_edges,
        "arousal_edges": bins.arousal_edges,
    })
}

pub fn scale(text: &str) -> Result<RatingScale> {
    let ends: Vec<f64> = text
        .split(',')
        .map(|end| end.trim().parse())
        .collect::<Result<_, _>>()
        .with_context(|| format!("expected two numbers such as 1,9, found {text}"))?;
    match ends[..] {
        [low, high] => Ok(RatingScale::new(low, high)?),
        _ => bail!("expected two numbers such as 1,9, found {text}"),
    }
}
