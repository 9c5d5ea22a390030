//! The memory of an image: rows with channels innermost, or one plane for each channel.

use std::mem::take;

use ndarray::ArrayViewMut3;

use crate::{Error, ImageViewMut, Result, Size};

/// Rows of an image in memory, all of them or some.
#[derive(Debug)]
pub struct Strip<'a, O> {
    /// The rows, or those of each channel.
    planes: Vec<&'a mut [O]>,
    pub(super) size: Size,
    pub(super) channels: usize,
    pub(super) channels_first: bool,
}

impl<'a, O> Strip<'a, O> {
    /// All rows of an image; `None` when `values` are not as many as it has.
    #[must_use]
    pub fn new(values: &'a mut [O], size: Size, channels: usize, channels_first: bool) -> Option<Self> {
        if values.len() != size.pixels() * channels {
            return None;
        }
        let planes = if channels_first {
            values.chunks_exact_mut(size.pixels().max(1)).collect()
        } else {
            vec![values]
        };
        Some(Self { planes, size, channels, channels_first })
    }

    /// Height and width.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The rows before `y` and those from it on.
    #[must_use]
    pub fn split_at(mut self, y: usize) -> (Self, Self) {
        let above = y.min(self.size.h);
        let values = above * self.per_line();
        let mut planes = Vec::with_capacity(self.planes.len());
        for plane in &mut self.planes {
            let (first, rest) = take(plane).split_at_mut(values);
            planes.push(first);
            *plane = rest;
        }
        self.size.h -= above;
        (Self { planes, size: Size { h: above, ..self.size }, ..self }, self)
    }

    /// A view of the image, whose channels are innermost.
    ///
    /// # Errors
    /// [`Error::LengthDiffers`] when they are not.
    pub fn into_image(mut self) -> Result<ImageViewMut<'a, O>> {
        let Size { h, w } = self.size;
        let values = self.planes.pop().filter(|_| !self.channels_first);
        values
            .and_then(|values| ArrayViewMut3::from_shape((h, w, self.channels), values).ok())
            .and_then(ImageViewMut::new)
            .ok_or(Error::LengthDiffers { expected: h * w * self.channels, found: 0 })
    }

    /// Values of a row, all channels.
    pub(super) fn per_row(&self) -> usize {
        self.size.w * self.channels
    }

    /// Row `y` of one plane.
    pub(super) fn row_mut(&mut self, plane: usize, y: usize) -> &mut [O] {
        let per_line = self.per_line();
        &mut self.planes[plane][y * per_line..][..per_line]
    }

    /// Values of a row that lie side by side.
    fn per_line(&self) -> usize {
        if self.channels_first { self.size.w } else { self.per_row() }
    }
}
