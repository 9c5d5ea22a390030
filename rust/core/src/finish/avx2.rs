//! Conversions of a row, compiled for AVX2.

use super::portable;

#[target_feature(enable = "avx2")]
pub(crate) fn scale<T: Copy + Into<f32>>(values: &[T], scale: f32, shift: f32, out: &mut [f32]) {
    portable::scale(values, scale, shift, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn scale_each<T: Copy + Into<f32>>(values: &[T], scale: &[f32], shift: &[f32], out: &mut [f32]) {
    portable::scale_each(values, scale, shift, out);
}

#[target_feature(enable = "avx2")]
pub(crate) fn split<T: Copy>(line: &[T], channels: usize, planes: &mut [T]) {
    portable::split(line, channels, planes);
}
