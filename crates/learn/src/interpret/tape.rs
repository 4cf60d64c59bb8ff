//! Operations whose derivatives are written out, because those of the kernels copy large matrices.

use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ops::FloatTensorOps;
use burn_backend::{DType, Slice, TensorData, TensorMetadata};
use burn_flex::{Flex, FlexTensor};

use crate::value::Tensor;

/// x Wᵀ of two matrices; the derivative by W comes in the order of W.
#[derive(Debug)]
struct TimesTransposed;

impl Backward<Flex, 2> for TimesTransposed {
    /// x where W is tracked, W where x is.
    type State = (Option<FlexTensor>, Option<FlexTensor>);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let ([of_x, of_w], (x, w)) = (ops.parents, ops.state);
        if let (Some(node), Some(w)) = (of_x, w) {
            let product = Flex::float_matmul(gradient.clone(), w);
            gradients.register::<Flex>(node.id, product);
        }
        if let (Some(node), Some(x)) = (of_w, x) {
            let product = Flex::float_matmul(Flex::float_transpose(gradient), x);
            gradients.register::<Flex>(node.id, product);
        }
    }
}

pub(super) fn times_transposed(x: &Tensor, w: &Tensor) -> Tensor {
    let transposed = Flex::float_transpose(w.primitive().clone());
    let output = Flex::float_matmul(x.primitive().clone(), transposed);
    let prepared = TimesTransposed.prepare::<NoCheckpointing>([x.node(), w.node()]);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(tracked) => {
            let kept_x = w.is_tracked().then(|| x.primitive().clone());
            let kept_w = x.is_tracked().then(|| w.primitive().clone());
            tracked.finish((kept_x, kept_w), output)
        }
        OpsKind::UnTracked(untracked) => untracked.finish(output),
    }
}

/// Neighbouring rows of a tensor, which share its numbers.
#[derive(Debug)]
struct Rows;

impl Backward<Flex, 1> for Rows {
    /// The whole tensor's shape and kind, and where the rows are in it.
    type State = (FlexTensor, Slice);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let ([of_whole], (whole, rows)) = (ops.parents, ops.state);
        if let Some(node) = of_whole {
            let placed = Flex::float_slice_assign(zeros(&whole), &[rows], gradient);
            gradients.register::<Flex>(node.id, placed);
        }
    }
}

/// Zeros of the shape and kind of `like`.
fn zeros(like: &FlexTensor) -> FlexTensor {
    let shape = like.shape();
    match like.dtype() {
        // Memory that is still untouched, where those of the kernels are written twice.
        DType::F32 => {
            let values = vec![0.0_f32; shape.num_elements()];
            FlexTensor::from_data(TensorData::new(values, shape))
        }
        dtype => FlexTensor::zeros(shape, dtype),
    }
}

/// Rows `from` to before `to` of the first axis.
pub(super) fn rows(x: &Tensor, from: usize, to: usize) -> Tensor {
    let slice = Slice::new(from as isize, Some(to as isize), 1);
    let output = Flex::float_slice(x.primitive().clone(), &[slice]);
    let prepared = Rows.prepare::<NoCheckpointing>([x.node()]);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(tracked) => tracked.finish((x.primitive().clone(), slice), output),
        OpsKind::UnTracked(untracked) => untracked.finish(output),
    }
}
