//! Blocks of columns of matrices that do not fit into memory.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ndarray::ArrayView2;

use super::{FORMAT, Header, fill, header, too_large};
use crate::array::{from_values, n_elements};
use crate::atomic::AtomicFile;
use crate::error::AtPath;
use crate::{AnyArray, Dtype, Element, IoError, Limits, Result};

/// Reads a matrix of single or double precision from a `.npy` file, some columns at a time.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("y.npy");
/// use consilience_io::npy::{self, ColumnReader};
/// npy::write(&path, ndarray::array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]].view())?;
/// let mut reader = ColumnReader::open(&path)?;
/// assert_eq!(reader.shape(), (2, 3));
/// let block = reader.read(1..3)?;
/// assert_eq!(block.into_f64(), ndarray::array![[2.0, 3.0], [5.0, 6.0]].into_dyn());
/// # Ok::<(), consilience_io::IoError>(())
/// ```
#[derive(Debug)]
pub struct ColumnReader {
    file: File,
    path: PathBuf,
    header: Header,
    n_rows: usize,
    n_columns: usize,
}

impl ColumnReader {
    /// Opens a file and checks that it holds a whole matrix; only blocks are held to
    /// [`Limits::max_array_bytes`].
    ///
    /// # Errors
    ///
    /// [`IoError`] when the file cannot be read or is no array; [`IoError::WrongKind`] for another number
    /// of axes or another element type; [`IoError::Truncated`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::open_file(path).at(path)
    }

    fn open_file(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(IoError::os("open the file"))?;
        let n_bytes = file
            .metadata()
            .map_err(IoError::os("inspect the file"))?
            .len();
        let header = header::read(&mut file)?;
        let wrong = |found: String, expected| IoError::WrongKind {
            what: "the array".into(),
            found,
            expected,
        };
        let &[n_rows, n_columns] = header.shape.as_slice() else {
            let found = format!("of shape {:?}", header.shape);
            return Err(wrong(found, "a matrix (two axes)"));
        };
        if !matches!(header.dtype, Dtype::F32 | Dtype::F64) {
            return Err(wrong(header.dtype.to_string(), "float32 or float64"));
        }
        let unlimited = Limits {
            max_array_bytes: u64::MAX,
            ..Limits::default()
        };
        let expected = header.n_bytes(&unlimited)?;
        let found = n_bytes.saturating_sub(header.data_offset);
        if found < expected {
            return Err(IoError::Truncated {
                what: "the data of the array",
                expected,
                found,
            });
        }
        if found > expected {
            return Err(IoError::malformed(
                FORMAT,
                "the size of the data",
                format!("{found} bytes"),
                "as many as the shape in the header needs",
            ));
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            header,
            n_rows,
            n_columns,
        })
    }

    /// Rows and columns.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.n_columns)
    }

    /// Element type in the file.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.header.dtype
    }

    /// Reads a range of columns of all rows: [`AnyArray::F32`] or [`AnyArray::F64`].
    ///
    /// # Errors
    ///
    /// [`IoError::OverLimit`] for a block beyond [`Limits::max_array_bytes`], [`IoError::Os`].
    ///
    /// # Panics
    ///
    /// When the range reaches beyond the last column.
    pub fn read(&mut self, columns: Range<usize>) -> Result<AnyArray> {
        assert!(
            columns.start <= columns.end && columns.end <= self.n_columns,
            "{columns:?} of {} columns",
            self.n_columns
        );
        match self.header.dtype {
            Dtype::F32 => self.block::<f32>(columns).map(AnyArray::F32),
            _ => self.block::<f64>(columns).map(AnyArray::F64),
        }
        .at(&self.path)
    }

    fn block<T: Element>(&mut self, columns: Range<usize>) -> Result<ndarray::ArrayD<T>> {
        let shape = [self.n_rows, columns.len()];
        let block = Header {
            shape: shape.to_vec(),
            ..self.header.clone()
        };
        let n_bytes = block.n_bytes(&Limits::default())? as usize;
        let size = T::DTYPE.n_bytes();
        let mut values = Vec::new();
        values.try_reserve_exact(n_bytes / size).map_err(|_| {
            IoError::os("find memory for the array")(std::io::ErrorKind::OutOfMemory.into())
        })?;
        // A run is a row's part, or in Fortran order all of the columns.
        let (n_runs, run, stride, first) = match self.header.fortran_order {
            false => (self.n_rows, columns.len(), self.n_columns, columns.start),
            true => (
                1,
                self.n_rows * columns.len(),
                0,
                columns.start * self.n_rows,
            ),
        };
        let mut buffer = vec![0_u8; run * size];
        for at in 0..n_runs {
            let position = self.header.data_offset + ((first + at * stride) * size) as u64;
            self.file
                .seek(SeekFrom::Start(position))
                .map_err(IoError::os("read the file"))?;
            fill(&mut self.file, &mut buffer, "the data of the array")?;
            if self.header.big_endian {
                buffer.chunks_exact_mut(size).for_each(<[u8]>::reverse);
            }
            values.extend(buffer.chunks_exact(size).map(T::from_le));
        }
        from_values(FORMAT, &shape, self.header.fortran_order, values)
    }
}

/// Writes a matrix of known shape to a `.npy` file, some columns at a time and in any order; the file
/// appears at [`finish`](Self::finish), with zeros where nothing was written.
#[derive(Debug)]
pub struct ColumnWriter<T> {
    file: AtomicFile,
    data_offset: u64,
    n_rows: usize,
    n_columns: usize,
    element: PhantomData<T>,
}

