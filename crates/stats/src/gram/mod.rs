//! Products of rows with rows, X·Xᵀ and its relatives, of which only half is computed.
//!
//! # Determinism
//!
//! The work is cut into tiles of 192 × 192 results and chunks of 2,048 columns whatever the number
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
//! the result (4·n² bytes) the working memory is n × 2,048 values of `T`, or up to 4 Mi values of
//! `T` and as many of `f64` where n is small.

mod kernel;

use std::ops::Range;

use rayon::prelude::*;

use crate::Real;
use kernel::PANEL;

/// Rows and columns of the result that one task computes.
const TILE: usize = 4 * PANEL;
/// Columns of the input that one task works through.
const CHUNK: usize = 16 * BLOCK;
/// Columns that are multiplied before their sum is widened.
const BLOCK: usize = 128;
/// Values (n² results, or n × columns of input) that may be in flight at once.
const IN_FLIGHT: usize = 1 << 22;

/// Writes part of a row: `source(row, first_column, slot)` fills `slot` with the values of `row`
/// from `first_column` on.
pub type RowSource<'a, T> = dyn Fn(usize, usize, &mut [T]) + Sync + 'a;

/// A symmetric matrix of products, stored as its upper triangle of tiles.
#[derive(Debug, Clone)]
pub struct Gram {
    n: usize,
    /// Rows and columns of a tile.
    side: usize,
    /// One tile after another, by columns of tiles.
    values: Vec<f64>,
}

impl Gram {
    fn zeros(n: usize) -> Self {
        let side = TILE.min(n.next_multiple_of(PANEL));
        let n_tiles = n.div_ceil(TILE);
        let values = vec![0.0; n_tiles * (n_tiles + 1) / 2 * side * side];
        Self { n, side, values }
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
    #[inline]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        let (row, column) = if i <= j { (i, j) } else { (j, i) };
        assert!(column < self.n, "an index is out of range");
        let (tile_row, tile_column) = (row / TILE, column / TILE);
        let tile = tile_column * (tile_column + 1) / 2 + tile_row;
        self.values[(tile * self.side + row % TILE) * self.side + column % TILE]
    }

    /// Its tiles, each with its place in units of panels.
    fn tiles_mut(&mut self) -> impl IndexedParallelIterator<Item = Tile<'_>> {
        let places: Vec<(usize, usize)> = (0..self.n.div_ceil(TILE))
            .flat_map(|j| (0..=j).map(move |i| (i, j)))
            .collect();
        let (side, n_panels) = (self.side, self.n.div_ceil(PANEL));
        self.values
            .par_chunks_mut((side * side).max(1))
            .zip(places)
            .map(move |(values, (i, j))| {
                let panels = |tile: usize| {
                    let first = tile * (TILE / PANEL);
                    first..n_panels.min(first + TILE / PANEL)
                };
                Tile {
                    rows: panels(i),
                    columns: panels(j),
                    side,
                    values,
                }
            })
    }

    /// Adds another matrix of the same size, entry by entry.
    ///
    /// # Panics
    ///
    /// When the sizes differ.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(self.n, other.n, "only matrices of one size can be added");
        for (value, summand) in self.values.iter_mut().zip(&other.values) {
            *value += summand;
        }
    }
}

/// The products of some panels with others.
struct Tile<'g> {
    rows: Range<usize>,
    columns: Range<usize>,
    side: usize,
    values: &'g mut [f64],
}

