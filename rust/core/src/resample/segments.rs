//! Segments of a row, one bit for each, which tell what of it there is.

use std::iter;
use std::ops::Range;

use super::separable::BLOCK;

/// Row cut into at most 64 segments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSegments {
    /// Logarithm of the number of pixels of a segment.
    log2: u32,
    /// Pixels of the row, in whole blocks.
    length: usize,
}

impl RowSegments {
    pub(crate) fn new(length: usize) -> Self {
        // Finer than two blocks, outlines that move from row to row would ask for another segment too often.
        let pixels = length.div_ceil(64).max(2 * BLOCK).next_power_of_two();
        Self { log2: pixels.trailing_zeros(), length }
    }

    /// Segments that `pixels`, of which there are some, touch.
    #[inline]
    pub(crate) fn touched(self, pixels: &Range<usize>) -> u64 {
        let [first, last] = [pixels.start, pixels.end - 1].map(|pixel| pixel >> self.log2);
        (!0 << first) & (!0 >> (63 - last))
    }

    /// Pixels of segments, adjoining ones together.
    #[inline]
    pub(crate) fn runs(self, mut segments: u64) -> impl Iterator<Item = Range<usize>> {
        iter::from_fn(move || {
            let start = segments.trailing_zeros();
            if start == 64 {
                return None;
            }
            let count = (segments >> start).trailing_ones();
            let run = !0 >> (64 - count) << start;
            segments &= !run;
            let end = (start + count) as usize;
            Some((start as usize) << self.log2..(end << self.log2).min(self.length))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RowSegments;

    fn runs(length: usize, touched: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let segments = RowSegments::new(length);
        let bits = touched.iter().fold(0, |bits, &(start, end)| bits | segments.touched(&(start..end)));
        segments.runs(bits).map(|run| (run.start, run.end)).collect()
    }

    #[test]
    fn adjoining_segments_are_one_run() {
        assert_eq!(runs(112, &[]), []);
        assert_eq!(runs(112, &[(0, 1)]), [(0, 32)]);
        assert_eq!(runs(112, &[(31, 33), (110, 112)]), [(0, 64), (96, 112)]);
        assert_eq!(runs(112, &[(0, 1), (40, 41), (64, 111)]), [(0, 112)]);
        assert_eq!(runs(2048, &[(0, 2048)]), [(0, 2048)]);
        // Longer rows have longer segments.
        assert_eq!(runs(2064, &[(64, 65), (2063, 2064)]), [(64, 128), (2048, 2064)]);
    }
}
