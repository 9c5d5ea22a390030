//! The blur of a soft edge: along each row first, then down the columns, and only where something changes.

use std::mem::take;
use std::ops::Range;

use super::alpha::{BlurExtent, BlurWeights};
use super::alpha_blocks::Alpha;
use super::dispatch;
use super::portable::WIDTH;
use crate::bits::{Span, append_runs, set_bits};
use crate::error::Result;
use crate::memory::{collect, filled};
use crate::rle::BitPlane;
use crate::simd::Level;

/// Value of a row, in 1/4096, where it sees nothing but the object.
pub(super) const FULL: i16 = 4096;

/// Blurs a mask, first along its rows, then down its columns.
pub(super) fn blur(
    level: Level,
    mask: &BitPlane,
    rows: &BlurExtent,
    columns: &BlurExtent,
    kernel: &BlurWeights,
) -> Result<Alpha> {
    let canvas = |out: &Range<i64>| out.start as usize..out.end as usize;
    let (rows_out, columns_out) = (canvas(&rows.out), canvas(&columns.out));
    let first = columns_out.start / 64 * 64;
    let taps = kernel.weights.len();
    let shift = columns.object.start - first as i64;
    let sources = rows_out.len() + taps - 1;
    let mut blocks = BlockMap::new(columns_out.end - first, sources)?;
    // Spans of all source rows, counted from the first that an output row needs, and the number of those before each.
    let (mut spans, mut before): (Vec<Span>, Vec<usize>) = (Vec::new(), filled(sources + 1)?);
    let moved = |&(start, end): &Span| start as i64 + shift..end as i64 + shift;
    for number in 0..sources {
        let row = rows.out.start + kernel.low + number as i64 - rows.object.start;
        if (mask.bbox().y0 as i64..mask.bbox().y1 as i64).contains(&row) {
            append_runs((mask.first_word() * 64) as u32, mask.row(row as usize).iter().copied(), &mut spans)?;
        }
        spans[before[number]..].iter().map(moved).for_each(|span| blocks.mark(number, &span, kernel));
        before[number + 1] = spans.len();
    }
    let [whole, mixed] = blocks.of_windows(taps)?;
    let count = mixed.iter().map(|word| word.count_ones() as usize).sum::<usize>();
    let words = blocks.words;
    let mut alpha = Alpha {
        starts: filled(rows_out.len())?,
        rows: rows_out,
        columns: columns_out,
        first,
        words,
        whole,
        mixed,
        values: filled(count)?,
        bits: filled(count)?,
    };
    let needed = needed(&alpha.mixed, words, taps)?;
    let mut ring = BlurredRows::new(blocks.length, taps)?;
    let mut mixed_block = 0;
    for number in 0..sources {
        let bits = number * words..(number + 1) * words;
        let mut row = ring.turn_to(number, &needed[bits.clone()], &blocks.inside[bits]);
        let of_row = &spans[before[number]..before[number + 1]];
        of_row.iter().map(moved).for_each(|span| add_ends(&mut row, &span, kernel));
        let Some(y) = (number + 1).checked_sub(taps) else { continue };
        alpha.starts[y] = mixed_block;
        ring.turn_weights(y, &kernel.weights);
        for block in set_bits(&alpha.mixed[y * words..(y + 1) * words]) {
            let (rows, weights) = ring.of_block(block);
            let (values, bits) = (&mut alpha.values[mixed_block], &mut alpha.bits[mixed_block]);
            dispatch::blur(level, rows, weights, values, bits);
            mixed_block += 1;
        }
    }
    Ok(alpha)
}

/// Map of the blocks of source rows, each row blurred along itself: one bit for each block, row by row.
struct BlockMap {
    /// Number of pixels of a row, a multiple of the block.
    length: usize,
    /// Number of words that have a bit for each block of a row.
    words: usize,
    /// Blocks that the blurred end of a span touches.
    edge: Vec<u64>,
    /// Blocks that see nothing but one span.
    inside: Vec<u64>,
}

impl BlockMap {
    fn new(columns: usize, sources: usize) -> Result<Self> {
        let length = columns.next_multiple_of(WIDTH);
        let words = (length / WIDTH).div_ceil(64);
        let all = words.saturating_mul(sources);
        Ok(Self { length, words, edge: filled(all)?, inside: filled(all)? })
    }

    fn mark(&mut self, number: usize, span: &Range<i64>, kernel: &BlurWeights) {
        let bits = number * self.words..(number + 1) * self.words;
        for end in [span.start, span.end] {
            let blocks = blocks_of_end(end, kernel, self.length);
            set_range(&mut self.edge[bits.clone()], blocks);
        }
        let clamp = |x: i64| x.clamp(0, self.length as i64) as usize;
        let (from, to) = (clamp(span.start - kernel.low), clamp(span.end - kernel.high));
        set_range(&mut self.inside[bits], from.div_ceil(WIDTH)..to / WIDTH);
    }

    /// Bits for each `taps` neighbouring rows: the blocks that see nothing but the object, and those that see some of it.
    fn of_windows(&mut self, taps: usize) -> Result<[Vec<u64>; 2]> {
        let inside = collect(self.inside.iter().copied())?;
        let outside = collect(inside.iter().map(|bits| !bits))?;
        let edge = any_of_windows(take(&mut self.edge), self.words, taps);
        let inside = any_of_windows(inside, self.words, taps);
        let outside = any_of_windows(outside, self.words, taps);
        let (mut whole, mut mixed) = (inside, edge);
        for ((whole, mixed), outside) in whole.iter_mut().zip(&mut mixed).zip(&outside) {
            (*whole, *mixed) = (!outside & !*mixed, *mixed | (*whole & outside));
        }
        Ok([whole, mixed])
    }
}

