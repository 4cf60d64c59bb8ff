//! `consilience predictions`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::methods::appraisal::reliability_of_means;
use consilience::methods::behaviour::{ProcrustesParams, quantile_table};
use consilience::methods::emotion::{Prediction, PredictionParams, plane_agreement, prediction};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::arrays;
use crate::tables::{self, Missing, Named, Report, Sheet};

const HELP: &str = "\
Example: how well are valence and arousal predicted, and how well could they be?

  consilience predictions rated.csv --actual valence,arousal --predicted valence_predicted,arousal_predicted \\
    --sds valence_sd,arousal_sd --counts valence_n,arousal_n --format text

With arrays (items × ratings): consilience predictions actual.npy predicted.npy

JSON: n_items, n_omitted, resamples, seed; ratings: name, r, r_interval (Fisher), r2, rmse, mae (of the predictions as they are), refit \
(slope, intercept, r2, rmse after the line y = a·ŷ + b was fitted to the same items), bootstrap (95 % intervals over items), ceiling (of r, from \
--sds and --counts), quantiles (n, actual, predicted: means of bins; r of the means); plane, for two ratings: disparity, rmse, \
energy_distance.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Ratings (items × ratings), or a table with --actual and --predicted
    #[arg(value_name = "ACTUAL.npy|TABLE.csv")]
    data: String,
    /// Predictions (items × ratings); not with a table of both
    #[arg(value_name = "PREDICTED.npy")]
    predicted_file: Option<String>,
    /// Columns of the ratings in the table
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    actual: Vec<String>,
    /// Columns of their predictions, in the same order
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    predicted: Vec<String>,
    /// Columns of the standard deviations over raters, for the ceiling
    #[arg(
        long,
        value_name = "COLUMN,…",
        value_delimiter = ',',
        requires = "counts"
    )]
    sds: Vec<String>,
    /// Columns of the numbers of raters, for the ceiling
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "sds")]
    counts: Vec<String>,
    /// Bins of about equal size of the quantile table; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    bins: usize,
    /// Bootstrap resamples of items; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Seed of the resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to do with items that lack a value
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

/// Columns of values, a row an item.
struct Input {
    names: Vec<String>,
    actual: Array2<f64>,
    predicted: Array2<f64>,
    /// Standard deviations and numbers of ratings; no columns without.
    spread: [Array2<f64>; 2],
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let files: Vec<&str> = std::iter::once(args.data.as_str())
        .chain(args.predicted_file.as_deref())
        .collect();
    let input = read(args)?;
    let all = [
        &input.actual,
        &input.predicted,
        &input.spread[0],
        &input.spread[1],
    ];
    let gaps = (0..input.actual.nrows()).map(|item| {
        let gap = all
            .iter()
            .any(|values| values.row(item).iter().any(|v| v.is_nan()));
        let place = || {
            format!(
                "item {item} (counted from 0) lacks a value ({})",
                files.join(", ")
            )
        };
        gap.then(place)
    });
    let kept = tables::complete(args.nan, "items", gaps)?;
    let [actual, predicted, sds, counts] =
        all.map(|values| values.select(ndarray::Axis(0), &kept.rows));
    let params = PredictionParams {
        resamples: args.resamples,
        seed: args.seed,
    };
    let ceilings = (0..actual.ncols()).map(|k| {
        if sds.ncols() == 0 {
            return Ok(None);
        }
        let n = whole(counts.column(k).to_vec(), &args.counts[k])?;
        let (y, sds) = (actual.column(k).to_vec(), sds.column(k).to_vec());
        let found = reliability_of_means(&y, &sds, &n, 0, args.seed);
        Ok(arrays::in_files(found, &files)?.ceiling)
    });
    let scored = Scored::new(
        &input.names,
        [&actual, &predicted],
        &ceilings.collect::<Result<Vec<_>>>()?,
        args.bins,
        &params,
        &files,
    )?;
    let json = json!({
        "n_items": actual.nrows(),
        "n_omitted": kept.n_omitted,
        "resamples": args.resamples,
        "seed": args.seed,
        "ratings": scored.ratings,
        "plane": scored.plane,
    });
    args.report.write(&json, &scored.text, out)
}

/// How well ratings are predicted.
pub(super) struct Scored {
    /// A value a rating.
    pub ratings: Vec<Value>,
    /// Agreement in the plane; null unless there are two ratings.
    pub plane: Value,
    /// For reading.
    pub text: String,
}

