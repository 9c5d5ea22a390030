//! Each rule written out, pixel by pixel, in the plainest way.

use ndarray::{Array3, s};

use crate::resample::{Filter, Pixel};
use crate::testing::Random;
use crate::{Placement, Size};

/// How a type of pixel is made and resampled.
pub(super) trait Oracle: Pixel + PartialEq + std::fmt::Debug + Default {
    fn draw(random: &mut Random) -> Self;
    /// One axis at a time: taps of rows or columns, then the sum and its rounding.
    fn linear(image: &Array3<Self>, size: Size) -> Array3<Self>;
    fn antialias(image: &Array3<Self>, size: Size) -> Array3<Self>;
}

fn position(i: usize, n_in: usize, n_out: usize) -> f64 {
    (i as f64 + 0.5) * (1.0 / (n_out as f64 / n_in as f64)) - 0.5
}

fn triangle(i: usize, n_in: usize, n_out: usize) -> Vec<(usize, f64)> {
    let scale = n_in as f64 / n_out as f64;
    let support = f64::max(scale, 1.0);
    let c = (i as f64 + 0.5) * scale;
    let lo = f64::max((c - support + 0.5).trunc(), 0.0) as usize;
    let hi = f64::min((c + support + 0.5).trunc(), n_in as f64) as usize;
    let weight = |j: usize| f64::max(0.0, 1.0 - ((j as f64 - c + 0.5) * (1.0 / support)).abs());
    let mut sum = 0.0;
    for j in lo..hi {
        sum += weight(j);
    }
    (lo..hi).map(|j| (j, weight(j) / sum)).collect()
}

impl Oracle for u8 {
    fn draw(random: &mut Random) -> Self {
        [random.below(256) as u8, 0, 255][random.below(3)]
    }

    fn linear(image: &Array3<u8>, size: Size) -> Array3<u8> {
        let (h, w, channels) = image.dim();
        let fixed =
            |f: f32| [((1.0 - f) * 2048.0).round_ties_even() as i32, (f * 2048.0).round_ties_even() as i32];
        Array3::from_shape_fn((size.h, size.w, channels), |(y, x, c)| {
            let fx = position(x, w, size.w) as f32;
            let mut k = fx.floor() as i64;
            let mut f = fx - k as f32;
            if k < 0 {
                (k, f) = (0, 0.0);
            } else if k >= w as i64 - 1 {
                (k, f) = (w as i64 - 1, 0.0);
            }
            let [w0, w1] = fixed(f);
            let (k0, k1) = (k as usize, (k as usize + 1).min(w - 1));
            let across =
                |row: usize| (w0 * image[[row, k0, c]] as i32 + w1 * image[[row, k1, c]] as i32) >> 4;
            let fy = position(y, h, size.h) as f32;
            let k = fy.floor();
            let [w0, w1] = fixed(fy - k);
            let row = |k: f32| f32::clamp(k, 0.0, h as f32 - 1.0) as usize;
            ((((w0 * across(row(k))) >> 16) + ((w1 * across(row(k + 1.0))) >> 16) + 2) >> 2) as u8
        })
    }

    fn antialias(image: &Array3<u8>, size: Size) -> Array3<u8> {
        let (h, w, channels) = image.dim();
        let sum = |taps: Vec<(usize, f64)>, pixel: &dyn Fn(usize) -> u8| {
            let products = taps
                .iter()
                .map(|&(j, weight)| (weight * (1 << 22) as f64 + 0.5).floor() as i64 * pixel(j) as i64);
            (((1 << 21) + products.sum::<i64>()) >> 22).clamp(0, 255) as u8
        };
        let across = Array3::from_shape_fn((h, size.w, channels), |(y, x, c)| {
            sum(triangle(x, w, size.w), &|j| image[[y, j, c]])
        });
        Array3::from_shape_fn((size.h, size.w, channels), |(y, x, c)| {
            sum(triangle(y, h, size.h), &|j| across[[j, x, c]])
        })
    }
}

