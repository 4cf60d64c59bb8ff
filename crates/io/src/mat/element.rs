//! From elements to values.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::bytes::{Bytes, mi};
use super::numbers::Stored;
use super::{FORMAT, MatCell, MatStruct, MatText, MatValue};
use crate::array::n_elements;
use crate::{AnyArray, IoError, Limits, Result};

/// Array classes.
mod mx {
    pub const CELL: u8 = 1;
    pub const STRUCT: u8 = 2;
    pub const OBJECT: u8 = 3;
    pub const CHAR: u8 = 4;
    pub const SPARSE: u8 = 5;
    pub const DOUBLE: u8 = 6;
    pub const SINGLE: u8 = 7;
    pub const INT8: u8 = 8;
    pub const UINT8: u8 = 9;
    pub const INT16: u8 = 10;
    pub const UINT16: u8 = 11;
    pub const INT32: u8 = 12;
    pub const UINT32: u8 = 13;
    pub const INT64: u8 = 14;
    pub const UINT64: u8 = 15;
    pub const FUNCTION: u8 = 16;
    pub const OPAQUE: u8 = 17;
}

const COMPLEX: u8 = 0x08;
const LOGICAL: u8 = 0x02;
/// MATLAB's own bound is far higher; files in use have at most a handful.
const MAX_AXES: usize = 32;
/// Enough of a compressed variable to know its name: flags, dimensions and a name of MATLAB's
/// longest length many times over.
const N_PREVIEW: u64 = 4096;

/// Where a variable lies in the file.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: String,
    compressed: bool,
    data: Range<usize>,
}

/// What may still be spent on one variable.
pub(super) struct Budget<'a> {
    limits: &'a Limits,
    n_values: usize,
    n_bytes: u64,
    depth: usize,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            n_values: 0,
            n_bytes: 0,
            depth: 0,
        }
    }

    fn spend_values(&mut self, n: usize) -> Result<()> {
        self.n_values = self.n_values.saturating_add(n);
        over(
            "values of a variable",
            self.n_values as u64,
            self.limits.max_values as u64,
            "max_values",
        )
    }

    fn spend_bytes(&mut self, n: u64) -> Result<()> {
        self.n_bytes = self.n_bytes.saturating_add(n);
        over(
            "bytes of a variable",
            self.n_bytes,
            self.limits.max_array_bytes,
            "max_array_bytes",
        )
    }
}

fn over(what: &'static str, found: u64, limit: u64, raise: &'static str) -> Result<()> {
    if found <= limit {
        return Ok(());
    }
    Err(IoError::OverLimit {
        what,
        found,
        limit,
        raise,
    })
}

pub(super) fn damaged(
    what: &'static str,
    found: impl std::fmt::Display,
    expected: &'static str,
) -> IoError {
    IoError::malformed(FORMAT, what, found, expected)
}

/// Finds the variables of a file; `bytes` start behind its header.
pub(super) fn index(mut bytes: Bytes<'_>, limits: &Limits) -> Result<Vec<Entry>> {
    let n_all = bytes.rest.len();
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let element = bytes.element()?;
        let end = n_all - bytes.rest.len();
        let data = end - element.data.len()..end;
        let (preview, compressed) = match element.kind {
            mi::COMPRESSED => (preview(element.data)?, true),
            mi::MATRIX => (Cow::Borrowed(element.data), false),
            // Anything else at the top is skipped, as MATLAB does.
            _ => continue,
        };
        let mut head = Bytes::new(&preview, bytes.endian);
        if compressed {
            let (kind, _) = head.tag()?;
            if kind != mi::MATRIX {
                continue;
            }
        }
        let name = Head::read(&mut head)?.name;
        // Nameless variables hold MATLAB's own bookkeeping.
        if name.is_empty() {
            continue;
        }
        entries.push(Entry {
            name,
            compressed,
            data,
        });
        over(
            "variables of the file",
            entries.len() as u64,
            limits.max_entries as u64,
            "max_entries",
        )?;
    }
    Ok(entries)
}

