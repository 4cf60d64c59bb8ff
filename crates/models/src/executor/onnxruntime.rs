//! ONNX Runtime through `ort`.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use ndarray::{ArrayD, ArrayView4, IxDyn};
use ort::environment::Environment;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{CUDA, ExecutionProvider};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::{Executor, ExecutorInfo, Operations, guard, library, refusal};
use crate::graph::Graph;
use crate::{ModelError, Result};

/// Where ONNX Runtime computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    /// The processor.
    Processor,
    /// The first NVIDIA card.
    Cuda,
}

impl Device {
    /// The executor's name in results.
    fn name(self) -> &'static str {
        match self {
            Self::Processor => "ONNX Runtime",
            Self::Cuda => "ONNX Runtime on CUDA",
        }
    }
}

struct OnnxRuntime {
    name: &'static str,
    session: Session,
    outputs: Vec<String>,
}

/// The loaded library; a process can have one.
struct Loaded {
    environment: Environment,
    version: String,
}

pub(super) fn load(
    graph: &Graph,
    onnx: &[u8],
    device: Device,
    operations: Operations,
    n_threads: usize,
) -> Result<(ExecutorInfo, Vec<Box<dyn Executor>>)> {
    let loaded = loaded().map_err(|reason| ModelError::NoOnnxRuntime { reason })?;
    let name = device.name();
    if device == Device::Cuda && !guard(has_cuda).unwrap_or(false) {
        return Err(ModelError::Load {
            executor: name,
            reason: NO_CUDA.to_owned(),
        });
    }
    let executors = (0..n_threads.max(1))
        .map(|_| {
            let session = guard(|| session(&loaded.environment, onnx, device, operations))
                .map_err(|reason| refusal(name, graph, reason))?;
            let executor: Box<dyn Executor> = Box::new(OnnxRuntime {
                name,
                session,
                outputs: graph.outputs.clone(),
            });
            Ok(executor)
        })
        .collect::<Result<_>>()?;
    let info = ExecutorInfo {
        name,
        version: loaded.version.clone(),
        operations,
        note: None,
    };
    Ok((info, executors))
}

fn session(
    environment: &Environment,
    onnx: &[u8],
    device: Device,
    operations: Operations,
) -> std::result::Result<Session, String> {
    let level = match operations {
        Operations::Fused => GraphOptimizationLevel::All,
        Operations::AsStated => GraphOptimizationLevel::Disable,
    };
    // Each of these steps has an error type of its own, which carries the builder back.
    let mut builder = Session::builder(environment)
        .map_err(|e| e.to_string())?
        .with_optimization_level(level)
        .map_err(|e| e.to_string())?
        .with_intra_threads(1)
        .map_err(|e| e.to_string())?
        .with_inter_threads(1)
        .map_err(|e| e.to_string())?;
    if device == Device::Cuda {
        let cuda = CUDA::default()
            .with_tf32(false)
            .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
            .build()
            .error_on_failure();
        builder = builder
            .with_deterministic_compute(true)
            .map_err(|e| e.to_string())?
            .with_execution_providers([cuda])
            .map_err(|e| e.to_string())?;
    }
    builder.commit_from_memory(onnx).map_err(|e| e.to_string())
}

/// What to say when the library was built for the processor alone.
const NO_CUDA: &str = "this build of the library computes on the processor only; point \
    ORT_DYLIB_PATH to one with CUDA (that of the onnxruntime-gpu Python package), or choose \
    another executor";

fn has_cuda() -> std::result::Result<bool, String> {
    CUDA::is_available().map_err(|e| e.to_string())
}

/// Loads the first library of the search that can be loaded. A success is kept; after a failure the
/// next call looks again.
fn loaded() -> std::result::Result<&'static Loaded, String> {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    static LOADING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = LOADED.get() {
        return Ok(loaded);
    }
    let found = library::find();
    if found.is_empty() {
        return Err(library::NOT_FOUND.to_owned());
    }
    let mut faults = Vec::new();
    for path in found {
        let attempt = guard(|| {
            let environment = ort::init_from(&path)
                .map_err(|error| error.to_string())?
                .with_telemetry(false)
                .build()
                .map_err(|error| error.to_string())?;
            Ok(Loaded {
                environment,
                version: version(&path, ort::info()),
            })
        });
        match attempt {
            Ok(loaded) => return Ok(LOADED.get_or_init(|| loaded)),
            Err(fault) => faults.push(fault),
        }
    }
    Err(faults.join("; "))
}

/// The version that the library's file name ends in, else what its description of the build says.
fn version(library: &Path, build: &str) -> String {
    // `libonnxruntime.so` is often a link to the file with the version in its name.
    let file = library
        .canonicalize()
        .unwrap_or_else(|_| library.to_owned());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let digits = name.trim_end_matches(".dylib");
    let number = digits
        .find(|c: char| c.is_ascii_digit())
        .map(|at| &digits[at..]);
    if let Some(number) = number.filter(|n| n.chars().all(|c| c == '.' || c.is_ascii_digit())) {
        return number.to_owned();
    }
    let after = |key: &str| {
        let (_, rest) = build.split_once(key)?;
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        Some(rest[..end].to_owned())
    };
    after("git-branch=rel-")
        .or_else(|| after("git-commit-id="))
        .unwrap_or_else(|| "of unknown version".to_owned())
}

impl Executor for OnnxRuntime {
    fn run(&mut self, images: ArrayView4<'_, f32>) -> Result<Vec<Option<ArrayD<f32>>>> {
        guard(|| {
            let images = images.as_standard_layout();
            let values = images
                .as_slice()
                .expect("just brought into standard layout");
            let input = TensorRef::from_array_view((images.shape().to_vec(), values))
                .map_err(|error| error.to_string())?;
            let results = self
                .session
                .run(ort::inputs![input])
                .map_err(|error| error.to_string())?;
            Ok(self
                .outputs
                .iter()
                .map(|name| {
                    let (shape, values) = results.get(name)?.try_extract_tensor::<f32>().ok()?;
                    let shape: Vec<usize> = shape
                        .iter()
                        .map(|&d| usize::try_from(d).ok())
                        .collect::<Option<_>>()?;
                    ArrayD::from_shape_vec(IxDyn(&shape), values.to_vec()).ok()
                })
                .collect())
        })
        .map_err(|reason| ModelError::Run {
            executor: self.name,
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::version;

    #[test]
    fn the_version_is_in_the_file_name_or_in_the_build_description() {
        let release =
            "ORT Build Info: git-branch=rel-1.30.0, git-commit-id=26250ae, build type=Release";
        for (file, build, expected) in [
            ("/there/libonnxruntime.so.1.31.1", release, "1.31.1"),
            ("/there/libonnxruntime.1.31.1.dylib", release, "1.31.1"),
            ("/there/libonnxruntime.so", release, "1.30.0"),
            (
                "onnxruntime.dll",
                "git-branch=main, git-commit-id=26250ae",
                "26250ae",
            ),
            ("onnxruntime.dll", "?", "of unknown version"),
        ] {
            assert_eq!(version(Path::new(file), build), expected);
        }
    }
}
