//! Horizontal pass, then vertical pass: the walk that both bilinear filters share.
//!
//! A source row is resampled along its columns once, and kept while output rows need it.

use std::ops::Range;

use super::segments::RowSegments;
use crate::error::Result;
use crate::geometry::{Axis, Placement};
use crate::memory::{collect, filled, reserve_more};
use crate::simd::Level;
use crate::view::ImageView;

/// Pixels of a block: rows are resampled along their columns in whole blocks, so that kernels have no remainders.
pub(crate) const BLOCK: usize = 16;

/// Elements past the last of a row that a horizontal pass may write.
pub(crate) const SLACK: usize = 16;

/// Elements past the last of a row that a vertical pass may read.
pub(crate) const INTERMEDIATE_SLACK: usize = 64;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Window of the canvas to resample: never the whole resized image.
#[derive(Clone, Debug)]
pub struct CanvasWindow {
    pub(crate) placement: Placement,
    /// Canvas columns.
    pub(crate) columns: Range<usize>,
    pub(crate) channels: usize,
    pub(crate) level: Level,
}

impl CanvasWindow {
    /// Resized columns in whole blocks; those past the window repeat the last.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = usize> + use<> {
        let axis = self.placement.columns();
        let Range { start, end } = self.columns.clone();
        (start..start + self.padded_columns()).map(move |x| axis.resized_at(x.min(end - 1)))
    }

    /// Number of columns in whole blocks.
    pub(crate) fn padded_columns(&self) -> usize {
        self.columns.len().next_multiple_of(BLOCK)
    }
}

/// Filter of pixels of type `T` in two passes, with what they look up for one window.
pub trait SeparableFilter<T>: Sized {
    /// Type of values between the passes.
    type Intermediate: Copy + Default;

    /// Number of source rows that the horizontal pass takes at once at most.
    const TOGETHER: usize;

    /// Filter with its tables for a window.
    fn new(window: &CanvasWindow) -> Result<Self>;

    /// Number of source rows that an output row needs at most.
    fn most_rows(&self) -> usize;

    /// Resamples whole blocks of pixels, numbered from the start of the window, of a few source rows. Each `out` has room
    /// for [`SLACK`] values more.
    fn horizontal<const N: usize>(
        &mut self,
        rows: [&[T]; N],
        pixels: Range<usize>,
        out: [&mut [Self::Intermediate]; N],
    );

    /// Turns to resized row `i`, and returns the source rows it needs.
    fn turn_to(&mut self, i: usize) -> Range<usize>;

    /// Mixes the rows that [`SeparableFilter::turn_to`] asked for. Of each, [`INTERMEDIATE_SLACK`] more values than those
    /// of `out` can be read.
    fn vertical(&self, rows: IntermediateRows<'_, Self::Intermediate>, out: &mut [T]);
}

/// Equally long stretches of several rows of one buffer: row `k` from `values[starts[k] + offset..]` on.
#[derive(Clone, Copy, Debug)]
pub struct IntermediateRows<'a, M> {
    pub(crate) values: &'a [M],
    pub(crate) starts: &'a [usize],
    pub(crate) offset: usize,
}

impl<'a, M> IntermediateRows<'a, M> {
    /// Elements `from..from + length` of the stretch of row `k`.
    #[inline]
    pub(crate) fn get(&self, k: usize, from: usize, length: usize) -> &'a [M] {
        &self.values[self.starts[k] + self.offset + from..][..length]
    }
}

/// Image on its way through both passes of a filter.
pub(crate) struct SeparableResampler<'a, T, F: SeparableFilter<T>> {
    pub(super) image: ImageView<'a, T>,
    pub(super) filter: F,
    pub(super) rows: Axis,
    first_column: usize,
    /// Source rows after the horizontal pass, each in its slot.
    pub(super) intermediate: Vec<F::Intermediate>,
    stride: usize,
    /// Slots of `intermediate`: source row `r` goes to slot `r % slots.len()`.
    pub(super) slots: Vec<RowSlot>,
    /// First values, in `intermediate`, of the rows that the current output row needs.
    starts: Vec<usize>,
    segments: RowSegments,
}

/// Place of one source row in the buffer of intermediate rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowSlot {
    /// First value in the buffer.
    pub(super) start: usize,
    pub(super) row: usize,
    /// Segments that have been resampled, one bit for each.
    pub(super) done: u64,
}

impl RowSlot {
    pub(super) fn take(&mut self, row: usize, done: u64) {
        (self.row, self.done) = (row, done);
    }
}

/// Source row, and the first value of its slot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SourceRow {
    pub(super) row: usize,
    pub(super) start: usize,
}

impl<'a, T, F: SeparableFilter<T>> SeparableResampler<'a, T, F> {
    /// Resampler that keeps no rows yet: for whole images only.
    pub(super) fn of_whole(image: ImageView<'a, T>, window: &CanvasWindow) -> Result<Self> {
        let filter = F::new(window)?;
        Ok(Self {
            image,
            rows: window.placement.rows(),
            first_column: window.columns.start,
            intermediate: Vec::new(),
            stride: window
                .padded_columns()
                .saturating_mul(window.channels)
                .saturating_add(INTERMEDIATE_SLACK),
            slots: Vec::new(),
            starts: Vec::new(),
            segments: RowSegments::new(window.padded_columns()),
            filter,
        })
    }

