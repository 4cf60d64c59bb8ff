//! A small network with random weights, run by every executor, against naive loops.

use crate::common::{collect, demo, executors, noise as pictures, relative_difference};
use consilience_io::image::RgbImage;
use consilience_models::graph::Tensor;
use consilience_models::{
    ExecutorChoice, ExtractParams, Extractor, Images, ModelError, Network, Operations, Pool, onnx,
};
use ndarray::{Array2, Array3, Axis, s};

fn params(executor: ExecutorChoice) -> ExtractParams {
    ExtractParams {
        executor,
        ..ExtractParams::default()
    }
}

/// Convolution 3 × 3 with padding 1 by its definition, summed in 64 bits.
fn convolve(x: &Array3<f32>, weight: &Tensor, bias: &Tensor) -> Array3<f32> {
    let (weights, bias) = (weight.to_f32().unwrap(), bias.to_f32().unwrap());
    let (n_in, height, width) = x.dim();
    Array3::from_shape_fn((bias.len(), height, width), |(o, y, x0)| {
        let mut sum = f64::from(bias[o]);
        for i in 0..n_in {
            for dy in 0..3 {
                for dx in 0..3 {
                    let (Some(yy), Some(xx)) = ((y + dy).checked_sub(1), (x0 + dx).checked_sub(1))
                    else {
                        continue;
                    };
                    if let Some(value) = x.get([i, yy, xx]) {
                        let w = weights[((o * n_in + i) * 3 + dy) * 3 + dx];
                        sum += f64::from(w) * f64::from(*value);
                    }
                }
            }
        }
        sum as f32
    })
}

/// Every layer of the demo network by naive loops.
fn reference(network: &Network, picture: &RgbImage) -> Vec<(String, Vec<f32>)> {
    let weights = &network.graph.initialisers;
    let mut x = network.preprocessing.apply(picture).unwrap();
    let mut layers = Vec::new();
    let mut keep = |name: String, x: &Array3<f32>| layers.push((name, x.iter().copied().collect()));
    for block in 1..=4 {
        let key = |kind| format!("conv{block}.{kind}");
        x = convolve(&x, &weights[&key("weight")], &weights[&key("bias")]);
        keep(format!("conv{block}"), &x);
        x.mapv_inplace(|v| v.max(0.0));
        keep(format!("relu{block}"), &x);
        if block < 4 {
            let (channels, height, width) = x.dim();
            x = Array3::from_shape_fn((channels, height / 2, width / 2), |(c, i, j)| {
                let window = x.slice(s![c, 2 * i..2 * i + 2, 2 * j..2 * j + 2]);
                window.fold(f32::NEG_INFINITY, |m, v| m.max(*v))
            });
            keep(format!("pool{block}"), &x);
        }
    }
    let means: Vec<f32> = x.outer_iter().map(|map| map.mean().unwrap()).collect();
    let (weight, bias) = (weights["fc.weight"].to_f32(), weights["fc.bias"].to_f32());
    let (weight, bias) = (weight.unwrap(), bias.unwrap());
    let classes = weight
        .chunks(64)
        .zip(&bias)
        .map(|(w, b)| b + w.iter().zip(&means).map(|(w, m)| w * m).sum::<f32>());
    let classes = classes.collect();
    layers.push(("avgpool".into(), means));
    layers.push(("fc".into(), classes));
    layers
}

#[test]
fn every_layer_is_what_naive_loops_give() {
    let network = demo(1);
    let pictures = pictures(3);
    for executor in executors("every_layer_is_what_naive_loops_give") {
        let layers = network.layers();
        let found = collect(
            &network,
            layers,
            Images::Decoded(&pictures),
            &params(executor),
        )
        .unwrap();
        for (image_idx, picture) in pictures.iter().enumerate() {
            let expected = reference(&network, picture);
            assert_eq!(found.len(), expected.len());
            for ((name, rows), (expected_name, expected)) in found.iter().zip(&expected) {
                assert_eq!(name, expected_name);
                let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
                for (a, b) in rows.row(image_idx).iter().zip(expected) {
                    assert!(
                        (a - b).abs() <= 1e-5 * largest,
                        "{executor} {name}: {a} and {b}"
                    );
                }
            }
        }
    }
}

/// A convolution's activation is taken before the ReLU that torchvision applies in place.
#[test]
fn a_tapped_convolution_keeps_its_negative_values() {
    let network = demo(2);
    let pictures = pictures(2);
    for executor in executors("a_tapped_convolution_keeps_its_negative_values") {
        let layers = network.select(&["conv*", "relu*"]).unwrap();
        let found = collect(
            &network,
            &layers,
            Images::Decoded(&pictures),
            &params(executor),
        )
        .unwrap();
        let of = |name: &str| &found.iter().find(|(n, _)| n == name).unwrap().1;
        for block in 1..=4 {
            let before = of(&format!("conv{block}"));
            assert!(before.iter().any(|v| *v < 0.0));
            assert_eq!(before.mapv(|v| v.max(0.0)), of(&format!("relu{block}")));
        }
    }
}

