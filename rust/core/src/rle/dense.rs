//! Masks to pixels and back.

use super::sort::sort_into;
use super::spans::{bounding_box, for_each_rectangle};
use super::{Masks, PixelBox};
use crate::bits::nonzero_bytes;
use crate::memory::{filled, lengthen, reserve_more};
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
    // Toggles, row by row: pixels that differ from the one above.
    let mut changes: Vec<u32> = Vec::new();
    for mask in dense.chunks_exact(size.pixels()).take(n) {
        changes.clear();
        reserve_more(&mut changes, w)?;
        let (first_row, last_row) = (&mask[..w], &mask[(h - 1) * w..]);
        for_each_set(first_row, |x| changes.push((x * h) as u32));
        for_each_change(mask, w, &mut changes, |changes, i, inside| {
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
        })?;
        reserve_more(&mut changes, w)?;
        for_each_set(last_row, |x| changes.push((x * h + h) as u32));
        let from = masks.toggles.len();
        reserve_more(&mut masks.toggles, changes.len())?;
        masks.toggles.resize(from + changes.len(), 0);
        sort_into(changes.iter().copied(), |pixel| pixel, &mut masks.toggles[from..])?;
        masks.close()?;
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
        let toggles = &mut masks.toggles;
        reserve_more(toggles, 1)?;
        if mask[0] != 0 {
            toggles.push(0);
        }
        for_each_change(mask, 1, toggles, |toggles, i, inside| {
            inside.for_each(|step| toggles.push((i + step) as u32));
        })?;
        reserve_more(toggles, 1)?;
        if mask[mask.len() - 1] != 0 {
            toggles.push(mask.len() as u32);
        }
        masks.close_canonical()?;
    }
    Ok(masks)
}

/// Positions within a block of bytes: the highest bit of each byte that is one.
#[derive(Clone, Copy)]
struct Positions {
    words: [u64; BLOCK / 8],
}

impl Positions {
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

/// Calls `found` with blocks of `mask` that may differ from what stands `lag` bytes before: with toggles that have room
/// for a block, where the block starts, and where in it something changes between zero and not zero.
#[inline]
fn for_each_change(
    mask: &[u8],
    lag: usize,
    toggles: &mut Vec<u32>,
    mut found: impl FnMut(&mut Vec<u32>, usize, Positions),
) -> Result<()> {
    let (later, earlier) = (&mask[lag..], &mask[..mask.len() - lag]);
    let (blocks, rest) = later.as_chunks::<BLOCK>();
    let (earlier_blocks, earlier_rest) = earlier.as_chunks::<BLOCK>();
    for (i, (block, before)) in blocks.iter().zip(earlier_blocks).enumerate() {
        if differ(block, before) {
            reserve_more(toggles, BLOCK)?;
            found(toggles, lag + i * BLOCK, changes(block, before));
        }
    }
    if !rest.is_empty() {
        let mut padded = [[0; BLOCK]; 2];
        padded[0][..rest.len()].copy_from_slice(rest);
        padded[1][..rest.len()].copy_from_slice(earlier_rest);
        reserve_more(toggles, BLOCK)?;
        found(toggles, lag + blocks.len() * BLOCK, changes(&padded[0], &padded[1]));
    }
    Ok(())
}

fn differ(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> bool {
    a.iter().zip(b).fold(0, |any, (a, b)| any | (a ^ b)) != 0
}

fn changes(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> Positions {
    let mut words = [0; BLOCK / 8];
    for (word, (a, b)) in words.iter_mut().zip(a.as_chunks().0.iter().zip(b.as_chunks().0)) {
        *word = nonzero_bytes(u64::from_le_bytes(*a)) ^ nonzero_bytes(u64::from_le_bytes(*b));
    }
    Positions { words }
}

fn for_each_set(row: &[u8], mut found: impl FnMut(usize)) {
    row.iter().enumerate().filter(|(_, value)| **value != 0).for_each(|(x, _)| found(x));
}

/// Writes the masks as 0 and 1 to `out`, of shape `(n, h, w)`, rows in one piece.
///
/// What `out` held before does not matter.
///
/// # Errors
/// When there is not enough memory.
pub fn decode(masks: &Masks, out: &mut [u8]) -> Result<()> {
    let Size { h, w } = masks.size();
    if masks.size().pixels() == 0 {
        return Ok(());
    }
    let mut toggles = RowToggles { columns: Vec::new(), ends: Vec::new() };
    let mut line: Vec<u8> = filled(w)?;
    for (spans, mask) in masks.iter().zip(out.chunks_exact_mut(h * w)) {
        // All of it at once: that is the quickest way to write memory, and what follows finds it in the cache.
        mask.fill(0);
        let bbox = bounding_box(spans, h as u32);
        toggles.sort(spans, h as u32, &bbox)?;
        for (row, changes) in mask[bbox.y0 * w..bbox.y1 * w].chunks_exact_mut(w).zip(toggles.rows()) {
            for &x in changes {
                line[x as usize] ^= 1;
            }
            row[bbox.x0..bbox.x1].copy_from_slice(&line[bbox.x0..bbox.x1]);
        }
        line[bbox.x0..bbox.x1].fill(0);
    }
    Ok(())
}

/// Toggles of a mask, sorted by row.
struct RowToggles {
    /// Columns that change from one row to the next, row by row.
    columns: Vec<u32>,
    /// Offset in `columns` behind those of each row.
    ends: Vec<usize>,
}

impl RowToggles {
    /// Sorts the toggles of a mask in the rows of its box; what ends with the last row is not among them.
    #[inline(never)] // its state stays in registers
    fn sort(&mut self, spans: &[[u32; 2]], h: u32, bbox: &PixelBox) -> Result<()> {
        let rows = bbox.y1 - bbox.y0 + 2;
        self.ends.clear();
        reserve_more(&mut self.ends, rows)?;
        self.ends.resize(rows, 0);
        let place = |y: u32| y as usize - bbox.y0;
        for_each_rectangle(spans, h, |x0, x1, y0, y1| {
            self.ends[place(y0) + 1] += (x1 - x0) as usize;
            self.ends[place(y1) + 1] += (x1 - x0) as usize;
        });
        let mut sum = 0;
        for end in &mut self.ends {
            sum += *end;
            *end = sum;
        }
        lengthen(&mut self.columns, sum)?;
        for_each_rectangle(spans, h, |x0, x1, y0, y1| {
            for x in x0..x1 {
                for y in [y0, y1] {
                    let at = &mut self.ends[place(y)];
                    self.columns[*at] = x;
                    *at += 1;
                }
            }
        });
        Ok(())
    }

    /// Columns that change, for each row.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let mut from = 0;
        self.ends.iter().map(move |&to| &self.columns[std::mem::replace(&mut from, to)..to])
    }
}
