//! Masks as one map of numbers.

use super::{BitPlane, Masks};
use crate::bits::append_runs;

/// Writes to each pixel of `out`, of the masks' size, 1 + the number of the last mask it is in, or 0.
pub fn label_map(masks: &Masks, out: &mut [i32]) {
    let w = masks.size().w;
    out.fill(0);
    let mut runs = Vec::new();
    for mask in 0..masks.len() {
        let plane = BitPlane::new(masks, mask);
        let reach = plane.reach();
        for y in reach.y0..reach.y1 {
            runs.clear();
            append_runs((plane.first_word() * 64) as u32, plane.row(y).iter().copied(), &mut runs);
            let row = &mut out[y * w..][..w];
            for &(start, end) in &runs {
                row[start as usize..end as usize].fill(mask as i32 + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::label_map;
    use crate::rle::tests::{dense, random_masks};

    #[test]
    fn the_last_mask_of_a_pixel_counts() {
        for masks in random_masks(2) {
            let drawn = dense(&masks);
            let mut map = vec![7; masks.size().pixels()];
            label_map(&masks, &mut map);
            for (pixel, &found) in map.iter().enumerate() {
                let (y, x) = (pixel / masks.size().w, pixel % masks.size().w);
                let last = drawn.iter().rposition(|mask| mask[y][x]);
                assert_eq!(found, last.map_or(0, |mask| mask as i32 + 1), "({y}, {x})");
            }
        }
    }
}
