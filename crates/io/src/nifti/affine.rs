//! From voxel indices to millimetres.

use super::layout::{FORMAT, Fields};
use crate::{IoError, Result};

/// A voxel: its 0-based position along x, y and z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Voxel(pub [usize; 3]);

/// A place in the space of an image, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Millimetres(pub [f64; 3]);

/// The three upper rows of the matrix that takes voxel indices (x, y, z, 1) to a place; the fourth is
/// always (0, 0, 0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f64; 4]; 3]);

impl Affine {
    /// Voxels of these sizes along the axes, the first at the origin.
    #[must_use]
    pub fn from_sizes([x, y, z]: [f64; 3]) -> Self {
        Self([[x, 0.0, 0.0, 0.0], [0.0, y, 0.0, 0.0], [0.0, 0.0, z, 0.0]])
    }

    /// The place of a point given in voxels.
    #[must_use]
    pub fn apply(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        self.0.map(|[a, b, c, shift]| a * x + b * y + c * z + shift)
    }

    /// Column `k` of the part that is linear: the edge of a voxel along axis `k`.
    fn edge(&self, k: usize) -> [f64; 3] {
        self.0.map(|row| row[k])
    }

    /// Length of a voxel's edges along x, y and z.
    #[must_use]
    pub fn voxel_sizes(&self) -> [f64; 3] {
        [0, 1, 2].map(|k| norm(self.edge(k)))
    }

    /// Whether every number is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.0.as_flattened().iter().all(|value| value.is_finite())
    }

    /// All numbers times `factor`.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self(self.0.map(|row| row.map(|value| value * factor)))
    }
}

/// Which of a file's fields its affine was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AffineSource {
    /// `srow_x`, `srow_y` and `srow_z`.
    Sform(Space),
    /// The quaternion, its shift and the sizes of voxels.
    Qform(Space),
    /// The sizes of voxels only: the centre of the volume is the origin and x runs from right to left.
    VoxelSizes,
}

/// The space that an affine leads to, as files name it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Space {
    /// That of the scanner (code 1).
    Scanner,
    /// Aligned to another file (code 2).
    #[default]
    Aligned,
    /// Talairach's atlas (code 3).
    Talairach,
    /// MNI 152 (code 4).
    Mni,
    /// Another template (code 5).
    Template,
}

impl Space {
    /// `None` for 0, "unknown", and for codes without a meaning.
    pub(super) fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Scanner),
            2 => Some(Self::Aligned),
            3 => Some(Self::Talairach),
            4 => Some(Self::Mni),
            5 => Some(Self::Template),
            _ => None,
        }
    }

    pub(super) fn code(self) -> i64 {
        match self {
            Self::Scanner => 1,
            Self::Aligned => 2,
            Self::Talairach => 3,
            Self::Mni => 4,
            Self::Template => 5,
        }
    }
}

/// The affine as nibabel chooses it: the sform if it has a code, else the qform if that has one, else the
/// sizes of voxels.
pub(super) fn read(fields: &Fields, shape: [usize; 3]) -> Result<(Affine, AffineSource)> {
    let layout = fields.layout;
    let sform = Space::from_code(fields.code(layout.sform_code));
    let qform = Space::from_code(fields.code(layout.qform_code));
    let (affine, source, what) = match (sform, qform) {
        (Some(space), _) => {
            let row = |r: usize| [0, 1, 2, 3].map(|k| fields.real(layout.srow, 4 * r + k));
            let affine = Affine([0, 1, 2].map(row));
            (affine, AffineSource::Sform(space), "srow_x, srow_y, srow_z")
        }
        (None, Some(space)) => (
            from_quaternion(fields)?,
            AffineSource::Qform(space),
            "the quaternion, qoffset or pixdim",
        ),
        (None, None) => {
            let [x, y, z] = sizes(fields);
            let mut affine = Affine::from_sizes([-x, y, z]);
            for (k, row) in affine.0.iter_mut().enumerate() {
                row[3] = -(shape[k] as f64 - 1.0) / 2.0 * row[k];
            }
            (affine, AffineSource::VoxelSizes, "pixdim")
        }
    };
    if affine.is_finite() {
        return Ok((affine, source));
    }
    Err(IoError::malformed(
        FORMAT,
        what,
        format!("{:?}", affine.0),
        "finite numbers",
    ))
}

/// Sizes of voxels, mended as nibabel does: a zero is 1, a negative size loses its sign, and axes
/// beyond those of the file have 1.
fn sizes(fields: &Fields) -> [f64; 3] {
    let n_axes = fields.length(fields.layout.dim, 0);
    [1, 2, 3].map(|k| {
        let size = fields.real(fields.layout.pixdim, k).abs();
        if size == 0.0 || k as i64 > n_axes {
            1.0
        } else {
            size
        }
    })
}

