//! `consilience emotion-selectivity`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use consilience::io::npy;
use consilience::methods::emotion::{
    BinSelectivity, BinSelectivityParams, Bins, CountChange, LayerChanges, UnitCount, UnitRange,
    bin_selectivity, count_changes, tuning_curves,
};
use consilience::methods::rsa::Correction;
use ndarray::{Array2, Axis, stack};
use serde_json::{Value, json};

use crate::arrays;
use crate::rated::{BinArgs, RatingArgs, bins_as_json};
use crate::tables::{self, Named, Report};

const HELP: &str = "\
Example: which units prefer arousing unpleasant pictures, how many by chance, and how many more than before training?

  consilience emotion-selectivity epoch50.npy --ratings OASIS.csv --scale 1,7 --before epoch0.npy \\
    --layers LA=0:768,B=768:1024 --shuffles 1000 --resamples 1000 --format text

JSON: n_items, n_omitted, n_units, bins and their edges as `consilience bins` prints them, threshold, alpha, correction, shuffles, resamples, seed; \
layers: name, n_units, share (of units selective for any bin), any and bins, each with bin, n, sem (over resamples of items), by_chance \
(mean over shuffles), p (of the count), and with --before also before, difference, difference_sem, difference_interval, difference_p.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Responses (items × units)
    #[arg(value_name = "RESPONSES.npy")]
    responses: String,
    /// Ratings of the same items: a table, or an array (items × 2: valence, arousal)
    #[arg(long, value_name = "RATINGS")]
    ratings: String,
    /// Responses of the same units to the same items before training
    #[arg(long, value_name = "RESPONSES.npy")]
    before: Option<String>,
    /// Layers as ranges of units, the end excluded; default: one of all units
    #[arg(long, value_name = "NAME=FROM:TO,…", value_delimiter = ',', value_parser = layer)]
    layers: Vec<UnitRange>,
    #[command(flatten)]
    columns: RatingArgs,
    #[command(flatten)]
    division: BinArgs,
    /// d′ that a selective unit exceeds
    #[arg(long, value_name = "X", default_value_t = 0.65)]
    threshold: f64,
    /// Level of Welch's test that a selective unit passes
    #[arg(long, value_name = "P", default_value_t = 0.05)]
    alpha: f64,
    /// Correction of p over all units and bins: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "none")]
    correction: Correction,
    /// Shuffles of the items' bins, to count what is selective by chance; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    shuffles: usize,
    /// Bootstrap resamples of items, for standard errors; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    resamples: usize,
    /// Seed of shuffles and resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// File for which unit is selective for which bin (bins × units, 1 or 0)
    #[arg(long, value_name = "FILE.npy")]
    selective: Option<PathBuf>,
    /// File for tuning curves (2 × units × bins): mean response and its standard error
    #[arg(long, value_name = "FILE.npy")]
    curves: Option<PathBuf>,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let after = Named::load(&args.responses, "the responses")?.values;
    let before = match &args.before {
        Some(file) => Some(Named::load(file, "the responses before")?.values),
        None => None,
    };
    let sets: Vec<&Array2<f64>> = std::iter::once(&after).chain(&before).collect();
    let lacks = |item: usize| {
        let row = |x: &&Array2<f64>| item < x.nrows() && x.row(item).iter().any(|v| v.is_nan());
        sets.iter().any(row)
    };
    let rated = args.columns.read(&args.ratings, &lacks)?;
    rated.check_items(after.nrows(), [&args.responses, &args.ratings])?;
    if let (Some(before), Some(file)) = (&before, &args.before) {
        rated.check_items(before.nrows(), [file, &args.ratings])?;
        if before.ncols() != after.ncols() {
            bail!(
                "{file} has {} units, {} has {}; give the same units",
                before.ncols(),
                args.responses,
                after.ncols()
            );
        }
        if args.resamples < 2 {
            bail!(
                "--before needs --resamples of at least 2, for the standard error of the difference"
            );
        }
    }
    let bins = args.division.divide(&rated)?;
    let params = BinSelectivityParams {
        threshold: args.threshold,
        alpha: args.alpha,
        correction: args.correction.procedure(),
        shuffles: args.shuffles,
        resamples: args.resamples,
        seed: args.seed,
    };
    let count = |x: &Array2<f64>, file: &str, params: &BinSelectivityParams| {
        let x = x.select(Axis(0), &rated.kept.rows);
        let found = bin_selectivity(x.view(), &bins, &args.layers, params);
        arrays::in_files(found, &[file, &args.ratings])
    };
    let found = count(&after, &args.responses, &params)?;
    let changes = match (&before, &args.before) {
        (Some(before), Some(file)) => {
            let params = BinSelectivityParams {
                shuffles: 0,
                ..params
            };
            Some(count_changes(&count(before, file, &params)?, &found)?)
        }
        _ => None,
    };
    if let Some(path) = &args.selective {
        npy::write(
            path,
            found
                .units
                .selective
                .mapv(|s| f64::from(u8::from(s)))
                .view(),
        )?;
    }
    if let Some(path) = &args.curves {
        let x = after.select(Axis(0), &rated.kept.rows);
        let units: Vec<usize> = (0..x.ncols()).collect();
        let curves = arrays::in_files(tuning_curves(x.view(), &bins, &units), &[&args.responses])?;
        npy::write(
            path,
            stack(Axis(0), &[curves.means.view(), curves.sems.view()])?.view(),
        )?;
    }
    let mut json = bins_as_json(&bins);
    for (key, value) in [
        ("n_items", found.n_items.into()),
        ("n_omitted", rated.kept.n_omitted.into()),
        ("n_units", after.ncols().into()),
        ("threshold", args.threshold.into()),
        ("alpha", args.alpha.into()),
        ("correction", args.correction.to_string().into()),
        ("shuffles", args.shuffles.into()),
        ("resamples", args.resamples.into()),
        ("seed", args.seed.into()),
        ("layers", layers_as_json(&found, changes.as_deref(), &bins)),
    ] {
        json[key] = value;
    }
    args.report
        .write(&json, &text(&found, changes.as_deref(), &bins), out)
}

