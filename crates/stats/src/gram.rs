//! Products of rows with rows, X·Xᵀ and its relatives, of which only half is computed.
//!
//! # Determinism
//!
//! The work is cut into tiles of 128 × 128 results and chunks of 2,048 columns whatever the number
//! of threads; each product of a tile and a chunk runs on one thread, and chunks are added in
//! their order. The same input gives the same bytes on every machine with the same kind of
//! processor.
//!
//! # Precision and memory
//!
//! Columns are multiplied 128 at a time in the width of `T`, and these sums are added in `f64`.
//! They are short because behind a ReLU most values of a row are equal, and adding equal values
//! rounds the same way each time: the error then grows with the number of terms, not its root.
//!
//! Rows are asked for chunk by chunk, so the transformed matrix never exists as a whole. Beyond
//! the result (4·n² bytes) the working memory is n × 2,048 values of `T` and n²/2 of `f64`, or
//! 4 Mi values of either where that is more.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::Real;

/// Rows and columns of the result that one task computes.
const TILE: usize = 128;
/// Columns of the input that one task works through.
const CHUNK: usize = 2048;
/// Columns that are multiplied before their sum is widened.
const BLOCK: usize = 128;
/// Values (n² results, or n × columns of input) that may be in flight at once.
const IN_FLIGHT: usize = 1 << 22;
/// Unused columns after each row, so that rows do not fall on the same cache sets.
const PADDING: usize = 16;

/// Writes part of a row: `source(row, first_column, slot)` fills `slot` with the values of `row`
/// from `first_column` on.
pub type RowSource<'a, T> = dyn Fn(usize, usize, &mut [T]) + Sync + 'a;

/// A symmetric matrix of products, stored as its lower triangle of tiles.
#[derive(Debug, Clone)]
pub struct Gram {
    n: usize,
    tiles: Vec<Tile>,
}

#[derive(Debug, Clone)]
struct Tile {
    rows: Range<usize>,
    columns: Range<usize>,
    values: Vec<f64>,
}

impl Tile {
    fn is_diagonal(&self) -> bool {
        self.rows == self.columns
    }

    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }
}

impl Gram {
    fn zeros(n: usize) -> Self {
        let range = |tile: usize| tile * TILE..n.min((tile + 1) * TILE);
        let tiles = (0..n.div_ceil(TILE))
            .flat_map(|i| (0..=i).map(move |j| (i, j)))
            .map(|(i, j)| {
                let (rows, columns) = (range(i), range(j));
                let values = vec![0.0; rows.len() * columns.len()];
                Tile {
                    rows,
                    columns,
                    values,
                }
            })
            .collect();
        Self { n, tiles }
    }

    /// Number of rows (and columns).
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// The entry at `(i, j)`, the same as at `(j, i)`.
    ///
    /// # Panics
    ///
    /// When `i` or `j` is not below [`Gram::n`].
    #[must_use]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        let (row, column) = if i >= j { (i, j) } else { (j, i) };
        let (tile_row, tile_column) = (row / TILE, column / TILE);
        let tile = &self.tiles[tile_row * (tile_row + 1) / 2 + tile_column];
        tile.values[(row % TILE) * tile.n_columns() + column % TILE]
    }

    /// Adds another matrix of the same size, entry by entry.
    ///
    /// # Panics
    ///
    /// When the sizes differ.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(self.n, other.n, "only matrices of one size can be added");
        for (tile, added) in self.tiles.iter_mut().zip(&other.tiles) {
            for (value, summand) in tile.values.iter_mut().zip(&added.values) {
                *value += summand;
            }
        }
    }
}

/// X·Xᵀ for `n_rows` rows of `n_columns` values.
///
/// # Definition
///
/// g(i, j) = Σₖ xᵢₖ·xⱼₖ. Without columns every product is zero.
///
/// # Example
///
/// ```
/// use consilience_stats::gram::gram;
///
/// let x = [[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// let g = gram(2, 3, &|row, start, slot: &mut [f32]| {
///     slot.copy_from_slice(&x[row][start..start + slot.len()]);
/// });
/// assert_eq!((g.get(0, 0), g.get(0, 1), g.get(1, 1)), (14.0, 32.0, 77.0));
/// ```
#[must_use]
pub fn gram<T: Real>(n_rows: usize, n_columns: usize, rows: &RowSource<'_, T>) -> Gram {
    multiply(n_rows, n_columns, rows, None)
}

