//! `Plan` → `Record`.

use base64::prelude::{BASE64_STANDARD, Engine};
use consilience_core::{
    AnalysisRecord, Citation, ClipRecord, Expectation, ModelProvenance, Provenance, Record,
    RsaRecord, RsaTarget, StimulusRecord, StudyInfo,
};
use consilience_io::image;
use consilience_models::preprocess;

use crate::cache::Cache;
use crate::citations;
use crate::file::{Override, StudyText};
use crate::plan::{Plan, PlannedAnalysis};
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::{Result, answers, appraisal, emotion, objects, rsa};

/// Carries out a plan. What is in the cache is not computed again, so an interrupted run goes on
/// where it was; the record is the same either way, and for any number of threads.
///
/// # Errors
///
/// A picture or film that cannot be decoded, a layer with a constant pattern, a full disk.
pub fn run(
    prepared: &Prepared,
    text: &StudyText,
    overrides: &[Override],
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<Record> {
    let plan = &prepared.plan;
    let mut analyses = Vec::new();
    for (idx, analysis) in plan.analyses.iter().enumerate() {
        analyses.push(match analysis {
            PlannedAnalysis::Rsa(planned) => {
                let rsa = rsa::run(prepared, planned, cache, n_threads, progress)?;
                AnalysisRecord::Rsa(Box::new(rsa))
            }
            PlannedAnalysis::Appraisal(planned) => {
                let found = appraisal::run(prepared, idx, planned, cache, n_threads, progress)?;
                AnalysisRecord::Appraisal(Box::new(found))
            }
            PlannedAnalysis::Objects(planned) => {
                let found = objects::run(prepared, idx, planned, cache, n_threads, progress)?;
                AnalysisRecord::Objects(Box::new(found))
            }
            PlannedAnalysis::Emotion(planned) => {
                let found = emotion::run(prepared, idx, planned, cache, n_threads, progress)?;
                AnalysisRecord::VisualEmotion(Box::new(found))
            }
        });
    }
    Ok(Record {
        schema: Record::SCHEMA,
        study: StudyInfo {
            title: plan.title.clone(),
            description: plan.description.clone(),
            source: text.text().to_owned(),
            overrides: overrides.iter().map(ToString::to_string).collect(),
        },
        answer: answer(&analyses),
        stimuli: stimuli(prepared)?,
        expectations: expectations(plan, &analyses),
        warnings: prepared.warnings.clone(),
        provenance: Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan_blake3: plan.hash(),
            seed: plan.seed,
            inputs: plan.inputs.clone(),
            models: plan
                .models
                .iter()
                .map(|model| ModelProvenance {
                    name: model.name.clone(),
                    architecture: model.architecture.clone(),
                    weights_blake3: model.weights_blake3.clone(),
                    executor: model.executor.clone(),
                    edits: model.edits.iter().map(|p| p.edit.to_string()).collect(),
                    preprocessing: model.preprocessing.to_string(),
                })
                .collect(),
            citations: citations_of(plan),
        },
        analyses,
    })
}

/// What the first analysis found, in a sentence or two; Object2Brain adds its own.
fn answer(analyses: &[AnalysisRecord]) -> String {
    let of = |analysis: &AnalysisRecord| match analysis {
        AnalysisRecord::Rsa(rsa) => rsa_answer(rsa),
        AnalysisRecord::Appraisal(appraisal) => answers::of_appraisal(appraisal),
        AnalysisRecord::Objects(objects) => answers::of_objects(objects),
        AnalysisRecord::VisualEmotion(emotion) => answers::of_emotion(emotion),
    };
    let others = analyses.iter().skip(1);
    let objects = others.filter(|analysis| matches!(analysis, AnalysisRecord::Objects(_)));
    let sentences: Vec<String> = analyses.iter().take(1).chain(objects).map(of).collect();
    sentences.join(" ")
}

/// The best layer for each target.
fn rsa_answer(analysis: &RsaRecord) -> String {
    let several_models = analysis
        .predictors
        .windows(2)
        .any(|pair| pair[0].model != pair[1].model);
    let parts: Vec<String> = analysis
        .targets
        .iter()
        .map(|target| target_answer(analysis, target, several_models))
        .collect();
    let subject = match analysis.predictors.first() {
        Some(_) if several_models => format!("Of {} layers", analysis.predictors.len()),
        Some(only) => format!("Of {} layers of {}", analysis.predictors.len(), only.model),
        None => return String::new(),
    };
    format!("{subject}, {}.", listed(&parts))
}

