//! Two-tap kernels for AVX-512: `uint16` and `float32`. One permutation finds the taps of several values, whatever
//! pixels they belong to.

use std::arch::x86_64::{
    __m256, __m512, __m512i, _mm256_add_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_and_si512,
    _mm512_cvtepi32_ps, _mm512_mul_ps, _mm512_permutex2var_epi16, _mm512_permutex2var_ps,
    _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_srli_epi32,
};

use bytemuck::cast;

use super::avx2::{self, shortest};
use super::avx2_floats::is_u16;
use super::sink::{Apart, Blocks, Chained};
use super::wide_floats::{FAR_WINDOW, SomeWide, WINDOW, WideFloats};
use super::{Float, FloatColumns};

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(crate) fn columns_float<const N: usize, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    if columns.wide.wide.is_empty() {
        avx2::columns_float::<N, C, T>(lines, columns, out);
    } else {
        columns_to(lines, columns, &mut Apart(out));
    }
}

/// Both passes at once, for `M` output rows of `N` source rows, as the `STEPS` of a chain say.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(crate) fn chain_float<const N: usize, const M: usize, const STEPS: u32, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    weights: [[f32; 2]; M],
    out: [&mut [T]; M],
) {
    if columns.wide.wide.is_empty() {
        avx2::chain_float::<N, M, STEPS, C, T>(lines, columns, weights, out);
    } else {
        columns_to(lines, columns, &mut Chained::<M, STEPS, T> { weights, out });
    }
}

/// Resamples rows along their columns, as many values at a time as a window has the taps of.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn columns_to<const N: usize, T: Float, S: Blocks<N>>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    sink: &mut S,
) {
    let wide = columns.wide;
    let words = |taps: __m512i, of: &WideFloats| {
        let first = _mm512_cvtepi32_ps(_mm512_and_si512(taps, _mm512_set1_epi32(0xffff)));
        let second = _mm512_cvtepi32_ps(_mm512_srli_epi32::<16>(taps));
        mix(of.weights.map(cast), first, second)
    };
    match (is_u16::<T>(), wide.far) {
        (true, false) => each::<N, WINDOW, 16, T, S>(lines, wide, sink, |window, of| {
            cast(words(_mm512_permutexvar_epi16(cast(of.index), cast::<[T; WINDOW], _>(*window)), of))
        }),
        (true, true) => each::<N, FAR_WINDOW, 16, T, S>(lines, wide, sink, |window, of| {
            let [a, b]: [__m512i; 2] = cast::<[T; FAR_WINDOW], _>(*window);
            cast(words(_mm512_permutex2var_epi16(a, cast(of.index), b), of))
        }),
        (false, false) => {
            let next = _mm512_set1_epi32(columns.channels as i32);
            each::<N, WINDOW, 16, T, S>(lines, wide, sink, |window, of| {
                let [a, b]: [__m512; 2] = cast::<[T; WINDOW], _>(*window);
                let first = _mm512_permutex2var_ps(a, cast(of.index), b);
                let second = _mm512_permutex2var_ps(a, _mm512_add_epi32(cast(of.index), next), b);
                cast(mix(of.weights.map(cast), first, second))
            });
        }
        (false, true) => each::<N, WINDOW, 8, T, S>(lines, wide, sink, |window, of| {
            let [a, b]: [__m512; 2] = cast::<[T; WINDOW], _>(*window);
            let taps = _mm512_permutex2var_ps(a, cast(of.index), b);
            let [first, second]: [__m256; 2] = cast(_mm512_mul_ps(cast(of.weights[0]), taps));
            cast(_mm256_add_ps(first, second))
        }),
    }
}

/// Makes `VALUES` values of each row at a time from what lies in a window of it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn each<const N: usize, const LENGTH: usize, const VALUES: usize, T: Float, S: Blocks<N>>(
    lines: [&[T]; N],
    SomeWide { starts, wide, .. }: SomeWide<'_>,
    sink: &mut S,
    values: impl Fn(&[T; LENGTH], &WideFloats) -> [f32; VALUES],
) {
    let length = shortest(&lines);
    if length < LENGTH {
        return;
    }
    // No start is past `last`: with the minimum, said where it is used, the compiler need not check.
    let last = length - LENGTH;
    for (number, (&start, of)) in starts.iter().zip(wide).enumerate() {
        let start = (start as usize).min(last);
        // A copy: what is written might be the table, for all that the compiler knows.
        let of = *of;
        let mut blocks = [[0.0; VALUES]; N];
        for k in 0..N {
            let mut window = [T::default(); LENGTH];
            window.copy_from_slice(&lines[k][..length][start..][..LENGTH]);
            blocks[k] = values(&window, &of);
        }
        if !sink.put_block(number, blocks) {
            return;
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn mix([w0, w1]: [__m512; 2], p0: __m512, p1: __m512) -> __m512 {
    _mm512_add_ps(_mm512_mul_ps(w0, p0), _mm512_mul_ps(w1, p1))
}
