//! From luma and chroma to red, green and blue, in the integers that FFmpeg's x86 code uses.

/// The numbers of a conversion, with 13 binary digits after the point; samples come in with 3 more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conversion {
    luma: i32,
    black: i32,
    red_v: i32,
    green_u: i32,
    green_v: i32,
    blue_u: i32,
}

/// Digits after the point of the tables below.
const TABLE_ONE: i64 = 1 << 16;

impl Conversion {
    /// For a code of ISO/IEC 23091-4 (`matrix_coefficients`); codes without a meaning here, 2
    /// (unspecified) among them, are BT.601.
    pub(super) fn new(matrix: u8, full_range: bool) -> Self {
        // V to red, U to blue, U and V from green, for luma of 219 and chroma of 224 steps; the
        // constants of FFmpeg's `ff_yuv2rgb_coeffs`.
        let [red_v, blue_u, green_u, green_v] = match matrix {
            1 => [117_489, 138_438, 13_975, 34_925],
            4 => [104_448, 132_798, 24_759, 53_109],
            7 => [117_579, 136_230, 16_907, 35_559],
            9 | 10 => [110_013, 140_363, 12_277, 42_626],
            _ => [104_597, 132_201, 25_675, 53_279],
        };
        let chroma = |value: i64| {
            let value = if full_range { value * 224 / 255 } else { value };
            rounded(value)
        };
        Self {
            luma: rounded(if full_range {
                TABLE_ONE
            } else {
                TABLE_ONE * 255 / 219
            }),
            black: if full_range { 0 } else { 16 << 3 },
            red_v: chroma(red_v),
            green_u: chroma(-green_u),
            green_v: chroma(-green_v),
            blue_u: chroma(blue_u),
        }
    }

    /// One picture from planes of whole luma and halved chroma resolution; rows and columns of chroma
    /// are as many as cover the luma.
    pub(super) fn apply(
        self,
        (width, height): (usize, usize),
        y: &[u8],
        u: &[u8],
        v: &[u8],
    ) -> Vec<u8> {
        let mut pixels = vec![0; width * height * 3];
        let chroma_width = width.div_ceil(2);
        let (rows, luma) = (pixels.chunks_exact_mut(width * 3), y.chunks_exact(width));
        for (row, (out, luma)) in rows.zip(luma).enumerate() {
            let from = (row / 2) * chroma_width;
            let u = &u[from..from + chroma_width];
            let v = &v[from..from + chroma_width];
            let pairs = out.chunks_mut(6).zip(luma.chunks(2));
            for ((out, luma), (u, v)) in pairs.zip(u.iter().zip(v)) {
                let (u, v) = ((i32::from(*u) - 128) << 3, (i32::from(*v) - 128) << 3);
                let red = high(v, self.red_v);
                let green = high(u, self.green_u) + high(v, self.green_v);
                let blue = high(u, self.blue_u);
                for (pixel, luma) in out.chunks_exact_mut(3).zip(luma) {
                    let luma = high((i32::from(*luma) << 3) - self.black, self.luma);
                    pixel[0] = (luma + red).clamp(0, 255) as u8;
                    pixel[1] = (luma + green).clamp(0, 255) as u8;
                    pixel[2] = (luma + blue).clamp(0, 255) as u8;
                }
            }
        }
        pixels
    }
}

/// The upper 16 of the 32 bits of a product.
fn high(a: i32, b: i32) -> i32 {
    (a * b) >> 16
}

/// From 16 to 13 digits after the point.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the tables are far below 2³¹"
)]
fn rounded(value: i64) -> i32 {
    ((value * (1 << 13) + (TABLE_ONE / 2)) >> 16) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_grey_are_exact_in_both_ranges() {
        for matrix in [1, 2, 4, 7, 9] {
            let pixel = |full_range, y| {
                Conversion::new(matrix, full_range).apply((1, 1), &[y], &[128], &[128])
            };
            assert_eq!(pixel(false, 16), [0; 3]);
            assert_eq!(pixel(false, 235), [255; 3]);
            assert_eq!(pixel(false, 255), [255; 3]);
            for grey in [0, 77, 255] {
                assert_eq!(pixel(true, grey), [grey; 3]);
            }
        }
    }

    #[test]
    fn an_odd_picture_uses_the_chroma_that_covers_its_edge() {
        let conversion = Conversion::new(2, false);
        let (y, u, v) = ([126; 9], [128, 128, 128, 200], [128, 128, 128, 60]);
        let pixels = conversion.apply((3, 3), &y, &u, &v);
        let corner = conversion.apply((1, 1), &[126], &[200], &[60]);
        assert_eq!(pixels[24..], corner);
        assert_eq!(pixels[..3], [128; 3]);
    }
}
