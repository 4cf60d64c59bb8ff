//! A map on the picture that it explains.

use consilience_io::image::RgbImage;
use consilience_models::Preprocessing;
use consilience_models::preprocess::{ChannelOrder, Range};
use ndarray::ArrayView2;

use crate::error::Result;

/// The part of a picture that the network sees, in the network's size.
///
/// # Errors
///
/// As [`Preprocessing::apply`].
pub fn seen(preprocessing: &Preprocessing, picture: &RgbImage) -> Result<RgbImage> {
    let unscaled = Preprocessing {
        range: Range::Unit,
        order: ChannelOrder::Rgb,
        mean: [0.0; 3],
        std: [1.0; 3],
        ..preprocessing.clone()
    };
    let channels_last = unscaled.apply(picture)?.permuted_axes([1, 2, 0]);
    let (height, width, _) = channels_last.dim();
    let pixels = channels_last
        .iter()
        .map(|v| (v * 255.0).round() as u8)
        .collect();
    Ok(RgbImage {
        width,
        height,
        pixels,
    })
}

/// The map in colours over the picture in grey, half and half.
///
/// # Shapes
///
/// Map `(h, w)` of any size; the result has the picture's.
///
/// # Definition
///
/// The map divided by its largest value, resized by linear interpolation between the centres of its
/// positions, coloured by `colour` (which takes 0…1) and averaged with the grey of the picture,
/// 0.299 R + 0.587 G + 0.114 B. A map without a positive value is coloured as 0 everywhere.
#[must_use]
pub fn overlay(
    picture: &RgbImage,
    map: ArrayView2<'_, f32>,
    colour: impl Fn(f64) -> [u8; 3],
) -> RgbImage {
    let largest = map.iter().copied().fold(0.0_f32, f32::max);
    let scale = if largest > 0.0 {
        1.0 / f64::from(largest)
    } else {
        0.0
    };
    let rows = taps(map.nrows(), picture.height);
    let columns = taps(map.ncols(), picture.width);
    let mut pixels = Vec::with_capacity(picture.pixels.len());
    let (old, _) = picture.pixels.as_chunks::<3>();
    for (row, line) in rows.iter().zip(old.chunks(picture.width.max(1))) {
        for (column, pixel) in columns.iter().zip(line) {
            let at = |y: usize, x: usize| map.get((y, x)).map_or(0.0, |&v| f64::from(v));
            let upper = mix(
                at(row.first, column.first),
                at(row.first, column.second),
                column.part,
            );
            let lower = mix(
                at(row.second, column.first),
                at(row.second, column.second),
                column.part,
            );
            let heat = colour(mix(upper, lower, row.part) * scale);
            let [red, green, blue] = pixel.map(f64::from);
            let grey = (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8;
            pixels.extend(heat.map(|h| grey.midpoint(h)));
        }
    }
    RgbImage {
        width: picture.width,
        height: picture.height,
        pixels,
    }
}

fn mix(a: f64, b: f64, part: f64) -> f64 {
    a + (b - a) * part
}

/// Two old positions and the share of the second.
struct Taps {
    first: usize,
    second: usize,
    part: f64,
}

fn taps(old: usize, new: usize) -> Vec<Taps> {
    let last = old.saturating_sub(1);
    (0..new)
        .map(|at| {
            let place = ((at as f64 + 0.5) * old as f64 / new as f64 - 0.5).clamp(0.0, last as f64);
            let first = place as usize;
            Taps {
                first,
                second: (first + 1).min(last),
                part: place - first as f64,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn colours_are_mixed_half_and_half() {
        let picture = RgbImage {
            width: 4,
            height: 1,
            pixels: [10, 20, 30].repeat(4),
        };
        let grey = |t: f64| [(t * 200.0).round() as u8; 3];
        let over = overlay(&picture, array![[0.0, 2.0]].view(), grey);
        let reds: Vec<u8> = over.pixels.iter().copied().step_by(3).collect();
        // The picture's grey is 18.
        assert_eq!(reds, [9, 34, 84, 109]);
        let nothing = overlay(&picture, array![[0.0, 0.0]].view(), grey);
        assert_eq!(nothing.pixels, [9; 12]);
    }
}
