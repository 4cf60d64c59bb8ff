//! Agreement with rsatoolbox 0.3.2 on `fixtures/rsa`, written by `fixtures/generate/rsa.py`.

use std::collections::BTreeMap;

use consilience_core::Ceiling;
use ndarray::{Array2, ArrayView2};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::bootstrap::{Draw, Evaluation, Problem, evaluations};
use super::super::estimates::{differences, estimates};
use super::super::row::Source;
use super::super::spread::Spread;
use super::super::{Bootstrap, InferParams, Similarity, compare, infer, noise_ceiling};
use crate::NanPolicy;

const TOLERANCE: f64 = 1e-9;

pub(super) fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/rsa");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).expect("a committed file");
    serde_json::from_str(&text).expect("the layout that the generator writes")
}

pub(super) fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    let n_columns = rows[0].len();
    Array2::from_shape_vec((rows.len(), n_columns), rows.concat()).expect("rows of one length")
}

#[track_caller]
pub(super) fn assert_close(what: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= TOLERANCE,
        "{what}: found {found:.15}, expected {expected:.15}"
    );
}

#[track_caller]
fn assert_all_close(what: &str, found: ArrayView2<'_, f64>, expected: &[Vec<f64>]) {
    assert_eq!(found.dim(), (expected.len(), expected[0].len()), "{what}");
    for ((i, j), &value) in found.indexed_iter() {
        assert_close(&format!("{what} [{i}, {j}]"), value, expected[i][j]);
    }
}

pub(super) type BySimilarity<T> = BTreeMap<String, T>;

#[derive(Deserialize)]
struct CompareCase {
    name: String,
    missing: Vec<usize>,
    a: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
    scores: BySimilarity<Vec<Vec<f64>>>,
}

#[test]
fn similarities() {
    let cases: Vec<CompareCase> = fixture("compare");
    for case in cases {
        let (mut a, mut b) = (matrix(&case.a), matrix(&case.b));
        for &k in &case.missing {
            a.column_mut(k).fill(f64::NAN);
            b.column_mut(k).fill(f64::NAN);
        }
        assert!(case.scores.len() >= 8);
        for (name, expected) in &case.scores {
            let found =
                compare(a.view(), b.view(), name.parse().unwrap(), NanPolicy::Omit).unwrap();
            assert_eq!(found.n_omitted, case.missing.len());
            let what = format!("{} {name}", case.name);
            if name == "bures" {
                let expected = matrix(expected);
                assert_eq!(found.scores.dim(), expected.dim(), "{what}");
                let furthest = (&found.scores - &expected).mapv(f64::abs);
                // The peer takes roots of eigenvalues that are rounding of 0.
                assert!(furthest.iter().all(|&d| d < 1e-7), "{what}: {furthest}");
            } else {
                assert_all_close(&what, found.scores.view(), expected);
            }
        }
    }
}

#[derive(Deserialize)]
struct CeilingCase {
    data: Vec<Vec<f64>>,
    ceilings: BySimilarity<[f64; 2]>,
}

#[test]
fn ceilings() {
    let cases: Vec<CeilingCase> = fixture("ceiling");
    for case in cases {
        let data = matrix(&case.data);
        for (name, [lower, upper]) in &case.ceilings {
            let found =
                noise_ceiling(data.view(), name.parse().unwrap(), NanPolicy::Refuse).unwrap();
            assert_close(&format!("{name} lower"), found.lower, *lower);
            assert_close(&format!("{name} upper"), found.upper, *upper);
        }
    }
}

/// What rsatoolbox's `Result` makes of scores and their covariances.
#[derive(Deserialize)]
struct Tests {
    score: Vec<f64>,
    sem: Vec<f64>,
    interval: Vec<[f64; 2]>,
    p_zero: Vec<f64>,
    p_ceiling_two_sided: Vec<f64>,
    p_difference: Vec<Vec<f64>>,
    ceiling: [f64; 2],
    dof: usize,
}

