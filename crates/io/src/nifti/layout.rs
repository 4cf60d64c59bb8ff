//! Where the fields of both headers lie, so that one piece of code reads and writes either.

use crate::{IoError, Result};

/// Format of NIfTI-1 and NIfTI-2 files in messages.
pub(super) const FORMAT: &str = "NIfTI file";
/// What ends the signature of NIfTI-2, so that a transfer as text shows.
const LINE_ENDS: [u8; 4] = *b"\r\n\x1a\n";

/// Offsets in bytes and widths of the fields that are used here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Version of the format.
    pub version: u8,
    /// Bytes of the header, which its first field repeats.
    pub n_header: usize,
    /// First byte of data in a file that holds both.
    pub least_offset: u64,
    /// Signature of a file of its own and of a pair.
    pub magic_at: usize,
    pub single: &'static [u8; 4],
    pub pair: &'static [u8; 4],
    /// Bytes of a real number, of a length and of a code.
    pub real: usize,
    pub length: usize,
    pub code: usize,
    pub datatype: usize,
    pub bitpix: usize,
    pub dim: usize,
    pub intent_parameters: usize,
    pub intent_code: usize,
    pub intent_name: usize,
    pub pixdim: usize,
    pub vox_offset: usize,
    pub scl_slope: usize,
    pub scl_inter: usize,
    /// Offset and bytes.
    pub units: (usize, usize),
    pub description: usize,
    pub qform_code: usize,
    pub sform_code: usize,
    /// Three of the quaternion, then three of the shift.
    pub quaternion: usize,
    /// Three rows of four.
    pub srow: usize,
}

pub(super) static ONE: Layout = Layout {
    version: 1,
    n_header: 348,
    least_offset: 352,
    magic_at: 344,
    single: b"n+1\0",
    pair: b"ni1\0",
    real: 4,
    length: 2,
    code: 2,
    datatype: 70,
    bitpix: 72,
    dim: 40,
    intent_parameters: 56,
    intent_code: 68,
    intent_name: 328,
    pixdim: 76,
    vox_offset: 108,
    scl_slope: 112,
    scl_inter: 116,
    units: (123, 1),
    description: 148,
    qform_code: 252,
    sform_code: 254,
    quaternion: 256,
    srow: 280,
};

pub(super) static TWO: Layout = Layout {
    version: 2,
    n_header: 540,
    least_offset: 544,
    magic_at: 4,
    single: b"n+2\0",
    pair: b"ni2\0",
    real: 8,
    length: 8,
    code: 4,
    datatype: 12,
    bitpix: 14,
    dim: 16,
    intent_parameters: 80,
    intent_code: 504,
    intent_name: 508,
    pixdim: 104,
    vox_offset: 168,
    scl_slope: 176,
    scl_inter: 184,
    units: (500, 4),
    description: 240,
    qform_code: 344,
    sform_code: 348,
    quaternion: 352,
    srow: 400,
};

/// Bytes of the longest header.
pub(super) const N_LONGEST: usize = 540;

/// The bytes of a header with their meaning.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub bytes: Vec<u8>,
    pub layout: &'static Layout,
    pub big_endian: bool,
}

impl Fields {
    /// Tells version and byte order by the first field, and whether all bytes are there.
    pub(super) fn new(bytes: &[u8]) -> Result<Self> {
        let (layout, big_endian) = match bytes.first_chunk::<4>() {
            Some(&[0x5c, 0x01, 0, 0]) => (&ONE, false),
            Some(&[0, 0, 0x01, 0x5c]) => (&ONE, true),
            Some(&[0x1c, 0x02, 0, 0]) => (&TWO, false),
            Some(&[0, 0, 0x02, 0x1c]) => (&TWO, true),
            _ => return Err(IoError::wrong_format("a NIfTI file", bytes)),
        };
        let Some(header) = bytes.get(..layout.n_header) else {
            return Err(IoError::Truncated {
                what: "the header",
                expected: layout.n_header as u64,
                found: bytes.len() as u64,
            });
        };
        Ok(Self {
            bytes: header.to_vec(),
            layout,
            big_endian,
        })
    }

