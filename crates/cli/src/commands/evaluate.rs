//! `consilience evaluate`

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use consilience::methods::rsa::{self, Bootstrap, EvaluateParams, Evaluated, Model, ModelKind};
use consilience::study::Progress;
use ndarray::{Array2, ArrayView2, Axis};
use serde_json::{Value, json};

use super::infer::{self, Options};
use crate::Format;
use crate::arrays;
use crate::console::Console;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  consilience evaluate --models layers.npy --weighted layers.npy --data subjects.npy --generalize-to both

Models with parameters are fitted to some subjects and conditions and judged by others; all models are
then judged alike. `consilience explain evaluate` says how.")]
pub struct Args {
    /// RDMs of fixed models (m, n_pairs), a model a row; may be repeated
    #[arg(long, value_name = "M.npy")]
    models: Vec<String>,
    /// Component RDMs of a model that is their sum with weights of at least 0; may be repeated
    #[arg(long, value_name = "M.npy")]
    weighted: Vec<String>,
    /// The same with weights of any sign; may be repeated
    #[arg(long, value_name = "M.npy")]
    weighted_any_sign: Vec<String>,
    /// RDMs of which the best is a model; may be repeated
    #[arg(long, value_name = "M.npy")]
    selected: Vec<String>,
    /// RDMs in an order; a point between two neighbours is a model; may be repeated
    #[arg(long, value_name = "M.npy")]
    interpolated: Vec<String>,
    /// RDMs of the subjects (subjects, n_pairs)
    #[arg(long, value_name = "D.npy")]
    data: String,
    /// What the result is to hold for beyond these data: subjects, conditions, both; none takes the
    /// spread over subjects
    #[arg(long, value_name = "WHAT", default_value = "both")]
    generalize_to: Bootstrap,
    /// Folds of the subjects, for models with parameters; default: by their number
    #[arg(long, value_name = "N")]
    subject_folds: Option<usize>,
    /// Folds of the conditions, for models with parameters; default: by their number
    #[arg(long, value_name = "N")]
    condition_folds: Option<usize>,
    /// Random divisions of each resample into folds
    #[arg(long, value_name = "N", default_value_t = 2)]
    divisions: usize,
    #[command(flatten)]
    options: Options,
}

/// A file of RDMs and the models it holds.
struct Source<'a> {
    file: &'a str,
    kind: ModelKind,
    rdms: Array2<f64>,
}

impl Source<'_> {
    /// Names and components, by model.
    fn models(&self) -> Vec<(String, ArrayView2<'_, f64>)> {
        let stem = Path::new(self.file).file_stem().map_or_else(
            || self.file.to_owned(),
            |s| s.to_string_lossy().into_owned(),
        );
        if self.kind != ModelKind::Fixed {
            return vec![(format!("{stem} ({})", self.kind), self.rdms.view())];
        }
        let rows = self.rdms.axis_chunks_iter(Axis(0), 1).enumerate();
        rows.map(|(m, rdm)| {
            let name = if self.rdms.nrows() == 1 {
                stem.clone()
            } else {
                format!("{stem}[{m}]")
            };
            (name, rdm)
        })
        .collect()
    }
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let mut sources = Vec::new();
    for (kind, files) in [
        (ModelKind::Fixed, &args.models),
        (ModelKind::Weighted, &args.weighted),
        (ModelKind::WeightedAnySign, &args.weighted_any_sign),
        (ModelKind::Selected, &args.selected),
        (ModelKind::Interpolated, &args.interpolated),
    ] {
        for file in files {
            sources.push(Source {
                file,
                kind,
                rdms: arrays::rdms(file, "the models' RDMs")?,
            });
        }
    }
    if sources.is_empty() {
        bail!(
            "no model was given; expected one or more of --models, --weighted, --weighted-any-sign, \
             --selected, --interpolated with a file of RDMs each"
        );
    }
    let data = arrays::rdms(&args.data, "the subjects' RDMs")?;
    let (mut names, mut models) = (Vec::new(), Vec::new());
    for source in &sources {
        for (name, rdms) in source.models() {
            names.push(name);
            models.push(Model {
                kind: source.kind,
                rdms,
            });
        }
    }
    let params = EvaluateParams {
        inference: args.options.params(args.generalize_to)?,
        subject_folds: args.subject_folds,
        condition_folds: args.condition_folds,
        divisions: args.divisions,
    };
    let n_components: usize = models.iter().map(|m| m.rdms.nrows()).sum();
    infer::check_fit(n_components + data.nrows(), data.ncols(), &params.inference)?;
    let console = Console::new();
    console.begin(
        "resampling",
        (params.inference.resamples + params.inference.permutations) as u64,
    );
    let found = rsa::evaluate(&models, data.view(), &params, &|done, _| {
        console.advance_to(done as u64);
    });
    console.end();
    let mut files: Vec<&str> = sources.iter().map(|s| s.file).collect();
    files.push(&args.data);
    let found = arrays::in_files(found, &files)?;
    match args.options.format {
        Format::Json => arrays::print_json(&as_json(&found, &names, &models, &args.options), out),
        Format::Text => as_text(&found, &names, out),
    }
}

/// The keys of `infer`, and how models were fitted and judged.
fn as_json(found: &Evaluated, names: &[String], models: &[Model<'_>], options: &Options) -> Value {
    let mut all = infer::as_json(&found.inference, names, options);
    let printed = all["models"].as_array_mut().into_iter().flatten();
    for ((entry, model), weights) in printed.zip(models).zip(&found.weights) {
        entry["kind"] = json!(model.kind.name());
        entry["weights"] = json!(weights.as_ref().map(|w| &w.all));
        entry["weights_sd"] = json!(weights.as_ref().map(|w| &w.sd));
    }
    all["cross_validation"] = json!(found.cross_validation.map(|plan| json!({
        "subject_folds": plan.subject_folds,
        "condition_folds": plan.condition_folds,
        "divisions": plan.divisions,
    })));
    all["explanation"] = json!(found.explanation);
    all
}

fn as_text(found: &Evaluated, names: &[String], out: &mut dyn Write) -> Result<()> {
    infer::as_text(&found.inference, names, out)?;
    for (name, weights) in names.iter().zip(&found.weights) {
        if let Some(weights) = weights {
            let each: Vec<String> = weights
                .all
                .iter()
                .zip(&weights.sd)
                .map(|(w, sd)| format!("{w:.3} ± {sd:.3}"))
                .collect();
            writeln!(out, "weights of {name}: {}", each.join(", "))?;
        }
    }
    for line in &found.explanation {
        writeln!(out, "why: {line}")?;
    }
    Ok(())
}
