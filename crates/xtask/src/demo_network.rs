//! `demo-network`: trains the network of the built-in demo study and writes its weights.
//!
//! ```text
//! cargo run --release --package consilience-xtask --features train -- demo-network
//! ```
//!
//! # Recipe
//!
//! The architecture `consilience_demo`: four 3 × 3 convolutions (16, 32, 64, 64 channels), each
//! followed by ReLU, the first three also by 2 × 2 max pooling; global average; one linear layer with
//! an output per category. Adam under a half-cosine schedule minimises the cross-entropy on pictures
//! that are drawn on the fly and never seen twice: the variety of the generator is the augmentation.
//! Training, held-out and demo pictures come from disjoint seeds.
//!
//! The held-out accuracy is printed and stored in the header of the weights file, with the seed
//! and this recipe.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use consilience::learn::train::{self, Loss, Progress, Samples, Schedule, TrainParams};
use consilience::learn::{self, Differentiable};
use consilience::models::{Network, graph, zoo};
use consilience_study::demo::{
    Category, draw,
    stimuli::{HELD_OUT_SEEDS, SIDE, TRAINING_SEEDS},
};
use ndarray::{Array1, Array4, ArrayD, Axis};
use safetensors::tensor::{Dtype, TensorView};

const SEED: u64 = 2026;
const N_STEPS: usize = 1500;
const BATCH: usize = 32;
const PEAK_LEARNING_RATE: f64 = 3e-3;
const WARM_UP_STEPS: usize = 50;
const N_HELD_OUT: usize = 1600;
const MIN_ACCURACY: f64 = 0.95;

/// Trains the network and writes `crates/study/assets/consilience_demo.safetensors` under `root`.
pub fn run(root: &Path) -> Result<()> {
    let weights = trained()?;
    let accuracy = accuracy(&weights)?;
    report(&format!("held-out accuracy {accuracy:.4}"));
    ensure!(
        accuracy >= MIN_ACCURACY,
        "held-out accuracy {accuracy:.4} is below {MIN_ACCURACY}; the weights were not written"
    );
    let folder = root.join("crates/study/assets");
    std::fs::create_dir_all(&folder).context("creating the assets folder")?;
    let bytes = to_safetensors(&weights, accuracy)?;
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

type Weights = BTreeMap<String, ArrayD<f32>>;

fn trained() -> Result<Weights> {
    let architecture = zoo::find("consilience_demo")?;
    let initial = train::initial_weights(&architecture.parameters()?, SEED);
    let network = Network::with_state_dict(&architecture, initial)?;
    let params = TrainParams {
        loss: Loss::CrossEntropy,
        learning_rate: PEAK_LEARNING_RATE,
        schedule: Schedule::Cosine { floor: 0.0 },
        warm_up: WARM_UP_STEPS,
        epochs: 1,
        batch: BATCH,
        shuffle: false,
        seed: SEED,
        ..TrainParams::default()
    };
    let progress = |progress| {
        if let Progress::Step { step, loss, .. } = progress
            && (step % 50 == 0 || step + 1 == N_STEPS)
        {
            report(&format!("step {step:4}  loss {loss:.4}"));
        }
    };
    Ok(train::train(&network.graph, &Drawn, None, &params, None, progress)?.weights)
}

/// Pictures that are drawn when their turn comes, the categories taking turns.
struct Drawn;

impl Samples for Drawn {
    fn len(&self) -> usize {
        N_STEPS * BATCH
    }

    fn sample(&self, _epoch: usize, idx: usize) -> learn::Result<(ArrayD<f32>, Array1<f32>)> {
        let (category, picture) = picture(TRAINING_SEEDS.start, idx);
        let mut target = Array1::zeros(Category::ALL.len());
        target[category] = 1.0;
        Ok((picture, target))
    }
}

/// Picture number `idx` of a seed range, (3, 64, 64) scaled to [−1, 1], and its category's index.
fn picture(seed: u64, idx: usize) -> (usize, ArrayD<f32>) {
    let n_categories = Category::ALL.len();
    let category = idx % n_categories;
    let drawn = draw(Category::ALL[category], seed + (idx / n_categories) as u64);
    let scaled = drawn
        .permuted_axes([2, 0, 1])
        .mapv(|byte| f32::from(byte) / 127.5 - 1.0);
    (category, scaled.into_dyn())
}

fn accuracy(weights: &Weights) -> Result<f64> {
    let architecture = zoo::find("consilience_demo")?;
    let state = weights
        .iter()
        .map(|(key, values)| {
            let flat: Vec<f32> = values.iter().copied().collect();
            let tensor = graph::Tensor::from_f32(values.shape().to_vec(), &flat);
            Ok((key.clone(), tensor.context("an array fills its shape")?))
        })
        .collect::<Result<_>>()?;
    let network = Network::with_state_dict(&architecture, state)?;
    let output = network.select(&["fc"])?;
    let differentiable = Differentiable::new(&network);
    let mut n_correct = 0;
    for first in (0..N_HELD_OUT).step_by(BATCH) {
        let mut pictures = Array4::zeros((BATCH, 3, SIDE, SIDE));
        let mut categories = Vec::with_capacity(BATCH);
        for (offset, mut place) in pictures.axis_iter_mut(Axis(0)).enumerate() {
            let (category, values) = picture(HELD_OUT_SEEDS.start, first + offset);
            place.assign(&values);
            categories.push(category);
        }
        let answers = differentiable.forward(pictures.view(), &output)?;
        for (answer, category) in answers[0].outer_iter().zip(categories) {
            let largest = answer.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            n_correct += usize::from(largest.is_some_and(|(idx, _)| idx == category));
        }
    }
    Ok(n_correct as f64 / N_HELD_OUT as f64)
}

/// The weights as a state dictionary with PyTorch's names and axis orders.
fn to_safetensors(weights: &Weights, accuracy: f64) -> Result<Vec<u8>> {
    let tensors: Vec<(&String, &[usize], Vec<u8>)> = weights
        .iter()
        .map(|(name, values)| {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, values.shape(), bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)))
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
