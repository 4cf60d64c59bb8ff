use consilience_io::image::RgbImage;
use consilience_learn::train;
use consilience_models::{
    ExecutorChoice, ExtractParams, Extractor, Images, Layer, ModelError, Network, zoo,
};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array1, Array2, Array3, ArrayView4, Axis, s, stack};

use super::super::{
    CutLayer, HeadedNetwork, LayerGradients, LesionWith, Object2BrainError, Object2BrainParams,
    Pool, WholeScan,
};
use super::{N_STIMULI, SHAPE, Study, few_sets};
use crate::ExperimentError;
use crate::head::{HeadOutput, RatingHead, RunHeads};

/// Where the head follows the layer at once, a pass is a head.
#[test]
fn a_whole_network_of_a_head_alone_is_a_cut_one() {
    for lesion in [LesionWith::Zero, LesionWith::Mean] {
        let study = Study::new(31, Pool::Flat, HeadOutput::Linear);
        let params = Object2BrainParams {
            lesion,
            ..few_sets()
        };
        let cut = study.outcome(params).unwrap();
        let mut scan = WholeScan::new(study.runs.len(), SHAPE, study.inputs(), params).unwrap();
        for (idx, activation) in study.activations.iter().enumerate() {
            let gradient = |run: &RunHeads| {
                Array3::from_shape_vec(SHAPE, run.of(idx).weights.clone()).unwrap()
            };
            let gradients: Vec<Array3<f32>> = study.runs.iter().map(gradient).collect();
            let gradients: Vec<_> = gradients.iter().map(|g| g.view()).collect();
            scan.add(activation.view(), &gradients).unwrap();
        }
        let passes = |run: usize, first: usize, activations: ArrayView4<'_, f32>| {
            let rate = |(idx, activation): (usize, ndarray::ArrayView3<'_, f32>)| {
                let head = study.runs[run].of(first + idx);
                let features: Array1<f32> = activation.iter().copied().collect();
                Ok(head.output.of(head.sum(features.view())?))
            };
            activations.outer_iter().enumerate().map(rate).collect()
        };
        let activations: Vec<_> = study.activations.iter().map(|a| a.view()).collect();
        let activations = stack(Axis(0), &activations).unwrap();
        let whole = scan.finish(activations.view(), &passes).unwrap();
        assert_eq!(cut.boxes, whole.boxes);
        for (cut, whole) in cut.categories.iter().zip(&whole.categories) {
            assert_eq!(
                (&cut.filters, cut.importance),
                (&whole.filters, whole.importance)
            );
            for (cut, whole) in cut.effects.iter().zip(&whole.effects) {
                assert!((cut.delta.unwrap().mean - whole.delta.unwrap().mean).abs() < 1e-5);
                let (cut, whole) = (cut.test.unwrap(), whole.test.unwrap());
                assert!((cut.mean - whole.mean).abs() < 1e-5);
                assert!((cut.p - whole.p).abs() < 1e-12);
            }
        }
    }
}

/// The demo network with random weights, pictures for it, and heads behind its last map.
struct Whole {
    network: Network,
    pictures: Vec<RgbImage>,
    runs: Vec<RunHeads>,
    end: Layer,
}

const END: [usize; 3] = [64, 8, 8];
const INNER: [usize; 3] = [32, 32, 32];

impl Whole {
    fn new() -> Self {
        let architecture = zoo::find("consilience_demo").unwrap();
        let weights = train::initial_weights(&architecture.parameters().unwrap(), 3);
        let network = Network::with_state_dict(&architecture, weights).unwrap();
        let mut draw = Stream::new(32, Domain::Simulation, 0);
        let pictures = (0..N_STIMULI)
            .map(|_| RgbImage {
                width: 64,
                height: 64,
                pixels: (0..64 * 64 * 3).map(|_| draw.below(256) as u8).collect(),
            })
            .collect();
        let mut head = || RatingHead {
            weights: (0..END[0]).map(|_| draw.normal() as f32).collect(),
            bias: 0.3,
            output: HeadOutput::Linear,
        };
        let mut run = || RunHeads {
            heads: vec![head(), head()],
            head_of: (0..N_STIMULI).map(|i| i % 2).collect(),
        };
        let runs = vec![run(), run()];
        let end = network.select(&["relu4"]).unwrap().remove(0);
        Self {
            network,
            pictures,
            runs,
            end,
        }
    }

    fn headed(&self) -> HeadedNetwork<'_> {
        let heads = CutLayer {
            runs: &self.runs,
            pool: Pool::Mean,
        };
        HeadedNetwork::new(&self.network, self.end.clone(), &END, heads).unwrap()
    }

    /// Ratings by one run of a network that may have been edited.
    fn ratings(&self, network: &Network, run: usize) -> Vec<f64> {
        let params = ExtractParams {
            executor: ExecutorChoice::Rten,
            pool: consilience_models::Pool::Mean,
            ..ExtractParams::default()
        };
        let extractor =
            Extractor::prepare(network, std::slice::from_ref(&self.end), &params).unwrap();
        let mut rows = Array2::zeros((N_STIMULI, END[0]));
        let sink = |block: consilience_models::Block<'_>| {
            let end = block.first_row + block.rows.nrows();
            rows.slice_mut(s![block.first_row..end, ..])
                .assign(&block.rows);
            Ok::<(), ModelError>(())
        };
        extractor
            .run(Images::Decoded(&self.pictures), sink, |_| {})
            .unwrap();
        let rate = |(idx, row): (usize, ndarray::ArrayView1<'_, f32>)| {
            let head = self.runs[run].of(idx);
            head.output.of(head.sum(row).unwrap())
        };
        rows.outer_iter().enumerate().map(rate).collect()
    }
}

