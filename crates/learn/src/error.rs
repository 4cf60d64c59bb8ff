//! What can be wrong with differentiating or training a network.

use std::path::PathBuf;

use consilience_io::IoError;
use consilience_models::ModelError;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, LearnError>;

/// A gradient that could not be had, or a training that did not end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// The network itself, its preprocessing or its layers.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file.
    #[error(transparent)]
    File(#[from] IoError),
    /// An operation that has no gradient here.
    #[error(
        "operation {node:?} is {op}, which gradients do not know; choose layers that do not depend on it"
    )]
    UnknownOperator {
        /// The operator.
        op: String,
        /// The operation, by the first tensor that it makes when it has no name.
        node: String,
    },
    /// An operation that cannot be done with what it is given.
    #[error("operation {node:?} ({op}) cannot be computed: {fault}")]
    Operation {
        /// The operator.
        op: String,
        /// The operation, by the first tensor that it makes when it has no name.
        node: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A derivative that could not be computed.
    #[error("the gradient cannot be computed: {reason}")]
    Backward {
        /// What the kernel said.
        reason: String,
    },
    /// Images that the network does not take.
    #[error("the network takes images of {expected}, found {found:?} (n, channels, height, width)")]
    InputShape {
        /// What the network takes, `?` where it is free.
        expected: String,
        /// The shape that was given.
        found: Vec<usize>,
    },
    /// A layer that is not one pattern of numbers for each image.
    #[error("layer {layer:?} is not one pattern of numbers for each image; choose another")]
    NotAPattern {
        /// The layer.
        layer: String,
    },
    /// A class that the network does not have.
    #[error("the network has {n_classes} classes (0 to {}), found target {found}", n_classes.saturating_sub(1))]
    UnknownClass {
        /// Number of outputs.
        n_classes: usize,
        /// The class that was asked for.
        found: usize,
    },
    /// An array of another shape than it must have.
    #[error("{what} has shape {found:?}, expected {expected:?}")]
    ShapeMismatch {
        /// What it is.
        what: &'static str,
        /// The shape that it must have.
        expected: Vec<usize>,
        /// The shape that it has.
        found: Vec<usize>,
    },
    /// A NaN or an infinity.
    #[error("{what} of image {image} is not finite; check the weights and the preprocessing")]
    NonFinite {
        /// What is not finite.
        what: String,
        /// Index of the image.
        image: usize,
    },
    /// A layer that no positions can be told of.
    #[error(
        "layer {layer:?} has shape {shape:?} for an image, which is neither a map (channels, height, width) nor tokens on a known grid; choose a convolutional layer or a block of tokens"
    )]
    NoPositions {
        /// The layer.
        layer: String,
        /// Its shape for one image.
        shape: Vec<usize>,
    },
    /// A parameter out of its range.
    #[error("{what} must be {expected}, found {found}")]
    Parameter {
        /// Which parameter.
        what: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value.
        found: f64,
    },
    /// A training without something to train on.
    #[error("there is no {what} to train; check the samples and the names of the trained weights")]
    NothingToTrain {
        /// What is missing.
        what: &'static str,
    },
    /// A loss or weights that are not finite.
    #[error(
        "training diverged in epoch {epoch} at a learning rate of {learning_rate:e}: the loss or a weight is not finite; try a smaller learning rate"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The learning rate of its last step.
        learning_rate: f64,
    },
    /// A folder of checkpoints that cannot be gone on from.
    #[error("cannot go on from the checkpoints: {fault}; choose another folder ({})", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A word that names no choice.
    #[error("unknown {what} {found:?}; expected {expected}")]
    UnknownChoice {
        /// What is chosen.
        what: &'static str,
        /// The word that was given.
        found: String,
        /// The words that exist.
        expected: &'static str,
    },
}

/// What is wrong with an operation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// An input that it needs and does not have.
    #[error("input {idx} is missing")]
    MissingInput {
        /// Which one, from 0.
        idx: usize,
    },
    /// An attribute that it needs and does not have, or of another kind.
    #[error("attribute {name:?} is missing or of another kind")]
    Attribute {
        /// Its name.
        name: &'static str,
    },
    /// Numbers where integers are needed or the other way round.
    #[error("input {idx} must hold {expected}")]
    Kind {
        /// Which input, from 0.
        idx: usize,
        /// What it must hold.
        expected: &'static str,
    },
    /// A shape that does not fit.
    #[error("{what} does not fit the shape {shape:?}")]
    Shape {
        /// What does not fit.
        what: &'static str,
        /// The shape that it must fit.
        shape: Vec<usize>,
    },
    /// A variant of the operator that is not there.
    #[error("{what} is not supported")]
    Unsupported {
        /// The variant.
        what: &'static str,
    },
    /// The kernel stopped.
    #[error("{reason}")]
    Kernel {
        /// What it said.
        reason: String,
    },
}
