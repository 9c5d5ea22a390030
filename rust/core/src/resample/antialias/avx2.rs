//! Antialiasing kernels for AVX2.
//!
//! Two multiply-adds stand for one product of 22 bits: one with the high 11 bits of the weights, one with the
//! low.

use std::arch::x86_64::*;

use std::ops::Range;
use std::slice::ChunksExact;

use bytemuck::cast;

pub(super) use super::avx2_floats::{horizontal_float, vertical_float};
use super::bytes::{AntialiasByteTables, ByteRowWeights, GROUP, SPLIT, SplitWeights, TapLookup};
use super::portable::{self, HALF};
use super::steps::TapStep;
use super::triangle::BYTE_WEIGHT_BITS;
use crate::resample::separable::IntermediateRows;
use crate::resample::vectors::{each_vector, fewest, shortest};

const SHIFT: i32 = BYTE_WEIGHT_BITS as i32;
const SPLIT_BY: i32 = SPLIT as i32;

/// Sums of weighted taps, rounded, for each of some lines. `C` is the channel count, or 0 for any.
#[target_feature(enable = "avx2")]
pub(super) fn horizontal_u8<const N: usize, const C: usize>(
    lines: [&[u8]; N],
    tables: &AntialiasByteTables,
    pixels: Range<usize>,
    mut out: [&mut [u8]; N],
) {
    let AntialiasByteTables { table, lookup } = tables;
    match lookup {
        _ if shortest(&lines) < 16 => {}
        TapLookup::Steps(steps) => {
            let blocks = steps.part(pixels.start * C..pixels.end * C);
            if steps.values == 16 {
                stepped::<N, 16>(lines, blocks, out);
            } else {
                stepped::<N, 8>(lines, blocks, out);
            }
        }
        TapLookup::Groups(weights) if C == 1 || C == 3 || C == 4 => {
            let groups = table.padded_taps(GROUP) / GROUP;
            let weights = &weights[pixels.start * groups..pixels.end * groups];
            let start = &table.start[pixels];
            // With the number known, a whole image takes 6 to 9 % less.
            match table.padded_taps(2) / 2 {
                1 => grouped::<N, C, 1>(lines, start, weights, 1, &mut out),
                2 => grouped::<N, C, 2>(lines, start, weights, 2, &mut out),
                3 => grouped::<N, C, 3>(lines, start, weights, 3, &mut out),
                4 => grouped::<N, C, 4>(lines, start, weights, 4, &mut out),
                pairs => grouped::<N, C, 0>(lines, start, weights, pairs, &mut out),
            }
        }
        _ => portable::horizontal_u8::<N, C>(lines, tables, pixels, out),
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

/// Steps of taps, `VALUES` values at a time: sixteen, or eight, of which pairs of sums belong to one value. Lanes are as
/// [`TapStep`] has them.
#[target_feature(enable = "avx2")]
fn stepped<const N: usize, const VALUES: usize>(
    lines: [&[u8]; N],
    blocks: ChunksExact<'_, TapStep>,
    out: [&mut [u8]; N],
) {
    let last = shortest(&lines) - 16;
    let outs = out.map(|out| out.as_chunks_mut::<VALUES>().0);
    for (number, steps) in blocks.take(fewest(&outs)).enumerate() {
        // Of each line the high parts of both halves, and the low ones.
        let (mut high, mut low) = ([[_mm256_setzero_si256(); 2]; N], [[_mm256_setzero_si256(); 2]; N]);
        for step in steps {
            for half in 0..2 {
                let (shuffle, high_weights, low_weights) =
                    (cast(step.shuffle[half]), cast(step.high[half]), cast(step.low[half]));
                for k in 0..N {
                    let at = |lane: usize| window(lines[k], step.start[lane] as usize, last);
                    let taps = _mm256_shuffle_epi8(_mm256_set_m128i(at(half + 2), at(half)), shuffle);
                    high[k][half] = add_products(high[k][half], taps, high_weights);
                    low[k][half] = add_products(low[k][half], taps, low_weights);
                }
            }
        }
        for k in 0..N {
            if VALUES == 16 {
                let [[a, b], [c, d]] = levels_of_lines(high[k], low[k]);
                outs[k][number].copy_from_slice([a, c, b, d].as_flattened());
            } else {
                let sums = |[a, b]: [__m256i; 2]| [_mm256_hadd_epi32(a, b)];
                let [levels, _] = levels_of_lines(sums(high[k]), sums(low[k]));
                outs[k][number].copy_from_slice(levels.as_flattened());
            }
        }
    }
}

/// Sums of four values a lane, rounded.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(high: __m256i, low: __m256i) -> __m256i {
    let sum = _mm256_add_epi32(_mm256_slli_epi32::<SPLIT_BY>(high), low);
    _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)))
}

