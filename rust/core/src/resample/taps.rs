//! Taps of a resized sample along one axis: the input samples it is made of, and the weight of each.
#![expect(
    clippy::inline_always,
    reason = "AVX2 and AVX-512 functions compile these bodies once more, with their features"
)]

use std::ops::Range;

use crate::geometry::Axis;

/// Two neighbouring taps: sample `first`, a whole number not yet clamped to the input, and, by `share`, the one after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Between<F> {
    pub(crate) first: f64,
    pub(crate) share: F,
}

/// Positions of resized samples between two input samples. Nothing here has a branch or a conversion that compilers do
/// not vectorise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearTaps {
    scale: f64,
    last: f64,
}

impl LinearTaps {
    pub(crate) fn new(axis: &Axis) -> Self {
        // Not `input / resized`: the reciprocal of the scale is what OpenCV computes, and it differs in the
        // last bit.
        let scale = 1.0 / (axis.resized as f64 / axis.input as f64);
        Self { scale, last: (axis.input - 1) as f64 }
    }

    #[inline(always)]
    fn position(self, i: i32) -> f64 {
        (f64::from(i) + 0.5) * self.scale - 0.5
    }

    /// The position as OpenCV has it for bytes: rounded to float32 before it is split.
    #[inline(always)]
    pub(crate) fn single(self, i: i32) -> Between<f32> {
        let position = self.position(i) as f32;
        let first = floor(position.into());
        Between { first, share: position - first as f32 }
    }

    /// The position in float64.
    #[inline(always)]
    pub(crate) fn double(self, i: i32) -> Between<f64> {
        let position = self.position(i);
        let first = floor(position);
        Between { first, share: position - first }
    }

    /// Beyond the outermost samples there is one tap: the outermost sample.
    #[inline(always)]
    pub(crate) fn clamp<F: Default>(self, taps: Between<F>) -> Between<F> {
        let outside = (taps.first < 0.0) | (taps.first >= self.last);
        Between { first: self.inside(taps.first), share: if outside { F::default() } else { taps.share } }
    }

    /// The two input samples from `first` on, or the one that both are when moved to the nearest there is.
    pub(crate) fn samples(self, first: f64) -> Range<usize> {
        number(self.inside(first)) as usize..number(self.inside(first + 1.0)) as usize + 1
    }

    #[inline(always)]
    fn inside(self, sample: f64) -> f64 {
        let sample = if sample < 0.0 { 0.0 } else { sample };
        if sample > self.last { self.last } else { sample }
    }
}

/// With this added a float64 of less than 2^51 has no fraction bits: it is rounded, and its low bits are the integer.
const WHOLE: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn floor(x: f64) -> f64 {
    let nearest = (x + WHOLE) - WHOLE;
    nearest - if nearest > x { 1.0 } else { 0.0 }
}

/// The number of a sample, less than 2^32.
#[inline(always)]
pub(crate) fn number(sample: f64) -> u32 {
    (sample + WHOLE).to_bits() as u32
}

/// Weights of the two taps in 1/2048, rounded to nearest, halves to even.
#[inline(always)]
pub(crate) fn fixed_weights(share: f32) -> [i16; 2] {
    [round_to_even((1.0 - share) * 2048.0), round_to_even(share * 2048.0)]
}

/// Weights of the two taps in float32.
#[inline(always)]
pub(crate) fn float_weights(share: f64) -> [f32; 2] {
    [(1.0 - share) as f32, share as f32]
}

/// Integer nearest to a number from 0 to 2048, halves to even. With 2^23 added a float32 has no fraction bits: it is
/// rounded, and its low bits are the integer.
#[inline(always)]
fn round_to_even(x: f32) -> i16 {
    (x + 8_388_608.0).to_bits() as i16
}

/// The triangle filter, widened when an axis shrinks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Triangle {
    input: usize,
    scale: f64,
    support: f64,
}

impl Triangle {
    pub(crate) fn new(axis: &Axis) -> Self {
        let scale = axis.input as f64 / axis.resized as f64;
        Self { input: axis.input, scale, support: scale.max(1.0) }
    }

    /// No resized sample has more taps than this.
    pub(crate) fn most_taps(&self) -> usize {
        (2 * self.support.ceil() as usize + 1).min(self.input)
    }

    fn center(&self, i: usize) -> f64 {
        (i as i64 as f64 + 0.5) * self.scale
    }

    /// The input samples of resized sample `i`.
    pub(crate) fn samples(&self, i: usize) -> Range<usize> {
        let center = self.center(i);
        let start = (center - self.support + 0.5).max(0.0) as i64 as usize;
        let end = (center + self.support + 0.5) as i64 as usize;
        start..end.min(self.input)
    }

    /// Writes the weights of [`Triangle::samples`], which sum to 1.
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

/// A weight in 1/2^22, rounded half up.
pub(crate) fn byte_weight(weight: f64) -> i32 {
    (0.5 + weight * f64::from(1 << BYTE_WEIGHT_BITS)) as i32
}
