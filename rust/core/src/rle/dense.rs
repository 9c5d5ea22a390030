//! Masks to pixels and back.

use super::algebra::bounding_box;
use super::sort::sort_into;
use super::{Masks, PixelBox, for_each_piece};
use crate::bits::nonzero_bytes;
use crate::{Result, Size};

/// Bytes compared at once: equal blocks, nearly all, cost one pass over them.
const BLOCK: usize = 64;

/// Reads `n` masks of shape `(n, h, w)`, rows in one piece; what is not zero is set.
///
/// `dense` holds `n * h * w` bytes.
///
/// # Errors
/// When there is not enough memory for so many masks.
pub fn encode_c(dense: &[u8], n: usize, size: Size) -> Result<Masks> {
    let Size { h, w } = size;
    let mut masks = Masks::with_capacity(size, n, 0)?;
    if size.pixels() == 0 {
        masks.offsets.resize(n + 1, 0);
        return Ok(masks);
    }
    // Where something changes down the columns, row by row.
    let mut changes: Vec<u32> = Vec::new();
    for mask in dense.chunks_exact(size.pixels()).take(n) {
        changes.clear();
        let (first_row, last_row) = (&mask[..w], &mask[(h - 1) * w..]);
        for_each_set(first_row, |x| changes.push((x * h) as u32));
        for_each_change(mask, w, |i, inside| {
            // One division a block: the changes in it lie in one row, unless the row ends.
            let (mut y, mut x) = (i / w, i % w);
            let mut at = 0;
            inside.for_each(|step| {
                x += step - at;
                at = step;
                while x >= w {
                    x -= w;
                    y += 1;
                }
                changes.push((x * h + y) as u32);
            });
        });
        for_each_set(last_row, |x| changes.push((x * h + h) as u32));
        let from = masks.bounds.len();
        masks.bounds.resize(from + changes.len(), 0);
        sort_into(changes.iter().copied(), |pixel| pixel, &mut masks.bounds[from..]);
        masks.close();
    }
    Ok(masks)
}

/// Reads `n` masks, each of shape `(h, w)` with columns in one piece; what is not zero is set.
///
/// `dense` holds `n * h * w` bytes. Columns are the order of the runs: this is the cheaper way in.
///
/// # Errors
/// When there is not enough memory for so many masks.
pub fn encode_f(dense: &[u8], n: usize, size: Size) -> Result<Masks> {
    let mut masks = Masks::with_capacity(size, n, 0)?;
    if size.pixels() == 0 {
        masks.offsets.resize(n + 1, 0);
        return Ok(masks);
    }
    for mask in dense.chunks_exact(size.pixels()).take(n) {
        let bounds = &mut masks.bounds;
        if mask[0] != 0 {
            bounds.push(0);
        }
        for_each_change(mask, 1, |i, inside| inside.for_each(|step| bounds.push((i + step) as u32)));
        if mask[mask.len() - 1] != 0 {
            bounds.push(mask.len() as u32);
        }
        masks.offsets.push(masks.bounds.len());
    }
    Ok(masks)
}

/// Positions within a block of eight bytes, one bit (the highest of its byte) each, after a number of bytes.
#[derive(Clone, Copy)]
struct Inside {
    words: [u64; BLOCK / 8],
}

impl Inside {
    /// Calls `found` with each position, ascending.
    #[inline]
    fn for_each(self, mut found: impl FnMut(usize)) {
        for (i, mut word) in self.words.into_iter().enumerate() {
            while word != 0 {
                found(8 * i + word.trailing_zeros() as usize / 8);
                word &= word - 1;
            }
        }
    }
}

