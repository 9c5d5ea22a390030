//! Bilinear kernels for AVX2: bytes.

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi16, _mm256_madd_epi16, _mm256_mulhi_epi16, _mm256_mulhrs_epi16,
    _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set_m128i, _mm256_set1_epi16,
    _mm256_shuffle_epi8, _mm256_srli_epi32,
};

use bytemuck::cast;

use super::bytes::Block;
use super::{Columns, FloatPixel, FloatTables, LinearByteColumns, LinearTable, portable};
use crate::error::Result;
use crate::resample::separable::Window;
use crate::resample::tails::tail;

pub(crate) use super::avx2_floats::{fused_float, horizontal_float, vertical_float};

/// Tables of the first pass over bytes.
#[target_feature(enable = "avx2")]
pub(crate) fn tables_u8(window: &Window) -> Result<(LinearTable<i16>, Columns)> {
    portable::tables_u8(window)
}

/// Tables of the first pass over `uint16` and `float32`.
#[target_feature(enable = "avx2")]
pub(crate) fn tables_float<T: FloatPixel>(window: &Window) -> Result<FloatTables> {
    portable::tables_float::<T>(window)
}

#[target_feature(enable = "avx2")]
pub(crate) fn columns_u8<const N: usize>(
    lines: [&[u8]; N],
    columns: LinearByteColumns<'_>,
    out: [&mut [i16]; N],
) {
    let length = shortest(&lines);
    if columns.blocks.is_empty() || length < 16 {
        portable::columns_u8(lines, columns, out);
        return;
    }
    if columns.in_pairs {
        shuffled::<N, true>(lines, length, columns.blocks, out);
    } else {
        shuffled::<N, false>(lines, length, columns.blocks, out);
    }
}

#[target_feature(enable = "avx2")]
fn shuffled<const N: usize, const IN_PAIRS: bool>(
    lines: [&[u8]; N],
    length: usize,
    blocks: &[Block],
    out: [&mut [i16]; N],
) {
    // No start is past `last`: with the minimum, said where it is used, the compiler need not check.
    let last = length - 16;
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

pub(crate) fn fewest<T>(out: &[&mut [T]]) -> usize {
    out.iter().fold(usize::MAX, |count, out| count.min(out.len()))
}

pub(crate) fn shortest<T>(lines: &[&[T]]) -> usize {
    lines.iter().fold(usize::MAX, |length, line| length.min(line.len()))
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_u8(rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
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
