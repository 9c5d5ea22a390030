//! Storage of alpha: a bit for each block that is 255 throughout, values only along the edge.

use std::ops::Range;

use super::opacity_bits::OpacityBits;
use super::portable::WIDTH;
use crate::bits::set_bits;

/// Alpha within a box of the canvas; it is 0 outside.
///
/// A block is 16 pixels of a row. Inside and outside of the object one bit says all of it: time and memory follow the
/// edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alpha {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    /// Column of the first block, a multiple of 64.
    pub(super) first: usize,
    /// Number of words that have a bit for each block of a row.
    pub(super) words: usize,
    /// Bits of the blocks that are 255 throughout, row by row, `words` for each.
    pub(super) whole: Vec<u64>,
    /// Bits of the blocks that have values of their own, laid out likewise.
    pub(super) mixed: Vec<u64>,
    /// Number of the first mixed block of each row, in `values` and `bits`.
    pub(super) starts: Vec<usize>,
    /// Alpha of the mixed blocks, in their order.
    pub(super) values: Vec<[u8; WIDTH]>,
    /// Opacity of each pixel of the mixed blocks.
    pub(super) bits: Vec<OpacityBits>,
}

impl Alpha {
    /// Alpha that is 0 everywhere.
    pub(super) fn nothing() -> Self {
        Self {
            rows: 0..0,
            columns: 0..0,
            first: 0,
            words: 0,
            whole: Vec::new(),
            mixed: Vec::new(),
            starts: Vec::new(),
            values: Vec::new(),
            bits: Vec::new(),
        }
    }

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

    /// Writes alpha of canvas row `y`, one of [`Alpha::rows`], in the columns of the box.
    pub fn write_row(&self, y: usize, out: &mut [u8]) {
        let (whole, mixed, start) = self.row(y);
        let mut put = |block: usize, values: &[u8; WIDTH]| {
            // A block may begin before the box and end behind it.
            let left = self.first + block * WIDTH;
            let from = left.max(self.columns.start)..(left + WIDTH).min(self.columns.end);
            if !from.is_empty() {
                let to = from.start - self.columns.start..from.end - self.columns.start;
                out[to].copy_from_slice(&values[from.start - left..from.end - left]);
            }
        };
        for block in set_bits(whole) {
            put(block, &[255; WIDTH]);
        }
        for (block, values) in set_bits(mixed).zip(&self.values[start..]) {
            put(block, values);
        }
    }

    /// Writes row `y` as bits, from the word that holds the first column of the box to the one that holds its last:
    /// `opaque` where alpha is 255, `partial` where it is between 0 and that.
    pub(crate) fn row_bits(&self, y: usize, opaque: &mut [u64], partial: &mut [u64]) {
        /// Words of four blocks: each bit of the index 16 times, once for each pixel of a block.
        const SPREAD: [u64; 16] = {
            let mut spread = [0; 16];
            let mut i = 0;
            while i < 64 {
                spread[i / 4] |= (0xffff * ((i as u64 / 4) >> (i % 4) & 1)) << (16 * (i % 4));
                i += 1;
            }
            spread
        };
        let (whole, mixed, start) = self.row(y);
        for (word, (opaque, partial)) in opaque.iter_mut().zip(&mut *partial).enumerate() {
            *opaque = SPREAD[(whole[word / 16] >> (4 * (word % 16)) & 15) as usize];
            *partial = 0;
        }
        for (block, bits) in set_bits(mixed).zip(&self.bits[start..]) {
            opaque[block / 4] |= u64::from(bits.opaque) << (block % 4 * WIDTH);
            partial[block / 4] |= u64::from(bits.partial) << (block % 4 * WIDTH);
        }
        for bits in [opaque, partial] {
            if let Some(first) = bits.first_mut() {
                *first &= !0 << (self.columns.start % 64);
            }
            if let Some(last) = bits.last_mut() {
                *last &= !0 >> ((64 - self.columns.end % 64) % 64);
            }
        }
    }

    /// Alpha of canvas row `y` from column `x` on, as far as it is partial; anything behind that.
    pub(crate) fn partial(&self, y: usize, x: usize) -> &[u8] {
        let (_, mixed, start) = self.row(y);
        let block = (x - self.first) / WIDTH;
        let before = mixed[..block / 64].iter().map(|word| word.count_ones()).sum::<u32>()
            + (mixed[block / 64] & !(!0 << (block % 64))).count_ones();
        // Blocks next to each other have their values next to each other.
        &self.values.as_flattened()[(start + before as usize) * WIDTH + x % WIDTH..]
    }

    fn row(&self, y: usize) -> (&[u64], &[u64], usize) {
        let number = y - self.rows.start;
        let words = number * self.words..(number + 1) * self.words;
        (&self.whole[words.clone()], &self.mixed[words], self.starts[number])
    }
}
