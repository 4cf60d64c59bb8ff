//! Pictures as 8-bit RGB.
//!
//! PNG and JPEG, told apart by their first bytes, never by their ending. The result is that of Pillow's
//! `Image.open(path).convert("RGB")`, which torchvision's loaders use: grey becomes three equal
//! channels, palettes are looked up, transparency is dropped without blending, and an EXIF orientation
//! is not applied.
//!
//! # Peers
//!
//! Pillow 13. PNG: the same bytes for 8 bits and fewer; of 16 bits the upper eight are kept, where
//! Pillow clips grey at 255. JPEG: within 3 levels of Pillow (libjpeg-turbo), because the inverse
//! transform rounds differently.
//!
//! # Not here
//!
//! CMYK, 12-bit and lossless JPEG, colour profiles, animation: refused or, for the last two, ignored.

use std::path::Path;

use crate::error::AtPath;
use crate::source::read_file;
use crate::{IoError, Limits, Result};

mod jpeg;
mod orientation;
mod png;

pub use self::orientation::Orientation;
pub use self::png::{Channels, encode_png, encode_png_as};

/// A picture of 8-bit RGB pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue of each pixel, rows from the top: `width · height · 3` bytes.
    pub pixels: Vec<u8>,
}

/// Reads a picture within the default [`Limits`].
///
/// # Errors
///
/// [`IoError`] when the file cannot be read, is no PNG or JPEG, is damaged or cut short, is of a kind
/// that is not read, or has too many pixels.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("dot.png");
/// use consilience_io::image::{self, RgbImage};
/// let dot = RgbImage { width: 1, height: 1, pixels: vec![255, 128, 0] };
/// std::fs::write(&path, image::encode_png(&dot)?).unwrap();
/// assert_eq!(image::read(&path)?, dot);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<RgbImage> {
    read_oriented(path, Orientation::Ignore)
}

/// [`read`], with a choice of what becomes of an orientation tag.
///
/// # Errors
///
/// As [`read`].
pub fn read_oriented(path: impl AsRef<Path>, orientation: Orientation) -> Result<RgbImage> {
    let path = path.as_ref();
    let limits = Limits::default();
    let bytes = read_file(path, &limits)?;
    let image = decode(&bytes, &limits).at(path)?;
    Ok(match orientation {
        Orientation::Ignore => image,
        Orientation::Exif => orientation::upright(image, orientation_tag(&bytes)),
    })
}

/// Orientation of a picture that was decoded already: 1 (upright) to 8.
fn orientation_tag(bytes: &[u8]) -> u16 {
    match Kind::of(bytes) {
        Ok(Kind::Png) => png::exif(bytes).map_or(1, |exif| orientation::tag(&exif)),
        Ok(Kind::Jpeg) => orientation::exif_of_jpeg(bytes).map_or(1, orientation::tag),
        Err(_) => 1,
    }
}

/// Decodes the bytes of a picture.
///
/// # Errors
///
/// As [`read`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    match Kind::of(bytes)? {
        Kind::Png => png::decode(bytes, limits),
        Kind::Jpeg => jpeg::decode(bytes, limits),
    }
}

/// Width and height of a picture from its header; the pixels are not decoded.
///
/// # Errors
///
/// As [`read`].
pub fn size(path: impl AsRef<Path>) -> Result<(usize, usize)> {
    let path = path.as_ref();
    let limits = Limits::default();
    let bytes = read_file(path, &limits)?;
    Kind::of(&bytes)
        .and_then(|kind| match kind {
            Kind::Png => png::size(&bytes, &limits),
            Kind::Jpeg => jpeg::size(&bytes, &limits),
        })
        .at(path)
}

enum Kind {
    Png,
    Jpeg,
}

impl Kind {
    fn of(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Ok(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Ok(Self::Jpeg)
        } else {
            Err(IoError::wrong_format("a PNG or JPEG picture", bytes))
        }
    }
}

/// Refuses sizes over the limit and sizes that `n_bytes` of file cannot hold.
///
/// `n_raw` is the least number of bytes that the decompressor has to give for such a picture.
fn check_size(
    (width, height): (u64, u64),
    n_raw: u64,
    n_bytes: usize,
    limits: &Limits,
) -> Result<()> {
    // Both sides have at most 32 bits.
    let n_pixels = width * height;
    if n_pixels > limits.max_pixels {
        return Err(IoError::OverLimit {
            what: "pixels of the picture",
            found: n_pixels,
            limit: limits.max_pixels,
            raise: "max_pixels",
        });
    }
    let possible = (n_bytes as u64).saturating_mul(limits.max_inflation);
    if n_raw > possible {
        return Err(IoError::Truncated {
            what: "the picture",
            expected: n_raw.div_ceil(limits.max_inflation.max(1)),
            found: n_bytes as u64,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
