//! The triangle filter for `uint16` and `float32`, computed in float32.

use std::array;
use std::ops::Range;

use super::{Extent, dispatch};
use crate::error::Result;
use crate::memory::filled;
use crate::resample::linear::FloatPixel;
use crate::resample::separable::{Passes, Rows, SLACK, Window};
use crate::resample::taps::Triangle;
use crate::simd::Level;

/// Columns of floats as kernels take them: a pixel has `taps` taps, from `line[start..]` on, of which some at either end
/// may have no weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AntialiasFloatColumns<'a> {
    pub(crate) start: &'a [u32],
    /// Weights in the order in which they are summed: for each group of [`TapLayout::pixels`] pixels and each tap one
    /// for each pixel, [`TapLayout::copies`] times.
    pub(crate) weights: &'a [f32],
    pub(crate) taps: usize,
    pub(crate) channels: usize,
    /// Whether the last tap is summed first.
    pub(crate) flip: bool,
}

/// Number of source rows that are resampled together at most.
const TOGETHER: usize = 2;

/// How a kernel wants its weights.
#[derive(Clone, Copy, Debug)]
struct TapLayout {
    /// Number of pixels that are summed side by side.
    pixels: usize,
    /// Number of lanes that a pixel has in a register.
    copies: usize,
    /// Number of taps that are loaded at once: the number of taps is a multiple.
    at_once: usize,
}

impl TapLayout {
    fn of(level: Level, channels: usize) -> Self {
        let (pixels, copies, at_once) = match channels {
            1 if level != Level::PORTABLE => (8, 1, 4),
            2 if level != Level::PORTABLE => (4, 2, 2),
            3 | 4 if level != Level::PORTABLE => (2, 4, 1),
            _ => (1, 1, 1),
        };
        Self { pixels, copies, at_once }
    }
}

/// The filter for `uint16` and `float32`.
#[derive(Debug)]
pub struct AntialiasFloats {
    extent: Extent,
    layout: TapLayout,
    taps: usize,
    weights: Vec<f32>,
    flip: bool,
    /// Source rows in float32, and zeros behind each.
    lines: [Vec<f32>; TOGETHER],
    rows: Triangle,
    row_weights: Vec<f32>,
    scratch: Vec<f64>,
    level: Level,
}

impl<T: FloatPixel> Passes<T> for AntialiasFloats {
    type Middle = f32;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let triangle = Triangle::new(&axis);
        let extent = Extent::new(window, triangle)?;
        let layout = TapLayout::of(window.level, extent.channels);
        let taps = extent.most_taps().next_multiple_of(layout.at_once);
        let total = extent.start.len().saturating_mul(taps).saturating_mul(layout.copies);
        let mut weights: Vec<f32> = filled(total)?;
        let mut scratch = Vec::new();
        let group = layout.pixels * layout.copies;
        for (pixel, i) in window.blocks().enumerate() {
            triangle.weights(i, &mut scratch);
            let first_tap = if axis.flip { taps - scratch.len() } else { 0 };
            let at = pixel / layout.pixels * taps * group + pixel % layout.pixels * layout.copies;
            for (tap, &weight) in (first_tap..).zip(&scratch) {
                weights[at + tap * group..][..layout.copies].fill(weight as f32);
            }
        }
        let rows = Triangle::new(&window.placement.rows());
        let line =
            (extent.source.len().saturating_add(taps).saturating_mul(extent.channels)).saturating_add(SLACK);
        let lines = [filled(line)?, filled(line)?];
        Ok(Self {
            extent,
            layout,
            taps,
            weights,
            flip: axis.flip,
            lines,
            rows,
            row_weights: Vec::new(),
            scratch,
            level: window.level,
        })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn columns<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, out: [&mut [f32]; N]) {
        let (to, from) = self.extent.needed(pixels.clone());
        for (line, row) in self.lines.iter_mut().zip(rows) {
            for (line, pixel) in line[to.clone()].iter_mut().zip(&row[from.clone()]) {
                *line = pixel.to_f32();
            }
        }
        let lines = array::from_fn(|k| &self.lines[k][..]);
        let weights = self.taps * self.layout.copies;
        let columns = AntialiasFloatColumns {
            start: &self.extent.start[pixels.clone()],
            weights: &self.weights[pixels.start * weights..pixels.end * weights],
            taps: self.taps,
            channels: self.extent.channels,
            flip: self.flip,
        };
        match columns.channels {
            1 => dispatch::horizontal_float::<N, 1>(self.level, lines, columns, out),
            2 => dispatch::horizontal_float::<N, 2>(self.level, lines, columns, out),
            3 => dispatch::horizontal_float::<N, 3>(self.level, lines, columns, out),
            4 => dispatch::horizontal_float::<N, 4>(self.level, lines, columns, out),
            _ => dispatch::horizontal_float::<N, 0>(self.level, lines, columns, out),
        }
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.clear();
        self.row_weights.extend(self.scratch.iter().map(|&weight| weight as f32));
        self.rows.samples(i)
    }

    fn rows(&self, rows: Rows<'_, f32>, out: &mut [T]) {
        dispatch::vertical_float(self.level, rows, &self.row_weights, out);
    }
}
