//! The spans of a mask on another canvas, made input column by input column.

use super::lookup::Lookup;
use crate::simd::Level;

/// Where the pixels of an input land. `FLIP`: columns from the last to the first. `COPIES`: how many canvas columns
/// an input column becomes at most, or 0 where that is too many to write all of them each time.
pub(super) struct Draw<const FLIP: bool, const COPIES: usize, L> {
    pub(super) input_h: u32,
    pub(super) canvas_h: u32,
    /// Width of the input.
    pub(super) width: u32,
    pub(super) lookup: L,
    pub(super) level: Level,
}

/// A mask that has been drawn.
#[derive(Clone, Copy, Default)]
pub(super) struct Drawn {
    /// Number of spans.
    pub(super) length: usize,
    /// The rows that they reach.
    pub(super) rows: [u32; 2],
    /// Number of pixels, where it is known, and no two spans touch.
    pub(super) area: Option<u32>,
}

/// How far a mask has been drawn.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// Number of the input column at hand, and of its first pixel.
    pub(super) x: u32,
    pub(super) top: u32,
    /// The first canvas pixel of that column, and how many columns it becomes.
    pub(super) canvas_top: u32,
    pub(super) times: u32,
    /// Where its spans begin in the output, and whether they are yet to be put in order and copied.
    pub(super) from: usize,
    pub(super) pending: bool,
    /// Number of spans in the output.
    pub(super) length: usize,
    /// The rows reached so far.
    pub(super) low: u32,
    pub(super) high: u32,
    /// Pixels drawn in columns of one span each, and whether there were only such.
    pub(super) area: u32,
    pub(super) only_lone: bool,
}

impl<const FLIP: bool, const COPIES: usize, L: Lookup> Draw<FLIP, COPIES, L> {
    /// Nothing is put in order, and nothing copied.
    pub(super) const PLAIN: bool = COPIES == 1 && !FLIP;

    /// Writes the spans of one mask to `output`.
    ///
    /// A column mostly has one span: that is written `COPIES` times at once, whatever the number of columns it
    /// becomes, so that no branch depends on this number. Only when another one comes are those of the column put
    /// in order, then copied.
    pub(super) fn mask(&self, spans: &[[u32; 2]], output: &mut Vec<[u32; 2]>) -> Drawn {
        let h = self.input_h;
        let Some(&[start, end]) = (if FLIP { spans.last() } else { spans.first() }) else {
            return Drawn::default();
        };
        // The column before the first.
        let first = (if FLIP { end - 1 } else { start }) / h;
        let x = if FLIP { first + 1 } else { first.wrapping_sub(1) };
        let mut state = State {
            x,
            top: x.wrapping_mul(h),
            canvas_top: 0,
            times: 0,
            from: 0,
            pending: false,
            length: 0,
            low: u32::MAX,
            high: 0,
            area: 0,
            only_lone: true,
        };
        let order = |number: usize| spans[if FLIP { spans.len() - 1 - number } else { number }];
        let together = if COPIES > 0 { self.together() } else { None };
        state.only_lone = together.is_some();
        if let Some(together) = together {
            let mut i = 0;
            while i < spans.len() {
                let [start, end] = order(i);
                if (if FLIP { end - 1 } else { start }).wrapping_sub(state.top) >= h {
                    if state.pending {
                        state.length = self.finish(state, output);
                        state.pending = false;
                    }
                    (i, state) = self.draw_lone(together, spans, i, state, output);
                    if i == spans.len() {
                        break;
                    }
                }
                state = self.draw_span(order(i), state, output);
                state.only_lone = false;
                i += 1;
            }
        } else {
            state = self.draw_each(spans, state, output);
        }
        if state.pending {
            state.length = self.finish(state, output);
        }
        // Spans of neighbouring columns touch where one goes down to the last row, and the other begins in the first.
        let separate = state.only_lone && (state.low > 0 || state.high < self.canvas_h);
        let area = separate.then_some(state.area);
        Drawn { length: state.length, rows: [state.low, state.high], area }
    }

    /// Draws all spans, one after the other. Not inlined: what it goes on with stays in registers.
    #[inline(never)]
    fn draw_each(&self, spans: &[[u32; 2]], mut state: State, output: &mut Vec<[u32; 2]>) -> State {
        for i in 0..spans.len() {
            let span = spans[if FLIP { spans.len() - 1 - i } else { i }];
            state = self.draw_span(span, state, output);
        }
        state
    }

    /// Draws the next span.
    #[inline(always)]
    fn draw_span(&self, [start, end]: [u32; 2], mut state: State, output: &mut Vec<[u32; 2]>) -> State {
        let h = self.input_h;
        let at = if FLIP { end - 1 } else { start };
        let fresh = at.wrapping_sub(state.top) >= h;
        if fresh {
            state = self.enter(at, state, output);
        }
        if if FLIP { start < state.top } else { end - state.top > h } {
            return self.draw_across([start, end], state, output);
        }
        if COPIES == 1 && state.times == 0 {
            return state;
        }
        let rows = [self.row(start - state.top), self.row(end - state.top)];
        let keep = (rows[0] < rows[1]) & (state.times > 0);
        // All bits where nothing is kept.
        let drop = u32::from(keep).wrapping_sub(1);
        state.low = state.low.min(rows[0] | drop);
        state.high = state.high.max(rows[1] & !drop);
        // Of a column that does not land, where nothing is kept, these may wrap.
        let span = rows.map(|row| state.canvas_top.wrapping_add(row));
        if output.len() < state.length + 4 {
            grow(output, state.length + 4);
        }
        if fresh && COPIES > 1 {
            let Some(slots) = output[state.length..].first_chunk_mut::<COPIES>() else { return state };
            for (k, slot) in slots.iter_mut().enumerate() {
                *slot = span.map(|bound| bound.wrapping_add(k as u32 * self.canvas_h));
            }
            state.length += (state.times & !drop) as usize;
            return state;
        }
        if !Self::PLAIN && !fresh && !state.pending {
            state.length = state.length.min(state.from + 1);
            state.pending = true;
        }
        output[state.length] = span;
        state.length += usize::from(keep);
        state
    }

