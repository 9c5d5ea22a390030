//! Bilinear resampling of `uint16` and `float32`, computed in float32.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use std::ops::Range;

use super::dispatch;
use super::groups::{FloatGroupSlice, FloatGroups};
use super::whole::{LinearFilter, TOGETHER};
use super::{LinearTable, both};
use crate::error::Result;
use crate::resample::separable::{Passes, Rows, Window};
use crate::resample::taps::{Between, LinearTaps, float_weights, number};
use crate::simd::Level;

/// A pixel type that is resampled in float32.
pub(crate) trait FloatPixel: Copy + Default + bytemuck::Pod {
    /// Exact.
    fn to_f32(self) -> f32;
    /// A sum of weighted pixels, rounded where the type has to.
    fn from_sum(sum: f32) -> Self;
}

impl FloatPixel for f32 {
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline]
    fn from_sum(sum: f32) -> Self {
        sum
    }
}

impl FloatPixel for u16 {
    #[inline]
    fn to_f32(self) -> f32 {
        self.into()
    }

    #[inline]
    fn from_sum(sum: f32) -> Self {
        let level = if sum < 65535.0 { sum } else { 65535.0 };
        // With 2^23 added a float32 has no fraction bits: it is rounded, halves to even, and its low bits are
        // the integer.
        (level + 8_388_608.0).to_bits() as u16
    }
}

/// Columns as kernels take them: a pixel is `weights[0] * line[start..] + weights[1] * line[start + channels..]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearFloatColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) weights: &'a [[f32; 2]],
    pub(crate) channels: usize,
    /// Taps in groups of values, where there is a kernel for them.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 reads them"))]
    pub(crate) groups: FloatGroupSlice<'a>,
}

impl LinearFloatColumns<'_> {
    /// Whether there is a kernel for groups of eight values of `C` channels.
    pub(crate) fn has_kernel<const C: usize>(&self) -> bool {
        C == 4 || !self.groups.groups.is_empty()
    }
}

/// The passes.
#[derive(Debug)]
pub struct LinearFloats<T> {
    tables: FloatTables,
    /// Rows of one column, each twice.
    doubled: Vec<T>,
    rows: LinearTaps,
    weights: [f32; 2],
    is_fused: bool,
    level: Level,
}

/// Tables of the first pass.
#[derive(Debug)]
pub(crate) struct FloatTables {
    table: LinearTable<f32>,
    groups: FloatGroups,
}

#[inline(always)]
pub(super) fn tables<T: FloatPixel>(window: &Window) -> Result<FloatTables> {
    let axis = LinearTaps::new(&window.placement.columns());
    let table = LinearTable::new(window, |column| {
        let Between { first, share } = axis.clamp(axis.double(column));
        (number(first), float_weights(share))
    })?;
    let groups =
        if window.level == Level::PORTABLE { FloatGroups::default() } else { FloatGroups::new::<T>(&table)? };
    Ok(FloatTables { table, groups })
}

impl FloatTables {
    /// Whether values are found eight at a time.
    fn has_kernel(&self, level: Level) -> bool {
        let pairs_of_pixels = self.table.channels == 4 && self.table.available >= 8;
        level != Level::PORTABLE && (pairs_of_pixels || !self.groups.is_empty())
    }

    fn columns(&self, pixels: Range<usize>) -> LinearFloatColumns<'_> {
        let Self { table, groups } = self;
        let values = pixels.start * table.channels..pixels.end * table.channels;
        LinearFloatColumns {
            start: &table.start[pixels.clone()],
            weights: &table.weights[pixels],
            channels: table.channels,
            groups: groups.part(values),
        }
    }
}

/// Calls a kernel for the number of channels.
macro_rules! for_channels {
    ($channels:expr, $name:ident [$($first:tt),*] [$($last:tt),*] $arguments:tt) => {
        match $channels {
            1 => dispatch::$name::<$($first,)* 1, $($last),*> $arguments,
            2 => dispatch::$name::<$($first,)* 2, $($last),*> $arguments,
            3 => dispatch::$name::<$($first,)* 3, $($last),*> $arguments,
            4 => dispatch::$name::<$($first,)* 4, $($last),*> $arguments,
            _ => dispatch::$name::<$($first,)* 0, $($last),*> $arguments,
        }
    };
}

impl<T: FloatPixel> Passes<T> for LinearFloats<T> {
    type Middle = f32;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &Window) -> Result<Self> {
        let tables = dispatch::tables_float::<T>(window.level, window)?;
        let doubled = tables.table.doubled()?;
        let rows = LinearTaps::new(&window.placement.rows());
        // Where each source row is used more than once and the output is small, whole rows are written faster.
        let shrinks = window.placement.resized.h < window.placement.input.h;
        let is_large = size_of::<T>() * window.channels > 4 && size_of::<T>() == 4;
        let is_fused = tables.has_kernel(window.level) && (is_large || shrinks);
        Ok(Self { tables, doubled, rows, weights: [0.0; 2], is_fused, level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn columns<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, out: [&mut [f32]; N]) {
        let columns = self.tables.columns(pixels);
        let lines = self.tables.table.lines(rows, &mut self.doubled);
        for_channels!(columns.channels, horizontal_float[N][T](self.level, lines, columns, out));
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        let (rows, weights) = self.pair(i);
        self.weights = weights;
        rows
    }

    fn rows(&self, rows: Rows<'_, f32>, out: &mut [T]) {
        self.mix(both(&rows, out.len()), self.weights, out);
    }
}

impl<T: FloatPixel> LinearFilter<T> for LinearFloats<T> {
    type Weights = [f32; 2];

    fn pair(&self, i: usize) -> (Range<usize>, [f32; 2]) {
        let Between { first, share } = self.rows.clamp(self.rows.double(i as i32));
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
        let columns = self.tables.columns(pixels);
        let FloatTables { table, .. } = &self.tables;
        let lines = sources.map(|row| &row[table.origin..][..table.available]);
        for_channels!(columns.channels, fused_float[N, M, STEPS][T](self.level, lines, columns, weights, out));
    }

    fn mix(&self, rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
        dispatch::vertical_float(self.level, rows, weights, out);
    }
}
