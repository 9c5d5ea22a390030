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

/// How far the taps of a group lie apart, which decides how they are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum GroupReach {
    /// One load has all taps of a half. With three channels it would hardly ever in a mirrored image.
    #[default]
    OneLoad,
    /// Two adjoining loads have all taps of the group (`float32`), or one load the first taps of a half and one a pixel
    /// further on the second ones (`uint16`).
    Near,
    /// Two loads for each half: one has the taps of the first values, the other those of the others.
    Far,
}

/// Eight consecutive values of a resized row, in two halves of four.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FloatGroup {
    /// First elements of the loads of each half; a near group of `float32` has them twice.
    pub(crate) starts: [[u32; 2]; 2],
    /// Positions of the taps in the loads.
    ///
    /// `float32`, in elements, with the sign set for the second load; lanes of the two arrays:
    /// ```text
    /// one load, far   first taps 0 1 2 3, second taps 0 1 2 3  |  first taps 4 5 6 7, second taps 4 5 6 7
    /// near            first taps 0 1 2 3 4 5 6 7               |  second taps 0 1 2 3 4 5 6 7
    /// ```
    /// `uint16`, in bytes, four to a value, where a set sign means zero:
    /// ```text
    /// one load        first taps 0 1 2 3 4 5 6 7               |  second taps 0 1 2 3 4 5 6 7
    /// near            first taps 0 1 2 3 4 5 6 7               |  not used
    /// far             both taps of those in the first load     |  both taps of the others
    /// ```
    pub(crate) index: [[u32; VALUES]; 2],
    /// Weights: for `float32` in the order of `index`; for `uint16` those of the first taps, then of the second ones.
    pub(crate) weights: [[f32; VALUES]; 2],
}

/// Groups of all values of a window, or none where no kernel takes them.
#[derive(Debug, Default)]
pub(crate) struct FloatGroups {
    groups: Vec<FloatGroup>,
    reach: GroupReach,
}

/// Consecutive groups, borrowed.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 reads them"))]
pub(crate) struct FloatGroupSlice<'a> {
    pub(crate) groups: &'a [FloatGroup],
    pub(crate) reach: GroupReach,
}

impl FloatGroups {
    #[inline(always)]
    pub(crate) fn new<T: FloatPixel>(table: &LinearTable<f32>) -> Result<Self> {
        // With four channels a pixel is half a group, and needs no table.
        if table.channels > 3 || table.available < VALUES + table.channels {
            return Ok(Self::default());
        }
        let mut groups = filled(table.start.len() * table.channels / VALUES)?;
        for reach in [GroupReach::OneLoad, GroupReach::Near, GroupReach::Far] {
            if !(reach == GroupReach::OneLoad && table.channels == 3) && fill::<T>(&mut groups, table, reach)
            {
                return Ok(Self { groups, reach });
            }
        }
        Ok(Self::default())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Groups of some values, whose numbers are multiples of eight.
    pub(crate) fn part(&self, values: Range<usize>) -> FloatGroupSlice<'_> {
        let groups = self.groups.get(values.start / VALUES..values.end / VALUES).unwrap_or_default();
        FloatGroupSlice { groups, reach: self.reach }
    }
}

/// Fills all groups; says whether their taps lie within `reach`.
#[inline(always)]
fn fill<T: FloatPixel>(groups: &mut [FloatGroup], table: &LinearTable<f32>, reach: GroupReach) -> bool {
    let words = size_of::<T>() == 2;
    let channels = table.channels as u32;
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
        // No load passes the end of a row.
        let last_load = table.available as u32 - LOAD;
        if reach == GroupReach::Near && !words {
            let start = taps.iter().fold(last_load, |start, &tap| start.min(tap));
            let next = (start + LOAD).min(last_load);
            let position = |tap: u32| if tap < start + LOAD { tap - start } else { (tap - next) | 1 << 31 };
            for (k, &tap) in taps.iter().enumerate() {
                if tap + channels >= next + LOAD {
                    return false;
                }
                [group.index[0][k], group.index[1][k]] = [position(tap), position(tap + channels)];
                [group.weights[0][k], group.weights[1][k]] = weights[k];
            }
            group.starts = [[start, next]; 2];
            continue;
        }
        for half in 0..2 {
            let values = HALF * half..HALF * (half + 1);
            let (mut loads, further) = ([last_load; 2], if reach == GroupReach::Near { channels } else { 0 });
            loads[0] -= further;
            // The first load begins with the first taps of as many values as it has all taps of.
            let (mut load, mut end) = (0, 0);
            let mut load_of = [0; VALUES];
            for k in values.clone() {
                let last_tap = taps[k] + channels - further;
                if reach == GroupReach::Far && load == 0 && end.max(last_tap) - loads[0].min(taps[k]) >= LOAD
                {
                    (load, end) = (1, 0);
                }
                loads[load] = loads[load].min(taps[k]);
                end = end.max(last_tap);
                if end - loads[load] >= LOAD {
                    return false;
                }
                load_of[k] = load;
            }
            group.starts[half] = loads;
            for k in values {
                let first = taps[k] - loads[load_of[k]];
                let second = first + channels;
                if words {
                    let [first, second] = [first, second].map(|word| ((2 * word + 1) << 8) | (2 * word));
                    let zeros = 0x8080 << 16;
                    [group.index[0][k], group.index[1][k]] = match (reach, load_of[k]) {
                        (GroupReach::Far, 0) => [first | second << 16, !0],
                        (GroupReach::Far, _) => [!0, first | second << 16],
                        _ => [first | zeros, second | zeros],
                    };
                    [group.weights[0][k], group.weights[1][k]] = weights[k];
                } else {
                    let (lane, sign) = (k % HALF, (load_of[k] as u32) << 31);
                    [group.index[half][lane], group.index[half][HALF + lane]] = [first | sign, second | sign];
                    [group.weights[half][lane], group.weights[half][HALF + lane]] = weights[k];
                }
            }
        }
    }
    true
}
