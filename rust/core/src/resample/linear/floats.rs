//! Two taps for `uint16` and `float32`, computed in float32.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use std::array;
use std::ops::Range;

use super::dispatch;
use super::octets::{Octets, SomeOctets};
use super::wide_floats::{AllWide, SomeWide};
use super::{Table, both, inside, parts};
use crate::error::Result;
use crate::geometry::Placement;
use crate::memory::filled;
use crate::resample::bands::{Pairs, TOGETHER};
use crate::resample::chains::CHAIN_SOURCES;
use crate::resample::separable::{BLOCK, Passes, Rows, SLACK, Window};
use crate::resample::taps::{Between, TwoTaps, float_weights, number};
use crate::simd::Level;

/// Calls a kernel for the number of channels.
macro_rules! for_channels {
    ($columns:expr, $name:ident [$($first:tt),*] [$($last:tt),*] $arguments:tt) => {
        match $columns.channels {
            1 => dispatch::$name::<$($first,)* 1, $($last),*> $arguments,
            2 => dispatch::$name::<$($first,)* 2, $($last),*> $arguments,
            3 => dispatch::$name::<$($first,)* 3, $($last),*> $arguments,
            4 => dispatch::$name::<$($first,)* 4, $($last),*> $arguments,
            _ => dispatch::$name::<$($first,)* 0, $($last),*> $arguments,
        }
    };
}

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
    lines: [Vec<T>; CHAIN_SOURCES],
    rows: TwoTaps,
    weights: [f32; 2],
    at_once: bool,
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
    let table = Table::new(window, |column| {
        let Between { first, share } = axis.clamp(axis.double(column));
        (number(first), float_weights(share))
    })?;
    // Of one output row at a time, three float32 channels are quicker without.
    let slow = is_halved(window) && (size_of::<T>(), window.channels) == (4, 3);
    let wide =
        if window.level.permutes_bytes() && !slow { AllWide::new::<T>(&table)? } else { AllWide::default() };
    let octets = if window.level == Level::PORTABLE || !wide.is_empty() {
        Octets::default()
    } else {
        Octets::new::<T>(&table)?
    };
    Ok(FloatTables { table, octets, wide })
}

/// Whether both passes are done at once: where a measurement said so.
fn at_once<T>(window: &Window) -> bool {
    let kind = (size_of::<T>(), window.channels);
    let Placement { input, resized, .. } = window.placement;
    if is_halved(window) {
        matches!(kind, (4, 1..=4) | (2, 4))
    } else if window.level == Level::PORTABLE {
        false
    } else if resized.h < input.h {
        matches!(kind, (2 | 4, 1..=4))
    } else {
        matches!(kind, (4, 2..=4)) || (window.level.permutes_bytes() && matches!(kind, (4, 1) | (2, 4)))
    }
}

/// Whether no source row is needed by two output rows.
fn is_halved(window: &Window) -> bool {
    window.placement.resized.h <= window.placement.input.h / 2
}

impl<T: Float> Passes<T> for Floats<T> {
    type Middle = f32;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &Window) -> Result<Self> {
        let FloatTables { table, octets, wide } = dispatch::tables_float::<T>(window.level, window)?;
        // With three channels kernels read four.
        let reach = if table.channels == 3 { 8 } else { 2 * table.channels };
        let inside = if octets.fit(table.available) || !wide.is_empty() {
            0..table.start.len()
        } else {
            inside(&table.start, BLOCK, reach, table.available)
        };
        let all_inside = inside == (0..table.start.len());
        let line = if all_inside { 0 } else { table.length + table.channels + SLACK };
        let mut lines = array::from_fn(|_| Vec::new());
        for each in &mut lines {
            *each = filled(line)?;
        }
        let rows = TwoTaps::new(&window.placement.rows());
        let at_once = at_once::<T>(window);
        Ok(Self { table, octets, wide, inside, lines, rows, weights: [0.0; 2], at_once, level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn columns<const N: usize>(&mut self, rows: [&[T]; N], pixels: Range<usize>, mut out: [&mut [f32]; N]) {
        let channels = self.table.channels;
        let from = pixels.start * channels;
        blocks(self, rows, pixels, |level, lines, columns, at| {
            let out = out.each_mut().map(|out| &mut out[at - from..]);
            for_channels!(columns, columns_float[N][T](level, lines, columns, out));
        });
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

/// Calls `found` with lines in which kernels can read all they do, some columns, and the number of their first value.
#[inline(always)]
fn blocks<const N: usize, T: Float>(
    floats: &mut Floats<T>,
    rows: [&[T]; N],
    pixels: Range<usize>,
    mut found: impl FnMut(Level, [&[T]; N], FloatColumns<'_>, usize),
) {
    let Floats { table, octets, wide, inside, lines, level, .. } = floats;
    let rows = rows.map(|row| &row[table.origin..]);
    let columns = |pixels: Range<usize>| {
        let values = pixels.start * table.channels..pixels.end * table.channels;
        let all = table.start.len() * table.channels;
        table.columns(pixels, octets.part(values.clone()), wide.part(values, all))
    };
    // Mostly there are other rows behind them. Of a single column both taps would not be its own: what has no weight
    // may still be no number.
    let reach = table.length + SLACK;
    if table.available > table.channels && rows.iter().all(|row| row.len() >= reach) {
        let at = pixels.start * table.channels;
        return found(*level, rows, columns(pixels), at);
    }
    let rows = rows.map(|row| &row[..table.available]);
    for (part, inside) in parts(&pixels, inside) {
        if !inside {
            let needed = table.needed(part.clone());
            for (line, row) in lines.iter_mut().zip(rows) {
                line[needed.clone()].copy_from_slice(&row[needed.clone()]);
            }
        }
        let lines = array::from_fn(|k| if inside { rows[k] } else { &lines[k][..] });
        let at = part.start * table.channels;
        found(*level, lines, columns(part), at);
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

impl<T: Float> Pairs<T> for Floats<T> {
    type Weights = [f32; 2];

    fn pair(&self, i: usize) -> (Range<usize>, [f32; 2]) {
        let Between { first, share } = self.rows.clamp(self.rows.double(i as i32));
        (self.rows.samples(first), float_weights(share))
    }

    fn at_once(&self) -> bool {
        self.at_once
    }

    fn chain<const N: usize, const M: usize, const STEPS: u32>(
        &mut self,
        rows: [&[T]; N],
        pixels: Range<usize>,
        weights: [[f32; 2]; M],
        mut out: [&mut [T]; M],
    ) {
        let from = pixels.start * self.table.channels;
        blocks(self, rows, pixels, |level, lines, columns, at| {
            let out = out.each_mut().map(|out| &mut out[at - from..]);
            for_channels!(columns, chain_float[N, M, STEPS][T](level, lines, columns, weights, out));
        });
    }

    fn mix(&self, rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
        dispatch::rows_float(self.level, rows, weights, out);
    }
}
