//! Agreement with peers on `fixtures/objects`, written by `fixtures/generate/objects.py`.

use ndarray::Array2;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::{
    BinarySimilarity, DetectedObject, MapParams, OverlapParams, PictureBox, co_occurrence,
    importance, overlap,
};
use super::object;

fn part(name: &str) -> Value {
    let text = include_str!("../../../../../fixtures/objects/objects.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document[name].clone()
}

fn of<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn matrix<T: DeserializeOwned + Clone>(value: &Value) -> Array2<T> {
    let rows: Vec<Vec<T>> = of(value);
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64, name: &str) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{name}: {found}, expected {expected}"
    );
}

#[test]
fn boxes_agree_with_enlarged_maps() {
    let mut n_values = 0;
    for case in part("importance").as_array().unwrap() {
        let map = matrix::<f64>(&case["map"]).mapv(|v| v as f32);
        let boxes: Vec<[f64; 4]> = of(&case["boxes"]);
        let objects: Vec<DetectedObject> = boxes.iter().map(|&edges| object(0, edges)).collect();
        for (name, expected) in case["cases"].as_object().unwrap() {
            let words: Vec<&str> = name.split(' ').collect();
            let params = MapParams {
                sign: words[0].parse().unwrap(),
                scaling: words[1].parse().unwrap(),
                summary: words[2].parse().unwrap(),
                ..MapParams::default()
            };
            let found = importance(map.view(), of(&case["picture"]), &objects, &params).unwrap();
            for (found, expected) in found.iter().zip(of::<Vec<Option<f64>>>(expected)) {
                match (found.importance, expected) {
                    (Ok(found), Some(expected)) => assert_close(found, expected, 1e-12, name),
                    (found, expected) => assert_eq!(found.ok(), expected, "{name}"),
                }
                n_values += 1;
            }
        }
    }
    assert_eq!(n_values, 4 * 12 * 22);
}

#[test]
fn co_occurrence_agrees_with_scipy() {
    let document = part("co_occurrence");
    let present: Array2<bool> = matrix(&document["present"]);
    for similarity in [
        BinarySimilarity::Dice,
        BinarySimilarity::Jaccard,
        BinarySimilarity::Yule,
    ] {
        let found = co_occurrence(present.view(), similarity).unwrap();
        assert_eq!(found.counts, matrix::<usize>(&document["counts"]));
        let expected: Array2<f64> = matrix(&document[similarity.to_string()]);
        for (found, expected) in found.similarity.iter().zip(&expected) {
            assert_close(found.unwrap(), *expected, 1e-12, "similarity");
        }
    }
}

#[test]
fn overlap_agrees_with_shapely() {
    let document = part("overlap");
    let of_object = |o: &Vec<f64>| DetectedObject {
        bounds: PictureBox::new(o[2], o[3], o[4], o[5]),
        class: o[0] as usize,
        score: o[1],
    };
    let images: Vec<Vec<DetectedObject>> = of::<Vec<Vec<Vec<f64>>>>(&document["images"])
        .iter()
        .map(|objects| objects.iter().map(of_object).collect())
        .collect();
    for (name, expected) in document["cases"].as_object().unwrap() {
        let (pairing, averaging) = name.split_once(' ').unwrap();
        let params = OverlapParams {
            pairing: pairing.parse().unwrap(),
            averaging: averaging.parse().unwrap(),
            min_score: of(&document["min_score"]),
        };
        let found = overlap(&images, of(&document["n_classes"]), &params).unwrap();
        assert_eq!(found.n_images, matrix::<usize>(&expected["n_images"]));
        assert_eq!(found.n_pairs, matrix::<usize>(&expected["n_pairs"]));
        let shares: Array2<Option<f64>> = matrix(&expected["share"]);
        for (found, expected) in found.share.iter().zip(&shares) {
            match (found, expected) {
                (Some(found), Some(expected)) => assert_close(*found, *expected, 1e-12, name),
                (found, expected) => assert_eq!(found, expected, "{name}"),
            }
        }
    }
}
