//! Lines, tails and rounding, for kernels of x86-64.

use std::arch::x86_64::*;
use std::mem::take;

use bytemuck::cast;

use super::float::FloatPixel;

/// Length of the shortest of some lines.
pub(super) fn shortest<T>(lines: &[&[T]]) -> usize {
    lines.iter().fold(usize::MAX, |length, line| length.min(line.len()))
}

/// Number of blocks that all of some outputs have room for.
pub(super) fn fewest<T>(out: &[&mut [T]]) -> usize {
    out.iter().fold(usize::MAX, |count, out| count.min(out.len()))
}

/// Outputs cut to the length of the shortest, and that length: compilers then check a position once for all of them.
pub(super) fn equally_long<T, const N: usize>(mut out: [&mut [T]; N]) -> ([&mut [T]; N], usize) {
    let length = fewest(&out);
    for out in &mut out {
        *out = &mut take(out)[..length];
    }
    (out, length)
}

/// Sixteen sums as values of their type.
/// ```text
/// levels    value 0 ... 3 | 4 ... 7  and  8 ... 11 | 12 ... 15, in 32 bits
/// packed    value 0 ... 3, 8 ... 11 | 4 ... 7, 12 ... 15, in 16 bits, then in order
/// ```
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn rounded_sixteen<T: FloatPixel>([a, b]: [__m256; 2]) -> [T; 16] {
    if T::IS_U16 {
        // Converting rounds halves to even, packing clips.
        let levels = _mm256_packus_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
        cast(_mm256_permute4x64_epi64::<0b11_01_10_00>(levels))
    } else {
        cast([a, b])
    }
}

/// Writes all of `out`, vector by vector: `block` makes the values from one of them on, and may be asked for some that
/// reach past the end. The last vector overlaps the one before it.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn each_vector<T: Copy, const W: usize>(out: &mut [T], block: impl Fn(usize) -> [T; W]) {
    let length = out.len();
    for at in (0..length).step_by(W) {
        let at = at.min(length.saturating_sub(W));
        // There is one call, so that it is inlined.
        let values = block(at);
        match out[at..].first_chunk_mut::<W>() {
            Some(out) => *out = values,
            None => out.copy_from_slice(&values[..length]),
        }
    }
}

/// Writes what blocks of `W` values leave at the end of `out`. `block` makes the values from one of them on, and may be
/// asked for some that reach past the end. The last block overlaps the one before it, which takes less time than to copy
/// a part of it.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn tail<T: Copy, const W: usize>(out: &mut [T], block: impl Fn(usize) -> [T; W]) {
    let length = out.len();
    if length.is_multiple_of(W) {
        return;
    }
    let at = length.saturating_sub(W);
    let values = block(at);
    match out[at..].first_chunk_mut::<W>() {
        Some(out) => *out = values,
        None => out.copy_from_slice(&values[..length]),
    }
}
