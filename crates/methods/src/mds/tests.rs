use proptest::prelude::*;
use serde_json::Value;

use super::{MdsOutcome, MdsParams, mds};
use crate::MethodsError;

fn distances(points: &[[f64; 2]]) -> Vec<f64> {
    consilience_core::pairs::iter(points.len())
        .map(|(i, j)| (points[i][0] - points[j][0]).hypot(points[i][1] - points[j][1]))
        .collect()
}

fn map(rdm: &[f64]) -> MdsOutcome {
    mds(rdm, MdsParams::default()).unwrap()
}

#[test]
fn agrees_with_scikit_learn() {
    let document = include_str!("../../../../fixtures/mds/smacof.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let rdm: Vec<f64> = serde_json::from_value(case["rdm"].clone()).unwrap();
        let total: f64 = rdm.iter().map(|d| d * d).sum();
        let expected_stress = case["stress"].as_f64().unwrap() / total;
        let expected_fit = case["fit"].as_f64().unwrap();
        for (params, tolerance) in [
            (MdsParams::default(), 1e-4),
            (
                MdsParams {
                    max_iterations: 20_000,
                    tolerance: 1e-14,
                },
                1e-7,
            ),
        ] {
            let found = mds(&rdm, params).unwrap();
            assert!(found.converged, "{}", case["name"]);
            let off = (found.stress - expected_stress).abs();
            assert!(
                off <= tolerance * expected_stress + 1e-12,
                "{} {off}",
                case["name"]
            );
            let off = (found.fit.unwrap() - expected_fit).abs();
            assert!(off < 100.0 * tolerance, "{} {off}", case["name"]);
        }
    }
}

proptest! {
    /// Distances of points in the plane come back up to scale, whatever their pose.
    #[test]
    fn a_plane_is_recovered(points in prop::collection::vec(prop::array::uniform2(-5.0..5.0_f64), 3..20)) {
        let rdm = distances(&points);
        prop_assume!(rdm.iter().all(|&d| d > 0.1));
        let found = map(&rdm);
        let shown = distances(&found.points);
        let scale = rdm[0] / shown[0];
        for (shown, original) in shown.iter().zip(&rdm) {
            prop_assert!((shown * scale - original).abs() < 1e-6 * original.max(1.0));
        }
        prop_assert!(found.fit.is_none_or(|fit| fit > 1.0 - 1e-9));
        prop_assert!(found.stress < 1e-12);
    }

    #[test]
    fn maps_keep_their_conventions(
        rdm in (3..12_usize).prop_flat_map(|n| prop::collection::vec(-0.5..2.0_f64, n * (n - 1) / 2))
    ) {
        // Without a positive dissimilarity all points coincide.
        prop_assume!(rdm.iter().any(|&d| d > 0.0));
        let MdsOutcome { points, fit, stress, .. } = map(&rdm);
        let extreme = |axis: usize| {
            points.iter().map(|p| p[axis]).fold(0.0_f64, |m, v| if v.abs() > m.abs() { v } else { m })
        };
        prop_assert!((extreme(0).max(extreme(1)) - 1.0).abs() < 1e-12);
        prop_assert!(extreme(0) >= 0.0 && extreme(1) >= 0.0);
        let spread = |axis: usize| points.iter().map(|p| p[axis] * p[axis]).sum::<f64>();
        prop_assert!(spread(0) >= spread(1) * (1.0 - 1e-9));
        prop_assert!(fit.is_none_or(|fit| (0.0..=1.0).contains(&fit)));
        prop_assert!((0.0..=1.0).contains(&stress));
    }
}

#[test]
fn more_iterations_never_raise_the_stress() {
    let rdm: Vec<f64> = (0..66_u32).map(|i| f64::from(i * 37 % 19) / 10.0).collect();
    let stress = |max_iterations| {
        mds(
            &rdm,
            MdsParams {
                max_iterations,
                tolerance: 0.0,
            },
        )
        .unwrap()
        .stress
    };
    let course: Vec<f64> = (0..40).map(stress).collect();
    assert!(course.windows(2).all(|w| w[1] <= w[0] * (1.0 + 1e-12)));
    assert!(course[39] < 0.99 * course[0]);
    let cut = mds(
        &rdm,
        MdsParams {
            max_iterations: 2,
            tolerance: 0.0,
        },
    )
    .unwrap();
    assert!(!cut.converged);
    assert_eq!(cut.n_iterations, 2);
}

#[test]
fn degenerate_rdms_have_maps() {
    let pair = map(&[3.0]);
    assert_eq!(pair.fit, None);
    assert!((distances(&pair.points)[0] - 2.0).abs() < 1e-12);

    let same = map(&[0.0; 6]);
    assert_eq!(same.points, [[0.0; 2]; 4]);
    assert_eq!((same.fit, same.stress, same.converged), (None, 0.0, true));

    // Nothing but negative cross-validated distances: no structure to show.
    let negative = map(&[-1.0, -2.0, -3.0]);
    assert_eq!(negative.points, [[0.0; 2]; 3]);

    let simplex = map(&[1.0; 10]);
    assert_eq!(simplex.fit, None);

    let tiny = map(&[1e-200, 2e-200, 3e-200]);
    let huge = map(&[1e200, 2e200, 3e200]);
    for (tiny, huge) in tiny
        .points
        .iter()
        .flatten()
        .zip(huge.points.iter().flatten())
    {
        assert!((tiny - huge).abs() < 1e-6);
    }
}

#[test]
fn what_is_not_an_rdm_is_refused() {
    let refused = |rdm: &[f64]| mds(rdm, MdsParams::default()).unwrap_err();
    assert!(matches!(refused(&[1.0, 2.0]), MethodsError::Rdm(_)));
    assert!(matches!(refused(&[]), MethodsError::Rdm(_)));
    assert!(matches!(
        refused(&[1.0, 2.0, f64::NAN]),
        MethodsError::NonFinite {
            row: 1,
            column: 2,
            ..
        }
    ));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let rdm: Vec<f64> = (0..1_770_u32)
        .map(|i| f64::from(i * 7_919 % 997) / 500.0)
        .collect();
    let run = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| map(&rdm))
            .points
            .into_iter()
            .flatten()
            .map(f64::to_bits)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(2));
}
