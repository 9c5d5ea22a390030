//! Bilinear kernels for AVX-512: bytes. One permutation finds the taps of as many values as a register has room for.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi16, _mm512_maddubs_epi16, _mm512_mulhi_epi16, _mm512_mulhrs_epi16,
    _mm512_packus_epi16, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8, _mm512_permutexvar_epi64,
    _mm512_set_epi64, _mm512_set1_epi16, _mm512_srli_epi16, _mm512_sub_epi16,
};

use bytemuck::cast;

use super::avx2::{self, fewest, shortest};
use super::wide::{FAR_WINDOW, WINDOW, Wide};
use super::{Columns, LinearByteColumns, LinearTable, portable};
use crate::error::Result;
use crate::resample::separable::Window;

/// Tables of the first pass over bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(crate) fn tables_u8(window: &Window) -> Result<(LinearTable<i16>, Columns)> {
    portable::tables_u8(window)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(crate) fn columns_u8<const N: usize>(
    lines: [&[u8]; N],
    columns: LinearByteColumns<'_>,
    out: [&mut [i16]; N],
) {
    if columns.wide.is_empty() {
        avx2::columns_u8(lines, columns, out);
    } else if columns.far {
        permuted::<N, FAR_WINDOW>(lines, columns, out, |index, window| {
            let [a, b]: [__m512i; 2] = cast::<[u8; FAR_WINDOW], _>(window);
            _mm512_permutex2var_epi8(a, index, b)
        });
    } else {
        permuted::<N, WINDOW>(lines, columns, out, |index, window| {
            _mm512_permutexvar_epi8(index, cast::<[u8; WINDOW], _>(window))
        });
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn permuted<const N: usize, const LENGTH: usize>(
    lines: [&[u8]; N],
    columns: LinearByteColumns<'_>,
    out: [&mut [i16]; N],
    permute: impl Fn(__m512i, [u8; LENGTH]) -> __m512i,
) {
    let length = shortest(&lines);
    if length < LENGTH {
        return;
    }
    // No start is past `last`: with the minimum, said where it is used, the compiler need not check.
    let last = length - LENGTH;
    let out = out.map(|out| out.as_chunks_mut::<32>().0);
    let blocks = columns.windows.iter().zip(columns.wide).take(fewest(&out));
    for (number, (&start, &Wide { taps, high, low })) in blocks.enumerate() {
        let start = (start as usize).min(last);
        // Once for all rows: what is written might be the table, for all that the compiler knows.
        let [index, high, low]: [__m512i; 3] = [cast(taps), cast(high), cast(low)];
        for k in 0..N {
            let mut window = [0_u8; LENGTH];
            window.copy_from_slice(&lines[k][..length][start..][..LENGTH]);
            let taps = permute(index, window);
            // The low bits of the weights give what four bits are cut from, the high ones whole numbers.
            let low = _mm512_srli_epi16::<4>(_mm512_maddubs_epi16(taps, low));
            out[k][number] = cast(_mm512_sub_epi16(low, _mm512_maddubs_epi16(taps, high)));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(crate) fn rows_u8(rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
    const WIDTH: usize = 64;
    let length = out.len();
    if length < WIDTH {
        avx2::rows_u8(rows, weights, out);
        return;
    }
    let (w0, w1) = (_mm512_set1_epi16(weights[0]), _mm512_set1_epi16(weights[1]));
    // A product with 2^13 of which 2^15 are one, rounded, is a quarter, rounded.
    let quarter = _mm512_set1_epi16(1 << 13);
    let in_order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0);
    let blend = |h0: [i16; 32], h1: [i16; 32]| {
        let sum = _mm512_add_epi16(_mm512_mulhi_epi16(cast(h0), w0), _mm512_mulhi_epi16(cast(h1), w1));
        _mm512_mulhrs_epi16(sum, quarter)
    };
    let block = |h0: &[i16; WIDTH], h1: &[i16; WIDTH]| {
        let [a0, b0]: [[i16; 32]; 2] = cast(*h0);
        let [a1, b1]: [[i16; 32]; 2] = cast(*h1);
        let packed = _mm512_packus_epi16(blend(a0, a1), blend(b0, b1));
        cast::<__m512i, [u8; WIDTH]>(_mm512_permutexvar_epi64(in_order, packed))
    };
    let (blocks0, blocks1) = (rows[0].as_chunks::<WIDTH>().0, rows[1].as_chunks::<WIDTH>().0);
    for ((out, h0), h1) in out.as_chunks_mut::<WIDTH>().0.iter_mut().zip(blocks0).zip(blocks1) {
        *out = block(h0, h1);
    }
    // What is left is written with some of what stands before it, once more.
    let at = length - WIDTH;
    if let (Some(out), Some(h0), Some(h1)) =
        (out.last_chunk_mut(), rows[0][at..].first_chunk(), rows[1][at..].first_chunk())
        && !length.is_multiple_of(WIDTH)
    {
        *out = block(h0, h1);
    }
}
