//! Linear filter of bytes, bit-equal to OpenCV's `INTER_LINEAR`.

use std::ops::Range;

use super::axis::{LinearAxis, TapPair, fixed_weights, number};
use super::dispatch;
#[cfg(target_arch = "x86_64")]
use super::permutations::PermutationBlocks;
#[cfg(target_arch = "x86_64")]
use super::shuffles::ShuffleBlocks;
use super::table::{LinearTable, TOGETHER};
use super::whole::{LinearFilter, both};
use crate::error::Result;
use crate::memory::filled;
use crate::resample::separable::{CanvasWindow, IntermediateRows, SeparableFilter};
use crate::simd::Level;

/// Tables of the horizontal pass over bytes.
#[derive(Debug)]
pub(super) struct LinearByteTables {
    pub(super) table: LinearTable<i16>,
    pub(super) lookup: ByteLookup,
}

/// Taps and weights in the form that the fastest kernel takes.
#[derive(Debug)]
pub(super) enum ByteLookup {
    /// First and second weights, one for each value: value `i` has the taps `start[i / channels] + i % channels` and that
    /// plus `channels`.
    Weights([Vec<i16>; 2]),
    #[cfg(target_arch = "x86_64")]
    Shuffles(ShuffleBlocks),
    #[cfg(target_arch = "x86_64")]
    Permutations(PermutationBlocks),
}

/// Linear filter of bytes.
#[derive(Debug)]
pub struct LinearBytes {
    tables: LinearByteTables,
    /// Rows of one column, each twice.
    doubled: Vec<u8>,
    rows: LinearAxis,
    weights: [i16; 2],
    level: Level,
}

impl LinearByteTables {
    #[inline(always)]
    pub(super) fn new(window: &CanvasWindow) -> Result<Self> {
        let axis = LinearAxis::new(&window.placement.columns());
        let table = LinearTable::new(window, |column| {
            let TapPair { first, share } = axis.clamp(axis.single(column));
            (number(first), fixed_weights(share))
        })?;
        #[cfg(target_arch = "x86_64")]
        if window.level.has_avx512()
            && let Some(blocks) = PermutationBlocks::new(&table)?
        {
            return Ok(Self { table, lookup: ByteLookup::Permutations(blocks) });
        }
        #[cfg(target_arch = "x86_64")]
        if window.level.has_avx2()
            && let Some(blocks) = ShuffleBlocks::new(&table)?
        {
            return Ok(Self { table, lookup: ByteLookup::Shuffles(blocks) });
        }
        let spread = |which: usize| {
            let mut weights = filled(table.start.len() * table.channels)?;
            for (values, pixel) in weights.chunks_exact_mut(table.channels).zip(&table.weights) {
                values.fill(pixel[which]);
            }
            Ok(weights)
        };
        let lookup = ByteLookup::Weights([spread(0)?, spread(1)?]);
        Ok(Self { table, lookup })
    }
}

impl SeparableFilter<u8> for LinearBytes {
    type Intermediate = i16;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &CanvasWindow) -> Result<Self> {
        let tables = dispatch::tables_u8(window.level, window)?;
        let doubled = tables.table.doubled()?;
        let rows = LinearAxis::new(&window.placement.rows());
        Ok(Self { tables, doubled, rows, weights: [0; 2], level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn horizontal<const N: usize>(&mut self, rows: [&[u8]; N], pixels: Range<usize>, out: [&mut [i16]; N]) {
        let lines = self.tables.table.lines(rows, &mut self.doubled);
        dispatch::horizontal_u8(self.level, lines, &self.tables, pixels, out);
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        let (rows, weights) = self.pair(i);
        self.weights = weights;
        rows
    }

    fn vertical(&self, rows: IntermediateRows<'_, i16>, out: &mut [u8]) {
        self.mix(both(&rows, out.len()), self.weights, out);
    }
}

impl LinearFilter<u8> for LinearBytes {
    type Weights = [i16; 2];

    fn pair(&self, i: usize) -> (Range<usize>, [i16; 2]) {
        // Beyond the outermost rows both taps are the same row, and keep their weights.
        let TapPair { first, share } = self.rows.single(i as i32);
        (self.rows.samples(first), fixed_weights(share))
    }

    fn mix(&self, rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
        dispatch::vertical_u8(self.level, rows, weights, out);
    }
}
