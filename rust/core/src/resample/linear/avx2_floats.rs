//! Bilinear kernels for AVX2: `uint16` and `float32`, eight values at a time whatever pixels they belong to.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_add_ps, _mm256_and_si256, _mm256_blend_ps, _mm256_blendv_ps,
    _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_mul_ps, _mm256_or_si256, _mm256_packus_epi32,
    _mm256_permute2f128_ps, _mm256_permute4x64_epi64, _mm256_permutevar8x32_ps, _mm256_set_m128i,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi32,
};

use std::array::from_fn;
use std::hint::black_box;

use bytemuck::cast;

use super::avx2::shortest;
use super::fused::first_of;
use super::groups::{FloatGroupSlice, GroupReach};
use super::{FloatPixel, LinearFloatColumns, portable};
use crate::resample::tails::tail;

#[target_feature(enable = "avx2")]
pub(crate) fn horizontal_float<const N: usize, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    columns: LinearFloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    if !columns.has_kernel::<C>() {
        portable::horizontal_float::<N, C, T>(lines, columns, out);
        return;
    }
    let out = out.map(|out| out.as_chunks_mut::<8>().0);
    each_group::<N, C, T>(lines, columns, |number, values| {
        for k in 0..N {
            if let Some(out) = out[k].get_mut(number) {
                *out = cast(values[k]);
            }
        }
    });
}

/// Fused passes: columns and rows in one walk, without a buffer between them.
#[target_feature(enable = "avx2")]
pub(crate) fn fused_float<const N: usize, const M: usize, const STEPS: u32, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    columns: LinearFloatColumns<'_>,
    weights: [[f32; 2]; M],
    mut out: [&mut [[T; 8]]; M],
) {
    let weights = weights.map(|weights| weights.map(|weight| _mm256_set1_ps(weight)));
    each_group::<N, C, T>(lines, columns, |number, values| {
        for k in 0..M {
            let first = first_of(STEPS, k);
            let [w0, w1] = weights[k];
            if let Some(out) = out[k].get_mut(number) {
                *out = rounded::<T>(mix(w0, values[first], w1, values[first + 1]));
            }
        }
    });
}

/// Hands eight values at a time of each line, after the horizontal pass, to `put`.
#[inline]
#[target_feature(enable = "avx2")]
fn each_group<const N: usize, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    columns: LinearFloatColumns<'_>,
    put: impl FnMut(usize, [__m256; N]),
) {
    if C == 4 {
        let (words, order) = words_and_order::<T>();
        let pixels = columns.start.as_chunks::<2>().0.iter().zip(columns.weights.as_chunks::<2>().0);
        let groups = pixels.map(|(&[a, b], &weights)| {
            let weights: __m256 = cast([weights; 2]);
            let [low, high] = order;
            let weights = [_mm256_permutevar8x32_ps(weights, low), _mm256_permutevar8x32_ps(weights, high)];
            ([[a; 2], [b; 2]], words, weights)
        });
        return each::<N, C, ONE_LOAD, T>(lines, groups, put);
    }
    let FloatGroupSlice { groups, reach } = columns.groups;
    let groups = groups.iter().map(|group| {
        (
            group.starts,
            group.index.map(cast::<[u32; 8], __m256i>),
            group.weights.map(cast::<[f32; 8], __m256>),
        )
    });
    match reach {
        GroupReach::OneLoad => each::<N, C, ONE_LOAD, T>(lines, groups, put),
        GroupReach::Near => each::<N, C, NEAR, T>(lines, groups, put),
        GroupReach::Far => each::<N, C, FAR, T>(lines, groups, put),
    }
}

const ONE_LOAD: u8 = GroupReach::OneLoad as u8;
const NEAR: u8 = GroupReach::Near as u8;
const FAR: u8 = GroupReach::Far as u8;

/// Shuffles of `uint16`, and the order of weights, of a group of two pixels of four channels, which needs no table.
#[inline]
#[target_feature(enable = "avx2")]
fn words_and_order<T: FloatPixel>() -> ([__m256i; 2], [__m256i; 2]) {
    let words = [0, 8].map(|tap| {
        let lane: [[i8; 4]; 4] = from_fn(|c| [tap + 2 * c as i8, tap + 2 * c as i8 + 1, -1, -1]);
        cast::<[[[i8; 4]; 4]; 2], __m256i>([lane; 2])
    });
    let order = if is_u16::<T>() { [[0, 2], [1, 3]] } else { [[0, 1], [2, 3]] };
    // Known permutations the compiler turns into more instructions.
    (words, black_box(order.map(|[low, high]| cast::<[[i32; 4]; 2], __m256i>([[low; 4], [high; 4]]))))
}

