//! Changes of a network that leave its file alone: cuts, taps, lesions, gains, new heads.
//!
//! An [`Edit`] is a value. It is read from one line of text (or a table of a study file), prints
//! itself the same way, and [`Graph::edited`](super::Graph::edited) applies it by putting operations
//! with constants right after the tensor of the layer. So everything that follows sees the edited
//! value, a tap of the layer itself gives the edited value too, and every network can be edited,
//! whether it comes from the zoo or from an `.onnx` file.
//!
//! | edit | as text |
//! |---|---|
//! | the network ends at a layer | `cut layer=avgpool` |
//! | a layer becomes one more output | `tap layer=layer3` |
//! | parts of a layer become zero, or their mean | `lesion layer=features.8 channels=3,5-9 with=zero` |
//! | parts of a layer times 1 + α | `gain layer=layer4 units=0-99 alpha=0.5` |
//! | a linear read-out gets other weights | `replace-head layer=fc weights=head.safetensors` |
//! | … or random ones | `replace-head layer=fc outputs=20 seed=1` |
//!
//! Parts are `channels`, `units`, `heads` (with `of`, the number of heads) or `tokens`; without any
//! the whole layer is meant. Lists count from 0, and a range includes both its ends.
//!
//! Edits are applied in their order, each to what the ones before it left. Means are those of the
//! network without any edit.

mod apply;
mod error;
mod indices;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use error::EditError;
pub use indices::Indices;

use super::Tensor;

/// One change of a network.
///
/// # Example
///
/// ```
/// use consilience_models::graph::Edit;
///
/// let edit: Edit = "lesion layer=features.8 channels=5-9,3,6 with=zero".parse()?;
/// assert_eq!(edit.to_string(), "lesion layer=features.8 channels=3,5-9 with=zero");
/// # Ok::<(), consilience_models::graph::EditError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// The layer becomes the network's only output, and what does not lead to it is left out.
    Cut {
        /// Name of the layer.
        layer: String,
    },
    /// The layer becomes one more output of the network.
    Tap {
        /// Name of the layer.
        layer: String,
    },
    /// Parts of the layer take a constant value.
    Lesion {
        /// Name of the layer.
        layer: String,
        /// Which values.
        part: Part,
        /// What they become.
        with: Fill,
    },
    /// Parts of the layer are multiplied by 1 + α.
    Gain {
        /// Name of the layer.
        layer: String,
        /// Which values.
        part: Part,
        /// α: 0 changes nothing, −1 silences.
        alpha: f32,
    },
    /// A linear layer on feature vectors gets other weights, and perhaps another number of outputs.
    ReplaceHead {
        /// Name of the layer.
        layer: String,
        /// The new weights.
        head: Head,
    },
}

impl Edit {
    /// The layer that is edited.
    #[must_use]
    pub fn layer(&self) -> &str {
        match self {
            Self::Cut { layer }
            | Self::Tap { layer }
            | Self::Lesion { layer, .. }
            | Self::Gain { layer, .. }
            | Self::ReplaceHead { layer, .. } => layer,
        }
    }

    /// The file that the edit reads, if it reads one.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Lesion {
                with: Fill::MeanIn(file),
                ..
            }
            | Self::ReplaceHead {
                head: Head::Weights(file),
                ..
            } => Some(file),
            _ => None,
        }
    }

    /// The same edit with another file in place of [`Edit::file`].
    #[must_use]
    pub fn with_file(mut self, path: PathBuf) -> Self {
        if let Self::Lesion {
            with: Fill::MeanIn(file),
            ..
        }
        | Self::ReplaceHead {
            head: Head::Weights(file),
            ..
        } = &mut self
        {
            *file = path;
        }
        self
    }

    /// Whether the mean of the layer over the images of the run is needed.
    #[must_use]
    pub fn needs_mean(&self) -> bool {
        matches!(
            self,
            Self::Lesion {
                with: Fill::Mean,
                ..
            }
        )
    }

    /// Whether the shape of the layer's value is needed.
    #[must_use]
    pub fn needs_shape(&self) -> bool {
        !matches!(self, Self::Cut { .. } | Self::Tap { .. })
    }
}

/// Which values of a layer an edit concerns.
///
/// # Definition
///
/// Channels are the feature maps of a map (channel, row, column), the features of each token of
/// (token, feature), and the values of a vector; see [`Layout`](super::Layout). A unit is one value of the
/// flattened layer, numbered as the columns of the extracted activations. Head h of H is the h-th of
/// H equal runs of channels, as attention joins its heads. Token 0 is the class token where there is
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Part {
    /// The whole layer.
    #[default]
    All,
    /// These channels.
    Channels(Indices),
    /// These units.
    Units(Indices),
    /// These heads of attention.
    Heads {
        /// Which.
        heads: Indices,
        /// How many there are.
        of: usize,
    },
    /// These tokens.
    Tokens(Indices),
}

/// What lesioned values become.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fill {
    /// Zero.
    #[default]
    Zero,
    /// The mean of each unit over the images of the run, in the network without edits.
    Mean,
    /// The mean of each unit as an `.npy` file of the flattened layer gives it.
    MeanIn(PathBuf),
}

/// Where the weights of a new head come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A `.safetensors` file with `weight` (outputs, inputs) and `bias` (outputs), or the same two
    /// after the layer's name and a dot.
    Weights(PathBuf),
    /// Uniform random numbers as torch's `Linear` starts with: between −1/√n and 1/√n for n inputs.
    Seeded {
        /// Number of outputs.
        n_outputs: usize,
        /// Seed of ChaCha8.
        seed: u64,
    },
}

/// Weights of a linear layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linear {
    /// `(n_outputs, n_inputs)`.
    pub weight: Tensor,
    /// `(n_outputs)`.
    pub bias: Tensor,
}

/// What edits need to know besides the graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EditInputs {
    /// Shape of one image's value at each layer with a lesion, a gain or a new head.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Mean of each layer that is lesioned with [`Fill::Mean`], flattened.
    pub means: BTreeMap<String, Vec<f32>>,
    /// Content of the `.npy` files of [`Fill::MeanIn`], flattened.
    pub mean_files: BTreeMap<PathBuf, Vec<f32>>,
    /// Content of the files of [`Head::Weights`].
    pub heads: BTreeMap<PathBuf, Linear>,
}
