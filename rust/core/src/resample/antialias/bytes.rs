//! The widened triangle for bytes, bit-equal to Pillow's `BILINEAR`.

use std::array;
use std::ops::Range;

use super::Extent;
use super::digits::{Digits, PaddedDigits, digits, padded_digits};
use super::dispatch;
use super::steps::{SomeSteps, Steps};
use super::{inside, parts};
use crate::error::Result;
use crate::memory::filled;
use crate::resample::separable::{BLOCK, Passes, Rows, SLACK, Window};
use crate::resample::taps::{Triangle, byte_weight};
use crate::simd::Level;

/// Taps of bytes come in groups of so many.
pub(crate) const GROUP: usize = 4;

/// With so many channels, steps are faster than groups; with three or four their tables are too large to be.
const STEPS: [usize; 2] = [1, 2];

/// With so many, sums of bytes are faster than both.
const DIGITS: [usize; 2] = [3, 4];

/// Weights are split so that 16-bit products suffice: `weight = high << SPLIT | low`.
pub(crate) const SPLIT: u32 = 11;

/// A group of weights: the high parts, then the low ones.
pub(crate) type Group = [i16; 2 * GROUP];

fn split(weight: i32) -> [i16; 2] {
    [(weight >> SPLIT) as i16, (weight & ((1 << SPLIT) - 1)) as i16]
}

/// Columns as kernels take them. A pixel has `pairs` pairs of taps, from `line[start..]` on in the order of
/// the line, and their weights in groups that are filled up with zeros. The same taps may be there in steps,
/// for shuffles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AntialiasByteColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) weights: &'a [Group],
    /// Weights in digits, for levels and channels that have sums of bytes.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX-512 sums bytes"))]
    pub(crate) digits: &'a [PaddedDigits],
    pub(crate) pairs: usize,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 shuffles"))]
    pub(crate) steps: SomeSteps<'a>,
    pub(crate) channels: usize,
}

impl AntialiasByteColumns<'_> {
    /// Groups of weights of a pixel.
    pub(crate) fn groups(&self) -> usize {
        self.pairs.div_ceil(2)
    }
}

/// Weights of rows as kernels take them: each in its two parts, or, where there are sums of bytes, all in digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowWeights<'a> {
    pub(crate) parts: &'a [[i16; 2]],
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX-512 sums bytes"))]
    pub(crate) digits: &'a [Digits],
}

/// The passes.
#[derive(Debug)]
pub struct AntialiasBytes {
    extent: Extent,
    weights: Vec<Group>,
    digits: Vec<PaddedDigits>,
    pairs: usize,
    steps: Steps,
    /// Pixels whose taps can be read from the source row itself. Others go through `lines`, which have bytes to
    /// spare.
    inside: Range<usize>,
    lines: [Vec<u8>; 2],
    rows: Triangle,
    row_weights: Vec<[i16; 2]>,
    row_digits: Vec<Digits>,
    scratch: Vec<f64>,
    level: Level,
}

impl Passes<u8> for AntialiasBytes {
    type Middle = u8;

    const TOGETHER: usize = 2;

    fn new(window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let triangle = Triangle::new(&axis);
        let extent = Extent::new(window, triangle)?;
        let pairs = extent.most_taps().div_ceil(2);
        let groups = pairs.div_ceil(2);
        let all = window.padded_columns().saturating_mul(groups);
        let in_digits = window.level.sums_bytes() && DIGITS.contains(&extent.channels);
        let mut weights: Vec<Group> = filled(if in_digits { 0 } else { all })?;
        let mut digits: Vec<PaddedDigits> = filled(if in_digits { all } else { 0 })?;
        let mut scratch = Vec::new();
        for (pixel, i) in window.blocks().enumerate() {
            triangle.weights(i, &mut scratch);
            if axis.flip {
                scratch.reverse();
            }
            for (group, taps) in (pixel * groups..).zip(scratch.chunks(GROUP)) {
                let taps = taps.iter().map(|&weight| byte_weight(weight));
                if in_digits {
                    digits[group] = padded_digits(taps);
                } else {
                    for (k, weight) in taps.enumerate() {
                        [weights[group][k], weights[group][GROUP + k]] = split(weight);
                    }
                }
            }
        }
        let steps = if window.level != Level::PORTABLE && STEPS.contains(&extent.channels) {
            Steps::new(&extent.start, &weights, pairs, extent.channels)?
        } else {
            Steps::default()
        };
        // The groups of a pixel with few taps may reach past the input.
        let reach = (groups * GROUP).saturating_mul(extent.channels).saturating_add(SLACK);
        let inside = inside(&extent.start, BLOCK, reach, extent.available);
        let line = extent.source.len().saturating_mul(extent.channels).saturating_add(reach);
        let lines = [filled(line)?, filled(line)?];
        let rows = Triangle::new(&window.placement.rows());
        Ok(Self {
            extent,
            weights,
            digits,
            pairs,
            steps,
            inside,
            lines,
            rows,
            row_weights: Vec::new(),
            row_digits: Vec::new(),
            scratch,
            level: window.level,
        })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn columns<const N: usize>(&mut self, rows: [&[u8]; N], pixels: Range<usize>, mut out: [&mut [u8]; N]) {
        let channels = self.extent.channels;
        let groups = self.pairs.div_ceil(2);
        for (part, inside) in parts(&pixels, &self.inside) {
            let (to, from) = self.extent.needed(part.clone());
            if !inside {
                for (line, row) in self.lines.iter_mut().zip(rows) {
                    line[to.clone()].copy_from_slice(&row[from.clone()]);
                }
            }
            let origin = self.extent.source.start * channels;
            let lines = array::from_fn(|k| if inside { &rows[k][origin..] } else { &self.lines[k][..] });
            let groups = part.start * groups..part.end * groups;
            let columns = AntialiasByteColumns {
                start: &self.extent.start[part.clone()],
                weights: self.weights.get(groups.clone()).unwrap_or_default(),
                digits: self.digits.get(groups).unwrap_or_default(),
                pairs: self.pairs,
                steps: self.steps.part(part.start * channels..part.end * channels),
                channels,
            };
            let from = (part.start - pixels.start) * channels;
            let out = out.each_mut().map(|out| &mut out[from..]);
            match channels {
                1 => dispatch::columns_u8::<N, 1>(self.level, lines, columns, out),
                2 => dispatch::columns_u8::<N, 2>(self.level, lines, columns, out),
                3 => dispatch::columns_u8::<N, 3>(self.level, lines, columns, out),
                4 => dispatch::columns_u8::<N, 4>(self.level, lines, columns, out),
                _ => dispatch::columns_u8::<N, 0>(self.level, lines, columns, out),
            }
        }
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.clear();
        self.row_digits.clear();
        if self.level.sums_bytes() {
            let fours = self.scratch.chunks(GROUP);
            self.row_digits
                .extend(fours.map(|weights| digits(weights.iter().map(|&weight| byte_weight(weight)))));
        } else {
            self.row_weights.extend(self.scratch.iter().map(|&weight| split(byte_weight(weight))));
        }
        self.rows.samples(i)
    }

    fn rows(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
        let weights = RowWeights { parts: &self.row_weights, digits: &self.row_digits };
        dispatch::rows_u8(self.level, rows, weights, out);
    }
}