/// Calls `found` with blocks of `mask` that may differ from what stands `lag` bytes before: where the block
/// starts, and where in it something changes between zero and not zero.
#[inline]
fn for_each_change(mask: &[u8], lag: usize, mut found: impl FnMut(usize, Inside)) {
    let (later, earlier) = (&mask[lag..], &mask[..mask.len() - lag]);
    let (blocks, rest) = later.as_chunks::<BLOCK>();
    let (earlier_blocks, earlier_rest) = earlier.as_chunks::<BLOCK>();
    for (i, (block, before)) in blocks.iter().zip(earlier_blocks).enumerate() {
        if differ(block, before) {
            found(lag + i * BLOCK, changes(block, before));
        }
    }
    if !rest.is_empty() {
        let mut padded = [[0; BLOCK]; 2];
        padded[0][..rest.len()].copy_from_slice(rest);
        padded[1][..rest.len()].copy_from_slice(earlier_rest);
        found(lag + blocks.len() * BLOCK, changes(&padded[0], &padded[1]));
    }
}

fn differ(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> bool {
    a.iter().zip(b).fold(0, |any, (a, b)| any | (a ^ b)) != 0
}

fn changes(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> Inside {
    let mut words = [0; BLOCK / 8];
    for (word, (a, b)) in words.iter_mut().zip(a.as_chunks().0.iter().zip(b.as_chunks().0)) {
        *word = nonzero_bytes(u64::from_le_bytes(*a)) ^ nonzero_bytes(u64::from_le_bytes(*b));
    }
    Inside { words }
}

fn for_each_set(row: &[u8], mut found: impl FnMut(usize)) {
    row.iter().enumerate().filter(|(_, value)| **value != 0).for_each(|(x, _)| found(x));
}

/// Writes the masks as 0 and 1 to `out`, of shape `(n, h, w)`, rows in one piece.
///
/// What `out` held before does not matter.
pub fn decode(masks: &Masks, out: &mut [u8]) {
    let Size { h, w } = masks.size();
    if masks.size().pixels() == 0 {
        return;
    }
    let mut toggles = Toggles { columns: Vec::new(), ends: Vec::new() };
    let mut line = vec![0; w];
    for (bounds, mask) in masks.iter().zip(out.chunks_exact_mut(h * w)) {
        // All of it at once: that is the quickest way to write memory, and what follows finds it in the cache.
        mask.fill(0);
        let reach = bounding_box(bounds, h as u32);
        toggles.sort(bounds, h as u32, &reach);
        for (row, changes) in mask[reach.y0 * w..reach.y1 * w].chunks_exact_mut(w).zip(toggles.rows()) {
            for &x in changes {
                line[x as usize] ^= 1;
            }
            row[reach.x0..reach.x1].copy_from_slice(&line[reach.x0..reach.x1]);
        }
        line[reach.x0..reach.x1].fill(0);
    }
}

/// Where a mask turns on and off down its columns, by rows.
struct Toggles {
    /// The columns that change, row by row.
    columns: Vec<u32>,
    /// Where those of each row end.
    ends: Vec<usize>,
}

impl Toggles {
    /// Takes those of a mask in the rows of its box. What ends with the last row is not among them.
    fn sort(&mut self, bounds: &[u32], h: u32, reach: &PixelBox) {
        self.ends.clear();
        self.ends.resize(reach.y1 - reach.y0 + 2, 0);
        let place = |y: u32| y as usize - reach.y0;
        for_each_piece(bounds, h, |x0, x1, y0, y1| {
            self.ends[place(y0) + 1] += (x1 - x0) as usize;
            self.ends[place(y1) + 1] += (x1 - x0) as usize;
        });
        let mut sum = 0;
        for end in &mut self.ends {
            sum += *end;
            *end = sum;
        }
        self.columns.resize(sum, 0);
        for_each_piece(bounds, h, |x0, x1, y0, y1| {
            for x in x0..x1 {
                for y in [y0, y1] {
                    let at = &mut self.ends[place(y)];
                    self.columns[*at] = x;
                    *at += 1;
                }
            }
        });
    }

    /// The columns that change, for each row.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let mut from = 0;
        self.ends.iter().map(move |&to| &self.columns[std::mem::replace(&mut from, to)..to])
    }
}
