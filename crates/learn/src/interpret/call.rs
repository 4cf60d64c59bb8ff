//! One operation with its inputs at hand.

use consilience_models::graph::{Attribute, Node};

use crate::error::Fault;
use crate::value::{Tensor, Value};

/// An operation that is about to be computed.
pub(super) struct Call<'a> {
    pub node: &'a Node,
    /// Inputs in order; `None` for an omitted one.
    pub inputs: Vec<Option<&'a Value>>,
    /// Version of the operator set.
    pub opset: i64,
}

type Outcome<T> = Result<T, Fault>;

impl<'a> Call<'a> {
    pub fn optional(&self, idx: usize) -> Option<&'a Value> {
        self.inputs.get(idx).copied().flatten()
    }

    pub fn input(&self, idx: usize) -> Outcome<&'a Value> {
        self.optional(idx).ok_or(Fault::MissingInput { idx })
    }

    pub fn real(&self, idx: usize) -> Outcome<Tensor> {
        self.input(idx)?.real(idx).cloned()
    }

    pub fn optional_real(&self, idx: usize) -> Outcome<Option<Tensor>> {
        self.optional(idx)
            .map(|value| value.real(idx).cloned())
            .transpose()
    }

    pub fn int(&self, name: &'static str, default: i64) -> Outcome<i64> {
        match self.node.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Int(value)) => Ok(*value),
            Some(_) => Err(Fault::Attribute { name }),
        }
    }

    pub fn float(&self, name: &'static str, default: f32) -> Outcome<f64> {
        match self.node.attributes.get(name) {
            None => Ok(f64::from(default)),
            Some(Attribute::Float(value)) => Ok(f64::from(*value)),
            Some(_) => Err(Fault::Attribute { name }),
        }
    }

    pub fn text(&self, name: &'static str, default: &'static str) -> Outcome<String> {
        match self.node.attributes.get(name) {
            None => Ok(default.to_owned()),
            Some(Attribute::Text(bytes)) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Some(_) => Err(Fault::Attribute { name }),
        }
    }

    pub fn ints(&self, name: &'static str) -> Outcome<Option<Vec<i64>>> {
        match self.node.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(values)) => Ok(Some(values.clone())),
            Some(_) => Err(Fault::Attribute { name }),
        }
    }

    /// Integers that older operator sets give as an attribute and newer ones as an input.
    pub fn ints_or_input(&self, name: &'static str, idx: usize) -> Outcome<Option<Vec<i64>>> {
        match self.ints(name)? {
            Some(values) => Ok(Some(values)),
            None => self
                .optional(idx)
                .map(|value| Ok(value.whole(idx)?.iter().copied().collect()))
                .transpose(),
        }
    }

    /// Two extents, of a window's height and width.
    pub fn pair(&self, name: &'static str, default: usize) -> Outcome<[usize; 2]> {
        let Some(values) = self.ints(name)? else {
            return Ok([default; 2]);
        };
        let values: Option<Vec<usize>> = values.iter().map(|&v| usize::try_from(v).ok()).collect();
        match values.as_deref() {
            Some(&[height, width]) if height > 0 && width > 0 => Ok([height, width]),
            _ => Err(Fault::Attribute { name }),
        }
    }

    /// An axis, counted from the end when negative.
    pub fn axis(&self, axis: i64, rank: usize) -> Outcome<usize> {
        let from_front = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(from_front)
            .ok()
            .filter(|&axis| axis < rank)
            .ok_or(Fault::Attribute { name: "axis" })
    }
}
