//! Output kernels for AVX2: the portable loops compiled once more, and float16 by an instruction for eight.

use std::arch::x86_64::*;

use bytemuck::cast;
use half::f16;

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

#[target_feature(enable = "avx2,f16c")]
pub(crate) fn halve(values: &[f32], out: &mut [f16]) {
    // Eight in a function of its own, as the crate has it, cost more for the call than for the work.
    let (blocks, rest) = values.as_chunks::<8>();
    let (outs, out_rest) = out.as_chunks_mut::<8>();
    for (out, &block) in outs.iter_mut().zip(blocks) {
        let halves: [u16; 8] = cast(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(cast(block)));
        *out = halves.map(f16::from_bits);
    }
    portable::halve(rest, out_rest);
}
