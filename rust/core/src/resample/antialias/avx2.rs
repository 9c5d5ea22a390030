//! Antialiasing kernels for AVX2.

use super::{ByteColumns, FloatColumns, portable};
use crate::resample::separable::Rows;
use crate::resample::two_taps::Float;

#[target_feature(enable = "avx2")]
pub(crate) fn columns_u8<const C: usize>(line: &[u8], columns: ByteColumns<'_>, out: &mut [u8]) {
    portable::columns_u8::<C>(line, columns, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_u8(rows: Rows<'_, u8>, weights: &[[i16; 2]], out: &mut [u8]) {
    portable::rows_u8(rows, weights, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn columns_f32<const C: usize>(line: &[f32], columns: FloatColumns<'_>, out: &mut [f32]) {
    portable::columns_f32::<C>(line, columns, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_float<T: Float>(rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]) {
    portable::rows_float(rows, weights, out);
}
