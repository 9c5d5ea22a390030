//! Pixels of canvas rows, each from the one image that shows there.
//!
//! A row is first divided among the layers, from the last paste to the target: what a paste covers fully, nothing below
//! it computes. Then it is written, from the target up, since soft edges blend over what lies below.

use std::ops::Range;

use ndarray::ArrayViewMut3;

use super::coverage::{Coverage, LayerCoverage, Opacity};
use super::{PixelOptions, check_length, check_size};
use crate::bits::{Span, append_runs};
use crate::blend::blend_row;
use crate::memory::{filled, reserve, reserve_more};
use crate::output::{Converter, OutputFormat, OutputPixel};
use crate::resample::fill::{Fill, continue_row};
use crate::resample::{Border, Filter, Pixel, Resampler};
use crate::simd::Level;
use crate::{Error, ImageView, ImageViewMut, Placement, Result, Size};

/// Widest gap between two spans of the target, in pixels, that is computed with them, to be written over: that costs
/// less than to begin anew.
const NARROW: u32 = 64;

/// Bytes of rows that are converted together. Output memory is slow, and rows that follow each other keep it busy; one
/// row at a time, each would wait for it anew.
const STRIP: usize = 384 << 10;

/// Writer of canvas rows.
pub struct Renderer<'a, 'i, T: Pixel> {
    canvas: Size,
    channels: usize,
    target: Resampler<'i, T>,
    layers: Vec<LayerRenderer<'a, 'i, T>>,
    /// Fill where the target does not reach; without, its outermost pixels go on.
    fill: Option<Fill<'a, T>>,
    /// Bits of the columns of the row at hand that layers cover fully.
    covered: Vec<u64>,
    /// Spans of the row at hand that layers leave free, and those of them that the target is computed in.
    free: Vec<Span>,
    spans: Vec<Span>,
    /// Copy of the parts of a row that are about to be blended over.
    below: Vec<T>,
}

