//! Computing a graph with operations that know their derivatives.
//!
//! Real tensors are burn's, of any rank; what a graph computes about shapes is done on integers that
//! are known at once. A kernel runs on one thread, so that numbers do not depend on the number of
//! threads; images are what is worked on in parallel.

mod call;
mod matrix;
mod pointwise;
mod reduce;
mod resize;
mod shape;
mod tape;
mod whole;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use consilience_models::graph::{Graph, Node};
use ndarray::{ArrayD, IxDyn};

use crate::error::{Fault, LearnError, Result};
use crate::value::{self, Precision, Tensor, Value};
use call::Call;

/// What an operation gives, or what is wrong with it.
type Outcome<T> = std::result::Result<T, Fault>;

/// A graph whose constants are ready to compute with.
pub(crate) struct Program {
    pub input: String,
    pub precision: Precision,
    nodes: Vec<Node>,
    constants: BTreeMap<String, Value>,
    opset: i64,
}

impl Program {
    pub fn new(graph: &Graph, precision: Precision) -> Self {
        Self::with_constants(graph, precision, |_| true)
    }

    /// Leaves out the constants that are not `needed`, as those that are replaced whenever it runs.
    pub fn with_constants(
        graph: &Graph,
        precision: Precision,
        needed: impl Fn(&str) -> bool,
    ) -> Self {
        let default_set = graph.opsets.iter().find(|set| set.domain.is_empty());
        Self {
            input: graph
                .inputs
                .first()
                .map_or_else(String::new, |input| input.name.clone()),
            precision,
            nodes: graph.nodes.clone(),
            constants: graph
                .initialisers
                .iter()
                .filter(|(name, _)| needed(name))
                .map(|(name, tensor)| (name.clone(), value::constant(tensor, precision)))
                .collect(),
            opset: default_set.map_or(17, |set| set.version),
        }
    }

    /// Computes the tensors `wanted` from `images`.
    ///
    /// Constants in `replaced` are taken from there. `made` sees each real tensor as soon as it is
    /// made, the images included, and says what the operations after it get.
    pub fn run(
        &self,
        images: Tensor,
        wanted: &[&str],
        replaced: &BTreeMap<String, Tensor>,
        made: impl FnMut(&str, Tensor) -> Tensor,
    ) -> Result<Vec<Value>> {
        self.compute_all(images, wanted, replaced, made, Err)?
            .into_iter()
            .zip(wanted)
            .map(|(value, &name)| {
                value.ok_or_else(|| LearnError::NotAPattern {
                    layer: name.to_owned(),
                })
            })
            .collect()
    }

    /// Computes what can be computed of the tensors `wanted`, and tells of each operation that stood in
    /// the way; what depends on one of those is not tried.
    pub fn run_where_possible(
        &self,
        images: Tensor,
        wanted: &[&str],
    ) -> (Vec<Option<Value>>, Vec<LearnError>) {
        let mut obstacles = Vec::new();
        let values = self.compute_all(
            images,
            wanted,
            &BTreeMap::new(),
            |_, tensor| tensor,
            |error| {
                obstacles.push(error);
                Ok(())
            },
        );
        (values.unwrap_or_default(), obstacles)
    }

    /// [`Program::run`], where `failed` says what becomes of an operation that cannot be computed.
    fn compute_all(
        &self,
        images: Tensor,
        wanted: &[&str],
        replaced: &BTreeMap<String, Tensor>,
        mut made: impl FnMut(&str, Tensor) -> Tensor,
        mut failed: impl FnMut(LearnError) -> Result<()>,
    ) -> Result<Vec<Option<Value>>> {
        let needed = self.needed(wanted);
        let mut last_reader: HashMap<&str, usize> = HashMap::new();
        for &idx in &needed {
            for name in &self.nodes[idx].inputs {
                last_reader.insert(name, idx);
            }
        }
        let mut values: HashMap<&str, Value> = HashMap::new();
        let mut absent: BTreeSet<&str> = BTreeSet::new();
        let images = made(&self.input, images);
        values.insert(&self.input, Value::Real(images));
        let replaced: HashMap<&str, Value> = replaced
            .iter()
            .map(|(name, tensor)| (name.as_str(), Value::Real(tensor.clone())))
            .collect();
        for &idx in &needed {
            let node = &self.nodes[idx];
            if node
                .inputs
                .iter()
                .any(|name| absent.contains(name.as_str()))
            {
                absent.extend(node.outputs.iter().map(String::as_str));
                continue;
            }
            let find = |name: &String| {
                let name = name.as_str();
                values
                    .get(name)
                    .or_else(|| replaced.get(name))
                    .or_else(|| self.constants.get(name))
            };
            let call = Call {
                node,
                inputs: node.inputs.iter().map(find).collect(),
                opset: self.opset,
            };
            let outputs = match compute(&call, self.precision) {
                Ok(outputs) => outputs,
                Err(error) => {
                    failed(error)?;
                    absent.extend(node.outputs.iter().map(String::as_str));
                    continue;
                }
            };
            for (name, value) in node.outputs.iter().zip(outputs) {
                let value = match value {
                    Value::Real(tensor) => Value::Real(made(name, tensor)),
                    whole @ Value::Whole(_) => whole,
                };
                values.insert(name, value);
            }
            for name in &node.inputs {
                if last_reader.get(name.as_str()) == Some(&idx) && !wanted.contains(&name.as_str())
                {
                    values.remove(name.as_str());
                }
            }
        }
        Ok(wanted
            .iter()
            .map(|&name| {
                let value = values.get(name).or_else(|| self.constants.get(name));
                value.cloned()
            })
            .collect())
    }

