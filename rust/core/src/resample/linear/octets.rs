//! Columns of float kernels, eight values at a time, as permutations find them.

use std::ops::Range;

use super::{Float, Table};
use crate::error::Result;
use crate::memory::filled;

/// How many values a load has.
const LOAD: u32 = 8;

/// Two halves of four values each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Octet {
    /// Where the taps of the first two values of each half begin, and those of the last two.
    pub(crate) starts: [[u32; 2]; 2],
    /// Where the taps are, from the starts on. For float32 of each half its first taps, then its second, of the second
    /// half the other way round. For 16 bits the two bytes of a tap in a lane: with one start the first taps of both
    /// halves, then the second, else both taps of each value.
    pub(crate) index: [[u32; 8]; 2],
    /// In the order of `index` for float32; for 16 bits the first weights of both halves, then the second.
    pub(crate) weights: [[[f32; 4]; 2]; 2],
}

/// All octets of a window, or none where there is no kernel for them, or a faster one.
#[derive(Debug, Default)]
pub(crate) struct Octets {
    octets: Vec<Octet>,
    near: bool,
}

/// Some octets.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 permutes"))]
pub(crate) struct SomeOctets<'a> {
    pub(crate) octets: &'a [Octet],
    /// Whether both starts of each half are the same.
    pub(crate) near: bool,
}

impl Octets {
    pub(crate) fn new<T: Float>(table: &Table<f32>) -> Result<Self> {
        if !matches!(table.channels, 1 | 2) {
            return Ok(Self::default());
        }
        let words = size_of::<T>() == 2;
        let mut octets = filled(table.start.len() * table.channels / 8)?;
        let near = fill::<4>(&mut octets, table, words);
        if !near && !fill::<2>(&mut octets, table, words) {
            octets.clear();
        }
        Ok(Self { octets, near })
    }

    /// Whether there are octets, and none reads past the end of a row of so many values.
    pub(crate) fn fit(&self, available: usize) -> bool {
        !self.octets.is_empty() && available >= LOAD as usize
    }

    pub(crate) fn part(&self, values: Range<usize>) -> SomeOctets<'_> {
        let octets = self.octets.get(values.start / 8..values.end / 8).unwrap_or_default();
        SomeOctets { octets, near: self.near }
    }
}

/// Whether one load finds all taps of `TOGETHER` values.
fn fill<const TOGETHER: usize>(octets: &mut [Octet], table: &Table<f32>, words: bool) -> bool {
    let channels = table.channels;
    // No load passes the end of a row, unless it is shorter.
    let last_load = (table.available as u32).checked_sub(LOAD).unwrap_or(u32::MAX);
    let (mut pixel, mut channel) = (0, 0);
    for octet in octets {
        for half in 0..2 {
            let mut taps = [0; 4];
            for (k, tap) in taps.iter_mut().enumerate() {
                *tap = table.start[pixel] + channel;
                for (which, weight) in table.weights[pixel].into_iter().enumerate() {
                    let at = if words { [which, half] } else { [half, which ^ half] };
                    octet.weights[at[0]][at[1]][k] = weight;
                }
                channel += 1;
                if channel == channels as u32 {
                    (pixel, channel) = (pixel + 1, 0);
                }
            }
            for (part, taps) in taps.chunks_exact(TOGETHER).enumerate() {
                let start = taps.iter().fold(last_load, |start, &tap| start.min(tap));
                let end = taps.iter().fold(0, |end, &tap| end.max(tap)) + channels as u32;
                if end - start >= LOAD {
                    return false;
                }
                octet.starts[half][part..].fill(start);
                for (k, tap) in (part * TOGETHER..).zip(taps) {
                    let [first, second] = [tap - start, tap - start + channels as u32];
                    if words {
                        let [first, second] = [first, second].map(|word| ((2 * word + 1) << 8) | (2 * word));
                        let (at, zeros) = (4 * half + k, 0x8080 << 16);
                        let near = TOGETHER == 4;
                        octet.index[0][at] = first | if near { zeros } else { second << 16 };
                        octet.index[1][at] = second | zeros;
                    } else {
                        octet.index[half][4 * half + k] = first;
                        octet.index[half][4 * (1 - half) + k] = second;
                    }
                }
            }
        }
    }
    true
}
