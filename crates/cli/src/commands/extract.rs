//! `consilience extract`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::atomic::{self, NewFolder};
use consilience::io::hash;
use consilience::io::video::{self, Sampling, Selection, Span};
use consilience::io::weights::WeightsFile;
use consilience::models::preprocess::{Change, Changes};
use consilience::models::{
    ClipPool, Clips, Edit, ExecutorChoice, ExtractParams, ExtractedLayer, Extractor, Network,
    Operations, Pool,
};
use consilience::study::Progress;
use consilience::study::extraction::{self, Extraction};
use consilience::study::reduce::{ReduceInputs, Reduction, reducers};
use serde_json::json;

use super::network::NetworkArgs;
use crate::arrays;
use crate::console::Console;

mod manifest;

use manifest::{Films, Manifest, hashes, rows};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Folder of pictures and films (natural order of names), a film, or a text file with a path a line
    #[arg(long, value_name = "DIR|FILM|LIST.txt")]
    images: PathBuf,
    /// Frames of films, so many a second; default: every frame
    #[arg(long, value_name = "N")]
    frames_per_second: Option<f64>,
    /// Part of each film in seconds: START-END, or START- to the end
    #[arg(long, value_name = "START-END", allow_hyphen_values = true)]
    span: Option<Span>,
    /// What is done with the frames of a film: none (a row each), mean (one row a film); a picture is one
    /// row either way
    #[arg(long, value_name = "HOW", default_value = "none")]
    clip: ClipPool,
    /// Layers: names or patterns with *, separated by commas; default: all
    #[arg(
        long,
        visible_alias = "layer",
        value_name = "GLOB,…",
        value_delimiter = ',',
        default_value = "*"
    )]
    layers: Vec<String>,
    /// What is done with feature maps and tokens: none, mean, max, cls (the class token)
    #[arg(long, value_name = "HOW", default_value = "none")]
    pool: Pool,
    /// Fewer features a layer: none, sparse (random projection, distances within 10 %), sparse=0.2,
    /// sparse=500, pca=50
    #[arg(long, value_name = "HOW", default_value = "none")]
    reduce: Reduction,
    /// Pictures and films to fit principal components on, as --images
    #[arg(long, value_name = "DIR|FILM|LIST.txt")]
    reduce_fit: Option<PathBuf>,
    /// Change of the pictures as the network sees them, to see how robust it is: gray, noise=VARIANCE, hue=SHIFT, lighting=FACTOR,
    /// rotation=DEGREES, flip, blur=SIGMA; may be repeated
    #[arg(long, value_name = "CHANGE")]
    transform: Vec<Change>,
    /// Seed of random projections and of noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Change of the network, e.g. 'lesion layer=features.8 channels=3,5-9 with=zero'; may be
    /// repeated
    #[arg(long, value_name = "EDIT")]
    edit: Vec<Edit>,
    /// Pictures or frames in one pass of the network
    #[arg(long, value_name = "N", default_value_t = ExtractParams::default().batch)]
    batch: usize,
    /// What runs the network: auto, rten, onnx-runtime, onnx-runtime-cuda
    #[arg(long, value_name = "NAME", default_value = "auto")]
    executor: ExecutorChoice,
    /// Whether the executor may merge operations: fused (fast; the last bits depend on which layers
    /// are asked for together), as-stated
    #[arg(long, value_name = "HOW", default_value = "fused")]
    operations: Operations,
    /// Folder for LAYER.npy and manifest.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let (network, weights) = args.network.load()?;
    let clips = args.clips(&args.images)?;
    let params = ExtractParams {
        pool: args.pool,
        executor: args.executor,
        operations: args.operations,
        batch: args.batch,
        n_threads: threads,
    };
    let fit = match (&args.reduce_fit, args.reduce.needs_fit()) {
        (Some(source), true) => args.clips(source)?,
        (None, false) => args.open(&[])?,
        (None, true) => bail!(
            "--reduce {} needs pictures to fit on; add --reduce-fit DIR (the same folder as --images is allowed)",
            args.reduce
        ),
        (Some(_), false) => bail!("--reduce-fit belongs to --reduce pca=N; leave it out"),
    };
    if let Some(option) = args.of_films()
        && !clips.has_films()
        && !fit.has_films()
    {
        bail!(
            "{option} is for films, and there is none in {}; leave it out, or check --images (films end in .{})",
            args.images.display(),
            video::ENDINGS.join(", .")
        );
    }
    let network = network.edited(&args.edit, clips.frames(), &params)?;
    let selected = network.select(&args.layers)?;
    let console = Console::new();
    let _new = NewFolder::watch(&args.out);
    // What a killed run had begun is as large as the result.
    atomic::clear_leftovers(&args.out);
    let reduce = ReduceInputs {
        reduction: args.reduce,
        seed: args.seed,
        n_rows: clips.n_rows(),
        fit: &fit,
        scratch: &args.out,
    };
    let of_model = || args.network.model.clone();
    let reducers =
        reducers(&network, &selected, &params, &reduce, &console).with_context(of_model)?;
    let n_features =
        |layer: &ExtractedLayer| args.reduce.n_features(layer.n_features, clips.n_rows());
    let extractor = Extractor::prepare(&network, &selected, &params).with_context(of_model)?;
    let stems: Vec<String> = file_stems(&network, &extractor);
    let layers = extractor.layers.clone();
    let image_hashes = hashes(&clips)?;
    let manifest = Manifest {
        consilience: env!("CARGO_PKG_VERSION"),
        model: &network.architecture,
        weights: weights.name(),
        weights_blake3: weights.blake3()?,
        executor: extractor.executor.to_string(),
        preprocessing: &network.preprocessing,
        preprocessing_text: network.preprocessing.to_string(),
        batch: extractor.batch,
        pool: args.pool.to_string(),
        edits: args
            .edit
            .iter()
            .map(|edit| {
                Ok(json!({
                    "edit": edit,
                    "file_blake3": edit.file().map(|file| hash::blake3_file(WeightsFile::parse(file).path)).transpose()?,
                }))
            })
            .collect::<Result<_>>()?,
        transforms: args.transform.iter().map(Change::to_string).collect(),
        reduce: args.reduce.to_string(),
        seed: args.seed,
        reduce_fit: rows(&fit, &hashes(&fit)?),
        films: Films::of(&clips, &image_hashes),
        images: rows(&clips, &image_hashes),
        layers: layers
            .iter()
            .zip(&stems)
            .map(|(layer, stem)| {
                json!({
                    "name": layer.name,
                    "file": format!("{stem}.npy"),
                    "map_shape": layer.shape,
                    "n_features_before": layer.n_features,
                    "shape": [clips.n_rows(), n_features(layer)],
                    "same_as": layer.alias_of.map(|idx| layers[idx].name.clone()),
                })
            })
            .collect(),
        left_out: &extractor.left_out,
    };
    let manifest = serde_json::to_string_pretty(&manifest)? + "\n";
    if let Some(note) = &extractor.executor.note {
        console.note(&format!("note: {note}"));
    }
    for (layer, what) in &extractor.left_out {
        console.note(&format!("note: {layer} is left out: it is {what}"));
    }
    for clip in clips.clips() {
        let (Some(film), Some(end)) = (&clip.film, clips.selection().span.end) else {
            continue;
        };
        if film.video.duration < end - 1e-3 {
            console.note(&format!(
                "note: {} ends at {:.2} s, before the span does",
                clip.path.display(),
                film.video.duration
            ));
        }
    }
    drop(extractor);
    let unfinished = extraction::unfinished(&args.out, &manifest);
    extraction::remove_unfinished(&args.out, Some(&unfinished))?;
    let extraction = Extraction {
        network: &network,
        layers: &selected,
        params: &params,
        reducers: &reducers,
        clips: &clips,
        changes: &Changes {
            fixed: args.transform.clone(),
            seed: args.seed,
            ..Changes::default()
        },
        folder: &unfinished,
    };
    // The same tensor under another name gets a file of its own, but is not extracted twice.
    let widths: Vec<usize> = layers
        .iter()
        .map(|layer| match layer.alias_of {
            Some(_) => 0,
            None => n_features(layer),
        })
        .collect();
    match extraction.run(&widths, &console) {
        Ok(0) => {}
        Ok(n_there) => console.note(&format!(
            "note: {n_there} of {} {} were done by a run that was stopped",
            clips.n_frames(),
            if clips.has_films() {
                "frames"
            } else {
                "pictures"
            }
        )),
        Err(error) => {
            extraction::remove_unfinished(&args.out, None)?;
            return Err(error.into());
        }
    }
    // The manifest goes first and comes last: a folder with a manifest is complete.
    let place = args.out.join("manifest.json");
    if place.exists() {
        std::fs::remove_file(&place)
            .with_context(|| format!("cannot replace {}", place.display()))?;
    }
    for (idx, (layer, stem)) in layers.iter().zip(&stems).enumerate() {
        let path = args.out.join(format!("{stem}.npy"));
        extraction.join(layer.alias_of.unwrap_or(idx), n_features(layer), &path)?;
    }
    arrays::write_text(&place, &manifest)?;
    extraction::remove_unfinished(&args.out, None)?;
    writeln!(out, "{}", place.display())?;
    Ok(())
}

