//! Linear kernels for every processor, in a shape that compilers vectorise.

use std::ops::Range;

use super::bytes::{ByteLookup, LinearByteTables};
use super::floats::LinearFloatTables;
use crate::error::Result;
use crate::resample::float::FloatPixel;
use crate::resample::separable::CanvasWindow;

/// Tables of the horizontal pass over bytes.
#[inline(always)]
pub(super) fn tables_u8(window: &CanvasWindow) -> Result<LinearByteTables> {
    LinearByteTables::new(window)
}

/// `out = (w0 * p0 + w1 * p1) >> 4`, for each of some lines.
pub(super) fn horizontal_u8<const N: usize>(
    lines: [&[u8]; N],
    LinearByteTables { table, lookup }: &LinearByteTables,
    pixels: Range<usize>,
    out: [&mut [i16]; N],
) {
    match lookup {
        ByteLookup::Weights(weights) => {
            let values = pixels.start * table.channels..pixels.end * table.channels;
            let weights = weights.each_ref().map(|weights| &weights[values.clone()]);
            for (line, out) in lines.into_iter().zip(out) {
                horizontal_u8_line(line, &table.start[pixels.clone()], weights, table.channels, out);
            }
        }
        #[cfg(target_arch = "x86_64")]
        _ => {} // for other instructions
    }
}

fn horizontal_u8_line(line: &[u8], start: &[u32], weights: [&[i16]; 2], channels: usize, out: &mut [i16]) {
    match channels {
        1 => horizontal_u8_few::<1>(line, start, weights, out),
        2 => horizontal_u8_few::<2>(line, start, weights, out),
        3 => horizontal_u8_few::<3>(line, start, weights, out),
        4 => horizontal_u8_few::<4>(line, start, weights, out),
        _ => {
            let [w0, w1] = weights.map(|weights| weights.chunks_exact(channels));
            for (((out, &start), w0), w1) in out.chunks_exact_mut(channels).zip(start).zip(w0).zip(w1) {
                let (p0, p1) = line[start as usize..][..2 * channels].split_at(channels);
                mix([p0, p1], [w0, w1], out);
            }
        }
    }
}

fn horizontal_u8_few<const C: usize>(line: &[u8], start: &[u32], weights: [&[i16]; 2], out: &mut [i16]) {
    const PIXELS: usize = 64;
    // Both taps of many pixels side by side first, so that the arithmetic is one flat loop.
    let mut p0 = [[0; C]; PIXELS];
    let mut p1 = [[0; C]; PIXELS];
    for (number, (starts, out)) in start.chunks(PIXELS).zip(out.chunks_mut(PIXELS * C)).enumerate() {
        for ((p0, p1), &start) in p0.iter_mut().zip(&mut p1).zip(starts) {
            let pixels = &line[start as usize..][..2 * C];
            p0.copy_from_slice(&pixels[..C]);
            p1.copy_from_slice(&pixels[C..]);
        }
        let weights = weights.map(|weights| &weights[number * PIXELS * C..][..starts.len() * C]);
        mix([p0.as_flattened(), p1.as_flattened()], weights, out);
    }
}

#[inline(never)]
fn mix(p: [&[u8]; 2], w: [&[i16]; 2], out: &mut [i16]) {
    for ((((out, &p0), &p1), &w0), &w1) in out.iter_mut().zip(p[0]).zip(p[1]).zip(w[0]).zip(w[1]) {
        *out = ((w0 as i32 * p0 as i32 + w1 as i32 * p1 as i32) >> 4) as i16;
    }
}

/// `out = ((w0 * h0 >> 16) + (w1 * h1 >> 16) + 2) >> 2`.
#[inline(always)]
pub(super) fn vertical_u8(rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
    const WIDTH: usize = 16;
    // As arrays the weights stay 16 bits wide, and the products one instruction that keeps the high half.
    let [w0, w1] = weights.map(|weight| [weight; WIDTH]);
    let blend = |w0: i16, w1: i16, h0: i16, h1: i16| {
        let high = |w: i16, h: i16| ((w as i32 * h as i32) >> 16) as i16;
        ((high(w0, h0) + high(w1, h1) + 2) >> 2) as u8
    };
    let [(h0, rest0), (h1, rest1)] = rows.map(|row| row[..out.len()].as_chunks::<WIDTH>());
    let (blocks, rest) = out.as_chunks_mut::<WIDTH>();
    for ((out, h0), h1) in blocks.iter_mut().zip(h0).zip(h1) {
        for i in 0..WIDTH {
            out[i] = blend(w0[i], w1[i], h0[i], h1[i]);
        }
    }
    for ((out, &h0), &h1) in rest.iter_mut().zip(rest0).zip(rest1) {
        *out = blend(weights[0], weights[1], h0, h1);
    }
}

/// Tables of the horizontal pass over floats.
#[inline(always)]
pub(super) fn tables_float<T: FloatPixel>(window: &CanvasWindow) -> Result<LinearFloatTables> {
    LinearFloatTables::new::<T>(window)
}

/// `out = w0 * p0 + w1 * p1`, for each of some lines. The sign of a zero is settled by the vertical pass. `C` is the
/// channel count, or 0 for any.
pub(super) fn horizontal_float<const N: usize, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    LinearFloatTables { table, .. }: &LinearFloatTables,
    pixels: Range<usize>,
    out: [&mut [f32]; N],
) {
    let (start, weights) = (&table.start[pixels.clone()], &table.weights[pixels]);
    for (line, out) in lines.into_iter().zip(out) {
        horizontal_float_line::<C, T>(line, start, weights, table.channels, out);
    }
}

/// A function of its own, so that compilers know what overlaps.
#[inline(never)]
fn horizontal_float_line<const C: usize, T: FloatPixel>(
    line: &[T],
    start: &[u32],
    weights: &[[f32; 2]],
    channels: usize,
    out: &mut [f32],
) {
    let channels = if C == 0 { channels } else { C };
    for ((out, &start), &[w0, w1]) in out.chunks_exact_mut(channels).zip(start).zip(weights) {
        let (p0, p1) = line[start as usize..][..2 * channels].split_at(channels);
        for c in 0..channels {
            out[c] = w0 * p0[c].to_f32() + w1 * p1[c].to_f32();
        }
    }
}

/// Kernel of a level that has none: only AVX2 does both passes at once.
pub(super) fn fused_float<const N: usize, const M: usize, const STEPS: u32, const C: usize, T: FloatPixel>(
    _lines: [&[T]; N],
    _tables: &LinearFloatTables,
    _pixels: Range<usize>,
    _weights: [[f32; 2]; M],
    _out: [&mut [[T; 8]]; M],
) {
}

/// `out = w0 * h0 + w1 * h1`, summed from +0.0.
#[inline(always)]
pub(super) fn vertical_float<T: FloatPixel>(rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
    let [w0, w1] = weights;
    for ((out, &h0), &h1) in out.iter_mut().zip(rows[0]).zip(rows[1]) {
        *out = T::from_sum(0.0 + w0 * h0 + w1 * h1);
    }
}