impl Tile<'_> {
    /// Adds the products over some blocks of columns, of a diagonal tile those of its upper panels.
    ///
    /// With two sides, it adds L·Rᵀ + R·Lᵀ.
    fn add_products<T: Real>(
        &mut self,
        left: &Panels<'_, T>,
        right: Option<&Panels<'_, T>>,
        blocks: Range<usize>,
    ) {
        let sides = match right {
            Some(right) => [Some((left, right)), Some((right, left))],
            None => [Some((left, left)), None],
        };
        for block in blocks {
            for (place_j, j) in self.columns.clone().enumerate() {
                for (place_i, i) in self.rows.clone().enumerate().filter(|&(_, i)| i <= j) {
                    let sums = &mut self.values[PANEL * (place_i * self.side + place_j)..];
                    for (a, b) in sides.into_iter().flatten() {
                        kernel::add_products(a.block(i, block), b.block(j, block), sums, self.side);
                    }
                }
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
    let mut gram = multiply(n_rows, n_columns, left, Some(right));
    gram.values.iter_mut().for_each(|value| *value *= 0.5);
    gram
}

fn multiply<T: Real>(
    n: usize,
    n_columns: usize,
    left: &RowSource<'_, T>,
    right: Option<&RowSource<'_, T>>,
) -> Gram {
    // Few rows make few tiles: several chunks at once then keep all threads busy.
    let n_chunks = n_columns
        .div_ceil(CHUNK)
        .min(IN_FLIGHT / (n * n.max(CHUNK)).max(1))
        .clamp(1, 16);
    let mut parts = vec![Gram::zeros(n); n_chunks];
    let room = n_columns.min(n_chunks * CHUNK);
    let mut left = Panels::new(n, room, left);
    let mut right = right.map(|right| Panels::new(n, room, right));

    for start in (0..n_columns).step_by(n_chunks * CHUNK) {
        let width = (n_columns - start).min(n_chunks * CHUNK);
        left.fill(start, width);
        if let Some(right) = &mut right {
            right.fill(start, width);
        }
        let (left, right) = (&left, right.as_ref());
        parts
            .par_iter_mut()
            .zip(0..width.div_ceil(CHUNK))
            .flat_map(|(part, chunk)| part.tiles_mut().map(move |tile| (tile, chunk)))
            .for_each(|(mut tile, chunk)| {
                let columns = chunk * CHUNK..width.min((chunk + 1) * CHUNK);
                let blocks = columns.start / BLOCK..columns.end.div_ceil(BLOCK);
                tile.add_products(left, right, blocks);
            });
    }
    let mut parts = parts.into_iter();
    let mut gram = parts.next().expect("there is at least one part");
    for part in parts {
        gram.add(&part);
    }
    gram
}

/// Columns of all rows in the order in which they are multiplied: by panels of rows, in each by
/// blocks of columns, in each by columns.
struct Panels<'s, T> {
    values: Vec<T>,
    /// Values of one panel.
    stride: usize,
    n_rows: usize,
    /// Columns that it holds now.
    width: usize,
    source: &'s RowSource<'s, T>,
}

impl<'s, T: Real> Panels<'s, T> {
    /// Room for `n_columns` columns.
    fn new(n_rows: usize, n_columns: usize, source: &'s RowSource<'s, T>) -> Self {
        let stride = PANEL * n_columns;
        Self {
            values: vec![T::from_f64(0.0); n_rows.div_ceil(PANEL) * stride],
            stride,
            n_rows,
            width: 0,
            source,
        }
    }

    /// Takes `width` columns from `start` on.
    fn fill(&mut self, start: usize, width: usize) {
        self.width = width;
        let (n_rows, source) = (self.n_rows, self.source);
        self.values
            .par_chunks_mut(self.stride.max(1))
            .enumerate()
            .for_each(|(panel, values)| {
                let mut slot = [T::from_f64(0.0); BLOCK];
                let blocks = values[..PANEL * width].chunks_mut(PANEL * BLOCK);
                for (block, values) in blocks.enumerate() {
                    let slot = &mut slot[..values.len() / PANEL];
                    for row in 0..PANEL.min(n_rows - panel * PANEL) {
                        source(panel * PANEL + row, start + block * BLOCK, slot);
                        for (value, z) in values[row..].iter_mut().step_by(PANEL).zip(&*slot) {
                            *value = *z;
                        }
                    }
                }
            });
    }

    fn block(&self, panel: usize, block: usize) -> &[T] {
        let columns = block * BLOCK..self.width.min((block + 1) * BLOCK);
        &self.values[panel * self.stride..][PANEL * columns.start..PANEL * columns.end]
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
                g.values.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(3));
    }
}
