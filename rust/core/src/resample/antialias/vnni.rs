//! Antialiasing kernels of bytes for AVX-512 VNNI: four products of bytes and their sum are one instruction.
//!
//! Three sums stand for one with weights of 22 bits: one for each digit of the weights.

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi32, _mm256_dpbusd_epi32, _mm256_packs_epi32, _mm256_packus_epi16,
    _mm256_permute4x64_epi64, _mm256_set_m128i, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_shuffle_epi32, _mm256_slli_epi32, _mm256_srai_epi32, _mm256_unpackhi_epi8, _mm256_unpackhi_epi16,
    _mm256_unpacklo_epi8, _mm256_unpacklo_epi16,
};
use std::array::from_fn;

use bytemuck::cast;

use super::avx2::{self, window};
use super::bytes::RowWeights;
use super::digits::Digits;
use super::portable::HALF;
use super::{AntialiasByteColumns, GROUP};
use crate::resample::linear::avx2::shortest;
use crate::resample::separable::{MIDDLE_SLACK, Rows};
use crate::resample::taps::BYTE_WEIGHT_BITS;

const SHIFT: i32 = BYTE_WEIGHT_BITS as i32;

#[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
pub(crate) fn columns_u8<const N: usize, const C: usize>(
    lines: [&[u8]; N],
    columns: AntialiasByteColumns<'_>,
    out: [&mut [u8]; N],
) {
    match columns.groups() {
        _ if columns.digits.is_empty() => avx2::columns_u8::<N, C>(lines, columns, out),
        _ if shortest(&lines) < 16 => {}
        1 => fours::<N, C, 1>(lines, columns, out),
        2 => fours::<N, C, 2>(lines, columns, out),
        3 => fours::<N, C, 3>(lines, columns, out),
        _ => fours::<N, C, 0>(lines, columns, out),
    }
}

/// Sums for each digit, the last rounded.
type Sums = [__m256i; 3];

