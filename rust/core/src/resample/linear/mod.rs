//! Bilinear with two taps on each axis: OpenCV's integers for bytes, float32 otherwise.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2_floats;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod bytes;
mod dispatch;
mod floats;
mod fused;
mod groups;
pub(crate) mod portable;
mod whole;
mod wide;
pub(crate) use whole::LinearFilter;
use whole::TOGETHER;

use std::array;

pub(crate) use bytes::{Columns, LinearByteColumns, LinearBytes};
pub(crate) use floats::{FloatPixel, FloatTables, LinearFloatColumns, LinearFloats};

use super::separable::{MIDDLE_SLACK, Rows, Window};
use crate::error::{Error, Result};
use crate::memory::filled;

/// Positions of the two taps of each column of a window in a source row, and their weights.
#[derive(Debug)]
pub(crate) struct LinearTable<W> {
    /// First value of each pixel, from `origin` on. The second tap is the pixel after it.
    start: Vec<u32>,
    /// Weights of both.
    weights: Vec<[W; 2]>,
    channels: usize,
    origin: usize,
    /// Number of values from `origin` on that a source row has.
    available: usize,
}

/// Columns that are looked up together, in loops that compilers vectorise.
const CHUNK: usize = 64;

impl<W: Copy + Default> LinearTable<W> {
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
        Ok(Self { start, weights, channels, origin: first * channels, available })
    }

    /// Room for [`LinearTable::lines`] to double rows of one column.
    fn doubled<T: Copy + Default>(&self) -> Result<Vec<T>> {
        filled(if self.is_one_column() { TOGETHER * 2 * self.channels } else { 0 })
    }

    fn is_one_column(&self) -> bool {
        self.available == self.channels
    }

    /// Source rows from `origin` on, in which every pixel finds both taps: rows of one column are `doubled`.
    fn lines<'a, T: Copy, const N: usize>(&self, rows: [&'a [T]; N], doubled: &'a mut [T]) -> [&'a [T]; N] {
        if !self.is_one_column() {
            return rows.map(|row| &row[self.origin..][..self.available]);
        }
        for (row, twice) in rows.into_iter().zip(doubled.chunks_exact_mut(2 * self.channels)) {
            twice[..self.channels].copy_from_slice(&row[..self.channels]);
            twice[self.channels..].copy_from_slice(&row[..self.channels]);
        }
        let mut lines = doubled.chunks_exact(2 * self.channels);
        array::from_fn(|_| lines.next().unwrap_or_default())
    }
}

/// The two rows, which beyond the outermost are one, with what may be read past their ends.
fn both<'a, M>(rows: &Rows<'a, M>, length: usize) -> [&'a [M]; 2] {
    let length = length + MIDDLE_SLACK;
    [rows.get(0, 0, length), rows.get(rows.starts.len() - 1, 0, length)]
}
