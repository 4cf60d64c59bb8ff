//! Matrix products, the measure of what the machine can do.

use anyhow::{Result, bail};
use consilience_io::{AnyArray, npy};
use faer::linalg::matmul::matmul;
use faer::traits::RealField;
use faer::{Accum, Mat, MatRef, Par};
use ndarray::{Array2, ArrayD};

use super::Work;

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("product", &[a, b]) => match (npy::read(a)?, npy::read(b)?) {
            (AnyArray::F32(a), AnyArray::F32(b)) => product(a, b, f64::from)?,
            (AnyArray::F64(a), AnyArray::F64(b)) => product(a, b, |v| v)?,
            _ => bail!("{a} and {b} are neither both f32 nor both f64"),
        },
        _ => return Ok(None),
    }))
}

/// A·B by faer on all threads; the numbers are the first column.
fn product<T: RealField + Copy + 'static>(
    a: ArrayD<T>,
    b: ArrayD<T>,
    widen: impl Fn(T) -> f64 + 'static,
) -> Result<Work> {
    let (a, b): (Array2<T>, Array2<T>) = (a.into_dimensionality()?, b.into_dimensionality()?);
    let (a, b) = (to_faer(&a), to_faer(&b));
    let mut c = Mat::<T>::zeros(a.nrows(), b.ncols());
    let one = T::one_impl();
    Ok(Box::new(move || {
        matmul(&mut c, Accum::Replace, &a, &b, one, Par::rayon(0));
        Ok(c.col(0).iter().map(|&v| widen(v)).collect())
    }))
}

/// In faer's own layout.
fn to_faer<T: RealField + Copy>(array: &Array2<T>) -> Mat<T> {
    let (n_rows, n_columns) = array.dim();
    let array = array.as_standard_layout();
    let values = array.as_slice().expect("standard layout is contiguous");
    MatRef::from_row_major_slice(values, n_rows, n_columns).to_owned()
}
