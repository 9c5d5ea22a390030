//! Linear kernels for AVX2: `uint16` and `float32`, eight values at a time whatever pixels they belong to.

use std::arch::x86_64::*;
use std::array::from_fn;
use std::hint::black_box;
use std::ops::Range;

use bytemuck::cast;

use super::avx2_quads;
use super::floats::{FloatLookup, LinearFloatTables};
use super::fused::first_of;
use super::groups::GroupReach;
use super::portable;
use crate::error::Result;
use crate::resample::float::FloatPixel;
use crate::resample::separable::CanvasWindow;
use crate::resample::vectors::{equally_long, rounded_sixteen, shortest, tail};

/// Tables of the horizontal pass over floats.
#[target_feature(enable = "avx2")]
pub(super) fn tables_float<T: FloatPixel>(window: &CanvasWindow) -> Result<LinearFloatTables> {
    portable::tables_float::<T>(window)
}

/// `out = w0 * p0 + w1 * p1`, for each of some lines. The sign of a zero is settled by the vertical pass.
#[target_feature(enable = "avx2")]
pub(super) fn horizontal_float<const N: usize, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    tables: &LinearFloatTables,
    pixels: Range<usize>,
    out: [&mut [f32]; N],
) {
    match tables.lookup {
        FloatLookup::Pixels => return portable::horizontal_float::<N, C, T>(lines, tables, pixels, out),
        FloatLookup::Quads if C == 3 => return avx2_quads::horizontal(lines, &tables.table, pixels, out),
        _ => {}
    }
    let (out, count) = equally_long(out.map(|out| out.as_chunks_mut::<8>().0));
    each_group::<N, C, T>(lines, tables, pixels, |number, values| {
        if number < count {
            for k in 0..N {
                out[k][number] = cast(values[k]);
            }
        }
    });
}

/// Fused passes: `N` lines after the horizontal pass are mixed into `M` output rows, as `STEPS` say; see
/// [`first_of`].
#[target_feature(enable = "avx2")]
pub(super) fn fused_float<const N: usize, const M: usize, const STEPS: u32, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    tables: &LinearFloatTables,
    pixels: Range<usize>,
    weights: [[f32; 2]; M],
    out: [&mut [[T; 8]]; M],
) {
    let weights = weights.map(|weights| weights.map(|weight| _mm256_set1_ps(weight)));
    if C == 3 && matches!(tables.lookup, FloatLookup::Quads) {
        return avx2_quads::fused::<N, M, STEPS, T>(lines, &tables.table, pixels, weights, out);
    }
    // One check does for all rows where they shrink. Enlarging waits for memory: checks of each row, which keep the stores
    // apart, make it faster by 3%.
    let shrinks = N > M;
    let (mut out, count) = if shrinks { equally_long(out) } else { (out, usize::MAX) };
    each_group::<N, C, T>(lines, tables, pixels, |number, values| {
        if number >= count {
            return;
        }
        let sum = |k: usize| {
            let first = first_of(STEPS, k);
            let [w0, w1] = weights[k];
            from_zero::<T>(mix(w0, values[first], w1, values[first + 1]))
        };
        // Two rows are packed at once.
        for k in (0..M).step_by(2) {
            let rows: [[T; 8]; 2] = cast(rounded_sixteen::<T>([sum(k), sum((k + 1).min(M - 1))]));
            for (out, values) in out[k..].iter_mut().zip(rows) {
                if let Some(out) = out.get_mut(number) {
                    *out = values;
                }
            }
        }
    });
}

/// Hands eight values at a time of each line, after the horizontal pass, to `put`.
#[inline]
#[target_feature(enable = "avx2")]
fn each_group<const N: usize, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    LinearFloatTables { table, lookup }: &LinearFloatTables,
    pixels: Range<usize>,
    put: impl FnMut(usize, [__m256; N]),
) {
    match lookup {
        FloatLookup::Pixels | FloatLookup::Quads => {}
        FloatLookup::PixelPairs => {
            let starts = table.start[pixels.clone()].as_chunks::<2>().0;
            let weights = table.weights[pixels].as_chunks::<2>().0;
            let (words, order) = pair_index::<T>();
            let groups = starts.iter().zip(weights).map(|(&[a, b], &weights)| {
                let weights: __m256 = cast([weights; 2]);
                let [low, high] = order;
                let weights =
                    [_mm256_permutevar8x32_ps(weights, low), _mm256_permutevar8x32_ps(weights, high)];
                ([[a; 2], [b; 2]], words, weights)
            });
            each::<N, C, ONE_LOAD, T>(lines, groups, put);
        }
        FloatLookup::Groups(groups) => {
            let (groups, reach) = groups.part(pixels.start * table.channels..pixels.end * table.channels);
            let groups = groups.iter().map(|group| {
                let index = group.index.map(cast::<[u32; 8], __m256i>);
                (group.starts, index, group.weights.map(cast::<[f32; 8], __m256>))
            });
            match reach {
                GroupReach::Group => each::<N, C, GROUP, T>(lines, groups, put),
                GroupReach::OneLoad => each::<N, C, ONE_LOAD, T>(lines, groups, put),
                GroupReach::Near => each::<N, C, NEAR, T>(lines, groups, put),
                GroupReach::Far => each::<N, C, FAR, T>(lines, groups, put),
            }
        }
    }
}

