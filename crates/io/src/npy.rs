//! NumPy arrays (`.npy`, versions 1 to 3).
//!
//! Reads booleans, integers of 8 to 64 bits and floats of 16 to 64 bits, either byte order, C and
//! Fortran order. Arrays of objects, text, dates, complex numbers and records are refused; nothing is
//! ever unpickled. Writes version 1.0 in C order, byte for byte what NumPy writes.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::marker::PhantomData;
use std::path::Path;

use half::f16;
use ndarray::{ArrayView, Dimension};

use crate::array::{from_values, n_elements};
use crate::atomic::{AtomicFile, write_atomically};
use crate::error::AtPath;
use crate::{AnyArray, Dtype, Element, IoError, Limits, Result};

mod columns;
mod header;

pub use columns::{ColumnReader, ColumnWriter};

const FORMAT: &str = "npy file";
/// Bytes converted at a time.
const CHUNK: usize = 1 << 16;

/// What the header of an array file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Element type in the file.
    pub dtype: Dtype,
    /// Whether the bytes of each element are most significant first.
    pub big_endian: bool,
    /// Whether the first axis runs fastest.
    pub fortran_order: bool,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Position of the first element in the file.
    pub data_offset: u64,
}

impl Header {
    /// Size of the elements in bytes, if it fits into the limits.
    fn n_bytes(&self, limits: &Limits) -> Result<u64> {
        let n_bytes = n_elements(&self.shape)
            .and_then(|n| n.checked_mul(self.dtype.n_bytes() as u64))
            .ok_or_else(|| {
                IoError::malformed(
                    FORMAT,
                    "the shape",
                    format!("{:?}", self.shape),
                    "one that memory can address",
                )
            })?;
        if n_bytes > limits.max_array_bytes {
            return Err(IoError::OverLimit {
                what: "bytes of the array",
                found: n_bytes,
                limit: limits.max_array_bytes,
                raise: "max_array_bytes",
            });
        }
        Ok(n_bytes)
    }
}

/// Reads the header of an array file.
///
/// # Errors
///
/// [`IoError`] when the file cannot be read or is no such array.
pub fn header(path: impl AsRef<Path>) -> Result<Header> {
    let path = path.as_ref();
    let (mut file, _) = open(path)?;
    header::read(&mut file).at(path)
}

/// Reads an array file.
///
/// # Errors
///
/// [`IoError`] when the file cannot be read, is damaged, holds objects, or is over the default
/// [`Limits`].
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("x.npy");
/// use consilience_io::npy;
/// npy::write(&path, ndarray::array![[1.0_f32, 2.0]].view())?;
/// assert_eq!(npy::read(&path)?.shape(), [1, 2]);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<AnyArray> {
    read_with(path, &Limits::default())
}

/// [`read`] with other limits.
///
/// # Errors
///
/// As [`read`].
pub fn read_with(path: impl AsRef<Path>, limits: &Limits) -> Result<AnyArray> {
    let path = path.as_ref();
    let (mut file, n_bytes) = open(path)?;
    read_exactly(&mut file, n_bytes, limits).at(path)
}

/// Reads an array from the bytes of a file.
///
/// # Errors
///
/// As [`read`].
pub fn from_bytes(mut bytes: &[u8], limits: &Limits) -> Result<AnyArray> {
    let n_bytes = bytes.len() as u64;
    read_exactly(&mut bytes, n_bytes, limits)
}

fn open(path: &Path) -> Result<(BufReader<File>, u64)> {
    let file = File::open(path)
        .map_err(IoError::os("open the file"))
        .at(path)?;
    let n_bytes = file
        .metadata()
        .map_err(IoError::os("inspect the file"))
        .at(path)?
        .len();
    Ok((BufReader::with_capacity(CHUNK, file), n_bytes))
}

