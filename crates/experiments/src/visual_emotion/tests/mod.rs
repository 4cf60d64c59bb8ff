mod connections;
mod consistency;
mod laws;
mod naive;
mod quantiles;
mod read_out;
mod refusals;
mod tokens;
mod units;
mod views;

use consilience_learn::train::{Optimizer, TrainParams};
use consilience_models::nuclei::{Nuclei, Variant};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, ArrayView2};

use super::{Division, FoldRun, Learning, Pictures, Repeat, Structure, Wired, folds, train_fold};

/// Pictures whose features say what their ratings are, with noise.
pub(super) struct Data {
    pub features: Array2<f32>,
    pub ratings: Array2<f64>,
}

impl Data {
    pub fn new(n: usize, n_features: usize, seed: u64) -> Self {
        let mut stream = Stream::new(seed, Domain::Simulation, 0);
        let features = Array2::from_shape_simple_fn((n, n_features), || stream.normal() as f32);
        let ratings = Array2::from_shape_fn((n, 2), |(row, column)| {
            let told = f64::from(features[[row, column]]) - f64::from(features[[row, 2]]);
            5.0 + 0.8 * told
        });
        let noise = Array2::from_shape_simple_fn((n, 2), || 0.2 * stream.normal());
        Self {
            features,
            ratings: ratings + noise,
        }
    }

    pub fn pictures(&self) -> Pictures<'_> {
        Pictures {
            features: self.features.view(),
            ratings: self.ratings.view(),
            stimuli: self.features.view(),
            tokens: None,
            views: None,
        }
    }

    pub fn divisions(&self, seed: u64) -> Vec<Division> {
        folds(&self.ratings.column(0).to_vec(), 3, 0.2, seed).unwrap()
    }
}

/// Two nuclei that read the features, and one that reads both.
pub(super) fn structure() -> Structure {
    let nuclei = r#"
        read-out = "CE"
        [[nucleus]]
        name = "LA"
        reads = ["visual"]
        widths = [6]
        [[nucleus]]
        name = "BA"
        reads = ["LA"]
        widths = [4]
        [[nucleus]]
        name = "CE"
        reads = ["LA", "BA"]
        widths = [8]
    "#;
    Structure {
        name: "three".to_owned(),
        nuclei: Nuclei::from_toml(nuclei).unwrap(),
        adapter: None,
        tokens: None,
    }
}

pub(super) fn learning() -> Learning {
    Learning {
        params: TrainParams {
            optimizer: Optimizer::adam(),
            learning_rate: 1e-2,
            epochs: 4,
            batch: 8,
            ..TrainParams::default()
        },
        standardise: true,
        last_epoch: false,
        standardise_ratings: true,
    }
}

/// Trains all folds of a repeat, one after the other.
pub(super) fn trained(
    wired: &Wired,
    data: &Data,
    divisions: &[Division],
    seed: u64,
) -> (Vec<FoldRun>, Repeat) {
    let runs: Vec<FoldRun> = divisions
        .iter()
        .map(|division| {
            let folder = tempfile::tempdir().unwrap();
            train_fold(
                wired,
                &data.pictures(),
                division,
                &learning(),
                seed,
                true,
                folder.path(),
            )
            .unwrap()
        })
        .collect();
    let repeat = Repeat::of(seed, divisions, &runs);
    (runs, repeat)
}

pub(super) fn names() -> Vec<String> {
    ["valence", "arousal"].map(str::to_owned).to_vec()
}

#[test]
fn widths_of_variants_follow_those_that_are_published() {
    let published = Structure::variant(Variant::AnatomicalTransformer, 768, None);
    let wired = published.wired(768, 2).unwrap();
    assert_eq!((wired.n_parameters(), wired.n_units()), (30_401_282, 2_560));
    // Behind a map of features to as many numbers, only the map is added.
    let behind = Structure::variant(Variant::AnatomicalTransformer, 768, Some(768));
    let adapted = behind.wired(768, 2).unwrap();
    assert_eq!(
        adapted.n_parameters(),
        wired.n_parameters() + 768 * 768 + 768
    );
    assert_eq!(adapted.nuclei, wired.nuclei);
    for variant in Variant::ALL {
        let small = Structure::variant(variant, 20, Some(24))
            .wired(20, 2)
            .unwrap();
        let widths: Vec<usize> = small.nuclei.iter().map(|(_, width)| *width).collect();
        let inner = if variant == Variant::SerialTransformer {
            24
        } else {
            8
        };
        assert_eq!(widths, [24, inner, inner, 40], "{variant:?}");
        let zeros = Array2::zeros((3, 20));
        let weights = consilience_learn::train::torch_weights(&small.parameters, &small.copies, 1);
        let mut graph = small.graph.clone();
        graph.initialisers.extend(weights);
        let found = consilience_learn::train::outputs(&graph, zeros.view().into_dyn()).unwrap();
        assert_eq!(found.dim(), (3, 2));
    }
}

