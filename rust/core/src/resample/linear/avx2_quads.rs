//! Linear kernels for AVX2: `uint16` of three channels, four pixels at a time.
//!
//! One load has all of a pixel, both taps, so pixels may lie as far apart as they like, and taps and weights are taken
//! from the table as it is. `a`, `b`, `c` and `d` are the pixels, 0 ... 2 their channels:
//! ```text
//! load      a0 a1 a2 (first tap) a0 a1 a2 (second tap) . . | c0 ... in the upper half;   b and d in another register
//! taps      a0 a1 a2 0 | c0 c1 c2 0   first ones, in 32 bits, and in another register second ones
//! values    a0 a1 a2 . | c0 c1 c2 .   and   b0 b1 b2 . | d0 d1 d2 .
//! packed    a0 a1 a2 . b0 b1 b2 . | c0 c1 c2 . d0 d1 d2 .   in 16 bits
//! shuffled  a0 a1 a2 b0 b1 b2 . . | c0 c1 c2 d0 d1 d2 . .
//! ```

use std::arch::x86_64::*;
use std::ops::Range;

use bytemuck::cast;

use super::avx2_floats::{eight_words, mix};
use super::fused::first_of;
use super::table::LinearTable;
use crate::resample::float::FloatPixel;
use crate::resample::vectors::shortest;

/// Values of four pixels.
const VALUES: usize = 12;

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
    let lane: [i8; 16] = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1];
    let order: __m256i = cast([lane; 2]);
    each::<N, T>(lines, table, pixels, |number, values| {
        for k in 0..M {
            let first = first_of(STEPS, k);
            let [w0, w1] = weights[k];
            let [ac, bd] =
                [0, 1].map(|i| _mm256_cvtps_epi32(mix(w0, values[first][i], w1, values[first + 1][i])));
            let levels = _mm256_shuffle_epi8(_mm256_packus_epi32(ac, bd), order);
            let Some(rest) = out[k].get_mut(VALUES * number..) else { continue };
            match rest.first_chunk_mut::<{ VALUES + 2 }>() {
                Some(out) => {
                    let [ab, cd]: [[T; 8]; 2] = cast(levels);
                    out[..8].copy_from_slice(&ab);
                    out[VALUES / 2..].copy_from_slice(&cd);
                }
                None => write_last(rest, levels),
            }
        }
    });
}

/// Writes the last values of a row.
#[cold]
#[target_feature(enable = "avx2")]
fn write_last<T: FloatPixel>(rest: &mut [T], levels: __m256i) {
    let halves: [[T; 8]; 2] = cast(levels);
    for (out, half) in rest.chunks_mut(VALUES / 2).zip(halves) {
        out.copy_from_slice(&half[..out.len()]);
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
    let last = length.saturating_sub(8);
    let lane = |tap: i8| -> [[i8; 4]; 4] {
        [[tap, tap + 1, -1, -1], [tap + 2, tap + 3, -1, -1], [tap + 4, tap + 5, -1, -1], [-1; 4]]
    };
    let taps: [__m256i; 2] = [cast([lane(0); 2]), cast([lane(6); 2])];
    let mixed = |words: __m256i, [w0, w1]: [__m256; 2]| {
        let [first, second] = taps.map(|taps| _mm256_cvtepi32_ps(_mm256_shuffle_epi8(words, taps)));
        mix(w0, first, w1, second)
    };
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
                let load =
                    |a: usize, c: usize| _mm256_set_m128i(eight_words(&line[c..]), eight_words(&line[a..]));
                values[k] = [mixed(load(a, c), of_ac), mixed(load(b, d), of_bd)];
            }
        } else {
            for k in 0..N {
                let load = |a: usize, c: usize| {
                    _mm256_set_m128i(six_words(&lines[k][c..]), six_words(&lines[k][a..]))
                };
                values[k] = [mixed(load(a, c), of_ac), mixed(load(b, d), of_bd)];
            }
        }
        put(number, values);
    }
}

/// First six values: the last pixels of a row have no more after them.
#[inline]
#[target_feature(enable = "avx2")]
fn six_words<T: FloatPixel>(values: &[T]) -> __m128i {
    let mut eight = [T::default(); 8];
    eight[..6].copy_from_slice(&values[..6]);
    cast(eight)
}