/// The affine of the qform.
fn from_quaternion(fields: &Fields) -> Result<Affine> {
    let layout = fields.layout;
    let [x, y, z] = [0, 1, 2].map(|k| fields.real(layout.quaternion, k));
    let w = real_part(
        [x, y, z],
        if layout.version == 1 {
            f32::EPSILON.into()
        } else {
            f64::EPSILON
        },
    )?;
    let rotation = rotation([w, x, y, z]);
    let mut size = [1, 2, 3].map(|k| {
        let size = fields.real(layout.pixdim, k).abs();
        if size == 0.0 { 1.0 } else { size }
    });
    // qfac is ±1; nibabel takes everything else for 1.
    if fields.real(layout.pixdim, 0) == -1.0 {
        size[2] = -size[2];
    }
    let mut affine = Affine([[0.0; 4]; 3]);
    for (r, row) in affine.0.iter_mut().enumerate() {
        for k in 0..3 {
            row[k] = rotation[r][k] * size[k];
        }
        row[3] = fields.real(layout.quaternion, 3 + r);
    }
    Ok(affine)
}

/// The part of a unit quaternion that files leave out.
///
/// Near half a turn it is the root of a small difference, so that the squares are summed with their
/// rounding errors, as nibabel sums them in higher precision.
fn real_part(vector: [f64; 3], epsilon: f64) -> Result<f64> {
    let mut sum = 1.0_f64;
    let mut error = 0.0;
    for value in vector {
        let square = value * value;
        let next = sum - square;
        // What rounding lost in the difference and in the square.
        error += ((sum - next) - square) - value.mul_add(value, -square);
        sum = next;
    }
    let square = sum + error;
    if square.abs() < 3.0 * epsilon {
        Ok(0.0)
    } else if square > 0.0 {
        Ok(square.sqrt())
    } else {
        Err(IoError::malformed(
            FORMAT,
            "the quaternion (quatern_b, quatern_c, quatern_d)",
            format!("{vector:?}"),
            "three numbers whose squares sum to at most 1",
        ))
    }
}

/// The rotation of a quaternion (w, x, y, z).
fn rotation([w, x, y, z]: [f64; 4]) -> [[f64; 3]; 3] {
    let s = 2.0 / (w * w + x * x + y * y + z * z);
    [
        [
            1.0 - s * (y * y + z * z),
            s * (x * y - z * w),
            s * (x * z + y * w),
        ],
        [
            s * (x * y + z * w),
            1.0 - s * (x * x + z * z),
            s * (y * z - x * w),
        ],
        [
            s * (x * z - y * w),
            s * (y * z + x * w),
            1.0 - s * (x * x + y * y),
        ],
    ]
}

/// An affine as a rotation: quaternion without its real part, which is not negative, and the sign of the
/// third axis (qfac).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Qform {
    pub vector: [f64; 3],
    pub qfac: f64,
}

/// The qform of an affine, if its edges are at right angles (cosines below 1e-6).
pub(super) fn qform(affine: &Affine) -> Option<Qform> {
    let sizes = affine.voxel_sizes();
    if sizes.iter().any(|size| !size.is_normal()) {
        return None;
    }
    let mut unit = [0, 1, 2].map(|k| affine.edge(k).map(|value| value / sizes[k]));
    let is_skewed = [(0, 1), (0, 2), (1, 2)]
        .into_iter()
        .any(|(i, j)| dot(unit[i], unit[j]).abs() > 1e-6);
    if is_skewed {
        return None;
    }
    let [x, y, z] = unit;
    let cross = [
        x[1] * y[2] - x[2] * y[1],
        x[2] * y[0] - x[0] * y[2],
        x[0] * y[1] - x[1] * y[0],
    ];
    let qfac = if dot(cross, z) < 0.0 { -1.0 } else { 1.0 };
    unit[2] = z.map(|value| qfac * value);
    Some(Qform {
        vector: quaternion(unit),
        qfac,
    })
}

/// The vector part of the quaternion of a rotation with these columns.
///
/// The four squares are read off the diagonal; the largest part divides the others, which keeps their
/// digits (Shepperd 1978, doi:10.2514/3.55767b).
fn quaternion(columns: [[f64; 3]; 3]) -> [f64; 3] {
    let m = |row: usize, column: usize| columns[column][row];
    let trace = m(0, 0) + m(1, 1) + m(2, 2);
    let squares = [
        1.0 + trace,
        1.0 + 2.0 * m(0, 0) - trace,
        1.0 + 2.0 * m(1, 1) - trace,
        1.0 + 2.0 * m(2, 2) - trace,
    ];
    let largest = (1..4).fold(
        0,
        |best, k| if squares[k] > squares[best] { k } else { best },
    );
    // Four times each product with the largest part.
    let products = match largest {
        0 => [
            squares[0],
            m(2, 1) - m(1, 2),
            m(0, 2) - m(2, 0),
            m(1, 0) - m(0, 1),
        ],
        1 => [
            m(2, 1) - m(1, 2),
            squares[1],
            m(0, 1) + m(1, 0),
            m(0, 2) + m(2, 0),
        ],
        2 => [
            m(0, 2) - m(2, 0),
            m(0, 1) + m(1, 0),
            squares[2],
            m(1, 2) + m(2, 1),
        ],
        _ => [
            m(1, 0) - m(0, 1),
            m(0, 2) + m(2, 0),
            m(1, 2) + m(2, 1),
            squares[3],
        ],
    };
    let sign = if products[0] < 0.0 { -1.0 } else { 1.0 };
    let length = products
        .iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt();
    [1, 2, 3].map(|k| sign * products[k] / length)
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}