/// The module as a network of the graph, with feedback, inhibition and several steps as well.
#[test]
fn modules_are_computed_as_their_networks_are() {
    let recurrent = r#"
        read-out = "CE"
        steps = 3
        [[nucleus]]
        name = "LA"
        reads = ["visual"]
        transformer = { layers = 2, heads = 4, hidden = 7 }
        [[nucleus]]
        name = "relay"
        reads = ["visual"]
        [[nucleus]]
        name = "BA"
        reads = ["LA", "relay"]
        transformer = { heads = 2 }
        widths = [9, 5]
        feedback = ["CE"]
        [[nucleus]]
        name = "CE"
        reads = ["LA", "BA"]
        widths = [6]
        inhibited-by = ["BA"]
    "#;
    let recurrent = Structure {
        name: "recurrent".to_owned(),
        nuclei: Nuclei::from_toml(recurrent).unwrap(),
        adapter: Some(8),
        tokens: None,
    };
    let variants = Variant::ALL.map(|variant| Structure::variant(variant, 10, Some(24)));
    let data = Data::new(11, 10, 3);
    for structure in variants.into_iter().chain([recurrent, structure()]) {
        let wired = structure.wired(10, 2).unwrap();
        let start = consilience_learn::train::torch_weights(&wired.parameters, &wired.copies, 3);
        let mut graph = wired.graph.clone();
        graph.initialisers.extend(start.clone());
        let expected =
            consilience_learn::train::outputs(&graph, data.features.view().into_dyn()).unwrap();
        let weights = start
            .iter()
            .map(|(key, tensor)| {
                let values = tensor.to_f32().unwrap();
                let shape = ndarray::IxDyn(tensor.shape());
                (
                    key.clone(),
                    ndarray::ArrayD::from_shape_vec(shape, values).unwrap(),
                )
            })
            .collect();
        let (units, ratings) = wired.read(&weights, data.features.view());
        assert_eq!(units.dim(), (11, wired.n_units()));
        for (found, expected) in ratings.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{}", structure.name);
        }
        // Each nucleus, too.
        for (range, (nucleus, _)) in wired.ranges().into_iter().zip(&wired.nuclei) {
            let last = match structure.nuclei.steps {
                1 => nucleus.clone(),
                steps => format!("{nucleus}_{}", steps - 1),
            };
            let layer = graph
                .layers
                .iter()
                .find(|layer| layer.name == last)
                .unwrap();
            let mut graph = graph.clone();
            graph.outputs = vec![layer.tensor.clone()];
            let expected =
                consilience_learn::train::outputs(&graph, data.features.view().into_dyn());
            let own = units.slice(ndarray::s![.., range]);
            for (found, expected) in own.iter().zip(&expected.unwrap()) {
                assert!(
                    (found - expected).abs() < 1e-5,
                    "{} {nucleus}",
                    structure.name
                );
            }
        }
    }
}

#[test]
fn matched_modules_have_about_as_many_parameters() {
    let largest = Structure::variant(Variant::AnatomicalTransformer, 30, Some(24));
    let n = largest.wired(30, 2).unwrap().n_parameters();
    let small = Structure::variant(Variant::SerialLinear, 30, Some(24));
    let matched = small.matched_to(n, 30, 2).unwrap().wired(30, 2).unwrap();
    let ratio = matched.n_parameters() as f64 / n as f64;
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
}

pub(super) fn views(all: &[Array2<f64>]) -> Vec<ArrayView2<'_, f64>> {
    all.iter().map(|found| found.view()).collect()
}
