//! Which items to arrange next.

use consilience_core::pairs;

use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// Options of [`next_trial`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextParams {
    /// How fast evidence loses its use (default 10): the utility of evidence e is 1 − exp(−e·this).
    pub utility_exponent: f64,
    /// How the work of a trial grows with its items m (default 1.5): m to this power.
    pub cost_exponent: f64,
    /// Evidence with which every pair has enough (default 0.5).
    pub required_evidence: f64,
    /// Largest distance that is expected on the screen, in units of the evidence (default 1).
    pub arena: f64,
    /// Distances below this count as this long in the evidence (default 0.2).
    pub floor: f64,
    /// Most items in a trial, at least 3 (default: no limit).
    pub max_items: usize,
}

impl Default for NextParams {
    fn default() -> Self {
        Self {
            utility_exponent: 10.0,
            cost_exponent: 1.5,
            required_evidence: 0.5,
            arena: 1.0,
            floor: 0.2,
            max_items: usize::MAX,
        }
    }
}

/// The trial to show next.
#[derive(Debug, Clone, PartialEq)]
pub struct NextTrial {
    /// 0-based items, ascending.
    pub items: Vec<usize>,
    /// Least evidence of a pair so far.
    pub weakest: f64,
    /// Whether every pair has enough evidence already.
    pub enough: bool,
    /// Expected gain of utility over the cost of the trial.
    pub efficiency: f64,
}

/// Chooses the items whose arrangement adds most to what is known least ("lift the weakest").
///
/// # Shapes
///
/// `rdm` and `evidence` are `(n_pairs,)`, as [`fit`](super::fit()) gives them; NaN for what is not known.
///
/// # Definition
///
/// The trial starts with the pair of least evidence. While there are pairs without any, it starts
/// instead with the pair with evidence whose two items lack most other partners, so that the new trial
/// can be scaled to the others. Then the item is added that gives the trial the highest efficiency, as
/// long as that grows or there are fewer than 3 items:
///
/// > efficiency(S) = Σ over pairs of S \[u(e + w) − u(e)\] / |S|^cost
///
/// where e is the evidence so far, u(e) = 1 − exp(−e·exponent), and w = max(d, floor)² for the distance
/// d that the pair will have when the largest dissimilarity of S fills the arena. A pair that is not
/// known is taken to have the median dissimilarity. Of equals, the first item is taken; nothing is
/// random. Without any evidence the trial holds all items.
///
/// # Errors
///
/// [`MethodsError::Rdm`], [`MethodsError::ShapeMismatch`], [`MethodsError::TooFew`] items,
/// [`MethodsError::OptionOutOfRange`], [`MethodsError::NonFinite`] for a dissimilarity or evidence that
/// is negative or infinite.
///
/// # Example
///
/// ```
/// use consilience_methods::arrangement::{NextParams, next_trial};
///
/// let nothing = [f64::NAN; 6];
/// let first = next_trial(&nothing, &[0.0; 6], &NextParams::default())?;
/// assert_eq!(first.items, [0, 1, 2, 3]);
/// // Everything is known but the pairs of item 3.
/// let known = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// let next = next_trial(&known, &[9.0, 9.0, 0.1, 9.0, 0.1, 0.1], &NextParams::default())?;
/// assert!(next.items.contains(&3));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Kriegeskorte & Mur 2012, doi:10.3389/fpsyg.2012.00245.
pub fn next_trial(rdm: &[f64], evidence: &[f64], params: &NextParams) -> Result<NextTrial> {
    let n = check(rdm, evidence, params)?;
    let plan = Plan {
        n,
        rdm: known(rdm, evidence),
        evidence,
        params,
    };
    let weakest = evidence.iter().copied().fold(f64::INFINITY, f64::min);
    let (first, second) = plan.start(weakest);
    let mut items = vec![first, second];
    let mut efficiency = plan.efficiency(&items);
    while items.len() < n.min(params.max_items) {
        let candidates = (0..n).filter(|item| !items.contains(item)).map(|item| {
            let more: Vec<usize> = items.iter().copied().chain([item]).collect();
            (item, plan.efficiency(&more))
        });
        let best = candidates.reduce(|best, next| if next.1 > best.1 { next } else { best });
        match best {
            Some((item, there)) if there > efficiency || items.len() < 3 => {
                items.push(item);
                efficiency = there;
            }
            _ => break,
        }
    }
    items.sort_unstable();
    Ok(NextTrial {
        items,
        weakest,
        enough: weakest >= params.required_evidence,
        efficiency,
    })
}