impl Args {
    /// The first option that is given and means nothing without a film.
    fn of_films(&self) -> Option<&'static str> {
        let given = [
            ("--frames-per-second", self.frames_per_second.is_some()),
            ("--span", self.span.is_some()),
            ("--clip", self.clip != ClipPool::None),
        ];
        given
            .into_iter()
            .find_map(|(name, is_given)| is_given.then_some(name))
    }

    /// The pictures and films of a folder or a list, or the film itself.
    fn clips(&self, source: &Path) -> Result<Clips> {
        match source.is_file() && video::is_video(source) {
            true => self.open(&[source.to_owned()]),
            false => self.open(&pictures_and_films(source)?),
        }
    }

    fn open(&self, paths: &[PathBuf]) -> Result<Clips> {
        let sampling = match self.frames_per_second {
            None => Sampling::All,
            Some(rate) if rate > 0.0 && rate.is_finite() => Sampling::PerSecond(rate),
            Some(rate) => {
                bail!("--frames-per-second must be a number above 0, found {rate}")
            }
        };
        let span = self.span.unwrap_or_default();
        let selection = Selection { sampling, span };
        Ok(Clips::open(paths, selection, self.clip)?)
    }
}

/// The pictures of a folder in natural order, or of a list in its order.
pub(super) fn images(source: &Path) -> Result<Vec<PathBuf>> {
    if !source.is_dir() {
        return listed(source);
    }
    let paths = consilience::study::pictures_in(source)
        .with_context(|| format!("cannot list {}", source.display()))?;
    if paths.is_empty() {
        bail!(
            "no .png, .jpg, .jpeg or .bmp file in {}; check the folder",
            source.display()
        );
    }
    Ok(paths)
}

