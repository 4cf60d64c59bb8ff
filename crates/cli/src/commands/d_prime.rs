//! `consilience d-prime`

use std::io::Write;

use anyhow::{Context, Result, bail};
use consilience::io::long;
use consilience::methods::MethodsError;
use consilience::methods::behaviour::{RateCorrection, Sensitivity, SignalCounts, d_prime};
use serde_json::{Value, json};

use crate::tables::{self, Missing, Report, Sheet};

const HELP: &str = "\
Example: how well does each person tell old pictures from new ones?

  participant,picture,shown,answer
  p1,a.png,old,old
  p1,b.png,new,old
  …

  consilience d-prime trials.csv --signal shown --signal-is old --response answer \\
    --response-is old --by participant --correction log-linear --format text

Without --signal-is and --response-is, 1, true and yes mean yes; 0, false and no mean no. Counts that are known already:

  consilience d-prime --counts 20,5,10,15

JSON: d_prime, criterion, hit_rate, false_alarm_rate, sem, ci (95 %), p (one-sided, d′ > 0), hits, misses, false_alarms, \
correct_rejections, correction, n_omitted (trials). With --by: by, correction, n_omitted and groups, a list of the same with \
group; where there is no d′ reason says why, and only the counts are there.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Table with a trial a row
    #[arg(value_name = "TRIALS.csv", required_unless_present = "counts")]
    trials: Option<String>,
    /// Hits, misses, false alarms and correct rejections instead of trials
    #[arg(long, value_name = "N,N,N,N", value_delimiter = ',', conflicts_with_all = ["trials", "by"])]
    counts: Vec<u64>,
    /// Column that says whether the signal was there; default: signal, target
    #[arg(long, value_name = "COLUMN")]
    signal: Option<String>,
    /// Column that says whether a signal was reported; default: response, answer
    #[arg(long, value_name = "COLUMN")]
    response: Option<String>,
    /// Value of --signal that means that it was there; any other means that it was not
    #[arg(long, value_name = "VALUE")]
    signal_is: Option<String>,
    /// Value of --response that means yes; any other means no
    #[arg(long, value_name = "VALUE")]
    response_is: Option<String>,
    /// Column that tells people or conditions apart; each gets a d′ of its own
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// What is done about rates of 0 and 1: none (they are refused), log-linear
    #[arg(long, value_name = "NAME", default_value = "none")]
    correction: RateCorrection,
    /// What to do with trials without a signal or a response
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

/// The counts of a group, and what they come to.
struct Group {
    name: String,
    counts: SignalCounts,
    found: Result<Sensitivity, MethodsError>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let Some(trials) = &args.trials else {
        let &[hits, misses, false_alarms, correct_rejections] = &args.counts[..] else {
            bail!(
                "--counts has {} numbers, expected 4: hits, misses, false alarms, correct rejections",
                args.counts.len()
            );
        };
        let counts = SignalCounts {
            hits,
            misses,
            false_alarms,
            correct_rejections,
        };
        let found = d_prime(counts, args.correction).context("--counts")?;
        return single(args, counts, &found, 0, out);
    };
    let sheet = Sheet::read(trials)?;
    let signal = sheet.choose("--signal", args.signal.as_deref(), &["signal", "target"])?;
    let response = sheet.choose(
        "--response",
        args.response.as_deref(),
        &["response", "answer"],
    )?;
    let signals = sheet.answers(&signal, args.signal_is.as_deref(), "--signal-is")?;
    let responses = sheet.answers(&response, args.response_is.as_deref(), "--response-is")?;
    let (group_of, names) = match &args.by {
        Some(column) => sheet.at(long::positions(&sheet.table, column))?,
        None => (vec![0; signals.len()], vec![trials.clone()]),
    };
    let gaps = signals.iter().zip(&responses).enumerate();
    let gaps = gaps.map(|(row, pair)| match pair {
        (Some(_), Some(_)) => None,
        (None, _) => Some(sheet.gap(row, &signal)),
        (_, None) => Some(sheet.gap(row, &response)),
    });
    let kept = tables::complete(args.nan, "trials", gaps)?;
    let mut counts = vec![SignalCounts::default(); names.len()];
    for &row in &kept.rows {
        let counts = &mut counts[group_of[row]];
        let count = match (signals[row], responses[row]) {
            (Some(true), Some(true)) => &mut counts.hits,
            (Some(true), _) => &mut counts.misses,
            (_, Some(true)) => &mut counts.false_alarms,
            _ => &mut counts.correct_rejections,
        };
        *count += 1;
    }
    let Some(by) = &args.by else {
        let found = d_prime(counts[0], args.correction).with_context(|| trials.clone())?;
        return single(args, counts[0], &found, kept.n_omitted, out);
    };
    let groups = names.into_iter().zip(counts);
    let groups: Vec<Group> = groups
        .map(|(name, counts)| Group {
            name,
            counts,
            found: d_prime(counts, args.correction),
        })
        .collect();
    if let [
        Group {
            name,
            found: Err(reason),
            ..
        },
        ..,
    ] = &groups[..]
        && groups.iter().all(|group| group.found.is_err())
    {
        bail!("{trials}: no {by} has a d′; {name}: {reason}");
    }
    let json = json!({
        "by": by,
        "correction": args.correction.to_string(),
        "n_omitted": kept.n_omitted,
        "groups": groups.iter().map(group_json).collect::<Vec<_>>(),
    });
    args.report.write(&json, &table(by, &groups), out)
}

