//! Union.

use std::ops::Range;

use super::Masks;
use super::dispatch::set_spans;
use super::sort::sort_into;
use crate::simd::Level;

/// Above this share of spans among the pixels that they reach, drawing them as bits is faster than sorting them.
const PIXELS_PER_SPAN: usize = 192;

/// What any of the masks has, as one mask; of none: an empty mask.
#[must_use]
pub fn union(masks: &Masks) -> Masks {
    let mut result = Masks::empty(masks.size());
    let mut full = masks.iter().filter(|bounds| !bounds.is_empty());
    match (full.next(), full.next()) {
        (None, _) => result.push(&[]),
        (Some(only), None) => result.push(only),
        _ => {
            let low = masks.iter().filter_map(<[u32]>::first).min().map_or(0, |&first| first as usize);
            let high = masks.iter().filter_map(<[u32]>::last).max().map_or(0, |&last| last as usize);
            result.bounds = if masks.bounds.len() / 2 > (high - low) / PIXELS_PER_SPAN {
                merge_as_bits(Level::detect(), &masks.bounds, low..high)
            } else {
                sweep(&sorted_spans(&masks.bounds))
            };
            result.offsets.push(result.bounds.len());
        }
    }
    result
}

/// The spans, ascending, each as its start in the high half of a word and its end in the low half.
fn sorted_spans(bounds: &[u32]) -> Vec<u64> {
    let spans = bounds.as_chunks::<2>().0;
    let packed = spans.iter().map(|&[start, end]| (start as u64) << 32 | end as u64);
    let mut sorted = vec![0; spans.len()];
    sort_into(packed, |span| (span >> 32) as u32, &mut sorted);
    sorted
}

/// Joins sorted spans that overlap or touch.
fn sweep(sorted: &[u64]) -> Vec<u32> {
    let Some((&first, rest)) = sorted.split_first() else { return Vec::new() };
    let mut joined = vec![0; 2 * sorted.len()];
    let (mut start, mut end, mut last) = ((first >> 32) as u32, first as u32, 0);
    joined[0] = start;
    joined[1] = end;
    for &span in rest {
        let next = (span >> 32) as u32;
        // Without a branch: whether spans overlap cannot be predicted.
        let apart = next > end;
        last += 2 * usize::from(apart);
        start = if apart { next } else { start };
        end = end.max(span as u32);
        if let Some(slot) = joined.get_mut(last..last + 2) {
            slot[0] = start;
            slot[1] = end;
        }
    }
    joined.truncate(last + 2);
    joined
}

/// Joins spans by drawing them into a bit map of the pixels that they reach.
fn merge_as_bits(level: Level, bounds: &[u32], reach: Range<usize>) -> Vec<u32> {
    let first = reach.start / 64;
    let length = (reach.end.div_ceil(64) - first + WINDOW).next_multiple_of(BLOCK);
    let mut words = vec![0; length];
    set_spans(level, bounds.as_chunks().0, 64 * first as u32, &mut words);
    let mut toggles = Vec::with_capacity(bounds.len().min(64 * length));
    let mut carry = 0;
    for (i, block) in words.as_chunks::<BLOCK>().0.iter().enumerate() {
        // Most blocks are like what stands before them.
        let before = if carry == 1 { u64::MAX } else { 0 };
        if block.iter().fold(0, |any, bits| any | (bits ^ before)) == 0 {
            continue;
        }
        let mut base = (64 * (first + BLOCK * i)) as u32;
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
    toggles
}

/// So many words are set together, some of them perhaps behind the last that has to be.
pub(crate) const WINDOW: usize = 4;

/// So many words are looked at together.
const BLOCK: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::tests::{Random, random_masks};

    #[test]
    fn both_ways_give_the_same() {
        for masks in random_masks(13).filter(|masks| !masks.bounds.is_empty()) {
            let reach = 0..masks.size().pixels();
            for level in Level::available() {
                let merged = merge_as_bits(level, &masks.bounds, reach.clone());
                assert_eq!(sweep(&sorted_spans(&masks.bounds)), merged);
            }
        }
        // Spans of one word and of many.
        let mut random = Random(12);
        for _ in 0..50 {
            let spans = (0..=random.below(9)).flat_map(|_| {
                let longest = [64, 1500][random.below(2)];
                let (start, length) = (random.below(9000), 1 + random.below(longest));
                [start as u32, (start + length) as u32]
            });
            let bounds: Vec<u32> = spans.collect();
            let reach = *bounds.iter().min().unwrap() as usize..*bounds.iter().max().unwrap() as usize;
            for level in Level::available() {
                assert_eq!(sweep(&sorted_spans(&bounds)), merge_as_bits(level, &bounds, reach.clone()));
            }
        }
        // Many spans in few places.
        let mut random = Random(13);
        let starts = (0..5000)
            .map(|i| if i % 7 == 0 { 37 + random.below(89_963) } else { 5000 + random.below(40) } as u32);
        let bounds: Vec<u32> = starts.flat_map(|start| [start, start + 1 + start % 3]).collect();
        let sorted = sorted_spans(&bounds);
        assert!(sorted.is_sorted());
        for level in Level::available() {
            assert_eq!(sweep(&sorted), merge_as_bits(level, &bounds, 37..90_003));
        }
    }
}