#[inline]
#[target_feature(enable = "avx2")]
fn no_sums() -> Sums {
    [_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_set1_epi32(HALF)]
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
fn add_products(sums: &mut Sums, taps: __m256i, digits: [__m256i; 3]) {
    for (sum, digits) in sums.iter_mut().zip(digits) {
        *sum = _mm256_dpbusd_epi32(*sum, taps, digits);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn levels([high, middle, low]: Sums) -> __m256i {
    let sum = _mm256_add_epi32(_mm256_slli_epi32::<8>(high), middle);
    _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(_mm256_slli_epi32::<8>(sum), low))
}

/// Three or four channels: four pixels at a time, the first two and the last two side by side.
#[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
fn fours<const N: usize, const C: usize, const GROUPS: usize>(
    lines: [&[u8]; N],
    columns: AntialiasByteColumns<'_>,
    mut out: [&mut [u8]; N],
) {
    let last = shortest(&lines) - 16;
    // The taps of a channel side by side, and after all pixels their channels without gaps.
    let (mut tap, mut channel) = ([-1_i8; 16], [-1_i8; 16]);
    for c in 0..C {
        for k in 0..4 {
            tap[4 * c + k] = (k * C + c) as i8;
            channel[k * C + c] = (4 * k + c) as i8;
        }
    }
    let [tap, channel] = [tap, channel].map(|lane| cast::<[[i8; 16]; 2], __m256i>([lane; 2]));
    let groups = if GROUPS == 0 { columns.groups() } else { GROUPS };
    let (starts, _) = columns.start.as_chunks::<4>();
    let pixels = starts.iter().zip(columns.digits.chunks_exact(4 * groups));
    for (number, (starts, digits)) in pixels.enumerate() {
        let mut sums = [[no_sums(); 2]; N];
        for group in 0..groups {
            for half in 0..2 {
                let (a, b) = (half, half + 2);
                let of = |pixel: usize| cast::<_, __m128i>(digits[pixel * groups + group]);
                let digits = _mm256_set_m128i(of(b), of(a));
                let digits = [
                    _mm256_shuffle_epi32::<0b00_00_00_00>(digits),
                    _mm256_shuffle_epi32::<0b01_01_01_01>(digits),
                    _mm256_shuffle_epi32::<0b10_10_10_10>(digits),
                ];
                let at = |pixel: usize| starts[pixel] as usize + group * GROUP * C;
                for (line, sums) in lines.iter().zip(&mut sums) {
                    let bytes = _mm256_set_m128i(window(line, at(b), last), window(line, at(a), last));
                    add_products(&mut sums[half], _mm256_shuffle_epi8(bytes, tap), digits);
                }
            }
        }
        let [first, second] = [0, N - 1].map(|k| _mm256_packs_epi32(levels(sums[k][0]), levels(sums[k][1])));
        // In each half two pixels of one line, then two of the other: those of a line come together.
        let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(first, second));
        let bytes: [[u8; 16]; 2] = cast(_mm256_shuffle_epi8(both, channel));
        for (out, bytes) in out.iter_mut().zip(bytes) {
            // What lies past three channels, the next pixels overwrite.
            let Some(out) = out.get_mut(4 * number * C..4 * number * C + 16) else { return };
            out.copy_from_slice(&bytes);
        }
    }
}

#[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
pub(crate) fn rows_u8(rows: Rows<'_, u8>, weights: RowWeights<'_>, out: &mut [u8]) {
    // Rows that are not there weigh nothing.
    let last = rows.starts.len().saturating_sub(1);
    let length = out.len() + MIDDLE_SLACK;
    let row = |k: usize| rows.get(k.min(last), 0, length);
    if let [digits] = weights.digits {
        // Mostly there are so few that they can be looked up beforehand.
        let [a, b, c, d] = from_fn(row);
        for (number, out) in out.chunks_mut(WIDTH).enumerate() {
            let at = number * WIDTH;
            let mut sums = [no_sums(); 4];
            add_rows(&mut sums, [load(a, at), load(b, at), load(c, at), load(d, at)], digits);
            write(sums.map(|sums| levels(sums)), out);
        }
        return;
    }
    for (number, out) in out.chunks_mut(WIDTH).enumerate() {
        let mut sums = [no_sums(); 4];
        for (group, digits) in weights.digits.iter().enumerate() {
            let rows = from_fn(|k| load(row(GROUP * group + k), WIDTH * number));
            add_rows(&mut sums, rows, digits);
        }
        write(sums.map(|sums| levels(sums)), out);
    }
}

/// Bytes at a time.
const WIDTH: usize = 32;

/// Writes the sums as bytes, as many as there is room for.
#[inline]
#[target_feature(enable = "avx2")]
fn write([a, b, c, d]: [__m256i; 4], out: &mut [u8]) {
    // Packing undoes what unpacking did within each half.
    let bytes: [u8; WIDTH] = cast(_mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)));
    match out.first_chunk_mut() {
        Some(out) => *out = bytes,
        None => out.copy_from_slice(&bytes[..out.len()]),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(row: &[u8], at: usize) -> __m256i {
    let mut bytes = [0_u8; WIDTH];
    bytes.copy_from_slice(&row[at..][..WIDTH]);
    cast(bytes)
}

/// Adds four rows: four bytes of one column are side by side for that.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
fn add_rows(sums: &mut [Sums; 4], [a, b, c, d]: [__m256i; GROUP], digits: &Digits) {
    let digits = digits.map(|digits| _mm256_set1_epi32(cast(digits)));
    let front = [_mm256_unpacklo_epi8(a, b), _mm256_unpacklo_epi8(c, d)];
    let back = [_mm256_unpackhi_epi8(a, b), _mm256_unpackhi_epi8(c, d)];
    let taps = [
        _mm256_unpacklo_epi16(front[0], front[1]),
        _mm256_unpackhi_epi16(front[0], front[1]),
        _mm256_unpacklo_epi16(back[0], back[1]),
        _mm256_unpackhi_epi16(back[0], back[1]),
    ];
    for (sums, taps) in sums.iter_mut().zip(taps) {
        add_products(sums, taps, digits);
    }
}
