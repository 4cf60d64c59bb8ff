//! RDMs, their comparison and inference on it.

use anyhow::{Context, Result};
use consilience_methods::NanPolicy;
use consilience_methods::rdm::{Dissimilarity, Patterns, RdmParams, rdm};
use consilience_methods::rsa::{self, InferParams, MantelParams, Similarity};

use super::{Work, labels, matrix, single};

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("rdm", &[patterns]) => correlation(patterns)?,
        ("crossnobis", &[patterns, conditions, runs]) => {
            crossnobis(patterns, conditions, runs, None)?
        }
        ("crossnobis", &[patterns, conditions, runs, precision]) => {
            crossnobis(patterns, conditions, runs, Some(precision))?
        }
        ("compare", &[a, b, similarity]) => compare(a, b, similarity)?,
        ("ceiling", &[data]) => ceiling(data)?,
        ("infer", &[models, data, similarity, bootstrap, resamples]) => {
            infer(models, data, similarity, bootstrap, resamples)?
        }
        ("mantel", &[a, b, permutations]) => mantel(a, b, permutations)?,
        _ => return Ok(None),
    }))
}

fn correlation(patterns: &str) -> Result<Work> {
    let patterns = single(patterns)?;
    Ok(Box::new(move || {
        Ok(rdm(Patterns::F32(patterns.view()), &RdmParams::default())?.vector)
    }))
}

fn crossnobis(
    patterns: &str,
    conditions: &str,
    runs: &str,
    precision: Option<&str>,
) -> Result<Work> {
    let patterns = matrix(patterns)?;
    let params = RdmParams {
        dissimilarity: Dissimilarity::Crossnobis,
        conditions: Some(labels(conditions)?),
        runs: Some(labels(runs)?),
        noise_precision: precision.map(matrix).transpose()?,
        ..RdmParams::default()
    };
    Ok(Box::new(move || Ok(rdm(patterns.view(), &params)?.vector)))
}

fn compare(a: &str, b: &str, similarity: &str) -> Result<Work> {
    let (a, b) = (matrix(a)?, matrix(b)?);
    let similarity: Similarity = similarity.parse()?;
    Ok(Box::new(move || {
        let found = rsa::compare(a.view(), b.view(), similarity, NanPolicy::Refuse)?;
        Ok(found.scores.into_iter().collect())
    }))
}

fn ceiling(data: &str) -> Result<Work> {
    let data = matrix(data)?;
    Ok(Box::new(move || {
        let ceiling = rsa::noise_ceiling(data.view(), Similarity::Spearman, NanPolicy::Refuse)?;
        Ok(vec![ceiling.lower, ceiling.upper])
    }))
}

/// The numbers are the scores of all models, then their standard errors.
fn infer(
    models: &str,
    data: &str,
    similarity: &str,
    bootstrap: &str,
    resamples: &str,
) -> Result<Work> {
    let (models, data) = (matrix(models)?, matrix(data)?);
    let params = InferParams {
        similarity: similarity.parse()?,
        bootstrap: bootstrap.parse()?,
        resamples: resamples.parse()?,
        ..InferParams::default()
    };
    Ok(Box::new(move || {
        let found = rsa::infer(models.view(), data.view(), &params, &|_, _| {})?;
        let estimates: Vec<_> = (found.models.iter())
            .map(|model| model.estimate.as_ref().context("an undefined score"))
            .collect::<Result<_>>()?;
        let errors = (estimates.iter()).map(|e| e.sem.context("no standard error"));
        let scores = estimates.iter().map(|e| Ok(e.value));
        scores.chain(errors).collect()
    }))
}

/// The numbers are the score and its p.
fn mantel(a: &str, b: &str, permutations: &str) -> Result<Work> {
    let (a, b) = (matrix(a)?, matrix(b)?);
    let params = MantelParams {
        permutations: permutations.parse()?,
        ..MantelParams::default()
    };
    Ok(Box::new(move || {
        let found = rsa::mantel(a.row(0), b.row(0), &params)?;
        Ok(vec![found.score, found.p])
    }))
}
