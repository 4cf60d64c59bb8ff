//! What is extracted, from what, and how.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use consilience_io::image::RgbImage;

use crate::{ExecutorChoice, ModelError, Operations, Result};

/// What becomes of the positions of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pool {
    /// All are kept: the map is flattened channel by channel, row by row.
    #[default]
    None,
    /// Their mean, one value a channel. Positions are the places of a map, or the tokens of a grid
    /// without the class token and registers before it; all tokens in a network from a file, of which
    /// nothing is known.
    Mean,
    /// Their maximum, one value a channel; positions as for the mean.
    Max,
    /// The class token alone; an error for a layer without one.
    Cls,
}

impl FromStr for Pool {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "none" => Ok(Self::None),
            "mean" => Ok(Self::Mean),
            "max" => Ok(Self::Max),
            "cls" => Ok(Self::Cls),
            _ => Err(ModelError::UnknownChoice {
                what: "pooling",
                found: word.to_owned(),
                expected: "none, mean, max, cls",
            }),
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Cls => "cls",
        })
    }
}

/// How activations are extracted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractParams {
    /// What becomes of the positions of a map. Default [`Pool::None`].
    pub pool: Pool,
    /// What runs the network. Default [`ExecutorChoice::Auto`].
    pub executor: ExecutorChoice,
    /// Whether it may merge operations. Default [`Operations::Fused`].
    pub operations: Operations,
    /// Images in one run of the network. Default 1, which is fastest for convolutions and makes an
    /// image's numbers independent of its neighbours; large fully connected layers gain from more,
    /// and may then differ in the last bits.
    pub batch: usize,
    /// Batches that are worked on at the same time; changes nothing in the result. Default 1.
    pub n_threads: usize,
}

impl Default for ExtractParams {
    fn default() -> Self {
        Self {
            pool: Pool::None,
            executor: ExecutorChoice::Auto,
            operations: Operations::Fused,
            batch: 1,
            n_threads: 1,
        }
    }
}

/// Pictures to run through a network.
#[derive(Debug, Clone, Copy)]
pub enum Images<'a> {
    /// Files, read when their turn comes.
    Files(&'a [PathBuf]),
    /// Pictures in memory.
    Decoded(&'a [RgbImage]),
}

impl Images<'_> {
    /// Number of pictures.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Files(paths) => paths.len(),
            Self::Decoded(images) => images.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How messages name picture `image_idx`.
    pub(crate) fn name(&self, image_idx: usize) -> String {
        match self {
            Self::Files(paths) => paths[image_idx].display().to_string(),
            Self::Decoded(_) => format!("number {image_idx}"),
        }
    }
}
