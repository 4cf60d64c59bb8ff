//! What a header says, the same for both versions.

use super::affine::{self, Affine, AffineSource};
use super::grid::Grid;
use super::layout::{FORMAT, Fields};
use crate::array::n_elements;
use crate::{Dtype, IoError, Result};

/// The first and last intent code of CIFTI-2.
const CIFTI: std::ops::RangeInclusive<i64> = 3000..=3099;

/// The header of a NIfTI file.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Version of the format: 1 or 2.
    pub version: u8,
    /// Whether the bytes of each number are most significant first.
    pub big_endian: bool,
    /// Type of the values in the file, before scaling.
    pub dtype: Dtype,
    /// Length of each axis: x, y, z and as many more as are not 1 to the end.
    pub shape: Vec<usize>,
    /// What stored values are multiplied with and what is added then; `None` where the values are meant
    /// as stored.
    pub scaling: Option<Scaling>,
    /// From voxel indices to a place, in [`Units::space`].
    pub affine: Affine,
    /// Where the affine was taken from.
    pub affine_source: AffineSource,
    /// Distance between neighbours along each axis of `shape`, as the file states it; the fourth is the
    /// time between volumes.
    pub spacing: Vec<f64>,
    /// Units of `spacing`.
    pub units: Units,
    /// What the values mean.
    pub intent: Intent,
    /// Free text.
    pub description: String,
    /// Position of the first value in its file.
    pub data_offset: u64,
    /// Whether the values are in a file of their own (`.img`).
    pub is_pair: bool,
}

/// How stored values become values: `slope · stored + intercept`, in double precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Factor; finite and not 0.
    pub slope: f64,
    /// What is added; finite.
    pub intercept: f64,
}

impl Scaling {
    pub(super) fn apply(self, stored: f64) -> f64 {
        // Only what changes something is done, so that the sign of zero stays as nibabel has it.
        let mut value = stored;
        if self.slope != 1.0 {
            value *= self.slope;
        }
        if self.intercept != 0.0 {
            value += self.intercept;
        }
        value
    }
}

/// Units of space and of the fourth axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Unit of the first three axes and of the affine.
    pub space: SpaceUnit,
    /// Unit of the fourth axis.
    pub time: TimeUnit,
}

/// Units of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceUnit {
    /// Not stated; taken for millimetres.
    Unknown,
    /// Metres.
    Metre,
    /// Millimetres.
    Millimetre,
    /// Micrometres.
    Micrometre,
}

/// Units of the fourth axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Not stated.
    Unknown,
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Hertz.
    Hertz,
    /// Parts per million.
    PartsPerMillion,
    /// Radians per second.
    RadiansPerSecond,
}

/// What the values of a file mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The code, such as 0 (none), 3 (t), 5 (z), 22 (p), 1002 (labels).
    pub code: i64,
    /// Parameters of the code, such as degrees of freedom.
    pub parameters: [f64; 3],
    /// Free text.
    pub name: String,
}

