//! Whole float images, both passes at once: what the horizontal pass finds is mixed into all output rows that need it
//! while it is in registers.
//!
//! Several source rows are read and several output rows written in turns, which keeps the memory busy that one row at a
//! time would wait for.

use std::array;
use std::ops::Range;

use super::whole::LinearFilter;
use crate::resample::separable::{BLOCK, SeparableResampler};
use crate::view::ImageViewMut;

/// Number of output rows that are made together at most.
const MOST_ROWS: usize = 4;

/// Values that a kernel writes at a time.
pub(crate) const FUSED_VALUES: usize = 8;

/// Output rows that follow each other and are made together.
struct FusedRows<W> {
    /// Numbers of both source rows of each.
    pairs: [[usize; 2]; MOST_ROWS],
    weights: [W; MOST_ROWS],
    count: usize,
    /// How many source rows later than the one before each row but the first begins, two bits for each; the first in
    /// the lowest.
    steps: u32,
}

/// Number of the first source row, of those that are read together, of output row `number`.
pub(super) const fn first_of(steps: u32, number: usize) -> usize {
    let before = steps & ((1 << (2 * number)) - 1);
    ((before & 0x55).count_ones() + 2 * (before & 0xaa).count_ones()) as usize
}

impl<T: Copy + Default, F: LinearFilter<T>> SeparableResampler<'_, T, F> {
    /// Resamples canvas rows over all `columns` of the window.
    pub(super) fn place_fused(
        &mut self,
        mut rows: Range<usize>,
        columns: &Range<usize>,
        out: &mut ImageViewMut<'_, T>,
    ) {
        while !rows.is_empty() {
            let first = self.first_fused(rows.clone());
            let y = rows.start;
            rows.start += match (first.count, first.steps) {
                (2, 0b01) => self.fuse_rows::<3, 2, 0b01>(&first, y, columns, out),
                (2, 0b10) => self.fuse_rows::<4, 2, 0b10>(&first, y, columns, out),
                (3, 0b01_01) => self.fuse_rows::<4, 3, 0b01_01>(&first, y, columns, out),
                (4, 0b00_00_00) => self.fuse_rows::<2, 4, 0b00_00_00>(&first, y, columns, out),
                (4, 0b00_00_01) => self.fuse_rows::<3, 4, 0b00_00_01>(&first, y, columns, out),
                (4, 0b00_01_00) => self.fuse_rows::<3, 4, 0b00_01_00>(&first, y, columns, out),
                (4, 0b01_00_00) => self.fuse_rows::<3, 4, 0b01_00_00>(&first, y, columns, out),
                (4, 0b00_01_01) => self.fuse_rows::<4, 4, 0b00_01_01>(&first, y, columns, out),
                (4, 0b01_00_01) => self.fuse_rows::<4, 4, 0b01_00_01>(&first, y, columns, out),
                (4, 0b01_01_00) => self.fuse_rows::<4, 4, 0b01_01_00>(&first, y, columns, out),
                (4, 0b01_01_01) => self.fuse_rows::<5, 4, 0b01_01_01>(&first, y, columns, out),
                _ => self.fuse_rows::<2, 1, 0>(&first, y, columns, out),
            };
        }
    }

    /// The first of `rows` that can be made together: those that share source rows, or two that share none.
    fn first_fused(&self, rows: Range<usize>) -> FusedRows<F::Weights> {
        let pair = |y: usize| {
            let (pair, weights) = self.filter.pair(self.rows.resized_at(y));
            ([pair.start, pair.end - 1], weights)
        };
        let (first, weights) = pair(rows.start);
        let mut fused =
            FusedRows { pairs: [first; MOST_ROWS], weights: [weights; MOST_ROWS], count: 1, steps: 0 };
        for y in rows.skip(1).take(MOST_ROWS - 1) {
            let (last, (next, weights)) = (fused.pairs[fused.count - 1], pair(y));
            let step = (next[0] - last[0]).min(2);
            // At the borders one source row is both.
            let at_border = last[0] == last[1] || next[0] == next[1];
            if at_border || fused.steps == 0b10 || (step == 2 && fused.count > 1) {
                break;
            }
            fused.steps |= (step as u32) << (2 * (fused.count - 1));
            (fused.pairs[fused.count], fused.weights[fused.count]) = (next, weights);
            fused.count += 1;
        }
        fused
    }

    /// Makes the first `M` output rows from their `N` source rows; gives their number.
    fn fuse_rows<const N: usize, const M: usize, const STEPS: u32>(
        &self,
        fused: &FusedRows<F::Weights>,
        y: usize,
        columns: &Range<usize>,
        out: &mut ImageViewMut<'_, T>,
    ) -> usize {
        let channels = self.image.channels();
        let mut sources = [&[][..]; N];
        for number in 0..M {
            for (source, row) in sources[first_of(STEPS, number)..].iter_mut().zip(fused.pairs[number]) {
                *source = self.image.row(row);
            }
        }
        let weights = array::from_fn(|number| fused.weights[number]);
        let pixels = columns.len().next_multiple_of(BLOCK);
        let mut rows = out.rows_mut(y, M);
        let mut rows: [&mut [T]; M] = array::from_fn(|_| {
            let row = rows.next().unwrap_or_default();
            &mut row[columns.start * channels..columns.end * channels]
        });
        let whole = rows.each_mut().map(|row| row.as_chunks_mut().0);
        self.filter.fuse::<N, M, STEPS>(sources, 0..pixels, weights, whole);
        if !(columns.len() * channels).is_multiple_of(FUSED_VALUES) {
            let last = pixels - BLOCK;
            let mut ends = [[[T::default(); FUSED_VALUES]; BLOCK / 2]; M];
            let places = ends.each_mut().map(|end| &mut end[..]);
            self.filter.fuse::<N, M, STEPS>(sources, last..pixels, weights, places);
            for (row, end) in rows.iter_mut().zip(&ends) {
                let rest = &mut row[last * channels..];
                rest.copy_from_slice(&end.as_flattened()[..rest.len()]);
            }
        }
        M
    }
}
