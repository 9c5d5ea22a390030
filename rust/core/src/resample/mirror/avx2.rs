//! Mirrored copies for AVX2.

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
