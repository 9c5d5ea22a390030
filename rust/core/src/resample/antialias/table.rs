//! Taps of all columns of a window.

use std::ops::Range;

use super::triangle::TriangleAxis;
use crate::error::{Error, Result};
use crate::memory::filled;
use crate::resample::separable::CanvasWindow;

/// Number of source rows that are resampled together at most.
pub(super) const TOGETHER: usize = 2;

/// Positions of the taps of each column of a window in the part of a source row that the window needs: a line.
#[derive(Debug)]
pub(super) struct AntialiasTable {
    /// Input columns of a line.
    source: Range<usize>,
    /// First element of each pixel in a line.
    pub(super) start: Vec<u32>,
    /// Number of taps that no pixel exceeds.
    pub(super) most_taps: usize,
    pub(super) channels: usize,
}

impl AntialiasTable {
    pub(super) fn new(window: &CanvasWindow, triangle: TriangleAxis) -> Result<Self> {
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
        let mut most_taps = 1;
        for (start, i) in start.iter_mut().zip(window.blocks()) {
            let samples = samples(i);
            *start = ((samples.start - source.start) * channels) as u32;
            most_taps = most_taps.max(samples.len());
        }
        Ok(Self { source, start, most_taps, channels })
    }

    /// Number of taps of a pixel in whole groups.
    pub(super) fn padded_taps(&self, group: usize) -> usize {
        self.most_taps.next_multiple_of(group)
    }

    /// Buffers for lines of which `reach` elements from each start on can be read.
    pub(super) fn lines<T: Copy + Default>(&self, reach: usize) -> Result<[Vec<T>; TOGETHER]> {
        let length = self.source.len().saturating_mul(self.channels).saturating_add(reach);
        Ok([filled(length)?, filled(length)?])
    }

    /// First element of a line in its source row.
    pub(super) fn origin(&self) -> usize {
        self.source.start * self.channels
    }

    /// Elements of a line that `pixels` need.
    pub(super) fn needed(&self, pixels: &Range<usize>) -> Range<usize> {
        let [first, last] = self.outermost(pixels);
        first..(last + self.most_taps * self.channels).min(self.source.len() * self.channels)
    }

    /// Lowest and highest start of `pixels`: starts run one way.
    pub(super) fn outermost(&self, pixels: &Range<usize>) -> [usize; 2] {
        let [a, b] = [pixels.start, pixels.end - 1].map(|pixel| self.start[pixel] as usize);
        [a.min(b), a.max(b)]
    }
}
