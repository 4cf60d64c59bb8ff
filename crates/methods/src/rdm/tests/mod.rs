//! Agreement with the definitions and with peers, laws, and input that has no answer.

mod compat;
mod fixtures;
mod incomplete;
mod movie;
mod noise;
mod problem;
mod refusals;

use consilience_core::pairs;
use ndarray::{Array2, array, s};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::problem::{Problem, assert_close};
use super::{Dissimilarity, RdmParams, rdm};
use crate::MethodsError;

fn any_dissimilarity() -> impl Strategy<Value = Dissimilarity> {
    (0..9_usize).prop_map(|idx| Dissimilarity::all().nth(idx).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn f64_follows_the_definition(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, n in 2..8_usize, p in 12..150_usize
    ) {
        let problem = Problem::new(dissimilarity, seed, n, p);
        let signed = dissimilarity.is_crossvalidated();
        assert_close(&problem.solve().vector, &problem.reference(), 1e-9, signed);
    }

    #[test]
    fn f32_follows_the_definition(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, n in 2..8_usize, p in 12..150_usize
    ) {
        let mut problem = Problem::new(dissimilarity, seed, n, p);
        let narrow = problem.patterns.mapv(|v| v as f32);
        problem.patterns = narrow.mapv(f64::from);
        let found = rdm(narrow.view(), &problem.params).unwrap().vector;
        let signed = dissimilarity.is_crossvalidated();
        assert_close(&found, &problem.reference(), 1e-5, signed);
    }

    #[test]
    fn missing_values_follow_the_definition(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, n in 2..6_usize, p in 40..80_usize,
        share in prop_oneof![Just(0.0), Just(0.1)],
    ) {
        let problem = Problem::new(dissimilarity, seed, n, p).with_missing(seed, share);
        let outcome = problem.solve();
        let signed = dissimilarity.is_crossvalidated();
        assert_close(&outcome.vector, &problem.reference(), 1e-9, signed);
        let n_missing = problem.patterns.iter().filter(|v| v.is_nan()).count();
        prop_assert_eq!(outcome.n_omitted, n_missing);
    }

    /// Another order of the rows gives the same RDM in another order.
    #[test]
    fn reordering_rows_reorders_the_rdm(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, p in 12..150_usize
    ) {
        let mut problem = Problem::new(dissimilarity, seed, 5, p);
        let n_rows = problem.patterns.nrows();
        let original = problem.solve();
        let flip = |labels: &mut Option<Vec<i64>>| labels.iter_mut().for_each(|l| l.reverse());
        problem.patterns = problem.patterns.slice(s![..;-1, ..]).to_owned();
        flip(&mut problem.params.conditions);
        flip(&mut problem.params.runs);
        let flipped = problem.solve();
        prop_assert_eq!(&original.conditions, &flipped.conditions);
        let expected: Vec<f64> = if problem.params.conditions.is_some() {
            original.vector
        } else {
            pairs::iter(n_rows)
                .map(|(i, j)| original.vector[pairs::pair_idx(n_rows - 1 - j, n_rows - 1 - i, n_rows)])
                .collect()
        };
        let signed = dissimilarity.is_crossvalidated();
        assert_close(&flipped.vector, &expected, 1e-9, signed);
    }

    #[test]
    fn invariances(seed in 0..u64::MAX, p in 12..150_usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = Array2::from_shape_fn((6, p), |_| rng.random_range(-1.0..1.0));
        let of = |x: &Array2<f64>, dissimilarity| {
            let params = RdmParams { dissimilarity, ..RdmParams::default() };
            rdm(x.view(), &params).unwrap().vector
        };
        let mut scaled = x.clone();
        let mut affine = x.clone();
        for i in 0..6 {
            let factor = rng.random_range(0.1..10.0);
            scaled.row_mut(i).mapv_inplace(|v| v * factor);
            let shift = rng.random_range(-5.0..5.0);
            affine.row_mut(i).mapv_inplace(|v| v * factor + shift);
        }
        let cubed = x.mapv(|v| v * v * v);
        let shifted = &x + &affine.row(0);
        for (dissimilarity, other) in [
            (Dissimilarity::Correlation, &affine),
            (Dissimilarity::Spearman, &cubed),
            (Dissimilarity::Cosine, &scaled),
            (Dissimilarity::Euclidean, &shifted),
        ] {
            assert_close(&of(other, dissimilarity), &of(&x, dissimilarity), 1e-9, false);
        }
        let d = of(&x, Dissimilarity::Euclidean);
        let at = |i: usize, j: usize| d[pairs::pair_idx(i.min(j), i.max(j), 6)];
        for (i, j) in pairs::iter(6) {
            for k in (0..6).filter(|&k| k != i && k != j) {
                prop_assert!(at(i, j) <= at(i, k) + at(k, j) + 1e-12);
            }
        }
    }
}

/// Rows that differ by little beside a large mean: products alone would lose every digit.
#[test]
fn close_patterns_keep_their_digits() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let common: Vec<f32> = (0..3_000)
        .map(|_| rng.random_range(900.0..1100.0))
        .collect();
    let x = Array2::from_shape_fn((12, 3_000), |(row, k)| {
        common[k]
            + if row == 0 {
                0.0
            } else {
                rng.random_range(-0.01..0.01) * row as f32
            }
    });
    let mut twins = x.clone();
    twins.row_mut(7).assign(&x.row(3));
    for dissimilarity in Dissimilarity::all().take(5) {
        let params = RdmParams {
            dissimilarity,
            ..RdmParams::default()
        };
        let problem = Problem {
            patterns: x.mapv(f64::from),
            params: params.clone(),
        };
        let reference = problem.reference();
        // The reference itself subtracts 1 − r; only its absolute digits can be trusted there.
        for (found, expected) in rdm(x.view(), &params).unwrap().vector.iter().zip(reference) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected + 1e-14,
                "{dissimilarity}"
            );
        }
        let vector = rdm(twins.view(), &params).unwrap().vector;
        assert_eq!(vector[pairs::pair_idx(3, 7, 12)], 0.0, "{dissimilarity}");
        assert!(vector.iter().all(|d| *d >= 0.0));
    }
}

