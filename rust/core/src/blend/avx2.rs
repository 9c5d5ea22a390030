//! Kernels of blurring and mixing for AVX2. Lanes are drawn from the lowest address on; `|` parts the two 128-bit
//! halves of a register, which unpacking and packing never cross.

use std::arch::x86_64::*;

use bytemuck::cast;

use super::mix::BlendBytes;
use super::opacity_bits::OpacityBits;
use super::portable::WIDTH;

/// Blurs a block down its columns, as [`super::portable::blur`] does, two rows at a time.
///
/// ```text
/// a, b           two rows of 16 x i16   a0 a1 ... a7          | a8 ... a15
/// unpacklo       i16 pairs              a0 b0 a1 b1 ... a3 b3 | a8 b8 ... a11 b11
/// unpackhi       i16 pairs              a4 b4 a5 b5 ... a7 b7 | a12 b12 ... a15 b15
/// weights        i16 pairs              wa wb wa wb ... wa wb | wa wb ... wa wb
/// low  += madd   8 x i32                s0  s1  s2  s3        | s8  s9  s10 s11
/// high += madd   8 x i32                s4  s5  s6  s7        | s12 s13 s14 s15
///                after the last pair of rows each sum becomes its level, 0 to 255
/// packus_epi32   16 x u16               s0 s1 s2 ... s7       | s8 s9 ... s15
/// packus_epi16   16 x u8                s0 s1 s2 ... s15, of the two halves
/// ```
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
    let [first, second]: [__m128i; 2] = cast(_mm256_packus_epi32(level(low), level(high)));
    let values = _mm_packus_epi16(first, second);
    *out = cast(values);
    let equal_to = |alpha: i8| _mm_movemask_epi8(_mm_cmpeq_epi8(values, _mm_set1_epi8(alpha))) as u16;
    let (opaque, clear) = (equal_to(-1), equal_to(0));
    *bits = OpacityBits { opaque, partial: !(opaque | clear) };
}

/// Number of bytes of a register.
const BYTES: usize = 32;

/// Mixes the first pixels of a row, as many at a time as fit into a register, and counts them in `done`.
///
/// With three channels, 10 pixels at a time; `p` is a byte of a pixel, `w` a weight:
///
/// ```text
/// source, target   32 x u8    p0 p0 p0 p1 p1 p1 ... p4 p4 p4 p5 | p5 p5 p6 ... p9 p9 p9  p10 p10
/// broadcast        32 x u8    w0 w1 w2 ... w15                  | w0 w1 w2 ... w15
/// shuffle          32 x u8    w0 w0 w0 w1 w1 w1 ... w4 w4 w4 w5 | w5 w5 w6 ... w9 w9 w9  w10 w10
/// unpacklo         16 x u16   bytes 0 to 7, a zero above each   | bytes 16 to 23
/// unpackhi         16 x u16   bytes 8 to 15, a zero above each  | bytes 24 to 31
///                  mixed in 16 bits: source * w + target * (255 - w), over 255
/// packus           32 x u8    bytes 0 to 15                     | bytes 16 to 31
/// blendv           32 x u8    mixed up to byte 29, then the source as it was
/// ```
///
/// With one channel the weights need no shuffle; with four, eight pixels fill the register.
#[target_feature(enable = "avx2")]
pub(crate) fn blend<const C: usize>(row: &mut BlendBytes<'_>, done: &mut usize) {
    let pixels_at_once = BYTES / C;
    let byte_numbers: __m256i = cast(std::array::from_fn::<u8, BYTES, _>(|i| i as u8));
    // Modulo 16, since each half of the register has the weights of the first 16 pixels.
    let pixel_of_byte: __m256i = cast(std::array::from_fn::<u8, BYTES, _>(|i| (i / C % 16) as u8));
    let (zeros, ones) = (_mm256_setzero_si256(), _mm256_set1_epi8(-1));
    while *done < row.pixels {
        let start = *done * C;
        let target = row.target[start..].first_chunk::<BYTES>();
        let source = row.source[start..].first_chunk_mut::<BYTES>();
        let (Some(target), Some(source)) = (target, source) else { break };
        let weights: __m256i = if C == 1 {
            let Some(weights) = row.alpha[*done..].first_chunk::<BYTES>() else { break };
            cast(*weights)
        } else {
            let Some(weights) = row.alpha[*done..].first_chunk::<16>() else { break };
            _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(cast(*weights)), pixel_of_byte)
        };
        let inverse = _mm256_andnot_si256(weights, ones); // 255 - weight
        let (above, below): (__m256i, __m256i) = (cast(*source), cast(*target));
        // `Blend::mixed`, in 16 bits.
        let mix = |above, below, weights, inverse| {
            let sum =
                _mm256_add_epi16(_mm256_mullo_epi16(above, weights), _mm256_mullo_epi16(below, inverse));
            let sum = _mm256_add_epi16(sum, _mm256_set1_epi16(128));
            _mm256_srli_epi16::<8>(_mm256_add_epi16(sum, _mm256_srli_epi16::<8>(sum)))
        };
        let low = |bytes| _mm256_unpacklo_epi8(bytes, zeros);
        let high = |bytes| _mm256_unpackhi_epi8(bytes, zeros);
        let mixed = _mm256_packus_epi16(
            mix(low(above), low(below), low(weights), low(inverse)),
            mix(high(above), high(below), high(weights), high(inverse)),
        );
        let count = (row.pixels - *done).min(pixels_at_once);
        let counted = _mm256_cmpgt_epi8(_mm256_set1_epi8((count * C) as i8), byte_numbers);
        *source = cast(_mm256_blendv_epi8(above, mixed, counted));
        *done += count;
    }
}