impl<'a, 'i, T: Pixel> Renderer<'a, 'i, T> {
    /// Renderer of any rows of a coverage; `images` are the target and the sources.
    ///
    /// # Errors
    /// When the images do not fit the coverage, and when there is not enough memory.
    pub fn new(
        coverage: &'a Coverage,
        images: &[ImageView<'i, T>],
        options: &PixelOptions<'a, T>,
    ) -> Result<Self> {
        let channels = match options.border {
            Border::Fill(pixel) => pixel.len(),
            Border::Edge => images.first().map_or(0, ImageView::channels),
        };
        let image_of = |number: usize, placement: &Placement| {
            let missing = Error::NoSuchSource { source: number, sources: images.len() };
            let image = images.get(number).copied().ok_or(missing)?;
            check_size(placement.input, image.size())?;
            check_length(channels, image.channels())?;
            Ok(image)
        };
        let Coverage { target, layers } = coverage;
        let Size { h, w } = target.canvas;
        let onto = if matches!(options.border, Border::Edge) { target.onto_canvas() } else { *target };
        let filter = Filter::choose(options.nearest, options.antialias, target);
        let resampler = Resampler::new(image_of(0, target)?, &onto, filter, 0..h, 0..w)?;
        let mut renderers = reserve(layers.len())?;
        for layer in layers {
            let image = image_of(layer.source + 1, &layer.placement)?;
            renderers.push(LayerRenderer::new(image, layer, options)?);
        }
        let soft = layers.iter().any(|layer| matches!(layer.opacity, Opacity::Soft(_)));
        Ok(Self {
            canvas: target.canvas,
            channels,
            target: resampler,
            layers: renderers,
            fill: options.border.fill(),
            covered: filled(w.div_ceil(64))?,
            free: Vec::new(),
            spans: Vec::new(),
            below: if soft { filled(w * channels)? } else { Vec::new() },
        })
    }

    /// Writes every pixel of some `rows` of the canvas to `out`: these rows, width and channels, each row in one piece.
    ///
    /// A row gets the same pixels whichever are rendered with it: several threads can share a canvas.
    ///
    /// # Errors
    /// When `out` does not have the size of these rows, and when there is not enough memory.
    pub fn render(&mut self, rows: Range<usize>, out: ArrayViewMut3<'_, T>) -> Result<()> {
        let expected = out.len();
        let mut out = ImageViewMut::new(out).ok_or(Error::LengthDiffers { expected, found: 0 })?;
        self.check(&rows, out.size(), out.channels())?;
        for y in rows.clone() {
            self.render_row(y, out.row_mut(y - rows.start))?;
        }
        Ok(())
    }

    /// Writes some `rows` in another format to `out`, which has them as [`OutputFormat::view`] gives them.
    ///
    /// # Errors
    /// When `out` or the format is for another image, and when there is not enough memory.
    pub fn render_as<O: OutputPixel<T>>(
        &mut self,
        rows: Range<usize>,
        format: &OutputFormat,
        out: ArrayViewMut3<'_, O>,
    ) -> Result<()> {
        let (h, w, channels) = out.dim();
        self.check(&rows, Size { h, w }, channels)?;
        let values = w * channels;
        let at_once = (STRIP / size_of::<T>() / values.max(1)).clamp(1, h.max(1));
        let mut converter = Converter::new(out, format)?;
        let mut strip = filled(at_once * values)?;
        for start in rows.clone().step_by(at_once) {
            let strip = &mut strip[..at_once.min(rows.end - start) * values];
            for (y, row) in (start..).zip(strip.chunks_exact_mut(values)) {
                self.render_row(y, row)?;
            }
            for (y, row) in (start - rows.start..).zip(strip.chunks_exact(values)) {
                converter.write(y, row);
            }
        }
        Ok(())
    }

    fn check(&self, rows: &Range<usize>, size: Size, channels: usize) -> Result<()> {
        check_size(Size { h: rows.len(), w: self.canvas.w }, size)?;
        check_length(self.channels, channels)?;
        if rows.start > rows.end || rows.end > self.canvas.h {
            return Err(Error::NoSuchRow { row: rows.end, rows: self.canvas.h });
        }
        Ok(())
    }

    fn render_row(&mut self, y: usize, row: &mut [T]) -> Result<()> {
        let Self { canvas, channels, target, layers, fill, covered, free, spans, below } = self;
        let (w, channels) = (canvas.w, *channels);
        covered.fill(0);
        free.clear();
        let mut target_alone = true;
        for layer in layers.iter_mut().rev().filter(|layer| layer.rows.contains(&y)) {
            layer.claim(y, covered)?;
            target_alone = false;
        }
        if target_alone {
            reserve_more(free, 1)?;
            free.push((0, w as u32));
        } else {
            append_runs(0, covered.iter().map(|taken| !taken), free)?;
        }
        let rows = target.rows();
        // Where the target's edge goes on, its first and its last row do.
        let target_y = if fill.is_some() { y } else { y.clamp(rows.start, rows.end - 1) };
        let landing = if rows.contains(&target_y) { target.columns() } else { 0..0 };
        let (landing_start, landing_end) = (landing.start as u32, landing.end as u32);
        spans.clear();
        reserve_more(spans, free.len() + 2)?;
        if let Some(last) = free.last_mut() {
            last.1 = last.1.min(w as u32); // bits past the last column are never covered
        }
        let free_ends = [free.first().map_or(w as u32, |span| span.0), free.last().map_or(0, |span| span.1)];
        if fill.is_none() && free_ends[0] < landing_start {
            spans.push((landing_start, landing_start + 1));
        }
        for &(start, end) in &*free {
            let left = landing_start.clamp(start, end);
            let right = landing_end.clamp(left, end);
            if let Some(fill) = fill {
                for (from, to) in [(start, left), (right, end)] {
                    fill.fill(&mut row[from as usize * channels..to as usize * channels]);
                }
            }
            if left < right {
                join(spans, (left, right));
            }
        }
        if fill.is_none() && free_ends[1] > landing_end {
            join(spans, (landing_end - 1, landing_end));
        }
        if !spans.is_empty() {
            target.row(target_y, spans, row);
        }
        if fill.is_none() {
            for &(start, end) in &*free {
                continue_row(row, channels, &landing, &(start as usize..end as usize));
            }
        }
        for layer in layers.iter_mut().filter(|layer| layer.rows.contains(&y)) {
            layer.render(y, row, below, channels);
        }
        Ok(())
    }
}

/// Writer of what one layer shows of a canvas row.
struct LayerRenderer<'a, 'i, T: Pixel> {
    rows: Range<usize>,
    /// Words of a row of bits in which the layer has columns.
    words: Range<usize>,
    resampler: Resampler<'i, T>,
    opacity: &'a Opacity,
    /// Spans of the row at hand where the layer shows, and those of them that are blended.
    shown: Vec<Span>,
    partial: Vec<Span>,
    /// Bits of one row of alpha: fully covered columns, and partly covered ones.
    bits: [Vec<u64>; 2],
}

impl<'a, 'i, T: Pixel> LayerRenderer<'a, 'i, T> {
    fn new(image: ImageView<'i, T>, layer: &'a LayerCoverage, options: &PixelOptions<'_, T>) -> Result<Self> {
        let LayerCoverage { placement, rows, columns, opacity, .. } = layer;
        let words = columns.start / 64..columns.end.div_ceil(64);
        let soft_words = if matches!(opacity, Opacity::Soft(_)) { words.len() } else { 0 };
        let filter = Filter::choose(options.nearest, options.antialias, placement);
        let resampler = Resampler::new(image, placement, filter, rows.clone(), columns.clone())?;
        let bits = [filled(soft_words)?, filled(soft_words)?];
        let (rows, shown, partial) = (rows.clone(), Vec::new(), Vec::new());
        Ok(Self { rows, words, resampler, opacity, shown, partial, bits })
    }

