//! One map of numbers as masks, one for each number.

use super::Masks;
use super::sort::sort_into;
use crate::memory::{collect, filled, reserve, reserve_more};
use crate::{Result, Size};

/// Values compared at once: equal blocks, nearly all, cost one pass over them.
const BLOCK: usize = 32;

/// Number that a map may have at each pixel.
pub trait Label: Copy + Ord + Default {}

impl<T: Copy + Ord + Default> Label for T {}

/// Pixel from which on, down the columns, a map has one label.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Start<T> {
    pixel: u32,
    label: T,
}

/// Masks of a map of labels, rows in one piece: one for each label there is but the background; and these, ascending.
///
/// # Errors
/// When there is not enough memory; what is needed follows the number of runs.
pub fn from_label_map_c<T: Label>(map: &[T], size: Size, background: Option<T>) -> Result<(Masks, Vec<T>)> {
    let Size { h, w } = size;
    if size.pixels() == 0 {
        return Ok((Masks::empty(size), Vec::new()));
    }
    // Row by row, where a pixel differs from the one above; sorted, these are the runs down the columns.
    let mut starts = Vec::new();
    reserve_more(&mut starts, w)?;
    starts.extend(map[..w].iter().enumerate().map(|(x, &label)| Start { pixel: (x * h) as u32, label }));
    for (y, (above, row)) in map.chunks_exact(w).zip(map[w..].chunks_exact(w)).enumerate() {
        append_changes(row, above, &mut starts, |x| (x * h + y + 1) as u32)?;
    }
    let mut sorted = filled(starts.len())?;
    sort_into(starts.iter().copied(), |start| start.pixel, &mut sorted)?;
    drop(starts);
    sorted.dedup_by_key(|start| start.label);
    by_label(&sorted, size, background)
}

/// Masks of a map of labels, columns in one piece; otherwise as [`from_label_map_c`].
///
/// # Errors
/// When there is not enough memory; what is needed follows the number of runs.
pub fn from_label_map_f<T: Label>(map: &[T], size: Size, background: Option<T>) -> Result<(Masks, Vec<T>)> {
    let Some(&label) = map.first() else {
        return Ok((Masks::empty(size), Vec::new()));
    };
    let mut starts = reserve(1)?;
    starts.push(Start { pixel: 0, label });
    append_changes(&map[1..], &map[..map.len() - 1], &mut starts, |i| i as u32 + 1)?;
    by_label(&starts, size, background)
}

/// Appends a start for each of `values` that differs from the one at its place in `before`.
#[inline]
fn append_changes<T: Label>(
    values: &[T],
    before: &[T],
    starts: &mut Vec<Start<T>>,
    pixel: impl Fn(usize) -> u32,
) -> Result<()> {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    let (blocks_before, rest_before) = before.as_chunks::<BLOCK>();
    let mut append = |from: usize, values: &[T], before: &[T]| {
        reserve_more(starts, BLOCK)?;
        for (i, (&label, &other)) in values.iter().zip(before).enumerate() {
            if label != other {
                starts.push(Start { pixel: pixel(from + i), label });
            }
        }
        Ok(())
    };
    for (i, (block, other)) in blocks.iter().zip(blocks_before).enumerate() {
        if differ(block, other) {
            append(i * BLOCK, block, other)?;
        }
    }
    append(blocks.len() * BLOCK, rest, rest_before)
}

fn differ<T: Label>(a: &[T; BLOCK], b: &[T; BLOCK]) -> bool {
    a.iter().zip(b).fold(false, |any, (a, b)| any | (a != b))
}

