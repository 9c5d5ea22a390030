//! Whole canvases against each rule written out, pixel by pixel, in the plainest way.

use ndarray::{Array3, s};

use super::{Filter, Pixel, Resampler, place_image_with_level};
use crate::simd::Level;
use crate::view::{ImageView, ImageViewMut};
use crate::{Placement, Size};

/// A small generator (Knuth's MMIX constants).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// How a type of pixel is made and resampled.
trait Oracle: Pixel + PartialEq + std::fmt::Debug + Default {
    fn draw(random: &mut Random) -> Self;
    /// One axis at a time: taps of rows or columns, then the sum and its rounding.
    fn two_taps(image: &Array3<Self>, size: Size) -> Array3<Self>;
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

    fn two_taps(image: &Array3<u8>, size: Size) -> Array3<u8> {
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

fn float_two_taps(i: usize, n_in: usize, n_out: usize) -> Vec<(usize, f32)> {
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

    fn two_taps(image: &Array3<u16>, size: Size) -> Array3<u16> {
        levels(&float(&image.mapv(f32::from), size, float_two_taps))
    }

    fn antialias(image: &Array3<u16>, size: Size) -> Array3<u16> {
        levels(&float(&image.mapv(f32::from), size, float_triangle))
    }
}

impl Oracle for f32 {
    fn draw(random: &mut Random) -> Self {
        [random.below(1 << 20) as f32 / 1024.0 - 512.0, 0.0, -0.0][random.below(3)]
    }

    fn two_taps(image: &Array3<f32>, size: Size) -> Array3<f32> {
        float(image, size, float_two_taps)
    }

    fn antialias(image: &Array3<f32>, size: Size) -> Array3<f32> {
        float(image, size, float_triangle)
    }
}

fn truth<T: Oracle>(image: &Array3<T>, placement: &Placement, filter: Filter, fill: &[T]) -> Array3<T> {
    let mirrored = image.slice(s![.., ..;-1, ..]).to_owned();
    let image = if placement.hflip { &mirrored } else { image };
    let (h, w, channels) = image.dim();
    let size = placement.resized;
    let resized = match filter {
        Filter::Nearest => Array3::from_shape_fn((size.h, size.w, channels), |(y, x, c)| {
            image[[(2 * y + 1) * h / (2 * size.h), (2 * x + 1) * w / (2 * size.w), c]]
        }),
        Filter::TwoTap => T::two_taps(image, size),
        Filter::Antialias => T::antialias(image, size),
    };
    Array3::from_shape_fn((placement.canvas.h, placement.canvas.w, channels), |(y, x, c)| {
        let (y, x) = (y as i64 - placement.offset_y, x as i64 - placement.offset_x);
        let inside = (0..size.h as i64).contains(&y) && (0..size.w as i64).contains(&x);
        if inside { resized[[y as usize, x as usize, c]] } else { fill[c] }
    })
}

/// The bytes, so that the sign of a zero counts.
fn bits<T: Oracle + bytemuck::Pod>(image: &Array3<T>) -> Vec<u8> {
    bytemuck::cast_slice(image.as_slice().unwrap()).to_vec()
}

fn draw_placement(random: &mut Random) -> Placement {
    let side =
        |random: &mut Random| 1 + [random.below(4), random.below(12), random.below(60)][random.below(3)];
    let mut size = || Size { h: side(random), w: side(random) };
    let (input, resized, canvas) = (size(), size(), size());
    Placement {
        input,
        resized,
        offset_y: random.below(resized.h + canvas.h + 2) as i64 - resized.h as i64 - 1,
        offset_x: random.below(resized.w + canvas.w + 2) as i64 - resized.w as i64 - 1,
        canvas,
        hflip: random.below(2) == 1,
    }
}

/// Ascending disjoint spans within `start..end`.
fn draw_spans(random: &mut Random, start: usize, end: usize) -> Vec<(u32, u32)> {
    let mut spans = Vec::new();
    let longest_gap = [5, (end - start).max(1)][random.below(2)];
    let mut x = start + random.below(longest_gap);
    while x < end {
        let stop = (x + 1 + random.below(end - start)).min(end);
        spans.push((x as u32, stop as u32));
        x = stop + 1 + random.below(longest_gap);
    }
    spans
}

fn check<T: Oracle + bytemuck::Pod>(filter: Filter) {
    let mut random = Random(filter as u64);
    for _ in 0..150 {
        let placement = draw_placement(&mut random);
        let channels = [1, 2, 3, 3, 4, 5, 17][random.below(7)];
        check_placement::<T>(filter, &placement, channels, &mut random);
    }
}

fn check_placement<T: Oracle + bytemuck::Pod>(
    filter: Filter,
    placement: &Placement,
    channels: usize,
    random: &mut Random,
) {
    let Size { h, w } = placement.input;
    let image = Array3::from_shape_fn((h, w, channels), |_| T::draw(random));
    let fill: Vec<T> = (0..channels).map(|_| T::draw(random)).collect();
    let expected = truth(&image, placement, filter, &fill);
    let canvas = placement.canvas;
    let view = ImageView::new(image.view()).unwrap();
    for level in Level::available() {
        let mut out = Array3::from_elem((canvas.h, canvas.w, channels), T::default());
        let mut out_view = ImageViewMut::new(out.view_mut()).unwrap();
        place_image_with_level(level, view, placement, filter, &fill, &mut out_view).unwrap();
        assert_eq!(bits(&out), bits(&expected), "{level:?} {filter:?} {placement:?} {channels} channels");

        let rows = random.below(canvas.h)..canvas.h - random.below(2);
        let columns = random.below(canvas.w)..canvas.w - random.below(2);
        let mut resampler = Resampler::with_level(level, view, placement, filter, rows, columns).unwrap();
        let (rows, columns) = (resampler.rows(), resampler.columns());
        for _ in 0..2 * rows.len() {
            let y = rows.start + random.below(rows.len());
            let spans = draw_spans(random, columns.start, columns.end);
            let untouched = vec![T::draw(random); canvas.w * channels];
            let mut row = untouched.clone();
            resampler.row(y, &spans, &mut row);
            let mut expected_row = untouched;
            for (start, end) in spans {
                for x in start as usize..end as usize {
                    for c in 0..channels {
                        expected_row[x * channels + c] = expected[[y, x, c]];
                    }
                }
            }
            let same = bytemuck::cast_slice::<T, u8>(&row) == bytemuck::cast_slice(&expected_row);
            assert!(same, "{level:?} {filter:?} {placement:?} {channels} channels, row {y}");
        }
    }
}

#[test]
fn bytes_follow_the_rules() {
    check::<u8>(Filter::Nearest);
    check::<u8>(Filter::TwoTap);
    check::<u8>(Filter::Antialias);
}

#[test]
fn uint16_follows_the_rules() {
    check::<u16>(Filter::Nearest);
    check::<u16>(Filter::TwoTap);
    check::<u16>(Filter::Antialias);
}

#[test]
fn float32_follows_the_rules() {
    check::<f32>(Filter::Nearest);
    check::<f32>(Filter::TwoTap);
    check::<f32>(Filter::Antialias);
}

#[test]
fn wide_rows_are_resampled_piece_by_piece() {
    for (width, hflip) in [(150, false), (400, true), (2100, false)] {
        let placement = Placement {
            input: Size { h: 4, w: 90 },
            resized: Size { h: 6, w: width + 30 },
            offset_y: -1,
            offset_x: -7,
            canvas: Size { h: 5, w: width },
            hflip,
        };
        let mut random = Random(width as u64);
        for (filter, channels) in [(Filter::TwoTap, 3), (Filter::TwoTap, 1), (Filter::Antialias, 3)] {
            check_placement::<u8>(filter, &placement, channels, &mut random);
            check_placement::<u16>(filter, &placement, channels, &mut random);
            check_placement::<f32>(filter, &placement, channels, &mut random);
        }
    }
}

#[test]
fn long_rows_go_two_at_a_time() {
    for (height, width) in [(12, 1200), (29, 1900), (7, 700)] {
        let placement = Placement {
            input: Size { h: 13, w: 1500 },
            resized: Size { h: height, w: width },
            offset_y: 1,
            offset_x: 2,
            canvas: Size { h: height + 2, w: width + 5 },
            hflip: height == 12,
        };
        let mut random = Random(width as u64);
        check_placement::<u8>(Filter::TwoTap, &placement, 4, &mut random);
        check_placement::<u16>(Filter::TwoTap, &placement, 4, &mut random);
        check_placement::<f32>(Filter::TwoTap, &placement, 3, &mut random);
    }
}

#[test]
fn rows_that_are_not_shared() {
    for (height, width, offset_x) in [(6, 700, 2), (5, 33, -1), (1, 16, 0), (6, 1, 1), (4, 15, -9)] {
        let placement = Placement {
            input: Size { h: 13, w: 150 },
            resized: Size { h: height, w: width },
            offset_y: -1,
            offset_x,
            canvas: Size { h: height + 2, w: width },
            hflip: height == 5,
        };
        let mut random = Random(width as u64);
        for channels in 1..=5 {
            check_placement::<u16>(Filter::TwoTap, &placement, channels, &mut random);
            check_placement::<f32>(Filter::TwoTap, &placement, channels, &mut random);
        }
    }
}

#[test]
fn rows_that_are_made_together() {
    // Every way in which up to four output rows share source rows, and no row behind the last one.
    let mut random = Random(4);
    for input in 2..9 {
        for height in 1..=4 * input {
            let width = [1, 9, 16, 33, 70][random.below(5)];
            let placement = Placement {
                input: Size { h: input, w: [2, 20, 45][random.below(3)] },
                resized: Size { h: height, w: width },
                offset_y: -(random.below(2) as i64),
                offset_x: random.below(3) as i64 - 1,
                canvas: Size { h: height + random.below(2), w: width + random.below(2) },
                hflip: random.below(2) == 1,
            };
            for channels in 1..=4 {
                check_placement::<u16>(Filter::TwoTap, &placement, channels, &mut random);
                check_placement::<f32>(Filter::TwoTap, &placement, channels, &mut random);
            }
        }
    }
}

#[test]
fn a_huge_resized_side_costs_what_the_window_costs() {
    let huge = (1 << 31) - 1;
    let image = Array3::from_shape_fn((3, 5, 2), |(y, x, c)| (60 * y + 10 * x + c) as u8);
    let placement = Placement {
        input: Size { h: 3, w: 5 },
        resized: Size { h: huge, w: huge },
        offset_y: 2 - huge as i64,
        offset_x: -3,
        canvas: Size { h: 4, w: 7 },
        hflip: false,
    };
    let mut out = Array3::from_elem((4, 7, 2), 9);
    for filter in [Filter::Nearest, Filter::TwoTap, Filter::Antialias] {
        let view = ImageView::new(image.view()).unwrap();
        let mut out_view = ImageViewMut::new(out.view_mut()).unwrap();
        place_image_with_level(Level::detect(), view, &placement, filter, &[7, 8], &mut out_view).unwrap();
        let pixel = |y: usize, c: usize| if y < 2 { image[[2, 0, c]] } else { [7, 8][c] };
        assert_eq!(out, Array3::from_shape_fn((4, 7, 2), |(y, _, c)| pixel(y, c)));
    }
}

#[test]
fn antialiasing_needs_an_axis_that_shrinks() {
    let placement = |h, w| Placement {
        input: Size { h: 20, w: 30 },
        resized: Size { h, w },
        offset_y: 0,
        offset_x: 0,
        canvas: Size { h: 8, w: 9 },
        hflip: false,
    };
    assert_eq!(Filter::choose(false, true, &placement(20, 30)), Filter::TwoTap);
    assert_eq!(Filter::choose(false, true, &placement(19, 60)), Filter::Antialias);
    assert_eq!(Filter::choose(false, true, &placement(40, 29)), Filter::Antialias);
    assert_eq!(Filter::choose(false, false, &placement(10, 10)), Filter::TwoTap);
    assert_eq!(Filter::choose(true, true, &placement(10, 10)), Filter::Nearest);
}
