//! `consilience module predict`

mod occlusion;
mod outputs;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use consilience::experiments::module::{RATINGS, Trained};
use consilience::io::table;
use consilience::methods::emotion::PredictionParams;
use ndarray::{Array2, Axis};
use serde_json::json;

use self::occlusion::{OcclusionArgs, Pictures};
use self::outputs::{Shown, blurred, capital, page, quoted, write_compared, write_units};
use super::super::predictions::Scored;
use super::encoder::{EncoderArgs, Frozen, compare};
use super::features::{self, Features};
use super::ratings::{RatingArgs, Ratings};
use crate::{Format, arrays, tables};

const HELP: &str = "\
Examples: a folder of pictures; one picture, with a page; where its prediction comes from; features with ratings, to be scored

  consilience module predict module/ --images pictures/ --out predicted.csv --page predicted.html
  consilience module predict module/ --images picture.jpg --page picture.html
  consilience module predict module/ --images picture.jpg --occlusion maps/ --page picture.html
  consilience module predict module/ features/fc.npy --ratings ratings.csv --scale 1,7 --out predicted.csv --compared compared.csv

The CSV has the columns Image Name, Predicted Valence, Predicted Arousal (those that the module rates), on the scale of the ratings that it \
learnt; predictions are not cut at its ends. A module that was trained on a file of `extract` knows its network; else name it with --network and --layer.

JSON of the scores: n_items, resamples, seed, ratings, plane, as of `consilience predictions`.";

/// Fewest rated pictures that scores are of.
const N_SCORED: usize = 3;

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Folder of a module
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// Features: a row for each picture (.npy, .npz:key, .csv)
    #[arg(
        value_name = "FEATURES",
        required_unless_present = "images",
        conflicts_with = "images"
    )]
    features: Option<String>,
    /// Pictures instead of features: a folder, a picture, or a text file with a path a line
    #[arg(long, value_name = "DIR|FILE|LIST.txt")]
    images: Option<PathBuf>,
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Use the weights of this epoch of the training instead; 0 is before it
    #[arg(long, value_name = "N")]
    epoch: Option<usize>,
    /// File for the predictions (.csv); `-` prints them
    #[arg(long, value_name = "FILE.csv", default_value = "-")]
    out: PathBuf,
    /// Page with the pictures, their predictions and the plane of valence and arousal
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    #[command(flatten)]
    occlusion: OcclusionArgs,
    /// Pictures that page and maps show as a few coarse blocks: file names, with or without ending, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    blur: Vec<String>,
    /// Units of the nuclei: FILE.npy with all side by side, or a folder for NUCLEUS.npy
    #[arg(long, value_name = "FILE.npy|DIR")]
    activations: Option<PathBuf>,
    /// Ratings of the pictures (a table, or an array), to score the predictions by
    #[arg(long, value_name = "FILE")]
    ratings: Option<String>,
    #[command(flatten)]
    columns: RatingArgs,
    /// File for actual beside predicted values (.csv)
    #[arg(long, value_name = "FILE.csv", requires = "ratings")]
    compared: Option<PathBuf>,
    /// Bootstrap resamples of pictures for the intervals of the scores
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Seed of the resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How the scores are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    if args.ratings.is_some() && args.out.as_os_str() == "-" {
        bail!(
            "with --ratings the scores are printed; name a file for the predictions with --out FILE.csv"
        );
    }
    let module = module(args)?;
    let heads: Vec<&str> = RATINGS
        .into_iter()
        .filter(|name| module.description.output(name).is_some())
        .collect();
    let frozen = frozen(args, &module, threads)?;
    let occlusion = args.occlusion.plan(frozen.as_ref(), args.epoch)?;
    let features = features(args, &module, frozen.as_ref())?;
    let n = features.values.nrows();
    let given = match &args.ratings {
        None => None,
        Some(file) => Some((
            file,
            args.columns
                .read(file, &heads, n, features.names.as_deref())?,
        )),
    };
    let predicted = module.predict(features.values.view())?;
    let columns: Vec<usize> = heads
        .iter()
        .filter_map(|name| module.description.output(name))
        .collect();
    let ratings = predicted.ratings.select(Axis(1), &columns);
    let scored = match &given {
        Some((file, given)) if given.rows.len() >= N_SCORED => {
            tell_of_learnt(&module, &features, given);
            Some(score(args, &heads, given, &ratings, file)?)
        }
        Some((_, given)) => {
            tables::note(&format!(
                "no scores of {} rated pictures, they need {N_SCORED}",
                given.rows.len()
            ));
            None
        }
        None => None,
    };
    let names = features
        .names
        .clone()
        .unwrap_or_else(|| tables::positions(n));
    let blurred = blurred(&names, &args.blur)?;
    let maps = match (&occlusion, &frozen, &features.paths) {
        (Some(plan), Some(frozen), Some(paths)) => {
            let pictures = Pictures {
                paths,
                names: &names,
                blurred: &blurred,
            };
            plan.run(frozen, &module, &heads, &pictures)?
        }
        _ => Vec::new(),
    };
    if let Some(path) = &args.activations {
        write_units(path, &module, &predicted)?;
    }
    if let Some(path) = &args.page {
        let shown = Shown {
            names: &names,
            blurred: &blurred,
            maps: &maps,
        };
        let given = given.as_ref().map(|(_, given)| given);
        let page = page(&module, &heads, &features, &shown, &ratings, given)?;
        arrays::write_text(path, &page)?;
    }
    if let (Some(path), Some((_, given))) = (&args.compared, &given) {
        write_compared(path, &heads, &names, given, &ratings)?;
    }
    let header: Vec<String> = std::iter::once("Image Name".to_owned())
        .chain(
            heads
                .iter()
                .map(|head| format!("Predicted {}", capital(head))),
        )
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = names.iter().zip(ratings.rows()).map(|(name, row)| {
        std::iter::once(name.clone())
            .chain(row.iter().map(ToString::to_string))
            .collect::<Vec<_>>()
    });
    match args.out.as_os_str() == "-" {
        true => {
            // The same bytes as in a file.
            writeln!(out, "{}", header.join(","))?;
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
                writeln!(out, "{}", cells.join(","))?;
            }
        }
        false => table::write(&args.out, &header, rows)?,
    }
    match scored {
        None => Ok(()),
        Some((_, text)) if args.format == Format::Text => Ok(out.write_all(text.as_bytes())?),
        Some((json, _)) => arrays::print_json(&json, out),
    }
}

