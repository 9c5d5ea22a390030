//! Bits of the pixels in the box of a mask, row by row.

use super::spans::{bounding_box, for_each_rectangle};
use super::{Masks, PixelBox};
use crate::Result;
use crate::memory::filled;

/// Rows of bits of one mask, within its box.
///
/// Bit `x % 64` of word `x / 64` of a row stands for column `x` of the mask; words left of the box are left out,
/// so that rows of different masks of one size can be combined word by word.
#[derive(Clone, Debug)]
pub struct BitPlane {
    bbox: PixelBox,
    /// Number of the word that each row starts with, and of the words in it.
    first: usize,
    length: usize,
    words: Vec<u64>,
}

impl BitPlane {
    /// Bits of one mask.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(masks: &Masks, mask: usize) -> Result<Self> {
        let (spans, h) = (masks.spans(mask), masks.size().h as u32);
        let bbox = bounding_box(spans, h);
        let first = bbox.x0 / 64;
        let length = bbox.x1.div_ceil(64) - first;
        let mut words: Vec<u64> = filled(length * (bbox.y1 - bbox.y0))?;
        let mut toggle = |y: u32, x: u32| {
            let row = y as usize - bbox.y0;
            // What ends with the last row is not taken back.
            if let Some(word) = words.get_mut(row * length + x as usize / 64 - first) {
                *word ^= 1 << (x % 64);
            }
        };
        for_each_rectangle(spans, h, |x0, x1, y0, y1| {
            for x in x0..x1 {
                toggle(y0, x);
                toggle(y1, x);
            }
        });
        // A pixel is set where an odd number of toggles stands above it.
        for i in length..words.len() {
            words[i] ^= words[i - length];
        }
        Ok(Self { bbox, first, length, words })
    }

    /// Box of the mask.
    #[must_use]
    pub fn bbox(&self) -> PixelBox {
        self.bbox
    }

    /// Number of the word that each row starts with: its bit 0 is column `64 * first_word()`.
    #[must_use]
    pub fn first_word(&self) -> usize {
        self.first
    }

    /// Words of row `y`, which must lie in the box.
    #[must_use]
    pub fn row(&self, y: usize) -> &[u64] {
        let from = (y - self.bbox.y0) * self.length;
        &self.words[from..from + self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dense, draw, random_masks};

    #[test]
    fn rows_are_those_of_the_dense_mask() {
        for masks in random_masks(1) {
            for (i, drawn) in dense(&masks).iter().enumerate() {
                let plane = BitPlane::new(&masks, i).unwrap();
                let bbox = plane.bbox();
                let set = |y: usize, x: usize| {
                    (bbox.y0..bbox.y1).contains(&y) && (bbox.x0..bbox.x1).contains(&x) && {
                        let word = plane.row(y)[x / 64 - plane.first_word()];
                        word >> (x % 64) & 1 == 1
                    }
                };
                for (y, row) in drawn.iter().enumerate() {
                    for (x, &value) in row.iter().enumerate() {
                        assert_eq!(set(y, x), value, "({y}, {x}) of\n{}", draw(drawn));
                    }
                }
            }
        }
    }
}
