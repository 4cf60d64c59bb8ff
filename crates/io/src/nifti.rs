//! Volumes of brain data: NIfTI-1 and NIfTI-2, `.nii`, `.nii.gz` and pairs `.hdr`/`.img`.
//!
//! Reads integers of 8 to 64 bits, single and double precision, either byte order; what is compressed is told by
//! the file's first bytes. Values are scaled as the header says, in double precision. Axes are those of the
//! file, `(x, y, z[, t …])`; ones at the end are dropped down to three axes, and shorter shapes filled up with ones.
//! Header extensions are passed over. Writes single precision.
//!
//! A file is read from front to back in small pieces, so that memory is needed for the values that are asked
//! for only: the header, one volume, or the voxels of a [`Mask`] in all volumes. Pieces of an
//! uncompressed file that are not wanted are not read.
//!
//! Complex numbers, colours, bits and 128-bit numbers, Analyze 7.5 and CIFTI-2 are refused by name.
//!
//! # NaN
//!
//! Values that are no finite numbers are passed on and counted ([`Counted`]); masks and atlases refuse NaN.
//!
//! # Peers
//!
//! nibabel 5.4.2, held to by `fixtures/generate/nifti.py`: the values of `get_fdata()` to the bit, the affine to 1e-12.
//! Where it differs: nibabel keeps ones at the end of a shape; it reads a file whose first field is no size of a header, and
//! one that goes on behind its data; where `vox_offset` of a single file is 0, it takes the header for data (here data
//! follow the header).
//!
//! # References
//!
//! Cox RW, Ashburner J, Breman H, Fissell K, Haselgrove C, Holmes CJ, Lancaster JL, Rex DE, Smith SM, Woodward JB,
//! Strother SC (2004) A (sort of) new image data format standard: NIfTI-1. Human Brain Mapping, abstract 10.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, ArrayD, ShapeBuilder};

use crate::array::from_values;
use crate::error::AtPath;
use crate::{IoError, Limits, Result};

mod affine;
mod grid;
mod header;
mod labels;
mod layout;
mod mask;
mod stream;
mod values;
mod write;

pub use affine::{Affine, AffineSource, Millimetres, Space, Voxel};
pub use grid::Grid;
pub use header::{Header, Intent, Scaling, SpaceUnit, TimeUnit, Units};
pub use labels::{Label, read_labels};
pub use mask::{Atlas, Mask};
pub use values::{Counted, Real};
pub use write::{WriteParams, write, write_masked};

use layout::{FORMAT, N_LONGEST};
use stream::Store;
use values::{N_CHUNK, Values, check_size, room};

/// An open image: its header, and where its values are.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("betas.nii.gz");
/// use consilience_io::nifti::{self, Affine, Grid, Mask, Nifti, WriteParams};
/// let grid = Grid { shape: [2, 1, 1], affine: Affine::from_sizes([2.0; 3]) };
/// let betas = ndarray::array![[[[1.0_f32, 2.0, 3.0]]], [[[4.0, 5.0, f32::NAN]]]];
/// nifti::write(&path, betas.view(), &grid, &WriteParams::default())?;
///
/// let image = Nifti::open(&path)?;
/// assert_eq!(image.header().shape, [2, 1, 1, 3]);
/// let mask = Mask::new(grid, ndarray::array![[[false]], [[true]]].view())?;
/// let patterns = image.voxels::<f32>(&mask)?;
/// assert_eq!((patterns.values.dim(), patterns.n_nan), ((3, 1), 1));
/// assert_eq!(patterns.values[[1, 0]], 5.0);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Nifti {
    header: Header,
    data: Store,
    limits: Limits,
}

/// Reads a header alone, of a single file or of a pair (by either name); nothing is said of the data.
///
/// # Errors
///
/// [`IoError`] when the file cannot be read or its header is damaged or refused.
pub fn header(path: impl AsRef<Path>) -> Result<Header> {
    let path = header_path(path.as_ref());
    let store = Store::Path(path.clone());
    parse_header(&store, &Limits::default()).at(path)
}

