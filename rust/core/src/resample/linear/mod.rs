//! Bilinear with two taps on each axis: OpenCV's integers for bytes, float32 otherwise.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_floats;
#[cfg(target_arch = "x86_64")]
mod avx2_octets;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_floats;
mod bytes;
mod dispatch;
mod floats;
mod octets;
pub(crate) mod portable;
#[cfg(target_arch = "x86_64")]
mod sink;
mod wide;
mod wide_floats;

use std::ops::Range;

pub(crate) use bytes::{ByteColumns, Bytes, Columns};
pub(crate) use floats::{Float, FloatColumns, FloatTables, Floats};

use super::separable::{MIDDLE_SLACK, Rows, Window};
use crate::error::{Error, Result};
use crate::memory::filled;

/// Where the taps of the columns of a window lie in a source row.
#[derive(Debug)]
pub(crate) struct Table<W> {
    /// First value of each pixel, from `origin` on. The second tap is the pixel after it.
    start: Vec<u32>,
    /// Weights of both.
    weights: Vec<[W; 2]>,
    channels: usize,
    origin: usize,
    /// Number of values from `origin` on that the window needs.
    length: usize,
    /// Number of values from `origin` on that there are.
    available: usize,
}

/// So many columns are looked up together, in loops that compilers vectorise.
const CHUNK: usize = 64;

impl<W: Copy + Default> Table<W> {
    /// `taps` gives the first tap of a resized column, clamped, and the weights of both.
    #[inline(always)]
    fn new(window: &Window, taps: impl Fn(i32) -> (u32, [W; 2])) -> Result<Self> {
        let axis = window.placement.columns();
        let channels = window.channels;
        let last_input = (axis.input - 1) as u32;
        let place = |numbers: &[i32; CHUNK]| {
            let (mut first, mut this, mut next) = ([0; CHUNK], [W::default(); CHUNK], [W::default(); CHUNK]);
            for (i, &number) in numbers.iter().enumerate() {
                (first[i], [this[i], next[i]]) = taps(number);
            }
            if axis.flip {
                for i in 0..CHUNK {
                    let mirrored = last_input - first[i];
                    // The last column has one tap only.
                    let swapped = mirrored > 0;
                    first[i] = mirrored.saturating_sub(1);
                    (this[i], next[i]) = if swapped { (next[i], this[i]) } else { (this[i], next[i]) };
                }
            }
            (first, [this, next])
        };
        let resized = axis.resized_at(window.columns.start) as i32;
        // Starts run one way, so the outermost pixels have the outermost starts.
        let last = resized + (window.columns.len() - 1) as i32;
        let mut outermost = [resized; CHUNK];
        outermost[1] = last;
        let ([a, b, ..], _) = place(&outermost);
        let [a, b] = [a, b].map(|tap| tap as usize);
        let first = a.min(b).min(axis.input.saturating_sub(2));
        let length = ((a.max(b) + 2).min(axis.input) - first).saturating_mul(channels);
        if length > u32::MAX as usize {
            return Err(Error::OutOfMemory { bytes: length });
        }
        let mut start = filled(window.padded_columns())?;
        let mut weights = filled(window.padded_columns())?;
        let mut numbers = [0; CHUNK];
        for (number, (start, weights)) in start.chunks_mut(CHUNK).zip(weights.chunks_mut(CHUNK)).enumerate() {
            for (i, column) in numbers.iter_mut().enumerate() {
                *column = (resized as i64 + (number * CHUNK + i) as i64).min(last as i64) as i32;
            }
            let (mut taps, [this, next]) = place(&numbers);
            for tap in &mut taps {
                *tap = (*tap - first as u32) * channels as u32;
            }
            start.copy_from_slice(&taps[..start.len()]);
            let mut both = [[W::default(); 2]; CHUNK];
            for i in 0..CHUNK {
                both[i] = [this[i], next[i]];
            }
            weights.copy_from_slice(&both[..weights.len()]);
        }
        let available = ((axis.input - first) * channels).min(u32::MAX as usize);
        // The one tap of the last column becomes the second, so that both lie inside.
        let last = available as u32 - channels as u32;
        let from_last = start.iter_mut().zip(&mut weights).rev().take_while(|(start, _)| **start == last);
        for (start, weights) in from_last.filter(|_| last > 0) {
            *start -= channels as u32;
            weights.swap(0, 1);
        }
        Ok(Self { start, weights, channels, origin: first * channels, length, available })
    }

    /// The values that `pixels` need, from `origin` on.
    fn needed(&self, pixels: Range<usize>) -> Range<usize> {
        let ends = [self.start[pixels.start] as usize, self.start[pixels.end - 1] as usize];
        ends[0].min(ends[1])..(ends[0].max(ends[1]) + 2 * self.channels).min(self.length)
    }
}

/// The pixels, in multiples of `block`, for which a kernel may read `reach` values from each start on and stay
/// inside the `available` ones.
pub(crate) fn inside(starts: &[u32], block: usize, reach: usize, available: usize) -> Range<usize> {
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
pub(crate) fn parts(
    pixels: &Range<usize>,
    inside: &Range<usize>,
) -> impl Iterator<Item = (Range<usize>, bool)> + use<> {
    let clamp = |range: Range<usize>| {
        range.start.clamp(pixels.start, pixels.end)..range.end.clamp(pixels.start, pixels.end)
    };
    let before = clamp(0..inside.start);
    let within = clamp(inside.clone());
    let after = clamp(inside.end.max(inside.start)..usize::MAX);
    [(before, false), (within, true), (after, false)].into_iter().filter(|(part, _)| !part.is_empty())
}

/// The two rows, which beyond the outermost are one, with what may be read past their ends.
fn both<'a, M>(rows: &Rows<'a, M>, length: usize) -> [&'a [M]; 2] {
    let length = length + MIDDLE_SLACK;
    [rows.get(0, 0, length), rows.get(rows.starts.len() - 1, 0, length)]
}
