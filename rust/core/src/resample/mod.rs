//! Resampling an image onto the canvas: one row at a time, and of a row only what is asked for.

pub(crate) mod antialias;
pub(crate) mod fill;
pub(crate) mod linear;
pub(crate) mod mirror;
mod nearest;
mod pieces;
pub(crate) mod separable;
#[cfg(target_arch = "x86_64")]
mod tails;
mod taps;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::error::Result;
use crate::geometry::Placement;
use crate::simd::Level;
use crate::view::{ImageView, ImageViewMut};

use nearest::Nearest;
use separable::{Passes, Separable, Window};

/// How a resized pixel is computed from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The nearest input pixel.
    Nearest,
    /// Bilinear, two taps on each axis: bytes as OpenCV's `INTER_LINEAR`.
    Linear,
    /// Bilinear, widened where an axis shrinks: bytes as Pillow's `BILINEAR`.
    Antialias,
}

impl Filter {
    /// The filter that the options of a transform mean for one placement: there is antialiasing only where an
    /// axis shrinks, and then both axes have it.
    #[must_use]
    pub fn choose(interpolation_nearest: bool, antialias: bool, placement: &Placement) -> Self {
        let Placement { input, resized, .. } = placement;
        if interpolation_nearest {
            Self::Nearest
        } else if antialias && (resized.h < input.h || resized.w < input.w) {
            Self::Antialias
        } else {
            Self::Linear
        }
    }
}

mod sealed {
    use super::{Passes, antialias, linear};

    pub trait Kernels: Sized {
        type Linear: linear::LinearFilter<Self>;
        type Antialias: Passes<Self>;
        /// Whether a weight of 1 gives back every value: float32 loses the sign of zero.
        const KEEPS_SIGN: bool;
    }

    impl Kernels for u8 {
        type Linear = linear::LinearBytes;
        type Antialias = antialias::AntialiasBytes;
        const KEEPS_SIGN: bool = true;
    }

    impl Kernels for u16 {
        type Linear = linear::LinearFloats<Self>;
        type Antialias = antialias::AntialiasFloats;
        const KEEPS_SIGN: bool = true;
    }

    impl Kernels for f32 {
        type Linear = linear::LinearFloats<Self>;
        type Antialias = antialias::AntialiasFloats;
        const KEEPS_SIGN: bool = false;
    }
}

/// A type of image values: `u8`, `u16` or `f32`.
pub trait Pixel: sealed::Kernels + crate::blend::Blend + bytemuck::Pod + Default + Send + Sync {}

impl Pixel for u8 {}
impl Pixel for u16 {}
impl Pixel for f32 {}

/// Resamples one image onto canvas rows, one row at a time, inside a window of the canvas.
pub struct Resampler<'a, T: Pixel> {
    rows: Range<usize>,
    columns: Range<usize>,
    engine: Engine<'a, T>,
}

