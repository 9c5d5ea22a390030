//! Area, boxes, intersection and intersection over union.

use super::{Counts, Masks};
use crate::Result;

/// A half-open box in pixels; all zero for an empty mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PixelBox {
    /// First row.
    pub y0: usize,
    /// First column.
    pub x0: usize,
    /// Row after the last.
    pub y1: usize,
    /// Column after the last.
    pub x1: usize,
}

/// Number of pixels of each mask.
#[must_use]
pub fn area(masks: &Masks) -> Vec<i64> {
    masks.iter().map(|bounds| pixels(bounds) as i64).collect()
}

/// Number of pixels of each mask.
///
/// # Errors
/// When the runs of a mask do not add up to its pixels.
pub fn area_of_counts(masks: &Counts<'_>) -> Result<Vec<i64>> {
    let mut areas = Vec::with_capacity(masks.len());
    for mask in 0..masks.len() {
        let (pairs, last) = masks.of(mask).as_chunks::<2>();
        let (mut clear, mut set) = (0, 0);
        for &[background, foreground] in pairs {
            clear += background as u64;
            set += foreground as u64;
        }
        masks.check(mask, clear + set + last.iter().map(|&run| run as u64).sum::<u64>())?;
        areas.push(set as i64);
    }
    Ok(areas)
}

/// Number of pixels in spans.
pub(crate) fn pixels(bounds: &[u32]) -> u32 {
    // Ends minus starts, modulo 2^32: an area fits, whatever the sums on the way do.
    let (blocks, rest) = bounds.as_chunks::<16>();
    let mut sums = [0u32; 16];
    for block in blocks {
        for (sum, &bound) in sums.iter_mut().zip(block) {
            *sum = sum.wrapping_add(bound);
        }
    }
    let spans = sums.chunks_exact(2).chain(rest.chunks_exact(2));
    spans.fold(0, |area, span| area.wrapping_add(span[1].wrapping_sub(span[0])))
}

/// The smallest box around each mask.
#[must_use]
pub fn boxes(masks: &Masks) -> Vec<PixelBox> {
    let h = masks.size().h as u32;
    masks.iter().map(|bounds| bounding_box(bounds, h)).collect()
}

pub(crate) fn bounding_box(bounds: &[u32], h: u32) -> PixelBox {
    let (Some(&first), Some(&last)) = (bounds.first(), bounds.last()) else { return PixelBox::default() };
    let x0 = first / h;
    // First pixel of the column at hand.
    let mut top = x0 * h;
    let (mut y0, mut y1) = (u32::MAX, 0);
    for &[start, end] in bounds.as_chunks().0 {
        if start - top >= h {
            top += h;
            if start - top >= h {
                top += (start - top) / h * h;
            }
        }
        y0 = y0.min(start - top);
        y1 = y1.max(end - top);
    }
    if y1 > h {
        // A span goes on in the next column: it has that column's first pixel, and this one's last.
        (y0, y1) = (0, h);
    }
    let x1 = (last - 1) / h + 1;
    PixelBox { y0: y0 as usize, x0: x0 as usize, y1: y1 as usize, x1: x1 as usize }
}

/// What all masks have in common, as one mask; there must be at least one (of none: an empty mask).
#[must_use]
pub fn intersection(masks: &Masks) -> Masks {
    let mut result = Masks::empty(masks.size());
    let mut all = masks.iter();
    let mut common = all.next().unwrap_or(&[]).as_chunks::<2>().0.to_vec();
    let mut next = Vec::new();
    for bounds in all {
        // Each pixel range in common ends with a span of either.
        next.resize(common.len() + bounds.len() / 2, [0; 2]);
        let count = write_overlaps(&common, bounds.as_chunks().0, &mut next);
        next.truncate(count);
        std::mem::swap(&mut common, &mut next);
    }
    result.push(common.as_flattened());
    result
}

/// Writes each range of pixels that both masks have; says how many there are. There is room for all spans.
fn write_overlaps(a: &[[u32; 2]], b: &[[u32; 2]], found: &mut [[u32; 2]]) -> usize {
    let (a, b) = (reaching(a, b), reaching(b, a));
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(&[a0, a1]), Some(&[b0, b1])) = (a.get(i), b.get(j)) {
        let (start, end) = (a0.max(b0), a1.min(b1));
        // Without a branch: whether spans overlap cannot be predicted.
        found[count] = [start, end];
        count += usize::from(start < end);
        i += usize::from(a1 <= b1);
        j += usize::from(b1 <= a1);
    }
    count
}

/// Intersection over union of each mask in `rows` with each in `columns`, into `table`, row by row.
///
/// `iscrowd` marks columns: there the union is the area of the row's mask. Nothing over nothing is 0.
pub fn iou(rows: &Masks, columns: &Masks, iscrowd: Option<&[bool]>, table: &mut [f64]) {
    let (row_boxes, column_boxes) = (boxes(rows), boxes(columns));
    let (row_areas, column_areas) = (area(rows), area(columns));
    for ((i, row), values) in rows.iter().enumerate().zip(table.chunks_exact_mut(columns.len().max(1))) {
        for ((j, column), value) in columns.iter().enumerate().zip(values) {
            if !row_boxes[i].meets(&column_boxes[j]) {
                *value = 0.0;
                continue;
            }
            let common = overlap(row, column) as i64;
            let crowd = iscrowd.is_some_and(|marks| marks.get(j) == Some(&true));
            let union = if crowd { row_areas[i] } else { row_areas[i] + column_areas[j] - common };
            *value = common as f64 / union as f64;
        }
    }
}

impl PixelBox {
    /// Whether two boxes have a pixel in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.y0 < other.y1 && other.y0 < self.y1 && self.x0 < other.x1 && other.x0 < self.x1
    }
}

/// Number of pixels that both masks have; neither is empty.
fn overlap(a: &[u32], b: &[u32]) -> u32 {
    let (a, b) = (a.as_chunks::<2>().0, b.as_chunks::<2>().0);
    let (a, b) = (reaching(a, b), reaching(b, a));
    let (mut i, mut j, mut sum) = (0, 0, 0);
    while let (Some(&[a0, a1]), Some(&[b0, b1])) = (a.get(i), b.get(j)) {
        sum += a1.min(b1).saturating_sub(a0.max(b0));
        i += usize::from(a1 <= b1);
        j += usize::from(b1 <= a1);
    }
    sum
}

/// The spans of `a` without those that end before `b` starts.
fn reaching<'a>(a: &'a [[u32; 2]], b: &[[u32; 2]]) -> &'a [[u32; 2]] {
    let Some(&[start, _]) = b.first() else { return &[] };
    &a[a.partition_point(|&[_, end]| end <= start)..]
}
