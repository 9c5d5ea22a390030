//! Kernels of the linear filter, by instruction set.

use std::ops::Range;

use super::bytes::LinearByteTables;
use super::floats::LinearFloatTables;
use crate::error::Result;
use crate::resample::float::FloatPixel;
use crate::resample::separable::CanvasWindow;
use crate::simd::dispatch;

dispatch!(avx2, tables_float [T: FloatPixel] [T], window: &CanvasWindow => Result<LinearFloatTables>);
dispatch!(avx512, tables_u8 [] [], window: &CanvasWindow => Result<LinearByteTables>);
dispatch!(avx512, horizontal_u8 [const N: usize] [N],
    lines: [&[u8]; N], tables: &LinearByteTables, pixels: Range<usize>, out: [&mut [i16]; N]);
dispatch!(avx2, horizontal_float [const N: usize, const C: usize, T: FloatPixel] [N, C, T],
    lines: [&[T]; N], tables: &LinearFloatTables, pixels: Range<usize>, out: [&mut [f32]; N]);
dispatch!(avx2, fused_float
    [const N: usize, const M: usize, const STEPS: u32, const C: usize, T: FloatPixel] [N, M, STEPS, C, T],
    lines: [&[T]; N], tables: &LinearFloatTables, pixels: Range<usize>, weights: [[f32; 2]; M],
    out: [&mut [[T; 8]]; M]);
dispatch!(avx512, vertical_u8 [] [], rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]);
dispatch!(avx2, vertical_float [T: FloatPixel] [T], rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]);
