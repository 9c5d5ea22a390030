//! Alpha of soft edges: how much of a pasted object shows at each pixel, 0 to 255.

use std::ops::Range;

use super::alpha_blocks::Alpha;
use super::blur::{FULL, blur};
use super::portable::WIDTH;
use crate::error::{Error, Result};
use crate::geometry::{Axis, Placement, Size, first_resized};
use crate::memory::{collect, filled};
use crate::rle::{self, BitPlane, Masks, PixelBox};
use crate::simd::Level;

/// Alpha, 0 to 255, of the union of `masks`, placed and blurred.
///
/// `weights` are those of one axis, the centre in the middle, an odd number that sums to 4096; with `r` the
/// middle and `U` the union of the placed masks, alpha is `(255 * sum of weights[r + dy] * weights[r + dx] *
/// U(y + dy, x + dx) + 2^23) >> 24`. The union is taken before the canvas cuts it, so an object cut by the
/// border stays solid there; where the image does not land, alpha is 0.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn alpha(masks: &Masks, placement: &Placement, weights: &[u16]) -> Result<Alpha> {
    alpha_with_level(Level::detect(), masks, placement, weights)
}

/// Alpha as [`alpha`] gives it, with the instructions of `level`.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn alpha_with_level(
    level: Level,
    masks: &Masks,
    placement: &Placement,
    weights: &[u16],
) -> Result<Alpha> {
    let nothing = || Ok(Alpha::nothing());
    let Some(kernel) = BlurWeights::new(weights)? else { return nothing() };
    // One mask is its own union.
    let united;
    let union = if masks.len() == 1 {
        masks
    } else {
        united = rle::union(masks)?;
        &united
    };
    let Some(object) = rle::boxes(union)?.pop() else { return nothing() };
    let rows = BlurExtent::new(&placement.rows(), object.y0..object.y1, &kernel);
    let columns = BlurExtent::new(&placement.columns(), object.x0..object.x1, &kernel);
    if rows.out.is_empty() || columns.out.is_empty() {
        return nothing();
    }
    let (h, w) = (rows.object.end - rows.object.start, columns.object.end - columns.object.start);
    let pixels = h.saturating_mul(w);
    if pixels > i64::from(u32::MAX) {
        return Err(Error::TooManyPixels { size: Size { h: h as usize, w: w as usize } });
    }
    let placed = rle::place(
        union,
        &Placement {
            offset_y: placement.offset_y - rows.object.start,
            offset_x: placement.offset_x - columns.object.start,
            canvas: Size { h: h as usize, w: w as usize },
            ..*placement
        },
    )?;
    blur(level, &BitPlane::new(&placed, 0)?, &rows, &columns, &kernel)
}

/// Alpha of a mask that is on the canvas already, and that the canvas has not cut.
pub(crate) fn alpha_of_placed(
    level: Level,
    placed: &Masks,
    placement: &Placement,
    weights: &[u16],
) -> Result<Alpha> {
    debug_assert!(!placement.is_cut());
    let Some(kernel) = BlurWeights::new(weights)? else { return Ok(Alpha::nothing()) };
    let Some(&PixelBox { y0, x0, y1, x1 }) = rle::boxes(placed)?.first() else { return Ok(Alpha::nothing()) };
    let rows = BlurExtent::of_placed(&placement.rows(), y0..y1, &kernel);
    let columns = BlurExtent::of_placed(&placement.columns(), x0..x1, &kernel);
    if rows.out.is_empty() || columns.out.is_empty() {
        return Ok(Alpha::nothing());
    }
    blur(level, &BitPlane::new(placed, 0)?, &rows, &columns, &kernel)
}

/// Weights of one axis in 1/4096, without the zeros at both ends: those of `low`, `low + 1`, ... `high`, as distances
/// in pixels from the centre.
pub(super) struct BlurWeights {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) weights: Vec<i16>,
    /// Blurred start of a span, from a block before the first position that sees any of it: zeros, then the sums of
    /// more and more weights, then, for two blocks, all of them.
    pub(super) ramp: Vec<i16>,
}

impl BlurWeights {
    /// Weights without the zeros at both ends; none when all are zero.
    fn new(weights: &[u16]) -> Result<Option<Self>> {
        let ends =
            (weights.iter().position(|&weight| weight > 0), weights.iter().rposition(|&weight| weight > 0));
        let (Some(first), Some(last)) = ends else { return Ok(None) };
        let middle = weights.len() as i64 / 2;
        let weights = collect(weights[first..=last].iter().map(|&weight| weight as i16))?;
        let mut ramp = filled(weights.len() + 3 * WIDTH)?;
        let mut sum: i16 = 0;
        for (ramp, weight) in ramp[WIDTH..].iter_mut().zip(weights.iter().rev()) {
            sum += weight;
            *ramp = sum;
        }
        ramp[WIDTH + weights.len()..].fill(FULL);
        Ok(Some(Self { low: first as i64 - middle, high: last as i64 - middle, weights, ramp }))
    }
}

/// Extent of the blur along one axis: what it gives and what it needs, in canvas positions that may lie off the canvas.
pub(super) struct BlurExtent {
    /// Positions where alpha may be above 0.
    pub(super) out: Range<i64>,
    /// Positions of the placed object that alpha there depends on.
    pub(super) object: Range<i64>,
}

impl BlurExtent {
    /// Extent for an object that has the input samples of a range.
    fn new(axis: &Axis, object: Range<usize>, kernel: &BlurWeights) -> Self {
        let object = if axis.flip { axis.input - object.end..axis.input - object.start } else { object };
        let first = |k| first_resized(axis.input, axis.resized, k).0 as i64;
        let start = axis.offset + first(object.start);
        let end = axis.offset + first(object.end);
        let landing = axis.landing();
        let out = (start - kernel.high).max(landing.start as i64)..(end - kernel.low).min(landing.end as i64);
        let object = start.max(out.start + kernel.low)..end.min(out.end + kernel.high);
        if start >= end || object.is_empty() {
            return Self { out: 0..0, object: 0..0 };
        }
        Self { out, object }
    }
}

impl BlurExtent {
    /// Extent for an object that has the canvas positions of a range; the rows of all of the canvas are given.
    fn of_placed(axis: &Axis, object: Range<usize>, kernel: &BlurWeights) -> Self {
        let landing = axis.landing();
        let start = (object.start as i64 - kernel.high).max(landing.start as i64);
        let end = (object.end as i64 - kernel.low).min(landing.end as i64);
        let out = if object.is_empty() { 0..0 } else { start..end };
        Self { out, object: 0..axis.canvas as i64 }
    }
}
