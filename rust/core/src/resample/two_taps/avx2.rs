//! Two-tap kernels for AVX2.

use std::arch::x86_64::{
    __m128, __m128i, __m256, __m256i, _mm_add_ps, _mm_mul_ps, _mm_set1_ps, _mm256_add_epi16, _mm256_add_ps,
    _mm256_blendv_ps, _mm256_madd_epi16, _mm256_mul_ps, _mm256_mulhi_epi16, _mm256_packs_epi32,
    _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_ps, _mm256_set_m128i,
    _mm256_set1_epi16, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srai_epi16, _mm256_srli_epi32,
};

use bytemuck::cast;

use super::{ByteColumns, Float, FloatColumns, portable};

#[target_feature(enable = "avx2")]
pub(crate) fn columns_u8<const N: usize>(lines: [&[u8]; N], columns: ByteColumns<'_>, out: [&mut [i16]; N]) {
    let length = shortest(&lines);
    if columns.blocks.is_empty() || length < 16 {
        portable::columns_u8(lines, columns, out);
        return;
    }
    // No start is past `last`: with the minimum the compiler need not check.
    let last = length - 16;
    let lane = |line: &[u8], start: usize| {
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&line[start..][..16]);
        cast::<[u8; 16], __m128i>(bytes)
    };
    let out = out.map(|out| out.as_chunks_mut::<16>().0);
    let blocks = columns.blocks.iter().take(fewest(&out));
    for (number, block) in blocks.enumerate() {
        let start = block.start.map(|start| (start as usize).min(last));
        for k in 0..N {
            let line = &lines[k][..length];
            let half = |k: usize| {
                let lanes = _mm256_set_m128i(lane(line, start[k + 2]), lane(line, start[k]));
                let taps = _mm256_shuffle_epi8(lanes, cast(block.shuffle[k]));
                _mm256_srli_epi32::<4>(_mm256_madd_epi16(taps, cast(block.weights[k])))
            };
            out[k][number] = cast(_mm256_packs_epi32(half(0), half(1)));
        }
    }
}

fn fewest<T>(out: &[&mut [T]]) -> usize {
    out.iter().fold(usize::MAX, |count, out| count.min(out.len()))
}

fn shortest<T>(lines: &[&[T]]) -> usize {
    lines.iter().fold(usize::MAX, |length, line| length.min(line.len()))
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_u8(rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
    const WIDTH: usize = 32;
    let [w0, w1] = weights.map(|weight| _mm256_set1_epi16(weight));
    let two = _mm256_set1_epi16(2);
    let blend = |h0: [i16; 16], h1: [i16; 16]| {
        let sum = _mm256_add_epi16(_mm256_mulhi_epi16(cast(h0), w0), _mm256_mulhi_epi16(cast(h1), w1));
        _mm256_srai_epi16::<2>(_mm256_add_epi16(sum, two))
    };
    let block = |h0: &[i16; WIDTH], h1: &[i16; WIDTH]| {
        let [a0, b0]: [[i16; 16]; 2] = cast(*h0);
        let [a1, b1]: [[i16; 16]; 2] = cast(*h1);
        let packed = _mm256_packus_epi16(blend(a0, a1), blend(b0, b1));
        cast::<__m256i, [u8; WIDTH]>(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed))
    };
    // The last block overlaps the one before it.
    if let (Some(h0), Some(h1), Some(out)) =
        (rows[0].last_chunk(), rows[1].last_chunk(), out.last_chunk_mut())
    {
        *out = block(h0, h1);
    } else {
        portable::rows_u8(rows, weights, out);
        return;
    }
    let (h0, _) = rows[0].as_chunks::<WIDTH>();
    let (h1, _) = rows[1].as_chunks::<WIDTH>();
    let (blocks, _) = out.as_chunks_mut::<WIDTH>();
    for ((out, h0), h1) in blocks.iter_mut().zip(h0).zip(h1) {
        *out = block(h0, h1);
    }
}

#[target_feature(enable = "avx2")]
pub(crate) fn columns_float<const N: usize, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    mut out: [&mut [f32]; N],
) {
    let length = shortest(&lines);
    match C {
        _ if length < columns.channels + 16 => portable::columns_float::<N, C, T>(lines, columns, out),
        _ if !columns.octets.is_empty() && columns.wide => octets::<N, true, T>(lines, columns, out),
        _ if !columns.octets.is_empty() => octets::<N, false, T>(lines, columns, out),
        3 | 4 => columns_float_few::<N, C, T>(lines, columns, &mut out),
        _ => portable::columns_float::<N, C, T>(lines, columns, out),
    }
}

/// `N` values, in float32.
#[inline]
#[target_feature(enable = "avx2")]
fn first<const N: usize, T: Float>(values: &[T]) -> [f32; N] {
    let mut first = [T::default(); N];
    first.copy_from_slice(&values[..N]);
    first.map(T::to_f32)
}

/// Eight values at a time.
#[target_feature(enable = "avx2")]
fn octets<const N: usize, const WIDE: bool, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    let channels = columns.channels;
    let reach = channels + if WIDE { 16 } else { 8 };
    let length = shortest(&lines);
    if length < reach {
        return;
    }
    let last = length - reach;
    let out = out.map(|out| out.as_chunks_mut::<8>().0);
    let octets = columns.octets.iter().take(fewest(&out));
    for (number, octet) in octets.enumerate() {
        let index: __m256i = cast(octet.index);
        let [w0, w1] = octet.weights.map(cast::<[f32; 8], __m256>);
        let start = (octet.start as usize).min(last);
        for k in 0..N {
            let line = &lines[k][..length][start..][..reach];
            let load = |at: usize| cast::<[f32; 8], __m256>(first(&line[at..]));
            let taps = |at: usize| {
                let near = _mm256_permutevar8x32_ps(load(at), index);
                if WIDE {
                    let far = _mm256_permutevar8x32_ps(load(at + 8), index);
                    // From 8 on, bit 3 of an index is set.
                    _mm256_blendv_ps(near, far, cast(_mm256_slli_epi32::<28>(index)))
                } else {
                    near
                }
            };
            let sum = _mm256_add_ps(_mm256_mul_ps(w0, taps(0)), _mm256_mul_ps(w1, taps(channels)));
            out[k][number] = cast(sum);
        }
    }
}

/// Three or four channels: one pixel at a time.
#[target_feature(enable = "avx2")]
fn columns_float_few<const N: usize, const C: usize, T: Float>(
    lines: [&[T]; N],
    columns: FloatColumns<'_>,
    out: &mut [&mut [f32]; N],
) {
    let length = shortest(&lines);
    if length < C + 4 {
        return;
    }
    let last = length - (C + 4);
    for (number, (&start, &[w0, w1])) in columns.start.iter().zip(columns.weights).enumerate() {
        let start = (start as usize).min(last);
        let (w0, w1) = (_mm_set1_ps(w0), _mm_set1_ps(w1));
        for k in 0..N {
            let line = &lines[k][..length][start..][..C + 4];
            let load = |at: usize| cast::<[f32; 4], __m128>(first(&line[at..]));
            let sum = _mm_add_ps(_mm_mul_ps(w0, load(0)), _mm_mul_ps(w1, load(C)));
            // The next pixel overwrites a fourth channel that is not there.
            let Some(out) = out[k].get_mut(number * C..number * C + 4) else { return };
            out.copy_from_slice(&cast::<__m128, [f32; 4]>(sum));
        }
    }
}

#[target_feature(enable = "avx2")]
pub(crate) fn rows_float<T: Float>(rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
    portable::rows_float(rows, weights, out);
}
