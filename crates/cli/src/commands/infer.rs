//! `consilience infer`

use std::io::Write;

use anyhow::Result;
use consilience::methods::Compat;
use consilience::methods::rsa::{
    self, Bootstrap, Correction, InferParams, Inference, Similarity, Workload,
};
use consilience::study::Progress;
use serde_json::{Value, json};

use crate::Format;
use crate::arrays::{self, Nan};
use crate::console::Console;
use crate::tables;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDMs of the models (m, n_pairs)
    #[arg(long, value_name = "M.npy")]
    models: String,
    /// RDMs of the subjects (subjects, n_pairs)
    #[arg(long, value_name = "D.npy")]
    data: String,
    /// What is resampled: none, subjects, conditions, both
    #[arg(long, value_name = "WHAT", default_value = "both")]
    bootstrap: Bootstrap,
    /// Report scores, ceiling and tests as another toolbox does: rsatoolbox
    #[arg(long, value_name = "NAME")]
    compat: Option<Compat>,
    #[command(flatten)]
    options: Options,
}

/// What `infer` and `evaluate` have in common.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Similarity of RDMs, as for `compare`
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    pub similarity: Similarity,
    /// Bootstrap resamples
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub resamples: usize,
    /// Condition-label permutations; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub permutations: usize,
    /// An integer label for each condition; only conditions of the same label are permuted
    #[arg(long, value_name = "B.npy", requires = "permutations")]
    pub blocks: Option<String>,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Correction over models and over pairs of models: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "fdr")]
    pub correction: Correction,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    pub nan: Nan,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
}

impl Options {
    pub fn params(&self, bootstrap: Bootstrap) -> Result<InferParams> {
        let blocks = self.blocks.as_deref();
        Ok(InferParams {
            similarity: self.similarity,
            bootstrap,
            resamples: self.resamples,
            permutations: self.permutations,
            blocks: blocks.map(|b| arrays::labels(b, "--blocks")).transpose()?,
            seed: self.seed,
            correction: self.correction,
            nan: self.nan.into(),
        })
    }
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let models = arrays::rdms(&args.models, "the models' RDMs")?;
    let data = arrays::rdms(&args.data, "the subjects' RDMs")?;
    let params = args.options.params(args.bootstrap)?;
    check_fit(models.nrows() + data.nrows(), data.ncols(), &params)?;
    let console = Console::new();
    console.begin(
        "resampling",
        (params.resamples + params.permutations) as u64,
    );
    let progress = |done: usize, _: usize| console.advance_to(done as u64);
    let (models_view, data_view) = (models.view(), data.view());
    let inference = rsa::infer_as(models_view, data_view, &params, args.compat, &progress);
    console.end();
    let inference = arrays::in_files(inference, &[&args.models, &args.data])?;
    let names: Vec<String> = (0..models.nrows()).map(|m| format!("model_{m}")).collect();
    match args.options.format {
        Format::Json => arrays::print_json(&as_json(&inference, &names, &args.options), out),
        Format::Text => as_text(&inference, &names, out),
    }
}

/// Refuses what does not fit into memory.
pub fn check_fit(n_rdms: usize, n_pairs: usize, params: &InferParams) -> Result<()> {
    arrays::check_rdms_fit(&Workload {
        n_rdms,
        n_pairs,
        similarity: params.similarity,
        is_resampled: matches!(params.bootstrap, Bootstrap::Conditions | Bootstrap::Both),
        is_permuted: params.permutations > 0,
        n_threads: rayon::current_num_threads(),
    })
}

/// The promised keys.
pub fn as_json(inference: &Inference, names: &[String], options: &Options) -> Value {
    let models: Vec<Value> = inference
        .models
        .iter()
        .zip(names)
        .map(|(model, name)| {
            let estimate = model.estimate.as_ref();
            json!({
                "name": name,
                "score": estimate.map(|e| e.value),
                "sem": estimate.and_then(|e| e.sem),
                // Always two entries, so that scripts can unpack it.
                "ci": estimate.and_then(|e| e.interval).map(|ci| ci.map(Some)).unwrap_or_default(),
                "p_zero": estimate.and_then(|e| e.p),
                "p_zero_corrected": estimate.and_then(|e| e.p_corrected),
                "p_ceiling": estimate.and_then(|e| e.p_ceiling),
                "p_permutation": estimate.and_then(|e| e.p_permutation),
                "p_permutation_fwe": estimate.and_then(|e| e.p_permutation_fwe),
                "per_subject": model.per_subject,
            })
        })
        .collect();
    json!({
        "models": models,
        "p_difference": inference.p_difference,
        "p_difference_corrected": inference.p_difference_corrected,
        "ceiling": {
            "lower": inference.ceiling.map(|c| c.lower),
            "upper": inference.ceiling.map(|c| c.upper),
        },
        "dof": inference.dof,
        "similarity": options.similarity.to_string(),
        "bootstrap": inference.bootstrap.to_string(),
        "resamples": inference.n_resamples,
        "n_omitted": inference.n_omitted,
        "permutations": options.permutations,
        "correction": options.correction.to_string(),
        "seed": options.seed,
        "notes": inference.notes,
    })
}

pub fn as_text(inference: &Inference, names: &[String], out: &mut dyn Write) -> Result<()> {
    let width = names
        .iter()
        .map(|n| n.chars().count() + 2)
        .fold(12, usize::max);
    writeln!(
        out,
        "{:<width$}{:>10}{:>10}{:>20}{:>10}{:>12}",
        "model", "score", "sem", "95 % interval", "p > 0", "p < ceiling"
    )?;
    for (model, name) in inference.models.iter().zip(names) {
        let estimate = model.estimate.as_ref();
        let interval = tables::interval(estimate.and_then(|e| e.interval));
        writeln!(
            out,
            "{name:<width$}{:>10}{:>10}{interval:>20}{:>10}{:>12}",
            tables::number(estimate.map(|e| e.value)),
            tables::number(estimate.and_then(|e| e.sem)),
            tables::p_value(estimate.and_then(|e| e.p)),
            tables::p_value(estimate.and_then(|e| e.p_ceiling)),
        )?;
    }
    if let Some(ceiling) = inference.ceiling {
        writeln!(
            out,
            "noise ceiling {:.4} to {:.4}",
            ceiling.lower, ceiling.upper
        )?;
    }
    for note in &inference.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}
