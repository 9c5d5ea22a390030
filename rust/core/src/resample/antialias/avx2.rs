//! Antialiasing kernels for AVX2.
//!
//! Two multiply-adds stand for one product of 22 bits: one with the high 11 bits of the weights, one with the
//! low.

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi32, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_packs_epi32,
    _mm256_packus_epi16, _mm256_set_m128i, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_shuffle_epi32, _mm256_slli_epi32, _mm256_srai_epi32, _mm256_unpackhi_epi8, _mm256_unpacklo_epi8,
};

use bytemuck::cast;

pub(crate) use super::avx2_floats::{horizontal_float, vertical_float};
use super::bytes::RowWeights;
use super::portable::HALF;
use super::steps::{SomeSteps, Step};
use super::{AntialiasByteColumns, GROUP, Group, SPLIT, portable};
use crate::resample::linear::avx2::{fewest, shortest};
use crate::resample::separable::Rows;
use crate::resample::taps::BYTE_WEIGHT_BITS;

const SHIFT: i32 = BYTE_WEIGHT_BITS as i32;
const SPLIT_BY: i32 = SPLIT as i32;

#[target_feature(enable = "avx2")]
pub(crate) fn columns_u8<const N: usize, const C: usize>(
    lines: [&[u8]; N],
    columns: AntialiasByteColumns<'_>,
    mut out: [&mut [u8]; N],
) {
    match (C, columns.pairs) {
        _ if shortest(&lines) < 16 || columns.pairs == 0 => {}
        _ if columns.steps.values == 16 => sixteen(lines, columns.steps, out),
        _ if columns.steps.values == 8 => eight(lines, columns.steps, out),
        (1, _) => {
            for (line, out) in lines.into_iter().zip(out) {
                columns_u8x1(line, columns, out);
            }
        }
        (3 | 4, 1) => few::<N, C, 1>(lines, columns, &mut out),
        (3 | 4, 2) => few::<N, C, 2>(lines, columns, &mut out),
        (3 | 4, 3) => few::<N, C, 3>(lines, columns, &mut out),
        (3 | 4, 4) => few::<N, C, 4>(lines, columns, &mut out),
        (3 | 4, _) => few::<N, C, 0>(lines, columns, &mut out),
        _ => portable::columns_u8::<N, C>(lines, columns, out),
    }
}

/// Sixteen bytes from `at`, which is at most `last`: said once more, so that no check can fail.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn window(line: &[u8], at: usize, last: usize) -> __m128i {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&line[at.min(last)..][..16]);
    cast(bytes)
}

/// Adds pairs of products of 16-bit numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products(sum: __m256i, taps: __m256i, weights: __m256i) -> __m256i {
    _mm256_add_epi32(sum, _mm256_madd_epi16(taps, weights))
}

/// Adds a step to the sums of each line and half: the high parts, then the low ones.
#[inline]
#[target_feature(enable = "avx2")]
fn add_step<const N: usize>(sums: &mut [[[__m256i; 2]; 2]; N], step: &Step, lines: &[&[u8]; N], last: usize) {
    for half in 0..2 {
        let (shuffle, high, low) = (cast(step.shuffle[half]), cast(step.high[half]), cast(step.low[half]));
        for (sums, line) in sums.iter_mut().zip(lines) {
            let at = |lane: usize| window(line, step.start[lane] as usize, last);
            let taps = _mm256_shuffle_epi8(_mm256_set_m128i(at(half + 2), at(half)), shuffle);
            sums[half] = [add_products(sums[half][0], taps, high), add_products(sums[half][1], taps, low)];
        }
    }
}

/// Sixteen values at a time, two taps a step.
#[target_feature(enable = "avx2")]
fn sixteen<const N: usize>(lines: [&[u8]; N], steps: SomeSteps<'_>, out: [&mut [u8]; N]) {
    let last = shortest(&lines) - 16;
    let outs = out.map(|out| out.as_chunks_mut::<16>().0);
    let blocks = steps.steps.chunks_exact(steps.count).take(fewest(&outs));
    for (number, steps) in blocks.enumerate() {
        let mut sums = [[[_mm256_setzero_si256(); 2]; 2]; N];
        for step in steps {
            add_step(&mut sums, step, &lines, last);
        }
        for k in 0..N {
            let [[high0, low0], [high1, low1]] = sums[k];
            let [[a, b], [c, d]] = levels_of_lines([high0, high1], [low0, low1]);
            outs[k][number] = cast([a, c, b, d]);
        }
    }
}

