//! Two-tap kernels for AVX2: `uint16` and `float32`.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_add_ps, _mm256_blend_ps, _mm256_cvtepi32_ps, _mm256_cvtps_epi32,
    _mm256_mul_ps, _mm256_packus_epi32, _mm256_permute2f128_ps, _mm256_permute4x64_epi64,
    _mm256_permutevar8x32_ps, _mm256_set_m128i, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_shuffle_epi8,
};
use std::hint::black_box;

use bytemuck::cast;

use super::avx2::shortest;
use super::avx2_octets::eight;
use super::octets::SomeOctets;
use super::sink::{Apart, Mixed, Place, Sink};
use super::{Float, FloatColumns, portable};
use crate::resample::tails::tail;

#[target_feature(enable = "avx2")]
pub(crate) fn columns_float<const N: usize, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    mut out: [&mut [f32]; N],
) {
    if !columns_to::<N, C, T, _>(lines, columns, &mut Apart(out.each_mut().map(|out| &mut **out))) {
        portable::columns_float::<N, C, T>(lines, columns, out);
    }
}

/// Both passes at once, for `M` output rows of `N` source rows, as the `STEPS` of a chain say.
#[target_feature(enable = "avx2")]
pub(crate) fn chain_float<const N: usize, const M: usize, const STEPS: u32, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    weights: [[f32; 2]; M],
    mut out: [&mut [T]; M],
) {
    let mix = |number: usize, [a, b]: [[f32; 8]; 2]| {
        let [w0, w1] = weights[number].map(|weight| _mm256_set1_ps(weight));
        rounded::<T>(mix(w0, cast(a), w1, cast(b)))
    };
    let sink = &mut Mixed::<M, STEPS, T, _> { mix, out: out.each_mut().map(|out| &mut **out) };
    if !columns_to::<N, C, T, _>(lines, columns, sink) {
        portable::chain_float::<N, M, STEPS, C, T>(lines, columns, weights, out);
    }
}

/// Sums as values of their type.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded<T: Float>(sums: __m256) -> [T; 8] {
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

/// Resamples rows along their columns, eight values at a time; says whether there is a kernel for them.
#[inline]
#[target_feature(enable = "avx2")]
fn columns_to<const N: usize, const C: usize, T: Float, S: Sink<N>>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    sink: &mut S,
) -> bool {
    let SomeOctets { octets, near } = columns.octets;
    let length = shortest(&lines);
    match C {
        1 | 2 if !octets.is_empty() && length >= 8 => {
            if near {
                eight::<N, true, T, S>(lines, octets, sink);
            } else {
                eight::<N, false, T, S>(lines, octets, sink);
            }
        }
        3 | 4 if is_u16::<T>() && length >= 8 => words::<N, C, T, S>(lines, columns, sink),
        3 if length >= 8 => three::<N, T, S>(lines, columns, sink),
        4 if length >= 8 => four::<N, T, S>(lines, columns, sink),
        _ => return false,
    }
    true
}

/// Whether `T` has 16 bits, which the compiler knows.
pub(super) const fn is_u16<T: Float>() -> bool {
    size_of::<T>() == 2
}

/// The first sixteen bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn sixteen_bytes<T: Float>(values: &[T]) -> __m128i {
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
pub(super) fn eight_floats<T: Float>(values: &[T]) -> __m256 {
    let mut eight = [T::default(); 8];
    eight.copy_from_slice(&values[..8]);
    cast(eight)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn mix(w0: __m256, p0: __m256, w1: __m256, p1: __m256) -> __m256 {
    _mm256_add_ps(_mm256_mul_ps(w0, p0), _mm256_mul_ps(w1, p1))
}

/// The sums of the halves of `a`, and of those of `b`.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(a: __m256, b: __m256) -> __m256 {
    // Of the ways to bring the halves together this one has the fewest instructions that only one port takes.
    _mm256_add_ps(_mm256_blend_ps::<0b1111_0000>(a, b), _mm256_permute2f128_ps::<0x21>(a, b))
}

/// Two permutations of the weights of two pixels.
#[inline]
#[target_feature(enable = "avx2")]
fn spread(weights: [[f32; 2]; 2], index: [__m256i; 2]) -> [__m256; 2] {
    let weights: __m256 = cast([weights; 2]);
    [_mm256_permutevar8x32_ps(weights, index[0]), _mm256_permutevar8x32_ps(weights, index[1])]
}

