//! Two taps for `uint16` and `float32`, computed in float32.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use std::array;
use std::ops::Range;

use super::octets::{Octets, SomeOctets};
use super::wide_floats::{AllWide, SomeWide};
use super::{Table, both, inside, parts};
use crate::error::Result;
use crate::resample::bands::{Pairs, TOGETHER};
use crate::resample::separable::{BLOCK, Passes, Rows, SLACK, Window, filled};
use crate::resample::taps::{Between, TwoTaps, float_weights, number};
use crate::simd::{Level, two};

/// A pixel type that is resampled in float32.
pub(crate) trait Float: Copy + Default + bytemuck::Pod {
    /// Exact.
    fn to_f32(self) -> f32;
    /// A sum of weighted pixels, rounded where the type has to.
    fn from_sum(sum: f32) -> Self;
}

impl Float for f32 {
    #[inline]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline]
    fn from_sum(sum: f32) -> Self {
        sum
    }
}

impl Float for u16 {
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

/// Columns as kernels take them: a pixel is `weights[0] * line[start..] + weights[1] * line[start +
/// channels..]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FloatColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) weights: &'a [[f32; 2]],
    /// The same eight values at a time, where there is a kernel for it.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 permutes"))]
    pub(crate) octets: SomeOctets<'a>,
    /// Several values at a time, where there is a kernel for it.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "only AVX-512 has such permutations")
    )]
    pub(crate) wide: SomeWide<'a>,
    pub(crate) channels: usize,
}

/// The passes.
#[derive(Debug)]
pub struct Floats<T> {
    table: Table<f32>,
    octets: Octets,
    wide: AllWide,
    /// Pixels whose taps can be read from the source row itself. Others go through `lines`, which have values
    /// to spare.
    inside: Range<usize>,
    lines: [Vec<T>; TOGETHER],
    rows: TwoTaps,
    weights: [f32; 2],
    level: Level,
}

/// What the first pass looks up.
#[derive(Debug)]
pub(crate) struct FloatTables {
    table: Table<f32>,
    octets: Octets,
    wide: AllWide,
}

#[inline(always)]
pub(super) fn tables<T: Float>(window: &Window) -> Result<FloatTables> {
    let axis = TwoTaps::new(&window.placement.columns());
    let table = Table::new(window, |i| {
        let Between { first, share } = axis.clamp(axis.double(i));
        (number(first), float_weights(share))
    })?;
    let wide = if window.level.permutes_bytes() { AllWide::new::<T>(&table)? } else { AllWide::default() };
    let octets = if window.level == Level::PORTABLE || !wide.is_empty() {
        Octets::default()
    } else {
        Octets::new::<T>(&table)?
    };
    Ok(FloatTables { table, octets, wide })
}

impl<T: Float> Passes<T> for Floats<T> {
    type Middle = f32;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &Window) -> Result<Self> {
        let FloatTables { table, octets, wide } = two::tables_float::<T>(window.level, window)?;
        // With three channels kernels read four.
        let reach = if table.channels == 3 { 8 } else { 2 * table.channels };
        let inside = if octets.fit(table.available) || !wide.is_empty() {
            0..table.start.len()
        } else {
            inside(&table.start, BLOCK, reach, table.available)
        };
        let line = table.length + table.channels + SLACK;
        let lines = [filled(line)?, filled(line)?, filled(line)?, filled(line)?];
        let rows = TwoTaps::new(&window.placement.rows());
        Ok(Self { table, octets, wide, inside, lines, rows, weights: [0.0; 2], level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn columns<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, mut out: [&mut [f32]; N]) {
        let rows = rows.map(|row| &row[self.table.origin..]);
        for (part, inside) in parts(&pixels, &self.inside) {
            if !inside {
                let needed = self.table.needed(part.clone());
                for (line, row) in self.lines.iter_mut().zip(rows) {
                    line[needed.clone()].copy_from_slice(&row[needed.clone()]);
                }
            }
            let lines = array::from_fn(|k| if inside { rows[k] } else { &self.lines[k][..] });
            let values = part.start * self.table.channels..part.end * self.table.channels;
            let out = out.each_mut().map(|out| &mut out[values.start - pixels.start * self.table.channels..]);
            let all = self.table.start.len() * self.table.channels;
            let (octets, wide) = (self.octets.part(values.clone()), self.wide.part(values, all));
            let columns = self.table.columns(part, octets, wide);
            resample(self.level, lines, columns, out);
        }
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

impl Table<f32> {
    fn columns<'a>(
        &'a self,
        pixels: Range<usize>,
        octets: SomeOctets<'a>,
        wide: SomeWide<'a>,
    ) -> FloatColumns<'a> {
        let (start, weights) = (&self.start[pixels.clone()], &self.weights[pixels]);
        FloatColumns { start, weights, octets, wide, channels: self.channels }
    }
}

/// The first pass, for the number of channels.
fn resample<const N: usize, L: Float>(
    level: Level,
    lines: [&[L]; N],
    columns: FloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    match columns.channels {
        1 => two::columns_float::<N, 1, L>(level, lines, columns, out),
        2 => two::columns_float::<N, 2, L>(level, lines, columns, out),
        3 => two::columns_float::<N, 3, L>(level, lines, columns, out),
        4 => two::columns_float::<N, 4, L>(level, lines, columns, out),
        _ => two::columns_float::<N, 0, L>(level, lines, columns, out),
    }
}

impl<T: Float> Pairs<T> for Floats<T> {
    type Weights = [f32; 2];

    fn pair(&self, i: usize) -> (Range<usize>, [f32; 2]) {
        let Between { first, share } = self.rows.clamp(self.rows.double(i as i32));
        (self.rows.samples(first), float_weights(share))
    }

    fn mix(&self, rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
        two::rows_float(self.level, rows, weights, out);
    }
}
