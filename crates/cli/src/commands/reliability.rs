//! `consilience reliability`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use consilience::io::long::{self, Repeats};
use consilience::io::{Limits, npy, source};
use consilience::methods::MethodsError;
use consilience::methods::reliability::{
    ChannelSnr, Coefficient, RatingScale, Reliability, ReliabilityParams, SnrParams, Unit,
    noise_ceiling_snr, rater_reliability, response_reliability,
};
use consilience::study::Progress;
use ndarray::{Array3, ArrayView1, Ix2, Ix3};
use serde_json::{Value, json};

use crate::Format;
use crate::arrays;
use crate::console::Console;
use crate::tables::{self, Missing, Sheet};

const HELP: &str = "\
Example: how reliable are mean ratings of valence, and how well could a model do?

  participant,image,rating
  p1,a.png,4
  p1,b.png,2
  …

  consilience reliability ratings.csv --coefficient split-half --nan omit --format text

A table with an item a row and a rater a column does as well, and so does an array.

JSON: coefficient, value, ceiling (of the correlation of a model), sem, ci (95 %), p (one-sided, against chance), over, n_items, \
n_omitted (items), n_raters, splits, resamples, permutations, seed, notes.";

/// Channels without a value that the summary names.
const MAX_NAMED: usize = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Ratings (items × raters), or a table with a rating a row; or responses (repetitions × stimuli × channels)
    #[arg(value_name = "DATA.npy|RATINGS.csv")]
    data: String,
    /// Column of the items, in a table with a rating a row; default: item, stimulus, image
    #[arg(long, value_name = "COLUMN")]
    item: Option<String>,
    /// Column of the raters; default: rater, participant, subject
    #[arg(long, value_name = "COLUMN")]
    rater: Option<String>,
    /// Column of the ratings; default: value, rating, response
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// What to do when a rater rated an item several times
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Repeated::Refuse)]
    repeats: Repeated,
    /// split-half, alpha, pairwise, leave-one-out; ncsnr for responses
    #[arg(long, value_name = "NAME", default_value = "split-half")]
    coefficient: String,
    /// How raters are made comparable: raw, z-scores, ranks; default: raw, for ncsnr z-scores
    #[arg(long, value_name = "NAME")]
    scale: Option<RatingScale>,
    /// What interval and standard error generalise to: items, raters
    #[arg(long, value_name = "UNIT", default_value = "items")]
    over: Unit,
    /// Most splits into halves; all there are when they are no more
    #[arg(long, value_name = "N", default_value_t = 1000)]
    splits: usize,
    /// Repetitions in the averages that models are compared with, for ncsnr; default: all
    #[arg(long, value_name = "N")]
    averaged: Option<usize>,
    /// Resamples of items for the interval; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Permutations of the test against chance; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    permutations: usize,
    /// Seed of splits, resamples and permutations
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to do with items that not every rater rated
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    /// Folder for an array a quantity (an entry a channel) and summary.json, for responses
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// What to do with several ratings of one item by one rater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Repeated {
    /// They are an error
    Refuse,
    /// Take their mean
    Mean,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    if let Some(data) = long_table(args)? {
        return match args.out {
            None => ratings(args, data, out),
            Some(_) => Err(one_result(args)),
        };
    }
    let data = source::load_array(&args.data)?.into_f64();
    match (data.ndim(), &args.out) {
        (2, None) => ratings(args, data.into_dimensionality::<Ix2>()?, out),
        (2, Some(_)) => Err(one_result(args)),
        (3, Some(folder)) => responses(args, data.into_dimensionality::<Ix3>()?, folder, out),
        (3, None) => bail!(
            "{} has {} channels, each with a result of its own; give a folder for them: --out DIR",
            args.data,
            data.shape()[2]
        ),
        (n, _) => bail!(
            "{} has {n} dimensions {:?}, expected ratings (items × raters) or responses (repetitions × stimuli × channels)",
            args.data,
            data.shape()
        ),
    }
}

fn one_result(args: &Args) -> anyhow::Error {
    anyhow!(
        "--out is for responses (repetitions × stimuli × channels); the ratings of {} have one result, which is printed",
        args.data
    )
}

