//! Run-length masks, and what can be done with them without ever drawing them.
//!
//! A mask is a sorted list of *toggles*: the pixel numbers (counted down the columns, as COCO does) where it
//! turns on and off. Working on these absolute numbers, not on run lengths, lets every kernel enter a mask
//! anywhere; lengths exist only at the edge, in [`Masks::from_counts`] and [`Masks::to_counts`].

mod algebra;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod bitplane;
mod codec;
mod contour;
pub(crate) mod counts;
mod dense;
mod difference;
mod dispatch;
mod draw;
mod edges;
mod labels;
pub(crate) mod lone;
mod lookup;
mod place;
mod polygon;
pub(crate) mod portable;
mod sort;
pub(crate) mod union;
mod wide;

pub use algebra::{PixelBox, area, area_of_counts, boxes, intersection, iou};
pub(crate) use algebra::{bounding_box, pixels};
pub use bitplane::BitPlane;
pub use codec::{format, format_counts, parse, parse_counts};
pub use contour::polygons;
pub use counts::Counts;
pub use dense::{decode, encode_c, encode_f};
pub(crate) use difference::Cut;
pub use difference::difference;
pub use labels::label_map;
pub(crate) use place::{Placed, PlacedMask, Placer, place_rows};
pub use place::{place, place_counts};
pub use polygon::rasterize;
pub use union::union;

use crate::memory::{reserve, reserve_more};
use crate::{Error, Result, Size};

/// Masks of one size, each a canonical list of spans.
///
/// The spans of a mask are half-open ranges of pixel numbers `x * h + y`, ascending, with at least one clear
/// pixel between two. Whatever is in here has this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masks {
    size: Size,
    /// The bounds of all spans of all masks: start, end, start, end, ...
    bounds: Vec<u32>,
    /// Where the bounds of each mask begin, and, last, where those of the last one end.
    offsets: Vec<usize>,
}

impl Masks {
    /// No masks, of this size.
    #[must_use]
    pub fn empty(size: Size) -> Self {
        Self { size, bounds: Vec::new(), offsets: vec![0] }
    }

    /// Height and width of each mask.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Number of masks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no mask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The spans of one mask: `start0, end0, start1, end1, ...`.
    #[must_use]
    pub fn bounds(&self, mask: usize) -> &[u32] {
        &self.bounds[self.offsets[mask]..self.offsets[mask + 1]]
    }

