//! Whole images, both passes at once: what is found in a source row is mixed into all output rows that need it while it
//! is in registers.
//!
//! Several rows are read and several written in turns, which keeps the memory busy that one row at a time would wait for.

use std::array;
use std::ops::Range;

use super::bands::Pairs;
use super::separable::{BLOCK, SLACK, Separable};
use crate::error::Result;
use crate::memory::filled;
use crate::view::ImageViewMut;

/// Output rows of a chain at most.
pub(super) const CHAIN: usize = 4;

/// Source rows of a chain at most.
pub(super) const CHAIN_SOURCES: usize = CHAIN + 1;

/// Output rows that follow each other and are made together.
struct Chain<W> {
    sources: Range<usize>,
    /// Bit i tells whether output row i + 1 begins one source row after output row i, else with the same.
    steps: u32,
    weights: [W; CHAIN],
    count: usize,
}

/// The first of the two source rows of output row `number` of a chain.
pub(super) const fn first_of(steps: u32, number: usize) -> usize {
    (steps & ((1 << number) - 1)).count_ones() as usize
}

/// Where output rows go.
struct Output<'o, 'a, T> {
    image: &'o mut ImageViewMut<'a, T>,
    columns: &'o Range<usize>,
    /// Columns in whole blocks: kernels write these, and perhaps a little more.
    padded: usize,
    /// What must not go to the image: of the first row all, of the others the last block.
    ends: [Vec<T>; CHAIN],
}

impl<T: Copy + Default, P: Pairs<T>> Separable<'_, T, P> {
    /// Resamples canvas rows over the whole of the window.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub(super) fn place_at_once(
        &mut self,
        mut rows: Range<usize>,
        columns: &Range<usize>,
        image: &mut ImageViewMut<'_, T>,
    ) -> Result<()> {
        let channels = self.image.channels();
        let padded = columns.len().next_multiple_of(BLOCK);
        let mut output = Output { image, columns, padded, ends: array::from_fn(|_| Vec::new()) };
        for (number, end) in output.ends.iter_mut().enumerate() {
            *end = filled(if number == 0 { padded } else { BLOCK } * channels + SLACK)?;
        }
        while !rows.is_empty() {
            let chain = self.first_chain(rows.clone());
            let (y, output) = (rows.start, &mut output);
            rows.start += match (chain.count, chain.steps) {
                (2, 0b1) => self.place_chain::<3, 2, 0b1>(&chain, y, output),
                (3, 0b11) => self.place_chain::<4, 3, 0b11>(&chain, y, output),
                (4, 0b000) => self.place_chain::<2, 4, 0b000>(&chain, y, output),
                (4, 0b001) => self.place_chain::<3, 4, 0b001>(&chain, y, output),
                (4, 0b010) => self.place_chain::<3, 4, 0b010>(&chain, y, output),
                (4, 0b100) => self.place_chain::<3, 4, 0b100>(&chain, y, output),
                (4, 0b011) => self.place_chain::<4, 4, 0b011>(&chain, y, output),
                (4, 0b101) => self.place_chain::<4, 4, 0b101>(&chain, y, output),
                (4, 0b110) => self.place_chain::<4, 4, 0b110>(&chain, y, output),
                (4, 0b111) => self.place_chain::<5, 4, 0b111>(&chain, y, output),
                // It shares no source row, or it is at the border.
                _ => self.place_row(&chain, y, output),
            };
        }
        Ok(())
    }

    /// The first of `rows` that can be made together.
    fn first_chain(&self, rows: Range<usize>) -> Chain<P::Weights> {
        let (mut last, weights) = self.passes.pair(self.rows.resized_at(rows.start));
        let mut chain = Chain { sources: last.clone(), steps: 0, weights: [weights; CHAIN], count: 1 };
        for y in rows.skip(1).take(CHAIN - 1) {
            let (next, weights) = self.passes.pair(self.rows.resized_at(y));
            let step = next.start.wrapping_sub(last.start);
            // At the borders one row is both.
            if last.len() != 2 || next.len() != 2 || step > 1 {
                break;
            }
            chain.steps |= (step as u32) << (chain.count - 1);
            chain.sources.end = next.end;
            chain.weights[chain.count] = weights;
            chain.count += 1;
            last = next;
        }
        chain
    }

    /// Makes the first output row of a chain; gives their number, one. What lies behind the row in the image may be
    /// written over: it is not there yet.
    fn place_row(&mut self, chain: &Chain<P::Weights>, y: usize, output: &mut Output<'_, '_, T>) -> usize {
        let Output { image, columns, padded, ends: [end, ..] } = output;
        let channels = self.image.channels();
        let first = chain.sources.start;
        let sources = [first, (first + 1).min(chain.sources.end - 1)].map(|row| self.image.rows_from(row));
        let weights = [chain.weights[0]];
        let out = &mut image.rows_from_mut(y)[columns.start * channels..];
        if let Some(out) = out.get_mut(..end.len()) {
            self.passes.chain::<2, 1, 0>(sources, 0..*padded, weights, [out]);
        } else {
            self.passes.chain::<2, 1, 0>(sources, 0..*padded, weights, [end]);
            let length = columns.len() * channels;
            out[..length].copy_from_slice(&end[..length]);
        }
        1
    }

    /// Makes the `M` output rows of a chain; gives their number.
    fn place_chain<const N: usize, const M: usize, const STEPS: u32>(
        &mut self,
        chain: &Chain<P::Weights>,
        y: usize,
        output: &mut Output<'_, '_, T>,
    ) -> usize {
        let Output { image, columns, padded, ends } = output;
        let channels = self.image.channels();
        let sources = array::from_fn(|k| self.image.rows_from(chain.sources.start + k));
        let weights = array::from_fn(|k| chain.weights[k]);
        let mut rows = image.rows_mut(y, M);
        let mut out: [&mut [T]; M] = array::from_fn(|_| {
            let row = rows.next().unwrap_or_default();
            &mut row[columns.start * channels..columns.end * channels]
        });
        // The last block elsewhere, since behind a row lies another one that is written now.
        let last = *padded - BLOCK;
        self.passes.chain::<N, M, STEPS>(sources, 0..last, weights, out.each_mut().map(|row| &mut **row));
        let mut blocks = ends.iter_mut();
        let block = array::from_fn(|_| blocks.next().map_or_else(Default::default, |end| &mut end[..]));
        self.passes.chain::<N, M, STEPS>(sources, last..*padded, weights, block);
        for (row, end) in out.iter_mut().zip(ends) {
            let rest = &mut row[last * channels..];
            rest.copy_from_slice(&end[..rest.len()]);
        }
        M
    }
}
