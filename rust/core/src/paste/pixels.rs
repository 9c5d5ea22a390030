//! The pixels of the operation: one canvas row after the other, each pixel from the one image that shows there.
//!
//! A row is first shared out, from the last paste to the target: what a paste covers fully, nothing below it
//! computes. Then it is painted, from the target up, since soft edges blend over what lies below.

use std::ops::Range;

use super::{Layer, Look};
use crate::composite::{Alpha, alpha, alpha_of_placed, blend_row};
use crate::finish::Sink;
use crate::resample::fill::Fill;
use crate::resample::{Filter, Pixel, Resampler};
use crate::rle::spans::{Span, append_runs};
use crate::rle::{BitPlane, PixelBox};
use crate::simd::Level;
use crate::{ImageView, Placement, Result};

/// Gaps of so many pixels between spans of the target are computed with them, to be painted over: that costs less
/// than to begin anew.
const NARROW: u32 = 64;

/// Writes every pixel of the canvas.
pub(super) fn paint<T: Pixel>(
    target: ImageView<'_, T>,
    placement: &Placement,
    sources: &[ImageView<'_, T>],
    layers: &[Layer<'_>],
    look: &Look<'_, T>,
    canvas: &mut impl Sink<T>,
) -> Result<()> {
    let size = canvas.size();
    let channels = canvas.channels();
    let filter = Filter::choose(look.nearest, look.antialias, placement);
    let mut below = Resampler::new(target, placement, filter, 0..size.h, 0..size.w)?;
    let mut painters = Vec::with_capacity(layers.len());
    for layer in layers {
        painters.push(Painter::new(sources[layer.source], layer, look)?);
    }
    let mut covered = vec![0u64; size.w.div_ceil(64)];
    let (mut free, mut spans): (Vec<Span>, Vec<Span>) = (Vec::new(), Vec::new());
    let blank = Fill::new(look.fill);
    // Takes the part of a source's row that is about to be blended.
    let mut scratch: Vec<T> = Vec::new();
    if painters.iter().any(|painter| matches!(painter.cover, Cover::Soft(..))) {
        scratch.extend(look.fill.iter().copied().cycle().take(size.w * channels));
    }

    for y in 0..size.h {
        let row = canvas.row_mut(y);
        covered.fill(0);
        free.clear();
        let mut alone = true;
        for painter in painters.iter_mut().rev().filter(|painter| painter.rows.contains(&y)) {
            painter.claim(y, &mut covered);
            alone = false;
        }
        let landing = if below.rows().contains(&y) { below.columns() } else { 0..0 };
        let (landing_start, landing_end) = (landing.start as u32, landing.end as u32);
        if alone {
            free.push((0, size.w as u32));
        } else {
            append_runs(0, covered.iter().map(|taken| !taken), &mut free);
        }
        spans.clear();
        for &(start, end) in &free {
            let end = end.min(size.w as u32); // bits past the last column are never covered
            let left = landing_start.clamp(start, end);
            let right = landing_end.clamp(left, end);
            for (from, to) in [(start, left), (right, end)] {
                let (from, to) = (from as usize * channels, to as usize * channels);
                blank.fill(&mut row[from..to]);
            }
            match spans.last_mut() {
                _ if left == right => {}
                Some(last) if left - last.1 <= NARROW => last.1 = right,
                _ => spans.push((left, right)),
            }
        }
        if !spans.is_empty() {
            below.row(y, &spans, row);
        }
        for painter in painters.iter_mut().filter(|painter| painter.rows.contains(&y)) {
            painter.paint(y, row, &mut scratch, channels);
        }
        canvas.finish(y);
    }
    Ok(())
}

/// What one layer covers, and its pixels.
struct Painter<'a, T: Pixel> {
    rows: Range<usize>,
    pixels: Resampler<'a, T>,
    cover: Cover,
    /// Of the row at hand, what the layer shows: fully, and blended.
    opaque: Vec<Span>,
    partial: Vec<Span>,
}

enum Cover {
    Hard(BitPlane),
    /// Weights, and the bits of one row of them: fully covered, and partly.
    Soft(Alpha, Vec<u64>, Vec<u64>),
}

impl<'a, T: Pixel> Painter<'a, T> {
    fn new(image: ImageView<'a, T>, layer: &Layer<'_>, look: &Look<'_, T>) -> Result<Self> {
        let (cover, rows, columns) = match &layer.soft {
            None => {
                let PixelBox { y0, x0, y1, x1 } = layer.reach;
                (Cover::Hard(BitPlane::new(&layer.union, 0)), y0..y1, x0..x1)
            }
            Some(soft) => {
                let soft = match &soft.uncut {
                    Some(union) => alpha(union, &layer.placement, soft.weights)?,
                    None => alpha_of_placed(Level::detect(), &layer.union, &layer.placement, soft.weights)?,
                };
                let (rows, columns) = (soft.rows(), soft.columns());
                let words = columns.end.div_ceil(64) - columns.start / 64;
                (Cover::Soft(soft, vec![0; words], vec![0; words]), rows, columns)
            }
        };
        let filter = Filter::choose(look.nearest, look.antialias, &layer.placement);
        let pixels = Resampler::new(image, &layer.placement, filter, rows.clone(), columns)?;
        Ok(Self { rows, pixels, cover, opaque: Vec::new(), partial: Vec::new() })
    }

    /// Takes its share of row `y`, what is not `covered` yet, and covers what it covers fully.
    fn claim(&mut self, y: usize, covered: &mut [u64]) {
        self.opaque.clear();
        self.partial.clear();
        let (first, bits) = match &mut self.cover {
            Cover::Hard(plane) => (plane.first_word(), plane.row(y)),
            Cover::Soft(soft, opaque, partial) => {
                let start = soft.columns().start;
                soft.row_bits(y, opaque, partial);
                let free = partial.iter().zip(&covered[start / 64..]).map(|(bits, taken)| bits & !taken);
                append_runs((start / 64 * 64) as u32, free, &mut self.partial);
                (start / 64, &opaque[..])
            }
        };
        let covered = &mut covered[first..first + bits.len()];
        let free = bits.iter().zip(&*covered).map(|(bits, taken)| bits & !taken);
        append_runs((first * 64) as u32, free, &mut self.opaque);
        for (taken, bits) in covered.iter_mut().zip(bits) {
            *taken |= bits;
        }
    }

    fn paint(&mut self, y: usize, row: &mut [T], scratch: &mut [T], channels: usize) {
        self.pixels.parts(y, [(&self.opaque, &mut *row), (&self.partial, &mut *scratch)]);
        let Cover::Soft(soft, ..) = &self.cover else { return };
        let level = Level::detect();
        for &(start, end) in &self.partial {
            let (start, end) = (start as usize, end as usize);
            let (over, under) = (&scratch[start * channels..], &mut row[start * channels..]);
            blend_row(level, over, soft.partial(y, start), channels, under, end - start);
        }
    }
}
