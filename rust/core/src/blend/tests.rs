//! Alpha and mixing against their definitions, pixel by pixel.

use ndarray::Array3;

use super::{Alpha, Blend, alpha_of_placed, alpha_with_level, blend, blend_row};
use crate::rle;
use crate::simd::Level;
use crate::testing::{Random, from_drawings};
use crate::view::{ImageView, ImageViewMut};
use crate::{Placement, Size};

fn truth(dense: &[Vec<Vec<bool>>], placement: &Placement, weights: &[u16]) -> Vec<Vec<u8>> {
    let Placement { input, resized, canvas, .. } = *placement;
    let r = weights.len() as i64 / 2;
    let lands = |y: i64, x: i64| {
        let (i, j) = (y - placement.offset_y, x - placement.offset_x);
        ((0..resized.h as i64).contains(&i) && (0..resized.w as i64).contains(&j))
            .then_some((i as usize, j as usize))
    };
    let union = |y: i64, x: i64| {
        lands(y, x).is_some_and(|(i, j)| {
            let row = (2 * i + 1) * input.h / (2 * resized.h);
            let column = (2 * j + 1) * input.w / (2 * resized.w);
            let column = if placement.hflip { input.w - 1 - column } else { column };
            dense.iter().any(|mask| mask[row][column])
        })
    };
    let alpha = |y: i64, x: i64| {
        let mut sum = 0_u64;
        for dy in -r..=r {
            for dx in -r..=r {
                let weight = weights[(r + dy) as usize] as u64 * weights[(r + dx) as usize] as u64;
                sum += weight * u64::from(union(y + dy, x + dx));
            }
        }
        if lands(y, x).is_some() { ((sum * 255 + (1 << 23)) >> 24) as u8 } else { 0 }
    };
    (0..canvas.h as i64).map(|y| (0..canvas.w as i64).map(|x| alpha(y, x)).collect()).collect()
}

fn dense_alpha(alpha: &Alpha, canvas: Size) -> Vec<Vec<u8>> {
    let mut dense = vec![vec![0; canvas.w]; canvas.h];
    for y in alpha.rows() {
        alpha.write_row(y, &mut dense[y][alpha.columns()]);
    }
    dense
}

fn draw_weights(random: &mut Random) -> Vec<u16> {
    let mut weights = vec![0; 2 * random.below(6) + 1];
    for _ in 0..random.below(9) {
        let k = random.below(weights.len());
        weights[k] += random.below(400) as u16;
    }
    let middle = weights.len() / 2;
    weights[middle] += 4096 - weights.iter().sum::<u16>();
    weights
}

#[test]
fn alpha_is_the_blurred_union() {
    let mut random = Random(7);
    let mut uncut = 0;
    for _ in 0..300 {
        let mut size = |n: usize| Size { h: 1 + random.below(n), w: 1 + random.below(n + 5) };
        let (input, resized, canvas) = (size(14), size(40), size(40));
        let placement = Placement {
            input,
            resized,
            offset_y: random.below(resized.h + canvas.h) as i64 - resized.h as i64,
            offset_x: random.below(resized.w + canvas.w) as i64 - resized.w as i64,
            canvas,
            hflip: random.below(2) == 1,
        };
        let share = 1 + random.below(5);
        let dense: Vec<Vec<Vec<bool>>> = (0..random.below(3))
            .map(|_| {
                let (y, x) = (random.below(input.h), random.below(input.w));
                let mut cell = |i, j| i >= y && j >= x && random.below(share + 1) > 0;
                (0..input.h).map(|i| (0..input.w).map(|j| cell(i, j)).collect()).collect()
            })
            .collect();
        let weights = draw_weights(&mut random);
        let expected = truth(&dense, &placement, &weights);
        for level in Level::available() {
            let alpha = alpha_with_level(level, &from_drawings(input, &dense), &placement, &weights).unwrap();
            assert_eq!(dense_alpha(&alpha, canvas), expected, "{placement:?} {weights:?} {dense:?}");
            if !placement.is_cut() {
                let placed =
                    rle::union(&rle::place(&from_drawings(input, &dense), &placement).unwrap()).unwrap();
                let alpha = alpha_of_placed(level, &placed, &placement, &weights).unwrap();
                assert_eq!(
                    dense_alpha(&alpha, canvas),
                    expected,
                    "placed: {placement:?} {weights:?} {dense:?}"
                );
                uncut += 1;
            }
        }
    }
    assert!(uncut > 10, "{uncut}");
}

