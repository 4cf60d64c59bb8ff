//! What the integration tests share.

use std::path::PathBuf;

use consilience_io::image::RgbImage;
use consilience_models::graph::Tensor;
use consilience_models::zoo::{self, StateDict};
use consilience_models::{
    ExecutorChoice, ExtractParams, Extractor, Images, Layer, ModelError, Network, executor::library,
};
use ndarray::{Array2, s};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The folder of real data; `None`, said loudly, where there is none.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn data(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("CONSILIENCE_DATA").map_or(default.into(), PathBuf::from);
    if folder.join("goldens").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CONSILIENCE_REQUIRE_DATA").is_none_or(|value| value != "1"),
        "{test}: there is no data folder ({})",
        folder.display()
    );
    eprintln!("SKIPPED: {test} (no data folder)");
    None
}

/// Whether ONNX Runtime is there; says loudly when not.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn onnx_runtime(test: &str) -> bool {
    let there = !library::find().is_empty();
    if !there {
        eprintln!("SKIPPED: {test} with ONNX Runtime (its shared library was not found)");
    }
    there
}

/// The demo network with random weights.
pub fn demo(seed: u64) -> Network {
    let architecture = zoo::find("consilience_demo").unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let weights: StateDict = architecture
        .parameters()
        .unwrap()
        .into_iter()
        .map(|(key, shape)| {
            let n: usize = shape.iter().product();
            let values: Vec<f32> = (0..n).map(|_| rng.random_range(-0.2..0.2)).collect();
            (
                key.clone(),
                Tensor::from_f32(shape.clone(), &values).unwrap(),
            )
        })
        .collect();
    Network::with_state_dict(&architecture, weights).unwrap()
}

/// Pictures of 64 × 64 random pixels.
pub fn noise(n: usize) -> Vec<RgbImage> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..n)
        .map(|_| {
            let mut pixels = vec![0; 64 * 64 * 3];
            rng.fill_bytes(&mut pixels);
            RgbImage {
                width: 64,
                height: 64,
                pixels,
            }
        })
        .collect()
}

/// The executors of this machine.
pub fn executors(test: &str) -> Vec<ExecutorChoice> {
    let mut all = vec![ExecutorChoice::Rten];
    if onnx_runtime(test) {
        all.push(ExecutorChoice::OnnxRuntime);
    }
    all
}

/// All rows of every layer of the extractor, aliases resolved.
pub fn collect(
    network: &Network,
    layers: &[Layer],
    images: Images<'_>,
    params: &ExtractParams,
) -> Result<Vec<(String, Array2<f32>)>, ModelError> {
    let extractor = Extractor::prepare(network, layers, params)?;
    let described = extractor.layers.clone();
    let mut rows: Vec<Array2<f32>> = described
        .iter()
        .map(|layer| Array2::from_elem((images.len(), layer.n_features), f32::NAN))
        .collect();
    extractor.run(
        images,
        |block| {
            let end = block.first_row + block.rows.nrows();
            let mut slots = rows[block.layer_idx].slice_mut(s![block.first_row..end, ..]);
            slots.assign(&block.rows);
            Ok::<(), ModelError>(())
        },
        |_| {},
    )?;
    Ok(described
        .iter()
        .enumerate()
        .map(|(idx, layer)| {
            let stored = layer.alias_of.unwrap_or(idx);
            (layer.name.clone(), rows[stored].clone())
        })
        .collect())
}

/// Largest |a − b| relative to the largest |b|.
pub fn relative_difference(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    assert_eq!(a.dim(), b.dim());
    let largest = b.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let difference = a
        .iter()
        .zip(b)
        .fold(0.0_f32, |m, (x, y)| m.max((x - y).abs()));
    assert!(difference.is_finite());
    difference / largest.max(f32::MIN_POSITIVE)
}
