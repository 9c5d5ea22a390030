//! Kernels of run-length masks, by instruction set.

use super::counts::Sums;
use super::lone::{Extent, Lone};
use crate::simd::dispatch;

dispatch!(avx512, draw_lone [const FLIP: bool, const COPIES: usize] [FLIP, COPIES], lone: &mut Lone<'_> => Extent);
dispatch!(avx2, add_up [] [], runs: &[u32], ends: &mut [u32], sums: &mut Sums);
dispatch!(avx2, set_spans [] [], spans: &[[u32; 2]], from: u32, words: &mut [u64]);