/// Behind a ReLU most values are equal; their rounding errors must not add up.
#[test]
fn single_precision_holds_on_rectified_patterns() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let x = Array2::from_shape_fn((20, 30_000), |(row, k)| {
        let shared = ((k * 31 + 7) % 101) as f32 / 101.0 - 0.6;
        (shared + rng.random_range(-1.0..1.0_f32) * (0.02 + 0.05 * row as f32)).max(0.0)
    });
    for dissimilarity in Dissimilarity::all().take(5) {
        let params = RdmParams {
            dissimilarity,
            ..RdmParams::default()
        };
        let problem = Problem {
            patterns: x.mapv(f64::from),
            params: params.clone(),
        };
        let found = rdm(x.view(), &params).unwrap().vector;
        assert_close(&found, &problem.reference(), 1e-5, false);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let bits = |n_threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| {
            Dissimilarity::all()
                .flat_map(|dissimilarity| {
                    let problem = Problem::new(dissimilarity, 8, 50, 130);
                    let wide = problem.solve().vector;
                    let narrow = problem.patterns.mapv(|v| v as f32);
                    let narrow = rdm(narrow.view(), &problem.params).unwrap().vector;
                    let missing = problem.with_missing(1, 0.05).solve().vector;
                    [wide, narrow, missing].concat()
                })
                .map(f64::to_bits)
                .collect()
        })
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(3));
}

/// Without any effect, crossnobis distances spread around zero.
#[test]
fn crossnobis_is_unbiased_under_the_null() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (n_conditions, n_runs, n_channels, n_samples) = (5_usize, 4_usize, 20, 400);
    let params = RdmParams {
        dissimilarity: Dissimilarity::Crossnobis,
        conditions: Some((0..20).map(|row| row % n_conditions as i64).collect()),
        runs: Some((0..20).map(|row| row / n_conditions as i64).collect()),
        ..RdmParams::default()
    };
    let values: Vec<f64> = (0..n_samples)
        .flat_map(|_| {
            let noise = Array2::from_shape_fn((n_conditions * n_runs, n_channels), |_| {
                rng.random_range(-1.0..1.0)
            });
            rdm(noise.view(), &params).unwrap().vector
        })
        .collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    // Pairs that share a condition are correlated, so samples count, not pairs.
    assert!(
        mean.abs() < 4.0 * spread / f64::from(n_samples).sqrt(),
        "{mean} {spread}"
    );
    let n_negative = values.iter().filter(|v| **v < 0.0).count() as f64;
    assert!((0.4..0.65).contains(&(n_negative / n)), "{n_negative}");
}

#[test]
fn conditions_come_out_in_ascending_order() {
    let x = array![[1.0, 0.0], [0.0, 4.0], [3.0, 0.0], [0.0, 0.0]];
    let params = RdmParams {
        dissimilarity: Dissimilarity::Euclidean,
        conditions: Some(vec![9, -1, 9, 5]),
        ..RdmParams::default()
    };
    let outcome = rdm(x.view(), &params).unwrap();
    assert_eq!(outcome.conditions, [-1, 5, 9]);
    assert_eq!(outcome.vector, [4.0, 20.0_f64.sqrt(), 2.0]);
}

#[test]
fn any_memory_layout_will_do() {
    let x = Problem::new(Dissimilarity::Correlation, 1, 4, 70).patterns;
    let expected = rdm(x.view(), &RdmParams::default()).unwrap();
    let columns_first = x.t().as_standard_layout().to_owned();
    assert_eq!(
        rdm(columns_first.t(), &RdmParams::default()).unwrap(),
        expected
    );
    let mut spaced = Array2::zeros((2 * x.nrows(), x.ncols()));
    spaced.slice_mut(s![..;2, ..]).assign(&x);
    assert_eq!(
        rdm(spaced.slice(s![..;2, ..]), &RdmParams::default()).unwrap(),
        expected
    );
}

fn with(dissimilarity: Dissimilarity) -> RdmParams {
    RdmParams {
        dissimilarity,
        ..RdmParams::default()
    }
}

#[test]
fn extreme_units_do_not_matter() {
    let x = Problem::new(Dissimilarity::Correlation, 3, 4, 80).patterns;
    for dissimilarity in [Dissimilarity::Correlation, Dissimilarity::Cosine] {
        let params = with(dissimilarity);
        let expected = rdm(x.view(), &params).unwrap().vector;
        for unit in [1e-290, 1e-170, 1e170, 1e290] {
            let found = rdm((&x * unit).view(), &params).unwrap().vector;
            assert_close(&found, &expected, 1e-9, false);
        }
    }
    let huge = &x * 1e290;
    assert!(rdm(huge.view(), &with(Dissimilarity::Euclidean)).is_ok());
    assert!(matches!(
        rdm(huge.view(), &with(Dissimilarity::Sqeuclidean)),
        Err(MethodsError::OutOfRange { .. })
    ));
}
