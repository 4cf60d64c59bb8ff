//! `consilience rdm`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::io::{AnyArray, source};
use consilience::methods::rdm::{
    self, Dissimilarity, IncompleteRuns, MovieParams, NoiseEstimate, Patterns, RdmOutcome,
    RdmParams, WindowSamples,
};
use consilience::methods::{Compat, MethodsError};
use ndarray::{Array3, ArrayView1, Ix2};
use serde_json::json;

use crate::arrays::{self, Nan, Output};
use crate::tables;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Patterns (rows are stimuli or observations, columns are channels): .npy, .npz:key, …; with a third
    /// axis of time points an RDM for each window of time
    #[arg(value_name = "X.npy")]
    patterns: String,
    /// correlation, spearman, cosine, euclidean, sqeuclidean, mahalanobis, crossnobis, poisson-kl,
    /// poisson-kl-cv
    #[arg(long, value_name = "NAME", default_value = "correlation")]
    dissimilarity: Dissimilarity,
    /// Integer label of each row; rows with the same label are averaged first
    #[arg(long, value_name = "C.npy")]
    conditions: Option<String>,
    /// Integer run of each row, for crossnobis and poisson-kl-cv
    #[arg(long, value_name = "R.npy")]
    runs: Option<String>,
    /// When a run does not hold every condition: refuse, common-runs, all-rows
    #[arg(long, value_name = "NAME", default_value = "refuse")]
    incomplete_runs: IncompleteRuns,
    /// Noise precision matrix (channels × channels), for mahalanobis and crossnobis; for crossnobis also
    /// one for each run (runs × channels × channels)
    #[arg(long, value_name = "S.npy")]
    noise: Option<String>,
    /// Residuals (rows × channels) that the noise precision is estimated from instead
    #[arg(long, value_name = "E.npy", conflicts_with = "noise")]
    residuals: Option<String>,
    /// How that is done: shrink-diagonal, shrink-identity, diagonal, full
    #[arg(
        long,
        value_name = "NAME",
        default_value = "shrink-diagonal",
        requires = "residuals"
    )]
    noise_estimate: NoiseEstimate,
    /// Divide euclidean and sqeuclidean by the number of channels inside the root
    #[arg(long)]
    per_channel: bool,
    /// Time points of a window, for patterns over time
    #[arg(long, value_name = "N", default_value_t = 1)]
    window: usize,
    /// Time points from the start of a window to that of the next
    #[arg(long, value_name = "N", default_value_t = 1)]
    step: usize,
    /// What becomes of the time points of a window: mean, or concatenate (each is a channel)
    #[arg(long, value_name = "NAME", default_value = "mean")]
    samples: WindowSamples,
    /// Follow the conventions of another toolbox where they differ: rsatoolbox, mne-rsa, cosmo
    #[arg(long, value_name = "NAME")]
    compat: Option<Compat>,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let mut noise = match &args.noise {
        Some(spec) => arrays::matrices(spec, "--noise")?,
        None => Vec::new(),
    };
    if let Some(spec) = &args.residuals {
        let residuals = arrays::matrix_f64(spec, "--residuals")?;
        let precision = rdm::noise_of_residuals(residuals.view(), args.noise_estimate, None)
            .and_then(|noise| noise.precision());
        noise.push(arrays::in_files(precision, &[spec])?);
    }
    let one_noise = noise.len() == 1;
    let params = RdmParams {
        dissimilarity: args.dissimilarity,
        per_channel: args.per_channel,
        conditions: args
            .conditions
            .as_deref()
            .map(|c| arrays::labels(c, "--conditions"))
            .transpose()?,
        runs: args
            .runs
            .as_deref()
            .map(|r| arrays::labels(r, "--runs"))
            .transpose()?,
        incomplete_runs: args.incomplete_runs,
        noise_precision: one_noise.then(|| noise.remove(0)),
        run_noise_precisions: (!noise.is_empty()).then_some(noise),
        nan: args.nan.into(),
    };
    let patterns = source::load_array(&args.patterns)?;
    if patterns.shape().len() == 3 {
        if let Some(peer) = args.compat {
            bail!(
                "--compat {peer} is for patterns of two dimensions, {} has 3; leave it out",
                args.patterns
            );
        }
        return movie(
            args,
            patterns.into_f64().into_dimensionality()?,
            params,
            out,
        );
    }
    if (args.window, args.step) != (1, 1) {
        bail!(
            "--window and --step are for patterns over time (rows × channels × time points), {} has {} dimensions; leave them out",
            args.patterns,
            patterns.shape().len()
        );
    }
    let patterns = patterns.into_f32_or_f64();
    let outcome = match arrays::check_matrix(patterns, &args.patterns, "the pattern matrix")? {
        AnyArray::F32(x) => {
            let x = x.into_dimensionality::<Ix2>()?;
            estimate(args, Patterns::F32(x.view()), &params)
        }
        other => {
            let x = other.into_f64().into_dimensionality::<Ix2>()?;
            estimate(args, Patterns::F64(x.view()), &params)
        }
    };
    let outcome = arrays::in_files(outcome, &args.files())?;
    arrays::report_omitted(outcome.n_omitted);
    let json = || {
        json!({
            "dissimilarity": args.dissimilarity.to_string(),
            "conditions": outcome.conditions,
            "rdm": outcome.vector,
            "n_omitted": outcome.n_omitted,
        })
    };
    args.output
        .write(ArrayView1::from(&outcome.vector), json, out)
}

/// By our conventions or those asked for; says what these change.
fn estimate(
    args: &Args,
    patterns: Patterns<'_>,
    params: &RdmParams,
) -> Result<RdmOutcome, MethodsError> {
    let Some(peer) = args.compat else {
        return rdm::rdm(patterns, params);
    };
    let found = rdm::rdm_as(peer, patterns, params)?;
    tables::note(&match found.difference {
        Some(difference) => format!("as {peer}: {difference}"),
        None => format!("{peer} and consilience define {} alike", args.dissimilarity),
    });
    Ok(found.outcome)
}

/// An RDM for each window of time.
fn movie(args: &Args, patterns: Array3<f64>, rdm: RdmParams, out: &mut dyn Write) -> Result<()> {
    let params = MovieParams {
        window: args.window,
        step: args.step,
        samples: args.samples,
        rdm,
    };
    let movie = arrays::in_files(rdm::rdm_movie(patterns.view(), &params), &args.files())?;
    arrays::report_omitted(movie.n_omitted.iter().sum());
    let json = || {
        json!({
            "dissimilarity": args.dissimilarity.to_string(),
            "conditions": movie.conditions,
            "windows": movie.windows.iter().map(|w| [w.start, w.end]).collect::<Vec<_>>(),
            "rdms": movie.rdms.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>(),
            "n_omitted": movie.n_omitted,
        })
    };
    args.output.write(movie.rdms.view(), json, out)
}

impl Args {
    /// The files that the result rests on.
    fn files(&self) -> Vec<&str> {
        let labels = [&self.conditions, &self.runs, &self.noise, &self.residuals];
        std::iter::once(&self.patterns)
            .chain(labels.into_iter().flatten())
            .map(String::as_str)
            .collect()
    }
}
