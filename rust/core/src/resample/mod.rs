//! Resampling: an image resized, cropped, padded and mirrored onto a canvas, row by row or at once.
//!
//! Imports go down this list only; `linear` and `antialias` do not know each other.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Filter`], [`place_image`]: a whole image onto a canvas |
//! | `resampler.rs` | [`Resampler`]: single rows, and spans of rows, for compositing; [`Pixel`] types and their filters |
//! | `nearest/` | nearest filter, and images that keep their size |
//! | `mirror/` | rows of pixels copied from right to left |
//! | `linear/` | bilinear filter of two taps on each axis, OpenCV's |
//! | `linear/whole.rs`, `linear/fused.rs` | whole images: a few output rows at a time; both passes at once |
//! | `linear/bytes.rs`, `linear/floats.rs` | linear filter of `uint8`; of `uint16` and `float32` |
//! | `linear/axis.rs`, `linear/table.rs` | positions and weights along an axis; those of all columns of a window |
//! | `linear/shuffles.rs`, `linear/permutations.rs`, `linear/groups.rs` | the same for kernels: bytes with AVX2, bytes with AVX-512, floats with AVX2 |
//! | `linear/avx2_quads.rs` | kernels for three channels of `uint16` or `float32` that shrink by more than half |
//! | `antialias/` | bilinear filter that widens as an axis shrinks, Pillow's |
//! | `antialias/bytes.rs`, `antialias/floats.rs` | antialiased filter of `uint8`; of `uint16` and `float32` |
//! | `antialias/triangle.rs`, `antialias/table.rs` | positions and weights along an axis; positions of all columns of a window |
//! | `antialias/steps.rs`, `antialias/digits.rs` | weights for kernels: bytes with AVX2, bytes with AVX-512 |
//! | `*/dispatch.rs` | kernels by instruction set, which are in `portable.rs`, `avx2*.rs`, `avx512.rs`, `vnni.rs` |
//! | `separable.rs` | horizontal pass, then vertical pass, of which rows are kept: the walk both bilinear filters share |
//! | `segments.rs` | which segments of a row have been resampled |
//! | `vectors.rs` | lines, tails and rounding, for kernels of x86-64 |
//! | `float.rs` | pixel types that are resampled in float32 |
//! | `fill.rs` | pixels where no image lands: a fill, or the image's outermost ones |

/// Calls a kernel for the number of channels, 0 for more than four: `for_channels!(dispatch, channels, name [types before]
/// [types after] (arguments))`.
macro_rules! for_channels {
    ($module:ident, $channels:expr, $name:ident [$($first:tt),*] [$($last:tt),*] $arguments:tt) => {
        match $channels {
            1 => $module::$name::<$($first,)* 1, $($last),*> $arguments,
            2 => $module::$name::<$($first,)* 2, $($last),*> $arguments,
            3 => $module::$name::<$($first,)* 3, $($last),*> $arguments,
            4 => $module::$name::<$($first,)* 4, $($last),*> $arguments,
            _ => $module::$name::<$($first,)* 0, $($last),*> $arguments,
        }
    };
}

mod antialias;
pub(crate) mod fill;
mod float;
mod linear;
mod mirror;
mod nearest;
mod resampler;
mod segments;
mod separable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vectors;

pub use fill::Border;
pub use resampler::{Pixel, Resampler};

use std::ops::Range;

use crate::error::Result;
use crate::geometry::{Placement, Size};
use crate::simd::Level;
use crate::view::{ImageView, ImageViewMut};

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
    /// Filter that the options of a transform mean for one placement: there is antialiasing only where an axis
    /// shrinks, and then both axes have it.
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

/// Places one image on the canvas `out`; `border` says what lies where it does not reach.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn place_image<T: Pixel>(
    image: ImageView<'_, T>,
    placement: &Placement,
    filter: Filter,
    border: Border<'_, T>,
    out: &mut ImageViewMut<'_, T>,
) -> Result<()> {
    place_image_with_level(Level::detect(), image, placement, filter, border, out)
}

/// Does as [`place_image`], with the instructions of `level`.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
pub fn place_image_with_level<T: Pixel>(
    level: Level,
    image: ImageView<'_, T>,
    placement: &Placement,
    filter: Filter,
    border: Border<'_, T>,
    out: &mut ImageViewMut<'_, T>,
) -> Result<()> {
    debug_assert_eq!(out.size(), placement.canvas);
    let canvas = placement.canvas;
    let channels = image.channels();
    let onto = if matches!(border, Border::Edge) { placement.onto_canvas() } else { *placement };
    let resampler = Resampler::build(level, image, &onto, filter, [0..canvas.h, 0..canvas.w], true)?;
    let (rows, columns) = (resampler.rows(), resampler.columns());
    resampler.place(out)?;
    let covered = if columns.is_empty() { 0..0 } else { rows };
    if covered == (0..canvas.h) && columns == (0..canvas.w) {
        return Ok(());
    }
    let Some(blank) = border.fill() else {
        continue_image(&covered, &columns, channels, out);
        return Ok(());
    };
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

/// Continues the outermost pixels of an image that covers some `rows` and `columns` over the rest of the canvas.
fn continue_image<T: Copy>(
    rows: &Range<usize>,
    columns: &Range<usize>,
    channels: usize,
    out: &mut ImageViewMut<'_, T>,
) {
    let Size { h, w } = out.size();
    for y in rows.clone() {
        fill::continue_row(out.row_mut(y), channels, columns, &(0..w));
    }
    for y in (0..h).filter(|y| !rows.is_empty() && !rows.contains(y)) {
        out.copy_row(y.clamp(rows.start, rows.end - 1), y);
    }
}