#[test]
fn alpha_far_beyond_the_canvas_costs_what_the_canvas_costs() {
    let huge = (1 << 31) - 1;
    let placement = Placement {
        input: Size { h: 2, w: 3 },
        resized: Size { h: huge, w: huge },
        offset_y: -9,
        offset_x: 4 - huge as i64,
        canvas: Size { h: 5, w: 6 },
        hflip: false,
    };
    let full = from_drawings(placement.input, &[vec![vec![true; 3]; 2]]);
    let alpha = alpha_with_level(Level::detect(), &full, &placement, &[1024, 2048, 1024]).unwrap();
    let row = [255, 255, 255, 191, 0, 0];
    assert_eq!(dense_alpha(&alpha, placement.canvas), [row; 5]);
}

#[test]
fn edges_are_soft_and_the_edge_of_the_image_is_one() {
    let placement = Placement {
        input: Size { h: 3, w: 6 },
        resized: Size { h: 3, w: 6 },
        offset_y: 1,
        offset_x: 2,
        canvas: Size { h: 5, w: 10 },
        hflip: false,
    };
    let mask = vec![vec![true, true, true, false, false, false]; 3];
    let alpha = alpha_with_level(
        Level::detect(),
        &from_drawings(placement.input, &[mask]),
        &placement,
        &[1024, 2048, 1024],
    )
    .unwrap();
    assert_eq!(dense_alpha(&alpha, placement.canvas)[2], [0, 0, 191, 255, 191, 64, 0, 0, 0, 0]);
}

/// `(source * alpha + target * (255 - alpha)) / 255` by the definition of rounding to nearest.
fn mixed(source: u64, target: u64, alpha: u64) -> u64 {
    let sum = source * alpha + target * (255 - alpha);
    (2 * sum + 255) / 510
}

#[test]
fn mixing_bytes_is_exact() {
    for source in 0..=255 {
        for target in 0..=255 {
            for alpha in 0..=255 {
                let expected = mixed(source as u64, target as u64, alpha as u64) as u8;
                assert_eq!(u8::mixed(source, target, alpha), expected);
            }
        }
    }
}

#[test]
fn mixing_uint16_is_exact() {
    let mut random = Random(1);
    for _ in 0..100_000 {
        let mut value = || [random.below(65536), 0, 65535][random.below(3)] as u16;
        let (source, target) = (value(), value());
        let alpha = random.below(256) as u8;
        let expected = mixed(source as u64, target as u64, alpha as u64) as u16;
        assert_eq!(u16::mixed(source, target, alpha), expected);
        assert_eq!(u16::mixed(source, source, alpha), source);
    }
}

#[test]
fn mixing_float32_keeps_what_is_equal() {
    let mut random = Random(2);
    for _ in 0..100_000 {
        let value = f32::from_bits(random.below(1 << 31) as u32);
        let alpha = random.below(256) as u8;
        if value.is_finite() {
            assert_eq!(f32::mixed(value, value, alpha), value);
        }
    }
    assert_eq!(f32::mixed(f32::NAN, 3.0, 0), 3.0);
    assert_eq!(f32::mixed(3.0, f32::NAN, 255), 3.0);
    assert_eq!(f32::mixed(1.0, 0.0, 51), (51.0_f64 / 255.0) as f32);
}

#[test]
fn rows_and_images_are_mixed_pixel_by_pixel() {
    let mut random = Random(3);
    for channels in [1, 2, 3, 4, 5] {
        let (h, w) = (3, 150);
        let shape = (h, w, channels);
        let source = Array3::from_shape_fn(shape, |_| random.below(256) as u8);
        let target = Array3::from_shape_fn(shape, |_| random.below(256) as u8);
        let alpha = Array3::from_shape_fn((h, w, 1), |_| [0, 255, random.below(256) as u8][random.below(3)]);
        let expected = Array3::from_shape_fn(shape, |(y, x, c)| {
            let [source, target] = [&source, &target].map(|image| image[[y, x, c]] as u64);
            mixed(source, target, alpha[[y, x, 0]] as u64) as u8
        });
        let mut out = Array3::from_elem(shape, 9);
        let view = |image| ImageView::new(image).unwrap();
        blend(
            view(source.view()),
            view(target.view()),
            view(alpha.view()),
            &mut ImageViewMut::new(out.view_mut()).unwrap(),
        );
        assert_eq!(out, expected);
        let (source, alpha) = (source.as_slice().unwrap(), alpha.as_slice().unwrap());
        let (target, expected) = (target.as_slice().unwrap(), expected.as_slice().unwrap());
        for level in Level::available() {
            for pixels in (0..50).chain([w]) {
                // Short of what stands behind, and with as much as there is.
                for room in [pixels, 3 * w] {
                    let mut row = source[..room * channels].to_vec();
                    blend_row(level, target, alpha, channels, &mut row, pixels);
                    let (done, rest) = row.split_at(pixels * channels);
                    assert_eq!(done, &expected[..pixels * channels], "{level:?} {channels} {pixels}");
                    assert_eq!(rest, &source[pixels * channels..room * channels]);
                }
            }
        }
    }
}