impl Scored {
    /// Of actual and predicted values (items × ratings).
    pub fn new(
        names: &[String],
        [actual, predicted]: [&Array2<f64>; 2],
        ceilings: &[Option<f64>],
        bins: usize,
        params: &PredictionParams,
        files: &[&str],
    ) -> Result<Self> {
        let header = [
            "rating",
            "r",
            "95 %",
            "ceiling",
            "R²",
            "RMSE",
            "MAE",
            "refit R²",
            "refit RMSE",
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        let mut ratings = Vec::new();
        for (k, name) in names.iter().enumerate() {
            let (y, p) = (actual.column(k), predicted.column(k));
            let found = arrays::in_files(prediction(y, p, params), files)?;
            let quantiles = match bins {
                0 => Value::Null,
                n => {
                    let found = arrays::in_files(quantile_table(y, p, n), files)?;
                    json!({
                        "n": found.counts, "actual": found.actual, "predicted": found.predicted,
                        "r": found.r, "n_merged": found.n_merged,
                    })
                }
            };
            ratings.push(as_json(name, &found, ceilings[k], quantiles));
            let (values, line) = (&found.values, found.values.refit);
            rows.push(vec![
                name.clone(),
                tables::number(values.r),
                tables::interval(found.r_interval),
                tables::number(ceilings[k]),
                tables::number(Some(values.r2)),
                tables::number(Some(values.rmse)),
                tables::number(Some(values.mae)),
                tables::number(line.map(|line| line.r2)),
                tables::number(line.map(|line| line.rmse)),
            ]);
        }
        let mut text = tables::aligned(&rows);
        let plane = match actual.ncols() {
            2 => {
                let params = ProcrustesParams::default();
                let found = plane_agreement(actual.view(), predicted.view(), &params);
                let found = arrays::in_files(found, files)?;
                text += &format!(
                    "plane: disparity {:.4}  RMSE {:.4}  energy distance {:.4}\n",
                    found.disparity, found.rmse, found.energy_distance
                );
                json!({
                    "disparity": found.disparity,
                    "rmse": found.rmse,
                    "energy_distance": found.energy_distance,
                })
            }
            _ => Value::Null,
        };
        Ok(Self {
            ratings,
            plane,
            text,
        })
    }
}

fn as_json(name: &str, found: &Prediction, ceiling: Option<f64>, quantiles: Value) -> Value {
    let values = &found.values;
    json!({
        "name": name,
        "r": values.r,
        "r_interval": found.r_interval,
        "r2": values.r2,
        "rmse": values.rmse,
        "mae": values.mae,
        "refit": values.refit.map(|line| json!({
            "slope": line.slope, "intercept": line.intercept, "r2": line.r2, "rmse": line.rmse,
        })),
        "bootstrap": found.intervals.map(|limits| json!({
            "r": limits.r, "r2": limits.r2, "rmse": limits.rmse, "mae": limits.mae,
            "refit_r2": limits.refit_r2, "refit_rmse": limits.refit_rmse,
            "n_resamples": limits.n_resamples[0],
        })),
        "ceiling": ceiling,
        "quantiles": quantiles,
    })
}

fn read(args: &Args) -> Result<Input> {
    let Some(file) = &args.predicted_file else {
        return read_table(args);
    };
    if !(args.actual.is_empty() && args.predicted.is_empty() && args.sds.is_empty()) {
        bail!(
            "--actual, --predicted and --sds name columns of one table; leave them out, or leave out {file}"
        );
    }
    let actual = Named::load(&args.data, "the ratings")?;
    let predicted = Named::load(file, "the predictions")?;
    tables::check_same_rows(&actual.rows, &predicted.rows, [&args.data, file])?;
    if actual.values.dim() != predicted.values.dim() {
        bail!(
            "{} is {:?} (items, ratings) and {file} is {:?}; give a prediction for each rating",
            args.data,
            actual.values.dim(),
            predicted.values.dim()
        );
    }
    let none = || Array2::zeros((actual.values.nrows(), 0));
    Ok(Input {
        spread: [none(), none()],
        names: actual.columns,
        actual: actual.values,
        predicted: predicted.values,
    })
}

fn read_table(args: &Args) -> Result<Input> {
    if !tables::is_table(&args.data) {
        bail!(
            "{} holds ratings only; give the predictions as a second file, or a table (.csv) with both",
            args.data
        );
    }
    let sheet = Sheet::read(&args.data)?;
    if args.actual.is_empty() {
        bail!(
            "name the columns of ratings and predictions with --actual and --predicted; there are {}: {}",
            sheet.table.columns().join(", "),
            args.data
        );
    }
    let columns = |option: &str, names: &[String]| -> Result<Array2<f64>> {
        if names.len() != args.actual.len() {
            bail!(
                "{option} names {} columns, --actual {}; name one for each rating",
                names.len(),
                args.actual.len()
            );
        }
        let values = names.iter().map(|name| sheet.numbers(name));
        let values = values.collect::<Result<Vec<Vec<f64>>>>()?;
        let n_items = values[0].len();
        Ok(Array2::from_shape_fn((n_items, values.len()), |(i, k)| {
            values[k][i]
        }))
    };
    let actual = columns("--actual", &args.actual)?;
    let predicted = columns("--predicted", &args.predicted)?;
    let none = || Array2::zeros((actual.nrows(), 0));
    let spread = match args.sds.is_empty() {
        true => [none(), none()],
        false => [
            columns("--sds", &args.sds)?,
            columns("--counts", &args.counts)?,
        ],
    };
    Ok(Input {
        names: args.actual.clone(),
        actual,
        predicted,
        spread,
    })
}

/// Numbers of ratings, which are whole.
fn whole(values: Vec<f64>, column: &str) -> Result<Vec<usize>> {
    let count = |value: f64| match value >= 0.0 && value.fract() == 0.0 {
        true => Ok(value as usize),
        false => bail!("the column {column} has {value}, expected a number of raters"),
    };
    values.into_iter().map(count).collect()
}
