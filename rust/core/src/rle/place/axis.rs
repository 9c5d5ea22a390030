//! Starts of the rows and columns of an image on the canvas.

use std::ops::Range;

use crate::Result;
use crate::geometry::{Axis, first_resized};
use crate::memory::reserve;

/// First canvas position of each input sample along one axis, the input not mirrored, by the nearest rule.
///
/// Positions are clamped to those where the image lands, so that samples off the canvas become ranges without length.
pub(super) struct AxisMap {
    input: u64,
    resized: u64,
    offset: i64,
    /// Canvas positions where the image lands.
    pub(super) landing: Range<usize>,
    /// Input samples that show there.
    pub(super) visible: Range<usize>,
    /// Positions of all samples, and, last, the end of the last one; empty where they are computed one by one.
    table: Vec<u32>,
}

impl AxisMap {
    /// Map of an axis; none when no sample lands.
    pub(super) fn new(axis: Axis) -> Option<Self> {
        let (axis, landing) = (Axis { flip: false, ..axis }, axis.landing());
        let shown = |position| axis.nearest(axis.resized_at(position));
        (!landing.is_empty()).then(|| Self {
            input: axis.input as u64,
            resized: axis.resized as u64,
            offset: axis.offset,
            visible: shown(landing.start)..shown(landing.end - 1) + 1,
            landing,
            table: Vec::new(),
        })
    }

    /// First canvas position of sample `k`, which may be the number of samples.
    pub(super) fn at(&self, k: u32) -> u32 {
        self.table.get(k as usize).copied().unwrap_or_else(|| {
            let (first, _) = first_resized(self.input as usize, self.resized as usize, k as usize);
            let position = first as i64 + self.offset;
            position.clamp(self.landing.start as i64, self.landing.end as i64) as u32
        })
    }

    /// First canvas positions of all samples, and the end of the last; empty before [`Self::tabulate`].
    pub(super) fn table(&self) -> &[u32] {
        &self.table
    }

    /// Computes all positions, by one division.
    pub(super) fn tabulate(&mut self) -> Result<()> {
        let samples = self.input as usize + 1;
        let mut table = reserve(samples)?;
        table.resize(self.visible.start + 1, self.landing.start as u32);
        let inner = self.visible.start + 1..self.visible.end;
        let (first, mut rest) = first_resized(self.input as usize, self.resized as usize, inner.start);
        // Before and behind the inner samples these may wrap; they are not used there.
        let mut position = (first as i64 + self.offset) as u32;
        if self.resized == self.input {
            table.extend(position..position + inner.len() as u32);
        } else {
            let step = (self.resized / self.input) as u32;
            let step_rest = 2 * (self.resized % self.input);
            table.extend(inner.map(|_| {
                let here = position;
                rest += step_rest;
                let carry = rest >= 2 * self.input;
                rest -= if carry { 2 * self.input } else { 0 };
                position = position.wrapping_add(step).wrapping_add(u32::from(carry));
                here
            }));
        }
        table.resize(samples, self.landing.end as u32);
        self.table = table;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn tables_have_what_is_computed() {
        let mut random = Random(22);
        let mut compared = 0;
        for _ in 0..3000 {
            let mut side = || {
                let most = [4, 50, 700, 1 << 12][random.below(4)];
                1 + random.below(most)
            };
            let (input, resized, canvas) = (side(), side(), side());
            let offset = random.below(resized + canvas) as i64 - resized as i64;
            let axis = Axis { input, resized, offset, canvas, flip: false };
            let Some(mut map) = AxisMap::new(axis) else { continue };
            let computed: Vec<u32> = (0..=input as u32).map(|k| map.at(k)).collect();
            map.tabulate().unwrap();
            assert_eq!(map.table(), computed, "{axis:?}");
            compared += 1;
        }
        assert!(compared > 1000, "{compared}");
    }
}
