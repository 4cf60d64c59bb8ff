//! Agreement with statsmodels on `fixtures/group/mixed.json`, written by `fixtures/generate/mixed.py`.

use ndarray::Array2;
use serde::Deserialize;

use super::super::mixed_model;
use super::{OMIT, close};

#[derive(Deserialize)]
struct Document {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    scores: Vec<Vec<Option<f64>>>,
    covariate: Option<Vec<Vec<f64>>>,
    estimates: Vec<f64>,
    errors: Vec<f64>,
    dof: Vec<f64>,
    variances: [f64; 2],
    ln_likelihood: f64,
}

fn array(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[test]
fn agrees_with_statsmodels() {
    let text = include_str!("../../../../../../fixtures/group/mixed.json");
    let document: Document = serde_json::from_str(text).unwrap();
    assert_eq!(document.cases.len(), 5);
    for case in document.cases {
        let rows: Vec<Vec<f64>> = case
            .scores
            .iter()
            .map(|row| row.iter().map(|v| v.unwrap_or(f64::NAN)).collect())
            .collect();
        let covariate = case.covariate.as_deref().map(array);
        let covariates: Vec<_> = covariate.iter().map(|x| x.view()).collect();
        let found = mixed_model(array(&rows).view(), &covariates, &OMIT).unwrap();
        // Means, slopes, then differences.
        let tests: Vec<_> = found
            .models
            .iter()
            .chain(&found.covariates)
            .chain(found.pairs.iter().map(|pair| &pair.test))
            .collect();
        assert_eq!(tests.len(), case.estimates.len());
        for (i, test) in tests.into_iter().enumerate() {
            // The peer's optimiser stops within about 1e-5 of the variances.
            assert!(close(test.estimate, case.estimates[i], 1e-6), "{test:?}");
            let sem = test.sem / case.errors[i];
            assert!(
                close(sem, 1.0, 1e-5),
                "{test:?}, expected {}",
                case.errors[i]
            );
            assert!(
                close(test.dof, case.dof[i], 1e-4),
                "{test:?}, expected {}",
                case.dof[i]
            );
        }
        let variances = [found.subject_variance, found.residual_variance];
        for (variance, expected) in variances.iter().zip(case.variances) {
            assert!(
                close(variance / expected, 1.0, 1e-4),
                "{variance}, expected {expected}"
            );
        }
        assert!(
            close(found.ln_likelihood, case.ln_likelihood, 1e-7),
            "{}, expected {}",
            found.ln_likelihood,
            case.ln_likelihood
        );
    }
}
