//! The innermost loops: products of one packed panel with another.

use bytemuck::{Pod, cast_slice};
use pulp::{Arch, Simd, WithSimd};

use crate::Real;

/// Rows of a panel: a multiple of the rows and of the columns of every shape below.
pub(super) const PANEL: usize = 48;

/// Vectors of the right panel that are held in registers.
const VECTORS: usize = 3;

/// Adds Σₖ left(k, i)·right(k, j) to `sums(i, j)`, where either panel holds [`PANEL`] values for
/// each k and a row of `sums` is `stride` long.
///
/// The products are summed in the width of `T`, from zero, and then added in `f64`.
pub(super) fn add_products<T: Real>(left: &[T], right: &[T], sums: &mut [f64], stride: usize) {
    Arch::new().dispatch(Products {
        left,
        right,
        sums,
        stride,
    });
}

struct Products<'a, T> {
    left: &'a [T],
    right: &'a [T],
    sums: &'a mut [f64],
    stride: usize,
}

impl<T: Real> WithSimd for Products<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // All sums of a block must fit into the registers, with room for what is multiplied.
        if S::REGISTER_COUNT >= 32 {
            self.in_blocks::<S, 8>(simd);
        } else {
            self.in_blocks::<S, 4>(simd);
        }
    }
}

impl<T: Real> Products<'_, T> {
    /// Blocks of `ROWS` rows and [`VECTORS`] vectors of columns, one after another.
    #[expect(
        clippy::needless_range_loop,
        reason = "an iterator would refer to the block"
    )]
    #[inline(always)]
    fn in_blocks<S: Simd, const ROWS: usize>(self, simd: S) {
        let Self {
            left,
            right,
            sums,
            stride,
        } = self;
        let context = T::simd_ctx(simd);
        let n_lanes = size_of::<T::SimdVec<S>>() / size_of::<T>();
        let n_columns = VECTORS * n_lanes;
        let (left, _) = left.as_chunks::<ROWS>();
        let (right, _) = cast_slice::<T, T::SimdVec<S>>(right).as_chunks::<VECTORS>();
        let zero = T::simd_splat(&context, &T::from_f64(0.0));
        let (left_step, right_step) = (PANEL / ROWS, PANEL / n_columns);
        for column in 0..right_step {
            for row in 0..left_step {
                let of_rows = left.chunks_exact(left_step);
                let of_columns = right.chunks_exact(right_step);
                // Its loops are counted, every index is seen to be in range, and nothing refers to it:
                // so it stays in the registers.
                let mut block = [[zero; VECTORS]; ROWS];
                for (a, b) in of_rows.zip(of_columns) {
                    let (a, b) = (&a[row], &b[column]);
                    for i in 0..ROWS {
                        let a = T::simd_splat(&context, &a[i]);
                        for j in 0..VECTORS {
                            block[i][j] = T::simd_mul_add(&context, a, b[j], block[i][j]);
                        }
                    }
                }
                for i in 0..ROWS {
                    let first = (row * ROWS + i) * stride + column * n_columns;
                    for j in 0..VECTORS {
                        widen_and_add::<T, _>(block[i][j], &mut sums[first + j * n_lanes..]);
                    }
                }
            }
        }
    }
}

/// Takes a vector by value: a reference would keep it, and those beside it, in memory.
#[inline(always)]
fn widen_and_add<T: Real, V: Pod>(products: V, sums: &mut [f64]) {
    for (sum, product) in sums.iter_mut().zip(cast_slice::<V, T>(&[products])) {
        *sum += product.to_f64();
    }
}
