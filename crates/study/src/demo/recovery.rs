//! Whether the planted answers can be found: a forward pass in plain loops, then RSA.

use std::collections::BTreeMap;

use consilience_core::pairs;
use consilience_stats::rank::average_ranks;
use ndarray::{Array1, Array2, Array3, Array4, ArrayView1, ArrayView2, Axis, Zip, s};
use safetensors::SafeTensors;

use super::{
    design::{self, BEHAVIOUR_LAYER, EARLY_LAYER, LATE_LAYER, LAYERS},
    network,
    stimuli::{Category, HELD_OUT_SEEDS, draw},
    subjects::{RaterParams, SubjectParams, simulate, simulate_behaviour},
};

/// The network with its weights, as plain arrays.
struct Network {
    convolutions: Vec<(Array4<f32>, Array1<f32>)>,
    fc: (Array2<f32>, Array1<f32>),
}

impl Network {
    fn embedded() -> Self {
        let tensors = SafeTensors::deserialize(network::WEIGHTS).unwrap();
        assert_eq!(tensors.len(), 10);
        let values = |name: &str, shape: &[usize]| -> Vec<f32> {
            let tensor = tensors.tensor(name).unwrap();
            assert_eq!(tensor.shape(), shape, "{name}");
            assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "{name}");
            let numbers = tensor.data().chunks_exact(4);
            numbers
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
                .collect()
        };
        let convolutions = [(1, 3, 16), (2, 16, 32), (3, 32, 64), (4, 64, 64)]
            .map(|(i, n_in, n_out)| {
                let weight = values(&format!("conv{i}.weight"), &[n_out, n_in, 3, 3]);
                let bias = values(&format!("conv{i}.bias"), &[n_out]);
                (
                    Array4::from_shape_vec((n_out, n_in, 3, 3), weight).unwrap(),
                    bias.into(),
                )
            })
            .into();
        let weight = values("fc.weight", &[8, 64]);
        let fc = Array2::from_shape_vec((8, 64), weight).unwrap();
        Self {
            convolutions,
            fc: (fc, values("fc.bias", &[8]).into()),
        }
    }

    /// Every layer's output for one picture, in the order of the layers.
    fn layers(&self, picture: &Array3<u8>) -> Vec<(String, Vec<f32>)> {
        let mut x = picture
            .view()
            .permuted_axes([2, 0, 1])
            .mapv(|byte| (f32::from(byte) / 255.0 - 0.5) / 0.5);
        let mut layers = Vec::new();
        let mut keep = |name: &str, i: usize, x: &Array3<f32>| {
            layers.push((format!("{name}{i}"), x.iter().copied().collect()));
        };
        for (i, (weight, bias)) in (1..).zip(&self.convolutions) {
            x = convolved(&x, weight, bias);
            keep("conv", i, &x);
            x.mapv_inplace(|v| v.max(0.0));
            keep("relu", i, &x);
            if i < 4 {
                x = pooled(&x);
                keep("pool", i, &x);
            }
        }
        let average = x.mean_axis(Axis(2)).unwrap().mean_axis(Axis(1)).unwrap();
        let logits = self.fc.0.dot(&average) + &self.fc.1;
        layers.push(("avgpool".into(), average.to_vec()));
        layers.push(("fc".into(), logits.to_vec()));
        layers
    }
}

/// A 3 × 3 convolution with one pixel of zeros around the picture.
fn convolved(x: &Array3<f32>, weight: &Array4<f32>, bias: &Array1<f32>) -> Array3<f32> {
    let (n_in, height, width) = x.dim();
    let mut padded = Array3::zeros((n_in, height + 2, width + 2));
    padded.slice_mut(s![.., 1..=height, 1..=width]).assign(x);
    let mut y = Array3::zeros((bias.len(), height, width));
    for (out, mut map) in y.outer_iter_mut().enumerate() {
        map.fill(bias[out]);
        for ((input, row, column), &w) in weight.index_axis(Axis(0), out).indexed_iter() {
            let shifted = padded.slice(s![input, row..row + height, column..column + width]);
            Zip::from(&mut map)
                .and(&shifted)
                .for_each(|m, &v| *m += w * v);
        }
    }
    y
}

/// The largest value of every 2 × 2 block.
fn pooled(x: &Array3<f32>) -> Array3<f32> {
    let (channels, height, width) = x.dim();
    Array3::from_shape_fn((channels, height / 2, width / 2), |(c, row, column)| {
        x.slice(s![c, 2 * row..2 * row + 2, 2 * column..2 * column + 2])
            .fold(f32::NEG_INFINITY, |a, &b| a.max(b))
    })
}

