//! Whole `float32` images, both passes at once: what the horizontal pass finds stays in registers.

use std::array;
use std::ops::Range;

use super::whole::LinearFilter;
use crate::resample::separable::{BLOCK, Separable};
use crate::view::ImageViewMut;

/// Number of output rows that go together at most.
const MOST_ROWS: usize = 4;

/// Number of the first source row, of those that go together, of output row `number`. `steps` has two bits for each
/// output row but the last: how many source rows later the next one begins.
pub(super) const fn first_of(steps: u32, number: usize) -> usize {
    let before = steps & ((1 << (2 * number)) - 1);
    ((before & 0x55).count_ones() + 2 * (before & 0xaa).count_ones()) as usize
}

impl<T: Copy + Default, P: LinearFilter<T>> Separable<'_, T, P> {
    /// Resamples canvas rows over all `columns` of the window.
    pub(super) fn place_fused(
        &mut self,
        mut rows: Range<usize>,
        columns: &Range<usize>,
        out: &mut ImageViewMut<'_, T>,
    ) {
        while !rows.is_empty() {
            let (mut last, weights) = self.passes.pair(self.rows.resized_at(rows.start));
            let first = last.start;
            let (mut steps, mut all, mut count) = (0, [weights; MOST_ROWS], 1);
            let mut firsts = [first; MOST_ROWS];
            for y in rows.clone().skip(1).take(MOST_ROWS - 1) {
                let (next, weights) = self.passes.pair(self.rows.resized_at(y));
                let step = (next.start - last.start).min(2);
                // At the borders one row is both.
                if last.len() != 2 || next.len() != 2 || count > 1 && step == 2 || steps == 0b10 {
                    break;
                }
                steps |= (step as u32) << (2 * (count - 1));
                all[count] = weights;
                firsts[count] = next.start;
                (last, count) = (next, count + 1);
            }
            let y = rows.start;
            rows.start += match (count, steps) {
                (2, 0b10) => self.fused_rows::<4, 2, 0b10>(
                    array::from_fn(|k| firsts[k / 2] + k % 2),
                    all,
                    y,
                    columns,
                    out,
                ),
                (2, 0b01) => {
                    self.fused_rows::<3, 2, 0b01>([first, first + 1, first + 2], all, y, columns, out)
                }
                (3, 0b0101) => {
                    self.fused_rows::<4, 3, 0b0101>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b00_00_00) => {
                    self.fused_rows::<2, 4, 0b00_00_00>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b00_00_01) => {
                    self.fused_rows::<3, 4, 0b00_00_01>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b00_01_00) => {
                    self.fused_rows::<3, 4, 0b00_01_00>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b01_00_00) => {
                    self.fused_rows::<3, 4, 0b01_00_00>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b00_01_01) => {
                    self.fused_rows::<4, 4, 0b00_01_01>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b01_00_01) => {
                    self.fused_rows::<4, 4, 0b01_00_01>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b01_01_00) => {
                    self.fused_rows::<4, 4, 0b01_01_00>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                (4, 0b01_01_01) => {
                    self.fused_rows::<5, 4, 0b01_01_01>(array::from_fn(|k| first + k), all, y, columns, out)
                }
                _ => {
                    let pair = self.passes.pair(self.rows.resized_at(y)).0;
                    self.fused_rows::<2, 1, 0>([first, pair.end - 1], all, y, columns, out)
                }
            };
        }
    }

    /// Makes `M` output rows; gives their number.
    fn fused_rows<const N: usize, const M: usize, const STEPS: u32>(
        &self,
        sources: [usize; N],
        weights: [P::Weights; MOST_ROWS],
        y: usize,
        columns: &Range<usize>,
        out: &mut ImageViewMut<'_, T>,
    ) -> usize {
        let channels = self.image.channels();
        let pixels = columns.len().next_multiple_of(BLOCK);
        let sources = sources.map(|row| self.image.row(row));
        let weights = array::from_fn(|k| weights[k]);
        let mut rows = out.rows_mut(y, M);
        let mut rows: [_; M] = array::from_fn(|_| {
            rows.next().map_or(&mut [][..], |row| &mut row[columns.start * channels..columns.end * channels])
        });
        let whole = rows.each_mut().map(|row| row.as_chunks_mut().0);
        self.passes.fuse::<N, M, STEPS>(sources, 0..pixels, weights, whole);
        if !(columns.len() * channels).is_multiple_of(8) {
            let last = pixels - BLOCK;
            let mut ends = [[[T::default(); 8]; 8]; M];
            self.passes.fuse::<N, M, STEPS>(
                sources,
                last..pixels,
                weights,
                ends.each_mut().map(|end| &mut end[..]),
            );
            for (row, end) in rows.iter_mut().zip(&ends) {
                let rest = &mut row[last * channels..];
                rest.copy_from_slice(&end.as_flattened()[..rest.len()]);
            }
        }
        M
    }
}
