//! `demo-network`: trains the network of the built-in demo study and writes its weights.
//!
//! ```text
//! cargo run --package consilience-xtask --features train -- demo-network
//! ```
//!
//! # Recipe
//!
//! Four 3 × 3 convolutions (16, 32, 64, 64 channels), each followed by ReLU, the first three also
//! by 2 × 2 max pooling; global average; one linear layer with an output per category. Adam under
//! a half-cosine schedule minimises the cross-entropy on pictures that are drawn on the fly and
//! never seen twice: the variety of the generator is the augmentation. Training, held-out and
//! demo pictures come from disjoint seeds.
//!
//! The held-out accuracy is printed and stored in the header of the weights file, with the seed
//! and this recipe.

use std::{
    collections::HashMap,
    f64::consts::{PI, SQRT_2},
    ops::Range,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use burn::{
    nn::{
        Initializer, Linear, LinearConfig, PaddingConfig2d, Relu,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    optim::{AdamConfig, GradientsParams},
    prelude::*,
};
use consilience_study::demo::{
    Category, draw,
    stimuli::{HELD_OUT_SEEDS, SIDE, TRAINING_SEEDS},
};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

const SEED: u64 = 2026;
const N_STEPS: usize = 1500;
const BATCH: usize = 32;
const PEAK_LEARNING_RATE: f64 = 3e-3;
const WARM_UP_STEPS: f64 = 50.0;
const N_HELD_OUT: usize = 1600;
const MIN_ACCURACY: f64 = 0.95;

/// Trains the network and writes `crates/study/assets/consilience_demo.safetensors` under `root`.
pub fn run(root: &Path) -> Result<()> {
    let device = Device::flex();
    let network = train(&device.clone().autodiff())?;
    let accuracy = accuracy(&network.valid(), &device, HELD_OUT_SEEDS)?;
    report(&format!("held-out accuracy {accuracy:.4}"));
    ensure!(
        accuracy >= MIN_ACCURACY,
        "held-out accuracy {accuracy:.4} is below {MIN_ACCURACY}; the weights were not written"
    );
    let folder = root.join("crates/study/assets");
    std::fs::create_dir_all(&folder).context("creating the assets folder")?;
    let bytes = network.to_safetensors(accuracy)?;
    std::fs::write(folder.join("consilience_demo.safetensors"), bytes)
        .context("writing the weights")
}

#[allow(
    clippy::print_stderr,
    reason = "a developers' task reports its progress"
)]
fn report(line: &str) {
    eprintln!("{line}");
}