    pub(super) fn new(image: ImageView<'a, T>, window: &CanvasWindow) -> Result<Self> {
        let mut resampler = Self::of_whole(image, window)?;
        // One more than needed, for a row that is resampled ahead.
        let rows = (resampler.filter.most_rows() + 1).next_power_of_two();
        reserve_more(&mut resampler.starts, rows)?;
        resampler.keep(rows)?;
        Ok(resampler)
    }

    /// Makes room for so many source rows. None is there any more.
    pub(super) fn keep(&mut self, rows: usize) -> Result<()> {
        if rows != self.slots.len() {
            // Slots begin with a line of the cache: vectors that are stored there never reach into two.
            let line = LINE / size_of::<F::Intermediate>();
            self.intermediate = filled(rows.saturating_mul(self.stride).saturating_add(line))?;
            let first = self.intermediate.as_ptr().align_offset(LINE).min(line);
            let slot = |slot| RowSlot { start: first + slot * self.stride, row: usize::MAX, done: 0 };
            self.slots = collect((0..rows).map(slot))?;
        }
        for slot in &mut self.slots {
            slot.take(usize::MAX, 0);
        }
        Ok(())
    }

    pub(super) fn row(&mut self, y: usize, spans: &[(u32, u32)], out: &mut [T]) {
        let needed = spans.iter().fold(0, |needed, &(start, end)| {
            let pixels = start as usize - self.first_column..end as usize - self.first_column;
            needed | self.segments.touched(&pixels)
        });
        if needed == 0 {
            return;
        }
        let rows = self.filter.turn_to(self.rows.resized_at(y));
        self.resample_columns(rows.clone(), needed);
        self.starts.clear();
        for row in rows {
            self.starts.push(self.slots[self.slot(row)].start);
        }
        let channels = self.image.channels();
        for &(start, end) in spans {
            let (start, end) = (start as usize, end as usize);
            let offset = (start - self.first_column) * channels;
            let rows = IntermediateRows { values: &self.intermediate, starts: &self.starts, offset };
            self.filter.vertical(rows, &mut out[start * channels..end * channels]);
        }
    }

    /// Resamples what is missing of the `needed` segments of source `rows`.
    ///
    /// Rows of which there is nothing yet go together, which costs less than one after the other.
    fn resample_columns(&mut self, rows: Range<usize>, needed: u64) {
        let mut single = None;
        for row in rows.clone() {
            if self.slots[self.slot(row)].row == row {
                self.extend(row, needed);
            } else if let Some(other) = single.take() {
                self.begin([other, row], needed);
            } else {
                single = Some(row);
            }
        }
        let Some(row) = single else { return };
        // Where the rows before are there already, the output moves slowly and will need the next ones too.
        let next = rows.end;
        let ahead = (self.rows.input - next).min(self.slots.len() - rows.len()).min(F::TOGETHER - 1);
        match if rows.start < row { ahead } else { 0 } {
            0 => self.begin([row], needed),
            1 => self.begin([row, next], needed),
            2 => self.begin([row, next, next + 1], needed),
            _ => self.begin([row, next, next + 1, next + 2], needed),
        }
    }

    /// Number of the slot for a source row, where their count is a power of two: a division would cost more than all else
    /// that is done for a row.
    fn slot(&self, row: usize) -> usize {
        row & (self.slots.len() - 1)
    }

    /// Resamples rows of which there is nothing yet.
    fn begin<const N: usize>(&mut self, rows: [usize; N], needed: u64) {
        let sources = rows.map(|row| SourceRow { row, start: self.slots[self.slot(row)].start });
        for pixels in self.segments.runs(needed) {
            self.resample(sources, pixels);
        }
        for row in rows {
            let slot = self.slot(row);
            self.slots[slot].take(row, needed);
        }
    }

    /// Resamples some pixels of a few rows, each into its slot.
    pub(super) fn resample<const N: usize>(&mut self, sources: [SourceRow; N], pixels: Range<usize>) {
        let channels = self.image.channels();
        let (from, length) = (pixels.start * channels, pixels.len() * channels + SLACK);
        let places = sources.map(|SourceRow { start, .. }| start + from..start + from + length);
        // Slots do not overlap.
        if let Ok(out) = self.intermediate.get_disjoint_mut(places) {
            self.filter.horizontal(
                sources.map(|SourceRow { row, .. }| self.image.rows_from(row)),
                pixels,
                out,
            );
        }
    }

    /// Resamples what is missing of a row.
    fn extend(&mut self, row: usize, needed: u64) {
        let slot = self.slot(row);
        let missing = needed & !self.slots[slot].done;
        self.slots[slot].done |= missing;
        let channels = self.image.channels();
        for pixels in self.segments.runs(missing) {
            let start = self.slots[slot].start + pixels.start * channels;
            let length = pixels.len() * channels;
            let out = &mut self.intermediate[start..start + length + SLACK];
            // What lies past the end may be there already, and kernels may write over it.
            let mut past = [F::Intermediate::default(); SLACK];
            past.copy_from_slice(&out[length..]);
            self.filter.horizontal([self.image.rows_from(row)], pixels, [out]);
            self.intermediate[start + length..][..SLACK].copy_from_slice(&past);
        }
    }
}
