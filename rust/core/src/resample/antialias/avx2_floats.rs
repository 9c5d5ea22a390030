//! Antialiasing kernels for AVX2: `uint16` and `float32`.

use std::arch::x86_64::{
    __m128, __m256, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps_pd, _mm256_mul_ps, _mm256_set_m128,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_unpackhi_pd, _mm256_unpackhi_ps,
    _mm256_unpacklo_pd, _mm256_unpacklo_ps,
};

use bytemuck::cast;

use super::{AntialiasFloatColumns, portable};
use crate::resample::linear::FloatPixel;
use crate::resample::linear::avx2_floats::rounded;
use crate::resample::separable::Rows;

#[target_feature(enable = "avx2")]
pub(crate) fn horizontal_float<const N: usize, const C: usize>(
    lines: [&[f32]; N],
    columns: AntialiasFloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    match (C, columns.flip) {
        (0, _) => portable::horizontal_float::<N, C>(lines, columns, out),
        (_, false) => summed::<N, C, false>(lines, columns, out),
        (_, true) => summed::<N, C, true>(lines, columns, out),
    }
}

#[target_feature(enable = "avx2")]
#[expect(clippy::needless_pass_by_value, reason = "rows are handed on as the other kernels take them")]
fn summed<const N: usize, const C: usize, const FLIP: bool>(
    lines: [&[f32]; N],
    columns: AntialiasFloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    let lanes = if C < 3 { C } else { 4 };
    let (pixels, at_once) = (8 / lanes, 4 / lanes);
    let stride = at_once * C;
    let last = (columns.taps / at_once - 1) * stride;
    let starts = columns.start.chunks_exact(pixels);
    let weights = columns.weights.as_chunks::<8>().0.chunks_exact(columns.taps);
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
                let windows = &windows[k];
                let load =
                    |pixel: usize| four_of_both(&windows[pixel][at..], &windows[pixel + pixels / 2][at..]);
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
                        let (a, b) = (_mm256_castps_pd(load(0)), _mm256_castps_pd(load(1)));
                        let taps = [
                            _mm256_castpd_ps(_mm256_unpacklo_pd(a, b)),
                            _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)),
                        ];
                        for number in 0..2 {
                            add(number, taps[if FLIP { 1 - number } else { number }]);
                        }
                    }
                    _ => add(0, load(0)),
                }
            }
        }
        for k in 0..N {
            let values: [f32; 8] = cast(sums[k]);
            if C == 3 {
                // The next pixel overwrites a fourth channel that is not there.
                let Some(out) = out[k].get_mut(6 * number..6 * number + 7) else { return };
                out[..4].copy_from_slice(&values[..4]);
                out[3..].copy_from_slice(&values[4..]);
            } else {
                let Some(out) = out[k].get_mut(8 * number..8 * number + 8) else { return };
                out.copy_from_slice(&values);
            }
        }
    }
}

/// Four floats of each.
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

/// Rows and columns of both halves exchanged.
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

#[target_feature(enable = "avx2")]
pub(crate) fn vertical_float<T: FloatPixel>(rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]) {
    const WIDTH: usize = 32;
    for (block, out) in out.chunks_mut(WIDTH).enumerate() {
        let mut sums = [_mm256_setzero_ps(); WIDTH / 8];
        for (k, &weight) in weights.iter().enumerate() {
            let weight = _mm256_set1_ps(weight);
            let row = rows.get(k, block * WIDTH, WIDTH).as_chunks::<8>().0;
            for (sum, &row) in sums.iter_mut().zip(row) {
                *sum = _mm256_add_ps(*sum, _mm256_mul_ps(weight, cast(row)));
            }
        }
        let values =
            [rounded::<T>(sums[0]), rounded::<T>(sums[1]), rounded::<T>(sums[2]), rounded::<T>(sums[3])];
        let values = values.as_flattened();
        if let Some(out) = out.first_chunk_mut::<WIDTH>() {
            out.copy_from_slice(values);
        } else {
            out.copy_from_slice(&values[..out.len()]);
        }
    }
}
