//! The frozen network before a module: from pictures to features.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::experiments::module::{Encoder, Reader, Trained};
use consilience::models::preprocess::Changes;
use consilience::models::{
    ExecutorChoice, ExtractParams, Extractor, Images, Layer, ModelError, Network, Pool,
    Preprocessing,
};
use consilience::study::Progress;
use ndarray::Array2;

use super::super::network::{self, Origin};
use crate::console::Console;
use crate::{places, tables};

/// The network and layer that features are of.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct EncoderArgs {
    /// Architecture from `consilience models list`, or an .onnx file
    #[arg(long, visible_alias = "model", value_name = "NAME|FILE.onnx")]
    network: Option<String>,
    /// Weights of the architecture (.safetensors, .pth); default: the published ones in the cache
    #[arg(long, value_name = "FILE[:ENTRY]", requires = "network")]
    weights: Option<PathBuf>,
    /// What is done to a picture first: a name (imagenet, clip, …) or a file with the keys of [model.preprocessing]; default: what the
    /// weights are used with
    #[arg(long, value_name = "NAME|FILE.toml", requires = "network")]
    preprocessing: Option<String>,
    /// Layer that the module reads
    #[arg(long, value_name = "LAYER", requires = "network")]
    layer: Option<String>,
    /// What is done with feature maps and tokens: none, mean, max, cls (the class token)
    #[arg(long, value_name = "HOW", requires = "network", default_value = "none")]
    pool: Pool,
    /// Pictures in one pass of the network
    #[arg(long, value_name = "N", default_value_t = ExtractParams::default().batch)]
    batch_of_network: usize,
    /// What runs the network: auto, rten, onnx-runtime, onnx-runtime-cuda
    #[arg(long, value_name = "NAME", default_value = "auto")]
    executor: ExecutorChoice,
}

/// A network that is ready to give the features of pictures.
pub(super) struct Frozen {
    network: Network,
    layer: Vec<Layer>,
    pub params: ExtractParams,
    pub encoder: Encoder,
}

impl EncoderArgs {
    /// Whether a network is named.
    pub fn is_given(&self) -> bool {
        self.network.is_some()
    }

    /// The network that is named, else the `known` one.
    pub fn load(&self, known: Option<&Encoder>, threads: usize) -> Result<Frozen> {
        let (network, origin, layer, pool) = match (&self.network, known) {
            (Some(name), _) => {
                let Some(layer) = &self.layer else {
                    bail!(
                        "which layer of {name} does the module read? add --layer LAYER (`consilience models show {name}` lists them)"
                    );
                };
                let (mut network, origin) = network::network(name, self.weights.as_deref())?;
                if let Some(choice) = &self.preprocessing {
                    network.preprocessing = network::preprocessing(choice, &network.preprocessing)?;
                }
                (network, origin, layer.clone(), self.pool)
            }
            (None, Some(known)) => {
                let (mut network, origin) = load_known(known)?;
                network.preprocessing = known.preprocessing.clone();
                let pool = known.pool.parse().map_err(anyhow::Error::new)?;
                (network, origin, known.layer.clone(), pool)
            }
            (None, None) => {
                bail!(
                    "which network do features come from? add --network NAME|FILE.onnx and --layer LAYER"
                )
            }
        };
        let selected = network.select(&[layer.as_str()])?;
        if selected.len() != 1 {
            bail!(
                "--layer {layer} names {} layers, expected one",
                selected.len()
            );
        }
        let encoder = Encoder {
            model: network.architecture.clone(),
            weights: origin.name(),
            weights_blake3: origin.blake3()?,
            layer: selected[0].name.clone(),
            pool: pool.to_string(),
            preprocessing: network.preprocessing.clone(),
        };
        let params = ExtractParams {
            pool,
            executor: self.executor,
            batch: self.batch_of_network,
            n_threads: threads,
            ..ExtractParams::default()
        };
        Ok(Frozen {
            network,
            layer: selected,
            params,
            encoder,
        })
    }
}

/// The network that a module was trained on, from where it was or from the cache.
fn load_known(known: &Encoder) -> Result<(Network, Origin)> {
    let found = match known.model.as_str() {
        "onnx" => network::network(&known.weights, None),
        name => {
            let is_there = consilience::io::weights::WeightsFile::parse(&known.weights)
                .path
                .is_file();
            let weights = is_there.then(|| Path::new(&known.weights));
            network::network(name, weights)
        }
    };
    found.with_context(|| {
        format!(
            "the module was trained on layer {} of {} ({}); say where that is now with --network, --weights and --layer",
            known.layer, known.model, known.weights
        )
    })
}

/// Notes what differs from the network that a module was trained on.
pub(super) fn compare(known: &Encoder, found: &Encoder) {
    let pairs = [
        ("layer", &known.layer, &found.layer),
        ("pooling", &known.pool, &found.pool),
        (
            "hash of the weights",
            &known.weights_blake3,
            &found.weights_blake3,
        ),
        (
            "preprocessing",
            &known.preprocessing.to_string(),
            &found.preprocessing.to_string(),
        ),
    ];
    for (what, known, found) in pairs {
        if known != found {
            tables::note(&format!(
                "the module was trained on another network: its {what} was {known}, here it is {found}"
            ));
        }
    }
}

impl Frozen {
    /// What is done to a picture first.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.network.preprocessing
    }

    /// The network with a module that reads it.
    pub fn reader<'a>(&'a self, module: &'a Trained) -> Reader<'a> {
        Reader {
            network: &self.network,
            layer: &self.layer[0],
            params: &self.params,
            module,
        }
    }

    /// Features of pictures, `(n, n_features)`.
    pub fn features(&self, paths: &[PathBuf], console: &Console) -> Result<Array2<f32>> {
        let n_features = self.n_features()?;
        places::check_memory(
            paths.len() as f64 * n_features as f64 * 4.0,
            &format!(
                "features of {} pictures with {n_features} numbers each",
                paths.len()
            ),
            "pool the layer (--pool mean), or take a smaller one",
        )?;
        console.begin("pictures", paths.len() as u64);
        let done = |n: usize| console.advance_to(n as u64);
        let features = self.changed(paths, Changes::default(), done);
        console.end();
        features.with_context(|| self.encoder.model.clone())
    }

    /// The same of changed pictures.
    pub fn changed(
        &self,
        paths: &[PathBuf],
        changes: Changes,
        progress: impl FnMut(usize),
    ) -> Result<Array2<f32>, ModelError> {
        let extractor = Extractor::prepare(&self.network, &self.layer, &self.params)?;
        let extractor = extractor.changed(changes);
        let mut features = Array2::zeros((paths.len(), extractor.layers[0].n_features));
        extractor.run(
            Images::Files(paths),
            |block| -> Result<(), ModelError> {
                let rows = block.first_row..block.first_row + block.rows.nrows();
                features
                    .slice_mut(ndarray::s![rows, ..])
                    .assign(&block.rows);
                Ok(())
            },
            progress,
        )?;
        Ok(features)
    }

    /// Width of the features.
    pub fn n_features(&self) -> Result<usize> {
        let extractor = Extractor::prepare(&self.network, &self.layer, &self.params);
        let extractor = extractor.with_context(|| self.encoder.model.clone())?;
        Ok(extractor.layers[0].n_features)
    }
}
