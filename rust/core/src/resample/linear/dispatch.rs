//! Kernels of bilinear resampling, by instruction set.

use super::{ByteColumns, Columns, Float, FloatColumns, FloatTables, Table};
use crate::error::Result;
use crate::resample::separable::Window;
use crate::simd::dispatch;

dispatch!(avx512, tables_u8 [] [], window: &Window => Result<(Table<i16>, Columns)>);
dispatch!(avx512, tables_float [T: Float] [T], window: &Window => Result<FloatTables>);
dispatch!(avx512, columns_u8 [const N: usize] [N],
    lines: [&[u8]; N], columns: ByteColumns<'_>, out: [&mut [i16]; N]);
dispatch!(avx512, columns_float [const N: usize, const C: usize, T: Float] [N, C, T],
    lines: [&[T]; N], columns: FloatColumns<'_>, out: [&mut [f32]; N]);
dispatch!(avx512, chain_float
    [const N: usize, const M: usize, const STEPS: u32, const C: usize, T: Float] [N, M, STEPS, C, T],
    lines: [&[T]; N], columns: FloatColumns<'_>, weights: [[f32; 2]; M], out: [&mut [T]; M]);
dispatch!(avx512, rows_u8 [] [], rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]);
dispatch!(avx2, rows_float [T: Float] [T], rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]);