/// Reads an array that must fill `n_bytes` to the end.
fn read_exactly(reader: &mut impl Read, n_bytes: u64, limits: &Limits) -> Result<AnyArray> {
    let header = header::read(reader)?;
    let found = n_bytes.saturating_sub(header.data_offset);
    let expected = header.n_bytes(limits)?;
    if found > expected {
        return Err(IoError::malformed(
            FORMAT,
            "the size of the data",
            format!("{found} bytes"),
            "as many as the shape in the header needs",
        ));
    }
    read_data(reader, &header, found, limits)
}

/// Reads an array from a stream that can give at most `at_most` bytes in all.
pub(crate) fn read_stream(
    reader: &mut impl Read,
    at_most: u64,
    limits: &Limits,
) -> Result<AnyArray> {
    let header = header::read(reader)?;
    let found = at_most.saturating_sub(header.data_offset);
    read_data(reader, &header, found, limits)
}

fn read_data(
    reader: &mut impl Read,
    header: &Header,
    found: u64,
    limits: &Limits,
) -> Result<AnyArray> {
    let expected = header.n_bytes(limits)?;
    if found < expected {
        return Err(IoError::Truncated {
            what: "the data of the array",
            expected,
            found,
        });
    }
    fn array<T: Element>(reader: &mut impl Read, header: &Header, n_bytes: u64) -> Result<AnyArray>
    where
        AnyArray: From<ndarray::ArrayD<T>>,
    {
        let values = read_values::<T, T>(reader, header, n_bytes, |value| value)?;
        from_values(FORMAT, &header.shape, header.fortran_order, values).map(AnyArray::from)
    }
    match header.dtype {
        Dtype::Bool => array::<bool>(reader, header, expected),
        Dtype::I8 => array::<i8>(reader, header, expected),
        Dtype::I16 => array::<i16>(reader, header, expected),
        Dtype::I32 => array::<i32>(reader, header, expected),
        Dtype::I64 => array::<i64>(reader, header, expected),
        Dtype::U8 => array::<u8>(reader, header, expected),
        Dtype::U16 => array::<u16>(reader, header, expected),
        Dtype::U32 => array::<u32>(reader, header, expected),
        Dtype::U64 => array::<u64>(reader, header, expected),
        Dtype::F16 => {
            let values = read_values(reader, header, expected, |value: f16| value.to_f32())?;
            from_values(FORMAT, &header.shape, header.fortran_order, values).map(AnyArray::F32)
        }
        Dtype::F32 => array::<f32>(reader, header, expected),
        Dtype::F64 => array::<f64>(reader, header, expected),
    }
}

/// Reads `n_bytes`, whose presence the caller has checked, and converts each element.
fn read_values<T: Element, U>(
    reader: &mut impl Read,
    header: &Header,
    n_bytes: u64,
    convert: impl Fn(T) -> U,
) -> Result<Vec<U>> {
    let size = T::DTYPE.n_bytes();
    let n = (n_bytes / size as u64) as usize;
    let mut values = Vec::new();
    values
        .try_reserve_exact(n)
        .map_err(|_| IoError::os("find memory for the array")(io::ErrorKind::OutOfMemory.into()))?;
    let mut buffer = [0_u8; CHUNK];
    let mut n_left = n_bytes as usize;
    while n_left > 0 {
        let chunk = &mut buffer[..n_left.min(CHUNK)];
        fill(reader, chunk, "the data of the array")?;
        if header.big_endian {
            chunk.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        values.extend(
            chunk
                .chunks_exact(size)
                .map(|bytes| convert(T::from_le(bytes))),
        );
        n_left -= chunk.len();
    }
    Ok(values)
}

/// Fills `buffer` or says how much was missing.
fn fill(reader: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => {
                return Err(IoError::Truncated {
                    what,
                    expected: buffer.len() as u64,
                    found: filled as u64,
                });
            }
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(IoError::os("read the file")(error)),
        }
    }
    Ok(())
}

