//! Networks: graph, weights, preprocessing, execution.
//!
//! A network is a [`Graph`] of named operations (what ONNX describes) with torchvision's layer
//! names. There are two ways in, an architecture of the [`zoo`] with its state dict, or an `.onnx`
//! file, and one way out: [`Extractor`] runs images through it and hands over the activations of
//! the chosen layers, a block of images at a time.
//!
//! ```no_run
//! use consilience_models::{ExtractParams, Extractor, Images, Network};
//!
//! let network = Network::from_zoo("squeezenet1_1", "squeezenet1_1.safetensors".as_ref())?;
//! let layers = network.graph.select(&["features.*"])?;
//! let extractor = Extractor::prepare(&network, &layers, &ExtractParams::default())?;
//! let described = extractor.layers.clone();
//! let paths = ["one.png".into(), "two.png".into()];
//! extractor.run(
//!     Images::Files(&paths),
//!     |block| {
//!         println!("{} from image {}", described[block.layer_idx].name, block.first_row);
//!         Ok::<(), consilience_models::ModelError>(())
//!     },
//!     |_done| {},
//! )?;
//! # Ok::<(), consilience_models::ModelError>(())
//! ```
//!
//! # Two executors
//!
//! ONNX Runtime runs the network when its shared library is found, `rten` (pure Rust) otherwise;
//! see [`executor`], also for what a layer's last bits depend on.
//!
//! # Not supported
//!
//! Networks with several inputs or inputs that are not `(n, 3, h, w)`; ONNX files with control
//! flow, sparse weights, or operators of sets before 7.

pub mod detect;
mod error;
pub mod executor;
mod extract;
pub mod graph;
mod network;
pub mod onnx;
pub mod preprocess;
mod suggest;
pub mod verify;
pub mod zoo;

pub use error::{ModelError, Result};
pub use executor::{ExecutorChoice, ExecutorInfo, Operations};
pub use extract::{
    Block, Clip, ClipFrames, ClipPool, Clips, Covered, ExtractParams, ExtractedLayer, Extractor,
    Film, Images, Pool, Source, Tokens,
};
pub use graph::{Edit, Graph, Layer};
pub use network::Network;
pub use preprocess::Preprocessing;
pub use zoo::{darknet, nuclei};