/// Permutations for [`spread`]: which weight each half has in each.
fn halves_of([a, b]: [[i32; 2]; 2]) -> [__m256i; 2] {
    // Known permutations the compiler turns into more instructions.
    black_box([a, b].map(|[low, high]| cast([[low; 4], [high; 4]])))
}

/// Four channels: two pixels at a time, each with both taps in one load.
#[target_feature(enable = "avx2")]
fn four<const N: usize, T: Float, S: Sink<N>>(lines: [&[T]; N], columns: FloatColumns<'_>, sink: &mut S) {
    let length = shortest(&lines);
    if length < 8 {
        return;
    }
    let last = length - 8;
    let (starts, weights) = pairs(&columns);
    let index = halves_of([[0, 1], [2, 3]]);
    for (number, (starts, &weights)) in starts.iter().zip(weights).enumerate() {
        let weights = spread(weights, index);
        let [a, b] = starts.map(|start| start as usize);
        if a > last || b > last {
            return;
        }
        let mut values = [[0.0; 8]; N];
        for k in 0..N {
            let line = &lines[k][..length];
            let (a, b) = (eight_floats(&line[a..]), eight_floats(&line[b..]));
            values[k] = cast(halves(_mm256_mul_ps(weights[0], a), _mm256_mul_ps(weights[1], b)));
        }
        if !sink.put(Place { at: 8 * number, second: 4 }, values) {
            return;
        }
    }
}

/// Three channels: two pixels at a time, one a lane.
#[target_feature(enable = "avx2")]
fn three<const N: usize, T: Float, S: Sink<N>>(lines: [&[T]; N], columns: FloatColumns<'_>, sink: &mut S) {
    let length = shortest(&lines);
    if length < 8 {
        return;
    }
    let last = length - 7;
    let (starts, weights) = pairs(&columns);
    let index = halves_of([[0, 2], [1, 3]]);
    for (number, (starts, &weights)) in starts.iter().zip(weights).enumerate() {
        let [w0, w1] = spread(weights, index);
        let [a, b] = starts.map(|start| start as usize);
        if a > last || b > last {
            return;
        }
        let mut values = [[0.0; 8]; N];
        for k in 0..N {
            let line = &lines[k][..length];
            let taps = |tap: usize| {
                let at = |start: usize| sixteen_bytes(&line[start..][..7][tap..]);
                cast::<__m256i, __m256>(_mm256_set_m128i(at(b), at(a)))
            };
            values[k] = cast(mix(w0, taps(0), w1, taps(3)));
        }
        // The next pixel overwrites a fourth channel that is not there.
        if !sink.put(Place { at: 6 * number, second: 3 }, values) {
            return;
        }
    }
}

/// Three or four channels of 16 bits: two pixels at a time, one a lane.
#[target_feature(enable = "avx2")]
fn words<const N: usize, const C: usize, T: Float, S: Sink<N>>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    sink: &mut S,
) {
    let length = shortest(&lines);
    if length < 8 {
        return;
    }
    let last = length - 8;
    // The words of a tap, each followed by two zero bytes.
    let [first_words, second_words] = [0, C as i8].map(|tap| {
        let mut shuffle = [[-1_i8; 4]; 4];
        for (channel, bytes) in shuffle.iter_mut().enumerate() {
            let word = tap + (channel as i8).min(C as i8 - 1);
            [bytes[0], bytes[1]] = [2 * word, 2 * word + 1];
        }
        cast::<[[[i8; 4]; 4]; 2], __m256i>([shuffle; 2])
    });
    let index = halves_of([[0, 2], [1, 3]]);
    let (starts, weights) = pairs(&columns);
    for (number, (starts, &weights)) in starts.iter().zip(weights).enumerate() {
        let [w0, w1] = spread(weights, index);
        let [a, b] = starts.map(|start| start as usize);
        if a > last || b > last {
            return;
        }
        let mut values = [[0.0; 8]; N];
        for k in 0..N {
            let line = &lines[k][..length];
            let words = _mm256_set_m128i(sixteen_bytes(&line[b..]), sixteen_bytes(&line[a..]));
            let taps = |shuffle| _mm256_cvtepi32_ps(_mm256_shuffle_epi8(words, shuffle));
            values[k] = cast(mix(w0, taps(first_words), w1, taps(second_words)));
        }
        if !sink.put(Place { at: 2 * C * number, second: C }, values) {
            return;
        }
    }
}

/// The columns two by two.
fn pairs<'a>(columns: &FloatColumns<'a>) -> (&'a [[u32; 2]], &'a [[[f32; 2]; 2]]) {
    (columns.start.as_chunks().0, columns.weights.as_chunks().0)
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
