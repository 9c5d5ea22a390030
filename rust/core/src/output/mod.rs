//! What becomes of a finished canvas row: left as it is, or written as a model wants it.
//!
//! Rows are converted while they are still in a near cache; the whole image is never gone over again.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod dispatch;
pub(crate) mod portable;
mod strip;
#[cfg(test)]
mod tests;

use half::f16;

pub use self::strip::Strip;
use crate::memory::filled;
use crate::resample::Pixel;
use crate::simd::Level;
use crate::{Error, ImageViewMut, Result, Size};

/// Takes an image row by row, from top to bottom.
pub trait Sink<T> {
    /// Height and width.
    fn size(&self) -> Size;
    /// Number of channels.
    fn channels(&self) -> usize;
    /// Where row `y` is to be written: `width * channels` values, channels innermost.
    fn row_mut(&mut self, y: usize) -> &mut [T];
    /// Row `y`, the one last asked for, is complete.
    fn finish(&mut self, y: usize);
}

impl<T> Sink<T> for ImageViewMut<'_, T> {
    fn size(&self) -> Size {
        Self::size(self)
    }

    fn channels(&self) -> usize {
        Self::channels(self)
    }

    fn row_mut(&mut self, y: usize) -> &mut [T] {
        Self::row_mut(self, y)
    }

    fn finish(&mut self, _y: usize) {}
}

/// A type of finished values that `T` is written as.
pub trait Finished<T>: Copy + Send + 'static {
    /// Writes values times `scale` plus `shift`, or, without these, as they are.
    fn write(values: &[T], linear: Option<Linear<'_>>, floats: &mut [f32], out: &mut [Self]);
}

/// `value * scale + shift`, multiplied, then added, in float32.
#[derive(Clone, Copy, Debug)]
pub enum Linear<'a> {
    /// The same for all values.
    One(f32, f32),
    /// One scale and one shift for each value.
    Each(&'a [f32], &'a [f32]),
}

macro_rules! kept {
    ($($pixel:ty),*) => {$(
        impl Finished<$pixel> for $pixel {
            fn write(values: &[$pixel], linear: Option<Linear<'_>>, _: &mut [f32], out: &mut [Self]) {
                debug_assert!(linear.is_none());
                out.copy_from_slice(values);
            }
        }
    )*};
}

kept!(u8, u16);

impl<T: Pixel + Into<f32>> Finished<T> for f32 {
    fn write(values: &[T], linear: Option<Linear<'_>>, _: &mut [f32], out: &mut [Self]) {
        match linear {
            Some(Linear::One(scale, shift)) => dispatch::scale(Level::detect(), values, scale, shift, out),
            Some(Linear::Each(scale, shift)) => {
                dispatch::scale_each(Level::detect(), values, scale, shift, out)
            }
            None => out.iter_mut().zip(values).for_each(|(out, &value)| *out = value.into()),
        }
    }
}

impl<T: Pixel + Into<f32>> Finished<T> for f16 {
    fn write(values: &[T], linear: Option<Linear<'_>>, floats: &mut [f32], out: &mut [Self]) {
        // Of a row at a time: the float32 values stay in the nearest cache.
        let floats = &mut floats[..values.len()];
        f32::write(values, linear, &mut [], floats);
        dispatch::halve(Level::detect(), floats, out);
    }
}

/// How a finished image differs from the canvas.
#[derive(Clone, Debug, Default)]
pub struct Format {
    /// All of one channel, then all of the next.
    pub channels_first: bool,
    /// For each channel what its values are multiplied with, and what is added.
    pub linear: Option<Vec<(f32, f32)>>,
}

/// Bytes of finished rows that wait to be written together. The memory that they go to is slow, and rows that follow each
/// other keep it busy; one row at a time, each would wait for it anew.
const TOGETHER: usize = 384 << 10;

/// A sink that writes rows in another format.
#[derive(Debug)]
pub struct Converted<'a, T, O> {
    writer: Writer<'a, T, O>,
    /// Rows that are to be written together.
    lines: Vec<T>,
    /// How many there is room for.
    together: usize,
}

