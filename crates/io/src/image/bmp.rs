//! BMP without compression.

use super::{RgbImage, check_size};
use crate::{IoError, Limits, Result};

const FORMAT: &str = "BMP picture";
/// Masks of red, green and blue in a pixel of 32 bits that means the same as one without masks.
const USUAL_MASKS: [u32; 3] = [0x00ff_0000, 0x0000_ff00, 0x0000_00ff];

struct Header {
    width: usize,
    height: usize,
    /// Rows from the top instead of from the bottom.
    top_down: bool,
    bits: usize,
    /// Bytes of a row in the file, which fill whole words.
    stride: usize,
    pixels_at: usize,
    palette_at: usize,
    n_colours: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let field = bytes
        .get(at..at + 2)
        .and_then(|field| field.try_into().ok());
    field
        .map(u16::from_le_bytes)
        .ok_or_else(|| cut_short(at as u64 + 2, bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let field = bytes
        .get(at..at + 4)
        .and_then(|field| field.try_into().ok());
    field
        .map(u32::from_le_bytes)
        .ok_or_else(|| cut_short(at as u64 + 4, bytes))
}

fn cut_short(expected: u64, bytes: &[u8]) -> IoError {
    IoError::Truncated {
        what: "the picture",
        expected,
        found: bytes.len() as u64,
    }
}

fn unsupported(what: String) -> IoError {
    IoError::Unsupported {
        what,
        cure: "convert it to an 8-bit RGB PNG",
    }
}

impl Header {
    fn read(bytes: &[u8], limits: &Limits) -> Result<Self> {
        let n_header = u32_at(bytes, 14)? as usize;
        if ![40, 52, 56, 108, 124].contains(&n_header) {
            return Err(unsupported(format!(
                "a BMP picture with a header of {n_header} bytes"
            )));
        }
        let (width, height) = (
            u32_at(bytes, 18)?.cast_signed(),
            u32_at(bytes, 22)?.cast_signed(),
        );
        if width <= 0 || height == 0 {
            let found = format!("{width}×{height}");
            return Err(IoError::malformed(
                FORMAT,
                "the size",
                found,
                "at least one pixel",
            ));
        }
        let size = (
            u64::from(width.unsigned_abs()),
            u64::from(height.unsigned_abs()),
        );
        let bits = u16_at(bytes, 28)?;
        let masks_are_usual = || -> Result<bool> {
            let masks = [u32_at(bytes, 54)?, u32_at(bytes, 58)?, u32_at(bytes, 62)?];
            Ok(bits == 32 && masks == USUAL_MASKS)
        };
        let readable = match u32_at(bytes, 30)? {
            0 => [1, 4, 8, 24, 32].contains(&bits),
            3 => masks_are_usual()?,
            _ => false,
        };
        if !readable {
            return Err(unsupported(format!(
                "a compressed BMP picture, or one of {bits} bits a pixel,"
            )));
        }
        let stride = (size.0 * u64::from(bits)).div_ceil(32) * 4;
        let pixels_at = u64::from(u32_at(bytes, 10)?);
        check_size(size, 0, bytes.len(), limits)?;
        let end = pixels_at + stride * size.1;
        if end > bytes.len() as u64 {
            return Err(cut_short(end, bytes));
        }
        // Without a count the palette has as many colours as there can be.
        let most = if bits <= 8 { 1 << bits } else { 0 };
        let n_colours = match u32_at(bytes, 46)? as usize {
            0 => most,
            n => n.min(most),
        };
        Ok(Self {
            width: size.0 as usize,
            height: size.1 as usize,
            top_down: height < 0,
            bits: bits.into(),
            stride: stride as usize,
            pixels_at: pixels_at as usize,
            palette_at: 14 + n_header,
            n_colours,
        })
    }
}

pub(super) fn size(bytes: &[u8], limits: &Limits) -> Result<(usize, usize)> {
    let header = Header::read(bytes, limits)?;
    Ok((header.width, header.height))
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    let header = Header::read(bytes, limits)?;
    let palette_end = header.palette_at + header.n_colours * 4;
    let palette = bytes.get(header.palette_at..palette_end);
    let palette = palette.ok_or_else(|| cut_short(palette_end as u64, bytes))?;
    let mut pixels = Vec::with_capacity(header.width * header.height * 3);
    for row in 0..header.height {
        let row = if header.top_down {
            row
        } else {
            header.height - 1 - row
        };
        let at = header.pixels_at + row * header.stride;
        let row = &bytes[at..at + header.stride];
        if header.bits >= 24 {
            let stored = row.chunks_exact(header.bits / 8).take(header.width);
            pixels.extend(stored.flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]));
            continue;
        }
        for column in 0..header.width {
            let bit = column * header.bits;
            let shift = 8 - header.bits - bit % 8;
            let colour = usize::from(row[bit / 8] >> shift) & ((1 << header.bits) - 1);
            // A colour outside of the palette is black, as in Pillow.
            let entry = palette.get(colour * 4..colour * 4 + 3).unwrap_or(&[0; 3]);
            pixels.extend([entry[2], entry[1], entry[0]]);
        }
    }
    Ok(RgbImage {
        width: header.width,
        height: header.height,
        pixels,
    })
}
