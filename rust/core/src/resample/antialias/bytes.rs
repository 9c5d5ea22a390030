//! Antialiased filter of bytes, bit-equal to Pillow's `BILINEAR`.

use std::array;
use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use super::digits::{WeightDigits, digits};
use super::dispatch;
#[cfg(target_arch = "x86_64")]
use super::steps::TapSteps;
use super::table::{AntialiasTable, TOGETHER};
use super::triangle::{TriangleAxis, byte_weight};
use crate::error::Result;
use crate::memory::{filled, reserve};
use crate::resample::separable::{CanvasWindow, IntermediateRows, SLACK, SeparableFilter};
use crate::simd::Level;

/// Taps of a group.
pub(super) const GROUP: usize = 4;

/// Low bits of a weight, which is split so that 16-bit products suffice: `weight = high << SPLIT | low`.
pub(super) const SPLIT: u32 = 11;

/// Weights of a group: the high parts, then the low ones.
pub(super) type SplitWeights = [i16; 2 * GROUP];

fn split(weight: i32) -> [i16; 2] {
    [(weight >> SPLIT) as i16, (weight & ((1 << SPLIT) - 1)) as i16]
}

/// Tables of the horizontal pass over bytes.
#[derive(Debug)]
pub(super) struct AntialiasByteTables {
    pub(super) table: AntialiasTable,
    pub(super) lookup: TapLookup,
}

/// Weights, in the form that the fastest kernel takes.
#[derive(Debug)]
pub(super) enum TapLookup {
    /// Weights of each pixel, in the order of the line, in groups that are filled up with zeros.
    Groups(Vec<SplitWeights>),
    /// Taps of each pixel in steps, for shuffles.
    #[cfg(target_arch = "x86_64")]
    Steps(TapSteps),
    /// Groups of weights of each pixel, in digits.
    #[cfg(target_arch = "x86_64")]
    Digits(Vec<WeightDigits>),
}

/// Weights of the rows that an output row needs.
#[derive(Debug)]
pub(super) struct ByteRowWeights {
    /// Parts of each, high and low, where there are no sums of bytes.
    pub(super) parts: Vec<[i16; 2]>,
    /// Digits of four at a time, where there are.
    #[cfg(target_arch = "x86_64")]
    pub(super) digits: Vec<WeightDigits>,
}

impl ByteRowWeights {
    /// Room for the weights of so many rows.
    fn new(rows: usize) -> Result<Self> {
        Ok(Self {
            parts: reserve(rows)?,
            #[cfg(target_arch = "x86_64")]
            digits: reserve(rows.div_ceil(GROUP))?,
        })
    }

    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "digits are for AVX-512"))]
    fn set(&mut self, level: Level, weights: &[f64]) {
        self.parts.clear();
        #[cfg(target_arch = "x86_64")]
        if level.has_avx512() {
            let fours = weights.chunks(GROUP);
            self.digits.clear();
            self.digits.extend(fours.map(|four| digits(four.iter().map(|&weight| byte_weight(weight)))));
            return;
        }
        self.parts.extend(weights.iter().map(|&weight| split(byte_weight(weight))));
    }
}

/// Antialiased filter of bytes.
#[derive(Debug)]
pub struct AntialiasBytes {
    tables: AntialiasByteTables,
    /// Copies of the parts of source rows behind which too little can be read.
    lines: [Vec<u8>; TOGETHER],
    rows: TriangleAxis,
    row_weights: ByteRowWeights,
    scratch: Vec<f64>,
    level: Level,
}

impl TapLookup {
    fn new(window: &CanvasWindow, triangle: TriangleAxis, table: &AntialiasTable) -> Result<Self> {
        #[cfg(target_arch = "x86_64")]
        if window.level.has_avx512() && matches!(table.channels, 3 | 4) {
            let weights = Self::weights(window, triangle, table, |weights| digits(weights.iter().copied()));
            return Ok(Self::Digits(weights?));
        }
        let weights = Self::weights(window, triangle, table, |weights| {
            let mut group = [0; 2 * GROUP];
            for (k, &weight) in weights.iter().enumerate() {
                [group[k], group[GROUP + k]] = split(weight);
            }
            group
        })?;
        #[cfg(target_arch = "x86_64")]
        // With one or two channels steps are faster than groups, 1.5 to 10 times; with more their tables are too large.
        if window.level.has_avx2()
            && table.channels < 3
            && let Some(steps) = TapSteps::new(table, &weights)?
        {
            return Ok(Self::Steps(steps));
        }
        Ok(Self::Groups(weights))
    }

    /// Weights of all pixels, a group at a time.
    fn weights<G: Copy + Default>(
        window: &CanvasWindow,
        triangle: TriangleAxis,
        table: &AntialiasTable,
        group: impl Fn(&[i32]) -> G,
    ) -> Result<Vec<G>> {
        let groups = table.most_taps.div_ceil(GROUP);
        let mut weights = filled(table.start.len().saturating_mul(groups))?;
        let (mut exact, mut rounded) = (reserve(triangle.most_taps())?, reserve(triangle.most_taps())?);
        let flip = window.placement.hflip;
        for (pixel, i) in weights.chunks_exact_mut(groups).zip(window.blocks()) {
            triangle.weights(i, &mut exact);
            rounded.clear();
            rounded.extend(exact.iter().map(|&weight| byte_weight(weight)));
            if flip {
                rounded.reverse();
            }
            for (weights, taps) in pixel.iter_mut().zip(rounded.chunks(GROUP)) {
                *weights = group(taps);
            }
        }
        Ok(weights)
    }
}

/// Number of bytes that kernels may read from the start of a pixel on: whole groups, and whole registers.
fn reach(table: &AntialiasTable) -> usize {
    table.padded_taps(GROUP).saturating_mul(table.channels).saturating_add(SLACK)
}

impl SeparableFilter<u8> for AntialiasBytes {
    type Intermediate = u8;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &CanvasWindow) -> Result<Self> {
        let triangle = TriangleAxis::new(&window.placement.columns());
        let table = AntialiasTable::new(window, triangle)?;
        let lookup = TapLookup::new(window, triangle, &table)?;
        let lines = table.lines(reach(&table))?;
        let rows = TriangleAxis::new(&window.placement.rows());
        Ok(Self {
            tables: AntialiasByteTables { table, lookup },
            lines,
            rows,
            row_weights: ByteRowWeights::new(rows.most_taps())?,
            scratch: reserve(rows.most_taps())?,
            level: window.level,
        })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn horizontal<const N: usize>(&mut self, rows: [&[u8]; N], pixels: Range<usize>, out: [&mut [u8]; N]) {
        let Self { tables, lines: copies, level, .. } = self;
        let table = &tables.table;
        let rows = rows.map(|row| &row[table.origin()..]);
        let needed = table.needed(&pixels);
        let [_, last_start] = table.outermost(&pixels);
        let reaches = |row: &[u8]| row.len() >= last_start + reach(table);
        for (copy, row) in copies.iter_mut().zip(rows).filter(|(_, row)| !reaches(row)) {
            copy[needed.clone()].copy_from_slice(&row[needed.clone()]);
        }
        let lines = array::from_fn(|k| if reaches(rows[k]) { rows[k] } else { &copies[k][..] });
        for_channels!(dispatch, table.channels, horizontal_u8[N][](*level, lines, tables, pixels, out));
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.set(self.level, &self.scratch);
        self.rows.samples(i)
    }

    fn vertical(&self, rows: IntermediateRows<'_, u8>, out: &mut [u8]) {
        dispatch::vertical_u8(self.level, rows, &self.row_weights, out);
    }
}
