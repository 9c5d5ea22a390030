//! Pixel types that are resampled in float32.

/// Pixel type that is resampled in float32: `uint16` or `float32`.
pub(crate) trait FloatPixel: Copy + Default + bytemuck::Pod {
    /// Whether kernels take 16-bit levels; else they take float32.
    const IS_U16: bool;
    /// Value in float32, exactly.
    fn to_f32(self) -> f32;
    /// Value of a sum of weighted pixels, rounded where the type has to.
    fn from_sum(sum: f32) -> Self;
}

impl FloatPixel for f32 {
    const IS_U16: bool = false;

    #[inline]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline]
    fn from_sum(sum: f32) -> Self {
        sum
    }
}

impl FloatPixel for u16 {
    const IS_U16: bool = true;

    #[inline]
    fn to_f32(self) -> f32 {
        self.into()
    }

    #[inline]
    fn from_sum(sum: f32) -> Self {
        let level = if sum < 65535.0 { sum } else { 65535.0 };
        // With 2^23 added a float32 has no fraction bits: it is rounded, halves to even, and its low bits are
        // the integer.
        (level + 8_388_608.0).to_bits() as u16
    }
}
