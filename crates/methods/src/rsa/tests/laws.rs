//! What must hold for any input.

use consilience_core::pairs;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::rank::average_ranks;
use ndarray::{Array2, ArrayView2, Axis, s};
use proptest::prelude::*;

use super::super::bootstrap::{Draw, Problem, evaluations};
use super::super::compare::scores;
use super::super::row::{Row, Source};
use super::super::sample::Sample;
use super::super::{
    Bootstrap, InferParams, Inference, MantelParams, Similarity, compare, infer, mantel,
    noise_ceiling,
};
use super::{simulated, with_ties};
use crate::NanPolicy;

const LINEAR: [Similarity; 4] = [
    Similarity::Pearson,
    Similarity::Cosine,
    Similarity::WhitenedPearson,
    Similarity::WhitenedCosine,
];

fn run(models: &Array2<f64>, data: &Array2<f64>, params: &InferParams) -> Inference {
    infer(models.view(), data.view(), params, &|_, _| {}).unwrap()
}

fn similarity_of(a: &[f64], b: &[f64], similarity: Similarity) -> f64 {
    let row = |v: &[f64]| Array2::from_shape_vec((1, v.len()), v.to_vec()).unwrap();
    let found = compare(row(a).view(), row(b).view(), similarity, NanPolicy::Refuse);
    found.unwrap().scores[[0, 0]]
}

/// Loops over the definition; on plain value pairs, so that an expanded resample needs no RDM.
fn naive(a: &[f64], b: &[f64], similarity: Similarity) -> f64 {
    let centred = |v: &[f64]| -> Vec<f64> {
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        v.iter().map(|x| x - mean).collect()
    };
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let cosine = |a: &[f64], b: &[f64]| product(a, b) / (product(a, a) * product(b, b)).sqrt();
    match similarity {
        Similarity::Cosine => cosine(a, b),
        Similarity::Pearson => cosine(&centred(a), &centred(b)),
        Similarity::Spearman => cosine(&centred(&average_ranks(a)), &centred(&average_ranks(b))),
        Similarity::RhoA => {
            let n = a.len() as f64;
            12.0 * product(&centred(&average_ranks(a)), &centred(&average_ranks(b)))
                / (n.powi(3) - n)
        }
        Similarity::KendallTauA | Similarity::KendallTauB => {
            let sign = |x: f64, y: f64| f64::from(i8::from(x > y) - i8::from(x < y));
            let (mut balance, mut all, mut in_a, mut in_b) = (0.0, 0.0, 0.0, 0.0);
            for i in 0..a.len() {
                for j in 0..i {
                    let (x, y) = (sign(a[i], a[j]), sign(b[i], b[j]));
                    balance += x * y;
                    all += 1.0;
                    in_a += x.abs();
                    in_b += y.abs();
                }
            }
            if similarity == Similarity::KendallTauA {
                balance / all
            } else {
                balance / f64::sqrt(in_a * in_b)
            }
        }
        _ => unreachable!("whitened and Bures similarities are checked against a peer"),
    }
}

/// The values of an RDM on an expanded resample, pairs of copies dropped.
fn expanded(rdm: &[f64], drawn: &[usize], n: usize) -> Vec<f64> {
    pairs::iter(drawn.len())
        .map(|(i, j)| (drawn[i], drawn[j]))
        .filter(|(a, b)| a != b)
        .map(|(a, b)| rdm[pairs::pair_idx(a.min(b), a.max(b), n)])
        .collect()
}

const NAIVE: [Similarity; 6] = [
    Similarity::Pearson,
    Similarity::Spearman,
    Similarity::KendallTauA,
    Similarity::KendallTauB,
    Similarity::RhoA,
    Similarity::Cosine,
];

#[test]
fn a_weighted_resample_is_the_expanded_one() {
    let n = 9;
    for (rdms, seed) in [
        (simulated(1, 0, 3, n, 1.0), 1),
        (with_ties(&simulated(2, 0, 3, n, 1.0)), 2),
    ] {
        for index in 0..40 {
            let draw = Draw::new(seed, index, 3, n);
            let drawn: Vec<usize> = (0..n)
                .flat_map(|c| std::iter::repeat_n(c, draw.conditions[c] as usize))
                .collect();
            let sample = Sample::resampled(draw.conditions, &vec![true; rdms.ncols()]);
            for similarity in NAIVE {
                let source = Source::new(rdms.view(), similarity);
                let rows: Option<Vec<Row>> = source.on(&sample, similarity).into_iter().collect();
                let Some(rows) = rows else { continue };
                let found = scores(&rows, &rows, &sample, similarity);
                for ((i, j), &value) in found.indexed_iter() {
                    let values = |r: usize| expanded(&source.vectors[r], &drawn, n);
                    let expected = naive(&values(i), &values(j), similarity);
                    assert!(
                        (value - expected).abs() < 1e-12,
                        "{similarity} of {i} and {j}: {value} instead of {expected}"
                    );
                }
            }
        }
    }
}

