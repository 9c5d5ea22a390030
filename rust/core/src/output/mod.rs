//! Output: canvas rows left as they are, or converted to the layout, dtype and scale that a model takes.
//!
//! Rows are converted while they are still in a near cache; the whole image is never gone over again.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod dispatch;
mod portable;
#[cfg(test)]
mod tests;

use half::f16;
use ndarray::{ArrayViewMut3, Axis};

use crate::memory::filled;
use crate::resample::Pixel;
use crate::simd::Level;
use crate::{Error, ImageView, Result, Size};

/// Scale and shift of one channel: a value becomes `value * scale + shift`, multiplied, then added, in float32.
pub type Linear = (f32, f32);

/// Type of output values that image values of type `T` are written as.
pub trait OutputPixel<T>: Copy + Default + Send + 'static {
    /// Writes the values of one channel, or, where `linear` has several pairs, of interleaved channels; without any,
    /// unscaled. `floats` is scratch memory as long as the values.
    fn write(values: &[T], linear: &Scale<'_>, floats: &mut [f32], out: &mut [Self]);
}

/// Scale and shift of values that lie side by side.
pub enum Scale<'a> {
    /// Values stay as they are.
    None,
    /// One pair for all values.
    One(Linear),
    /// One scale and one shift for each value.
    Each(&'a [f32], &'a [f32]),
}

macro_rules! written_unscaled {
    ($($pixel:ty),*) => {$(
        impl OutputPixel<$pixel> for $pixel {
            fn write(values: &[$pixel], _: &Scale<'_>, _: &mut [f32], out: &mut [Self]) {
                out.copy_from_slice(values);
            }
        }
    )*};
}

written_unscaled!(u8, u16);

impl<T: Pixel + Into<f32>> OutputPixel<T> for f32 {
    fn write(values: &[T], scale: &Scale<'_>, _: &mut [f32], out: &mut [Self]) {
        match *scale {
            Scale::One((scale, shift)) => dispatch::scale(Level::detect(), values, scale, shift, out),
            Scale::Each(scales, shifts) => dispatch::scale_each(Level::detect(), values, scales, shifts, out),
            Scale::None => out.iter_mut().zip(values).for_each(|(out, &value)| *out = value.into()),
        }
    }
}

impl<T: Pixel + Into<f32>> OutputPixel<T> for f16 {
    fn write(values: &[T], scale: &Scale<'_>, floats: &mut [f32], out: &mut [Self]) {
        let floats = &mut floats[..values.len()];
        f32::write(values, scale, &mut [], floats);
        dispatch::halve(Level::detect(), floats, out);
    }
}

/// Layout and scale of an output image.
#[derive(Clone, Debug, Default)]
pub struct OutputFormat {
    /// Whether all of one channel comes before all of the next.
    pub channels_first: bool,
    /// Scale and shift of each channel; none leaves values as they are.
    pub linear: Option<Vec<Linear>>,
}

impl OutputFormat {
    /// View of output memory as height, width and channels, whatever the layout; `memory` has its own order of axes.
    #[must_use]
    pub fn view<'a, O>(&self, memory: ArrayViewMut3<'a, O>) -> ArrayViewMut3<'a, O> {
        if self.channels_first { memory.permuted_axes([1, 2, 0]) } else { memory }
    }
}

/// Converter of rows to another format.
pub(crate) struct Converter<'a, T, O> {
    /// Height, width and channels; values of a row lie side by side, of one channel or of all.
    out: ArrayViewMut3<'a, O>,
    format: &'a OutputFormat,
    /// Channels of one row, each in one piece.
    planes: Vec<T>,
    /// Scratch memory for the values of a row.
    floats: Vec<f32>,
    /// Scales and shifts of the values of a row, where channels are interleaved.
    of_values: [Vec<f32>; 2],
}

impl<'a, T: Pixel, O: OutputPixel<T>> Converter<'a, T, O> {
    /// Converter that writes to `out`: height, width and channels, as [`OutputFormat::view`] gives them.
    ///
    /// # Errors
    /// When the format is for another number of channels, and when there is not enough memory.
    pub(crate) fn new(out: ArrayViewMut3<'a, O>, format: &'a OutputFormat) -> Result<Self> {
        let (_, w, channels) = out.dim();
        let (values, linear) = (w * channels, format.linear.as_deref());
        match linear {
            Some(linear) if linear.len() != channels => {
                return Err(Error::LengthDiffers { expected: channels, found: linear.len() });
            }
            _ => {}
        }
        let mut of_values = [Vec::new(), Vec::new()];
        if let (Some(linear), false) = (linear, format.channels_first) {
            of_values = [filled(values)?, filled(values)?];
            let [scales, shifts] = &mut of_values;
            for (i, (scale, shift)) in scales.iter_mut().zip(shifts).enumerate() {
                (*scale, *shift) = linear[i % channels];
            }
        }
        let planes = filled(if format.channels_first { values } else { 0 })?;
        Ok(Self { planes, floats: filled(values)?, of_values, out, format })
    }

    /// Converts `line`, row `y` with its channels interleaved.
    pub(crate) fn write(&mut self, y: usize, line: &[T]) {
        let (_, w, channels) = self.out.dim();
        let mut row = self.out.index_axis_mut(Axis(0), y);
        let linear = self.format.linear.as_deref();
        if !self.format.channels_first {
            let [scales, shifts] = &self.of_values;
            let scale = linear.map_or(Scale::None, |_| Scale::Each(scales, shifts));
            if let Some(out) = row.as_slice_mut() {
                O::write(line, &scale, &mut self.floats, out);
            }
            return;
        }
        dispatch::split(Level::detect(), line, channels, &mut self.planes);
        for (channel, plane) in self.planes.chunks_exact(w).enumerate() {
            let scale = linear.map_or(Scale::None, |linear| Scale::One(linear[channel]));
            if let Some(out) = row.index_axis_mut(Axis(1), channel).as_slice_mut() {
                O::write(plane, &scale, &mut self.floats, out);
            }
        }
    }
}

/// Converts an image; `out` has height, width and channels, as [`OutputFormat::view`] gives them.
///
/// # Errors
/// When `out` or the format is for another image, and when there is not enough memory.
pub fn convert<T: Pixel, O: OutputPixel<T>>(
    image: ImageView<'_, T>,
    format: &OutputFormat,
    out: ArrayViewMut3<'_, O>,
) -> Result<()> {
    let (h, w, channels) = out.dim();
    let found = Size { h, w };
    if found != image.size() {
        return Err(Error::SizeDiffers { expected: image.size(), found });
    }
    if channels != image.channels() {
        return Err(Error::LengthDiffers { expected: image.channels(), found: channels });
    }
    let mut converter = Converter::new(out, format)?;
    for y in 0..h {
        converter.write(y, image.row(y));
    }
    Ok(())
}
