//! Networks and modules whose maps are known.

use std::collections::BTreeMap;

use consilience_io::image::RgbImage;
use consilience_io::weights::Weights;
use consilience_methods::occlusion::Windows;
use consilience_models::graph::{Attribute, Graph, Input, Layer, Node, Opset};
use consilience_models::nuclei::Nuclei;
use consilience_models::preprocess::{ChannelOrder, Resize};
use consilience_models::{ExecutorChoice, ExtractParams, ModelError, Network, Preprocessing};
use ndarray::{Array2, ArrayD, IxDyn, s};

use super::super::{RATINGS, Trained, import};
use super::{Occlusion, Reader};
use crate::error::ExperimentError;
use crate::visual_emotion::Structure;

const SIZE: [usize; 2] = [12, 9];

/// A network that hands on what it takes: pixels minus a colour.
fn network() -> Network {
    let [height, width] = SIZE;
    let slope = ("alpha".to_owned(), Attribute::Float(1.0));
    Network {
        architecture: "pixels".to_owned(),
        graph: Graph {
            name: "pixels".to_owned(),
            opsets: vec![Opset {
                domain: String::new(),
                version: 17,
            }],
            inputs: vec![Input {
                name: "input".to_owned(),
                shape: vec![None, Some(3), Some(height), Some(width)],
            }],
            nodes: vec![Node {
                name: "pixels".to_owned(),
                op: "LeakyRelu".to_owned(),
                domain: String::new(),
                inputs: vec!["input".to_owned()],
                outputs: vec!["pixels".to_owned()],
                attributes: BTreeMap::from([slope]),
            }],
            outputs: vec!["pixels".to_owned()],
            layers: vec![Layer {
                name: "pixels".to_owned(),
                tensor: "pixels".to_owned(),
            }],
            ..Graph::default()
        },
        preprocessing: Preprocessing {
            resize: Resize::Keep,
            crop: None,
            mean: [0.4, 0.5, 0.25],
            std: [0.5; 3],
            order: ChannelOrder::Rgb,
            ..Preprocessing::imagenet()
        },
    }
}

/// Valence is a weighted sum of the pixels of rows 2 to 4 and columns 5 to 7; arousal is 5, whatever is seen.
fn module() -> Trained {
    let nuclei = "read-out = \"A\"\n[[nucleus]]\nname = \"A\"\nreads = [\"visual\"]\n";
    let structure = Structure {
        name: "linear".to_owned(),
        nuclei: Nuclei::from_toml(nuclei).unwrap(),
        adapter: None,
        tokens: None,
    };
    let [height, width] = SIZE;
    let mut weights = ArrayD::zeros(IxDyn(&[2, 3, height, width]));
    weights.slice_mut(s![0, 0, 2..5, 5..8]).fill(1.0_f32);
    weights.slice_mut(s![0, 2, 2..5, 5..8]).fill(-0.5);
    let n = 3 * height * width;
    let weights = weights.into_shape_with_order(IxDyn(&[2, n])).unwrap();
    let bias = ArrayD::from_shape_vec(IxDyn(&[2]), vec![4.0, 5.0]).unwrap();
    let weights = BTreeMap::from([
        ("read-out.weight".to_owned(), weights),
        ("read-out.bias".to_owned(), bias),
    ]);
    import(structure, n, &RATINGS, [1.0, 9.0], Weights::new(weights)).unwrap()
}

fn pictures(n: usize) -> Vec<RgbImage> {
    let [height, width] = SIZE;
    let picture = |k: usize| RgbImage {
        width,
        height,
        pixels: (0..height * width * 3)
            .map(|at| ((at * 37 + k * 101 + at * at) % 256) as u8)
            .collect(),
    };
    (0..n).map(picture).collect()
}

fn occluded(pictures: &[RgbImage], windows: &Windows, params: &ExtractParams) -> Vec<Occlusion> {
    let (network, module) = (network(), module());
    let reader = Reader {
        network: &network,
        layer: &network.layers()[0],
        params,
        module: &module,
    };
    let mut all = Vec::new();
    let mut n_done = 0;
    reader
        .occlude(
            pictures,
            windows,
            |picture_idx, found| -> Result<(), ExperimentError> {
                assert_eq!(picture_idx, all.len());
                all.push(found);
                Ok(())
            },
            |n| n_done = n,
        )
        .unwrap();
    assert_eq!(n_done, pictures.len() * (1 + windows.len()));
    all
}