    /// Finds where the layer shows in row `y`, of what is not `covered` yet, and covers what it covers fully.
    fn claim(&mut self, y: usize, covered: &mut [u64]) -> Result<()> {
        self.shown.clear();
        self.partial.clear();
        let column = (self.words.start * 64) as u32;
        let covered = &mut covered[self.words.clone()];
        // Under many pastes most have nothing left, and need not be looked at.
        if covered.iter().all(|&taken| taken == u64::MAX) {
            return Ok(());
        }
        let (opaque, partial) = match self.opacity {
            Opacity::Hard(plane) => (plane.row(y), &[][..]),
            Opacity::Soft(alpha) => {
                let [opaque, partial] = &mut self.bits;
                alpha.row_bits(y, opaque, partial);
                (&opaque[..], &partial[..])
            }
        };
        if partial.is_empty() {
            let shown = opaque.iter().zip(&*covered).map(|(bits, taken)| bits & !taken);
            append_runs(column, shown, &mut self.shown)?;
        } else {
            let shown = opaque.iter().zip(partial).map(|(opaque, partial)| opaque | partial);
            append_runs(column, shown.zip(&*covered).map(|(bits, taken)| bits & !taken), &mut self.shown)?;
            let partial = partial.iter().zip(&*covered).map(|(bits, taken)| bits & !taken);
            append_runs(column, partial, &mut self.partial)?;
        }
        for (taken, bits) in covered.iter_mut().zip(opaque) {
            *taken |= bits;
        }
        Ok(())
    }

    /// Writes what the layer shows of row `y`; `below` takes what lies under the parts that are blended.
    fn render(&mut self, y: usize, row: &mut [T], below: &mut [T], channels: usize) {
        if self.shown.is_empty() {
            return;
        }
        let values = |&(start, end): &Span| start as usize * channels..end as usize * channels;
        for span in &self.partial {
            copy_short(&row[values(span).start..], &mut below[values(span).start..], values(span).len());
        }
        self.resampler.row(y, &self.shown, row);
        let Opacity::Soft(alpha) = self.opacity else { return };
        let level = Level::detect();
        for span in &self.partial {
            let (start, end) = (span.0 as usize, span.1 as usize);
            let from = values(span).start;
            blend_row(
                level,
                &below[from..],
                alpha.partial(y, start),
                channels,
                &mut row[from..],
                end - start,
            );
        }
    }
}

/// Appends a span to those before it, or to the last of them, where little or nothing lies between.
fn join(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if span.0.saturating_sub(last.1) <= NARROW => last.1 = last.1.max(span.1),
        _ => spans.push(span),
    }
}

/// Copies the first `length` values, and perhaps some more behind them: for a few at a time, a call would cost more.
fn copy_short<T: Copy>(from: &[T], to: &mut [T], length: usize) {
    const BLOCK: usize = 32;
    let mut start = 0;
    while start < length {
        match (from[start..].first_chunk::<BLOCK>(), to[start..].first_chunk_mut::<BLOCK>()) {
            (Some(from), Some(to)) => *to = *from,
            _ => return to[start..length].copy_from_slice(&from[start..length]),
        }
        start += BLOCK;
    }
}
