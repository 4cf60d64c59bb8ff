//! Choosing the next trial.

use proptest::prelude::*;

use super::super::{ArrangementParams, NextParams, fit, next_trial};
use super::simulated;
use crate::{MethodsError, NanPolicy};

#[test]
fn a_session_goes_on_until_all_pairs_have_evidence() {
    let n_items = 9;
    let (all, truth) = simulated(n_items, &[n_items], 0.0, 4);
    let params = NextParams::default();
    let mut placed = Vec::new();
    let mut next = next_trial(&[f64::NAN; 36], &[0.0; 36], &params).unwrap();
    assert_eq!(next.items, (0..n_items).collect::<Vec<_>>());
    let mut weakest = Vec::new();
    while !next.enough && placed.len() < 60 {
        // The subject fills the arena with whatever is shown.
        let whole = &all.trials()[0];
        let shown: Vec<[f64; 2]> = next.items.iter().map(|&i| whole.positions[i]).collect();
        let one = super::trials(n_items, &[(next.items.clone(), shown.clone())]);
        let largest = one.trials()[0].distances().fold(0.0, f64::max);
        let filled = shown.iter().map(|p| p.map(|v| v / largest)).collect();
        placed.push((next.items.clone(), filled));
        let found = fit(
            &super::trials(n_items, &placed),
            &ArrangementParams {
                unseen: NanPolicy::Omit,
                ..ArrangementParams::default()
            },
        )
        .unwrap();
        next = next_trial(&found.vector, &found.evidence, &params).unwrap();
        weakest.push(next.weakest);
    }
    assert!(next.enough, "{weakest:?}");
    assert!(weakest.windows(2).all(|w| w[1] >= w[0]));
    let sizes: Vec<usize> = placed.iter().map(|p| p.0.len()).collect();
    assert!(
        sizes[1..].iter().all(|&size| (3..n_items).contains(&size)),
        "{sizes:?}"
    );
    assert_eq!(truth.len(), 36);
}

#[test]
fn a_trial_can_be_scaled_to_the_others() {
    // Items 0, 1 and 2 were arranged, 3 and 4 were not.
    let mut evidence = [0.0; 10];
    for k in [0, 1, 4] {
        evidence[k] = 0.3;
    }
    let next = next_trial(&[1.0; 10], &evidence, &NextParams::default()).unwrap();
    let known = next.items.iter().filter(|&&i| i < 3).count();
    assert!(known >= 2 && next.items.len() > known, "{:?}", next.items);
    assert_eq!((next.weakest, next.enough), (0.0, false));
}

#[test]
fn a_trial_has_no_more_items_than_asked_for() {
    let params = NextParams {
        max_items: 4,
        ..NextParams::default()
    };
    let next = next_trial(&[1.0; 45], &[0.0; 45], &params).unwrap();
    assert_eq!(next.items, [0, 1, 2, 3]);
}

proptest! {
    #[test]
    fn choices_hold_the_weakest_pair_and_name_items_once(
        values in prop::collection::vec((0.0..2.0_f64, 0.01..3.0_f64), 28)
    ) {
        let (rdm, evidence): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
        let next = next_trial(&rdm, &evidence, &NextParams::default()).unwrap();
        prop_assert!(next.items.windows(2).all(|w| w[0] < w[1]));
        prop_assert!((3..=8).contains(&next.items.len()));
        let weakest = (0..28).min_by(|&a, &b| evidence[a].total_cmp(&evidence[b])).unwrap();
        let (i, j) = consilience_core::pairs::iter(8).nth(weakest).unwrap();
        prop_assert!(next.items.contains(&i) && next.items.contains(&j));
        prop_assert!(next.efficiency.is_finite());
    }
}

#[test]
fn what_cannot_be_chosen_from_is_refused() {
    let usual = NextParams::default();
    let refused =
        |rdm: &[f64], evidence: &[f64], params| next_trial(rdm, evidence, &params).unwrap_err();
    assert!(matches!(
        refused(&[1.0], &[1.0], usual),
        MethodsError::TooFew { .. }
    ));
    assert!(matches!(
        refused(&[1.0; 3], &[1.0; 2], usual),
        MethodsError::ShapeMismatch { .. }
    ));
    for value in [-1.0, f64::INFINITY] {
        assert!(matches!(
            refused(&[1.0, value, 1.0], &[1.0; 3], usual),
            MethodsError::NonFinite {
                row: 0,
                column: 2,
                ..
            }
        ));
    }
    assert!(matches!(
        refused(&[1.0; 3], &[1.0, f64::NAN, 1.0], usual),
        MethodsError::NonFinite { .. }
    ));
    let small = NextParams {
        max_items: 2,
        ..usual
    };
    assert!(matches!(
        refused(&[1.0; 3], &[1.0; 3], small),
        MethodsError::TooFew { .. }
    ));
    let flat = NextParams {
        arena: 0.0,
        ..usual
    };
    assert!(matches!(
        refused(&[1.0; 3], &[1.0; 3], flat),
        MethodsError::OptionOutOfRange { .. }
    ));
}
