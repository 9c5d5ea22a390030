//! Linear kernels for AVX2: `uint16` and `float32` of three channels, four pixels at a time.
//!
//! Each pixel has loads of its own, so pixels may lie as far apart as they like, and taps and weights are taken from the
//! table as it is. `a`, `b`, `c` and `d` are the pixels, 0 ... 2 their channels:
//! ```text
//! uint16    a0 a1 a2 (first tap) a0 a1 a2 (second tap) . . | c0 ... in one register, shuffled into both taps
//! taps      a0 a1 a2 . | c0 c1 c2 .   first ones, in 32 bits, and in another register second ones; float32 loads these
//! values    a0 a1 a2 . | c0 c1 c2 .   and   b0 b1 b2 . | d0 d1 d2 .
//! uint16    a0 a1 a2 . b0 b1 b2 . | c0 c1 c2 . d0 d1 d2 .   packed into 16 bits, then
//!           a0 a1 a2 b0 b1 b2 . . | c0 c1 c2 d0 d1 d2 . .   shuffled
//! float32   a0 a1 a2 .  | c2 . c0 c1   and   b1 b2 . b0 | . d0 d1 d2   shuffled, then
//!           a0 a1 a2 b0 | c2 d0 d1 d2   and   b1 b2 c0 c1   blended: the outer and the middle quarters of the values
//! ```

use std::arch::x86_64::*;
use std::ops::Range;

use bytemuck::cast;

use super::avx2_floats::{eight_words, from_zero, mix};
use super::fused::first_of;
use super::table::LinearTable;
use crate::resample::float::FloatPixel;
use crate::resample::vectors::shortest;

/// Values of four pixels.
const VALUES: usize = 12;

/// Values that are read for a pixel: its six, and some that do not matter.
const LOAD: usize = 8;

/// Four pixels of `N` lines after the horizontal pass, two registers each.
type Quad<const N: usize> = [[__m256; 2]; N];

/// Horizontal pass of some lines.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn horizontal<const N: usize, T: FloatPixel>(
    lines: [&[T]; N],
    table: &LinearTable<f32>,
    pixels: Range<usize>,
    mut out: [&mut [f32]; N],
) {
    each::<N, T>(lines, table, pixels, |number, values| {
        for k in 0..N {
            let [ac, bd]: [[[f32; 4]; 2]; 2] = cast(values[k]);
            // Each writes over what the one before has past its three values.
            for (pixel, values) in [ac[0], bd[0], ac[1], bd[1]].into_iter().enumerate() {
                if let Some(out) = out[k][VALUES * number + 3 * pixel..].first_chunk_mut() {
                    *out = values;
                }
            }
        }
    });
}

/// Fused passes: see [`fused_float`](super::avx2_floats::fused_float).
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn fused<const N: usize, const M: usize, const STEPS: u32, T: FloatPixel>(
    lines: [&[T]; N],
    table: &LinearTable<f32>,
    pixels: Range<usize>,
    weights: [[__m256; 2]; M],
    out: [&mut [[T; 8]]; M],
) {
    let mut out = out.map(<[_]>::as_flattened_mut);
    each::<N, T>(lines, table, pixels, |number, values| {
        for k in 0..M {
            let first = first_of(STEPS, k);
            let [w0, w1] = weights[k];
            let both = [0, 1].map(|i| from_zero::<T>(mix(w0, values[first][i], w1, values[first + 1][i])));
            let Some(rest) = out[k].get_mut(VALUES * number..) else { continue };
            if T::IS_U16 { write_words(rest, both) } else { write_floats(rest, both) }
        }
    });
}

/// Writes four pixels of `uint16`, or as many of their values as there is room for.
#[inline]
#[target_feature(enable = "avx2")]
fn write_words<T: FloatPixel>(out: &mut [T], pixels: [__m256; 2]) {
    let lane: [i8; 16] = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1];
    let [ac, bd] = pixels.map(|pixels| _mm256_cvtps_epi32(pixels));
    let levels = _mm256_shuffle_epi8(_mm256_packus_epi32(ac, bd), cast([lane; 2]));
    let [ab, cd]: [[T; 8]; 2] = cast(levels);
    match out.first_chunk_mut::<{ VALUES + 2 }>() {
        Some(out) => {
            out[..8].copy_from_slice(&ab);
            out[VALUES / 2..].copy_from_slice(&cd);
        }
        None => write_last(out, [&ab[..VALUES / 2], &cd[..VALUES / 2]]),
    }
}

