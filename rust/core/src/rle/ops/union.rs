//! Union of masks: the pixels that any of them has.

use std::ops::Range;

use super::PixelBits;
use crate::Result;
use crate::memory::filled;
use crate::rle::Masks;
use crate::rle::sort::sort_into;
use crate::simd::Level;

/// Pixels for each span up to which setting bits is faster than sorting the spans.
const PIXELS_PER_SPAN: usize = 192;

/// Union of all masks, as one mask; of none, an empty mask.
///
/// # Errors
/// When there is not enough memory.
pub fn union(masks: &Masks) -> Result<Masks> {
    let mut full = masks.iter().filter(|spans| !spans.is_empty());
    let mut result = Masks::empty(masks.size());
    match (full.next(), full.next()) {
        (None, _) => result.push(&[])?,
        (Some(only), None) => result.push(only)?,
        _ => {
            let low = masks.iter().filter_map(<[_]>::first).map(|span| span[0]).min().unwrap_or(0);
            let high = masks.iter().filter_map(<[_]>::last).map(|span| span[1]).max().unwrap_or(0);
            result.toggles = united(&masks.toggles, low as usize..high as usize)?;
            result.close_canonical()?;
        }
    }
    Ok(result)
}

/// Toggles of the union of spans in any order, all of them within a range of pixels.
fn united(toggles: &[u32], pixels: Range<usize>) -> Result<Vec<u32>> {
    let spans = toggles.as_chunks().0;
    if spans.len() > pixels.len() / PIXELS_PER_SPAN {
        let mut bits = PixelBits::new(pixels)?;
        bits.add(Level::detect(), spans);
        bits.toggles(toggles.len())
    } else {
        sweep(&sorted_spans(spans)?)
    }
}

/// Spans sorted by start, each as its start in the high half of a word and its end in the low half.
fn sorted_spans(spans: &[[u32; 2]]) -> Result<Vec<u64>> {
    let packed = spans.iter().map(|&[start, end]| (start as u64) << 32 | end as u64);
    let mut sorted = filled(spans.len())?;
    sort_into(packed, |span| (span >> 32) as u32, &mut sorted)?;
    Ok(sorted)
}

/// Toggles of sorted spans, joined where they overlap or touch.
fn sweep(sorted: &[u64]) -> Result<Vec<u32>> {
    let Some((&first, rest)) = sorted.split_first() else { return Ok(Vec::new()) };
    let mut joined = filled(2 * sorted.len())?;
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
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, random_masks};

    fn both_ways_give_the_same(toggles: &[u32]) {
        let spans = toggles.as_chunks().0;
        let swept = sweep(&sorted_spans(spans).unwrap()).unwrap();
        let (low, high) = (toggles.iter().min().unwrap(), toggles.iter().max().unwrap());
        for level in Level::available() {
            let mut bits = PixelBits::new(*low as usize..*high as usize).unwrap();
            bits.add(level, spans);
            assert_eq!(bits.toggles(toggles.len()).unwrap(), swept);
        }
    }

    #[test]
    fn of_masks() {
        for masks in random_masks(13).filter(|masks| !masks.toggles.is_empty()) {
            both_ways_give_the_same(&masks.toggles);
        }
    }

    #[test]
    fn of_spans_of_one_word_and_of_many() {
        let mut random = Random(12);
        for _ in 0..50 {
            let spans = (0..=random.below(9)).flat_map(|_| {
                let longest = [64, 1500][random.below(2)];
                let (start, length) = (random.below(9000), 1 + random.below(longest));
                [start as u32, (start + length) as u32]
            });
            both_ways_give_the_same(&spans.collect::<Vec<_>>());
        }
    }

    #[test]
    fn of_many_spans_in_few_places() {
        let mut random = Random(13);
        let starts = (0..5000)
            .map(|i| if i % 7 == 0 { 37 + random.below(89_963) } else { 5000 + random.below(40) } as u32);
        let toggles: Vec<u32> = starts.flat_map(|start| [start, start + 1 + start % 3]).collect();
        assert!(sorted_spans(toggles.as_chunks().0).unwrap().is_sorted());
        both_ways_give_the_same(&toggles);
    }
}
