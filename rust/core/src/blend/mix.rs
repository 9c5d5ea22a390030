//! Mixing of two images by a weight for each pixel, 0 to 255.

use super::dispatch;
use crate::simd::Level;
use crate::view::{ImageView, ImageViewMut};

/// Value of a pixel's channel that can be mixed with another.
pub trait Blend: Copy {
    /// Mixed value: `(source * alpha + target * (255 - alpha)) / 255`, rounded to nearest. 0 gives the target, 255 the
    /// source, and mixing equal values changes nothing.
    #[must_use]
    fn mixed(source: Self, target: Self, alpha: u8) -> Self;

    /// Mixes the first pixels, as many as there are vector instructions for; returns their number. See [`blend_row`].
    fn blend_blocks(
        _level: Level,
        _target: &[Self],
        _alpha: &[u8],
        _channels: usize,
        _source: &mut [Self],
        _pixels: usize,
    ) -> usize {
        0
    }
}

impl Blend for u8 {
    #[inline]
    fn mixed(source: Self, target: Self, alpha: u8) -> Self {
        let sum = source as u16 * alpha as u16 + target as u16 * (255 - alpha) as u16 + 128;
        // Division by 255, exact for every sum there can be.
        ((sum + (sum >> 8)) >> 8) as u8
    }

    fn blend_blocks(
        level: Level,
        target: &[u8],
        alpha: &[u8],
        channels: usize,
        source: &mut [u8],
        pixels: usize,
    ) -> usize {
        let mut done = 0;
        let mut row = BlendBytes { target, alpha, source, pixels };
        match channels {
            1 => dispatch::blend::<1>(level, &mut row, &mut done),
            3 => dispatch::blend::<3>(level, &mut row, &mut done),
            4 => dispatch::blend::<4>(level, &mut row, &mut done),
            _ => {}
        }
        done
    }
}

impl Blend for u16 {
    #[inline]
    fn mixed(source: Self, target: Self, alpha: u8) -> Self {
        // 255 is odd, so no quotient lies halfway between two integers.
        ((source as u32 * alpha as u32 + target as u32 * (255 - alpha) as u32 + 127) / 255) as u16
    }
}

impl Blend for f32 {
    #[inline]
    fn mixed(source: Self, target: Self, alpha: u8) -> Self {
        let sum = source as f64 * alpha as f64 + target as f64 * (255 - alpha) as f64;
        match alpha {
            0 => target,
            255 => source,
            _ => (sum / 255.0) as f32,
        }
    }
}

/// Rows of uint8 pixels that are mixed, channels interleaved, and one weight for each pixel.
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "only registers mix several at a time"))]
pub(crate) struct BlendBytes<'a> {
    pub(crate) target: &'a [u8],
    pub(crate) alpha: &'a [u8],
    /// Pixels that lie above, and that take the result.
    pub(crate) source: &'a mut [u8],
    /// Number of pixels that are mixed; more may stand behind them.
    pub(crate) pixels: usize,
}

/// Mixes the first `pixels` pixels of `target` into those of `source`, which lie over them, by one weight for each.
///
/// Pixels behind these stay as they are; where there are some, the last ones can be mixed in a full register too.
pub fn blend_row<T: Blend>(
    level: Level,
    target: &[T],
    alpha: &[u8],
    channels: usize,
    source: &mut [T],
    pixels: usize,
) {
    let done = T::blend_blocks(level, target, alpha, channels, source, pixels);
    let rest = done * channels..pixels * channels;
    blend_pixels(&target[rest.clone()], &alpha[done..pixels], channels, &mut source[rest]);
}

/// Mixes rows of pixels one after the other, without vector instructions.
fn blend_pixels<T: Blend>(target: &[T], alpha: &[u8], channels: usize, source: &mut [T]) {
    match channels {
        1 => blend_channels::<1, T>(target, alpha, source),
        3 => blend_channels::<3, T>(target, alpha, source),
        4 => blend_channels::<4, T>(target, alpha, source),
        _ => {
            let pixels = target.chunks_exact(channels).zip(source.chunks_exact_mut(channels));
            for ((target, source), &alpha) in pixels.zip(alpha) {
                for (&target, source) in target.iter().zip(source) {
                    *source = T::mixed(*source, target, alpha);
                }
            }
        }
    }
}

/// Mixes rows of pixels with `C` channels.
fn blend_channels<const C: usize, T: Blend>(target: &[T], alpha: &[u8], source: &mut [T]) {
    const PIXELS: usize = 64;
    // One weight for each value first, so that the arithmetic is one flat loop.
    let mut weights = [[0; C]; PIXELS];
    let blocks = target.chunks(PIXELS * C).zip(source.chunks_mut(PIXELS * C));
    for ((target, source), alpha) in blocks.zip(alpha.chunks(PIXELS)) {
        for (weights, &alpha) in weights.iter_mut().zip(alpha) {
            *weights = [alpha; C];
        }
        for ((&target, source), &alpha) in target.iter().zip(source).zip(weights.as_flattened()) {
            *source = T::mixed(*source, target, alpha);
        }
    }
}

/// Mixes `source` over `target` into `out`, by one weight for each pixel. All have the same size.
pub fn blend<T: Blend>(
    source: ImageView<'_, T>,
    target: ImageView<'_, T>,
    alpha: ImageView<'_, u8>,
    out: &mut ImageViewMut<'_, T>,
) {
    let level = Level::detect();
    for y in 0..out.size().h {
        let row = out.row_mut(y);
        row.copy_from_slice(source.row(y));
        blend_row(level, target.row(y), alpha.row(y), source.channels(), row, source.size().w);
    }
}
