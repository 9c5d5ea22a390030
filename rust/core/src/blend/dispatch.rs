//! Kernels of blurring and mixing, by instruction set.

use super::kinds::Kinds;
use super::mix::Bytes;
use super::portable::WIDTH;
use crate::simd::dispatch;

dispatch!(avx2, blur [] [],
    rows: &[[i16; WIDTH]], weights: &[i16], out: &mut [u8; WIDTH], kinds: &mut Kinds);
dispatch!(avx2, blend [const C: usize] [C], row: &mut Bytes<'_>, done: &mut usize);
