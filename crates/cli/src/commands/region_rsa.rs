//! `consilience region-rsa`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use consilience::io::{npy, source};
use consilience::methods::emotion::{RegionRsa, RegionRsaParams, region_rdms, region_rsa};
use consilience::methods::rsa::{Bootstrap, Correction};
use consilience::study::Progress;
use ndarray::{Array1, Array2, Ix3};
use serde_json::{Value, json};

use crate::arrays;
use crate::console::Console;
use crate::tables::{self, Report};

const HELP: &str = "\
Example: does the network's geometry agree with the amygdala's, beyond what its visual encoder explains?

  consilience region-rsa betas.npy --models CeA.npy --controls encoder.npy --format text

betas.npy is (subjects × images × voxels); a voxel that a subject lacks is NaN. Voxels are z-scored for each subject and image and averaged over \
subjects; the RDM is 1 − Spearman. Without --models the RDMs are all that is made: --group and --subjects write them.

JSON: n_subjects, n_images, n_voxels, n_missing; models: score (Spearman with the group's RDM), p (permutation of images), partial and partial_p (given the \
controls), subjects (score, sem, ci, p_permutation with the subjects' RDMs); ceiling (lower, upper), permutations, resamples, bootstrap, \
seed, notes.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Responses (subjects × images × voxels)
    #[arg(value_name = "RESPONSES.npy")]
    responses: String,
    /// RDMs of models (m, n_pairs)
    #[arg(long, value_name = "M.npy")]
    models: Option<String>,
    /// RDMs that models have to agree beyond (c, n_pairs)
    #[arg(long, value_name = "C.npy", requires = "models")]
    controls: Option<String>,
    /// File for the group's RDM (n_pairs,)
    #[arg(long, value_name = "FILE.npy")]
    group: Option<PathBuf>,
    /// File for the subjects' RDMs (subjects, n_pairs)
    #[arg(long, value_name = "FILE.npy")]
    subjects: Option<PathBuf>,
    /// Permutations of the images
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    permutations: usize,
    /// Bootstrap resamples
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// What is resampled: none, subjects, conditions (the images), both
    #[arg(long, value_name = "WHAT", default_value = "both")]
    bootstrap: Bootstrap,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    report: Report,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let responses = source::load_array(&args.responses)?.into_f64();
    let shape = responses.shape().to_vec();
    let Ok(responses) = responses.into_dimensionality::<Ix3>() else {
        bail!(
            "the responses have the shape {shape:?}, expected (subjects, images, voxels): {}",
            args.responses
        );
    };
    let region = arrays::in_files(region_rdms(responses.view()), &[&args.responses])?;
    if let Some(path) = &args.group {
        npy::write(path, Array1::from(region.group.clone()).view())?;
    }
    if let Some(path) = &args.subjects {
        npy::write(path, region.subjects.view())?;
    }
    let mut json = json!({
        "n_subjects": shape[0],
        "n_images": shape[1],
        "n_voxels": shape[2],
        "n_missing": region.n_missing,
        "models": null,
    });
    let mut text = format!(
        "{} subjects, {} images, {} voxels, {} values missing\n",
        shape[0], shape[1], shape[2], region.n_missing
    );
    if let Some(file) = &args.models {
        let models = arrays::rdms(file, "the model RDMs")?;
        let controls = match &args.controls {
            Some(file) => arrays::rdms(file, "the control RDMs")?,
            None => Array2::zeros((0, region.group.len())),
        };
        let params = RegionRsaParams {
            permutations: args.permutations,
            resamples: args.resamples,
            bootstrap: args.bootstrap,
            correction: Correction::None,
            seed: args.seed,
        };
        let console = Console::new();
        console.begin("comparing", (args.resamples + args.permutations) as u64);
        let progress = |done: usize, _: usize| console.advance_to(done as u64);
        let found = region_rsa(models.view(), controls.view(), &region, &params, &progress);
        console.end();
        let files: Vec<&str> = [Some(file), args.controls.as_ref(), Some(&args.responses)]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let found = arrays::in_files(found, &files)?;
        add_scores(&mut json, &found, args);
        text += &as_text(&found);
    }
    args.report.write(&json, &text, out)
}

fn add_scores(json: &mut Value, found: &RegionRsa, args: &Args) {
    let models = found.models.iter().zip(&found.subjects.models);
    let models = models.map(|(model, subjects)| {
        let estimate = subjects.estimate.as_ref();
        json!({
            "score": model.score,
            "p": model.p,
            "partial": model.partial,
            "partial_p": model.partial_p,
            "subjects": {
                "score": estimate.map(|e| e.value),
                "sem": estimate.and_then(|e| e.sem),
                "ci": estimate.and_then(|e| e.interval),
                "p_permutation": estimate.and_then(|e| e.p_permutation),
                "per_subject": subjects.per_subject,
            },
        })
    });
    json["models"] = models.collect();
    let ceiling = found.subjects.ceiling;
    json["ceiling"] = json!({"lower": ceiling.map(|c| c.lower), "upper": ceiling.map(|c| c.upper)});
    json["permutations"] = args.permutations.into();
    json["resamples"] = found.subjects.n_resamples.into();
    json["bootstrap"] = found.subjects.bootstrap.to_string().into();
    json["seed"] = args.seed.into();
    json["notes"] = json!(found.subjects.notes);
}

fn as_text(found: &RegionRsa) -> String {
    let header = [
        "model",
        "group",
        "p",
        "partial",
        "p",
        "subjects",
        "95 % interval",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let models = found.models.iter().zip(&found.subjects.models);
    for (k, (model, subjects)) in models.enumerate() {
        let estimate = subjects.estimate.as_ref();
        rows.push(vec![
            k.to_string(),
            tables::number(Some(model.score)),
            tables::p_value(Some(model.p)),
            tables::number(model.partial),
            tables::p_value(model.partial_p),
            tables::number(estimate.map(|e| e.value)),
            tables::interval(estimate.and_then(|e| e.interval)),
        ]);
    }
    let mut text = tables::aligned(&rows);
    if let Some(ceiling) = found.subjects.ceiling {
        text += &format!(
            "noise ceiling {:.4} to {:.4}\n",
            ceiling.lower, ceiling.upper
        );
    }
    for note in &found.subjects.notes {
        text += &format!("note: {note}\n");
    }
    text
}
