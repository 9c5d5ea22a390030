//! Spans of one mask on the canvas, made input column by input column.
//!
//! Columns come in the order in which they stand on the canvas: ascending, or, in a mirrored image, from the last to
//! the first, and so do spans. Most columns have one span. Those are placed by a loop without branches on the data: a
//! third of the time of [`Placing::place_column`], and no more than eight columns at a time in registers of AVX2 take.

use super::axis::AxisMap;
use crate::Result;
use crate::memory::lengthen;

/// Pixels of an image on the canvas: where its rows and columns begin.
pub(super) struct Mapping {
    pub(super) rows: AxisMap,
    /// Columns in canvas order: in a mirrored image, the last one first.
    pub(super) columns: AxisMap,
    /// Height and width of the image.
    pub(super) input_h: u32,
    pub(super) input_w: u32,
    pub(super) canvas_h: u32,
    pub(super) flip: bool,
    /// Highest number of canvas columns that an input column becomes.
    pub(super) repeats: usize,
}

/// A mask that is being placed.
pub(super) struct Placing<'a> {
    mapping: &'a Mapping,
    /// Spans on the image, and the number of the next one in canvas order: its pixels before `column` are placed.
    spans: &'a [[u32; 2]],
    next: usize,
    /// Number of the next input column, in canvas order, and of its first pixel.
    column: u32,
    top: u32,
    /// Spans on the canvas, with room behind them, and their number; neighbours may touch.
    output: &'a mut Vec<[u32; 2]>,
    pub(super) written: usize,
    /// First row written, and the row behind the last.
    pub(super) rows: [u32; 2],
    /// Whether some spans may touch.
    pub(super) touching: bool,
}

impl<'a> Placing<'a> {
    /// Places the spans of a mask at the front of `output`.
    pub(super) fn place(
        mapping: &'a Mapping,
        spans: &'a [[u32; 2]],
        output: &'a mut Vec<[u32; 2]>,
    ) -> Result<Self> {
        let top = if mapping.flip { (mapping.input_w - 1) * mapping.input_h } else { 0 };
        let rows = [u32::MAX, 0];
        let mut placing =
            Self { mapping, spans, next: 0, column: 0, top, output, written: 0, rows, touching: false };
        let place_single_spans = match (mapping.flip, mapping.repeats) {
            _ if mapping.columns.table().is_empty() => None,
            (false, ..=1) => Some(Self::place_single_spans::<false, 1> as fn(&mut Self) -> Result<()>),
            (true, ..=1) => Some(Self::place_single_spans::<true, 1> as _),
            (false, 2) => Some(Self::place_single_spans::<false, 2> as _),
            (true, 2) => Some(Self::place_single_spans::<true, 2> as _),
            (false, 3) => Some(Self::place_single_spans::<false, 3> as _),
            (true, 3) => Some(Self::place_single_spans::<true, 3> as _),
            (false, 4) => Some(Self::place_single_spans::<false, 4> as _),
            (true, 4) => Some(Self::place_single_spans::<true, 4> as _),
            _ => None,
        };
        while placing.next < spans.len() {
            if let Some(place_single_spans) = place_single_spans {
                place_single_spans(&mut placing)?;
            }
            if placing.next < spans.len() {
                placing.place_column()?;
            }
        }
        // Spans of neighbouring columns touch where one ends with the last row and the other begins with the first.
        placing.touching |= placing.rows == [0, mapping.canvas_h];
        Ok(placing)
    }

