//! The pixels of the operation: one canvas row after the other, each pixel from the one image that shows there.
//!
//! A row is first shared out, from the last paste to the target: what a paste covers fully, nothing below it
//! computes. Then it is painted, from the target up, since soft edges blend over what lies below.

use std::ops::Range;

use super::spans::{Span, for_each_run, set};
use super::{Layer, Look, Side};
use crate::composite::{Alpha, alpha};
use crate::resample::{Filter, Pixel, Resampler};
use crate::rle::BitPlane;
use crate::{ImageView, ImageViewMut, Placement, Result};

/// Writes every pixel of the canvas.
pub(super) fn paint<T: Pixel>(
    target: ImageView<'_, T>,
    placement: &Placement,
    sources: &[Side<'_, T>],
    layers: &[Layer<'_>],
    look: &Look<'_, T>,
    canvas: &mut ImageViewMut<'_, T>,
) -> Result<()> {
    let size = canvas.size();
    let channels = canvas.channels();
    let filter = Filter::choose(look.nearest, look.antialias, placement);
    let mut below = Resampler::new(target, placement, filter, 0..size.h, 0..size.w)?;
    let mut painters = Vec::with_capacity(layers.len());
    for layer in layers {
        painters.push(Painter::new(&sources[layer.source], layer, look)?);
    }
    let mut covered = vec![0u64; size.w.div_ceil(64)];
    let mut uncovered = vec![0u64; covered.len()];
    let mut spans: Vec<Span> = Vec::new();
    let mut scratch = Vec::new();
    if layers.iter().any(|layer| layer.weights.is_some()) {
        scratch.resize(size.w * channels, T::default());
    }
    let fill_row: Vec<T> = look.fill.iter().copied().cycle().take(size.w * channels).collect();

    for y in 0..size.h {
        let row = canvas.row_mut(y);
        covered.fill(0);
        for painter in painters.iter_mut().rev().filter(|painter| painter.rows.contains(&y)) {
            painter.claim(y, &mut covered);
        }
        let landing = if below.rows().contains(&y) { below.columns() } else { 0..0 };
        for (free, taken) in uncovered.iter_mut().zip(&covered) {
            *free = !taken;
        }
        spans.clear();
        for_each_run(&uncovered, |(start, end)| {
            // Bits past the last column are never covered.
            let end = end.min(size.w as u32);
            let (left, right) = ((landing.start as u32).clamp(start, end), (landing.end as u32).clamp(start, end));
            let (left, right) = if left < right { (left, right) } else { (end, end) };
            for (from, to) in [(start, left), (right, end)] {
                let (from, to) = (from as usize * channels, to as usize * channels);
                row[from..to].copy_from_slice(&fill_row[from..to]);
            }
            if left < right {
                spans.push((left, right));
            }
        });
        if !spans.is_empty() {
            below.row(y, &spans, row);
        }
        for painter in painters.iter_mut().filter(|painter| painter.rows.contains(&y)) {
            painter.paint(y, row, &mut scratch, channels);
        }
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
    Soft(Alpha),
}

impl<'a, T: Pixel> Painter<'a, T> {
    fn new(side: &Side<'a, T>, layer: &Layer<'_>, look: &Look<'_, T>) -> Result<Self> {
        let (cover, rows, columns) = match layer.weights {
            None => {
                let box_ = layer.reach;
                (Cover::Hard(BitPlane::new(&layer.union, 0)), box_.y0..box_.y1, box_.x0..box_.x1)
            }
            Some(weights) => {
                let soft = alpha(&layer.chosen, &layer.placement, weights)?;
                let (rows, columns) = (soft.rows(), soft.columns());
                (Cover::Soft(soft), rows, columns)
            }
        };
        let filter = Filter::choose(look.nearest, look.antialias, &layer.placement);
        let pixels = Resampler::new(side.image, &layer.placement, filter, rows.clone(), columns)?;
        Ok(Self { rows, pixels, cover, opaque: Vec::new(), partial: Vec::new() })
    }

    /// Takes its share of row `y`: what is not `covered` yet. Then covers it.
    fn claim(&mut self, y: usize, covered: &mut [u64]) {
        let Self { opaque, partial, cover, .. } = self;
        opaque.clear();
        partial.clear();
        match cover {
            Cover::Hard(plane) => {
                let first = plane.first_word();
                let bits = plane.row(y);
                let taken = &mut covered[first..first + bits.len()];
                let base = first as u32 * 64;
                for_each_visible_run(bits, taken, |(start, end)| opaque.push((base + start, base + end)));
                for (taken, bits) in taken.iter_mut().zip(bits) {
                    *taken |= bits;
                }
            }
            Cover::Soft(soft) => soft.claim(y, covered, opaque, partial),
        }
    }

    fn paint(&mut self, y: usize, row: &mut [T], scratch: &mut [T], channels: usize) {
        if !self.opaque.is_empty() {
            self.pixels.row(y, &self.opaque, row);
        }
        if let (Cover::Soft(soft), false) = (&self.cover, self.partial.is_empty()) {
            self.pixels.row(y, &self.partial, scratch);
            let base = soft.columns().start;
            let alpha = soft.row(y);
            for &(start, end) in &self.partial {
                let (start, end) = (start as usize, end as usize);
                let pixels = start * channels..end * channels;
                T::blend_row(&scratch[pixels.clone()], &alpha[start - base..end - base], channels, &mut row[pixels]);
            }
        }
    }
}
