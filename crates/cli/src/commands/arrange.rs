//! `consilience arrange`

mod output;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::core::Trials;
use consilience::io::arrangement::{self as files, ReadOptions, Session};
use consilience::io::atomic::AtomicFile;
use consilience::io::npy;
use consilience::methods::NanPolicy;
use consilience::methods::arrangement::{
    self, Arrangement, ArrangementParams, Estimator, NextParams, ScreenUnit, Weighting,
};
use ndarray::Array2;
use serde_json::{Value, json};

use self::output::{beside, note, report, rows, stacked, summary};
use crate::Format;
use crate::arrays::{self, Nan, Output};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Trials → RDM with the evidence for each pair (inverse MDS)
    Fit(FitArgs),
    /// Trials → the items to arrange next, so that the weakest evidence grows
    Next(NextArgs),
    /// Trials → agreement of halves of the trials, and of subjects
    Reliability(ReliabilityArgs),
    /// Meadows export → the RDMs that it stores
    Rdms(RdmsArgs),
}

#[derive(Debug, clap::Args)]
struct Input {
    /// Trials: .csv or .tsv with the columns trial,item,x,y; .json; a tree of Meadows
    #[arg(value_name = "TRIALS.csv|TRIALS.json")]
    trials: PathBuf,
    /// Column that tells subjects apart; each gets an RDM of its own
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Take this participant only
    #[arg(long, value_name = "NAME")]
    participant: Option<String>,
    /// Take this task only
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Fitting {
    /// How much a distance counts: evidence, set-size, equal
    #[arg(long, value_name = "NAME", default_value = "evidence")]
    weighting: Weighting,
    /// Length on the screen that counts as 1 in the evidence (the size of the arena), or `trial` for the
    /// root mean square distance of each trial
    #[arg(long, value_name = "LENGTH|trial", default_value = "1")]
    arena: ScreenUnit,
    /// Distances below this count as this long in the evidence
    #[arg(long, value_name = "LENGTH", default_value_t = 0.2)]
    floor: f64,
    /// average, or inverse-mds to mend what a plane cannot show
    #[arg(long, value_name = "NAME", default_value = "average")]
    estimator: Estimator,
    /// Mean squared change of the RDM at which the iteration ends
    #[arg(long, value_name = "X", default_value_t = 1e-20)]
    tolerance: f64,
    /// Most iterations
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_iterations: usize,
    /// What to do with places without coordinates and with pairs that no trial holds
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
}

#[derive(Debug, clap::Args)]
struct FitArgs {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fitting: Fitting,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Args)]
struct NextArgs {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fitting: Fitting,
    /// Most items in the trial, at least 3
    #[arg(long, value_name = "N")]
    max_items: Option<usize>,
    /// Evidence with which a pair has enough
    #[arg(long, value_name = "E", default_value_t = 0.5)]
    enough: f64,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct ReliabilityArgs {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    fitting: Fitting,
    /// Random splits of the trials
    #[arg(long, value_name = "N", default_value_t = 100)]
    splits: usize,
    /// Seed of the splits
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct RdmsArgs {
    /// Export of Meadows: …_1D.mat or …_tree.json
    #[arg(value_name = "FILE.mat|FILE.json")]
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    match &args.action {
        Action::Fit(args) => fit(args, out),
        Action::Next(args) => next(args, out),
        Action::Reliability(args) => reliability(args, out),
        Action::Rdms(args) => rdms(args, out),
    }
}

fn fit(args: &FitArgs, out: &mut dyn Write) -> Result<()> {
    let sessions = args.input.sessions(args.fitting.nan)?;
    let params = args.fitting.params();
    let found = fits(&args.input, &sessions, &params)?;
    for (session, found) in sessions.iter().zip(&found) {
        report(session, found, &params, sessions.len() > 1);
    }
    let [rdm, evidence]: [fn(&Arrangement) -> &Vec<f64>; 2] = [|f| &f.vector, |f| &f.evidence];
    let rdm = stacked(&found, rdm);
    let evidence = stacked(&found, evidence);
    let destination = &args.output.out;
    if destination.as_os_str() == "-" {
        let json = || {
            let mut json = summary(&sessions, &found, &params);
            json["rdm"] = rows(&rdm);
            json["evidence"] = rows(&evidence);
            json
        };
        return args.output.write(rdm.view(), json, out);
    }
    let mut written = [
        (beside(destination), &evidence),
        (destination.clone(), &rdm),
    ]
    .into_iter()
    .map(|(path, array)| {
        let bytes = if array.nrows() == 1 {
            npy::to_bytes(array.row(0))
        } else {
            npy::to_bytes(array.view())
        };
        let mut file = AtomicFile::create(&path)?;
        file.write_all(&bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(file)
    })
    .collect::<Result<Vec<_>>>()?;
    // Nothing appears before both are complete.
    while !written.is_empty() {
        written.remove(0).commit()?;
    }
    match args.output.format {
        Format::Json => arrays::print_json(&summary(&sessions, &found, &params), out),
        Format::Text => Ok(()),
    }
}

fn next(args: &NextArgs, out: &mut dyn Write) -> Result<()> {
    let sessions = args.input.sessions(args.fitting.nan)?;
    let [session] = sessions.as_slice() else {
        bail!(
            "{} has {} sessions, expected one; choose one with --participant and --task: {}",
            args.input.trials.display(),
            sessions.len(),
            listing(&sessions)
        );
    };
    let params = ArrangementParams {
        unseen: NanPolicy::Omit,
        ..args.fitting.params()
    };
    let found = &fits(&args.input, &sessions, &params)?[0];
    let params = NextParams {
        floor: params.floor,
        required_evidence: args.enough,
        max_items: args.max_items.unwrap_or(usize::MAX),
        ..NextParams::default()
    };
    let next = args.input.named(arrangement::next_trial(
        &found.vector,
        &found.evidence,
        &params,
    ))?;
    let names: Vec<&str> = next
        .items
        .iter()
        .map(|&i| session.items[i].as_str())
        .collect();
    match args.format {
        Format::Json => arrays::print_json(
            &json!({
                "items": names,
                "weakest": next.weakest,
                "enough": next.enough,
                "efficiency": next.efficiency,
            }),
            out,
        ),
        Format::Text => {
            if next.enough {
                note(&format!(
                    "every pair has evidence of at least {}",
                    args.enough
                ));
            }
            for name in names {
                writeln!(out, "{name}")?;
            }
            Ok(())
        }
    }
}

fn reliability(args: &ReliabilityArgs, out: &mut dyn Write) -> Result<()> {
    let sessions = args.input.sessions(args.fitting.nan)?;
    let params = args.fitting.params();
    let found = fits(&args.input, &sessions, &params)?;
    let between = if sessions.len() > 1 {
        let rdms = stacked(&found, |f| &f.vector);
        Some(
            args.input
                .named(arrangement::between_subjects(rdms.view()))?,
        )
    } else {
        None
    };
    let halves = sessions
        .iter()
        .map(|session| {
            let trials = trials_of(session, &args.input.trials)?;
            // A single trial has no halves, which is an answer when there are other subjects.
            if trials.trials().len() < 2 && between.is_some() {
                return Ok(None);
            }
            let found = arrangement::split_half(trials, &params, args.splits, args.seed);
            args.input.named(found).map(Some)
        })
        .collect::<Result<Vec<_>>>()?;
    let listed: Vec<Value> = sessions
        .iter()
        .zip(&halves)
        .enumerate()
        .map(|(idx, (session, half))| {
            json!({
                "participant": session.participant,
                "task": session.task,
                "split_half": half.as_ref().and_then(|h| h.correlation),
                "spearman_brown": half.as_ref().and_then(|h| h.spearman_brown),
                "splits": half.as_ref().map_or(0, |h| h.n_splits),
                "splits_without": half.as_ref().map_or(0, |h| h.n_without),
                "mean_common_pairs": half.as_ref().map(|h| h.mean_common_pairs),
                "leave_one_out": between.as_ref().and_then(|b| b.leave_one_out[idx]),
            })
        })
        .collect();
    if args.format == Format::Json {
        let json = json!({
            "sessions": listed,
            "pairwise": between.as_ref().and_then(|b| b.pairwise),
            "mean_leave_one_out": between.as_ref().and_then(|b| b.mean_leave_one_out),
            "seed": args.seed,
        });
        return arrays::print_json(&json, out);
    }
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.4}"));
    for (idx, (session, half)) in sessions.iter().zip(&halves).enumerate() {
        writeln!(
            out,
            "{}: split-half {}, Spearman-Brown {}, leave-one-out {}",
            session.describe(),
            number(half.as_ref().and_then(|h| h.correlation)),
            number(half.as_ref().and_then(|h| h.spearman_brown)),
            number(between.as_ref().and_then(|b| b.leave_one_out[idx])),
        )?;
    }
    if let Some(between) = between {
        writeln!(
            out,
            "between subjects: pairwise {}, leave-one-out {}",
            number(between.pairwise),
            number(between.mean_leave_one_out)
        )?;
    }
    Ok(())
}

fn rdms(args: &RdmsArgs, out: &mut dyn Write) -> Result<()> {
    let sessions = files::read(&args.file, &ReadOptions::default())?;
    let stored: Vec<(&Session, &Vec<f64>)> = sessions
        .iter()
        .filter_map(|session| Some((session, session.rdm.as_ref()?)))
        .collect();
    let Some((first, _)) = stored.first() else {
        bail!(
            "{} stores no RDM; fit its trials with `consilience arrange fit`",
            args.file.display()
        );
    };
    let kept: Vec<Session> = stored
        .iter()
        .map(|(session, _)| (*session).clone())
        .collect();
    files::check_same_items(&kept).with_context(|| args.file.display().to_string())?;
    let values: Vec<f64> = stored
        .iter()
        .flat_map(|(_, rdm)| rdm.iter().copied())
        .collect();
    let array = Array2::from_shape_vec((stored.len(), values.len() / stored.len()), values)?;
    let of = |name: fn(&Session) -> &Option<String>| -> Vec<&Option<String>> {
        stored.iter().map(|(session, _)| name(session)).collect()
    };
    let json = || {
        json!({
            "items": first.items,
            "participants": of(|session| &session.participant),
            "tasks": of(|session| &session.task),
            "rdms": rows(&array),
        })
    };
    if array.nrows() == 1 {
        args.output.write(array.row(0), json, out)
    } else {
        args.output.write(array.view(), json, out)
    }
}

impl Input {
    /// The chosen sessions of the file, over the same items and each with trials.
    fn sessions(&self, nan: Nan) -> Result<Vec<Session>> {
        let options = ReadOptions {
            participant_column: self.by.clone(),
            omit_missing: NanPolicy::from(nan) == NanPolicy::Omit,
            ..ReadOptions::default()
        };
        let is_table = self
            .trials
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("csv") || e.eq_ignore_ascii_case("tsv"));
        if self.by.is_some() && !is_table {
            bail!(
                "--by names a column of a table; sessions of {} are told by what is in it: choose with --participant",
                self.trials.display()
            );
        }
        let mut sessions = files::read(&self.trials, &options)?;
        let all = listing(&sessions);
        sessions.retain(|session| {
            let chosen =
                |asked: &Option<String>, found: &Option<String>| asked.is_none() || asked == found;
            chosen(&self.participant, &session.participant) && chosen(&self.task, &session.task)
        });
        if sessions.is_empty() {
            bail!(
                "no session of {} is the chosen one; there are: {all}",
                self.trials.display()
            );
        }
        for session in &sessions {
            trials_of(session, &self.trials)?;
        }
        files::check_same_items(&sessions).with_context(|| self.trials.display().to_string())?;
        Ok(sessions)
    }

    fn named<T>(&self, outcome: Result<T, consilience::methods::MethodsError>) -> Result<T> {
        arrays::in_files(outcome, &[&self.trials.display().to_string()])
    }
}

impl Fitting {
    fn params(&self) -> ArrangementParams {
        ArrangementParams {
            weighting: self.weighting,
            unit: self.arena,
            floor: self.floor,
            estimator: self.estimator,
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
            unseen: self.nan.into(),
            ..ArrangementParams::default()
        }
    }
}

fn trials_of<'a>(session: &'a Session, path: &Path) -> Result<&'a Trials> {
    session.trials.as_ref().with_context(|| {
        format!(
            "{} of {} has no trials, only what was made of them; read its RDM with `consilience arrange rdms`, or choose another session with --participant and --task",
            session.describe(),
            path.display()
        )
    })
}

fn fits(
    input: &Input,
    sessions: &[Session],
    params: &ArrangementParams,
) -> Result<Vec<Arrangement>> {
    sessions
        .iter()
        .map(|session| {
            let found = input.named(arrangement::fit(trials_of(session, &input.trials)?, params));
            if sessions.len() > 1 {
                found.with_context(|| session.describe())
            } else {
                found
            }
        })
        .collect()
}

/// The sessions in words.
fn listing(sessions: &[Session]) -> String {
    const SHOWN: usize = 8;
    let mut text: Vec<String> = sessions.iter().take(SHOWN).map(Session::describe).collect();
    if sessions.len() > SHOWN {
        text.push(format!("and {} more", sessions.len() - SHOWN));
    }
    text.join(", ")
}
