//! Sums of a map within boxes, by a summed-area table.

use ndarray::{Array2, ArrayView2};

use super::boxes::PictureBox;
use super::params::{BoxSummary, MapParams, Scaling, Sign};

/// Smallest and largest value of one or more maps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    low: f64,
    high: f64,
}

impl Extent {
    pub fn of(map: ArrayView2<'_, f32>, sign: Sign) -> Self {
        let start = Self {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        };
        map.iter().fold(start, |extent, &v| {
            let v = with_sign(v, sign);
            Self {
                low: extent.low.min(v),
                high: extent.high.max(v),
            }
        })
    }

    pub fn with(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// What to subtract and then to multiply with.
    fn scale(self, scaling: Scaling) -> (f64, f64) {
        let inverse = |length: f64| if length > 0.0 { 1.0 / length } else { 0.0 };
        match scaling {
            Scaling::None => (0.0, 1.0),
            Scaling::Max => (0.0, inverse(self.low.abs().max(self.high.abs()))),
            Scaling::MinMax => (self.low, inverse(self.high - self.low)),
        }
    }
}

fn with_sign(value: f32, sign: Sign) -> f64 {
    let value = f64::from(value);
    match sign {
        Sign::Positive => value.max(0.0),
        Sign::Absolute => value.abs(),
        Sign::Signed => value,
    }
}

/// A map as a function that is constant on each cell, ready to be summed within boxes.
///
/// The scale is applied to sums instead of cells.
pub(super) struct AreaTable {
    values: Array2<f64>,
    /// `(n_rows + 1, n_columns + 1)`: the sum of all cells above and left of a corner.
    sums: Array2<f64>,
    shift: f64,
    factor: f64,
}

/// Boxes that touch no more cells, or are smaller than one, are summed cell by cell: differences of sums over
/// the whole map would cost them digits.
const FEW_CELLS: usize = 32;

impl AreaTable {
    pub fn new(map: ArrayView2<'_, f32>, extent: Extent, params: &MapParams) -> Self {
        let (n_rows, n_columns) = map.dim();
        let values = map.mapv(|v| with_sign(v, params.sign));
        let mut sums = Array2::zeros((n_rows + 1, n_columns + 1));
        for y in 0..n_rows {
            let mut row = 0.0;
            for x in 0..n_columns {
                row += values[[y, x]];
                sums[[y + 1, x + 1]] = sums[[y, x + 1]] + row;
            }
        }
        let (shift, factor) = extent.scale(params.scaling);
        Self {
            values,
            sums,
            shift,
            factor,
        }
    }

    /// What a box (in cells, inside the map, with an area) gets; `None` for a share of nothing.
    pub fn read(&self, bounds: &PictureBox, summary: BoxSummary) -> Option<f64> {
        match summary {
            BoxSummary::Mean => {
                let mean = self.integral(bounds) / bounds.area();
                Some((mean - self.shift) * self.factor)
            }
            BoxSummary::Max => {
                let largest = cells_of(bounds)
                    .map(|(y, x, _)| self.values[[y, x]])
                    .fold(f64::NEG_INFINITY, f64::max);
                Some((largest - self.shift) * self.factor)
            }
            BoxSummary::Share => {
                let (n_rows, n_columns) = self.values.dim();
                let all = self.sums[[n_rows, n_columns]] - self.shift * self.values.len() as f64;
                let within = self.integral(bounds) - self.shift * bounds.area();
                (self.factor > 0.0 && all > 0.0).then(|| within / all)
            }
        }
    }

    fn integral(&self, bounds: &PictureBox) -> f64 {
        let n_touched = (bounds.right.ceil() - bounds.left.floor())
            * (bounds.bottom.ceil() - bounds.top.floor());
        if n_touched <= FEW_CELLS as f64 || bounds.area() < 1.0 {
            return cells_of(bounds)
                .map(|(y, x, area)| area * self.values[[y, x]])
                .sum();
        }
        let PictureBox {
            left,
            top,
            right,
            bottom,
        } = *bounds;
        self.up_to(bottom, right) - self.up_to(bottom, left) - self.up_to(top, right)
            + self.up_to(top, left)
    }

    /// The integral above `y` and left of `x`. Within a cell it is bilinear, so interpolation of the table is exact.
    fn up_to(&self, y: f64, x: f64) -> f64 {
        let (n_rows, n_columns) = self.values.dim();
        let (row, column) = (
            (y as usize).min(n_rows - 1),
            (x as usize).min(n_columns - 1),
        );
        let (down, right) = (y - row as f64, x - column as f64);
        let at = |i, j| self.sums[[row + i, column + j]];
        (1.0 - down) * ((1.0 - right) * at(0, 0) + right * at(0, 1))
            + down * ((1.0 - right) * at(1, 0) + right * at(1, 1))
    }
}

/// Row, column and covered area of each cell that a box touches.
fn cells_of(bounds: &PictureBox) -> impl Iterator<Item = (usize, usize, f64)> {
    let PictureBox {
        left,
        top,
        right,
        bottom,
    } = *bounds;
    let covered =
        |low: f64, high: f64, cell: usize| high.min(cell as f64 + 1.0) - low.max(cell as f64);
    (top as usize..bottom.ceil() as usize).flat_map(move |y| {
        (left as usize..right.ceil() as usize)
            .map(move |x| (y, x, covered(top, bottom, y) * covered(left, right, x)))
    })
}
