//! `consilience module train`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use consilience::experiments::ExperimentError;
use consilience::experiments::module::{self, Description, Examples, Learnt, Lesson, Trained};
use consilience::experiments::visual_emotion::{Learning, Wired};
use consilience::io::hash;
use consilience::io::source::Source;
use consilience::learn::LearnError;
use consilience::learn::train::{Epoch, Loss, Progress as Step, TrainParams};
use consilience::methods::emotion::{PredictionParams, prediction};
use consilience::models::preprocess::Changes;
use consilience::study::file::EmotionOptions;
use consilience::study::{self, Progress};
use ndarray::{Array2, Axis};
use serde_json::json;

use super::encoder::EncoderArgs;
use super::features;
use super::ratings::RatingArgs;
use super::{Head, heads, structure};
use crate::arrays;
use crate::console::Console;
use crate::tables;

const HELP: &str = "\
Example: a module like the released one on cached features, and what it makes of other pictures

  consilience extract --model squeezenet1_1 --images pictures/ --layers features.12 --pool mean --out features/
  consilience module train features/features.12.npy --ratings ratings.csv --scale 1,7 --width 48 --optimiser adam-w --out module/
  consilience module predict module/ --images other/ --page predictions.html

Beside a file of `extract`, its manifest says which row is which picture, and ratings are found by the pictures' names; else they are taken row \
by row. The weights of every epoch, 0 included, are kept in DIR/checkpoints/: for the released module 120 MB each. A training that was stopped \
goes on from there, with the same bytes.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Features: a row for each picture (.npy, .npz:key, .csv)
    #[arg(
        value_name = "FEATURES",
        required_unless_present = "images",
        conflicts_with = "images"
    )]
    features: Option<String>,
    /// Pictures instead of features: a folder, or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt", requires = "network")]
    images: Option<PathBuf>,
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Learn from other views of the pictures in every epoch: turned up to ±20°, mirrored, blurred. The network runs on all pictures
    /// in every epoch, so this costs epochs × pictures passes
    #[arg(long, requires = "images")]
    augment: bool,
    /// Table of ratings (.csv), or an array (pictures × ratings: valence, arousal)
    #[arg(long, value_name = "FILE")]
    ratings: String,
    #[command(flatten)]
    columns: RatingArgs,
    /// What the module rates
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "valence,arousal"
    )]
    heads: Vec<Head>,
    /// I, II, III, IV, or a file with nuclei
    #[arg(
        long,
        visible_alias = "nuclei",
        value_name = "NAME|FILE.toml",
        default_value = "IV"
    )]
    structure: String,
    /// Width that a trained linear map brings the features to; the nuclei of I to IV shrink in proportion
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// Training as in the program of 2026 (release2026) or the text of 2025 (paper2025)
    #[arg(long, value_name = "NAME", default_value = "release2026")]
    preset: String,
    /// Passes over the pictures; default: as the preset
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    epochs: Option<usize>,
    /// Pictures in a step; default: as the preset
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    batch: Option<usize>,
    /// Length of a step; default: as the preset
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,
    /// How it changes: constant, cosine; default: as the preset
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// sgd (momentum 0.9), adam, adam-w; default: as the preset
    #[arg(long, value_name = "NAME")]
    optimiser: Option<String>,
    /// Pull of the weights towards 0; default: as the preset
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,
    /// mse, huber; default: as the preset
    #[arg(long, value_name = "NAME")]
    loss: Option<String>,
    /// Drop no units in training
    #[arg(long)]
    no_dropout: bool,
    /// Epochs without improvement on the pictures held out after which training stops; default: never
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Whose weights are kept: best (on the pictures held out, as the preset judges) or last
    #[arg(long, value_name = "WHICH", default_value = "best")]
    epoch: String,
    /// Take features as they are, as published, instead of z-scoring them with the pictures that are learnt from
    #[arg(long)]
    no_standardise: bool,
    /// Learn z-scored ratings; predictions are on the scale of the ratings either way
    #[arg(long)]
    standardise_ratings: bool,
    /// Share of the pictures that is not learnt from but chooses the epoch
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    validation: f64,
    /// Seed of the weights, the order, what is dropped, and the division of pictures
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder for module.safetensors, module.json, history.csv and checkpoints/
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn at_least_one(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => bail!("expected a whole number of at least 1"),
    }
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let heads = sorted(&args.heads)?;
    let frozen = match &args.images {
        None => None,
        Some(_) => Some(args.encoder.load(None, threads)?),
    };
    let features = match (&args.images, &frozen) {
        (Some(source), Some(frozen)) => features::of_pictures(features::pictures(source)?, frozen)?,
        _ => features::load(args.features.as_deref().unwrap_or_default())?,
    };
    let n = features.values.nrows();
    let ratings = args
        .columns
        .read(&args.ratings, &heads, n, features.names.as_deref())?;
    let x = features.values.select(Axis(0), &ratings.rows);
    let structure = structure(&args.structure, x.ncols(), args.width)?;
    let wired = structure.wired(x.ncols(), heads.len())?;
    let (mut changes, learning) = learning(args, &heads, &wired)?;
    check_numbers(args, &ratings.values, &heads)?;
    let augmentation = args
        .augment
        .then(|| study::module_augmentation(&args.preset));
    changes.extend(augmentation.map(|augmentation| format!("pictures {augmentation}")));
    let data = json!({
        "features": features.blake3,
        "encoder": frozen.as_ref().map(|frozen| &frozen.encoder),
        "augmentation": augmentation.map(|augmentation| augmentation.to_string()),
        "ratings": hash::blake3_file(&Source::parse(&args.ratings).path)?,
        "rows": ratings.rows,
        "values": ratings.values.iter().collect::<Vec<_>>(),
        "heads": heads,
        "structure": structure,
        "validation": args.validation,
        "learning": format!("{learning:?}"),
        "seed": args.seed,
    });
    // Another training does not go on from what this one learnt.
    let name = &hash::blake3(data.to_string().as_bytes())[..16];
    let folder = args.out.join("checkpoints").join(name);
    let views = |epoch: usize, rows: &[usize]| {
        let changes = Changes {
            augmentation,
            seed: args.seed,
            epoch: epoch as u64,
            ..Changes::default()
        };
        let of = |&row: &usize| features.paths.as_ref()?.get(ratings.rows[row]).cloned();
        let paths: Vec<PathBuf> = rows.iter().filter_map(of).collect();
        let frozen = frozen.as_ref().expect("only pictures are augmented");
        frozen
            .changed(&paths, changes, |_| {})
            .map_err(LearnError::from)
    };
    let examples = Examples {
        features: x.view(),
        ratings: ratings.values.view(),
        views: args.augment.then_some(&views),
    };
    if args.augment {
        tables::note(&format!(
            "{} runs on all pictures again in each of {} epochs",
            frozen.as_ref().map_or("", |frozen| &frozen.encoder.model),
            learning.params.epochs
        ));
    }
    let lesson = train(args, &wired, &examples, &learning, &folder)?;
    let description = Description {
        format: 1,
        structure,
        n_features: x.ncols(),
        ratings: heads.iter().map(|&head| head.to_owned()).collect(),
        scale: ratings.scale,
        scaling: lesson.scaling.clone(),
        encoder: features.encoder.clone(),
        learnt: Some(Learnt {
            preset: args.preset.clone(),
            changes,
            seed: args.seed,
            n_training: lesson.training.len(),
            held_out_rows: lesson
                .held_out
                .iter()
                .map(|&idx| ratings.rows[idx])
                .collect(),
            features_blake3: features.blake3.clone(),
            ratings_blake3: data["ratings"].as_str().unwrap_or_default().to_owned(),
            checkpoints: format!("checkpoints/{name}"),
            epoch: lesson.epoch,
            history: lesson.history.clone(),
        }),
        weights_blake3: String::new(),
    };
    let mut trained = Trained::new(description, lesson.weights.clone())?;
    tell(&trained, &lesson, &examples, &heads, &learning)?;
    arrays::write_text(&args.out.join("history.csv"), &history(&lesson.history))?;
    trained.write(&args.out)?;
    writeln!(out, "{}", args.out.join("module.json").display())?;
    Ok(())
}