/// Another route to the same number: every fast permutation against rearranged data.
#[test]
fn permutations_are_those_of_rearranged_data() {
    let (models, data) = (simulated(3, 0, 2, 8, 0.3), simulated(3, 0, 3, 8, 0.3));
    for similarity in Similarity::ALL {
        let params = InferParams {
            similarity,
            bootstrap: Bootstrap::None,
            permutations: 50,
            seed: 9,
            ..InferParams::default()
        };
        let found = run(&models, &data, &params);
        let mut n_at_least = [0, 0];
        let mut n_best_at_least = [0, 0];
        for index in 0..50 {
            let order = Stream::new(9, Domain::Permutations, index).permutation(8);
            let columns: Vec<usize> = pairs::iter(8)
                .map(|(i, j)| (order[i].min(order[j]), order[i].max(order[j])))
                .map(|(a, b)| pairs::pair_idx(a, b, 8))
                .collect();
            let permuted = data.select(Axis(1), &columns);
            let scores = compare(
                models.view(),
                permuted.view(),
                similarity,
                NanPolicy::Refuse,
            )
            .unwrap()
            .scores
            .mean_axis(Axis(1))
            .unwrap();
            let best = scores[0].max(scores[1]);
            for m in 0..2 {
                let observed = found.models[m].estimate.as_ref().unwrap().value - 1e-12;
                n_at_least[m] += usize::from(scores[m] >= observed);
                n_best_at_least[m] += usize::from(best >= observed);
            }
        }
        for m in 0..2 {
            let estimate = found.models[m].estimate.as_ref().unwrap();
            let p = |n: usize| Some((1 + n) as f64 / 51.0);
            assert_eq!(estimate.p_permutation, p(n_at_least[m]), "{similarity}");
            assert_eq!(
                estimate.p_permutation_fwe,
                p(n_best_at_least[m]),
                "{similarity}"
            );
        }
    }
}

#[test]
fn missing_pairs_move_with_their_conditions() {
    let mut data = simulated(4, 0, 2, 7, 1.0);
    let models = simulated(4, 1, 1, 7, 1.0);
    data[[0, 3]] = f64::NAN;
    data[[1, 11]] = f64::NAN;
    for similarity in [
        Similarity::Spearman,
        Similarity::KendallTauB,
        Similarity::WhitenedCosine,
    ] {
        let params = InferParams {
            similarity,
            bootstrap: Bootstrap::Both,
            resamples: 50,
            permutations: 99,
            nan: NanPolicy::Omit,
            ..InferParams::default()
        };
        let found = run(&models, &data, &params);
        assert_eq!(found.n_omitted, 2);
        assert!(
            found.notes[0].contains("2 of 21 pairs"),
            "{:?}",
            found.notes
        );
        let estimate = found.models[0].estimate.as_ref().unwrap();
        assert!(estimate.p_permutation.is_some() && estimate.sem.is_some());
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (models, data) = (simulated(5, 0, 4, 10, 0.5), simulated(5, 1, 5, 10, 0.5));
    for similarity in Similarity::ALL {
        let params = InferParams {
            similarity,
            bootstrap: if similarity == Similarity::Bures {
                Bootstrap::Subjects
            } else {
                Bootstrap::Both
            },
            resamples: 60,
            permutations: 150,
            ..InferParams::default()
        };
        let [one, two] = [1, 2].map(|n_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .unwrap();
            pool.install(|| run(&models, &data, &params))
        });
        // Debug output shows every bit of a float that matters: it round-trips.
        assert_eq!(format!("{one:?}"), format!("{two:?}"), "{similarity}");
        let other = run(&models, &data, &InferParams { seed: 2, ..params });
        assert_ne!(
            one.models[0].estimate, other.models[0].estimate,
            "{similarity}"
        );
    }
}

