//! Mask kernels for AVX-512.

use std::arch::x86_64::{
    __m256i, __m512d, __m512i, _mm512_add_epi32, _mm512_add_pd, _mm512_and_si512, _mm512_cmpgt_epu64_mask,
    _mm512_cmple_epu32_mask, _mm512_cvtepi32_pd, _mm512_cvttpd_epi32, _mm512_mask_add_epi64,
    _mm512_mask_cmpgt_epu64_mask, _mm512_mask_max_epu64, _mm512_mask_min_epu64, _mm512_mask_test_epi64_mask,
    _mm512_maskz_compress_epi64, _mm512_maskz_mov_epi64, _mm512_max_epi32, _mm512_min_epi32,
    _mm512_mul_epu32, _mm512_mul_pd, _mm512_mullo_epi32, _mm512_permutexvar_epi64, _mm512_reduce_add_epi64,
    _mm512_reduce_max_epu64, _mm512_reduce_min_epu64, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_set1_pd,
    _mm512_setzero_si512, _mm512_shuffle_epi32, _mm512_srli_epi64, _mm512_sub_epi32, _mm512_sub_epi64,
};

use bytemuck::cast;

use super::lone::{Extent, LANES, Lone, Rows};

/// Draws the next columns that have one span each.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
pub(crate) fn draw_lone<const FLIP: bool, const COPIES: usize>(lone: &mut Lone<'_>) -> Extent {
    let mut lanes = Lanes::<FLIP, COPIES>::new(lone);
    loop {
        let bounds = lanes.bounds(lone);
        let inside = _mm512_cmple_epu32_mask(bounds, lanes.limit).trailing_ones() as usize / 2;
        let count = lone.alone::<FLIP>(inside);
        // Two calls: a number that is known lets the next columns begin before these are done.
        if count == LANES {
            if !lanes.draw(lone, bounds, LANES) {
                break;
            }
            lone.advance::<FLIP>(LANES);
            continue;
        }
        if count > 0 && lanes.draw(lone, bounds, count) {
            lone.advance::<FLIP>(count);
        }
        break;
    }
    lanes.extent()
}

/// What does not change from one block of columns to the next, and what was drawn so far.
struct Lanes<const FLIP: bool, const COPIES: usize> {
    /// The first pixel of each column, counted from that of the first column; twice.
    tops: __m512i,
    /// Where in its column a start and an end may be at most.
    limit: __m512i,
    /// Of what is written: from which span, and its number among the copies of that; and how far that moves it.
    origins: [__m512i; COPIES],
    numbers: __m512i,
    moves: __m512i,
    low: __m512i,
    high: __m512i,
    area: __m512i,
}

