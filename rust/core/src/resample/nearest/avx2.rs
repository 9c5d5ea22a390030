//! Nearest pixels for AVX2, of images with one channel that are enlarged: in a fifth of the time.

use std::arch::x86_64::*;

use bytemuck::{Pod, cast, cast_slice, cast_slice_mut};

use super::portable;

/// Copies the value of each column of the table, which ascends or descends.
#[target_feature(enable = "avx2")]
pub(super) fn pick_values<T: Pod>(row: &[T], table: &[u32], out: &mut [T]) {
    match size_of::<T>() {
        1 => in_blocks::<u8, 16>(cast_slice(row), table, cast_slice_mut(out), |window, columns, start| {
            let [a, b, c, d] = cast::<_, [__m128i; 4]>(*columns).map(|columns| _mm_sub_epi32(columns, start));
            let places = _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
            cast(_mm_shuffle_epi8(cast(*window), places))
        }),
        2 => in_blocks::<u16, 8>(cast_slice(row), table, cast_slice_mut(out), |window, columns, start| {
            let [a, b] = cast::<_, [__m128i; 2]>(*columns).map(|columns| _mm_sub_epi32(columns, start));
            // Both bytes of a value: 2 * place, and the one behind it.
            let places = _mm_mullo_epi16(_mm_packs_epi32(a, b), _mm_set1_epi16(0x0202));
            cast(_mm_shuffle_epi8(cast(*window), _mm_add_epi16(places, _mm_set1_epi16(0x0100))))
        }),
        4 => in_blocks::<u32, 8>(cast_slice(row), table, cast_slice_mut(out), |window, columns, start| {
            let places = _mm256_sub_epi32(cast(*columns), _mm256_broadcastd_epi32(start));
            cast(_mm256_permutevar8x32_epi32(cast(*window), places))
        }),
        _ => portable::pick_values(row, table, out),
    }
}

/// Copies `N` values at a time by `shuffle`, which finds them in a window of the row, given its first column four times;
/// one by one where `N` columns do not cover them.
/// ```text
/// row        a b c d e f g h i j k
/// columns    2 2 3 4 4 5 5 6          window  c d e f g h i j, from column 2 on
/// out        c c d e e f f g
/// ```
#[inline]
#[target_feature(enable = "avx2")]
fn in_blocks<T: Copy, const N: usize>(
    row: &[T],
    table: &[u32],
    out: &mut [T],
    shuffle: impl Fn(&[T; N], &[u32; N], __m128i) -> [T; N],
) {
    let last_window = row.len().saturating_sub(N) as u32;
    let (blocks, rest) = table.as_chunks::<N>();
    let (outs, rest_out) = out.as_chunks_mut::<N>();
    for (out, columns) in outs.iter_mut().zip(blocks) {
        let [first, last] = [columns[0], columns[N - 1]];
        let start = first.min(last).min(last_window);
        match row[start as usize..].first_chunk() {
            Some(window) if first.max(last) - start < N as u32 => {
                *out = shuffle(window, columns, _mm_set1_epi32(start as i32));
            }
            _ => portable::pick_values(row, columns, out),
        }
    }
    portable::pick_values(row, rest, rest_out);
}
