//! The spans of one mask on the canvas, made input column by input column.
//!
//! Columns come in the order in which they stand on the canvas: ascending, or, in a mirrored image, from the last to
//! the first, and so do spans. Most columns have one span; those are placed by a loop without branches, the rest by
//! [`Mapping::place_column`].

use super::axis::AxisMap;
use crate::Result;
use crate::memory::lengthen;

/// Mask on the canvas, as [`Mapping::place_spans`] leaves it.
pub(super) struct Written {
    /// Number of spans.
    pub(super) spans: usize,
    /// First row, and the row behind the last.
    pub(super) rows: [u32; 2],
    /// Whether some spans may touch.
    pub(super) touching: bool,
}

/// Progress in placing a mask.
#[derive(Clone, Copy)]
struct Progress {
    /// Number of the next span, in canvas order. Its pixels in columns before the next one are placed.
    span: usize,
    /// Number of the next input column, in canvas order, and of its first pixel.
    column: u32,
    top: u32,
    /// Number of spans written.
    written: usize,
    /// First row written, and the row behind the last.
    rows: [u32; 2],
    /// Whether two spans within a column touch.
    touching: bool,
}

/// Pixels of an image on the canvas: where its rows and columns begin, and how far they reach.
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

impl Mapping {
    /// Writes the spans of a mask to the front of `output`; neighbours may touch.
    ///
    pub(super) fn place_spans(&self, spans: &[[u32; 2]], output: &mut Vec<[u32; 2]>) -> Result<Written> {
        let top = if self.flip { (self.input_w - 1) * self.input_h } else { 0 };
        let mut progress =
            Progress { span: 0, column: 0, top, written: 0, rows: [u32::MAX, 0], touching: false };
        let (place_single, copies): (Option<PlaceSingle>, usize) = match (self.flip, self.repeats) {
            _ if self.columns.table().is_empty() => (None, 0),
            (false, ..=1) => (Some(Self::place_single_spans::<false, 1>), 1),
            (true, ..=1) => (Some(Self::place_single_spans::<true, 1>), 1),
            (false, 2) => (Some(Self::place_single_spans::<false, 2>), 2),
            (true, 2) => (Some(Self::place_single_spans::<true, 2>), 2),
            (false, 3) => (Some(Self::place_single_spans::<false, 3>), 3),
            (true, 3) => (Some(Self::place_single_spans::<true, 3>), 3),
            (false, 4) => (Some(Self::place_single_spans::<false, 4>), 4),
            (true, 4) => (Some(Self::place_single_spans::<true, 4>), 4),
            _ => (None, 0),
        };
        while progress.span < spans.len() {
            if let Some(place_single) = place_single {
                lengthen(output, progress.written + (spans.len() - progress.span) * copies)?;
                progress = place_single(self, spans, progress, output);
            }
            if progress.span < spans.len() {
                progress = self.place_column(spans, progress, output)?;
            }
        }
        // Spans of neighbouring columns touch where one ends with the last row and the other begins with the first.
        let touching = progress.touching || progress.rows == [0, self.canvas_h];
        Ok(Written { spans: progress.written, rows: progress.rows, touching })
    }

    /// Places spans as long as each is the only one of the next column.
    ///
    /// `COPIES` is the highest number of canvas columns that an input column becomes: as many spans are written each
    /// time, however many of them are kept, since that number cannot be predicted.
    #[inline(never)]
    fn place_single_spans<const FLIP: bool, const COPIES: usize>(
        &self,
        spans: &[[u32; 2]],
        mut progress: Progress,
        output: &mut [[u32; 2]],
    ) -> Progress {
        let step = if FLIP { self.input_h.wrapping_neg() } else { self.input_h };
        let rows = self.rows.table();
        let all = if FLIP { &spans[..spans.len() - progress.span] } else { &spans[progress.span..] };
        let edges = &self.columns.table()[progress.column as usize..];
        let count = all.len().min(edges.len() - 1);
        let spans = if FLIP { &all[all.len() - count..] } else { &all[..count] };
        let edges = &edges[..=count];
        let Progress { top, mut written, rows: [mut low, mut high], .. } = progress;
        let (mut before, mut done, mut above) = (written, 0, top.wrapping_neg());
        while done < count {
            let [start, end] = spans[if FLIP { count - 1 - done } else { done }];
            // Each in the column, or the table does not have it.
            let (start, end) = (start.wrapping_add(above), end.wrapping_add(above));
            let (Some(&y0), Some(&y1)) = (rows.get(start as usize), rows.get(end as usize)) else { break };
            let Some(slots) = output.get_mut(written..written + COPIES) else { break };
            before = written;
            let left = edges[done];
            let times = if y0 < y1 { edges[done + 1] - left } else { 0 };
            low = low.min(if times > 0 { y0 } else { u32::MAX });
            high = high.max(if times > 0 { y1 } else { 0 });
            let mut first = left.wrapping_mul(self.canvas_h);
            for slot in slots {
                *slot = [first.wrapping_add(y0), first.wrapping_add(y1)];
                first = first.wrapping_add(self.canvas_h);
            }
            written += times as usize;
            done += 1;
            above = above.wrapping_sub(step);
        }
        let mut top = above.wrapping_neg();
        // The last one was not alone when the next one begins in its column.
        let next = if FLIP { all.len().checked_sub(done + 1) } else { Some(done) };
        if done > 0
            && let Some(&[start, end]) = next.and_then(|next| all.get(next))
            && (if FLIP { end > top.wrapping_add(self.input_h) } else { start < top })
        {
            (done, top, written) = (done - 1, top.wrapping_sub(step), before);
        }
        progress.span += done;
        progress.column += done as u32;
        Progress { top, written, rows: [low, high], ..progress }
    }

