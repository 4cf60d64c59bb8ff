//! Networks as ONNX bytes: [`read()`] and [`write()`].
//!
//! Layers of a file are the tensors that depend on the image, by their own names, and, where node
//! names carry module paths as torch's exporter writes them, the modules by torchvision's names.
//!
//! # References
//!
//! ONNX: Open Neural Network Exchange, intermediate representation specification, IR version 8–13.

mod external;
mod functions;
mod lower;
mod modules;
mod order;
mod proto;
mod read;
mod rewrite;
mod upgrade;
mod widen;
mod write;

pub use external::ExternalFault;
pub use read::{data_files, read, read_in};
pub use write::write;

/// Largest `.onnx` file that is read: the limit of the format itself. Weights in files beside it do
/// not count.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// ONNX bytes that do not describe a network that we can run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// Not the encoding.
    #[error("the bytes are not an ONNX model ({source}); the file may be damaged or cut short")]
    Encoding {
        /// Where decoding stopped.
        source: prost::DecodeError,
    },
    /// More bytes than the format allows.
    #[error("expected at most {MAX_BYTES} bytes, found {found}")]
    TooLarge {
        /// Size of the file.
        found: u64,
    },
    /// A model without a graph or without operations.
    #[error("the model holds no {what}; the file may be damaged or cut short")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// Something that ONNX has and we do not run.
    #[error("{what} in {place:?} is not supported; {instead}")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// Operation, tensor or function that has it.
        place: String,
        /// What to do.
        instead: &'static str,
    },
    /// A local function that cannot be written out.
    #[error("the local function {function:?} {what}; export the model with its functions inlined")]
    Function {
        /// Its name.
        function: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Operators of a version that is too old.
    #[error(
        "operator set {found} is too old, expected {expected} or later; export the model again"
    )]
    OldOperators {
        /// Version in the file.
        found: i64,
        /// Oldest version that is read.
        expected: i64,
    },
    /// Weights in a file beside the model that cannot be had.
    #[error("the weights {tensor:?} are in {location:?}: {fault}")]
    External {
        /// The tensor.
        tensor: String,
        /// The file as the model names it.
        location: String,
        /// What is wrong.
        fault: ExternalFault,
    },
    /// A tensor whose numbers do not fill its shape.
    #[error(
        "tensor {tensor:?} has shape {shape:?}, which its {found} bytes of numbers do not fill"
    )]
    TensorSize {
        /// The tensor.
        tensor: String,
        /// Shape in the file.
        shape: Vec<i64>,
        /// Bytes of numbers in the file.
        found: usize,
    },
    /// An operation that reads what depends on its own output.
    #[error("operation {node:?} reads {tensor:?}, which is made from what the operation makes")]
    Cycle {
        /// The operation.
        node: String,
        /// The tensor.
        tensor: String,
    },
    /// An operation that reads what nothing makes.
    #[error("operation {node:?} reads {tensor:?}, which nothing makes")]
    Dangling {
        /// The operation.
        node: String,
        /// The tensor.
        tensor: String,
    },
    /// A name given twice.
    #[error("tensor {tensor:?} is made more than once")]
    Duplicate {
        /// The tensor.
        tensor: String,
    },
    /// An output that nothing makes.
    #[error("output {tensor:?} is made by no operation")]
    UnknownOutput {
        /// The tensor.
        tensor: String,
    },
    /// Images of an absurd size.
    #[error("the network takes images of {found:?}, expected at most {limit} numbers in one run")]
    Enormous {
        /// Extents that the file fixes.
        found: Vec<usize>,
        /// Most numbers that one run may take.
        limit: usize,
    },
    /// Inputs other than one batch of images.
    #[error("expected one input of 32-bit floats with shape (n, 3, height, width), found {found}")]
    NotImages {
        /// What the file has.
        found: String,
    },
}
