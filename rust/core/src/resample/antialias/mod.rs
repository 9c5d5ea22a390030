//! Bilinear with a triangle that widens as the image shrinks: Pillow's integers for bytes, float32 otherwise.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod portable;

use std::ops::Range;

use super::separable::{Passes, Rows, SLACK, Window, filled};
use super::taps::{Triangle, byte_weight};
use super::two_taps::Float;
use crate::error::{Error, Result};
use crate::simd::{Level, many};

/// Taps of bytes come in groups of so many.
pub(crate) const GROUP: usize = 4;

/// Weights are split so that 16-bit products suffice: `weight = high << SPLIT | low`.
pub(crate) const SPLIT: u32 = 11;

/// A group of weights: the high parts, then the low ones.
pub(crate) type Group = [i16; 2 * GROUP];

fn split(weight: i32) -> [i16; 2] {
    [(weight >> SPLIT) as i16, (weight & ((1 << SPLIT) - 1)) as i16]
}

/// Columns of bytes as a kernel takes them: pixel `i` has the taps of `groups` groups of weights, from
/// `line[start[i]..]` on, in the order of the line. Groups are filled up with zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) weights: &'a [Group],
    pub(crate) groups: usize,
    pub(crate) channels: usize,
}

/// Columns of floats as a kernel takes them: pixel `i` has the taps `weights[ends[i]..ends[i + 1]]`, from
/// `line[start[i]..]` on. When flipped, the first weight is that of the last tap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FloatColumns<'a> {
    pub(crate) start: &'a [u32],
    pub(crate) ends: &'a [u32],
    pub(crate) weights: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) flip: bool,
}

/// Which part of a source row the columns of a window need.
#[derive(Debug)]
struct Extent {
    /// Input columns of the window; the line holds these.
    source: Range<usize>,
    /// First element of each pixel in the line.
    start: Vec<u32>,
    /// Number of taps of each pixel.
    taps: Vec<u32>,
    channels: usize,
}

impl Extent {
    fn new(window: &Window, triangle: Triangle) -> Result<Self> {
        let axis = window.placement.columns();
        let samples = |i: usize| match triangle.samples(i) {
            Range { start, end } if axis.flip => axis.input - end..axis.input - start,
            samples => samples,
        };
        // Starts and ends run one way, so the outermost pixels have the outermost.
        let [a, b] = [window.columns.start, window.columns.end - 1].map(|x| samples(axis.resized_at(x)));
        let source = a.start.min(b.start)..a.end.max(b.end);
        let channels = window.channels;
        let elements = source.len().saturating_mul(channels);
        if elements > u32::MAX as usize {
            return Err(Error::OutOfMemory { bytes: elements });
        }
        let mut start = filled(window.padded_columns())?;
        let mut taps = filled(window.padded_columns())?;
        for ((start, taps), i) in start.iter_mut().zip(&mut taps).zip(window.blocks()) {
            let samples = samples(i);
            *start = ((samples.start - source.start) * channels) as u32;
            *taps = samples.len() as u32;
        }
        Ok(Self { source, start, taps, channels })
    }

    fn most_taps(&self) -> usize {
        self.taps.iter().fold(0, |most, &taps| most.max(taps)) as usize
    }

    /// Elements of the line that `pixels` need, and of the source row that go there.
    fn needed(&self, pixels: Range<usize>) -> (Range<usize>, Range<usize>) {
        let [a, b] = [pixels.start, pixels.end - 1].map(|pixel| {
            let start = self.start[pixel] as usize;
            start..start + self.taps[pixel] as usize * self.channels
        });
        let line = a.start.min(b.start)..a.end.max(b.end);
        let origin = self.source.start * self.channels;
        (line.clone(), line.start + origin..line.end + origin)
    }
}

/// Bytes, bit-equal to Pillow's `BILINEAR`.
#[derive(Debug)]
pub struct Bytes {
    extent: Extent,
    weights: Vec<Group>,
    groups: usize,
    /// A source row, with bytes to spare.
    line: Vec<u8>,
    rows: Triangle,
    row_weights: Vec<[i16; 2]>,
    scratch: Vec<f64>,
    level: Level,
}

