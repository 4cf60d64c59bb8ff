//! Volumes to files.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use ndarray::{ArrayView, ArrayView2, Dimension};

use super::affine::{Space, qform};
use super::grid::Grid;
use super::layout::{Fields, ONE, TWO};
use super::mask::Mask;
use crate::atomic::{AtomicFile, write_atomically};
use crate::error::AtPath;
use crate::{IoError, Result};

/// Code of single precision.
const FLOAT32: i64 = 16;
/// Millimetres and seconds.
const UNITS: i64 = 2 + 8;

/// What a written header says beside shape and affine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteParams {
    /// The space that the affine leads to. Default [`Space::Aligned`], as nibabel's.
    pub space: Space,
    /// Seconds between volumes (TR). Default none.
    pub repetition_time: Option<f64>,
    /// Free text of at most 79 bytes; the rest is cut off. Default empty.
    pub description: String,
}

/// Writes volumes in single precision, as `.nii` or `.nii.gz` by the ending of `path`.
///
/// The header is NIfTI-1, or NIfTI-2 where an axis is longer than 32,767. The affine is written as sform,
/// and as qform too where the edges of voxels are at right angles; NIfTI-1 rounds it to single precision. The
/// same volumes give the same bytes: a compressed file holds no name and no time.
///
/// # Shapes
///
/// `values`: (x, y, z) or (x, y, z, volumes, …), up to seven axes, in any memory order.
///
/// # Errors
///
/// [`IoError::WrongKind`] for another shape than the grid's, an affine that is not finite, or a TR that is not
/// positive; [`IoError::Unsupported`] for another ending; [`IoError::Os`].
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("map.nii.gz");
/// use consilience_io::nifti::{self, Affine, Grid, Nifti, WriteParams};
/// let values = ndarray::Array3::from_shape_fn((2, 3, 4), |(x, y, z)| (x + 10 * y + 100 * z) as f32);
/// let grid = Grid { shape: [2, 3, 4], affine: Affine::from_sizes([3.0; 3]) };
/// nifti::write(&path, values.view(), &grid, &WriteParams::default())?;
/// assert_eq!(Nifti::open(&path)?.volume::<f32>(0)?.values, values);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
///
/// # Peers
///
/// nibabel 5.4.2 opens the files with the same values and affine; its own writer leaves the code of the qform
/// at 0.
pub fn write<D: Dimension>(
    path: impl AsRef<Path>,
    values: ArrayView<'_, f32, D>,
    grid: &Grid,
    params: &WriteParams,
) -> Result<()> {
    let path = path.as_ref();
    let header = header(values.shape(), grid, params).at(path)?;
    write_file(path, &header, |out| {
        // Transposed, logical order is the file's: x fastest.
        write_values(out, values.t().iter().copied())
    })
}

/// Writes values of a mask's voxels as volumes, with `outside` in all others; else as [`write()`].
///
/// # Shapes
///
/// `values`: (volumes, voxels) with the voxels in the order of the mask, as [`Nifti::voxels`] gives them. The file has
/// three axes for one volume, else four.
///
/// # Errors
///
/// [`IoError::WrongCount`] for another number of voxels; as [`write()`].
///
/// [`Nifti::voxels`]: super::Nifti::voxels
pub fn write_masked(
    path: impl AsRef<Path>,
    mask: &Mask,
    values: ArrayView2<'_, f32>,
    outside: f32,
    params: &WriteParams,
) -> Result<()> {
    let path = path.as_ref();
    let n_volumes = values.nrows();
    if values.ncols() != mask.n_voxels() {
        return Err(mask.wrong_count(n_volumes, values.len()).at(path));
    }
    let grid = mask.grid();
    let mut shape = grid.shape.to_vec();
    // One volume is a map of three axes.
    if n_volumes != 1 {
        shape.push(n_volumes);
    }
    let header = header(&shape, grid, params).at(path)?;
    let in_file = mask.in_file();
    write_file(path, &header, |out| {
        let mut volume = vec![outside; grid.n_voxels()];
        for row in values.rows() {
            for (position, column) in &in_file {
                volume[*position] = row[*column];
            }
            write_values(out, volume.iter().copied())?;
        }
        Ok(())
    })
}

