//! Kernels of output conversion, by instruction set.

use half::f16;

use crate::simd::dispatch;

dispatch!(avx2, scale [T: Copy + Into<f32>] [T],
    values: &[T], scale: f32, shift: f32, out: &mut [f32]);
dispatch!(avx2, scale_each [T: Copy + Into<f32>] [T],
    values: &[T], scale: &[f32], shift: &[f32], out: &mut [f32]);
dispatch!(avx2, halve [] [], values: &[f32], out: &mut [f16]);
dispatch!(avx2, split [T: Copy] [T], line: &[T], channels: usize, planes: &mut [T]);
