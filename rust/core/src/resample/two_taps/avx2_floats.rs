//! Two-tap kernels for AVX2: `uint16` and `float32`.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_add_epi8, _mm256_add_ps, _mm256_and_si256, _mm256_blend_epi32,
    _mm256_blend_ps, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_mul_ps,
    _mm256_packus_epi32, _mm256_permute2f128_ps, _mm256_permute4x64_epi64, _mm256_permutevar_ps,
    _mm256_permutevar8x32_ps, _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_shuffle_epi8, _mm256_srli_epi32,
};

use bytemuck::cast;

use super::avx2::{fewest, shortest};
use super::octets::{Octet, SomeOctets};
use super::{Float, FloatColumns, portable};
use crate::resample::tails::tail;

#[target_feature(enable = "avx2")]
pub(crate) fn columns_float<const N: usize, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    mut out: [&mut [f32]; N],
) {
    let SomeOctets { octets, near } = columns.octets;
    let length = shortest(&lines);
    match C {
        1..=3 if !octets.is_empty() && length >= 8 => {
            if near {
                eight::<N, true, T>(lines, octets, out);
            } else {
                eight::<N, false, T>(lines, octets, out);
            }
        }
        3 | 4 if length >= 8 => few::<N, C, T>(lines, columns, &mut out),
        _ => portable::columns_float::<N, C, T>(lines, columns, out),
    }
}

/// Whether `T` has 16 bits, which the compiler knows.
const fn is_u16<T: Float>() -> bool {
    size_of::<T>() == 2
}

/// The first sixteen bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn sixteen_bytes<T: Float>(values: &[T]) -> __m128i {
    if is_u16::<T>() {
        let mut lane = [T::default(); 8];
        lane.copy_from_slice(&values[..8]);
        cast(lane)
    } else {
        let mut lane = [T::default(); 4];
        lane.copy_from_slice(&values[..4]);
        cast(lane)
    }
}

/// The first eight values, which are float32.
#[inline]
#[target_feature(enable = "avx2")]
fn eight_floats<T: Float>(values: &[T]) -> __m256 {
    let mut eight = [T::default(); 8];
    eight.copy_from_slice(&values[..8]);
    cast(eight)
}

#[inline]
#[target_feature(enable = "avx2")]
fn mix(w0: __m256, p0: __m256, w1: __m256, p1: __m256) -> __m256 {
    _mm256_add_ps(_mm256_mul_ps(w0, p0), _mm256_mul_ps(w1, p1))
}

/// The low words, and the high ones, in float32.
#[inline]
#[target_feature(enable = "avx2")]
fn split(words: __m256i) -> [__m256; 2] {
    let low = _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    [_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(_mm256_srli_epi32::<16>(words))]
}

/// Eight values at a time.
#[target_feature(enable = "avx2")]
fn eight<const N: usize, const NEAR: bool, T: Float>(
    lines: [&[T]; N],
    octets: &[Octet],
    out: [&mut [f32]; N],
) {
    // Of a half, the values of the second load.
    const SECOND: i32 = 0b11_00_11_00;
    let length = shortest(&lines);
    if length < 8 {
        return;
    }
    let last = length - 8;
    let out = out.map(|out| out.as_chunks_mut::<8>().0);
    // Where a half has its first taps, four times, and what makes them the bytes of both taps.
    let spread: __m256i = cast([0_i32, 1, 2, 3, 8, 9, 10, 11].map(|value| value * 0x0101_0101));
    let second = octets.first().map_or(0, |octet| 2 * (octet.index[0][4] - octet.index[0][0]));
    let bytes: __m256i = cast([[0, 1, second, second + 1]; 8]);
    for (number, octet) in octets.iter().take(fewest(&out)).enumerate() {
        let [a, b] = octet.starts.map(|starts| starts.map(|start| (start as usize).min(last)));
        let weights = octet.weights.map(cast::<[[f32; 4]; 2], __m256>);
        if is_u16::<T>() {
            let index: __m128i = cast(octet.index);
            let index = _mm256_shuffle_epi8(_mm256_set_m128i(index, index), spread);
            let shuffle = _mm256_add_epi8(_mm256_add_epi8(index, index), bytes);
            for k in 0..N {
                let line = &lines[k][..length];
                let load = |part: usize| {
                    let words = _mm256_set_m128i(
                        sixteen_bytes(&line[b[part].min(last)..]),
                        sixteen_bytes(&line[a[part].min(last)..]),
                    );
                    _mm256_shuffle_epi8(words, shuffle)
                };
                let taps = if NEAR { load(0) } else { _mm256_blend_epi32::<SECOND>(load(0), load(1)) };
                let [first, second] = split(taps);
                out[k][number] = cast(mix(weights[0], first, weights[1], second));
            }
        } else {
            let index = octet
                .index
                .map(|index| _mm256_cvtepu8_epi32(cast::<[u64; 2], __m128i>([u64::from_ne_bytes(index), 0])));
            for k in 0..N {
                let line = &lines[k][..length];
                let products = |half: usize, starts: [usize; 2]| {
                    let load = |at: usize| {
                        _mm256_permutevar8x32_ps(eight_floats(&line[at.min(last)..]), index[half])
                    };
                    let taps = load(starts[0]);
                    let taps = if NEAR { taps } else { _mm256_blend_ps::<SECOND>(taps, load(starts[1])) };
                    _mm256_mul_ps(weights[half], taps)
                };
                let (a, b) = (products(0, a), products(1, b));
                let first = _mm256_permute2f128_ps::<0x20>(a, b);
                out[k][number] = cast(_mm256_add_ps(first, _mm256_permute2f128_ps::<0x31>(a, b)));
            }
        }
    }
}