/// Valence before arousal, whatever the order in which they were named.
fn sorted(given: &[Head]) -> Result<Vec<&'static str>> {
    let mut given = given.to_vec();
    given.sort();
    heads(&given)
}

fn learning(args: &Args, heads: &[&str], wired: &Wired) -> Result<(Vec<String>, Learning)> {
    let options = EmotionOptions {
        preset: args.preset.clone(),
        epochs: args.epochs,
        batch: args.batch,
        learning_rate: args.learning_rate,
        schedule: args.schedule.clone(),
        optimiser: args.optimiser.clone(),
        weight_decay: args.weight_decay,
        loss: args.loss.clone(),
        dropout: !args.no_dropout,
        patience: args.patience,
        standardise: !args.no_standardise,
        standardise_ratings: args.standardise_ratings,
        epoch: args.epoch.clone(),
        ..EmotionOptions::default()
    };
    let (changes, mut learning) = study::module_learning(&options, heads.len())?;
    // The released loss of arousal, where that is all there is.
    if heads == ["arousal"]
        && args.loss.is_none()
        && let (Loss::PerOutput(own), Loss::PerOutput(released)) =
            (&mut learning.params.loss, TrainParams::release2026().loss)
    {
        *own = released.into_iter().take(1).collect();
    }
    if !args.no_dropout {
        learning.params.dropped = wired.dropped.clone();
    }
    Ok((changes, learning))
}