#[test]
fn threads_change_no_byte_and_neither_do_other_taps_without_fusion() {
    let network = demo(3);
    let pictures = pictures(11);
    let images = Images::Decoded(&pictures);
    for executor in executors("threads_change_no_byte_and_neither_do_other_taps_without_fusion") {
        for operations in [Operations::Fused, Operations::AsStated] {
            let one = ExtractParams {
                batch: 4,
                operations,
                ..params(executor)
            };
            let two = ExtractParams {
                n_threads: 2,
                ..one.clone()
            };
            let all = collect(&network, network.layers(), images, &one).unwrap();
            assert_eq!(
                all,
                collect(&network, network.layers(), images, &two).unwrap()
            );
            for (layer, (_, expected)) in network.layers().iter().zip(&all) {
                let alone = std::slice::from_ref(layer);
                let alone = collect(&network, alone, images, &two).unwrap();
                match operations {
                    Operations::Fused => {
                        assert!(relative_difference(&alone[0].1, expected) < 1e-5);
                    }
                    Operations::AsStated => assert_eq!(&alone[0].1, expected),
                }
            }
        }
    }
}

#[test]
fn rows_come_in_the_order_of_the_images() {
    let network = demo(4);
    let pictures = pictures(9);
    let layers = network.select(&["fc", "conv4"]).unwrap();
    let params = ExtractParams {
        batch: 2,
        n_threads: 3,
        executor: ExecutorChoice::Rten,
        ..ExtractParams::default()
    };
    let extractor = Extractor::prepare(&network, &layers, &params).unwrap();
    let (mut blocks, mut done) = (Vec::new(), Vec::new());
    extractor
        .run(
            Images::Decoded(&pictures),
            |block| {
                blocks.push((block.first_row, block.layer_idx, block.rows.nrows()));
                Ok::<(), ModelError>(())
            },
            |n| done.push(n),
        )
        .unwrap();
    let expected: Vec<_> = [(0, 2), (2, 2), (4, 2), (6, 2), (8, 1)]
        .into_iter()
        .flat_map(|(first, n)| [(first, 0, n), (first, 1, n)])
        .collect();
    assert_eq!(blocks, expected);
    assert_eq!(done, [2, 4, 6, 8, 9]);
}

#[test]
fn a_refusing_sink_stops_the_run() {
    let network = demo(4);
    let pictures = pictures(20);
    let layers = network.select(&["fc"]).unwrap();
    let params = ExtractParams {
        n_threads: 2,
        batch: 1,
        ..params(ExecutorChoice::Rten)
    };
    let extractor = Extractor::prepare(&network, &layers, &params).unwrap();
    #[derive(Debug)]
    struct Full;
    impl From<ModelError> for Full {
        fn from(error: ModelError) -> Self {
            panic!("{error}")
        }
    }
    let mut n_blocks = 0;
    let outcome = extractor.run(
        Images::Decoded(&pictures),
        |_| {
            n_blocks += 1;
            if n_blocks == 3 { Err(Full) } else { Ok(()) }
        },
        |_| {},
    );
    assert!(matches!(outcome, Err(Full)));
    assert_eq!(n_blocks, 3);
}

#[test]
fn pooling_is_over_positions() {
    let network = demo(5);
    let pictures = pictures(2);
    let images = Images::Decoded(&pictures);
    let layers = network.select(&["pool2", "fc"]).unwrap();
    let base = params(ExecutorChoice::Rten);
    let whole = collect(&network, &layers, images, &base).unwrap();
    let maps = whole[0]
        .1
        .clone()
        .into_shape_with_order((2, 32, 256))
        .unwrap();
    let mean = collect(
        &network,
        &layers,
        images,
        &ExtractParams {
            pool: Pool::Mean,
            ..base.clone()
        },
    );
    let max = collect(
        &network,
        &layers,
        images,
        &ExtractParams {
            pool: Pool::Max,
            ..base
        },
    );
    let (mean, max) = (mean.unwrap(), max.unwrap());
    let expected_mean: Array2<f32> = maps
        .mapv(f64::from)
        .mean_axis(Axis(2))
        .unwrap()
        .mapv(|v| v as f32);
    let expected_max = maps.map_axis(Axis(2), |m| m.fold(f32::NEG_INFINITY, |a, b| a.max(*b)));
    assert!((&mean[0].1 - &expected_mean).iter().all(|d| d.abs() < 1e-6));
    assert_eq!(max[0].1, expected_max);
    // A layer without positions is left as it is.
    assert_eq!(mean[1], whole[1]);
    assert_eq!(max[1], whole[1]);
}

