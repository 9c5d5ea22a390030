//! Linear filter of `uint16` and `float32`, computed in float32.

use std::ops::Range;

use super::axis::{LinearAxis, TapPair, float_weights, number};
use super::dispatch;
#[cfg(target_arch = "x86_64")]
use super::groups::FloatGroups;
use super::table::{LinearTable, TOGETHER};
use super::whole::{LinearFilter, both};
use crate::error::Result;
use crate::resample::float::FloatPixel;
use crate::resample::separable::{CanvasWindow, IntermediateRows, SeparableFilter};
use crate::simd::Level;

/// Tables of the horizontal pass over floats.
#[derive(Debug)]
pub(super) struct LinearFloatTables {
    pub(super) table: LinearTable<f32>,
    pub(super) lookup: FloatLookup,
}

/// Form in which the fastest kernel takes taps and weights.
#[derive(Debug)]
pub(super) enum FloatLookup {
    /// The table itself.
    Pixels,
    /// The table itself, two pixels of four channels at a time.
    #[cfg(target_arch = "x86_64")]
    PixelPairs,
    /// The table itself, four pixels of three channels at a time.
    #[cfg(target_arch = "x86_64")]
    Quads,
    /// Eight values at a time, whatever pixels they belong to.
    #[cfg(target_arch = "x86_64")]
    Groups(FloatGroups),
}

/// Linear filter of `uint16` and `float32`.
#[derive(Debug)]
pub struct LinearFloats<T> {
    tables: LinearFloatTables,
    /// Rows of one column, each twice.
    doubled: Vec<T>,
    rows: LinearAxis,
    weights: [f32; 2],
    is_fused: bool,
    level: Level,
}

impl LinearFloatTables {
    #[inline(always)]
    pub(super) fn new<T: FloatPixel>(window: &CanvasWindow) -> Result<Self> {
        let axis = LinearAxis::new(&window.placement.columns());
        let table = LinearTable::new(window, |column| {
            let TapPair { first, share } = axis.clamp(axis.double(column));
            (number(first), float_weights(share))
        })?;
        #[cfg(target_arch = "x86_64")]
        if window.level.has_avx2() {
            if table.channels == 4 && table.available >= 8 {
                return Ok(Self { table, lookup: FloatLookup::PixelPairs });
            }
            // Quicker than groups there, by 9% at 0.4 of the size; above half the size groups are.
            let shrinks_by_half = window.placement.resized.w < window.placement.input.w / 2;
            if table.channels == 3 && shrinks_by_half && table.available >= 8 {
                return Ok(Self { table, lookup: FloatLookup::Quads });
            }
            if let Some(groups) = FloatGroups::new::<T>(&table)? {
                return Ok(Self { table, lookup: FloatLookup::Groups(groups) });
            }
        }
        Ok(Self { table, lookup: FloatLookup::Pixels })
    }
}

impl<T: FloatPixel> SeparableFilter<T> for LinearFloats<T> {
    type Intermediate = f32;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &CanvasWindow) -> Result<Self> {
        let tables = dispatch::tables_float::<T>(window.level, window)?;
        let doubled = tables.table.doubled()?;
        let rows = LinearAxis::new(&window.placement.rows());
        // Otherwise whole rows, of which each store fills a line of the cache, are written faster.
        let shrinks = window.placement.resized.h < window.placement.input.h;
        let is_wide = !T::IS_U16 && window.channels > 1;
        let is_fused = !matches!(tables.lookup, FloatLookup::Pixels) && (is_wide || shrinks);
        Ok(Self { tables, doubled, rows, weights: [0.0; 2], is_fused, level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn horizontal<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, out: [&mut [f32]; N]) {
        let Self { tables, doubled, level, .. } = self;
        let lines = tables.table.lines(rows, doubled);
        for_channels!(
            dispatch,
            tables.table.channels,
            horizontal_float[N][T](*level, lines, tables, pixels, out)
        );
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        let (rows, weights) = self.pair(i);
        self.weights = weights;
        rows
    }

    fn vertical(&self, rows: IntermediateRows<'_, f32>, out: &mut [T]) {
        self.mix(both(&rows, out.len()), self.weights, out);
    }
}

impl<T: FloatPixel> LinearFilter<T> for LinearFloats<T> {
    type Weights = [f32; 2];

    fn pair(&self, i: usize) -> (Range<usize>, [f32; 2]) {
        let TapPair { first, share } = self.rows.clamp(self.rows.double(i as i32));
        (self.rows.samples(first), float_weights(share))
    }

    fn is_fused(&self) -> bool {
        self.is_fused
    }

    fn fuse<const N: usize, const M: usize, const STEPS: u32>(
        &self,
        sources: [&[T]; N],
        pixels: Range<usize>,
        weights: [[f32; 2]; M],
        out: [&mut [[T; 8]]; M],
    ) {
        let Self { tables, level, .. } = self;
        let lines = tables.table.lines(sources, &mut []);
        for_channels!(
            dispatch,
            tables.table.channels,
            fused_float[N, M, STEPS][T](*level, lines, tables, pixels, weights, out)
        );
    }

    fn mix(&self, rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
        dispatch::vertical_float(self.level, rows, weights, out);
    }
}
