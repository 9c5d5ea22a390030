//! Kernels of antialiased resampling, by instruction set.

use super::bytes::RowWeights;
use super::{AntialiasByteColumns, AntialiasFloatColumns};
use crate::resample::linear::FloatPixel;
use crate::resample::separable::Rows;
use crate::simd::dispatch;

dispatch!(vnni, columns_u8 [const N: usize, const C: usize] [N, C],
    lines: [&[u8]; N], columns: AntialiasByteColumns<'_>, out: [&mut [u8]; N]);
dispatch!(avx2, horizontal_float [const N: usize, const C: usize] [N, C],
    lines: [&[f32]; N], columns: AntialiasFloatColumns<'_>, out: [&mut [f32]; N]);
dispatch!(vnni, rows_u8 [] [], rows: Rows<'_, u8>, weights: RowWeights<'_>, out: &mut [u8]);
dispatch!(avx2, vertical_float [T: FloatPixel] [T], rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]);
