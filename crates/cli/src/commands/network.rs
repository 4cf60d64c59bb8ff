//! What the commands on networks share: which network, with which weights, and what is done to pictures first.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::hash;
use consilience::io::weights::WeightsFile;
use consilience::models::zoo::catalogue;
use consilience::models::{Network, Preprocessing};
use consilience::study::file::PreprocessingChoice;

use crate::places;

/// A network and what is done to pictures first.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct NetworkArgs {
    /// Architecture from `consilience models list`, or an .onnx file
    #[arg(long, value_name = "NAME|FILE.onnx")]
    pub(super) model: String,
    /// Weights of the architecture (.safetensors, .pth), one of several state dicts as FILE.pth:ENTRY;
    /// default: those that `consilience models get` put into the cache
    #[arg(long, value_name = "FILE[:ENTRY]")]
    weights: Option<PathBuf>,
    /// What is done to a picture first: a name (imagenet, clip, resnet50.IMAGENET1K_V2, an
    /// architecture) or a file with the keys of [model.preprocessing]; default: what the weights are
    /// used with
    #[arg(long, value_name = "NAME|FILE.toml")]
    preprocessing: Option<String>,
}

impl NetworkArgs {
    /// Loads the network and says where its weights come from.
    pub(super) fn load(&self) -> Result<(Network, Origin)> {
        let (mut network, origin) = network(&self.model, self.weights.as_deref())?;
        if let Some(choice) = &self.preprocessing {
            network.preprocessing = preprocessing(choice, &network.preprocessing)?;
        }
        Ok((network, origin))
    }
}

/// Where a network's weights come from.
pub(super) enum Origin {
    /// An `.onnx` file and those beside it.
    Onnx(Vec<PathBuf>),
    /// A weights file, or one of several state dicts in it.
    Weights(WeightsFile),
}

impl Origin {
    /// The file as it was given.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Onnx(files) => files[0].display().to_string(),
            Self::Weights(file) => file.to_string(),
        }
    }

    /// What tells the weights from others.
    pub(super) fn blake3(&self) -> Result<String> {
        Ok(match self {
            Self::Onnx(files) => hash::blake3_files(files)?,
            Self::Weights(file) => file.blake3()?,
        })
    }
}

/// Loads the network and says where its weights come from.
pub(super) fn network(model: &str, weights: Option<&Path>) -> Result<(Network, Origin)> {
    let is_onnx = Path::new(model)
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("onnx"));
    let file = match (is_onnx, weights) {
        (true, None) => {
            let path = Path::new(model);
            let network = Network::from_onnx(path)?;
            return Ok((network, Origin::Onnx(Network::onnx_files(path)?)));
        }
        (true, Some(_)) => bail!("an .onnx file carries its weights; leave --weights out"),
        (false, Some(weights)) => WeightsFile::parse(weights),
        (false, None) => WeightsFile {
            path: cached_weights(model)?,
            entry: None,
        },
    };
    let network = Network::from_zoo_file(model, &file)?;
    Ok((network, Origin::Weights(file)))
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

/// What `--preprocessing` asks for, where `usual` is what the weights are used with.
pub(super) fn preprocessing(argument: &str, usual: &Preprocessing) -> Result<Preprocessing> {
    PreprocessingChoice::from_argument(argument)
        .map_err(anyhow::Error::msg)
        .and_then(|choice| Ok(choice.resolve(usual)?))
        .with_context(|| format!("--preprocessing {argument}"))
}
