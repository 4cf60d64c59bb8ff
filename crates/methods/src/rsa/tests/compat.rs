//! Inference as rsatoolbox 0.3.2 reports it, on `fixtures/rsa/infer_compat.json`, written by `fixtures/generate/infer_compat.py`.

use std::collections::BTreeMap;

use ndarray::Axis;
use serde::Deserialize;

use super::super::bootstrap::{Draw, Evaluation, Problem, evaluations};
use super::super::ceiling::noise_ceiling;
use super::super::compat::follow_rsatoolbox;
use super::super::estimates::Scored;
use super::super::infer::{Size, spread_of};
use super::super::row::Source;
use super::super::spread::Spread;
use super::super::{Bootstrap, Correction, InferParams, Similarity, compare, infer, infer_as};
use super::golden::{assert_close, fixture, matrix};
use crate::{Compat, NanPolicy};

#[derive(Deserialize)]
struct Document {
    models: Vec<Vec<f64>>,
    data: Vec<Vec<f64>>,
    similarities: BTreeMap<String, Vec<Case>>,
}

#[derive(Deserialize)]
struct Case {
    bootstrap: String,
    /// Subjects and conditions of each resample.
    draws: Vec<[Vec<usize>; 2]>,
    score: Vec<f64>,
    sem: Vec<f64>,
    interval: Vec<[f64; 2]>,
    p_zero: Vec<f64>,
    p_ceiling: Vec<f64>,
    p_difference: Vec<Vec<f64>>,
    ceiling: [f64; 2],
    dof: usize,
}

const N_CONDITIONS: usize = 9;

fn counts(drawn: &[usize], n: usize) -> Vec<u32> {
    let mut counts = vec![0; n];
    drawn.iter().for_each(|&i| counts[i] += 1);
    counts
}

#[test]
fn every_number_is_that_of_rsatoolbox() {
    let document: Document = fixture("infer_compat");
    let (models, data) = (matrix(&document.models), matrix(&document.data));
    let size = Size {
        n_subjects: data.nrows(),
        n_conditions: N_CONDITIONS,
    };
    for (name, cases) in &document.similarities {
        let similarity: Similarity = name.parse().unwrap();
        let by_subject = compare(models.view(), data.view(), similarity, NanPolicy::Refuse)
            .unwrap()
            .scores;
        let problem = Problem {
            models: &Source::new(models.view(), similarity),
            data: &Source::new(data.view(), similarity),
            n_conditions: N_CONDITIONS,
            present: &vec![true; data.ncols()],
            similarity,
        };
        assert_eq!(cases.len(), 4);
        for case in cases {
            let bootstrap: Bootstrap = case.bootstrap.parse().unwrap();
            let draws: Vec<Draw> = case
                .draws
                .iter()
                .map(|[subjects, conditions]| Draw {
                    subjects: counts(subjects, size.n_subjects),
                    conditions: counts(conditions, N_CONDITIONS),
                })
                .collect();
            let kept: Vec<Vec<Evaluation>> = evaluations(&problem, bootstrap, &draws, &|_| {})
                .into_iter()
                .flatten()
                .collect();
            let spread = match bootstrap {
                Bootstrap::None => Spread::over_subjects(by_subject.view()),
                _ => spread_of(&kept, 1, bootstrap, size),
            };
            let mut scored = Scored {
                n_models: models.nrows(),
                n_subjects: size.n_subjects,
                models: (0..models.nrows()).collect(),
                subjects: (0..size.n_subjects).collect(),
                means: by_subject.mean_axis(Axis(1)).unwrap().to_vec(),
                by_subject: by_subject.clone(),
                ceiling: noise_ceiling(data.view(), similarity, NanPolicy::Refuse).ok(),
                spread: Some(spread),
                permuted: None,
                bootstrap: Some(bootstrap),
                n_resamples: kept.len(),
                n_omitted: 0,
                notes: Vec::new(),
            };
            follow_rsatoolbox(&mut scored, &kept);
            assert_eq!(
                scored.notes.len(),
                if bootstrap == Bootstrap::None { 1 } else { 2 }
            );
            let found = scored.inference(Correction::None);
            let what = format!("{name} {bootstrap}");
            assert_eq!(found.dof, Some(case.dof), "{what}");
            let ceiling = found.ceiling.unwrap();
            assert_close(&what, ceiling.lower, case.ceiling[0]);
            assert_close(&what, ceiling.upper, case.ceiling[1]);
            for (m, model) in found.models.iter().enumerate() {
                let estimate = model.estimate.as_ref().unwrap();
                assert_close(&what, estimate.value, case.score[m]);
                assert_close(&what, estimate.sem.unwrap(), case.sem[m]);
                assert_close(&what, estimate.interval.unwrap()[0], case.interval[m][0]);
                assert_close(&what, estimate.interval.unwrap()[1], case.interval[m][1]);
                assert_close(&what, estimate.p.unwrap(), case.p_zero[m]);
                assert_close(&what, estimate.p_ceiling.unwrap(), case.p_ceiling[m]);
                for (other, p) in found.p_difference[m].iter().enumerate() {
                    assert_close(&what, p.unwrap_or(1.0), case.p_difference[m][other]);
                }
            }
        }
    }
}

#[test]
fn what_is_not_a_convention_stays() {
    let document: Document = fixture("infer_compat");
    let (models, data) = (matrix(&document.models), matrix(&document.data));
    let params = InferParams {
        resamples: 50,
        ..InferParams::default()
    };
    let run = |compat| infer_as(models.view(), data.view(), &params, compat, &|_, _| {});
    let ours = infer(models.view(), data.view(), &params, &|_, _| {}).unwrap();
    assert_eq!(ours, run(None).unwrap());
    let theirs = run(Some(Compat::Rsatoolbox)).unwrap();
    assert_eq!(
        theirs.notes.len(),
        ours.notes.len() + 2,
        "{:?}",
        theirs.notes
    );
    for (a, b) in ours.models.iter().zip(&theirs.models) {
        let [a, b] = [a, b].map(|m| m.estimate.as_ref().unwrap());
        assert_eq!(a.sem, b.sem);
        assert_ne!(a.value, b.value);
    }
    let message = run(Some(Compat::MneRsa)).unwrap_err().to_string();
    assert!(
        message.contains("mne-rsa") && message.contains("choose rsatoolbox"),
        "{message}"
    );
}
