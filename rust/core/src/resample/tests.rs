//! Whole canvases, and spans of rows, against the rules.

mod oracle;

use ndarray::Array3;
use oracle::{Oracle, truth};

use crate::testing::Random;

use super::{Filter, Resampler, place_image_with_level};
use crate::simd::Level;
use crate::view::{ImageView, ImageViewMut};
use crate::{Placement, Size};

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
    check::<u8>(Filter::Linear);
    check::<u8>(Filter::Antialias);
}

#[test]
fn uint16_follows_the_rules() {
    check::<u16>(Filter::Nearest);
    check::<u16>(Filter::Linear);
    check::<u16>(Filter::Antialias);
}

#[test]
fn float32_follows_the_rules() {
    check::<f32>(Filter::Nearest);
    check::<f32>(Filter::Linear);
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
        for (filter, channels) in [(Filter::Linear, 3), (Filter::Linear, 1), (Filter::Antialias, 3)] {
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
        check_placement::<u8>(Filter::Linear, &placement, 4, &mut random);
        check_placement::<u16>(Filter::Linear, &placement, 4, &mut random);
        check_placement::<f32>(Filter::Linear, &placement, 3, &mut random);
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
            check_placement::<u16>(Filter::Linear, &placement, channels, &mut random);
            check_placement::<f32>(Filter::Linear, &placement, channels, &mut random);
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
                check_placement::<u16>(Filter::Linear, &placement, channels, &mut random);
                check_placement::<f32>(Filter::Linear, &placement, channels, &mut random);
            }
        }
    }
}

#[test]
fn copies_in_reverse() {
    let mut random = Random(5);
    for width in [1, 2, 5, 15, 16, 17, 40, 67] {
        let size = Size { h: 2, w: width };
        for offset_x in [0, -3, 4] {
            let canvas = Size { h: 3, w: width + 2 };
            let placement =
                Placement { input: size, resized: size, offset_y: 0, offset_x, canvas, hflip: true };
            for channels in [1, 2, 3, 4, 5, 6, 17] {
                check_placement::<u8>(Filter::Linear, &placement, channels, &mut random);
                check_placement::<u16>(Filter::Linear, &placement, channels, &mut random);
                check_placement::<f32>(Filter::Nearest, &placement, channels, &mut random);
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
    for filter in [Filter::Nearest, Filter::Linear, Filter::Antialias] {
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
    assert_eq!(Filter::choose(false, true, &placement(20, 30)), Filter::Linear);
    assert_eq!(Filter::choose(false, true, &placement(19, 60)), Filter::Antialias);
    assert_eq!(Filter::choose(false, true, &placement(40, 29)), Filter::Antialias);
    assert_eq!(Filter::choose(false, false, &placement(10, 10)), Filter::Linear);
    assert_eq!(Filter::choose(true, true, &placement(10, 10)), Filter::Nearest);
}