/// Taps of a group, as its table says where they are.
///
/// ```text
/// one load, uint16    w w w w w w w w   one of each half -> shuffled   f f f f f f f f   and   s s s s s s s s
/// one load, float32   f f f f f f f f   one of each half -> permuted   f f f f s s s s   and   f f f f s s s s
/// ```
#[inline]
#[target_feature(enable = "avx2")]
fn each<const N: usize, const C: usize, const REACH: u8, T: FloatPixel>(
    lines: [&[T]; N],
    groups: impl Iterator<Item = ([[u32; 2]; 2], [__m256i; 2], [__m256; 2])>,
    mut put: impl FnMut(usize, [__m256; N]),
) {
    let length = shortest(&lines);
    let further = if REACH == NEAR && is_u16::<T>() { C } else { 0 };
    let Some(last) = length.checked_sub(8 + further) else { return };
    // No start is past the last: with the minimum, said where it is used too, the compiler need not check.
    for (number, (starts, index, weights)) in groups.enumerate() {
        let [[a, a1], [b, b1]] = starts.map(|starts| starts.map(|start| (start as usize).min(last)));
        let mut values = [_mm256_setzero_ps(); N];
        for k in 0..N {
            let line = &lines[k][..length];
            values[k] = if is_u16::<T>() {
                let load = |a: usize, b: usize, pixels: usize, index: __m256i| {
                    let at = |start: usize| eight_words(&line[start.min(last) + pixels * C..]);
                    _mm256_shuffle_epi8(_mm256_set_m128i(at(b), at(a)), index)
                };
                let [first, second] = match REACH {
                    ONE_LOAD => [load(a, b, 0, index[0]), load(a, b, 0, index[1])],
                    NEAR => [load(a, b, 0, index[0]), load(a, b, 1, index[0])],
                    _ => {
                        let taps = _mm256_or_si256(load(a, b, 0, index[0]), load(a1, b1, 0, index[1]));
                        [_mm256_and_si256(taps, _mm256_set1_epi32(0xffff)), _mm256_srli_epi32::<16>(taps)]
                    }
                };
                mix(weights[0], _mm256_cvtepi32_ps(first), weights[1], _mm256_cvtepi32_ps(second))
            } else {
                let load = |at: usize, index: __m256i| {
                    let floats = eight_floats(&line[at.min(last)..]);
                    if C == 4 { floats } else { _mm256_permutevar8x32_ps(floats, index) }
                };
                let either = |a: usize, b: usize, index: __m256i| {
                    _mm256_blendv_ps(load(a, index), load(b, index), cast(index))
                };
                match REACH {
                    ONE_LOAD => halves(weights, [load(a, index[0]), load(b, index[1])]),
                    NEAR => mix(weights[0], either(a, a1, index[0]), weights[1], either(a, a1, index[1])),
                    _ => halves(weights, [either(a, a1, index[0]), either(b, b1, index[1])]),
                }
            };
        }
        put(number, values);
    }
}

/// The sums of the weighted halves of `a`, and of those of `b`.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(weights: [__m256; 2], [a, b]: [__m256; 2]) -> __m256 {
    let (a, b) = (_mm256_mul_ps(weights[0], a), _mm256_mul_ps(weights[1], b));
    // Of the ways to bring the halves together this one has the fewest instructions that only one port takes.
    _mm256_add_ps(_mm256_blend_ps::<0b1111_0000>(a, b), _mm256_permute2f128_ps::<0x21>(a, b))
}

/// Sums as values of their type.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn rounded<T: FloatPixel>(sums: __m256) -> [T; 8] {
    if is_u16::<T>() {
        // Converting rounds halves to even, packing clips.
        let levels = _mm256_packus_epi32(_mm256_cvtps_epi32(sums), _mm256_setzero_si256());
        let [levels, _]: [[T; 8]; 2] = cast(_mm256_permute4x64_epi64::<0b11_01_10_00>(levels));
        levels
    } else {
        // A zero is +0.0.
        cast(_mm256_add_ps(_mm256_setzero_ps(), sums))
    }
}

/// Whether `T` has 16 bits, which the compiler knows.
const fn is_u16<T: FloatPixel>() -> bool {
    size_of::<T>() == 2
}

/// The first eight values, which have 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn eight_words<T: FloatPixel>(values: &[T]) -> __m128i {
    let mut eight = [T::default(); 8];
    eight.copy_from_slice(&values[..8]);
    cast(eight)
}

/// The first eight values, which are float32.
#[inline]
#[target_feature(enable = "avx2")]
fn eight_floats<T: FloatPixel>(values: &[T]) -> __m256 {
    let mut eight = [T::default(); 8];
    eight.copy_from_slice(&values[..8]);
    cast(eight)
}

#[inline]
#[target_feature(enable = "avx2")]
fn mix(w0: __m256, p0: __m256, w1: __m256, p1: __m256) -> __m256 {
    _mm256_add_ps(_mm256_mul_ps(w0, p0), _mm256_mul_ps(w1, p1))
}

#[target_feature(enable = "avx2")]
pub(crate) fn vertical_float<T: FloatPixel>(rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
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
    // From where no vector that is stored reaches into two lines of the cache; what is before is computed twice.
    let at = out.as_ptr().align_offset(32);
    let (mut rows, mut out) = (rows, out);
    if at < out.len()
        && let (Some(first), Some(h0), Some(h1)) =
            (out.first_chunk_mut(), rows[0].first_chunk(), rows[1].first_chunk())
    {
        *first = block(h0, h1);
        rows = [&rows[0][at..], &rows[1][at..]];
        out = &mut out[at..];
    }
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
