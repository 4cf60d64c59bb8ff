//! Matrix products.

use burn_backend::ops::FloatTensorOps;

use super::call::Call;
use super::pointwise::with_rank;
use super::tape::times_transposed;
use super::whole::broadcast_shape;
use crate::error::Fault;
use crate::value::{Ad, Tensor, shape};

pub(super) fn operation(call: &Call<'_>) -> Result<Option<Tensor>, Fault> {
    match call.node.op.as_str() {
        "Gemm" => gemm(call).map(Some),
        "MatMul" => product(call.real(0)?, call.real(1)?).map(Some),
        _ => Ok(None),
    }
}

fn gemm(call: &Call<'_>) -> Result<Tensor, Fault> {
    let factor = |idx, transposed: &'static str| -> Result<Tensor, Fault> {
        let x = call.real(idx)?;
        if shape(&x).len() != 2 {
            return Err(Fault::Shape {
                what: "a matrix product",
                shape: shape(&x),
            });
        }
        Ok(if call.int(transposed, 0)? == 1 {
            Ad::float_swap_dims(x, 0, 1)
        } else {
            x
        })
    };
    let scaled = |x, factor: f64| {
        if factor == 1.0 {
            x
        } else {
            Ad::float_mul_scalar(x, factor.into())
        }
    };
    let w = call.real(1)?;
    let product = if call.int("transB", 0)? == 1 && shape(&w).len() == 2 {
        let x = factor(0, "transA")?;
        if shape(&x)[1] != shape(&w)[1] {
            return Err(Fault::Shape {
                what: "the first factor",
                shape: vec![shape(&w)[1], shape(&w)[0]],
            });
        }
        times_transposed(&x, &w)
    } else {
        product(factor(0, "transA")?, factor(1, "transB")?)?
    };
    let product = scaled(product, call.float("alpha", 1.0)?);
    let Some(added) = call.optional_real(2)? else {
        return Ok(product);
    };
    let added = scaled(added, call.float("beta", 1.0)?);
    broadcast_shape(&shape(&product), &shape(&added))?;
    Ok(Ad::float_add(product, with_rank(added, 2)))
}

fn product(a: Tensor, b: Tensor) -> Result<Tensor, Fault> {
    let (of_a, of_b) = (shape(&a), shape(&b));
    let inner = (of_a.last(), of_b.iter().rev().nth(1));
    if of_a.len() < 2 || of_b.len() < 2 || inner.0 != inner.1 {
        return Err(Fault::Shape {
            what: "the first factor",
            shape: of_b,
        });
    }
    // Rows of many samples times one matrix are one product.
    if of_b.len() == 2 && of_a.len() > 2 {
        let (columns, inner) = (of_b[1], of_b[0]);
        let rows = of_a[..of_a.len() - 1].iter().product();
        let flat = Ad::float_matmul(Ad::float_reshape(a, vec![rows, inner].into()), b);
        let mut extents = of_a;
        *extents.last_mut().expect("more than two axes") = columns;
        return Ok(Ad::float_reshape(flat, extents.into()));
    }
    let rank = of_a.len().max(of_b.len());
    broadcast_shape(&of_a[..of_a.len() - 2], &of_b[..of_b.len() - 2])?;
    Ok(Ad::float_matmul(with_rank(a, rank), with_rank(b, rank)))
}
