//! Lightness, hue and lighting as Pillow computes them.

use consilience_io::image::RgbImage;

fn each(mut image: RgbImage, change: impl Fn([u8; 3]) -> [u8; 3]) -> RgbImage {
    let (pixels, _) = image.pixels.as_chunks_mut::<3>();
    for pixel in pixels {
        *pixel = change(*pixel);
    }
    image
}

/// ITU-R 601-2, in 16 binary digits after the point.
pub(super) fn gray(image: RgbImage) -> RgbImage {
    each(image, |pixel| {
        let [r, g, b] = pixel.map(u32::from);
        [((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8; 3]
    })
}

pub(super) fn lighting(image: RgbImage, factor: f64) -> RgbImage {
    let factor = factor as f32;
    each(image, |pixel| {
        pixel.map(|byte| (factor * f32::from(byte)).min(255.0) as u8)
    })
}

/// Through hue, saturation and value in bytes, where the hue runs around.
pub(super) fn hue(image: RgbImage, shift: f64) -> RgbImage {
    let shift = (shift * 255.0) as i32 as u8;
    each(image, |pixel| {
        let [h, s, v] = to_hsv(pixel);
        from_hsv([h.wrapping_add(shift), s, v])
    })
}

fn to_hsv([r, g, b]: [u8; 3]) -> [u8; 3] {
    let (largest, smallest) = (r.max(g).max(b), r.min(g).min(b));
    if largest == smallest {
        return [0, 0, largest];
    }
    // In 32 bits where Pillow computes in 32, in 64 where it does.
    let range = f32::from(largest - smallest);
    let saturation = range / f32::from(largest);
    let [rc, gc, bc] = [r, g, b].map(|channel| f32::from(largest - channel) / range);
    let h = if r == largest {
        bc - gc
    } else if g == largest {
        (2.0 + f64::from(rc) - f64::from(bc)) as f32
    } else {
        (4.0 + f64::from(gc) - f64::from(rc)) as f32
    };
    let h = ((f64::from(h) / 6.0 + 1.0) % 1.0) as f32;
    let byte = |value: f32| (f64::from(value) * 255.0).clamp(0.0, 255.0) as u8;
    [byte(h), byte(saturation), largest]
}

fn from_hsv([h, s, v]: [u8; 3]) -> [u8; 3] {
    if s == 0 {
        return [v; 3];
    }
    let sixths = f64::from(h) * 6.0 / 255.0;
    let sector = sixths.floor();
    let rest = f64::from((sixths - sector) as f32);
    let saturation = f64::from((f64::from(s) / 255.0) as f32);
    let level = |share: f64| (f64::from(v) * share).round().clamp(0.0, 255.0) as u8;
    let p = level(1.0 - saturation);
    let q = level(1.0 - saturation * rest);
    let t = level(1.0 - saturation * (1.0 - rest));
    match sector as u8 % 6 {
        0 => [v, t, p],
        1 => [q, v, p],
        2 => [p, v, t],
        3 => [p, q, v],
        4 => [t, p, v],
        _ => [v, p, q],
    }
}
