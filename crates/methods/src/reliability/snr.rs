//! Signal-to-noise ratio and explainable variance of repeated responses.

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::ReliabilityError;
use crate::error::at_least;
use crate::interval::{Scale, Uncertainty, standard_error};
use crate::{MethodsError, Result};

/// Options of [`noise_ceiling_snr`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnrParams {
    /// Whether each repetition of a channel is scaled to unit variance over stimuli first (default: yes, as Allen et al.
    /// do by session). Then gains between repetitions are no noise; shifts never are.
    pub z_scores: bool,
    /// Repetitions in the averages that models are compared with; default: as many as there are.
    pub averaged: Option<usize>,
    /// Resamples of stimuli for the interval (default 1,000); 0 for none.
    pub resamples: usize,
    /// Permutations of the test against chance (default 1,000); 0 for no test.
    pub permutations: usize,
    /// Seed of both (default 1).
    pub seed: u64,
}

impl Default for SnrParams {
    fn default() -> Self {
        Self {
            z_scores: true,
            averaged: None,
            resamples: 1000,
            permutations: 1000,
            seed: 1,
        }
    }
}

/// Signal and noise of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSnr {
    /// Variance of the signal, total − noise; below 0 when there is less than chance has.
    pub signal_variance: f64,
    /// Variance of the noise of one repetition.
    pub noise_variance: f64,
    /// ncsnr: √(signal above 0 / noise).
    pub ncsnr: f64,
    /// Share of the variance of the averaged responses that is signal, 0…1: the R² that a perfect model
    /// reaches, and its root the correlation.
    pub explainable_variance: f64,
    /// Standard error of `explainable_variance`, by bootstrap over stimuli.
    pub sem: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// One-sided p against responses that do not depend on the stimulus.
    pub p: Option<f64>,
    /// What could not be computed, and why.
    pub notes: Vec<String>,
}

/// Signal-to-noise ratio and explainable variance of each channel.
///
/// # Shapes
///
/// `responses` is `(n_repetitions, n_stimuli, n_channels)`; the result has an entry a channel.
///
/// # Definition
///
/// With y(r, s) of one channel, each repetition r centred over the n stimuli and, by default, scaled to unit variance
/// (denominator n − 1):
///
/// - noise σ²ₙ = n/(n − 1) · mean over stimuli of the variance over repetitions (denominator R − 1)
/// - total σ² = mean over repetitions of the variance over stimuli (denominator n − 1), which is 1 for z-scores
/// - signal σ²ₛ = σ² − σ²ₙ; ncsnr = √(max(0, σ²ₛ) / σ²ₙ)
/// - explainable variance = ncsnr² / (ncsnr² + 1/m) of the average of m repetitions, the noise ceiling of Allen et
///   al. as a share
///
/// The interval is by bootstrap over stimuli (repetitions z-scored in each resample anew), Student's with stimuli − 1
/// degrees of freedom on ln(1 + R·σ²ₛ/σ²ₙ) of R repetitions, the logarithm of an F ratio. The test permutes the stimuli of each repetition independently: p = (1 +
/// #{permuted ≥ observed}) / (1 + permutations), one-sided.
///
/// # Errors
///
/// [`ReliabilityError::NoAgreement`] for one repetition, [`MethodsError::TooFew`] stimuli or channels,
/// [`MethodsError::OptionOutOfRange`] when nothing is averaged. A channel may have its own:
/// [`MethodsError::NonFinite`], [`ReliabilityError::ConstantChannel`],
/// [`ReliabilityError::ConstantRepetition`], [`ReliabilityError::NoNoise`].
///
/// # Example
///
/// ```
/// use consilience_methods::reliability::{SnrParams, noise_ceiling_snr};
/// use ndarray::array;
///
/// // Two repetitions of four stimuli in one channel.
/// let responses = array![[[1.0], [2.0], [3.0], [5.0]], [[1.5], [2.0], [3.5], [4.0]]];
/// let found = noise_ceiling_snr(responses.view(), &SnrParams::default())?;
/// let channel = found[0].as_ref().unwrap();
/// assert!(channel.ncsnr > 3.0 && channel.explainable_variance > 0.9);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Allen et al. 2022, doi:10.1038/s41593-021-00962-x; Sahani & Linden 2003, NIPS 15; Schoppe et al. 2016,
/// doi:10.3389/fncom.2016.00010.
///
/// # Peers
///
/// The formulas in NumPy, to 1e-9.
pub fn noise_ceiling_snr(
    responses: ArrayView3<'_, f64>,
    params: &SnrParams,
) -> Result<Vec<Result<ChannelSnr>>> {
    let (n_repetitions, n_stimuli, n_channels) = responses.dim();
    if n_repetitions < 2 {
        return Err(ReliabilityError::NoAgreement {
            n_raters: n_repetitions,
        }
        .into());
    }
    for (what, needed, found) in [
        ("stimuli of the responses", 3, n_stimuli),
        ("channels of the responses", 1, n_channels),
    ] {
        at_least(what, needed, found)?;
    }
    let averaged = params.averaged.unwrap_or(n_repetitions);
    if averaged == 0 {
        return Err(MethodsError::OptionOutOfRange {
            option: "the number of repetitions that are averaged",
            value: 0.0,
            expected: "at least 1",
        });
    }
    let problem = Problem {
        params,
        averaged: averaged as f64,
        resamples: (0..params.resamples as u64)
            .map(|index| {
                Stream::new(params.seed, Domain::Conditions, index).multiplicities(n_stimuli)
            })
            .collect(),
        orders: (0..params.permutations as u64)
            .map(|index| {
                let mut stream = Stream::new(params.seed, Domain::Permutations, index);
                let orders = (0..n_repetitions).flat_map(|_| stream.permutation(n_stimuli));
                orders.map(|stimulus| stimulus as u32).collect()
            })
            .collect(),
    };
    let channels: Vec<_> = responses.axis_iter(Axis(2)).collect();
    Ok(channels
        .into_par_iter()
        .map(|channel| problem.channel(channel))
        .collect())
}

