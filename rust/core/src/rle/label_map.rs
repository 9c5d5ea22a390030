//! Masks as one map of numbers.

use super::{BitPlane, Masks};
use crate::Result;
use crate::bits::append_runs;
use crate::memory::reserve_more;

/// Writes to each pixel of `out`, of the masks' size, 1 + the number of the last mask it is in, or 0.
///
/// # Errors
/// When there is not enough memory.
pub fn label_map(masks: &Masks, out: &mut [i32]) -> Result<()> {
    let w = masks.size().w;
    out.fill(0);
    let mut runs = Vec::new();
    for mask in 0..masks.len() {
        let plane = BitPlane::new(masks, mask)?;
        let bbox = plane.bbox();
        for y in bbox.y0..bbox.y1 {
            let words = plane.row(y);
            runs.clear();
            // Every other bit begins a run at most.
            reserve_more(&mut runs, 32 * words.len())?;
            append_runs((plane.first_word() * 64) as u32, words.iter().copied(), &mut runs)?;
            let row = &mut out[y * w..][..w];
            for &(start, end) in &runs {
                row[start as usize..end as usize].fill(mask as i32 + 1);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::label_map;
    use crate::testing::{dense, random_masks};

    #[test]
    fn the_last_mask_of_a_pixel_counts() {
        for masks in random_masks(2) {
            let drawn = dense(&masks);
            let mut map = vec![7; masks.size().pixels()];
            label_map(&masks, &mut map).unwrap();
            for (pixel, &found) in map.iter().enumerate() {
                let (y, x) = (pixel / masks.size().w, pixel % masks.size().w);
                let last = drawn.iter().rposition(|mask| mask[y][x]);
                assert_eq!(found, last.map_or(0, |mask| mask as i32 + 1), "({y}, {x})");
            }
        }
    }
}
