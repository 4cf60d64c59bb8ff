//! Wilcoxon's signed-rank test.

use consilience_stats::rank::average_ranks;
use consilience_stats::{normal, signed_rank};

use super::differences::Differences;
use super::params::Alternative;
use super::result::SignedRankTest;

/// Most differences whose distribution is computed exactly: the work grows with the cube.
pub(super) const EXACT_LIMIT: usize = 100;

/// `None` for fewer than two subjects, or when every difference is zero.
pub(super) fn signed_rank_test(
    differences: &Differences,
    alternative: Alternative,
) -> Option<SignedRankTest> {
    let values: Vec<f64> = differences
        .values
        .iter()
        .copied()
        .filter(|&v| v != 0.0)
        .collect();
    let n_used = values.len();
    if n_used == 0 || differences.n() < 2 {
        return None;
    }
    let sizes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    let ranks = average_ranks(&tied(&sizes, differences.resolution));
    let total: f64 = ranks.iter().sum();
    let w_plus: f64 = ranks
        .iter()
        .zip(&values)
        .filter(|(_, v)| **v > 0.0)
        .map(|(rank, _)| rank)
        .sum();
    let exact = n_used <= EXACT_LIMIT;
    let tails = if exact {
        // Shared ranks are whole or half, and so are sums of them, exactly.
        let doubled: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
        signed_rank::tails(&doubled, (2.0 * w_plus) as usize)
    } else {
        // The sum of squared ranks over 4 is the variance, which ties make smaller.
        let variance: f64 = ranks.iter().map(|rank| rank * rank / 4.0).sum();
        let z = (w_plus - total / 2.0) / variance.sqrt();
        [normal::sf(-z), normal::sf(z)]
    };
    Some(SignedRankTest {
        n_used,
        w_plus,
        p: alternative.p(tails),
        p_corrected: None,
        exact,
        rank_biserial: (2.0 * w_plus - total) / total,
    })
}

/// The values with those that differ by rounding only made the same.
fn tied(values: &[f64], resolution: f64) -> Vec<f64> {
    let mut ascending: Vec<usize> = (0..values.len()).collect();
    ascending.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut out = values.to_vec();
    for pair in ascending.windows(2) {
        if values[pair[1]] - values[pair[0]] <= resolution {
            out[pair[1]] = out[pair[0]];
        }
    }
    out
}
