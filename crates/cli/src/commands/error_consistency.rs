//! `consilience error-consistency`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::io::{Limits, long};
use consilience::methods::MethodsError;
use consilience::methods::behaviour::{
    ErrorConsistency, ErrorConsistencyParams, error_consistency,
};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::arrays;
use crate::tables::{self, Missing, Named, Report, Sheet};

const HELP: &str = "\
Example: do people and networks err on the same pictures?

  subj,imagename,category,object_response
  subject-01,a.png,dog,dog
  resnet50,a.png,dog,cat
  …

  consilience error-consistency trials.csv --observer subj --trial imagename \\
    --choice object_response --truth category --format text

A column that says whether the answer was right does as well (--correct). Without columns the file has a trial a row and \
an observer a column: 1 right, 0 wrong.

JSON: n_trials, n_omitted, resamples, seed; observers (name and accuracy of each); pairs: observers (two names), kappa, \
observed, expected, bounds (least and largest kappa of these accuracies), sem, ci (95 %), p (one-sided, kappa > 0), notes, \
reason (why there is no kappa).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Table with an answer a row; or trials × observers, 1 right and 0 wrong
    #[arg(value_name = "TRIALS.csv|CORRECT.npy")]
    trials: String,
    /// Column of the observers; default: observer, participant, subject, subj
    #[arg(long, value_name = "COLUMN")]
    observer: Option<String>,
    /// Column of the trials or pictures that observers share; default: trial, item, image, imagename
    #[arg(long, value_name = "COLUMN")]
    trial: Option<String>,
    /// Column that says whether the answer was right; default: correct
    #[arg(long, value_name = "COLUMN")]
    correct: Option<String>,
    /// Column of what was chosen, to compare with --truth
    #[arg(
        long,
        value_name = "COLUMN",
        requires = "truth",
        conflicts_with = "correct"
    )]
    choice: Option<String>,
    /// Column of what was right
    #[arg(long, value_name = "COLUMN", requires = "choice")]
    truth: Option<String>,
    /// Resamples of trials for the intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Seed of the resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to do with trials that not every observer has
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

/// Trials × observers: 1 right, 0 wrong, NaN missing.
struct Answers {
    values: Array2<f64>,
    observers: Vec<String>,
    trials: Vec<String>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let answers = answers(args)?;
    let gaps = answers.values.rows().into_iter().zip(&answers.trials);
    let gaps = gaps.map(|(row, trial)| {
        let observer = row.iter().position(|v| v.is_nan())?;
        Some(format!(
            "{} has no answer on trial {trial} ({})",
            answers.observers[observer], args.trials
        ))
    });
    let kept = tables::complete(args.nan, "trials", gaps)?;
    let correct = Array2::from_shape_fn(
        (answers.observers.len(), kept.rows.len()),
        |(observer, trial)| answers.values[[kept.rows[trial], observer]] == 1.0,
    );
    let params = ErrorConsistencyParams {
        resamples: args.resamples,
        seed: args.seed,
    };
    let found = arrays::in_files(error_consistency(correct.view(), &params), &[&args.trials])?;
    if let Some(Err(reason)) = found.first()
        && found.iter().all(Result::is_err)
    {
        bail!(
            "{}: no pair of observers has a kappa; {reason}",
            args.trials
        );
    }
    let accuracies = correct.rows().into_iter().map(|row| {
        let n_right = row.iter().filter(|right| **right).count();
        n_right as f64 / row.len() as f64
    });
    let n = answers.observers.len();
    let names = (0..n).flat_map(|i| (i + 1..n).map(move |j| [i, j]));
    let pairs: Vec<([&str; 2], &Result<ErrorConsistency, MethodsError>)> = names
        .map(|pair| pair.map(|k| answers.observers[k].as_str()))
        .zip(&found)
        .collect();
    let named = answers.observers.iter().zip(accuracies);
    let json = json!({
        "n_trials": kept.rows.len(),
        "n_omitted": kept.n_omitted,
        "resamples": args.resamples,
        "seed": args.seed,
        "observers": named
            .map(|(name, accuracy)| json!({ "name": name, "accuracy": accuracy }))
            .collect::<Vec<_>>(),
        "pairs": pairs.iter().map(pair_json).collect::<Vec<_>>(),
    });
    args.report.write(&json, &table(&pairs), out)
}

