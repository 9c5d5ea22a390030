//! The widened triangle for `uint16` and `float32`, computed in float32.

use std::ops::Range;

use super::{Extent, dispatch};
use crate::error::{Error, Result};
use crate::memory::filled;
use crate::resample::linear::FloatPixel;
use crate::resample::separable::{Passes, Rows, SLACK, Window};
use crate::resample::taps::Triangle;
use crate::simd::Level;

/// Columns of floats as a kernel takes them: pixel `i` has the taps `weights[ends[i]..ends[i + 1]]`, from
/// `line[start[i]..]` on. When flipped, the first weight is that of the last tap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FloatColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) ends: &'a [u32],
    pub(crate) weights: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) flip: bool,
}

/// The passes.
#[derive(Debug)]
pub struct AntialiasFloats {
    extent: Extent,
    flip: bool,
    weights: Vec<f32>,
    ends: Vec<u32>,
    /// A source row.
    line: Vec<f32>,
    rows: Triangle,
    row_weights: Vec<f32>,
    scratch: Vec<f64>,
    level: Level,
}

impl AntialiasFloats {
    fn row_columns<T: FloatPixel>(&mut self, row: &[T], pixels: Range<usize>, out: &mut [f32]) {
        let (to, from) = self.extent.needed(pixels.clone());
        for (line, pixel) in self.line[to].iter_mut().zip(&row[from]) {
            *line = pixel.to_f32();
        }
        let line = &self.line[..];
        let columns = FloatColumns {
            start: &self.extent.start[pixels.clone()],
            ends: &self.ends[pixels.start..=pixels.end],
            weights: &self.weights,
            channels: self.extent.channels,
            flip: self.flip,
        };
        match columns.channels {
            1 => dispatch::columns_f32::<1>(self.level, line, columns, out),
            2 => dispatch::columns_f32::<2>(self.level, line, columns, out),
            3 => dispatch::columns_f32::<3>(self.level, line, columns, out),
            4 => dispatch::columns_f32::<4>(self.level, line, columns, out),
            _ => dispatch::columns_f32::<0>(self.level, line, columns, out),
        }
    }
}

impl<T: FloatPixel> Passes<T> for AntialiasFloats {
    type Middle = f32;

    const TOGETHER: usize = 2;

    fn new(window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let triangle = Triangle::new(&axis);
        let extent = Extent::new(window, triangle)?;
        let total: u64 = extent.taps.iter().map(|&taps| u64::from(taps)).sum();
        if total > u64::from(u32::MAX) {
            return Err(Error::OutOfMemory { bytes: total as usize });
        }
        let mut weights: Vec<f32> = filled(total as usize)?;
        let mut ends: Vec<u32> = filled(extent.taps.len() + 1)?;
        let mut scratch = Vec::new();
        let mut end = 0;
        for (last, i) in ends[1..].iter_mut().zip(window.blocks()) {
            triangle.weights(i, &mut scratch);
            for (weight, &exact) in weights[end..].iter_mut().zip(&scratch) {
                *weight = exact as f32;
            }
            end += scratch.len();
            *last = end as u32;
        }
        let rows = Triangle::new(&window.placement.rows());
        let line = filled((extent.source.len() * extent.channels).saturating_add(SLACK))?;
        let (flip, level) = (axis.flip, window.level);
        Ok(Self { extent, flip, weights, ends, line, rows, row_weights: Vec::new(), scratch, level })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn columns<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, out: [&mut [f32]; N]) {
        for (row, out) in rows.into_iter().zip(out) {
            self.row_columns(row, pixels.clone(), out);
        }
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.clear();
        self.row_weights.extend(self.scratch.iter().map(|&weight| weight as f32));
        self.rows.samples(i)
    }

    fn rows(&self, rows: Rows<'_, f32>, out: &mut [T]) {
        dispatch::rows_float(self.level, rows, &self.row_weights, out);
    }
}
