//! Arrays whose element type is known only once the file is open.

use std::fmt;

use half::f16;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use crate::{IoError, Result};

/// Element type of an [`AnyArray`], or of an array file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dtype {
    /// Truth values.
    Bool,
    /// Signed 8-bit integers.
    I8,
    /// Signed 16-bit integers.
    I16,
    /// Signed 32-bit integers.
    I32,
    /// Signed 64-bit integers.
    I64,
    /// Unsigned 8-bit integers.
    U8,
    /// Unsigned 16-bit integers.
    U16,
    /// Unsigned 32-bit integers.
    U32,
    /// Unsigned 64-bit integers.
    U64,
    /// Half precision; files only, widened to single precision when read.
    F16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl Dtype {
    /// Size of one element in bytes.
    #[must_use]
    pub fn n_bytes(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

/// A type that array files hold as numbers of fixed size.
///
/// Sealed: the types are those of [`Dtype`].
pub trait Element: Copy + sealed::Sealed + 'static {
    /// The type as the file names it.
    const DTYPE: Dtype;

    /// The value as double precision; 64-bit integers beyond 2⁵³ are rounded.
    fn to_f64(self) -> f64;

    /// The value if it is a whole number that fits.
    fn to_i64(self) -> Option<i64>;

    /// Appends the little-endian bytes.
    fn extend_le(self, bytes: &mut Vec<u8>);

    /// The value of [`Dtype::n_bytes`] little-endian bytes.
    ///
    /// # Panics
    ///
    /// When `bytes` is shorter.
    fn from_le(bytes: &[u8]) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

/// The first `N` bytes of an element.
fn head<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut head = [0; N];
    head.copy_from_slice(&bytes[..N]);
    head
}

/// A whole number of double precision that fits into 64 bits.
fn whole(value: f64) -> Option<i64> {
    // 2⁶³ itself does not fit; it is the next double above i64::MAX.
    let fits = (-(2_f64.powi(63))..2_f64.powi(63)).contains(&value);
    (fits && value.fract() == 0.0).then_some(value as i64)
}

macro_rules! element {
    ($($type:ty, $dtype:ident, $to_f64:expr, $to_i64:expr;)*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$dtype;
            fn to_f64(self) -> f64 {
                ($to_f64)(self)
            }
            fn to_i64(self) -> Option<i64> {
                ($to_i64)(self)
            }
            fn extend_le(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn from_le(bytes: &[u8]) -> Self {
                Self::from_le_bytes(head(bytes))
            }
        }
    )*};
}

element! {
    i8, I8, f64::from, |v| Some(i64::from(v));
    i16, I16, f64::from, |v| Some(i64::from(v));
    i32, I32, f64::from, |v| Some(i64::from(v));
    i64, I64, |v| v as f64, Some;
    u8, U8, f64::from, |v| Some(i64::from(v));
    u16, U16, f64::from, |v| Some(i64::from(v));
    u32, U32, f64::from, |v| Some(i64::from(v));
    u64, U64, |v| v as f64, |v| i64::try_from(v).ok();
    f16, F16, f64::from, |v| whole(f64::from(v));
    f32, F32, f64::from, |v| whole(f64::from(v));
    f64, F64, |v| v, whole;
}

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: Dtype = Dtype::Bool;
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn to_i64(self) -> Option<i64> {
        Some(i64::from(self))
    }
    fn extend_le(self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self));
    }
    fn from_le(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
}

/// An array of any numeric type, indexed as its file means it.
///
/// The memory order is the file's (C or Fortran); indexing and iteration are logical, so
/// `array[[i, j]]` is the same element whichever it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AnyArray {
    /// Truth values.
    Bool(ArrayD<bool>),
    /// Signed 8-bit integers.
    I8(ArrayD<i8>),
    /// Signed 16-bit integers.
    I16(ArrayD<i16>),
    /// Signed 32-bit integers.
    I32(ArrayD<i32>),
    /// Signed 64-bit integers.
    I64(ArrayD<i64>),
    /// Unsigned 8-bit integers.
    U8(ArrayD<u8>),
    /// Unsigned 16-bit integers.
    U16(ArrayD<u16>),
    /// Unsigned 32-bit integers.
    U32(ArrayD<u32>),
    /// Unsigned 64-bit integers.
    U64(ArrayD<u64>),
    /// Single precision (half precision is widened to it, exactly).
    F32(ArrayD<f32>),
    /// Double precision.
    F64(ArrayD<f64>),
}

/// Evaluates an expression for the array inside, whatever its type.
macro_rules! each {
    ($any:expr, $array:ident => $body:expr) => {
        match $any {
            $crate::AnyArray::Bool($array) => $body,
            $crate::AnyArray::I8($array) => $body,
            $crate::AnyArray::I16($array) => $body,
            $crate::AnyArray::I32($array) => $body,
            $crate::AnyArray::I64($array) => $body,
            $crate::AnyArray::U8($array) => $body,
            $crate::AnyArray::U16($array) => $body,
            $crate::AnyArray::U32($array) => $body,
            $crate::AnyArray::U64($array) => $body,
            $crate::AnyArray::F32($array) => $body,
            $crate::AnyArray::F64($array) => $body,
        }
    };
}

