//! Edits of a small network with random weights, run by every executor.

use crate::common::{collect, demo, executors, noise};
use consilience_models::graph::{Linear, Tensor};
use consilience_models::{
    Edit, ExecutorChoice, ExtractParams, Images, ModelError, Network, Pool, onnx,
};
use ndarray::Array2;

fn params(executor: ExecutorChoice) -> ExtractParams {
    ExtractParams {
        executor,
        ..ExtractParams::default()
    }
}

fn edits(texts: &[&str]) -> Vec<Edit> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

type Rows = Vec<(String, Array2<f32>)>;

fn rows(network: &Network, images: Images<'_>, executor: ExecutorChoice) -> Rows {
    collect(network, network.layers(), images, &params(executor)).unwrap()
}

fn of<'a>(rows: &'a Rows, layer: &str) -> &'a Array2<f32> {
    &rows.iter().find(|(name, _)| name == layer).unwrap().1
}

/// The same network read back from ONNX bytes, where layers are tensors.
fn both_ways_in(network: &Network) -> [Network; 2] {
    let mut read = Network::from_onnx_bytes(onnx::write(&network.graph)).unwrap();
    read.preprocessing = network.preprocessing.clone();
    [network.clone(), read]
}

/// A lesioned channel is a convolution whose weights and bias for it are zero.
#[test]
fn a_lesion_is_what_zero_weights_give() {
    let intact = demo(11);
    let mut silenced = intact.clone();
    for key in ["conv2.weight", "conv2.bias"] {
        let tensor = &intact.graph.initialisers[key];
        let mut values = tensor.to_f32().unwrap();
        let each = values.len() / tensor.shape()[0];
        for channel in [3, 5, 6, 7] {
            values[channel * each..(channel + 1) * each].fill(0.0);
        }
        let tensor = Tensor::from_f32(tensor.shape().to_vec(), &values).unwrap();
        silenced.graph.initialisers.insert(key.into(), tensor);
    }
    let pictures = noise(2);
    let images = Images::Decoded(&pictures);
    for executor in executors("a_lesion_is_what_zero_weights_give") {
        let expected = rows(&silenced, images, executor);
        for network in both_ways_in(&intact) {
            let lesion = edits(&["lesion layer=conv2 channels=3,5-7 with=zero"]);
            let lesioned = network.edited(&lesion, images, &params(executor)).unwrap();
            let found = rows(&lesioned, images, executor);
            for (layer, expected) in &expected {
                assert_eq!(of(&found, layer), expected, "{executor} {layer}");
            }
        }
        assert_ne!(rows(&intact, images, executor), expected);
    }
}

#[test]
fn gains_multiply_and_edits_follow_one_another() {
    let intact = demo(12);
    let pictures = noise(2);
    let images = Images::Decoded(&pictures);
    for executor in executors("gains_multiply_and_edits_follow_one_another") {
        let before = rows(&intact, images, executor);
        let edited = |texts: &[&str]| {
            let network = intact.edited(&edits(texts), images, &params(executor));
            rows(&network.unwrap(), images, executor)
        };
        assert_eq!(edited(&["gain layer=relu1 alpha=0"]), before);

        let twice = edited(&[
            "gain layer=relu2 units=0-4999 alpha=0.5",
            "gain layer=relu2 units=5 alpha=1",
        ]);
        let mut expected = of(&before, "relu2").clone();
        for mut row in expected.rows_mut() {
            for unit in 0..5000 {
                row[unit] *= if unit == 5 { 3.0 } else { 1.5 };
            }
        }
        assert_eq!(of(&twice, "relu2"), expected);
        assert_eq!(of(&twice, "conv2"), of(&before, "conv2"));
        assert_ne!(of(&twice, "fc"), of(&before, "fc"));
    }
}

#[test]
fn a_mean_lesion_leaves_the_mean_of_the_intact_network() {
    let intact = demo(13);
    let pictures = noise(5);
    let images = Images::Decoded(&pictures);
    let executor = ExecutorChoice::Rten;
    let before = rows(&intact, images, executor);
    let mean = |layer: &str, unit: usize| {
        let column = of(&before, layer).column(unit).to_owned();
        (column.iter().map(|v| f64::from(*v)).sum::<f64>() / 5.0) as f32
    };
    let lesion = edits(&[
        "lesion layer=conv1 with=zero",
        "lesion layer=pool3 channels=2 with=mean",
    ]);
    let lesioned = intact.edited(&lesion, images, &params(executor)).unwrap();
    let after = rows(&lesioned, images, executor);
    let map = of(&before, "pool3").ncols() / 64;
    for row in of(&after, "pool3").rows() {
        for unit in 2 * map..3 * map {
            assert_eq!(row[unit], mean("pool3", unit));
        }
    }
    // In form it fits without any image; to be carried out it needs some.
    assert!(intact.edited_in_form(&lesion, &params(executor)).is_ok());
    let without = intact.edited(&lesion, Images::Files(&[]), &params(executor));
    let message = without.unwrap_err().to_string();
    assert!(message.contains("mean of \"pool3\" is needed"), "{message}");
}

