//! Integer geometry of flip, resize, crop and pad: where one image lands on the canvas.

use std::ops::Range;

/// Height and width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Height in pixels.
    pub h: usize,
    /// Width in pixels.
    pub w: usize,
}

impl Size {
    /// Number of pixels.
    #[must_use]
    pub fn pixels(self) -> usize {
        self.h * self.w
    }
}

/// One axis of a placement: `input` samples become `resized`, of which those that land on the canvas stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Number of input samples, 1 to 2^31 - 1.
    pub input: usize,
    /// Number of resized samples, 1 to 2^31 - 1.
    pub resized: usize,
    /// Canvas position of resized sample 0.
    pub offset: i64,
    /// Number of canvas samples.
    pub canvas: usize,
    /// Whether the input runs backwards.
    pub flip: bool,
}

/// First resized sample i with `((2i + 1) * input) / (2 * resized) >= k`, the first one that the nearest rule takes from
/// input sample `k` or a later one: quotient and remainder of a division. `k` is at most `input`.
pub(crate) fn first_resized(input: usize, resized: usize, k: usize) -> (u64, u64) {
    let scaled = 2 * resized as u64 * k as u64 + input as u64 - 1;
    let divisor = 2 * input as u64;
    (scaled / divisor, scaled % divisor)
}

impl Axis {
    /// Canvas positions that get a resized sample; empty when the image lies wholly off the canvas.
    #[must_use]
    pub fn landing(&self) -> Range<usize> {
        let canvas = self.canvas as i64;
        let start = self.offset.clamp(0, canvas);
        let end = (self.offset + self.resized as i64).clamp(start, canvas);
        start as usize..end as usize
    }

    /// Resized sample that lands on canvas position `position`, which must lie in [`Axis::landing`].
    #[must_use]
    pub fn resized_at(&self, position: usize) -> usize {
        (position as i64 - self.offset) as usize
    }

    /// Input sample of resized sample `i` by the nearest rule: `((2i + 1) * input) / (2 * resized)`, then
    /// counted from the other end when flipped.
    #[must_use]
    pub fn nearest(&self, i: usize) -> usize {
        let k = ((2 * i as u64 + 1) * self.input as u64 / (2 * self.resized as u64)) as usize;
        if self.flip { self.input - 1 - k } else { k }
    }
}

/// Place of one image on the canvas: flipped, resized, then cropped (negative offset) or padded (positive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Size of the image or mask.
    pub input: Size,
    /// Size after resizing.
    pub resized: Size,
    /// Canvas row of the resized image's top-left corner.
    pub offset_y: i64,
    /// Canvas column of the resized image's top-left corner.
    pub offset_x: i64,
    /// Size of the canvas.
    pub canvas: Size,
    /// Whether the input is mirrored left to right first.
    pub hflip: bool,
}

impl Placement {
    /// The vertical axis.
    #[must_use]
    pub fn rows(&self) -> Axis {
        Axis {
            input: self.input.h,
            resized: self.resized.h,
            offset: self.offset_y,
            canvas: self.canvas.h,
            flip: false,
        }
    }

    /// Whether the canvas cuts anything off.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        [self.rows(), self.columns()]
            .iter()
            .any(|axis| axis.offset < 0 || axis.offset + axis.resized as i64 > axis.canvas as i64)
    }

    /// Placement moved as little as gives the image a pixel of the canvas, where it lies wholly beside it.
    ///
    /// What continues its outermost pixels over the canvas stays the same.
    #[must_use]
    pub fn onto_canvas(&self) -> Self {
        let moved = |axis: Axis| axis.offset.max(1 - axis.resized as i64).min(axis.canvas as i64 - 1);
        Self { offset_y: moved(self.rows()), offset_x: moved(self.columns()), ..*self }
    }

    /// The horizontal axis.
    #[must_use]
    pub fn columns(&self) -> Axis {
        Axis {
            input: self.input.w,
            resized: self.resized.w,
            offset: self.offset_x,
            canvas: self.canvas.w,
            flip: self.hflip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_resized_samples_are_those_of_the_nearest_rule() {
        for input in 1..12 {
            for resized in 1..40 {
                let axis = Axis { input, resized, offset: 0, canvas: resized, flip: false };
                for k in 0..=input {
                    let first = (0..resized).find(|&i| axis.nearest(i) >= k).unwrap_or(resized);
                    assert_eq!(first_resized(input, resized, k).0, first as u64, "{axis:?} {k}");
                }
            }
        }
        let most = (1 << 31) - 1;
        assert_eq!(first_resized(most, most, most).0, most as u64);
    }
}
