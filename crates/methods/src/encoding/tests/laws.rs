//! What must hold for any data.

use ndarray::{Array2, Axis, concatenate, s};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

use super::problem::{Problem, assert_close};
use consilience_stats::ridge::Side;

use crate::encoding::{Folds, GridEnds, Ridge, RidgeOutcome, RidgeParams, ridge};

fn on_side(problem: &Problem, side: Side) -> RidgeOutcome {
    Ridge::<f64>::from_features(problem.x.view(), &problem.params, Some(side))
        .unwrap()
        .predict(problem.y.view())
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_definition_is_followed(
        seed in 0_u64..10_000, n_rows in 9_usize..24, n_features in 1_usize..14,
    ) {
        let problem = Problem::new(seed, n_rows, n_features, 3);
        let expected = problem.reference();
        prop_assume!(expected.margin > 1e-9);
        let found = problem.solve();
        prop_assert_eq!(found.alpha, expected.alpha);
        prop_assert_eq!(found.fold_alphas.is_some(), problem.params.nested);
        assert_close(&found.predictions, &expected.predictions, 1e-9);
    }

    #[test]
    fn both_sides_predict_the_same(
        seed in 0_u64..10_000, n_rows in 9_usize..24, n_features in 1_usize..30,
    ) {
        let problem = Problem::new(seed, n_rows, n_features, 3);
        prop_assume!(problem.reference().margin > 1e-9);
        let (primal, dual) = (on_side(&problem, Side::Primal), on_side(&problem, Side::Dual));
        prop_assert_eq!(primal.alpha, dual.alpha);
        assert_close(&primal.predictions, &dual.predictions, 1e-10);
    }

    #[test]
    fn the_order_of_rows_and_targets_does_not_matter(seed in 0_u64..10_000) {
        let mut problem = Problem::new(seed, 20, 6, 4);
        let folds: Vec<i64> = (0..20).map(|row| row * 3 % 4).collect();
        problem.params.folds = Folds::Given(folds.clone());
        prop_assume!(problem.reference().margin > 1e-9);
        let before = problem.solve();
        let rows: Vec<usize> = (0..20).map(|row| row * 13 % 20).collect();
        problem.x = problem.x.select(Axis(0), &rows);
        problem.y = problem.y.select(Axis(0), &rows).slice(s![.., ..;-1]).to_owned();
        problem.params.folds = Folds::Given(rows.iter().map(|&row| folds[row]).collect());
        let after = problem.solve();
        prop_assert!(before.alpha.iter().eq(after.alpha.iter().rev()));
        let expected = before.predictions.select(Axis(0), &rows).slice(s![.., ..;-1]).to_owned();
        assert_close(&after.predictions, &expected, 1e-11);
    }

    /// Features c times as large need penalties c² times as large.
    #[test]
    fn units_do_not_matter(seed in 0_u64..10_000, exponent in -30_i32..30) {
        let mut problem = Problem::new(seed, 16, 5, 3);
        let expected = problem.solve();
        let unit = 2_f64.powi(exponent);
        problem.x *= unit;
        problem.params.alphas.iter_mut().for_each(|alpha| *alpha *= unit * unit);
        let found = problem.solve();
        assert_close(&found.predictions, &expected.predictions, 1e-12);
        let problem = Problem { y: &problem.y * 1e-250, ..problem };
        let found = problem.solve();
        assert_close(&(found.predictions * 1e250), &expected.predictions, 1e-11);
        for (found, expected) in found.r2.iter().zip(&expected.r2) {
            prop_assert!((found - expected).abs() < 1e-10);
        }
    }

    #[test]
    fn endless_penalties_leave_the_mean(seed in 0_u64..10_000, n_features in 1_usize..30) {
        let mut problem = Problem::new(seed, 18, n_features, 3);
        problem.params = RidgeParams {
            alphas: vec![1e300],
            folds: Folds::Contiguous(3),
            ..RidgeParams::default()
        };
        let found = problem.solve();
        for fold in 0..3 {
            let rows = [0, 1, 2].into_iter().filter(|&f| f != fold);
            let parts: Vec<_> = rows.map(|f| problem.y.slice(s![6 * f..6 * f + 6, ..])).collect();
            let mean = concatenate(Axis(0), &parts).unwrap().mean_axis(Axis(0)).unwrap();
            let expected = Array2::from_shape_fn((6, 3), |(_, target)| mean[target]);
            let part = found.predictions.slice(s![6 * fold..6 * fold + 6, ..]).to_owned();
            assert_close(&part, &expected, 1e-12);
        }
        prop_assert!(found.r2.iter().all(|&r2| r2 <= 1e-12));
        problem.params.intercept = false;
        let found = problem.solve();
        prop_assert!(found.predictions.iter().all(|v| v.abs() < 1e-200));
    }
}

