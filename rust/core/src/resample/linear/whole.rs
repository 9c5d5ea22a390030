//! Whole images: output rows that share source rows go together, a stretch of columns at a time.
//!
//! The first pass waits for arithmetic and the second for memory. Taking turns within what the nearest cache holds,
//! each works while the other waits.

use std::ops::Range;

use crate::error::Result;
use crate::resample::separable::{BLOCK, MIDDLE_SLACK, Passes, Separable, Source};
use crate::view::ImageViewMut;

/// Bytes of a source row in a stretch, after the first pass.
const STRETCH: usize = 8192;

/// Bytes that the caches nearest by hold without delay: somewhat more than the first of them.
const NEAREST: usize = 64 << 10;

/// Output rows of a band at most: each is one more place that is written to.
const BAND: usize = 8;

/// Source rows that are resampled together at most: the tables of the first pass are read once for all.
pub(super) const TOGETHER: usize = 4;

/// Passes of which the second mixes two rows.
pub trait LinearFilter<T>: Passes<T> {
    /// How much each row weighs.
    type Weights: Copy + Default;

    /// The source rows, one or two, of resized row `i`, and their weights.
    fn pair(&self, i: usize) -> (Range<usize>, Self::Weights);

    /// Whether [`LinearFilter::fuse`] does both passes at once.
    fn is_fused(&self) -> bool {
        false
    }

    /// Fused passes over whole blocks of pixels.
    fn fuse<const N: usize, const M: usize, const STEPS: u32>(
        &self,
        _sources: [&[T]; N],
        _pixels: Range<usize>,
        _weights: [Self::Weights; M],
        _out: [&mut [[T; 8]]; M],
    ) {
    }

    /// The second pass. Each row has [`MIDDLE_SLACK`] values more than `out`.
    fn mix(&self, rows: [&[Self::Middle]; 2], weights: Self::Weights, out: &mut [T]);
}

/// Output rows that follow each other, and what they need.
#[derive(Default)]
struct Band<W> {
    rows: [Mixed<W>; BAND],
    count: usize,
    /// Source rows that are still to be resampled, and how many.
    missing: [Source; TOGETHER],
    missing_count: usize,
}

/// An output row: where its source rows are after the first pass, and their weights.
#[derive(Clone, Copy, Default)]
struct Mixed<W> {
    starts: [usize; 2],
    weights: W,
}

impl<T: Copy + Default, P: LinearFilter<T>> Separable<'_, T, P> {
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
        if self.passes.is_fused() {
            self.place_fused(rows, columns, out);
            return Ok(());
        }
        let channels = self.image.channels();
        let stretch = (STRETCH / size_of::<P::Middle>() / channels).max(1).next_multiple_of(2 * BLOCK);
        let padded = columns.len().next_multiple_of(BLOCK);
        let middle = (columns.len() * channels * size_of::<P::Middle>()).min(STRETCH);
        let most = if TOGETHER * (middle + size_of_val(self.image.row(0))) <= NEAREST { TOGETHER } else { 2 };
        self.keep(most + 1)?;
        let mut band = Band::default();
        while !rows.is_empty() {
            self.turn_to_band(rows.clone(), most, &mut band);
            for start in (0..padded).step_by(stretch) {
                let end = (start + stretch).min(padded);
                match band.missing[..band.missing_count] {
                    [a] => self.resample([a], start..end),
                    [a, b] => self.resample([a, b], start..end),
                    [a, b, c] => {
                        self.resample([a, b], start..end);
                        self.resample([c], start..end);
                    }
                    [a, b, c, d] => self.resample([a, b, c, d], start..end),
                    _ => {}
                }
                let from = start * channels;
                let length = end.min(columns.len()) * channels - from;
                for (y, mixed) in (rows.start..).zip(&band.rows[..band.count]) {
                    let rows =
                        mixed.starts.map(|start| &self.middle[start + from..][..length + MIDDLE_SLACK]);
                    let out = &mut out.row_mut(y)[columns.start * channels + from..][..length];
                    self.passes.mix(rows, mixed.weights, out);
                }
            }
            rows.start += band.count;
        }
        Ok(())
    }

    /// Takes the first of `rows`: as many as `most` source rows more allow. What is missing
    /// counts as there from now on.
    fn turn_to_band(&mut self, rows: Range<usize>, most: usize, band: &mut Band<P::Weights>) {
        (band.count, band.missing_count) = (0, 0);
        let mut end = None;
        for (y, mixed) in rows.zip(&mut band.rows) {
            let (pair, weights) = self.passes.pair(self.rows.resized_at(y));
            let end = *end.get_or_insert(pair.start + self.slots.len());
            let mut slot = pair.start % self.slots.len();
            *mixed = Mixed { starts: [self.slots[slot].start; 2], weights };
            for row in pair {
                let place = &mut self.slots[slot];
                if (place.row, place.done) != (row, !0) {
                    if row >= end || band.missing_count == most {
                        // What is missing of this output row already, the next band will find.
                        return;
                    }
                    place.take(row, !0);
                    band.missing[band.missing_count] = Source { row, start: place.start };
                    band.missing_count += 1;
                }
                mixed.starts[1] = place.start;
                slot = if slot + 1 == self.slots.len() { 0 } else { slot + 1 };
            }
            band.count += 1;
        }
    }
}
