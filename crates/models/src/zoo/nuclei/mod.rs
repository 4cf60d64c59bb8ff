//! Modules of nuclei: what reads the features of a frozen network and rates, such as the amygdala.
//!
//! A [`Nuclei`] is data, read from a table of a study or a file of its own: nuclei with their units, what
//! each reads, and which one the ratings are read out of. [`Nuclei::build`] makes a [`Graph`] of it, so that
//! everything that is there for networks (taps, lesions, gradients, both executors) is there for it.
//!
//! # The amygdala of Liu et al. 2025
//!
//! [`Variant`] names the four modules of that work, in the widths and with the keys of its released weights. Features go to
//! LA; BA and BL read LA; CE reads all three, and the ratings are read out of CE. (The work's text calls BL “B” and BA “AB”.)
//!
//! # One token
//!
//! The released module gives each picture's features as one single token to its transformers. A softmax over
//! one key is 1, so attention is a linear map of the values, and queries and keys have no effect and learn nothing
//! but to decay. [`Features::Vector`] does this; [`Features::Tokens`] attends.
//!
//! # References
//!
//! Liu P, Bo K, Chen Y, Keil A, Ding M, Fang R 2025, doi:10.1101/2025.10.20.683439.
//!
//! # Not here
//!
//! Feedback into the frozen network; the two-road network of the predecessor.

mod build;
mod error;
mod matched;
mod variants;

use std::collections::BTreeMap;

use consilience_io::weights::WeightsFile;
use serde::{Deserialize, Serialize};

use crate::graph::Graph;
use crate::network::state_dict;
use crate::zoo::StateDict;
use crate::zoo::state_dict::check;

pub use error::NucleiError;
pub use variants::Variant;

/// A module of nuclei.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Nuclei {
    /// The nuclei; each reads nuclei that stand before it.
    pub nucleus: Vec<Nucleus>,
    /// Nucleus that the ratings are read out of.
    pub read_out: String,
    /// Key of the read-out in a state dict. Default `read-out`.
    #[serde(default = "read_out_key")]
    pub read_out_key: String,
    /// How often the nuclei are gone through, each time with what [`Nucleus::feedback`] gave the time before. Default 1.
    #[serde(default = "once")]
    pub steps: usize,
}

/// Most nuclei and layers of transformers, each counted at every step; more is a mistake, and would fill memory with names.
const MAX_PARTS: usize = 1_000;

/// Widest nucleus, hidden layer or vector of features.
const MAX_WIDTH: usize = 1 << 24;

fn read_out_key() -> String {
    "read-out".to_owned()
}

fn once() -> usize {
    1
}

/// One nucleus: layers of a transformer, linear maps, or both in this order; with neither it hands on what it reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Nucleus {
    /// Its name, also that of its layer and of its keys in a state dict.
    pub name: String,
    /// What it reads, side by side: nuclei before it, or `visual`, the features of the network.
    pub reads: Vec<String>,
    /// Nuclei before it that inhibit it: their values, times weights that count without their signs, are subtracted before
    /// the last rectifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inhibited_by: Vec<String>,
    /// Nuclei, itself or later ones too, whose values of the step before are added, times weights, before the last rectifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<String>,
    /// Layers of a transformer on what it reads, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<Transformer>,
    /// Nucleus before it whose transformer this one's begins as a copy of, as PyTorch has it when one layer is the pattern
    /// of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_as: Option<String>,
    /// Widths of linear maps, each followed by a rectifier and dropout; none keeps the width.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widths: Vec<usize>,
    /// Share of values dropped in training after each rectifier. Default 0.
    #[serde(default)]
    pub dropout: f64,
}

impl Nucleus {
    /// Whether it hands on what it reads, so that its units are those.
    #[must_use]
    pub fn is_relay(&self) -> bool {
        self.widths.is_empty() && self.transformer.is_none()
    }
}

/// Layers of a transformer, as `torch.nn.TransformerEncoder` with its defaults: normalised after each sum, rectifiers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Transformer {
    /// Number of layers. Default 1.
    #[serde(default = "once")]
    pub layers: usize,
    /// Attention heads. Default 1.
    #[serde(default = "once")]
    pub heads: usize,
    /// Units between the two linear maps of a layer. Default 512.
    #[serde(default = "hidden")]
    pub hidden: usize,
    /// Share of values dropped in training: of attention weights, of what attention and the linear maps give, and of hidden
    /// units. Default 0.1.
    #[serde(default = "tenth")]
    pub dropout: f64,
}

