//! Features from files, with the names of their pictures and the network that they are of where these are known.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::experiments::module::Encoder;
use consilience::io::hash;
use consilience::io::source::{self, Source};
use consilience::models::Preprocessing;
use ndarray::{Array2, Ix2};
use serde::Deserialize;

use super::super::extract::images;
use super::encoder::Frozen;
use crate::console::Console;
use crate::tables::{self, Named};

/// Longest manifest that is read.
const MAX_BYTES: u64 = 1 << 28;

/// Features of pictures.
pub(super) struct Features {
    /// `(n, n_features)`, finite.
    pub values: Array2<f32>,
    /// Names of the pictures.
    pub names: Option<Vec<String>>,
    /// Files of the pictures.
    pub paths: Option<Vec<PathBuf>>,
    /// The network that they are of.
    pub encoder: Option<Encoder>,
    /// What tells the file or the pictures from others.
    pub blake3: String,
}

/// What `extract` says of its files, as far as it is needed here.
#[derive(Deserialize)]
struct Manifest {
    model: String,
    weights: String,
    weights_blake3: String,
    pool: String,
    preprocessing: Preprocessing,
    edits: Vec<serde_json::Value>,
    reduce: String,
    images: Vec<Row>,
    layers: Vec<ManifestLayer>,
}

#[derive(Deserialize)]
struct Row {
    path: PathBuf,
    frame: Option<usize>,
}

#[derive(Deserialize)]
struct ManifestLayer {
    name: String,
    file: String,
}

/// Reads features (.npy, .npz:key, .mat:key, .csv); beside a file of `extract` its manifest is looked at.
pub(super) fn load(spec: &str) -> Result<Features> {
    let (values, mut names) = match tables::is_table(spec) {
        true => {
            let named = Named::load(spec, "the features")?;
            (named.values, named.rows)
        }
        false => {
            let values = source::load_array(spec)?.into_f64();
            let shape = values.shape().to_vec();
            let values = values.into_dimensionality::<Ix2>().with_context(|| {
                format!(
                    "the features have the shape {shape:?}, expected (pictures, features): {spec}"
                )
            })?;
            (values, None)
        }
    };
    if values.is_empty() {
        bail!("no features in {spec}; expected a row for each picture");
    }
    let narrowed = values.mapv(|value| value as f32);
    if let Some(((row, column), _)) = narrowed
        .indexed_iter()
        .find(|(_, value)| !value.is_finite())
    {
        bail!(
            "the features hold {} in row {row}, column {column} (counted from 0), expected finite numbers of 32 bits; leave out the row: {spec}",
            values[[row, column]]
        );
    }
    let path = Source::parse(spec).path;
    let (mut paths, mut encoder) = (None, None);
    if let Some(manifest) = manifest(&path)? {
        let file = path.file_name().and_then(|name| name.to_str());
        let layer = manifest
            .layers
            .iter()
            .find(|layer| Some(layer.file.as_str()) == file);
        if let Some(layer) = layer
            && manifest.images.len() == narrowed.nrows()
        {
            if manifest.images.iter().all(|row| row.frame.is_none()) {
                let all: Vec<PathBuf> =
                    manifest.images.iter().map(|row| row.path.clone()).collect();
                names = Some(picture_names(&all));
                paths = Some(all);
            }
            // Edits and reductions are not made again for other pictures.
            if manifest.edits.is_empty() && manifest.reduce == "none" {
                encoder = Some(Encoder {
                    model: manifest.model,
                    weights: manifest.weights,
                    weights_blake3: manifest.weights_blake3,
                    layer: layer.name.clone(),
                    pool: manifest.pool,
                    preprocessing: manifest.preprocessing,
                });
            }
        }
    }
    Ok(Features {
        values: narrowed,
        names,
        paths,
        encoder,
        blake3: hash::blake3_file(&path)?,
    })
}

/// The pictures of a folder or a list, or a single one.
pub(super) fn pictures(source: &Path) -> Result<Vec<PathBuf>> {
    let ending = source.extension();
    let is_list = ending.is_some_and(|ending| ending.eq_ignore_ascii_case("txt"));
    match source.is_file() && !is_list {
        true => Ok(vec![source.to_owned()]),
        false => images(source),
    }
}

/// Features of pictures, and the network that made them.
pub(super) fn of_pictures(paths: Vec<PathBuf>, frozen: &Frozen) -> Result<Features> {
    Ok(Features {
        values: frozen.features(&paths, &Console::new())?,
        names: Some(picture_names(&paths)),
        blake3: hash::blake3_files(&paths)?,
        paths: Some(paths),
        encoder: Some(frozen.encoder.clone()),
    })
}

/// What `extract` wrote beside a file, `None` where nothing is there.
fn manifest(features: &Path) -> Result<Option<Manifest>> {
    let path = features.with_file_name("manifest.json");
    let Ok(file) = std::fs::File::open(&path) else {
        return Ok(None);
    };
    let mut text = String::new();
    let unreadable = || {
        format!(
            "cannot read {}, which stands beside the features; move one of them",
            path.display()
        )
    };
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .with_context(unreadable)?;
    Ok(Some(serde_json::from_str(&text).with_context(unreadable)?))
}

/// File names, or whole paths where two files have the same.
fn picture_names(paths: &[PathBuf]) -> Vec<String> {
    let file = |path: &PathBuf| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let short: Vec<String> = paths.iter().filter_map(file).collect();
    let different: std::collections::BTreeSet<&String> = short.iter().collect();
    match different.len() == paths.len() {
        true => short,
        false => paths
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
    }
}
