//! Whether observers err on the same trials.

use consilience_core::pairs;
use consilience_stats::counts::hypergeometric_at_least;
use consilience_stats::random::{Domain, Stream};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::BehaviourError;
use crate::Result;
use crate::error::at_least;
use crate::interval::{Scale, Uncertainty};

/// Options of [`error_consistency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorConsistencyParams {
    /// Resamples of trials for the intervals (default 1,000); 0 for none.
    pub resamples: usize,
    /// Seed of the resamples (default 1).
    pub seed: u64,
}

impl Default for ErrorConsistencyParams {
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 1,
        }
    }
}

/// Error consistency of two observers.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorConsistency {
    /// 0-based observers.
    pub observers: [usize; 2],
    /// Cohen's κ of being right: 0 when errors fall together by chance only, 1 when they are the same.
    pub kappa: f64,
    /// Share of trials on which both are right or both are wrong.
    pub observed: f64,
    /// The same for independent observers of these accuracies.
    pub expected: f64,
    /// Least and largest κ that these accuracies allow.
    pub bounds: [f64; 2],
    /// Standard error of κ, by bootstrap over trials.
    pub sem: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// One-sided p of κ > 0 (Fisher's exact test).
    pub p: f64,
    /// What could not be computed, and why.
    pub notes: Vec<String>,
}

/// Error consistency of each two observers.
///
/// # Shapes
///
/// `correct` is `(n_observers, n_trials)`: whether the observer was right on the trial. The result has an entry for each
/// pair of observers, in the order of an RDM vector; one without a κ is an error in its place.
///
/// # Definition
///
/// With accuracies p and q: expected = pq + (1 − p)(1 − q), κ = (observed − expected)/(1 − expected). For given accuracies
/// observed lies between |p + q − 1| and 1 − |p − q|, which gives the bounds. The interval is by bootstrap over trials, Student's
/// with n − 1 degrees of freedom on the scale artanh κ; the p is the probability of as many trials on which both
/// are right if the right ones of each were spread over trials at random.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) observers or trials. In the place of a pair: [`BehaviourError::NoErrors`] when both are
/// always right, or both always wrong.
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::{ErrorConsistencyParams, error_consistency};
/// use ndarray::array;
///
/// let correct = array![[true, true, false, false, true], [true, true, false, true, true]];
/// let found = error_consistency(correct.view(), &ErrorConsistencyParams::default())?;
/// let kappa = found[0].as_ref().unwrap().kappa;
/// assert!((kappa - 0.545455).abs() < 1e-6);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Cohen 1960, doi:10.1177/001316446002000104; Geirhos, Meding & Wichmann 2020, arXiv:2006.16736.
///
/// # Peers
///
/// scikit-learn 1.9.1 `cohen_kappa_score`, SciPy 1.17.1 `fisher_exact(alternative="greater")`, to 1e-9.
pub fn error_consistency(
    correct: ArrayView2<'_, bool>,
    params: &ErrorConsistencyParams,
) -> Result<Vec<Result<ErrorConsistency>>> {
    let (n_observers, n_trials) = correct.dim();
    for (what, needed, found) in [
        ("observers to compare", 2, n_observers),
        ("trials of the observers", 2, n_trials),
    ] {
        at_least(what, needed, found)?;
    }
    let resamples: Vec<Vec<u32>> = (0..params.resamples as u64)
        .map(|index| Stream::new(params.seed, Domain::Conditions, index).multiplicities(n_trials))
        .collect();
    let all: Vec<(usize, usize)> = pairs::iter(n_observers).collect();
    Ok(all
        .into_par_iter()
        .map(|(first, second)| {
            // Two bits a trial: right or wrong, of either.
            let cells: Vec<u8> = correct
                .row(first)
                .iter()
                .zip(correct.row(second))
                .map(|(&a, &b)| u8::from(a) + 2 * u8::from(b))
                .collect();
            of_pair([first, second], &cells, &resamples)
        })
        .collect())
}

/// How often both were right, only the first, only the second, both wrong.
struct Agreement {
    both: u64,
    first: u64,
    second: u64,
    neither: u64,
}

impl Agreement {
    fn of(cells: &[u8], counts: Option<&[u32]>) -> Self {
        let mut sums = [0_u64; 4];
        match counts {
            Some(counts) => cells
                .iter()
                .zip(counts)
                .for_each(|(&cell, &count)| sums[usize::from(cell)] += u64::from(count)),
            None => cells.iter().for_each(|&cell| sums[usize::from(cell)] += 1),
        }
        let [neither, first, second, both] = sums;
        Self {
            both,
            first,
            second,
            neither,
        }
    }

    fn n(&self) -> f64 {
        (self.both + self.first + self.second + self.neither) as f64
    }

    fn accuracies(&self) -> [f64; 2] {
        [self.both + self.first, self.both + self.second].map(|right| right as f64 / self.n())
    }

    fn observed(&self) -> f64 {
        (self.both + self.neither) as f64 / self.n()
    }

    fn expected(&self) -> f64 {
        let [p, q] = self.accuracies();
        p * q + (1.0 - p) * (1.0 - q)
    }

    /// κ of a share of agreement; `None` when observers cannot but agree.
    fn kappa(&self, observed: f64) -> Option<f64> {
        let off = self.first + self.second;
        let must = off == 0 && (self.both == 0 || self.neither == 0);
        (!must).then(|| (observed - self.expected()) / (1.0 - self.expected()))
    }
}

fn of_pair(
    observers: [usize; 2],
    cells: &[u8],
    resamples: &[Vec<u32>],
) -> Result<ErrorConsistency> {
    let agreement = Agreement::of(cells, None);
    let no_errors = || BehaviourError::NoErrors {
        first: observers[0],
        second: observers[1],
        why: match agreement.neither {
            0 => "both are always right",
            _ => "both are always wrong",
        },
    };
    let observed = agreement.observed();
    let kappa = agreement.kappa(observed).ok_or_else(no_errors)?;
    let [p, q] = agreement.accuracies();
    let bounds = [(p + q - 1.0).abs(), 1.0 - (p - q).abs()]
        .map(|observed| agreement.kappa(observed).unwrap_or(kappa));
    let mut notes = Vec::new();
    let values: Vec<f64> = resamples
        .iter()
        .filter_map(|counts| {
            let resample = Agreement::of(cells, Some(counts));
            resample.kappa(resample.observed())
        })
        .collect();
    if values.len() < resamples.len() {
        notes.push(format!(
            "{} of {} resamples of trials were left out: both observers are always right or always wrong in them",
            resamples.len() - values.len(),
            resamples.len()
        ));
    }
    let uncertainty = Uncertainty::of_resamples(kappa, &values, cells.len(), Scale::Fisher);
    if uncertainty.is_none() && !resamples.is_empty() {
        notes.push(
            "there is no interval: a resample of trials has errors that are exactly the same or exactly opposite; give more trials"
                .to_owned(),
        );
    }
    let n_right = [
        agreement.both + agreement.first,
        agreement.both + agreement.second,
    ];
    Ok(ErrorConsistency {
        observers,
        kappa,
        observed,
        expected: agreement.expected(),
        bounds,
        sem: uncertainty.map(|u| u.sem),
        interval: uncertainty.map(|u| u.interval),
        p: hypergeometric_at_least(agreement.both, cells.len() as u64, n_right[0], n_right[1]),
        notes,
    })
}
