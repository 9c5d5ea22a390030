//! Steps of eight taps in each of four lanes, and where AVX2 shuffles find them: for bytes of one and two channels.

use std::ops::Range;
use std::slice::ChunksExact;

use super::bytes::{GROUP, SplitWeights};
use super::table::AntialiasTable;
use crate::error::Result;
use crate::memory::filled;

/// Eight taps in each of four lanes, found among sixteen bytes of the line: two taps of four values, or four taps of
/// two.
///
/// The halves of the arrays belong to lanes 0 and 2, and to lanes 1 and 3: packing, which takes turns, leaves the values
/// in order.
/// ```text
/// shuffle[0], two taps of 16 values    taps 0 1 of value 0 | of 1 | of 2 | of 3  ||  of  8 |  9 | 10 | 11
/// shuffle[1]                           taps 0 1 of value 4 | of 5 | of 6 | of 7  ||  of 12 | 13 | 14 | 15
/// shuffle[0], four taps of 8 values    taps 0 1 2 3 of value 0 | of value 1      ||  of value 4 | of value 5
/// shuffle[1]                           taps 0 1 2 3 of value 2 | of value 3      ||  of value 6 | of value 7
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TapStep {
    /// First byte of each lane.
    pub(super) start: [u32; 4],
    /// Positions of the taps in their lane, each followed by a zero byte.
    pub(super) shuffle: [[i8; 32]; 2],
    /// High and low parts of their weights.
    pub(super) high: [[i16; 16]; 2],
    pub(super) low: [[i16; 16]; 2],
}

/// Steps of all values of a window.
#[derive(Debug)]
pub(super) struct TapSteps {
    all: Vec<TapStep>,
    /// Number of values that have their steps together, 16 or 8.
    pub(super) values: usize,
    /// Number of these steps.
    count: usize,
}

impl TapSteps {
    /// Steps of a window, or none where the taps of a lane lie too far apart.
    pub(super) fn new(table: &AntialiasTable, weights: &[SplitWeights]) -> Result<Option<Self>> {
        let values = table.start.len() * table.channels;
        let (two, four) = (table.most_taps.div_ceil(2), table.most_taps.div_ceil(4));
        let mut all = filled((values / 16).saturating_mul(two))?;
        if fill::<4>(&mut all, table, weights, two) {
            return Ok(Some(Self { all, values: 16, count: two }));
        }
        all = filled((values / 8).saturating_mul(four))?;
        let found = fill::<2>(&mut all, table, weights, four);
        Ok(found.then_some(Self { all, values: 8, count: four }))
    }

    /// Steps of some values, whose numbers are multiples of sixteen, a block of values at a time.
    pub(super) fn part(&self, values: Range<usize>) -> ChunksExact<'_, TapStep> {
        let Self { all, values: together, count } = self;
        all[values.start / together * count..values.end / together * count].chunks_exact(*count)
    }
}

/// Fills all steps, of which `count` belong together; says whether every lane finds the taps of `VALUES` values.
fn fill<const VALUES: usize>(
    steps: &mut [TapStep],
    table: &AntialiasTable,
    weights: &[SplitWeights],
    count: usize,
) -> bool {
    let (channels, groups, taps) = (table.channels, table.most_taps.div_ceil(GROUP), 8 / VALUES);
    for (number, step) in steps.iter_mut().enumerate() {
        let (block, tap) = (number / count, number % count * taps);
        for lane in 0..4 {
            let values = (block * 4 + lane) * VALUES..(block * 4 + lane + 1) * VALUES;
            let byte =
                |value: usize| table.start[value / channels] as usize + value % channels + tap * channels;
            let first = values.clone().map(byte).fold(usize::MAX, usize::min);
            step.start[lane] = first as u32;
            let (half, at) = (lane % 2, lane / 2 * 8);
            for (k, value) in values.enumerate() {
                let byte = byte(value) - first;
                if byte + (taps - 1) * channels >= 16 {
                    return false;
                }
                let (high, low) = weights[value / channels * groups + tap / GROUP].split_at(GROUP);
                for t in 0..taps {
                    let word = at + k * taps + t;
                    step.shuffle[half][2 * word..][..2].copy_from_slice(&[(byte + t * channels) as i8, -1]);
                    step.high[half][word] = high[tap % GROUP + t];
                    step.low[half][word] = low[tap % GROUP + t];
                }
            }
        }
    }
    true
}
