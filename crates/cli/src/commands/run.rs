//! `consilience run`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::core::{AnalysisRecord, Record};
use consilience::models::ExecutorChoice;
use consilience::results;
use consilience::study::file::{Override, Study, StudyText};
use consilience::study::{self, Cache, Failure, Places, Prepared, StudyError};

use crate::console::Console;
use crate::places;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub study: StudyArgs,
    /// Folder for the results; default: `results` beside the study file
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the results of another plan
    #[arg(long)]
    pub force: bool,
}

/// A study file and what replaces its values.
#[derive(Debug, clap::Args)]
pub struct StudyArgs {
    /// The study file
    #[arg(value_name = "STUDY.toml")]
    pub file: PathBuf,
    /// Replace a value, e.g. analysis.permutations=1000; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Seed instead of the study's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What runs the networks: auto, rten, onnx-runtime, onnx-runtime-cuda
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub executor: ExecutorChoice,
}

/// A study that was read and checked.
pub struct Ready {
    pub text: StudyText,
    pub overrides: Vec<Override>,
    pub prepared: Prepared,
}

impl StudyArgs {
    /// Reads the file and resolves everything it names.
    pub fn prepare(&self, threads: usize) -> Result<Ready> {
        let source = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read the study file {}", self.file.display()))?;
        let text = StudyText::new(self.file.display().to_string(), source);
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let places = Places::new(folder, &places::data_folders());
        let prepared = self
            .parse(&text)
            .and_then(|study| study::prepare(&study, &places, self.executor, threads))
            .map_err(|error| Failure::locate(self.blame(error), &text))?;
        Ok(Ready {
            text,
            overrides: self.overrides.clone(),
            prepared,
        })
    }

    /// A value that came from `--set` is not to be looked for in the file.
    fn blame(&self, error: StudyError) -> StudyError {
        let StudyError::Invalid { key, message } = error else {
            return error;
        };
        match self.overrides.iter().rev().find(|set| set.gives(&key)) {
            Some(set) => StudyError::Override {
                key: set.key.clone(),
                value: set.value.clone(),
                why: message,
            },
            None => StudyError::Invalid { key, message },
        }
    }

    fn parse(&self, text: &StudyText) -> study::Result<Study> {
        let mut study = text.parse(&self.overrides)?;
        if let Some(seed) = self.seed {
            study.study.seed = seed;
        }
        Ok(study)
    }

    /// The default place of the results.
    fn results_folder(&self) -> PathBuf {
        self.file.with_file_name("results")
    }
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| args.study.results_folder());
    let ready = args.study.prepare(threads)?;
    refuse_to_replace(&folder, &ready.prepared.plan.hash(), args.force)?;
    let record = carry_out(&ready, threads)?;
    results::write(&record, &folder)?;
    tell(&record, &folder, out)
}

/// Runs a checked study with progress on standard error.
pub fn carry_out(ready: &Ready, threads: usize) -> Result<Record> {
    let cache = Cache::new(places::cache_folder()?);
    let console = Console::new();
    let record = study::run(
        &ready.prepared,
        &ready.text,
        &ready.overrides,
        &cache,
        threads,
        &console,
    )
    .map_err(|error| Failure::locate(error, &ready.text))?;
    Ok(record)
}

/// Says the answer and where the files are.
pub fn tell(record: &Record, folder: &Path, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{}", record.answer)?;
    for claim in &record.expectations {
        let verdict = if claim.met {
            "as expected"
        } else {
            "NOT as expected"
        };
        writeln!(
            out,
            "{}: expected {}, found {}: {verdict}",
            claim.target, claim.expected, claim.found
        )?;
    }
    let of_analyses: usize = record.analyses.iter().map(AnalysisRecord::n_notes).sum();
    let n_notes = record.warnings.len() + of_analyses;
    if n_notes > 0 {
        let _ = writeln!(
            std::io::stderr(),
            "{n_notes} note(s) on what limits the numbers: see the report"
        );
    }
    writeln!(out, "report: {}", folder.join("report.html").display())?;
    Ok(())
}

/// The same plan may be written again (the bytes are the same); another plan needs `--force`.
fn refuse_to_replace(folder: &Path, plan_hash: &str, force: bool) -> Result<()> {
    let path = folder.join(results::RECORD);
    if force || !path.exists() {
        return Ok(());
    }
    let found = results::read_record(&path)
        .with_context(|| "the results folder holds a record that cannot be read; give --force to replace it, or another --out")?;
    if found.provenance.plan_blake3 != plan_hash {
        bail!(
            "the folder holds the results of another plan ({:?}, seed {}); give another --out, or --force to replace them: {}",
            found.study.title,
            found.provenance.seed,
            folder.display()
        );
    }
    Ok(())
}