impl Nifti {
    /// Opens a file within the default [`Limits`] and checks its size; values are read when they are asked
    /// for. Of a pair, either file can be named.
    ///
    /// # Errors
    ///
    /// [`IoError`] when the file cannot be read, is damaged, or holds what is refused by name.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &Limits::default())
    }

    /// [`open`](Self::open) with other limits.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = header_path(path.as_ref());
        let store = Store::Path(path.clone());
        let header = parse_header(&store, limits).at(&path)?;
        let data = if header.is_pair {
            Store::Path(
                sibling(&path, "hdr", "img")
                    .ok_or_else(one_of_a_pair)
                    .at(&path)?,
            )
        } else {
            store
        };
        Self::new(header, data, limits)
    }

    /// Takes the bytes of a single file, compressed or not.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: Vec<u8>, limits: &Limits) -> Result<Self> {
        let store = Store::Bytes(bytes);
        let header = parse_header(&store, limits)?;
        if header.is_pair {
            return Err(one_of_a_pair());
        }
        Self::new(header, store, limits)
    }

    /// Takes the bytes of the two files of a pair, compressed or not.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_pair(header: Vec<u8>, data: Vec<u8>, limits: &Limits) -> Result<Self> {
        let header = parse_header(&Store::Bytes(header), limits)?;
        if !header.is_pair {
            return Err(IoError::malformed(
                FORMAT,
                "magic",
                "that of a file of its own",
                "that of a pair, \"ni1\" or \"ni2\"",
            ));
        }
        Self::new(header, Store::Bytes(data), limits)
    }

    fn new(header: Header, data: Store, limits: &Limits) -> Result<Self> {
        let image = Self {
            header,
            data,
            limits: *limits,
        };
        image.named(
            image
                .data
                .open(limits)
                .and_then(|stream| check_size(&stream, &image.header)),
        )?;
        Ok(image)
    }

    /// What the header says.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads one volume: the values at one position of the axes behind the third, counted with the fourth
    /// axis fastest.
    ///
    /// # Shapes
    ///
    /// (x, y, z), in the file's memory order.
    ///
    /// # Errors
    ///
    /// [`IoError::OutOfRange`] for a volume that is not there; [`IoError::OverLimit`]; [`IoError`] when the
    /// file has changed or its compression is damaged up to the volume's end.
    pub fn volume<T: Real>(&self, volume_idx: usize) -> Result<Counted<Array3<T>>> {
        self.named(self.read_volume(volume_idx))
    }

    fn read_volume<T: Real>(&self, volume_idx: usize) -> Result<Counted<Array3<T>>> {
        let n_volumes = self.header.n_volumes();
        if volume_idx >= n_volumes {
            return Err(IoError::OutOfRange {
                what: "volume".into(),
                index: volume_idx,
                len: n_volumes,
            });
        }
        let n = self.header.n_voxels();
        let mut all = room::<T>(1, n, &self.limits)?;
        let mut values = Values::open(&self.data, &self.header, &self.limits)?;
        values.skip(volume_idx * n)?;
        values.append(n, &mut all)?;
        let counts = Counted::of(&all);
        let volume = Array3::from_shape_vec(self.header.volume_shape().f(), all)
            .expect("as many values as the shape has");
        Ok(counts.with(volume))
    }

    /// Reads all volumes.
    ///
    /// # Shapes
    ///
    /// [`Header::shape`], in the file's memory order.
    ///
    /// # Errors
    ///
    /// As [`volume`](Self::volume), and when the compressed data go on or have another checksum.
    pub fn read<T: Real>(&self) -> Result<Counted<ArrayD<T>>> {
        let read = || {
            let n = self.header.n_voxels() * self.header.n_volumes();
            let mut all = room::<T>(1, n, &self.limits)?;
            let mut values = Values::open(&self.data, &self.header, &self.limits)?;
            values.append(n, &mut all)?;
            values.finish()?;
            let counts = Counted::of(&all);
            Ok(counts.with(from_values(FORMAT, &self.header.shape, true, all)?))
        };
        self.named(read())
    }

    /// Reads the voxels of a mask in all volumes, in one pass.
    ///
    /// # Shapes
    ///
    /// (volumes, voxels): volumes with the fourth axis fastest, voxels in the order of the [`Mask`]. For
    /// betas of one stimulus a volume these are patterns, (stimuli, channels).
    ///
    /// # Errors
    ///
    /// [`IoError::GridMismatch`] when shape or affine of the mask are not those of the image
    /// ([`Grid::TOLERANCE`]); as [`read`](Self::read).
    ///
    /// # Peers
    ///
    /// nibabel and NumPy: `image.get_fdata()[mask].T`.
    pub fn voxels<T: Real>(&self, mask: &Mask) -> Result<Counted<Array2<T>>> {
        self.named(self.read_voxels(mask))
    }

    fn read_voxels<T: Real>(&self, mask: &Mask) -> Result<Counted<Array2<T>>> {
        mask.grid().check_same(&self.header.grid())?;
        let n_volumes = self.header.n_volumes();
        let n = mask.n_voxels();
        let mut all = room::<T>(n_volumes, n, &self.limits)?;
        all.resize(n_volumes * n, T::from_f64(0.0));
        let wanted = mask.in_file();
        let mut values = Values::open(&self.data, &self.header, &self.limits)?;
        for row in all.chunks_exact_mut(n) {
            let mut n_behind = 0;
            // Neighbours in the file come from one piece of it; what lies between pieces is left out.
            for group in wanted.chunk_by(|a, b| a.0 / N_CHUNK == b.0 / N_CHUNK) {
                let (first, last) = (group[0].0, group[group.len() - 1].0);
                values.skip(first - n_behind)?;
                let chunk = values.next(last - first + 1)?;
                for (position, column) in group {
                    row[*column] = T::from_f64(chunk[position - first]);
                }
                n_behind = last + 1;
            }
            values.skip(self.header.n_voxels() - n_behind)?;
        }
        values.finish()?;
        let counts = Counted::of(&all);
        let patterns =
            Array2::from_shape_vec((n_volumes, n), all).expect("as many values as the shape has");
        Ok(counts.with(patterns))
    }

    /// Adds the name of the file with the values.
    fn named<T>(&self, result: Result<T>) -> Result<T> {
        match &self.data {
            Store::Path(path) => result.at(path),
            Store::Bytes(_) => result,
        }
    }
}

