//! Difference.

use super::Masks;

/// Each mask without what `other` has: its only mask, or, of as many, the one of the same number.
#[must_use]
pub fn difference(masks: &Masks, other: &Masks) -> Masks {
    let mut result = Masks::empty(masks.size());
    result.bounds.reserve(masks.bounds.len());
    result.offsets.reserve(masks.len());
    let mut left = Vec::new();
    if other.len() == 1 {
        let cut = Cut::new(other.bounds(0), masks.bounds.len());
        for bounds in masks.iter() {
            result.push(cut.apply(bounds, &mut left));
        }
    } else {
        for (bounds, taken) in masks.iter().zip(other.iter()) {
            result.push(subtract(bounds, taken.as_chunks().0, |_| 0, &mut left));
        }
    }
    result
}

/// A mask to be taken from many: its spans, and where to find those near a pixel.
pub(crate) struct Cut<'a> {
    spans: &'a [[u32; 2]],
    /// For each block of `1 << shift` pixels from the first span on, the first span that ends after its start.
    jumps: Vec<u32>,
    shift: u32,
}

impl<'a> Cut<'a> {
    /// `lookups` is about how many bounds it will be taken from: the more, the finer its table.
    pub(crate) fn new(bounds: &'a [u32], lookups: usize) -> Self {
        let spans = bounds.as_chunks().0;
        let (Some(&[low, _]), Some(&[_, high])) = (spans.first(), spans.last()) else {
            return Self { spans, jumps: Vec::new(), shift: 0 };
        };
        let shift = ((high - low) as usize / (spans.len() + lookups / 4)).max(1).ilog2();
        let mut jumps = Vec::with_capacity(((high - low) >> shift) as usize + 1);
        for (i, &[_, end]) in spans.iter().enumerate() {
            // Blocks that start before this span ends, and were not reached by the one before.
            let blocks = ((end - 1 - low) >> shift) as usize + 1;
            jumps.resize(blocks, i as u32);
        }
        Self { spans, jumps, shift }
    }

    /// What is left of a mask; `left` is there to be used again.
    pub(crate) fn apply<'b>(&self, bounds: &'b [u32], left: &'b mut Vec<[u32; 2]>) -> &'b [u32] {
        let ends = (bounds.first(), bounds.last(), self.spans.first(), self.spans.last());
        let (Some(&from), Some(&to), Some(&[low, _]), Some(&[_, high])) = ends else { return bounds };
        if to <= low || high <= from {
            return bounds;
        }
        let jump = |pixel: u32| {
            let block = (pixel.saturating_sub(low) >> self.shift) as usize;
            self.jumps.get(block).map_or(self.spans.len(), |&span| span as usize)
        };
        // Where all columns are covered whole, that is one span, and nothing is left.
        if self.spans.get(jump(from)).is_some_and(|&[start, end]| start <= from && to <= end) {
            return &[];
        }
        subtract(bounds, self.spans, jump, left)
    }
}

/// `bounds` without `taken`. `jump` gives, for a pixel, a span of `taken` that none before which ends after the pixel.
#[inline]
fn subtract<'a>(
    bounds: &[u32],
    taken: &[[u32; 2]],
    jump: impl Fn(u32) -> usize,
    left: &'a mut Vec<[u32; 2]>,
) -> &'a [u32] {
    let spans = bounds.as_chunks().0;
    // Behind the last, one that no span reaches.
    let cut = |next: usize| taken.get(next).copied().unwrap_or([u32::MAX; 2]);
    let (mut next, mut length) = (0, 0);
    for &[start, end] in spans {
        // Mostly the same again, or the next one.
        let mut at = cut(next);
        if at[1] <= start {
            next += 1;
            at = cut(next);
            if at[1] <= start {
                next = next.max(jump(start));
                at = cut(next);
                while at[1] <= start {
                    next += 1;
                    at = cut(next);
                }
            }
        }
        if left.len() <= length {
            left.resize(2 * length + spans.len(), [0; 2]);
        }
        // Without a branch: whether a span is hidden cannot be predicted.
        let to = end.min(at[0]);
        left[length] = [start, to];
        length += usize::from(start < to);
        while at[1] < end {
            let from = at[1];
            next += 1;
            at = cut(next);
            if left.len() <= length {
                left.resize(2 * length + spans.len(), [0; 2]);
            }
            left[length] = [from, end.min(at[0])];
            length += 1;
        }
    }
    left[..length].as_flattened()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::tests::{dense, draw, mask};

    #[test]
    fn whole_columns_hide_what_is_within() {
        let taken = mask(".###./.###./.###.");
        let left = |drawing| draw(&dense(&difference(&mask(drawing), &taken))[0]);
        assert_eq!(left("...../.###./..#.."), "...../...../.....");
        assert_eq!(left(".#.../...../...#."), "...../...../.....");
        assert_eq!(left("#..../.#.../....."), "#..../...../.....");
        assert_eq!(left("...../..#../....#"), "...../...../....#");
        assert_eq!(left("#...#/#...#/#...#"), "#...#/#...#/#...#");
    }
}