/// Writes four pixels of `float32`, or as many of their values as there is room for.
#[inline]
#[target_feature(enable = "avx2")]
fn write_floats<T: FloatPixel>(out: &mut [T], [ac, bd]: [__m256; 2]) {
    let ac = _mm256_permutevar_ps(ac, cast([0, 1, 2, 3, 2, 3, 0, 1]));
    let bd = _mm256_permutevar_ps(bd, cast([1, 2, 3, 0, 3, 0, 1, 2]));
    let [first, last]: [[T; 4]; 2] = cast(_mm256_blend_ps::<0b1110_1000>(ac, bd));
    let (b, c) = (_mm256_castps256_ps128(bd), _mm256_extractf128_ps::<1>(ac));
    let middle: [T; 4] = cast(_mm_blend_ps::<0b1100>(b, c));
    match out.first_chunk_mut::<VALUES>() {
        // Not in one piece, which would be put together in memory first.
        Some(out) => {
            out[..4].copy_from_slice(&first);
            out[4..8].copy_from_slice(&middle);
            out[8..].copy_from_slice(&last);
        }
        None => write_last(out, [&first, &middle, &last]),
    }
}

/// Writes the last values of a row, which come in parts of one length.
#[cold]
fn write_last<T: Copy, const P: usize>(out: &mut [T], parts: [&[T]; P]) {
    for (out, part) in out.chunks_mut(VALUES / P).zip(parts) {
        out.copy_from_slice(&part[..out.len()]);
    }
}

/// Hands four pixels at a time of each line, after the horizontal pass, to `put`.
#[inline]
#[target_feature(enable = "avx2")]
fn each<const N: usize, T: FloatPixel>(
    lines: [&[T]; N],
    table: &LinearTable<f32>,
    pixels: Range<usize>,
    mut put: impl FnMut(usize, Quad<N>),
) {
    let length = shortest(&lines);
    let Some(last) = length.checked_sub(LOAD) else { return };
    let starts = table.start[pixels.clone()].as_chunks::<4>().0;
    let weights = table.weights[pixels].as_chunks::<4>().0;
    for (number, (starts, &weights)) in starts.iter().zip(weights).enumerate() {
        let [a, b, c, d] = starts.map(|start| start as usize);
        // Both weights of a and b | of c and d.
        let weights: __m256 = cast(weights);
        let of_ac =
            [_mm256_permute_ps::<0b00_00_00_00>(weights), _mm256_permute_ps::<0b01_01_01_01>(weights)];
        let of_bd =
            [_mm256_permute_ps::<0b10_10_10_10>(weights), _mm256_permute_ps::<0b11_11_11_11>(weights)];
        let mut values = [[_mm256_setzero_ps(); 2]; N];
        // Said so, the compiler need not check where they are used.
        if a <= last && b <= last && c <= last && d <= last {
            for k in 0..N {
                let line = &lines[k][..length];
                values[k] = [mixed(&line[a..], &line[c..], of_ac), mixed(&line[b..], &line[d..], of_bd)];
            }
        } else {
            for k in 0..N {
                let [a, b, c, d] = [a, b, c, d].map(|start| padded(&lines[k][start..]));
                values[k] = [mixed(&a, &c, of_ac), mixed(&b, &d, of_bd)];
            }
        }
        put(number, values);
    }
}

/// Two pixels after the horizontal pass. A load is taken from each slice, of which a pixel has the first six values.
#[inline]
#[target_feature(enable = "avx2")]
fn mixed<T: FloatPixel>(a: &[T], c: &[T], [w0, w1]: [__m256; 2]) -> __m256 {
    let [first, second] = if T::IS_U16 {
        let lane = |tap: i8| -> [[i8; 4]; 4] {
            [[tap, tap + 1, -1, -1], [tap + 2, tap + 3, -1, -1], [tap + 4, tap + 5, -1, -1], [-1; 4]]
        };
        let words = _mm256_set_m128i(eight_words(c), eight_words(a));
        [0, 6].map(|tap| _mm256_cvtepi32_ps(_mm256_shuffle_epi8(words, cast([lane(tap); 2]))))
    } else {
        let (a, c) = (&a[..LOAD], &c[..LOAD]);
        [0, 3].map(|tap| _mm256_set_m128(four_floats(&c[tap..]), four_floats(&a[tap..])))
    };
    mix(w0, first, w1, second)
}

/// First four values, which are float32.
#[inline]
#[target_feature(enable = "avx2")]
fn four_floats<T: FloatPixel>(values: &[T]) -> __m128 {
    let mut four = [T::default(); 4];
    four.copy_from_slice(&values[..4]);
    cast(four)
}

/// First six values: the last pixels of a row have no more after them.
#[inline]
fn padded<T: FloatPixel>(values: &[T]) -> [T; LOAD] {
    let mut eight = [T::default(); LOAD];
    eight[..6].copy_from_slice(&values[..6]);
    eight
}
