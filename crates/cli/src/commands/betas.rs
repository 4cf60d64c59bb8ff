//! `consilience betas`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::atomic::AtomicFolder;
use consilience::io::events::{EventRow, read_confounds, read_events};
use consilience::io::nifti::Mask;
use consilience::io::table;
use consilience::methods::single_trial::{
    Event, Timing, drifts, least_squares_separate, regressor,
};
use consilience::study::Progress;
use ndarray::{Array2, Axis, concatenate, s};
use serde_json::json;

use crate::arrays;
use crate::console::Console;

mod recorded;

use recorded::{Recorded, Space};

const HELP: &str = "\
Example: a beta for each picture of two runs

  consilience betas run1_bold.nii.gz run2_bold.nii.gz --events run1_events.tsv run2_events.tsv \\
    --confounds run1_confounds.tsv run2_confounds.tsv --mask amygdala.nii.gz --out sub-01

sub-01/betas.nii.gz has a volume for each trial (betas.npy, trials × voxels, for recordings that are matrices), sub-01/trials.csv says which \
picture it shows. In a study these are `responses` and `trials` of a `[[brain]]`, with `picture-column = \"picture\"`.

Each trial is fitted beside the sum of all others (least squares, separate), with SPM's canonical response, a constant, drifts, the confounds, \
and the other events by their kind. Recordings come realigned and in the space of the mask.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Recordings, one for each run: NIfTI with four axes, or a matrix (volumes × voxels)
    #[arg(value_name = "RUN.nii.gz|RUN.npy", required = true)]
    runs: Vec<String>,
    /// Tables of events, one for each run, with the columns onset and duration in seconds
    #[arg(long, value_name = "E.tsv", num_args = 1.., required = true)]
    events: Vec<String>,
    /// Column of the events that names the picture; rows without one are no trials
    #[arg(long, value_name = "COLUMN", default_value = "stim_file")]
    picture_column: String,
    /// Column with the kind of events that are no trials, each fitted with a response of its own; default: trial_type, if there is one
    #[arg(long, value_name = "COLUMN")]
    kind_column: Option<String>,
    /// Tables of confounds, one for each run, a row a volume
    #[arg(long, value_name = "C.tsv", num_args = 1..)]
    confounds: Vec<String>,
    /// Their columns to use; default: the six of motion (trans_x … rot_z) if they are there, else all
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "confounds"
    )]
    confound_columns: Vec<String>,
    /// Voxels to fit; default: all
    #[arg(long, value_name = "M.nii")]
    mask: Option<PathBuf>,
    /// Seconds from one volume to the next (TR); default: as the file says
    #[arg(long, value_name = "S")]
    repetition_time: Option<f64>,
    /// What part of the repetition time lies before the moment that a volume stands for: 0 for its beginning, 0.5
    /// where slices were brought to the middle one
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    slice_reference: f64,
    /// Longest period in seconds that is not taken for a drift
    #[arg(long, value_name = "S", default_value_t = 128.0)]
    high_pass: f64,
    /// Volumes to leave out at the start; onsets count from the first one in the file
    #[arg(long, value_name = "N", default_value_t = 0)]
    drop: usize,
    /// Folder for the betas, trials.csv and summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    for (what, n) in [
        ("--events", args.events.len()),
        ("--confounds", args.confounds.len()),
    ] {
        if n != args.runs.len() && !(n == 0 && what == "--confounds") {
            bail!(
                "{what} names {n} files for {} runs; give one for each, in the same order",
                args.runs.len()
            );
        }
    }
    if !(0.0..=1.0).contains(&args.slice_reference) {
        bail!(
            "--slice-reference is {}, expected a number from 0 to 1",
            args.slice_reference
        );
    }
    let given = args.mask.as_ref().map(Mask::read).transpose()?;
    let mut first: Option<Space> = None;
    let mut parts = Vec::new();
    let mut trials = Vec::new();
    let mut runs = Vec::new();
    let console = Console::new();
    console.begin("fitting runs", args.runs.len() as u64);
    for (run, file) in args.runs.iter().enumerate() {
        let recorded = Recorded::read(file, args, given.as_ref(), first.as_ref())
            .with_context(|| format!("run {}", run + 1))?;
        let found = fit(&recorded, args, run)?;
        runs.push(json!({
            "file": file,
            "n_volumes": recorded.values.nrows(),
            "repetition_time": recorded.repetition_time,
            "n_trials": found.trials.len(),
            "other_events": found.others,
            "n_nuisance": found.n_nuisance,
        }));
        trials.extend(found.trials.into_iter().map(|trial| (run, trial)));
        parts.push(found.betas);
        first = first.or(Some(recorded.space));
        console.advance_to(run as u64 + 1);
    }
    console.end();
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let betas = concatenate(Axis(0), &views).expect("runs have the same voxels");
    let space = first.expect("there is a run");
    let files = AtomicFolder::create(&args.out)?;
    let name = space.write(&files.path().join("betas"), &betas)?;
    write_trials(&files.path().join("trials.csv"), &trials)?;
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "runs": runs,
        "mask": args.mask,
        "n_trials": betas.nrows(),
        "n_voxels": betas.ncols(),
        "n_not_finite": betas.columns().into_iter().filter(|c| c.iter().any(|v| !v.is_finite())).count(),
        "high_pass": args.high_pass,
        "slice_reference": args.slice_reference,
        "drop": args.drop,
    });
    arrays::write_json(&files.path().join("summary.json"), &summary)?;
    files.commit()?;
    writeln!(out, "{}", args.out.join(name).display())?;
    Ok(())
}