/// The first bytes of a compressed variable.
fn preview(compressed: &[u8]) -> Result<Cow<'_, [u8]>> {
    let mut head = Vec::new();
    ZlibDecoder::new(compressed)
        .take(N_PREVIEW)
        .read_to_end(&mut head)
        .map_err(|error| damaged("a compressed variable", error, "a zlib stream"))?;
    Ok(Cow::Owned(head))
}

/// Decodes the variable of an entry that [`index`] found in the same bytes.
pub(super) fn decode(bytes: Bytes<'_>, entry: &Entry, budget: &mut Budget<'_>) -> Result<MatValue> {
    let data = &bytes.rest[entry.data.clone()];
    if entry.compressed {
        let inflated = inflate(Bytes::new(data, bytes.endian), budget)?;
        value(Bytes::new(&inflated, bytes.endian), budget)
    } else {
        value(Bytes::new(data, bytes.endian), budget)
    }
}

/// The content of the one matrix in a compressed element.
fn inflate(compressed: Bytes<'_>, budget: &mut Budget<'_>) -> Result<Vec<u8>> {
    let mut decoder = ZlibDecoder::new(compressed.rest);
    let broken = |error| damaged("a compressed variable", error, "a zlib stream");
    let mut tag = [0; 8];
    decoder.read_exact(&mut tag).map_err(broken)?;
    let (_, claimed) = Bytes::new(&tag, compressed.endian).tag()?;
    let claimed = claimed as u64;
    let possible = budget.limits.inflated(compressed.rest.len() as u64);
    budget.spend_bytes(claimed)?;
    if claimed > possible {
        return Err(IoError::Truncated {
            what: "a compressed variable",
            expected: claimed,
            found: possible,
        });
    }
    let mut inflated = Vec::new();
    decoder
        .take(claimed)
        .read_to_end(&mut inflated)
        .map_err(broken)?;
    if (inflated.len() as u64) < claimed {
        return Err(IoError::Truncated {
            what: "a compressed variable",
            expected: claimed,
            found: inflated.len() as u64,
        });
    }
    Ok(inflated)
}

/// What every matrix starts with.
struct Head {
    class: u8,
    flags: u8,
    dims: Vec<usize>,
    name: String,
}

impl Head {
    fn read(bytes: &mut Bytes<'_>) -> Result<Self> {
        let flags = bytes.expect(mi::UINT32, "the flags of a variable")?;
        let [a, b, c, d, ..] = *flags else {
            return Err(damaged("the flags of a variable", "too short", "8 bytes"));
        };
        let word = bytes.endian.u32([a, b, c, d]);
        let (class, flags) = (word as u8, (word >> 8) as u8);
        if class == mx::OPAQUE {
            // Opaque objects have no dimensions; their name follows at once.
            let name = text(bytes.expect(mi::INT8, "the name of a variable")?);
            return Ok(Self {
                class,
                flags,
                dims: Vec::new(),
                name,
            });
        }
        let dims = bytes.expect(mi::INT32, "the dimensions of a variable")?;
        if dims.len() % 4 != 0 || !(2..=MAX_AXES).contains(&(dims.len() / 4)) {
            return Err(damaged(
                "the number of dimensions",
                dims.len() / 4,
                "2 to 32",
            ));
        }
        let dims = dims
            .chunks_exact(4)
            .map(|b| bytes.endian.u32([b[0], b[1], b[2], b[3]]))
            .map(|n| {
                i32::try_from(n).map_err(|_| damaged("a dimension", n as i32, "0 or more"))?;
                Ok(n as usize)
            })
            .collect::<Result<Vec<_>>>()?;
        let name = text(bytes.expect(mi::INT8, "the name of a variable")?);
        Ok(Self {
            class,
            flags,
            dims,
            name,
        })
    }

