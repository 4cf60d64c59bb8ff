//! What flows through a graph: real tensors that remember how they were made, and integers that
//! are known when they are needed.

use burn_autodiff::Autodiff;
use burn_backend::ops::FloatTensorOps;
use burn_backend::{BackendTypes, DType, Shape, TensorData, TensorMetadata};
use burn_flex::{Flex, FlexDevice, FlexTensor};
use consilience_models::graph::{Element, Tensor as Constant};
use ndarray::{ArrayD, ArrayViewD, IxDyn};

use crate::error::Fault;

/// The backend: burn's processor kernels, recording what is needed for gradients.
pub(crate) type Ad = Autodiff<Flex>;
/// A tensor of any rank.
pub(crate) type Tensor = <Ad as BackendTypes>::FloatTensorPrimitive;

/// Width of the numbers that a network is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// 32 bits, as the weights.
    #[default]
    Single,
    /// 64 bits: about three times slower; for checks by finite differences.
    Double,
}

/// What a tensor of the graph holds.
#[derive(Clone)]
pub(crate) enum Value {
    /// Real numbers.
    Real(Tensor),
    /// Integers and truth values: shapes, indices.
    Whole(ArrayD<i64>),
}

/// Takes numbers in row-major order.
pub(crate) fn tensor(values: ArrayViewD<'_, f32>, precision: Precision) -> Tensor {
    let shape = Shape::from(values.shape().to_vec());
    let single = || match values.as_slice() {
        Some(contiguous) => contiguous.to_vec(),
        None => values.iter().copied().collect(),
    };
    let data = match precision {
        Precision::Single => TensorData::new(single(), shape),
        Precision::Double => TensorData::new(
            values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>(),
            shape,
        ),
    };
    Tensor::new(FlexTensor::from_data(data))
}

/// A tensor that holds one number everywhere, of the kind of `like`.
pub(crate) fn full(shape: &[usize], value: f64, like: &Tensor) -> Tensor {
    let shape = Shape::from(shape.to_vec());
    Tensor::new(Flex::float_full(
        shape,
        value.into(),
        &FlexDevice,
        like.dtype().into(),
    ))
}

/// The numbers of a tensor, rounded to 32 bits when it has more.
pub(crate) fn array(tensor: FlexTensor) -> ArrayD<f32> {
    let shape = tensor.shape().to_vec();
    let values = if tensor.dtype() == DType::F32 {
        let values = tensor.into_data().try_into_vec::<f32>();
        values.expect("just looked at the kind")
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounding is what is asked for"
        )]
        array64(tensor).into_iter().map(|v| v as f32).collect()
    };
    ArrayD::from_shape_vec(IxDyn(&shape), values).expect("a tensor fills its shape")
}

/// The numbers of a tensor with 64 bits.
pub(crate) fn array64(tensor: FlexTensor) -> ArrayD<f64> {
    let shape = tensor.shape().to_vec();
    let is_double = tensor.dtype() == DType::F64;
    let data = tensor.into_data();
    let values: Vec<f64> = if is_double {
        data.as_slice::<f64>()
            .expect("just looked at the kind")
            .to_vec()
    } else {
        let single = data
            .as_slice::<f32>()
            .expect("tensors are single or double");
        single.iter().map(|&v| f64::from(v)).collect()
    };
    ArrayD::from_shape_vec(IxDyn(&shape), values).expect("a tensor fills its shape")
}

/// Extents of a tensor.
pub(crate) fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.shape().to_vec()
}

/// A constant of the graph; `None` for a kind of number that networks do not compute with.
pub(crate) fn constant(constant: &Constant, precision: Precision) -> Value {
    let dims = constant.shape().to_vec();
    let bytes = constant.bytes();
    let whole = |values: Vec<i64>| {
        Value::Whole(
            ArrayD::from_shape_vec(IxDyn(&dims), values).expect("a constant fills its shape"),
        )
    };
    let real = |values: Vec<f32>| {
        let values = ArrayD::from_shape_vec(IxDyn(&dims), values);
        Value::Real(tensor(
            values.expect("a constant fills its shape").view(),
            precision,
        ))
    };
    macro_rules! numbers {
        ($kind:ty) => {
            bytes
                .chunks_exact(size_of::<$kind>())
                .map(|b| <$kind>::from_le_bytes(b.try_into().expect("chunks have this size")))
        };
    }
    match constant.element() {
        Element::F32 => real(numbers!(f32).collect()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "networks compute with 32 bits"
        )]
        Element::F64 => real(numbers!(f64).map(|v| v as f32).collect()),
        Element::F16 => real(
            numbers!(u16)
                .map(|v| half::f16::from_bits(v).to_f32())
                .collect(),
        ),
        Element::Bf16 => real(
            numbers!(u16)
                .map(|v| half::bf16::from_bits(v).to_f32())
                .collect(),
        ),
        Element::I64 => whole(numbers!(i64).collect()),
        Element::U64 => whole(
            numbers!(u64)
                .map(|v| i64::try_from(v).unwrap_or(i64::MAX))
                .collect(),
        ),
        Element::I32 => whole(numbers!(i32).map(i64::from).collect()),
        Element::U32 => whole(numbers!(u32).map(i64::from).collect()),
        Element::I16 => whole(numbers!(i16).map(i64::from).collect()),
        Element::U16 => whole(numbers!(u16).map(i64::from).collect()),
        Element::I8 => whole(numbers!(i8).map(i64::from).collect()),
        Element::U8 | Element::Bool => whole(numbers!(u8).map(i64::from).collect()),
    }
}

impl Value {
    /// The real tensor that input `idx` must be.
    pub fn real(&self, idx: usize) -> Result<&Tensor, Fault> {
        match self {
            Self::Real(tensor) => Ok(tensor),
            Self::Whole(_) => Err(Fault::Kind {
                idx,
                expected: "real numbers",
            }),
        }
    }

    /// The integers that input `idx` must be.
    pub fn whole(&self, idx: usize) -> Result<&ArrayD<i64>, Fault> {
        match self {
            Self::Whole(values) => Ok(values),
            Self::Real(_) => Err(Fault::Kind {
                idx,
                expected: "integers",
            }),
        }
    }

    /// The numbers, whatever their kind.
    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Real(tensor) => array64(tensor.primitive().clone()).into_iter().collect(),
            #[expect(clippy::cast_precision_loss, reason = "shapes are far below 2^53")]
            Self::Whole(values) => values.iter().map(|&v| v as f64).collect(),
        }
    }

    /// Extents.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Real(tensor) => shape(tensor),
            Self::Whole(values) => values.shape().to_vec(),
        }
    }
}
