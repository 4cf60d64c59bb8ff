//! Running a graph.
//!
//! | executor | what it is | when |
//! |---|---|---|
//! | ONNX Runtime | Microsoft's C++ library, loaded while the program runs | its shared library is found ([`library`]) |
//! | the same on CUDA | its execution provider for NVIDIA's cards | only when asked for, and the library has it |
//! | rten | pure Rust, part of the program | always |
//!
//! # Same numbers
//!
//! An executor runs on one thread: several threads inside an operation could make its last bits
//! depend on their number, so we run several batches at once instead, which is as fast.
//!
//! By default an executor may merge operations ([`Operations::Fused`]): a convolution takes in the
//! batch normalisation, the sum and the ReLU after it, and works on another layout of memory. What
//! it may merge depends on which tensors are asked for, so a layer's last bits (about 1e-6 relative)
//! depend on the set of layers of the run, and that set is part of what names a cached result. With
//! [`Operations::AsStated`] every operation runs as the graph states it, and a layer's numbers are
//! the same whatever else is asked for; that takes up to twice as long. The two executors agree to
//! about 1e-6 relative either way, not to the bit.
//!
//! On a graphics card numbers keep their 32 bits (no TF32), algorithms are chosen by rule instead of
//! by trial, and only those are taken that add in a fixed order, so a run can be repeated.

pub mod library;
mod onnxruntime;
mod rten;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use ndarray::{ArrayD, ArrayView4};

use self::onnxruntime::Device;
use crate::graph::{Graph, Node};
use crate::{ModelError, Result, onnx};

/// Which executor runs the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ExecutorChoice {
    /// ONNX Runtime when it is found and takes the network, else rten.
    #[default]
    Auto,
    /// rten.
    Rten,
    /// ONNX Runtime or an error.
    OnnxRuntime,
    /// ONNX Runtime on the first NVIDIA card, or an error.
    OnnxRuntimeCuda,
}

impl FromStr for ExecutorChoice {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "auto" => Ok(Self::Auto),
            "rten" => Ok(Self::Rten),
            "onnx-runtime" => Ok(Self::OnnxRuntime),
            "onnx-runtime-cuda" => Ok(Self::OnnxRuntimeCuda),
            _ => Err(ModelError::UnknownChoice {
                what: "executor",
                found: word.to_owned(),
                expected: "auto, rten, onnx-runtime, onnx-runtime-cuda",
            }),
        }
    }
}

impl fmt::Display for ExecutorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Rten => "rten",
            Self::OnnxRuntime => "onnx-runtime",
            Self::OnnxRuntimeCuda => "onnx-runtime-cuda",
        })
    }
}

/// Whether an executor may merge operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Operations {
    /// It may: fast, and a layer's last bits depend on which layers are asked for together.
    #[default]
    Fused,
    /// It runs each as the graph states it: slower, and a layer's numbers are its own.
    AsStated,
}

impl FromStr for Operations {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "fused" => Ok(Self::Fused),
            "as-stated" => Ok(Self::AsStated),
            _ => Err(ModelError::UnknownChoice {
                what: "way to run operations",
                found: word.to_owned(),
                expected: "fused, as-stated",
            }),
        }
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fused => "fused",
            Self::AsStated => "as-stated",
        })
    }
}

/// What ran a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutorInfo {
    /// Name.
    pub name: &'static str,
    /// Version.
    pub version: String,
    /// Whether operations were merged.
    pub operations: Operations,
    /// Why the preferred executor was not taken, when it was not.
    pub note: Option<String>,
}

impl fmt::Display for ExecutorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = match self.operations {
            Operations::Fused => "fused",
            Operations::AsStated => "as stated",
        };
        write!(f, "{} {}, operations {operations}", self.name, self.version)
    }
}

