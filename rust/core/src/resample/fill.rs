//! Pixels where no image lands.

/// Values of a block: a multiple of the usual numbers of channels, and some registers long. Rows are too short for a
/// call of `memcpy` each to pay.
const BLOCK: usize = 96;

/// Pixel to repeat.
pub(crate) struct Fill<'a, T> {
    pixel: &'a [T],
    /// The pixel as often as it fits, where it fits without a rest.
    block: Option<[T; BLOCK]>,
}

impl<'a, T: Copy> Fill<'a, T> {
    /// Fill from one value for each channel.
    pub(crate) fn new(pixel: &'a [T]) -> Self {
        let fits = !pixel.is_empty() && BLOCK.is_multiple_of(pixel.len());
        let block = fits.then(|| std::array::from_fn(|i| pixel[i % pixel.len()]));
        Self { pixel, block }
    }

    /// Fills whole pixels.
    pub(crate) fn fill(&self, pixels: &mut [T]) {
        let Some(block) = self.block else {
            for pixel in pixels.chunks_exact_mut(self.pixel.len().max(1)) {
                pixel.copy_from_slice(self.pixel);
            }
            return;
        };
        let (blocks, rest) = pixels.as_chunks_mut::<BLOCK>();
        for pixels in blocks {
            *pixels = block;
        }
        rest.copy_from_slice(&block[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_the_pixel() {
        for channels in [1, 2, 3, 4, 5, 7, 100] {
            let pixel: Vec<u16> = (0..channels).collect();
            for count in [0, 1, 2, 31, 32, 33, 200] {
                let mut pixels = vec![999; count * pixel.len()];
                Fill::new(&pixel).fill(&mut pixels);
                assert_eq!(pixels, pixel.repeat(count));
            }
        }
    }
}