/// The ratings (items × raters) of a table with a rating a row; `None` for anything else.
fn long_table(args: &Args) -> Result<Option<ndarray::Array2<f64>>> {
    const USUAL: [[&str; 3]; 3] = [
        ["item", "stimulus", "image"],
        ["rater", "participant", "subject"],
        ["value", "rating", "response"],
    ];
    let asked = [&args.item, &args.rater, &args.value];
    let is_asked = asked.into_iter().any(Option::is_some);
    if !tables::is_table(&args.data) && !is_asked {
        return Ok(None);
    }
    let sheet = Sheet::read(&args.data)?;
    // A table with a rater a column has no column that names raters.
    if !is_asked && USUAL[..2].iter().any(|usual| sheet.usual(usual).is_none()) {
        return Ok(None);
    }
    let item = sheet.choose("--item", args.item.as_deref(), &USUAL[0])?;
    let rater = sheet.choose("--rater", args.rater.as_deref(), &USUAL[1])?;
    let value = sheet.choose("--value", args.value.as_deref(), &USUAL[2])?;
    let repeats = match args.repeats {
        Repeated::Refuse => Repeats::Refuse,
        Repeated::Mean => Repeats::Mean,
    };
    let wide = sheet.at(long::widen(
        &sheet.table,
        [&item, &rater, &value],
        repeats,
        &Limits::default(),
    ))?;
    let missing = wide.values.indexed_iter().find(|(_, v)| v.is_nan());
    if let (Some(((row, column), _)), Missing::Refuse) = (missing, args.nan) {
        bail!(
            "{rater} {:?} gave no {value} of {item} {:?}, and {} of {} ratings are missing; leave out items that not every rater rated: --nan omit ({})",
            wide.columns[column],
            wide.rows[row],
            wide.n_missing,
            wide.values.len(),
            args.data
        );
    }
    Ok(Some(wide.values))
}

fn ratings(args: &Args, ratings: ndarray::Array2<f64>, out: &mut dyn Write) -> Result<()> {
    if args.coefficient == "ncsnr" {
        bail!(
            "ncsnr is for responses (repetitions × stimuli × channels), {} holds ratings (items × raters); take split-half or alpha",
            args.data
        );
    }
    let found = rater_reliability(ratings.view(), &params(args)?);
    let found = arrays::in_files(found, &[&args.data])?;
    if args.format == Format::Json {
        return arrays::print_json(
            &json!({
                "coefficient": found.coefficient.to_string(),
                "value": found.value,
                "ceiling": found.ceiling,
                "sem": found.sem,
                "ci": found.interval,
                "p": found.p,
                "over": found.unit.to_string(),
                "n_items": ratings.nrows() - found.n_omitted,
                "n_omitted": found.n_omitted,
                "n_raters": ratings.ncols(),
                "splits": found.n_splits,
                "resamples": found.n_resamples,
                "permutations": found.n_permutations,
                "seed": args.seed,
                "notes": found.notes,
            }),
            out,
        );
    }
    write!(out, "{} {:.4}", found.coefficient, found.value)?;
    if let Some([low, high]) = found.interval {
        write!(
            out,
            "  95 % interval {low:.4} to {high:.4} over {}",
            found.unit
        )?;
    }
    if let Some(p) = found.p {
        write!(out, "  p {p:.4}")?;
    }
    if let Some(ceiling) = found.ceiling {
        write!(out, "  ceiling {ceiling:.4}")?;
    }
    writeln!(out)?;
    for note in &found.notes {
        Console::new().note(&format!("note: {note}"));
    }
    Ok(())
}