    /// A header of zeros with its size and signature.
    pub(super) fn empty(layout: &'static Layout) -> Self {
        let mut fields = Self {
            bytes: vec![0; layout.n_header],
            layout,
            big_endian: false,
        };
        fields.put_integer(0, 4, layout.n_header as i64);
        fields.put_text(layout.magic_at, layout.single);
        if layout.version == 2 {
            fields.put_text(layout.magic_at + 4, &LINE_ENDS);
        }
        fields
    }

    /// Whether the data are in a file of their own.
    pub(super) fn is_pair(&self) -> Result<bool> {
        let at = self.layout.magic_at;
        let magic = &self.bytes[at..at + 4];
        let is_pair = magic == self.layout.pair;
        if !is_pair && magic != self.layout.single {
            if self.layout.version == 1 && magic == [0; 4] {
                return Err(IoError::Unsupported {
                    what: "an Analyze 7.5 file (a header without the signature of NIfTI)".into(),
                    cure: "convert it to NIfTI, which also says where left and right are",
                });
            }
            return Err(IoError::malformed(
                FORMAT,
                "magic",
                format!("\"{}\"", magic.escape_ascii()),
                "\"n+1\", \"ni1\", \"n+2\" or \"ni2\", as the size of the header says",
            ));
        }
        if self.layout.version == 2 {
            let ends = &self.bytes[at + 4..at + 8];
            if ends != LINE_ENDS && ends != [0; 4] {
                return Err(IoError::malformed(
                    FORMAT,
                    "the end of magic",
                    format!("\"{}\"", ends.escape_ascii()),
                    "\"\\r\\n\\x1a\\n\" (was the file sent as text?)",
                ));
            }
        }
        Ok(is_pair)
    }

    /// The little-endian bytes of a field of up to eight.
    fn little(&self, at: usize, n: usize) -> [u8; 8] {
        let mut little = [0; 8];
        little[..n].copy_from_slice(&self.bytes[at..at + n]);
        if self.big_endian {
            little[..n].reverse();
        }
        little
    }

    /// A signed whole number of `n` bytes.
    pub(super) fn integer(&self, at: usize, n: usize) -> i64 {
        let unused = 8 * (8 - n as u32);
        i64::from_le_bytes(self.little(at, n)) << unused >> unused
    }

    /// A code: an intent or the meaning of an affine.
    pub(super) fn code(&self, at: usize) -> i64 {
        self.integer(at, self.layout.code)
    }

    /// Element `k` of a list of lengths.
    pub(super) fn length(&self, at: usize, k: usize) -> i64 {
        self.integer(at + k * self.layout.length, self.layout.length)
    }

    /// Element `k` of a list of real numbers.
    pub(super) fn real(&self, at: usize, k: usize) -> f64 {
        let n = self.layout.real;
        let little = self.little(at + k * n, n);
        if n == 4 {
            f64::from(f32::from_le_bytes([
                little[0], little[1], little[2], little[3],
            ]))
        } else {
            f64::from_le_bytes(little)
        }
    }

    /// Text of at most `n` bytes that ends at the first zero; what is not UTF-8 becomes `U+FFFD`.
    pub(super) fn text(&self, at: usize, n: usize) -> String {
        let bytes = &self.bytes[at..at + n];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(n);
        String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned()
    }

    pub(super) fn put_integer(&mut self, at: usize, n: usize, value: i64) {
        self.bytes[at..at + n].copy_from_slice(&value.to_le_bytes()[..n]);
    }

    pub(super) fn put_code(&mut self, at: usize, value: i64) {
        self.put_integer(at, self.layout.code, value);
    }

    pub(super) fn put_length(&mut self, at: usize, k: usize, value: i64) {
        self.put_integer(at + k * self.layout.length, self.layout.length, value);
    }

    pub(super) fn put_real(&mut self, at: usize, k: usize, value: f64) {
        let n = self.layout.real;
        let at = at + k * n;
        if n == 4 {
            self.bytes[at..at + 4].copy_from_slice(&(value as f32).to_le_bytes());
        } else {
            self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
    }

    pub(super) fn put_text(&mut self, at: usize, text: &[u8]) {
        self.bytes[at..at + text.len()].copy_from_slice(text);
    }
}
