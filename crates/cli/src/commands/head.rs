//! `consilience head`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use consilience::io::source::{self, Source};
use consilience::io::weights::Weights;
use consilience::io::{hash, npy};
use consilience::learn::train::{
    self, Arrays, Epoch, Frequencies, Loss, Optimizer, Progress as Step, Schedule, TrainParams,
    Trained,
};
use consilience::study::Progress;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde_json::json;

use crate::arrays;
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Features (rows are samples), e.g. a layer that `extract` wrote
    #[arg(long, value_name = "X.npy")]
    x: String,
    /// Targets: ratings (the same rows; a column an output), or class numbers from 0 for cross-entropy
    #[arg(long, value_name = "Y.npy")]
    y: String,
    /// What is minimised
    #[arg(long, value_name = "NAME", value_enum, default_value = "mse")]
    loss: LossName,
    /// Equally wide parts of the range of ratings whose frequencies `weighted-mse` counts; default: those of equal values
    #[arg(long, value_name = "N")]
    bins: Option<usize>,
    /// Share of the features that are dropped at random in training
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    dropout: f64,
    /// Widths of hidden layers with rectifiers; default: none, a linear head
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    hidden: Vec<usize>,
    /// How weights follow their gradients
    #[arg(long, value_name = "NAME", value_enum, default_value = "adam")]
    optimizer: OptimizerName,
    /// Length of a step
    #[arg(long, value_name = "X", default_value_t = 1e-3)]
    learning_rate: f64,
    /// Pull of the weights towards 0
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    weight_decay: f64,
    /// How the length of a step changes over the training
    #[arg(long, value_name = "NAME", value_enum, default_value = "constant")]
    schedule: ScheduleName,
    /// Most passes over the samples
    #[arg(long, value_name = "N", default_value_t = 100)]
    epochs: usize,
    /// Samples in a step
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
    /// Share of the samples that is held out to choose the epoch by, and to predict
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    hold_out: f64,
    /// Epochs without a smaller loss of the held-out samples after which training stops; default: never
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Seed of the weights, the order and the division of samples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder for head.safetensors, predictions.npy, history.csv, summary.json and checkpoints/
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LossName {
    /// Mean squared error
    Mse,
    /// Mean squared error in which rare ratings count as much as common ones
    WeightedMse,
    /// Squared up to an error of 1, linear beyond
    Huber,
    /// Of class numbers
    CrossEntropy,
    /// Of targets in 0 … 1, an output each
    BinaryCrossEntropy,
}

/// How weights follow their gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OptimizerName {
    /// Gradient descent with momentum 0.9
    Sgd,
    /// Adaptive moments
    Adam,
    /// Adaptive moments, with the decay as a step of its own
    AdamW,
}

