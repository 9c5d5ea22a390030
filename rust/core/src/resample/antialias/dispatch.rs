//! Kernels of antialiased resampling, by instruction set.

use super::bytes::RowWeights;
use super::{AntialiasByteColumns, FloatColumns};
use crate::resample::linear::FloatPixel;
use crate::resample::separable::Rows;
use crate::simd::dispatch;

dispatch!(vnni, columns_u8 [const N: usize, const C: usize] [N, C],
    lines: [&[u8]; N], columns: AntialiasByteColumns<'_>, out: [&mut [u8]; N]);
dispatch!(avx2, columns_f32 [const C: usize] [C],
    line: &[f32], columns: FloatColumns<'_>, out: &mut [f32]);
dispatch!(vnni, rows_u8 [] [], rows: Rows<'_, u8>, weights: RowWeights<'_>, out: &mut [u8]);
dispatch!(avx2, rows_float [T: FloatPixel] [T], rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]);
