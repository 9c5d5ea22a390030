//! Where the rows and columns of an image begin on the canvas.

use std::ops::Range;

use super::lone::Rows;
use crate::geometry::{Axis, first_resized};

/// Where the samples of an input axis, unflipped, begin on the canvas.
pub(super) struct Edges {
    input: u64,
    resized: u64,
    offset: i64,
    /// The canvas samples that are reached.
    landing: Range<usize>,
    /// The input samples that these show.
    pub(super) visible: Range<usize>,
}

impl Edges {
    /// Of an axis with a sample that lands.
    pub(super) fn new(axis: Axis) -> Self {
        let (axis, landing) = (Axis { flip: false, ..axis }, axis.landing());
        let shown = |position| axis.nearest(axis.resized_at(position));
        Self {
            input: axis.input as u64,
            resized: axis.resized as u64,
            offset: axis.offset,
            visible: shown(landing.start)..shown(landing.end - 1) + 1,
            landing,
        }
    }

    /// Where input sample `k` begins, moved into what lands.
    pub(super) fn at(&self, k: u32) -> u32 {
        let position =
            first_resized(self.input as usize, self.resized as usize, k as usize).0 as i64 + self.offset;
        position.clamp(self.landing.start as i64, self.landing.end as i64) as u32
    }

    /// The same as floating-point numbers give it, where they do exactly.
    ///
    /// With half of the smallest step added, the number to be rounded down is at least `1 / (4 * input)` away from an
    /// integer; what rounding adds up to is less than `resized / 2^51`.
    pub(super) fn in_floats(&self) -> Option<Rows> {
        const MOST: i64 = 1 << 30;
        let exact = self.resized.checked_mul(self.input)? < 1 << 48;
        let small = [self.input as i64, self.resized as i64, self.offset.abs(), self.landing.end as i64];
        if !exact || small.iter().any(|&value| value >= MOST) {
            return None;
        }
        Some(Rows {
            factor: self.resized as f64 / self.input as f64,
            shift: (self.input as f64 - 0.5) / (2 * self.input) as f64,
            offset: self.offset as i32,
            landing: [self.landing.start as i32, self.landing.end as i32],
        })
    }

    /// Where each input sample begins, times `scale`, and how many canvas samples it becomes; and where the last ends.
    pub(super) fn table_with_counts(&self, scale: u32) -> Vec<[u32; 2]> {
        let edges = self.table();
        let mut table = Vec::with_capacity(edges.len());
        table.extend(edges.windows(2).map(|pair| [pair[0] * scale, pair[1] - pair[0]]));
        table.extend(edges.last().map(|last| [last * scale, 0]));
        table
    }

    /// Where each input sample begins, and the last ends. As [`Edges::at`], by one division.
    pub(super) fn table(&self) -> Vec<u32> {
        let samples = self.input as usize + 1;
        let mut table = Vec::with_capacity(samples);
        table.resize(self.visible.start + 1, self.landing.start as u32);
        let inner = self.visible.start + 1..self.visible.end;
        let (first, mut rest) = first_resized(self.input as usize, self.resized as usize, inner.start);
        // Before and behind the inner samples these may wrap; they are not used there.
        let mut position = (first as i64 + self.offset) as u32;
        if self.resized == self.input {
            table.extend(position..position + inner.len() as u32);
            table.resize(samples, self.landing.end as u32);
            return table;
        }
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
        table.resize(samples, self.landing.end as u32);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::tests::Random;

    /// As the kernels compute it.
    fn in_floats(rows: &Rows, k: u32) -> u32 {
        let position = (k as f64 * rows.factor + rows.shift) as i32 + rows.offset;
        position.max(rows.landing[0]).min(rows.landing[1]) as u32
    }

    #[test]
    fn floats_and_tables_give_the_same_edges() {
        let mut random = Random(22);
        let mut exact = 0;
        for _ in 0..3000 {
            let mut side = || {
                let most = [4, 50, 700, 1 << 18, (1 << 30) - 2][random.below(5)];
                1 + random.below(most)
            };
            let (input, resized, canvas) = (side(), side(), side());
            let offset = random.below(resized + canvas) as i64 - resized as i64;
            let axis = Axis { input, resized, offset, canvas, flip: false };
            if axis.landing().is_empty() {
                continue;
            }
            let edges = Edges::new(axis);
            let Some(rows) = edges.in_floats() else { continue };
            exact += 1;
            let some = (0..200).map(|_| random.below(input + 1)).chain([0, 1, input / 2, input - 1, input]);
            for k in some.map(|k| k as u32) {
                assert_eq!(in_floats(&rows, k), edges.at(k), "{axis:?} {k}");
            }
            if input < 1000 {
                let table: Vec<u32> = (0..=input as u32).map(|k| in_floats(&rows, k)).collect();
                assert_eq!(edges.table(), table, "{axis:?}");
            }
        }
        assert!(exact > 1000, "{exact}");
    }
}