pub(crate) use each;

impl AnyArray {
    /// Length of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        each!(self, array => array.shape())
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, array => array.len())
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element type in memory.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        fn of<T: Element>(_: &ArrayD<T>) -> Dtype {
            T::DTYPE
        }
        each!(self, array => of(array))
    }

    /// The values as double precision.
    ///
    /// Exact for every type but 64-bit integers beyond 2⁵³, which are rounded. Double precision is moved,
    /// not copied.
    ///
    /// # Example
    ///
    /// ```
    /// # use consilience_io::AnyArray;
    /// let array = AnyArray::U8(ndarray::arr1(&[1, 2]).into_dyn());
    /// assert_eq!(array.into_f64(), ndarray::arr1(&[1.0, 2.0]).into_dyn());
    /// ```
    #[must_use]
    pub fn into_f64(self) -> ArrayD<f64> {
        match self {
            Self::F64(array) => array,
            other => each!(other, array => array.mapv(Element::to_f64)),
        }
    }

    /// Single precision stays, everything else becomes double precision: the result is [`Self::F32`] or
    /// [`Self::F64`].
    #[must_use]
    pub fn into_f32_or_f64(self) -> Self {
        match self {
            Self::F32(_) => self,
            other => Self::F64(other.into_f64()),
        }
    }

    /// The values as labels: one-dimensional (or a single row or column) whole numbers.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongKind`] for another shape, a fraction, NaN, or a number beyond 64 bits.
    ///
    /// # Example
    ///
    /// ```
    /// # use consilience_io::AnyArray;
    /// let runs = AnyArray::F64(ndarray::arr1(&[1.0, 1.0, 2.0]).into_dyn());
    /// assert_eq!(runs.into_labels().unwrap(), [1, 1, 2]);
    /// ```
    pub fn into_labels(self) -> Result<Vec<i64>> {
        let one_axis = self.shape().iter().filter(|n| **n != 1).count() <= 1;
        if !one_axis {
            return Err(IoError::WrongKind {
                what: "the array of labels".into(),
                found: format!("of shape {:?}", self.shape()),
                expected: "one label for each row, as one axis",
            });
        }
        each!(self, array => array
            .iter()
            .enumerate()
            .map(|(label_idx, value)| {
                value.to_i64().ok_or_else(|| IoError::WrongKind {
                    what: format!("label {label_idx}"),
                    found: value.to_f64().to_string(),
                    expected: "a whole number of 64 bits",
                })
            })
            .collect())
    }
}

/// Puts values in file order into an array.
pub(crate) fn from_values<T>(
    format: &'static str,
    shape: &[usize],
    fortran_order: bool,
    values: Vec<T>,
) -> Result<ArrayD<T>> {
    let shape_builder = IxDyn(shape).set_f(fortran_order);
    ArrayD::from_shape_vec(shape_builder, values).map_err(|_| {
        IoError::malformed(
            format,
            "the shape",
            format!("{shape:?}"),
            "one that memory can address",
        )
    })
}

/// Number of elements of a shape, or `None` when it cannot be addressed.
///
/// Axes of length zero are left out of the overflow check's product only at its end, so that
/// `(0, 2⁶³, 2⁶³)` is refused although it is empty.
pub(crate) fn n_elements(shape: &[usize]) -> Option<u64> {
    let product = shape
        .iter()
        .filter(|n| **n != 0)
        .try_fold(1_u64, |product, n| product.checked_mul(*n as u64))?;
    (product <= isize::MAX as u64).then_some(if shape.contains(&0) { 0 } else { product })
}

macro_rules! into_any {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<ArrayD<$type>> for AnyArray {
            fn from(array: ArrayD<$type>) -> Self {
                Self::$variant(array)
            }
        }
    )*};
}

into_any!(bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32,
    u64 => U64, f32 => F32, f64 => F64);

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn labels_are_whole_numbers_on_one_axis() {
        let column = AnyArray::F32(arr2(&[[1.0], [3.0]]).into_dyn());
        assert_eq!(column.into_labels().unwrap(), [1, 3]);
        let table = AnyArray::I8(arr2(&[[1, 2], [3, 4]]).into_dyn());
        assert!(table.into_labels().is_err());
        for bad in [0.5, f64::NAN, 1e300, 2_f64.powi(63)] {
            let array = AnyArray::F64(arr2(&[[bad]]).into_dyn());
            assert!(array.into_labels().is_err(), "{bad}");
        }
        let lowest = AnyArray::F64(arr2(&[[-(2_f64.powi(63))]]).into_dyn());
        assert_eq!(lowest.into_labels().unwrap(), [i64::MIN]);
    }

    #[test]
    fn shapes_that_overflow_are_caught() {
        assert_eq!(n_elements(&[]), Some(1));
        assert_eq!(n_elements(&[3, 0, 2]), Some(0));
        assert_eq!(n_elements(&[usize::MAX, 2]), None);
        assert_eq!(n_elements(&[0, usize::MAX, usize::MAX]), None);
    }
}