/// Eight values at a time, four taps a step.
#[target_feature(enable = "avx2")]
fn eight<const N: usize>(lines: [&[u8]; N], steps: SomeSteps<'_>, out: [&mut [u8]; N]) {
    let last = shortest(&lines) - 16;
    let outs = out.map(|out| out.as_chunks_mut::<8>().0);
    let blocks = steps.steps.chunks_exact(steps.count).take(fewest(&outs));
    for (number, steps) in blocks.enumerate() {
        let mut sums = [[[_mm256_setzero_si256(); 2]; 2]; N];
        for step in steps {
            add_step(&mut sums, step, &lines, last);
        }
        let (mut high, mut low) = ([_mm256_setzero_si256(); N], [_mm256_setzero_si256(); N]);
        for k in 0..N {
            let [[high0, low0], [high1, low1]] = sums[k];
            (high[k], low[k]) = (_mm256_hadd_epi32(high0, high1), _mm256_hadd_epi32(low0, low1));
        }
        let levels = levels_of_lines(high, low);
        for k in 0..N {
            outs[k][number] = cast(levels[k]);
        }
    }
}

/// One channel: four pixels at a time, one a lane, with the high parts of the weights before the low ones.
#[target_feature(enable = "avx2")]
fn columns_u8x1(line: &[u8], columns: AntialiasByteColumns<'_>, out: &mut [u8]) {
    let last = line.len() - 16;
    let widen: __m256i = cast([[0_i8, -1, 1, -1, 2, -1, 3, -1]; 4]);
    // What `levels` leaves of four pixels, in order.
    let pick: __m256i =
        cast([[0_i8, -1, 1, -1], [-1; 4], [-1; 4], [-1; 4], [-1, 0, -1, 1], [-1; 4], [-1; 4], [-1; 4]]);
    let (starts, _) = columns.start.as_chunks::<4>();
    let (outs, _) = out.as_chunks_mut::<4>();
    let weights = columns.weights.chunks_exact(4 * columns.groups());
    for ((out, starts), weights) in outs.iter_mut().zip(starts).zip(weights) {
        let mut sums = [_mm256_setzero_si256(); 2];
        for group in 0..columns.groups() {
            let bytes = |pixel: usize| window(line, starts[pixel] as usize + group * GROUP, last);
            let weight = |pixel: usize| cast::<Group, __m128i>(weights[pixel * columns.groups() + group]);
            for (k, sum) in sums.iter_mut().enumerate() {
                let (a, b) = (2 * k, 2 * k + 1);
                let taps = _mm256_shuffle_epi8(_mm256_set_m128i(bytes(b), bytes(a)), widen);
                let weights = _mm256_set_m128i(weight(b), weight(a));
                *sum = add_products(*sum, taps, weights);
            }
        }
        // Each lane: high and low of one pixel, high and low of the one after next.
        let both = _mm256_hadd_epi32(sums[0], sums[1]);
        let high = _mm256_shuffle_epi32::<0b10_00_10_00>(both);
        let low = _mm256_shuffle_epi32::<0b11_01_11_01>(both);
        let picked = _mm256_shuffle_epi8(levels(high, low), pick);
        let [a, _, _, _, b, ..]: [u32; 8] = cast(picked);
        *out = (a | b).to_ne_bytes();
    }
}

/// Sums of four values a lane, rounded.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(high: __m256i, low: __m256i) -> __m256i {
    let sum = _mm256_add_epi32(_mm256_slli_epi32::<SPLIT_BY>(high), low);
    _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)))
}

/// The sums of four values a lane as bytes: bytes 0 to 3 of each lane.
#[inline]
#[target_feature(enable = "avx2")]
fn levels(high: __m256i, low: __m256i) -> __m256i {
    let level = rounded(high, low);
    let level = _mm256_packs_epi32(level, level);
    _mm256_packus_epi16(level, level)
}

/// Bytes of both lanes, four a lane, for each of one or two lines.
#[inline]
#[target_feature(enable = "avx2")]
fn levels_of_lines<const N: usize>(high: [__m256i; N], low: [__m256i; N]) -> [[[u8; 4]; 2]; 2] {
    let level = _mm256_packs_epi32(rounded(high[0], low[0]), rounded(high[N - 1], low[N - 1]));
    let [a, c, _, _, b, d, _, _]: [[u8; 4]; 8] = cast(_mm256_packus_epi16(level, level));
    [[a, b], [c, d]]
}

