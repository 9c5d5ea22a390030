//! Antialiasing kernels for AVX2: `uint16` and `float32`.

use std::arch::x86_64::*;

use std::ops::Range;

use bytemuck::cast;

use super::floats::AntialiasFloatTables;
use super::portable;
use crate::resample::float::FloatPixel;
use crate::resample::separable::IntermediateRows;
use crate::resample::vectors::{each_vector, rounded_sixteen};

/// Sums of weighted taps, each from +0.0 on, in the order of the flipped input, for each of some lines. `C` is the
/// channel count, or 0 for any.
#[target_feature(enable = "avx2")]
pub(super) fn horizontal_float<const N: usize, const C: usize>(
    lines: [&[f32]; N],
    tables: &AntialiasFloatTables,
    pixels: Range<usize>,
    out: [&mut [f32]; N],
) {
    match (C, tables.flip) {
        (0, _) => portable::horizontal_float::<N, C>(lines, tables, pixels, out),
        (_, false) => summed::<N, C, false>(lines, tables, &pixels, out),
        (_, true) => summed::<N, C, true>(lines, tables, &pixels, out),
    }
}

/// Eight lanes of several pixels at a time, some taps a step:
/// ```text
/// one channel    a step loads taps 0 1 2 3 of pixel 0 || of pixel 4, and so of 1 and 5, 2 and 6, 3 and 7
///                tap 0 of pixel 0 | 1 | 2 | 3 || 4 | 5 | 6 | 7, then taps 1, 2 and 3             (transposed)
/// two channels   a step loads taps 0 and 1 of pixel 0 || of pixel 2, and so of 1 and 3
///                tap 0 of pixel 0, two channels | 1 || 2 | 3, then tap 1                          (unpacked)
/// three, four    a step loads tap 0 of pixel 0, four channels || of pixel 1
/// ```
#[target_feature(enable = "avx2")]
fn summed<const N: usize, const C: usize, const FLIP: bool>(
    lines: [&[f32]; N],
    tables: &AntialiasFloatTables,
    window: &Range<usize>,
    mut out: [&mut [f32]; N],
) {
    let lanes = if C < 3 { C } else { 4 };
    let (pixels, at_once) = (8 / lanes, 4 / lanes);
    let stride = at_once * C;
    let last = (tables.taps / at_once - 1) * stride;
    let starts = tables.table.start[window.clone()].chunks_exact(pixels);
    let weights = tables.weights_of(window).as_chunks::<8>().0.chunks_exact(tables.taps);
    for (number, (starts, weights)) in starts.zip(weights).enumerate() {
        // Loops, not `map` or `from_fn`, which are not inlined here.
        let mut windows = [[&lines[0][..0]; 8]; N];
        for k in 0..N {
            for (window, &start) in windows[k].iter_mut().zip(starts) {
                *window = &lines[k][start as usize..][..last + 4];
            }
        }
        let mut sums = [_mm256_setzero_ps(); N];
        let mut step = 0;
        for weights in weights.chunks_exact(at_once) {
            let at = if FLIP { last - step } else { step };
            step += stride;
            for k in 0..N {
                let load = |pixel: usize| {
                    four_of_both(&windows[k][pixel][at..], &windows[k][pixel + pixels / 2][at..])
                };
                let mut add = |number: usize, taps: __m256| {
                    sums[k] = _mm256_add_ps(sums[k], _mm256_mul_ps(cast(weights[number]), taps));
                };
                match C {
                    1 => {
                        let taps = transposed([load(0), load(1), load(2), load(3)]);
                        for number in 0..4 {
                            add(number, taps[if FLIP { 3 - number } else { number }]);
                        }
                    }
                    2 => {
                        let taps = unpacked(load(0), load(1));
                        for number in 0..2 {
                            add(number, taps[if FLIP { 1 - number } else { number }]);
                        }
                    }
                    _ => add(0, load(0)),
                }
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            let values: [f32; 8] = cast(sum);
            let at = number * pixels * C;
            if C == 3 {
                // The next pixel overwrites a fourth channel that is not there.
                let Some(out) = out.get_mut(at..at + 7) else { return };
                out[..4].copy_from_slice(&values[..4]);
                out[3..].copy_from_slice(&values[4..]);
            } else {
                let Some(out) = out.get_mut(at..at + 8) else { return };
                out.copy_from_slice(&values);
            }
        }
    }
}

/// First four floats of `a`, then of `b`.
#[inline]
#[target_feature(enable = "avx2")]
fn four_of_both(a: &[f32], b: &[f32]) -> __m256 {
    let four = |from: &[f32]| {
        let mut four = [0.0; 4];
        four.copy_from_slice(&from[..4]);
        cast::<[f32; 4], __m128>(four)
    };
    _mm256_set_m128(four(b), four(a))
}

/// Rows and columns exchanged, in both halves: `a0 b0 c0 d0 || a4 b4 c4 d4`, and so on.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
    let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
    [
        _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
        _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
        _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
        _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
    ]
}

/// First pairs of both in both halves, `a0 a1 b0 b1 || a4 a5 b4 b5`, and second ones.
#[inline]
#[target_feature(enable = "avx2")]
fn unpacked(a: __m256, b: __m256) -> [__m256; 2] {
    let (a, b) = (_mm256_castps_pd(a), _mm256_castps_pd(b));
    [_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)), _mm256_castpd_ps(_mm256_unpackhi_pd(a, b))]
}

/// Sums of weighted rows, each from +0.0 on, in ascending order, 32 values at a time.
#[target_feature(enable = "avx2")]
pub(super) fn vertical_float<T: FloatPixel>(rows: IntermediateRows<'_, f32>, weights: &[f32], out: &mut [T]) {
    const WIDTH: usize = 32;
    each_vector(out, |at| {
        let mut sums = [_mm256_setzero_ps(); WIDTH / 8];
        for (k, &weight) in weights.iter().enumerate() {
            let weight = _mm256_set1_ps(weight);
            let row = rows.get(k, at, WIDTH).as_chunks::<8>().0;
            for (sum, &row) in sums.iter_mut().zip(row) {
                *sum = _mm256_add_ps(*sum, _mm256_mul_ps(weight, cast(row)));
            }
        }
        let [a, b, c, d] = sums;
        let values: [[T; 16]; 2] = [rounded_sixteen([a, b]), rounded_sixteen([c, d])];
        cast::<_, [T; WIDTH]>(values)
    });
}
