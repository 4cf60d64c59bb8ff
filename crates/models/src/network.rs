//! A graph with its weights and its preprocessing.

use std::path::{Path, PathBuf};

use consilience_io::Limits;
use consilience_io::weights::{self, Weights, WeightsFile};

use crate::graph::{Graph, Input, Layer, Tensor};
use crate::zoo::StateDict;
use crate::{ModelError, Preprocessing, Result, darknet, onnx, zoo};

/// A network that images can be run through.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Name of the architecture, or `onnx` for a network from a file.
    pub architecture: String,
    /// Operations, weights and layer names.
    pub graph: Graph,
    /// What is done to an image first.
    pub preprocessing: Preprocessing,
}

impl Network {
    /// An architecture of the [`zoo`] with the weights of a `.safetensors` or PyTorch file, or, for a
    /// network of darknet, of a `.weights` file; `name` may say which published weights they are
    /// (`resnet50.IMAGENET1K_V2`), whose preprocessing is taken then.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownModel`], [`ModelError::File`] when the file cannot be read,
    /// [`ModelError::InFile`] around [`ModelError::StateDict`] when its tensors do not fit.
    pub fn from_zoo(name: &str, path: &Path) -> Result<Self> {
        let weights = WeightsFile {
            path: path.to_owned(),
            entry: None,
        };
        Self::from_zoo_file(name, &weights)
    }

    /// [`Network::from_zoo`] with one of several state dicts of a file.
    ///
    /// # Errors
    ///
    /// As [`Network::from_zoo`].
    pub fn from_zoo_file(name: &str, file: &WeightsFile) -> Result<Self> {
        let (architecture, _) = zoo::catalogue::find(name)?;
        let path = &file.path;
        let is_darknet = path.extension().is_some_and(|ending| ending == "weights");
        let network = darknet::named(&architecture.name).filter(|_| is_darknet);
        let values = match network.filter(|_| file.entry.is_none()) {
            Some(network) => network
                .state_dict(&weights::darknet::read(path)?)
                .map_err(|error| ModelError::Darknet(error).at(path))?,
            None => state_dict(file.read()?),
        };
        Self::with_state_dict(&architecture, values).map_err(|error| error.at(path))
    }

    /// An architecture of the [`zoo`] with the weights of a file's bytes.
    ///
    /// # Errors
    ///
    /// As [`Network::from_zoo`], without the name of a file.
    pub fn from_zoo_bytes(name: &str, weights: &[u8]) -> Result<Self> {
        let architecture = zoo::find(name)?;
        let weights = Weights::from_bytes(weights, None, &Limits::default())?;
        Self::with_state_dict(&architecture, state_dict(weights))
    }

    /// An architecture with weights that are already in memory.
    ///
    /// # Errors
    ///
    /// [`ModelError::StateDict`] when the tensors do not fit.
    pub fn with_state_dict(architecture: &zoo::Architecture, weights: StateDict) -> Result<Self> {
        Ok(Self {
            architecture: architecture.name.clone(),
            graph: architecture.with_weights(weights)?,
            preprocessing: architecture.preprocessing.clone(),
        })
    }

    /// A network from an `.onnx` file and the files of weights beside it, with torchvision's ImageNet
    /// preprocessing for its input size (224 × 224 when the file leaves it open).
    ///
    /// # Errors
    ///
    /// [`ModelError::Unreadable`], or [`ModelError::InFile`] around [`ModelError::Onnx`].
    pub fn from_onnx(path: &Path) -> Result<Self> {
        let graph = onnx::read_in(folder_of(path), read_onnx(path)?.into());
        Ok(Self::from_graph(
            graph.map_err(|fault| ModelError::Onnx(fault).at(path))?,
        ))
    }

    /// The files that make up the network of an `.onnx` file: itself and those that hold its weights,
    /// in alphabetical order.
    ///
    /// # Errors
    ///
    /// As [`Network::from_onnx`], as far as the `.onnx` file goes.
    pub fn onnx_files(path: &Path) -> Result<Vec<PathBuf>> {
        let beside = onnx::data_files(read_onnx(path)?.into());
        let beside = beside.map_err(|fault| ModelError::Onnx(fault).at(path))?;
        let folder = folder_of(path);
        let beside = beside.iter().map(|location| folder.join(location));
        Ok(std::iter::once(path.to_owned()).chain(beside).collect())
    }

    /// A network from ONNX bytes, as [`Network::from_onnx`].
    ///
    /// # Errors
    ///
    /// [`ModelError::Onnx`].
    pub fn from_onnx_bytes(bytes: Vec<u8>) -> Result<Self> {
        Ok(Self::from_graph(onnx::read(bytes.into())?))
    }

    fn from_graph(graph: Graph) -> Self {
        let size = |axis: usize| {
            let fixed = graph
                .inputs
                .first()
                .and_then(|input| *input.shape.get(axis)?);
            fixed.unwrap_or(224)
        };
        Self {
            architecture: "onnx".to_owned(),
            preprocessing: Preprocessing::imagenet_for([size(2), size(3)]),
            graph,
        }
    }

    /// Names of all layers in execution order; see [`Graph::layers`].
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.graph.layers
    }

    /// The layers that any of the patterns matches; see [`Graph::select`].
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownLayer`].
    pub fn select<S: AsRef<str>>(&self, patterns: &[S]) -> Result<Vec<Layer>> {
        self.graph.select(patterns)
    }

    /// The one input.
    pub(crate) fn input(&self) -> &Input {
        self.graph
            .inputs
            .first()
            .expect("zoo and reader make graphs with one input")
    }
}

fn read_onnx(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |source| ModelError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let found = std::fs::metadata(path).map_err(unreadable)?.len();
    if found > onnx::MAX_BYTES {
        return Err(ModelError::Onnx(onnx::OnnxError::TooLarge { found }).at(path));
    }
    std::fs::read(path).map_err(unreadable)
}

/// The folder of a file; that of a bare name is the current one.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let named = folder.filter(|folder| !folder.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

pub(crate) fn state_dict(weights: Weights) -> StateDict {
    weights
        .into_tensors()
        .into_iter()
        .map(|(key, array)| {
            let shape = array.shape().to_vec();
            let (values, _) = array.into_raw_vec_and_offset();
            let tensor = Tensor::from_vec(shape, values);
            (
                key,
                tensor.expect("readers make arrays that fill their shape"),
            )
        })
        .collect()
}
