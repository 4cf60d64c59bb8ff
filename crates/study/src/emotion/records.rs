//! Parts of the record of an analysis.

use consilience_core::{
    DisplayRdm, EmotionBaseline, EmotionModule, EmotionPictureSet, EmotionRating, EmotionSettings,
    MdsMap, NucleusInfo,
};
use consilience_experiments::visual_emotion::{
    ModelRdms, Repeat, RepeatGeometry, Wired, history, mean_rdms, plane, quantiles, ridge, scores,
};
use ndarray::{Array1, ArrayView2};

use super::common::{Encoder, Study, of_experiment};
use crate::Result;
use crate::appraisal::reliability;
use crate::cache::Key;
use crate::plan::{PlannedEmotion, PlannedModule};
use crate::rsa::shown;

/// Options as they were used.
pub fn settings(study: &Study<'_>) -> EmotionSettings {
    let planned = study.planned;
    let n_stimuli = study.ratings.nrows();
    EmotionSettings {
        trained_on: match &planned.training {
            None => format!("{n_stimuli} stimuli"),
            Some(training) => {
                let sets = training.sets.iter().map(|set| set.name.as_str());
                let sets: Vec<&str> = sets.collect();
                format!(
                    "{} other pictures ({})",
                    training.pictures.len(),
                    sets.join(", ")
                )
            }
        },
        validation: match &planned.training {
            None => format!("{}-fold cross-validation", planned.folds),
            Some(_) => "stimuli that no module learnt from".to_owned(),
        },
        preset: planned.preset.clone(),
        changes: planned.changes.clone(),
        augmentation: planned.augmentation.map(|views| views.to_string()),
        repeats: planned.repeats,
        epochs: planned.learning.params.epochs,
        dissimilarity: planned.dissimilarity.to_string(),
        edges: format!(
            "valence {}, arousal {}",
            planned.bins.valence, planned.bins.arousal
        ),
        min_images: planned.bins.min_items,
        threshold: planned.threshold,
        alpha: planned.alpha,
        resamples: planned.resamples,
        permutations: planned.permutations,
        random_sets: planned.random_sets,
        units: planned.units.name().to_owned(),
        unit_correction: planned.unit_correction.to_string(),
        correction: planned.correction.to_string(),
    }
}

/// Sets of other pictures that modules learn from.
pub fn training(planned: &PlannedEmotion) -> Vec<EmotionPictureSet> {
    let sets = planned.training.iter().flat_map(|training| &training.sets);
    sets.map(|set| EmotionPictureSet {
        name: set.name.clone(),
        images: set.images.clone(),
        scale: set.scale,
        n_pictures: set.n_pictures,
        n_unrated: set.unrated.len(),
        n_absent: set.absent.len(),
        n_repeated: set.repeated.len(),
        n_stimuli: set.stimuli.len(),
    })
    .collect()
}

/// What modules learn.
pub fn ratings(study: &Study<'_>) -> Vec<EmotionRating> {
    let all: Vec<usize> = (0..study.ratings.nrows()).collect();
    let records = study.planned.ratings.iter().enumerate();
    records
        .map(|(column, &rating)| {
            let scale = &study.planned.scales[column];
            let found = reliability(study.prepared, rating, &all, study.cache);
            EmotionRating {
                name: study.names[column].clone(),
                scale: [scale.low(), scale.high()],
                values: study.ratings.column(column).to_vec(),
                ceiling: found.ok().flatten().and_then(|found| found.ceiling),
            }
        })
        .collect()
}

