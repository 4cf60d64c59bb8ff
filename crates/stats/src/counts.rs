//! Tails of counts: binomial and hypergeometric.

use statrs::function::beta::beta_reg;
use statrs::function::factorial::ln_binomial;

/// Probability of at least `k` successes in `n` trials of probability `p`.
///
/// # Panics
///
/// When `p` is outside 0…1.
///
/// # Peers
///
/// `scipy.stats.binom.sf(k - 1, n, p)`, to 1e-11 of the value.
#[must_use]
pub fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a probability is from 0 to 1");
    if k == 0 {
        return 1.0;
    }
    if k > n {
        return 0.0;
    }
    beta_reg(k as f64, (n - k + 1) as f64, p)
}

/// Probability of at least `k` marked ones among `n_drawn` of `n_all`, of which `n_marked` are marked.
///
/// This is the one-sided p of Fisher's exact test.
///
/// # Panics
///
/// When more are marked or drawn than there are.
///
/// # Peers
///
/// `scipy.stats.hypergeom.sf(k - 1, n_all, n_marked, n_drawn)`, to 1e-10 of the value.
#[must_use]
pub fn hypergeometric_at_least(k: u64, n_all: u64, n_marked: u64, n_drawn: u64) -> f64 {
    assert!(
        n_marked <= n_all && n_drawn <= n_all,
        "a part is no larger than the whole"
    );
    let least = (n_marked + n_drawn).saturating_sub(n_all);
    if k <= least {
        return 1.0;
    }
    let sum: f64 = (k..=n_marked.min(n_drawn))
        .map(|x| hypergeometric(x, n_all, n_marked, n_drawn))
        .sum();
    sum.min(1.0)
}

/// Probability of exactly `k` marked ones among `n_drawn` of `n_all`, of which `n_marked` are marked.
///
/// # Panics
///
/// When more are marked or drawn than there are.
///
/// # Peers
///
/// `scipy.stats.hypergeom.pmf(k, n_all, n_marked, n_drawn)`, to 1e-10 of the value.
#[must_use]
pub fn hypergeometric(k: u64, n_all: u64, n_marked: u64, n_drawn: u64) -> f64 {
    assert!(
        n_marked <= n_all && n_drawn <= n_all,
        "a part is no larger than the whole"
    );
    let least = (n_marked + n_drawn).saturating_sub(n_all);
    if k < least || k > n_marked.min(n_drawn) {
        return 0.0;
    }
    let ways = ln_binomial(n_marked, k) + ln_binomial(n_all - n_marked, n_drawn - k);
    (ways - ln_binomial(n_all, n_drawn)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn small_counts_by_hand() {
        close(binomial_at_least(2, 3, 0.5), 0.5);
        close(binomial_at_least(3, 3, 1.0 / 3.0), 1.0 / 27.0);
        assert_eq!(binomial_at_least(0, 3, 0.2), 1.0);
        assert_eq!(binomial_at_least(4, 3, 0.2), 0.0);
        // 2 of 5 marked, 2 drawn: both in 1 of 10, at least one in 7 of 10.
        close(hypergeometric_at_least(2, 5, 2, 2), 0.1);
        close(hypergeometric_at_least(1, 5, 2, 2), 0.7);
        assert_eq!(hypergeometric_at_least(0, 5, 2, 2), 1.0);
        assert_eq!(hypergeometric_at_least(3, 5, 2, 2), 0.0);
        assert_eq!(hypergeometric_at_least(2, 5, 4, 3), 1.0);
        // One of both in 6 of 10; with 4 of 5 marked, 3 drawn hold at least 2.
        close(hypergeometric(1, 5, 2, 2), 0.6);
        close(hypergeometric(2, 5, 4, 3), 0.6);
        assert_eq!(hypergeometric(1, 5, 4, 3), 0.0);
        assert_eq!(hypergeometric(3, 5, 2, 2), 0.0);
    }

    /// Written by `fixtures/generate/behaviour.py`: arguments, then the probability.
    #[test]
    fn agrees_with_scipy() {
        let text = include_str!("../../../fixtures/behaviour/tails.json");
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let of = |name: &str| -> Vec<Vec<f64>> {
            serde_json::from_value(document[name].clone()).unwrap()
        };
        for case in of("binomial") {
            let found = binomial_at_least(case[0] as u64, case[1] as u64, case[2]);
            assert!((found / case[3] - 1.0).abs() < 1e-11, "{found} {case:?}");
        }
        for case in of("hypergeometric") {
            let [k, n, marked, drawn] = [0, 1, 2, 3].map(|i| case[i] as u64);
            let found = hypergeometric_at_least(k, n, marked, drawn);
            assert!((found / case[4] - 1.0).abs() < 1e-10, "{found} {case:?}");
        }
    }
}
