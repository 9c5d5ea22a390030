//! Groups of eight values of a resized row, and where AVX2 finds their taps: for `uint16` and `float32`.

use std::ops::Range;

use super::table::LinearTable;
use crate::error::Result;
use crate::memory::filled;
use crate::resample::float::FloatPixel;

/// Elements that a kernel loads at once.
const LOAD: u32 = 8;

/// Values of a group.
const VALUES: usize = 8;

/// Values of half a group.
const HALF: usize = 4;

/// How far the taps of a group lie apart, which decides how they are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupReach {
    /// One load has all taps of a half. With three channels it would hardly ever in a mirrored image.
    OneLoad,
    /// Two adjoining loads have all taps of the group (`float32`), or one load the first taps of a half and one a pixel
    /// further on the second ones (`uint16`).
    Near,
    /// One load has the taps of the first values of a half, another those of its others.
    Far,
}

/// Eight consecutive values of a resized row, in two halves of four.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FloatGroup {
    /// First elements of the loads of each half; a near group of `float32` has them twice.
    pub(super) starts: [[u32; 2]; 2],
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
    pub(super) index: [[u32; VALUES]; 2],
    /// Weights: for `float32` in the order of `index`; for `uint16` those of the first taps, then of the second ones.
    pub(super) weights: [[f32; VALUES]; 2],
}

/// Groups of all values of a window.
#[derive(Debug)]
pub(super) struct FloatGroups {
    groups: Vec<FloatGroup>,
    reach: GroupReach,
}

impl FloatGroups {
    /// Groups of a window, or none where their taps lie too far apart.
    #[inline(always)]
    pub(super) fn new<T: FloatPixel>(table: &LinearTable<f32>) -> Result<Option<Self>> {
        // With four channels a pixel is half a group, and needs no table.
        if table.channels > 3 || table.available < VALUES + table.channels {
            return Ok(None);
        }
        let mut groups = filled(table.start.len() * table.channels / VALUES)?;
        for reach in [GroupReach::OneLoad, GroupReach::Near, GroupReach::Far] {
            if !(reach == GroupReach::OneLoad && table.channels == 3) && fill::<T>(&mut groups, table, reach)
            {
                return Ok(Some(Self { groups, reach }));
            }
        }
        Ok(None)
    }

    /// Groups of some values, whose numbers are multiples of eight, and their reach.
    pub(super) fn part(&self, values: Range<usize>) -> (&[FloatGroup], GroupReach) {
        (&self.groups[values.start / VALUES..values.end / VALUES], self.reach)
    }
}

/// Fills all groups; says whether their taps lie within `reach`.
#[inline(always)]
fn fill<T: FloatPixel>(groups: &mut [FloatGroup], table: &LinearTable<f32>, reach: GroupReach) -> bool {
    let words = T::IS_U16;
    let channels = table.channels as u32;
    let mut values = table.values();
    for group in groups {
        let (mut taps, mut weights) = ([0; VALUES], [[0.0; 2]; VALUES]);
        for ((tap, both), value) in taps.iter_mut().zip(&mut weights).zip(&mut values) {
            (*tap, *both) = value;
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
        // What a load has to have of a value, from its first tap on; where it lies further on, a second load has the rest.
        let [reached, further] = if reach == GroupReach::Near { [0, channels] } else { [channels, 0] };
        let mut found = true;
        for half in 0..2 {
            let values = HALF * half..HALF * (half + 1);
            let (mut least, mut most) = (last_load - further, 0);
            for &tap in &taps[values.clone()] {
                (least, most) = (least.min(tap), most.max(tap));
            }
            // One load begins with the lowest tap, the other ends with the highest.
            let loads = [least, (most + reached + 1).saturating_sub(LOAD)];
            group.starts[half] = loads;
            for k in values {
                let in_second = (taps[k] + reached >= least + LOAD) as u32;
                let first = taps[k].wrapping_sub(loads[in_second as usize]);
                found &= in_second == 0 || (reach == GroupReach::Far && first < LOAD);
                let second = first.wrapping_add(channels);
                if words {
                    let [first, second] =
                        [first, second].map(|word| (word.wrapping_mul(0x0202).wrapping_add(0x0100)) & 0xffff);
                    [group.index[0][k], group.index[1][k]] = if reach == GroupReach::Far {
                        let (both, none) = (first | second << 16, in_second.wrapping_sub(1));
                        [both | !none, both | none]
                    } else {
                        [first | 0x8080_0000, second | 0x8080_0000]
                    };
                    [group.weights[0][k], group.weights[1][k]] = weights[k];
                } else {
                    let (lane, sign) = (k % HALF, in_second << 31);
                    [group.index[half][lane], group.index[half][HALF + lane]] = [first | sign, second | sign];
                    [group.weights[half][lane], group.weights[half][HALF + lane]] = weights[k];
                }
            }
        }
        if !found {
            return false;
        }
    }
    true
}