fn hidden() -> usize {
    512
}

fn tenth() -> f64 {
    0.1
}

/// What a module reads of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Features {
    /// One vector.
    Vector {
        /// Its length.
        width: usize,
    },
    /// Tokens, such as those of a vision transformer's patches; ratings are read out of their mean.
    Tokens {
        /// How many.
        n: usize,
        /// Length of each.
        width: usize,
    },
}

impl Features {
    /// Length of the vector or of each token.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::Vector { width } | Self::Tokens { width, .. } => width,
        }
    }
}

/// A module as a network on features.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// Operations, layers (one for each nucleus, under its name) and constants; parameters have no numbers yet.
    ///
    /// The input `visual` is `(n, width)` or `(n, tokens, width)`, the output `(n, ratings)`.
    pub graph: Graph,
    /// Keys of the state dict and the shapes of their tensors.
    pub parameters: BTreeMap<String, Vec<usize>>,
    /// What is dropped in training.
    pub dropped: Vec<Dropout>,
    /// Keys that begin as copies of another key's numbers: the layers of a transformer are copies of its first one, as are
    /// those of [`Nucleus::starts_as`].
    pub copies: BTreeMap<String, String>,
    /// Nuclei with their widths, in their order.
    pub nuclei: Vec<(String, usize)>,
}

/// Values that training drops at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Tensor of the graph.
    pub tensor: String,
    /// Share that is dropped.
    pub share: f64,
    /// Neighbouring values that are dropped together: 1, or those of an attention head whose weight they share.
    pub group: usize,
}

impl Module {
    /// Number of trainable numbers.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let sizes = self.parameters.values();
        let size = |shape: &Vec<usize>| shape.iter().fold(1, |n: usize, &m| n.saturating_mul(m));
        sizes.map(size).fold(0, usize::saturating_add)
    }

    /// Number of units of all nuclei.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.nuclei.iter().map(|(_, width)| width).sum()
    }

    /// The network with weights, such as the released ones.
    ///
    /// # Errors
    ///
    /// [`ModelError::StateDict`](crate::ModelError::StateDict) naming every key that is missing, not expected or of another
    /// shape; [`ModelError::NonFiniteWeight`](crate::ModelError::NonFiniteWeight).
    pub fn with_weights(&self, weights: StateDict) -> crate::Result<Graph> {
        check(
            &self.graph.name,
            &self.parameters,
            &BTreeMap::new(),
            &weights,
        )?;
        let mut graph = self.graph.clone();
        graph.initialisers.extend(weights);
        Ok(graph)
    }

    /// The network with the weights of a `.safetensors` or PyTorch file, such as the released ones or those of an epoch of
    /// training.
    ///
    /// # Errors
    ///
    /// [`ModelError::File`](crate::ModelError::File) when the file cannot be read, else as [`Module::with_weights`] within
    /// [`ModelError::InFile`](crate::ModelError::InFile).
    pub fn read_weights(&self, file: &WeightsFile) -> crate::Result<Graph> {
        let weights = state_dict(file.read()?);
        self.with_weights(weights)
            .map_err(|error| error.at(&file.path))
    }
}

impl Nuclei {
    /// The module as a network that reads `features` and gives `n_ratings` numbers.
    ///
    /// # Errors
    ///
    /// [`NucleiError`] for a nucleus that cannot be.
    ///
    /// # Example
    ///
    /// The amygdala of Liu et al. 2025 on CLIP's features:
    ///
    /// ```
    /// use consilience_models::nuclei::{Features, Variant};
    ///
    /// let features = Features::Vector { width: 768 };
    /// let module = Variant::AnatomicalTransformer.nuclei(768).build(features, 2)?;
    /// assert_eq!((module.n_parameters(), module.n_units()), (30_401_282, 2_560));
    /// # Ok::<(), consilience_models::nuclei::NucleiError>(())
    /// ```
    pub fn build(&self, features: Features, n_ratings: usize) -> Result<Module, NucleiError> {
        self.check(features)?;
        build::build(self, features, n_ratings)
    }

