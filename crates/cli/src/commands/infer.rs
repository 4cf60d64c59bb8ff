//! `consilience infer`

use std::io::Write;

use anyhow::Result;
use consilience::methods::rsa::{self, Bootstrap, Correction, InferParams, Inference, Similarity};
use consilience::study::Progress;
use serde_json::{Value, json};

use crate::Format;
use crate::arrays::{self, Nan};
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// RDMs of the models (m, n_pairs)
    #[arg(long, value_name = "M.npy")]
    models: String,
    /// RDMs of the subjects (subjects, n_pairs)
    #[arg(long, value_name = "D.npy")]
    data: String,
    /// Similarity of RDMs, as for `compare`
    #[arg(long, value_name = "NAME", default_value = "spearman")]
    similarity: Similarity,
    /// What is resampled: none, subjects, conditions, both
    #[arg(long, value_name = "WHAT", default_value = "both")]
    bootstrap: Bootstrap,
    /// Bootstrap resamples
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Condition-label permutations; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    permutations: usize,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Correction over models and over pairs of models: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "fdr")]
    correction: Correction,
    /// What to do with NaN
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let models = arrays::rdms(&args.models, "the models' RDMs")?;
    let data = arrays::rdms(&args.data, "the subjects' RDMs")?;
    let params = InferParams {
        similarity: args.similarity,
        bootstrap: args.bootstrap,
        resamples: args.resamples,
        permutations: args.permutations,
        seed: args.seed,
        correction: args.correction,
        nan: args.nan.into(),
    };
    let console = Console::new();
    console.begin("resampling", (args.resamples + args.permutations) as u64);
    let inference = rsa::infer(models.view(), data.view(), &params, &|done, _| {
        console.advance_to(done as u64);
    });
    console.end();
    let inference = arrays::in_files(inference, &[&args.models, &args.data])?;
    match args.format {
        Format::Json => arrays::print_json(&as_json(&inference, args), out),
        Format::Text => as_text(&inference, out),
    }
}

fn as_json(inference: &Inference, args: &Args) -> Value {
    let models: Vec<Value> = inference
        .models
        .iter()
        .enumerate()
        .map(|(idx, model)| {
            let estimate = model.estimate.as_ref();
            json!({
                "name": format!("model_{idx}"),
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
        "similarity": args.similarity.to_string(),
        "bootstrap": inference.bootstrap.to_string(),
        "resamples": inference.n_resamples,
        "n_omitted": inference.n_omitted,
        "permutations": args.permutations,
        "correction": args.correction.to_string(),
        "seed": args.seed,
        "notes": inference.notes,
    })
}

fn as_text(inference: &Inference, out: &mut dyn Write) -> Result<()> {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.4}"));
    writeln!(
        out,
        "{:<12}{:>10}{:>10}{:>20}{:>10}{:>12}",
        "model", "score", "sem", "95 % interval", "p > 0", "p < ceiling"
    )?;
    for (idx, model) in inference.models.iter().enumerate() {
        let estimate = model.estimate.as_ref();
        let interval = estimate
            .and_then(|e| e.interval)
            .map_or("–".to_owned(), |[low, high]| {
                format!("{low:.4} to {high:.4}")
            });
        writeln!(
            out,
            "{:<12}{:>10}{:>10}{interval:>20}{:>10}{:>12}",
            format!("model_{idx}"),
            number(estimate.map(|e| e.value)),
            number(estimate.and_then(|e| e.sem)),
            number(estimate.and_then(|e| e.p)),
            number(estimate.and_then(|e| e.p_ceiling)),
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