const GROUP: u8 = GroupReach::Group as u8;
const ONE_LOAD: u8 = GroupReach::OneLoad as u8;
const NEAR: u8 = GroupReach::Near as u8;
const FAR: u8 = GroupReach::Far as u8;

/// Index of a group of two pixels of four channels, and the order of its weights from those of both pixels.
#[inline]
#[target_feature(enable = "avx2")]
fn pair_index<T: FloatPixel>() -> ([__m256i; 2], [__m256i; 2]) {
    let words = [0, 8].map(|tap| {
        let lane: [[i8; 4]; 4] = from_fn(|c| [tap + 2 * c as i8, tap + 2 * c as i8 + 1, -1, -1]);
        cast::<[[[i8; 4]; 4]; 2], __m256i>([lane; 2])
    });
    let order = if T::IS_U16 { [[0, 2], [1, 3]] } else { [[0, 1], [2, 3]] };
    // Known permutations the compiler turns into more instructions.
    (words, black_box(order.map(|[low, high]| cast::<[[i32; 4]; 2], __m256i>([[low; 4], [high; 4]]))))
}

/// Hands eight values at a time to `put`, with the loads, index and weights of each group as [`FloatGroup`] has them:
/// ```text
/// float32, one load   a: first taps 0 1 2 3, second taps 0 1 2 3   b: of 4 5 6 7   (each loaded, then permuted)
///          far        the same, each blended from two loads
///          sum        a0 a1 a2 a3 | b4 b5 b6 b7   +   a0 a1 a2 a3 | b4 b5 b6 b7    (first taps plus second ones)
///          group      first taps 0 ... 7, and second taps from a load a pixel further on   (loaded, then permuted)
///          near       the same, each of two loads: 0 ... 3 from one, 4 ... 7 from the other
/// uint16,  one load   words of half a || words of half b -> first taps 0 ... 7, second taps 0 ... 7   (shuffled)
///          near       the same, the second ones from a load a pixel further on
///          far        first and second taps 0 ... 7 in 16 bits of 32, from two loads, then taken apart
/// ```
///
/// [`FloatGroup`]: super::groups::FloatGroup
#[inline]
#[target_feature(enable = "avx2")]
fn each<const N: usize, const C: usize, const REACH: u8, T: FloatPixel>(
    lines: [&[T]; N],
    groups: impl Iterator<Item = ([[u32; 2]; 2], [__m256i; 2], [__m256; 2])>,
    mut put: impl FnMut(usize, [__m256; N]),
) {
    let length = shortest(&lines);
    let further = if matches!(REACH, GROUP | NEAR) { C } else { 0 };
    let Some(last) = length.checked_sub(8 + further) else { return };
    for (number, (starts, index, weights)) in groups.enumerate() {
        let [[a, a1], [b, b1]] = starts.map(|starts| starts.map(|start| start as usize));
        // No start is past the last: said here, the compiler need not check where they are used.
        if a.max(b) > last || (REACH == FAR && a1.max(b1) > last) {
            return;
        }
        let mut values = [_mm256_setzero_ps(); N];
        for k in 0..N {
            let line = &lines[k][..length];
            values[k] = if T::IS_U16 {
                let load = |a: usize, b: usize, further: usize, index: __m256i| {
                    let at = |start: usize| eight_words(&line[start + further..]);
                    _mm256_shuffle_epi8(_mm256_set_m128i(at(b), at(a)), index)
                };
                let [first, second] = match REACH {
                    ONE_LOAD => [load(a, b, 0, index[0]), load(a, b, 0, index[1])],
                    NEAR => [load(a, b, 0, index[0]), load(a, b, further, index[0])],
                    _ => {
                        let taps = _mm256_or_si256(load(a, b, 0, index[0]), load(a1, b1, 0, index[1]));
                        [_mm256_and_si256(taps, _mm256_set1_epi32(0xffff)), _mm256_srli_epi32::<16>(taps)]
                    }
                };
                mix(weights[0], _mm256_cvtepi32_ps(first), weights[1], _mm256_cvtepi32_ps(second))
            } else {
                let load = |start: usize, index: __m256i| {
                    let floats = eight_floats(&line[start..]);
                    // Pixels of four channels lie in order.
                    if C == 4 { floats } else { _mm256_permutevar8x32_ps(floats, index) }
                };
                let either = |a: usize, b: usize, index: __m256i| {
                    _mm256_blendv_ps(load(a, index), load(b, index), cast(index))
                };
                let both = |further: usize| {
                    let [a, b] = [a, b].map(|start| load(start + further, index[0]));
                    _mm256_blend_ps::<0b1111_0000>(a, b)
                };
                match REACH {
                    GROUP => mix(weights[0], load(a, index[0]), weights[1], load(a + further, index[0])),
                    ONE_LOAD => halves(weights, [load(a, index[0]), load(b, index[1])]),
                    NEAR => mix(weights[0], both(0), weights[1], both(further)),
                    _ => halves(weights, [either(a, a1, index[0]), either(b, b1, index[1])]),
                }
            };
        }
        put(number, values);
    }
}

