//! Two taps for bytes, bit-equal to OpenCV's `INTER_LINEAR`.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use std::array;
use std::ops::Range;

use super::dispatch;
use super::wide::{AllWide, Wide, wide_blocks};
use super::{Table, both, inside, parts};
use crate::error::Result;
use crate::memory::filled;
use crate::resample::bands::{Pairs, TOGETHER};
use crate::resample::separable::{BLOCK, Passes, Rows, SLACK, Window};
use crate::resample::taps::{Between, TwoTaps, fixed_weights, number};
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
pub(crate) struct ByteColumns<'a> {
    /// Where the windows of `wide` start.
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
pub struct Bytes {
    table: Table<i16>,
    columns: Columns,
    /// Pixels whose taps can be read from the source row itself. Others go through `line`, which has bytes to
    /// spare.
    inside: Range<usize>,
    lines: [Vec<u8>; TOGETHER],
    rows: TwoTaps,
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
    /// Shuffles of a line that holds the taps of each pixel side by side, because they lie too far apart in
    /// the source.
    Gathered(Vec<Block>),
}

/// What the first pass looks up.
#[inline(always)]
pub(super) fn tables(window: &Window) -> Result<(Table<i16>, Columns)> {
    let axis = TwoTaps::new(&window.placement.columns());
    let table = Table::new(window, |column| {
        let Between { first, share } = axis.clamp(axis.single(column));
        (number(first), fixed_weights(share))
    })?;
    let columns = Columns::new(&table, window.level)?;
    Ok((table, columns))
}