/// Patterns `(n_stimuli, n_features)` of every layer for the demo's stimuli.
fn patterns() -> BTreeMap<String, Array2<f32>> {
    let network = Network::embedded();
    let mut rows: BTreeMap<String, Vec<Vec<f32>>> = BTreeMap::new();
    for stimulus in design::stimuli() {
        for (name, features) in network.layers(&stimulus.picture) {
            rows.entry(name).or_default().push(features);
        }
    }
    rows.into_iter()
        .map(|(name, rows)| {
            let shape = (rows.len(), rows[0].len());
            (name, Array2::from_shape_vec(shape, rows.concat()).unwrap())
        })
        .collect()
}

fn correlation_rdm(patterns: ArrayView2<'_, f32>) -> Array1<f64> {
    let pearson = |a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>| {
        pearson(&a.mapv(f64::from), &b.mapv(f64::from))
    };
    pairs::iter(patterns.nrows())
        .map(|(i, j)| 1.0 - pearson(patterns.row(i), patterns.row(j)))
        .collect()
}

fn pearson(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    let (a, b) = (a - a.mean().unwrap(), b - b.mean().unwrap());
    a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt()
}

fn ranks(values: ArrayView1<'_, f64>) -> Array1<f64> {
    average_ranks(&values.to_vec()).into()
}

/// What an analysis of one region says: each layer's mean Spearman correlation with the subjects,
/// and the noise ceiling (lower, upper).
struct Outcome {
    scores: Vec<(&'static str, f64)>,
    ceiling: (f64, f64),
}

impl Outcome {
    fn of(subjects: &Array2<f64>, layer_ranks: &[(&'static str, Array1<f64>)]) -> Self {
        let subjects: Vec<_> = subjects.rows().into_iter().map(ranks).collect();
        let n = subjects.len() as f64;
        let mean = |of: &dyn Fn(&Array1<f64>) -> f64| subjects.iter().map(of).sum::<f64>() / n;
        let total = subjects
            .iter()
            .fold(Array1::zeros(subjects[0].len()), |sum, s| sum + s);
        Self {
            scores: layer_ranks
                .iter()
                .map(|(name, layer)| (*name, mean(&|subject| pearson(subject, layer))))
                .collect(),
            ceiling: (
                mean(&|subject| pearson(subject, &ranks((&total - subject).view()))),
                mean(&|subject| pearson(subject, &ranks(total.view()))),
            ),
        }
    }

    fn check(&self, planted: &str, seed: u64) {
        let mut order = self.scores.clone();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        assert_eq!(order[0].0, planted, "seed {seed}: {order:?}");
        let (lower, upper) = self.ceiling;
        assert!(
            (0.3..0.8).contains(&lower) && upper < 0.85,
            "seed {seed}: {lower} {upper}"
        );
        assert!(
            order[0].1 > lower - 0.02,
            "seed {seed}: {} below {lower}",
            order[0].1
        );
        let lead = order[0].1 - order[1].1;
        assert!(lead > 0.02, "seed {seed}: {planted} leads by {lead} only");
    }
}

#[test]
fn planted_layers_are_recovered_for_every_seed() {
    let patterns = patterns();
    let layer_ranks: Vec<_> = LAYERS
        .iter()
        .map(|&name| (name, ranks(correlation_rdm(patterns[name].view()).view())))
        .collect();
    for seed in 0..24 {
        let region = |layer: &str, params: SubjectParams| {
            let params = SubjectParams { seed, ..params };
            let rdms = simulate(patterns[layer].view(), &params).unwrap();
            Outcome::of(&rdms, &layer_ranks)
        };
        region(EARLY_LAYER, design::early_region()).check(EARLY_LAYER, seed);
        region(LATE_LAYER, design::late_region()).check(LATE_LAYER, seed);
        let raters = RaterParams {
            seed,
            ..design::raters()
        };
        let rdms = simulate_behaviour(patterns[BEHAVIOUR_LAYER].view(), &raters).unwrap();
        Outcome::of(&rdms, &layer_ranks).check(BEHAVIOUR_LAYER, seed);
    }
}

#[test]
fn the_embedded_network_recognises_what_it_never_saw() {
    let network = Network::embedded();
    let n = 48;
    let n_correct = (0..n)
        .filter(|i| {
            let category = Category::ALL[i % 8];
            let picture = draw(category, HELD_OUT_SEEDS.start + (i / 8) as u64);
            let (_, logits) = network.layers(&picture).pop().unwrap();
            let answer = (0..8)
                .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
                .unwrap();
            Category::ALL[answer] == category
        })
        .count();
    assert!(n_correct >= 44, "{n_correct} of {n}");
}
