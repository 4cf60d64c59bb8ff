//! Weighted average of trials that are scaled to match each other.

use consilience_core::{Trials, pairs};

use super::inverse;
use super::params::{ArrangementParams, Estimator, ScreenUnit, Weighting};
use crate::{MethodsError, NanPolicy, Result};

/// An RDM from arrangements and how well it rests on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrangement {
    /// Dissimilarities, `(n_pairs,)`, upper triangle row by row; their mean square is 1. NaN for a pair
    /// that no trial holds.
    pub vector: Vec<f64>,
    /// Sum of the weights of each pair over trials, `(n_pairs,)`; 0 for a pair that no trial holds.
    pub evidence: Vec<f64>,
    /// For each trial, the factor that turns its distances on the screen into dissimilarities.
    pub scales: Vec<f64>,
    /// For each trial, the root mean square difference of its scaled distances from the RDM, over the
    /// root mean square of the RDM on the same pairs; 0 when they agree.
    pub misfits: Vec<f64>,
    /// Pairs that no trial holds.
    pub n_unseen: usize,
    /// Groups of trials that share no pair with each other. The scale between groups is that of the
    /// screen: nothing else tells it.
    pub n_groups: usize,
    /// Largest distance on the screen, in units of the evidence.
    pub largest_distance: f64,
    /// Iterations made.
    pub n_iterations: usize,
    /// Mean squared change of the RDM in the last iteration.
    pub change: f64,
    /// Whether the iteration came to rest.
    pub converged: bool,
}

/// One trial by the pairs that it holds.
pub(super) struct Partial {
    /// Positions of the pairs in the RDM vector.
    pub(super) pairs: Vec<usize>,
    /// Distances on the screen, in units of their root mean square.
    pub(super) shape: Vec<f64>,
    /// That root mean square.
    rms: f64,
}