    /// Reads a module from TOML.
    ///
    /// # Errors
    ///
    /// [`NucleiError::Syntax`].
    pub fn from_toml(text: &str) -> Result<Self, NucleiError> {
        toml::from_str(text).map_err(|error| NucleiError::Syntax {
            reason: error.message().to_owned(),
        })
    }

    fn check(&self, features: Features) -> Result<(), NucleiError> {
        let of = |nucleus: &Nucleus, fault| NucleiError::Nucleus {
            nucleus: nucleus.name.clone(),
            fault,
        };
        if self.steps == 0 || self.nucleus.is_empty() {
            return Err(NucleiError::Empty);
        }
        if features.width() == 0 || matches!(features, Features::Tokens { n: 0, .. }) {
            return Err(NucleiError::NoFeatures);
        }
        let n_parts = self
            .nucleus
            .iter()
            .map(|n| n.transformer.map_or(0, |t| t.layers));
        let n_parts = n_parts.fold(self.nucleus.len(), usize::saturating_add);
        let widths = self.nucleus.iter().flat_map(|n| {
            let hidden = n.transformer.map(|t| t.hidden.max(t.heads));
            n.widths.iter().copied().chain(hidden)
        });
        let widest = widths.fold(features.width(), usize::max);
        if n_parts.saturating_mul(self.steps) > MAX_PARTS || widest > MAX_WIDTH {
            return Err(NucleiError::TooLarge);
        }
        let names: Vec<&str> = self.nucleus.iter().map(|n| n.name.as_str()).collect();
        for (idx, nucleus) in self.nucleus.iter().enumerate() {
            let before = &names[..idx];
            if !is_name(&nucleus.name) || before.contains(&nucleus.name.as_str()) {
                return Err(of(
                    nucleus,
                    "its name is taken, or not of letters, digits, - and _",
                ));
            }
            let is_before = |name: &String| before.contains(&name.as_str());
            if nucleus.reads.is_empty() {
                return Err(of(
                    nucleus,
                    "it reads nothing; name nuclei before it, or visual",
                ));
            }
            let mut sources = nucleus.reads.iter();
            if !sources.all(|name| name == "visual" || is_before(name)) {
                return Err(of(nucleus, "it reads what does not stand before it"));
            }
            if !nucleus.inhibited_by.iter().all(is_before) {
                return Err(of(
                    nucleus,
                    "it is inhibited by what does not stand before it",
                ));
            }
            if !nucleus
                .feedback
                .iter()
                .all(|name| names.contains(&name.as_str()))
            {
                return Err(of(nucleus, "it gets feedback from what is no nucleus"));
            }
            let is_modulated = !(nucleus.inhibited_by.is_empty() && nucleus.feedback.is_empty());
            if nucleus.widths.is_empty() && is_modulated {
                return Err(of(
                    nucleus,
                    "inhibition and feedback need a linear map; give it widths",
                ));
            }
            if nucleus.is_relay() && nucleus.dropout > 0.0 {
                return Err(of(
                    nucleus,
                    "it hands on what it reads and drops nothing; give it widths, or no dropout",
                ));
            }
            if let Some(original) = &nucleus.starts_as {
                let of_original = self.nucleus[..idx].iter().find(|n| n.name == *original);
                let alike = of_original.map(|n| (n.transformer, &n.reads));
                if nucleus.transformer.is_none()
                    || alike != Some((nucleus.transformer, &nucleus.reads))
                {
                    return Err(of(
                        nucleus,
                        "it starts as a nucleus that does not stand before it with the same transformer of the same",
                    ));
                }
            }
            if nucleus.widths.contains(&0) {
                return Err(of(nucleus, "a width is 0"));
            }
            let shares = [
                nucleus.dropout,
                nucleus.transformer.map_or(0.0, |t| t.dropout),
            ];
            if !shares.iter().all(|share| (0.0..1.0).contains(share)) {
                return Err(of(nucleus, "dropout is a share of at least 0 and below 1"));
            }
            if nucleus
                .transformer
                .is_some_and(|t| t.layers == 0 || t.heads == 0 || t.hidden == 0)
            {
                return Err(of(
                    nucleus,
                    "its transformer lacks layers, heads or hidden units",
                ));
            }
        }
        match names.contains(&self.read_out.as_str()) {
            true => Ok(()),
            false => Err(NucleiError::ReadOut {
                found: self.read_out.clone(),
            }),
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name != "visual" && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests;
