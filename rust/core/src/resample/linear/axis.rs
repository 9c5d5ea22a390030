//! Positions and weights of the two taps of a resized sample along one axis.

use std::ops::Range;

use crate::geometry::Axis;

/// Two neighbouring taps: sample `first`, a whole number not yet clamped to the input, and, by `share`, the one after
/// it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TapPair<F> {
    pub(crate) first: f64,
    pub(crate) share: F,
}

/// Positions of resized samples between two input samples. Nothing here has a branch or a conversion that compilers do
/// not vectorise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearAxis {
    scale: f64,
    last: f64,
}

impl LinearAxis {
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

    /// Taps of resized sample `i` as OpenCV has them for bytes: the position is rounded to float32 before it is split.
    #[inline(always)]
    pub(crate) fn single(self, i: i32) -> TapPair<f32> {
        let position = self.position(i) as f32;
        let first = floor(position.into());
        TapPair { first, share: position - first as f32 }
    }

    /// Taps of resized sample `i` in float64.
    #[inline(always)]
    pub(crate) fn double(self, i: i32) -> TapPair<f64> {
        let position = self.position(i);
        let first = floor(position);
        TapPair { first, share: position - first }
    }

    /// Taps moved to the input: beyond the outermost samples there is one tap, the outermost sample.
    #[inline(always)]
    pub(crate) fn clamp<F: Default>(self, taps: TapPair<F>) -> TapPair<F> {
        let outside = (taps.first < 0.0) | (taps.first >= self.last);
        TapPair { first: self.inside(taps.first), share: if outside { F::default() } else { taps.share } }
    }

    /// Two input samples from `first` on, or the one that both are when moved to the nearest there is.
    pub(crate) fn samples(self, first: f64) -> Range<usize> {
        number(self.inside(first)) as usize..number(self.inside(first + 1.0)) as usize + 1
    }

    #[inline(always)]
    fn inside(self, sample: f64) -> f64 {
        let sample = if sample < 0.0 { 0.0 } else { sample };
        if sample > self.last { self.last } else { sample }
    }
}

/// Number that leaves a float64 of less than 2^51, when added to it, no fraction bits: it is rounded, and its low bits
/// are the integer.
const WHOLE: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn floor(x: f64) -> f64 {
    let nearest = (x + WHOLE) - WHOLE;
    nearest - if nearest > x { 1.0 } else { 0.0 }
}

/// Number of a sample, less than 2^32.
#[inline(always)]
pub(crate) fn number(sample: f64) -> u32 {
    (sample + WHOLE).to_bits() as u32
}

/// Weights of both taps in 1/2048, rounded to nearest, halves to even.
#[inline(always)]
pub(crate) fn fixed_weights(share: f32) -> [i16; 2] {
    [round_to_even((1.0 - share) * 2048.0), round_to_even(share * 2048.0)]
}

/// Weights of both taps in float32.
#[inline(always)]
pub(crate) fn float_weights(share: f64) -> [f32; 2] {
    [(1.0 - share) as f32, share as f32]
}

/// Number from 0 to 2048 as an integer. With 2^23 added a float32 has no fraction bits: it is rounded, halves to even,
/// and its low bits are the integer.
#[inline(always)]
fn round_to_even(x: f32) -> i16 {
    (x + 8_388_608.0).to_bits() as i16
}
