//! Kernels of blurring and mixing, by instruction set.

use super::mix::BlendBytes;
use super::opacity_bits::OpacityBits;
use super::portable::WIDTH;
use crate::simd::dispatch;

dispatch!(avx2, blur [] [],
    rows: &[[i16; WIDTH]], weights: &[i16], out: &mut [u8; WIDTH], bits: &mut OpacityBits);
dispatch!(avx2, blend [const C: usize] [C], row: &mut BlendBytes<'_>, done: &mut usize);
