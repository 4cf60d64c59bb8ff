//! `consilience module predict`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::experiments::module::{Prediction, RATINGS, Trained};
use consilience::io::{image, npy, table};
use consilience::methods::emotion::PredictionParams;
use consilience::models::preprocess::thumbnail;
use consilience::report::{PredictedPicture, predictions_page};
use ndarray::{Array2, Axis};
use serde_json::json;

use super::super::predictions::Scored;
use super::encoder::{EncoderArgs, compare};
use super::features::{self, Features};
use super::ratings::{RatingArgs, Ratings};
use crate::{Format, arrays, tables};

const HELP: &str = "\
Examples: a folder of pictures; one picture, with a page; features with ratings, to be scored

  consilience module predict module/ --images pictures/ --out predicted.csv --page predicted.html
  consilience module predict module/ --images picture.jpg --page picture.html
  consilience module predict module/ features/fc.npy --ratings ratings.csv --scale 1,7 --out predicted.csv --compared compared.csv

The CSV has the columns Image Name, Predicted Valence, Predicted Arousal (those that the module rates), on the scale of the ratings that it \
learnt; predictions are not cut at its ends. A module that was trained on a file of `extract` knows its network; else name it with --network and --layer.

JSON of the scores: n_items, resamples, seed, ratings, plane, as of `consilience predictions`.";

/// Longer side of the pictures on a page, in a table and alone.
const THUMBNAILS: [usize; 2] = [96, 240];

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
    let features = features(args, &module, threads)?;
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
    if let Some(path) = &args.activations {
        write_units(path, &module, &predicted)?;
    }
    if let Some(path) = &args.page {
        let page = page(
            &module,
            &heads,
            &features,
            &names,
            &ratings,
            given.as_ref().map(|(_, given)| given),
        )?;
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

fn features(args: &Args, module: &Trained, threads: usize) -> Result<Features> {
    let known = module.description.encoder.as_ref();
    let Some(source) = &args.images else {
        if args.encoder.is_given() {
            bail!("--network is for pictures; give them with --images, or leave it out");
        }
        // One of the two is required.
        let features = features::load(args.features.as_deref().unwrap_or_default())?;
        if let (Some(known), Some(found)) = (known, &features.encoder) {
            compare(known, found);
        }
        return Ok(features);
    };
    let paths = features::pictures(source)?;
    let frozen = args.encoder.load(known, threads)?;
    if let Some(known) = known {
        compare(known, &frozen.encoder);
    }
    features::of_pictures(paths, &frozen)
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

fn write_compared(
    path: &Path,
    heads: &[&str],
    names: &[String],
    given: &Ratings,
    predicted: &Array2<f64>,
) -> Result<()> {
    let header: Vec<String> = std::iter::once("Image Name".to_owned())
        .chain(heads.iter().flat_map(|head| {
            let head = capital(head);
            [format!("Actual {head}"), format!("Predicted {head}")]
        }))
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = given
        .rows
        .iter()
        .zip(given.values.rows())
        .map(|(&row, actual)| {
            let pairs = actual.into_iter().zip(predicted.row(row));
            let cells = pairs.flat_map(|(a, p)| [a.to_string(), p.to_string()]);
            std::iter::once(names[row].clone())
                .chain(cells)
                .collect::<Vec<_>>()
        });
    Ok(table::write(path, &header, rows)?)
}

/// One matrix, or one for each nucleus.
fn write_units(path: &Path, module: &Trained, predicted: &Prediction) -> Result<()> {
    let wired = module.wired();
    let nuclei = wired.nuclei.iter().zip(wired.ranges());
    if path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
    {
        npy::write(path, predicted.units.view())?;
        let places =
            nuclei.map(|((name, _), range)| format!("{name} {}–{}", range.start, range.end - 1));
        tables::note(&format!(
            "columns of {}, counted from 0: {}",
            path.display(),
            places.collect::<Vec<_>>().join(", ")
        ));
        return Ok(());
    }
    for ((name, _), range) in nuclei {
        let units = predicted.units.slice(ndarray::s![.., range]);
        npy::write(path.join(format!("{name}.npy")), units)?;
    }
    Ok(())
}

fn page(
    module: &Trained,
    heads: &[&str],
    features: &Features,
    names: &[String],
    ratings: &Array2<f64>,
    given: Option<&Ratings>,
) -> Result<String> {
    let orientation = module
        .description
        .encoder
        .as_ref()
        .map(|encoder| encoder.preprocessing.orientation)
        .unwrap_or_default();
    let mut pictures = Vec::with_capacity(names.len());
    for (row, name) in names.iter().enumerate() {
        let path = features.paths.as_ref().map(|paths| &paths[row]);
        // Pictures that were moved since their features were made are shown by name.
        let png = match path.filter(|path| path.is_file()) {
            None => None,
            Some(path) => {
                let side = THUMBNAILS[usize::from(names.len() == 1)];
                let small = thumbnail(&image::read_oriented(path, orientation)?, side);
                Some(image::encode_png(&small)?)
            }
        };
        let of = |values: ndarray::ArrayView1<'_, f64>| values.to_vec();
        let actual = given.and_then(|given| {
            let at = given.rows.iter().position(|&of| of == row)?;
            Some(of(given.values.row(at)))
        });
        pictures.push(PredictedPicture {
            name: name.clone(),
            png,
            predicted: of(ratings.row(row)),
            actual,
        });
    }
    let learnt = &module.description.learnt;
    let about = format!(
        "Module {} ({} nuclei, {} units){}{}.",
        module.description.structure.name,
        module.wired().nuclei.len(),
        module.wired().n_units(),
        match &module.description.encoder {
            Some(encoder) => format!(" on layer {} of {}", encoder.layer, encoder.model),
            None => String::new(),
        },
        match learnt {
            Some(learnt) => format!(
                ", trained on {} pictures, epoch {}",
                learnt.n_training, learnt.epoch
            ),
            None => ", imported".to_owned(),
        }
    );
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    Ok(predictions_page(
        &heads,
        module.description.scale,
        &about,
        &pictures,
    )?)
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// A cell of a CSV, in quotation marks where it needs them.
fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}
