//! Agreement with peers on `fixtures/emotion`, written by `fixtures/generate/emotion.py`.

use ndarray::{Array1, Array2, Array3};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::*;
use crate::behaviour::{CorrelationKind, ProcrustesParams};

fn part(name: &str) -> Value {
    let text = include_str!("../../../../../fixtures/emotion/emotion.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document[name].clone()
}

fn cases(name: &str) -> Vec<Value> {
    part(name).as_array().unwrap().clone()
}

fn of<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = of(value);
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// `null` is NaN.
fn cube(value: &Value) -> Array3<f64> {
    let all: Vec<Vec<Vec<Option<f64>>>> = of(value);
    let shape = (all.len(), all[0].len(), all[0][0].len());
    let values = all.concat().concat();
    let values = values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect();
    Array3::from_shape_vec(shape, values).unwrap()
}

#[track_caller]
fn close(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{found}, expected {expected}"
    );
}

#[track_caller]
fn all_close<'a>(found: impl IntoIterator<Item = &'a f64>, expected: &Value) {
    let found: Vec<f64> = found.into_iter().copied().collect();
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(f, e)| close(*f, e));
}

#[test]
fn prediction_metrics_agree_with_scipy() {
    for case in cases("predictions") {
        let [actual, predicted] =
            ["actual", "predicted"].map(|name| Array1::from(of::<Vec<f64>>(&case[name])));
        let params = PredictionParams {
            resamples: 0,
            ..PredictionParams::default()
        };
        let found = prediction(actual.view(), predicted.view(), &params).unwrap();
        let (values, line) = (found.values, found.values.refit.unwrap());
        close(values.r.unwrap(), &case["r"]);
        all_close(&found.r_interval.unwrap(), &case["interval"]);
        for (found, name) in [
            (values.r2, "r2"),
            (values.rmse, "rmse"),
            (values.mae, "mae"),
            (line.slope, "slope"),
            (line.intercept, "intercept"),
            (line.r2, "refit_r2"),
            (line.rmse, "refit_rmse"),
        ] {
            close(found, &case[name]);
        }
        assert_eq!(found.intervals, None);
    }
}

#[test]
fn distances_of_clouds_agree_with_scipy() {
    for case in cases("clouds") {
        let (a, b) = (matrix(&case["a"]), matrix(&case["b"]));
        close(
            energy_distance(a.view(), b.view()).unwrap(),
            &case["energy"],
        );
        if case["rmse"].is_number() {
            let found = plane_agreement(a.view(), b.view(), &ProcrustesParams::default()).unwrap();
            close(found.rmse, &case["rmse"]);
            close(found.disparity, &case["disparity"]);
            close(found.energy_distance, &case["energy"]);
        }
    }
}

#[test]
fn bins_agree_with_numpy() {
    for case in cases("bins") {
        let rule: Edges = of::<String>(&case["rule"]).parse().unwrap();
        let params = BinParams {
            valence: rule,
            arousal: rule,
            ..BinParams::default()
        };
        let [valence, arousal] = ["valence", "arousal"].map(|name| of::<Vec<f64>>(&case[name]));
        let found = bins(&valence, Some(&arousal), &params).unwrap();
        let names = found.of_items.iter().map(|bin| found.names[bin.unwrap()]);
        assert_eq!(names.collect::<Vec<_>>(), of::<Vec<String>>(&case["bins"]));
    }
}

#[test]
fn tuning_curves_agree_with_scipy() {
    let case = part("tuning");
    let labels: Vec<usize> = of(&case["labels"]);
    let mut counts = vec![0; 9];
    labels.iter().for_each(|&bin| counts[bin] += 1);
    let bins = Bins {
        names: vec!["HN", "HM", "HP", "MN", "MM", "MP", "LN", "LM", "LP"],
        counts,
        of_items: labels.into_iter().map(Some).collect(),
        min_items: 2,
        valence_edges: [[3.0; 2], [5.0; 2]],
        arousal_edges: None,
    };
    let found = tuning_curves(matrix(&case["responses"]).view(), &bins, &[0, 1, 2, 3]).unwrap();
    for (found, name) in [(&found.means, "means"), (&found.sems, "sems")] {
        for (row, expected) in found.rows().into_iter().zip(case[name].as_array().unwrap()) {
            all_close(row, expected);
        }
    }
}

