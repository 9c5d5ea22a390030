//! Bilinear resampling of bytes, bit-equal to OpenCV's `INTER_LINEAR`.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use std::ops::Range;

use super::dispatch;
use super::whole::{LinearFilter, TOGETHER};
use super::wide::{AllWide, Wide, wide_blocks};
use super::{LinearTable, both};
use crate::error::Result;
use crate::memory::filled;
use crate::resample::separable::{Passes, Rows, Window};
use crate::resample::taps::{Between, LinearTaps, fixed_weights, number};
use crate::simd::Level;

/// Sixteen values of the first pass, as a shuffle finds them: four lanes of four, each from sixteen bytes of
/// the line.
///
/// The halves of `shuffle` and `weights` belong to lanes 0, 2 and 1, 3, so that packing leaves the values in
/// order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Block {
    pub(crate) start: [u32; 4],
    /// For each value which byte is its first tap and which its second, each followed by a zero byte.
    pub(crate) shuffle: [[[i8; 4]; 8]; 2],
    pub(crate) weights: [[[i16; 2]; 8]; 2],
}

/// Bytes that a lane is found among.
const LANE: usize = 16;

/// Columns as kernels take them; each reads its own part of this.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinearByteColumns<'a> {
    /// Starts of the windows of `wide`, in bytes of the line.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX-512 permutes bytes"))]
    pub(crate) windows: &'a [u32],
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX-512 permutes bytes"))]
    pub(crate) wide: &'a [Wide],
    /// Whether the windows are twice as long.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX-512 permutes bytes"))]
    pub(crate) far: bool,
    pub(crate) blocks: &'a [Block],
    /// Lanes 0 and 1 of each block have one start, and so have 2 and 3.
    pub(crate) in_pairs: bool,
    /// Value `i` has the taps `start[i / channels] + i % channels` and that plus `channels`.
    pub(crate) start: &'a [u32],
    /// First and second weights, one for each value.
    pub(crate) weights: [&'a [i16]; 2],
    pub(crate) channels: usize,
}

/// The passes.
#[derive(Debug)]
pub struct LinearBytes {
    table: LinearTable<i16>,
    columns: Columns,
    /// Rows of one column, each twice.
    doubled: Vec<u8>,
    rows: LinearTaps,
    weights: [i16; 2],
    level: Level,
}

#[derive(Debug)]
pub(crate) enum Columns {
    /// For each value its weights.
    Weights([Vec<i16>; 2]),
    /// Permutations of windows of the source row.
    Wide(AllWide),
    /// Shuffles of the source row, and whether their lanes start in pairs.
    Blocks(Vec<Block>, bool),
}

/// Tables of the first pass.
#[inline(always)]
pub(super) fn tables(window: &Window) -> Result<(LinearTable<i16>, Columns)> {
    let axis = LinearTaps::new(&window.placement.columns());
    let table = LinearTable::new(window, |column| {
        let Between { first, share } = axis.clamp(axis.single(column));
        (number(first), fixed_weights(share))
    })?;
    let columns = Columns::new(&table, window.level)?;
    Ok((table, columns))
}

impl Columns {
    #[inline(always)]
    fn new(table: &LinearTable<i16>, level: Level) -> Result<Self> {
        let channels = table.channels;
        if level.permutes_bytes()
            && let Some(wide) = wide_blocks(table)?
        {
            return Ok(Self::Wide(wide));
        }
        if level != Level::PORTABLE && table.available >= LANE {
            let mut blocks = filled(table.start.len() * channels / 16)?;
            let in_pairs = fill_blocks::<2>(&mut blocks, table);
            if in_pairs || fill_blocks::<1>(&mut blocks, table) {
                return Ok(Self::Blocks(blocks, in_pairs));
            }
        }
        let spread = |which: usize| {
            let mut weights = filled(table.start.len() * channels)?;
            for (values, pixel) in weights.chunks_exact_mut(channels).zip(&table.weights) {
                values.fill(pixel[which]);
            }
            Ok(weights)
        };
        Ok(Self::Weights([spread(0)?, spread(1)?]))
    }
}

