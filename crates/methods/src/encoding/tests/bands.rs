//! Bands of features and partitions of variance.

use ndarray::{Array2, Axis, array, concatenate, s};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

use super::problem::{Problem, assert_close};
use crate::encoding::{
    BandedOutcome, BandedParams, PartitionBy, RidgeParams, banded, commonality, partition, ridge,
};

/// The features of a problem in two bands, the first of two columns.
fn in_bands(problem: &Problem, params: &BandedParams) -> BandedOutcome {
    let (first, second) = problem.x.view().split_at(Axis(1), 2);
    banded(
        &[first.into(), second.into()],
        problem.y.view().into(),
        params,
    )
    .unwrap()
}

fn params(problem: &Problem) -> BandedParams {
    BandedParams {
        alphas: problem.params.alphas.clone(),
        folds: problem.params.folds.clone(),
        intercept: problem.params.intercept,
        n_samples: 6,
        ..BandedParams::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Features times the roots of their shares, one penalty for all.
    #[test]
    fn given_shares_are_scaled_features(
        seed in 0_u64..10_000, n_features in 3_usize..30, share in 0.01..0.99_f64,
    ) {
        let mut problem = Problem::new(seed, 20, n_features, 3);
        problem.params.nested = false;
        let bands = BandedParams {
            shares: Some(array![[share, 1.0 - share]]),
            ..params(&problem)
        };
        let found = in_bands(&problem, &bands);
        let mut scaled = problem.clone();
        scaled.x.slice_mut(s![.., ..2]).mapv_inplace(|v| v * share.sqrt());
        scaled.x.slice_mut(s![.., 2..]).mapv_inplace(|v| v * (1.0 - share).sqrt());
        prop_assume!(scaled.reference().margin > 1e-9);
        let expected = scaled.solve();
        prop_assert_eq!(found.alpha, expected.alpha);
        assert_close(&found.predictions, &expected.predictions, 1e-9);
    }

    #[test]
    fn parts_add_up_and_more_samples_never_predict_worse(seed in 0_u64..10_000) {
        let problem = Problem::new(seed, 18, 5, 4);
        let mut params = params(&problem);
        let mut best: Option<Vec<f64>> = None;
        for n_samples in [1, 3, 12] {
            params.n_samples = n_samples;
            let found = in_bands(&problem, &params);
            for (t, r2) in found.r2.iter().enumerate() {
                let sum = found.product_measure.column(t).sum() + found.baseline[t];
                prop_assert!((sum - r2).abs() < 1e-10, "{} {}", sum, r2);
                prop_assert!((found.shares.column(t).sum() - 1.0).abs() < 1e-12);
                prop_assert!(!problem.params.intercept || found.baseline[t] <= 1e-12);
            }
            if let Some(before) = best {
                prop_assert!(found.r2.iter().zip(before).all(|(now, before)| *now >= before - 1e-12));
            }
            best = Some(found.r2);
        }
    }

    #[test]
    fn parts_of_sets_are_inclusion_and_exclusion(values in prop::collection::vec(-1.0..1.0_f64, 7)) {
        let r2 = Array2::from_shape_vec((7, 1), values).unwrap();
        let (parts, shapley) = commonality(r2.view());
        let of = |subset: usize| if subset == 0 { 0.0 } else { r2[[subset - 1, 0]] };
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        prop_assert!(close(parts.sum(), of(7)));
        prop_assert!(close(shapley.sum(), of(7)));
        // Sets 0, 1, 2 are the bits 1, 2, 4.
        prop_assert!(close(parts[[0, 0]], of(7) - of(6)), "unique to the first");
        prop_assert!(close(parts[[2, 0]], of(5) + of(6) - of(4) - of(7)), "common to the first two");
        let all = of(1) + of(2) + of(4) - of(3) - of(5) - of(6) + of(7);
        prop_assert!(close(parts[[6, 0]], all));
        // What a set explains alone is the sum of the parts that it has a share in.
        let alone: f64 = [0, 2, 4, 6].iter().map(|&row| parts[[row, 0]]).sum();
        prop_assert!(close(alone, of(1)));
        // The mean over all orders of what the first set adds.
        let orders = (2.0 * of(1) + (of(3) - of(2)) + (of(5) - of(4)) + 2.0 * (of(7) - of(6))) / 6.0;
        prop_assert!(close(shapley[[0, 0]], orders));
    }
}

#[test]
fn a_band_that_matters_gets_the_share() {
    let mut problem = Problem::new(2, 60, 12, 1);
    let signal = problem.x.column(0).to_owned() - problem.x.column(1);
    problem.y.column_mut(0).assign(&signal);
    let params = BandedParams {
        n_samples: 40,
        ..BandedParams::default()
    };
    let found = in_bands(&problem, &params);
    assert!(found.shares[[0, 0]] > 0.9, "{}", found.shares);
    assert!(
        found.product_measure[[0, 0]] > 0.9,
        "{}",
        found.product_measure
    );
    assert!(found.product_measure[[1, 0]].abs() < 0.05);
}

#[test]
fn neither_threads_nor_constant_targets_matter_to_bands() {
    let mut problem = Problem::new(5, 20, 9, 300);
    problem.y.column_mut(7).fill(3.0);
    let params = BandedParams {
        intercept: true,
        ..params(&problem)
    };
    let run = |n_threads| {
        let pool = ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| in_bands(&problem, &params))
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one.constant, [7]);
    assert_eq!((one.r2[7], one.baseline[7]), (0.0, 0.0));
    assert!(
        one.product_measure
            .iter()
            .chain(&one.r)
            .all(|v| v.is_finite())
    );
    let other = in_bands(
        &problem,
        &BandedParams {
            seed: 2,
            ..params.clone()
        },
    );
    assert_ne!(one.shares, other.shares);
}

