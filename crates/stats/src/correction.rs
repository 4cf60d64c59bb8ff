//! Correction of p-values for the number of tests.

/// How p-values are corrected over a family of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Procedure {
    /// Bonferroni: m · p. Family-wise error under any dependence.
    Bonferroni,
    /// Holm (1979): step-down Bonferroni. Family-wise error under any dependence; never weaker
    /// than Bonferroni.
    Holm,
    /// Benjamini and Hochberg (1995): false discovery rate under independence or positive
    /// dependence.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli (2001): false discovery rate under any dependence.
    BenjaminiYekutieli,
}

/// p-values corrected over all of them, in the order given.
///
/// # Definition
///
/// With p₍₁₎ ≤ … ≤ p₍ₘ₎, everything clipped to 1:
/// - Bonferroni: m · p
/// - Holm: maxⱼ≤ᵢ (m − j + 1) · p₍ⱼ₎
/// - Benjamini–Hochberg: minⱼ≥ᵢ (m / j) · p₍ⱼ₎
/// - Benjamini–Yekutieli: the same times Σⱼ 1/j
///
/// # Example
///
/// ```
/// use consilience_stats::correction::{Procedure, corrected};
///
/// assert_eq!(corrected(&[0.5, 0.125, 0.25], Procedure::Holm), [0.5, 0.375, 0.5]);
/// ```
///
/// # References
///
/// Holm (1979), Scandinavian Journal of Statistics 6:65–70; Benjamini & Hochberg (1995),
/// doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini & Yekutieli (2001), doi:10.1214/aos/1013699998.
///
/// # Peers
///
/// `scipy.stats.false_discovery_control(method="bh" | "by")`, to 1e-14.
#[must_use]
pub fn corrected(p: &[f64], procedure: Procedure) -> Vec<f64> {
    let m = p.len();
    let mut ascending: Vec<usize> = (0..m).collect();
    ascending.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut out = vec![0.0; m];
    match procedure {
        Procedure::Bonferroni => {
            for (slot, value) in out.iter_mut().zip(p) {
                *slot = (value * m as f64).min(1.0);
            }
        }
        Procedure::Holm => {
            let mut largest = 0.0_f64;
            for (i, &idx) in ascending.iter().enumerate() {
                largest = largest.max(((m - i) as f64 * p[idx]).min(1.0));
                out[idx] = largest;
            }
        }
        Procedure::BenjaminiHochberg | Procedure::BenjaminiYekutieli => {
            let penalty = if procedure == Procedure::BenjaminiYekutieli {
                (1..=m).map(|j| 1.0 / j as f64).sum()
            } else {
                1.0
            };
            let mut smallest = 1.0_f64;
            for (i, &idx) in ascending.iter().enumerate().rev() {
                smallest = smallest.min(penalty * p[idx] * m as f64 / (i + 1) as f64);
                out[idx] = smallest;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let p = [0.01, 0.04, 0.03, 0.005];
        let close = |found: Vec<f64>, expected: [f64; 4]| {
            for (f, e) in found.iter().zip(expected) {
                assert!((f - e).abs() < 1e-15, "{found:?}");
            }
        };
        close(
            corrected(&p, Procedure::Bonferroni),
            [0.04, 0.16, 0.12, 0.02],
        );
        close(corrected(&p, Procedure::Holm), [0.03, 0.06, 0.06, 0.02]);
        close(
            corrected(&p, Procedure::BenjaminiHochberg),
            [0.02, 0.04, 0.04, 0.02],
        );
        let c = 25.0 / 12.0;
        close(
            corrected(&p, Procedure::BenjaminiYekutieli),
            [0.02 * c, 0.04 * c, 0.04 * c, 0.02 * c],
        );
    }

    #[test]
    fn no_test_needs_no_correction() {
        assert!(corrected(&[], Procedure::Holm).is_empty());
        assert_eq!(corrected(&[0.2], Procedure::BenjaminiYekutieli), [0.2]);
    }

    proptest! {
        #[test]
        fn order_and_bounds_hold(p in prop::collection::vec(0.0..=1.0_f64, 1..40)) {
            let bonferroni = corrected(&p, Procedure::Bonferroni);
            let holm = corrected(&p, Procedure::Holm);
            let bh = corrected(&p, Procedure::BenjaminiHochberg);
            let by = corrected(&p, Procedure::BenjaminiYekutieli);
            for i in 0..p.len() {
                prop_assert!(p[i] <= bh[i] + 1e-15 && bh[i] <= holm[i] + 1e-15);
                prop_assert!(holm[i] <= bonferroni[i] && bonferroni[i] <= 1.0);
                prop_assert!(bh[i] <= by[i] && by[i] <= 1.0);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || (holm[i] <= holm[j] && bh[i] <= bh[j]));
                }
            }
        }
    }
}
