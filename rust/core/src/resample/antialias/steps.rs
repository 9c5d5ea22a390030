//! Columns of byte kernels in steps, as shuffles find their taps.

use std::ops::Range;

use super::{GROUP, Group};
use crate::error::Result;
use crate::memory::filled;

/// Eight taps in each of four lanes, found among sixteen bytes of the line: two taps of four values, or four
/// taps of two.
///
/// The halves of the arrays belong to lanes 0, 2 and 1, 3, so that packing leaves the values in order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) start: [u32; 4],
    /// Numbers of the bytes that are the taps, each followed by a zero byte.
    pub(crate) shuffle: [[i8; 32]; 2],
    pub(crate) high: [[i16; 16]; 2],
    pub(crate) low: [[i16; 16]; 2],
}

/// The steps of all values, or none where they do not find their taps.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    all: Vec<Step>,
    /// How many values have their steps together, 16 or 8, and how many steps these are.
    values: usize,
    count: usize,
}

/// Consecutive steps, borrowed.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only AVX2 shuffles"))]
pub(crate) struct SomeSteps<'a> {
    pub(crate) steps: &'a [Step],
    pub(crate) values: usize,
    pub(crate) count: usize,
}

impl Steps {
    pub(crate) fn new(start: &[u32], weights: &[Group], pairs: usize, channels: usize) -> Result<Self> {
        let (values, groups) = (start.len() * channels, pairs.div_ceil(2));
        for (together, count) in [(4, pairs), (2, groups)] {
            let mut steps = filled((values / (4 * together)).saturating_mul(count))?;
            let found = match together {
                4 => fill::<4>(&mut steps, start, weights, count, channels, groups),
                _ => fill::<2>(&mut steps, start, weights, count, channels, groups),
            };
            if found {
                return Ok(Self { all: steps, values: 4 * together, count });
            }
        }
        Ok(Self::default())
    }

    pub(crate) fn part(&self, values: Range<usize>) -> SomeSteps<'_> {
        let number = |value: usize| value.checked_div(self.values).map_or(0, |number| number * self.count);
        let steps = self.all.get(number(values.start)..number(values.end)).unwrap_or_default();
        SomeSteps { steps, values: self.values, count: self.count }
    }
}

/// Whether every lane finds the taps of `VALUES` values.
fn fill<const VALUES: usize>(
    steps: &mut [Step],
    start: &[u32],
    weights: &[Group],
    count: usize,
    channels: usize,
    groups: usize,
) -> bool {
    let taps = 8 / VALUES;
    for (number, step) in steps.iter_mut().enumerate() {
        let (block, tap) = (number / count, number % count * taps);
        for lane in 0..4 {
            let values = (block * 4 + lane) * VALUES..(block * 4 + lane + 1) * VALUES;
            let byte = |value: usize| start[value / channels] as usize + value % channels + tap * channels;
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
