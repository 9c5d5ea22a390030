//! The pixels of the operation: one canvas row after the other, each pixel from the one image that shows there.
//!
//! A row is first shared out, from the last paste to the target: what a paste covers fully, nothing below it
//! computes. Then it is painted, from the target up, since soft edges blend over what lies below.

use std::ops::Range;

use super::{Layer, Look, Scene, check_length, check_size};
use crate::bits::{Span, append_runs};
use crate::blend::{Alpha, alpha, alpha_of_placed, blend_row};
use crate::memory::filled;
use crate::output::Sink;
use crate::resample::fill::Fill;
use crate::resample::{Filter, Pixel, Resampler};
use crate::rle::{BitPlane, PixelBox};
use crate::simd::Level;
use crate::{Error, ImageView, Placement, Result, Size};

/// Gaps of so many pixels between spans of the target are computed with them, to be painted over: that costs less
/// than to begin anew.
const NARROW: u32 = 64;

/// A scene ready to be painted: what each layer covers is drawn.
pub struct Painting {
    target: Placement,
    layers: Vec<Drawn>,
}

/// A layer whose cover is drawn.
struct Drawn {
    source: usize,
    placement: Placement,
    rows: Range<usize>,
    columns: Range<usize>,
    cover: Cover,
}

enum Cover {
    Hard(BitPlane),
    Soft(Alpha),
}

impl Scene<'_> {
    /// Draws what the layers cover.
    ///
    /// # Errors
    /// When there is not enough memory, and when a soft object is too large.
    pub fn draw(&self) -> Result<Painting> {
        let layers = self.layers.iter().map(Drawn::new).collect::<Result<_>>()?;
        Ok(Painting { target: self.target, layers })
    }
}

impl Drawn {
    fn new(layer: &Layer<'_>) -> Result<Self> {
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
                (Cover::Soft(soft), rows, columns)
            }
        };
        Ok(Self { source: layer.source, placement: layer.placement, rows, columns, cover })
    }
}

impl Painting {
    /// What one thread paints with; `images` are the target and the sources.
    ///
    /// # Errors
    /// When the images do not fit the scene, and when there is not enough memory.
    pub fn brush<'a, 'i, T: Pixel>(
        &'a self,
        images: &[ImageView<'i, T>],
        look: &Look<'a, T>,
    ) -> Result<Brush<'a, 'i, T>> {
        let image_of = |number: usize, placement: &Placement| {
            let missing = Error::NoSuchSource { source: number, sources: images.len() };
            let image = images.get(number).copied().ok_or(missing)?;
            check_size(placement.input, image.size())?;
            check_length(look.fill.len(), image.channels())?;
            Ok(image)
        };
        let Self { target, layers } = self;
        let Size { h, w } = target.canvas;
        let filter = Filter::choose(look.nearest, look.antialias, target);
        let below = Resampler::new(image_of(0, target)?, target, filter, 0..h, 0..w)?;
        let mut painters = Vec::with_capacity(layers.len());
        for layer in layers {
            painters.push(Painter::new(image_of(layer.source + 1, &layer.placement)?, layer, look)?);
        }
        let soft = layers.iter().any(|layer| matches!(layer.cover, Cover::Soft(_)));
        Ok(Brush {
            canvas: target.canvas,
            channels: look.fill.len(),
            below,
            painters,
            blank: Fill::new(look.fill),
            covered: vec![0; w.div_ceil(64)],
            free: Vec::new(),
            spans: Vec::new(),
            below_soft: if soft { filled(w * look.fill.len())? } else { Vec::new() },
        })
    }
}

/// Paints rows of a canvas.
pub struct Brush<'a, 'i, T: Pixel> {
    canvas: Size,
    channels: usize,
    /// The target's pixels, and those of the layers.
    below: Resampler<'i, T>,
    painters: Vec<Painter<'a, 'i, T>>,
    blank: Fill<'a, T>,
    /// Of the row at hand: what layers cover fully, what they leave free, where of that the target is computed.
    covered: Vec<u64>,
    free: Vec<Span>,
    spans: Vec<Span>,
    /// Keeps what lies below the parts of a row that are about to be blended.
    below_soft: Vec<T>,
}

impl<T: Pixel> Brush<'_, '_, T> {
    /// Writes every pixel of some `rows` of the canvas to `strip`.
    ///
    /// Whatever the rows, each gets the same pixels: several threads can share a canvas.
    ///
    /// # Errors
    /// When the strip does not have the size of these rows.
    pub fn paint(&mut self, rows: Range<usize>, strip: &mut impl Sink<T>) -> Result<()> {
        let size = Size { h: rows.len(), w: self.canvas.w };
        check_size(size, strip.size())?;
        check_length(self.channels, strip.channels())?;
        if rows.start > rows.end || rows.end > self.canvas.h {
            return Err(Error::NoSuchRow { row: rows.end, rows: self.canvas.h });
        }
        for y in rows.clone() {
            self.paint_row(y, strip.row_mut(y - rows.start));
            strip.finish(y - rows.start);
        }
        Ok(())
    }