/// First eight values, which have 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn eight_words<T: FloatPixel>(values: &[T]) -> __m128i {
    let mut eight = [T::default(); 8];
    eight.copy_from_slice(&values[..8]);
    cast(eight)
}

/// First eight values, which are float32.
#[inline]
#[target_feature(enable = "avx2")]
fn eight_floats<T: FloatPixel>(values: &[T]) -> __m256 {
    let mut eight = [T::default(); 8];
    eight.copy_from_slice(&values[..8]);
    cast(eight)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn mix(w0: __m256, p0: __m256, w1: __m256, p1: __m256) -> __m256 {
    _mm256_add_ps(_mm256_mul_ps(w0, p0), _mm256_mul_ps(w1, p1))
}

/// Sum of the weighted halves of `a`, and of those of `b`.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(weights: [__m256; 2], [a, b]: [__m256; 2]) -> __m256 {
    let (a, b) = (_mm256_mul_ps(weights[0], a), _mm256_mul_ps(weights[1], b));
    // Of the ways to bring the halves together this one has the fewest instructions that only one port takes.
    _mm256_add_ps(_mm256_blend_ps::<0b1111_0000>(a, b), _mm256_permute2f128_ps::<0x21>(a, b))
}

/// Sums from +0.0 on: a zero is +0.0, which does not matter to integers.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn from_zero<T: FloatPixel>(sums: __m256) -> __m256 {
    if T::IS_U16 { sums } else { _mm256_add_ps(_mm256_setzero_ps(), sums) }
}

/// `out = w0 * h0 + w1 * h1`, summed from +0.0, sixteen values at a time.
#[target_feature(enable = "avx2")]
pub(super) fn vertical_float<T: FloatPixel>(rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
    const WIDTH: usize = 16;
    let (w0, w1) = (_mm256_set1_ps(weights[0]), _mm256_set1_ps(weights[1]));
    let sum = |h0: [f32; 8], h1: [f32; 8]| from_zero::<T>(mix(w0, cast(h0), w1, cast(h1)));
    let block = |h0: &[f32; WIDTH], h1: &[f32; WIDTH]| -> [T; WIDTH] {
        let ([a0, b0], [a1, b1]): ([[f32; 8]; 2], [[f32; 8]; 2]) = (cast(*h0), cast(*h1));
        rounded_sixteen([sum(a0, a1), sum(b0, b1)])
    };
    // From where no vector that is stored reaches into two lines of the cache; what is before is computed twice.
    let at = out.as_ptr().align_offset(32);
    let (mut rows, mut out) = (rows, out);
    if at < out.len()
        && let (Some(first), Some(h0), Some(h1)) =
            (out.first_chunk_mut(), rows[0].first_chunk(), rows[1].first_chunk())
    {
        *first = block(h0, h1);
        rows = [&rows[0][at..], &rows[1][at..]];
        out = &mut out[at..];
    }
    // Not `map`, which is not inlined here.
    let (blocks0, blocks1) = (rows[0].as_chunks::<WIDTH>().0, rows[1].as_chunks::<WIDTH>().0);
    let (blocks, _) = out.as_chunks_mut::<WIDTH>();
    for ((out, h0), h1) in blocks.iter_mut().zip(blocks0).zip(blocks1) {
        *out = block(h0, h1);
    }
    tail(out, |at| match (rows[0][at..].first_chunk(), rows[1][at..].first_chunk()) {
        (Some(h0), Some(h1)) => block(h0, h1),
        _ => [T::default(); WIDTH],
    });
}
