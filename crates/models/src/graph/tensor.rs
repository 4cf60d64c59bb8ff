//! Constant tensors.

use bytes::Bytes;

/// Kind of number in a tensor; the discriminant is ONNX's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Element {
    F32 = 1,
    U8 = 2,
    I8 = 3,
    U16 = 4,
    I16 = 5,
    I32 = 6,
    I64 = 7,
    Bool = 9,
    F16 = 10,
    F64 = 11,
    U32 = 12,
    U64 = 13,
    Bf16 = 16,
}

impl Element {
    /// The kind that has ONNX's code `code`, if it is one of those supported.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        use Element::{Bf16, Bool, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        [
            F32, U8, I8, U16, I16, I32, I64, Bool, F16, F64, U32, U64, Bf16,
        ]
        .into_iter()
        .find(|element| *element as i32 == code)
    }

    /// Bytes that one number takes.
    #[must_use]
    pub fn n_bytes(self) -> usize {
        match self {
            Element::U8 | Element::I8 | Element::Bool => 1,
            Element::U16 | Element::I16 | Element::F16 | Element::Bf16 => 2,
            Element::F32 | Element::I32 | Element::U32 => 4,
            Element::F64 | Element::I64 | Element::U64 => 8,
        }
    }
}

/// A constant tensor; copies share the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    element: Element,
    shape: Vec<usize>,
    bytes: Bytes,
}

impl Tensor {
    /// Takes numbers as little-endian bytes in row-major order; `None` when their count is not the
    /// product of the shape.
    #[must_use]
    pub fn from_bytes(element: Element, shape: Vec<usize>, bytes: Bytes) -> Option<Self> {
        let n_bytes = shape
            .iter()
            .try_fold(element.n_bytes(), |product, &extent| {
                product.checked_mul(extent)
            })?;
        (n_bytes == bytes.len()).then_some(Self {
            element,
            shape,
            bytes,
        })
    }

    /// Takes `f32` numbers in row-major order; `None` when their count is not the product of the
    /// shape.
    ///
    /// # Example
    ///
    /// ```
    /// use consilience_models::graph::Tensor;
    ///
    /// let tensor = Tensor::from_f32(vec![2, 1], &[1.0, -2.0]).unwrap();
    /// assert_eq!(tensor.to_f32(), Some(vec![1.0, -2.0]));
    /// assert!(Tensor::from_f32(vec![3], &[1.0]).is_none());
    /// ```
    #[must_use]
    pub fn from_f32(shape: Vec<usize>, values: &[f32]) -> Option<Self> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::from_bytes(Element::F32, shape, bytes.into())
    }

    /// [`Tensor::from_f32`] that takes the numbers without copying them.
    #[must_use]
    pub fn from_vec(shape: Vec<usize>, mut values: Vec<f32>) -> Option<Self> {
        struct Numbers(Vec<f32>);
        impl AsRef<[u8]> for Numbers {
            fn as_ref(&self) -> &[u8] {
                bytemuck::cast_slice(&self.0)
            }
        }
        if cfg!(target_endian = "big") {
            for value in &mut values {
                *value = f32::from_le_bytes(value.to_be_bytes());
            }
        }
        Self::from_bytes(Element::F32, shape, Bytes::from_owner(Numbers(values)))
    }

    /// The numbers, when they are `f32`.
    #[must_use]
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        (self.element == Element::F32).then(|| {
            let (chunks, _) = self.bytes.as_chunks::<4>();
            chunks.iter().map(|b| f32::from_le_bytes(*b)).collect()
        })
    }

    /// Kind of number.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// Extent of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers as little-endian bytes, row-major.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}