#[test]
fn a_network_survives_being_written_and_read() {
    let network = demo(6);
    let read = Network::from_onnx_bytes(onnx::write(&network.graph)).unwrap();
    assert_eq!(read.graph.nodes, network.graph.nodes);
    assert_eq!(read.graph.initialisers, network.graph.initialisers);
    assert_eq!(read.graph.inputs, network.graph.inputs);
    assert_eq!(read.graph.outputs, network.graph.outputs);
    assert_eq!(read.graph.opsets, network.graph.opsets);
}

#[test]
fn an_activation_that_is_not_finite_is_an_error_with_a_place() {
    let mut network = demo(7);
    let huge = Tensor::from_f32(vec![16], &[f32::MAX; 16]).unwrap();
    network.graph.initialisers.insert("conv1.bias".into(), huge);
    let layers = network.select(&["conv2"]).unwrap();
    let pictures = pictures(1);
    for executor in executors("an_activation_that_is_not_finite_is_an_error_with_a_place") {
        let outcome = collect(
            &network,
            &layers,
            Images::Decoded(&pictures),
            &params(executor),
        );
        match outcome {
            Err(ModelError::NonFinite { layer, image, .. }) => {
                assert_eq!((layer.as_str(), image.as_str()), ("conv2", "number 0"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn parameters_and_sizes_are_checked() {
    let mut network = demo(8);
    let layers = network.select(&["fc"]).unwrap();
    let prepare = |network: &Network, params: &ExtractParams| {
        Extractor::prepare(network, &layers, params).map(|_| ())
    };
    let zero = ExtractParams {
        batch: 0,
        ..params(ExecutorChoice::Rten)
    };
    assert!(matches!(
        prepare(&network, &zero),
        Err(ModelError::Zero { what: "batch" })
    ));
    network.graph.inputs[0].shape[2] = Some(32);
    let params = params(ExecutorChoice::Rten);
    let message = prepare(&network, &params).unwrap_err().to_string();
    assert!(
        message.contains("[3, 64, 64]") && message.contains("[3, 32, ?]"),
        "{message}"
    );
}

#[test]
fn a_network_that_insists_on_its_batch_gets_it() {
    let mut network = demo(9);
    let pictures = pictures(5);
    let images = Images::Decoded(&pictures);
    let layers = network.select(&["fc"]).unwrap();
    for executor in executors("a_network_that_insists_on_its_batch_gets_it") {
        network.graph.inputs[0].shape[0] = None;
        let free = collect(&network, &layers, images, &params(executor)).unwrap();
        network.graph.inputs[0].shape[0] = Some(3);
        let fixed = collect(&network, &layers, images, &params(executor)).unwrap();
        assert!(crate::common::relative_difference(&fixed[0].1, &free[0].1) < 1e-5);
    }
}

#[test]
fn auto_always_runs_and_says_why_it_fell_back() {
    let network = demo(10);
    let layers = network.select(&["fc"]).unwrap();
    let extractor = Extractor::prepare(&network, &layers, &ExtractParams::default()).unwrap();
    match extractor.executor.name {
        "ONNX Runtime" => assert_eq!(extractor.executor.note, None),
        name => {
            assert_eq!(name, "rten");
            let note = extractor.executor.note.unwrap();
            assert!(note.starts_with("ONNX Runtime was not used: "), "{note}");
        }
    }
}

#[test]
fn a_card_is_used_or_refused_with_the_reason() {
    if !crate::common::onnx_runtime("a_card_is_used_or_refused_with_the_reason") {
        return;
    }
    let network = demo(1);
    let layers = network.graph.default_layers();
    let pictures = pictures(2);
    let found = collect(
        &network,
        &layers,
        Images::Decoded(&pictures),
        &params(ExecutorChoice::OnnxRuntimeCuda),
    );
    match found {
        Ok(on_card) => {
            let on_processor = collect(
                &network,
                &layers,
                Images::Decoded(&pictures),
                &params(ExecutorChoice::OnnxRuntime),
            );
            for ((name, a), (_, b)) in on_card.iter().zip(&on_processor.unwrap()) {
                assert!(relative_difference(a, b) < 1e-4, "{name}");
            }
        }
        // The library of the ordinary package has no CUDA, and there may be no card.
        Err(ModelError::Load { executor, reason }) => {
            assert_eq!(executor, "ONNX Runtime on CUDA");
            assert!(!reason.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
}
