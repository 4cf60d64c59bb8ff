//! The analyses and the claims about their outcome.

use super::invalid;
use crate::file::{ExpectOptions, KeyPath, RsaOptions};
use crate::plan::{PlannedExpectation, PlannedModel, PlannedRsa, PlannedTarget};
use crate::{Result, nearest};

pub(super) fn resolve_rsa(
    options: &RsaOptions,
    key: &KeyPath,
    models: &[PlannedModel],
    targets: &[PlannedTarget],
) -> Result<PlannedRsa> {
    check_alpha(options.alpha, key)?;
    if targets.is_empty() {
        return Err(invalid(
            key,
            "nothing to compare with: the study has no [[brain]] and no [[behaviour]] with `rdms`; add one (`consilience init rsa` writes an example)",
        ));
    }
    let of = |name: &str| key.clone().key(name);
    Ok(PlannedRsa {
        dissimilarity: parse(&of("dissimilarity"), &options.dissimilarity)?,
        similarity: parse(&of("similarity"), &options.similarity)?,
        bootstrap: parse(&of("bootstrap"), &options.bootstrap)?,
        resamples: options.resamples,
        permutations: options.permutations,
        correction: parse(&of("correction"), &options.correction)?,
        alpha: options.alpha,
        models: chosen(
            &key.clone().key("models"),
            options.models.as_deref(),
            models,
            |m| &m.name,
        )?,
        targets: chosen(
            &key.clone().key("targets"),
            options.targets.as_deref(),
            targets,
            |t| &t.name,
        )?,
    })
}

/// A choice by its name.
pub(super) fn parse<T: std::str::FromStr>(key: &KeyPath, value: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    value
        .parse()
        .map_err(|e: T::Err| invalid(key, &e.to_string()))
}

pub(super) fn check_alpha(alpha: f64, key: &KeyPath) -> Result<()> {
    match alpha > 0.0 && alpha < 1.0 {
        true => Ok(()),
        false => Err(invalid(
            &key.clone().key("alpha"),
            &format!("alpha is {alpha}, expected a number between 0 and 1"),
        )),
    }
}

/// Positions of the named entries; all when no names are given.
pub(super) fn chosen<T>(
    key: &KeyPath,
    names: Option<&[String]>,
    all: &[T],
    name_of: impl Fn(&T) -> &str,
) -> Result<Vec<usize>> {
    match names {
        None => Ok((0..all.len()).collect()),
        Some(names) => names
            .iter()
            .map(|name| position(key, name, all, &name_of))
            .collect(),
    }
}

pub(super) fn position<T>(
    key: &KeyPath,
    name: &str,
    all: &[T],
    name_of: impl Fn(&T) -> &str,
) -> Result<usize> {
    all.iter()
        .position(|entry| name_of(entry) == name)
        .ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(&name_of).collect();
            let hint = nearest(name, known.iter().copied())
                .map_or(String::new(), |n| format!(", did you mean {n:?}?"));
            invalid(
                key,
                &format!(
                    "no {name:?} in the study{hint} There is: {}",
                    known.join(", ")
                ),
            )
        })
}

pub(super) fn resolve_expectation(
    options: &ExpectOptions,
    key: &KeyPath,
    models: &[PlannedModel],
    targets: &[PlannedTarget],
) -> Result<PlannedExpectation> {
    let model = match &options.model {
        Some(name) => position(&key.clone().key("model"), name, models, |m| &m.name)?,
        None if models.len() == 1 => 0,
        None => {
            return Err(invalid(
                key,
                "the study has several models; add `model = …`",
            ));
        }
    };
    let layers = &models[model].layers;
    let layer_key = key.clone().key("layer");
    let by_alias = layers
        .iter()
        .position(|layer| layer.aliases.contains(&options.layer));
    let layer = match by_alias {
        Some(layer) => layer,
        None => position(&layer_key, &options.layer, layers, |l| &l.name)?,
    };
    let target = position(&key.clone().key("target"), &options.target, targets, |t| {
        &t.name
    })?;
    Ok(PlannedExpectation {
        target,
        model,
        layer,
    })
}