/// A network that is ready to run, on one thread.
pub trait Executor: Send + Sync {
    /// Runs a batch `(n, channels, height, width)`; gives the outputs of the graph in their order,
    /// `None` for one that does not hold 32-bit floats.
    ///
    /// # Errors
    ///
    /// [`ModelError::Run`] with what the executor said.
    fn run(&mut self, images: ArrayView4<'_, f32>) -> Result<Vec<Option<ArrayD<f32>>>>;
}

/// Most memory that copies of the weights may take when every thread needs its own.
const COPIES_BUDGET: usize = 4 << 30;

/// [`load_with`] that runs every operation as the graph states it.
///
/// # Errors
///
/// As [`load_with`].
pub fn load(
    choice: ExecutorChoice,
    graph: &Graph,
    n_threads: usize,
) -> Result<(ExecutorInfo, Vec<Box<dyn Executor>>)> {
    load_with(choice, Operations::AsStated, graph, n_threads)
}

/// Makes up to `n_threads` executors (fewer when the weights are large) that run `graph` and give
/// its outputs.
///
/// # Errors
///
/// [`ModelError::NoOnnxRuntime`] when ONNX Runtime is demanded and not there,
/// [`ModelError::MissingOperator`] with the first operation that the executor cannot do,
/// [`ModelError::Load`] when it refuses the network for another reason.
pub fn load_with(
    choice: ExecutorChoice,
    operations: Operations,
    graph: &Graph,
    n_threads: usize,
) -> Result<(ExecutorInfo, Vec<Box<dyn Executor>>)> {
    let bytes = onnx::write(graph);
    let with_onnx_runtime = |device| {
        let affordable = COPIES_BUDGET / graph.n_weight_bytes().max(1);
        let n_copies = n_threads.min(affordable.max(1));
        onnxruntime::load(graph, &bytes, device, operations, n_copies)
    };
    match choice {
        ExecutorChoice::OnnxRuntime => with_onnx_runtime(Device::Processor),
        ExecutorChoice::OnnxRuntimeCuda => with_onnx_runtime(Device::Cuda),
        ExecutorChoice::Rten => rten::load(graph, bytes, operations, n_threads),
        ExecutorChoice::Auto => {
            let preferred = match with_onnx_runtime(Device::Processor) {
                Ok(loaded) => return Ok(loaded),
                Err(error) => error,
            };
            let refusal = match &preferred {
                ModelError::NoOnnxRuntime { reason } => {
                    format!("ONNX Runtime was not used: {reason}")
                }
                error => error.to_string(),
            };
            match (rten::load(graph, bytes, operations, n_threads), preferred) {
                (Ok((mut info, executors)), _) => {
                    info.note = Some(refusal);
                    Ok((info, executors))
                }
                // Neither can: what the more complete one lacks.
                (Err(_), lacking @ ModelError::MissingOperator { .. }) => Err(lacking),
                (Err(ModelError::Load { executor, reason }), _) => Err(ModelError::Load {
                    executor,
                    reason: format!("{reason} ({refusal})"),
                }),
                (Err(error), _) => Err(error),
            }
        }
    }
}

/// An executor's refusal of a network; names the operation when it is for want of an operator.
fn refusal(executor: &'static str, graph: &Graph, reason: String) -> ModelError {
    let lacks = |node: &&Node| {
        // rten's words, then those of ONNX Runtime.
        [
            format!("{} operator not supported", node.op),
            format!("{}.{} operator not supported", node.domain, node.op),
            format!("No Op registered for {} ", node.op),
            format!("implementation for {}(", node.op),
            format!("{}:{}(", node.domain, node.op),
        ]
        .iter()
        .any(|words| reason.contains(words.as_str()))
    };
    match graph.nodes.iter().find(lacks) {
        Some(node) => missing(executor, node, ""),
        None => ModelError::Load { executor, reason },
    }
}

/// The error for an operation that an executor cannot do, with what of the operator it lacks.
fn missing(executor: &'static str, node: &Node, part: &'static str) -> ModelError {
    let operator = match node.domain.as_str() {
        "" => format!("{}{part}", node.op),
        domain => format!("{domain}.{}{part}", node.op),
    };
    ModelError::MissingOperator {
        executor,
        operator,
        node: node.name.clone(),
    }
}

/// Runs foreign code that may panic on a network it did not expect, and gives the panic's message
/// as the error.
pub(crate) fn guard<T>(
    code: impl FnOnce() -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    // What the code touched is dropped with the error, so nothing half-changed is seen again.
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(message.unwrap_or("it stopped without a message").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_spelled_as_they_are_read() {
        for choice in [
            ExecutorChoice::Auto,
            ExecutorChoice::Rten,
            ExecutorChoice::OnnxRuntime,
            ExecutorChoice::OnnxRuntimeCuda,
        ] {
            assert_eq!(
                choice.to_string().parse::<ExecutorChoice>().unwrap(),
                choice
            );
        }
        let message = "gpu".parse::<ExecutorChoice>().unwrap_err().to_string();
        assert!(message.contains("onnx-runtime"), "{message}");
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let outcome = guard::<()>(|| panic!("at {}", 7));
        assert_eq!(outcome, Err("at 7".to_owned()));
    }
}
