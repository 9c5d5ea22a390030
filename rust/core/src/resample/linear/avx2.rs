//! Linear kernels for AVX2: bytes.

use std::arch::x86_64::*;

use std::ops::Range;

use bytemuck::cast;

pub(super) use super::avx2_floats::{fused_float, horizontal_float, tables_float, vertical_float};
use super::bytes::{ByteLookup, LinearByteTables};
use super::portable;
use super::shuffles::{ShuffleBlock, ShuffleBlocks};
use crate::error::Result;
use crate::resample::separable::CanvasWindow;
use crate::resample::vectors::{fewest, shortest, tail};

/// Tables of the horizontal pass over bytes.
#[target_feature(enable = "avx2")]
pub(super) fn tables_u8(window: &CanvasWindow) -> Result<LinearByteTables> {
    portable::tables_u8(window)
}

/// `out = (w0 * p0 + w1 * p1) >> 4`, for each of some lines.
#[target_feature(enable = "avx2")]
pub(super) fn horizontal_u8<const N: usize>(
    lines: [&[u8]; N],
    tables: &LinearByteTables,
    pixels: Range<usize>,
    out: [&mut [i16]; N],
) {
    let ByteLookup::Shuffles(ShuffleBlocks { blocks, in_pairs }) = &tables.lookup else {
        return portable::horizontal_u8(lines, tables, pixels, out);
    };
    let channels = tables.table.channels;
    let blocks = &blocks[pixels.start * channels / 16..pixels.end * channels / 16];
    if *in_pairs {
        shuffled::<N, true>(lines, blocks, out);
    } else {
        shuffled::<N, false>(lines, blocks, out);
    }
}

/// Sixteen values at a time, one block:
/// ```text
/// lanes     16 bytes from start[0]            ||  16 bytes from start[2]       and from start[1], start[3]
/// taps      p0 . p1 . of value 0 | 1 | 2 | 3  ||  of value  8 |  9 | 10 | 11   of 4 to 7, 12 to 15  (shuffled)
/// values    w0 * p0 + w1 * p1, shifted        ||  in 32 bits                   likewise
/// packed    value 0 1 2 3 4 5 6 7             ||  8 9 10 11 12 13 14 15        in 16 bits
/// ```
#[target_feature(enable = "avx2")]
fn shuffled<const N: usize, const IN_PAIRS: bool>(
    lines: [&[u8]; N],
    blocks: &[ShuffleBlock],
    out: [&mut [i16]; N],
) {
    let length = shortest(&lines);
    // No start is past `last`: with the minimum, said where it is used, the compiler need not check.
    let Some(last) = length.checked_sub(16) else { return };
    let lane = |line: &[u8], start: usize| {
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&line[start.min(last)..][..16]);
        cast::<[u8; 16], __m128i>(bytes)
    };
    let out = out.map(|out| out.as_chunks_mut::<16>().0);
    let blocks = blocks.iter().take(fewest(&out));
    for (number, block) in blocks.enumerate() {
        let start = block.start.map(|start| start as usize);
        // Once for all rows: what is written might be the table, for all that the compiler knows.
        let shuffle = block.shuffle.map(cast::<_, __m256i>);
        let weights = block.weights.map(cast::<_, __m256i>);
        for k in 0..N {
            let line = &lines[k][..length];
            let lanes = |k: usize| _mm256_set_m128i(lane(line, start[k + 2]), lane(line, start[k]));
            let half = |lanes: __m256i, k: usize| {
                let taps = _mm256_shuffle_epi8(lanes, shuffle[k]);
                _mm256_srli_epi32::<4>(_mm256_madd_epi16(taps, weights[k]))
            };
            let even = lanes(0);
            let odd = if IN_PAIRS { even } else { lanes(1) };
            out[k][number] = cast(_mm256_packs_epi32(half(even, 0), half(odd, 1)));
        }
    }
}

/// `out = ((w0 * h0 >> 16) + (w1 * h1 >> 16) + 2) >> 2`, 32 values at a time:
/// ```text
/// sums      value 0 ... 15 and 16 ... 31, in 16 bits
/// packed    value 0 ... 7 | 16 ... 23 || 8 ... 15 | 24 ... 31, in bytes, then in order
/// ```
#[target_feature(enable = "avx2")]
pub(super) fn vertical_u8(rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
    const WIDTH: usize = 32;
    let (w0, w1) = (_mm256_set1_epi16(weights[0]), _mm256_set1_epi16(weights[1]));
    // A product with 2^13 of which 2^15 are one, rounded, is a quarter, rounded.
    let quarter = _mm256_set1_epi16(1 << 13);
    let blend = |h0: [i16; 16], h1: [i16; 16]| {
        let sum = _mm256_add_epi16(_mm256_mulhi_epi16(cast(h0), w0), _mm256_mulhi_epi16(cast(h1), w1));
        _mm256_mulhrs_epi16(sum, quarter)
    };
    let block = |h0: &[i16; WIDTH], h1: &[i16; WIDTH]| {
        let [a0, b0]: [[i16; 16]; 2] = cast(*h0);
        let [a1, b1]: [[i16; 16]; 2] = cast(*h1);
        let packed = _mm256_packus_epi16(blend(a0, a1), blend(b0, b1));
        cast::<__m256i, [u8; WIDTH]>(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed))
    };
    // Not `map`, which is not inlined here.
    let (blocks0, blocks1) = (rows[0].as_chunks::<WIDTH>().0, rows[1].as_chunks::<WIDTH>().0);
    let (blocks, _) = out.as_chunks_mut::<WIDTH>();
    for ((out, h0), h1) in blocks.iter_mut().zip(blocks0).zip(blocks1) {
        *out = block(h0, h1);
    }
    tail(out, |at| match (rows[0][at..].first_chunk(), rows[1][at..].first_chunk()) {
        (Some(h0), Some(h1)) => block(h0, h1),
        _ => [0; WIDTH],
    });
}
