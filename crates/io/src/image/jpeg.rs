//! JPEG.

use jpeg_decoder::{Decoder, Error, PixelFormat};

use super::{RgbImage, check_size};
use crate::{IoError, Limits, Result};

const FORMAT: &str = "JPEG picture";
/// A block of 8 × 8 pixels takes at least one bit.
const PIXELS_PER_BYTE: u64 = 64 * 8;

fn decoder<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(Decoder<&'a [u8]>, PixelFormat, (usize, usize))> {
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| {
        IoError::malformed(FORMAT, "the header", "without a size", "a frame header")
    })?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let n_pixels = width as u64 * height as u64;
    // With the factor of `Limits::max_inflation`, what the file can hold is bounded twice over.
    let n_raw = n_pixels
        .div_ceil(PIXELS_PER_BYTE)
        .saturating_mul(limits.max_inflation);
    check_size((width as u64, height as u64), n_raw, bytes.len(), limits)?;
    decoder.set_max_decoding_buffer_size(n_pixels as usize * info.pixel_format.pixel_bytes());
    Ok((decoder, info.pixel_format, (width, height)))
}

pub(super) fn size(bytes: &[u8], limits: &Limits) -> Result<(usize, usize)> {
    Ok(decoder(bytes, limits)?.2)
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    let (mut decoder, format, (width, height)) = decoder(bytes, limits)?;
    let what = match format {
        PixelFormat::L8 | PixelFormat::RGB24 => None,
        PixelFormat::CMYK32 => Some("a CMYK picture"),
        PixelFormat::L16 => Some("a picture of more than 8 bits a channel"),
    };
    if let Some(what) = what {
        return Err(unsupported(what));
    }
    let decoded = decoder.decode().map_err(damaged)?;
    let pixels = match format {
        PixelFormat::RGB24 => decoded,
        _ => decoded.iter().flat_map(|grey| [*grey; 3]).collect(),
    };
    Ok(RgbImage {
        width,
        height,
        pixels,
    })
}

fn unsupported(what: impl Into<String>) -> IoError {
    IoError::Unsupported {
        what: what.into(),
        cure: "convert it to an 8-bit RGB JPEG or PNG",
    }
}

fn damaged(error: Error) -> IoError {
    match error {
        Error::Unsupported(feature) => unsupported(format!("a JPEG picture with {feature:?}")),
        other => IoError::malformed(FORMAT, "the data", other, "a whole JPEG file"),
    }
}