/// Bits of the blocks that each source row is needed in.
fn needed(mixed: &[u64], words: usize, taps: usize) -> Result<Vec<u64>> {
    let around = (taps - 1) * words;
    let mut padded = filled(mixed.len() + 2 * around)?;
    padded[around..around + mixed.len()].copy_from_slice(mixed);
    Ok(any_of_windows(padded, words, taps))
}

/// Bits that any of `taps` neighbouring rows has, for each such window; a row has `words` words.
fn any_of_windows(mut bits: Vec<u64>, words: usize, taps: usize) -> Vec<u64> {
    // Windows of 1, 2, 4, ... rows, the last two of which overlap.
    let mut rows = 1;
    while rows < taps {
        let further = rows.min(taps - rows);
        let (ahead, left) = (further * words, bits.len() - further * words);
        // What lies ahead is not changed yet.
        for i in 0..left {
            bits[i] |= bits[i + ahead];
        }
        bits.truncate(left);
        rows += further;
    }
    bits
}

/// Ring of source rows, one for each weight, blurred along themselves; blocks that are not needed hold anything.
struct BlurredRows {
    /// Number of pixels of a row.
    length: usize,
    taps: usize,
    /// Number of rows, and one more, of weight 0, where they would not go in pairs.
    slots: usize,
    /// Values in 1/4096, block after block: each has `slots` rows, source row `number` in slot `number % taps`.
    values: Vec<[i16; WIDTH]>,
    /// Weight of the row of each slot, in 1/4096.
    weights: Vec<i16>,
}

/// One source row of the ring.
struct BlurredRow<'a> {
    length: usize,
    /// Values from the row's first block on; its next blocks follow at the distance `slots`.
    values: &'a mut [[i16; WIDTH]],
    slots: usize,
}

impl BlurredRows {
    fn new(length: usize, taps: usize) -> Result<Self> {
        let slots = taps.next_multiple_of(2);
        let values = filled((length / WIDTH).saturating_mul(slots))?;
        Ok(Self { length, taps, slots, values, weights: filled(slots)? })
    }

    /// Begins source row `number`: its needed blocks are filled with all or nothing.
    fn turn_to(&mut self, number: usize, needed: &[u64], inside: &[u64]) -> BlurredRow<'_> {
        let values = &mut self.values[number % self.taps..];
        let mut row = BlurredRow { length: self.length, values, slots: self.slots };
        for block in set_bits(needed) {
            let full = inside[block / 64] >> (block % 64) & 1 == 1;
            *row.block(block) = [if full { FULL } else { 0 }; WIDTH];
        }
        row
    }

    /// Turns the weights to the slots of the rows that output row `y` needs.
    fn turn_weights(&mut self, y: usize, weights: &[i16]) {
        let (behind, before) = weights.split_at(self.taps - y % self.taps);
        self.weights[..before.len()].copy_from_slice(before);
        self.weights[before.len()..self.taps].copy_from_slice(behind);
    }

    /// Rows of a block, slot by slot, and their weights.
    fn of_block(&self, block: usize) -> (&[[i16; WIDTH]], &[i16]) {
        (&self.values[block * self.slots..][..self.slots], &self.weights)
    }
}

impl BlurredRow<'_> {
    fn block(&mut self, block: usize) -> &mut [i16; WIDTH] {
        &mut self.values[block * self.slots]
    }
}

/// Adds one span to the blocks that its blurred ends touch; parts of it may lie beside the row.
fn add_ends(row: &mut BlurredRow<'_>, span: &Range<i64>, kernel: &BlurWeights) {
    let [starts, ends] = [span.start, span.end].map(|end| blocks_of_end(end, kernel, row.length));
    // What the start does not touch, the span begins to fill at its very left.
    for block in ends.start.max(starts.end).min(ends.end)..ends.end {
        let block = row.block(block);
        *block = block.map(|value| value + FULL);
    }
    for block in starts {
        add(row.block(block), ramp(block, span.start, kernel), 1);
    }
    for block in ends {
        add(row.block(block), ramp(block, span.end, kernel), -1);
    }
}

/// Blurred start of a span as the values of one block, which it touches.
fn ramp(block: usize, start: i64, kernel: &BlurWeights) -> &[i16; WIDTH] {
    // Position x sees what lies at x + low to x + high.
    let first = (block * WIDTH) as i64 - (start - kernel.high) + WIDTH as i64;
    kernel.ramp[first as usize..].first_chunk().unwrap_or(&[FULL; WIDTH])
}

fn add(block: &mut [i16; WIDTH], values: &[i16; WIDTH], sign: i16) {
    for (value, &more) in block.iter_mut().zip(values) {
        *value += sign * more;
    }
}

/// Numbers of the blocks that the blurred end of a span touches.
fn blocks_of_end(end: i64, kernel: &BlurWeights, length: usize) -> Range<usize> {
    let clamp = |x: i64| x.clamp(0, length as i64) as usize;
    clamp(end - kernel.high) / WIDTH..clamp(end - kernel.low).div_ceil(WIDTH)
}

fn set_range(words: &mut [u64], range: Range<usize>) {
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min((start / 64 + 1) * 64);
        words[start / 64] |= (!0 >> (64 - (end - start))) << (start % 64);
        start = end;
    }
}
