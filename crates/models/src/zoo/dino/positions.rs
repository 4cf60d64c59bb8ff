//! Embeddings of positions for another grid of patches.
//!
//! A bicubic resize is linear in what it resizes and the same along each axis, so it is two matrix
//! products with constants.

use crate::graph::Tensor;
use crate::zoo::builder::{Builder, Value};

/// A grid of patches that is to be filled from `side × side` embeddings.
pub(super) struct Grid {
    pub side: usize,
    /// Rows and columns.
    pub size: [usize; 2],
}

/// How torch's bicubic `interpolate` is called.
#[derive(Clone, Copy)]
pub(super) enum Resizing {
    /// By the factor (n + `offset`) / side, which is a little more than the sizes say.
    Scaled { offset: f64 },
    /// To the size, each target position averaging what it covers.
    Antialiased,
}

impl Grid {
    /// `(side², width)` as `(rows · columns, width)`.
    pub fn resize(&self, b: &mut Builder, positions: &Value, resizing: Resizing) -> Value {
        let (side, width) = (self.side, positions.shape[1]);
        let [rows, columns] = self.size;
        let mut matrix = |name: &str, n: usize| {
            let weights = resizing.weights(n, side);
            let matrix = Tensor::from_f32(vec![n, side], &weights);
            b.constant(name, matrix.expect("a row for each target position"))
        };
        let of_rows = matrix("positions/rows", rows);
        let of_columns = matrix("positions/columns", columns);
        let x = b.reshape("positions/grid", positions, vec![side, side * width]);
        let shape = vec![rows, side * width];
        let x = b.op("positions/of_rows", "MatMul", &[&of_rows, &x], &[], shape);
        let x = b.reshape("positions/split", &x, vec![rows, side, width]);
        let shape = vec![rows, columns, width];
        let x = b.op(
            "positions/of_columns",
            "MatMul",
            &[&of_columns, &x],
            &[],
            shape,
        );
        b.reshape("positions/resized", &x, vec![rows * columns, width])
    }
}

impl Resizing {
    /// Matrix `(n, n_in)` that takes `n` values from `n_in`, row-major.
    fn weights(self, n: usize, n_in: usize) -> Vec<f32> {
        let rows = (0..n).flat_map(|idx| match self {
            Resizing::Scaled { offset } => {
                interpolated(idx, n_in as f64 / (n as f64 + offset), n_in)
            }
            Resizing::Antialiased => averaged(idx, n_in as f64 / n as f64, n_in),
        });
        rows.map(|weight| weight as f32).collect()
    }
}

/// Weights of four neighbours; those outside count for the edge.
#[allow(clippy::cast_possible_truncation, reason = "positions of a grid")]
fn interpolated(idx: usize, scale: f64, n_in: usize) -> Vec<f64> {
    let centre = (idx as f64 + 0.5) * scale - 0.5;
    let mut weights = vec![0.0; n_in];
    for neighbour in -1..=2 {
        let at = centre.floor() + f64::from(neighbour);
        let inside = at.clamp(0.0, (n_in - 1) as f64) as usize;
        weights[inside] += cubic(centre - at, -0.75);
    }
    weights
}

/// Weights of everything that the target position covers, with a sum of 1.
fn averaged(idx: usize, scale: f64, n_in: usize) -> Vec<f64> {
    let centre = (idx as f64 + 0.5) * scale;
    let stretch = scale.max(1.0);
    let mut weights: Vec<f64> = (0..n_in)
        .map(|at| cubic((at as f64 + 0.5 - centre) / stretch, -0.5))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// Cubic convolution with slope `a` at distance 1; zero from distance 2 on.
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_a_constant() {
        for resizing in [Resizing::Scaled { offset: 0.1 }, Resizing::Antialiased] {
            for (n, n_in) in [(16, 37), (37, 16), (1, 14), (5, 5)] {
                for row in resizing.weights(n, n_in).chunks(n_in) {
                    let sum: f32 = row.iter().sum();
                    assert!((sum - 1.0).abs() < 1e-6, "{n} from {n_in}: {sum}");
                }
            }
        }
    }

    #[test]
    fn the_same_size_changes_nothing_without_an_offset() {
        let weights = Resizing::Scaled { offset: 0.0 }.weights(3, 3);
        assert_eq!(weights, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
