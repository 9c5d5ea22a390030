//! Columns first, then rows: the walk that the bilinear and the antialiased filter share.
//!
//! A source row is resampled along its columns once, and kept while output rows need it.

use std::ops::Range;

use crate::error::Result;
use crate::geometry::{Axis, Placement};
use crate::memory::filled;
use crate::simd::Level;
use crate::view::ImageView;

use super::pieces::Pieces;

/// Pixels of a block: rows are resampled in blocks, so that kernels have no remainders.
pub(crate) const BLOCK: usize = 16;

/// Elements past the last they need that kernels may load, and past the last of a row that they may write.
pub(crate) const SLACK: usize = 16;

/// Elements past the last that may be read of a row after the first pass.
pub(crate) const MIDDLE_SLACK: usize = 32;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Window of the resized image that is resampled, never the whole of it.
#[derive(Clone, Debug)]
pub struct Window {
    pub(crate) placement: Placement,
    /// Canvas columns.
    pub(crate) columns: Range<usize>,
    pub(crate) channels: usize,
    pub(crate) level: Level,
}

impl Window {
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

    /// Number of values in whole blocks.
    pub(crate) fn padded_values(&self) -> usize {
        self.padded_columns().saturating_mul(self.channels)
    }
}

/// Two passes of one filter over pixels of type `T`.
pub trait Passes<T>: Sized {
    /// Value that the first pass leaves for the second.
    type Middle: Copy + Default;

    /// How many source rows the first pass takes at once at most.
    const TOGETHER: usize;

    /// The tables of a window.
    fn new(window: &Window) -> Result<Self>;

    /// How many source rows an output row needs at most.
    fn most_rows(&self) -> usize;

    /// The first pass: from a few source rows, and what may be read behind them, to whole blocks of pixels, numbered
    /// from the start of the window.
    fn columns<const N: usize>(
        &mut self,
        rows: [&[T]; N],
        pixels: Range<usize>,
        out: [&mut [Self::Middle]; N],
    );

    /// Turns to resized row `i`, and returns the source rows it needs.
    fn turn_to(&mut self, i: usize) -> Range<usize>;

    /// The second pass over the rows that [`Passes::turn_to`] asked for. Of each, [`MIDDLE_SLACK`] more values
    /// than those of `out` can be read.
    fn rows(&self, rows: Rows<'_, Self::Middle>, out: &mut [T]);
}

/// Equally long pieces of several rows of one buffer: row `k` from `values[starts[k] + offset..]` on.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, M> {
    pub(crate) values: &'a [M],
    pub(crate) starts: &'a [usize],
    pub(crate) offset: usize,
}

impl<'a, M> Rows<'a, M> {
    /// `length` elements of row `k` from element `from` of the piece on.
    #[inline]
    pub(crate) fn get(&self, k: usize, from: usize, length: usize) -> &'a [M] {
        &self.values[self.starts[k] + self.offset + from..][..length]
    }
}

/// An image on its way through both passes of `P`.
pub(crate) struct Separable<'a, T, P: Passes<T>> {
    pub(super) image: ImageView<'a, T>,
    pub(super) passes: P,
    pub(super) rows: Axis,
    first_column: usize,
    /// Source rows after the first pass, each in its slot.
    pub(super) middle: Vec<P::Middle>,
    stride: usize,
    /// Rows that the slots hold: source row `r` goes to slot `r % slots.len()`.
    pub(super) slots: Vec<Slot>,
    /// Starts of the rows of the current output row in `middle`.
    starts: Vec<usize>,
    pieces: Pieces,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Start of the row in `middle`.
    pub(super) start: usize,
    pub(super) row: usize,
    /// Pieces that have been resampled.
    pub(super) done: u64,
}

impl Slot {
    pub(super) fn take(&mut self, row: usize, done: u64) {
        (self.row, self.done) = (row, done);
    }
}

/// A source row, and where in `middle` its slot starts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Source {
    pub(super) row: usize,
    pub(super) start: usize,
}

impl<'a, T, P: Passes<T>> Separable<'a, T, P> {
    /// Keeps no rows yet: for whole images only.
    pub(super) fn of_whole(image: ImageView<'a, T>, window: &Window) -> Result<Self> {
        let passes = P::new(window)?;
        Ok(Self {
            image,
            rows: window.placement.rows(),
            first_column: window.columns.start,
            middle: Vec::new(),
            stride: window.padded_values().saturating_add(MIDDLE_SLACK),
            slots: Vec::new(),
            starts: Vec::new(),
            pieces: Pieces::new(window.padded_columns()),
            passes,
        })
    }