fn float_linear(i: usize, n_in: usize, n_out: usize) -> Vec<(usize, f32)> {
    let f = position(i, n_in, n_out);
    let k = f.floor();
    if k < 0.0 {
        vec![(0, 1.0)]
    } else if k >= n_in as f64 - 1.0 {
        vec![(n_in - 1, 1.0)]
    } else {
        vec![(k as usize, (1.0 - (f - k)) as f32), (k as usize + 1, (f - k) as f32)]
    }
}

fn float_triangle(i: usize, n_in: usize, n_out: usize) -> Vec<(usize, f32)> {
    triangle(i, n_in, n_out).into_iter().map(|(j, weight)| (j, weight as f32)).collect()
}

fn float(
    image: &Array3<f32>,
    size: Size,
    taps: impl Fn(usize, usize, usize) -> Vec<(usize, f32)>,
) -> Array3<f32> {
    let (h, w, channels) = image.dim();
    let sum = |taps: Vec<(usize, f32)>, pixel: &dyn Fn(usize) -> f32| {
        let mut sum = 0.0_f32;
        for (j, weight) in taps {
            let product = weight * pixel(j);
            sum += product;
        }
        sum
    };
    let across = Array3::from_shape_fn((h, size.w, channels), |(y, x, c)| {
        sum(taps(x, w, size.w), &|j| image[[y, j, c]])
    });
    Array3::from_shape_fn((size.h, size.w, channels), |(y, x, c)| {
        sum(taps(y, h, size.h), &|j| across[[j, x, c]])
    })
}

fn levels(image: &Array3<f32>) -> Array3<u16> {
    image.mapv(|sum| sum.round_ties_even().clamp(0.0, 65535.0) as u16)
}

impl Oracle for u16 {
    fn draw(random: &mut Random) -> Self {
        [random.below(65536) as u16, 0, 65535][random.below(3)]
    }

    fn linear(image: &Array3<u16>, size: Size) -> Array3<u16> {
        levels(&float(&image.mapv(f32::from), size, float_linear))
    }

    fn antialias(image: &Array3<u16>, size: Size) -> Array3<u16> {
        levels(&float(&image.mapv(f32::from), size, float_triangle))
    }
}

impl Oracle for f32 {
    fn draw(random: &mut Random) -> Self {
        [random.below(1 << 20) as f32 / 1024.0 - 512.0, 0.0, -0.0][random.below(3)]
    }

    fn linear(image: &Array3<f32>, size: Size) -> Array3<f32> {
        float(image, size, float_linear)
    }

    fn antialias(image: &Array3<f32>, size: Size) -> Array3<f32> {
        float(image, size, float_triangle)
    }
}

pub(super) fn truth<T: Oracle>(
    image: &Array3<T>,
    placement: &Placement,
    filter: Filter,
    fill: &[T],
) -> Array3<T> {
    let mirrored = image.slice(s![.., ..;-1, ..]).to_owned();
    let image = if placement.hflip { &mirrored } else { image };
    let (h, w, channels) = image.dim();
    let size = placement.resized;
    let resized = match filter {
        Filter::Nearest => Array3::from_shape_fn((size.h, size.w, channels), |(y, x, c)| {
            image[[(2 * y + 1) * h / (2 * size.h), (2 * x + 1) * w / (2 * size.w), c]]
        }),
        Filter::Linear => T::linear(image, size),
        Filter::Antialias => T::antialias(image, size),
    };
    Array3::from_shape_fn((placement.canvas.h, placement.canvas.w, channels), |(y, x, c)| {
        let (y, x) = (y as i64 - placement.offset_y, x as i64 - placement.offset_x);
        let inside = (0..size.h as i64).contains(&y) && (0..size.w as i64).contains(&x);
        if inside { resized[[y as usize, x as usize, c]] } else { fill[c] }
    })
}
