//! Compositing kernels for AVX2.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_packus_epi16, _mm_set1_epi8, _mm256_add_epi16,
    _mm256_add_epi32, _mm256_andnot_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
    _mm256_cmpgt_epi8, _mm256_madd_epi16, _mm256_mullo_epi16, _mm256_packus_epi16, _mm256_packus_epi32,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_slli_epi32, _mm256_srli_epi16, _mm256_srli_epi32, _mm256_sub_epi32, _mm256_unpackhi_epi8,
    _mm256_unpackhi_epi16, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16,
};

use bytemuck::cast;

use super::mix::BlendBytes;
use super::opacity_bits::OpacityBits;
use super::portable::WIDTH;

#[target_feature(enable = "avx2")]
pub(crate) fn blur(rows: &[[i16; WIDTH]], weights: &[i16], out: &mut [u8; WIDTH], bits: &mut OpacityBits) {
    let mut low = _mm256_setzero_si256();
    let mut high = low;
    for (&[a, b], &weights) in rows.as_chunks::<2>().0.iter().zip(weights.as_chunks::<2>().0) {
        let weights = _mm256_set1_epi32(cast(weights));
        let (a, b): (__m256i, __m256i) = (cast(a), cast(b));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), weights));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), weights));
    }
    // `portable::level`: times 255, rounded.
    let level = |sums| {
        let times_255 = _mm256_sub_epi32(_mm256_slli_epi32::<8>(sums), sums);
        _mm256_srli_epi32::<24>(_mm256_add_epi32(times_255, _mm256_set1_epi32(1 << 23)))
    };
    // Unpacking works within halves, and so does packing: values 0 to 3 and 8 to 11 are in `low`.
    let [first, second]: [__m128i; 2] = cast(_mm256_packus_epi32(level(low), level(high)));
    let values = _mm_packus_epi16(first, second);
    *out = cast(values);
    let are = |value: i8| _mm_movemask_epi8(_mm_cmpeq_epi8(values, _mm_set1_epi8(value))) as u16;
    let (all, none) = (are(-1), are(0));
    *bits = OpacityBits { opaque: all, partial: !(all | none) };
}

/// BlendBytes of a register.
const BYTES: usize = 32;

/// Mixes the first pixels of a row, as many at a time as fit into a register; says how many pixels that are.
#[target_feature(enable = "avx2")]
pub(crate) fn blend<const C: usize>(row: &mut BlendBytes<'_>, done: &mut usize) {
    let at_once = BYTES / C;
    let numbers: __m256i = cast(std::array::from_fn::<u8, BYTES, _>(|i| i as u8));
    // For each byte the pixel it is of; all weights are in both halves of a register, or, of one channel, in place.
    let pixels: __m256i = cast(std::array::from_fn::<u8, BYTES, _>(|i| (i / C % 16) as u8));
    let (none, all) = (_mm256_setzero_si256(), _mm256_set1_epi8(-1));
    while *done < row.pixels {
        let at = *done * C;
        let target = row.target[at..].first_chunk::<BYTES>();
        let source = row.source[at..].first_chunk_mut::<BYTES>();
        let (Some(target), Some(source)) = (target, source) else { break };
        let weights: __m256i = if C == 1 {
            let Some(weights) = row.alpha[*done..].first_chunk::<BYTES>() else { break };
            cast(*weights)
        } else {
            let Some(weights) = row.alpha[*done..].first_chunk::<16>() else { break };
            _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(cast(*weights)), pixels)
        };
        let rest = _mm256_andnot_si256(weights, all);
        let (over, under): (__m256i, __m256i) = (cast(*source), cast(*target));
        // `Blend::mixed`, in 16 bits, for each half of the halves.
        let mixed = |over, under, weights, rest| {
            let sum = _mm256_add_epi16(_mm256_mullo_epi16(over, weights), _mm256_mullo_epi16(under, rest));
            let sum = _mm256_add_epi16(sum, _mm256_set1_epi16(128));
            _mm256_srli_epi16::<8>(_mm256_add_epi16(sum, _mm256_srli_epi16::<8>(sum)))
        };
        let low = |bytes| _mm256_unpacklo_epi8(bytes, none);
        let high = |bytes| _mm256_unpackhi_epi8(bytes, none);
        let mixed = _mm256_packus_epi16(
            mixed(low(over), low(under), low(weights), low(rest)),
            mixed(high(over), high(under), high(weights), high(rest)),
        );
        let count = (row.pixels - *done).min(at_once);
        let counted = _mm256_cmpgt_epi8(_mm256_set1_epi8((count * C) as i8), numbers);
        *source = cast(_mm256_blendv_epi8(over, mixed, counted));
        *done += count;
    }
}
