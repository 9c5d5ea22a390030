//! Soft edges: how much of a pasted object shows at each pixel.

use std::ops::Range;

use super::kinds::Kinds;
use super::portable::{WIDTH, level};
use super::spans::RowSpans;
use crate::error::{Error, Result};
use crate::placement::{Axis, Placement, Size};
use crate::resample::separable::{Rows, filled};
use crate::rle::{self, Masks};
use crate::simd::{Level, soft};

/// Alpha within a box of the canvas; it is 0 outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alpha {
    rows: Range<usize>,
    columns: Range<usize>,
    /// Column of the first block, a multiple of their width.
    first: usize,
    /// Rows of whole blocks of columns.
    blocks: Vec<[u8; WIDTH]>,
    kinds: Vec<Kinds>,
}

impl Alpha {
    /// Canvas rows of the box.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Canvas columns of the box.
    #[must_use]
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// Alpha of canvas row `y`, one of [`Alpha::rows`], in the columns of the box.
    #[must_use]
    pub fn row(&self, y: usize) -> &[u8] {
        let row = &self.blocks[self.blocks_of(y)];
        &row.as_flattened()[self.columns.start - self.first..][..self.columns.len()]
    }

    fn blocks_of(&self, y: usize) -> Range<usize> {
        let blocks = (self.columns.end - self.first).div_ceil(WIDTH);
        (y - self.rows.start) * blocks..(y - self.rows.start + 1) * blocks
    }

    /// Row `y` as bits, from the word that holds the first column of the box to the one that holds its last: where
    /// alpha is 255, and where it is anything between 0 and that.
    pub(crate) fn row_bits(&self, y: usize, opaque: &mut [u64], partial: &mut [u64]) {
        opaque.fill(0);
        partial.fill(0);
        for (block, kinds) in self.kinds[self.blocks_of(y)].iter().enumerate() {
            let at = self.first % 64 + block * WIDTH;
            opaque[at / 64] |= u64::from(kinds.opaque) << (at % 64);
            partial[at / 64] |= u64::from(kinds.partial) << (at % 64);
        }
        // Blocks may begin before the box and end behind it.
        for bits in [opaque, partial] {
            if let Some(first) = bits.first_mut() {
                *first &= !0 << (self.columns.start % 64);
            }
            if let Some(last) = bits.last_mut() {
                *last &= !0 >> ((64 - self.columns.end % 64) % 64);
            }
        }
    }
}

/// Alpha of the union of `masks`, placed and blurred.
///
/// `weights` are those of one axis, the centre in the middle, an odd number that sums to 4096; with `r` the
/// middle and `U` the union of the placed masks, alpha is `(255 * sum of weights[r + dy] * weights[r + dx] *
/// U(y + dy, x + dx) + 2^23) >> 24`. The union is taken before the canvas cuts it, so an object cut by the
/// border stays solid there; where the image does not land, alpha is 0.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn alpha(masks: &Masks, placement: &Placement, weights: &[u16]) -> Result<Alpha> {
    alpha_with_level(Level::detect(), masks, placement, weights)
}

/// The same, with the instructions of `level`.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn alpha_with_level(
    level: Level,
    masks: &Masks,
    placement: &Placement,
    weights: &[u16],
) -> Result<Alpha> {
    let nothing = Alpha { rows: 0..0, columns: 0..0, first: 0, blocks: Vec::new(), kinds: Vec::new() };
    let Some(kernel) = Kernel::new(weights) else { return Ok(nothing) };
    let union = rle::union(masks);
    let Some(object) = rle::boxes(&union).pop() else { return Ok(nothing) };
    let rows = Reach::new(&placement.rows(), object.y0..object.y1, &kernel);
    let columns = Reach::new(&placement.columns(), object.x0..object.x1, &kernel);
    if rows.out.is_empty() || columns.out.is_empty() {
        return Ok(nothing);
    }
    let (h, w) = (rows.object.end - rows.object.start, columns.object.end - columns.object.start);
    let pixels = h.saturating_mul(w);
    if pixels > i64::from(u32::MAX) {
        return Err(Error::TooManyPixels { size: Size { h: h as usize, w: w as usize } });
    }
    let placed = rle::place(
        &union,
        &Placement {
            offset_y: placement.offset_y - rows.object.start,
            offset_x: placement.offset_x - columns.object.start,
            canvas: Size { h: h as usize, w: w as usize },
            ..*placement
        },
    )?;
    let spans = RowSpans::new(placed.bounds(0), h as u32)?;
    let canvas = |out: &Range<i64>| out.start as usize..out.end as usize;
    let first = columns.out.start as usize / WIDTH * WIDTH;
    let (blocks, kinds) = blur(level, &spans, &rows, &columns, first, &kernel)?;
    Ok(Alpha { rows: canvas(&rows.out), columns: canvas(&columns.out), first, blocks, kinds })
}

/// The weights without the zeros at both ends: those of `low`, `low + 1`, ... `high`, as distances from the
/// centre.
struct Kernel {
    low: i64,
    high: i64,
    weights: Vec<i16>,
    /// `edge[j]` is the sum of the weights from `low` up to but not with `high - j`: what `j` pixels into the
    /// blurred edge is missing.
    edge: Vec<i16>,
}

