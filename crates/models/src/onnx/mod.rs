//! Networks as ONNX bytes: [`read()`] and [`write()`].
//!
//! Layers of a file are the tensors that depend on the image, by their own names, and, where node
//! names carry module paths as torch's exporter writes them, the modules by torchvision's names.
//!
//! # References
//!
//! ONNX: Open Neural Network Exchange, intermediate representation specification, IR version 8–12.

mod modules;
mod proto;
mod read;
mod write;

pub use read::read;
pub use write::write;

/// Largest file that is read: the limit of the format itself.
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
    /// An operation that reads what nothing makes.
    #[error("operation {node:?} reads {tensor:?}, which nothing before it makes")]
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
    /// Inputs other than one batch of images.
    #[error("expected one input of 32-bit floats with shape (n, 3, height, width), found {found}")]
    NotImages {
        /// What the file has.
        found: String,
    },
}
