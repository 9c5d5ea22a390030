//! Difference.

use super::Masks;

/// Each mask without what `other` has: its only mask, or, of as many, the one of the same number.
#[must_use]
pub fn difference(masks: &Masks, other: &Masks) -> Masks {
    let mut result = Masks::empty(masks.size());
    result.bounds.reserve(masks.bounds.len());
    result.offsets.reserve(masks.len());
    if other.len() == 1 {
        let cut = Cut::new(other.bounds(0));
        for bounds in masks.iter() {
            cut.apply(bounds, &mut result.bounds);
            result.offsets.push(result.bounds.len());
        }
    } else {
        for (bounds, taken) in masks.iter().zip(other.iter()) {
            subtract(bounds, taken.as_chunks().0, |_| 0, &mut result.bounds);
            result.offsets.push(result.bounds.len());
        }
    }
    result
}

/// A mask to be taken from many: its spans, and where to find those near a pixel.
struct Cut<'a> {
    spans: &'a [[u32; 2]],
    /// For each block of `1 << shift` pixels from the first span on, the first span that ends after its start.
    jumps: Vec<u32>,
    shift: u32,
}

impl<'a> Cut<'a> {
    fn new(bounds: &'a [u32]) -> Self {
        let spans = bounds.as_chunks().0;
        let (Some(&[low, _]), Some(&[_, high])) = (spans.first(), spans.last()) else {
            return Self { spans, jumps: Vec::new(), shift: 0 };
        };
        let shift = ((high - low) as usize / spans.len()).max(1).ilog2();
        let mut jumps = Vec::with_capacity(((high - low) >> shift) as usize + 1);
        for (i, &[_, end]) in spans.iter().enumerate() {
            // Blocks that start before this span ends, and were not reached by the one before.
            let blocks = ((end - 1 - low) >> shift) as usize + 1;
            jumps.resize(blocks, i as u32);
        }
        Self { spans, jumps, shift }
    }

    /// Appends what is left of a mask.
    fn apply(&self, bounds: &[u32], left: &mut Vec<u32>) {
        let ends = (bounds.first(), bounds.last(), self.spans.first(), self.spans.last());
        let (Some(&from), Some(&to), Some(&[low, _]), Some(&[_, high])) = ends else {
            left.extend_from_slice(bounds);
            return;
        };
        if to <= low || high <= from {
            left.extend_from_slice(bounds);
            return;
        }
        let jump = |pixel: u32| {
            let block = (pixel.saturating_sub(low) >> self.shift) as usize;
            self.jumps.get(block).map_or(self.spans.len(), |&span| span as usize)
        };
        subtract(bounds, self.spans, jump, left);
    }
}

/// Appends `bounds` without `taken` to `left`. `jump` gives, for a pixel, a span of `taken` that none before which
/// ends after the pixel.
#[inline]
fn subtract(bounds: &[u32], taken: &[[u32; 2]], jump: impl Fn(u32) -> usize, left: &mut Vec<u32>) {
    let mut next = 0;
    for &[mut start, end] in bounds.as_chunks().0 {
        next = next.max(jump(start));
        while next < taken.len() && taken[next][1] <= start {
            next += 1;
        }
        while start < end {
            // The next taken range in this span; behind the last, an empty one at its end.
            let [from, to] = match taken.get(next) {
                Some(&[from, to]) if from < end => [from, to],
                _ => [end, end],
            };
            if start < from {
                left.extend_from_slice(&[start, from]);
            }
            start = to;
            next += usize::from(to < end);
        }
    }
}