#[test]
fn lesions_of_an_inner_layer_are_edits_of_the_network() {
    let whole = Whole::new();
    let headed = whole.headed();
    let layers = whole.network.select(&["relu2"]).unwrap();
    let mut study = Study::new(33, Pool::Mean, HeadOutput::Linear);
    study.runs.clear();
    let params = Object2BrainParams {
        random_sets: 3,
        ..few_sets()
    };
    let mut scan = WholeScan::new(whole.runs.len(), INNER, study.inputs(), params).unwrap();
    let mut activations = Vec::new();
    for (idx, picture) in whole.pictures.iter().enumerate() {
        let image = whole.network.preprocessing.apply(picture).unwrap();
        let found = headed
            .gradients(idx, image.view(), &layers)
            .unwrap()
            .remove(0);
        let gradients: Vec<_> = found.gradients.iter().map(|g| g.view()).collect();
        scan.add(found.activation.view(), &gradients).unwrap();
        activations.push(found.activation);
    }
    let views: Vec<_> = activations.iter().map(|a| a.view()).collect();
    let activations = stack(Axis(0), &views).unwrap();
    let rest = headed
        .rest(&layers[0], INNER, ExecutorChoice::Rten, 2)
        .unwrap();
    let found = scan
        .finish(activations.view(), &|run, first, block| {
            rest.rate(run, first, block)
        })
        .unwrap();
    let category = &found.categories[0];
    for run in 0..whole.runs.len() {
        let intact = whole.ratings(&whole.network, run);
        let filters = &category.filters.as_ref().unwrap()[run].filters;
        let listed: Vec<String> = filters.iter().map(usize::to_string).collect();
        let edit = format!("lesion layer=relu2 channels={} with=zero", listed.join(","));
        let images = Images::Decoded(&whole.pictures);
        let edits = [edit.parse().unwrap()];
        let params = ExtractParams::default();
        let edited = whole.network.edited(&edits, images, &params).unwrap();
        let lesioned = whole.ratings(&edited, run);
        let target = study.targets.row(0).to_vec();
        let r =
            |ratings: &[f64]| consilience_stats::correlation::pearson(ratings, &target).unwrap();
        for (found, expected) in found.intact.row(run).iter().zip(&intact) {
            assert!((found - expected).abs() < 1e-4);
        }
        let effect = category.effects[[0, 0]].runs[run].as_ref().unwrap();
        assert!((effect.r - r(&intact)).abs() < 1e-3, "{effect:?}");
        assert!(
            (effect.r_lesioned - r(&lesioned)).abs() < 1e-3,
            "{effect:?}"
        );
    }
    assert_eq!(category.effects[[0, 0]].test.unwrap().n_random, 3);
}

#[test]
fn gradients_are_those_of_the_rest() {
    let whole = Whole::new();
    let headed = whole.headed();
    let layers = whole.network.select(&["relu2", "relu3"]).unwrap();
    let image = whole
        .network
        .preprocessing
        .apply(&whole.pictures[1])
        .unwrap();
    let found = headed.gradients(1, image.view(), &layers).unwrap();
    assert_eq!(found[1].activation.dim(), (64, 16, 16));
    let rest = headed
        .rest(&layers[0], INNER, ExecutorChoice::Rten, 1)
        .unwrap();
    let LayerGradients {
        activation,
        gradients,
    } = &found[0];
    // A small step along the gradient, for all stimuli alike, of which one is looked at. Units at 0 stay: there pooling has a kink.
    for (run, gradient) in gradients.iter().enumerate() {
        let mut gradient = gradient.clone();
        gradient.zip_mut_with(activation, |g, &a| *g = if a > 0.0 { *g } else { 0.0 });
        let square: f64 = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
        let sum = |step: f64| {
            let by = (step / square.sqrt()) as f32;
            let moved = activation + &gradient.mapv(|g| g * by);
            let shape = (N_STIMULI, INNER[0], INNER[1], INNER[2]);
            let ratings = rest.rate(run, 0, moved.broadcast(shape).unwrap()).unwrap();
            ratings[1]
        };
        let slope = (sum(0.01) - sum(-0.01)) / 0.02;
        assert!(
            (slope / square.sqrt() - 1.0).abs() < 0.02,
            "{slope} {}",
            square.sqrt()
        );
    }
}

#[test]
fn layers_without_maps_are_refused() {
    let whole = Whole::new();
    let picture = &whole.pictures[0];
    let image = whole.network.preprocessing.apply(picture).unwrap();
    let end = whole.network.select(&["fc"]).unwrap();
    let n_classes = whole.network.graph.initialisers["fc.bias"].shape()[0];
    let mut runs = whole.runs.clone();
    for head in runs.iter_mut().flat_map(|run| &mut run.heads) {
        head.weights.truncate(n_classes);
    }
    let heads = CutLayer {
        runs: &runs,
        pool: Pool::Flat,
    };
    let headed = HeadedNetwork::new(&whole.network, end[0].clone(), &[n_classes], heads).unwrap();
    let error = headed.gradients(0, image.view(), &end).unwrap_err();
    let ExperimentError::Object2Brain(Object2BrainError::NoMap { layer, shape }) = error else {
        panic!("{error:?}");
    };
    assert_eq!((layer.as_str(), shape), ("fc", vec![1, n_classes]));
    let error = HeadedNetwork::new(&whole.network, whole.end.clone(), &END, heads)
        .err()
        .unwrap();
    assert!(error.to_string().contains("weights of a head"), "{error}");
}