    /// Places spans as long as each is the only one of the next column.
    ///
    /// `COPIES` is the highest number of canvas columns that an input column becomes: as many spans are written each
    /// time, of which as many stay as there are columns, since that number cannot be predicted.
    #[inline(never)]
    fn place_single_spans<const FLIP: bool, const COPIES: usize>(&mut self) -> Result<()> {
        const BOTH: u64 = 1 << 32 | 1;
        let Mapping { input_h, canvas_h, .. } = *self.mapping;
        let rows = self.mapping.rows.table();
        let edges = &self.mapping.columns.table()[self.column as usize..];
        let left = self.spans.len() - self.next;
        let spans = if FLIP { &self.spans[..left] } else { &self.spans[self.next..] };
        let count = left.min(edges.len() - 1);
        let (some, edges) = (if FLIP { &spans[left - count..] } else { &spans[..count] }, &edges[..=count]);
        lengthen(self.output, self.written + count * COPIES)?;
        let output = &mut self.output[..];
        let Self { mut written, rows: [mut low, mut high], .. } = *self;
        let (mut before, mut done, mut above) = (written, 0, self.top.wrapping_neg());
        let (step, across) =
            (if FLIP { input_h.wrapping_neg() } else { input_h }, BOTH * u64::from(canvas_h));
        while done < count {
            let [start, end] = some[if FLIP { count - 1 - done } else { done }];
            // Both in the column, or the table does not have them.
            let (start, end) = (start.wrapping_add(above) as usize, end.wrapping_add(above) as usize);
            let (Some(&y0), Some(&y1)) = (rows.get(start), rows.get(end)) else { break };
            let Some(slots) = output.get_mut(written..written + COPIES) else { break };
            before = written;
            let times = if y0 < y1 { edges[done + 1] - edges[done] } else { 0 };
            low = low.min(if times > 0 { y0 } else { u32::MAX });
            high = high.max(if times > 0 { y1 } else { 0 });
            let first = across.wrapping_mul(u64::from(edges[done]));
            let mut span = (u64::from(y1) << 32 | u64::from(y0)).wrapping_add(first);
            for slot in slots {
                *slot = [span as u32, (span >> 32) as u32];
                span = span.wrapping_add(across);
            }
            written += times as usize;
            done += 1;
            above = above.wrapping_sub(step);
        }
        let mut top = above.wrapping_neg();
        // The last one was not alone when the next one begins in its column.
        let next = if FLIP { left.checked_sub(done + 1) } else { Some(done) };
        if done > 0
            && let Some(&[start, end]) = next.and_then(|next| spans.get(next))
            && (if FLIP { end > top.wrapping_add(input_h) } else { start < top })
        {
            (done, top, written) = (done - 1, top.wrapping_sub(step), before);
        }
        (self.next, self.column) = (self.next + done, self.column + done as u32);
        (self.top, self.written, self.rows) = (top, written, [low, high]);
        Ok(())
    }

    /// Places what the next column that is not empty has; or, where that is full, all full columns that follow.
    fn place_column(&mut self) -> Result<()> {
        let Mapping { rows, columns, input_h: h, flip, .. } = self.mapping;
        let (h, flip) = (*h, *flip);
        let [start, end] = self.span(self.next);
        let [start, end] = if flip { [start, end.min(self.top + h)] } else { [start.max(self.top), end] };
        let x = if flip { end - 1 } else { start } / h;
        let top = x * h;
        self.column = if flip { self.mapping.input_w - 1 - x } else { x };
        let from_edge = if flip { end == top + h } else { start == top };
        let full = if from_edge { (end - start) / h } else { 0 };
        let (from, width) = (self.written, full.max(1));
        let times = columns.at(self.column + width) - columns.at(self.column);
        if full > 0 {
            self.write([rows.at(0), rows.at(h)], times)?;
            self.next += usize::from(full * h == end - start);
        }
        while full == 0 && self.next < self.spans.len() {
            let [start, end] = self.span(self.next);
            if if flip { end <= top } else { start >= top + h } {
                break;
            }
            self.write([start.max(top), end.min(top + h)].map(|pixel| rows.at(pixel - top)), times)?;
            if if flip { start < top } else { end > top + h } {
                break;
            }
            self.next += 1;
        }
        if flip {
            self.output[from..self.written].reverse();
        }
        let mut pairs = self.output[from..self.written].windows(2);
        self.touching |= pairs.any(|pair| pair[0][1] == pair[1][0]);
        self.column += width;
        self.top = if flip { top.wrapping_sub(width * h) } else { top + width * h };
        self.repeat(from, times)
    }

    /// Span of a number in canvas order.
    fn span(&self, number: usize) -> [u32; 2] {
        self.spans[if self.mapping.flip { self.spans.len() - 1 - number } else { number }]
    }

    /// Writes a span, if there is any, to the first of the `times` canvas columns that the next column becomes.
    fn write(&mut self, rows: [u32; 2], times: u32) -> Result<()> {
        if rows[0] < rows[1] && times > 0 {
            lengthen(self.output, self.written + 1)?;
            let first = self.mapping.columns.at(self.column) * self.mapping.canvas_h;
            self.output[self.written] = rows.map(|row| first + row);
            self.written += 1;
            self.rows = [self.rows[0].min(rows[0]), self.rows[1].max(rows[1])];
        }
        Ok(())
    }

    /// Repeats the spans of one canvas column, those from number `from` on, in the columns behind it: `times` in all.
    fn repeat(&mut self, from: usize, times: u32) -> Result<()> {
        let (several, canvas_h) = (self.written - from, self.mapping.canvas_h);
        if several == 0 || times < 2 {
            return Ok(());
        }
        let [start, end] = self.output[from];
        if end - start == canvas_h {
            // Full columns are one span, however many.
            self.output[from][1] = start + times * canvas_h;
            return Ok(());
        }
        let all = several.saturating_mul(times as usize).saturating_add(from);
        lengthen(self.output, all)?;
        for i in self.written..all {
            self.output[i] = self.output[i - several].map(|toggle| toggle + canvas_h);
        }
        self.written = all;
        Ok(())
    }
}