    /// Indices of the operations that `wanted` depend on, in order.
    fn needed(&self, wanted: &[&str]) -> Vec<usize> {
        let mut names: BTreeSet<&str> = wanted.iter().copied().collect();
        let mut needed = Vec::new();
        for (idx, node) in self.nodes.iter().enumerate().rev() {
            if node
                .outputs
                .iter()
                .any(|name| names.contains(name.as_str()))
            {
                names.extend(node.inputs.iter().map(String::as_str));
                needed.push(idx);
            }
        }
        needed.reverse();
        needed
    }
}

fn compute(call: &Call<'_>, precision: Precision) -> Result<Vec<Value>> {
    let node = call.node;
    let name = if node.name.is_empty() {
        node.outputs.first().cloned().unwrap_or_default()
    } else {
        node.name.clone()
    };
    let unknown = || LearnError::UnknownOperator {
        op: node.op.clone(),
        node: name.clone(),
    };
    if !(node.domain.is_empty() || node.domain == "ai.onnx") {
        return Err(unknown());
    }
    let outcome = guard(|| operation(call, precision));
    match outcome.unwrap_or_else(|reason| Err(Fault::Kernel { reason })) {
        Ok(Some(values)) => Ok(values),
        Ok(None) => Err(unknown()),
        Err(fault) => Err(LearnError::Operation {
            op: node.op.clone(),
            node: name,
            fault,
        }),
    }
}

/// Runs kernels of burn, which check shapes by panicking, and gives the panic's message as the error.
pub(crate) fn guard<T>(code: impl FnOnce() -> T) -> std::result::Result<T, String> {
    // What the kernels touched is dropped with the error, so nothing half-changed is seen again.
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        said.unwrap_or("it stopped without a message").to_owned()
    })
}

/// The outputs of an operation; `None` for an operator that is not here.
fn operation(call: &Call<'_>, precision: Precision) -> Outcome<Option<Vec<Value>>> {
    if call.node.op == "Constant" {
        return constant(call, precision).map(|value| Some(vec![value]));
    }
    if let Some(value) = whole::operation(call)? {
        return Ok(Some(vec![value]));
    }
    if let Some(values) = shape::operation(call, precision)? {
        return Ok(Some(values));
    }
    let tensor = match pointwise::operation(call)? {
        Some(tensor) => Some(tensor),
        None => match window::operation(call)? {
            Some(tensor) => Some(tensor),
            None => match reduce::operation(call)? {
                Some(tensor) => Some(tensor),
                None => match matrix::operation(call)? {
                    Some(tensor) => Some(tensor),
                    None => resize::operation(call)?,
                },
            },
        },
    };
    Ok(tensor.map(|tensor| vec![Value::Real(tensor)]))
}

fn constant(call: &Call<'_>, precision: Precision) -> Outcome<Value> {
    use consilience_models::graph::Attribute;
    let real = |values: &[f32], shape: &[usize]| {
        let array = ArrayD::from_shape_vec(IxDyn(shape), values.to_vec());
        Value::Real(value::tensor(
            array.expect("shape and values agree").view(),
            precision,
        ))
    };
    let whole = |values: &[i64], shape: &[usize]| {
        let array = ArrayD::from_shape_vec(IxDyn(shape), values.to_vec());
        Value::Whole(array.expect("shape and values agree"))
    };
    match call.node.attributes.iter().next() {
        Some((_, Attribute::Tensor(tensor))) => Ok(value::constant(tensor, precision)),
        Some((_, Attribute::Float(number))) => Ok(real(&[*number], &[])),
        Some((_, Attribute::Floats(numbers))) => Ok(real(numbers, &[numbers.len()])),
        Some((_, Attribute::Int(number))) => Ok(whole(&[*number], &[])),
        Some((_, Attribute::Ints(numbers))) => Ok(whole(numbers, &[numbers.len()])),
        _ => Err(Fault::Attribute { name: "value" }),
    }
}