/// The same with films.
fn pictures_and_films(source: &Path) -> Result<Vec<PathBuf>> {
    if !source.is_dir() {
        return listed(source);
    }
    let paths = consilience::study::pictures_and_films_in(source)
        .with_context(|| format!("cannot list {}", source.display()))?;
    if paths.is_empty() {
        bail!(
            "no picture (.png, .jpg, .jpeg, .bmp) and no film (.{}) in {}; check the folder",
            video::ENDINGS.join(", ."),
            source.display()
        );
    }
    Ok(paths)
}

/// The files of a list in its order.
fn listed(source: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(source)
        .with_context(|| format!("cannot read the list of pictures {}", source.display()))?;
    let folder = source.parent().unwrap_or(Path::new(""));
    let paths: Vec<PathBuf> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| match Path::new(line) {
            // A list names its pictures from where it lies, or from where the program runs.
            path if folder.join(path).exists() => folder.join(path),
            path => path.to_owned(),
        })
        .collect();
    if paths.is_empty() {
        bail!(
            "the list of pictures is empty; write a path a line: {}",
            source.display()
        );
    }
    if let Some(missing) = paths.iter().find(|path| !path.is_file()) {
        bail!(
            "the list {} names {}, which is not there",
            source.display(),
            missing.display()
        );
    }
    Ok(paths)
}

fn file_stems(network: &Network, extractor: &Extractor) -> Vec<String> {
    let stems = network.graph.file_stems();
    extractor
        .layers
        .iter()
        .map(|layer| {
            let position = network
                .layers()
                .iter()
                .position(|known| known.name == layer.name);
            stems[position.expect("extracted layers are layers of the network")].clone()
        })
        .collect()
}
