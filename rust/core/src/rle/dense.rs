//! Masks to pixels and back.

use super::algebra::bounding_box;
use super::sort::sort_into;
use super::{Masks, PixelBox, for_each_piece};
use crate::{Result, Size};

/// Bytes compared at once: where nothing changes, nearly everywhere, that is all that is done.
const STRIDE: usize = 256;

/// Bytes looked at once something changes: a part of the former.
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
        for_each_change(mask, w, |i, mut bits| {
            // One division a block: the changes in it lie in one row, unless the row ends.
            let (mut y, mut x) = (i / w, i % w);
            let mut at = 0;
            while bits != 0 {
                let step = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                x += step - at;
                at = step;
                while x >= w {
                    x -= w;
                    y += 1;
                }
                changes.push((x * h + y) as u32);
            }
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
        let mut reader = Reader { before: 0, bounds: &mut masks.bounds };
        let (strides, rest) = mask.as_chunks::<STRIDE>();
        for (i, stride) in strides.iter().enumerate() {
            if reader.changes(stride) {
                for (k, block) in stride.as_chunks().0.iter().enumerate() {
                    reader.read(block, i * STRIDE + k * BLOCK);
                }
            }
        }
        // With zeros behind the last pixel: what is set there ends with the mask.
        for (k, bytes) in rest.chunks(BLOCK).chain([&[][..]]).enumerate() {
            let mut block = [0; BLOCK];
            block[..bytes.len()].copy_from_slice(bytes);
            reader.read(&block, (strides.len() * STRIDE + k * BLOCK).min(mask.len()));
        }
        masks.offsets.push(masks.bounds.len());
    }
    Ok(masks)
}

/// Reads the pixels of one mask in the order of its runs.
struct Reader<'a> {
    /// The last byte.
    before: u8,
    bounds: &'a mut Vec<u32>,
}

impl Reader<'_> {
    /// Whether any byte is another than the last one before.
    fn changes<const N: usize>(&self, bytes: &[u8; N]) -> bool {
        let same = u64::from_ne_bytes([self.before; 8]);
        bytes.as_chunks().0.iter().fold(0, |any, eight| any | (u64::from_ne_bytes(*eight) ^ same)) != 0
    }

    /// Appends where something changes between zero and not zero in a block that starts with pixel `from`.
    fn read(&mut self, block: &[u8; BLOCK], from: usize) {
        if !self.changes(block) {
            return;
        }
        let set = set_bits(block);
        let mut changes = set ^ (set << 1 | u64::from(self.before != 0));
        self.before = block[BLOCK - 1];
        while changes != 0 {
            self.bounds.push(from as u32 + changes.trailing_zeros());
            changes &= changes - 1;
        }
    }
}

/// Calls `found` with blocks of `mask` that may differ from what stands `lag` bytes before: where the block
/// starts, and a bit for each of its bytes: whether it changes between zero and not zero.
#[inline]
fn for_each_change(mask: &[u8], lag: usize, mut found: impl FnMut(usize, u64)) {
    let (later, earlier) = (&mask[lag..], &mask[..mask.len() - lag]);
    let (strides, later) = later.as_chunks::<STRIDE>();
    let (earlier_strides, earlier) = earlier.as_chunks::<STRIDE>();
    for (i, (stride, before)) in strides.iter().zip(earlier_strides).enumerate() {
        if differ(stride, before) {
            let blocks = stride.as_chunks().0.iter().zip(before.as_chunks().0);
            for (k, (block, before)) in
                blocks.enumerate().filter(|(_, (block, before))| differ(block, before))
            {
                found(lag + i * STRIDE + k * BLOCK, set_bits(block) ^ set_bits(before));
            }
        }
    }
    let from = lag + strides.len() * STRIDE;
    for (k, (rest, earlier_rest)) in later.chunks(BLOCK).zip(earlier.chunks(BLOCK)).enumerate() {
        let mut padded = [[0; BLOCK]; 2];
        padded[0][..rest.len()].copy_from_slice(rest);
        padded[1][..rest.len()].copy_from_slice(earlier_rest);
        found(from + k * BLOCK, set_bits(&padded[0]) ^ set_bits(&padded[1]));
    }
}

fn differ<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    let words = a.as_chunks().0.iter().zip(b.as_chunks().0);
    words.fold(0, |any, (a, b)| any | (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b))) != 0
}

/// A bit for each byte: whether it is not zero.
fn set_bits(block: &[u8; BLOCK]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Moves the lowest bits of eight bytes into the highest byte, the first of them lowest.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bits = 0;
    for (i, eight) in block.as_chunks().0.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let set = (((word & LOW) + LOW) | word) & !LOW;
        bits |= ((set >> 7).wrapping_mul(GATHER) >> 56) << (8 * i);
    }
    bits
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