impl Columns {
    #[inline(always)]
    fn new(table: &Table<i16>, level: Level) -> Result<Self> {
        let channels = table.channels;
        if level.permutes_bytes()
            && let Some(wide) = wide_blocks(table)?
        {
            return Ok(Self::Wide(wide));
        }
        if level != Level::PORTABLE {
            let mut blocks = filled(table.start.len() * channels / 16)?;
            // No lane passes the end of a row, unless it is shorter.
            let last = (table.available as u32).checked_sub(LANE as u32).unwrap_or(u32::MAX);
            let in_source = |pixel: usize| table.start[pixel];
            if fill_blocks::<2>(&mut blocks, table, last, in_source) {
                return Ok(Self::Blocks(blocks, true));
            }
            if fill_blocks::<1>(&mut blocks, table, last, in_source) {
                return Ok(Self::Blocks(blocks, false));
            }
            if fill_blocks::<1>(&mut blocks, table, u32::MAX, |pixel| (pixel * 2 * channels) as u32) {
                return Ok(Self::Gathered(blocks));
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

/// Whether every lane found its bytes within sixteen, the same sixteen for `TOGETHER` lanes. `start` says where in
/// the line each pixel's first tap begins, `last_lane` where a lane may at most.
fn fill_blocks<const TOGETHER: usize>(
    blocks: &mut [Block],
    table: &Table<i16>,
    last_lane: u32,
    start: impl Fn(usize) -> u32,
) -> bool {
    let channels = table.channels;
    if channels >= LANE {
        return false;
    }
    let (mut pixel, mut channel) = (0, 0);
    for block in blocks {
        for lanes in (0..4).step_by(TOGETHER) {
            let mut bytes = [[0; 4]; TOGETHER];
            for (lane, bytes) in (lanes..).zip(&mut bytes) {
                for (byte, weights) in bytes.iter_mut().zip(&mut block.weights[lane % 2][lane / 2 * 4..]) {
                    *byte = start(pixel) + channel;
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

impl Passes<u8> for Bytes {
    type Middle = i16;

    const TOGETHER: usize = TOGETHER;

    fn new(window: &Window) -> Result<Self> {
        let (table, columns) = dispatch::tables_u8(window.level, window)?;
        let line = table.length + table.channels;
        let (inside, line) = match &columns {
            Columns::Wide(..) => (0..table.start.len(), 0),
            Columns::Gathered(_) => (0..0, table.start.len() * 2 * table.channels),
            Columns::Blocks(..) if table.available >= LANE => (0..table.start.len(), 0),
            Columns::Blocks(..) => (0..0, line),
            Columns::Weights(_) => (inside(&table.start, BLOCK, 2 * table.channels, table.available), line),
        };
        let lines =
            [filled(line + SLACK)?, filled(line + SLACK)?, filled(line + SLACK)?, filled(line + SLACK)?];
        let rows = TwoTaps::new(&window.placement.rows());
        Ok(Self { table, columns, inside, lines, rows, weights: [0; 2], level: window.level })
    }

    fn most_rows(&self) -> usize {
        2
    }

    fn columns<const N: usize>(&mut self, rows: [&[u8]; N], pixels: Range<usize>, mut out: [&mut [i16]; N]) {
        let rows = rows.map(|row| &row[self.table.origin..]);
        let channels = self.table.channels;
        if let Columns::Wide(AllWide { windows, wide: all, far }) = &self.columns {
            // All of the pixels are inside, and half a block may be written past the last of them.
            let wide = pixels.start * channels / 32..(pixels.end * channels).div_ceil(32);
            let (windows, wide) = (&windows[wide.clone()], &all[wide]);
            let start = &self.table.start[pixels];
            let columns = ByteColumns { windows, wide, far: *far, start, channels, ..ByteColumns::default() };
            dispatch::columns_u8(self.level, rows, columns, out);
            return;
        }
        for (part, inside) in parts(&pixels, &self.inside) {
            let start = &self.table.start[part.clone()];
            if !inside {
                for (line, row) in self.lines.iter_mut().zip(rows) {
                    if let Columns::Gathered(_) = self.columns {
                        gather(row, start, channels, &mut line[part.start * 2 * channels..]);
                    } else {
                        let needed = self.table.needed(part.clone());
                        line[needed.clone()].copy_from_slice(&row[needed]);
                    }
                }
            }
            let lines = array::from_fn(|k| if inside { rows[k] } else { &self.lines[k][..] });
            let values = part.start * channels..part.end * channels;
            let blocks = values.start / 16..values.end / 16;
            let mut columns = ByteColumns { start, channels, ..ByteColumns::default() };
            match &self.columns {
                Columns::Wide(..) => {} // above
                Columns::Weights([w0, w1]) => columns.weights = [&w0[values.clone()], &w1[values]],
                Columns::Gathered(all) => columns.blocks = &all[blocks],
                Columns::Blocks(all, in_pairs) => {
                    columns.blocks = &all[blocks];
                    columns.in_pairs = *in_pairs;
                }
            }
            let values = (part.start - pixels.start) * channels..(part.end - pixels.start) * channels;
            let out = out.each_mut().map(|out| &mut out[values.clone()]);
            dispatch::columns_u8(self.level, lines, columns, out);
        }
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

impl Pairs<u8> for Bytes {
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

/// Copies both taps of each pixel, one pixel after the other. What lies behind them may be written over.
fn gather(row: &[u8], start: &[u32], channels: usize, line: &mut [u8]) {
    match channels {
        1 => gather_few::<1, 2>(row, start, line),
        2 => gather_few::<2, 4>(row, start, line),
        3 => gather_few::<3, 8>(row, start, line),
        4 => gather_few::<4, 8>(row, start, line),
        _ => {
            for (taps, &start) in line.chunks_exact_mut(2 * channels).zip(start) {
                gather_one(row, start as usize, taps);
            }
        }
    }
}

/// For `C` channels, `LOAD` bytes at a time: the taps, and perhaps some more.
fn gather_few<const C: usize, const LOAD: usize>(row: &[u8], start: &[u32], line: &mut [u8]) {
    for (i, &start) in start.iter().enumerate() {
        let (start, taps) = (start as usize, &mut line[2 * C * i..]);
        match (row[start..].first_chunk::<LOAD>(), taps.first_chunk_mut::<LOAD>()) {
            (Some(from), Some(taps)) => *taps = *from,
            _ => gather_one(row, start, &mut taps[..2 * C]),
        }
    }
}

fn gather_one(row: &[u8], start: usize, taps: &mut [u8]) {
    // A last column has one tap only; what stands for the other has no weight.
    let end = (start + taps.len()).min(row.len());
    taps[..end - start].copy_from_slice(&row[start..end]);
}
