//! Products of rows with rows, X·Xᵀ and its relatives, of which only half is computed.
//!
//! # Determinism
//!
//! The work is cut into tiles of 128 × 128 results and blocks of 2,048 columns whatever the number
//! of threads; each product of a tile and a block runs on one thread, and blocks are added in
//! their order. The same input gives the same bits on every machine with the same kind of
//! processor.
//!
//! # Precision and memory
//!
//! A block is multiplied in the width of `T`, blocks are added in `f64`. Rows are asked for block
//! by block, so the transformed matrix never exists as a whole: beyond the result (4·n² bytes) the
//! working memory is n × 2,048 + n²/2 values of `T`, or 6 Mi values where that is less.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::Real;

/// Rows and columns of the result that one task computes.
const TILE: usize = 128;
/// Columns of the input that are multiplied before their sum is widened.
const BLOCK: usize = 2048;
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
    rows: (usize, usize),
    columns: (usize, usize),
    values: Vec<f64>,
}

impl Tile {
    fn is_diagonal(&self) -> bool {
        self.rows == self.columns
    }

    fn n_rows(&self) -> usize {
        self.rows.1 - self.rows.0
    }

    fn n_columns(&self) -> usize {
        self.columns.1 - self.columns.0
    }
}

impl Gram {
    fn zeros(n: usize) -> Self {
        let range = |tile: usize| (tile * TILE, n.min((tile + 1) * TILE));
        let tiles = (0..n.div_ceil(TILE))
            .flat_map(|i| (0..=i).map(move |j| (i, j)))
            .map(|(i, j)| {
                let (rows, columns) = (range(i), range(j));
                let values = vec![0.0; (rows.1 - rows.0) * (columns.1 - columns.0)];
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
    // Few rows make few tiles: several blocks at once then keep all threads busy.
    let n_blocks = n_columns
        .div_ceil(BLOCK)
        .min(IN_FLIGHT / (n * n.max(BLOCK)).max(1))
        .clamp(1, 16);
    let stride = n_columns.min(n_blocks * BLOCK) + PADDING;
    let n_panels = 1 + usize::from(right.is_some());
    let mut panels = vec![vec![T::from_f64(0.0); n * stride]; n_panels];
    let mut partials: Vec<Vec<T>> = (0..n_blocks)
        .flat_map(|_| &gram.tiles)
        .map(|tile| vec![T::from_f64(0.0); tile.values.len()])
        .collect();

    for start in (0..n_columns).step_by(n_blocks * BLOCK) {
        let width = (n_columns - start).min(n_blocks * BLOCK);
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
        let n_live = width.div_ceil(BLOCK) * gram.tiles.len();
        partials[..n_live]
            .par_iter_mut()
            .enumerate()
            .for_each(|(task, partial)| {
                let (block, tile) = (task / gram.tiles.len(), task % gram.tiles.len());
                let columns = (block * BLOCK, width.min((block + 1) * BLOCK));
                multiply_tile(&gram.tiles[tile], &panels, columns, partial);
            });
        let n_tiles = gram.tiles.len();
        gram.tiles
            .par_iter_mut()
            .enumerate()
            .for_each(|(idx, tile)| {
                for partial in partials[..n_live].iter().skip(idx).step_by(n_tiles) {
                    for (sum, &value) in tile.values.iter_mut().zip(partial) {
                        *sum += value.to_f64();
                    }
                }
            });
    }
    gram.tiles.par_iter_mut().for_each(mirror_diagonal);
    gram
}

/// Writes the products of one tile over one block of columns into `partial`.
fn multiply_tile<T: Real>(
    tile: &Tile,
    panels: &[MatRef<'_, T>],
    columns: (usize, usize),
    partial: &mut [T],
) {
    let mut product = MatMut::from_row_major_slice_mut(partial, tile.n_rows(), tile.n_columns());
    match *panels {
        [x] if tile.is_diagonal() => triangular::matmul(
            product,
            BlockStructure::TriangularLower,
            Accum::Replace,
            part(x, columns, tile.rows),
            BlockStructure::Rectangular,
            part(x, columns, tile.columns).transpose(),
            BlockStructure::Rectangular,
            T::from_f64(1.0),
            Par::Seq,
        ),
        [x] => matmul(
            product,
            Accum::Replace,
            part(x, columns, tile.rows),
            part(x, columns, tile.columns).transpose(),
            T::from_f64(1.0),
            Par::Seq,
        ),
        [left, right] => {
            for (accumulate, a, b) in [(Accum::Replace, left, right), (Accum::Add, right, left)] {
                matmul(
                    product.as_mut(),
                    accumulate,
                    part(a, columns, tile.rows),
                    part(b, columns, tile.columns).transpose(),
                    T::from_f64(0.5),
                    Par::Seq,
                );
            }
        }
        _ => unreachable!("one or two panels are made"),
    }
}

fn part<T>(panel: MatRef<'_, T>, columns: (usize, usize), rows: (usize, usize)) -> MatRef<'_, T> {
    panel.get(rows.0..rows.1, columns.0..columns.1)
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

    /// Sizes on either side of a tile and of a block, and none at all.
    const SIZES: [(usize, usize); 6] = [
        (0, 5),
        (3, 0),
        (1, 7),
        (5, 2_049),
        (TILE + 1, 300),
        (2 * TILE, 2 * BLOCK),
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
                let g = gram::<f32>(TILE + 40, 3 * BLOCK + 5, &fill(0));
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