#[test]
fn overlaps_agree_with_scipy() {
    for case in cases("overlaps") {
        let [n, first, second, both]: [usize; 4] = of(&case["counts"]);
        let a: Vec<bool> = (0..n).map(|unit| unit < first).collect();
        let b: Vec<bool> = (0..n)
            .map(|unit| (first - both..first - both + second).contains(&unit))
            .collect();
        let found = overlap(&a, &b).unwrap();
        assert_eq!(found.n_both, both);
        close(found.expected, &case["expected"]);
        close(found.p, &case["p"]);
        close(found.jaccard.unwrap(), &case["jaccard"]);
    }
}

#[test]
fn overlaps_in_layers_agree_with_scipy() {
    for case in cases("strata") {
        let tables: Vec<[usize; 4]> = of(&case["counts"]);
        let (mut a, mut b, mut layers) = (Vec::new(), Vec::new(), Vec::new());
        for [n, first, second, both] in tables {
            layers.push(a.len()..a.len() + n);
            a.extend((0..n).map(|unit| unit < first));
            let second = first - both..first - both + second;
            b.extend((0..n).map(|unit| second.contains(&unit)));
        }
        let found = overlap_in_layers(&a, &b, &layers).unwrap();
        close(found.expected, &case["expected"]);
        let p = case["p"].as_f64().unwrap();
        assert!((found.p / p - 1.0).abs() < 1e-9, "{} {p}", found.p);
    }
}

#[test]
fn geometry_agrees_with_scipy() {
    for case in cases("geometry") {
        let (patterns, places) = (matrix(&case["patterns"]), matrix(&case["ratings"]));
        let labels: Vec<usize> = of(&case["labels"]);
        let groups = Bins {
            names: vec!["N", "M", "P"],
            counts: vec![0; 3],
            of_items: labels.into_iter().map(Some).collect(),
            min_items: 2,
            valence_edges: [[3.0; 2], [5.0; 2]],
            arousal_edges: None,
        };
        let [valence, arousal] = [0, 1].map(|axis| places.column(axis).to_vec());
        let mut models = Array2::zeros((4, patterns.nrows() * (patterns.nrows() - 1) / 2));
        for (row, model) in EmotionModel::ALL.into_iter().enumerate() {
            let found = emotion_rdm(model, &valence, &arousal, &groups).unwrap();
            all_close(&found, &case["models"][row]);
            models.row_mut(row).assign(&Array1::from(found));
        }
        for similarity in [CorrelationKind::Spearman, CorrelationKind::Pearson] {
            let params = GeometryParams {
                similarity,
                ..GeometryParams::default()
            };
            let geometry = Geometry::new(models.view(), &params).unwrap();
            let found = geometry.scores(&[patterns.view().into()]).unwrap();
            all_close(&found, &case[similarity.to_string()]);
        }
        close(
            participation_ratio(patterns.view()).unwrap(),
            &case["participation"],
        );
    }
}

#[test]
fn entropy_of_attention_agrees_with_scipy() {
    let case = part("attention");
    let found = attention_entropy(cube(&case["weights"]).view()).unwrap();
    close(found.mean, &case["mean"]);
    all_close(&found.by_head, &case["by_head"]);
    assert!((found.normalised.unwrap() - found.mean / 5.0_f64.ln()).abs() < 1e-15);
}

#[test]
fn regions_agree_with_scipy() {
    let case = part("region");
    let found = region_rdms(cube(&case["responses"]).view()).unwrap();
    all_close(&found.group, &case["group"]);
    for (row, expected) in found
        .subjects
        .rows()
        .into_iter()
        .zip(case["subjects"].as_array().unwrap())
    {
        all_close(row, expected);
    }
    assert_eq!(found.n_missing, 7 + 1 + 4 * 7);
    let model = Array1::from(of::<Vec<f64>>(&case["model"])).insert_axis(ndarray::Axis(0));
    let controls = matrix(&case["controls"]);
    let params = RegionRsaParams {
        permutations: 99,
        resamples: 50,
        ..RegionRsaParams::default()
    };
    let rsa = region_rsa(model.view(), controls.view(), &found, &params, &|_, _| {}).unwrap();
    close(rsa.models[0].score, &case["score"]);
    close(rsa.models[0].partial.unwrap(), &case["partial"]);
    assert!(rsa.subjects.ceiling.is_some() && rsa.subjects.models[0].estimate.is_some());
    let none = controls.slice(ndarray::s![..0, ..]);
    let alone = region_rsa(model.view(), none, &found, &params, &|_, _| {}).unwrap();
    assert_eq!(
        (alone.models[0].partial, alone.models[0].partial_p),
        (None, None)
    );
}
