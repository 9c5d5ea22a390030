//! Pixels that masks have in common: intersection, and intersection over union.

use crate::Result;
use crate::memory::{filled, lengthen};
use crate::rle::{Masks, area, boxes};

/// Intersection of all masks, as one mask; of none, an empty mask.
///
/// # Errors
/// When there is not enough memory.
pub fn intersection(masks: &Masks) -> Result<Masks> {
    let mut all = masks.iter();
    let first = all.next().unwrap_or(&[]);
    let mut common: Vec<[u32; 2]> = filled(first.len())?;
    common.copy_from_slice(first);
    let (mut next, mut count) = (Vec::new(), first.len());
    for spans in all {
        // Each range of pixels in common ends with a span of either.
        lengthen(&mut next, count + spans.len())?;
        count = write_overlaps(&common[..count], spans, &mut next);
        std::mem::swap(&mut common, &mut next);
    }
    let mut result = Masks::empty(masks.size());
    result.push(&common[..count])?;
    Ok(result)
}

/// Writes each range of pixels that both masks have; says how many there are. There is room for all spans.
fn write_overlaps(a: &[[u32; 2]], b: &[[u32; 2]], found: &mut [[u32; 2]]) -> usize {
    let (a, b) = (not_before(a, b), not_before(b, a));
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
///
/// # Errors
/// When there is not enough memory.
pub fn iou(rows: &Masks, columns: &Masks, iscrowd: Option<&[bool]>, table: &mut [f64]) -> Result<()> {
    let (row_boxes, column_boxes) = (boxes(rows)?, boxes(columns)?);
    let (row_areas, column_areas) = (area(rows)?, area(columns)?);
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
    Ok(())
}

/// Number of pixels that both masks have; neither is empty.
fn overlap(a: &[[u32; 2]], b: &[[u32; 2]]) -> u32 {
    let (a, b) = (not_before(a, b), not_before(b, a));
    let (mut i, mut j, mut sum) = (0, 0, 0);
    while let (Some(&[a0, a1]), Some(&[b0, b1])) = (a.get(i), b.get(j)) {
        sum += a1.min(b1).saturating_sub(a0.max(b0));
        i += usize::from(a1 <= b1);
        j += usize::from(b1 <= a1);
    }
    sum
}

/// Spans of `a` without those that end before `b` starts.
fn not_before<'a>(a: &'a [[u32; 2]], b: &[[u32; 2]]) -> &'a [[u32; 2]] {
    let Some(&[start, _]) = b.first() else { return &[] };
    &a[a.partition_point(|&[_, end]| end <= start)..]
}
