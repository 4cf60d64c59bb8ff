//! Orientation tags: how a camera was held.

use serde::{Deserialize, Serialize};

use super::RgbImage;

/// What becomes of the orientation tag (EXIF) of a picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// It is ignored, as torchvision's loaders do: a network sees the pixels as they are stored.
    #[default]
    Ignore,
    /// The picture is turned and mirrored as the tag says, as picture viewers do (Pillow:
    /// `ImageOps.exif_transpose`).
    Exif,
}

/// The orientation of EXIF data: 1 (upright) to 8; 1 when there is none.
pub(super) fn tag(exif: &[u8]) -> u16 {
    read_tag(exif)
        .filter(|tag| (1..=8).contains(tag))
        .unwrap_or(1)
}

/// Most entries of a directory that are looked at.
const MAX_ENTRIES: usize = 512;
const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

fn read_tag(exif: &[u8]) -> Option<u16> {
    let little = match exif.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let (low, high) = if little { (4, 6) } else { (6, 4) };
    let directory = usize::from(u16_at(high)?) << 16 | usize::from(u16_at(low)?);
    let n_entries = usize::from(u16_at(directory)?).min(MAX_ENTRIES);
    (0..n_entries)
        .map(|entry| directory + 2 + entry * 12)
        .find(|&at| u16_at(at) == Some(ORIENTATION) && u16_at(at + 2) == Some(SHORT))
        .and_then(|at| u16_at(at + 8))
}

/// The EXIF data of a JPEG file.
pub(super) fn exif_of_jpeg(bytes: &[u8]) -> Option<&[u8]> {
    segments(bytes)
        .filter(|(marker, _)| *marker == 0xe1)
        .find_map(|(_, body)| body.strip_prefix(b"Exif\0\0"))
}

/// Marker and content of each segment of a JPEG file before its pixels.
pub(super) fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    std::iter::from_fn(move || {
        let &[0xff, marker, high, low] = bytes.get(at..at + 4)? else {
            return None;
        };
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        let body = bytes.get(at + 4..end)?;
        at = end;
        (marker != START_OF_SCAN).then_some((marker, body))
    })
}

/// The picture as it was seen by the camera.
pub(super) fn upright(image: RgbImage, tag: u16) -> RgbImage {
    let (width, height) = (image.width, image.height);
    // For each pixel of the result, row and column it comes from.
    let source: &dyn Fn(usize, usize) -> (usize, usize) = match tag {
        2 => &|y, x| (y, width - 1 - x),
        3 => &|y, x| (height - 1 - y, width - 1 - x),
        4 => &|y, x| (height - 1 - y, x),
        5 => &|y, x| (x, y),
        6 => &|y, x| (height - 1 - x, y),
        7 => &|y, x| (height - 1 - x, width - 1 - y),
        8 => &|y, x| (x, width - 1 - y),
        _ => return image,
    };
    let (new_width, new_height) = if tag >= 5 {
        (height, width)
    } else {
        (width, height)
    };
    let (stored, _) = image.pixels.as_chunks::<3>();
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (from_y, from_x) = source(y, x);
            pixels.extend_from_slice(&stored[from_y * width + from_x]);
        }
    }
    RgbImage {
        width: new_width,
        height: new_height,
        pixels,
    }
}
