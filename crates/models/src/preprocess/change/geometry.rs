//! Turning and mirroring as Pillow does it, blurring as torchvision does.

use consilience_io::image::RgbImage;

/// Width of the blur's weights.
const KERNEL: usize = 5;

pub(super) fn flipped(mut image: RgbImage) -> RgbImage {
    let width = image.width;
    for row in image.pixels.chunks_exact_mut(3 * width.max(1)) {
        let (pixels, _) = row.as_chunks_mut::<3>();
        pixels.reverse();
    }
    image
}

/// Pillow's `rotate` with its defaults: the nearest pixel, found in 16 binary digits after the point.
pub(super) fn rotated(image: &RgbImage, degrees: f64) -> RgbImage {
    let (width, height) = (image.width, image.height);
    let degrees = degrees.rem_euclid(360.0);
    let angle = -degrees.to_radians();
    let fifteen = |value: f64| (value * 1e15).round_ties_even() / 1e15;
    let (cos, sin) = (fifteen(angle.cos()), fifteen(angle.sin()));
    let (x, y) = (width as f64 / 2.0, height as f64 / 2.0);
    let left = cos * -x + sin * -y + x;
    let top = -sin * -x + cos * -y + y;
    let fixed = |value: f64| (value * 65_536.0 + 0.5).floor() as i64;
    let (along, across) = (fixed(cos), fixed(sin));
    let down = fixed(-sin);
    let mut row_start = (
        fixed(left + cos * 0.5 + sin * 0.5),
        fixed(top - sin * 0.5 + cos * 0.5),
    );
    let mut pixels = vec![0; image.pixels.len()];
    let (out, _) = pixels.as_chunks_mut::<3>();
    let (given, _) = image.pixels.as_chunks::<3>();
    for row in out.chunks_exact_mut(width.max(1)) {
        let (mut x, mut y) = row_start;
        for pixel in row {
            let from = (usize::try_from(x >> 16), usize::try_from(y >> 16));
            if let (Ok(column), Ok(row)) = from
                && column < width
                && row < height
            {
                *pixel = given[row * width + column];
            }
            x += along;
            y += down;
        }
        row_start.0 += across;
        row_start.1 += along;
    }
    RgbImage {
        width,
        height,
        pixels,
    }
}

/// torchvision's `gaussian_blur` of bytes, in 32 bits.
pub(super) fn blurred(image: &RgbImage, sigma: f64) -> RgbImage {
    let sigma = sigma as f32;
    let half = KERNEL / 2;
    let weights: [f32; KERNEL] = std::array::from_fn(|k| {
        let x = (k as f32 - half as f32) / sigma;
        (-0.5 * x * x).exp()
    });
    let sum: f32 = weights.iter().sum();
    let weights = weights.map(|weight| weight / sum);
    let (width, height) = (image.width, image.height);
    let columns: Vec<usize> = mirrored(width, half);
    let rows: Vec<usize> = mirrored(height, half);
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in 0..height {
        for x in 0..width {
            let mut sums = [0.0_f32; 3];
            for (dy, of_row) in weights.iter().enumerate() {
                for (dx, of_column) in weights.iter().enumerate() {
                    let at = 3 * (rows[y + dy] * width + columns[x + dx]);
                    for (sum, &byte) in sums.iter_mut().zip(&image.pixels[at..at + 3]) {
                        *sum += of_row * of_column * f32::from(byte);
                    }
                }
            }
            pixels.extend(sums.map(|sum| sum.round_ties_even() as u8));
        }
    }
    RgbImage {
        width,
        height,
        pixels,
    }
}

/// Positions of an axis with `half` more at each end, mirrored without the edge itself.
fn mirrored(n: usize, half: usize) -> Vec<usize> {
    let period = (2 * n).saturating_sub(2).max(1) as isize;
    let at = |k: usize| {
        let place = (k.cast_signed() - half.cast_signed()).rem_euclid(period);
        place
            .min(period - place)
            .unsigned_abs()
            .min(n.saturating_sub(1))
    };
    (0..n + 2 * half).map(at).collect()
}
