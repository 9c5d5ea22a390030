//! Pixels where no image lands.

use std::ops::Range;

/// Kind of the canvas pixels that no image reaches.
#[derive(Clone, Copy, Debug)]
pub enum Border<'a, T> {
    /// One value for each channel.
    Fill(&'a [T]),
    /// The nearest pixel of the resized image: its outermost ones go on.
    Edge,
}

impl<'a, T: Copy> Border<'a, T> {
    /// Fill where there is one; None for an edge.
    pub(crate) fn fill(&self) -> Option<Fill<'a, T>> {
        match self {
            Self::Fill(pixel) => Some(Fill::new(pixel)),
            Self::Edge => None,
        }
    }
}

/// Continues the outermost pixels of `landing`, of which there are some, over the pixels of `span` beside it.
pub(crate) fn continue_row<T: Copy>(
    row: &mut [T],
    channels: usize,
    landing: &Range<usize>,
    span: &Range<usize>,
) {
    let (left, image) = row.split_at_mut(landing.start * channels);
    if span.start < landing.start {
        let end = span.end.min(landing.start);
        Fill::new(&image[..channels]).fill(&mut left[span.start * channels..end * channels]);
    }
    let (image, right) = image.split_at_mut(landing.len() * channels);
    if span.end > landing.end {
        let (start, end) = (span.start.max(landing.end) - landing.end, span.end - landing.end);
        Fill::new(&image[image.len() - channels..]).fill(&mut right[start * channels..end * channels]);
    }
}

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
    fn a_row_goes_on_beside_the_image() {
        let row = |text: &str| text.bytes().collect::<Vec<_>>();
        for (span, expected) in
            [(0..8, "aaaabccc"), (1..7, ".aaabcc."), (5..7, "..aabcc."), (0..2, "aaaabc..")]
        {
            let mut pixels = row("..aabc..");
            continue_row(&mut pixels, 1, &(2..6), &span);
            assert_eq!(pixels, row(expected));
        }
        let mut pixels = row("....abcd..");
        continue_row(&mut pixels, 2, &(2..4), &(0..5));
        assert_eq!(pixels, row("ababab").into_iter().chain(row("cdcd")).collect::<Vec<_>>());
    }

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