enum Engine<'a, T: Pixel> {
    /// The image does not reach the window.
    Nothing,
    Nearest(Nearest<'a, T>),
    Linear(Separable<'a, T, T::Linear>),
    Antialias(Separable<'a, T, T::Antialias>),
}

impl<'a, T: Pixel> Resampler<'a, T> {
    /// Makes ready for any row of the window, which is cut down to where the image lands.
    ///
    /// Time and memory follow the window and what it needs of the image, whatever the resized size is.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(
        image: ImageView<'a, T>,
        placement: &Placement,
        filter: Filter,
        window_rows: Range<usize>,
        window_columns: Range<usize>,
    ) -> Result<Self> {
        Self::with_level(Level::detect(), image, placement, filter, window_rows, window_columns)
    }

    /// Makes a resampler that uses the instructions of `level`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn with_level(
        level: Level,
        image: ImageView<'a, T>,
        placement: &Placement,
        filter: Filter,
        window_rows: Range<usize>,
        window_columns: Range<usize>,
    ) -> Result<Self> {
        Self::build(level, image, placement, filter, [window_rows, window_columns], false)
    }

    /// `whole`: only to be placed at once.
    fn build(
        level: Level,
        image: ImageView<'a, T>,
        placement: &Placement,
        filter: Filter,
        [window_rows, window_columns]: [Range<usize>; 2],
        whole: bool,
    ) -> Result<Self> {
        debug_assert_eq!(image.size(), placement.input);
        let rows = common(&placement.rows().landing(), &window_rows);
        let columns = common(&placement.columns().landing(), &window_columns);
        let window =
            Window { placement: *placement, columns: columns.clone(), channels: image.channels(), level };
        let unchanged = placement.input == placement.resized && T::KEEPS_SIGN;
        let engine = match filter {
            _ if rows.is_empty() || columns.is_empty() => Engine::Nothing,
            _ if unchanged => Engine::Nearest(Nearest::new(image, &window)?),
            Filter::Nearest => Engine::Nearest(Nearest::new(image, &window)?),
            Filter::Linear if whole => Engine::Linear(Separable::of_whole(image, &window)?),
            Filter::Linear => Engine::Linear(Separable::new(image, &window)?),
            Filter::Antialias => Engine::Antialias(Separable::new(image, &window)?),
        };
        Ok(Self { rows, columns, engine })
    }

    /// Canvas rows of the window where the image lands.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Canvas columns of the window where the image lands.
    #[must_use]
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// Resamples canvas row `y`, one of [`Resampler::rows`], inside the given spans.
    ///
    /// `spans` are ranges `(start, end)` of canvas columns within [`Resampler::columns`], ascending and
    /// disjoint. `out` is the whole canvas row; what lies outside the spans stays as it is. Rows may come in
    /// any order; ascending order is cheapest.
    pub fn row(&mut self, y: usize, spans: &[(u32, u32)], out: &mut [T]) {
        match &mut self.engine {
            Engine::Nothing => {}
            Engine::Nearest(engine) => engine.row(y, spans, out),
            Engine::Linear(engine) => engine.row(y, spans, out),
            Engine::Antialias(engine) => engine.row(y, spans, out),
        }
    }

    /// Resamples every row of the window onto the canvas `out`.
    fn place(mut self, out: &mut ImageViewMut<'_, T>) -> Result<()> {
        if let Engine::Linear(mut engine) = self.engine {
            return engine.place(self.rows, &self.columns, out);
        }
        let span = [(self.columns.start as u32, self.columns.end as u32)];
        for y in self.rows() {
            self.row(y, &span, out.row_mut(y));
        }
        Ok(())
    }
}

/// Intersection of two ranges.
pub(crate) fn common(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

/// Places one image on the canvas `out`, with `fill`, one value for each channel, where it does not reach.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn place_image<T: Pixel>(
    image: ImageView<'_, T>,
    placement: &Placement,
    filter: Filter,
    fill: &[T],
    out: &mut ImageViewMut<'_, T>,
) -> Result<()> {
    place_image_with_level(Level::detect(), image, placement, filter, fill, out)
}

/// Places an image with the instructions of `level`.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn place_image_with_level<T: Pixel>(
    level: Level,
    image: ImageView<'_, T>,
    placement: &Placement,
    filter: Filter,
    fill: &[T],
    out: &mut ImageViewMut<'_, T>,
) -> Result<()> {
    debug_assert_eq!(out.size(), placement.canvas);
    let canvas = placement.canvas;
    let channels = fill.len();
    let resampler = Resampler::build(level, image, placement, filter, [0..canvas.h, 0..canvas.w], true)?;
    let (rows, columns) = (resampler.rows(), resampler.columns());
    resampler.place(out)?;
    let covered = if columns.is_empty() { 0..0 } else { rows };
    if covered == (0..canvas.h) && columns == (0..canvas.w) {
        return Ok(());
    }
    let blank = fill::Fill::new(fill);
    for y in 0..canvas.h {
        let row = out.row_mut(y);
        if covered.contains(&y) {
            let (start, end) = (columns.start * channels, columns.end * channels);
            blank.fill(&mut row[..start]);
            blank.fill(&mut row[end..]);
        } else {
            blank.fill(row);
        }
    }
    Ok(())
}
