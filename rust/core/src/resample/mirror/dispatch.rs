//! Kernels of mirrored copies, by instruction set.

use crate::simd::dispatch;

dispatch!(avx2, mirror [const B: usize] [B], from: &[u8], out: &mut [u8]);
