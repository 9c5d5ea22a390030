//! Compositing kernels for AVX2.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set1_epi8, _mm256_add_epi32, _mm256_madd_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_unpackhi_epi16, _mm256_unpacklo_epi16,
};

use bytemuck::cast;

use super::kinds::Kinds;
use super::portable::{WIDTH, level};
use crate::resample::separable::Rows;

#[target_feature(enable = "avx2")]
pub(crate) fn blur(rows: Rows<'_, i16>, weights: &[i16], out: &mut [u8; WIDTH], kinds: &mut Kinds) {
    let load = |k: usize| {
        let mut values = [0; WIDTH];
        values.copy_from_slice(rows.get(k, 0, WIDTH));
        cast::<[i16; WIDTH], __m256i>(values)
    };
    let mut low = _mm256_setzero_si256();
    let mut high = low;
    for (pair, weights) in weights.chunks(2).enumerate() {
        // A row without a partner is taken twice, with no weight the second time.
        let (weights, next) = match *weights {
            [first, second, ..] => ([first, second], 2 * pair + 1),
            [first] => ([first, 0], 2 * pair),
            [] => continue,
        };
        let weights = _mm256_set1_epi32(cast(weights));
        let (a, b) = (load(2 * pair), load(next));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), weights));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), weights));
    }
    // Unpacking works within halves: values 0 to 3 and 8 to 11 are in `low`.
    let [a, c]: [[u32; 4]; 2] = cast(low);
    let [b, d]: [[u32; 4]; 2] = cast(high);
    *out = cast([a, b, c, d].map(|sums| sums.map(level)));
    let values: __m128i = cast(*out);
    let are = |value: i8| _mm_movemask_epi8(_mm_cmpeq_epi8(values, _mm_set1_epi8(value))) as u16;
    let (all, none) = (are(-1), are(0));
    *kinds = Kinds { opaque: all, partial: !(all | none) };
}
