//! Mask kernels for AVX2.

use std::arch::x86_64::*;

use bytemuck::cast;

use super::counts::RunSums;
use super::ops::WINDOW;

/// Adds up the runs of a mask: where each ends.
#[target_feature(enable = "avx2,popcnt")]
pub(crate) fn add_up(runs: &[u32], ends: &mut [u32], sums: &mut RunSums) {
    let (none, low_halves) = (_mm256_setzero_si256(), _mm256_set1_epi64x(0xffff_ffff));
    let last = _mm256_set1_epi32(7);
    let (mut end, mut total, mut empty) = (none, none, none);
    // The first run may be zero.
    let mut ignored: __m256i = cast([u32::MAX, 0, 0, 0, 0, 0, 0, 0]);
    // Eight runs a..h and the sums that come of them, lane by lane:
    //   values  a      b      c      d       | e      f      g      h
    //   pairs   a      a+b    b+c    c+d     | e      e+f    f+g    g+h
    //   fours   a      a+b    a..c   a..d    | e      e+f    e..g   e..h
    //   first   0      0      0      0       | a..d   a..d   a..d   a..d
    //   ends    fours + first + the end of the eight runs before
    let mut eight = |values: [u32; 8], counted: __m256i| {
        let values: __m256i = cast(values);
        let halves = [_mm256_and_si256(values, low_halves), _mm256_srli_epi64::<32>(values)];
        total = _mm256_add_epi64(total, _mm256_add_epi64(halves[0], halves[1]));
        let zero = _mm256_cmpeq_epi32(values, none);
        empty = _mm256_or_si256(empty, _mm256_andnot_si256(ignored, _mm256_and_si256(zero, counted)));
        ignored = none;
        let pairs = _mm256_add_epi32(values, _mm256_slli_si256::<4>(values));
        let fours = _mm256_add_epi32(pairs, _mm256_slli_si256::<8>(pairs));
        let first = _mm256_shuffle_epi32::<0xff>(_mm256_permute2x128_si256::<0x08>(fours, fours));
        let ends = _mm256_add_epi32(_mm256_add_epi32(fours, first), end);
        end = _mm256_permutevar8x32_epi32(ends, last);
        cast::<__m256i, [u32; 8]>(ends)
    };
    let ((blocks, rest), (ends, ends_of_rest)) = (runs.as_chunks::<8>(), ends.as_chunks_mut::<8>());
    for (&runs, ends) in blocks.iter().zip(ends) {
        *ends = eight(runs, _mm256_set1_epi32(-1));
    }
    if !rest.is_empty() {
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        let counted = std::array::from_fn(|i| if i < rest.len() { u32::MAX } else { 0 });
        let last = eight(padded, cast::<[u32; 8], __m256i>(counted));
        ends_of_rest.copy_from_slice(&last[..rest.len()]);
    }
    sums.total = cast::<__m256i, [u64; 4]>(total).iter().sum();
    sums.any_empty = _mm256_movemask_epi8(empty) != 0;
}

/// Sets the bits of spans of pixels; bit 0 of the first word is that of pixel `from`.
#[target_feature(enable = "avx2,popcnt")]
pub(crate) fn set_spans(spans: &[[u32; 2]], from: u32, words: &mut [u64]) {
    let all = _mm256_set1_epi32(-1);
    let ends_of_words: __m256i = cast([64_u64, 128, 192, 256]);
    for &[start, end] in spans {
        let mut word = (start - from) as usize / 64;
        let mut head: __m256i = cast([((start - from) % 64) as u64, 0, 0, 0]);
        // Counted from the first bit of the window.
        let mut end = (end - from) as usize - 64 * word;
        while let Some(window) = words[word..].first_chunk_mut::<WINDOW>() {
            // Bits of four words, for a span from bit s of the first to bit e of the third; 64 or more shift all out:
            //   all << head    s..64   0..64   0..64   0..64
            //   all >> tail    0..64   0..64   0..e    none
            //   both           s..64   0..64   0..e    none
            let behind = _mm256_sub_epi32(ends_of_words, cast([end.min(64 * WINDOW) as u64; WINDOW]));
            let tail = _mm256_max_epi32(behind, _mm256_setzero_si256());
            let bits = _mm256_and_si256(_mm256_sllv_epi64(all, head), _mm256_srlv_epi64(all, tail));
            *window = cast(_mm256_or_si256(bits, cast(*window)));
            if end <= 64 * WINDOW {
                break;
            }
            end -= 64 * WINDOW;
            word += WINDOW;
            head = _mm256_setzero_si256();
        }
    }
}
