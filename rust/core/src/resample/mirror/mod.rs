//! Rows of pixels copied from right to left.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod dispatch;
mod portable;

use crate::simd::Level;

/// Copies pixels of `bytes` bytes each from the last to the first.
pub(super) fn mirror(level: Level, bytes: usize, from: &[u8], out: &mut [u8]) {
    match bytes {
        1 => dispatch::mirror::<1>(level, from, out),
        3 => dispatch::mirror::<3>(level, from, out),
        6 => dispatch::mirror::<6>(level, from, out),
        // Pixels of these sizes processors load and store as fast as shuffles do.
        2 => portable::mirror::<2>(from, out),
        4 => portable::mirror::<4>(from, out),
        8 => portable::mirror::<8>(from, out),
        12 => portable::mirror::<12>(from, out),
        16 => portable::mirror::<16>(from, out),
        _ => {
            for (out, pixel) in out.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes).rev()) {
                out.copy_from_slice(pixel);
            }
        }
    }
}
