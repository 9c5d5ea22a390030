//! Kernels of bilinear resampling, by instruction set.

use super::{Columns, FloatPixel, FloatTables, LinearByteColumns, LinearFloatColumns, LinearTable};
use crate::error::Result;
use crate::resample::separable::Window;
use crate::simd::dispatch;

dispatch!(avx512, tables_u8 [] [], window: &Window => Result<(LinearTable<i16>, Columns)>);
dispatch!(avx2, tables_float [T: FloatPixel] [T], window: &Window => Result<FloatTables>);
dispatch!(avx512, columns_u8 [const N: usize] [N],
    lines: [&[u8]; N], columns: LinearByteColumns<'_>, out: [&mut [i16]; N]);
dispatch!(avx2, horizontal_float [const N: usize, const C: usize, T: FloatPixel] [N, C, T],
    lines: [&[T]; N], columns: LinearFloatColumns<'_>, out: [&mut [f32]; N]);
dispatch!(avx2, fused_float
    [const N: usize, const M: usize, const STEPS: u32, const C: usize, T: FloatPixel] [N, M, STEPS, C, T],
    lines: [&[T]; N], columns: LinearFloatColumns<'_>, weights: [[f32; 2]; M], out: [&mut [[T; 8]]; M]);
dispatch!(avx512, rows_u8 [] [], rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]);
dispatch!(avx2, vertical_float [T: FloatPixel] [T], rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]);
