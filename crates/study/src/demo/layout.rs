//! Writes the demo study as a folder that any study could be: pictures, weights, RDMs, study file.

use std::path::{Path, PathBuf};

use consilience_io::image::{RgbImage, encode_png};
use consilience_io::{atomic, npy};
use consilience_models::{ExecutorChoice, ExtractParams, Extractor, Images, Network};
use ndarray::{Array2, s};

use super::design::{self, DemoStimulus};
use super::network;
use super::subjects::{RaterParams, SubjectParams, simulate, simulate_behaviour};
use crate::Result;

/// Writes the study with the subjects that `seed` draws and gives the path of its study file.
///
/// # Errors
///
/// When the folder cannot be written.
pub fn write(folder: &Path, seed: u64, n_threads: usize) -> Result<PathBuf> {
    let stimuli: Vec<DemoStimulus> = design::stimuli().collect();
    let pictures: Vec<RgbImage> = stimuli.iter().map(picture).collect();
    let mut table = String::from("file\tcategory\tanimate\n");
    for (stimulus, picture) in stimuli.iter().zip(&pictures) {
        let name = format!("{}.png", stimulus.id);
        put(folder, &format!("stimuli/{name}"), &encode_png(picture)?)?;
        let animate = u8::from(stimulus.category.is_animate());
        table.push_str(&format!("{name}\t{}\t{animate}\n", stimulus.category));
    }
    put(folder, "stimuli.tsv", table.as_bytes())?;
    put(folder, "consilience_demo.safetensors", network::WEIGHTS)?;

    let [early, late, judged] = patterns(
        [
            design::EARLY_LAYER,
            design::LATE_LAYER,
            design::BEHAVIOUR_LAYER,
        ],
        &pictures,
        n_threads,
    )?;
    let other_people = |base: u64| base.wrapping_add(1000 * seed.wrapping_sub(1));
    let early_region = design::early_region();
    let late_region = design::late_region();
    let raters = design::raters();
    let early = simulate(
        early.view(),
        &SubjectParams {
            seed: other_people(early_region.seed),
            ..early_region
        },
    )?;
    let late = simulate(
        late.view(),
        &SubjectParams {
            seed: other_people(late_region.seed),
            ..late_region
        },
    )?;
    let judged = simulate_behaviour(
        judged.view(),
        &RaterParams {
            seed: other_people(raters.seed),
            ..raters
        },
    )?;
    npy::write(folder.join("early-region.npy"), early.view())?;
    npy::write(folder.join("late-region.npy"), late.view())?;
    npy::write(folder.join("judgements.npy"), judged.view())?;

    // The study file comes last: a folder that has it is complete.
    put(folder, "study.toml", study_file(seed).as_bytes())?;
    Ok(folder.join("study.toml"))
}

fn picture(stimulus: &DemoStimulus) -> RgbImage {
    let (height, width, _) = stimulus.picture.dim();
    RgbImage {
        width,
        height,
        pixels: stimulus.picture.iter().copied().collect(),
    }
}

/// Activations of three layers for all pictures, `(n_stimuli, n_features)` each.
///
/// Always by the executor that is always there, so that the same people are simulated everywhere.
fn patterns(names: [&str; 3], pictures: &[RgbImage], n_threads: usize) -> Result<[Array2<f32>; 3]> {
    let network = Network::from_zoo_bytes(network::NAME, network::WEIGHTS)?;
    let layers = network.select(&names)?;
    let params = ExtractParams {
        executor: ExecutorChoice::Rten,
        n_threads,
        ..ExtractParams::default()
    };
    let extractor = Extractor::prepare(&network, &layers, &params)?;
    let found: Vec<String> = extractor
        .layers
        .iter()
        .map(|layer| layer.name.clone())
        .collect();
    let mut rows: Vec<Array2<f32>> = extractor
        .layers
        .iter()
        .map(|layer| Array2::zeros((pictures.len(), layer.n_features)))
        .collect();
    extractor.run(
        Images::Decoded(pictures),
        |block| -> Result<()> {
            let end = block.first_row + block.rows.nrows();
            rows[block.layer_idx]
                .slice_mut(s![block.first_row..end, ..])
                .assign(&block.rows);
            Ok(())
        },
        |_| {},
    )?;
    Ok(names.map(|name| {
        let layer_idx = found.iter().position(|layer| layer == name);
        rows[layer_idx.expect("the layers were asked for by these names")].clone()
    }))
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    atomic::write_atomically(folder.join(name), |file| {
        std::io::Write::write_all(file, bytes)
    })?;
    Ok(())
}

fn study_file(seed: u64) -> String {
    let layers: Vec<String> = design::LAYERS
        .iter()
        .map(|layer| format!("{layer:?}"))
        .collect();
    format!(
        r#"# The demo of consilience: everything here was drawn, trained or simulated by the project.
# Eight simulated subjects: their early region mixes the units of one layer of the network with
# noise, their late region those of another; ten simulated raters judge by a third. The report
# says whether the layers that were planted are found again.

[study]
title = "Demo: are the planted layers found again?"
description = "Drawn pictures, a small network trained to name them, and simulated people: the early region follows {early}, the late region {late}, the judgements {judged}."
seed = {seed}

[stimuli]
images = "stimuli/*.png"
table = "stimuli.tsv"
category-column = "category"

[[model]]
name = "consilience_demo"
weights = "consilience_demo.safetensors"
layers = [{layers}]

[[brain]]
name = "early region"
rdms = "early-region.npy"

[[brain]]
name = "late region"
rdms = "late-region.npy"

[[behaviour]]
name = "judgements"
rdms = "judgements.npy"

[[analysis]]
kind = "rsa"
dissimilarity = "correlation"
similarity = "spearman"
bootstrap = "both"
resamples = 1000
permutations = 10000
correction = "fdr"

[[expect]]
target = "early region"
layer = "{early}"

[[expect]]
target = "late region"
layer = "{late}"

[[expect]]
target = "judgements"
layer = "{judged}"
"#,
        early = design::EARLY_LAYER,
        late = design::LATE_LAYER,
        judged = design::BEHAVIOUR_LAYER,
        layers = layers.join(", "),
    )
}
