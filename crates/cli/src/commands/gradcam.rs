//! `consilience gradcam`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use consilience::io::atomic::{self, AtomicFolder};
use consilience::io::image::encode_png;
use consilience::io::{hash, image, npy};
use consilience::learn::gradcam::{Filters, overlay, seen};
use consilience::learn::{GradCam, GradCamParams, Target};
use consilience::models::{Images, Network};
use consilience::report::colour;
use consilience::study::Progress;
use ndarray::{ArrayView2, Axis};
use serde_json::json;

use super::extract::images;
use super::network::NetworkArgs;
use crate::arrays;
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Folder of pictures (natural order of names), or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// Layers: names or patterns with *, separated by commas
    #[arg(
        long,
        visible_alias = "layers",
        value_name = "GLOB,…",
        value_delimiter = ',',
        required = true
    )]
    layer: Vec<String>,
    /// Class that is explained: its number, or max for each picture's own
    #[arg(long, value_name = "N|max", default_value = "max")]
    target: Target,
    /// A map for each filter instead of one for the layer: positive or signed parts
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "positive")]
    filters: Option<Filters>,
    /// Write each layer's map on each picture as well (overlay/LAYER/NUMBER_PICTURE.png)
    #[arg(long, conflicts_with = "filters")]
    overlay: bool,
    /// Folder for LAYER.npy and manifest.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (network, weights) = args.network.load()?;
    let paths = images(&args.images)?;
    let selected = network.select(&args.layer)?;
    let params = GradCamParams {
        target: args.target,
        filters: args.filters,
    };
    let cam = GradCam::prepare(&network, &selected, &params)
        .with_context(|| args.network.model.clone())?;
    let stems = stems(&network, &cam);
    let shapes: Vec<Vec<usize>> = cam
        .layers
        .iter()
        .map(|layer| {
            let [height, width] = layer.size;
            match args.filters {
                Some(_) => vec![paths.len(), layer.n_channels, height, width],
                None => vec![paths.len(), height, width],
            }
        })
        .collect();
    let files = AtomicFolder::create(&args.out)?;
    let mut writers = stems
        .iter()
        .zip(&shapes)
        .map(|(stem, shape)| {
            npy::Writer::<f32>::create(files.path().join(format!("{stem}.npy")), shape)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let hashes = paths
        .iter()
        .map(hash::blake3_file)
        .collect::<Result<Vec<_>, _>>()?;
    let weights_hash = weights.blake3()?;

    let console = Console::new();
    for (layer, shape) in &cam.left_out {
        console.note(&format!(
            "note: {layer} is left out: its shape {shape:?} has no positions"
        ));
    }
    console.begin("Grad-CAM", paths.len() as u64);
    let mut classes = vec![0; paths.len()];
    cam.run(
        Images::Files(&paths),
        |block| -> Result<()> {
            classes[block.image_idx] = block.class;
            let maps = block.maps.as_standard_layout();
            let values = maps.as_slice().expect("standard layout is contiguous");
            writers[block.layer_idx].append(values)?;
            if args.overlay {
                let path = &paths[block.image_idx];
                let picture = path.file_stem().unwrap_or_default().to_string_lossy();
                let file = format!("{:05}_{picture}.png", block.image_idx);
                let folder = files.path().join("overlay").join(&stems[block.layer_idx]);
                let map = block.maps.index_axis(Axis(0), 0);
                write_overlay(&folder.join(file), &network, path, map)?;
            }
            Ok(())
        },
        |done| console.advance_to(done as u64),
    )?;
    console.end();
    for writer in writers {
        writer.finish()?;
    }
    files.commit()?;
    let manifest = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "model": network.architecture,
        "weights": weights.name(),
        "weights_blake3": weights_hash,
        "preprocessing": network.preprocessing,
        "preprocessing_text": network.preprocessing.to_string(),
        "target": args.target.to_string(),
        "filters": args.filters.map(|filters| filters.to_string()),
        "images": paths
            .iter()
            .zip(&hashes)
            .zip(&classes)
            .map(|((path, hash), class)| json!({
                "path": path.display().to_string(),
                "blake3": hash,
                "target": class,
            }))
            .collect::<Vec<_>>(),
        "layers": cam
            .layers
            .iter()
            .zip(stems.iter().zip(&shapes))
            .map(|(layer, (stem, shape))| json!({
                "name": layer.name,
                "file": format!("{stem}.npy"),
                "map_shape": layer.size,
                "n_channels": layer.n_channels,
                "shape": shape,
            }))
            .collect::<Vec<_>>(),
        "left_out": cam.left_out,
    });
    // The manifest comes last: a folder with a manifest is complete.
    arrays::write_json(&args.out.join("manifest.json"), &manifest)?;
    writeln!(out, "{}", args.out.join("manifest.json").display())?;
    Ok(())
}

/// The map on what the network saw of the picture.
fn write_overlay(
    file: &Path,
    network: &Network,
    path: &Path,
    map: ArrayView2<'_, f32>,
) -> Result<()> {
    let preprocessing = &network.preprocessing;
    let picture = image::read_oriented(path, preprocessing.orientation)?;
    let picture = seen(preprocessing, &picture)?;
    let png = encode_png(&overlay(&picture, map, colour))?;
    atomic::write_atomically(file, |file| file.write_all(&png))?;
    Ok(())
}

fn stems(network: &Network, cam: &GradCam) -> Vec<String> {
    let stems = network.graph.file_stems();
    cam.layers
        .iter()
        .map(|layer| {
            let position = network
                .layers()
                .iter()
                .position(|known| known.name == layer.name);
            stems[position.expect("explained layers are layers of the network")].clone()
        })
        .collect()
}
