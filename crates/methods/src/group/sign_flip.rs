//! The permutation test of one sample: flipped signs of subjects.

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;
use rayon::prelude::*;

use super::differences::Differences;
use super::params::{Alternative, GroupParams};
use super::result::SignFlipTest;

/// Flips that are evaluated together, in one matrix product.
const BLOCK: usize = 64;

/// Rounding must not turn a tie with the observed statistic into a smaller one.
const TIE_TOLERANCE: f64 = 1e-12;

/// The flips that all tests share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flips {
    n_subjects: usize,
    /// How many are counted.
    pub n: usize,
    /// Whether they are all there are, the observed signs among them.
    pub all: bool,
    seed: u64,
}

impl Flips {
    pub fn new(n_subjects: usize, params: &GroupParams) -> Self {
        let n_all = u32::try_from(n_subjects)
            .ok()
            .and_then(|n| 1_usize.checked_shl(n))
            .filter(|&n| n <= params.flips);
        Self {
            n_subjects,
            n: n_all.unwrap_or(params.flips),
            all: n_all.is_some(),
            seed: params.seed,
        }
    }

    /// One row of signs for each flip.
    fn signs(&self, flips: std::ops::Range<usize>) -> Array2<f64> {
        let mut signs = Array2::zeros((flips.len(), self.n_subjects));
        for (mut row, flip) in signs.rows_mut().into_iter().zip(flips) {
            let of_flip = if self.all {
                (0..self.n_subjects)
                    .map(|subject| if flip >> subject & 1 == 1 { -1.0 } else { 1.0 })
                    .collect()
            } else {
                Stream::new(self.seed, Domain::Signs, flip as u64).signs(self.n_subjects)
            };
            row.iter_mut().zip(of_flip).for_each(|(slot, s)| *slot = s);
        }
        signs
    }

    fn p(&self, n_at_least: usize) -> f64 {
        match self.all {
            true => n_at_least as f64 / self.n as f64,
            false => (1 + n_at_least) as f64 / (1 + self.n) as f64,
        }
    }

    /// Tests a family, whose largest statistic gives the family-wise p. `None` where no difference has a sign.
    pub fn tests(
        &self,
        family: &[Differences],
        alternative: Alternative,
    ) -> Vec<Option<SignFlipTest>> {
        let tested: Vec<usize> = (0..family.len())
            .filter(|&i| family[i].n() >= 2 && family[i].values.iter().any(|&v| v != 0.0))
            .collect();
        let mut out = vec![None; family.len()];
        if self.n == 0 || tested.is_empty() {
            return out;
        }
        let statistic = Statistic::new(self.n_subjects, tested.iter().map(|&i| &family[i]));
        let unflipped = Array2::ones((1, self.n_subjects));
        let observed: Vec<f64> = statistic
            .of(&unflipped)
            .iter()
            .map(|&s| alternative.evidence(s) - TIE_TOLERANCE)
            .collect();
        // Counts are whole, so their sum is the same in any order.
        let counts = (0..self.n.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let flips = block * BLOCK..self.n.min((block + 1) * BLOCK);
                let mut counts = vec![[0; 2]; tested.len()];
                for row in statistic.of(&self.signs(flips)).rows() {
                    let evidence = row.mapv(|s| alternative.evidence(s));
                    let most = evidence.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    for ((count, own), least) in counts.iter_mut().zip(evidence).zip(&observed) {
                        count[0] += usize::from(own >= *least);
                        count[1] += usize::from(most >= *least);
                    }
                }
                counts
            })
            .reduce(
                || vec![[0; 2]; tested.len()],
                |mut sum, counts| {
                    for (sum, count) in sum.iter_mut().zip(counts) {
                        *sum = [sum[0] + count[0], sum[1] + count[1]];
                    }
                    sum
                },
            );
        for (&i, count) in tested.iter().zip(counts) {
            let [p, p_fwe] = count.map(|n_at_least| self.p(n_at_least));
            out[i] = Some(SignFlipTest {
                p,
                p_corrected: None,
                p_fwe,
            });
        }
        out
    }
}

/// t of flipped differences, as the share t/√(N − 1 + t²) of all subjects' number N, which is from −1 to 1.
///
/// The sum of squares does not change with the signs, so where no subject is left out this is Σ ±x / √(N·Σx²): a product of signs with
/// constants. It orders flips and tests as t does, and is finite where t is not.
struct Statistic {
    /// `(n_subjects, n_tests)`: differences over √(n·Σx²).
    scaled: Array2<f64>,
    /// By test: (n − 1)/(N − 1).
    share_of_dof: Vec<f64>,
}

impl Statistic {
    fn new<'a>(n_subjects: usize, tests: impl ExactSizeIterator<Item = &'a Differences>) -> Self {
        let mut scaled = Array2::zeros((n_subjects, tests.len()));
        let mut share_of_dof = Vec::with_capacity(tests.len());
        for (mut column, test) in scaled.columns_mut().into_iter().zip(tests) {
            // Over the largest first, so that squares stay within range.
            let largest = test
                .values
                .iter()
                .fold(0.0_f64, |most, v| most.max(v.abs()));
            let square: f64 = test.values.iter().map(|v| (v / largest).powi(2)).sum();
            let scale = (test.n() as f64 * square).sqrt();
            for (&subject, value) in test.subjects.iter().zip(&test.values) {
                column[subject] = value / largest / scale;
            }
            share_of_dof.push((test.n() as f64 - 1.0) / (n_subjects as f64 - 1.0));
        }
        Self {
            scaled,
            share_of_dof,
        }
    }

    /// `(n_flips, n_tests)`.
    fn of(&self, signs: &Array2<f64>) -> Array2<f64> {
        let mut found = signs.dot(&self.scaled);
        for (mut column, &share) in found.columns_mut().into_iter().zip(&self.share_of_dof) {
            if share < 1.0 {
                column.mapv_inplace(|r| {
                    let own = share * r * r;
                    r * (share / (own + (1.0 - r * r).max(0.0))).sqrt()
                });
            }
        }
        found
    }
}