impl<T: Element> ColumnWriter<T> {
    /// Starts the file with its full length, so that a full disk is known at once where the system
    /// tells.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`]; [`IoError::Malformed`] for a shape that overflows.
    pub fn create(path: impl AsRef<Path>, n_rows: usize, n_columns: usize) -> Result<Self> {
        let path = path.as_ref();
        let shape = [n_rows, n_columns];
        let n_bytes = n_elements(&shape)
            .and_then(|n| n.checked_mul(T::DTYPE.n_bytes() as u64))
            .ok_or_else(|| too_large(&shape))
            .at(path)?;
        let mut file = AtomicFile::create(path)?;
        let header = header::bytes(T::DTYPE, &shape);
        let data_offset = header.len() as u64;
        let mut start = || {
            file.write_all(&header)?;
            if n_bytes > 0 {
                file.seek(SeekFrom::Start(data_offset + n_bytes - 1))?;
                file.write_all(&[0])?;
            }
            file.flush()
        };
        start().map_err(IoError::os("write the file")).at(path)?;
        Ok(Self {
            file,
            data_offset,
            n_rows,
            n_columns,
            element: PhantomData,
        })
    }

    /// Writes all rows of the columns that begin at `first`.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`].
    ///
    /// # Panics
    ///
    /// When the block does not fit into the matrix.
    pub fn write(&mut self, first: usize, block: ArrayView2<'_, T>) -> Result<()> {
        assert_eq!(block.nrows(), self.n_rows, "a block has all rows");
        assert!(first + block.ncols() <= self.n_columns, "a block fits");
        let size = T::DTYPE.n_bytes();
        let mut bytes = Vec::with_capacity(block.ncols() * size);
        for (row, values) in block.rows().into_iter().enumerate() {
            bytes.clear();
            for value in values {
                value.extend_le(&mut bytes);
            }
            let position = self.data_offset + ((row * self.n_columns + first) * size) as u64;
            self.file
                .seek(SeekFrom::Start(position))
                .and_then(|_| self.file.write_all(&bytes))
                .map_err(IoError::os("write the file"))
                .at(self.file.path())?;
        }
        Ok(())
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// [`IoError::Os`].
    pub fn finish(self) -> Result<()> {
        self.file.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy;
    use ndarray::{Array2, ShapeBuilder, s};

    fn matrix() -> Array2<f64> {
        Array2::from_shape_fn((5, 7), |(i, j)| (10 * i + j) as f64)
    }

    #[test]
    fn blocks_are_the_columns_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.npy");
        npy::write(&path, matrix().mapv(|v| v as f32).view()).unwrap();
        let mut reader = ColumnReader::open(&path).unwrap();
        assert_eq!((reader.shape(), reader.dtype()), ((5, 7), Dtype::F32));
        for range in [0..7, 2..3, 6..7, 3..3, 0..4] {
            let expected = matrix().slice(s![.., range.clone()]).to_owned();
            let found = reader.read(range).unwrap();
            assert_eq!(found.dtype(), Dtype::F32);
            assert_eq!(found.into_f64(), expected.into_dyn());
        }
    }

    #[test]
    fn other_orders_mean_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.npy");
        let mut bytes = npy::to_bytes(matrix().t());
        // The same bytes with the axes turned round are the matrix in Fortran order.
        let text = String::from_utf8_lossy(&bytes[..128])
            .replace("False", "True ")
            .replace("(7, 5)", "(5, 7)");
        let header: Vec<u8> = bytes[..10]
            .iter()
            .copied()
            .chain(text.bytes().skip(text.len() - 118))
            .collect();
        bytes.splice(..128, header);
        std::fs::write(&path, bytes).unwrap();
        let whole = npy::read(&path).unwrap().into_f64();
        assert_eq!(whole, matrix().into_dyn());
        let found = ColumnReader::open(&path).unwrap().read(2..5).unwrap();
        assert_eq!(
            found.into_f64(),
            matrix().slice(s![.., 2..5]).to_owned().into_dyn()
        );
        assert_eq!(Array2::<f64>::zeros((2, 3).f()).dim(), (2, 3));
    }

    #[test]
    fn columns_written_in_any_order_are_the_file_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let [path, whole] = ["parts.npy", "whole.npy"].map(|name| folder.path().join(name));
        let mut writer = ColumnWriter::<f64>::create(&path, 5, 7).unwrap();
        for range in [4..7, 0..3, 3..4] {
            let block = matrix().slice(s![.., range.clone()]).to_owned();
            writer.write(range.start, block.view()).unwrap();
        }
        assert!(!path.exists());
        writer.finish().unwrap();
        npy::write(&whole, matrix().view()).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), std::fs::read(whole).unwrap());
    }

    #[test]
    fn what_is_no_matrix_of_floats_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.npy");
        let refused = || ColumnReader::open(&path).unwrap_err().to_string();
        npy::write(&path, ndarray::arr1(&[1.0]).view()).unwrap();
        assert!(refused().contains("[1]"));
        npy::write(&path, ndarray::arr2(&[[1_i64]]).view()).unwrap();
        assert!(refused().contains("int64"));
        let bytes = npy::to_bytes(matrix().view());
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(refused().contains("cut short"));
        std::fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        assert!(refused().contains("size of the data"));
    }
}