    fn n_elements(&self) -> Result<usize> {
        n_elements(&self.dims)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| {
                damaged(
                    "the dimensions of a variable",
                    format!("{:?}", self.dims),
                    "a number of elements that memory can address",
                )
            })
    }
}

/// Names are ASCII; a damaged one is still shown.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The value of a matrix element's content.
fn value(mut bytes: Bytes<'_>, budget: &mut Budget<'_>) -> Result<MatValue> {
    budget.spend_values(1)?;
    // MATLAB writes an empty cell or field as a matrix without content.
    if bytes.is_empty() {
        return Ok(MatValue::Numeric(AnyArray::F64(ndarray::ArrayD::zeros(
            vec![0, 0],
        ))));
    }
    let head = Head::read(&mut bytes)?;
    if head.flags & COMPLEX != 0 {
        return Ok(MatValue::Unsupported {
            class: "a complex array",
        });
    }
    match head.class {
        mx::CELL => cells(bytes, head, budget).map(MatValue::Cell),
        mx::STRUCT => structs(bytes, head, budget).map(MatValue::Struct),
        mx::CHAR => characters(bytes, head, budget).map(MatValue::Text),
        mx::SPARSE => Ok(MatValue::Unsupported {
            class: "a sparse matrix",
        }),
        mx::OBJECT | mx::OPAQUE => Ok(MatValue::Unsupported {
            class: "an object (table, string or other class)",
        }),
        mx::FUNCTION => Ok(MatValue::Unsupported {
            class: "a function handle",
        }),
        mx::DOUBLE..=mx::UINT64 => numbers(bytes, &head, budget).map(MatValue::Numeric),
        class => Err(damaged("the class of a variable", class, "1 to 17")),
    }
}

/// The next matrix element one level down.
fn nested(bytes: &mut Bytes<'_>, budget: &mut Budget<'_>) -> Result<MatValue> {
    budget.depth += 1;
    over(
        "levels of nesting",
        budget.depth as u64,
        budget.limits.max_depth as u64,
        "max_depth",
    )?;
    let data = bytes.expect(mi::MATRIX, "a cell or field")?;
    let value = value(Bytes::new(data, bytes.endian), budget)?;
    budget.depth -= 1;
    Ok(value)
}

/// Refuses a number of nested values that the bytes cannot hold (each has a tag of eight bytes).
fn check_count(n: usize, bytes: &Bytes<'_>) -> Result<()> {
    let n_bytes = (n as u64).saturating_mul(8);
    if n_bytes > bytes.rest.len() as u64 {
        return Err(IoError::Truncated {
            what: "the elements of a cell or struct array",
            expected: n_bytes,
            found: bytes.rest.len() as u64,
        });
    }
    Ok(())
}

fn cells(mut bytes: Bytes<'_>, head: Head, budget: &mut Budget<'_>) -> Result<MatCell> {
    let n = head.n_elements()?;
    check_count(n, &bytes)?;
    let values = (0..n)
        .map(|_| nested(&mut bytes, budget))
        .collect::<Result<_>>()?;
    Ok(MatCell {
        dims: head.dims,
        values,
    })
}

fn structs(mut bytes: Bytes<'_>, head: Head, budget: &mut Budget<'_>) -> Result<MatStruct> {
    let n = head.n_elements()?;
    let name_length = bytes.expect(mi::INT32, "the length of field names")?;
    let [a, b, c, d] = *name_length else {
        return Err(damaged(
            "the length of field names",
            "of another size",
            "4 bytes",
        ));
    };
    let name_length = bytes.endian.u32([a, b, c, d]) as usize;
    let names = bytes.expect(mi::INT8, "the field names")?;
    let fields: Vec<String> = match name_length {
        0 if names.is_empty() => Vec::new(),
        0 => return Err(damaged("the length of field names", 0, "1 or more")),
        _ => names
            .chunks_exact(name_length)
            .map(|name| text(name.split(|byte| *byte == 0).next().unwrap_or_default()))
            .collect(),
    };
    check_count(n.saturating_mul(fields.len()), &bytes)?;
    // With no field, nothing backs the number of elements.
    budget.spend_values(n.saturating_add(fields.len()))?;
    let mut values: Vec<Vec<MatValue>> = fields.iter().map(|_| Vec::with_capacity(n)).collect();
    for _ in 0..n {
        for field in &mut values {
            field.push(nested(&mut bytes, budget)?);
        }
    }
    Ok(MatStruct {
        dims: head.dims,
        fields,
        values,
    })
}