/// Sorts runs of the whole map, which follow one another, by their labels.
fn by_label<T: Label>(starts: &[Start<T>], size: Size, background: Option<T>) -> Result<(Masks, Vec<T>)> {
    let mut labels = collect(starts.iter().map(|start| start.label))?;
    labels.sort_unstable();
    labels.dedup();
    labels.retain(|&label| Some(label) != background);
    labels.shrink_to_fit();
    let mut numbers: Vec<u32> = reserve(starts.len())?;
    numbers.extend(starts.iter().map(|start| match labels.binary_search(&start.label) {
        Ok(number) => number as u32,
        Err(_) => u32::MAX, // the background
    }));
    // Where the toggles of each mask begin; then, as they are written, where they go on.
    let mut offsets: Vec<usize> = filled(labels.len() + 1)?;
    for &number in &numbers {
        if let Some(end) = offsets.get_mut(number as usize + 1) {
            *end += 2;
        }
    }
    let mut sum = 0;
    for end in &mut offsets {
        sum += *end;
        *end = sum;
    }
    let mut toggles: Vec<u32> = filled(sum)?;
    let mut ends = collect(offsets.iter().copied())?;
    let nexts = starts[1.min(starts.len())..].iter().map(|start| start.pixel);
    for ((&number, start), next) in numbers.iter().zip(starts).zip(nexts.chain([size.pixels() as u32])) {
        if (number as usize) < labels.len() {
            let at = &mut ends[number as usize];
            toggles[*at..][..2].copy_from_slice(&[start.pixel, next]);
            *at += 2;
        }
    }
    Ok((Masks { size, toggles, offsets }, labels))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{Drawing, Random, from_drawings};

    /// Maps of some sizes, none square but by chance, rows in one piece: noise of few labels, and rectangles.
    fn maps() -> impl Iterator<Item = (Size, Vec<i16>)> {
        let mut random = Random(77);
        let fixed = [(0, 0), (0, 3), (4, 0), (1, 1), (1, 9), (9, 1), (3, 70), (70, 3), (5, 130)];
        (0..200).map(move |i| {
            let (h, w) = fixed.get(i).copied().unwrap_or_else(|| (random.below(13), random.below(70)));
            let kinds = [1, 2, 3, 40][random.below(4)];
            let mut map: Vec<i16> = (0..h * w).map(|_| random.below(kinds) as i16 - 1).collect();
            if h * w > 0 && random.below(2) == 0 {
                map.fill(-1);
                for label in 0..random.below(6) {
                    let (top, left) = (random.below(h), random.below(w));
                    for row in map.chunks_mut(w).skip(top).take(random.below(h) + 1) {
                        let right = (left + 1 + random.below(w)).min(w);
                        row[left..right].fill(label as i16 % 3 * 1000);
                    }
                }
            }
            (Size { h, w }, map)
        })
    }

    #[test]
    fn masks_are_the_pixels_of_each_label() {
        for (size, map) in maps() {
            let Size { h, w } = size;
            let columns: Vec<i16> = (0..h * w).map(|pixel| map[pixel % h * w + pixel / h]).collect();
            for background in [None, Some(0), Some(-1), Some(7000)] {
                let labels: BTreeSet<i16> = map.iter().copied().collect();
                let expected: Vec<i16> =
                    labels.into_iter().filter(|&label| Some(label) != background).collect();
                let drawings: Vec<Drawing> = expected
                    .iter()
                    .map(|label| (0..h).map(|y| (0..w).map(|x| map[y * w + x] == *label).collect()).collect())
                    .collect();
                let expected = (from_drawings(size, &drawings), expected);
                assert_eq!(from_label_map_c(&map, size, background).unwrap(), expected);
                assert_eq!(from_label_map_f(&columns, size, background).unwrap(), expected);
            }
        }
    }

    #[test]
    fn labels_keep_their_order() {
        let size = Size { h: 1, w: 4 };
        let (masks, labels) = from_label_map_c(&[u64::MAX, 0, 1 << 63, 5], size, None).unwrap();
        assert_eq!(labels, [0, 5, 1 << 63, u64::MAX]);
        assert_eq!(masks.toggles(3), [0, 1]);
        assert_eq!(from_label_map_c(&[i64::MIN, 3, -1, 3], size, Some(3)).unwrap().1, [i64::MIN, -1]);
    }
}