fn responses(
    args: &Args,
    responses: Array3<f64>,
    folder: &Path,
    out: &mut dyn Write,
) -> Result<()> {
    let (columns, undefined) = if args.coefficient == "ncsnr" {
        let z_scores = match args.scale {
            None | Some(RatingScale::ZScores) => true,
            Some(RatingScale::Raw) => false,
            Some(RatingScale::Ranks) => bail!("--scale ranks: ncsnr takes raw or z-scores"),
        };
        let params = SnrParams {
            z_scores,
            averaged: args.averaged,
            resamples: args.resamples,
            permutations: args.permutations,
            seed: args.seed,
        };
        columns(
            arrays::in_files(noise_ceiling_snr(responses.view(), &params), &[&args.data])?,
            &SNR,
        )
    } else {
        if args.averaged.is_some() {
            bail!("--averaged is for --coefficient ncsnr; leave it out");
        }
        let found = response_reliability(responses.view(), &params(args)?);
        columns(arrays::in_files(found, &[&args.data])?, &RELIABILITY)
    };
    let n_channels = responses.dim().2;
    if undefined.len() == n_channels {
        let (_, reason) = &undefined[0];
        bail!(
            "{}: no channel has a reliability; channel 0: {reason}",
            args.data
        );
    }
    if !undefined.is_empty() {
        Console::new().note(&format!(
            "warning: {} of {n_channels} channels are NaN, summary.json says why",
            undefined.len()
        ));
    }
    let named: Vec<Value> = undefined
        .iter()
        .take(MAX_NAMED)
        .map(|(channel, reason)| json!({ "channel": channel, "reason": reason }))
        .collect();
    let (n_repetitions, n_stimuli, _) = responses.dim();
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "coefficient": args.coefficient,
        "data": args.data,
        "n_repetitions": n_repetitions,
        "n_stimuli": n_stimuli,
        "n_channels": n_channels,
        "resamples": args.resamples,
        "permutations": args.permutations,
        "seed": args.seed,
        "n_undefined": undefined.len(),
        "undefined": named,
    });
    // The summary goes first and comes last: a folder with a summary is complete.
    let summary_path = folder.join("summary.json");
    if summary_path.exists() {
        std::fs::remove_file(&summary_path)
            .with_context(|| format!("cannot replace {}", summary_path.display()))?;
    }
    for (name, values) in columns {
        npy::write(
            folder.join(format!("{name}.npy")),
            ArrayView1::from(&values),
        )?;
    }
    arrays::write_json(&summary_path, &summary)?;
    writeln!(out, "{}", summary_path.display())?;
    Ok(())
}

fn params(args: &Args) -> Result<ReliabilityParams> {
    let params = ReliabilityParams {
        coefficient: args.coefficient.parse::<Coefficient>().with_context(|| {
            format!(
                "--coefficient {} (responses also have ncsnr)",
                args.coefficient
            )
        })?,
        scale: args.scale.unwrap_or_default(),
        splits: args.splits,
        unit: args.over,
        resamples: args.resamples,
        permutations: args.permutations,
        seed: args.seed,
        nan: args.nan.into(),
    };
    params.validate()?;
    Ok(params)
}

/// A quantity of a channel and the name of its file.
type Quantity<T> = (&'static str, fn(&T) -> Option<f64>);

const RELIABILITY: [Quantity<Reliability>; 6] = [
    ("value", |found| Some(found.value)),
    ("ceiling", |found| found.ceiling),
    ("sem", |found| found.sem),
    ("ci_low", |found| found.interval.map(|[low, _]| low)),
    ("ci_high", |found| found.interval.map(|[_, high]| high)),
    ("p", |found| found.p),
];

const SNR: [Quantity<ChannelSnr>; 8] = [
    ("ncsnr", |found| Some(found.ncsnr)),
    ("explainable_variance", |found| {
        Some(found.explainable_variance)
    }),
    ("signal_variance", |found| Some(found.signal_variance)),
    ("noise_variance", |found| Some(found.noise_variance)),
    ("sem", |found| found.sem),
    ("ci_low", |found| found.interval.map(|[low, _]| low)),
    ("ci_high", |found| found.interval.map(|[_, high]| high)),
    ("p", |found| found.p),
];

/// The array of each quantity, NaN where there is none, and why channels have nothing at all.
#[expect(clippy::type_complexity, reason = "named where it is taken apart")]
fn columns<T>(
    channels: Vec<Result<T, MethodsError>>,
    quantities: &[Quantity<T>],
) -> (Vec<(&'static str, Vec<f64>)>, Vec<(usize, String)>) {
    let columns = quantities
        .iter()
        .map(|(name, of)| {
            let value = |channel: &Result<T, MethodsError>| {
                channel.as_ref().ok().and_then(of).unwrap_or(f64::NAN)
            };
            (*name, channels.iter().map(value).collect())
        })
        .collect();
    let undefined = channels
        .iter()
        .enumerate()
        .filter_map(|(idx, channel)| Some((idx, channel.as_ref().err()?.to_string())))
        .collect();
    (columns, undefined)
}
