//! The header: magic, version, and a Python dictionary in text.

use std::io::Read;

use super::{FORMAT, Header, fill};
use crate::{Dtype, IoError, Result};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy itself refuses longer ones from untrusted files.
const MAX_TEXT: usize = 10_000;
/// NumPy's own bound.
const MAX_AXES: usize = 64;
/// NumPy leaves room to change the first axis in place up to this many digits.
const GROWTH_DIGITS: usize = 21;

/// Reads the header and leaves the reader at the first element.
pub(super) fn read(reader: &mut impl Read) -> Result<Header> {
    let mut magic = [0; 8];
    let n_read = read_up_to(reader, &mut magic)?;
    if !magic[..n_read].starts_with(MAGIC) {
        return Err(IoError::wrong_format("an npy file", &magic[..n_read]));
    }
    if n_read < magic.len() {
        return Err(IoError::Truncated {
            what: "the start of the header",
            expected: magic.len() as u64,
            found: n_read as u64,
        });
    }
    let (n_text, n_length) = match magic[6] {
        1 => {
            let mut length = [0; 2];
            fill(reader, &mut length, "the length of the header")?;
            (usize::from(u16::from_le_bytes(length)), 2)
        }
        2 | 3 => {
            let mut length = [0; 4];
            fill(reader, &mut length, "the length of the header")?;
            (u32::from_le_bytes(length) as usize, 4)
        }
        version => {
            return Err(IoError::malformed(
                FORMAT,
                "the format version",
                version,
                "1, 2 or 3",
            ));
        }
    };
    if n_text > MAX_TEXT {
        return Err(IoError::malformed(
            FORMAT,
            "the length of the header",
            n_text,
            "at most 10000 bytes",
        ));
    }
    let mut text = vec![0; n_text];
    fill(reader, &mut text, "the header")?;
    let text = std::str::from_utf8(&text)
        .map_err(|_| IoError::malformed(FORMAT, "the header", "not text", "a Python dictionary"))?;
    let mut header = Parser { rest: text }.header()?;
    header.data_offset = (magic.len() + n_length + n_text) as u64;
    Ok(header)
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut n_read = 0;
    while n_read < buffer.len() {
        match reader.read(&mut buffer[n_read..]) {
            Ok(0) => break,
            Ok(n) => n_read += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(IoError::os("read the file")(error)),
        }
    }
    Ok(n_read)
}

/// The header that NumPy writes for an array in C order.
pub(super) fn bytes(dtype: Dtype, shape: &[usize]) -> Vec<u8> {
    let axes = match shape {
        [one] => format!("{one},"),
        many => many
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let mut text = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({axes}), }}",
        descr(dtype)
    );
    if let Some(first) = shape.first() {
        text += &" ".repeat(GROWTH_DIGITS.saturating_sub(first.to_string().len()));
    }
    let n_before = MAGIC.len() + 4;
    let n_padding = 64 - (n_before + text.len() + 1) % 64;
    text += &" ".repeat(n_padding);
    text.push('\n');
    let n_text = u16::try_from(text.len()).expect("a shape of at most 64 axes fits");
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(n_text.to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

fn descr(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Bool => "|b1",
        Dtype::I8 => "|i1",
        Dtype::I16 => "<i2",
        Dtype::I32 => "<i4",
        Dtype::I64 => "<i8",
        Dtype::U8 => "|u1",
        Dtype::U16 => "<u2",
        Dtype::U32 => "<u4",
        Dtype::U64 => "<u8",
        Dtype::F16 => "<f2",
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
    }
}

/// Byte order and type of a `descr` text.
fn dtype(descr: &str) -> Result<(Dtype, bool)> {
    let (order, code) = match descr.as_bytes().first() {
        Some(b'<' | b'>' | b'|' | b'=') => descr.split_at(1),
        _ => ("=", descr),
    };
    let dtype = match code {
        "b1" | "?" => Dtype::Bool,
        "i1" => Dtype::I8,
        "i2" => Dtype::I16,
        "i4" => Dtype::I32,
        "i8" => Dtype::I64,
        "u1" => Dtype::U8,
        "u2" => Dtype::U16,
        "u4" => Dtype::U32,
        "u8" => Dtype::U64,
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        _ => {
            let kind = match code.as_bytes().first() {
                Some(b'O') => "Python objects",
                Some(b'U' | b'S' | b'a') => "text",
                Some(b'c') => "complex numbers",
                Some(b'M' | b'm') => "dates",
                _ => "a type other than bool, integer or float",
            };
            return Err(IoError::Unsupported {
                what: format!("an array of {kind} (dtype {descr:?})"),
                cure: "save it with a numeric dtype, e.g. x.astype('float64'); pickled objects are never loaded",
            });
        }
    };
    Ok((dtype, order == ">"))
}

/// A reader of the one dictionary that NumPy writes.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn header(&mut self) -> Result<Header> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.accept('}') {
            let key = self.string()?;
            self.expect(':')?;
            match key {
                "descr" => descr = Some(self.descr()?),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.shape()?),
                _ => return Err(self.unexpected()),
            }
            if !self.accept(',') {
                self.expect('}')?;
                break;
            }
        }
        self.skip_space();
        if !self.rest.is_empty() {
            return Err(self.unexpected());
        }
        let (Some((dtype, big_endian)), Some(fortran_order), Some(shape)) =
            (descr, fortran_order, shape)
        else {
            return Err(IoError::malformed(
                FORMAT,
                "the header",
                "incomplete",
                "the keys descr, fortran_order and shape",
            ));
        };
        Ok(Header {
            dtype,
            big_endian,
            fortran_order,
            shape,
            data_offset: 0,
        })
    }

    fn descr(&mut self) -> Result<(Dtype, bool)> {
        self.skip_space();
        if self.rest.starts_with(['[', '(']) {
            return Err(IoError::Unsupported {
                what: "an array of records (structured dtype)".into(),
                cure: "save each field as an array of its own",
            });
        }
        dtype(self.string()?)
    }

    fn shape(&mut self) -> Result<Vec<usize>> {
        self.expect('(')?;
        let mut shape = Vec::new();
        while !self.accept(')') {
            shape.push(self.integer()?);
            if shape.len() > MAX_AXES {
                return Err(self.unexpected());
            }
            if !self.accept(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn integer(&mut self) -> Result<usize> {
        self.skip_space();
        let n_digits = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(n_digits);
        let value = digits.parse().map_err(|_| self.unexpected())?;
        // Python 2 wrote long integers with an L.
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        Ok(value)
    }

    fn boolean(&mut self) -> Result<bool> {
        self.skip_space();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.unexpected())
    }

    fn string(&mut self) -> Result<&'a str> {
        self.skip_space();
        let quote = match self.rest.chars().next() {
            Some(quote @ ('\'' | '"')) => quote,
            _ => return Err(self.unexpected()),
        };
        let Some((string, rest)) = self.rest[1..].split_once(quote) else {
            return Err(self.unexpected());
        };
        self.rest = rest;
        Ok(string)
    }

    fn expect(&mut self, symbol: char) -> Result<()> {
        if self.accept(symbol) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn accept(&mut self, symbol: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn unexpected(&self) -> IoError {
        let found: String = self.rest.chars().take(20).collect();
        IoError::malformed(
            FORMAT,
            "the header",
            format!("{found:?} …"),
            "a dictionary of descr, fortran_order and shape",
        )
    }
}