fn characters(mut bytes: Bytes<'_>, head: Head, budget: &mut Budget<'_>) -> Result<MatText> {
    let n = head.n_elements()?;
    let element = bytes.element()?;
    budget.spend_bytes(4 * element.data.len() as u64)?;
    let not_text = || damaged("a text", "not valid in its encoding", "UTF-8 or UTF-16");
    // MATLAB counts UTF-16 units; each becomes one character of a row, then rows are decoded.
    let units: Vec<u16> = match element.kind {
        mi::INT8 | mi::UINT8 => element.data.iter().copied().map(u16::from).collect(),
        mi::UTF8 => std::str::from_utf8(element.data)
            .map_err(|_| not_text())?
            .encode_utf16()
            .collect(),
        mi::UINT16 | mi::INT16 | mi::UTF16 => bytes
            .endian
            .to_little(element.data, 2)
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
            .collect(),
        mi::UTF32 => bytes
            .endian
            .to_little(element.data, 4)
            .chunks_exact(4)
            .map(|b| char::from_u32(u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
            .collect::<Option<String>>()
            .ok_or_else(not_text)?
            .encode_utf16()
            .collect(),
        kind => return Err(damaged("the storage of a text", kind, "a character type")),
    };
    if units.len() != n {
        return Err(damaged(
            "the length of a text",
            units.len(),
            "the product of its dimensions",
        ));
    }
    // With text of no columns, nothing backs the number of rows.
    let n_rows = head.dims[0];
    budget.spend_values(n_rows)?;
    let rows = (0..n_rows)
        .map(|row| {
            let row: Vec<u16> = units.iter().skip(row).step_by(n_rows).copied().collect();
            String::from_utf16(&row).map_err(|_| not_text())
        })
        .collect::<Result<_>>()?;
    Ok(MatText {
        dims: head.dims,
        rows,
    })
}

fn numbers(mut bytes: Bytes<'_>, head: &Head, budget: &mut Budget<'_>) -> Result<AnyArray> {
    let n = head.n_elements()?;
    let element = bytes.element()?;
    let logical = head.flags & LOGICAL != 0;
    let stored = Stored::new(element, &bytes, n)?;
    // Whatever the class, an element takes at most eight bytes.
    budget.spend_bytes(8 * n as u64)?;
    let dims = &head.dims;
    match head.class {
        _ if logical => stored.array::<u8>(dims).map(|a| a.mapv(|v| v != 0).into()),
        mx::DOUBLE => stored.array::<f64>(dims).map(AnyArray::from),
        mx::SINGLE => stored.array::<f32>(dims).map(AnyArray::from),
        mx::INT8 => stored.array::<i8>(dims).map(AnyArray::from),
        mx::UINT8 => stored.array::<u8>(dims).map(AnyArray::from),
        mx::INT16 => stored.array::<i16>(dims).map(AnyArray::from),
        mx::UINT16 => stored.array::<u16>(dims).map(AnyArray::from),
        mx::INT32 => stored.array::<i32>(dims).map(AnyArray::from),
        mx::UINT32 => stored.array::<u32>(dims).map(AnyArray::from),
        mx::INT64 => stored.array::<i64>(dims).map(AnyArray::from),
        _ => stored.array::<u64>(dims).map(AnyArray::from),
    }
}