fn parse_header(store: &Store, limits: &Limits) -> Result<Header> {
    let bytes = store.open(limits)?.head(N_LONGEST)?;
    Header::parse(&bytes)
}

fn one_of_a_pair() -> IoError {
    IoError::Unsupported {
        what: "a header whose data are in another file (magic \"ni1\" or \"ni2\")".into(),
        cure: "name the two files NAME.hdr and NAME.img",
    }
}

/// The file with the header: the partner of an `.img`, else the file itself.
fn header_path(path: &Path) -> PathBuf {
    sibling(path, "img", "hdr").unwrap_or_else(|| path.to_owned())
}

/// The other file of a pair, compressed like this one or otherwise, if the name ends in `from`.
fn sibling(path: &Path, from: &str, to: &str) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let (stem, gz) = match name.strip_suffix(".gz") {
        Some(stem) => (stem, true),
        None => (name, false),
    };
    let stem = stem.strip_suffix(from)?.strip_suffix('.')?;
    let [plain, compressed] = ["", ".gz"].map(|gz| path.with_file_name(format!("{stem}.{to}{gz}")));
    let [same, other] = if gz {
        [compressed, plain]
    } else {
        [plain, compressed]
    };
    // Where there is neither, the first is named as missing.
    Some(if !same.exists() && other.exists() {
        other
    } else {
        same
    })
}

#[cfg(test)]
mod tests;