/// Whether every lane found its bytes within sixteen, the same sixteen for `TOGETHER` lanes.
fn fill_blocks<const TOGETHER: usize>(blocks: &mut [Block], table: &LinearTable<i16>) -> bool {
    let channels = table.channels;
    // No lane passes the end of a row.
    let last_lane = (table.available - LANE) as u32;
    if channels >= LANE {
        return false;
    }
    let (mut pixel, mut channel) = (0, 0);
    for block in blocks {
        for lanes in (0..4).step_by(TOGETHER) {
            let mut bytes = [[0; 4]; TOGETHER];
            for (lane, bytes) in (lanes..).zip(&mut bytes) {
                for (byte, weights) in bytes.iter_mut().zip(&mut block.weights[lane % 2][lane / 2 * 4..]) {
                    *byte = table.start[pixel] + channel;
                    *weights = table.weights[pixel];
                    channel += 1;
                    if channel == channels as u32 {
                        (pixel, channel) = (pixel + 1, 0);
                    }
                }
            }
            let all = bytes.as_flattened();
            let first = all.iter().fold(last_lane, |first, &byte| first.min(byte));
            let last = all.iter().fold(0, |last, &byte| last.max(byte));
            if last - first + channels as u32 >= LANE as u32 {
                return false;
            }
            for (lane, bytes) in (lanes..).zip(bytes) {
                block.start[lane] = first;
                for (shuffle, byte) in block.shuffle[lane % 2][lane / 2 * 4..].iter_mut().zip(bytes) {
                    let tap = (byte - first) as i8;
                    *shuffle = [tap, -1, tap + channels as i8, -1];
                }
            }
        }
    }
    true
}

impl Passes<u8> for LinearBytes {
    type Middle = i16;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &Window) -> Result<Self> {
        let (table, columns) = dispatch::tables_u8(window.level, window)?;
        let doubled = table.doubled()?;
        let rows = LinearTaps::new(&window.placement.rows());
        Ok(Self { table, columns, doubled, rows, weights: [0; 2], level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn columns<const N: usize>(&mut self, rows: [&[u8]; N], pixels: Range<usize>, out: [&mut [i16]; N]) {
        let channels = self.table.channels;
        let lines = self.table.lines(rows, &mut self.doubled);
        let start = &self.table.start[pixels.clone()];
        let mut columns = LinearByteColumns { start, channels, ..LinearByteColumns::default() };
        let values = pixels.start * channels..pixels.end * channels;
        match &self.columns {
            Columns::Weights([w0, w1]) => columns.weights = [&w0[values.clone()], &w1[values]],
            Columns::Blocks(all, in_pairs) => {
                columns.blocks = &all[values.start / 16..values.end / 16];
                columns.in_pairs = *in_pairs;
            }
            Columns::Wide(AllWide { windows, wide: all, far }) => {
                // Half a block may be written past the last value.
                let wide = values.start / 32..values.end.div_ceil(32);
                (columns.windows, columns.wide, columns.far) = (&windows[wide.clone()], &all[wide], *far);
            }
        }
        dispatch::columns_u8(self.level, lines, columns, out);
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        let (rows, weights) = self.pair(i);
        self.weights = weights;
        rows
    }

    fn rows(&self, rows: Rows<'_, i16>, out: &mut [u8]) {
        self.mix(both(&rows, out.len()), self.weights, out);
    }
}

impl LinearFilter<u8> for LinearBytes {
    type Weights = [i16; 2];

    fn pair(&self, i: usize) -> (Range<usize>, [i16; 2]) {
        // Beyond the outermost rows both taps are the same row, and keep their weights.
        let Between { first, share } = self.rows.single(i as i32);
        (self.rows.samples(first), fixed_weights(share))
    }

    fn mix(&self, rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
        dispatch::rows_u8(self.level, rows, weights, out);
    }
}