#[test]
fn files_give_means_and_heads() {
    let folder = tempfile::tempdir().unwrap();
    let intact = demo(14);
    let pictures = noise(2);
    let images = Images::Decoded(&pictures);
    let executor = ExecutorChoice::Rten;
    let means = folder.path().join("means.npy");
    consilience_io::npy::write(&means, ndarray::Array1::linspace(0.0, 7.0, 8).view()).unwrap();
    let lesion = format!("lesion layer=fc units=1,7 means={}", means.display());
    let network = intact.edited(&edits(&[&lesion]), images, &params(executor));
    let after = rows(&network.unwrap(), images, executor);
    let before = rows(&intact, images, executor);
    for (a, b) in of(&after, "fc")
        .rows()
        .into_iter()
        .zip(of(&before, "fc").rows())
    {
        assert_eq!((a[1], a[7], a[0]), (1.0, 7.0, b[0]));
    }
    let wrong = format!("lesion layer=avgpool means={}", means.display());
    let message = intact
        .edited(&edits(&[&wrong]), images, &params(executor))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("64 units") && message.contains("8 values"),
        "{message}"
    );

    // A new head of random weights has the values that a matrix product of them gives.
    let replace = edits(&[
        "replace-head layer=fc outputs=3 seed=5",
        "lesion layer=fc units=2",
    ]);
    for network in both_ways_in(&intact) {
        let network = network.edited(&replace, images, &params(executor)).unwrap();
        let found = rows(&network, images, executor);
        let head = Linear::seeded(3, 64, 5);
        let (weight, bias) = (head.weight.to_f32().unwrap(), head.bias.to_f32().unwrap());
        for (row, features) in of(&found, "fc")
            .rows()
            .into_iter()
            .zip(of(&before, "avgpool").rows())
        {
            assert_eq!((row.len(), row[2]), (3, 0.0));
            for k in 0..2 {
                let products = weight[64 * k..].iter().zip(features).map(|(w, x)| w * x);
                let expected = bias[k] + products.sum::<f32>();
                assert!((row[k] - expected).abs() < 1e-5 * (1.0 + expected.abs()));
            }
        }
    }
}

#[test]
fn a_cut_network_ends_there() {
    for network in both_ways_in(&demo(15)) {
        let cut = edits(&["cut layer=relu2", "tap layer=conv1"]);
        let cut = network
            .edited(&cut, Images::Files(&[]), &params(ExecutorChoice::Rten))
            .unwrap();
        let names: Vec<&str> = cut
            .layers()
            .iter()
            .map(|layer| layer.name.as_str())
            .collect();
        assert_eq!(names, ["conv1", "relu1", "pool1", "conv2", "relu2"]);
        assert_eq!(cut.graph.outputs, ["relu2", "conv1"]);
        assert!(
            cut.graph
                .initialisers
                .keys()
                .all(|key| !key.contains("conv3"))
        );
    }
}

#[test]
fn edits_that_do_not_fit_are_named() {
    let network = demo(16);
    for (text, expected) in [
        ("lesion layer=conv9", "nearest names are"),
        (
            "lesion layer=conv1 channels=16",
            "has 16 channels, counted from 0; found 16",
        ),
        ("lesion layer=conv1 tokens=0", "has no tokens"),
        (
            "gain layer=fc heads=0 of=3 alpha=1",
            "8 channels, which are not 3 heads",
        ),
        ("replace-head layer=conv1 outputs=3", "no linear layer"),
        (
            "replace-head layer=fc weights=/nowhere/head.safetensors",
            "/nowhere/head.safetensors",
        ),
    ] {
        let error = network
            .edited(
                &edits(&[text]),
                Images::Files(&[]),
                &params(ExecutorChoice::Rten),
            )
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains(expected), "{text}: {message}");
        let names_the_edit = !matches!(error, ModelError::Edit { .. }) || message.contains(text);
        assert!(names_the_edit, "{message}");
    }
}

#[test]
fn pooling_follows_the_edit() {
    let network = demo(17);
    let pictures = noise(1);
    let images = Images::Decoded(&pictures);
    let lesion = edits(&["lesion layer=relu1 channels=0,2"]);
    let pooled = ExtractParams {
        pool: Pool::Max,
        ..params(ExecutorChoice::Rten)
    };
    let lesioned = network.edited(&lesion, images, &pooled).unwrap();
    let layers = lesioned.select(&["relu1"]).unwrap();
    let rows = collect(&lesioned, &layers, images, &pooled).unwrap();
    let maxima = of(&rows, "relu1");
    assert_eq!(
        (maxima[[0, 0]], maxima[[0, 2]], maxima.ncols()),
        (0.0, 0.0, 16)
    );
}
