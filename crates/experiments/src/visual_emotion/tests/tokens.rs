//! Modules that read several tokens of each stimulus.

use std::collections::BTreeMap;

use consilience_learn::train;
use ndarray::{ArrayD, Axis, IxDyn, s};

use super::*;
use crate::visual_emotion::{Scaling, ridge, token_means};

const TOKENS: usize = 4;
const CHANNELS: usize = 5;

/// Two transformers, one of them behind a linear map of the features, with a linear map of both and feedback.
fn attending(adapter: Option<usize>) -> Structure {
    let nuclei = r#"
        read-out = "CE"
        steps = 2
        [[nucleus]]
        name = "LA"
        reads = ["visual"]
        transformer = { layers = 2, heads = 1, hidden = 7 }
        [[nucleus]]
        name = "BA"
        reads = ["LA", "visual"]
        transformer = { heads = 2, hidden = 6 }
        widths = [9, 3]
        feedback = ["CE"]
        [[nucleus]]
        name = "CE"
        reads = ["LA", "BA"]
        widths = [6]
        inhibited-by = ["BA"]
    "#;
    Structure {
        name: "attending".to_owned(),
        nuclei: Nuclei::from_toml(nuclei).unwrap(),
        adapter,
        tokens: Some(TOKENS),
    }
}

fn start(wired: &Wired, seed: u64) -> BTreeMap<String, ArrayD<f32>> {
    let start = train::torch_weights(&wired.parameters, &wired.copies, seed);
    let array = |tensor: &consilience_models::graph::Tensor| {
        ArrayD::from_shape_vec(IxDyn(tensor.shape()), tensor.to_f32().unwrap()).unwrap()
    };
    start.iter().map(|(k, t)| (k.clone(), array(t))).collect()
}

fn data(n: usize, seed: u64) -> Data {
    Data::new(n, TOKENS * CHANNELS, seed)
}

