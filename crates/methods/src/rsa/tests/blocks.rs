//! Permutation of conditions within blocks.
#![expect(
    clippy::print_stderr,
    reason = "the measured rates are what one of these tests is run for"
)]

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array1, Array2, Axis};

use super::super::{Bootstrap, InferParams, MantelParams, Similarity, compare, infer, mantel};
use super::simulated;
use crate::simulation::rate;
use crate::{MethodsError, NanPolicy};

const N: usize = 9;

/// The RDMs of two subjects.
fn two(index: u64) -> Array2<f64> {
    simulated(41, index, 2, N, 0.5)
}

fn p_of(rdms: &Array2<f64>, params: &MantelParams) -> f64 {
    mantel(rdms.row(0), rdms.row(1), params).unwrap().p
}

#[test]
fn blocks_are_what_is_permuted() {
    let blocks = vec![5, -1, 5, 5, -1, 5, -1, 8, 5];
    let numbers = [1, 0, 1, 1, 0, 1, 0, 2, 1];
    let rdms = two(0);
    for similarity in [
        Similarity::Pearson,
        Similarity::WhitenedCosine,
        Similarity::KendallTauA,
    ] {
        let params = MantelParams {
            similarity,
            blocks: Some(blocks.clone()),
            permutations: 99,
            seed: 4,
            ..MantelParams::default()
        };
        let score = |b: &Array1<f64>| {
            let (a, b) = (
                rdms.row(0).insert_axis(Axis(0)),
                b.view().insert_axis(Axis(0)),
            );
            compare(a, b, similarity, NanPolicy::Refuse).unwrap().scores[[0, 0]]
        };
        let b = rdms.row(1).to_owned();
        let n_as_similar = (0..99)
            .filter(|&index| {
                let order =
                    Stream::new(4, Domain::Permutations, index).permutation_within(&numbers);
                let moved: Array1<f64> = pairs::iter(N)
                    .map(|(i, j)| {
                        let (i, j) = (order[i].min(order[j]), order[i].max(order[j]));
                        b[pairs::pair_idx(i, j, N)]
                    })
                    .collect();
                score(&moved) >= score(&b) - 1e-12
            })
            .count();
        let expected = (1 + n_as_similar) as f64 / 100.0;
        assert_eq!(p_of(&rdms, &params), expected, "{similarity}");
    }
}

#[test]
fn one_block_is_none() {
    let free = MantelParams {
        permutations: 199,
        ..MantelParams::default()
    };
    let one = MantelParams {
        blocks: Some(vec![3; N]),
        ..free.clone()
    };
    for index in 0..5 {
        assert_eq!(p_of(&two(index), &free), p_of(&two(index), &one));
    }
}

#[test]
fn labels_are_checked() {
    let rdms = two(0);
    let refused = |blocks: Vec<i64>| {
        let params = MantelParams {
            blocks: Some(blocks),
            ..MantelParams::default()
        };
        mantel(rdms.row(0), rdms.row(1), &params).unwrap_err()
    };
    let error = refused(vec![0; N + 1]);
    assert!(matches!(
        error,
        MethodsError::ShapeMismatch { expected: N, .. }
    ));
    let error = refused((0..N as i64).collect());
    assert!(matches!(
        error,
        MethodsError::TooFew {
            needed: 2,
            found: 1,
            ..
        }
    ));
    assert!(
        error
            .to_string()
            .contains("conditions of the largest block")
    );
}

#[test]
fn inference_keeps_to_blocks_as_the_mantel_test_does() {
    let (a, b) = (simulated(1, 0, 1, N, 1.0), simulated(2, 0, 1, N, 1.0));
    let blocks = Some(vec![1, 1, 1, 2, 2, 2, 3, 3, 3]);
    let found = infer(
        a.view(),
        b.view(),
        &InferParams {
            bootstrap: Bootstrap::None,
            permutations: 99,
            blocks: blocks.clone(),
            ..InferParams::default()
        },
        &|_, _| {},
    );
    let expected = MantelParams {
        permutations: 99,
        blocks,
        ..MantelParams::default()
    };
    let expected = mantel(a.row(0), b.row(0), &expected).unwrap();
    let estimate = found.unwrap().models[0].estimate.clone().unwrap();
    assert_eq!(estimate.p_permutation, Some(expected.p));
}

/// Two RDMs that see the same categories, and nothing else in common.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn categories_make_false_alarms_unless_they_are_blocks() {
    let labels: Vec<i64> = (0..12).map(|i| i / 4).collect();
    let study = |index: u64, blocks: Option<Vec<i64>>| {
        let mut stream = Stream::new(42, Domain::Simulation, index);
        let rdms = Array2::from_shape_simple_fn((2, pairs::n_pairs(12)), || stream.normal());
        let across: Array1<f64> = pairs::iter(12)
            .map(|(i, j)| f64::from(u8::from(labels[i] != labels[j])))
            .collect();
        let params = MantelParams {
            blocks,
            permutations: 199,
            ..MantelParams::default()
        };
        p_of(&(rdms + across), &params) <= 0.05
    };
    let free = rate(4000, |i| study(i, None));
    let within = rate(4000, |i| study(i, Some(labels.clone())));
    eprintln!("false positives with shared categories: {free:.4} free, {within:.4} within blocks");
    // Three standard errors of a rate of 0.05 are 0.01.
    assert!((within - 0.05).abs() < 0.011 && free > 0.2);
}