/// A module with its predictions.
pub fn module(
    study: &Study<'_>,
    module: &PlannedModule,
    wired: &Wired,
    repeats: &[Repeat],
    notes: &mut Vec<String>,
) -> Result<EmotionModule> {
    let planned = study.planned;
    let seed = study.prepared.plan.seed;
    let ratings = study.ratings.view();
    let (before, after): (Vec<_>, Vec<_>) = repeats
        .iter()
        .map(|repeat| (repeat.before(), repeat.after.view()))
        .unzip();
    let label = study.label(module);
    let scored = |views: &[ArrayView2<'_, f64>]| {
        let found = scores(ratings, views, planned.resamples, seed);
        found.map_err(|source| of_experiment(&label, source))
    };
    let in_plane = |views: &[ArrayView2<'_, f64>]| {
        let found = plane(ratings, views);
        found.map_err(|source| of_experiment(&label, source))
    };
    let (scores_before, scores_after) = (scored(&before)?, scored(&after)?);
    for (score, name) in scores_after.iter().zip(&study.names) {
        if score.r.is_none() {
            notes.push(format!(
                "{label} predicts the same {name} for all stimuli, so there is no correlation"
            ));
        }
    }
    let model = &study.prepared.plan.models[module.model];
    let layer = model.layers.last().expect("a model has layers");
    Ok(EmotionModule {
        encoder: model.name.clone(),
        layer: layer.name.clone(),
        n_features: match module.structure.tokens {
            None => layer.n_features,
            Some(_) => layer.tokens.n_channels,
        },
        n_tokens: module.structure.tokens,
        structure: module.structure.name.clone(),
        n_parameters: module.n_parameters,
        nuclei: nuclei(module, wired, repeats),
        read_out: module.structure.nuclei.read_out.clone(),
        before: scores_before,
        after: scores_after,
        quantiles: quantiles(ratings, &after).map_err(|source| of_experiment(&label, source))?,
        plane: in_plane(&before)?
            .zip(in_plane(&after)?)
            .map(|(a, b)| [a, b]),
        history: history(ratings, repeats),
        runs: repeats.iter().map(Repeat::record).collect(),
    })
}

/// Nuclei with how widely they attend: the mean over repeats.
fn nuclei(module: &PlannedModule, wired: &Wired, repeats: &[Repeat]) -> Vec<NucleusInfo> {
    let mut nuclei = module.structure.described(wired);
    for (idx, nucleus) in nuclei.iter_mut().enumerate() {
        let of_repeats = repeats.iter().map(|repeat| repeat.attention.get(idx));
        let of_repeats: Option<Vec<f64>> = of_repeats.map(|found| *found?).collect();
        nucleus.attention_entropy =
            of_repeats.map(|found| found.iter().sum::<f64>() / repeats.len() as f64);
    }
    nuclei
}

/// Ridge regression on the features of each network.
pub fn baselines(study: &Study<'_>, encoders: &[Encoder]) -> Result<Vec<EmotionBaseline>> {
    let planned = study.planned;
    let plan = &study.prepared.plan;
    let of = |(&model, encoder): (&usize, &Encoder)| {
        let planned_model = &plan.models[model];
        let layer = planned_model.layers.last().expect("a model has layers");
        let kind = match encoder.tokens {
            None => "emotion-ridge",
            Some(_) => "emotion-ridge-tokens",
        };
        let key = Key::new(
            kind,
            &(
                &encoder.key,
                study.learnt.iter().copied().collect::<Vec<f64>>(),
                format!("{:?}", study.repeats),
                (planned.resamples, plan.seed),
            ),
        );
        let scores = match study.cache.json("emotion", &key) {
            Some(scores) => scores,
            None => {
                let about = format!("ridge on {}", planned_model.name);
                let pictures = study.arrays(encoder);
                let found = study
                    .repeats
                    .iter()
                    .map(|(_, divisions)| ridge(&pictures, divisions))
                    .collect::<std::result::Result<Vec<_>, _>>()
                    .map_err(|source| of_experiment(&about, source))?;
                let views: Vec<_> = found.iter().map(|found| found.view()).collect();
                let found = scores(study.ratings.view(), &views, planned.resamples, plan.seed)
                    .map_err(|source| of_experiment(&about, source))?;
                study.cache.put_json("emotion", &key, &found)?;
                found
            }
        };
        Ok(EmotionBaseline {
            encoder: planned_model.name.clone(),
            layer: layer.name.clone(),
            scores,
        })
    };
    planned.models.iter().zip(encoders).map(of).collect()
}

/// RDMs of the ratings and of each nucleus after training, and their maps.
pub fn displayed(
    study: &Study<'_>,
    wired: &Wired,
    models: &ModelRdms,
    geometry: &[RepeatGeometry],
) -> Result<(Vec<DisplayRdm>, Vec<MdsMap>)> {
    let mut all: Vec<(String, Array1<f64>)> = Vec::new();
    if let Some(name) = models.names.first() {
        all.push((name.clone(), models.rdms.row(0).to_owned()));
    }
    let of_nuclei = mean_rdms(geometry);
    let nuclei = wired.nuclei.iter().zip(of_nuclei);
    all.extend(nuclei.filter_map(|((name, _), rdm)| Some((name.clone(), rdm?.into()))));
    shown(study.prepared, all)
}
