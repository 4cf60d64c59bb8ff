//! The two storage types of patterns.

use faer::traits::RealField;

/// `f32` or `f64`.
///
/// Results are always `f64`; this trait lets kernels read and multiply in the width that the data
/// are stored in. It is sealed: no other type can implement it.
pub trait Real: RealField + bytemuck::Pod + Send + Sync + sealed::Sealed {
    /// The type as NumPy names it.
    const NAME: &'static str;

    /// Bits of [`Real::order_key`] that can differ.
    const KEY_BITS: u32;

    /// Widens, exactly.
    fn to_f64(self) -> f64;

    /// Rounds to the nearest representable value.
    fn from_f64(value: f64) -> Self;

    /// An integer with the same order as the values: −0 equals +0, every NaN is the same and
    /// above everything else.
    fn order_key(self) -> u64;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    const NAME: &'static str = "float32";

    const KEY_BITS: u32 = 32;

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn from_f64(value: f64) -> Self {
        value as f32
    }

    fn order_key(self) -> u64 {
        if self.is_nan() {
            return u64::from(u32::MAX);
        }
        // Adding zero turns −0 into +0.
        let bits = (self + 0.0).to_bits();
        let flip = (bits.cast_signed() >> 31).cast_unsigned() | (1 << 31);
        u64::from(bits ^ flip)
    }
}

impl Real for f64 {
    const NAME: &'static str = "float64";

    const KEY_BITS: u32 = 64;

    fn to_f64(self) -> f64 {
        self
    }

    fn from_f64(value: f64) -> Self {
        value
    }

    fn order_key(self) -> u64 {
        if self.is_nan() {
            return u64::MAX;
        }
        let bits = (self + 0.0).to_bits();
        let flip = (bits.cast_signed() >> 63).cast_unsigned() | (1 << 63);
        bits ^ flip
    }
}