    fn row(&self, y: u32) -> u32 {
        self.lookup.row(y)
    }

    fn column(&self, x: u32) -> [u32; 2] {
        self.lookup.column(self.drawn(x))
    }

    /// The number of an input column in the order of drawing, and the other way round.
    pub(super) fn drawn(&self, x: u32) -> u32 {
        if FLIP { self.width.wrapping_sub(1).wrapping_sub(x) } else { x }
    }

    /// Goes on to the column of a pixel.
    #[inline(always)]
    fn enter(&self, pixel: u32, mut state: State, output: &mut Vec<[u32; 2]>) -> State {
        let h = self.input_h;
        if !Self::PLAIN && state.pending {
            state.length = self.finish(state, output);
        }
        // Mostly the next one: no division then.
        (state.x, state.top) = if FLIP {
            (state.x - 1, state.top.wrapping_sub(h))
        } else {
            (state.x.wrapping_add(1), state.top.wrapping_add(h))
        };
        if pixel.wrapping_sub(state.top) >= h {
            state.x = pixel / h;
            state.top = state.x * h;
        }
        [state.canvas_top, state.times] = self.column(state.x);
        (state.from, state.pending) = (state.length, COPIES == 0);
        state
    }

    /// Draws a span that begins in the column at hand and goes on in others.
    #[cold]
    #[inline(never)]
    fn draw_across(&self, span: [u32; 2], mut state: State, output: &mut Vec<[u32; 2]>) -> State {
        let h = self.input_h;
        let [mut start, mut end] = span;
        loop {
            let top = state.top;
            let whole = if FLIP {
                if end - top == h { (end - start) / h * h } else { 0 }
            } else {
                if start == top { (end - start) / h * h } else { 0 }
            };
            let part = if whole > 0 {
                let part = if FLIP { [end - whole, end] } else { [start, start + whole] };
                state = self.draw_full_columns(part, state, output);
                part
            } else {
                let part = if FLIP { [start.max(top), end] } else { [start, end.min(top + h)] };
                let rows = part.map(|pixel| self.row(pixel - top));
                if !Self::PLAIN && !state.pending {
                    state.length = state.length.min(state.from + 1);
                    state.pending = true;
                }
                if rows[0] < rows[1] && state.times > 0 {
                    grow(output, state.length + 1);
                    output[state.length] = rows.map(|row| state.canvas_top + row);
                    state.length += 1;
                    (state.low, state.high) = (state.low.min(rows[0]), state.high.max(rows[1]));
                }
                part
            };
            [start, end] = if FLIP { [start, part[0]] } else { [part[1], end] };
            if start == end {
                return state;
            }
            state = self.enter(if FLIP { end - 1 } else { start }, state, output);
        }
    }

    /// Draws all pixels of some columns, the first of which is at hand.
    fn draw_full_columns(&self, span: [u32; 2], mut state: State, output: &mut Vec<[u32; 2]>) -> State {
        let h = self.input_h;
        if state.pending {
            state.length = self.finish(state, output);
        }
        let [first, last] = [span[0] / h, span[1] / h - 1];
        // On the canvas, from the left.
        let [left, right] = (if FLIP { [last, first] } else { [first, last] }).map(|x| self.column(x));
        let tops = left[0]..right[0] + right[1] * self.canvas_h;
        let rows = [self.row(0), self.row(h)];
        if !tops.is_empty() && rows[0] < rows[1] {
            (state.low, state.high) = (state.low.min(rows[0]), state.high.max(rows[1]));
            let before = state.length;
            if rows == [0, self.canvas_h] {
                state.length += 1;
                grow(output, state.length);
                output[before] = [tops.start, tops.end];
            } else {
                state.length += (tops.len() / self.canvas_h as usize).max(1);
                grow(output, state.length);
                for (span, top) in output[before..].iter_mut().zip(tops.step_by(self.canvas_h as usize)) {
                    *span = rows.map(|row| top + row);
                }
            }
        }
        state.x = if FLIP { first } else { last };
        state.top = state.x * h;
        (state.from, state.pending, state.times) = (state.length, false, 0);
        state
    }

    /// Puts the spans of the column at hand in order, and copies them to the other canvas columns that it becomes.
    /// Says how many spans there are then.
    #[inline(never)]
    pub(super) fn finish(&self, state: State, output: &mut Vec<[u32; 2]>) -> usize {
        let State { from, length, times, .. } = state;
        if FLIP {
            output[from..length].reverse();
        }
        let several = length - from;
        if several == 0 || times < 2 {
            return length;
        }
        let [start, end] = output[from];
        if end - start == self.canvas_h {
            // Full columns are one span, however many.
            output[from][1] = start + times * self.canvas_h;
            return length;
        }
        let all = from + several * times as usize;
        grow(output, all);
        for i in length..all {
            output[i] = output[i - several].map(|bound| bound + self.canvas_h);
        }
        all
    }
}

/// Makes room for `length` spans.
#[cold]
pub(super) fn grow(output: &mut Vec<[u32; 2]>, length: usize) {
    if output.len() < length {
        output.resize(length.max(2 * output.len()).max(64), [0; 2]);
    }
}
