//! Kernels of the nearest filter, by instruction set.

use crate::resample::Pixel;
use crate::simd::dispatch;

dispatch!(avx2, pick_values [T: Pixel] [T], row: &[T], table: &[u32], out: &mut [T]);
