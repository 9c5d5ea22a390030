//! Material of the benches: photographs, objects with wobbly outlines, placements. The same on every machine.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "what is made here fits each other")]
#![allow(clippy::must_use_candidate, reason = "benches use what they make")]

mod random;
pub mod scene;

use std::f64::consts::TAU;

use copypaste_core::resample::Pixel;
use copypaste_core::rle::{self, Masks};
use copypaste_core::{ImageView, ImageViewMut, Placement, Size};
use ndarray::{Array3, ArrayD};
use random::Random;

/// The size of a photograph.
pub const PHOTO: Size = Size { h: 480, w: 640 };

/// Points of an outline.
const POINTS: usize = 40;

/// Smooth colours with some grain, from 0 to 1.
fn brightness(channels: usize) -> impl FnMut((usize, usize, usize)) -> f64 {
    const CELL: usize = 40;
    let mut random = Random::new(0);
    let columns = PHOTO.w / CELL + 2;
    let corners: Vec<f64> =
        (0..(PHOTO.h / CELL + 2) * columns * channels).map(|_| random.uniform()).collect();
    move |(y, x, c)| {
        let corner = |j: usize, i: usize| corners[((y / CELL + j) * columns + x / CELL + i) * channels + c];
        let (v, u) = ((y % CELL) as f64 / CELL as f64, (x % CELL) as f64 / CELL as f64);
        let top = corner(0, 0) * (1.0 - u) + corner(0, 1) * u;
        let bottom = corner(1, 0) * (1.0 - u) + corner(1, 1) * u;
        0.92 * (top * (1.0 - v) + bottom * v) + 0.08 * random.uniform()
    }
}

/// A type of image values that a photograph can be made of.
pub trait Value: Pixel + Default {
    /// The name the type goes by.
    const NAME: &'static str;

    /// A value from 0 to 1 in the range of the type.
    fn of(brightness: f64) -> Self;
}

impl Value for u8 {
    const NAME: &'static str = "u8";

    fn of(brightness: f64) -> Self {
        (brightness * 255.0) as Self
    }
}

impl Value for u16 {
    const NAME: &'static str = "u16";

    fn of(brightness: f64) -> Self {
        (brightness * 65535.0) as Self
    }
}

impl Value for f32 {
    const NAME: &'static str = "f32";

    fn of(brightness: f64) -> Self {
        brightness as Self
    }
}

/// A photograph.
pub fn photograph<T: Value>(channels: usize) -> Array3<T> {
    let mut value = brightness(channels);
    Array3::from_shape_fn((PHOTO.h, PHOTO.w, channels), |at| T::of(value(at)))
}

/// An image to write to.
pub fn blank<T: Value>(size: Size, channels: usize) -> Array3<T> {
    Array3::default((size.h, size.w, channels))
}

/// View of an image, to read.
pub fn view<T>(image: &Array3<T>) -> ImageView<'_, T> {
    ImageView::new(image.view()).unwrap()
}

/// View of an image, to write to.
pub fn view_mut<T>(image: &mut Array3<T>) -> ImageViewMut<'_, T> {
    ImageViewMut::new(image.view_mut()).unwrap()
}

/// Outlines of the sizes that objects have: most small, some filling a third of the picture. Two numbers a point.
pub fn outlines(n: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let Size { h, w } = PHOTO;
    let mut coordinates = Vec::with_capacity(n * POINTS * 2);
    for _ in 0..n {
        let radius = h as f64 * 0.5 * 0.05 * 18_f64.powf(random.uniform());
        let (y, x) = (random.uniform() * h as f64, random.uniform() * w as f64);
        let turn = random.uniform() * TAU;
        let mut drift = 0.0;
        for point in 0..POINTS {
            let angle = point as f64 / POINTS as f64 * TAU;
            drift += random.normal() / 60.0;
            let reach = radius * (1.0 + 0.15 * (3.0 * angle + turn).sin() + drift);
            coordinates.push(hundredths(x + reach * angle.cos()).clamp(0.0, w as f64));
            coordinates.push(hundredths(y + reach * angle.sin()).clamp(0.0, h as f64));
        }
    }
    coordinates
}

/// Coordinate in hundredths, as COCO has them, and so that the last bit of a sine, which differs between machines,
/// is not seen.
fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Outlines as masks.
pub fn rasterize(coordinates: &[f64]) -> Masks {
    let n = coordinates.len() / (2 * POINTS);
    let parts: Vec<i64> = (0..=n).map(|i| (i * 2 * POINTS) as i64).collect();
    let instances: Vec<i64> = (0..=n as i64).collect();
    rle::rasterize(coordinates, &parts, &instances, PHOTO, &mut || false).unwrap()
}

/// Masks of `n` objects.
pub fn masks(n: usize, seed: u64) -> Masks {
    rasterize(&outlines(n, seed))
}

/// The masks as bytes, rows in one piece.
pub fn dense(masks: &Masks) -> Vec<u8> {
    let mut dense = vec![0; masks.len() * masks.size().pixels()];
    rle::decode(masks, &mut dense).unwrap();
    dense
}

/// Dense masks, columns in one piece.
pub fn dense_columns(masks: &Masks) -> Vec<u8> {
    let Size { h, w } = masks.size();
    let rows = ArrayD::from_shape_vec(vec![masks.len(), h, w], dense(masks)).unwrap();
    rows.permuted_axes(vec![0, 2, 1]).iter().copied().collect()
}

/// A photograph resized by `scale` and placed whole, on a canvas of its own size.
pub fn resized(scale: f64, hflip: bool) -> Placement {
    let resized = scaled(scale);
    Placement { input: PHOTO, resized, offset_y: 0, offset_x: 0, canvas: resized, hflip }
}

/// A photograph fitted into a square canvas, then scaled, and cropped in the middle where it is larger.
pub fn placed(canvas: usize, scale: f64, hflip: bool) -> Placement {
    let resized = scaled(scale * canvas as f64 / PHOTO.w as f64);
    let offset = |side: usize| -(side.saturating_sub(canvas) as i64 / 2);
    Placement {
        input: PHOTO,
        resized,
        offset_y: offset(resized.h),
        offset_x: offset(resized.w),
        canvas: Size { h: canvas, w: canvas },
        hflip,
    }
}

fn scaled(scale: f64) -> Size {
    let side = |length: usize| ((length as f64 * scale + 0.5) as usize).max(1);
    Size { h: side(PHOTO.h), w: side(PHOTO.w) }
}

/// The weights of a blur of about two pixels: a triangle, which needs no exponential.
pub const BLUR: [u16; 15] = [64, 128, 192, 256, 320, 384, 448, 512, 448, 384, 320, 256, 192, 128, 64];