fn target_answer(analysis: &RsaRecord, target: &RsaTarget, name_model: bool) -> String {
    let best = target
        .best
        .and_then(|idx| Some((idx, target.scores[idx].estimate.as_ref()?)));
    let Some((idx, estimate)) = best else {
        return format!(
            "none could be scored against {} (see the notes)",
            target.name
        );
    };
    let predictor = &analysis.predictors[idx];
    let layer = match name_model {
        true => format!("{} {}", predictor.model, predictor.layer),
        false => predictor.layer.clone(),
    };
    let ceiling = match target.ceiling {
        Some(c) if estimate.value >= c.lower => {
            format!(
                ", within the noise ceiling of {:.2} to {:.2}",
                c.lower, c.upper
            )
        }
        Some(c) => format!(
            ", below the noise ceiling of {:.2} to {:.2}",
            c.lower, c.upper
        ),
        None => String::new(),
    };
    format!(
        "{layer} agrees best with {} ({} {:.2}{ceiling})",
        target.name, analysis.settings.similarity, estimate.value,
    )
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn expectations(plan: &Plan, analyses: &[AnalysisRecord]) -> Vec<Expectation> {
    plan.expectations
        .iter()
        .map(|claim| {
            let model = &plan.models[claim.model];
            let expected = format!("{} {}", model.name, model.layers[claim.layer].name);
            let name = &plan.targets[claim.target].name;
            let found = analyses
                .iter()
                .find_map(|analysis| {
                    let AnalysisRecord::Rsa(analysis) = analysis else {
                        return None;
                    };
                    let target = analysis.targets.iter().find(|t| t.name == *name)?;
                    let predictor = &analysis.predictors[target.best?];
                    Some(format!("{} {}", predictor.model, predictor.layer))
                })
                .unwrap_or_else(|| "none".to_owned());
            let met = expected == found;
            Expectation {
                target: name.clone(),
                expected,
                found,
                met,
            }
        })
        .collect()
}

fn stimuli(prepared: &Prepared) -> Result<Vec<StimulusRecord>> {
    let side = prepared.plan.thumbnails;
    // As the first network sees them.
    let orientation = prepared
        .plan
        .models
        .first()
        .map_or_else(Default::default, |model| model.preprocessing.orientation);
    prepared
        .plan
        .stimuli
        .iter()
        .enumerate()
        .map(|(idx, stimulus)| {
            let thumbnail = match side {
                0 => None,
                _ => {
                    let picture = prepared.clips.still(idx, orientation)?;
                    let mut small = preprocess::thumbnail(&picture, side as usize);
                    if prepared.plan.blurred[idx] {
                        small = preprocess::blocks(&small);
                    }
                    let png = BASE64_STANDARD.encode(image::encode_png(&small)?);
                    Some(format!("data:image/png;base64,{png}"))
                }
            };
            Ok(StimulusRecord {
                id: stimulus.id.clone(),
                category: stimulus.category.clone(),
                clip: stimulus.clip.as_ref().map(|clip| ClipRecord {
                    n_frames: clip.n_frames,
                    frames: clip.selection.to_string(),
                }),
                thumbnail,
            })
        })
        .collect()
}

fn citations_of(plan: &Plan) -> Vec<Citation> {
    let mut all = Vec::new();
    for analysis in &plan.analyses {
        all.extend(match analysis {
            PlannedAnalysis::Rsa(rsa) => citations::of_rsa(rsa),
            PlannedAnalysis::Appraisal(appraisal) => citations::of_appraisal(appraisal),
            PlannedAnalysis::Objects(objects) => citations::of_objects(objects),
            PlannedAnalysis::Emotion(emotion) => citations::of_emotion(emotion),
        });
    }
    for model in &plan.models {
        all.extend(
            consilience_models::zoo::find(&model.architecture)
                .ok()
                .and_then(|architecture| architecture.citation),
        );
    }
    let mut distinct: Vec<Citation> = Vec::new();
    for citation in all {
        if !distinct.contains(&citation) {
            distinct.push(citation);
        }
    }
    distinct
}
