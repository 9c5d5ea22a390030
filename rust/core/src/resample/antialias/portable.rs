//! Antialiasing kernels for every processor.
#![expect(
    clippy::inline_always,
    reason = "AVX2 functions compile these bodies once more, with their features"
)]

use super::bytes::RowWeights;
use super::{AntialiasByteColumns, AntialiasFloatColumns, GROUP, Group, SPLIT};
use crate::resample::linear::FloatPixel;
use crate::resample::separable::Rows;
use crate::resample::taps::BYTE_WEIGHT_BITS;

/// Start of a sum, so that shifting it down rounds to nearest.
pub(crate) const HALF: i32 = 1 << (BYTE_WEIGHT_BITS - 1);

#[inline(always)]
fn byte(sum: i32) -> u8 {
    (sum >> BYTE_WEIGHT_BITS).clamp(0, 255) as u8
}

#[inline(always)]
fn joined([high, low]: [i16; 2]) -> i32 {
    ((high as i32) << SPLIT) + low as i32
}

fn weights_of(groups: &[Group]) -> impl Iterator<Item = i32> {
    groups.iter().flat_map(|group| (0..GROUP).map(|k| joined([group[k], group[GROUP + k]])))
}

pub(crate) fn columns_u8<const N: usize, const C: usize>(
    lines: [&[u8]; N],
    columns: AntialiasByteColumns<'_>,
    out: [&mut [u8]; N],
) {
    for (line, out) in lines.into_iter().zip(out) {
        columns_u8_line::<C>(line, columns, out);
    }
}

/// Not inlined into functions for AVX2, where compilers choose slow 32-bit products for it.
#[inline(never)]
fn columns_u8_line<const C: usize>(line: &[u8], columns: AntialiasByteColumns<'_>, out: &mut [u8]) {
    let channels = if C == 0 { columns.channels } else { C };
    let taps = columns.groups() * GROUP;
    let pixels = columns.start.iter().zip(columns.weights.chunks_exact(columns.groups()));
    for (out, (&start, weights)) in out.chunks_exact_mut(channels).zip(pixels) {
        let line = &line[start as usize..][..taps * channels];
        if C == 0 {
            for (c, out) in out.iter_mut().enumerate() {
                let levels = line[c..].iter().step_by(channels);
                let sum = levels.zip(weights_of(weights)).fold(HALF, |sum, (&p, w)| sum + w * p as i32);
                *out = byte(sum);
            }
        } else {
            let mut sums = [HALF; C];
            for (pixel, weight) in line.chunks_exact(C).zip(weights_of(weights)) {
                for c in 0..C {
                    sums[c] += weight * pixel[c] as i32;
                }
            }
            for c in 0..C {
                out[c] = byte(sums[c]);
            }
        }
    }
}

pub(crate) fn rows_u8(rows: Rows<'_, u8>, weights: RowWeights<'_>, out: &mut [u8]) {
    const WIDTH: usize = 16;
    for (block, out) in out.chunks_mut(WIDTH).enumerate() {
        let mut sums = [HALF; WIDTH];
        for (k, &weight) in weights.parts.iter().enumerate() {
            let weight = joined(weight);
            for (sum, &p) in sums.iter_mut().zip(rows.get(k, block * WIDTH, out.len())) {
                *sum += weight * p as i32;
            }
        }
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = byte(sum);
        }
    }
}

/// Sums of weighted taps, each from +0.0 on, in the order of the flipped input. `C` is the channel count, or 0 for any.
pub(crate) fn horizontal_float<const N: usize, const C: usize>(
    lines: [&[f32]; N],
    columns: AntialiasFloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    for (line, out) in lines.into_iter().zip(out) {
        horizontal_float_line::<C>(line, columns, out);
    }
}

fn horizontal_float_line<const C: usize>(line: &[f32], columns: AntialiasFloatColumns<'_>, out: &mut [f32]) {
    let channels = if C == 0 { columns.channels } else { C };
    // Four lanes for three channels: the next pixel overwrites the fourth.
    let lanes = if C == 3 { 4 } else { channels };
    let taps = columns.taps;
    for (i, (&start, weights)) in columns.start.iter().zip(columns.weights.chunks_exact(taps)).enumerate() {
        let line = &line[start as usize..][..taps * channels + lanes - channels];
        let out = &mut out[i * channels..][..lanes];
        let tap = |k: usize| channels * if columns.flip { taps - 1 - k } else { k };
        if C == 0 {
            out.fill(0.0);
            for (k, &weight) in weights.iter().enumerate() {
                for (out, &p) in out.iter_mut().zip(&line[tap(k)..]) {
                    *out += weight * p;
                }
            }
        } else {
            let mut sums = [0.0; 4];
            for (k, &weight) in weights.iter().enumerate() {
                let pixel = &line[tap(k)..][..lanes];
                for c in 0..lanes {
                    sums[c] += weight * pixel[c];
                }
            }
            out.copy_from_slice(&sums[..lanes]);
        }
    }
}

/// Sums of weighted rows, each from +0.0 on, in ascending order.
pub(crate) fn vertical_float<T: FloatPixel>(rows: Rows<'_, f32>, weights: &[f32], out: &mut [T]) {
    const WIDTH: usize = 32;
    for (block, out) in out.chunks_mut(WIDTH).enumerate() {
        let mut sums = [0.0; WIDTH];
        for (k, &weight) in weights.iter().enumerate() {
            let row = rows.get(k, block * WIDTH, WIDTH);
            for (sum, &p) in sums.iter_mut().zip(row) {
                *sum += weight * p;
            }
        }
        let values = sums.map(|sum| T::from_sum(sum));
        out.copy_from_slice(&values[..out.len()]);
    }
}