#[test]
fn progress_ends_at_the_total() {
    let (models, data) = (simulated(6, 0, 2, 8, 1.0), simulated(6, 1, 3, 8, 1.0));
    let params = InferParams {
        resamples: 40,
        permutations: 100,
        ..InferParams::default()
    };
    let largest = std::sync::atomic::AtomicUsize::new(0);
    infer(models.view(), data.view(), &params, &|done, total| {
        assert_eq!(total, 140);
        largest.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(largest.into_inner(), 140);
}

#[test]
fn mantel_is_the_permutation_test_of_one_model_and_one_subject() {
    let (a, b) = (simulated(7, 0, 1, 9, 0.5), simulated(7, 0, 2, 9, 0.5));
    let b = b.slice(ndarray::s![1..2, ..]).to_owned();
    for similarity in Similarity::ALL {
        let params = MantelParams {
            similarity,
            permutations: 199,
            seed: 5,
            ..MantelParams::default()
        };
        let found = mantel(a.row(0), b.row(0), &params).unwrap();
        let params = InferParams {
            similarity,
            bootstrap: Bootstrap::None,
            permutations: 199,
            seed: 5,
            ..InferParams::default()
        };
        let inferred = run(&a, &b, &params).models[0].estimate.clone().unwrap();
        assert_eq!(Some(found.p), inferred.p_permutation, "{similarity}");
        assert_eq!(found.score, inferred.value, "{similarity}");
    }
}

#[test]
fn hand_computed() {
    // Ranks 1 2 3 against 1 3 2: one of three pairs is discordant.
    let (a, b) = ([1.0, 2.0, 4.0], [1.0, 5.0, 3.0]);
    let third = 1.0 / 3.0;
    assert!((similarity_of(&a, &b, Similarity::KendallTauA) - third).abs() < 1e-15);
    assert!((similarity_of(&a, &b, Similarity::KendallTauB) - third).abs() < 1e-15);
    assert!((similarity_of(&a, &b, Similarity::Spearman) - 0.5).abs() < 1e-15);
    assert!((similarity_of(&a, &b, Similarity::RhoA) - 0.5).abs() < 1e-15);
    let cosine = 23.0 / (21.0_f64 * 35.0).sqrt();
    assert!((similarity_of(&a, &b, Similarity::Cosine) - cosine).abs() < 1e-15);
}

#[test]
fn a_thousand_conditions_can_be_whitened() {
    let n = 1000;
    let mut stream = Stream::new(10, Domain::Simulation, 0);
    let rdm = Array2::from_shape_fn((2, pairs::n_pairs(n)), |_| stream.uniform());
    let found = compare(
        rdm.view(),
        rdm.view(),
        Similarity::WhitenedPearson,
        NanPolicy::Refuse,
    );
    let scores = found.unwrap().scores;
    assert!((scores[[0, 0]] - 1.0).abs() < 1e-12 && scores[[0, 1]].abs() < 0.02);
}

fn rdm_pair() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<usize>)> {
    (3_usize..9).prop_flat_map(|n| {
        let rdm = || prop::collection::vec((0_u8..12).prop_map(f64::from), pairs::n_pairs(n));
        let order = Just((0..n).collect::<Vec<_>>()).prop_shuffle();
        (rdm(), rdm(), order)
    })
}

fn is_varied(v: &[f64]) -> bool {
    v.iter().any(|x| *x != v[0])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn similarities_agree_with_naive_loops((a, b, _) in rdm_pair()) {
        prop_assume!(is_varied(&a) && is_varied(&b));
        for similarity in NAIVE {
            let (found, expected) = (similarity_of(&a, &b, similarity), naive(&a, &b, similarity));
            prop_assert!((found - expected).abs() < 1e-12, "{}: {} {}", similarity, found, expected);
        }
    }

    #[test]
    fn similarity_is_symmetric_and_blind_to_the_order_of_conditions((a, b, order) in rdm_pair()) {
        prop_assume!(is_varied(&a) && is_varied(&b));
        let n = order.len();
        let reordered = |v: &[f64]| -> Vec<f64> {
            pairs::iter(n)
                .map(|(i, j)| (order[i].min(order[j]), order[i].max(order[j])))
                .map(|(i, j)| v[pairs::pair_idx(i, j, n)])
                .collect()
        };
        for similarity in Similarity::ALL {
            let found = similarity_of(&a, &b, similarity);
            prop_assert!((-1.0..=1.0 + 1e-9).contains(&found) || similarity == Similarity::Bures);
            let swapped = similarity_of(&b, &a, similarity);
            // These RDMs are no squared distances, for which alone Bures is symmetric.
            prop_assert!((found - swapped).abs() < 1e-7 || similarity == Similarity::Bures);
            for other in [
                similarity_of(&reordered(&a), &reordered(&b), similarity),
                similarity_of(&a, &b.iter().map(|x| 3.0 * x).collect::<Vec<_>>(), similarity),
            ] {
                prop_assert!((found - other).abs() < 1e-7, "{}: {} {}", similarity, found, other);
            }
        }
    }

    #[test]
    fn rank_similarities_are_blind_to_monotone_transforms((a, b, _) in rdm_pair()) {
        prop_assume!(is_varied(&a) && is_varied(&b));
        let bent: Vec<f64> = b.iter().map(|x| (x / 3.0).exp() - 40.0).collect();
        for similarity in [
            Similarity::Spearman,
            Similarity::KendallTauA,
            Similarity::KendallTauB,
            Similarity::RhoA,
        ] {
            prop_assert_eq!(
                similarity_of(&a, &b, similarity),
                similarity_of(&a, &bent, similarity)
            );
        }
    }

    #[test]
    fn the_lower_ceiling_is_below_the_upper(seed in 0_u64..1000, n_subjects in 2_usize..7) {
        let data = simulated(seed, 7, n_subjects, 7, 1.0);
        for similarity in LINEAR {
            let found = noise_ceiling(data.view(), similarity, NanPolicy::Refuse).unwrap();
            prop_assert!(found.lower <= found.upper + 1e-12, "{} {:?}", similarity, found);
        }
    }

    #[test]
    fn nothing_is_ever_nan(
        rows in prop::collection::vec(prop::collection::vec(0_u8..3, 21), 2..5),
        n_models in 1_usize..2,
        bootstrap in prop::sample::select(vec![
            Bootstrap::None, Bootstrap::Subjects, Bootstrap::Conditions, Bootstrap::Both,
        ]),
    ) {
        let rows: Vec<f64> = rows.concat().into_iter().map(f64::from).collect();
        let rdms = Array2::from_shape_vec((rows.len() / 21, 21), rows).unwrap();
        let (models, data) = rdms.view().split_at(Axis(0), n_models);
        for similarity in Similarity::ALL {
            let params = InferParams {
                similarity, bootstrap, resamples: 10, permutations: 10, ..InferParams::default()
            };
            if let Ok(found) = infer(models, data, &params, &|_, _| {}) {
                let shown = format!("{found:?}");
                prop_assert!(!shown.contains("NaN") && !shown.contains("inf"), "{}", shown);
            }
        }
    }
}

/// A subject resample never needs conditions, and the other way round.
#[test]
fn one_factor_evaluations_are_those_of_both() {
    let (models, data) = (simulated(8, 0, 2, 8, 1.0), simulated(8, 1, 4, 8, 1.0));
    let similarity = Similarity::Spearman;
    let problem = Problem {
        models: &Source::new(models.view(), similarity),
        data: &Source::new(data.view(), similarity),
        n_conditions: 8,
        present: &[true; 28],
        similarity,
    };
    let draws = [Draw {
        subjects: vec![1; 4],
        conditions: vec![1; 8],
    }];
    let all = evaluations(&problem, Bootstrap::Both, &draws, &|_| {})
        .remove(0)
        .unwrap();
    let expected = compare(models.view(), data.view(), similarity, NanPolicy::Refuse).unwrap();
    let expected = expected.scores.mean_axis(Axis(1)).unwrap();
    for evaluation in all {
        assert_eq!(evaluation[..2], [expected[0], expected[1]]);
    }
}

#[test]
fn equal_models_do_not_differ() {
    let data = simulated(9, 1, 4, 12, 1.0);
    let one = simulated(9, 0, 1, 12, 1.0);
    let models = ndarray::concatenate![Axis(0), one, one];
    let found = run(
        &models,
        &data,
        &InferParams {
            resamples: 50,
            ..InferParams::default()
        },
    );
    assert_eq!(found.p_difference[0][1], Some(1.0));
    assert_eq!(found.p_difference, found.p_difference_corrected);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
}

/// Few models are compared one permutation at a time, many as one matrix product.
#[test]
fn permutation_p_is_the_same_alone_and_among_many_models() {
    let (models, data) = (simulated(3, 0, 9, 11, 1.0), simulated(4, 0, 3, 11, 1.0));
    for similarity in [Similarity::Spearman, Similarity::WhitenedCosine] {
        let params = InferParams {
            similarity,
            bootstrap: Bootstrap::None,
            permutations: 60,
            ..InferParams::default()
        };
        let p = |models: ArrayView2<'_, f64>| -> Vec<Option<f64>> {
            let found = infer(models, data.view(), &params, &|_, _| {}).unwrap();
            let estimates = found.models.into_iter().map(|m| m.estimate.unwrap());
            estimates.map(|e| e.p_permutation).collect()
        };
        let together = p(models.view());
        for (m, expected) in together.iter().enumerate() {
            assert_eq!(
                p(models.slice(s![m..=m, ..]))[0],
                *expected,
                "{similarity} {m}"
            );
        }
    }
}