/// Three or four channels: two pixels at a time, one a lane.
#[target_feature(enable = "avx2")]
fn few<const N: usize, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    out: &mut [&mut [f32]; N],
) {
    let length = shortest(&lines);
    if length < 8 {
        return;
    }
    let last = length - if is_u16::<T>() { 8 } else { C + 4 };
    let [first_weights, second_weights] =
        [0, 1].map(|tap| cast::<[[i32; 4]; 2], __m256i>([[tap; 4], [tap + 2; 4]]));
    // The words of a tap, each followed by two zero bytes.
    let [first_words, second_words] = [0, C as i8].map(|tap| {
        let mut shuffle = [[-1_i8; 4]; 4];
        for (channel, bytes) in shuffle.iter_mut().enumerate() {
            let word = tap + (channel as i8).min(C as i8 - 1);
            [bytes[0], bytes[1]] = [2 * word, 2 * word + 1];
        }
        cast::<[[[i8; 4]; 4]; 2], __m256i>([shuffle; 2])
    });
    let (starts, _) = columns.start.as_chunks::<2>();
    let (weights, _) = columns.weights.as_chunks::<2>();
    for (number, (starts, &weights)) in starts.iter().zip(weights).enumerate() {
        let weights: __m256 = cast([weights; 2]);
        let w0 = _mm256_permutevar_ps(weights, first_weights);
        let w1 = _mm256_permutevar_ps(weights, second_weights);
        let [a, b] = starts.map(|start| start as usize);
        for k in 0..N {
            let line = &lines[k][..length];
            let (first, second) = if is_u16::<T>() {
                let words = |at: usize| sixteen_bytes(&line[at.min(last)..]);
                let words = _mm256_set_m128i(words(b), words(a));
                let taps = |shuffle| _mm256_cvtepi32_ps(_mm256_shuffle_epi8(words, shuffle));
                (taps(first_words), taps(second_words))
            } else {
                let taps = |tap: usize| {
                    let at = |start: usize| sixteen_bytes(&line[start.min(last)..][..C + 4][tap..]);
                    cast::<__m256i, __m256>(_mm256_set_m128i(at(b), at(a)))
                };
                (taps(0), taps(C))
            };
            let [a, b]: [[f32; 4]; 2] = cast(mix(w0, first, w1, second));
            // The next pixel overwrites a fourth channel that is not there.
            let Some(out) = out[k].get_mut(2 * number * C..2 * number * C + C + 4) else { return };
            out[..4].copy_from_slice(&a);
            out[C..].copy_from_slice(&b);
        }
    }
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_float<T: Float>(rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
    const WIDTH: usize = 16;
    let (w0, w1) = (_mm256_set1_ps(weights[0]), _mm256_set1_ps(weights[1]));
    let zero = _mm256_setzero_ps();
    let sum = |h0: [f32; 8], h1: [f32; 8]| {
        let sum = mix(w0, cast(h0), w1, cast(h1));
        // A zero is +0.0, which does not matter to integers.
        if is_u16::<T>() { sum } else { _mm256_add_ps(zero, sum) }
    };
    let block = |h0: &[f32; WIDTH], h1: &[f32; WIDTH]| -> [T; WIDTH] {
        let ([a0, b0], [a1, b1]): ([[f32; 8]; 2], [[f32; 8]; 2]) = (cast(*h0), cast(*h1));
        let [a, b] = [sum(a0, a1), sum(b0, b1)];
        if is_u16::<T>() {
            // Converting rounds halves to even, packing clips.
            let levels = _mm256_packus_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
            cast(_mm256_permute4x64_epi64::<0b11_01_10_00>(levels))
        } else {
            cast([a, b])
        }
    };
    // Not `map`, which is not inlined here.
    let (blocks0, blocks1) = (rows[0].as_chunks::<WIDTH>().0, rows[1].as_chunks::<WIDTH>().0);
    let (blocks, _) = out.as_chunks_mut::<WIDTH>();
    for ((out, h0), h1) in blocks.iter_mut().zip(blocks0).zip(blocks1) {
        *out = block(h0, h1);
    }
    tail(out, |at| match (rows[0][at..].first_chunk(), rows[1][at..].first_chunk()) {
        (Some(h0), Some(h1)) => block(h0, h1),
        _ => [T::default(); WIDTH],
    });
}
