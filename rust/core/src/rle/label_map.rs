//! Masks as one map of numbers.

use std::cmp::Reverse;
use std::ops::Range;

use super::{BitPlane, Masks, area};
use crate::Result;
use crate::bits::append_runs;
use crate::memory::{collect, reserve_more};

/// Order in which masks are drawn, each over those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawOrder {
    /// Ascending numbers.
    Rows,
    /// Falling areas, so that small masks show; equal ones by ascending numbers.
    Area,
}

/// Writes 1 + the number of the uppermost mask at each pixel, or 0, to `out`; only every `stride`-th pixel of a row, and
/// every `stride`-th row: those of the numbers `stride / 2 + i * stride`.
///
/// `out` has the pixels that these are; `stride` is at least 1.
///
/// # Errors
/// When there is not enough memory.
pub fn label_map(masks: &Masks, order: DrawOrder, stride: usize, out: &mut [i32]) -> Result<()> {
    let w = sampled(stride, 0..masks.size().w).len();
    out.fill(0);
    if out.is_empty() {
        return Ok(());
    }
    let mut rows = collect(0..masks.len())?;
    if order == DrawOrder::Area {
        let areas = area(masks)?;
        rows.sort_unstable_by_key(|&row| (Reverse(areas[row]), row));
    }
    let mut runs = Vec::new();
    for mask in rows {
        let plane = BitPlane::new(masks, mask)?;
        let bbox = plane.bbox();
        for i in sampled(stride, bbox.y0..bbox.y1) {
            let words = plane.row(stride / 2 + i * stride);
            runs.clear();
            // Every other bit begins a run at most.
            reserve_more(&mut runs, 32 * words.len())?;
            append_runs((plane.first_word() * 64) as u32, words.iter().copied(), &mut runs)?;
            let row = &mut out[i * w..][..w];
            for &(start, end) in &runs {
                row[sampled(stride, start as usize..end as usize)].fill(mask as i32 + 1);
            }
        }
    }
    Ok(())
}

/// Numbers i of the pixels `stride / 2 + i * stride` in a range of pixels.
#[inline]
fn sampled(stride: usize, pixels: Range<usize>) -> Range<usize> {
    if stride == 1 {
        return pixels;
    }
    let place = |pixel: usize| pixel.saturating_sub(stride / 2).div_ceil(stride);
    place(pixels.start)..place(pixels.end)
}

#[cfg(test)]
mod tests {
    use super::{DrawOrder, label_map};
    use crate::testing::{dense, random_masks};

    #[test]
    fn the_uppermost_mask_of_a_pixel_counts() {
        for (i, masks) in random_masks(2).enumerate() {
            let (drawn, w) = (dense(&masks), masks.size().w);
            let areas: Vec<usize> =
                drawn.iter().map(|mask| mask.iter().flatten().filter(|set| **set).count()).collect();
            let stride = 1 + i % 4;
            for order in [DrawOrder::Rows, DrawOrder::Area] {
                let mut expected = Vec::new();
                for y in (0..masks.size().h).filter(|y| y % stride == stride / 2) {
                    for x in (0..w).filter(|x| x % stride == stride / 2) {
                        let mut upper: Option<usize> = None;
                        for mask in (0..drawn.len()).filter(|&mask| drawn[mask][y][x]) {
                            let above = upper
                                .is_none_or(|upper| order == DrawOrder::Rows || areas[mask] <= areas[upper]);
                            upper = if above { Some(mask) } else { upper };
                        }
                        expected.push(upper.map_or(0, |mask| mask as i32 + 1));
                    }
                }
                let mut map = vec![7; expected.len()];
                label_map(&masks, order, stride, &mut map).unwrap();
                assert_eq!(map, expected, "{order:?} {stride}");
            }
        }
    }
}
