//! Cutting a map into windows, shifted or not, and putting it together again.

use super::tensor;
use crate::graph::{Attribute, Tensor};
use crate::zoo::builder::{Builder, Value};

/// Added to the score of two positions that only the shift has made neighbours.
const APART: f32 = -100.0;

/// Windows of `side × side` positions on a map `(h, w, c)`.
pub(super) struct Windows {
    side: usize,
    /// Rows and columns of the map.
    size: [usize; 2],
    /// The same, filled up with zeros to whole windows.
    padded: [usize; 2],
    /// Positions that the map is rolled up and left by.
    shift: [usize; 2],
}

impl Windows {
    /// An axis that one window covers is not shifted.
    pub fn new(map: &Value, side: usize, shift: usize) -> Self {
        let size = [map.shape[0], map.shape[1]];
        let padded = size.map(|extent| extent.next_multiple_of(side));
        Self {
            side,
            size,
            padded,
            shift: padded.map(|extent| if extent > side { shift } else { 0 }),
        }
    }

    /// `(h, w, c)` as `(n_windows, side², c)`.
    pub fn partition(&self, b: &mut Builder, module: &str, x: &Value) -> Value {
        let name = |step: &str| format!("{module}/{step}");
        let channels = x.shape[2];
        let mut x = x.clone();
        if self.padded != self.size {
            let missing = [
                self.padded[0] - self.size[0],
                self.padded[1] - self.size[1],
                0,
            ];
            x = b.pad(&name("padded"), &x, &[0; 3], &missing);
        }
        for axis in 0..2 {
            x = roll(b, &name("shifted"), &x, axis, self.shift[axis]);
        }
        let [rows, columns] = self.n_windows();
        let split = vec![rows, self.side, columns, self.side, channels];
        let x = b.reshape(&name("split"), &x, split);
        let x = b.transpose(&name("windows_split"), &x, &[0, 2, 1, 3, 4]);
        let windows = vec![rows * columns, self.side * self.side, channels];
        b.reshape(&name("windows"), &x, windows)
    }

    /// `(n_windows, side², c)` as `(h, w, c)`: undoes [`Windows::partition`].
    pub fn join(&self, b: &mut Builder, module: &str, x: &Value) -> Value {
        let name = |step: &str| format!("{module}/{step}");
        let channels = x.shape[2];
        let [rows, columns] = self.n_windows();
        let split = vec![rows, columns, self.side, self.side, channels];
        let x = b.reshape(&name("back_split"), x, split);
        let x = b.transpose(&name("back_turned"), &x, &[0, 2, 1, 3, 4]);
        let map = vec![self.padded[0], self.padded[1], channels];
        let mut x = b.reshape(&name("back"), &x, map);
        for axis in 0..2 {
            let back = (self.padded[axis] - self.shift[axis]) % self.padded[axis];
            x = roll(b, &name("back_shifted"), &x, axis, back);
        }
        for axis in 0..2 {
            if self.padded[axis] != self.size[axis] {
                x = b.slice(&name("back_cut"), &x, axis, 0, self.size[axis]);
            }
        }
        x
    }

    /// What is added to the scores, `(n_windows, 1, side², side²)`; `None` without a shift.
    ///
    /// Rolling brings what left the map at one edge in at the other; within a window such positions
    /// are kept apart from those that were there.
    pub fn mask(&self) -> Option<Tensor> {
        if self.shift == [0, 0] {
            return None;
        }
        let [rows, columns] = self.n_windows();
        let n_positions = self.side * self.side;
        // Regions along an axis: untouched windows, and the two parts of the last one.
        let region = |axis: usize, at: usize| {
            let left = self.padded[axis] - at;
            usize::from(left <= self.side) + usize::from(left <= self.shift[axis])
        };
        let mut mask = Vec::with_capacity(rows * columns * n_positions * n_positions);
        for window in 0..rows * columns {
            let regions: Vec<[usize; 2]> = (0..n_positions)
                .map(|position| {
                    let y = window / columns * self.side + position / self.side;
                    let x = window % columns * self.side + position % self.side;
                    [(0, y), (1, x)].map(|(axis, at)| {
                        if self.shift[axis] == 0 {
                            0
                        } else {
                            region(axis, at)
                        }
                    })
                })
                .collect();
            for query in &regions {
                mask.extend(
                    regions
                        .iter()
                        .map(|key| if key == query { 0.0 } else { APART }),
                );
            }
        }
        Some(tensor(
            &[rows * columns, 1, n_positions, n_positions],
            &mask,
        ))
    }

