//! Tagged elements in a slice of bytes.

use std::borrow::Cow;

use super::FORMAT;
use crate::{IoError, Result};

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The bytes with the least significant of each group of `size` first.
    pub(super) fn to_little(self, bytes: &[u8], size: usize) -> Cow<'_, [u8]> {
        match self {
            Self::Big if size > 1 => {
                let mut swapped = bytes.to_vec();
                swapped.chunks_exact_mut(size).for_each(<[u8]>::reverse);
                Cow::Owned(swapped)
            }
            _ => Cow::Borrowed(bytes),
        }
    }
}

/// Storage types of elements that are used here.
pub(super) mod mi {
    pub const INT8: u32 = 1;
    pub const UINT8: u32 = 2;
    pub const INT16: u32 = 3;
    pub const UINT16: u32 = 4;
    pub const INT32: u32 = 5;
    pub const UINT32: u32 = 6;
    pub const SINGLE: u32 = 7;
    pub const DOUBLE: u32 = 9;
    pub const INT64: u32 = 12;
    pub const UINT64: u32 = 13;
    pub const MATRIX: u32 = 14;
    pub const COMPRESSED: u32 = 15;
    pub const UTF8: u32 = 16;
    pub const UTF16: u32 = 17;
    pub const UTF32: u32 = 18;
}

/// One element: its storage type and content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tagged<'a> {
    pub kind: u32,
    pub data: &'a [u8],
}

/// A reading position in the elements of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub rest: &'a [u8],
    pub endian: Endian,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(rest: &'a [u8], endian: Endian) -> Self {
        Self { rest, endian }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8]> {
        let (head, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or_else(|| IoError::Truncated {
                what,
                expected: n as u64,
                found: self.rest.len() as u64,
            })?;
        self.rest = rest;
        Ok(head)
    }

    fn word(&mut self) -> Result<u32> {
        let bytes = self.take(4, "the tag of an element")?;
        Ok(self.endian.u32([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Storage type and size of the next element, which is in the long form.
    pub(super) fn tag(&mut self) -> Result<(u32, usize)> {
        Ok((self.word()?, self.word()? as usize))
    }

    /// The next element with its padding to eight bytes.
    pub(super) fn element(&mut self) -> Result<Tagged<'a>> {
        let first = self.word()?;
        // Small elements keep type and size in one word and up to four bytes in the next.
        let (small_size, small_kind) = ((first >> 16) as usize, first & 0xffff);
        if small_size != 0 {
            if small_size > 4 {
                return Err(IoError::malformed(
                    FORMAT,
                    "the size of a small element",
                    small_size,
                    "at most 4 bytes",
                ));
            }
            let word = self.take(4, "a small element")?;
            return Ok(Tagged {
                kind: small_kind,
                data: &word[..small_size],
            });
        }
        let size = self.word()? as usize;
        let data = self.take(size, "an element")?;
        // Some writers leave the padding of the very last element out; matrices and compressed data
        // are never padded.
        if !matches!(first, mi::MATRIX | mi::COMPRESSED) {
            let n_padding = size.next_multiple_of(8) - size;
            self.rest = &self.rest[n_padding.min(self.rest.len())..];
        }
        Ok(Tagged { kind: first, data })
    }

    /// The next element, which must be of `kind`.
    pub(super) fn expect(&mut self, kind: u32, what: &'static str) -> Result<&'a [u8]> {
        let element = self.element()?;
        if element.kind != kind {
            return Err(IoError::malformed(
                FORMAT,
                what,
                format!("of storage type {}", element.kind),
                "the type that the format prescribes",
            ));
        }
        Ok(element.data)
    }
}