impl<const FLIP: bool, const COPIES: usize> Lanes<FLIP, COPIES> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn new(lone: &Lone<'_>) -> Self {
        let lanes: [u64; LANES] = std::array::from_fn(|lane| lane as u64);
        let twice = |numbers: [u64; LANES]| cast::<_, __m512i>(numbers.map(|number| number << 32 | number));
        let copies = lanes.map(|lane| lane % COPIES as u64);
        let step = if FLIP { lone.h.wrapping_neg() } else { lone.h };
        Self {
            tops: _mm512_mullo_epi32(twice(lanes), _mm512_set1_epi32(step as i32)),
            limit: _mm512_set1_epi64((u64::from(lone.h) << 32 | u64::from(lone.h - 1)) as i64),
            origins: std::array::from_fn(|part| {
                cast(lanes.map(|lane| ((part * LANES) as u64 + lane) / COPIES as u64))
            }),
            numbers: cast(copies),
            moves: _mm512_mullo_epi32(twice(copies), _mm512_set1_epi32(lone.canvas_h as i32)),
            low: _mm512_set1_epi64(-1),
            high: _mm512_setzero_si512(),
            area: _mm512_setzero_si512(),
        }
    }

    /// Where in their columns the next spans are, if each column has one of them.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn bounds(&self, lone: &Lone<'_>) -> __m512i {
        let mut block: __m512i = lone.block::<FLIP, _>();
        if FLIP {
            block = _mm512_permutexvar_epi64(cast([7_u64, 6, 5, 4, 3, 2, 1, 0]), block);
        }
        let top = _mm512_set1_epi32(lone.top as i32);
        _mm512_sub_epi32(block, _mm512_add_epi32(top, self.tops))
    }

    /// Draws the first `count` of them, if there is room.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    #[inline]
    fn draw(&mut self, lone: &mut Lone<'_>, bounds: __m512i, count: usize) -> bool {
        let columns = lone.columns[lone.x..].first_chunk::<LANES>();
        let room = lone.output[lone.length..].first_chunk_mut();
        let (Some(columns), Some(room)) = (columns, room) else { return false };
        let room: &mut [[u32; 2]; super::lone::ROOM] = room;
        let columns: __m512i = cast(*columns);
        let rows = rows_at(bounds, &lone.rows);
        let starts = _mm512_and_si512(rows, _mm512_set1_epi64(0xffff_ffff));
        let ends = _mm512_srli_epi64::<32>(rows);
        let times = _mm512_srli_epi64::<32>(columns);
        // What is drawn is one of those counted, and has a row and a column.
        let counted = ((1_u32 << count) - 1) as u8;
        let drawn = _mm512_mask_cmpgt_epu64_mask(counted, ends, starts);
        let drawn = _mm512_mask_test_epi64_mask(drawn, times, times);
        self.low = _mm512_mask_min_epu64(self.low, drawn, self.low, starts);
        self.high = _mm512_mask_max_epu64(self.high, drawn, self.high, ends);
        let areas = _mm512_mul_epu32(_mm512_sub_epi64(ends, starts), times);
        self.area = _mm512_mask_add_epi64(self.area, drawn, self.area, areas);
        let spans = _mm512_add_epi32(rows, _mm512_shuffle_epi32::<0b1010_0000>(columns));
        let mut used = 0;
        if COPIES == 1 {
            let packed: [[u32; 2]; LANES] = cast(_mm512_maskz_compress_epi64(drawn, spans));
            room[..LANES].copy_from_slice(&packed);
            used = drawn.count_ones() as usize;
        } else {
            let times = _mm512_maskz_mov_epi64(drawn, times);
            for origins in self.origins {
                let copies = _mm512_add_epi32(_mm512_permutexvar_epi64(origins, spans), self.moves);
                let kept = _mm512_cmpgt_epu64_mask(_mm512_permutexvar_epi64(origins, times), self.numbers);
                let packed: [[u32; 2]; LANES] = cast(_mm512_maskz_compress_epi64(kept, copies));
                room[used & 31..][..LANES].copy_from_slice(&packed);
                used += kept.count_ones() as usize;
            }
        }
        lone.length += used;
        true
    }

    /// What was drawn.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    fn extent(&self) -> Extent {
        Extent {
            low: _mm512_reduce_min_epu64(self.low) as u32,
            high: _mm512_reduce_max_epu64(self.high) as u32,
            area: _mm512_reduce_add_epi64(self.area) as u32,
        }
    }
}

/// Where input rows begin on the canvas.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
fn rows_at(rows: __m512i, axis: &Rows) -> __m512i {
    let halves: [__m256i; 2] = cast(rows);
    let positions: [__m256i; 2] = halves.map(|rows| {
        let (factor, shift): (__m512d, __m512d) = (_mm512_set1_pd(axis.factor), _mm512_set1_pd(axis.shift));
        _mm512_cvttpd_epi32(_mm512_add_pd(_mm512_mul_pd(_mm512_cvtepi32_pd(rows), factor), shift))
    });
    let positions = _mm512_add_epi32(cast(positions), _mm512_set1_epi32(axis.offset));
    let [start, end] = axis.landing.map(|row| _mm512_set1_epi32(row));
    _mm512_min_epi32(_mm512_max_epi32(positions, start), end)
}
