//! Pictures as 8-bit RGB.
//!
//! PNG, JPEG and BMP, told apart by their first bytes, never by their ending. The result is that of Pillow's
//! `Image.open(path).convert("RGB")`, which torchvision's loaders use: grey becomes three equal
//! channels, palettes are looked up, transparency is dropped without blending, inks become what paper
//! would reflect, and an EXIF orientation is applied on demand only.
//!
//! # Peers
//!
//! Pillow 13 (libjpeg-turbo 3): the same bytes, but for 16-bit grey PNG, of which the upper eight bits are
//! kept as they are of 16-bit RGB, where Pillow clips at 255, which leaves a white sheet.
//!
//! # Not here
//!
//! JPEG of 12 bits, lossless or with arithmetic coding, compressed BMP, GIF, WebP, TIFF, HEIF: refused with a cure. Colour profiles
//! and animation: ignored.

use std::path::Path;

use crate::error::AtPath;
use crate::source::read_file;
use crate::{IoError, Limits, Result};

mod bmp;
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

/// Orientation of a picture: 1 (upright) to 8, of which 5 and more lie on their side.
fn orientation_tag(bytes: &[u8]) -> u16 {
    match Kind::of(bytes) {
        Ok(Kind::Png) => png::exif(bytes).map_or(1, |exif| orientation::tag(&exif)),
        Ok(Kind::Jpeg) => orientation::exif_of_jpeg(bytes).map_or(1, orientation::tag),
        Ok(Kind::Bmp) | Err(_) => 1,
    }
}

/// Decodes the bytes of a picture.
///
/// # Errors
///
/// As [`read`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    match Kind::of(bytes)? {
        Kind::Bmp => bmp::decode(bytes, limits),
        Kind::Png => png::decode(bytes, limits),
        Kind::Jpeg => jpeg::decode(bytes, limits),
    }
}

/// Width and height that [`read_oriented`] gives a picture, from its header; the pixels are not decoded.
///
/// # Errors
///
/// As [`read`].
pub fn size(path: impl AsRef<Path>, orientation: Orientation) -> Result<(usize, usize)> {
    let path = path.as_ref();
    let limits = Limits::default();
    let bytes = read_file(path, &limits)?;
    let (width, height) = Kind::of(&bytes)
        .and_then(|kind| match kind {
            Kind::Bmp => bmp::size(&bytes, &limits),
            Kind::Png => png::size(&bytes, &limits),
            Kind::Jpeg => jpeg::size(&bytes, &limits),
        })
        .at(path)?;
    let lies = orientation == Orientation::Exif && orientation_tag(&bytes) >= 5;
    Ok(if lies {
        (height, width)
    } else {
        (width, height)
    })
}

enum Kind {
    Bmp,
    Png,
    Jpeg,
}

impl Kind {
    fn of(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Ok(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Ok(Self::Jpeg)
        } else if bytes.starts_with(b"BM") {
            Ok(Self::Bmp)
        } else if let Some(name) = other_kind(bytes) {
            Err(IoError::Unsupported {
                what: format!("a {name} picture"),
                cure: "convert it to PNG, e.g. with Pillow: Image.open(FILE).convert(\"RGB\").save(\"OUT.png\")",
            })
        } else {
            Err(IoError::wrong_format("a PNG, JPEG or BMP picture", bytes))
        }
    }
}

/// Names of pictures that are known but not read, by how they begin.
fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(4..12).unwrap_or_default();
    match bytes {
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("WebP"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some("TIFF"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => Some("JPEG 2000"),
        _ if brand == b"ftypavif" => Some("AVIF"),
        _ if [&b"ftypheic"[..], b"ftypheix", b"ftypmif1"].contains(&brand) => Some("HEIF"),
        _ => None,
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