impl Header {
    /// Takes the bytes of a header, which may be followed by others.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let fields = Fields::new(bytes)?;
        let layout = fields.layout;
        let is_pair = fields.is_pair()?;
        let intent = Intent {
            code: fields.code(layout.intent_code),
            parameters: [0, 1, 2].map(|k| fields.real(layout.intent_parameters, k)),
            name: fields.text(layout.intent_name, 16),
        };
        if layout.version == 2 && CIFTI.contains(&intent.code) {
            return Err(IoError::Unsupported {
                what: "a CIFTI-2 file".into(),
                cure: "take its volume apart with wb_command -cifti-separate, or save its matrix as .npy",
            });
        }
        let n_axes = fields.length(layout.dim, 0);
        let shape = shape(&fields, n_axes)?;
        let dtype = dtype(fields.integer(layout.datatype, 2))?;
        let (affine, affine_source) = affine::read(&fields, [shape[0], shape[1], shape[2]])?;
        let spacing = (1..=shape.len())
            .map(|k| match k as i64 <= n_axes {
                true => fields.real(layout.pixdim, k),
                false => 1.0,
            })
            .collect();
        let header = Self {
            version: layout.version,
            big_endian: fields.big_endian,
            dtype,
            shape,
            scaling: scaling(&fields)?,
            affine,
            affine_source,
            spacing,
            units: units(fields.integer(layout.units.0, layout.units.1)),
            intent,
            description: fields.text(layout.description, 80),
            data_offset: data_offset(&fields, is_pair)?,
            is_pair,
        };
        header.end_of_data()?;
        Ok(header)
    }

    /// Length of the x, y and z axes.
    #[must_use]
    pub fn volume_shape(&self) -> [usize; 3] {
        [self.shape[0], self.shape[1], self.shape[2]]
    }

    /// Voxels of one volume.
    #[must_use]
    pub fn n_voxels(&self) -> usize {
        self.shape[..3].iter().product()
    }

    /// Number of volumes: the product of the axes behind the third.
    #[must_use]
    pub fn n_volumes(&self) -> usize {
        self.shape[3..].iter().product()
    }

    /// The lattice of voxels, in millimetres whatever the unit of the file.
    #[must_use]
    pub fn grid(&self) -> Grid {
        let affine = match self.units.space {
            SpaceUnit::Unknown | SpaceUnit::Millimetre => self.affine,
            SpaceUnit::Metre => self.affine.scaled(1e3),
            SpaceUnit::Micrometre => self.affine.scaled(1e-3),
        };
        Grid {
            shape: self.volume_shape(),
            affine,
        }
    }

    /// Seconds from one volume to the next (TR): `None` where the file has one volume, states no unit of
    /// time, or no duration. Without a unit, [`spacing`](Self::spacing) has the number as it stands.
    #[must_use]
    pub fn repetition_time(&self) -> Option<f64> {
        let stated = *self.spacing.get(3)?;
        let seconds = match self.units.time {
            TimeUnit::Second => stated,
            TimeUnit::Millisecond => stated / 1e3,
            TimeUnit::Microsecond => stated / 1e6,
            _ => return None,
        };
        (seconds.is_finite() && seconds > 0.0).then_some(seconds)
    }

    /// Bytes of the values.
    pub(super) fn n_bytes(&self) -> u64 {
        (self.n_voxels() * self.n_volumes() * self.dtype.n_bytes()) as u64
    }

    /// Position behind the last value in its file; all sizes inside it can be computed without overflow.
    pub(super) fn end_of_data(&self) -> Result<u64> {
        n_elements(&self.shape)
            .and_then(|n| n.checked_mul(self.dtype.n_bytes() as u64))
            .filter(|n_bytes| *n_bytes <= isize::MAX as u64)
            .and_then(|n_bytes| n_bytes.checked_add(self.data_offset))
            .ok_or_else(|| {
                IoError::malformed(
                    FORMAT,
                    "dim",
                    format!("{:?}", self.shape),
                    "axes whose values memory can address",
                )
            })
    }
}

/// The axes, at least three, without ones at the end.
fn shape(fields: &Fields, n_axes: i64) -> Result<Vec<usize>> {
    if !(1..=7).contains(&n_axes) {
        return Err(IoError::malformed(
            FORMAT,
            "dim[0], the number of axes,",
            n_axes,
            "1 to 7",
        ));
    }
    let lengths: Vec<i64> = (1..=n_axes as usize)
        .map(|k| fields.length(fields.layout.dim, k))
        .collect();
    if lengths[0] == -1 {
        return Err(IoError::Unsupported {
            what: "a FreeSurfer surface in the form of NIfTI (dim[1] is -1)".into(),
            cure: "save its values as .npy",
        });
    }
    let mut shape = lengths
        .iter()
        .map(|length| usize::try_from(*length).ok().filter(|n| *n > 0))
        .collect::<Option<Vec<usize>>>()
        .ok_or_else(|| {
            IoError::malformed(
                FORMAT,
                "dim",
                format!("{lengths:?}"),
                "lengths of at least 1",
            )
        })?;
    while shape.len() < 3 {
        shape.push(1);
    }
    while shape.len() > 3 && shape.last() == Some(&1) {
        shape.pop();
    }
    Ok(shape)
}