/// What one channel is made of.
struct Variances {
    signal: f64,
    noise: f64,
}

impl Variances {
    /// Of `(n_repetitions, n_stimuli)` in which stimulus s occurs `counts[s]` times.
    ///
    /// What a repetition's values share with the sums over repetitions is signal and noise / R, and their own squares are
    /// the total, so one pass gives both. `None` when a repetition that is to be scaled does not vary.
    fn of(responses: &Array2<f64>, counts: &[u32], z_scores: bool) -> Option<Self> {
        let n_repetitions = responses.nrows() as f64;
        let n: f64 = counts.iter().map(|&c| f64::from(c)).sum();
        let mut total = 0.0;
        let mut sums = vec![0.0; counts.len()];
        for row in responses.rows() {
            let (mut mean, mut variance) = (0.0, 0.0);
            for (&count, value) in counts.iter().zip(row) {
                mean += f64::from(count) * value / n;
            }
            for (&count, value) in counts.iter().zip(row) {
                variance += f64::from(count) * (value - mean) * (value - mean) / (n - 1.0);
            }
            if z_scores && variance <= 1e-24 * mean * mean {
                return None;
            }
            let (gain, own) = match z_scores {
                true => (variance.sqrt().recip(), 1.0),
                false => (1.0, variance),
            };
            total += own / n_repetitions;
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += (value - mean) * gain;
            }
        }
        let square: f64 = counts
            .iter()
            .zip(&sums)
            .map(|(&c, s)| f64::from(c) * s * s)
            .sum();
        let of_sums = square / (n - 1.0);
        let noise = (n_repetitions * total - of_sums / n_repetitions) / (n_repetitions - 1.0);
        Some(Self {
            signal: total - noise,
            noise,
        })
    }

    /// Share of signal in the average of `averaged` repetitions, negative for less than chance has.
    fn share(&self, averaged: f64) -> f64 {
        self.signal / (self.signal + self.noise / averaged)
    }

    /// The same where less signal than none counts as none.
    fn explainable(&self, averaged: f64) -> f64 {
        match self.signal > 0.0 {
            true => self.share(averaged),
            false => 0.0,
        }
    }
}

struct Problem<'a> {
    params: &'a SnrParams,
    averaged: f64,
    /// How often each stimulus occurs in each resample.
    resamples: Vec<Vec<u32>>,
    /// For each permutation, the order of stimuli of one repetition after the other.
    orders: Vec<Vec<u32>>,
}

