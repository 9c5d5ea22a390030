//! Areas and boxes.

use super::spans::{bounding_box, number_of_pixels};
use super::{Counts, Masks};
use crate::Result;
use crate::memory::{collect, reserve};

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

impl PixelBox {
    /// Whether two boxes have a pixel in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.y0 < other.y1 && other.y0 < self.y1 && self.x0 < other.x1 && other.x0 < self.x1
    }
}

/// Number of pixels of each mask.
///
/// # Errors
/// When there is not enough memory.
pub fn area(masks: &Masks) -> Result<Vec<i64>> {
    collect(masks.iter().map(|spans| number_of_pixels(spans) as i64))
}

/// Number of pixels of each mask, from its run lengths.
///
/// # Errors
/// When the runs of a mask do not add up to its pixels, or there is not enough memory.
pub fn area_of_counts(masks: &Counts<'_>) -> Result<Vec<i64>> {
    let mut areas = reserve(masks.len())?;
    for mask in 0..masks.len() {
        let (pairs, last) = masks.runs(mask).as_chunks::<2>();
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

/// Smallest box around each mask.
///
/// # Errors
/// When there is not enough memory.
pub fn boxes(masks: &Masks) -> Result<Vec<PixelBox>> {
    let h = masks.size().h as u32;
    collect(masks.iter().map(|spans| bounding_box(spans, h)))
}
