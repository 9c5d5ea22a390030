//! Resampling of single canvas rows, and of spans of them.

use std::ops::Range;

use super::nearest::NearestResampler;
use super::separable::{CanvasWindow, SeparableResampler};
use super::{Filter, antialias, linear};
use crate::error::Result;
use crate::geometry::Placement;
use crate::simd::Level;
use crate::view::{ImageView, ImageViewMut};

mod sealed {
    use super::{antialias, linear};
    use crate::resample::separable::SeparableFilter;

    /// Filters of a pixel type.
    pub trait PixelFilters: Sized {
        type Linear: linear::LinearFilter<Self>;
        type Antialias: SeparableFilter<Self>;
        /// Whether a weight of 1 gives back every value: float32 loses the sign of zero.
        const KEEPS_SIGN: bool;
    }

    impl PixelFilters for u8 {
        type Linear = linear::LinearBytes;
        type Antialias = antialias::AntialiasBytes;
        const KEEPS_SIGN: bool = true;
    }

    impl PixelFilters for u16 {
        type Linear = linear::LinearFloats<Self>;
        type Antialias = antialias::AntialiasFloats;
        const KEEPS_SIGN: bool = true;
    }

    impl PixelFilters for f32 {
        type Linear = linear::LinearFloats<Self>;
        type Antialias = antialias::AntialiasFloats;
        const KEEPS_SIGN: bool = false;
    }
}

/// Type of image values: `u8`, `u16` or `f32`.
pub trait Pixel: sealed::PixelFilters + crate::blend::Blend + bytemuck::Pod + Default + Send + Sync {}

impl Pixel for u8 {}
impl Pixel for u16 {}
impl Pixel for f32 {}

/// Resampler of one image onto canvas rows, one row at a time, inside a window of the canvas.
pub struct Resampler<'a, T: Pixel> {
    rows: Range<usize>,
    columns: Range<usize>,
    engine: FilterEngine<'a, T>,
}

/// Filter of a resampler, with all it has looked up.
enum FilterEngine<'a, T: Pixel> {
    /// The image does not reach the window.
    Nothing,
    Nearest(NearestResampler<'a, T>),
    Linear(SeparableResampler<'a, T, T::Linear>),
    Antialias(SeparableResampler<'a, T, T::Antialias>),
}

impl<'a, T: Pixel> Resampler<'a, T> {
    /// Resampler ready for any row of the window, which is cut down to where the image lands.
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
        Self::build(Level::detect(), image, placement, filter, [window_rows, window_columns], false)
    }

    /// Resampler with the instructions of `level`; for [`Resampler::place`] alone where it is for a `whole` canvas.
    pub(super) fn build(
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
        let channels = image.channels();
        let window = CanvasWindow { placement: *placement, columns: columns.clone(), channels, level };
        let unchanged = placement.input == placement.resized && T::KEEPS_SIGN;
        let engine = match filter {
            _ if rows.is_empty() || columns.is_empty() => FilterEngine::Nothing,
            _ if unchanged => FilterEngine::Nearest(NearestResampler::new(image, &window)?),
            Filter::Nearest => FilterEngine::Nearest(NearestResampler::new(image, &window)?),
            Filter::Linear if whole => FilterEngine::Linear(SeparableResampler::of_whole(image, &window)?),
            Filter::Linear => FilterEngine::Linear(SeparableResampler::new(image, &window)?),
            Filter::Antialias => FilterEngine::Antialias(SeparableResampler::new(image, &window)?),
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
            FilterEngine::Nothing => {}
            FilterEngine::Nearest(engine) => engine.row(y, spans, out),
            FilterEngine::Linear(engine) => engine.row(y, spans, out),
            FilterEngine::Antialias(engine) => engine.row(y, spans, out),
        }
    }

    /// Resamples every row of the window onto the canvas `out`.
    pub(super) fn place(mut self, out: &mut ImageViewMut<'_, T>) -> Result<()> {
        if let FilterEngine::Linear(mut engine) = self.engine {
            return engine.place(self.rows, &self.columns, out);
        }
        let span = [(self.columns.start as u32, self.columns.end as u32)];
        for y in self.rows() {
            self.row(y, &span, out.row_mut(y));
        }
        Ok(())
    }
}

/// Range that two ranges have in common.
fn common(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}