impl Passes<u8> for Bytes {
    type Middle = u8;

    fn new(window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let triangle = Triangle::new(&axis);
        let extent = Extent::new(window, triangle)?;
        let groups = extent.most_taps().div_ceil(GROUP);
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
        // The groups of a pixel with few taps may reach past the input.
        let line = (extent.source.len() + groups * GROUP).saturating_mul(extent.channels);
        let line = filled(line.saturating_add(SLACK))?;
        let rows = Triangle::new(&window.placement.rows());
        Ok(Self { extent, weights, groups, line, rows, row_weights: Vec::new(), scratch, level: window.level })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn columns(&mut self, row: &[u8], pixels: Range<usize>, out: &mut [u8]) {
        let (to, from) = self.extent.needed(pixels.clone());
        self.line[to].copy_from_slice(&row[from]);
        let line = &self.line[..];
        let columns = ByteColumns {
            start: &self.extent.start[pixels.clone()],
            weights: &self.weights[pixels.start * self.groups..pixels.end * self.groups],
            groups: self.groups,
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

/// `uint16` and `float32`, computed in float32.
#[derive(Debug)]
pub struct Floats {
    extent: Extent,
    flip: bool,
    weights: Vec<f32>,
    ends: Vec<u32>,
    /// A source row.
    line: Vec<f32>,
    rows: Triangle,
    row_weights: Vec<f32>,
    scratch: Vec<f64>,
    level: Level,
}

impl<T: Float> Passes<T> for Floats {
    type Middle = f32;

    fn new(window: &Window) -> Result<Self> {
        let axis = window.placement.columns();
        let triangle = Triangle::new(&axis);
        let extent = Extent::new(window, triangle)?;
        let total: u64 = extent.taps.iter().map(|&taps| u64::from(taps)).sum();
        if total > u64::from(u32::MAX) {
            return Err(Error::OutOfMemory { bytes: total as usize });
        }
        let mut weights: Vec<f32> = filled(total as usize)?;
        let mut ends: Vec<u32> = filled(extent.taps.len() + 1)?;
        let mut scratch = Vec::new();
        let mut end = 0;
        for (last, i) in ends[1..].iter_mut().zip(window.blocks()) {
            triangle.weights(i, &mut scratch);
            for (weight, &exact) in weights[end..].iter_mut().zip(&scratch) {
                *weight = exact as f32;
            }
            end += scratch.len();
            *last = end as u32;
        }
        let rows = Triangle::new(&window.placement.rows());
        let line = filled((extent.source.len() * extent.channels).saturating_add(SLACK))?;
        let (flip, level) = (axis.flip, window.level);
        Ok(Self { extent, flip, weights, ends, line, rows, row_weights: Vec::new(), scratch, level })
    }

    fn most_rows(&self) -> usize {
        self.rows.most_taps()
    }

    fn columns(&mut self, row: &[T], pixels: Range<usize>, out: &mut [f32]) {
        let (to, from) = self.extent.needed(pixels.clone());
        for (line, pixel) in self.line[to].iter_mut().zip(&row[from]) {
            *line = pixel.to_f32();
        }
        let line = &self.line[..];
        let columns = FloatColumns {
            start: &self.extent.start[pixels.clone()],
            ends: &self.ends[pixels.start..=pixels.end],
            weights: &self.weights,
            channels: self.extent.channels,
            flip: self.flip,
        };
        match columns.channels {
            1 => many::columns_f32::<1>(self.level, line, columns, out),
            2 => many::columns_f32::<2>(self.level, line, columns, out),
            3 => many::columns_f32::<3>(self.level, line, columns, out),
            4 => many::columns_f32::<4>(self.level, line, columns, out),
            _ => many::columns_f32::<0>(self.level, line, columns, out),
        }
    }

    fn turn_to(&mut self, i: usize) -> Range<usize> {
        self.rows.weights(i, &mut self.scratch);
        self.row_weights.clear();
        self.row_weights.extend(self.scratch.iter().map(|&weight| weight as f32));
        self.rows.samples(i)
    }

    fn rows(&self, rows: Rows<'_, f32>, out: &mut [T]) {
        many::rows_float(self.level, rows, &self.row_weights, out);
    }
}