/// How the length of a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScheduleName {
    /// It does not
    Constant,
    /// Down to 0 along half a cosine
    Cosine,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let features = single(&args.x, "the feature matrix")?;
    let targets = targets(args)?;
    if targets.nrows() != features.nrows() {
        bail!(
            "{} has {} rows and {} has {}; expected a target for each row of features",
            args.x,
            features.nrows(),
            args.y,
            targets.nrows()
        );
    }
    let params = params(args);
    let weights = sample_weights(args, &targets)?;
    let (learnt_from, held_out) = train::hold_out(features.nrows(), args.hold_out, args.seed)?;
    let of = |rows: &[usize], all: &Array2<f32>| all.select(Axis(0), rows);
    let (x, y) = (of(&learnt_from, &features), of(&learnt_from, &targets));
    let w = weights.select(Axis(0), &learnt_from);
    let training = Arrays::new(x.view().into_dyn(), y.view())?.weighted(w.view())?;
    let (x, y) = (of(&held_out, &features), of(&held_out, &targets));
    let w = weights.select(Axis(0), &held_out);
    let validation = Arrays::new(x.view().into_dyn(), y.view())?.weighted(w.view())?;

    let widths: Vec<usize> = [features.ncols()]
        .into_iter()
        .chain(args.hidden.iter().copied())
        .chain([targets.ncols()])
        .collect();
    if widths.contains(&0) {
        bail!(
            "a layer of width 0 has nothing to learn: {widths:?} (features, hidden layers, outputs)"
        );
    }
    let head = train::perceptron(&widths, args.seed);
    let data = json!({
        "x": blake3(&args.x)?,
        "y": blake3(&args.y)?,
        "held_out": held_out,
        "widths": widths,
        "weights": weights_name(args),
    });
    // Other data must not go on from what was learnt from these.
    let name = hash::blake3(data.to_string().as_bytes());
    let checkpoints = args.out.join("checkpoints").join(&name[..16]);
    let console = Console::new();
    console.begin("epochs", args.epochs as u64);
    let trained = train::train(
        &head,
        &training,
        (!held_out.is_empty()).then_some(&validation),
        &params,
        Some(&checkpoints),
        |progress| {
            if let Step::Epoch(epoch) = progress {
                console.advance_to(epoch.epoch as u64);
            }
        },
    )?;
    console.end();

    let predictions = train::outputs(&trained.network(&head), features.view().into_dyn())?;
    // The summary goes first and comes last: a folder with a summary is complete.
    let summary_path = args.out.join("summary.json");
    if summary_path.exists() {
        std::fs::remove_file(&summary_path)
            .with_context(|| format!("cannot replace {}", summary_path.display()))?;
    }
    head_weights(&trained, args.hidden.is_empty()).write(args.out.join("head.safetensors"))?;
    npy::write(args.out.join("predictions.npy"), predictions.view())?;
    arrays::write_text(&args.out.join("history.csv"), &history(&trained.history))?;
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "x": args.x,
        "x_blake3": data["x"],
        "y": args.y,
        "y_blake3": data["y"],
        "widths": widths,
        "params": params,
        "weights": data["weights"],
        "hold_out": args.hold_out,
        "held_out_rows": held_out,
        "checkpoints": checkpoints.display().to_string(),
        "epoch": trained.epoch,
        "loss": trained.history.iter().find(|epoch| epoch.epoch == trained.epoch),
    });
    arrays::write_json(&summary_path, &summary)?;
    writeln!(out, "{}", summary_path.display())?;
    Ok(())
}

fn params(args: &Args) -> TrainParams {
    let weight_decay = args.weight_decay;
    let optimizer = match args.optimizer {
        OptimizerName::Sgd => Optimizer::Sgd {
            momentum: 0.9,
            weight_decay,
        },
        OptimizerName::Adam => Optimizer::Adam {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay,
        },
        OptimizerName::AdamW => Optimizer::AdamW {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay,
        },
    };
    TrainParams {
        loss: match args.loss {
            LossName::Mse | LossName::WeightedMse => Loss::MeanSquared,
            LossName::Huber => Loss::Huber { delta: 1.0 },
            LossName::CrossEntropy => Loss::CrossEntropy,
            LossName::BinaryCrossEntropy => Loss::BinaryCrossEntropy,
        },
        optimizer,
        learning_rate: args.learning_rate,
        schedule: match args.schedule {
            ScheduleName::Constant => Schedule::Constant,
            ScheduleName::Cosine => Schedule::Cosine { floor: 0.0 },
        },
        epochs: args.epochs,
        batch: args.batch,
        seed: args.seed,
        dropout: args.dropout,
        patience: args.patience,
        ..TrainParams::default()
    }
}