impl Problem<'_> {
    fn channel(&self, responses: ArrayView2<'_, f64>) -> Result<ChannelSnr> {
        if let Some(((row, column), &value)) =
            responses.indexed_iter().find(|(_, v)| !v.is_finite())
        {
            return Err(MethodsError::NonFinite {
                what: "the responses (repetitions × stimuli) of the channel",
                row,
                column,
                value,
                cure: "leave out the stimulus, the repetition or the channel",
            });
        }
        let first = responses[[0, 0]];
        if responses.iter().all(|v| *v == first) {
            return Err(ReliabilityError::ConstantChannel.into());
        }
        let same = |row: ArrayView2<'_, f64>| row.iter().all(|v| *v == row[[0, 0]]);
        let constant =
            (0..responses.nrows()).find(|&r| same(responses.slice(ndarray::s![r..=r, ..])));
        if let (true, Some(repetition)) = (self.params.z_scores, constant) {
            return Err(ReliabilityError::ConstantRepetition { repetition }.into());
        }
        // Sums of squares about a large mean would lose digits.
        let responses = &responses - responses.mean().unwrap_or(0.0);
        let once = vec![1; responses.ncols()];
        let variances = Variances::of(&responses, &once, self.params.z_scores)
            .ok_or(ReliabilityError::ConstantChannel)?;
        let Variances { signal, noise } = variances;
        if noise <= 1e-14 * (signal + noise) {
            return Err(ReliabilityError::NoNoise.into());
        }
        let mut notes = Vec::new();
        if signal < 0.0 {
            notes.push(
                "the variance of the signal is below 0, which counts as 0: repetitions agree less than by chance"
                    .to_owned(),
            );
        }
        let uncertainty = self.uncertainty(&responses, &variances, &mut notes);
        Ok(ChannelSnr {
            signal_variance: signal,
            noise_variance: noise,
            ncsnr: (signal.max(0.0) / noise).sqrt(),
            explainable_variance: variances.explainable(self.averaged),
            sem: uncertainty.map(|u| u.sem),
            interval: uncertainty.map(|u| u.interval),
            p: self.p(&responses),
            notes,
        })
    }

    /// The interval is found for the average of all repetitions, of which −ln(1 − share) is the logarithm of an F ratio,
    /// and brought to the average of as many as were asked for.
    fn uncertainty(
        &self,
        responses: &Array2<f64>,
        variances: &Variances,
        notes: &mut Vec<String>,
    ) -> Option<Uncertainty> {
        if self.resamples.is_empty() {
            return None;
        }
        let (n_repetitions, n_stimuli) = responses.dim();
        let all = n_repetitions as f64;
        let resampled: Vec<Variances> = self
            .resamples
            .iter()
            .filter_map(|counts| Variances::of(responses, counts, self.params.z_scores))
            .filter(|v| v.noise > 0.0 && v.signal + v.noise / all > 0.0)
            .collect();
        let n_without = self.resamples.len() - resampled.len();
        if n_without > 0 {
            notes.push(format!(
                "{n_without} of {} resamples of stimuli were left out: their means over repetitions or their noise do not vary",
                self.resamples.len()
            ));
        }
        let shares: Vec<f64> = resampled.iter().map(|v| v.share(all)).collect();
        let of_all = Uncertainty::of_resamples(
            variances.share(all),
            &shares,
            n_stimuli,
            Scale::LogComplement,
        );
        let explainable: Vec<f64> = resampled
            .iter()
            .map(|v| v.explainable(self.averaged))
            .collect();
        let found = of_all.zip(standard_error(&explainable, n_stimuli));
        let Some((of_all, sem)) = found else {
            notes.push(
                "there is no interval: the means over repetitions vary less than noise alone makes them"
                    .to_owned(),
            );
            return None;
        };
        let of_averaged = |share: f64| {
            let share = share.max(0.0);
            let ratio = self.averaged / all;
            ratio * share / (1.0 + (ratio - 1.0) * share)
        };
        Some(Uncertainty {
            sem,
            interval: of_all.interval.map(of_averaged),
        })
    }

    /// Permutations leave each repetition its mean and variance, so only the variance of means over repetitions changes.
    fn p(&self, responses: &Array2<f64>) -> Option<f64> {
        if self.orders.is_empty() {
            return None;
        }
        let n = responses.ncols();
        let mut rows: Vec<f64> = Vec::with_capacity(responses.len());
        for row in responses.rows() {
            let mean = row.mean().unwrap_or(0.0);
            let square: f64 = row.iter().map(|v| (v - mean) * (v - mean)).sum();
            let scale = match self.params.z_scores {
                true => square.sqrt(),
                false => 1.0,
            };
            rows.extend(row.iter().map(|v| (v - mean) / scale));
        }
        let agreement = |order: &dyn Fn(usize) -> usize| -> f64 {
            let mut sums = vec![0.0; n];
            for (at, row) in rows.chunks_exact(n).enumerate() {
                for (stimulus, sum) in sums.iter_mut().enumerate() {
                    *sum += row[order(at * n + stimulus)];
                }
            }
            sums.iter().map(|s| s * s).sum()
        };
        let observed = agreement(&|position| position % n);
        let as_large = |order: &&Vec<u32>| {
            agreement(&|position| order[position] as usize) >= observed * (1.0 - 1e-12)
        };
        let n_as_large = self.orders.iter().filter(as_large).count();
        Some((1 + n_as_large) as f64 / (1 + self.orders.len()) as f64)
    }
}