fn pair_json((observers, found): &([&str; 2], &Result<ErrorConsistency, MethodsError>)) -> Value {
    let ok = found.as_ref().ok();
    json!({
        "observers": observers,
        "kappa": ok.map(|f| f.kappa),
        "observed": ok.map(|f| f.observed),
        "expected": ok.map(|f| f.expected),
        "bounds": ok.map(|f| f.bounds),
        "sem": ok.and_then(|f| f.sem),
        "ci": ok.and_then(|f| f.interval),
        "p": ok.map(|f| f.p),
        "notes": ok.map(|f| &f.notes),
        "reason": found.as_ref().err().map(ToString::to_string),
    })
}

fn table(pairs: &[([&str; 2], &Result<ErrorConsistency, MethodsError>)]) -> String {
    let header = [
        "observer",
        "observer",
        "kappa",
        "95 % interval",
        "p",
        "bounds",
        "observed",
        "expected",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for (observers, found) in pairs {
        let ok = found.as_ref().ok();
        rows.push(vec![
            observers[0].to_owned(),
            observers[1].to_owned(),
            tables::number(ok.map(|f| f.kappa)),
            tables::interval(ok.and_then(|f| f.interval)),
            tables::p_value(ok.map(|f| f.p)),
            tables::interval(ok.map(|f| f.bounds)),
            tables::number(ok.map(|f| f.observed)),
            match found {
                Ok(found) => tables::number(Some(found.expected)),
                Err(reason) => reason.to_string(),
            },
        ]);
    }
    tables::aligned(&rows)
}

fn answers(args: &Args) -> Result<Answers> {
    const OBSERVER: [&str; 4] = ["observer", "participant", "subject", "subj"];
    const TRIAL: [&str; 4] = ["trial", "item", "image", "imagename"];
    let asked = [&args.observer, &args.trial, &args.correct, &args.choice];
    let mut is_long = asked.into_iter().any(Option::is_some);
    if tables::is_table(&args.trials) && !is_long {
        let sheet = Sheet::read(&args.trials)?;
        is_long = sheet.usual(&OBSERVER).is_some() && sheet.usual(&["correct"]).is_some();
    }
    if !is_long {
        return wide(args);
    }
    let sheet = Sheet::read(&args.trials)?;
    let observer = sheet.choose("--observer", args.observer.as_deref(), &OBSERVER)?;
    let trial = sheet.choose("--trial", args.trial.as_deref(), &TRIAL)?;
    let right = match (&args.choice, &args.truth) {
        (Some(choice), Some(truth)) => sheet.at(long::agree(&sheet.table, choice, truth))?,
        _ => {
            let correct = sheet.choose("--correct", args.correct.as_deref(), &["correct"])?;
            sheet.at(long::answers(&sheet.table, &correct, None))?
        }
    };
    let values: Vec<f64> = right
        .into_iter()
        .map(|right| right.map_or(f64::NAN, |right| f64::from(u8::from(right))))
        .collect();
    let wide = sheet.at(long::widen_values(
        &sheet.table,
        [&trial, &observer],
        &values,
        long::Repeats::Refuse,
        &Limits::default(),
    ))?;
    Ok(Answers {
        values: wide.values,
        observers: wide.columns,
        trials: wide.rows.iter().map(|name| format!("{name:?}")).collect(),
    })
}

fn wide(args: &Args) -> Result<Answers> {
    let named = Named::load(&args.trials, "the answers")?;
    let other = named.values.indexed_iter();
    if let Some(((trial, observer), value)) = other
        .filter(|(_, v)| !v.is_nan())
        .find(|(_, v)| **v != 0.0 && **v != 1.0)
    {
        bail!(
            "trial {trial}, observer {observer} (counted from 0) is {value}, expected 1 (right) or 0 (wrong); name the columns of a table with an answer a row (--observer, --trial): {}",
            args.trials
        );
    }
    Ok(Answers {
        trials: named
            .rows
            .unwrap_or_else(|| tables::positions(named.values.nrows())),
        observers: named.columns,
        values: named.values,
    })
}
