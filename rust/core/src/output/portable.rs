//! Output kernels for every processor, in a shape that compilers vectorise.
#![expect(
    clippy::inline_always,
    reason = "AVX2 functions compile these bodies once more, with their features"
)]

use half::f16;
use half::slice::HalfFloatSliceExt;

/// `out = value * scale + shift`.
#[inline(always)]
pub(crate) fn scale<T: Copy + Into<f32>>(values: &[T], scale: f32, shift: f32, out: &mut [f32]) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out = value.into() * scale + shift;
    }
}

/// `out = value * scale + shift`, with one scale and one shift for each value.
#[inline(always)]
pub(crate) fn scale_each<T: Copy + Into<f32>>(values: &[T], scale: &[f32], shift: &[f32], out: &mut [f32]) {
    for (((out, &value), scale), shift) in out.iter_mut().zip(values).zip(scale).zip(shift) {
        *out = value.into() * scale + shift;
    }
}

/// Rounds values to the nearest float16, halves to even.
pub(crate) fn halve(values: &[f32], out: &mut [f16]) {
    out.convert_from_f32_slice(values);
}

/// Splits interleaved channels: `planes` has each channel in one piece.
#[inline(always)]
pub(crate) fn split<T: Copy>(line: &[T], channels: usize, planes: &mut [T]) {
    match channels {
        1 => planes.copy_from_slice(line),
        3 => {
            let (first, rest) = planes.split_at_mut(line.len() / 3);
            let (second, third) = rest.split_at_mut(line.len() / 3);
            for (((pixel, a), b), c) in line.as_chunks::<3>().0.iter().zip(first).zip(second).zip(third) {
                [*a, *b, *c] = *pixel;
            }
        }
        4 => {
            let (first, rest) = planes.split_at_mut(line.len() / 4);
            let (second, rest) = rest.split_at_mut(line.len() / 4);
            let (third, fourth) = rest.split_at_mut(line.len() / 4);
            let planes = first.iter_mut().zip(second).zip(third).zip(fourth);
            for (pixel, (((a, b), c), d)) in line.as_chunks::<4>().0.iter().zip(planes) {
                [*a, *b, *c, *d] = *pixel;
            }
        }
        _ => {
            for (channel, plane) in planes.chunks_exact_mut(line.len() / channels).enumerate() {
                for (out, pixel) in plane.iter_mut().zip(line.chunks_exact(channels)) {
                    *out = pixel[channel];
                }
            }
        }
    }
}