/// Sums of four values a lane, of one line or two, as bytes: for each line those of both lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn levels_of_lines<const N: usize>(high: [__m256i; N], low: [__m256i; N]) -> [[[u8; 4]; 2]; 2] {
    let level = _mm256_packs_epi32(rounded(high[0], low[0]), rounded(high[N - 1], low[N - 1]));
    let [a, c, _, _, b, d, _, _]: [[u8; 4]; 8] = cast(_mm256_packus_epi16(level, level));
    [[a, b], [c, d]]
}

/// Groups of taps of up to four channels, two pixels at a time, one a lane:
/// ```text
/// lanes     16 bytes of pixel a                               ||  16 bytes of pixel b
/// taps      0 and 1 of channel 0 | 1 | 2 | 3, in 16 bits      ||  likewise              then taps 2 and 3
/// sums      channel 0 | 1 | 2 | 3, in 32 bits, of high parts  ||  likewise              and of low parts
/// ```
#[target_feature(enable = "avx2")]
fn grouped<const N: usize, const C: usize, const PAIRS: usize>(
    lines: [&[u8]; N],
    start: &[u32],
    weights: &[SplitWeights],
    pairs: usize,
    out: &mut [&mut [u8]; N],
) {
    let last = shortest(&lines) - 16;
    let mut taps = [[-1_i8; 16]; 2];
    for (half, taps) in taps.iter_mut().enumerate() {
        for c in 0..C {
            taps[4 * c] = (2 * half * C + c) as i8;
            taps[4 * c + 2] = ((2 * half + 1) * C + c) as i8;
        }
    }
    let [taps01, taps23] = taps.map(|lane| cast::<[[i8; 16]; 2], __m256i>([lane; 2]));
    let pairs = if PAIRS == 0 { pairs } else { PAIRS };
    let groups = pairs.div_ceil(2);
    let pixels = start.as_chunks::<2>().0.iter().zip(weights.chunks_exact(2 * groups));
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
                let taps = _mm256_shuffle_epi8(bytes, taps01);
                high[k] = add_products(high[k], taps, high01);
                low[k] = add_products(low[k], taps, low01);
                if 2 * group + 1 < pairs {
                    let taps = _mm256_shuffle_epi8(bytes, taps23);
                    high[k] = add_products(high[k], taps, high23);
                    low[k] = add_products(low[k], taps, low23);
                }
            }
        }
        let levels = levels_of_lines(high, low);
        for k in 0..N {
            let [a, b] = levels[k];
            // The next pixel overwrites channels that are not there.
            let Some(out) = out[k].get_mut(2 * number * C..2 * number * C + C + 4) else { return };
            out[..4].copy_from_slice(&a);
            out[C..].copy_from_slice(&b);
        }
    }
}

/// Sums of weighted rows, rounded, 32 values at a time, two rows a step:
/// ```text
/// taps      rows 0 and 1 of value 0 ... 3 | 16 ... 19, of 4 ... 7 | 20 ... 23, and so on, in 16 bits   (unpacked twice)
/// packed    value 0 ... 7 | 16 ... 23 and 8 ... 15 | 24 ... 31, then 0 ... 15 | 16 ... 31, in bytes
/// ```
#[target_feature(enable = "avx2")]
pub(super) fn vertical_u8(rows: IntermediateRows<'_, u8>, weights: &ByteRowWeights, out: &mut [u8]) {
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
    each_vector(out, block);
}
