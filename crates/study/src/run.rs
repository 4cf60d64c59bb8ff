//! `Plan` → `Record`.

use base64::prelude::{BASE64_STANDARD, Engine};
use consilience_core::{
    AnalysisRecord, Citation, Expectation, ModelProvenance, Provenance, Record, RsaRecord,
    RsaTarget, StimulusRecord, StudyInfo, Warning,
};
use consilience_io::image;
use consilience_models::preprocess;

use crate::cache::Cache;
use crate::citations;
use crate::plan::Plan;
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::{Result, rsa};

/// Carries out a plan. What is in the cache is not computed again, so an interrupted run goes on
/// where it was; the record is the same either way, and for any number of threads.
///
/// # Errors
///
/// A picture that cannot be decoded, a layer with a constant pattern, a full disk.
pub fn run(
    prepared: &Prepared,
    source: &str,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<Record> {
    let plan = &prepared.plan;
    let mut analyses = Vec::new();
    for analysis in &plan.analyses {
        analyses.push(rsa::run(prepared, analysis, cache, n_threads, progress)?);
    }
    let mut warnings = prepared.warnings.clone();
    for target in analyses.iter().flat_map(|analysis| &analysis.targets) {
        warnings.extend(target.notes.iter().map(|note| Warning {
            about: target.name.clone(),
            message: note.clone(),
        }));
    }
    Ok(Record {
        schema: Record::SCHEMA,
        study: StudyInfo {
            title: plan.title.clone(),
            description: plan.description.clone(),
            source: source.to_owned(),
        },
        answer: answer(&analyses),
        stimuli: stimuli(prepared)?,
        expectations: expectations(plan, &analyses),
        warnings,
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
                    preprocessing: model.preprocessing.to_string(),
                })
                .collect(),
            citations: citations_of(plan),
        },
        analyses: analyses
            .into_iter()
            .map(|rsa| AnalysisRecord::Rsa(Box::new(rsa)))
            .collect(),
    })
}

/// The best layer for each target of the first analysis, in one sentence.
fn answer(analyses: &[RsaRecord]) -> String {
    let Some(analysis) = analyses.first() else {
        return String::new();
    };
    let parts: Vec<String> = analysis
        .targets
        .iter()
        .map(|target| target_answer(analysis, target))
        .collect();
    format!("{}.", parts.join("; "))
}

fn target_answer(analysis: &RsaRecord, target: &RsaTarget) -> String {
    let best = target
        .best
        .and_then(|idx| Some((idx, target.scores[idx].estimate.as_ref()?)));
    let Some((idx, estimate)) = best else {
        return format!("{} could not be scored (see the warnings)", target.name);
    };
    let predictor = &analysis.predictors[idx];
    let interval = estimate.interval.map_or(String::new(), |[low, high]| {
        format!(", 95 % interval {low:.2} to {high:.2}")
    });
    let ceiling = match target.ceiling {
        Some(c) if estimate.value >= c.lower => {
            format!(
                "; it reaches the noise ceiling, {:.2} to {:.2}",
                c.lower, c.upper
            )
        }
        Some(c) => format!("; the noise ceiling is {:.2} to {:.2}", c.lower, c.upper),
        None => String::new(),
    };
    format!(
        "{} is matched best by {} {} ({} {:.2}{interval}{ceiling})",
        target.name, predictor.model, predictor.layer, analysis.settings.similarity, estimate.value,
    )
}

fn expectations(plan: &Plan, analyses: &[RsaRecord]) -> Vec<Expectation> {
    plan.expectations
        .iter()
        .map(|claim| {
            let model = &plan.models[claim.model];
            let expected = format!("{} {}", model.name, model.layers[claim.layer].name);
            let name = &plan.targets[claim.target].name;
            let found = analyses
                .iter()
                .find_map(|analysis| {
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
    prepared
        .stimuli
        .iter()
        .map(|stimulus| {
            let thumbnail = match side {
                0 => None,
                _ => {
                    let picture = image::read(&stimulus.path)?;
                    let small = preprocess::thumbnail(&picture, side as usize);
                    let png = BASE64_STANDARD.encode(image::encode_png(&small)?);
                    Some(format!("data:image/png;base64,{png}"))
                }
            };
            Ok(StimulusRecord {
                id: stimulus.id.clone(),
                category: stimulus.category.clone(),
                thumbnail,
            })
        })
        .collect()
}

fn citations_of(plan: &Plan) -> Vec<Citation> {
    let mut all = Vec::new();
    for analysis in &plan.analyses {
        all.extend(citations::of_rsa(analysis));
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
