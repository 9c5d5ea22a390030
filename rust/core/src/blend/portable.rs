//! Kernels of blurring and mixing for every processor.

use super::mix::BlendBytes;
use super::opacity_bits::OpacityBits;

/// Pixels of a block: columns of a row that are blurred together.
pub(crate) const WIDTH: usize = 16;

/// Blurs a block down its columns: weighted sums of `rows`, an even number of them, each with one weight, in 1/4096
/// both, become alpha in `out` and its opacity in `bits`.
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

/// Mixes the first pixels of a row, several at a time, and counts them in `done`. None here: the caller mixes the rest.
pub(crate) fn blend<const C: usize>(_: &mut BlendBytes<'_>, _: &mut usize) {}

/// Alpha, 0 to 255, of a sum in 1/2^24, rounded to nearest.
pub(crate) fn level(sum: u32) -> u8 {
    ((sum * 255 + (1 << 23)) >> 24) as u8
}