    fn paint_row(&mut self, y: usize, row: &mut [T]) {
        let Self { canvas, channels, below, painters, blank, covered, free, spans, below_soft } = self;
        let (w, channels) = (canvas.w, *channels);
        covered.fill(0);
        free.clear();
        let mut alone = true;
        for painter in painters.iter_mut().rev().filter(|painter| painter.rows.contains(&y)) {
            painter.claim(y, covered);
            alone = false;
        }
        let landing = if below.rows().contains(&y) { below.columns() } else { 0..0 };
        let (landing_start, landing_end) = (landing.start as u32, landing.end as u32);
        if alone {
            free.push((0, w as u32));
        } else {
            append_runs(0, covered.iter().map(|taken| !taken), free);
        }
        spans.clear();
        for &(start, end) in &*free {
            let end = end.min(w as u32); // bits past the last column are never covered
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
            below.row(y, spans, row);
        }
        for painter in painters.iter_mut().filter(|painter| painter.rows.contains(&y)) {
            painter.paint(y, row, below_soft, channels);
        }
    }
}

/// What one layer covers, and its pixels.
struct Painter<'a, 'i, T: Pixel> {
    rows: Range<usize>,
    pixels: Resampler<'i, T>,
    cover: &'a Cover,
    /// Of the row at hand, where the layer shows, and where of that it is blended.
    shown: Vec<Span>,
    partial: Vec<Span>,
    /// The bits of one row of weights: fully covered, and partly.
    bits: [Vec<u64>; 2],
}

impl<'a, 'i, T: Pixel> Painter<'a, 'i, T> {
    fn new(image: ImageView<'i, T>, layer: &'a Drawn, look: &Look<'_, T>) -> Result<Self> {
        let Drawn { placement, rows, columns, cover, .. } = layer;
        let words = match cover {
            Cover::Hard(_) => 0,
            Cover::Soft(_) => columns.end.div_ceil(64) - columns.start / 64,
        };
        let filter = Filter::choose(look.nearest, look.antialias, placement);
        let pixels = Resampler::new(image, placement, filter, rows.clone(), columns.clone())?;
        let bits = [vec![0; words], vec![0; words]];
        Ok(Self { rows: rows.clone(), pixels, cover, shown: Vec::new(), partial: Vec::new(), bits })
    }

    /// Takes its share of row `y`, what is not `covered` yet, and covers what it covers fully.
    fn claim(&mut self, y: usize, covered: &mut [u64]) {
        self.shown.clear();
        self.partial.clear();
        let (first, opaque, partial) = match self.cover {
            Cover::Hard(plane) => (plane.first_word(), plane.row(y), &[][..]),
            Cover::Soft(soft) => {
                let [opaque, partial] = &mut self.bits;
                soft.row_bits(y, opaque, partial);
                (soft.columns().start / 64, &opaque[..], &partial[..])
            }
        };
        let column = (first * 64) as u32;
        let covered = &mut covered[first..first + opaque.len()];
        if partial.is_empty() {
            append_runs(
                column,
                opaque.iter().zip(&*covered).map(|(bits, taken)| bits & !taken),
                &mut self.shown,
            );
        } else {
            let shown = opaque.iter().zip(partial).map(|(opaque, partial)| opaque | partial);
            append_runs(column, shown.zip(&*covered).map(|(bits, taken)| bits & !taken), &mut self.shown);
            append_runs(
                column,
                partial.iter().zip(&*covered).map(|(bits, taken)| bits & !taken),
                &mut self.partial,
            );
        }
        for (taken, bits) in covered.iter_mut().zip(opaque) {
            *taken |= bits;
        }
    }

    fn paint(&mut self, y: usize, row: &mut [T], below: &mut [T], channels: usize) {
        let values = |&(start, end): &Span| start as usize * channels..end as usize * channels;
        for span in &self.partial {
            keep(&row[values(span).start..], &mut below[values(span).start..], values(span).len());
        }
        self.pixels.row(y, &self.shown, row);
        let Cover::Soft(soft) = self.cover else { return };
        let level = Level::detect();
        for span in &self.partial {
            let (start, end) = (span.0 as usize, span.1 as usize);
            let from = values(span).start;
            blend_row(level, &below[from..], soft.partial(y, start), channels, &mut row[from..], end - start);
        }
    }
}

/// Copies the first `length` values, and perhaps some more: few at a time, a call would cost more.
fn keep<T: Copy>(row: &[T], kept: &mut [T], length: usize) {
    const TOGETHER: usize = 32;
    let mut at = 0;
    while at < length {
        match (row[at..].first_chunk::<TOGETHER>(), kept[at..].first_chunk_mut::<TOGETHER>()) {
            (Some(row), Some(kept)) => *kept = *row,
            _ => return kept[at..length].copy_from_slice(&row[at..length]),
        }
        at += TOGETHER;
    }
}
