//! Networks of darknet: `.cfg` files, and YOLOv3 by name.
//!
//! A `.cfg` lists layers; darknet numbers them from 0 behind `[net]`. Here layer 4 is called `4`, and
//! the parts of a convolutional layer `4.convolutional`, `4.batch_normalize` and `4.leaky` (or the
//! activation that it has). The weights are numbers without names, in the order of the layers
//! ([`consilience_io::weights::darknet`]).
//!
//! # Definition
//!
//! As darknet computes on a graphics card: batch normalisation adds 10⁻⁵ to the variance (its code for
//! the processor adds 10⁻⁶ to the standard deviation), `leaky` has slope 0.1, a `[maxpool]` without
//! `padding` has `size − 1` of it, half in front (rounded down). A `[yolo]` layer is what goes into it;
//! its boxes are decoded outside of the network ([`crate::detect`]).
//!
//! # Not here
//!
//! Layers other than `convolutional`, `shortcut`, `route`, `upsample`, `maxpool`, `dropout` and `yolo`;
//! weighted shortcuts, `new_coords`, unequal strides, antialiasing: each is an error with its line.
//!
//! # References
//!
//! Redmon J (2013–2016) Darknet: open source neural networks in C. Redmon & Farhadi (2018),
//! arXiv:1804.02767.

mod cfg;
mod error;
mod graph;
mod layers;
mod yolov3;

use std::path::Path;

use consilience_io::weights::darknet::DarknetWeights;

use super::{Architecture, StateDict};
use crate::detect::YoloHead;
use crate::graph::Graph;
use crate::{ModelError, Result};

pub use error::CfgError;
use layers::Section;

/// A network as a `.cfg` file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Darknet {
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    sections: Vec<Section>,
}

/// Largest `.cfg` file.
const MAX_CFG_BYTES: u64 = 1 << 20;

impl Darknet {
    /// Reads a `.cfg` file of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// [`ModelError::Unreadable`], or [`ModelError::InFile`] around [`CfgError`].
    pub fn read(path: &Path) -> Result<Self> {
        let unreadable = |source| ModelError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let found = std::fs::metadata(path).map_err(unreadable)?.len();
        let at_file = |error| ModelError::Darknet(error).at(path);
        if found > MAX_CFG_BYTES {
            let limit = MAX_CFG_BYTES;
            return Err(at_file(CfgError::TooLarge { found, limit }));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        Self::parse(&String::from_utf8_lossy(&bytes)).map_err(at_file)
    }

    /// Takes the text of a `.cfg` file.
    ///
    /// # Errors
    ///
    /// [`CfgError`] with the line that cannot be used.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::darknet::Darknet;
    ///
    /// let text = "[net]\nwidth=64\nheight=32\n[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky";
    /// let network = Darknet::parse(text)?;
    /// assert_eq!((network.height, network.width), (32, 64));
    /// assert_eq!(network.n_weights(), 4 * 3 * 3 * 3 + 4);
    /// # Ok::<(), consilience_models::darknet::CfgError>(())
    /// ```
    pub fn parse(text: &str) -> std::result::Result<Self, CfgError> {
        let network = layers::network(&cfg::blocks(text)?)?;
        // Shapes that do not fit show when the graph is built.
        graph::build(&network)?;
        Ok(network)
    }

    /// How many numbers its `.weights` file holds.
    #[must_use]
    pub fn n_weights(&self) -> usize {
        let order = self.checked().order;
        order
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// The `[yolo]` layers, in the order of the file.
    #[must_use]
    pub fn heads(&self) -> Vec<YoloHead> {
        self.checked().heads
    }

    /// The graph with its weights; its outputs are the `[yolo]` layers, or the last layer.
    ///
    /// # Errors
    ///
    /// As [`Darknet::state_dict`].
    pub fn with_weights(&self, weights: &DarknetWeights) -> std::result::Result<Graph, CfgError> {
        let mut graph = self.checked().graph;
        graph.initialisers.extend(self.state_dict(weights)?);
        Ok(graph)
    }

    /// The numbers of a `.weights` file under the names of the layers, e.g. `0.convolutional.weight`
    /// and `0.batch_normalize.running_mean`.
    ///
    /// # Errors
    ///
    /// [`CfgError::Weights`] when there are more or fewer numbers than the network has.
    pub fn state_dict(&self, weights: &DarknetWeights) -> std::result::Result<StateDict, CfgError> {
        graph::assign(&self.checked().order, &weights.values)
    }

    fn checked(&self) -> graph::Built {
        graph::build(self).expect("a network is checked when it is made")
    }
}

/// YOLOv3 with its published settings, for inputs of 608 × 608.
///
/// # References
///
/// Redmon & Farhadi (2018), arXiv:1804.02767.
#[must_use]
pub fn yolov3(n_classes: usize) -> Darknet {
    yolov3::network(n_classes)
}

/// The network of an architecture of the [`zoo`](crate::zoo) that is darknet's.
pub(crate) fn named(name: &str) -> Option<Darknet> {
    yolov3::NAMED
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(_, n_classes, _)| yolov3(*n_classes))
}

pub(super) fn entries() -> Vec<Architecture> {
    yolov3::entries()
}