/// What a window takes away from valence: its share of the region.
fn expected(picture: &RgbImage, windows: &Windows) -> Array2<f64> {
    let term = |y: usize, x: usize| {
        let pixel = &picture.pixels[(y * SIZE[1] + x) * 3..][..3];
        let level = |channel: usize, mean: f64| (f64::from(pixel[channel]) / 255.0 - mean) / 0.5;
        match (2..5).contains(&y) && (5..8).contains(&x) {
            true => level(0, 0.4) - 0.5 * level(2, 0.25),
            false => 0.0,
        }
    };
    let covered: Vec<f64> = windows
        .iter()
        .map(|[rows, columns]| {
            let all = rows.flat_map(|y| columns.clone().map(move |x| (y, x)));
            -all.map(|(y, x)| term(y, x)).sum::<f64>()
        })
        .collect();
    windows.map(0.0, &covered).unwrap()
}

#[test]
fn only_patches_over_what_is_read_matter() {
    let pictures = pictures(3);
    for (patch, stride) in [(2, 1), (3, 3), (5, 4), (9, 9)] {
        let windows = Windows::new(SIZE, patch, stride).unwrap();
        let params = ExtractParams {
            executor: ExecutorChoice::Rten,
            ..ExtractParams::default()
        };
        let all = occluded(&pictures, &windows, &params);
        assert_eq!(all.len(), 3);
        for (found, picture) in all.iter().zip(&pictures) {
            let expected = expected(picture, &windows);
            for ((at, found), expected) in found.maps[0].indexed_iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-4, "{patch} {at:?}");
            }
            assert!(expected.iter().any(|value| value.abs() > 0.01));
            assert!(found.maps[1].iter().all(|value| *value == 0.0));
            assert_eq!(found.ratings[1], 5.0);
            // Pixels that share no window with the region owe nothing.
            assert!(patch > 2 || found.maps[0][[0, 0]] == 0.0);
        }
    }
}

#[test]
fn threads_change_nothing_and_batches_almost_nothing() {
    // More passes than rows wait for the module.
    let pictures = pictures(4);
    let windows = Windows::new(SIZE, 3, 1).unwrap();
    let with = |n_threads: usize, batch: usize| {
        let params = ExtractParams {
            executor: ExecutorChoice::Rten,
            n_threads,
            batch,
            ..ExtractParams::default()
        };
        occluded(&pictures, &windows, &params)
    };
    let one = with(1, 1);
    assert_eq!(with(2, 1), one);
    for (a, b) in with(2, 7).iter().zip(&one) {
        for (a, b) in a.maps.iter().flatten().zip(b.maps.iter().flatten()) {
            assert!((a - b).abs() < 1e-5);
        }
    }
}

#[test]
fn a_picture_of_another_size_is_refused_and_an_error_of_the_sink_ends_it() {
    let (network, module) = (network(), module());
    let params = ExtractParams::default();
    let reader = Reader {
        network: &network,
        layer: &network.layers()[0],
        params: &params,
        module: &module,
    };
    let ignore = |_: usize, _: Occlusion| -> Result<(), ExperimentError> { Ok(()) };
    let smaller = Windows::new([8, 8], 2, 2).unwrap();
    let error = reader.occlude(&pictures(1), &smaller, ignore, |_| {});
    assert!(
        matches!(
            error,
            Err(ExperimentError::Model(ModelError::InputSize { .. }))
        ),
        "{error:?}"
    );
    let windows = Windows::new(SIZE, 3, 3).unwrap();
    let mut n_seen = 0;
    let stop = |_: usize, _: Occlusion| -> Result<(), ExperimentError> {
        n_seen += 1;
        Err(ExperimentError::Count {
            what: "pictures",
            expected: 1,
            found: 2,
        })
    };
    let error = reader.occlude(&pictures(2), &windows, stop, |_| {});
    assert!(matches!(error, Err(ExperimentError::Count { .. })));
    assert_eq!(n_seen, 1);
}
