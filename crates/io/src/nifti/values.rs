//! From stored bytes to scaled numbers.

use std::io;

use super::header::Header;
use super::stream::{Store, Stream, too_long};
use crate::{Dtype, Element, IoError, Limits, Result};

/// Most values that are decoded at a time.
pub(super) const N_CHUNK: usize = 1 << 12;

/// Types in which values are given: single and double precision.
///
/// Values are scaled in double precision and then narrowed, as nibabel does.
pub trait Real: Element {
    /// The nearest value.
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// Values and how many of them are no finite numbers; what these mean is up to the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted<A> {
    /// The values.
    pub values: A,
    /// How many are NaN.
    pub n_nan: usize,
    /// How many are infinite.
    pub n_infinite: usize,
}

impl Counted<()> {
    /// Counts in the elements of an array to come.
    pub(super) fn of<T: Real>(all: &[T]) -> Self {
        let count = |is: fn(f64) -> bool| all.iter().filter(|value| is(value.to_f64())).count();
        Self {
            values: (),
            n_nan: count(f64::is_nan),
            n_infinite: count(f64::is_infinite),
        }
    }

    /// The counts with the array.
    pub(super) fn with<A>(self, values: A) -> Counted<A> {
        Counted {
            values,
            n_nan: self.n_nan,
            n_infinite: self.n_infinite,
        }
    }
}

/// The values of a file, one after the other.
pub(super) struct Values<'a> {
    stream: Stream<'a>,
    header: &'a Header,
    bytes: Vec<u8>,
    decoded: Vec<f64>,
}

impl<'a> Values<'a> {
    /// Opens a file at its first value, once its size is known to be right.
    pub(super) fn open(store: &'a Store, header: &'a Header, limits: &Limits) -> Result<Self> {
        let mut stream = store.open(limits)?;
        check_size(&stream, header)?;
        stream.skip(header.data_offset)?;
        Ok(Self {
            stream,
            header,
            bytes: Vec::new(),
            decoded: Vec::new(),
        })
    }

    /// Leaves `n` values out.
    pub(super) fn skip(&mut self, n: usize) -> Result<()> {
        self.stream.skip((n * self.header.dtype.n_bytes()) as u64)
    }

    /// The next `n` values, at most [`N_CHUNK`], scaled.
    pub(super) fn next(&mut self, n: usize) -> Result<&[f64]> {
        let size = self.header.dtype.n_bytes();
        self.bytes.resize(n * size, 0);
        self.stream.fill(&mut self.bytes)?;
        if self.header.big_endian {
            self.bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        self.decoded.clear();
        decode(self.header.dtype, &self.bytes, &mut self.decoded);
        if let Some(scaling) = self.header.scaling {
            for value in &mut self.decoded {
                *value = scaling.apply(*value);
            }
        }
        Ok(&self.decoded)
    }

    /// Appends the next `n` values, however many.
    pub(super) fn append<T: Real>(&mut self, n: usize, to: &mut Vec<T>) -> Result<()> {
        for first in (0..n).step_by(N_CHUNK) {
            let chunk = self.next(N_CHUNK.min(n - first))?;
            to.extend(chunk.iter().map(|value| T::from_f64(*value)));
        }
        Ok(())
    }

    /// Checks that nothing follows.
    pub(super) fn finish(self) -> Result<()> {
        self.stream.finish()
    }
}

/// Compares what the header needs with what is there, before anything is reserved.
pub(super) fn check_size(stream: &Stream<'_>, header: &Header) -> Result<()> {
    let end = header.end_of_data()?;
    let found = stream.at_most.saturating_sub(header.data_offset);
    if stream.at_most < end {
        return Err(IoError::Truncated {
            what: "the data of the image",
            expected: header.n_bytes(),
            found,
        });
    }
    if stream.is_plain() && stream.at_most > end {
        return Err(too_long(&format!("{found} bytes")));
    }
    Ok(())
}

/// An empty list with room for `n` values, if the limits and the memory allow.
pub(super) fn room<T: Real>(n_rows: usize, n_columns: usize, limits: &Limits) -> Result<Vec<T>> {
    let n_bytes = (n_rows as u64)
        .checked_mul(n_columns as u64)
        .and_then(|n| n.checked_mul(T::DTYPE.n_bytes() as u64))
        .unwrap_or(u64::MAX);
    if n_bytes > limits.max_array_bytes {
        return Err(IoError::OverLimit {
            what: "bytes of the values",
            found: n_bytes,
            limit: limits.max_array_bytes,
            raise: "max_array_bytes",
        });
    }
    let mut values = Vec::new();
    values
        .try_reserve_exact(n_rows * n_columns)
        .map_err(|_| IoError::os("find memory for the array")(io::ErrorKind::OutOfMemory.into()))?;
    Ok(values)
}

fn decode(dtype: Dtype, bytes: &[u8], to: &mut Vec<f64>) {
    fn all<T: Element>(bytes: &[u8], to: &mut Vec<f64>) {
        let values = bytes.chunks_exact(T::DTYPE.n_bytes());
        to.extend(values.map(|bytes| T::from_le(bytes).to_f64()));
    }
    match dtype {
        Dtype::Bool => all::<bool>(bytes, to),
        Dtype::I8 => all::<i8>(bytes, to),
        Dtype::I16 => all::<i16>(bytes, to),
        Dtype::I32 => all::<i32>(bytes, to),
        Dtype::I64 => all::<i64>(bytes, to),
        Dtype::U8 => all::<u8>(bytes, to),
        Dtype::U16 => all::<u16>(bytes, to),
        Dtype::U32 => all::<u32>(bytes, to),
        Dtype::U64 => all::<u64>(bytes, to),
        Dtype::F16 => all::<half::f16>(bytes, to),
        Dtype::F32 => all::<f32>(bytes, to),
        Dtype::F64 => all::<f64>(bytes, to),
    }
}
