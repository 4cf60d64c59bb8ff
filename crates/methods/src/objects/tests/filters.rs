//! Selected filters, lesions and random filters.

use std::collections::BTreeSet;

use consilience_stats::correlation::{pearson, spearman};
use ndarray::{Array2, array, s};
use proptest::prelude::*;

use super::super::{
    ClassRule, Cut, FilterSensitivity, RandomFilterParams, SelectParams, SensitivityParams,
    lesion_effect, random_filter_tests, random_filters, sensitive_filters,
};
use super::{PICTURE, normals, object};
use crate::behaviour::CorrelationKind;
use crate::group::Alternative;
use crate::rsa::Correction;

/// Four filters and three classes whose sensitivities are these.
fn known() -> FilterSensitivity {
    let values = array![
        [0.9, 0.1, 0.0],
        [0.2, 0.25, 0.0],
        [0.0, 0.7, 0.0],
        [0.4, 0.4, 0.0]
    ];
    let params = SensitivityParams {
        map: super::super::MapParams {
            scaling: super::super::Scaling::None,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut all = FilterSensitivity::new(4, 3, params).unwrap();
    for class in 0..2 {
        let maps = values
            .column(class)
            .mapv(|v: f64| v as f32)
            .into_shape_with_order((4, 1, 1));
        for _ in 0..=class {
            let box_of_all = [object(class, [0.0, 0.0, 100.0, 80.0])];
            all.add(maps.as_ref().unwrap().view(), PICTURE, &box_of_all)
                .unwrap();
        }
    }
    all
}

#[test]
fn filters_pass_by_rule_and_cut() {
    let all = known();
    let select = |category: &[usize], rule, cut, min_images| {
        let params = SelectParams {
            rule,
            cut,
            min_images,
        };
        sensitive_filters(&all, category, &params).unwrap()
    };
    let above = Cut::Above(0.3);
    assert_eq!(select(&[0], ClassRule::Any, above, 1).filters, [0, 3]);
    assert_eq!(select(&[0, 1], ClassRule::Any, above, 1).filters, [0, 2, 3]);
    // 0.5, 0.225, 0.35, 0.4
    assert_eq!(
        select(&[0, 1], ClassRule::Mean, above, 1).filters,
        [0, 2, 3]
    );
    assert_eq!(
        select(&[0, 1], ClassRule::Mean, Cut::Top(2), 1).filters,
        [0, 3]
    );
    assert_eq!(
        select(&[1], ClassRule::Any, Cut::TopShare(0.25), 1).filters,
        [2]
    );
    assert!(
        select(&[0], ClassRule::Any, Cut::Above(1.0), 1)
            .filters
            .is_empty()
    );
    let rare = select(&[0, 1, 2], ClassRule::Any, above, 2);
    assert_eq!((rare.classes, rare.left_out), (vec![1], vec![0, 2]));
    assert_eq!(rare.filters, [2, 3]);
    assert!((rare.sensitivity[2] - 0.7).abs() < 1e-6);
}

fn masked(x: &Array2<f64>, row: usize, mask: ndarray::ArrayView1<'_, bool>) -> Vec<f64> {
    (0..x.ncols())
        .filter(|&i| mask[i])
        .map(|i| x[[row, i]])
        .collect()
}

#[test]
fn effects_follow_the_definition() {
    let (intact, targets) = (normals(1, 5, 30), normals(2, 2, 30));
    let mut lesioned = &intact + &normals(3, 5, 30);
    let subsets = Array2::from_shape_fn((3, 30), |(s, i)| s == 0 || (s == 1) == (i < 12));
    // Constant over the last subset only.
    lesioned.slice_mut(s![4, 12..]).fill(0.25);
    for (kind, coefficient) in [
        (
            CorrelationKind::Pearson,
            pearson as fn(&[f64], &[f64]) -> Option<f64>,
        ),
        (CorrelationKind::Spearman, spearman),
    ] {
        let found = lesion_effect(
            intact.view(),
            lesioned.view(),
            targets.view(),
            subsets.view(),
            kind,
        )
        .unwrap();
        for ((subset, target), effect) in found.indexed_iter() {
            let mask = subsets.row(subset);
            let goal = masked(&targets, target, mask);
            let mut deltas = Vec::new();
            for model in 0..5 {
                let r = coefficient(&masked(&intact, model, mask), &goal).unwrap();
                let Some(after) = coefficient(&masked(&lesioned, model, mask), &goal) else {
                    assert_eq!((subset, model), (2, 4));
                    let why = effect.models[model].unwrap_err().to_string();
                    assert!(
                        why.contains("with the lesion: the prediction is the same"),
                        "{why}"
                    );
                    continue;
                };
                let found = effect.models[model].unwrap();
                assert!((found.r - r).abs() < 1e-12 && (found.r_lesioned - after).abs() < 1e-12);
                deltas.push(after - r);
            }
            let n = deltas.len() as f64;
            let mean = deltas.iter().sum::<f64>() / n;
            let variance = deltas.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let delta = effect.delta.unwrap();
            assert!((delta.mean - mean).abs() < 1e-12);
            assert!((delta.sd.unwrap() - variance.sqrt()).abs() < 1e-12);
            let of_means = effect.r_lesioned.unwrap().mean - effect.r.unwrap().mean;
            assert!((delta.mean - of_means).abs() < 1e-12);
        }
    }
}

#[test]
fn a_constant_output_has_no_effect_at_all() {
    let (intact, targets) = (normals(4, 1, 9), normals(5, 1, 9));
    let all = Array2::from_elem((1, 9), true);
    let silent = Array2::zeros((1, 9));
    let effect = |a: &Array2<f64>, b: &Array2<f64>| {
        let kind = CorrelationKind::Pearson;
        lesion_effect(a.view(), b.view(), targets.view(), all.view(), kind).unwrap()[[0, 0]].clone()
    };
    for (a, b) in [(&intact, &silent), (&silent, &intact)] {
        let found = effect(a, b);
        assert!(found.models[0].is_err() && found.delta.is_none() && found.r.is_none());
    }
    let same = effect(&intact, &intact);
    assert_eq!(same.delta.unwrap().mean, 0.0);
    assert_eq!(same.delta.unwrap().sd, None);
}

proptest! {
    #[test]
    fn random_sets_are_sets(n in 2..60_usize, seed in any::<u64>(), share in 0.0..1.0_f64) {
        let n_selected = 1 + (share * (n as f64 - 1.0)) as usize;
        prop_assume!(n_selected < n);
        let selected: Vec<usize> = (0..n_selected).collect();
        for only_others in [false, true] {
            if only_others && 2 * n_selected > n {
                prop_assert!(random_filters(n, &selected, 3, true, seed).is_err());
                continue;
            }
            let sets = random_filters(n, &selected, 20, only_others, seed).unwrap();
            prop_assert_eq!(&sets, &random_filters(n, &selected, 20, only_others, seed).unwrap());
            // A set does not depend on how many are drawn.
            prop_assert_eq!(&sets[..5], &random_filters(n, &selected, 5, only_others, seed).unwrap()[..]);
            for set in &sets {
                let different: BTreeSet<usize> = set.iter().copied().collect();
                prop_assert_eq!(different.len(), n_selected);
                prop_assert!(set.is_sorted() && set.iter().all(|&f| f < n));
                prop_assert!(!only_others || set.iter().all(|&f| f >= n_selected));
            }
        }
    }

    #[test]
    fn one_sided_p_add_up(random in prop::collection::vec(-3..4_i8, 1..30), delta in -3..4_i8) {
        let random: Vec<Option<f64>> = random.iter().map(|&v| Some(f64::from(v))).collect();
        let delta = f64::from(delta);
        let p = |alternative| {
            let params = RandomFilterParams { alternative, ..RandomFilterParams::default() };
            let random = Array2::from_shape_vec((1, random.len()), random.clone()).unwrap();
            random_filter_tests(&[Some(delta)], random.view(), &params).unwrap()[0].unwrap().p
        };
        let count = |f: &dyn Fn(f64) -> bool| random.iter().flatten().filter(|&&v| f(v)).count() as f64;
        let n = random.len() as f64;
        let (greater, less) = ((1.0 + count(&|v| v >= delta)) / (1.0 + n), (1.0 + count(&|v| v <= delta)) / (1.0 + n));
        prop_assert_eq!(p(Alternative::Greater), greater);
        prop_assert_eq!(p(Alternative::Less), less);
        prop_assert_eq!(p(Alternative::TwoSided), (2.0 * greater.min(less)).min(1.0));
    }
}

#[test]
fn undefined_random_lesions_are_left_out_and_counted() {
    let random = array![
        [Some(0.1), None, Some(-0.2), Some(0.3)],
        [None, None, None, None],
        [Some(0.0), Some(0.0), Some(0.0), Some(0.0)],
    ];
    let params = RandomFilterParams {
        correction: Correction::Bonferroni,
        ..RandomFilterParams::default()
    };
    let found = random_filter_tests(&[Some(0.4), Some(0.1), None], random.view(), &params).unwrap();
    let first = found[0].unwrap();
    assert_eq!((first.p, first.n_random, first.n_undefined), (0.5, 3, 1));
    assert_eq!(first.p_corrected, Some(0.5));
    assert!((first.mean - 0.2 / 3.0).abs() < 1e-15);
    assert!(
        found[1]
            .unwrap_err()
            .to_string()
            .contains("all 4 random lesions")
    );
    assert!(found[2].unwrap_err().to_string().contains("is undefined"));
}