/// The module, at the epoch that is asked for.
fn module(args: &Args) -> Result<Trained> {
    let at = || args.module.display().to_string();
    let module = Trained::read(&args.module).with_context(at)?;
    let Some(epoch) = args.epoch else {
        return Ok(module);
    };
    let Some(learnt) = &module.description.learnt else {
        bail!(
            "{} was imported, so there are no epochs of it; leave --epoch out",
            at()
        );
    };
    let folder = args.module.join(&learnt.checkpoints);
    let file = folder.join(format!("epoch-{epoch:04}.safetensors"));
    if !file.is_file() {
        bail!(
            "no weights of epoch {epoch}, expected 0 to {} in {}",
            learnt.history.len().saturating_sub(1),
            folder.display()
        );
    }
    Ok(module.with_weights_of(&file)?)
}

/// The network before the module, where pictures are given.
fn frozen(args: &Args, module: &Trained, threads: usize) -> Result<Option<Frozen>> {
    if args.images.is_none() {
        if args.encoder.is_given() {
            bail!("--network is for pictures; give them with --images, or leave it out");
        }
        if args.occlusion.is_wanted() {
            bail!(
                "--occlusion covers parts of pictures, and features have none; give the pictures with --images instead of the features"
            );
        }
        return Ok(None);
    }
    let known = module.description.encoder.as_ref();
    let frozen = args.encoder.load(known, threads)?;
    if let Some(known) = known {
        compare(known, &frozen.encoder);
    }
    Ok(Some(frozen))
}

fn features(args: &Args, module: &Trained, frozen: Option<&Frozen>) -> Result<Features> {
    if let (Some(source), Some(frozen)) = (&args.images, frozen) {
        return features::of_pictures(features::pictures(source)?, frozen);
    }
    // One of the two is required.
    let features = features::load(args.features.as_deref().unwrap_or_default())?;
    if let (Some(known), Some(found)) = (&module.description.encoder, &features.encoder) {
        compare(known, found);
    }
    Ok(features)
}

/// Says how many of the pictures the module learnt from, where that is known.
fn tell_of_learnt(module: &Trained, features: &Features, given: &Ratings) {
    let Some(learnt) = &module.description.learnt else {
        return;
    };
    if learnt.features_blake3 == features.blake3 {
        let held_out = |row: &&usize| learnt.held_out_rows.contains(row);
        let n = given.rows.len() - given.rows.iter().filter(held_out).count();
        tables::note(&format!(
            "the module learnt from {n} of these {} pictures: the scores say little of others",
            given.rows.len()
        ));
    }
}

/// The scores of `predictions`, as JSON and as text.
fn score(
    args: &Args,
    heads: &[&str],
    given: &Ratings,
    predicted: &Array2<f64>,
    file: &str,
) -> Result<(serde_json::Value, String)> {
    let names: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let params = PredictionParams {
        resamples: args.resamples,
        seed: args.seed,
    };
    let of = predicted.select(Axis(0), &given.rows);
    let ceilings = vec![None; heads.len()];
    let scored = Scored::new(&names, [&given.values, &of], &ceilings, 0, &params, &[file])?;
    let json = json!({
        "n_items": given.rows.len(),
        "resamples": args.resamples,
        "seed": args.seed,
        "ratings": scored.ratings,
        "plane": scored.plane,
    });
    Ok((json, scored.text))
}
