//! Groups of eight values of a resized row, and where AVX2 finds their taps: for `uint16` and `float32`.
#![expect(
    clippy::inline_always,
    reason = "AVX2 functions compile these bodies once more, with their features"
)]

use std::ops::Range;

use super::{FloatPixel, LinearTable};
use crate::error::Result;
use crate::memory::filled;

/// Elements that a kernel loads at once.
const LOAD: u32 = 8;

/// Values of a group.
const VALUES: usize = 8;

/// Values of half a group.
const HALF: usize = 4;

/// Most channels that are found in groups. With four, a pixel is half a group, and needs no table.
const MOST_CHANNELS: usize = 3;

/// Eight consecutive values of a resized row, in two halves of four.
///
/// Near groups of `float32` find all taps in two loads; those of `uint16` find the first taps of each half in one load,
/// and the second ones in a load a pixel further on. Far groups find the taps of each half in two loads: those of its
/// first values, and those of the others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FloatGroup {
    /// First element of the loads: of each half the one, then the other. A near group of `float32` has two in all, one
    /// of `uint16` has one for each half.
    pub(crate) starts: [[u32; 2]; 2],
    /// Positions of the taps in the loads. `float32`, in elements, with the sign set for the second load:
    /// ```text
    /// near  [first tap of value 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7]  [second taps, likewise]
    /// far   [first tap of value 0 | 1 | 2 | 3 | second tap of value 0 | 1 | 2 | 3]  [those of values 4 to 7, likewise]
    /// ```
    /// `uint16`, in bytes, four to a value, where a set sign means zero; of far groups each value is found by one array:
    /// ```text
    /// near  [first tap of value 0, zeros | 1 | 2 | 3 || 4 | 5 | 6 | 7]  not used
    /// far   [first tap of value 0, second tap | 1 | zeros | zeros || 4 | 5 | 6 | zeros]  [zeros | zeros | 2 | 3 || ...]
    /// ```
    pub(crate) index: [[u32; VALUES]; 2],
    /// Weights of all first taps, then of all second ones; of far groups of `float32` in the order of `index`.
    pub(crate) weights: [[f32; VALUES]; 2],
}

/// Groups of all values of a window, or none where no kernel takes them.
#[derive(Debug, Default)]
pub(crate) struct FloatGroups {
    groups: Vec<FloatGroup>,
    near: bool,
}

/// Consecutive groups, borrowed.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 reads them"))]
pub(crate) struct FloatGroupSlice<'a> {
    pub(crate) groups: &'a [FloatGroup],
    pub(crate) near: bool,
}

impl FloatGroups {
    #[inline(always)]
    pub(crate) fn new<T: FloatPixel>(table: &LinearTable<f32>) -> Result<Self> {
        if table.channels > MOST_CHANNELS || table.available < VALUES + table.channels {
            return Ok(Self::default());
        }
        let mut groups = filled(table.start.len() * table.channels / VALUES)?;
        let near = fill::<T, true>(&mut groups, table);
        if !near && !fill::<T, false>(&mut groups, table) {
            groups.clear();
        }
        Ok(Self { groups, near })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Groups of some values, whose numbers are multiples of eight.
    pub(crate) fn part(&self, values: Range<usize>) -> FloatGroupSlice<'_> {
        let groups = self.groups.get(values.start / VALUES..values.end / VALUES).unwrap_or_default();
        FloatGroupSlice { groups, near: self.near }
    }
}

/// Whether the loads of every group have all of its taps.
#[inline(always)]
fn fill<T: FloatPixel, const NEAR: bool>(groups: &mut [FloatGroup], table: &LinearTable<f32>) -> bool {
    let channels = table.channels as u32;
    // No load passes the end of a row.
    let last_load = table.available as u32 - LOAD;
    let words = size_of::<T>() == 2;
    let (mut pixel, mut channel) = (0, 0);
    for group in groups {
        let (mut taps, mut weights) = ([0; VALUES], [[0.0; 2]; VALUES]);
        for (tap, both) in taps.iter_mut().zip(&mut weights) {
            *tap = table.start[pixel] + channel;
            *both = table.weights[pixel];
            channel += 1;
            if channel == channels {
                (pixel, channel) = (pixel + 1, 0);
            }
        }
        if NEAR && !words {
            let start = taps.iter().fold(last_load, |start, &tap| start.min(tap));
            let next = (start + LOAD).min(last_load);
            let at = |tap: u32| if tap < start + LOAD { tap - start } else { (tap - next) | 1 << 31 };
            for (k, &tap) in taps.iter().enumerate() {
                if tap + channels >= next + LOAD {
                    return false;
                }
                [group.index[0][k], group.index[1][k]] = [at(tap), at(tap + channels)];
                [group.weights[0][k], group.weights[1][k]] = weights[k];
            }
            group.starts = [[start, next]; 2];
            continue;
        }
        for half in 0..2 {
            let taps = &taps[HALF * half..][..HALF];
            let (mut loads, mut load, mut end) = ([last_load; 2], 0, 0);
            if NEAR {
                loads[0] -= channels;
            }
            let reach = if NEAR { 0 } else { channels };
            for (k, &tap) in (HALF * half..).zip(taps) {
                // The first load begins with the first taps of as many values as it has all taps of.
                if load == 0 && !NEAR && end.max(tap + reach) - loads[0].min(tap) >= LOAD {
                    (load, end) = (1, 0);
                }
                loads[load] = loads[load].min(tap);
                end = end.max(tap + reach);
                if end - loads[load] >= LOAD {
                    return false;
                }
                group.index[1][k] = load as u32;
            }
            group.starts[half] = loads;
            for (k, &tap) in (HALF * half..).zip(taps) {
                let load = group.index[1][k];
                let first = tap - loads[load as usize];
                let second = first + channels;
                if words {
                    let [first, second] = [first, second].map(|word| ((2 * word + 1) << 8) | (2 * word));
                    [group.index[0][k], group.index[1][k]] = match (NEAR, load) {
                        (true, _) => [first | 0x8080 << 16, !0],
                        (false, 0) => [first | second << 16, !0],
                        (false, _) => [!0, first | second << 16],
                    };
                    [group.weights[0][k], group.weights[1][k]] = weights[k];
                } else {
                    let k = k % HALF;
                    [group.index[half][k], group.index[half][HALF + k]] =
                        [first | load << 31, second | load << 31];
                    [group.weights[half][k], group.weights[half][HALF + k]] = weights[HALF * half + k];
                }
            }
        }
    }
    true
}
