//! The triangle filter for `uint16` and `float32`, computed in float32.

use std::array;
use std::ops::Range;

use super::dispatch;
use super::table::{AntialiasTable, TOGETHER};
use super::triangle::TriangleAxis;
use crate::error::Result;
use crate::memory::{filled, reserve};
use crate::resample::float::FloatPixel;
use crate::resample::separable::{CanvasWindow, IntermediateRows, SLACK, SeparableFilter};
use crate::simd::Level;

/// Tables of the horizontal pass over floats.
#[derive(Debug)]
pub(super) struct AntialiasFloatTables {
    pub(super) table: AntialiasTable,
    /// Number of taps of each pixel, of which some at either end may have no weight.
    pub(super) taps: usize,
    /// Whether the last tap is summed first.
    pub(super) flip: bool,
    /// Number of lanes that a pixel has in a register of eight; 1 where pixels are summed one by one.
    lanes: usize,
    /// Weights in the order in which they are summed: for each register of pixels, for each tap, those of all lanes.
    weights: Vec<f32>,
}

/// Antialiased filter of `uint16` and `float32`.
#[derive(Debug)]
pub struct AntialiasFloats {
    tables: AntialiasFloatTables,
    /// Source rows in float32, and zeros behind each.
    lines: [Vec<f32>; TOGETHER],
    rows: TriangleAxis,
    row_weights: Vec<f32>,
    scratch: Vec<f64>,
    level: Level,
}

impl AntialiasFloatTables {
    fn new(window: &CanvasWindow) -> Result<Self> {
        let triangle = TriangleAxis::new(&window.placement.columns());
        let table = AntialiasTable::new(window, triangle)?;
        let has_kernel = window.level.has_avx2() && table.channels <= 4;
        let (pixels, lanes) = match table.channels {
            _ if !has_kernel => (1, 1),
            1 | 2 => (8 / table.channels, table.channels),
            _ => (2, 4),
        };
        // Kernels load four elements, and with one or two channels this many taps.
        let taps = table.padded_taps(if has_kernel { 4 / lanes } else { 1 });
        let flip = window.placement.hflip;
        let mut weights = filled(table.start.len().saturating_mul(taps).saturating_mul(lanes))?;
        let mut exact = reserve(triangle.most_taps())?;
        for (pixel, i) in window.blocks().enumerate() {
            triangle.weights(i, &mut exact);
            let first_tap = if flip { taps - exact.len() } else { 0 };
            let at = (pixel / pixels * taps * pixels + pixel % pixels) * lanes;
            for (tap, &weight) in (first_tap..).zip(&exact) {
                weights[at + tap * pixels * lanes..][..lanes].fill(weight as f32);
            }
        }
        Ok(Self { table, taps, flip, lanes, weights })
    }

    /// Weights of some pixels, in whole registers.
    pub(super) fn weights_of(&self, pixels: &Range<usize>) -> &[f32] {
        let each = self.taps * self.lanes;
        &self.weights[pixels.start * each..pixels.end * each]
    }
}

impl<T: FloatPixel> SeparableFilter<T> for AntialiasFloats {
    type Intermediate = f32;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &CanvasWindow) -> Result<Self> {
        let tables = AntialiasFloatTables::new(window)?;
        let reach = tables.taps.saturating_mul(tables.table.channels).saturating_add(SLACK);
        let rows = TriangleAxis::new(&window.placement.rows());
        Ok(Self {
            lines: tables.table.lines(reach)?,
            tables,
            rows,
            row_weights: reserve(rows.most_taps())?,
            scratch: reserve(rows.most_taps())?,
            level: window.level,
        })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn horizontal<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, out: [&mut [f32]; N]) {
        let Self { tables, lines, level, .. } = self;
        let table = &tables.table;
        let needed = table.needed(&pixels);
        for (line, row) in lines.iter_mut().zip(rows) {
            let row = &row[table.origin()..];
            for (line, pixel) in line[needed.clone()].iter_mut().zip(&row[needed.clone()]) {
                *line = pixel.to_f32();
            }
        }
        let lines = array::from_fn(|k| &lines[k][..]);
        for_channels!(dispatch, table.channels, horizontal_float[N][](*level, lines, tables, pixels, out));
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.clear();
        self.row_weights.extend(self.scratch.iter().map(|&weight| weight as f32));
        self.rows.samples(i)
    }

    fn vertical(&self, rows: IntermediateRows<'_, f32>, out: &mut [T]) {
        dispatch::vertical_float(self.level, rows, &self.row_weights, out);
    }
}