fn dtype(code: i64) -> Result<Dtype> {
    let refused = match code {
        2 => return Ok(Dtype::U8),
        4 => return Ok(Dtype::I16),
        8 => return Ok(Dtype::I32),
        16 => return Ok(Dtype::F32),
        64 => return Ok(Dtype::F64),
        256 => return Ok(Dtype::I8),
        512 => return Ok(Dtype::U16),
        768 => return Ok(Dtype::U32),
        1024 => return Ok(Dtype::I64),
        1280 => return Ok(Dtype::U64),
        1 => "bits (datatype 1)",
        32 => "complex numbers (complex64, datatype 32)",
        1792 => "complex numbers (complex128, datatype 1792)",
        2048 => "complex numbers (complex256, datatype 2048)",
        128 => "colours (RGB, datatype 128)",
        2304 => "colours (RGBA, datatype 2304)",
        1536 => "128-bit numbers (float128, datatype 1536)",
        other => {
            return Err(IoError::malformed(
                FORMAT,
                "datatype",
                other,
                "a code such as 2 (uint8), 4 (int16), 16 (float32) or 64 (float64)",
            ));
        }
    };
    Err(IoError::Unsupported {
        what: format!("a NIfTI file of {refused}"),
        cure: "save it with real numbers of up to 64 bits (int16, float32 …), a part or colour a file",
    })
}

/// nibabel's rule: a slope that is 0 or not finite means none; a valid slope needs a valid intercept.
fn scaling(fields: &Fields) -> Result<Option<Scaling>> {
    let slope = fields.real(fields.layout.scl_slope, 0);
    let intercept = fields.real(fields.layout.scl_inter, 0);
    if slope == 0.0 || !slope.is_finite() {
        return Ok(None);
    }
    if !intercept.is_finite() {
        return Err(IoError::malformed(
            FORMAT,
            "scl_inter",
            format!("{intercept} beside the slope {slope}"),
            "a finite number",
        ));
    }
    let identity = slope == 1.0 && intercept == 0.0;
    Ok((!identity).then_some(Scaling { slope, intercept }))
}

fn units(code: i64) -> Units {
    Units {
        space: match code & 0x07 {
            1 => SpaceUnit::Metre,
            2 => SpaceUnit::Millimetre,
            3 => SpaceUnit::Micrometre,
            _ => SpaceUnit::Unknown,
        },
        time: match code & 0x38 {
            8 => TimeUnit::Second,
            16 => TimeUnit::Millisecond,
            24 => TimeUnit::Microsecond,
            32 => TimeUnit::Hertz,
            40 => TimeUnit::PartsPerMillion,
            48 => TimeUnit::RadiansPerSecond,
            _ => TimeUnit::Unknown,
        },
    }
}

/// Where the values begin: behind header and extensions in a single file (0 means directly), anywhere
/// in a file of their own.
fn data_offset(fields: &Fields, is_pair: bool) -> Result<u64> {
    const EXPECTED: &str = "a whole number, at least 352 (NIfTI-1) or 544 (NIfTI-2) where header and data are one file";
    let layout = fields.layout;
    let wrong = |found: String| IoError::malformed(FORMAT, "vox_offset", found, EXPECTED);
    let stated = if layout.version == 1 {
        let stated = fields.real(layout.vox_offset, 0);
        // Beyond 2⁵³ a double is no longer sure to be the number that was meant.
        if !(0.0..=2_f64.powi(53)).contains(&stated) || stated.fract() != 0.0 {
            return Err(wrong(stated.to_string()));
        }
        stated as u64
    } else {
        let stated = fields.length(layout.vox_offset, 0);
        u64::try_from(stated).map_err(|_| wrong(stated.to_string()))?
    };
    match stated {
        stated if is_pair || stated >= layout.least_offset => Ok(stated),
        0 => Ok(layout.least_offset),
        stated => Err(wrong(stated.to_string())),
    }
}
