//! Mixing two images by a weight for each pixel.

use crate::view::{ImageView, ImageViewMut};

/// Values that can be mixed.
pub trait Blend: Copy {
    /// `(source * alpha + target * (255 - alpha)) / 255`, rounded to nearest. 0 gives the target, 255 the
    /// source, and mixing equal values changes nothing.
    #[must_use]
    fn mixed(source: Self, target: Self, alpha: u8) -> Self;
}

impl Blend for u8 {
    #[inline]
    fn mixed(source: Self, target: Self, alpha: u8) -> Self {
        let sum = source as u16 * alpha as u16 + target as u16 * (255 - alpha) as u16 + 128;
        // Division by 255, exact for every sum there can be.
        ((sum + (sum >> 8)) >> 8) as u8
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

/// Mixes `source` into `target`, both of as many pixels as there are weights.
pub fn blend_row<T: Blend>(source: &[T], alpha: &[u8], channels: usize, target: &mut [T]) {
    match channels {
        1 => blend_few::<1, T>(source, alpha, target),
        3 => blend_few::<3, T>(source, alpha, target),
        4 => blend_few::<4, T>(source, alpha, target),
        _ => {
            let pixels = source.chunks_exact(channels).zip(target.chunks_exact_mut(channels));
            for ((source, target), &alpha) in pixels.zip(alpha) {
                for (&source, target) in source.iter().zip(target) {
                    *target = T::mixed(source, *target, alpha);
                }
            }
        }
    }
}

fn blend_few<const C: usize, T: Blend>(source: &[T], alpha: &[u8], target: &mut [T]) {
    const PIXELS: usize = 64;
    // One weight for each value first, so that the arithmetic is one flat loop.
    let mut weights = [[0; C]; PIXELS];
    let blocks = source.chunks(PIXELS * C).zip(target.chunks_mut(PIXELS * C));
    for ((source, target), alpha) in blocks.zip(alpha.chunks(PIXELS)) {
        for (weights, &alpha) in weights.iter_mut().zip(alpha) {
            *weights = [alpha; C];
        }
        for ((&source, target), &alpha) in source.iter().zip(target).zip(weights.as_flattened()) {
            *target = T::mixed(source, *target, alpha);
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
    for y in 0..out.size().h {
        let row = out.row_mut(y);
        row.copy_from_slice(target.row(y));
        blend_row(source.row(y), alpha.row(y), source.channels(), row);
    }
}