/// (L·Rᵀ + R·Lᵀ) / 2 for two matrices of `n_rows` rows and `n_columns` columns.
///
/// # Definition
///
/// g(i, j) = ½·Σₖ (lᵢₖ·rⱼₖ + rᵢₖ·lⱼₖ), the symmetric part of L·Rᵀ. From it follow bilinear
/// distances: Σₖ (lᵢₖ − lⱼₖ)·(rᵢₖ − rⱼₖ) = g(i, i) + g(j, j) − 2·g(i, j).
#[must_use]
pub fn symmetric_product<T: Real>(
    n_rows: usize,
    n_columns: usize,
    left: &RowSource<'_, T>,
    right: &RowSource<'_, T>,
) -> Gram {
    multiply(n_rows, n_columns, left, Some(right))
}

fn multiply<T: Real>(
    n: usize,
    n_columns: usize,
    left: &RowSource<'_, T>,
    right: Option<&RowSource<'_, T>>,
) -> Gram {
    let mut gram = Gram::zeros(n);
    let n_tiles = gram.tiles.len();
    // Few rows make few tiles: several chunks at once then keep all threads busy.
    let n_chunks = n_columns
        .div_ceil(CHUNK)
        .min(IN_FLIGHT / (n * n.max(CHUNK)).max(1))
        .clamp(1, 16);
    let stride = n_columns.min(n_chunks * CHUNK) + PADDING;
    let n_panels = 1 + usize::from(right.is_some());
    let mut panels = vec![vec![T::from_f64(0.0); n * stride]; n_panels];

    for start in (0..n_columns).step_by(n_chunks * CHUNK) {
        let width = (n_columns - start).min(n_chunks * CHUNK);
        for (panel, source) in panels
            .iter_mut()
            .zip([Some(left), right].into_iter().flatten())
        {
            panel
                .par_chunks_mut(stride)
                .enumerate()
                .for_each(|(row, slot)| source(row, start, &mut slot[..width]));
        }
        let panels: Vec<MatRef<'_, T>> = panels
            .iter()
            .map(|panel| MatRef::from_row_major_slice(panel, n, stride))
            .collect();
        let sums: Vec<Vec<f64>> = (0..width.div_ceil(CHUNK) * n_tiles)
            .into_par_iter()
            .map(|task| {
                let (chunk, tile) = (task / n_tiles, task % n_tiles);
                let columns = chunk * CHUNK..width.min((chunk + 1) * CHUNK);
                multiply_tile(&gram.tiles[tile], &panels, columns)
            })
            .collect();
        gram.tiles
            .par_iter_mut()
            .enumerate()
            .for_each(|(idx, tile)| {
                for chunk in sums.iter().skip(idx).step_by(n_tiles) {
                    for (sum, value) in tile.values.iter_mut().zip(chunk) {
                        *sum += value;
                    }
                }
            });
    }
    gram.tiles.par_iter_mut().for_each(mirror_diagonal);
    gram
}

