//! Taps and weights of all columns of a window.

use std::array;

use crate::error::{Error, Result};
use crate::memory::filled;
use crate::resample::separable::CanvasWindow;

/// Number of source rows that are resampled together at most: a table is read once for all.
pub(super) const TOGETHER: usize = 4;

/// Number of columns that are looked up together, in loops that compilers vectorise.
const CHUNK: usize = 64;

/// Positions of the two taps of each column of a window in a source row, and their weights.
#[derive(Debug)]
pub(super) struct LinearTable<W> {
    /// First value of each pixel, from `origin` on. The second tap is the pixel after it.
    pub(super) start: Vec<u32>,
    /// Weights of both taps.
    pub(super) weights: Vec<[W; 2]>,
    pub(super) channels: usize,
    /// First value of a source row that the window needs.
    origin: usize,
    /// Number of values from `origin` on that a source row has.
    pub(super) available: usize,
}

impl<W: Copy + Default> LinearTable<W> {
    /// Table of a window. `taps` gives the first tap of a resized column, clamped, and the weights of both.
    #[inline(always)]
    pub(super) fn new(window: &CanvasWindow, taps: impl Fn(i32) -> (u32, [W; 2])) -> Result<Self> {
        let axis = window.placement.columns();
        let channels = window.channels;
        let last_input = (axis.input - 1) as u32;
        let place = |numbers: &[i32; CHUNK]| {
            let (mut first, mut weights) = ([0; CHUNK], [[W::default(); 2]; CHUNK]);
            for (i, &number) in numbers.iter().enumerate() {
                (first[i], weights[i]) = taps(number);
            }
            if axis.flip {
                for i in 0..CHUNK {
                    let mirrored = last_input - first[i];
                    first[i] = mirrored.saturating_sub(1);
                    // The last column has one tap only.
                    let [this, next] = weights[i];
                    weights[i] = if mirrored > 0 { [next, this] } else { [this, next] };
                }
            }
            (first, weights)
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
            let (mut taps, both) = place(&numbers);
            for tap in &mut taps {
                *tap = (*tap - first as u32) * channels as u32;
            }
            start.copy_from_slice(&taps[..start.len()]);
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

    /// First tap of each value, and both weights.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn values(&self) -> impl Iterator<Item = (u32, [W; 2])> {
        let channels = self.channels as u32;
        let pixels = self.start.iter().zip(&self.weights);
        pixels.flat_map(move |(&start, &weights)| (start..start + channels).map(move |tap| (tap, weights)))
    }

    /// Buffer in which [`LinearTable::lines`] doubles rows of one column.
    pub(super) fn doubled<T: Copy + Default>(&self) -> Result<Vec<T>> {
        filled(if self.is_one_column() { TOGETHER * 2 * self.channels } else { 0 })
    }

    fn is_one_column(&self) -> bool {
        self.available == self.channels
    }

    /// Source rows from `origin` on, in which every pixel finds both taps: rows of one column are `doubled`.
    pub(super) fn lines<'a, T: Copy, const N: usize>(
        &self,
        rows: [&'a [T]; N],
        doubled: &'a mut [T],
    ) -> [&'a [T]; N] {
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