/// As networks of the graph, for one block of stimuli and for several.
#[test]
fn modules_on_tokens_are_computed_as_their_networks_are() {
    let published = |variant| Structure {
        tokens: Some(TOKENS),
        ..Structure::variant(variant, CHANNELS, Some(12))
    };
    let variants = Variant::ALL.map(published);
    let own = [attending(None), attending(Some(8))];
    for (structure, n) in variants.into_iter().chain(own).zip([3, 4, 5, 6, 7, 1100]) {
        let data = data(n, 3);
        let wired = structure.wired(CHANNELS, 2).unwrap();
        let weights = start(&wired, 3);
        let mut graph = wired.graph.clone();
        let initial = train::torch_weights(&wired.parameters, &wired.copies, 3);
        graph.initialisers.extend(initial);
        let shape = (n, TOKENS, CHANNELS);
        let features = data.features.clone().into_shape_with_order(shape).unwrap();
        let output = |graph: &consilience_models::Graph| {
            train::outputs(graph, features.view().into_dyn()).unwrap()
        };
        let (units, ratings) = wired.read(&weights, data.features.view());
        assert_eq!(units.dim(), (n, wired.n_units()));
        for (found, expected) in ratings.iter().zip(&output(&graph)) {
            assert!((found - expected).abs() < 1e-5, "{}", structure.name);
        }
        // Units are means over tokens: what a read-out of ones and zeros would read of the last nucleus.
        let last = wired.ranges().pop().unwrap();
        let key = &structure.nuclei.read_out_key;
        let weight = &weights[&format!("{key}.weight")];
        let weight = weight.view().into_dimensionality::<ndarray::Ix2>().unwrap();
        let read = units.slice(s![.., last]).dot(&weight.t());
        let bias = &weights[&format!("{key}.bias")];
        for (row, rated) in read.rows().into_iter().zip(ratings.rows()) {
            for rating in 0..2 {
                assert!((row[rating] + bias[[rating]] - rated[rating]).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn the_order_of_tokens_does_not_matter() {
    let data = data(9, 5);
    let wired = attending(Some(8)).wired(CHANNELS, 2).unwrap();
    let weights = start(&wired, 5);
    let mut turned = data.features.clone();
    for (to, from) in [2, 0, 3, 1].into_iter().enumerate() {
        let columns = |token: usize| token * CHANNELS..(token + 1) * CHANNELS;
        let token = data.features.slice(s![.., columns(from)]);
        turned.slice_mut(s![.., columns(to)]).assign(&token);
    }
    let (units, ratings) = wired.read(&weights, data.features.view());
    let (turned_units, turned_ratings) = wired.read(&weights, turned.view());
    let near =
        |a: &Array2<f32>, b: &Array2<f32>| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near(&units, &turned_units) && near(&ratings, &turned_ratings));
    let entropy = |features: &Array2<f32>| wired.attention(&weights, features.view()).unwrap();
    for (a, b) in entropy(&data.features).iter().zip(entropy(&turned)) {
        assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-6);
    }
    // Other tokens are other features, though.
    let mut other = data.features.clone();
    other[[0, 0]] += 1.0;
    let (_, others) = wired.read(&weights, other.view());
    assert!(!near(&ratings, &others));
    assert!(near(
        &ratings.slice(s![1.., ..]).to_owned(),
        &others.slice(s![1.., ..]).to_owned()
    ));
}

#[test]
fn entropy_of_attention_is_that_of_its_definition() {
    let nuclei = r#"
        read-out = "LA"
        [[nucleus]]
        name = "linear"
        reads = ["visual"]
        widths = [3]
        [[nucleus]]
        name = "LA"
        reads = ["visual"]
        transformer = { heads = 1, hidden = 4 }
    "#;
    let structure = Structure {
        name: "one".to_owned(),
        nuclei: Nuclei::from_toml(nuclei).unwrap(),
        adapter: None,
        tokens: Some(TOKENS),
    };
    let data = data(7, 2);
    let wired = structure.wired(CHANNELS, 1).unwrap();
    let mut weights = start(&wired, 2);
    // Far from even attention.
    let in_proj = weights.get_mut("LA.layers.0.self_attn.in_proj_weight");
    in_proj.unwrap().mapv_inplace(|w| 4.0 * w);
    let weight = &weights["LA.layers.0.self_attn.in_proj_weight"];
    let bias = &weights["LA.layers.0.self_attn.in_proj_bias"];
    let mut sum = 0.0;
    for stimulus in 0..7 {
        // Row `first` of the map on: queries from 0, keys from the number of channels.
        let mapped = |token: usize, first: usize| -> Vec<f64> {
            let of = |unit: usize| {
                let row = first + unit;
                (0..CHANNELS).fold(f64::from(bias[[row]]), |sum, channel| {
                    let value = data.features[[stimulus, token * CHANNELS + channel]];
                    sum + f64::from(weight[[row, channel]]) * f64::from(value)
                })
            };
            (0..CHANNELS).map(of).collect()
        };
        for query in 0..TOKENS {
            let q = mapped(query, 0);
            let score = |key: usize| {
                let k = mapped(key, CHANNELS);
                let product: f64 = q.iter().zip(&k).map(|(q, k)| q * k).sum();
                (product / (CHANNELS as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = (0..TOKENS).map(score).collect();
            let total: f64 = scores.iter().sum();
            let p = scores.iter().map(|score| score / total);
            sum += p.map(|p| -p * p.ln()).sum::<f64>();
        }
    }
    let expected = sum / 7.0 / TOKENS as f64 / (TOKENS as f64).ln();
    let found = wired.attention(&weights, data.features.view()).unwrap();
    assert_eq!(found[0], None);
    assert!((found[1].unwrap() - expected).abs() < 1e-5);
    assert!(expected < 0.95, "{expected}");
}

#[test]
fn channels_are_scaled_over_stimuli_and_tokens() {
    let data = data(20, 4);
    let pictures = Pictures {
        tokens: Some(TOKENS),
        ..data.pictures()
    };
    let rows: Vec<usize> = (3..20).collect();
    let found = Scaling::of(&pictures, &rows, &learning()).features(data.features.view());
    let learnt = found.select(Axis(0), &rows);
    for channel in 0..CHANNELS {
        let values = learnt.slice(s![.., channel..;CHANNELS]).mapv(f64::from);
        let mean = values.mean().unwrap();
        let variance = values.mapv(|v| (v - mean).powi(2)).mean().unwrap();
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5);
        // One factor for all tokens: differences between them are kept.
        let ratio = |row: usize| {
            let of = |all: &Array2<f32>| all[[row, channel]] - all[[row, CHANNELS + channel]];
            of(&found) / of(&data.features)
        };
        assert!((ratio(0) - ratio(1)).abs() < 1e-4);
    }
}

#[test]
fn trainings_on_tokens_say_how_attention_is_spread() {
    let data = data(30, 6);
    let pictures = Pictures {
        tokens: Some(TOKENS),
        ..data.pictures()
    };
    let wired = attending(Some(8)).wired(CHANNELS, 2).unwrap();
    let divisions = data.divisions(1);
    let runs: Vec<FoldRun> = (divisions.iter())
        .map(|division| {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            train_fold(&wired, &pictures, division, &learning(), 1, true, folder).unwrap()
        })
        .collect();
    let repeat = Repeat::of(1, &divisions, &runs);
    assert_eq!(repeat.units.dim(), (5, 30, wired.n_units()));
    assert_eq!(repeat.attention[2], None);
    for nucleus in 0..2 {
        let of_runs = runs.iter().map(|run| run.attention[nucleus].unwrap());
        let of_runs: Vec<f64> = of_runs.collect();
        assert!(of_runs.iter().all(|share| (0.0..=1.0).contains(share)));
        // Folds of ten stimuli each.
        let mean = of_runs.iter().sum::<f64>() / 3.0;
        assert!((repeat.attention[nucleus].unwrap() - mean).abs() < 1e-12);
    }
    // What is kept of a training is what its weights give.
    let (division, run) = (&divisions[0], &runs[0]);
    let scaling = Scaling::of(&pictures, &division.training, &learning());
    let tested = data.features.select(Axis(0), &division.tested);
    let (_, outputs) = wired.read(&run.weights, scaling.features(tested.view()).view());
    let rated = run.ratings.index_axis(Axis(0), run.epoch);
    assert_eq!(scaling.ratings(outputs.view()), rated);
}

#[test]
fn the_baseline_reads_the_mean_over_tokens() {
    let data = data(30, 7);
    let divisions = data.divisions(1);
    let pictures = Pictures {
        tokens: Some(TOKENS),
        ..data.pictures()
    };
    let means = token_means(data.features.view(), Some(TOKENS));
    assert_eq!(means.dim(), (30, CHANNELS));
    let by_hand = (0..TOKENS).map(|t| f64::from(data.features[[3, t * CHANNELS + 2]]));
    let by_hand = by_hand.sum::<f64>() / TOKENS as f64;
    assert_eq!(means[[3, 2]], by_hand as f32);
    let of_means = Pictures {
        features: means.view(),
        stimuli: means.view(),
        ..data.pictures()
    };
    let found = ridge(&pictures, &divisions).unwrap();
    assert_eq!(found, ridge(&of_means, &divisions).unwrap());
    assert_ne!(found, ridge(&data.pictures(), &divisions).unwrap());
}
