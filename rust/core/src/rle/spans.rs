//! Spans of one mask: area, box, rectangles, run lengths, canonical form.

use super::PixelBox;
use crate::memory::reserve_more;
use crate::{Result, Size};

/// Number of pixels in spans.
pub(crate) fn number_of_pixels(spans: &[[u32; 2]]) -> u32 {
    // Ends minus starts, modulo 2^32: an area fits, whatever the sums on the way do.
    let (blocks, rest) = spans.as_flattened().as_chunks::<16>();
    let mut sums = [0u32; 16];
    for block in blocks {
        for (sum, &toggle) in sums.iter_mut().zip(block) {
            *sum = sum.wrapping_add(toggle);
        }
    }
    let spans = sums.as_chunks::<2>().0.iter().chain(rest.as_chunks::<2>().0);
    spans.fold(0, |area, [start, end]| area.wrapping_add(end.wrapping_sub(*start)))
}

/// Smallest box around spans of a mask of height `h`.
pub(crate) fn bounding_box(spans: &[[u32; 2]], h: u32) -> PixelBox {
    let (Some(&[first, _]), Some(&[_, last])) = (spans.first(), spans.last()) else {
        return PixelBox::default();
    };
    let x0 = first / h;
    // First pixel of the column at hand.
    let mut top = x0 * h;
    let (mut y0, mut y1) = (u32::MAX, 0);
    for &[start, end] in spans {
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

/// Calls `found(x0, x1, y0, y1)` with the rectangles a mask is made of, column by column: a part of one column,
/// or several columns in full.
#[inline]
pub(crate) fn for_each_rectangle(spans: &[[u32; 2]], h: u32, mut found: impl FnMut(u32, u32, u32, u32)) {
    // Number of the column at hand, and of its first pixel.
    let (mut x, mut top) = (0, 0);
    for &[start, end] in spans {
        // A span mostly starts in the same column as the one before, or in the next: no division then.
        if start - top >= h {
            x += 1;
            top += h;
            if start - top >= h {
                let columns = (start - top) / h;
                x += columns;
                top += columns * h;
            }
        }
        if end - top <= h {
            found(x, x + 1, start - top, end - top);
            continue;
        }
        if start > top {
            found(x, x + 1, start - top, h);
            x += 1;
            top += h;
        }
        let full = (end - top) / h;
        if full > 0 {
            found(x, x + full, 0, h);
            x += full;
            top += full * h;
        }
        if end > top {
            found(x, x + 1, 0, end - top);
        }
    }
}

/// Appends the run lengths of one mask, background first, as [`super::Masks::to_counts`] has them.
pub(crate) fn append_counts(spans: &[[u32; 2]], size: Size, counts: &mut Vec<u32>) -> Result<()> {
    reserve_more(counts, 2 * spans.len() + 1)?;
    push_counts(spans, size, counts);
    Ok(())
}

/// Appends the run lengths of one mask to counts that have room for them: one more than the mask has toggles.
pub(super) fn push_counts(spans: &[[u32; 2]], size: Size, counts: &mut Vec<u32>) {
    let (toggles, pixels) = (spans.as_flattened(), size.pixels() as u32);
    counts.extend(toggles.first());
    counts.extend(toggles.iter().zip(&toggles[1.min(toggles.len())..]).map(|(from, to)| to - from));
    let last = toggles.last().copied().unwrap_or(0);
    if last < pixels || toggles.is_empty() {
        counts.push(pixels - last);
    }
}

/// Whether two neighbours are equal: that is seldom, so one pass without branches finds out.
pub(super) fn any_equal_neighbours(toggles: &[u32]) -> bool {
    let pairs = toggles.iter().zip(&toggles[toggles.len().min(1)..]);
    pairs.fold(0, |any, (a, b)| any | u32::from(a == b)) != 0
}

/// Removes equal neighbours from sorted toggles, two at a time; says how many are left, at the front.
pub(super) fn cancel_pairs(toggles: &mut [u32]) -> usize {
    let mut kept = 0;
    for i in 0..toggles.len() {
        let toggle = toggles[i];
        if kept > 0 && toggles[kept - 1] == toggle {
            kept -= 1;
        } else {
            toggles[kept] = toggle;
            kept += 1;
        }
    }
    kept
}
