//! Pixels copied in reverse.

/// Copies pixels of `bytes` bytes each from the last to the first.
pub(super) fn mirror(level: crate::simd::Level, bytes: usize, from: &[u8], out: &mut [u8]) {
    use crate::simd::reversed::mirror;
    match bytes {
        1 => mirror::<1>(level, from, out),
        2 => mirror::<2>(level, from, out),
        3 => mirror::<3>(level, from, out),
        4 => mirror::<4>(level, from, out),
        6 => mirror::<6>(level, from, out),
        8 => mirror::<8>(level, from, out),
        12 => mirror::<12>(level, from, out),
        16 => mirror::<16>(level, from, out),
        _ => {
            for (out, pixel) in out.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes).rev()) {
                out.copy_from_slice(pixel);
            }
        }
    }
}

pub(crate) mod portable {
    /// For pixels of `B` bytes; `from` and `out` are whole ones, and as many.
    pub(crate) fn mirror<const B: usize>(from: &[u8], out: &mut [u8]) {
        let pixels = from.as_chunks::<B>().0.iter().rev();
        for (out, pixel) in out.as_chunks_mut::<B>().0.iter_mut().zip(pixels) {
            *out = *pixel;
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2 {
    use std::arch::x86_64::{__m128i, _mm_shuffle_epi8};

    use bytemuck::cast;

    use super::portable;

    /// Bytes that are shuffled together.
    const LANE: usize = 16;

    #[target_feature(enable = "avx2")]
    pub(crate) fn mirror<const B: usize>(mut from: &[u8], mut out: &mut [u8]) {
        // As many whole pixels as there is room for, at the end of a lane.
        let pixels = LANE / B;
        let mut index = [-1_i8; LANE];
        for pixel in 0..pixels {
            for byte in 0..B {
                index[pixel * B + byte] = (LANE - (pixel + 1) * B + byte) as i8;
            }
        }
        let index: __m128i = cast(index);
        while let (Some(lane), Some(place)) = (from.last_chunk::<LANE>(), out.first_chunk_mut::<LANE>()) {
            // Where whole pixels do not fill it, the next ones write over what is behind them.
            *place = cast(_mm_shuffle_epi8(cast(*lane), index));
            from = &from[..from.len() - pixels * B];
            out = &mut out[pixels * B..];
        }
        portable::mirror::<B>(from, out);
    }
}