fn check_numbers(args: &Args, ratings: &Array2<f64>, heads: &[&str]) -> Result<()> {
    for (head, column) in heads.iter().zip(ratings.columns()) {
        if column.iter().all(|value| Some(value) == column.first()) {
            bail!(
                "all ratings of {head} are the same, so there is nothing to learn; give ratings that vary"
            );
        }
    }
    let n_held_out = (args.validation * ratings.nrows() as f64).round();
    if args.validation > 0.0 && n_held_out < 2.0 {
        bail!(
            "--validation {} of {} pictures leaves {n_held_out} to choose the epoch by, expected at least 2; take a larger share, or 0 for the last epoch",
            args.validation,
            ratings.nrows()
        );
    }
    if args.patience.is_some() && args.validation <= 0.0 {
        bail!("--patience needs pictures that are held out; give --validation a share above 0");
    }
    Ok(())
}

/// Trains with a line of progress; what was begun before is not counted into the time left.
fn train(
    args: &Args,
    wired: &Wired,
    examples: &Examples<'_>,
    learning: &Learning,
    folder: &Path,
) -> Result<Lesson> {
    let console = Console::new();
    let mut before = None;
    let found = module::train(
        wired,
        examples,
        learning,
        args.seed,
        args.validation,
        folder,
        |progress| {
            if let Step::Step { step, n_steps, .. } = progress {
                let before = *before.get_or_insert_with(|| {
                    if step > 0 {
                        console.note(&format!("note: going on from step {step} of {n_steps}"));
                    }
                    console.begin("training steps", (n_steps - step) as u64);
                    step
                });
                console.advance_to((step + 1 - before) as u64);
            }
        },
    );
    console.end();
    found.map_err(|error| match error {
        ExperimentError::Learn(LearnError::Diverged { .. }) => {
            let kept = format!(
                "the weights of the epochs before are in {}",
                folder.display()
            );
            anyhow::Error::new(error).context(kept)
        }
        error => error.into(),
    })
}

/// Says which epoch is kept, and how it does on the pictures held out.
fn tell(
    module: &Trained,
    lesson: &Lesson,
    examples: &Examples<'_>,
    heads: &[&str],
    learning: &Learning,
) -> Result<()> {
    let last = lesson.history.len() - 1;
    let mut text = format!("epoch {} of {last} is kept", lesson.epoch);
    if !lesson.held_out.is_empty() {
        let features = examples.features.select(Axis(0), &lesson.held_out);
        let predicted = module.predict(features.view())?.ratings;
        let given = examples.ratings.select(Axis(0), &lesson.held_out);
        let params = PredictionParams {
            resamples: 0,
            seed: 0,
        };
        let parts = heads.iter().enumerate().map(|(k, head)| {
            let found = prediction(given.column(k), predicted.column(k), &params);
            let r = found.ok().and_then(|found| found.values.r);
            format!("{head} r {}", tables::number(r))
        });
        text += &format!(
            "; {} pictures held out: {} (a little too good where they chose the epoch)",
            lesson.held_out.len(),
            parts.collect::<Vec<_>>().join(", ")
        );
    }
    tables::note(&text);
    if let Some(untrained) = learning.untrained(&[lesson.epoch], "--epoch last") {
        tables::note(&untrained);
    }
    Ok(())
}

fn history(epochs: &[Epoch]) -> String {
    let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let mut lines = vec!["epoch,training,held_out,explained".to_owned()];
    lines.extend(epochs.iter().map(|epoch| {
        format!(
            "{},{},{},{}",
            epoch.epoch,
            text(epoch.training),
            text(epoch.validation),
            text(epoch.explained)
        )
    }));
    lines.join("\n") + "\n"
}