#[test]
fn sets_that_share_nothing_explain_on_their_own() {
    let problem = Problem::new(2, 40, 6, 3);
    let mut sets = [
        problem.x.slice(s![.., ..2]).to_owned(),
        problem.x.slice(s![.., 2..]).to_owned(),
    ];
    for by in [
        PartitionBy::Adjusted,
        PartitionBy::CrossValidated(RidgeParams::default()),
    ] {
        let found = partition(&[sets[0].view(), sets[1].view()], problem.y.view(), &by).unwrap();
        assert_close(
            &found.parts.sum_axis(Axis(0)).insert_axis(Axis(0)),
            &found.r2.slice(s![2..3, ..]).to_owned(),
            1e-12,
        );
        assert_eq!(found.parts.row(0), &found.r2.row(2) - &found.r2.row(1));
    }
    let whole = ridge(
        problem.x.view().into(),
        problem.y.view().into(),
        &RidgeParams::default(),
    );
    let found = partition(
        &[sets[0].view(), sets[1].view()],
        problem.y.view(),
        &PartitionBy::CrossValidated(RidgeParams::default()),
    );
    let whole = Array2::from_shape_vec((1, 3), whole.unwrap().r2).unwrap();
    assert_close(
        &found.unwrap().r2.slice(s![2..3, ..]).to_owned(),
        &whole,
        1e-12,
    );
    // The same set twice has nothing of its own.
    sets[1] = sets[0].clone();
    let by = PartitionBy::CrossValidated(RidgeParams {
        alphas: vec![1e-6],
        ..RidgeParams::default()
    });
    let found = partition(&[sets[0].view(), sets[1].view()], problem.y.view(), &by).unwrap();
    assert!(
        found
            .parts
            .slice(s![..2, ..])
            .iter()
            .all(|v| v.abs() < 1e-6)
    );
}

#[test]
fn bands_and_sets_that_cannot_be_used_are_refused() {
    let problem = Problem::new(2, 12, 4, 2);
    let (x, y) = (problem.x.view(), problem.y.view());
    let refused = |change: fn(&mut BandedParams)| {
        let mut params = BandedParams::default();
        change(&mut params);
        banded(&[x.into(), x.into()], y.into(), &params)
            .unwrap_err()
            .to_string()
    };
    let message = refused(|p| p.alphas = vec![1.0, 0.0]);
    assert!(message.contains("alpha 1"), "{message}");
    let message = refused(|p| p.shares = Some(array![[0.5, 0.5], [0.0, 0.0]]));
    assert!(message.contains("row 1"), "{message}");
    let message = refused(|p| p.shares = Some(array![[1.0]]));
    assert!(message.contains("not 2 finite"), "{message}");
    let message = refused(|p| p.concentrations = vec![0.0]);
    assert!(message.contains("concentrations"), "{message}");
    let message = refused(|p| p.n_samples = 0);
    assert!(message.contains("samples"), "{message}");
    let message = banded(&[], y.into(), &BandedParams::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("bands of features"), "{message}");
    let short = Array2::<f64>::zeros((11, 2));
    let message = banded(&[short.view().into()], y.into(), &BandedParams::default()).unwrap_err();
    assert!(
        message.to_string().contains("expected 12, found 11"),
        "{message}"
    );

    let by = PartitionBy::Adjusted;
    let message = partition(&[x], y, &by).unwrap_err().to_string();
    assert!(message.contains("at least 2"), "{message}");
    let message = partition(&[x, x], y, &by).unwrap_err().to_string();
    assert!(message.contains("rank 4 in 8 columns"), "{message}");
    let wide = concatenate(Axis(1), &[x, x, x]).unwrap();
    let message = partition(&[x, wide.view()], y, &by)
        .unwrap_err()
        .to_string();
    assert!(message.contains("adjusted"), "{message}");
    assert!(
        partition(&[x; 11], y, &by)
            .unwrap_err()
            .to_string()
            .contains("at most 10")
    );
}