impl Tests {
    fn check(&self, what: &str, spread: &Spread) {
        let [lower, upper] = self.ceiling;
        let ceiling = Ceiling { lower, upper };
        assert_eq!(spread.dof, self.dof, "{what}");
        let found = estimates(&self.score, Some(&ceiling), Some(spread), None);
        for (i, estimate) in found.iter().enumerate() {
            let what = format!("{what} model {i}");
            assert_close(&what, estimate.sem.unwrap(), self.sem[i]);
            assert_close(&what, estimate.interval.unwrap()[0], self.interval[i][0]);
            assert_close(&what, estimate.interval.unwrap()[1], self.interval[i][1]);
            assert_close(&what, estimate.p.unwrap(), self.p_zero[i]);
            let p_ceiling = estimate.p_ceiling.unwrap();
            let two_sided = 2.0 * p_ceiling.min(1.0 - p_ceiling);
            assert_close(&what, two_sided, self.p_ceiling_two_sided[i]);
            assert_eq!(p_ceiling < 0.5, self.score[i] < lower, "{what}");
        }
        for (i, row) in differences(&self.score, Some(spread)).iter().enumerate() {
            for (j, p) in row.iter().enumerate() {
                match p {
                    Some(p) => {
                        assert_close(&format!("{what} {i} − {j}"), *p, self.p_difference[i][j])
                    }
                    None => assert_eq!(i, j),
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct FixedCase {
    models: Vec<Vec<f64>>,
    data: Vec<Vec<f64>>,
    similarities: BySimilarity<FixedResult>,
}

#[derive(Deserialize)]
struct FixedResult {
    per_subject: Vec<Vec<f64>>,
    #[serde(flatten)]
    tests: Tests,
}

#[test]
fn inference_without_bootstrap() {
    let case: FixedCase = fixture("fixed");
    let (models, data) = (matrix(&case.models), matrix(&case.data));
    assert_eq!(case.similarities.len(), 8);
    for (name, expected) in &case.similarities {
        let params = InferParams {
            similarity: name.parse().unwrap(),
            bootstrap: Bootstrap::None,
            ..InferParams::default()
        };
        let found = infer(models.view(), data.view(), &params, &|_, _| {}).unwrap();
        expected.tests.check(
            name,
            &Spread::over_subjects(
                compare(
                    models.view(),
                    data.view(),
                    params.similarity,
                    NanPolicy::Refuse,
                )
                .unwrap()
                .scores
                .view(),
            ),
        );
        let ceiling = found.ceiling.unwrap();
        assert_close(name, ceiling.lower, expected.tests.ceiling[0]);
        assert_close(name, ceiling.upper, expected.tests.ceiling[1]);
        assert_eq!(found.dof, Some(expected.tests.dof));
        for (i, model) in found.models.iter().enumerate() {
            let estimate = model.estimate.as_ref().unwrap();
            assert_close(name, estimate.value, expected.tests.score[i]);
            assert_close(name, estimate.sem.unwrap(), expected.tests.sem[i]);
            assert_close(name, estimate.p.unwrap(), expected.tests.p_zero[i]);
            for (score, expected) in model.per_subject.iter().zip(&expected.per_subject[i]) {
                assert_close(name, score.unwrap(), *expected);
            }
            for (j, p) in found.p_difference[i].iter().enumerate() {
                assert_eq!(p.is_none(), i == j);
                assert_close(name, p.unwrap_or(1.0), expected.tests.p_difference[i][j]);
            }
        }
        assert_eq!(found.notes, [""; 0]);
    }
}

#[derive(Deserialize)]
struct BootstrapCase {
    models: Vec<Vec<f64>>,
    data: Vec<Vec<f64>>,
    subjects: Vec<Vec<usize>>,
    conditions: Vec<Vec<usize>>,
    kept: Vec<bool>,
    similarities: BySimilarity<BootstrapResult>,
}

#[derive(Deserialize)]
struct BootstrapResult {
    evaluations: BTreeMap<String, Vec<Vec<f64>>>,
    tests: BTreeMap<String, Tests>,
}

fn counts(drawn: &[usize], n: usize) -> Vec<u32> {
    let mut counts = vec![0; n];
    for &i in drawn {
        counts[i] += 1;
    }
    counts
}

#[test]
fn bootstraps_of_given_draws() {
    let case: BootstrapCase = fixture("bootstrap");
    let (n_subjects, n_conditions) = (case.data.len(), case.conditions[0].len());
    let draws: Vec<Draw> = case
        .subjects
        .iter()
        .zip(&case.conditions)
        .map(|(s, c)| Draw {
            subjects: counts(s, n_subjects),
            conditions: counts(c, n_conditions),
        })
        .collect();
    let present = vec![true; case.data[0].len()];
    let (models, data) = (matrix(&case.models), matrix(&case.data));
    assert_eq!(case.similarities.len(), 8);
    for (name, expected) in &case.similarities {
        let similarity: Similarity = name.parse().unwrap();
        let problem = Problem {
            models: &Source::new(models.view(), similarity),
            data: &Source::new(data.view(), similarity),
            n_conditions,
            present: &present,
            similarity,
        };
        let run = |bootstrap| -> Vec<Vec<Evaluation>> {
            let found = evaluations(&problem, bootstrap, &draws, &|_| {});
            if bootstrap != Bootstrap::Subjects {
                assert!(
                    found
                        .iter()
                        .map(Option::is_some)
                        .eq(case.kept.iter().copied())
                );
            }
            found
                .into_iter()
                .zip(&case.kept)
                .filter(|(_, k)| **k)
                .filter_map(|(e, _)| e)
                .collect()
        };
        let (both, subjects, conditions) = (
            run(Bootstrap::Both),
            run(Bootstrap::Subjects),
            run(Bootstrap::Conditions),
        );
        let kind_of_both = |kind: usize| both.iter().map(|e| e[kind].clone()).collect::<Vec<_>>();
        let first = |all: &[Vec<Evaluation>]| all.iter().map(|e| e[0].clone()).collect::<Vec<_>>();
        for (kind, found) in [
            ("both", kind_of_both(0)),
            ("subjects", kind_of_both(1)),
            ("conditions", kind_of_both(2)),
            ("subjects", first(&subjects)),
            ("conditions", first(&conditions)),
        ] {
            let what = format!("{name} {kind}");
            assert_all_close(&what, matrix(&found).view(), &expected.evaluations[kind]);
        }
        for (kind, spread) in [
            (
                "both",
                Spread::over_both(&both, 1, n_subjects, n_conditions),
            ),
            (
                "subjects",
                Spread::over_one_factor(&subjects, 1, n_subjects),
            ),
            (
                "conditions",
                Spread::over_one_factor(&conditions, 1, n_conditions),
            ),
        ] {
            expected.tests[kind].check(&format!("{name} {kind}"), &spread);
        }
    }
}
