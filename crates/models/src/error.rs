//! What can be wrong with a network or with running it.

use std::path::{Path, PathBuf};

use crate::darknet::CfgError;
use crate::detect::DetectError;
use crate::detect::exchange::BoxesError;
use crate::graph::EditError;
use crate::onnx::OnnxError;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, ModelError>;

/// A network that could not be had, or a run that did not end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No architecture of that name.
    #[error("no network is called {name:?}; did you mean {}? (or give an .onnx file)", quoted(.nearest))]
    UnknownModel {
        /// The name that was given.
        name: String,
        /// Names that resemble it.
        nearest: Vec<String>,
    },
    /// A pattern that matches no layer.
    #[error("no layer matches {pattern:?}; the nearest names are {}", quoted(.nearest))]
    UnknownLayer {
        /// The pattern that was given.
        pattern: String,
        /// Layer names that resemble it.
        nearest: Vec<String>,
    },
    /// A layer after which the network still needs what came before.
    #[error("after {layer:?} the network also needs {}, which bypass it; take the output of the block or group that they lead to", quoted(.by))]
    Bypassed {
        /// The layer.
        layer: String,
        /// Tensors before it that are needed, by their names as layers where they have one.
        by: Vec<String>,
    },
    /// Weights that do not fit the architecture.
    #[error("the weights do not fit {architecture}: {}", state_dict_faults(.missing, .extra, .misshapen))]
    StateDict {
        /// Architecture that was asked for.
        architecture: String,
        /// Keys that the architecture needs and the file lacks.
        missing: Vec<String>,
        /// Keys that the file has and the architecture does not know.
        extra: Vec<String>,
        /// Keys whose shapes differ.
        misshapen: Vec<Misshapen>,
    },
    /// A NaN or an infinity in the weights.
    #[error(
        "the weight {key:?} of {architecture} holds {value}, expected numbers only; the training failed or the file is damaged: take another"
    )]
    NonFiniteWeight {
        /// Architecture that was asked for.
        architecture: String,
        /// First key where it shows.
        key: String,
        /// The value.
        value: f32,
    },
    /// Images that are too small for the architecture's windows.
    #[error(
        "{architecture} cannot take images of {} × {} pixels: too little is left of them at layer {layer:?}; enlarge the crop",
        size[0],
        size[1]
    )]
    TooSmallFor {
        /// Architecture that was asked for.
        architecture: String,
        /// Height and width in pixels.
        size: [usize; 2],
        /// First layer whose window does not fit.
        layer: String,
    },
    /// One of the other errors, and the file it comes from.
    #[error("{fault} ({})", path.display())]
    InFile {
        /// What is wrong.
        fault: Box<ModelError>,
        /// The file.
        path: PathBuf,
    },
    /// ONNX bytes that cannot be used.
    #[error("not a usable ONNX network: {0}")]
    Onnx(#[from] OnnxError),
    /// A darknet network that cannot be used.
    #[error("not a usable darknet network: {0}")]
    Darknet(#[from] CfgError),
    /// A detector or boxes that cannot be used.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// Boxes from a file that cannot be used.
    #[error(transparent)]
    Boxes(#[from] BoxesError),
    /// A picture without pixels.
    #[error("the picture has no pixels; leave it out")]
    EmptyPicture,
    /// No preprocessing of that name.
    #[error("no preprocessing is called {name:?}; did you mean {}?", quoted(.nearest))]
    UnknownPreset {
        /// The name that was given.
        name: String,
        /// Names that resemble it.
        nearest: Vec<String>,
    },
    /// A step of the preprocessing that makes no sense.
    #[error("preprocessing: `{key}` {problem}")]
    Preprocessing {
        /// The step.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file that could not be read.
    #[error("cannot read: {source} ({})", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An image or a weights file that could not be read.
    #[error(transparent)]
    File(#[from] consilience_io::IoError),
    /// Preprocessing that does not give what the network takes.
    #[error(
        "the preprocessing gives images of {found:?} (channels, height, width), the network takes {expected}; change the crop"
    )]
    InputSize {
        /// What the network takes, `?` where it is free.
        expected: String,
        /// What the preprocessing gives.
        found: [usize; 3],
    },
    /// Images of different sizes in one run.
    #[error(
        "images must have one size when the preprocessing neither resizes nor crops: expected {expected:?} (channels, height, width), found {found:?} in {image}"
    )]
    ImageSize {
        /// Size of the first image.
        expected: [usize; 3],
        /// Size of this one.
        found: [usize; 3],
        /// Which image.
        image: String,
    },
    /// An image whose long side would become enormous.
    #[error(
        "an image of {width} × {height} pixels is too narrow to bring its short side to the network's size; crop it first"
    )]
    Elongated {
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
    },
    /// An executor was demanded that is not there.
    #[error("ONNX Runtime cannot be used: {reason}; choose \"auto\" or \"rten\" to run without it")]
    NoOnnxRuntime {
        /// Where it was looked for and what was found.
        reason: String,
    },
    /// An operator that an executor does not have.
    #[error("{executor} has no operator {operator}, which node {node:?} needs; {}", other_executor(.executor))]
    MissingOperator {
        /// Name of the executor.
        executor: &'static str,
        /// The operator, or the part of it.
        operator: String,
        /// First operation that needs it.
        node: String,
    },
    /// An executor refused the network.
    #[error("{executor} cannot load the network: {reason}")]
    Load {
        /// Name of the executor.
        executor: &'static str,
        /// What it said.
        reason: String,
    },
    /// An executor failed while running.
    #[error("{executor} cannot run the network: {reason}")]
    Run {
        /// Name of the executor.
        executor: &'static str,
        /// What it said.
        reason: String,
    },
    /// A layer that is not one f32 pattern for each image.
    #[error(
        "layer {layer:?} is not one 32-bit float pattern for each image ({found}); leave it out"
    )]
    NotAPattern {
        /// The layer.
        layer: String,
        /// What it is.
        found: String,
    },
    /// A class token of a layer that has none.
    #[error(
        "layer {layer:?} has no class token that is known of (the shape of its value is {shape:?}); name only layers of tokens with one, or pool in another way"
    )]
    NoClassToken {
        /// The layer.
        layer: String,
        /// Shape of one image's value.
        shape: Vec<usize>,
    },
    /// A NaN or an infinity in the activations.
    #[error(
        "layer {layer:?} has an activation that is {value} for image {image}; check the weights and the preprocessing"
    )]
    NonFinite {
        /// First layer where it shows.
        layer: String,
        /// The image.
        image: String,
        /// The value.
        value: f32,
    },
    /// An edit that cannot be read or applied.
    #[error("the edit \"{edit}\": {fault}")]
    Edit {
        /// The edit.
        edit: String,
        /// What is wrong with it.
        fault: Box<EditError>,
    },
    /// A parameter out of its range.
    #[error("{what} must be at least 1, found 0")]
    Zero {
        /// Which parameter.
        what: &'static str,
    },
    /// A word that names no choice.
    #[error("unknown {what} {found:?}; expected one of {expected}")]
    UnknownChoice {
        /// What is chosen.
        what: &'static str,
        /// The word that was given.
        found: String,
        /// The words that exist.
        expected: &'static str,
    },
}

impl ModelError {
    /// The error with the file that it comes from.
    pub(crate) fn at(self, path: &Path) -> Self {
        Self::InFile {
            fault: Box::new(self),
            path: path.to_owned(),
        }
    }
}

/// A key of a state dict whose shape is not the architecture's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// The key.
    pub key: String,
    /// Shape that the architecture needs.
    pub expected: Vec<usize>,
    /// Shape in the file.
    pub found: Vec<usize>,
}

/// What to do when an executor lacks an operator.
fn other_executor(executor: &str) -> &'static str {
    match executor {
        "rten" => "try ONNX Runtime, or cut the network before it",
        _ => "export the network with standard operators, or cut it before this one",
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

fn state_dict_faults(missing: &[String], extra: &[String], misshapen: &[Misshapen]) -> String {
    let mut faults = Vec::new();
    if !missing.is_empty() {
        faults.push(format!("missing {}", missing.join(", ")));
    }
    if !extra.is_empty() {
        faults.push(format!("not expected {}", extra.join(", ")));
    }
    faults.extend(
        misshapen
            .iter()
            .map(|m| format!("{} expected {:?}, found {:?}", m.key, m.expected, m.found)),
    );
    faults.join("; ")
}
