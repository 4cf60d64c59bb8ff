//! From the channels of a file to red, green and blue.

use super::frame::Frame;
use super::{Tables, upsample};

/// What the channels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Grey,
    Rgb,
    /// Luma and two of chroma.
    Ycc,
    /// Inks; stored inverted, as Pillow takes it for all files.
    Cmyk,
    /// Inks of which three are told as luma and chroma.
    Ycck,
}

impl Space {
    /// As libjpeg finds it: by JFIF's segment, then Adobe's, then the names of the channels.
    fn of(frame: &Frame, tables: &Tables) -> Self {
        let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
        match (ids.as_slice(), tables.adobe) {
            ([_], _) => Self::Grey,
            ([_, _, _], _) if tables.is_jfif => Self::Ycc,
            ([_, _, _], Some(0)) => Self::Rgb,
            ([b'R', b'G', b'B'], None) => Self::Rgb,
            ([_, _, _], _) => Self::Ycc,
            (_, Some(0) | None) => Self::Cmyk,
            _ => Self::Ycck,
        }
    }
}

/// The pixels of a picture whose planes are complete.
pub(super) fn to_rgb(frame: &Frame, tables: &Tables) -> Vec<u8> {
    let space = Space::of(frame, tables);
    let mut pixels = vec![0; frame.width * frame.height * 3];
    let mut rows = vec![vec![0; frame.width]; frame.components.len()];
    for (y, out) in pixels.chunks_exact_mut(frame.width * 3).enumerate() {
        for (component, row) in frame.components.iter().zip(&mut rows) {
            upsample::row(frame, component, y, row);
        }
        let (out, _) = out.as_chunks_mut::<3>();
        match rows.as_slice() {
            [a, b, c, d] => {
                let inks = a.iter().zip(b).zip(c.iter().zip(d));
                for (pixel, ((a, b), (c, black))) in out.iter_mut().zip(inks) {
                    let inks = match space {
                        // Turned over, the luma and chroma of inks are those of light.
                        Space::Ycck => rgb(*a, *b, *c),
                        _ => [a, b, c].map(|ink| 255 - ink),
                    };
                    *pixel = paper(inks, 255 - black);
                }
            }
            [a, b, c] => {
                let channels = a.iter().zip(b).zip(c);
                if space == Space::Ycc {
                    for (pixel, ((luma, blue), red)) in out.iter_mut().zip(channels) {
                        *pixel = rgb(*luma, *blue, *red);
                    }
                } else {
                    for (pixel, ((red, green), blue)) in out.iter_mut().zip(channels) {
                        *pixel = [*red, *green, *blue];
                    }
                }
            }
            other => {
                for (pixel, grey) in out.iter_mut().zip(&other[0]) {
                    *pixel = [*grey; 3];
                }
            }
        }
    }
    pixels
}

/// Red, green and blue from luma and chroma, with 16 binary digits after the point.
fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (luma, blue, red) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
    [
        luma + ((91_881 * red + HALF) >> 16),
        luma + ((-22_554 * blue - 46_802 * red + HALF) >> 16),
        luma + ((116_130 * blue + HALF) >> 16),
    ]
    .map(|value| value.clamp(0, 255) as u8)
}

/// What paper with cyan, magenta, yellow and black ink reflects, as Pillow computes it.
fn paper(inks: [u8; 3], black: u8) -> [u8; 3] {
    let white = 255 - i32::from(black);
    inks.map(|ink| {
        // The product over 255, rounded.
        let product = i32::from(ink) * white + 128;
        let absorbed = ((product >> 8) + product) >> 8;
        (white - absorbed).clamp(0, 255) as u8
    })
}
