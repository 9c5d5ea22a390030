//! Union.

use super::Masks;
use super::sort::sort_into;

/// Above this share of spans among the pixels, drawing them as bits is faster than sorting them.
const PIXELS_PER_SPAN: usize = 128;

/// What any of the masks has, as one mask; of none: an empty mask.
#[must_use]
pub fn union(masks: &Masks) -> Masks {
    let mut result = Masks::empty(masks.size());
    let mut full = masks.iter().filter(|bounds| !bounds.is_empty());
    match (full.next(), full.next()) {
        (None, _) => result.push(&[]),
        (Some(only), None) => result.push(only),
        _ if masks.bounds.len() / 2 > masks.size().pixels() / PIXELS_PER_SPAN => {
            result.bounds = merge_as_bits(&masks.bounds);
            result.offsets.push(result.bounds.len());
        }
        _ => {
            result.bounds = sweep(&sorted_spans(&masks.bounds));
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

/// Joins spans by drawing them into a bit map as far as they reach.
fn merge_as_bits(bounds: &[u32]) -> Vec<u32> {
    let spans = bounds.as_chunks::<2>().0;
    let low = spans.iter().map(|span| span[0]).min().unwrap_or(0) as usize / 64;
    let high = spans.iter().map(|span| span[1]).max().unwrap_or(0) as usize / 64 + 1;
    let mut words = vec![0u64; high - low];
    for &[start, end] in spans {
        let (first, last) = (start as usize / 64 - low, (end as usize - 1) / 64 - low);
        let head = u64::MAX << (start % 64);
        let tail = u64::MAX >> (63 - (end - 1) % 64);
        if first == last {
            words[first] |= head & tail;
        } else {
            words[first] |= head;
            words[first + 1..last].fill(u64::MAX);
            words[last] |= tail;
        }
    }
    let mut toggles = Vec::with_capacity(bounds.len().min(128 * words.len()));
    let mut carry = 0;
    for (i, &word) in words.iter().enumerate() {
        let mut changes = word ^ (word << 1 | carry);
        carry = word >> 63;
        while changes != 0 {
            toggles.push((64 * (low + i)) as u32 + changes.trailing_zeros());
            changes &= changes - 1;
        }
    }
    // The last span ends at the first bit after the words.
    if carry == 1 {
        toggles.push((64 * high) as u32);
    }
    toggles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::tests::{Random, random_masks};

    #[test]
    fn both_ways_give_the_same() {
        for masks in random_masks(13).filter(|masks| !masks.bounds.is_empty()) {
            assert_eq!(sweep(&sorted_spans(&masks.bounds)), merge_as_bits(&masks.bounds));
        }
        // Many spans in few places.
        let mut random = Random(13);
        let starts =
            (0..5000).map(|i| if i % 7 == 0 { random.below(90_000) } else { 5000 + random.below(40) } as u32);
        let bounds: Vec<u32> = starts.flat_map(|start| [start, start + 1 + start % 3]).collect();
        let sorted = sorted_spans(&bounds);
        assert!(sorted.is_sorted());
        assert_eq!(sweep(&sorted), merge_as_bits(&bounds));
    }
}
