//! The blur of a soft edge: along each row first, then down the columns, and only where something changes.

use std::ops::Range;

use super::alpha::{Kernel, Reach};
use super::edge::{Alpha, set_bits};
use super::kinds::Kinds;
use super::portable::WIDTH;
use super::spans::RowSpans;
use crate::error::{Error, Result};
use crate::resample::separable::{Rows, filled};
use crate::simd::{Level, soft};

/// Blurs a mask whose rows are `spans`.
pub(super) fn blur(
    level: Level,
    spans: &RowSpans,
    rows: &Reach,
    columns: &Reach,
    kernel: &Kernel,
) -> Result<Alpha> {
    let canvas = |out: &Range<i64>| out.start as usize..out.end as usize;
    let (rows_out, columns_out) = (canvas(&rows.out), canvas(&columns.out));
    let first = columns_out.start / 64 * 64;
    let mut lines = Lines::new(columns_out.end - first, kernel)?;
    let words = lines.words;
    let masks = words.saturating_mul(rows_out.len());
    let mut alpha = Alpha {
        whole: filled(masks)?,
        mixed: filled(masks)?,
        starts: filled(rows_out.len())?,
        rows: rows_out,
        columns: columns_out,
        first,
        words,
        ..Alpha::nothing()
    };
    let shift = columns.object.start - first as i64;
    for (number, source) in (rows.out.start + kernel.low..rows.out.end + kernel.high).enumerate() {
        let object = rows.object.contains(&source).then(|| spans.row((source - rows.object.start) as usize));
        lines.turn_to(number, object.unwrap_or_default(), shift);
        let Some(y) = (number + 1).checked_sub(kernel.weights.len()) else { continue };
        alpha.starts[y] = alpha.values.len();
        let bits = y * words..(y + 1) * words;
        let (whole, mixed) = (&mut alpha.whole[bits.clone()], &mut alpha.mixed[bits]);
        let count = lines.classify(whole, mixed);
        let bytes = (alpha.values.len() + count).saturating_mul(WIDTH);
        alpha.values.try_reserve(count).map_err(|_| Error::OutOfMemory { bytes })?;
        alpha.kinds.try_reserve(count).map_err(|_| Error::OutOfMemory { bytes })?;
        lines.point_to(y);
        for block in set_bits(mixed) {
            let rows = Rows { values: &lines.values, starts: &lines.starts, offset: block * WIDTH };
            let (mut values, mut kinds) = ([0; WIDTH], Kinds::default());
            soft::blur(level, rows, &kernel.weights, &mut values, &mut kinds);
            alpha.kinds.push(kinds);
            alpha.values.push(values);
        }
    }
    Ok(alpha)
}

/// As many source rows, blurred along themselves, as there are weights.
struct Lines<'a> {
    kernel: &'a Kernel,
    length: usize,
    /// In 1/4096; source row `number` in slot `number % slots`.
    values: Vec<i16>,
    /// Words that have a bit for each block of a row.
    words: usize,
    /// For each slot the blocks that are neither 0 throughout nor 4096, and those that are 4096.
    edge: Vec<u64>,
    inside: Vec<u64>,
    /// Where in `values` the rows are that an output row needs.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(columns: usize, kernel: &'a Kernel) -> Result<Self> {
        let slots = kernel.weights.len();
        let length = columns.next_multiple_of(WIDTH);
        let words = (length / WIDTH).div_ceil(64);
        Ok(Self {
            kernel,
            length,
            values: filled(length.saturating_mul(slots))?,
            words,
            edge: filled(words.saturating_mul(slots))?,
            inside: filled(words.saturating_mul(slots))?,
            starts: filled(slots)?,
        })
    }

    /// Blurs the next source row, whose object has `spans` when they are moved by `shift`.
    fn turn_to(&mut self, number: usize, spans: &[[u32; 2]], shift: i64) {
        let slot = number % self.starts.len();
        let bits = slot * self.words..(slot + 1) * self.words;
        let (edge, inside) = (&mut self.edge[bits.clone()], &mut self.inside[bits]);
        edge.fill(0);
        inside.fill(0);
        let row = &mut self.values[slot * self.length..][..self.length];
        row.fill(0);
        for &[start, end] in spans {
            let span = start as i64 + shift..end as i64 + shift;
            add_span(row, &span, self.kernel);
            mark_span(edge, inside, &span, self.kernel, self.length);
        }
    }

    /// Of the output row whose last source row was turned to: which blocks are 255 throughout, which have values
    /// of their own, and how many these are.
    fn classify(&self, whole: &mut [u64], mixed: &mut [u64]) -> usize {
        let mut count = 0;
        for word in 0..self.words {
            let [edge, _] = any_and_all(&self.edge, word, self.words);
            let [any, all] = any_and_all(&self.inside, word, self.words);
            whole[word] = all & !edge;
            mixed[word] = edge | (any & !all);
            count += mixed[word].count_ones() as usize;
        }
        count
    }

    /// Finds the source rows of output row `y`.
    fn point_to(&mut self, y: usize) {
        let slots = self.starts.len();
        let mut slot = y % slots;
        for start in &mut self.starts {
            *start = slot * self.length;
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
    }
}

/// Of a word that every slot has: the bits that any has, and those that all have.
fn any_and_all(words: &[u64], word: usize, words_of_slot: usize) -> [u64; 2] {
    let slots = words[word..].iter().step_by(words_of_slot);
    slots.fold([0, !0], |[any, all], bits| [any | bits, all & bits])
}

/// Adds one span of a row, blurred along the row; parts of it may lie beside the row.
fn add_span(row: &mut [i16], span: &Range<i64>, kernel: &Kernel) {
    let length = row.len() as i64;
    let clamp = |x: i64| x.clamp(0, length) as usize;
    // Position x sees what lies at x + low to x + high.
    let (start, end) = (span.start - kernel.high, span.end - kernel.high);
    for value in &mut row[clamp(start)..clamp(end)] {
        *value += 4096;
    }
    let edge = |from: i64| {
        let skipped = (-from).clamp(0, kernel.edge.len() as i64) as usize;
        (clamp(from), &kernel.edge[skipped..])
    };
    let (at, missing) = edge(start);
    for (value, missing) in row[at..].iter_mut().zip(missing) {
        *value -= missing;
    }
    let (at, missing) = edge(end);
    for (value, missing) in row[at..].iter_mut().zip(missing) {
        *value += missing;
    }
}

/// Marks the blocks that the blurred ends of a span touch, and those that see nothing but the span.
fn mark_span(edge: &mut [u64], inside: &mut [u64], span: &Range<i64>, kernel: &Kernel, length: usize) {
    let clamp = |x: i64| x.clamp(0, length as i64) as usize;
    for end in [span.start, span.end] {
        let (from, to) = (clamp(end - kernel.high), clamp(end - kernel.low));
        set_range(edge, from / WIDTH, to.div_ceil(WIDTH));
    }
    let (from, to) = (clamp(span.start - kernel.low), clamp(span.end - kernel.high));
    set_range(inside, from.div_ceil(WIDTH), to / WIDTH);
}

fn set_range(words: &mut [u64], from: usize, to: usize) {
    let mut at = from;
    while at < to {
        let end = to.min((at / 64 + 1) * 64);
        words[at / 64] |= (!0 >> (64 - (end - at))) << (at % 64);
        at = end;
    }
}