/// Three or four channels: two pixels at a time, one a lane.
#[target_feature(enable = "avx2")]
fn few<const N: usize, const C: usize, const PAIRS: usize>(
    lines: [&[u8]; N],
    columns: AntialiasByteColumns<'_>,
    out: &mut [&mut [u8]; N],
) {
    let last = shortest(&lines) - 16;
    // Taps 0 and 1 of a group, channel by channel, and taps 2 and 3.
    let mut pairs = [[-1_i8; 16]; 2];
    for (half, pairs) in pairs.iter_mut().enumerate() {
        for c in 0..C {
            pairs[4 * c] = (2 * half * C + c) as i8;
            pairs[4 * c + 2] = ((2 * half + 1) * C + c) as i8;
        }
    }
    let [pair01, pair23] = pairs.map(|lane| cast::<[[i8; 16]; 2], __m256i>([lane; 2]));
    let pairs = if PAIRS == 0 { columns.pairs } else { PAIRS };
    let groups = pairs.div_ceil(2);
    let (starts, _) = columns.start.as_chunks::<2>();
    let pixels = starts.iter().zip(columns.weights.chunks_exact(2 * groups));
    for (number, (&[a, b], weights)) in pixels.enumerate() {
        let mut high = [_mm256_setzero_si256(); N];
        let mut low = high;
        let (weights_a, weights_b) = weights.split_at(groups);
        for group in 0..groups {
            let weights = _mm256_set_m128i(cast(weights_b[group]), cast(weights_a[group]));
            let high01 = _mm256_shuffle_epi32::<0b00_00_00_00>(weights);
            let low01 = _mm256_shuffle_epi32::<0b10_10_10_10>(weights);
            let high23 = _mm256_shuffle_epi32::<0b01_01_01_01>(weights);
            let low23 = _mm256_shuffle_epi32::<0b11_11_11_11>(weights);
            for k in 0..N {
                let at = |start: u32| window(lines[k], start as usize + group * GROUP * C, last);
                let bytes = _mm256_set_m128i(at(b), at(a));
                let taps = _mm256_shuffle_epi8(bytes, pair01);
                high[k] = add_products(high[k], taps, high01);
                low[k] = add_products(low[k], taps, low01);
                if 2 * group + 1 < pairs {
                    let taps = _mm256_shuffle_epi8(bytes, pair23);
                    high[k] = add_products(high[k], taps, high23);
                    low[k] = add_products(low[k], taps, low23);
                }
            }
        }
        let levels = levels_of_lines(high, low);
        for k in 0..N {
            let [a, b] = levels[k];
            // The next pixel overwrites a fourth channel that is not there.
            let Some(out) = out[k].get_mut(2 * number * C..2 * number * C + C + 4) else { return };
            out[..4].copy_from_slice(&a);
            out[C..].copy_from_slice(&b);
        }
    }
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_u8(rows: Rows<'_, u8>, weights: RowWeights<'_>, out: &mut [u8]) {
    const WIDTH: usize = 32;
    let load = |k: usize, at: usize| {
        let mut bytes = [0_u8; WIDTH];
        bytes.copy_from_slice(rows.get(k, at, WIDTH));
        cast::<[u8; WIDTH], __m256i>(bytes)
    };
    let zero = _mm256_setzero_si256();
    let block = |at: usize| -> [u8; WIDTH] {
        let mut high = [zero; 4];
        let mut low = [_mm256_set1_epi32(HALF); 4];
        for (pair, weights) in weights.parts.chunks(2).enumerate() {
            // A row without a partner is taken twice, with no weight the second time.
            let (first, second, next) = match *weights {
                [first, second, ..] => (first, second, 2 * pair + 1),
                [first] => (first, [0; 2], 2 * pair),
                [] => continue,
            };
            let (a, b) = (load(2 * pair, at), load(next, at));
            let [front, back] = [_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)];
            let taps = [
                _mm256_unpacklo_epi8(front, zero),
                _mm256_unpackhi_epi8(front, zero),
                _mm256_unpacklo_epi8(back, zero),
                _mm256_unpackhi_epi8(back, zero),
            ];
            let [high_weights, low_weights] =
                [0, 1].map(|part| _mm256_set1_epi32(cast::<[i16; 2], i32>([first[part], second[part]])));
            for k in 0..4 {
                high[k] = add_products(high[k], taps[k], high_weights);
                low[k] = add_products(low[k], taps[k], low_weights);
            }
        }
        let level = |k: usize| {
            _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(_mm256_slli_epi32::<SPLIT_BY>(high[k]), low[k]))
        };
        // Packing undoes what unpacking did within each half.
        let front = _mm256_packs_epi32(level(0), level(1));
        let back = _mm256_packs_epi32(level(2), level(3));
        cast(_mm256_packus_epi16(front, back))
    };
    let length = out.len();
    for at in (0..length).step_by(WIDTH) {
        // The last block overlaps the one before it. There is one call, so that it is inlined.
        let at = at.min(length.saturating_sub(WIDTH));
        let bytes = block(at);
        if let Some(out) = out[at..].first_chunk_mut() {
            *out = bytes;
        } else {
            out.copy_from_slice(&bytes[..length]);
        }
    }
}
