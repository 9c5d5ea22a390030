//! Groups of eight values of a resized row, and where AVX2 finds their taps: for `uint16` and `float32`.

use std::array;
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
    /// One load has the first taps of the group, and one a pixel further on the second ones; of `float32` only.
    Group,
    /// One load has all taps of a half.
    OneLoad,
    /// One load has the first taps of a half, and one a pixel further on the second ones.
    Near,
    /// One load has the taps of the first values of a half, another those of its others.
    Far,
}

/// Eight consecutive values of a resized row, in two halves of four.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FloatGroup {
    /// First elements of the loads of each half; without a second load, the first one is what counts.
    pub(super) starts: [[u32; 2]; 2],
    /// Positions of the taps in the loads.
    ///
    /// `float32`, in elements, with the sign set for the second load; lanes of the two arrays:
    /// ```text
    /// one load, far   first taps 0 1 2 3, second taps 0 1 2 3  |  first taps 4 5 6 7, second taps 4 5 6 7
    /// group, near     first taps 0 1 2 3 4 5 6 7               |  not used
    /// ```
    /// `uint16`, in bytes, four to a value, where a set sign means zero:
    /// ```text
    /// one load        first taps 0 1 2 3 4 5 6 7               |  second taps 0 1 2 3 4 5 6 7
    /// near            first taps 0 1 2 3 4 5 6 7               |  not used
    /// far             both taps of those in the first load     |  both taps of the others
    /// ```
    pub(super) index: [[u32; VALUES]; 2],
    /// Weights: those of the first taps, then of the second ones; in the order of `index` for `float32` that is far or
    /// has one load.
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
        let fastest_first = [GroupReach::Group, GroupReach::OneLoad, GroupReach::Near, GroupReach::Far];
        let found = fastest_first.into_iter().find(|&reach| match table.channels {
            1 => fill::<T, 1>(&mut groups, table, reach),
            2 => fill::<T, 2>(&mut groups, table, reach),
            _ => fill::<T, 3>(&mut groups, table, reach),
        });
        Ok(found.map(|reach| Self { groups, reach }))
    }

    /// Groups of some values, whose numbers are multiples of eight, and their reach.
    pub(super) fn part(&self, values: Range<usize>) -> (&[FloatGroup], GroupReach) {
        (&self.groups[values.start / VALUES..values.end / VALUES], self.reach)
    }
}

/// Fills all groups; says whether their taps lie within `reach`.
#[inline(always)]
fn fill<T: FloatPixel, const C: usize>(
    groups: &mut [FloatGroup],
    table: &LinearTable<f32>,
    reach: GroupReach,
) -> bool {
    // No load passes the end of a row.
    let last_load = table.available as u32 - LOAD;
    // Eight pixels are as many groups as there are channels.
    let starts = table.start.as_chunks::<VALUES>().0;
    let weights = table.weights.as_chunks::<VALUES>().0;
    for (groups, (starts, both)) in groups.as_chunks_mut::<C>().0.iter_mut().zip(starts.iter().zip(weights)) {
        let taps = starts.map(|start| array::from_fn::<u32, C, _>(|c| start + c as u32));
        let weights = [0, 1].map(|tap| both.map(|weights| [weights[tap]; C]));
        let [first, second] = weights.each_ref().map(|weights| weights.as_flattened().as_chunks().0);
        for (k, (group, taps)) in groups.iter_mut().zip(taps.as_flattened().as_chunks().0).enumerate() {
            group.weights = [first[k], second[k]];
            let found = match reach {
                GroupReach::Group => !T::IS_U16 && group.share_index::<T, VALUES>(taps, C as u32, last_load),
                GroupReach::Near => group.share_index::<T, HALF>(taps, C as u32, last_load),
                GroupReach::OneLoad => C != 3 && group.find_both::<T>(taps, C as u32, last_load, false),
                GroupReach::Far => group.find_both::<T>(taps, C as u32, last_load, true),
            };
            if !found {
                return false;
            }
        }
    }
    true
}

impl FloatGroup {
    /// Sets starts and index, where a load of the first taps of `V` values can do for their second ones a pixel further
    /// on; says whether they all lie within one.
    #[inline(always)]
    fn share_index<T: FloatPixel, const V: usize>(
        &mut self,
        taps: &[u32; VALUES],
        channels: u32,
        last_load: u32,
    ) -> bool {
        let start = |half: usize| {
            let values = &taps[half * HALF / V * V..][..V];
            values.iter().fold(last_load - channels, |least, &tap| least.min(tap))
        };
        let starts = [start(0), start(1)];
        self.starts = starts.map(|start| [start; 2]);
        let first: [u32; VALUES] = array::from_fn(|k| taps[k] - starts[k / HALF]);
        self.index[0] = if T::IS_U16 { first.map(|word| bytes_of(word) | 0x8080_0000) } else { first };
        first.iter().fold(0, |most, &tap| most.max(tap)) < LOAD
    }

    /// Sets starts and index, where one load or two have all taps of a half; says whether they have.
    #[inline(always)]
    fn find_both<T: FloatPixel>(
        &mut self,
        taps: &[u32; VALUES],
        channels: u32,
        last_load: u32,
        has_second: bool,
    ) -> bool {
        let mut found = true;
        for half in 0..2 {
            let values = HALF * half..HALF * (half + 1);
            let (mut least, mut most) = (last_load, 0);
            for &tap in &taps[values.clone()] {
                (least, most) = (least.min(tap), most.max(tap));
            }
            // One load begins with the lowest tap, the other ends with the highest.
            let loads = [least, (most + channels + 1).saturating_sub(LOAD)];
            self.starts[half] = loads;
            for k in values {
                let in_second = (taps[k] + channels >= least + LOAD) as u32;
                let first = taps[k].wrapping_sub(loads[in_second as usize]);
                found &= in_second == 0 || (has_second && first < LOAD);
                let second = first.wrapping_add(channels);
                if T::IS_U16 {
                    let [first, second] = [first, second].map(bytes_of);
                    [self.index[0][k], self.index[1][k]] = if has_second {
                        let (both, none) = (first | second << 16, in_second.wrapping_sub(1));
                        [both | !none, both | none]
                    } else {
                        [first | 0x8080_0000, second | 0x8080_0000]
                    };
                } else {
                    let (lane, sign) = (k % HALF, in_second << 31);
                    [self.index[half][lane], self.index[half][HALF + lane]] = [first | sign, second | sign];
                }
            }
        }
        if !T::IS_U16 {
            let weights = self.weights;
            let order = |half: usize, lane: usize| weights[lane / HALF][HALF * half + lane % HALF];
            self.weights = array::from_fn(|half| array::from_fn(|lane| order(half, lane)));
        }
        found
    }
}

/// Positions of both bytes of a word, one in each byte of the lower half.
#[inline(always)]
fn bytes_of(word: u32) -> u32 {
    (word.wrapping_mul(0x0202).wrapping_add(0x0100)) & 0xffff
}