/// What the loss of each sample is multiplied with.
fn sample_weights(args: &Args, targets: &Array2<f32>) -> Result<Array1<f32>> {
    if args.loss != LossName::WeightedMse {
        if args.bins.is_some() {
            bail!(
                "--bins counts ratings for --loss weighted-mse; leave it out or choose that loss"
            );
        }
        return Ok(Array1::ones(targets.nrows()));
    }
    if targets.ncols() != 1 {
        bail!(
            "{} has {} columns; --loss weighted-mse counts how often each rating occurs, so it takes one",
            args.y,
            targets.ncols()
        );
    }
    let ratings: Vec<f64> = targets.iter().map(|&rating| f64::from(rating)).collect();
    let frequencies = args.bins.map_or(Frequencies::Values, Frequencies::Bins);
    Ok(train::frequency_weights(&ratings, frequencies)?.into())
}

/// What the weights of samples depend on, besides the targets; nothing for equal ones.
fn weights_name(args: &Args) -> Option<String> {
    (args.loss == LossName::WeightedMse).then(|| match args.bins {
        None => "values".to_owned(),
        Some(bins) => format!("{bins} bins"),
    })
}

/// A row of numbers for each sample.
fn targets(args: &Args) -> Result<Array2<f32>> {
    if args.loss != LossName::CrossEntropy {
        return single(&args.y, "the target matrix");
    }
    let labels = arrays::labels(&args.y, "--y")?;
    let classes = labels
        .iter()
        .map(|&label| {
            usize::try_from(label)
                .ok()
                .filter(|class| *class < MAX_CLASSES)
                .with_context(|| {
                    format!(
                        "class {label} in {}; expected numbers from 0 to {}",
                        args.y,
                        MAX_CLASSES - 1
                    )
                })
        })
        .collect::<Result<Vec<usize>>>()?;
    let n_classes = classes.iter().max().map_or(0, |largest| largest + 1);
    Ok(train::one_hot(&classes, n_classes)?)
}

/// More classes than any head has; a larger number is a mistake, not a class.
const MAX_CLASSES: usize = 100_000;

/// Finite numbers with 32 bits, a row for each sample.
fn single(spec: &str, what: &str) -> Result<Array2<f32>> {
    let loaded = source::load_array(spec)?.into_f64();
    let loaded = match loaded.ndim() {
        1 => loaded.insert_axis(Axis(1)),
        _ => loaded,
    };
    let array = arrays::check_matrix(loaded.into(), spec, what)?.into_f64();
    let array: Array2<f64> = array.into_dimensionality()?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "heads compute with 32 bits"
    )]
    let narrowed = array.mapv(|value| value as f32);
    if let Some((row, column)) = first_not_finite(narrowed.view()) {
        bail!(
            "{what} holds {} in row {row}, column {column} (counted from 0), expected finite numbers of 32 bits; leave out the row: {spec}",
            array[[row, column]]
        );
    }
    Ok(narrowed)
}

fn first_not_finite(array: ArrayView2<'_, f32>) -> Option<(usize, usize)> {
    let found = array.indexed_iter().find(|(_, value)| !value.is_finite());
    found.map(|(place, _)| place)
}

/// A linear head as `replace-head` takes it, a deeper one by the names of its layers.
fn head_weights(trained: &Trained, is_linear: bool) -> Weights {
    let tensors = trained
        .weights
        .iter()
        .map(|(key, values)| {
            let name = match is_linear {
                true => key.trim_start_matches("0."),
                false => key,
            };
            (name.to_owned(), values.clone())
        })
        .collect();
    Weights::new(tensors)
}

fn history(epochs: &[Epoch]) -> String {
    let text = |loss: Option<f64>| loss.map_or(String::new(), |loss| loss.to_string());
    let mut lines = vec!["epoch,training,held_out".to_owned()];
    lines.extend(epochs.iter().map(|epoch| {
        let (training, held_out) = (text(epoch.training), text(epoch.validation));
        format!("{},{training},{held_out}", epoch.epoch)
    }));
    lines.join("\n") + "\n"
}

fn blake3(spec: &str) -> Result<String> {
    Ok(hash::blake3_file(&Source::parse(spec).path)?)
}
