//! What must hold for any input.

use consilience_stats::correction::{Procedure, corrected};
use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;

use super::super::{
    CorrelationKind, CorrelationParams, ErrorConsistencyParams, ProcrustesParams, RateCorrection,
    SelectivityParams, SignalCounts, Similarities, correlation_over_runs, correlation_table,
    d_prime, error_consistency, odd_one_out, odd_one_out_ceiling, procrustes, quantile_table,
    selectivity, triplet_similarity, welch,
};
use super::normals;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Subsets are tables of their own; the order of items has no say.
    #[test]
    fn a_subset_is_a_table_of_its_own(n in 5..30_usize, index in 0..1000_u64, spearman in any::<bool>()) {
        let (x, y) = (normals(2 * index, 2, n), normals(2 * index + 1, 3, n));
        let kind = if spearman { CorrelationKind::Spearman } else { CorrelationKind::Pearson };
        let params = CorrelationParams { kind, permutations: 9, ..CorrelationParams::default() };
        let subset: Vec<usize> = (0..n).rev().step_by(2).collect();
        let both = correlation_table(x.view(), y.view(), &[(0..n).collect(), subset.clone()], &params).unwrap();
        let alone = correlation_table(
            x.select(Axis(1), &subset).view(), y.select(Axis(1), &subset).view(), &[], &params,
        ).unwrap();
        prop_assert_eq!(both.slice(s![1, .., ..]), alone.slice(s![0, .., ..]));
        let all = correlation_table(x.view(), y.view(), &[], &params).unwrap();
        prop_assert_eq!(both.slice(s![0, .., ..]), all.slice(s![0, .., ..]));
    }

    /// A correction is over the cells that have a p, whatever their subset; that of runs over the means.
    #[test]
    fn corrections_are_over_the_whole_table(n in 5..20_usize, index in 0..1000_u64, permutations in 0..20_usize) {
        let (mut x, y) = (normals(2 * index, 2, n), normals(2 * index + 1, 3, n));
        x.row_mut(1).slice_mut(s![..4]).fill(1.0);
        let subsets = [(0..n).collect(), vec![0, 1, 2, 3]];
        let plain = CorrelationParams { permutations, ..CorrelationParams::default() };
        let params = CorrelationParams { correction: Some(Procedure::Holm), ..plain };
        let before = correlation_table(x.view(), y.view(), &subsets, &plain).unwrap();
        let after = correlation_table(x.view(), y.view(), &subsets, &params).unwrap();
        let p: Vec<f64> = before.iter().flatten().map(|cell| cell.p).collect();
        prop_assert_eq!(p.len(), 9);
        prop_assert!(before.iter().flatten().all(|cell| cell.p_corrected.is_none()));
        let found: Vec<f64> = after.iter().flatten().filter_map(|cell| cell.p_corrected).collect();
        prop_assert_eq!(found, corrected(&p, Procedure::Holm));
        let p: Vec<f64> = before.iter().flatten().filter_map(|cell| cell.p_permutation).collect();
        prop_assert_eq!(p.is_empty(), permutations == 0);
        let found: Vec<f64> = after.iter().flatten().filter_map(|cell| cell.p_permutation_corrected).collect();
        prop_assert_eq!(found, corrected(&p, Procedure::Holm));
        let runs = x.view().insert_axis(Axis(0));
        let over = correlation_over_runs(runs, y.view(), &subsets, &params).unwrap();
        for (over, (before, after)) in over.iter().zip(before.iter().zip(&after)) {
            prop_assert_eq!((&over.runs[0], &over.of_mean), (before, after));
        }
    }

    /// A turn, mirroring, shift and scale cost nothing, and both ways are the same.
    #[test]
    fn procrustes_ignores_similar_figures(n in 3..12_usize, p in 1..5_usize, index in 0..1000_u64, scale in 0.01..100.0_f64) {
        let (a, b) = (normals(3 * index, n, p), normals(3 * index + 1, n, p));
        let params = ProcrustesParams { permutations: 19, ..ProcrustesParams::default() };
        let of = |a: &Array2<f64>, b: &Array2<f64>| procrustes(a.view(), b.view(), &params).unwrap();
        let plain = of(&a, &b);
        let axis = normals(3 * index + 2, p, 1);
        let square: f64 = axis.iter().map(|v| v * v).sum();
        let mirror = Array2::<f64>::eye(p) - axis.dot(&axis.t()) * (2.0 / square);
        let moved = b.dot(&mirror) * scale - 4.0;
        let there = of(&a, &moved);
        prop_assert!((plain.disparity - there.disparity).abs() < 1e-9);
        prop_assert!((plain.disparity - of(&b, &a).disparity).abs() < 1e-9);
        prop_assert!((&plain.fitted - &there.fitted).iter().all(|d| d.abs() < 1e-6));
        prop_assert!(of(&b, &moved).disparity < 1e-9);
        // The disparity is what is left between both.
        let left: f64 = (&plain.target - &plain.fitted).iter().map(|d| d * d).sum();
        prop_assert!((left - plain.disparity).abs() < 1e-9);
    }

    /// Every item is in one bin, and the means add up to the mean of all.
    #[test]
    fn quantile_bins_hold_every_item(n in 5..60_usize, index in 0..1000_u64, n_bins in 1..6_usize, ties in any::<bool>()) {
        let both = normals(index, 2, n).mapv(|v| if ties { (2.0 * v).round() } else { v });
        prop_assume!(both.row(0).iter().any(|v| *v != both[[0, 0]]));
        let found = quantile_table(both.row(0), both.row(1), n_bins).unwrap();
        prop_assert_eq!(found.counts.iter().sum::<usize>(), n);
        prop_assert_eq!(found.edges.len(), found.counts.len() + 1);
        prop_assert!(found.actual.windows(2).all(|w| w[0] < w[1]));
        let sum: f64 = found.counts.iter().zip(&found.predicted).map(|(&c, m)| c as f64 * m).sum();
        prop_assert!((sum - both.row(1).sum()).abs() < 1e-9);
        if !ties {
            prop_assert!(found.counts.iter().all(|c| c.abs_diff(n / n_bins) <= 1), "{:?}", found.counts);
        }
    }

    /// Exchanged groups have the opposite difference; equal groups that of Student.
    #[test]
    fn welch_is_antisymmetric(n in 2..20_usize, m in 2..20_usize, index in 0..1000_u64, scale in 0.01..100.0_f64) {
        let (a, b) = (normals(2 * index, 1, n), normals(2 * index + 1, 1, m));
        let there = welch(a.row(0), b.row(0)).unwrap();
        let back = welch((&b * scale).row(0), (&a * scale).row(0)).unwrap();
        prop_assert!((there.t + back.t).abs() < 1e-9 && (there.p - back.p).abs() < 1e-9);
        prop_assert!((there.cohens_d + back.cohens_d).abs() < 1e-9);
        prop_assert_eq!(there.n, [n, m]);
        prop_assert!((there.means[0] - there.means[1] - there.difference).abs() < 1e-12);
        let pooled = ((n - 1) as f64 * there.sds[0].powi(2) + (m - 1) as f64 * there.sds[1].powi(2)) / (n + m - 2) as f64;
        prop_assert!((there.cohens_d * pooled.sqrt() - there.difference).abs() < 1e-9);
        prop_assert!(there.dof >= (n.min(m) - 1) as f64 - 1e-9 && there.dof <= (n + m - 2) as f64 + 1e-9);
        if n == m {
            prop_assert!((there.cohens_d - there.d_average).abs() < 1e-12);
        }
    }

    /// Exchanging yes and no turns the criterion and keeps the sensitivity.
    #[test]
    fn sensitivity_has_two_sides(hits in 1..50_u64, misses in 1..50_u64, alarms in 1..50_u64, rejections in 1..50_u64) {
        let counts = SignalCounts { hits, misses, false_alarms: alarms, correct_rejections: rejections };
        let mirrored = SignalCounts { hits: rejections, misses: alarms, false_alarms: misses, correct_rejections: hits };
        for correction in [RateCorrection::None, RateCorrection::LogLinear] {
            let (a, b) = (d_prime(counts, correction).unwrap(), d_prime(mirrored, correction).unwrap());
            prop_assert!((a.d_prime - b.d_prime).abs() < 1e-9 && (a.criterion + b.criterion).abs() < 1e-9);
            prop_assert!((a.sem - b.sem).abs() < 1e-9);
        }
        // The correction draws towards chance.
        let [plain, corrected] = [RateCorrection::None, RateCorrection::LogLinear].map(|c| d_prime(counts, c).unwrap());
        prop_assert!((plain.hit_rate - 0.5).abs() >= (corrected.hit_rate - 0.5).abs());
    }

    /// Labels are names only; a unit's gain and offset change nothing.
    #[test]
    fn selectivity_ignores_gain(index in 0..1000_u64, gain in 0.01..100.0_f64) {
        let x = normals(index, 24, 3);
        let labels: Vec<i64> = (0..24).map(|i| i % 3).collect();
        let params = SelectivityParams { min_items: 4, ..SelectivityParams::default() };
        let plain = selectivity(x.view(), &labels, &params).unwrap();
        let renamed: Vec<i64> = labels.iter().map(|l| 10 * l - 7).collect();
        let moved = selectivity(x.mapv(|v| gain * v + 3.0).view(), &renamed, &params).unwrap();
        for (a, b) in [(&plain.d_prime, &moved.d_prime), (&plain.tuning, &moved.tuning), (&plain.p, &moved.p)] {
            for (a, b) in a.iter().zip(b) {
                prop_assert!((a.unwrap() - b.unwrap()).abs() < 1e-8);
            }
        }
        prop_assert_eq!(plain.preferred, moved.preferred);
        // The index is positive: the best of contrasts that add up to 0.
        prop_assert!(plain.index.iter().all(|i| i.unwrap() > 0.0));
    }

    /// The three choices of a triplet have probabilities that add up to 1.
    #[test]
    fn choices_are_probabilities(index in 0..1000_u64, temperature in 0.05..20.0_f64) {
        let x = normals(index, 5, 3);
        let triplets = array![[0, 1, 2], [0, 2, 1], [2, 1, 0], [3, 4, 0]];
        let found = odd_one_out(Similarities::Embedding(x.view()), triplets.view(), temperature).unwrap();
        prop_assert!((found.probabilities[..3].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let similarity = triplet_similarity(Similarities::Embedding(x.view()), temperature).unwrap();
        // Each triplet gives away 1 among its three pairs.
        prop_assert!((similarity.iter().sum::<f64>() * 3.0 - 10.0).abs() < 1e-9);
    }

    /// Observers may change places; one who always errs where the other does not has the least κ.
    #[test]
    fn error_consistency_is_symmetric(index in 0..1000_u64, n in 6..40_usize) {
        let x = normals(index, 2, n).mapv(|v| v > -0.3);
        let reversed = x.slice(s![..;-1, ..]).to_owned();
        let params = ErrorConsistencyParams { resamples: 50, ..ErrorConsistencyParams::default() };
        let (a, b) = (error_consistency(x.view(), &params).unwrap(), error_consistency(reversed.view(), &params).unwrap());
        if let (Ok(a), Ok(b)) = (&a[0], &b[0]) {
            prop_assert!((a.kappa - b.kappa).abs() < 1e-12 && (a.p - b.p).abs() < 1e-9);
            prop_assert!(a.bounds[0] <= a.kappa + 1e-12 && a.kappa <= a.bounds[1] + 1e-12);
        }
        prop_assert_eq!(a[0].is_ok(), b[0].is_ok());
    }
}

#[test]
fn runs_have_mean_and_deviation() {
    let y = normals(1, 1, 12);
    let noise = normals(2, 3, 12);
    let runs = ndarray::stack(
        Axis(0),
        &[
            (&y + &noise.slice(s![0..1, ..])).view(),
            (&y + &noise.slice(s![1..2, ..])).view(),
            Array2::ones((1, 12)).view(),
        ],
    )
    .unwrap();
    let found = correlation_over_runs(runs.view(), y.view(), &[], &CorrelationParams::default());
    let found = found.unwrap();
    let cell = &found[[0, 0, 0]];
    let r: Vec<f64> = cell.runs.iter().flatten().map(|c| c.r).collect();
    assert_eq!((r.len(), cell.runs[2].is_err()), (2, true));
    assert!((cell.mean.unwrap() - (r[0] + r[1]) / 2.0).abs() < 1e-12);
    assert!((cell.sd.unwrap() - (r[0] - r[1]).abs() / 2.0_f64.sqrt()).abs() < 1e-12);
    let mean = runs.mean_axis(Axis(0)).unwrap();
    let alone = correlation_table(mean.view(), y.view(), &[], &CorrelationParams::default());
    assert_eq!(cell.of_mean, alone.unwrap()[[0, 0, 0]]);
}

#[test]
fn a_bias_that_is_shared_counts_in_shuffles_too() {
    let mut x = normals(9, 60, 20);
    let labels: Vec<i64> = (0..60).map(|i| i % 3).collect();
    for unit in 0..6 {
        for item in (0..60).step_by(3) {
            x[[item, unit]] += 2.0;
        }
    }
    let params = SelectivityParams {
        shuffles: 99,
        ..SelectivityParams::default()
    };
    let found = selectivity(x.view(), &labels, &params).unwrap();
    assert!(found.counts[0] >= 6);
    assert_eq!(found.p_counts[0], 0.01);
    assert!(
        found.shuffled_counts.iter().all(|c| *c < 2.0),
        "{:?}",
        found.shuffled_counts
    );
    // Both ways of counting agree.
    let lenient = SelectivityParams {
        alpha: 1.0,
        threshold: 0.3,
        shuffles: 9,
        ..SelectivityParams::default()
    };
    let [plain, corrected] =
        [None, Some(consilience_stats::correction::Procedure::Holm)].map(|correction| {
            let params = SelectivityParams {
                correction,
                ..lenient
            };
            selectivity(x.view(), &labels, &params).unwrap()
        });
    assert!(
        plain
            .shuffled_counts
            .iter()
            .zip(&corrected.shuffled_counts)
            .all(|(a, b)| a >= b)
    );
    let corrected = SelectivityParams {
        correction: Some(consilience_stats::correction::Procedure::BenjaminiHochberg),
        ..SelectivityParams::default()
    };
    let fewer = selectivity(x.view(), &labels, &corrected).unwrap();
    assert!(
        fewer
            .p
            .iter()
            .zip(&found.p)
            .all(|(a, b)| a.unwrap() >= b.unwrap())
    );
}

#[test]
fn ties_share_their_credit() {
    let flat: Array1<f64> = Array1::ones(3);
    let triplets = array![[0, 1, 2], [0, 2, 1], [1, 2, 0]];
    let found = odd_one_out(Similarities::Rdm(flat.view()), triplets.view(), 1.0).unwrap();
    assert!((found.accuracy - 1.0 / 3.0).abs() < 1e-12 && found.n_ties == 3);
    assert!((found.log_likelihood + 3.0_f64.ln()).abs() < 1e-12);
    // Similarities beyond the range of exponentials.
    let far = array![1000.0, 5000.0, 3000.0, 0.0, 9000.0, 1.0];
    let found = triplet_similarity(Similarities::Rdm(far.view()), 1.0).unwrap();
    assert!(found.iter().all(|s| (0.0..=1.0).contains(s)));
    let near = triplet_similarity(Similarities::Rdm((&far / 100.0).view()), 0.01).unwrap();
    assert!(found.iter().zip(&near).all(|(a, b)| (a - b).abs() < 1e-9));
}

/// Triplet {0, 1, 2}: twice 2 odd, once 1. Triplet {3, 4, 5}: once each of two. A third is judged once.
#[test]
fn the_ceiling_of_choices_by_hand() {
    let triplets = array![
        [0, 1, 2],
        [1, 0, 2],
        [2, 0, 1],
        [3, 4, 5],
        [5, 4, 3],
        [0, 1, 5]
    ];
    let found = odd_one_out_ceiling(triplets.view()).unwrap();
    assert_eq!((found.n_triplets, found.n_judgements), (2, 5));
    assert!((found.upper - (2.0 / 3.0 + 0.5) / 2.0).abs() < 1e-12);
    // Of the first: the others of a 2 are {2, 1}, a tie; those of the 1 are {2, 2}. Of the second: never.
    assert!((found.lower - (1.0 / 3.0 + 0.0) / 2.0).abs() < 1e-12);
    let [upper, _] = found.intervals.unwrap();
    assert!(upper[0] < found.upper && found.upper < upper[1]);
}

#[test]
fn the_same_errors_are_consistent() {
    let x = array![
        [true, true, false, true, false, true],
        [true, true, false, true, false, true],
        [false, false, true, false, true, false]
    ];
    let found = error_consistency(x.view(), &ErrorConsistencyParams::default()).unwrap();
    let same = found[0].as_ref().unwrap();
    assert!((same.kappa - 1.0).abs() < 1e-12 && same.interval.is_none());
    assert!(same.notes.iter().any(|n| n.contains("exactly the same")));
    assert!((same.p - 1.0 / 15.0).abs() < 1e-12);
    let opposite = found[1].as_ref().unwrap();
    assert!(opposite.kappa < 0.0 && (opposite.kappa - opposite.bounds[0]).abs() < 1e-12);
}
