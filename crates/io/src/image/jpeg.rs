//! JPEG.

use jpeg_decoder::{Decoder, Error, ImageInfo, PixelFormat};

use super::{RgbImage, check_size};
use crate::{IoError, Limits, Result};

const FORMAT: &str = "JPEG picture";
/// A block of 8 × 8 pixels takes at least one bit.
const PIXELS_PER_BYTE: u64 = 64 * 8;

/// The header, if the file can hold as many pixels.
fn checked_info(
    decoder: &mut Decoder<&[u8]>,
    n_bytes: usize,
    limits: &Limits,
) -> Result<ImageInfo> {
    decoder.read_info().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| {
        IoError::malformed(FORMAT, "the header", "without a size", "a frame header")
    })?;
    let (width, height) = (u64::from(info.width), u64::from(info.height));
    let n_pixels = width * height;
    // `check_size` grants each byte of the file `max_inflation` bytes; here a byte gives blocks.
    let n_raw = n_pixels
        .div_ceil(PIXELS_PER_BYTE)
        .saturating_mul(limits.max_inflation);
    check_size((width, height), n_raw, n_bytes, limits)?;
    decoder.set_max_decoding_buffer_size(n_pixels as usize * info.pixel_format.pixel_bytes());
    Ok(info)
}

pub(super) fn size(bytes: &[u8], limits: &Limits) -> Result<(usize, usize)> {
    let info = checked_info(&mut Decoder::new(bytes), bytes.len(), limits)?;
    Ok((info.width.into(), info.height.into()))
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    let mut decoder = Decoder::new(bytes);
    let info = checked_info(&mut decoder, bytes.len(), limits)?;
    let format = info.pixel_format;
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
        width: info.width.into(),
        height: info.height.into(),
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