/// Estimates an RDM from arrangements.
///
/// # Shapes
///
/// n items give n·(n−1)/2 dissimilarities, in the order of [`pairs`].
///
/// # Definition
///
/// With δᵗᵢⱼ the distance of items i and j on the screen in trial t, wᵗᵢⱼ its weight, and ‖·‖ the root of
/// the sum of squares over the pairs of a trial:
///
/// 1. D ← mean over trials of δᵗ, scaled to a mean square of 1 over the pairs seen.
/// 2. δ̂ᵗ = δᵗ·‖Dₜ‖/‖δᵗ‖: each trial is scaled to match D on its pairs.
/// 3. Dᵢⱼ ← Σₜ wᵗᵢⱼ·δ̂ᵗᵢⱼ / Σₜ wᵗᵢⱼ, scaled to a mean square of 1; from 2 until D rests.
///
/// By default wᵗᵢⱼ = max(δᵗᵢⱼ, 0.2)² with distances in units of the arena ([`ArrangementParams`]), and
/// Σₜ w is the evidence for a pair. Each trial counts by its shape; its scale only sets its weight, and
/// under [`Weighting::SetSize`], [`Weighting::Equal`] and [`ScreenUnit::Trial`] not even that, except in
/// the start: it tells the scale of trials that share no pair with others.
///
/// [`Estimator::InverseMds`] goes on from there: each trial is predicted by two-dimensional scaling of
/// Dₜ ([`mds`](crate::mds::mds)) and scaled as in 2; the mean over trials of δ̂ᵗ less its prediction is
/// added to D (which stays at or above 0). A step that does not lower the error is halved; the iteration
/// ends when a step lowers it by less than one part in 10⁴ or was halved six times. This mends
/// distances that many items forced into a plane cannot show.
///
/// Time is proportional to the pairs of all trials, memory 16 bytes for each of them.
///
/// # Errors
///
/// - [`MethodsError::OptionOutOfRange`].
/// - [`MethodsError::TooManyPairs`] before memory is asked for.
/// - [`MethodsError::UnseenPairs`] for pairs that no trial holds, unless they are omitted.
///
/// # Example
///
/// ```
/// use consilience_core::Trials;
/// use consilience_methods::arrangement::{ArrangementParams, fit};
///
/// let trials = Trials::from_placements([
///     ("1", "a", [0.0, 0.0]), ("1", "b", [0.3, 0.0]), ("1", "c", [0.0, 0.4]),
///     ("2", "a", [0.0, 0.0]), ("2", "b", [0.6, 0.0]), ("2", "c", [0.0, 0.8]),
/// ])?;
/// let found = fit(&trials, &ArrangementParams::default())?;
/// assert!((found.vector[2] / found.vector[0] - 5.0 / 3.0).abs() < 1e-12);
/// assert!((found.scales[0] / found.scales[1] - 2.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
///
/// Kriegeskorte & Mur 2012, doi:10.3389/fpsyg.2012.00245.
///
/// # Peers
///
/// rsatoolbox 0.3.2 `rdm.combine.rescale` (methods evidence, setsize, simple) and the weighted mean of
/// what it gives, to 1e-9 after bringing its unit sum of squares to a unit mean square. The RDMs and the
/// evidence that Meadows stores with its trials.
pub fn fit(trials: &Trials, params: &ArrangementParams) -> Result<Arrangement> {
    params.validate()?;
    let n_pairs = pairs::n_pairs(trials.n_items());
    check_memory(trials, n_pairs, params.max_pairs)?;
    let partials: Vec<Partial> = trials
        .trials()
        .iter()
        .map(|trial| Partial::new(trial, trials.n_items()))
        .collect();
    let mut n_seen = vec![0_u32; n_pairs];
    for &k in partials.iter().flat_map(|partial| &partial.pairs) {
        n_seen[k] += 1;
    }
    let n_unseen = n_seen.iter().filter(|&&n| n == 0).count();
    if n_unseen > 0 && params.unseen == NanPolicy::Refuse {
        return Err(unseen(trials, &n_seen, n_unseen));
    }

    let mut evidence = vec![0.0; n_pairs];
    for partial in &partials {
        for (idx, &k) in partial.pairs.iter().enumerate() {
            evidence[k] += partial.weight(idx, params);
        }
    }
    let mut rdm = start(&partials, &n_seen);
    let (mut n_iterations, mut change) = (0, f64::INFINITY);
    while change > params.tolerance && n_iterations < params.max_iterations {
        let next = average(&partials, &rdm, &evidence, params);
        change = mean_squared_difference(&next, &rdm, n_pairs - n_unseen);
        rdm = next;
        n_iterations += 1;
    }
    let mut converged = change <= params.tolerance;
    if params.estimator == Estimator::InverseMds {
        let refined = inverse::refine(&partials, rdm, &n_seen, params.max_iterations)?;
        n_iterations += refined.n_iterations;
        change = mean_squared_difference(&refined.rdm, &refined.before, n_pairs - n_unseen);
        converged &= refined.converged;
        rdm = refined.rdm;
    }
    let (scales, misfits) = partials
        .iter()
        .map(|partial| partial.agreement(&rdm))
        .unzip();
    for (value, &n) in rdm.iter_mut().zip(&n_seen) {
        if n == 0 {
            *value = f64::NAN;
        }
    }
    Ok(Arrangement {
        vector: rdm,
        evidence,
        scales,
        misfits,
        n_unseen,
        n_groups: groups(&partials, n_pairs),
        largest_distance: partials
            .iter()
            .map(|partial| partial.largest(params))
            .fold(0.0, f64::max),
        n_iterations,
        change,
        converged,
    })
}

impl Partial {
    fn new(trial: &consilience_core::Trial, n_items: usize) -> Self {
        let mut shape: Vec<f64> = trial.distances().collect();
        // In units of the largest distance no square overflows or vanishes.
        let largest = shape.iter().fold(0.0_f64, |largest, &d| largest.max(d));
        let square: f64 = shape.iter().map(|d| (d / largest) * (d / largest)).sum();
        let rms = largest * (square / shape.len() as f64).sqrt();
        shape.iter_mut().for_each(|d| *d /= rms);
        Self {
            pairs: trial.pair_indices(n_items).collect(),
            shape,
            rms,
        }
    }

    /// Root mean square distance in units of the evidence.
    fn size(&self, params: &ArrangementParams) -> f64 {
        match params.unit {
            ScreenUnit::Length(length) => self.rms / length,
            ScreenUnit::Trial => 1.0,
        }
    }

    fn weight(&self, idx: usize, params: &ArrangementParams) -> f64 {
        match params.weighting {
            Weighting::Evidence => {
                let distance = (self.shape[idx] * self.size(params)).max(params.floor);
                distance * distance
            }
            Weighting::SetSize => 1.0 / self.pairs.len() as f64,
            Weighting::Equal => 1.0,
        }
    }

    fn largest(&self, params: &ArrangementParams) -> f64 {
        self.shape.iter().fold(0.0_f64, |l, &d| l.max(d)) * self.size(params)
    }

