//! Numbers, which are stored in the smallest type that holds them.

use std::borrow::Cow;

use super::FORMAT;
use super::bytes::{Bytes, Tagged, mi};
use super::element::damaged;
use crate::array::from_values;
use crate::{Element, Result};

/// Numbers as stored, which may be a smaller type than their class.
pub(super) struct Stored<'a> {
    kind: u32,
    little: Cow<'a, [u8]>,
}

impl<'a> Stored<'a> {
    pub(super) fn new(element: Tagged<'a>, bytes: &Bytes<'a>, n: usize) -> Result<Self> {
        let size = match element.kind {
            mi::INT8 | mi::UINT8 => 1,
            mi::INT16 | mi::UINT16 => 2,
            mi::INT32 | mi::UINT32 | mi::SINGLE => 4,
            mi::INT64 | mi::UINT64 | mi::DOUBLE => 8,
            kind => return Err(damaged("the storage of numbers", kind, "a numeric type")),
        };
        let expected = (n as u64).saturating_mul(size);
        if element.data.len() as u64 != expected {
            return Err(damaged(
                "the size of an array's data",
                format!("{} bytes for {n} elements", element.data.len()),
                "as many bytes as its dimensions need",
            ));
        }
        Ok(Self {
            kind: element.kind,
            little: bytes.endian.to_little(element.data, size as usize),
        })
    }

    pub(super) fn array<T: Class>(&self, dims: &[usize]) -> Result<ndarray::ArrayD<T>> {
        let values = match self.kind {
            mi::INT8 => self.values::<i8, T>(),
            mi::UINT8 => self.values::<u8, T>(),
            mi::INT16 => self.values::<i16, T>(),
            mi::UINT16 => self.values::<u16, T>(),
            mi::INT32 => self.values::<i32, T>(),
            mi::UINT32 => self.values::<u32, T>(),
            mi::INT64 => self.values::<i64, T>(),
            mi::UINT64 => self.values::<u64, T>(),
            mi::SINGLE => self.values::<f32, T>(),
            _ => self.values::<f64, T>(),
        };
        let values = values.ok_or_else(|| {
            damaged(
                "a stored number",
                "outside the range of its class",
                "one that the class can hold",
            )
        })?;
        from_values(FORMAT, dims, true, values)
    }

    fn values<S: Element, T: Class>(&self) -> Option<Vec<T>> {
        self.little
            .chunks_exact(S::DTYPE.n_bytes())
            .map(|bytes| T::from_stored(S::from_le(bytes)))
            .collect()
    }
}

/// A numeric class that smaller storage is widened to.
pub(super) trait Class: Sized {
    /// The value, if the class can hold it.
    fn from_stored<S: Element>(stored: S) -> Option<Self>;
}

macro_rules! integer_class {
    ($($class:ty),*) => {$(
        impl Class for $class {
            fn from_stored<S: Element>(stored: S) -> Option<Self> {
                stored.to_i64().and_then(|value| Self::try_from(value).ok())
            }
        }
    )*};
}

integer_class!(i8, u8, i16, u16, i32, u32, i64);

impl Class for u64 {
    fn from_stored<S: Element>(stored: S) -> Option<Self> {
        // Beyond i64 only unsigned storage can be meant, and its bits are the value.
        match stored.to_i64() {
            Some(value) => Self::try_from(value).ok(),
            None if S::DTYPE == crate::Dtype::U64 => {
                let mut bytes = Vec::with_capacity(8);
                stored.extend_le(&mut bytes);
                Some(<Self as Element>::from_le(&bytes))
            }
            None => None,
        }
    }
}

impl Class for f64 {
    fn from_stored<S: Element>(stored: S) -> Option<Self> {
        Some(stored.to_f64())
    }
}

impl Class for f32 {
    fn from_stored<S: Element>(stored: S) -> Option<Self> {
        Some(stored.to_f64() as Self)
    }
}
