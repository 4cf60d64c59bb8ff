//! `consilience extract`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::{hash, npy};
use consilience::models::zoo::catalogue;
use consilience::models::{
    Edit, ExecutorChoice, ExtractParams, Extractor, Images, Network, Operations, Pool,
};
use consilience::study::Progress;
use serde_json::json;

use crate::console::Console;
use crate::{arrays, places};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Architecture from `consilience models list`, or an .onnx file
    #[arg(long, value_name = "NAME|FILE.onnx")]
    model: String,
    /// Weights of the architecture (.safetensors, .pth); default: those that `consilience models get`
    /// put into the cache
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// What is done to a picture first: a name (imagenet, clip, resnet50.IMAGENET1K_V2, an
    /// architecture) or a file with the keys of [model.preprocessing]; default: what the weights are
    /// used with
    #[arg(long, value_name = "NAME|FILE.toml")]
    preprocessing: Option<String>,
    /// Folder of pictures (natural order of names), or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// Layers: names or patterns with *, separated by commas; default: all
    #[arg(
        long,
        value_name = "GLOB,…",
        value_delimiter = ',',
        default_value = "*"
    )]
    layers: Vec<String>,
    /// What is done with feature maps: none, mean, max
    #[arg(long, value_name = "HOW", default_value = "none")]
    pool: Pool,
    /// Change of the network, e.g. 'lesion layer=features.8 channels=3,5-9 with=zero'; may be
    /// repeated
    #[arg(long, value_name = "EDIT")]
    edit: Vec<Edit>,
    /// Pictures in one pass of the network
    #[arg(long, value_name = "N", default_value_t = ExtractParams::default().batch)]
    batch: usize,
    /// What runs the network: auto, rten, onnx-runtime
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
    let (mut network, weights) = network(&args.model, args.weights.as_deref())?;
    if let Some(choice) = &args.preprocessing {
        network.preprocessing = super::preprocessing(choice, &network.preprocessing)?;
    }
    let paths = images(&args.images)?;
    let params = ExtractParams {
        pool: args.pool,
        executor: args.executor,
        operations: args.operations,
        batch: args.batch,
        n_threads: threads,
    };
    let network = network.edited(&args.edit, Images::Files(&paths), &params)?;
    let selected = network.select(&args.layers)?;
    let extractor = Extractor::prepare(&network, &selected, &params)?;
    let stems: Vec<String> = file_stems(&network, &extractor);
    let file_of = |layer_idx: usize| args.out.join(format!("{}.npy", stems[layer_idx]));
    let layers = extractor.layers.clone();
    let mut writers = layers
        .iter()
        .enumerate()
        .map(|(idx, layer)| {
            npy::Writer::<f32>::create(file_of(idx), &[paths.len(), layer.n_features])
        })
        .collect::<Result<Vec<_>, _>>()?;
    let manifest = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "model": network.architecture,
        "weights": weights[0].display().to_string(),
        "weights_blake3": hash::blake3_files(&weights)?,
        "executor": extractor.executor.to_string(),
        "preprocessing": network.preprocessing,
        "preprocessing_text": network.preprocessing.to_string(),
        "pool": args.pool.to_string(),
        "edits": args
            .edit
            .iter()
            .map(|edit| Ok(json!({
                "edit": edit,
                "file_blake3": edit.file().map(hash::blake3_file).transpose()?,
            })))
            .collect::<Result<Vec<_>>>()?,
        "images": paths
            .iter()
            .map(|path| Ok(json!({
                "path": path.display().to_string(),
                "blake3": hash::blake3_file(path)?,
            })))
            .collect::<Result<Vec<_>>>()?,
        "layers": layers
            .iter()
            .zip(&stems)
            .map(|(layer, stem)| json!({
                "name": layer.name,
                "file": format!("{stem}.npy"),
                "map_shape": layer.shape,
                "shape": [paths.len(), layer.n_features],
                "same_as": layer.alias_of.map(|idx| layers[idx].name.clone()),
            }))
            .collect::<Vec<_>>(),
        "left_out": extractor.left_out,
    });
    let console = Console::new();
    if let Some(note) = &extractor.executor.note {
        console.note(&format!("note: {note}"));
    }
    for (layer, what) in &extractor.left_out {
        console.note(&format!("note: {layer} is left out: it is {what}"));
    }
    console.begin("activations", paths.len() as u64);
    extractor.run(
        Images::Files(&paths),
        |block| -> Result<()> {
            let rows = block.rows.as_standard_layout();
            let values = rows.as_slice().expect("standard layout is contiguous");
            for (idx, layer) in layers.iter().enumerate() {
                // The same tensor under another name gets a file of its own.
                if idx == block.layer_idx || layer.alias_of == Some(block.layer_idx) {
                    writers[idx].append(values)?;
                }
            }
            Ok(())
        },
        |done| console.advance_to(done as u64),
    )?;
    console.end();
    for writer in writers {
        writer.finish()?;
    }
    // The manifest comes last: a folder with a manifest is complete.
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    arrays::write_text(&args.out.join("manifest.json"), &text)?;
    writeln!(out, "{}", args.out.join("manifest.json").display())?;
    Ok(())
}

/// Loads the network and says which files its weights come from.
pub(super) fn network(model: &str, weights: Option<&Path>) -> Result<(Network, Vec<PathBuf>)> {
    let is_onnx = Path::new(model)
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("onnx"));
    match (is_onnx, weights) {
        (true, None) => {
            let path = Path::new(model);
            Ok((Network::from_onnx(path)?, Network::onnx_files(path)?))
        }
        (true, Some(_)) => bail!("an .onnx file carries its weights; leave --weights out"),
        (false, Some(weights)) => {
            Ok((Network::from_zoo(model, weights)?, vec![weights.to_owned()]))
        }
        (false, None) => {
            let weights = cached_weights(model)?;
            Ok((Network::from_zoo(model, &weights)?, vec![weights]))
        }
    }
}

/// The published weights of an architecture, which `consilience models get` has fetched.
fn cached_weights(model: &str) -> Result<PathBuf> {
    let (_, published) = catalogue::find(model)?;
    let cache = places::cache_folder()?;
    match published
        .as_ref()
        .and_then(|weights| weights.path_in(&cache))
    {
        Some(path) if path.is_file() => Ok(path),
        Some(_) => bail!(
            "{model} needs weights; get the published ones with `consilience models get {model}`, or give --weights FILE (.safetensors, .pth)"
        ),
        None => bail!("{model} needs --weights FILE (.safetensors, .pth)"),
    }
}

/// The pictures of a folder in natural order, or of a list in its order.
pub(super) fn images(source: &Path) -> Result<Vec<PathBuf>> {
    if source.is_dir() {
        let paths = consilience::study::pictures_in(source)
            .with_context(|| format!("cannot list {}", source.display()))?;
        if paths.is_empty() {
            bail!(
                "no .png, .jpg, .jpeg or .bmp file in {}; check the folder",
                source.display()
            );
        }
        return Ok(paths);
    }
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
