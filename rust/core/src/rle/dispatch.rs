//! Kernels of run-length masks, by instruction set.

use super::counts::RunSums;
use crate::simd::dispatch;

dispatch!(avx2, add_up [] [], runs: &[u32], ends: &mut [u32], sums: &mut RunSums);
dispatch!(avx2, set_spans [] [], spans: &[[u32; 2]], from: u32, words: &mut [u64]);
