//! The methods of RSA: full sentences that can stand in a paper.

use consilience_core::{Record, RsaRecord, RsaSettings};

use super::scores::{models, similarity_label};
use crate::{
    methods,
    view::{count, listed, plural},
};

/// One paragraph for each step of the analysis.
pub(super) fn paragraphs(record: &Record, rsa: &RsaRecord) -> Vec<String> {
    vec![
        representations(record, rsa),
        comparison(rsa),
        inference(rsa),
        methods::software(&record.provenance),
    ]
}

fn representations(record: &Record, rsa: &RsaRecord) -> String {
    let names = models(rsa);
    let mut out = format!(
        "The responses of {} of {} to {} were compared with {} by representational similarity \
         analysis.",
        plural(rsa.predictors.len(), "layer"),
        listed(&names),
        methods::n_stimuli(record.stimuli.len()),
        listed(
            &rsa.targets
                .iter()
                .map(|t| t.name.as_str())
                .collect::<Vec<_>>()
        ),
    );
    out.push_str(&methods::activations(record, &names));
    out.push_str(&format!(
        " For each layer, a representational dissimilarity matrix (RDM) was formed from {} between \
         the activation patterns of every pair of stimuli.",
        dissimilarity(&rsa.settings.dissimilarity)
    ));
    out
}

fn dissimilarity(name: &str) -> String {
    match name {
        "correlation" => "one minus the Pearson correlation".into(),
        "spearman" => "one minus the Spearman correlation".into(),
        "cosine" => "one minus the cosine of the angle".into(),
        "euclidean" => "the Euclidean distance".into(),
        "sqeuclidean" => "the squared Euclidean distance".into(),
        other => format!("the dissimilarity “{other}”"),
    }
}

fn comparison(rsa: &RsaRecord) -> String {
    let subjects: Vec<String> = rsa
        .targets
        .iter()
        .map(|t| {
            format!(
                "{} ({}, {})",
                t.name,
                plural(t.n_subjects, "subject"),
                plural(t.n_conditions, "condition")
            )
        })
        .collect();
    let mut out = format!(
        "The RDM of each layer was compared with the RDM of each subject by {}, and the score of a \
         layer is the mean over subjects: {}.",
        similarity(&rsa.settings),
        listed(&subjects)
    );
    if rsa.targets.iter().any(|t| t.ceiling.is_some()) {
        out.push_str(
            " The noise ceiling brackets the score that the unknown true model could reach: its \
             upper bound is the mean similarity of each subject’s RDM with the mean RDM of all \
             subjects, its lower bound the mean similarity with the mean RDM of the other \
             subjects; before RDMs are averaged they are normalised as the similarity measure asks \
             (to ranks, to unit length or to z-scores).",
        );
    }
    out
}

fn similarity(settings: &RsaSettings) -> String {
    let of = "of their off-diagonal elements";
    match settings.similarity.as_str() {
        "pearson" => format!("the Pearson correlation {of}"),
        "spearman" => format!("the Spearman rank correlation {of}"),
        "kendall-tau-a" => format!("Kendall’s rank correlation τ-a {of}"),
        "kendall-tau-b" => format!("Kendall’s rank correlation τ-b {of}"),
        "rho-a" => {
            format!("ρ-a {of}, the expected Spearman correlation when ties are broken at random")
        }
        "cosine" => format!("the cosine similarity {of}"),
        _ => format!("the {} {of}", similarity_label(settings)),
    }
}

fn inference(rsa: &RsaRecord) -> String {
    let settings = &rsa.settings;
    let over = match settings.bootstrap.as_str() {
        "subjects" => Some("subjects"),
        "conditions" => Some("conditions"),
        "both" => Some("subjects and conditions"),
        _ => None,
    };
    let mut out = match over.filter(|_| settings.resamples > 0) {
        None => "Scores were not bootstrapped.".to_owned(),
        Some(over) => {
            let mut out = format!(
                "Standard errors, 95 % intervals and tests against zero (one-sided), against the \
                 lower noise ceiling (one-sided) and between layers (two-sided) rest on {} \
                 bootstrap resamples of {over}",
                count(settings.resamples)
            );
            if settings.bootstrap == "both" {
                out.push_str(
                    "; the variance that resampling both factors at once counts twice was removed",
                );
            }
            out.push('.');
            out
        }
    };
    if settings.permutations > 0 {
        out.push_str(&format!(
            " Scores were also tested by {} random permutations of the condition labels; the \
             family-wise p-value takes the largest score over all layers in each permutation.",
            count(settings.permutations)
        ));
    }
    let correction = match settings.correction.as_str() {
        "fdr" | "fdr-any" => Some("controlling the false discovery rate"),
        "fwe" | "bonferroni" => Some("controlling the family-wise error rate"),
        _ => None,
    };
    match correction {
        Some(how) => out.push_str(&format!(
            " The p-values of a target were corrected over all layers, {how}; results with p < {} \
             are called significant.",
            settings.alpha
        )),
        None => out.push_str(&format!(
            " The p-values were not corrected for the number of layers; results with p < {} are \
             called significant.",
            settings.alpha
        )),
    }
    out
}
