//! Images as rows of interleaved channels: shape and strides are checked once, here.

use ndarray::{ArrayView3, ArrayViewMut3, Axis};

use crate::Size;

/// A read-only image of shape `(height, width, channels)` whose every row is one contiguous slice.
///
/// Rows may lie apart (a crop of a larger image) and in any order (a vertically flipped view).
#[derive(Clone, Copy, Debug)]
pub struct ImageView<'a, T> {
    pixels: ArrayView3<'a, T>,
    /// Pixels of the whole image as one slice, where no row lies apart.
    dense: Option<&'a [T]>,
}

impl<'a, T> ImageView<'a, T> {
    /// The view, or `None` when a row is not contiguous: such an array must be copied first.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference already")]
    pub fn new(pixels: ArrayView3<'a, T>) -> Option<Self> {
        let rows_are_slices = pixels.is_empty() || pixels.index_axis(Axis(0), 0).to_slice().is_some();
        rows_are_slices.then_some(Self { pixels, dense: pixels.to_slice() })
    }

    /// Height and width.
    #[must_use]
    pub fn size(&self) -> Size {
        let (h, w, _) = self.pixels.dim();
        Size { h, w }
    }

    /// Number of channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.pixels.dim().2
    }

    /// Row `y`: `width * channels` values.
    #[must_use]
    pub fn row(&self, y: usize) -> &'a [T] {
        // `new` has seen that a row is a slice, so the fallback is never taken.
        self.pixels.index_axis_move(Axis(0), y).to_slice().unwrap_or(&[])
    }

    /// Row `y` and, behind it, what may be read: the rows below, unless rows lie apart.
    #[must_use]
    pub fn rows_from(&self, y: usize) -> &'a [T] {
        let (_, w, channels) = self.pixels.dim();
        self.dense.map_or_else(|| self.row(y), |all| &all[y * w * channels..])
    }
}

/// A writable image of shape `(height, width, channels)` in one contiguous buffer.
#[derive(Debug)]
pub struct ImageViewMut<'a, T> {
    pixels: &'a mut [T],
    size: Size,
    channels: usize,
}

impl<'a, T> ImageViewMut<'a, T> {
    /// The view, or `None` when the array is not C-contiguous.
    #[must_use]
    pub fn new(pixels: ArrayViewMut3<'a, T>) -> Option<Self> {
        let (h, w, channels) = pixels.dim();
        let pixels = pixels.into_slice()?;
        Some(Self { pixels, size: Size { h, w }, channels })
    }

    /// Height and width.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Number of channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Row `y`: `width * channels` values.
    #[must_use]
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        let row = self.size.w * self.channels;
        &mut self.pixels[y * row..(y + 1) * row]
    }

    /// Copies row `from` to row `to`.
    pub(crate) fn copy_row(&mut self, from: usize, to: usize)
    where
        T: Copy,
    {
        let row = self.size.w * self.channels;
        self.pixels.copy_within(from * row..(from + 1) * row, to * row);
    }

    /// `n` rows from row `y` on.
    pub fn rows_mut(&mut self, y: usize, n: usize) -> impl Iterator<Item = &mut [T]> {
        let row = self.size.w * self.channels;
        self.pixels[y * row..(y + n) * row].chunks_exact_mut(row)
    }

    /// Row `y` and, behind it, the rows below.
    #[must_use]
    pub fn rows_from_mut(&mut self, y: usize) -> &mut [T] {
        &mut self.pixels[y * self.size.w * self.channels..]
    }
}