/// The network; its fields are the modules that the study taps.
#[derive(Module, Debug)]
struct Network {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
    relu: Relu,
    pool: MaxPool2d,
    fc: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        let he = Initializer::KaimingNormal {
            gain: SQRT_2,
            fan_out_only: false,
        };
        let conv = |channels| {
            Conv2dConfig::new(channels, [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_initializer(he.clone())
                .init(device)
        };
        Self {
            conv1: conv([3, 16]),
            conv2: conv([16, 32]),
            conv3: conv([32, 64]),
            conv4: conv([64, 64]),
            relu: Relu::new(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            fc: LinearConfig::new(64, Category::ALL.len()).init(device),
        }
    }

    /// Logits (n, 8) of pictures (n, 3, 64, 64).
    fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let x = self
            .pool
            .forward(self.relu.forward(self.conv1.forward(pictures)));
        let x = self.pool.forward(self.relu.forward(self.conv2.forward(x)));
        let x = self.pool.forward(self.relu.forward(self.conv3.forward(x)));
        let x = self.relu.forward(self.conv4.forward(x));
        let [n, channels, ..] = x.dims();
        self.fc.forward(x.mean_dims(&[2, 3]).reshape([n, channels]))
    }

    /// The weights as a state dictionary with PyTorch's names and axis orders.
    fn to_safetensors(&self, accuracy: f64) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        for (name, conv) in [
            ("conv1", &self.conv1),
            ("conv2", &self.conv2),
            ("conv3", &self.conv3),
            ("conv4", &self.conv4),
        ] {
            let bias = conv.bias.as_ref().context("a convolution without bias")?;
            tensors.push(stored(format!("{name}.weight"), conv.weight.val())?);
            tensors.push(stored(format!("{name}.bias"), bias.val())?);
        }
        let bias = self
            .fc
            .bias
            .as_ref()
            .context("a linear layer without bias")?;
        // burn keeps (in, out), PyTorch (out, in).
        tensors.push(stored(
            "fc.weight".into(),
            self.fc.weight.val().transpose(),
        )?);
        tensors.push(stored("fc.bias".into(), bias.val())?);

        let views = tensors
            .iter()
            .map(|(name, shape, bytes)| {
                Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>>>()?;
        // One entry, because the order of several would change from run to run.
        let recipe = format!(
            "cargo xtask demo-network; version {}; seed {SEED}; {N_STEPS} steps of {BATCH} drawn \
             pictures; Adam, peak learning rate {PEAK_LEARNING_RATE}; held-out accuracy \
             {accuracy:.4} on {N_HELD_OUT} pictures",
            env!("CARGO_PKG_VERSION")
        );
        let header = HashMap::from([("recipe".to_owned(), recipe)]);
        Ok(safetensors::serialize(views, Some(header))?)
    }
}

type StoredTensor = (String, Vec<usize>, Vec<u8>);

fn stored<const D: usize>(name: String, tensor: Tensor<D>) -> Result<StoredTensor> {
    let shape = tensor.dims().to_vec();
    let values = tensor
        .into_data()
        .try_to_vec::<f32>()
        .with_context(|| format!("reading {name}"))?;
    Ok((
        name,
        shape,
        values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    ))
}

fn train(device: &Device) -> Result<Network> {
    device.seed(SEED);
    let mut network = Network::new(device);
    let mut optimizer = AdamConfig::new().init();
    let cross_entropy = CrossEntropyLossConfig::new().init(device);
    for step in 0..N_STEPS {
        let (pictures, categories) = batch(TRAINING_SEEDS.start, step * BATCH, BATCH, device);
        let loss = cross_entropy.forward(network.forward(pictures), categories);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(learning_rate(step), network, gradients);
        if step % 50 == 0 || step + 1 == N_STEPS {
            report(&format!(
                "step {step:4}  loss {:.4}",
                loss.into_scalar::<f32>()
            ));
        }
    }
    Ok(network)
}

/// A linear warm-up, then half a cosine down to zero.
fn learning_rate(step: usize) -> f64 {
    let done = step as f64 / N_STEPS as f64;
    let cosine = 0.5 * (1.0 + (PI * done).cos());
    PEAK_LEARNING_RATE * cosine * ((step as f64 + 1.0) / WARM_UP_STEPS).min(1.0)
}

fn accuracy(network: &Network, device: &Device, seeds: Range<u64>) -> Result<f64> {
    let mut n_correct = 0;
    for first in (0..N_HELD_OUT).step_by(BATCH) {
        let (pictures, categories) = batch(seeds.start, first, BATCH, device);
        let answers: Tensor<1, Int> = network.forward(pictures).argmax(1).reshape([BATCH]);
        n_correct += answers.equal(categories).int().sum().into_scalar::<i64>();
    }
    Ok(n_correct as f64 / N_HELD_OUT as f64)
}

/// Pictures number `first` … `first + n` of a seed range, the categories taking turns:
/// (n, 3, 64, 64) scaled to [−1, 1], and the category's index of each.
fn batch(seed: u64, first: usize, n: usize, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let n_categories = Category::ALL.len();
    let pixels: Vec<f32> = (first..first + n)
        .into_par_iter()
        .flat_map_iter(|i| {
            let picture = draw(
                Category::ALL[i % n_categories],
                seed + (i / n_categories) as u64,
            );
            picture
                .permuted_axes([2, 0, 1])
                .into_iter()
                .map(|byte| f32::from(byte) / 127.5 - 1.0)
        })
        .collect();
    let categories: Vec<i64> = (first..first + n)
        .map(|i| (i % n_categories) as i64)
        .collect();
    (
        Tensor::from_data(TensorData::new(pixels, [n, 3, SIDE, SIDE]), device),
        Tensor::from_data(TensorData::new(categories, [n]), device),
    )
}