    /// Root mean square of the RDM on the pairs of this trial.
    pub(super) fn rms_of(&self, rdm: &[f64]) -> f64 {
        let square: f64 = self.pairs.iter().map(|&k| rdm[k] * rdm[k]).sum();
        (square / self.pairs.len() as f64).sqrt()
    }

    /// Scale and misfit against the RDM.
    fn agreement(&self, rdm: &[f64]) -> (f64, f64) {
        let rms = self.rms_of(rdm);
        let difference = |(&k, shape): (&usize, &f64)| (shape * rms - rdm[k]).powi(2);
        let square: f64 = self.pairs.iter().zip(&self.shape).map(difference).sum();
        let misfit = (square / self.pairs.len() as f64).sqrt();
        (rms / self.rms, if rms > 0.0 { misfit / rms } else { 0.0 })
    }
}

/// Plain mean of the distances on the screen.
fn start(partials: &[Partial], n_seen: &[u32]) -> Vec<f64> {
    // In units of the largest trial, so that sums stay in range.
    let unit = partials.iter().fold(0.0_f64, |unit, p| unit.max(p.rms));
    let mut rdm = vec![0.0; n_seen.len()];
    for partial in partials {
        for (&k, shape) in partial.pairs.iter().zip(&partial.shape) {
            rdm[k] += shape * (partial.rms / unit);
        }
    }
    for (value, &n) in rdm.iter_mut().zip(n_seen) {
        *value /= f64::from(n.max(1));
    }
    normalise(&mut rdm, n_seen.iter().filter(|&&n| n > 0).count());
    rdm
}

/// Weighted mean of the trials, each scaled to match `rdm` on its pairs.
fn average(
    partials: &[Partial],
    rdm: &[f64],
    evidence: &[f64],
    params: &ArrangementParams,
) -> Vec<f64> {
    let mut next = vec![0.0; rdm.len()];
    for partial in partials {
        let rms = partial.rms_of(rdm);
        for (idx, (&k, shape)) in partial.pairs.iter().zip(&partial.shape).enumerate() {
            // A share of the evidence first: evidence may be large in small units.
            next[k] += partial.weight(idx, params) / evidence[k] * (shape * rms);
        }
    }
    normalise(&mut next, evidence.iter().filter(|&&e| e > 0.0).count());
    next
}

/// Scales to a mean square of 1 over `n` values.
pub(super) fn normalise(rdm: &mut [f64], n: usize) {
    let rms = (rdm.iter().map(|d| d * d).sum::<f64>() / n as f64).sqrt();
    rdm.iter_mut().for_each(|d| *d /= rms);
}

fn mean_squared_difference(a: &[f64], b: &[f64], n: usize) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    square / n as f64
}

/// Number of groups of trials that are linked by pairs with a distance in both.
fn groups(partials: &[Partial], n_pairs: usize) -> usize {
    fn root(parents: &mut [usize], mut t: usize) -> usize {
        while parents[t] != t {
            parents[t] = parents[parents[t]];
            t = parents[t];
        }
        t
    }
    let mut parents: Vec<usize> = (0..partials.len()).collect();
    let mut first_with = vec![usize::MAX; n_pairs];
    for (t, partial) in partials.iter().enumerate() {
        for (&k, _) in partial
            .pairs
            .iter()
            .zip(&partial.shape)
            .filter(|(_, d)| **d > 0.0)
        {
            if first_with[k] == usize::MAX {
                first_with[k] = t;
            }
            let (a, b) = (root(&mut parents, first_with[k]), root(&mut parents, t));
            parents[a.max(b)] = a.min(b);
        }
    }
    (0..parents.len()).filter(|&t| parents[t] == t).count()
}

fn check_memory(trials: &Trials, n_pairs: usize, limit: usize) -> Result<()> {
    let in_trials = trials
        .trials()
        .iter()
        .map(|trial| pairs::n_pairs(trial.items.len()));
    let found = in_trials.fold(n_pairs, usize::saturating_add);
    if found > limit {
        return Err(MethodsError::TooManyPairs { found, limit });
    }
    Ok(())
}

/// The first pairs without a trial, by name.
fn unseen(trials: &Trials, n_seen: &[u32], n_unseen: usize) -> MethodsError {
    const SHOWN: usize = 3;
    let items = trials.items();
    let first = pairs::iter(items.len())
        .zip(n_seen)
        .filter(|&(_, &n)| n == 0)
        .take(SHOWN)
        .map(|((i, j), _)| (items[i].clone(), items[j].clone()))
        .collect();
    MethodsError::UnseenPairs {
        n_unseen,
        n_pairs: n_seen.len(),
        first,
    }
}
