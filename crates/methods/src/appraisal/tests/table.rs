//! Tables of correlations and differences against their parts.

use consilience_core::DifferenceOf;
use consilience_stats::correlation::pearson;
use ndarray::{Array2, Array3, Axis, s};
use proptest::prelude::*;

use super::stream;
use crate::appraisal::{AppraisalOutcome, AppraisalParams, TargetCeiling, appraisal};
use crate::behaviour::{
    CorrelationKind, DifferenceParams, dependent_difference, independent_difference,
};
use crate::rsa::Correction;

/// Ratings of 3 raters in 4 runs and 2 targets, over 30 pictures.
fn study(seed: u64) -> (Array3<f64>, Array2<f64>, Vec<Vec<usize>>) {
    let mut stream = stream(seed);
    let truth: Vec<f64> = (0..30).map(|_| stream.normal()).collect();
    let predictions = Array3::from_shape_fn((4, 3, 30), |(_, rater, i)| {
        truth[i] * rater as f64 + 1.5 * stream.normal()
    });
    let targets = Array2::from_shape_fn((2, 30), |(_, i)| truth[i] + stream.normal());
    let subsets = vec![(0..30).collect(), (0..12).collect(), (12..30).collect()];
    (predictions, targets, subsets)
}

fn params() -> AppraisalParams {
    AppraisalParams {
        permutations: 200,
        compared: vec![2, 0],
        ..AppraisalParams::default()
    }
}

fn solve(seed: u64, params: &AppraisalParams) -> AppraisalOutcome {
    let (predictions, targets, subsets) = study(seed);
    let mut ceilings = Array2::from_elem((3, 2), None);
    ceilings[[0, 1]] = Some(TargetCeiling {
        correlation: 0.95,
        interval: None,
    });
    appraisal(
        predictions.view(),
        targets.view(),
        &subsets,
        ceilings.view(),
        params,
    )
    .unwrap()
}

#[test]
fn tables_are_made_of_their_parts() {
    let (predictions, targets, subsets) = study(1);
    let found = solve(1, &params());
    let mean = predictions.mean_axis(Axis(0)).unwrap();
    assert_eq!(found.correlations.len(), 3 * 3 * 2);
    for (at, cell) in found.correlations.iter().enumerate() {
        assert_eq!(
            [cell.subset, cell.rater, cell.target],
            [at / 6, at / 2 % 3, at % 2]
        );
        let those = |row: ndarray::ArrayView1<'_, f64>| -> Vec<f64> {
            subsets[cell.subset].iter().map(|&i| row[i]).collect()
        };
        let target = those(targets.row(cell.target));
        let runs: Vec<f64> = (0..4)
            .map(|run| {
                pearson(&those(predictions.slice(s![run, cell.rater, ..])), &target).unwrap()
            })
            .collect();
        let average = runs.iter().sum::<f64>() / 4.0;
        for (a, b) in cell.runs.iter().zip(&runs) {
            assert!((a.unwrap() - b).abs() < 1e-12);
        }
        assert!((cell.mean.unwrap() - average).abs() < 1e-12);
        let square: f64 = runs.iter().map(|r| (r - average).powi(2)).sum();
        assert!((cell.sd.unwrap() - (square / 3.0).sqrt()).abs() < 1e-12);
        let of_mean = pearson(&those(mean.row(cell.rater)), &target).unwrap();
        assert!((cell.of_mean.unwrap() - of_mean).abs() < 1e-12);
        assert_eq!(cell.n, target.len());
        assert_eq!(
            cell.p_ceiling.is_some(),
            cell.subset == 0 && cell.target == 1
        );
        assert!(cell.p_corrected >= cell.p_permutation && cell.p.is_some() && cell.note.is_none());
    }
    // Two halves for each of 3 raters and 2 targets; one pair of raters for 3 subsets and 2 targets.
    let (subsets_of, raters_of): (Vec<_>, Vec<_>) = found
        .differences
        .iter()
        .partition(|d| d.of == DifferenceOf::Subsets);
    assert_eq!((subsets_of.len(), raters_of.len()), (6, 6));
    let none = DifferenceParams::default();
    for d in subsets_of {
        assert_eq!([d.first, d.second], [1, 2]);
        let parts = [0..12, 12..30].map(|range| {
            [mean.row(d.within), targets.row(d.target)]
                .map(|row| row.slice(s![range.clone()]).to_vec())
        });
        let [a, b] = &parts;
        let expected = independent_difference([&a[0], &a[1]], [&b[0], &b[1]], &none)
            .unwrap()
            .unwrap();
        assert_eq!(
            (d.difference, d.p),
            (Some(expected.difference), Some(expected.p))
        );
        assert_eq!(d.interval, Some(expected.interval));
    }
    for d in raters_of {
        assert_eq!([d.first, d.second], [2, 0]);
        let those = |row: ndarray::ArrayView1<'_, f64>| -> Vec<f64> {
            subsets[d.within].iter().map(|&i| row[i]).collect()
        };
        let [x, y] = [2, 0].map(|rater| those(mean.row(rater)));
        let target = those(targets.row(d.target));
        let expected = dependent_difference(&x, &y, &target, &none)
            .unwrap()
            .unwrap();
        assert_eq!(
            (d.difference, d.p),
            (Some(expected.difference), Some(expected.p))
        );
        assert!(d.p_corrected >= d.p);
    }
}

