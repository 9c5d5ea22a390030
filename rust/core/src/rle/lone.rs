//! Columns that have one span each, as most have, several at a time.

use bytemuck::{Pod, cast};

use super::dispatch;
use super::draw::{Draw, State, grow};
use super::lookup::Lookup;
use crate::simd::Level;

/// So many columns are looked at together.
pub(crate) const LANES: usize = 8;

/// So much room, in spans, there has to be for those of [`LANES`] columns.
pub(crate) const ROOM: usize = 40;

/// Where input row `k` begins on the canvas: at `k * factor + shift`, rounded down, and `offset`, moved into what lands.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    all(not(target_arch = "x86_64"), not(test)),
    expect(dead_code, reason = "only registers draw several at a time")
)]
pub(crate) struct Rows {
    pub(crate) factor: f64,
    pub(crate) shift: f64,
    pub(crate) offset: i32,
    pub(crate) landing: [i32; 2],
}

/// Columns to be drawn, and how far that has come.
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only registers draw several at a time"))]
pub(crate) struct Lone<'a> {
    /// Height of the input, and of the canvas.
    pub(crate) h: u32,
    pub(crate) canvas_h: u32,
    /// Where input rows begin on the canvas.
    pub(crate) rows: Rows,
    /// In the order of drawing, for each column its first canvas pixel, and how many columns it becomes.
    pub(crate) columns: &'a [[u32; 2]],
    /// Number of the column to be drawn next, and its first pixel.
    pub(crate) x: usize,
    pub(crate) top: u32,
    /// The spans of the mask that are not drawn yet.
    pub(crate) spans: &'a [[u32; 2]],
    /// Where to draw, and how many spans there are now.
    pub(crate) output: &'a mut [[u32; 2]],
    pub(crate) length: usize,
}

/// What was drawn: the rows reached, and the number of pixels.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) low: u32,
    pub(crate) high: u32,
    pub(crate) area: u32,
}

#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only registers draw several at a time"))]
impl Lone<'_> {
    /// The next spans as they stand in memory, where `FLIP` draws the last of them first; behind the last, anything.
    #[inline(always)]
    pub(crate) fn block<const FLIP: bool, R: Pod>(&self) -> R {
        // As a register from here on, not as memory that both ways have to write to.
        match if FLIP { self.spans.last_chunk::<LANES>() } else { self.spans.first_chunk() } {
            Some(next) => cast(*next),
            None => cast(self.last_block::<FLIP>()),
        }
    }

    /// The same of fewer spans than a block has.
    #[inline(never)]
    fn last_block<const FLIP: bool>(&self) -> [[u32; 2]; LANES] {
        let mut block = [[0; 2]; LANES];
        let from = if FLIP { LANES - self.spans.len() } else { 0 };
        block[from..][..self.spans.len()].copy_from_slice(self.spans);
        block
    }

    /// How many of the next spans are alone in their columns, given how many are in the columns that follow each
    /// other from `x` on: what comes next may be in the column of the last.
    #[inline(always)]
    pub(crate) fn alone<const FLIP: bool>(&self, inside: usize) -> usize {
        let Some(last) = inside.min(self.spans.len()).checked_sub(1) else { return 0 };
        let rest = self.spans.len() - 1 - last;
        let next = if FLIP { rest.checked_sub(1) } else { Some(last + 1) };
        let Some(&[start, end]) = next.and_then(|next| self.spans.get(next)) else { return last + 1 };
        let across = last as u32 * self.h;
        let further = if FLIP { end > self.top - across } else { start < self.top + across + self.h };
        if further { last } else { last + 1 }
    }

    /// Goes on behind the next `count` spans.
    #[inline(always)]
    pub(crate) fn advance<const FLIP: bool>(&mut self, count: usize) {
        let across = count as u32 * self.h;
        self.x += count;
        self.top = if FLIP { self.top.wrapping_sub(across) } else { self.top.wrapping_add(across) };
        self.spans = if FLIP { &self.spans[..self.spans.len() - count] } else { &self.spans[count..] };
    }
}

impl<const FLIP: bool, const COPIES: usize, L: Lookup> Draw<FLIP, COPIES, L> {
    /// What it takes to draw several columns at a time, where that is faster.
    pub(super) fn together(&self) -> Option<(Rows, &[[u32; 2]])> {
        if self.level == Level::PORTABLE { None } else { self.lookup.together() }
    }

    /// Draws columns of one span each as long as each follows the one before, from the column behind the one at hand
    /// and span number `from` on; says how many spans are done then. Nothing is pending.
    pub(super) fn draw_lone(
        &self,
        (rows, columns): (Rows, &[[u32; 2]]),
        spans: &[[u32; 2]],
        from: usize,
        mut state: State,
        output: &mut Vec<[u32; 2]>,
    ) -> (usize, State) {
        let spans = if FLIP { &spans[..spans.len() - from] } else { &spans[from..] };
        grow(output, state.length + spans.len() * COPIES + ROOM);
        let next = self.drawn(state.x).wrapping_add(1);
        let top =
            if FLIP { state.top.wrapping_sub(self.input_h) } else { state.top.wrapping_add(self.input_h) };
        let mut lone = Lone {
            h: self.input_h,
            canvas_h: self.canvas_h,
            rows,
            columns,
            x: next as usize,
            top,
            spans,
            output,
            length: state.length,
        };
        let extent = dispatch::draw_lone::<FLIP, COPIES>(self.level, &mut lone);
        let done = lone.x as u32 - next;
        if done > 0 {
            let across = done * self.input_h;
            state.x = self.drawn(lone.x as u32 - 1);
            state.top = if FLIP { state.top.wrapping_sub(across) } else { state.top.wrapping_add(across) };
            (state.low, state.high) = (state.low.min(extent.low), state.high.max(extent.high));
            state.area = state.area.wrapping_add(extent.area);
            (state.length, state.from) = (lone.length, lone.length);
        }
        (from + done as usize, state)
    }
}
