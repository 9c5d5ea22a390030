//! Antialiasing kernels for every processor.

use std::ops::Range;

use super::bytes::{AntialiasByteTables, ByteRowWeights, GROUP, SPLIT, SplitWeights, TapLookup};
use super::floats::AntialiasFloatTables;
use super::triangle::BYTE_WEIGHT_BITS;
use crate::resample::float::FloatPixel;
use crate::resample::separable::IntermediateRows;

/// Number that a sum starts from, so that shifting it down rounds to nearest.
pub(super) const HALF: i32 = 1 << (BYTE_WEIGHT_BITS - 1);

#[inline(always)]
fn byte(sum: i32) -> u8 {
    (sum >> BYTE_WEIGHT_BITS).clamp(0, 255) as u8
}

#[inline(always)]
fn joined([high, low]: [i16; 2]) -> i32 {
    ((high as i32) << SPLIT) + low as i32
}

fn weights_of(groups: &[SplitWeights]) -> impl Iterator<Item = i32> {
    groups.iter().flat_map(|group| (0..GROUP).map(|k| joined([group[k], group[GROUP + k]])))
}

/// Sums of weighted taps, rounded, for each of some lines. `C` is the channel count, or 0 for any.
pub(super) fn horizontal_u8<const N: usize, const C: usize>(
    lines: [&[u8]; N],
    AntialiasByteTables { table, lookup }: &AntialiasByteTables,
    pixels: Range<usize>,
    out: [&mut [u8]; N],
) {
    match lookup {
        TapLookup::Groups(weights) => {
            let groups = table.padded_taps(GROUP) / GROUP;
            let weights = &weights[pixels.start * groups..pixels.end * groups];
            for (line, out) in lines.into_iter().zip(out) {
                horizontal_u8_line::<C>(line, &table.start[pixels.clone()], weights, table.channels, out);
            }
        }
        #[cfg(target_arch = "x86_64")]
        _ => {} // for other instructions
    }
}

/// Not inlined into functions for AVX2, where compilers choose slow 32-bit products for it.
#[inline(never)]
fn horizontal_u8_line<const C: usize>(
    line: &[u8],
    start: &[u32],
    weights: &[SplitWeights],
    channels: usize,
    out: &mut [u8],
) {
    let channels = if C == 0 { channels } else { C };
    let groups = weights.len() / start.len();
    let taps = groups * GROUP;
    let pixels = start.iter().zip(weights.chunks_exact(groups));
    for (out, (&start, weights)) in out.chunks_exact_mut(channels).zip(pixels) {
        let line = &line[start as usize..][..taps * channels];
        // Four channels at a time; where there are no more, once.
        for first in (0..channels).step_by(4) {
            let lanes = (channels - first).min(4);
            let mut sums = [HALF; 4];
            for (pixel, weight) in line.chunks_exact(channels).zip(weights_of(weights)) {
                for (sum, &p) in sums.iter_mut().zip(&pixel[first..first + lanes]) {
                    *sum += weight * p as i32;
                }
            }
            for (out, &sum) in out[first..first + lanes].iter_mut().zip(&sums) {
                *out = byte(sum);
            }
        }
    }
}

/// Sums of weighted rows, rounded.
pub(super) fn vertical_u8(rows: IntermediateRows<'_, u8>, weights: &ByteRowWeights, out: &mut [u8]) {
    const WIDTH: usize = 16;
    for (block, out) in out.chunks_mut(WIDTH).enumerate() {
        let mut sums = [HALF; WIDTH];
        for (k, &parts) in weights.parts.iter().enumerate() {
            let weight = joined(parts);
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
pub(super) fn horizontal_float<const N: usize, const C: usize>(
    lines: [&[f32]; N],
    tables: &AntialiasFloatTables,
    pixels: Range<usize>,
    out: [&mut [f32]; N],
) {
    for (line, out) in lines.into_iter().zip(out) {
        horizontal_float_line::<C>(line, tables, pixels.clone(), out);
    }
}

fn horizontal_float_line<const C: usize>(
    line: &[f32],
    tables: &AntialiasFloatTables,
    pixels: Range<usize>,
    out: &mut [f32],
) {
    let AntialiasFloatTables { table, taps, flip, .. } = tables;
    let (channels, taps) = (if C == 0 { table.channels } else { C }, *taps);
    let weights = tables.weights_of(&pixels).chunks_exact(taps);
    for (out, (&start, weights)) in
        out.chunks_exact_mut(channels).zip(table.start[pixels].iter().zip(weights))
    {
        let line = &line[start as usize..][..taps * channels];
        let tap = |k: usize| channels * if *flip { taps - 1 - k } else { k };
        // Four channels at a time; where there are no more, once.
        for first in (0..channels).step_by(4) {
            let lanes = (channels - first).min(4);
            let mut sums = [0.0; 4];
            for (k, &weight) in weights.iter().enumerate() {
                for (sum, &p) in sums.iter_mut().zip(&line[tap(k) + first..][..lanes]) {
                    *sum += weight * p;
                }
            }
            out[first..first + lanes].copy_from_slice(&sums[..lanes]);
        }
    }
}

/// Sums of weighted rows, each from +0.0 on, in ascending order.
pub(super) fn vertical_float<T: FloatPixel>(rows: IntermediateRows<'_, f32>, weights: &[f32], out: &mut [T]) {
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