    pub(crate) fn new(image: ImageView<'a, T>, window: &Window) -> Result<Self> {
        let mut separable = Self::of_whole(image, window)?;
        // One more than needed, for a row that is resampled ahead.
        let rows = (separable.passes.most_rows() + 1).next_power_of_two();
        separable.starts.reserve(rows);
        separable.keep(rows)?;
        Ok(separable)
    }

    /// Makes room for so many source rows. None is there any more.
    pub(super) fn keep(&mut self, rows: usize) -> Result<()> {
        if rows != self.slots.len() {
            // Slots begin with a line of the cache: vectors that are stored there never reach into two.
            let line = LINE / size_of::<P::Middle>();
            self.middle = filled(rows.saturating_mul(self.stride).saturating_add(line))?;
            let first = self.middle.as_ptr().align_offset(LINE).min(line);
            let slot = |slot| Slot { start: first + slot * self.stride, row: usize::MAX, done: 0 };
            self.slots = (0..rows).map(slot).collect();
        }
        for slot in &mut self.slots {
            slot.take(usize::MAX, 0);
        }
        Ok(())
    }

    pub(crate) fn row(&mut self, y: usize, spans: &[(u32, u32)], out: &mut [T]) {
        let needed = spans.iter().fold(0, |needed, &(start, end)| {
            let pixels = start as usize - self.first_column..end as usize - self.first_column;
            needed | self.pieces.touched(&pixels)
        });
        if needed == 0 {
            return;
        }
        let rows = self.passes.turn_to(self.rows.resized_at(y));
        self.resample_columns(rows.clone(), needed);
        self.starts.clear();
        for row in rows {
            self.starts.push(self.slots[self.slot(row)].start);
        }
        let channels = self.image.channels();
        for &(start, end) in spans {
            let (start, end) = (start as usize, end as usize);
            let offset = (start - self.first_column) * channels;
            let rows = Rows { values: &self.middle, starts: &self.starts, offset };
            self.passes.rows(rows, &mut out[start * channels..end * channels]);
        }
    }

    /// Sees to it that the `needed` pieces of `rows` of the source have been resampled along their columns.
    ///
    /// Rows of which there is nothing yet go together, which costs less than one after the other.
    fn resample_columns(&mut self, rows: Range<usize>, needed: u64) {
        let mut single = None;
        for row in rows.clone() {
            if self.has(row) {
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
        let ahead = (self.rows.input - next).min(self.slots.len() - rows.len()).min(P::TOGETHER - 1);
        match if rows.start < row { ahead } else { 0 } {
            0 => self.begin([row], needed),
            1 => self.begin([row, next], needed),
            2 => self.begin([row, next, next + 1], needed),
            _ => self.begin([row, next, next + 1, next + 2], needed),
        }
    }

    fn has(&self, row: usize) -> bool {
        self.slots[self.slot(row)].row == row
    }

    /// The number of the slot for a row. A division would cost more than all else that is done for one.
    fn slot(&self, row: usize) -> usize {
        let count = self.slots.len();
        if count.is_power_of_two() { row & (count - 1) } else { row % count }
    }

    /// Resamples rows of which there is nothing yet.
    fn begin<const N: usize>(&mut self, rows: [usize; N], needed: u64) {
        let sources = rows.map(|row| Source { row, start: self.slots[self.slot(row)].start });
        for pixels in self.pieces.runs(needed) {
            self.resample(sources, pixels);
        }
        for row in rows {
            let slot = self.slot(row);
            self.slots[slot].take(row, needed);
        }
    }

    /// Resamples some pixels of a few rows, each into its slot.
    pub(super) fn resample<const N: usize>(&mut self, sources: [Source; N], pixels: Range<usize>) {
        let channels = self.image.channels();
        let (from, length) = (pixels.start * channels, pixels.len() * channels + SLACK);
        let places = sources.map(|Source { start, .. }| start + from..start + from + length);
        // Slots do not overlap.
        if let Ok(out) = self.middle.get_disjoint_mut(places) {
            self.passes.columns(sources.map(|Source { row, .. }| self.image.rows_from(row)), pixels, out);
        }
    }

    /// Resamples what is missing of a row.
    fn extend(&mut self, row: usize, needed: u64) {
        let slot = self.slot(row);
        let missing = needed & !self.slots[slot].done;
        self.slots[slot].done |= missing;
        let channels = self.image.channels();
        for pixels in self.pieces.runs(missing) {
            let start = self.slots[slot].start + pixels.start * channels;
            let length = pixels.len() * channels;
            let out = &mut self.middle[start..start + length + SLACK];
            // What lies past the end may be there already, and kernels may write over it.
            let mut past = [P::Middle::default(); SLACK];
            past.copy_from_slice(&out[length..]);
            self.passes.columns([self.image.rows_from(row)], pixels, [out]);
            self.middle[start + length..][..SLACK].copy_from_slice(&past);
        }
    }
}
