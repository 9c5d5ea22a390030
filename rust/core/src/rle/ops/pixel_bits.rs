//! Pixels as bits in the order of their numbers: quicker than lists of spans where many masks meet.

use std::ops::Range;

use crate::Result;
use crate::memory::{filled, lengthen, reserve};
use crate::rle::dispatch::set_spans;
use crate::simd::Level;

/// Words that are set together, some of them perhaps behind the last that has to be.
pub(crate) const WINDOW: usize = 4;

/// Words that are looked at together.
const BLOCK: usize = 8;

/// A set of pixels, one bit for each of a range of pixel numbers.
pub(crate) struct PixelBits {
    /// Number of the first word: its bit 0 is pixel `64 * first`.
    first: usize,
    words: Vec<u64>,
}

impl PixelBits {
    /// Empty set within a range of pixels.
    pub(crate) fn new(pixels: Range<usize>) -> Result<Self> {
        let first = pixels.start / 64;
        let length = (pixels.end.div_ceil(64) - first + WINDOW).next_multiple_of(BLOCK);
        Ok(Self { first, words: filled(length)? })
    }

    /// Adds spans within the range.
    pub(crate) fn add(&mut self, level: Level, spans: &[[u32; 2]]) {
        set_spans(level, spans, 64 * self.first as u32, &mut self.words);
    }

    /// Toggles of the set, which has no more than `most`.
    pub(crate) fn toggles(&self, most: usize) -> Result<Vec<u32>> {
        let mut toggles = reserve(most.min(64 * self.words.len()))?;
        let mut carry = 0;
        for (i, block) in self.words.as_chunks::<BLOCK>().0.iter().enumerate() {
            // Most blocks are like what stands before them.
            let before = if carry == 1 { u64::MAX } else { 0 };
            if block.iter().fold(0, |any, bits| any | (bits ^ before)) == 0 {
                continue;
            }
            let mut base = (64 * (self.first + BLOCK * i)) as u32;
            for &bits in block {
                let mut changes = bits ^ (bits << 1 | carry);
                carry = bits >> 63;
                while changes != 0 {
                    toggles.push(base.wrapping_add(changes.trailing_zeros()));
                    changes &= changes - 1;
                }
                base = base.wrapping_add(64);
            }
        }
        Ok(toggles)
    }

    /// Spans without the pixels of the set; `scratch` is there to be used again.
    pub(crate) fn subtract_from<'a>(
        &self,
        spans: &[[u32; 2]],
        scratch: &'a mut Vec<[u32; 2]>,
    ) -> Result<&'a [[u32; 2]]> {
        let mut length = 0;
        for &[start, end] in spans {
            let mut start = self.next(start, end, false);
            while start < end {
                let covered = self.next(start, end, true);
                lengthen(scratch, length + 1)?;
                scratch[length] = [start, covered];
                length += 1;
                start = self.next(covered, end, false);
            }
        }
        Ok(&scratch[..length])
    }

    /// First pixel from `start` on that is in the set, or that is not, or else `end`.
    #[inline]
    fn next(&self, start: u32, end: u32, set: bool) -> u32 {
        // Bits that are looked for become ones; behind and before the words there are none of the set.
        let flip = if set { 0 } else { u64::MAX };
        let mut word = start as usize / 64;
        let mut unseen = u64::MAX << (start % 64);
        while (64 * word) < end as usize {
            let bits = word.checked_sub(self.first).and_then(|at| self.words.get(at)).copied().unwrap_or(0);
            let found = (bits ^ flip) & unseen;
            if found != 0 {
                return end.min((64 * word) as u32 + found.trailing_zeros());
            }
            unseen = u64::MAX;
            word += 1;
        }
        end
    }
}