/// The bytes before the values.
fn header(shape: &[usize], grid: &Grid, params: &WriteParams) -> Result<Vec<u8>> {
    let wrong = |what: &str, found: String, expected| IoError::WrongKind {
        what: what.into(),
        found,
        expected,
    };
    if !(3..=7).contains(&shape.len()) || shape[..3] != grid.shape || shape.contains(&0) {
        let found = format!("of shape {shape:?}");
        return Err(wrong(
            "the image",
            found,
            "the grid's x, y and z, then axes of volumes, none empty and seven at most",
        ));
    }
    if !grid.affine.is_finite() {
        let found = format!("{:?}", grid.affine.0);
        return Err(wrong("the affine", found, "finite numbers"));
    }
    if let Some(time) = params.repetition_time
        && !(time.is_finite() && time > 0.0)
    {
        return Err(wrong(
            "the repetition time",
            time.to_string(),
            "a positive number of seconds",
        ));
    }
    let is_long = shape.iter().any(|length| *length > i16::MAX as usize);
    let layout = if is_long { &TWO } else { &ONE };
    let mut fields = Fields::empty(layout);
    fields.put_length(layout.dim, 0, shape.len() as i64);
    for k in 1..=7 {
        let length = shape.get(k - 1).copied().unwrap_or(1);
        fields.put_length(layout.dim, k, length as i64);
    }
    fields.put_integer(layout.datatype, 2, FLOAT32);
    fields.put_integer(layout.bitpix, 2, 32);
    let offset = layout.least_offset;
    if layout.version == 1 {
        fields.put_real(layout.vox_offset, 0, offset as f64);
    } else {
        fields.put_length(layout.vox_offset, 0, offset as i64);
    }
    fields.put_real(layout.scl_slope, 0, 1.0);
    fields.put_integer(layout.units.0, layout.units.1, UNITS);
    let mut description = params.description.as_str();
    while description.len() > 79 {
        let (last, _) = description.char_indices().next_back().unwrap_or_default();
        description = &description[..last];
    }
    fields.put_text(layout.description, description.as_bytes());
    for (k, value) in grid.affine.0.as_flattened().iter().enumerate() {
        fields.put_real(layout.srow, k, *value);
    }
    fields.put_code(layout.sform_code, params.space.code());
    let qform = qform(&grid.affine);
    if let Some(qform) = qform {
        fields.put_code(layout.qform_code, params.space.code());
        for (k, value) in qform.vector.into_iter().enumerate() {
            fields.put_real(layout.quaternion, k, value);
            fields.put_real(layout.quaternion, 3 + k, grid.affine.0[k][3]);
        }
    }
    fields.put_real(layout.pixdim, 0, qform.map_or(1.0, |qform| qform.qfac));
    for (k, size) in grid.affine.voxel_sizes().into_iter().enumerate() {
        fields.put_real(layout.pixdim, k + 1, size);
    }
    fields.put_real(layout.pixdim, 4, params.repetition_time.unwrap_or(0.0));
    // Four zeros say that there are no extensions.
    fields.bytes.resize(offset as usize, 0);
    Ok(fields.bytes)
}

fn write_file(
    path: &Path,
    header: &[u8],
    values: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let compressed = match () {
        () if name.ends_with(".nii.gz") => true,
        () if name.ends_with(".nii") => false,
        () => {
            return Err(IoError::Unsupported {
                what: "a NIfTI file under this name".into(),
                cure: "end the name in .nii or .nii.gz",
            }
            .at(path));
        }
    };
    write_atomically(path, |file: &mut AtomicFile| {
        if !compressed {
            file.write_all(header)?;
            return values(file);
        }
        // Its header has neither name nor time.
        let mut file = GzEncoder::new(file, Compression::default());
        file.write_all(header)?;
        values(&mut file)?;
        file.finish()?;
        Ok(())
    })
}

fn write_values(out: &mut dyn Write, values: impl Iterator<Item = f32>) -> io::Result<()> {
    const CHUNK: usize = 1 << 16;
    let mut chunk = Vec::with_capacity(CHUNK);
    for value in values {
        chunk.extend_from_slice(&value.to_le_bytes());
        if chunk.len() == CHUNK {
            out.write_all(&chunk)?;
            chunk.clear();
        }
    }
    out.write_all(&chunk)
}
