//! Mask kernels for AVX2.

use std::arch::x86_64::{
    __m128i, __m256d, __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_add_pd, _mm256_and_si256,
    _mm256_andnot_si256, _mm256_blendv_epi8, _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmpeq_epi32,
    _mm256_cmpgt_epi32, _mm256_cvtepi32_pd, _mm256_cvttpd_epi32, _mm256_max_epi32, _mm256_max_epu32,
    _mm256_min_epi32, _mm256_min_epu32, _mm256_movemask_epi8, _mm256_movemask_pd, _mm256_movemask_ps,
    _mm256_mul_pd, _mm256_mullo_epi32, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_permute4x64_epi64,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_pd, _mm256_setzero_si256,
    _mm256_shuffle_epi32, _mm256_slli_si256, _mm256_sllv_epi64, _mm256_srli_epi64, _mm256_srlv_epi64,
    _mm256_sub_epi32,
};

use bytemuck::cast;

use super::counts::Sums;
use super::lone::{Extent, LANES, Lone, ROOM, Rows};
use super::union::WINDOW;

/// A register has half of the lanes: a start and an end of each.
const HALF: usize = LANES / 2;

/// Draws the next columns that have one span each.
#[target_feature(enable = "avx2,popcnt")]
pub(crate) fn draw_lone<const FLIP: bool, const COPIES: usize>(lone: &mut Lone<'_>) -> Extent {
    let mut lanes = Lanes::<FLIP, COPIES>::new(lone);
    loop {
        let bounds = lanes.bounds(lone);
        let count = lone.alone::<FLIP>(lanes.inside(bounds));
        if count == LANES {
            if !lanes.draw(lone, bounds, LANES) {
                break;
            }
            lone.advance::<FLIP>(LANES);
            continue;
        }
        if count == 0 || !lanes.draw(lone, bounds, count) {
            break;
        }
        // Mostly all of them: a number that is known lets the next columns begin before these are done.
        if count < LANES {
            lone.advance::<FLIP>(count);
            break;
        }
        lone.advance::<FLIP>(LANES);
    }
    lanes.extent()
}

/// What does not change from one block of columns to the next, and the rows reached so far.
struct Lanes<const FLIP: bool, const COPIES: usize> {
    /// The first pixel of each column, counted from that of the first column.
    tops: [__m256i; 2],
    numbers: [__m256i; 2],
    /// Where in its column a bound may be at most.
    limit: __m256i,
    copies: [u32; COPIES],
    low: __m256i,
    high: __m256i,
    /// Pixels drawn, twice.
    area: __m256i,
}

impl<const FLIP: bool, const COPIES: usize> Lanes<FLIP, COPIES> {
    #[target_feature(enable = "avx2,popcnt")]
    fn new(lone: &Lone<'_>) -> Self {
        let step = if FLIP { lone.h.wrapping_neg() } else { lone.h };
        let lanes: [[u32; 2]; LANES] = std::array::from_fn(|lane| [lane as u32; 2]);
        let numbers: [__m256i; 2] = cast(lanes);
        Self {
            tops: numbers.map(|lanes| _mm256_mullo_epi32(lanes, _mm256_set1_epi32(step as i32))),
            numbers,
            limit: _mm256_set1_epi64x((u64::from(lone.h) << 32 | u64::from(lone.h - 1)) as i64),
            copies: std::array::from_fn(|k| k as u32 * lone.canvas_h),
            low: _mm256_set1_epi32(-1),
            high: _mm256_setzero_si256(),
            area: _mm256_setzero_si256(),
        }
    }

    /// Where in their columns the next spans are, if each column has one of them.
    #[target_feature(enable = "avx2,popcnt")]
    fn bounds(&self, lone: &Lone<'_>) -> [__m256i; 2] {
        let mut block: [__m256i; 2] = lone.block::<FLIP, _>();
        if FLIP {
            block = [block[1], block[0]].map(|block| _mm256_permute4x64_epi64::<0b0001_1011>(block));
        }
        let top = _mm256_set1_epi32(lone.top as i32);
        [0, 1].map(|i| _mm256_sub_epi32(block[i], _mm256_add_epi32(top, self.tops[i])))
    }

    /// How many of them are.
    #[target_feature(enable = "avx2,popcnt")]
    fn inside(&self, bounds: [__m256i; 2]) -> usize {
        let inside = bounds.map(|bounds| {
            let inside = _mm256_cmpeq_epi32(bounds, _mm256_min_epu32(bounds, self.limit));
            _mm256_movemask_ps(_mm256_castsi256_ps(inside)) as u32
        });
        (inside[0] | inside[1] << LANES).trailing_ones() as usize / 2
    }