impl Kernel {
    /// None when all weights are zero.
    fn new(weights: &[u16]) -> Option<Self> {
        let first = weights.iter().position(|&weight| weight > 0)?;
        let last = weights.iter().rposition(|&weight| weight > 0)?;
        let middle = weights.len() as i64 / 2;
        let weights: Vec<i16> = weights[first..=last].iter().map(|&weight| weight as i16).collect();
        let mut below: Vec<i16> = weights
            .iter()
            .scan(0, |sum, weight| {
                let below = *sum;
                *sum += weight;
                Some(below)
            })
            .collect();
        below.reverse();
        Some(Self { low: first as i64 - middle, high: last as i64 - middle, weights, edge: below })
    }
}

/// Along one axis, what the blur gives and what it needs, in canvas positions that may lie off the canvas.
struct Reach {
    /// Where alpha may be above 0.
    out: Range<i64>,
    /// The part of the placed object that has a say there.
    object: Range<i64>,
}

impl Reach {
    /// `object` is the range of input samples that the object has.
    fn new(axis: &Axis, object: Range<usize>, kernel: &Kernel) -> Self {
        let object = if axis.flip { axis.input - object.end..axis.input - object.start } else { object };
        let start = axis.offset + first_resized(axis, object.start);
        let end = axis.offset + first_resized(axis, object.end);
        let landing = axis.landing();
        let out = (start - kernel.high).max(landing.start as i64)..(end - kernel.low).min(landing.end as i64);
        let object = start.max(out.start + kernel.low)..end.min(out.end + kernel.high);
        if start >= end || object.is_empty() {
            return Self { out: 0..0, object: 0..0 };
        }
        Self { out, object }
    }
}

/// The first resized sample whose nearest input sample is `k` or a later one.
fn first_resized(axis: &Axis, k: usize) -> i64 {
    let (input, resized) = (axis.input as i128, axis.resized as i128);
    // (2i + 1) * input >= 2 * resized * k
    let i = (2 * resized * k as i128 + input - 1).div_euclid(2 * input);
    i as i64
}

/// Along each row first, then down the columns; a block of columns that stays the same from row to row, as
/// most do inside and outside the object, is summed once.
fn blur(
    level_of: Level,
    spans: &RowSpans,
    rows: &Reach,
    columns: &Reach,
    first: usize,
    kernel: &Kernel,
) -> Result<(Vec<[u8; WIDTH]>, Vec<Kinds>)> {
    let taps = kernel.weights.len();
    let blocks = (columns.out.end as usize - first).div_ceil(WIDTH);
    let height = (rows.out.end - rows.out.start) as usize;
    let mut out: Vec<[u8; WIDTH]> = filled(blocks.saturating_mul(height))?;
    let mut kinds: Vec<Kinds> = filled(out.len())?;
    // Blurred source rows in 1/4096, the row that `y` needs at tap `k` in slot `(y + k) % slots`; one slot
    // more than taps keeps the row before.
    let slots = taps + 1;
    let mut blurred: Vec<[i16; WIDTH]> = filled(blocks.saturating_mul(slots))?;
    let mut starts: Vec<usize> = filled(taps)?;
    // How many rows each block has been the same as the row before.
    let mut steady: Vec<usize> = filled(blocks)?;
    let shift = columns.object.start - first as i64;
    for (number, source) in (rows.out.start + kernel.low..rows.out.end + kernel.high).enumerate() {
        let slot = number % slots * blocks;
        let row = blurred[slot..slot + blocks].as_flattened_mut();
        row.fill(0);
        if rows.object.contains(&source) {
            for &[start, end] in spans.row((source - rows.object.start) as usize) {
                add_span(row, start as i64 + shift..end as i64 + shift, kernel);
            }
        }
        let before = (number + taps) % slots * blocks;
        for (block, steady) in steady.iter_mut().enumerate() {
            *steady = if blurred[slot + block] == blurred[before + block] { *steady + 1 } else { 0 };
        }
        let Some(y) = (number + 1).checked_sub(taps) else { continue };
        for (k, start) in starts.iter_mut().enumerate() {
            *start = (y + k) % slots * blocks * WIDTH;
        }
        let (done, to_do) = out.split_at_mut(y * blocks);
        for (block, (sums, &steady)) in to_do.iter_mut().zip(&steady).enumerate() {
            if steady >= taps && y > 0 {
                let above = (y - 1) * blocks + block;
                *sums = done[above];
                kinds[above + blocks] = kinds[above];
                continue;
            }
            if steady + 1 >= taps {
                // All taps see the same: they sum to 4096 of it.
                *sums = blurred[slot + block].map(|value| level(4096 * value as u32));
            } else {
                let values = blurred.as_flattened();
                let rows = Rows { values, starts: &starts, offset: block * WIDTH };
                soft::blur(level_of, rows, &kernel.weights, sums);
            }
            kinds[y * blocks + block] = Kinds::of(sums);
        }
    }
    Ok((out, kinds))
}

/// Adds one span of a row, blurred along the row; parts of it may lie beside the row.
fn add_span(row: &mut [i16], span: Range<i64>, kernel: &Kernel) {
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
