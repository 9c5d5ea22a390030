//! The widened triangle for bytes, bit-equal to Pillow's `BILINEAR`.

use std::ops::Range;

use super::Extent;
use crate::error::Result;
use crate::resample::separable::{Passes, Rows, SLACK, Window, filled};
use crate::resample::taps::{Triangle, byte_weight};
use crate::simd::{Level, many};

/// Taps of bytes come in groups of so many.
pub(crate) const GROUP: usize = 4;

/// With so many channels, steps are faster than groups; with three or four their tables are too large to be.
const STEPS: [usize; 2] = [1, 2];

/// Weights are split so that 16-bit products suffice: `weight = high << SPLIT | low`.
pub(crate) const SPLIT: u32 = 11;

/// A group of weights: the high parts, then the low ones.
pub(crate) type Group = [i16; 2 * GROUP];

fn split(weight: i32) -> [i16; 2] {
    [(weight >> SPLIT) as i16, (weight & ((1 << SPLIT) - 1)) as i16]
}

/// Two taps of sixteen values, as a shuffle finds them: four lanes of four values, each from sixteen bytes of
/// the line.
///
/// The halves of the arrays belong to lanes 0, 2 and 1, 3, so that packing leaves the values in order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) start: [u32; 4],
    /// For each value which byte is its first tap and which its second, each followed by a zero byte.
    pub(crate) shuffle: [[i8; 32]; 2],
    pub(crate) high: [[i16; 16]; 2],
    pub(crate) low: [[i16; 16]; 2],
}

/// Columns as kernels take them. A pixel has `pairs` pairs of taps, from `line[start..]` on in the order of
/// the line, and their weights in groups that are filled up with zeros. The same taps in steps, where there
/// are any, are for shuffles: each sixteen values have a step for each pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) weights: &'a [Group],
    pub(crate) pairs: usize,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 shuffles"))]
    pub(crate) steps: &'a [Step],
    pub(crate) channels: usize,
}

impl ByteColumns<'_> {
    /// Groups of weights of a pixel.
    pub(crate) fn groups(&self) -> usize {
        self.pairs.div_ceil(2)
    }
}

/// The steps of all values, or none when some lane does not find its bytes within sixteen.
fn steps(start: &[u32], weights: &[Group], pairs: usize, channels: usize) -> Result<Vec<Step>> {
    let groups = pairs.div_ceil(2);
    let mut steps: Vec<Step> = filled((start.len() * channels / 16).saturating_mul(pairs))?;
    for (number, step) in steps.iter_mut().enumerate() {
        let (block, tap) = (number / pairs, number % pairs * 2);
        for lane in 0..4 {
            let values = block * 16 + lane * 4..block * 16 + lane * 4 + 4;
            let byte = |value: usize| start[value / channels] as usize + value % channels + tap * channels;
            let first = values.clone().map(byte).fold(usize::MAX, usize::min);
            step.start[lane] = first as u32;
            let (half, at) = (lane % 2, lane / 2 * 4);
            for (k, value) in values.enumerate() {
                let byte = byte(value) - first;
                if byte + channels >= 16 {
                    return Ok(Vec::new());
                }
                let shuffle = [byte as i8, -1, (byte + channels) as i8, -1];
                step.shuffle[half][(at + k) * 4..][..4].copy_from_slice(&shuffle);
                let group = &weights[value / channels * groups + tap / GROUP];
                let (high, low) = group.split_at(GROUP);
                let pair = tap % GROUP..tap % GROUP + 2;
                step.high[half][(at + k) * 2..][..2].copy_from_slice(&high[pair.clone()]);
                step.low[half][(at + k) * 2..][..2].copy_from_slice(&low[pair]);
            }
        }
    }
    Ok(steps)
}

/// The passes.
#[derive(Debug)]
pub struct Bytes {
    extent: Extent,
    weights: Vec<Group>,
    pairs: usize,
    steps: Vec<Step>,
    /// A source row, with bytes to spare.
    line: Vec<u8>,
    rows: Triangle,
    row_weights: Vec<[i16; 2]>,
    scratch: Vec<f64>,
    level: Level,
}

impl Bytes {
    fn row_columns(&mut self, row: &[u8], pixels: Range<usize>, out: &mut [u8]) {
        let (to, from) = self.extent.needed(pixels.clone());
        self.line[to].copy_from_slice(&row[from]);
        let line = &self.line[..];
        let values = pixels.start * self.extent.channels..pixels.end * self.extent.channels;
        let groups = self.pairs.div_ceil(2);
        let columns = ByteColumns {
            steps: match &self.steps[..] {
                [] => &[],
                steps => &steps[values.start / 16 * self.pairs..values.end / 16 * self.pairs],
            },
            start: &self.extent.start[pixels.clone()],
            weights: &self.weights[pixels.start * groups..pixels.end * groups],
            pairs: self.pairs,
            channels: self.extent.channels,
        };
        match columns.channels {
            1 => many::columns_u8::<1>(self.level, line, columns, out),
            2 => many::columns_u8::<2>(self.level, line, columns, out),
            3 => many::columns_u8::<3>(self.level, line, columns, out),
            4 => many::columns_u8::<4>(self.level, line, columns, out),
            _ => many::columns_u8::<0>(self.level, line, columns, out),
        }
    }
}

impl Passes<u8> for Bytes {
    type Middle = u8;

    fn new(window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let triangle = Triangle::new(&axis);
        let extent = Extent::new(window, triangle)?;
        let pairs = extent.most_taps().div_ceil(2);
        let groups = pairs.div_ceil(2);
        let mut weights: Vec<Group> = filled(window.padded_columns().saturating_mul(groups))?;
        let mut scratch = Vec::new();
        for (pixel, i) in weights.chunks_exact_mut(groups).zip(window.blocks()) {
            triangle.weights(i, &mut scratch);
            if axis.flip {
                scratch.reverse();
            }
            for (group, taps) in pixel.iter_mut().zip(scratch.chunks(GROUP)) {
                for (k, &weight) in taps.iter().enumerate() {
                    [group[k], group[GROUP + k]] = split(byte_weight(weight));
                }
            }
        }
        let steps = if window.level != Level::PORTABLE && STEPS.contains(&extent.channels) {
            steps(&extent.start, &weights, pairs, extent.channels)?
        } else {
            Vec::new()
        };
        // The groups of a pixel with few taps may reach past the input.
        let line = (extent.source.len() + groups * GROUP).saturating_mul(extent.channels);
        let line = filled(line.saturating_add(SLACK))?;
        let rows = Triangle::new(&window.placement.rows());
        let (row_weights, level) = (Vec::new(), window.level);
        Ok(Self { extent, weights, pairs, steps, line, rows, row_weights, scratch, level })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn columns<const N: usize>(&mut self, rows: [&[u8]; N], pixels: Range<usize>, out: [&mut [u8]; N]) {
        for (row, out) in rows.into_iter().zip(out) {
            self.row_columns(row, pixels.clone(), out);
        }
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.clear();
        self.row_weights.extend(self.scratch.iter().map(|&weight| split(byte_weight(weight))));
        self.rows.samples(i)
    }

    fn rows(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
        many::rows_u8(self.level, rows, &self.row_weights, out);
    }
}
