//! Compositing kernels for every processor.

use super::mix::BlendBytes;
use super::opacity_bits::OpacityBits;

/// Columns of a blur that are looked at together.
pub(crate) const WIDTH: usize = 16;

/// `WIDTH` sums of rows, an even number of them, one for each weight, as alpha, and which of them are all or some.
pub(crate) fn blur(rows: &[[i16; WIDTH]], weights: &[i16], out: &mut [u8; WIDTH], bits: &mut OpacityBits) {
    let mut sums = [0_i32; WIDTH];
    for (row, &weight) in rows.iter().zip(weights) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += weight as i32 * value as i32;
        }
    }
    *out = sums.map(|sum| level(sum as u32));
    *bits = OpacityBits::of(out);
}

/// Mixes the first pixels of a row, several at a time; says how many. None here: that is what is done with the rest.
pub(crate) fn blend<const C: usize>(_: &mut BlendBytes<'_>, _: &mut usize) {}

/// A sum of 1/2^24 as alpha, rounded to nearest.
pub(crate) fn level(sum: u32) -> u8 {
    ((sum * 255 + (1 << 23)) >> 24) as u8
}
