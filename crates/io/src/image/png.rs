//! PNG.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, Transformations};

use super::{RgbImage, check_size};
use crate::{IoError, Limits, Result};

const FORMAT: &str = "PNG picture";
/// Room for rows and ancillary chunks; the pixels themselves are not counted.
const MAX_WORK_BYTES: usize = 256 << 20;

/// What the bytes of a picture to be encoded mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// One byte a pixel.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, opacity.
    Rgba,
}

impl Channels {
    fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

fn decoder(bytes: &[u8]) -> Decoder<Cursor<&[u8]>> {
    let limits = png::Limits {
        bytes: MAX_WORK_BYTES,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder
}

/// Width and height, if the file can hold as many pixels.
fn checked_size(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    bytes: &[u8],
    limits: &Limits,
) -> Result<(usize, usize)> {
    let info = decoder
        .read_header_info()
        .map_err(|error| empty(bytes).unwrap_or(damaged(&error)))?;
    let (width, height) = (info.width, info.height);
    let bits = info.color_type.samples() as u64 * info.bit_depth as u64;
    let n_raw = (u64::from(width) * bits)
        .div_ceil(8)
        .saturating_mul(u64::from(height));
    let size = (u64::from(width), u64::from(height));
    check_size(size, n_raw, bytes.len(), limits)?;
    Ok((width as usize, height as usize))
}

/// The error for a header with a side of zero pixels, which the decoder refuses without the size.
fn empty(bytes: &[u8]) -> Option<IoError> {
    let side = |at: usize| {
        bytes
            .get(at..at + 4)?
            .try_into()
            .ok()
            .map(u32::from_be_bytes)
    };
    let (width, height) = (side(16)?, side(20)?);
    let size = format!("{width}×{height}");
    (width == 0 || height == 0)
        .then(|| IoError::malformed(FORMAT, "the size", size, "at least one pixel"))
}

pub(super) fn size(bytes: &[u8], limits: &Limits) -> Result<(usize, usize)> {
    checked_size(&mut decoder(bytes), bytes, limits)
}

/// The EXIF data before the pixels.
pub(super) fn exif(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = decoder(bytes).read_info().ok()?;
    let exif = reader.info().exif_metadata.as_ref()?;
    Some(exif.to_vec())
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    let mut decoder = decoder(bytes);
    let (width, height) = checked_size(&mut decoder, bytes, limits)?;
    let mut reader = decoder.read_info().map_err(|error| damaged(&error))?;
    let (color, depth) = reader.output_color_type();
    let n_bytes = reader.output_buffer_size().ok_or_else(|| {
        IoError::malformed(
            FORMAT,
            "the size",
            format!("{width}×{height}"),
            "one that memory can address",
        )
    })?;
    debug_assert_eq!(depth, BitDepth::Eight);
    let mut expanded = vec![0; n_bytes];
    reader
        .next_frame(&mut expanded)
        .map_err(|error| damaged(&error))?;
    let grey = |n_samples: usize, expanded: Vec<u8>| -> Vec<u8> {
        expanded
            .chunks_exact(n_samples)
            .flat_map(|pixel| [pixel[0]; 3])
            .collect()
    };
    let pixels = match color {
        ColorType::Rgb => expanded,
        ColorType::Rgba => expanded
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect(),
        ColorType::GrayscaleAlpha => grey(2, expanded),
        // A palette is expanded by the decoder.
        ColorType::Grayscale | ColorType::Indexed => grey(1, expanded),
    };
    Ok(RgbImage {
        width,
        height,
        pixels,
    })
}

fn damaged(error: &DecodingError) -> IoError {
    IoError::malformed(FORMAT, "the data", error, "a whole PNG file")
}

/// The bytes of a PNG file; the same picture gives the same bytes.
///
/// # Errors
///
/// [`IoError::WrongCount`] when the number of bytes does not fit the size.
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>> {
    encode_png_as(image.width, image.height, Channels::Rgb, &image.pixels)
}

/// [`encode_png`] for other channels.
///
/// # Errors
///
/// As [`encode_png`].
pub fn encode_png_as(
    width: usize,
    height: usize,
    channels: Channels,
    pixels: &[u8],
) -> Result<Vec<u8>> {
    let shape = vec![height, width, channels.count()];
    let expected = crate::array::n_elements(&shape);
    let (width, height) = (u32::try_from(width), u32::try_from(height));
    let (Ok(width @ 1..), Ok(height @ 1..), Some(expected)) = (width, height, expected) else {
        return Err(IoError::malformed(
            FORMAT,
            "the size",
            format!("{shape:?}"),
            "1 to 4294967295 pixels on each side",
        ));
    };
    if expected != pixels.len() as u64 {
        return Err(IoError::WrongCount {
            shape,
            expected,
            found: pixels.len() as u64,
        });
    }
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_color(match channels {
        Channels::Grey => ColorType::Grayscale,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    });
    let write = || -> std::result::Result<(), png::EncodingError> {
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        writer.finish()
    };
    write().map_err(|error| IoError::os("encode the picture")(error.into()))?;
    Ok(bytes)
}
