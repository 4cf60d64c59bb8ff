//! rten.

use std::sync::Arc;

use ndarray::{ArrayD, ArrayView4, IxDyn};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueOrView, ValueView};
use rten_tensor::{Layout, Tensor};

use super::{Executor, ExecutorInfo, Operations, guard, missing, refusal};
use crate::graph::{Attribute, Graph, Node};
use crate::{ModelError, Result};

const NAME: &str = "rten";
/// Version of the dependency; a test compares it with the manifest.
const VERSION: &str = "0.27";

struct Rten {
    /// Shared by the executors of all threads.
    model: Arc<Model>,
    input: NodeId,
    outputs: Arc<[NodeId]>,
    one_thread: Arc<ThreadPool>,
}

pub(super) fn load(
    graph: &Graph,
    onnx: Vec<u8>,
    operations: Operations,
    n_threads: usize,
) -> Result<(ExecutorInfo, Vec<Box<dyn Executor>>)> {
    if let Some((node, part)) = graph.nodes.iter().find_map(|n| Some((n, not_meant(n)?))) {
        return Err(missing(NAME, node, part));
    }
    let (model, input, outputs) = guard(|| {
        let model = ModelOptions::with_all_ops()
            .enable_optimization(operations == Operations::Fused)
            .prepack_weights(true)
            .load(onnx)
            .map_err(|error| error.to_string())?;
        let input = *model.input_ids().first().ok_or("it has no input")?;
        let outputs: Arc<[NodeId]> = graph
            .outputs
            .iter()
            .map(|name| model.node_id(name).map_err(|error| error.to_string()))
            .collect::<std::result::Result<_, _>>()?;
        Ok((Arc::new(model), input, outputs))
    })
    .map_err(|reason| refusal(NAME, graph, reason))?;
    let executors = (0..n_threads.max(1))
        .map(|_| -> Box<dyn Executor> {
            Box::new(Rten {
                model: Arc::clone(&model),
                input,
                outputs: Arc::clone(&outputs),
                one_thread: Arc::new(ThreadPool::with_num_threads(1)),
            })
        })
        .collect();
    let info = ExecutorInfo {
        name: NAME,
        version: VERSION.to_owned(),
        operations,
        note: None,
    };
    Ok((info, executors))
}

/// What rten takes and does in another way than ONNX says: it interpolates linearly, or puts the odd
/// pixel of padding behind the map.
fn not_meant(node: &Node) -> Option<&'static str> {
    let is = |name: &str, value: &[u8]| match node.attributes.get(name) {
        Some(Attribute::Text(text)) => text == value,
        _ => false,
    };
    match node.op.as_str() {
        "Resize" if is("mode", b"cubic") => Some(" with cubic interpolation"),
        "Conv" | "ConvTranspose" | "AveragePool" | "MaxPool" if is("auto_pad", b"SAME_LOWER") => {
            Some(" with padding SAME_LOWER")
        }
        _ => None,
    }
}

impl Executor for Rten {
    fn run(&mut self, images: ArrayView4<'_, f32>) -> Result<Vec<Option<ArrayD<f32>>>> {
        guard(|| {
            let images = images.as_standard_layout();
            let values = images
                .as_slice()
                .expect("just brought into standard layout");
            let view = ValueView::from_shape(images.shape(), values).map_err(|e| e.to_string())?;
            let options =
                RunOptions::default().with_thread_pool(Some(Arc::clone(&self.one_thread)));
            let inputs = vec![(self.input, ValueOrView::View(view))];
            let outputs = self
                .model
                .run(inputs, &self.outputs, Some(options))
                .map_err(|error| error.to_string())?;
            Ok(outputs
                .into_iter()
                .map(|value| {
                    let tensor = Tensor::<f32>::try_from(value).ok()?;
                    let shape = IxDyn(tensor.shape());
                    ArrayD::from_shape_vec(shape, tensor.into_data()).ok()
                })
                .collect())
        })
        .map_err(|reason| ModelError::Run {
            executor: NAME,
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::VERSION;

    #[test]
    fn the_stated_version_is_the_one_depended_on() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        assert!(manifest.contains(&format!("rten = {{ version = \"{VERSION}\"")));
    }
}