    /// Draws the first `count` of them, if there is room.
    #[target_feature(enable = "avx2,popcnt")]
    #[inline]
    fn draw(&mut self, lone: &mut Lone<'_>, bounds: [__m256i; 2], count: usize) -> bool {
        let columns = lone.columns[lone.x..].first_chunk::<LANES>();
        let room = lone.output[lone.length..].first_chunk_mut::<ROOM>();
        let (Some(columns), Some(room)) = (columns, room) else { return false };
        let columns: [__m256i; 2] = cast(*columns);
        let count = _mm256_set1_epi32(count as i32);
        let mut used = 0;
        for i in [0, 1] {
            let rows = rows_at(bounds[i], &lone.rows);
            let [starts, ends] =
                [_mm256_shuffle_epi32::<0b1010_0000>(rows), _mm256_shuffle_epi32::<0b1111_0101>(rows)];
            let [tops, times] = [
                _mm256_shuffle_epi32::<0b1010_0000>(columns[i]),
                _mm256_shuffle_epi32::<0b1111_0101>(columns[i]),
            ];
            // What is drawn has a row, a column, and is one of those counted.
            let heights = _mm256_sub_epi32(ends, starts);
            let least = _mm256_min_epi32(heights, times);
            let least = _mm256_min_epi32(least, _mm256_sub_epi32(count, self.numbers[i]));
            let drawn = _mm256_cmpgt_epi32(least, _mm256_setzero_si256());
            self.low = _mm256_blendv_epi8(self.low, _mm256_min_epu32(self.low, rows), drawn);
            self.high = _mm256_max_epu32(self.high, _mm256_and_si256(rows, drawn));
            let spans = _mm256_add_epi32(rows, tops);
            let times = _mm256_and_si256(times, drawn);
            if COPIES == 1 {
                self.area = _mm256_add_epi32(self.area, _mm256_and_si256(heights, drawn));
                let drawn = _mm256_movemask_pd(_mm256_castsi256_pd(drawn)) as usize;
                let packed = _mm256_permutevar8x32_epi32(spans, cast(PACKED[drawn]));
                room[used & 31..][..HALF].copy_from_slice(&cast::<__m256i, [[u32; 2]; HALF]>(packed));
                used += drawn.count_ones() as usize;
            } else {
                let spans: [[u32; 2]; HALF] = cast(spans);
                self.area = _mm256_add_epi32(self.area, _mm256_mullo_epi32(heights, times));
                let times: [[u32; 2]; HALF] = cast(times);
                for (span, times) in spans.into_iter().zip(times) {
                    let copied = self.copies.map(|copy| span.map(|bound| bound.wrapping_add(copy)));
                    room[used & 31..][..COPIES].copy_from_slice(&copied);
                    used += times[0] as usize;
                }
            }
        }
        lone.length += used;
        true
    }

    /// What was drawn.
    #[target_feature(enable = "avx2,popcnt")]
    fn extent(&self) -> Extent {
        let [low, high, area]: [[[u32; 2]; HALF]; 3] = cast([self.low, self.high, self.area]);
        Extent {
            low: low.iter().fold(u32::MAX, |low, &[start, _]| low.min(start)),
            high: high.iter().fold(0, |high, &[_, end]| high.max(end)),
            area: area.iter().fold(0, |area, &[part, _]| area.wrapping_add(part)),
        }
    }
}

/// Where input rows begin on the canvas.
#[target_feature(enable = "avx2,popcnt")]
fn rows_at(rows: __m256i, axis: &Rows) -> __m256i {
    let rows: [__m128i; 2] = cast(rows);
    let positions = rows.map(|rows| {
        let (factor, shift): (__m256d, __m256d) = (_mm256_set1_pd(axis.factor), _mm256_set1_pd(axis.shift));
        _mm256_cvttpd_epi32(_mm256_add_pd(_mm256_mul_pd(_mm256_cvtepi32_pd(rows), factor), shift))
    });
    let positions = _mm256_add_epi32(cast(positions), _mm256_set1_epi32(axis.offset));
    let [start, end] = axis.landing.map(|row| _mm256_set1_epi32(row));
    _mm256_min_epi32(_mm256_max_epi32(positions, start), end)
}

/// For each choice of spans of a register, these side by side.
const PACKED: [[u32; 8]; 16] = {
    let mut packed = [[0; 8]; 16];
    let mut choice = 0;
    while choice < 16 {
        let (mut span, mut at) = (0, 0);
        while span < HALF {
            if choice >> span & 1 == 1 {
                packed[choice][at] = 2 * span as u32;
                packed[choice][at + 1] = 2 * span as u32 + 1;
                at += 2;
            }
            span += 1;
        }
        choice += 1;
    }
    packed
};

/// Adds up the runs of a mask: where each ends.
#[target_feature(enable = "avx2,popcnt")]
pub(crate) fn add_up(runs: &[u32], ends: &mut [u32], sums: &mut Sums) {
    let (none, low_halves) = (_mm256_setzero_si256(), _mm256_set1_epi64x(0xffff_ffff));
    let last = _mm256_set1_epi32(7);
    let (mut end, mut total, mut empty) = (none, none, none);
    // The first run may be zero.
    let mut ignored: __m256i = cast([u32::MAX, 0, 0, 0, 0, 0, 0, 0]);
    let mut eight = |values: [u32; 8], counted: __m256i| {
        let values: __m256i = cast(values);
        let halves = [_mm256_and_si256(values, low_halves), _mm256_srli_epi64::<32>(values)];
        total = _mm256_add_epi64(total, _mm256_add_epi64(halves[0], halves[1]));
        let zero = _mm256_cmpeq_epi32(values, none);
        empty = _mm256_or_si256(empty, _mm256_andnot_si256(ignored, _mm256_and_si256(zero, counted)));
        ignored = none;
        // Added up within each half of the register, then the first half to the second.
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
            // A shift by 64 or more leaves nothing.
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
