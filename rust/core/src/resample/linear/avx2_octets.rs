//! Two-tap kernels for AVX2: `uint16` and `float32`, eight values at a time whatever pixels they belong to.

use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_ps, _mm256_and_si256, _mm256_blend_epi32, _mm256_blend_ps,
    _mm256_cvtepi32_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_permutevar8x32_ps, _mm256_set_m128i,
    _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_srli_epi32,
};

use bytemuck::cast;

use super::Float;
use super::avx2::shortest;
use super::avx2_floats::{eight_floats, is_u16, mix, sixteen_bytes};
use super::octets::Octet;
use super::sink::{Place, Sink};

/// Of a half, the values of the second load.
const SECOND: i32 = 0b11_00_11_00;

#[target_feature(enable = "avx2")]
pub(super) fn eight<const N: usize, const NEAR: bool, T: Float, S: Sink<N>>(
    lines: [&[T]; N],
    octets: &[Octet],
    sink: &mut S,
) {
    let length = shortest(&lines);
    if length < 8 {
        return;
    }
    let last = length - 8;
    for (number, octet) in octets.iter().enumerate() {
        let [a, b] = octet.starts.map(|starts| starts.map(|start| (start as usize).min(last)));
        let weights = octet.weights.map(cast::<[[f32; 4]; 2], __m256>);
        let index = octet.index.map(cast::<[u32; 8], __m256i>);
        let mut values = [[0.0; 8]; N];
        for k in 0..N {
            let line = &lines[k][..length];
            if is_u16::<T>() {
                let load = |part: usize| {
                    let at = |start: usize| sixteen_bytes(&line[start.min(last)..]);
                    _mm256_set_m128i(at(b[part]), at(a[part]))
                };
                let [first, second] = if NEAR {
                    let words = load(0);
                    index.map(|index| _mm256_shuffle_epi8(words, index))
                } else {
                    let [taps, others] = [load(0), load(1)].map(|words| _mm256_shuffle_epi8(words, index[0]));
                    let taps = _mm256_blend_epi32::<SECOND>(taps, others);
                    [_mm256_and_si256(taps, _mm256_set1_epi32(0xffff)), _mm256_srli_epi32::<16>(taps)]
                };
                let (first, second) = (_mm256_cvtepi32_ps(first), _mm256_cvtepi32_ps(second));
                values[k] = cast(mix(weights[0], first, weights[1], second));
            } else {
                let products = |half: usize, starts: [usize; 2]| {
                    let load = |at: usize| {
                        _mm256_permutevar8x32_ps(eight_floats(&line[at.min(last)..]), index[half])
                    };
                    let taps = load(starts[0]);
                    let taps = if NEAR { taps } else { _mm256_blend_ps::<SECOND>(taps, load(starts[1])) };
                    _mm256_mul_ps(weights[half], taps)
                };
                // The other half has its second taps first.
                let (a, b) = (products(0, a), products(1, b));
                let first = _mm256_blend_ps::<0b1111_0000>(a, b);
                values[k] = cast(_mm256_add_ps(first, _mm256_permute2f128_ps::<0x21>(a, b)));
            }
        }
        if !sink.put(Place { at: 8 * number, second: 4 }, values) {
            return;
        }
    }
}