    /// Places what the next column that is not empty has; or, where that is full, all full columns that follow.
    fn place_column(
        &self,
        spans: &[[u32; 2]],
        mut progress: Progress,
        output: &mut Vec<[u32; 2]>,
    ) -> Result<Progress> {
        let h = self.input_h;
        let span = |number: usize| spans[if self.flip { spans.len() - 1 - number } else { number }];
        let [start, end] = span(progress.span);
        let (start, end) =
            if self.flip { (start, end.min(progress.top + h)) } else { (start.max(progress.top), end) };
        let x = if self.flip { end - 1 } else { start } / h;
        let top = x * h;
        progress.column = if self.flip { self.input_w - 1 - x } else { x };
        let from_edge = if self.flip { end == top + h } else { start == top };
        let full = if from_edge { (end - start) / h } else { 0 };
        let times = self.columns.at(progress.column + full.max(1)) - self.columns.at(progress.column);
        if full > 0 {
            self.place_full_columns(times, &mut progress, output)?;
            progress.span += usize::from(full * h == end - start);
        } else {
            let from = progress.written;
            while progress.span < spans.len() {
                let [start, end] = span(progress.span);
                if if self.flip { end <= top } else { start >= top + h } {
                    break;
                }
                let rows = [start.max(top), end.min(top + h)].map(|pixel| self.rows.at(pixel - top));
                if rows[0] < rows[1] && times > 0 {
                    self.write(rows, progress.column, &mut progress, output)?;
                }
                if if self.flip { start < top } else { end > top + h } {
                    break;
                }
                progress.span += 1;
            }
            if self.flip {
                output[from..progress.written].reverse();
            }
            progress.touching |=
                output[from..progress.written].windows(2).any(|pair| pair[0][1] == pair[1][0]);
            self.repeat(from, times, &mut progress, output)?;
        }
        progress.column += full.max(1);
        progress.top = if self.flip { top.wrapping_sub(full.max(1) * h) } else { top + full.max(1) * h };
        Ok(progress)
    }

    /// Places input columns without a clear pixel, which become `times` columns from that of `progress` on.
    fn place_full_columns(
        &self,
        times: u32,
        progress: &mut Progress,
        output: &mut Vec<[u32; 2]>,
    ) -> Result<()> {
        let rows = [self.rows.at(0), self.rows.at(self.input_h)];
        if times == 0 || rows[0] >= rows[1] {
            return Ok(());
        }
        let from = progress.written;
        self.write(rows, progress.column, progress, output)?;
        self.repeat(from, times, progress, output)
    }

    /// Writes one span, of the first canvas column that an input column becomes.
    fn write(
        &self,
        rows: [u32; 2],
        column: u32,
        progress: &mut Progress,
        output: &mut Vec<[u32; 2]>,
    ) -> Result<()> {
        lengthen(output, progress.written + 1)?;
        let first = self.columns.at(column) * self.canvas_h;
        output[progress.written] = rows.map(|row| first + row);
        progress.written += 1;
        progress.rows = [progress.rows[0].min(rows[0]), progress.rows[1].max(rows[1])];
        Ok(())
    }

    /// Repeats the spans of one canvas column, those from number `from` on, in the columns behind it: `times` in all.
    fn repeat(
        &self,
        from: usize,
        times: u32,
        progress: &mut Progress,
        output: &mut Vec<[u32; 2]>,
    ) -> Result<()> {
        let several = progress.written - from;
        if several == 0 || times < 2 {
            return Ok(());
        }
        let [start, end] = output[from];
        if end - start == self.canvas_h {
            // Full columns are one span, however many.
            output[from][1] = start + times * self.canvas_h;
            return Ok(());
        }
        let all = several.saturating_mul(times as usize);
        lengthen(output, from.saturating_add(all))?;
        for i in progress.written..from + all {
            output[i] = output[i - several].map(|toggle| toggle + self.canvas_h);
        }
        progress.written = from + all;
        Ok(())
    }
}

/// Kernel for columns of one span each.
type PlaceSingle = fn(&Mapping, &[[u32; 2]], Progress, &mut [[u32; 2]]) -> Progress;
