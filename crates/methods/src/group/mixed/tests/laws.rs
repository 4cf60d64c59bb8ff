//! What must hold for any table.

use ndarray::{Array2, Axis};
use proptest::prelude::*;

use super::super::{MixedModel, MixedTest, mixed_model};
use super::{OMIT, close, run, scores, with_gaps};
use crate::group::{GroupParams, group_tests};

fn same(a: &MixedTest, b: &MixedTest, tolerance: f64) -> bool {
    let numbers = |t: &MixedTest| {
        [
            t.estimate,
            t.sem,
            t.interval[0],
            t.interval[1],
            t.t,
            t.dof,
            t.p,
        ]
    };
    numbers(a)
        .iter()
        .zip(numbers(b))
        .all(|(a, b)| close(*a, b, tolerance))
}

fn differences(found: &MixedModel) -> Vec<&MixedTest> {
    found.pairs.iter().map(|pair| &pair.test).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Two models without gaps: the paired t-test, where subjects differ.
    #[test]
    fn two_models_are_a_paired_test(index in 0..1000_u64, n in 3..20_usize, sd in 0.5..4.0_f64) {
        let table = scores(index, 2, n, sd, 0.4);
        let found = run(&table);
        let paired = group_tests(table.view(), &GroupParams::default()).unwrap().pairs[0].test.student.unwrap();
        if !found.at_boundary {
            let test = found.pairs[0].test;
            prop_assert!(close(test.t, paired.t, 1e-9) && close(test.dof, paired.dof, 1e-7));
            prop_assert!(close(test.p, paired.p, 1e-8));
            prop_assert!(close(test.interval[0], paired.interval[0], 1e-8));
        }
    }

    /// Without gaps the variances are those of the mean squares of two-way analysis of variance.
    #[test]
    fn complete_tables_are_analysed_by_mean_squares(
        index in 0..1000_u64, n_models in 2..6_usize, n in 3..15_usize, sd in 0.0..3.0_f64,
    ) {
        let table = scores(index, n_models, n, sd, 0.2);
        let found = run(&table);
        let (m, count) = (n_models as f64, n as f64);
        let of_models = table.mean_axis(Axis(1)).unwrap();
        let of_subjects = table.mean_axis(Axis(0)).unwrap();
        let mean = table.mean().unwrap();
        let between = of_subjects.iter().map(|v| m * (v - mean).powi(2)).sum::<f64>();
        let within = table
            .indexed_iter()
            .map(|((i, j), v)| (v - of_models[i] - of_subjects[j] + mean).powi(2))
            .sum::<f64>();
        let free = (m - 1.0) * (count - 1.0);
        let squares = [between / (count - 1.0), within / free];
        prop_assert_eq!(found.at_boundary, squares[0] <= squares[1]);
        let residual = if found.at_boundary { (between + within) / (m * (count - 1.0)) } else { squares[1] };
        let subjects = if found.at_boundary { 0.0 } else { (squares[0] - squares[1]) / m };
        prop_assert!(close(found.residual_variance, residual, 1e-9) && close(found.subject_variance, subjects, 1e-9));
        prop_assert_eq!(found.at_boundary, found.notes.iter().any(|note| note.contains("end of its range")));
        prop_assert!((0.0..1.0).contains(&found.icc));
        for (test, expected) in found.models.iter().zip(&of_models) {
            prop_assert!(close(test.estimate, *expected, 1e-10));
            prop_assert!(close(test.sem, ((residual + subjects) / count).sqrt(), 1e-9));
        }
        for test in differences(&found) {
            prop_assert!(close(test.sem, (2.0 * residual / count).sqrt(), 1e-9) && close(test.dof, free, 1e-7));
        }
    }

    #[test]
    fn the_order_of_subjects_has_no_say(index in 0..1000_u64, n in 4..12_usize, missing in 0.0..0.3_f64, turn in 1..4_usize) {
        let table = with_gaps(scores(index, 4, n, 1.0, 0.2), index, missing);
        let turned = table.select(Axis(1), &(0..n).map(|i| (i + turn) % n).collect::<Vec<_>>());
        let [a, b] = [&table, &turned].map(|table| mixed_model(table.view(), &[], &OMIT));
        let (Ok(a), Ok(b)) = (a, b) else { return Ok(()) };
        prop_assert!(a.models.iter().zip(&b.models).all(|(a, b)| same(a, b, 1e-7)));
        prop_assert!(differences(&a).iter().zip(differences(&b)).all(|(a, b)| same(a, b, 1e-7)));
    }

    /// In a complete table a subject's level says nothing of differences.
    #[test]
    fn levels_of_subjects_leave_differences_alone(index in 0..1000_u64, n in 4..12_usize, level in 1.0..50.0_f64) {
        let table = scores(index, 4, n, 2.0, 0.2);
        let mut moved = table.clone();
        moved.column_mut(0).mapv_inplace(|v| v + level);
        moved.column_mut(1).mapv_inplace(|v| v - level);
        let (a, b) = (run(&table), run(&moved));
        prop_assume!(!a.at_boundary && !b.at_boundary);
        prop_assert!(differences(&a).iter().zip(differences(&b)).all(|(a, b)| same(a, b, 1e-6)));
    }

    /// Another unit and another level change what they should.
    #[test]
    fn units_and_levels(index in 0..1000_u64, missing in 0.0..0.3_f64, unit in 1e-6..1e6_f64, level in -5.0..5.0_f64) {
        let table = with_gaps(scores(index, 3, 9, 1.0, 0.2), index, missing);
        let moved = &table * unit + level * unit;
        let (a, b) = (run(&table), run(&moved));
        prop_assert!(close(a.icc, b.icc, 1e-8) && close(a.residual_variance * unit * unit / b.residual_variance, 1.0, 1e-8));
        for (a, b) in a.models.iter().zip(&b.models) {
            prop_assert!(close(a.estimate + level, b.estimate / unit, 1e-9) && close(a.sem, b.sem / unit, 1e-8));
        }
        for (a, b) in differences(&a).into_iter().zip(differences(&b)) {
            prop_assert!(close(a.t, b.t, 1e-7) && close(a.dof, b.dof, 1e-6) && close(a.p_corrected, b.p_corrected, 1e-7));
        }
    }

    /// What a covariate adds is taken off by its slope.
    #[test]
    fn a_covariate_takes_what_it_adds(index in 0..1000_u64, missing in 0.0..0.3_f64, slope in -3.0..3.0_f64) {
        let covariate = scores(index + 5000, 3, 10, 0.5, 0.3) + 7.0;
        let table = with_gaps(scores(index, 3, 10, 1.0, 0.2), index, missing);
        let of = |table: &Array2<f64>| mixed_model(table.view(), &[covariate.view()], &OMIT).unwrap();
        let (a, b) = (of(&table), of(&(&table + &covariate * slope)));
        prop_assert!(close(a.covariates[0].estimate + slope, b.covariates[0].estimate, 1e-8));
        prop_assert!(close(a.icc, b.icc, 1e-7) && close(a.ln_likelihood, b.ln_likelihood, 1e-8));
        prop_assert!(differences(&a).iter().zip(differences(&b)).all(|(a, b)| same(a, b, 1e-7)));
    }
}

/// Subjects with a single score still say something of their model.
#[test]
fn single_scores_count() {
    let mut table = scores(1, 2, 12, 1.0, 0.5);
    for subject in 0..6 {
        table[[subject % 2, subject]] = f64::NAN;
    }
    let found = run(&table);
    let (all, pairs) = (found.pairs[0].test.sem, {
        let complete = table.slice(ndarray::s![.., 6..]).to_owned();
        run(&complete).pairs[0].test
    });
    assert_eq!(
        (found.n_scores, found.n_missing, found.n_subjects),
        (18, 6, 12)
    );
    assert!(all.is_finite() && pairs.dof < found.pairs[0].test.dof);
    assert!(
        found.notes[0].contains("6 of 24 scores are missing"),
        "{:?}",
        found.notes
    );
}