struct Plan<'a> {
    n: usize,
    rdm: Vec<f64>,
    evidence: &'a [f64],
    params: &'a NextParams,
}

impl Plan<'_> {
    fn pair(&self, i: usize, j: usize) -> usize {
        pairs::pair_idx(i.min(j), i.max(j), self.n)
    }

    /// The pair that a trial starts with.
    fn start(&self, weakest: f64) -> (usize, usize) {
        let known = self.evidence.iter().any(|&e| e > 0.0);
        if weakest > 0.0 || !known {
            let mut with_least = pairs::iter(self.n)
                .zip(self.evidence)
                .filter(|&(_, &e)| e == weakest);
            return with_least.next().map_or((0, 1), |(pair, _)| pair);
        }
        let mut n_lacking = vec![0_usize; self.n];
        for ((i, j), &e) in pairs::iter(self.n).zip(self.evidence) {
            if e == 0.0 {
                n_lacking[i] += 1;
                n_lacking[j] += 1;
            }
        }
        let with_some = pairs::iter(self.n)
            .zip(self.evidence)
            .filter(|&(_, &e)| e > 0.0)
            .map(|((i, j), _)| (n_lacking[i] + n_lacking[j], (i, j)));
        with_some
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or((0, 1), |(_, pair)| pair)
    }

    /// Gain of utility over the cost of arranging `items`.
    fn efficiency(&self, items: &[usize]) -> f64 {
        let of_set = || {
            items
                .iter()
                .enumerate()
                .flat_map(|(a, &i)| items[a + 1..].iter().map(move |&j| self.pair(i, j)))
        };
        let largest = of_set().map(|k| self.rdm[k]).fold(0.0, f64::max);
        // Items that are all the same cannot be told apart however they are arranged.
        if largest <= 0.0 {
            return 0.0;
        }
        let utility = |evidence: f64| 1.0 - (-evidence * self.params.utility_exponent).exp();
        let gain: f64 = of_set()
            .map(|k| {
                let distance = self.rdm[k] / largest * self.params.arena;
                let more = distance.max(self.params.floor).powi(2);
                utility(self.evidence[k] + more) - utility(self.evidence[k])
            })
            .sum();
        gain / (items.len() as f64).powf(self.params.cost_exponent)
    }
}

/// The RDM with the median of what is known in place of what is not.
fn known(rdm: &[f64], evidence: &[f64]) -> Vec<f64> {
    let is_known = |(d, e): (&f64, &f64)| !d.is_nan() && *e > 0.0;
    let mut values: Vec<f64> = rdm
        .iter()
        .zip(evidence)
        .filter(|&pair| is_known(pair))
        .map(|(&d, _)| d)
        .collect();
    values.sort_by(f64::total_cmp);
    let median = match values.len() {
        0 => 1.0,
        n => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
    };
    rdm.iter()
        .zip(evidence)
        .map(|(d, e)| if is_known((d, e)) { *d } else { median })
        .collect()
}

fn check(rdm: &[f64], evidence: &[f64], params: &NextParams) -> Result<usize> {
    let n = pairs::n_conditions(rdm.len())?;
    at_least("items to choose from", 3, n)?;
    at_least("items in a trial", 3, params.max_items)?;
    same_count(
        "evidence, one value for each pair",
        rdm.len(),
        evidence.len(),
    )?;
    for (option, value, positive) in [
        ("the exponent of the utility", params.utility_exponent, true),
        ("the exponent of the cost", params.cost_exponent, false),
        (
            "the evidence that is enough",
            params.required_evidence,
            false,
        ),
        ("the size of the arena", params.arena, true),
        ("the floor of the evidence", params.floor, true),
    ] {
        if !value.is_finite() || value < 0.0 || (positive && value == 0.0) {
            return Err(MethodsError::OptionOutOfRange {
                option,
                value,
                expected: if positive {
                    "a positive number"
                } else {
                    "a number of at least 0"
                },
            });
        }
    }
    let values = rdm.iter().map(|d| if d.is_nan() { 0.0 } else { *d });
    for (what, values) in [
        ("the RDM", values.collect::<Vec<f64>>()),
        ("the evidence", evidence.to_vec()),
    ] {
        let wrong = |value: &f64| !(value.is_finite() && *value >= 0.0);
        if let Some(((row, column), value)) =
            pairs::iter(n).zip(values).find(|(_, value)| wrong(value))
        {
            return Err(MethodsError::NonFinite {
                what,
                row,
                column,
                value,
                cure: "give finite values of at least 0",
            });
        }
    }
    Ok(n)
}
