//! Difference of masks: each without the pixels of another one.

use crate::Result;
use crate::memory::{lengthen, reserve};
use crate::rle::Masks;

/// Each mask without what `other` has: its only mask, or, of as many, the one of the same number.
///
/// # Errors
/// When there is not enough memory.
pub fn difference(masks: &Masks, other: &Masks) -> Result<Masks> {
    let mut result = Masks::with_capacity(masks.size(), masks.len(), masks.toggles_len())?;
    let mut scratch = Vec::new();
    if other.len() == 1 {
        let index = SpanIndex::new(other.spans(0), masks.toggles_len() / 2)?;
        for spans in masks.iter() {
            result.push(index.subtract_from(spans, &mut scratch)?)?;
        }
    } else {
        for (spans, taken) in masks.iter().zip(other.iter()) {
            result.push(subtract(spans, taken, |_| 0, &mut scratch)?)?;
        }
    }
    Ok(result)
}

/// Spans of a mask that is subtracted from many, and where to find those near a pixel.
pub(crate) struct SpanIndex<'a> {
    spans: &'a [[u32; 2]],
    /// First span that ends after the start of each block of `1 << shift` pixels, counted from the first span on.
    jumps: Vec<u32>,
    shift: u32,
}

impl<'a> SpanIndex<'a> {
    /// Index of `spans`; `lookups` is about the number of spans it will be subtracted from: the more, the finer its
    /// table.
    pub(crate) fn new(spans: &'a [[u32; 2]], lookups: usize) -> Result<Self> {
        let (Some(&[low, _]), Some(&[_, high])) = (spans.first(), spans.last()) else {
            return Ok(Self { spans, jumps: Vec::new(), shift: 0 });
        };
        let shift = ((high - low) as usize / (spans.len() + lookups / 2)).max(1).ilog2();
        let mut jumps = reserve(((high - 1 - low) >> shift) as usize + 1)?;
        for (i, &[_, end]) in spans.iter().enumerate() {
            // Blocks that start before this span ends, and not before the one before does.
            jumps.resize(((end - 1 - low) >> shift) as usize + 1, i as u32);
        }
        Ok(Self { spans, jumps, shift })
    }

    /// Spans without the pixels of the mask; `scratch` is there to be used again.
    pub(crate) fn subtract_from<'b>(
        &self,
        spans: &'b [[u32; 2]],
        scratch: &'b mut Vec<[u32; 2]>,
    ) -> Result<&'b [[u32; 2]]> {
        let ends = (spans.first(), spans.last(), self.spans.first(), self.spans.last());
        let (Some(&[from, _]), Some(&[_, to]), Some(&[low, _]), Some(&[_, high])) = ends else {
            return Ok(spans);
        };
        if to <= low || high <= from {
            return Ok(spans);
        }
        let jump = |pixel: u32| {
            let block = (pixel.saturating_sub(low) >> self.shift) as usize;
            self.jumps.get(block).map_or(self.spans.len(), |&span| span as usize)
        };
        // Where all columns are covered whole, that is one span, and nothing is left.
        if self.spans.get(jump(from)).is_some_and(|&[start, end]| start <= from && to <= end) {
            return Ok(&[]);
        }
        subtract(spans, self.spans, jump, scratch)
    }
}

/// Spans without those of `taken`. `jump` gives, for a pixel, a span of `taken` that none before which ends after the pixel.
#[inline]
fn subtract<'a>(
    spans: &[[u32; 2]],
    taken: &[[u32; 2]],
    jump: impl Fn(u32) -> usize,
    scratch: &'a mut Vec<[u32; 2]>,
) -> Result<&'a [[u32; 2]]> {
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
        lengthen(scratch, length + 1)?;
        // Without a branch: whether a span is hidden cannot be predicted.
        let to = end.min(at[0]);
        scratch[length] = [start, to];
        length += usize::from(start < to);
        while at[1] < end {
            let from = at[1];
            next += 1;
            at = cut(next);
            lengthen(scratch, length + 1)?;
            scratch[length] = [from, end.min(at[0])];
            length += 1;
        }
    }
    Ok(&scratch[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dense, draw, mask};

    #[test]
    fn whole_columns_hide_what_is_within() {
        let taken = mask(".###./.###./.###.");
        let left = |drawing| draw(&dense(&difference(&mask(drawing), &taken).unwrap())[0]);
        assert_eq!(left("...../.###./..#.."), "...../...../.....");
        assert_eq!(left(".#.../...../...#."), "...../...../.....");
        assert_eq!(left("#..../.#.../....."), "#..../...../.....");
        assert_eq!(left("...../..#../....#"), "...../...../....#");
        assert_eq!(left("#...#/#...#/#...#"), "#...#/#...#/#...#");
    }
}