/// More targets than a chunk, in both widths, direct and factored.
#[test]
fn the_number_of_threads_and_pieces_changes_nothing() {
    for (n_rows, n_features, n_alphas) in [(30, 50, 3), (60, 4, 40)] {
        let mut problem = Problem::new(4, n_rows, n_features, 700);
        problem.params.alphas = (0..n_alphas).map(|k| 1.3_f64.powi(k)).collect();
        let narrow = (problem.x.mapv(|v| v as f32), problem.y.mapv(|v| v as f32));
        let run = |n_threads| {
            let pool = ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .unwrap();
            pool.install(|| {
                let (x, y) = (narrow.0.view(), narrow.1.view());
                (
                    problem.solve(),
                    ridge(x.into(), y.into(), &problem.params).unwrap(),
                )
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
        let model = Ridge::<f32>::prepare(narrow.0.view().into(), &problem.params).unwrap();
        for first in [256, 512] {
            let piece = model.predict(narrow.1.slice(s![.., first..])).unwrap();
            let expected = one.1.predictions.slice(s![.., first..]);
            assert_eq!(piece.predictions, expected);
            assert_eq!(piece.r, one.1.r[first..]);
        }
    }
}

#[test]
fn leave_one_out_is_a_fold_a_row() {
    let mut problem = Problem::new(1, 12, 3, 2);
    problem.params.folds = Folds::Contiguous(12);
    let expected = problem.reference();
    let found = problem.solve();
    assert_eq!(found.alpha, expected.alpha);
    assert_close(&found.predictions, &expected.predictions, 1e-10);
}

#[test]
fn constant_targets_have_no_score() {
    let mut problem = Problem::new(1, 15, 3, 4);
    problem.params.intercept = true;
    problem.y.column_mut(1).fill(0.1);
    problem.y.column_mut(3).fill(0.0);
    for nested in [false, true] {
        problem.params.nested = nested;
        let found = problem.solve();
        assert_eq!(found.constant, [1, 3]);
        assert_eq!((found.r[1], found.r2[1]), (0.0, 0.0));
        assert!(found.predictions.column(1).iter().all(|&v| v == 0.1));
        assert_eq!(found.alpha[1], 300.0, "of equals the largest");
        assert!(found.r.iter().chain(&found.r2).all(|v| v.is_finite()));
        assert_eq!(
            GridEnds::count(&found.alpha, &found.constant, &problem.params.alphas).n_largest,
            {
                let others = [found.alpha[0], found.alpha[2]];
                others.iter().filter(|&&a| a == 300.0).count()
            }
        );
    }
    problem.params.intercept = false;
    let found = problem.solve();
    assert_eq!((found.r[3], found.r2[3], found.r2[1]), (0.0, 0.0, 0.0));
}

#[test]
fn ends_of_the_grid_are_counted() {
    let mut problem = Problem::new(2, 30, 3, 5);
    let ends = |problem: &Problem| {
        let found = problem.solve();
        GridEnds::count(&found.alpha, &found.constant, &problem.params.alphas)
    };
    problem.params.alphas = vec![1e7, 1e6];
    assert_eq!(ends(&problem).n_smallest + ends(&problem).n_largest, 5);
    problem.params.alphas = vec![0.0, 1e-9];
    assert_eq!(ends(&problem).n_smallest, 0, "0 has nothing below it");
    problem.params.alphas = vec![1.0];
    assert_eq!(ends(&problem), GridEnds::default());
    let both = GridEnds {
        n_smallest: 1,
        n_largest: 2,
    }
    .and(GridEnds {
        n_smallest: 3,
        n_largest: 0,
    });
    assert_eq!(
        both,
        GridEnds {
            n_smallest: 4,
            n_largest: 2
        }
    );
}

#[test]
fn a_constant_feature_and_a_repeated_one_do_no_harm() {
    let problem = Problem::new(1, 20, 4, 2);
    let mut more = problem.clone();
    let ones = Array2::from_elem((20, 1), 7.0);
    more.x = concatenate(Axis(1), &[problem.x.view(), ones.view()]).unwrap();
    more.params.intercept = true;
    let mut fewer = problem;
    fewer.params.intercept = true;
    assert_close(&more.solve().predictions, &fewer.solve().predictions, 1e-12);
    more.x = concatenate(Axis(1), &[fewer.x.view(), fewer.x.view()]).unwrap();
    fewer
        .params
        .alphas
        .iter_mut()
        .for_each(|alpha| *alpha /= 2.0);
    assert_close(&more.solve().predictions, &fewer.solve().predictions, 1e-12);
}

#[test]
fn memory_grows_as_it_should() {
    let params = RidgeParams::default();
    let bytes = |n_rows, n_features, n_threads| {
        Ridge::<f32>::memory(n_rows, n_features, &params, n_threads).unwrap()
    };
    // The products of rows, half of them once more.
    assert!(bytes(20_000, 50_000, 1) > 1.5 * 8.0 * 20_000.0_f64.powi(2));
    assert!(bytes(1000, 4096, 2) < 0.4e9, "{}", bytes(1000, 4096, 2));
    assert!(bytes(1000, 4096, 2) < bytes(1000, 4096, 8));
    assert!(bytes(10_000, 10, 1) < bytes(10_000, 1000, 1));
    assert!(
        Ridge::<f64>::memory(3, 2, &params, 1).is_err(),
        "five folds of three rows"
    );
}
