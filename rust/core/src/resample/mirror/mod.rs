//! Rows of pixels copied from right to left.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod dispatch;
mod portable;

use crate::simd::Level;

/// Copies pixels of `bytes` bytes each from the last to the first.
pub(super) fn mirror(level: Level, bytes: usize, from: &[u8], out: &mut [u8]) {
    use dispatch::mirror;
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
