//! Pictures as small squares.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis};

/// What each of `n` cells covers of `length` pixels: the first one and the shares of it and those that follow, which add up to 1.
fn cells(length: usize, n: usize) -> Vec<(usize, Vec<f64>)> {
    let width = length as f64 / n as f64;
    (0..n)
        .map(|cell| {
            let (start, end) = (cell as f64 * width, (cell + 1) as f64 * width);
            let first = start.floor() as usize;
            let last = (end.ceil() as usize).clamp(first + 1, length);
            let share = |pixel: usize| {
                let (low, high) = (start.max(pixel as f64), end.min((pixel + 1) as f64));
                (high - low).max(0.0) / width
            };
            (first, (first..last).map(share).collect())
        })
        .collect()
}

/// Brought to a square of side `n` by area.
pub(super) fn square(channel: ArrayView2<'_, f64>, n: usize) -> Array2<f64> {
    let (rows, columns) = (cells(channel.nrows(), n), cells(channel.ncols(), n));
    // Along the rows first: they lie together in memory.
    let narrow = Array2::from_shape_fn((channel.nrows(), n), |(y, j)| {
        let (first, shares) = &columns[j];
        shares
            .iter()
            .enumerate()
            .map(|(k, share)| share * channel[[y, first + k]])
            .sum::<f64>()
    });
    Array2::from_shape_fn((n, n), |(i, j)| {
        let (first, shares) = &rows[i];
        shares
            .iter()
            .enumerate()
            .map(|(k, share)| share * narrow[[first + k, j]])
            .sum::<f64>()
    })
}

/// Grey values as they are encoded, Rec. 601.
pub(super) fn grey(image: ArrayView3<'_, f64>) -> Array2<f64> {
    weighted(image, [0.299, 0.587, 0.114], |v| v)
}

/// Relative luminance: the sRGB curve undone, Rec. 709.
pub(super) fn luminance(image: ArrayView3<'_, f64>) -> Array2<f64> {
    weighted(image, [0.2126, 0.7152, 0.0722], |v| {
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn weighted(
    image: ArrayView3<'_, f64>,
    weights: [f64; 3],
    of_value: impl Fn(f64) -> f64,
) -> Array2<f64> {
    image.map_axis(Axis(2), |pixel| match pixel.len() {
        1 => of_value(pixel[0]),
        _ => pixel
            .iter()
            .zip(weights)
            .map(|(&v, w)| w * of_value(v))
            .sum(),
    })
}