    /// The spans of each mask in turn.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> + Clone {
        self.offsets.windows(2).map(|range| &self.bounds[range[0]..range[1]])
    }

    /// Reads run lengths, background first. `offsets` says where in `counts` each mask begins, and ends with
    /// the number of counts. Runs of length zero may stand anywhere.
    ///
    /// # Errors
    /// When the offsets do not ascend from 0 to the number of counts, the runs of a mask do not add up to its
    /// pixels, or the size has more than 2^32 - 1 pixels.
    pub fn from_counts(size: Size, counts: &[u32], offsets: &[i64]) -> Result<Self> {
        Self::read(&Counts::new(size, counts, offsets)?)
    }

    /// Reads all masks.
    ///
    /// # Errors
    /// When the runs of a mask do not add up to its pixels, and when there is not enough memory.
    pub fn read(counts: &Counts<'_>) -> Result<Self> {
        let mut masks = Self::with_capacity(counts.size(), counts.len(), counts.bounds_bound())?;
        for mask in 0..counts.len() {
            counts.read(mask, &mut masks.bounds)?;
            masks.offsets.push(masks.bounds.len());
        }
        Ok(masks)
    }

    /// Reads the masks of these numbers, in this order.
    pub(crate) fn read_rows(counts: &Counts<'_>, rows: &[usize]) -> Result<Self> {
        let mut masks = Self::empty(counts.size());
        for &row in rows {
            counts.read(row, &mut masks.bounds)?;
            masks.offsets.push(masks.bounds.len());
        }
        Ok(masks)
    }

    /// The run lengths, background first, and where each mask begins among them.
    ///
    /// Only the first run of a mask may be zero: an empty mask is `[h * w]`, a full one `[0, h * w]`, one
    /// without pixels `[0]`.
    #[must_use]
    pub fn to_counts(&self) -> (Vec<u32>, Vec<i64>) {
        let mut counts = Vec::with_capacity(self.counts_bound());
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        for bounds in self.iter() {
            push_counts(bounds, self.size, &mut counts);
            offsets.push(counts.len() as i64);
        }
        (counts, offsets)
    }

    /// How many run lengths there are at most.
    pub(crate) fn counts_bound(&self) -> usize {
        self.bounds.len() + self.len()
    }

    /// Number of bounds of all masks.
    pub(crate) fn bounds_len(&self) -> usize {
        self.bounds.len()
    }

    /// The masks of these numbers, in this order.
    #[cfg(test)]
    pub(crate) fn select(&self, masks: &[usize]) -> Self {
        let total = masks.iter().map(|&mask| self.bounds(mask).len()).sum();
        let mut selected = Self {
            size: self.size,
            bounds: Vec::with_capacity(total),
            offsets: Vec::with_capacity(masks.len() + 1),
        };
        selected.offsets.push(0);
        for &mask in masks {
            selected.push(self.bounds(mask));
        }
        selected
    }

    /// Room for `masks` masks with `bounds` bounds in all.
    fn with_capacity(size: Size, masks: usize, bounds: usize) -> Result<Self> {
        let mut made = Self { size, bounds: reserve(bounds)?, offsets: reserve(masks + 1)? };
        made.offsets.push(0);
        Ok(made)
    }

    /// Adds a mask of this size, given by its canonical spans, if there is memory for it.
    fn push_checked(&mut self, bounds: &[u32]) -> Result<()> {
        reserve_more(&mut self.bounds, bounds.len())?;
        self.push(bounds);
        Ok(())
    }

    /// Adds a mask of this size, given by its canonical spans.
    pub(crate) fn push(&mut self, bounds: &[u32]) {
        debug_assert!(bounds.len().is_multiple_of(2) && bounds.windows(2).all(|pair| pair[0] < pair[1]));
        debug_assert!(bounds.last().is_none_or(|&end| end as usize <= self.size.pixels()));
        self.bounds.extend_from_slice(bounds);
        self.offsets.push(self.bounds.len());
    }

    /// Makes the bounds that were appended since the last mask into one; spans among them may touch or be empty.
    fn close(&mut self) {
        let from = self.offsets[self.len()];
        if any_touch(&self.bounds[from..]) {
            let kept = cancel_pairs(&mut self.bounds[from..]);
            self.bounds.truncate(from + kept);
        }
        debug_assert!((self.bounds.len() - from).is_multiple_of(2));
        self.offsets.push(self.bounds.len());
    }
}

/// Appends the run lengths of one mask, as [`Masks::to_counts`] has them, if there is memory for them.
pub(crate) fn append_counts(bounds: &[u32], size: Size, counts: &mut Vec<u32>) -> Result<()> {
    reserve_more(counts, bounds.len() + 1)?;
    push_counts(bounds, size, counts);
    Ok(())
}

fn push_counts(bounds: &[u32], size: Size, counts: &mut Vec<u32>) {
    let pixels = size.pixels() as u32;
    counts.extend(bounds.first());
    counts.extend(bounds.iter().zip(&bounds[1.min(bounds.len())..]).map(|(from, to)| to - from));
    let last = bounds.last().copied().unwrap_or(0);
    if last < pixels || bounds.is_empty() {
        counts.push(pixels - last);
    }
}

/// Number of pixels of a mask.
fn number_of_pixels(size: Size) -> Result<u64> {
    match size.h.checked_mul(size.w) {
        Some(pixels) if u32::try_from(pixels).is_ok() => Ok(pixels as u64),
        _ => Err(Error::TooManyPixels { size }),
    }
}

/// Whether two neighbours are equal: that is seldom, so one pass without branches finds out.
fn any_touch(toggles: &[u32]) -> bool {
    let pairs = toggles.iter().zip(&toggles[toggles.len().min(1)..]);
    pairs.fold(0, |any, (a, b)| any | u32::from(a == b)) != 0
}

/// Removes equal neighbours from sorted toggles, two at a time; says how many are left, at the front.
fn cancel_pairs(toggles: &mut [u32]) -> usize {
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

/// Calls `found(x0, x1, y0, y1)` with the rectangles a mask is made of, column by column: a part of one column,
/// or several columns in full.
#[inline]
pub(crate) fn for_each_piece(bounds: &[u32], h: u32, mut found: impl FnMut(u32, u32, u32, u32)) {
    // Number of the column at hand, and of its first pixel.
    let (mut x, mut top) = (0, 0);
    for &[start, end] in bounds.as_chunks().0 {
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

#[cfg(test)]
pub(crate) mod tests;
