//! Bilinear with a triangle that widens as the image shrinks: Pillow's integers for bytes, float32 otherwise.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_floats;
pub(crate) mod bytes;
mod digits;
mod dispatch;
mod floats;
pub(crate) mod portable;
mod steps;
#[cfg(target_arch = "x86_64")]
pub(crate) mod vnni;

use std::ops::Range;

pub(crate) use bytes::{AntialiasByteColumns, AntialiasBytes, GROUP, Group, SPLIT};
pub(crate) use floats::{AntialiasFloatColumns, AntialiasFloats};

use super::separable::Window;
use super::taps::Triangle;
use crate::error::{Error, Result};
use crate::memory::filled;

/// Part of a source row that the columns of a window need.
#[derive(Debug)]
struct Extent {
    /// Input columns of the window; the line holds these.
    source: Range<usize>,
    /// First element of each pixel in the line.
    start: Vec<u32>,
    /// Number of taps of each pixel.
    taps: Vec<u32>,
    channels: usize,
    /// Elements of a source row from those of the window on.
    available: usize,
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
        let available = (axis.input - source.start) * channels;
        Ok(Self { source, start, taps, channels, available })
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

/// The pixels, in multiples of `block`, for which a kernel may read `reach` values from each start on and stay
/// inside the `available` ones.
fn inside(starts: &[u32], block: usize, reach: usize, available: usize) -> Range<usize> {
    let fits = |start: &u32| *start as usize + reach <= available;
    let inside = match (starts.first().is_some_and(fits), starts.last().is_some_and(fits)) {
        (true, true) => 0..starts.len(),
        (true, false) => 0..starts.partition_point(fits),
        (false, true) => starts.partition_point(|start| !fits(start))..starts.len(),
        (false, false) => 0..0,
    };
    let start = inside.start.next_multiple_of(block);
    start..(inside.end - inside.end % block).max(start)
}

/// `pixels` in up to three parts: before, in and after `inside`. The flag tells which is in it.
fn parts(pixels: &Range<usize>, inside: &Range<usize>) -> impl Iterator<Item = (Range<usize>, bool)> + use<> {
    let clamp = |range: Range<usize>| {
        range.start.clamp(pixels.start, pixels.end)..range.end.clamp(pixels.start, pixels.end)
    };
    let before = clamp(0..inside.start);
    let within = clamp(inside.clone());
    let after = clamp(inside.end.max(inside.start)..usize::MAX);
    [(before, false), (within, true), (after, false)].into_iter().filter(|(part, _)| !part.is_empty())
}
