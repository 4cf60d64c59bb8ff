//! Kinds of numbers in weights files, and their way to single precision.

use half::{bf16, f16};

/// Kind of number that a weights file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Number {
    pub fn n_bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Little-endian numbers as single precision: halves exactly, others to the nearest.
    pub fn to_f32(self, data: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            let (numbers, _) = data.as_chunks::<N>();
            numbers.iter().map(|bytes| value(*bytes)).collect()
        }
        match self {
            Self::Bool => each(data, |[byte]| f32::from(byte != 0)),
            Self::U8 => each(data, |b| f32::from(u8::from_le_bytes(b))),
            Self::I8 => each(data, |b| f32::from(i8::from_le_bytes(b))),
            Self::U16 => each(data, |b| f32::from(u16::from_le_bytes(b))),
            Self::I16 => each(data, |b| f32::from(i16::from_le_bytes(b))),
            Self::U32 => each(data, |b| u32::from_le_bytes(b) as f32),
            Self::I32 => each(data, |b| i32::from_le_bytes(b) as f32),
            Self::U64 => each(data, |b| u64::from_le_bytes(b) as f32),
            Self::I64 => each(data, |b| i64::from_le_bytes(b) as f32),
            Self::F16 => each(data, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => each(data, |b| bf16::from_le_bytes(b).to_f32()),
            Self::F32 => each(data, f32::from_le_bytes),
            Self::F64 => each(data, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number::{self, *};

    #[test]
    fn every_kind_becomes_single_precision() {
        let cases: [(Number, Vec<u8>, f32); 13] = [
            (Bool, vec![2], 1.0),
            (U8, vec![200], 200.0),
            (I8, vec![200], -56.0),
            (U16, 60_000_u16.to_le_bytes().into(), 60_000.0),
            (I16, (-300_i16).to_le_bytes().into(), -300.0),
            (U32, u32::MAX.to_le_bytes().into(), 4_294_967_296.0),
            (I32, (-7_i32).to_le_bytes().into(), -7.0),
            (
                U64,
                u64::MAX.to_le_bytes().into(),
                18_446_744_073_709_552_000.0,
            ),
            (I64, (-7_i64).to_le_bytes().into(), -7.0),
            (F16, vec![0x00, 0xc1], -2.5),
            (Bf16, vec![0x20, 0xc0], -2.5),
            (F32, 0.1_f32.to_le_bytes().into(), 0.1),
            (F64, 0.1_f64.to_le_bytes().into(), 0.1),
        ];
        for (number, bytes, expected) in cases {
            assert_eq!(number.n_bytes(), bytes.len(), "{number:?}");
            let twice = [&bytes[..], &bytes[..]].concat();
            assert_eq!(number.to_f32(&twice), [expected; 2], "{number:?}");
        }
    }
}