/// The counts of a layer with their names: of each bin, then of any.
fn counts<'a>(
    found: &'a BinSelectivity,
    changes: Option<&'a [LayerChanges]>,
    layer: usize,
    bins: &'a Bins,
) -> Vec<(&'a str, &'a UnitCount, Option<&'a CountChange>)> {
    let of = &found.layers[layer];
    let change = changes.map(|changes| &changes[layer]);
    let each = found.bins.iter().enumerate().map(|(k, &bin)| {
        let change = change.map(|change| &change.bins[k]);
        (bins.names[bin], &of.bins[k], change)
    });
    each.chain([("any", &of.any, change.map(|change| &change.any))])
        .collect()
}

fn layers_as_json(found: &BinSelectivity, changes: Option<&[LayerChanges]>, bins: &Bins) -> Value {
    let layers = found.layers.iter().enumerate().map(|(k, layer)| {
        let counts = counts(found, changes, k, bins).into_iter();
        let mut counts: Vec<Value> = counts
            .map(|(name, count, change)| {
                let mut json = json!({
                    "bin": name, "n": count.n, "sem": count.sem, "by_chance": count.by_chance, "p": count.p,
                });
                if let Some(change) = change {
                    json["before"] = change.n[0].into();
                    json["difference"] = change.difference.into();
                    json["difference_sem"] = change.sem.into();
                    json["difference_interval"] = json!(change.interval);
                    json["difference_p"] = json!(change.p);
                }
                json
            })
            .collect();
        let any = counts.pop();
        json!({
            "name": layer.name, "n_units": layer.n_units, "share": layer.share(), "any": any, "bins": counts,
        })
    });
    layers.collect()
}

fn text(found: &BinSelectivity, changes: Option<&[LayerChanges]>, bins: &Bins) -> String {
    let header = [
        "layer",
        "bin",
        "selective units",
        "of",
        "sem",
        "by chance",
        "p",
    ];
    let more = ["before", "difference", "95 %", "p of difference"];
    let more = if changes.is_some() { &more[..] } else { &[] };
    let header = header.iter().chain(more);
    let mut rows = vec![header.map(|&name| name.to_owned()).collect::<Vec<_>>()];
    for (k, layer) in found.layers.iter().enumerate() {
        for (name, count, change) in counts(found, changes, k, bins) {
            let mut row = vec![
                layer.name.clone(),
                name.to_owned(),
                count.n.to_string(),
                layer.n_units.to_string(),
                tables::number(count.sem),
                tables::number(count.by_chance),
                tables::p_value(count.p),
            ];
            if let Some(change) = change {
                row.extend([
                    change.n[0].to_string(),
                    change.difference.to_string(),
                    tables::interval(Some(change.interval)),
                    tables::p_value(change.p),
                ]);
            }
            rows.push(row);
        }
    }
    tables::aligned(&rows)
}

fn layer(text: &str) -> Result<UnitRange, String> {
    let problem = || format!("expected a name and a range of units such as LA=0:768, found {text}");
    let (name, range) = text.split_once('=').ok_or_else(problem)?;
    let (from, to) = range.split_once(':').ok_or_else(problem)?;
    let end = |text: &str| text.trim().parse::<usize>().map_err(|_| problem());
    Ok(UnitRange {
        name: name.trim().to_owned(),
        units: end(from)?..end(to)?,
    })
}