/// The products of one tile over a range of columns.
fn multiply_tile<T: Real>(
    tile: &Tile,
    panels: &[MatRef<'_, T>],
    columns: Range<usize>,
) -> Vec<f64> {
    let mut sums = vec![0.0; tile.values.len()];
    let mut products = vec![T::from_f64(0.0); tile.values.len()];
    for start in columns.clone().step_by(BLOCK) {
        let block = start..columns.end.min(start + BLOCK);
        let target =
            MatMut::from_row_major_slice_mut(&mut products, tile.n_rows(), tile.n_columns());
        multiply_block(tile, panels, block, target);
        for (sum, product) in sums.iter_mut().zip(&products) {
            *sum += product.to_f64();
        }
    }
    sums
}

/// Writes the products of one tile over one block of columns into `target`, of a diagonal tile
/// only the lower triangle where that is less work.
fn multiply_block<T: Real>(
    tile: &Tile,
    panels: &[MatRef<'_, T>],
    block: Range<usize>,
    mut target: MatMut<'_, T>,
) {
    let (rows, columns) = (tile.rows.clone(), tile.columns.clone());
    match *panels {
        [x] if tile.is_diagonal() => triangular::matmul(
            target,
            BlockStructure::TriangularLower,
            Accum::Replace,
            x.get(rows, block.clone()),
            BlockStructure::Rectangular,
            x.get(columns, block).transpose(),
            BlockStructure::Rectangular,
            T::from_f64(1.0),
            Par::Seq,
        ),
        [x] => matmul(
            target,
            Accum::Replace,
            x.get(rows, block.clone()),
            x.get(columns, block).transpose(),
            T::from_f64(1.0),
            Par::Seq,
        ),
        [left, right] => {
            for (accumulate, a, b) in [(Accum::Replace, left, right), (Accum::Add, right, left)] {
                matmul(
                    target.as_mut(),
                    accumulate,
                    a.get(rows.clone(), block.clone()),
                    b.get(columns.clone(), block.clone()).transpose(),
                    T::from_f64(0.5),
                    Par::Seq,
                );
            }
        }
        _ => unreachable!("one or two panels are made"),
    }
}

/// Copies the lower triangle of a diagonal tile to its upper one.
fn mirror_diagonal(tile: &mut Tile) {
    if tile.is_diagonal() {
        let n = tile.n_rows();
        for row in 0..n {
            for column in row + 1..n {
                tile.values[row * n + column] = tile.values[column * n + row];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values in −1…1 without a pattern.
    fn value(row: usize, column: usize) -> f64 {
        let mixed = (row * 7_919 + column * 104_729 + 13).wrapping_mul(2_654_435_761);
        ((mixed >> 7) % 20_001) as f64 / 10_000.0 - 1.0
    }

    fn fill<T: Real>(offset: usize) -> impl Fn(usize, usize, &mut [T]) + Sync {
        move |row, start, slot: &mut [T]| {
            for (k, v) in slot.iter_mut().enumerate() {
                *v = T::from_f64(value(row + offset, start + k));
            }
        }
    }

    fn dot(a: usize, b: usize, p: usize) -> f64 {
        (0..p).map(|k| value(a, k) * value(b, k)).sum()
    }

    /// Sizes on either side of a tile and of a chunk, and none at all.
    const SIZES: [(usize, usize); 6] = [
        (0, 5),
        (3, 0),
        (1, 7),
        (5, CHUNK + 1),
        (TILE + 1, 300),
        (2 * TILE, 2 * CHUNK),
    ];

    #[test]
    fn products_follow_the_definition() {
        for (n, p) in SIZES {
            let wide = gram::<f64>(n, p, &fill(0));
            let narrow = gram::<f32>(n, p, &fill(0));
            for i in (0..n).step_by(17) {
                for j in 0..n {
                    let expected = dot(i, j, p);
                    assert!((wide.get(i, j) - expected).abs() < 1e-11, "{n} {p} {i} {j}");
                    assert!(
                        (narrow.get(i, j) - expected).abs() < 1e-3,
                        "{n} {p} {i} {j}"
                    );
                    assert_eq!(wide.get(i, j), wide.get(j, i));
                }
            }
        }
    }

    #[test]
    fn the_symmetric_part_follows_the_definition() {
        for (n, p) in SIZES {
            let product = symmetric_product::<f64>(n, p, &fill(0), &fill(1_000));
            for i in (0..n).step_by(17) {
                for j in 0..n {
                    let expected = 0.5 * (dot(i, j + 1_000, p) + dot(i + 1_000, j, p));
                    assert!(
                        (product.get(i, j) - expected).abs() < 1e-11,
                        "{n} {p} {i} {j}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let run = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .unwrap();
            pool.install(|| {
                let g = gram::<f32>(TILE + 40, 3 * CHUNK + 5, &fill(0));
                g.tiles
                    .into_iter()
                    .flat_map(|t| t.values)
                    .map(f64::to_bits)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(3));
    }
}