#[test]
fn kinds_are_corrected_on_their_own() {
    let bonferroni = AppraisalParams {
        correction: Correction::Bonferroni,
        permutations: 0,
        ..params()
    };
    let found = solve(3, &bonferroni);
    for cell in &found.correlations {
        let expected = (cell.p.unwrap() * 18.0).min(1.0);
        assert!((cell.p_corrected.unwrap() - expected).abs() < 1e-12);
    }
    for d in &found.differences {
        let expected = (d.p.unwrap() * 6.0).min(1.0);
        assert!((d.p_corrected.unwrap() - expected).abs() < 1e-12);
    }
    let uncorrected = AppraisalParams {
        correction: Correction::None,
        ..bonferroni
    };
    let found = solve(3, &uncorrected);
    assert!(found.correlations.iter().all(|c| c.p_corrected == c.p));
}

#[test]
fn what_is_undefined_says_why() {
    let (mut predictions, targets, _) = study(2);
    predictions.slice_mut(s![.., 1, ..]).fill(3.0);
    let subsets = [vec![0, 1, 2], (3..30).collect(), vec![]];
    let ceiling = TargetCeiling {
        correlation: 0.9,
        interval: None,
    };
    let ceilings = Array2::from_elem((3, 2), Some(ceiling));
    let params = AppraisalParams {
        compared: vec![0, 1],
        ..params()
    };
    let found = appraisal(
        predictions.view(),
        targets.view(),
        &subsets,
        ceilings.view(),
        &params,
    )
    .unwrap();
    for cell in &found.correlations {
        let undefined = cell.rater == 1 || cell.subset == 2;
        assert_eq!(cell.note.is_some(), undefined, "{cell:?}");
        assert_eq!(cell.of_mean.is_none(), undefined);
        assert_eq!(cell.runs.iter().all(Option::is_none), undefined);
    }
    assert!(
        found
            .differences
            .iter()
            .all(|d| d.note.is_some() == d.p.is_none())
    );
    assert!(found.differences.iter().any(|d| d.note.is_some()));
    // The correlations over 3 pictures.
    assert!(found.notes[0].starts_with("4 of 18"), "{:?}", found.notes);
}

#[test]
fn wrong_input_is_named() {
    let (predictions, targets, subsets) = study(2);
    let none = Array2::from_elem((3, 2), None);
    let message = |ceilings: &Array2<Option<TargetCeiling>>, compared: &[usize], n_runs: usize| {
        let params = AppraisalParams {
            compared: compared.to_vec(),
            ..params()
        };
        let predictions = predictions.slice(s![..n_runs, .., ..]);
        let found = appraisal(
            predictions,
            targets.view(),
            &subsets,
            ceilings.view(),
            &params,
        );
        found.unwrap_err().to_string()
    };
    let mut bad = none.clone();
    bad[[2, 1]] = Some(TargetCeiling {
        correlation: f64::NAN,
        interval: None,
    });
    for (found, part) in [
        (message(&bad, &[], 4), "target 1 over subset 2"),
        (
            message(&none, &[0, 3], 4),
            "rater 3 to be compared (counted from 0) is not there",
        ),
        (message(&none, &[0, 0], 4), "is named twice"),
        (
            message(&Array2::from_elem((1, 2), None), &[], 4),
            "expected 3, found 1",
        ),
        (
            message(&Array2::from_elem((3, 1), None), &[], 4),
            "expected 2, found 1",
        ),
        (message(&none, &[], 0), "runs"),
    ] {
        assert!(found.contains(part), "{found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// Units of ratings and targets, and the order of runs, change nothing.
    #[test]
    fn correlations_have_no_units(seed in 0_u64..1000, spearman in any::<bool>()) {
        let (predictions, targets, subsets) = study(seed);
        let params = AppraisalParams {
            correlation: if spearman { CorrelationKind::Spearman } else { CorrelationKind::Pearson },
            permutations: 20,
            ..params()
        };
        let none = Array2::from_elem((3, 2), None);
        let solve = |p: &Array3<f64>, t: &Array2<f64>| {
            appraisal(p.view(), t.view(), &subsets, none.view(), &params).unwrap()
        };
        let found = solve(&predictions, &targets);
        prop_assert_eq!(&found, &solve(&predictions, &targets));
        let mut moved = predictions.mapv(|v| 3.0 * v - 1.0);
        moved.invert_axis(Axis(0));
        let other = solve(&moved, &targets.mapv(|v| v / 7.0 + 2.0));
        for (a, b) in found.correlations.iter().zip(&other.correlations) {
            prop_assert!((a.of_mean.unwrap() - b.of_mean.unwrap()).abs() < 1e-9);
            prop_assert!((a.mean.unwrap() - b.mean.unwrap()).abs() < 1e-9);
        }
        for (a, b) in found.differences.iter().zip(&other.differences) {
            prop_assert!((a.p.unwrap() - b.p.unwrap()).abs() < 1e-6);
        }
    }
}
