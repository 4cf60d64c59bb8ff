//! JPEG: sequential and progressive, with Huffman coding and 8 bits a sample.
//!
//! The inverse transform, the interpolation of chroma and the conversion of colours are the integer
//! methods of libjpeg (`islow`, "fancy upsampling"), so that the pixels are those of libjpeg-turbo
//! and hence of Pillow. What libjpeg guesses about damaged files is not copied: they are errors.

mod bits;
mod colour;
mod frame;
mod idct;
mod scan;
mod upsample;

use self::bits::Huffman;
use self::frame::Frame;
use self::scan::Scan;
use super::{RgbImage, check_size};
use crate::{IoError, Limits, Result};

/// Most scans of a progressive picture; each refines the whole picture, so that many small ones would
/// keep the machine busy.
const MAX_SCANS: usize = 256;
/// A block of 8 × 8 pixels takes at least one bit.
const PIXELS_PER_BYTE: u64 = 64 * 8;

pub(super) fn size(bytes: &[u8], limits: &Limits) -> Result<(usize, usize)> {
    let mut reader = Reader::new(bytes);
    while let Some((marker, body)) = reader.segment()? {
        if let Some(kind) = frame::Kind::of(marker)? {
            let frame = Frame::read(kind, body)?;
            check(&frame, bytes, limits)?;
            return Ok((frame.width, frame.height));
        }
    }
    Err(damaged("the header", "without a size", "a frame header"))
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    let mut reader = Reader::new(bytes);
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    let mut n_scans = 0;
    while let Some((marker, body)) = reader.segment()? {
        if let Some(kind) = frame::Kind::of(marker)? {
            if frame.is_some() {
                return Err(damaged("the header", "there twice", "one frame"));
            }
            let mut read = Frame::read(kind, body)?;
            check(&read, bytes, limits)?;
            read.allocate();
            frame = Some(read);
            continue;
        }
        match marker {
            0xc4 => tables.read_huffman(body)?,
            0xdb => tables.read_quantisation(body)?,
            0xdd => match *body {
                [high, low] => tables.restart = usize::from(u16::from_be_bytes([high, low])),
                _ => return Err(damaged("the restart interval", body.len(), "2 bytes")),
            },
            0xe0 if body.starts_with(b"JFIF\0") => tables.is_jfif = true,
            0xee if body.starts_with(b"Adobe") => tables.adobe = body.get(11).copied(),
            0xda => {
                let frame = frame
                    .as_mut()
                    .ok_or_else(|| damaged("a scan", "before the header", "after it"))?;
                n_scans += 1;
                if n_scans > MAX_SCANS {
                    return Err(damaged("the number of scans", n_scans, "at most 256"));
                }
                let scan = Scan::read(body, frame)?;
                reader.at = scan.decode(frame, &tables, bytes, reader.at)?;
                if frame.is_complete() {
                    break;
                }
            }
            _ => {}
        }
    }
    let Some(mut frame) = frame else {
        return Err(damaged("the header", "without a size", "a frame header"));
    };
    if let Some(missing) = frame.components.iter().position(|c| !c.is_coded) {
        return Err(damaged(
            "the data",
            format!("without channel {missing}"),
            "every channel",
        ));
    }
    frame.transform();
    let pixels = colour::to_rgb(&frame, &tables);
    Ok(RgbImage {
        width: frame.width,
        height: frame.height,
        pixels,
    })
}

fn check(frame: &Frame, bytes: &[u8], limits: &Limits) -> Result<()> {
    let size = (frame.width as u64, frame.height as u64);
    // `check_size` grants each byte of the file `max_inflation` bytes; here a byte gives blocks.
    let n_raw = (size.0 * size.1)
        .div_ceil(PIXELS_PER_BYTE)
        .saturating_mul(limits.max_inflation);
    check_size(size, n_raw, bytes.len(), limits)
}

/// What segments before a scan set for it.
#[derive(Default)]
struct Tables {
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    /// Units between restart markers; 0 for none.
    restart: usize,
    is_jfif: bool,
    /// Colour transform in Adobe's segment.
    adobe: Option<u8>,
}

impl Tables {
    fn read_huffman(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((&[class_and_slot, ref counts @ ..], rest)) = body.split_first_chunk::<17>()
        {
            let n: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let symbols = rest
                .get(..n)
                .ok_or_else(|| damaged("a Huffman table", "cut short", "its symbols"))?;
            let table = Huffman::new(counts, symbols)?;
            let slots = match class_and_slot >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                other => return Err(damaged("the class of a Huffman table", other, "0 or 1")),
            };
            *slot(slots, class_and_slot & 15)? = Some(table);
            body = &rest[n..];
        }
        Ok(())
    }

    fn read_quantisation(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((&precision_and_slot, rest)) = body.split_first() {
            let n_bytes = if precision_and_slot >> 4 == 0 { 1 } else { 2 };
            let values = rest.get(..64 * n_bytes);
            let values =
                values.ok_or_else(|| damaged("a quantisation table", "cut short", "64 values"))?;
            let mut table = [0; 64];
            for (value, &at) in values.chunks_exact(n_bytes).zip(&scan::NATURAL_ORDER) {
                table[usize::from(at)] = value
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | u16::from(byte));
            }
            *slot(&mut self.quantisation, precision_and_slot & 15)? = Some(table);
            body = &rest[64 * n_bytes..];
        }
        Ok(())
    }
}

fn slot<T>(slots: &mut [T; 4], at: u8) -> Result<&mut T> {
    let expected = "a slot from 0 to 3";
    slots
        .get_mut(usize::from(at))
        .ok_or_else(|| damaged("the slot of a table", at, expected))
}

/// Segments of the file, one after the other.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // After the start marker, by which the format was recognised.
        Self { bytes, at: 2 }
    }

    /// Marker and content of the next segment; `None` at the end marker.
    fn segment(&mut self) -> Result<Option<(u8, &'a [u8])>> {
        let cut_short = |expected: usize| IoError::Truncated {
            what: "the picture",
            expected: expected as u64,
            found: self.bytes.len() as u64,
        };
        loop {
            // Bytes before a marker are skipped, as every reader does.
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(at) = rest
                .windows(2)
                .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))
            else {
                return Err(cut_short(self.bytes.len() + 2));
            };
            let marker = rest[at + 1];
            self.at += at + 2;
            match marker {
                0xd9 => return Ok(None),
                // Markers without content.
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let size = self
                .bytes
                .get(self.at..self.at + 2)
                .ok_or_else(|| cut_short(self.at + 2))?;
            let size = usize::from(u16::from_be_bytes([size[0], size[1]]));
            let end = self.at + size.max(2);
            let body = self
                .bytes
                .get(self.at + 2..end)
                .ok_or_else(|| cut_short(end))?;
            self.at = end;
            return Ok(Some((marker, body)));
        }
    }
}

fn unsupported(what: impl Into<String>) -> IoError {
    IoError::Unsupported {
        what: what.into(),
        cure: "convert it to an 8-bit RGB JPEG or PNG",
    }
}

fn damaged(what: &'static str, found: impl std::fmt::Display, expected: &'static str) -> IoError {
    IoError::malformed("JPEG picture", what, found, expected)
}