    /// Offsets between two positions of a window along one axis.
    pub fn n_offsets_a_side(&self) -> usize {
        2 * self.side - 1
    }

    /// Offsets between two positions of a window.
    pub fn n_offsets(&self) -> usize {
        self.n_offsets_a_side().pow(2)
    }

    /// Biases `(heads, side², side²)` of the scores from those of the offsets, `(n_offsets, heads)`.
    pub fn biases(&self, b: &mut Builder, module: &str, of_offsets: &Value) -> Value {
        let name = |step: &str| format!("{module}/{step}");
        let n_heads = of_offsets.shape[1];
        let n_positions = self.side * self.side;
        let indices: Vec<i64> = (0..n_positions * n_positions)
            .map(|pair| {
                let (query, key) = (pair / n_positions, pair % n_positions);
                let down = query / self.side + self.side - 1 - key / self.side;
                let right = query % self.side + self.side - 1 - key % self.side;
                (down * self.n_offsets_a_side() + right) as i64
            })
            .collect();
        let index = format!("{module}.relative_position_index");
        b.unused_parameter(&index, vec![indices.len()]);
        let indices = b.integers(&name("pairs"), &indices);
        let shape = vec![n_positions * n_positions, n_heads];
        let rows = [("axis", Attribute::Int(0))];
        let biases = b.op(
            &name("bias_pairs"),
            "Gather",
            &[of_offsets, &indices],
            &rows,
            shape,
        );
        let square = vec![n_positions, n_positions, n_heads];
        let biases = b.reshape(&name("bias_square"), &biases, square);
        b.transpose(&name("bias_heads"), &biases, &[2, 0, 1])
    }

    /// Offsets `(n_offsets, 2)`, down and right, on the logarithmic scale of Swin V2:
    /// sign(o) · log₂(1 + |o|) / 3 for o from −8 to 8.
    pub fn log_offsets(&self) -> Tensor {
        let furthest = (self.side - 1) as f32;
        let scaled = |idx: usize| {
            let offset = 8.0 * ((idx as f32 - furthest) / furthest);
            offset.signum() * (offset.abs() + 1.0).log2() / 3.0
        };
        let n = self.n_offsets_a_side();
        let values: Vec<f32> = (0..n * n)
            .flat_map(|idx| [scaled(idx / n), scaled(idx % n)])
            .collect();
        tensor(&[n * n, 2], &values)
    }

    fn n_windows(&self) -> [usize; 2] {
        self.padded.map(|extent| extent / self.side)
    }
}

/// The first `n` positions of an axis moved behind the others.
fn roll(b: &mut Builder, tensor: &str, x: &Value, axis: usize, n: usize) -> Value {
    if n == 0 {
        return x.clone();
    }
    let first = b.slice(&format!("{tensor}/first"), x, axis, 0, n);
    let rest = b.slice(&format!("{tensor}/rest"), x, axis, n, x.shape[axis]);
    b.concat(tensor, &[&rest, &first], axis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(height: usize, width: usize, side: usize, shift: usize) -> Windows {
        let map = Value {
            name: "map".into(),
            shape: vec![height, width, 1],
        };
        Windows::new(&map, side, shift)
    }

    #[test]
    fn a_map_that_fits_into_one_window_is_not_shifted() {
        assert!(windows(2, 1, 2, 1).mask().is_none());
        let wide = windows(2, 3, 2, 1);
        assert_eq!((wide.padded, wide.shift), ([2, 4], [0, 1]));
    }

    #[test]
    fn positions_from_opposite_edges_are_kept_apart() {
        // Columns 0 1 2 3 become 1 2 3 0: the second window holds 3 and 0.
        let mask = windows(2, 4, 2, 1).mask().unwrap();
        assert_eq!(mask.shape(), [2, 1, 4, 4]);
        let values = mask.to_f32().unwrap();
        assert!(values[..16].iter().all(|&v| v == 0.0));
        let apart = [0.0, APART, 0.0, APART, APART, 0.0, APART, 0.0];
        assert_eq!(values[16..24], apart);
    }

    #[test]
    fn offsets_run_from_minus_one_to_one() {
        let offsets = windows(8, 8, 8, 0).log_offsets().to_f32().unwrap();
        let largest = 9.0_f32.log2() / 3.0;
        assert_eq!(offsets[..2], [-largest, -largest]);
        assert_eq!(offsets[2 * 112..2 * 113], [0.0, 0.0]);
        assert_eq!(offsets[2 * 224..], [largest, largest]);
    }
}
