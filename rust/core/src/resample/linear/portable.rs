//! Bilinear kernels for every processor, in a shape that compilers vectorise.
#![expect(
    clippy::inline_always,
    reason = "AVX2 functions compile these bodies once more, with their features"
)]

use super::{
    Columns, FloatPixel, FloatTables, LinearByteColumns, LinearFloatColumns, LinearTable, bytes, floats,
};
use crate::error::Result;
use crate::resample::separable::Window;

/// `out = (w0 * p0 + w1 * p1) >> 4`, for each of some lines.
pub(crate) fn columns_u8<const N: usize>(
    lines: [&[u8]; N],
    columns: LinearByteColumns<'_>,
    out: [&mut [i16]; N],
) {
    for (line, out) in lines.into_iter().zip(out) {
        columns_u8_line(line, columns, out);
    }
}

fn columns_u8_line(line: &[u8], columns: LinearByteColumns<'_>, out: &mut [i16]) {
    match columns.channels {
        1 => columns_u8_few::<1>(line, columns, out),
        2 => columns_u8_few::<2>(line, columns, out),
        3 => columns_u8_few::<3>(line, columns, out),
        4 => columns_u8_few::<4>(line, columns, out),
        channels => {
            let weights = columns.weights.map(|weights| weights.chunks_exact(channels));
            let [w0, w1] = weights;
            let outs = out.chunks_exact_mut(channels);
            for (((out, &start), w0), w1) in outs.zip(columns.start).zip(w0).zip(w1) {
                let (p0, p1) = line[start as usize..][..2 * channels].split_at(channels);
                mix([p0, p1], [w0, w1], out);
            }
        }
    }
}

fn columns_u8_few<const C: usize>(line: &[u8], columns: LinearByteColumns<'_>, out: &mut [i16]) {
    const PIXELS: usize = 64;
    // Both taps of many pixels side by side first, so that the arithmetic is one flat loop.
    let mut p0 = [[0; C]; PIXELS];
    let mut p1 = [[0; C]; PIXELS];
    for (number, (starts, out)) in columns.start.chunks(PIXELS).zip(out.chunks_mut(PIXELS * C)).enumerate() {
        for ((p0, p1), &start) in p0.iter_mut().zip(&mut p1).zip(starts) {
            let pixels = &line[start as usize..][..2 * C];
            p0.copy_from_slice(&pixels[..C]);
            p1.copy_from_slice(&pixels[C..]);
        }
        let weights = columns.weights.map(|weights| &weights[number * PIXELS * C..][..starts.len() * C]);
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
pub(crate) fn rows_u8(rows: [&[i16]; 2], weights: [i16; 2], out: &mut [u8]) {
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

/// `out = w0 * p0 + w1 * p1`, for each of some lines. What the sign of a zero is matters only in the second
/// pass. `C` is the channel count, or 0 for any.
pub(crate) fn horizontal_float<const N: usize, const C: usize, T: FloatPixel>(
    lines: [&[T]; N],
    columns: LinearFloatColumns<'_>,
    out: [&mut [f32]; N],
) {
    for (line, out) in lines.into_iter().zip(out) {
        horizontal_float_line::<C, T>(line, columns, out);
    }
}

/// A function of its own, so that compilers know what overlaps.
#[inline(never)]
fn horizontal_float_line<const C: usize, T: FloatPixel>(
    line: &[T],
    columns: LinearFloatColumns<'_>,
    out: &mut [f32],
) {
    let channels = if C == 0 { columns.channels } else { C };
    let pixels = out.chunks_exact_mut(channels).zip(columns.start).zip(columns.weights);
    for ((out, &start), &[w0, w1]) in pixels {
        let (p0, p1) = line[start as usize..][..2 * channels].split_at(channels);
        for c in 0..channels {
            out[c] = w0 * p0[c].to_f32() + w1 * p1[c].to_f32();
        }
    }
}

/// Kernel of a level that has none: does nothing.
pub(crate) fn fused_float<const N: usize, const M: usize, const STEPS: u32, const C: usize, T: FloatPixel>(
    _lines: [&[T]; N],
    _columns: LinearFloatColumns<'_>,
    _weights: [[f32; 2]; M],
    _out: [&mut [[T; 8]]; M],
) {
}

/// `out = w0 * h0 + w1 * h1`, summed from +0.0.
#[inline(always)]
pub(crate) fn vertical_float<T: FloatPixel>(rows: [&[f32]; 2], weights: [f32; 2], out: &mut [T]) {
    let [w0, w1] = weights;
    for ((out, &h0), &h1) in out.iter_mut().zip(rows[0]).zip(rows[1]) {
        *out = T::from_sum(0.0 + w0 * h0 + w1 * h1);
    }
}

/// Tables of the first pass over bytes.
#[inline(always)]
pub(crate) fn tables_u8(window: &Window) -> Result<(LinearTable<i16>, Columns)> {
    bytes::tables(window)
}

/// Tables of the first pass over `uint16` and `float32`.
#[inline(always)]
pub(crate) fn tables_float<T: FloatPixel>(window: &Window) -> Result<FloatTables> {
    floats::tables::<T>(window)
}
