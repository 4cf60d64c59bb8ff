//! Iterative inverse MDS: the RDM whose plane arrangements resemble those that were made.

use rayon::prelude::*;

use super::fit::{Partial, normalise};
use crate::Result;
use crate::mds::{MdsParams, mds};

/// A step is given up once it was halved this often.
const MAX_HALVINGS: u32 = 6;
/// Least share of the error that a step has to take off for the iteration to go on.
const LEAST_GAIN: f64 = 1e-4;

/// What the iteration came to.
pub(super) struct Refined {
    pub(super) rdm: Vec<f64>,
    /// The RDM one step before.
    pub(super) before: Vec<f64>,
    pub(super) n_iterations: usize,
    pub(super) converged: bool,
}

/// Where an RDM's predictions are wrong.
struct Disparity {
    /// Mean over trials of what was arranged less what was predicted; 0 for pairs without a trial.
    mean: Vec<f64>,
    /// Sum of squares over all trials and pairs, over that of the arrangements.
    error: f64,
}

/// Starts from `rdm`, whose pairs were seen `n_seen` times.
pub(super) fn refine(
    partials: &[Partial],
    rdm: Vec<f64>,
    n_seen: &[u32],
    max_iterations: usize,
) -> Result<Refined> {
    let n_pairs_seen = n_seen.iter().filter(|&&n| n > 0).count();
    let mut before = rdm.clone();
    let mut best = rdm;
    let mut disparity = Disparity::of(&best, partials, n_seen)?;
    let mut step = 1.0;
    let mut n_halvings = 0;
    let mut n_iterations = 0;
    let mut converged = disparity.error == 0.0;
    while !converged && n_iterations < max_iterations {
        n_iterations += 1;
        let mut next: Vec<f64> = best
            .iter()
            .zip(&disparity.mean)
            .map(|(d, off)| (d + step * off).max(0.0))
            .collect();
        normalise(&mut next, n_pairs_seen);
        let there = Disparity::of(&next, partials, n_seen)?;
        if there.error < disparity.error {
            converged = there.error >= disparity.error * (1.0 - LEAST_GAIN);
            before = std::mem::replace(&mut best, next);
            disparity = there;
        } else {
            n_halvings += 1;
            step /= 2.0;
            converged = n_halvings > MAX_HALVINGS;
        }
    }
    Ok(Refined {
        rdm: best,
        before,
        n_iterations,
        converged,
    })
}

impl Disparity {
    fn of(rdm: &[f64], partials: &[Partial], n_seen: &[u32]) -> Result<Self> {
        let off: Vec<Vec<f64>> = partials
            .par_iter()
            .map(|partial| disparity(rdm, partial))
            .collect::<Result<_>>()?;
        let mut mean = vec![0.0; rdm.len()];
        let (mut error, mut total) = (0.0, 0.0);
        for (partial, off) in partials.iter().zip(&off) {
            let rms = partial.rms_of(rdm);
            total += rms * rms * off.len() as f64;
            for (&k, off) in partial.pairs.iter().zip(off) {
                error += off * off;
                mean[k] += off;
            }
        }
        for (mean, &n) in mean.iter_mut().zip(n_seen) {
            *mean /= f64::from(n.max(1));
        }
        Ok(Self {
            mean,
            error: error / total,
        })
    }
}

/// What was arranged less what is predicted for the pairs of one trial, at the scale of the RDM.
fn disparity(rdm: &[f64], partial: &Partial) -> Result<Vec<f64>> {
    let targets: Vec<f64> = partial.pairs.iter().map(|&k| rdm[k]).collect();
    let rms = partial.rms_of(rdm);
    let points = mds(&targets, MdsParams::default())?.points;
    let predicted: Vec<f64> = consilience_core::pairs::iter(points.len())
        .map(|(i, j)| (points[i][0] - points[j][0]).hypot(points[i][1] - points[j][1]))
        .collect();
    let square: f64 = predicted.iter().map(|d| d * d).sum();
    let predicted_rms = (square / predicted.len() as f64).sqrt();
    // Where the RDM is all zero there is no prediction.
    let scale = if predicted_rms > 0.0 {
        rms / predicted_rms
    } else {
        0.0
    };
    Ok(partial
        .shape
        .iter()
        .zip(predicted)
        .map(|(shape, predicted)| shape * rms - predicted * scale)
        .collect())
}