/// Writes an array in C order.
///
/// # Errors
///
/// [`IoError::Os`], naming `path`.
pub fn write<T: Element, D: Dimension>(
    path: impl AsRef<Path>,
    array: ArrayView<'_, T, D>,
) -> Result<()> {
    write_atomically(path, |file| write_to(file, array))
}

/// The bytes of an array file in C order.
#[must_use]
pub fn to_bytes<T: Element, D: Dimension>(array: ArrayView<'_, T, D>) -> Vec<u8> {
    let mut bytes = header::bytes(T::DTYPE, array.shape());
    for value in array.iter() {
        value.extend_le(&mut bytes);
    }
    bytes
}

fn write_to<T: Element, D: Dimension>(
    writer: &mut impl Write,
    array: ArrayView<'_, T, D>,
) -> io::Result<()> {
    writer.write_all(&header::bytes(T::DTYPE, array.shape()))?;
    let mut chunk = Vec::with_capacity(CHUNK + 8);
    for value in array.iter() {
        value.extend_le(&mut chunk);
        if chunk.len() >= CHUNK {
            writer.write_all(&chunk)?;
            chunk.clear();
        }
    }
    writer.write_all(&chunk)
}

/// Writes an array of known shape piece by piece, in C order; the file appears at
/// [`finish`](Self::finish).
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("features.12.npy");
/// let mut writer = consilience_io::npy::Writer::<f32>::create(&path, &[2, 3])?;
/// writer.append(&[0.0, 1.0, 2.0])?;
/// writer.append(&[3.0, 4.0, 5.0])?;
/// writer.finish()?;
/// # Ok::<(), consilience_io::IoError>(())
/// ```
#[derive(Debug)]
pub struct Writer<T> {
    file: AtomicFile,
    shape: Vec<usize>,
    n_expected: u64,
    n_written: u64,
    chunk: Vec<u8>,
    element: PhantomData<T>,
}

impl<T: Element> Writer<T> {
    /// Starts the file and writes its header.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`]; [`IoError::Malformed`] for a shape that overflows.
    pub fn create(path: impl AsRef<Path>, shape: &[usize]) -> Result<Self> {
        let path = path.as_ref();
        let n_expected = n_elements(shape).ok_or_else(|| too_large(shape)).at(path)?;
        let mut file = AtomicFile::create(path)?;
        file.write_all(&header::bytes(T::DTYPE, shape))
            .map_err(IoError::os("write the file"))
            .at(path)?;
        Ok(Self {
            file,
            shape: shape.to_vec(),
            n_expected,
            n_written: 0,
            chunk: Vec::new(),
            element: PhantomData,
        })
    }

    /// Adds the next values.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongCount`] when they are more than the shape holds; [`IoError::Os`].
    pub fn append(&mut self, values: &[T]) -> Result<()> {
        self.n_written += values.len() as u64;
        if self.n_written > self.n_expected {
            return Err(self.wrong_count());
        }
        for values in values.chunks(CHUNK / 8) {
            self.chunk.clear();
            for value in values {
                value.extend_le(&mut self.chunk);
            }
            self.file
                .write_all(&self.chunk)
                .map_err(IoError::os("write the file"))
                .at(self.file.path())?;
        }
        Ok(())
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongCount`] when values are missing; [`IoError::Os`].
    pub fn finish(self) -> Result<()> {
        if self.n_written != self.n_expected {
            return Err(self.wrong_count());
        }
        self.file.commit()
    }

    fn wrong_count(&self) -> IoError {
        IoError::WrongCount {
            shape: self.shape.clone(),
            expected: self.n_expected,
            found: self.n_written,
        }
        .at(self.file.path())
    }
}

/// The error for a shape whose size does not fit into 64 bits.
fn too_large(shape: &[usize]) -> IoError {
    IoError::malformed(
        FORMAT,
        "the shape",
        format!("{shape:?}"),
        "one that memory can address",
    )
}

#[cfg(test)]
mod tests;
