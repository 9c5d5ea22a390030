//! Whole images: output rows that share source rows go together, a stretch of columns at a time.
//!
//! The horizontal pass waits for arithmetic and the vertical one for memory. Taking turns within what the nearest cache
//! holds, each works while the other waits: bytes take 4 to 14 % less time than row by row (480x640 pixels, Zen 4).

use std::ops::Range;

use super::table::TOGETHER;
use crate::error::Result;
use crate::resample::separable::{
    BLOCK, INTERMEDIATE_SLACK, IntermediateRows, SeparableFilter, SeparableResampler, SourceRow,
};
use crate::view::ImageViewMut;

/// Bytes of a stretch of a source row after the horizontal pass.
const STRETCH: usize = 8192;

/// Number of output rows that go together at most: each is one more place that is written to.
const MOST_ROWS: usize = 8;

/// Separable filter whose vertical pass mixes two rows.
pub trait LinearFilter<T>: SeparableFilter<T> {
    /// Weights of both rows.
    type Weights: Copy + Default;

    /// Source rows, one or two, of resized row `i`, and their weights.
    fn pair(&self, i: usize) -> (Range<usize>, Self::Weights);

    /// Whether [`LinearFilter::fuse`] is to do both passes of whole images at once.
    fn is_fused(&self) -> bool {
        false
    }

    /// Resamples whole blocks of pixels of `N` source rows, and mixes them into `M` output rows, of which each begins as
    /// many source rows after the one before as `STEPS` say; see [`first_of`](super::fused::first_of).
    fn fuse<const N: usize, const M: usize, const STEPS: u32>(
        &self,
        _sources: [&[T]; N],
        _pixels: Range<usize>,
        _weights: [Self::Weights; M],
        _out: [&mut [[T; 8]]; M],
    ) {
    }

    /// Mixes two rows. Each has [`INTERMEDIATE_SLACK`] values more than `out`.
    fn mix(&self, rows: [&[Self::Intermediate]; 2], weights: Self::Weights, out: &mut [T]);
}

/// The two rows, which beyond the outermost are one, with what may be read past their ends.
pub(super) fn both<'a, M>(rows: &IntermediateRows<'a, M>, length: usize) -> [&'a [M]; 2] {
    let length = length + INTERMEDIATE_SLACK;
    [rows.get(0, 0, length), rows.get(rows.starts.len() - 1, 0, length)]
}

/// Output rows that follow each other, and the source rows they need.
#[derive(Default)]
struct SharedRows<W> {
    rows: [SharedRow<W>; MOST_ROWS],
    count: usize,
    /// Source rows that are still to be resampled.
    missing: [SourceRow; TOGETHER],
    missing_count: usize,
}

/// Output row: the first values of its source rows after the horizontal pass, and their weights.
#[derive(Clone, Copy, Default)]
struct SharedRow<W> {
    starts: [usize; 2],
    weights: W,
}

impl<T: Copy + Default, F: LinearFilter<T>> SeparableResampler<'_, T, F> {
    /// Resamples canvas rows over the whole of the window.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub(in crate::resample) fn place(
        &mut self,
        mut rows: Range<usize>,
        columns: &Range<usize>,
        out: &mut ImageViewMut<'_, T>,
    ) -> Result<()> {
        if self.filter.is_fused() {
            self.place_fused(rows, columns, out);
            return Ok(());
        }
        let channels = self.image.channels();
        let values = STRETCH / size_of::<F::Intermediate>();
        let stretch = (values / channels).max(1).next_multiple_of(2 * BLOCK);
        let padded = columns.len().next_multiple_of(BLOCK);
        self.keep(TOGETHER + 1)?;
        let mut shared = SharedRows::default();
        while !rows.is_empty() {
            self.turn_to_shared(rows.clone(), &mut shared);
            for start in (0..padded).step_by(stretch) {
                let end = (start + stretch).min(padded);
                match shared.missing[..shared.missing_count] {
                    [a] => self.resample([a], start..end),
                    [a, b] => self.resample([a, b], start..end),
                    [a, b, c] => self.resample([a, b, c], start..end),
                    [a, b, c, d] => self.resample([a, b, c, d], start..end),
                    _ => {}
                }
                let from = start * channels;
                let length = end.min(columns.len()) * channels - from;
                for (y, row) in (rows.start..).zip(&shared.rows[..shared.count]) {
                    let both = row
                        .starts
                        .map(|start| &self.intermediate[start + from..][..length + INTERMEDIATE_SLACK]);
                    let out = &mut out.row_mut(y)[columns.start * channels + from..][..length];
                    self.filter.mix(both, row.weights, out);
                }
            }
            rows.start += shared.count;
        }
        Ok(())
    }

    /// Takes the first of `rows`: as many as [`TOGETHER`] further source rows allow. What is missing counts as there from
    /// now on.
    fn turn_to_shared(&mut self, rows: Range<usize>, shared: &mut SharedRows<F::Weights>) {
        (shared.count, shared.missing_count) = (0, 0);
        let mut end = None;
        for (y, shared_row) in rows.zip(&mut shared.rows) {
            let (pair, weights) = self.filter.pair(self.rows.resized_at(y));
            let end = *end.get_or_insert(pair.start + self.slots.len());
            let mut slot = pair.start % self.slots.len();
            *shared_row = SharedRow { starts: [self.slots[slot].start; 2], weights };
            for row in pair {
                let place = &mut self.slots[slot];
                if (place.row, place.done) != (row, !0) {
                    if row >= end || shared.missing_count == TOGETHER {
                        // What is missing of this output row already is found the next time.
                        return;
                    }
                    place.take(row, !0);
                    shared.missing[shared.missing_count] = SourceRow { row, start: place.start };
                    shared.missing_count += 1;
                }
                shared_row.starts[1] = place.start;
                slot = if slot + 1 == self.slots.len() { 0 } else { slot + 1 };
            }
            shared.count += 1;
        }
    }
}
