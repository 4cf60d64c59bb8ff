//! Estimates from scores, their spread and permutations, and the corrections over them.

use consilience_core::{Ceiling, Estimate, RsaScore, pairs};
use ndarray::Array2;

use super::params::{Bootstrap, Correction};
use super::permutation::Permuted;
use super::result::Inference;
use super::spread::Spread;
use crate::correct::correct;

/// What was found about the models and subjects that have scores.
pub(super) struct Scored {
    /// How many were given.
    pub n_models: usize,
    pub n_subjects: usize,
    /// Which of them have scores.
    pub models: Vec<usize>,
    pub subjects: Vec<usize>,
    /// `(models, subjects)`.
    pub by_subject: Array2<f64>,
    /// Mean over subjects, by model.
    pub means: Vec<f64>,
    pub ceiling: Option<Ceiling>,
    pub spread: Option<Spread>,
    pub permuted: Option<Permuted>,
    /// What was resampled; `None` where that was not possible.
    pub bootstrap: Option<Bootstrap>,
    pub n_resamples: usize,
    pub n_omitted: usize,
    pub notes: Vec<String>,
}

impl Scored {
    /// The tests, and everything in the places of the models and subjects given.
    pub fn inference(self, correction: Correction) -> Inference {
        let (ceiling, spread) = (self.ceiling.as_ref(), self.spread.as_ref());
        let mut found = estimates(&self.means, ceiling, spread, self.permuted.as_ref());
        correct(
            found.iter_mut().map(|e| (e.p, &mut e.p_corrected)),
            correction,
        );
        let undefined = RsaScore {
            estimate: None,
            per_subject: vec![None; self.n_subjects],
        };
        let mut models = vec![undefined; self.n_models];
        for ((&model, scores), estimate) in
            self.models.iter().zip(self.by_subject.rows()).zip(found)
        {
            models[model].estimate = Some(estimate);
            for (&subject, &score) in self.subjects.iter().zip(scores) {
                models[model].per_subject[subject] = Some(score);
            }
        }
        let p_difference = differences(&self.means, spread);
        let p_difference_corrected = corrected_differences(&p_difference, correction);
        let placed = |p: &[Vec<Option<f64>>]| spread_out(p, &self.models, self.n_models);
        Inference {
            models,
            p_difference: placed(&p_difference),
            p_difference_corrected: placed(&p_difference_corrected),
            ceiling: self.ceiling,
            bootstrap: self.bootstrap.unwrap_or(Bootstrap::None),
            n_resamples: self.n_resamples,
            dof: self.spread.map(|s| s.dof),
            n_omitted: self.n_omitted,
            notes: self.notes,
        }
    }
}

/// One estimate a model, uncorrected.
pub(super) fn estimates(
    scores: &[f64],
    ceiling: Option<&Ceiling>,
    spread: Option<&Spread>,
    permuted: Option<&Permuted>,
) -> Vec<Estimate> {
    scores
        .iter()
        .enumerate()
        .map(|(model, &value)| {
            let p_permutation = permuted.map(|p| p.p(model));
            let variance = spread.map(|s| (s, s.of_score(model)));
            Estimate {
                value,
                sem: variance.map(|(_, v)| v.max(0.0).sqrt()),
                interval: variance.map(|(s, v)| s.interval(value, v)),
                p: variance
                    .map(|(s, v)| s.p_above_zero(value, v))
                    .or(p_permutation),
                p_corrected: None,
                p_ceiling: spread
                    .zip(ceiling)
                    .map(|(s, ceiling)| s.p_below_ceiling(model, ceiling.lower - value)),
                p_permutation,
                p_permutation_fwe: permuted.map(|p| p.p_fwe(model)),
            }
        })
        .collect()
}

/// Two-sided p of each two models, with `None` on the diagonal.
pub(super) fn differences(scores: &[f64], spread: Option<&Spread>) -> Vec<Vec<Option<f64>>> {
    (0..scores.len())
        .map(|a| {
            (0..scores.len())
                .map(|b| {
                    let spread = spread.filter(|_| a != b)?;
                    // The same numbers on both sides of the diagonal, to the last bit.
                    let (a, b) = (a.min(b), a.max(b));
                    Some(spread.p_not_zero(scores[a] - scores[b], spread.of_difference(a, b)))
                })
                .collect()
        })
        .collect()
}

fn corrected_differences(p: &[Vec<Option<f64>>], correction: Correction) -> Vec<Vec<Option<f64>>> {
    let mut out = vec![vec![None; p.len()]; p.len()];
    correct(
        out.iter_mut().zip(p).enumerate().flat_map(|(i, (out, p))| {
            out.iter_mut()
                .zip(p)
                .skip(i + 1)
                .map(|(slot, &p)| (p, slot))
        }),
        correction,
    );
    for (i, j) in pairs::iter(p.len()) {
        out[j][i] = out[i][j];
    }
    out
}

/// Puts a matrix over the defined models into one over all of them.
fn spread_out(p: &[Vec<Option<f64>>], indices: &[usize], n_models: usize) -> Vec<Vec<Option<f64>>> {
    let mut out = vec![vec![None; n_models]; n_models];
    for (row, &i) in p.iter().zip(indices) {
        for (value, &j) in row.iter().zip(indices) {
            out[i][j] = *value;
        }
    }
    out
}