/// What came of a run.
struct Fitted {
    betas: Array2<f32>,
    trials: Vec<EventRow>,
    /// Events that are no trials, by kind.
    others: BTreeMap<String, usize>,
    /// Columns of no interest, without the constant.
    n_nuisance: usize,
}

fn fit(recorded: &Recorded, args: &Args, run: usize) -> Result<Fitted> {
    let file = args.events[run].as_str();
    let kind = match &args.kind_column {
        Some(name) => Some(name.clone()),
        None => {
            let table = table::Table::read(file)?;
            let mut columns = table.columns().iter();
            columns.find(|name| *name == "trial_type").cloned()
        }
    };
    let events = read_events(file, &args.picture_column, kind.as_deref())?;
    let (trials, others): (Vec<EventRow>, Vec<EventRow>) = events
        .into_iter()
        .partition(|event| event.picture.is_some());
    if trials.is_empty() {
        bail!(
            "no row has a picture in column {}; name another one with --picture-column: {file}",
            args.picture_column
        );
    }
    let timing = Timing {
        n_volumes: recorded.values.nrows(),
        repetition_time: recorded.repetition_time,
        first: recorded.repetition_time * (args.drop as f64 + args.slice_reference),
    };
    let event = |row: &EventRow| Event {
        onset: row.onset,
        duration: row.duration,
    };
    let mut expected = Array2::zeros((timing.n_volumes, trials.len()));
    for (trial, mut column) in trials.iter().zip(expected.columns_mut()) {
        column.assign(&arrays::in_files(
            regressor(&[event(trial)], &timing),
            &[file],
        )?);
    }
    let mut nuisance = vec![arrays::in_files(drifts(&timing, args.high_pass), &[file])?];
    let mut by_kind: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for row in &others {
        let kind = row.kind.clone().unwrap_or_else(|| "other".to_owned());
        by_kind.entry(kind).or_default().push(event(row));
    }
    for events in by_kind.values() {
        let column = arrays::in_files(regressor(events, &timing), &[file])?;
        nuisance.push(column.insert_axis(Axis(1)));
    }
    let mut files = vec![args.runs[run].as_str(), file];
    if let Some(file) = args.confounds.get(run) {
        let confounds = read_confounds(file, &args.confound_columns)?;
        let n_recorded = timing.n_volumes + args.drop;
        if confounds.nrows() != n_recorded {
            bail!(
                "the confounds have {} rows, the run has {n_recorded} volumes; give a row for each: {file}",
                confounds.nrows()
            );
        }
        nuisance.push(confounds.slice(s![args.drop.., ..]).to_owned());
        files.push(file);
    }
    let views: Vec<_> = nuisance.iter().map(|columns| columns.view()).collect();
    let nuisance = concatenate(Axis(1), &views).expect("a row a volume each");
    let betas = least_squares_separate(recorded.values.view(), expected.view(), nuisance.view());
    Ok(Fitted {
        betas: arrays::in_files(betas, &files)?,
        trials,
        others: by_kind
            .into_iter()
            .map(|(kind, events)| (kind, events.len()))
            .collect(),
        n_nuisance: nuisance.ncols(),
    })
}

fn write_trials(path: &Path, trials: &[(usize, EventRow)]) -> Result<()> {
    let rows = trials.iter().map(|(run, trial)| {
        [
            (run + 1).to_string(),
            trial.onset.to_string(),
            trial.duration.to_string(),
            trial.picture.clone().unwrap_or_default(),
        ]
    });
    Ok(table::write(
        path,
        &["run", "onset", "duration", "picture"],
        rows,
    )?)
}
