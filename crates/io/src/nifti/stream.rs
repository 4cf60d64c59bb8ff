//! The bytes of a file from front to back, gzip undone on the way.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

use super::layout::FORMAT;
use crate::{IoError, Limits, Result};

const BUFFER: usize = 1 << 16;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where bytes come from; opened anew for each reading.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Path(PathBuf),
    Bytes(Vec<u8>),
}

/// A file that is being read.
pub(super) struct Stream<'a> {
    bytes: Bytes<'a>,
    /// The most bytes that it can give: its size, or what its size can hold compressed.
    pub at_most: u64,
}

enum Bytes<'a> {
    File(BufReader<File>),
    Slice(&'a [u8]),
    Gzip(Box<dyn Read + 'a>),
}

impl Store {
    /// Opens a file at its beginning; what is compressed is told by its first bytes, not by its name.
    pub(super) fn open(&self, limits: &Limits) -> Result<Stream<'_>> {
        let (bytes, n_bytes) = match self {
            Self::Path(path) => {
                let mut file = File::open(path).map_err(IoError::os("open the file"))?;
                let n_bytes = file
                    .metadata()
                    .map_err(IoError::os("inspect the file"))?
                    .len();
                let mut head = Vec::new();
                Read::by_ref(&mut file)
                    .take(GZIP.len() as u64)
                    .read_to_end(&mut head)
                    .and_then(|_| io::Seek::rewind(&mut file))
                    .map_err(IoError::os("read the file"))?;
                let file = BufReader::with_capacity(BUFFER, file);
                if head == GZIP {
                    let decoder = MultiGzDecoder::new(file);
                    (Bytes::Gzip(Box::new(decoder)), n_bytes)
                } else {
                    (Bytes::File(file), n_bytes)
                }
            }
            Self::Bytes(bytes) if bytes.starts_with(&GZIP) => {
                let decoder = MultiGzDecoder::new(bytes.as_slice());
                (Bytes::Gzip(Box::new(decoder)), bytes.len() as u64)
            }
            Self::Bytes(bytes) => (Bytes::Slice(bytes), bytes.len() as u64),
        };
        let at_most = match bytes {
            Bytes::Gzip(_) => n_bytes.saturating_mul(limits.max_inflation),
            _ => n_bytes,
        };
        Ok(Stream { bytes, at_most })
    }
}

impl Stream<'_> {
    /// Whether [`at_most`](Self::at_most) is the number of bytes there.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self.bytes, Bytes::Gzip(_))
    }

    /// The next bytes, at most `n`: fewer only where the file ends.
    pub(super) fn head(&mut self, n: usize) -> Result<Vec<u8>> {
        let mut head = vec![0; n];
        let n_read = self.read_up_to(&mut head)?;
        head.truncate(n_read);
        Ok(head)
    }

    /// Fills `buffer` or says how much was missing.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        let found = self.read_up_to(buffer)?;
        missing(buffer.len() as u64, found as u64)
    }

    /// Leaves `n` bytes out.
    pub(super) fn skip(&mut self, n: u64) -> Result<()> {
        match &mut self.bytes {
            // A place behind the end shows at the next reading.
            Bytes::File(file) => file
                .seek_relative(i64::try_from(n).unwrap_or(i64::MAX))
                .map_err(IoError::os("read the file")),
            Bytes::Slice(bytes) => {
                let found = n.min(bytes.len() as u64);
                *bytes = &bytes[found as usize..];
                missing(n, found)
            }
            Bytes::Gzip(reader) => {
                let found = io::copy(&mut reader.take(n), &mut io::sink()).map_err(gzip)?;
                missing(n, found)
            }
        }
    }

    /// Checks that the file ends here; for gzip also its checksum.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.read_up_to(&mut [0])? == 0 {
            return Ok(());
        }
        Err(too_long("more bytes"))
    }

    fn read_up_to(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut n_read = 0;
        while n_read < buffer.len() {
            let rest = &mut buffer[n_read..];
            let read = match &mut self.bytes {
                Bytes::File(file) => file.read(rest),
                Bytes::Slice(bytes) => bytes.read(rest),
                Bytes::Gzip(reader) => reader.read(rest),
            };
            match read {
                Ok(0) => break,
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(gzip(error)),
            }
        }
        Ok(n_read)
    }
}

/// The error for values behind which the file goes on.
pub(super) fn too_long(found: &str) -> IoError {
    IoError::malformed(
        FORMAT,
        "the size of the data",
        found,
        "as many bytes as dim and datatype need",
    )
}

fn missing(expected: u64, found: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(IoError::Truncated {
        what: "the next part of the data",
        expected,
        found,
    })
}

/// The decoder reports what is wrong with the bytes as an error of reading.
fn gzip(error: io::Error) -> IoError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof => IoError::malformed(
            FORMAT,
            "the gzip compression",
            error,
            "a whole gzip file with its checksum",
        ),
        _ => IoError::os("read the file")(error),
    }
}
