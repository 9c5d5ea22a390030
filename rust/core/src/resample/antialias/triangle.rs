//! Triangle filter along one axis: which input samples a resized sample is summed from, and their weights.

use std::ops::Range;

use crate::geometry::Axis;

/// Triangle filter of one axis, which widens when the axis shrinks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TriangleAxis {
    input: usize,
    scale: f64,
    support: f64,
}

impl TriangleAxis {
    pub(crate) fn new(axis: &Axis) -> Self {
        let scale = axis.input as f64 / axis.resized as f64;
        Self { input: axis.input, scale, support: scale.max(1.0) }
    }

    /// Number of taps that no resized sample exceeds.
    pub(crate) fn most_taps(&self) -> usize {
        (2 * self.support.ceil() as usize + 1).min(self.input)
    }

    fn center(&self, i: usize) -> f64 {
        (i as i64 as f64 + 0.5) * self.scale
    }

    /// Input samples of resized sample `i`.
    pub(crate) fn samples(&self, i: usize) -> Range<usize> {
        let center = self.center(i);
        let start = (center - self.support + 0.5).max(0.0) as i64 as usize;
        let end = (center + self.support + 0.5) as i64 as usize;
        start..end.min(self.input)
    }

    /// Writes the weights of [`TriangleAxis::samples`], which sum to 1.
    pub(crate) fn weights(&self, i: usize, weights: &mut Vec<f64>) {
        let center = self.center(i);
        let reciprocal = 1.0 / self.support;
        weights.clear();
        weights.extend(self.samples(i).map(|j| {
            let distance = (j as i64 as f64 - center + 0.5) * reciprocal;
            (1.0 - distance.abs()).max(0.0)
        }));
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        for weight in weights {
            *weight /= sum;
        }
    }
}

/// Bits after the binary point of [`byte_weight`].
pub(crate) const BYTE_WEIGHT_BITS: u32 = 22;

/// Weight in 1/2^22, rounded half up.
pub(crate) fn byte_weight(weight: f64) -> i32 {
    (0.5 + weight * f64::from(1 << BYTE_WEIGHT_BITS)) as i32
}