fn single(
    args: &Args,
    counts: SignalCounts,
    found: &Sensitivity,
    n_omitted: usize,
    out: &mut dyn Write,
) -> Result<()> {
    let mut json = as_json(counts, Some(found));
    json["correction"] = json!(args.correction.to_string());
    json["n_omitted"] = json!(n_omitted);
    let text = format!(
        "d′ {:.4}  95 % interval {}  p {}\ncriterion {:.4}  hit rate {:.4}  false-alarm rate {:.4}  trials {}\n",
        found.d_prime,
        tables::interval(Some(found.interval)),
        tables::p_value(Some(found.p)),
        found.criterion,
        found.hit_rate,
        found.false_alarm_rate,
        n_trials(&counts),
    );
    args.report.write(&json, &text, out)
}

fn n_trials(counts: &SignalCounts) -> u64 {
    counts.hits + counts.misses + counts.false_alarms + counts.correct_rejections
}

fn as_json(counts: SignalCounts, found: Option<&Sensitivity>) -> Value {
    json!({
        "d_prime": found.map(|f| f.d_prime),
        "criterion": found.map(|f| f.criterion),
        "hit_rate": found.map(|f| f.hit_rate),
        "false_alarm_rate": found.map(|f| f.false_alarm_rate),
        "sem": found.map(|f| f.sem),
        "ci": found.map(|f| f.interval),
        "p": found.map(|f| f.p),
        "hits": counts.hits,
        "misses": counts.misses,
        "false_alarms": counts.false_alarms,
        "correct_rejections": counts.correct_rejections,
    })
}

fn group_json(group: &Group) -> Value {
    let mut json = as_json(group.counts, group.found.as_ref().ok());
    json["group"] = json!(group.name);
    json["reason"] = json!(group.found.as_ref().err().map(ToString::to_string));
    json
}

fn table(by: &str, groups: &[Group]) -> String {
    let header = [
        by,
        "d′",
        "95 % interval",
        "p",
        "criterion",
        "hit rate",
        "false-alarm rate",
        "trials",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for group in groups {
        let found = group.found.as_ref().ok();
        let n = n_trials(&group.counts);
        rows.push(vec![
            group.name.clone(),
            tables::number(found.map(|f| f.d_prime)),
            tables::interval(found.map(|f| f.interval)),
            tables::p_value(found.map(|f| f.p)),
            tables::number(found.map(|f| f.criterion)),
            tables::number(found.map(|f| f.hit_rate)),
            tables::number(found.map(|f| f.false_alarm_rate)),
            match &group.found {
                Ok(_) => n.to_string(),
                Err(reason) => format!("{n}: {reason}"),
            },
        ]);
    }
    tables::aligned(&rows)
}