impl<'a, T: Pixel + Default, O: Finished<T>> Converted<'a, T, O> {
    /// Writes to `out`.
    ///
    /// # Errors
    /// When the format is for another image, and when there is not enough memory.
    pub fn new(out: Strip<'a, O>, format: &'a Format) -> Result<Self> {
        let writer = Writer::new(out, format)?;
        let per_row = writer.out.per_row();
        let together = (TOGETHER / size_of::<T>() / per_row.max(1)).clamp(1, writer.out.size.h.max(1));
        Ok(Self { writer, lines: filled(together * per_row)?, together })
    }
}

impl<T: Pixel + Default, O: Finished<T>> Sink<T> for Converted<'_, T, O> {
    fn size(&self) -> Size {
        self.writer.out.size
    }

    fn channels(&self) -> usize {
        self.writer.out.channels
    }

    fn row_mut(&mut self, y: usize) -> &mut [T] {
        let per_row = self.writer.out.per_row();
        &mut self.lines[y % self.together * per_row..][..per_row]
    }

    fn finish(&mut self, y: usize) {
        let number = y % self.together;
        if number + 1 < self.together && y + 1 < self.writer.out.size.h {
            return;
        }
        let per_row = self.writer.out.per_row();
        for (y, line) in (y - number..=y).zip(self.lines.chunks_exact(per_row)) {
            self.writer.write(line, y);
        }
    }
}

/// Writes rows in another format.
#[derive(Debug)]
struct Writer<'a, T, O> {
    out: Strip<'a, O>,
    format: &'a Format,
    /// The row at hand, each channel in one piece.
    planes: Vec<T>,
    floats: Vec<f32>,
    /// For rows with channels innermost, scale and shift of each value.
    each: [Vec<f32>; 2],
}

impl<'a, T: Pixel + Default, O: Finished<T>> Writer<'a, T, O> {
    fn new(out: Strip<'a, O>, format: &'a Format) -> Result<Self> {
        let per_row = out.per_row();
        if out.channels_first != format.channels_first
            || format.linear.as_ref().is_some_and(|all| all.len() != out.channels)
        {
            return Err(Error::LengthDiffers {
                expected: out.channels,
                found: format.linear.as_ref().map_or(0, Vec::len),
            });
        }
        let mut each = [Vec::new(), Vec::new()];
        if let (Some(linear), false) = (&format.linear, format.channels_first) {
            each = [filled(per_row)?, filled(per_row)?];
            let [scales, shifts] = &mut each;
            for (i, (scale, shift)) in scales.iter_mut().zip(shifts).enumerate() {
                (*scale, *shift) = linear[i % out.channels];
            }
        }
        let planes = if format.channels_first { per_row } else { 0 };
        Ok(Self { out, format, planes: filled(planes)?, floats: filled(per_row)?, each })
    }

    fn write(&mut self, line: &[T], y: usize) {
        if !self.format.channels_first {
            let [scales, shifts] = &self.each;
            let linear = self.format.linear.is_some().then_some(Linear::Each(scales, shifts));
            O::write(line, linear, &mut self.floats, self.out.row_mut(0, y));
            return;
        }
        let Size { w, .. } = self.out.size;
        dispatch::split(Level::detect(), line, self.out.channels, &mut self.planes);
        for (channel, plane) in self.planes.chunks_exact(w).enumerate() {
            let linear = self.format.linear.as_ref().map(|all| Linear::One(all[channel].0, all[channel].1));
            O::write(plane, linear, &mut self.floats, self.out.row_mut(channel, y));
        }
    }
}

/// Writes an image in another format.
///
/// # Errors
/// When `out` or the format is for another image, and when there is not enough memory.
pub fn convert<T: Pixel + Default, O: Finished<T>>(
    image: crate::ImageView<'_, T>,
    format: &Format,
    out: &mut [O],
) -> Result<()> {
    let (expected, found) = (image.size().pixels() * image.channels(), out.len());
    let out = Strip::new(out, image.size(), image.channels(), format.channels_first);
    let mut writer = Writer::new(out.ok_or(Error::LengthDiffers { expected, found })?, format)?;
    for y in 0..image.size().h {
        writer.write(image.row(y), y);
    }
    Ok(())
}
