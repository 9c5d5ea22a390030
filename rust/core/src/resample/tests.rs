//! Whole canvases, and spans of rows, compared with the rules at each instruction set.

mod oracle;

use ndarray::{Array3, ArrayView3, s};
use oracle::{Oracle, truth};

use super::{Border, Filter, Resampler, place_image_with_level};
use crate::simd::Level;
use crate::testing::Random;
use crate::view::{ImageView, ImageViewMut};
use crate::{Placement, Size};

/// Bytes of an image, so that the sign of a zero counts.
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

/// Placement with sizes and offsets as `(y, x)`.
fn placement(
    input: (usize, usize),
    resized: (usize, usize),
    offset: (i64, i64),
    canvas: (usize, usize),
    hflip: bool,
) -> Placement {
    let [input, resized, canvas] = [input, resized, canvas].map(|(h, w)| Size { h, w });
    Placement { input, resized, offset_y: offset.0, offset_x: offset.1, canvas, hflip }
}

fn check_drawn<T: Oracle + bytemuck::Pod>() {
    for filter in [Filter::Nearest, Filter::Linear, Filter::Antialias] {
        let mut random = Random(filter as u64);
        for _ in 0..150 {
            let placement = draw_placement(&mut random);
            let channels = [1, 2, 3, 3, 4, 5, 17][random.below(7)];
            check::<T>(filter, &placement, channels, &mut random);
        }
    }
}

/// Checks images of all types.
fn check_types(filter: Filter, placement: &Placement, channels: usize, random: &mut Random) {
    check::<u8>(filter, placement, channels, random);
    check::<u16>(filter, placement, channels, random);
    check::<f32>(filter, placement, channels, random);
}

/// Checks the canvas, and rows of a window of it, at each level. Rows of the image sometimes lie apart.
fn check<T: Oracle + bytemuck::Pod>(
    filter: Filter,
    placement: &Placement,
    channels: usize,
    random: &mut Random,
) {
    let Size { h, w } = placement.input;
    let whole = Array3::from_shape_fn((h, w + random.below(2), channels), |_| T::draw(random));
    let image = whole.slice(s![.., ..w, ..]);
    let fill: Vec<T> = (0..channels).map(|_| T::draw(random)).collect();
    let expected = truth(&image.to_owned(), placement, filter, &fill);
    let canvas = placement.canvas;
    let view = ImageView::new(image).unwrap();
    for level in Level::available() {
        let mut out = Array3::from_elem((canvas.h, canvas.w, channels), T::default());
        let mut out_view = ImageViewMut::new(out.view_mut()).unwrap();
        place_image_with_level(level, view, placement, filter, Border::Fill(&fill), &mut out_view).unwrap();
        assert_eq!(bits(&out), bits(&expected), "{level:?} {filter:?} {placement:?} {channels} channels");

        check_edge(level, view, placement, filter);

        let rows = random.below(canvas.h)..canvas.h - random.below(2);
        let columns = random.below(canvas.w)..canvas.w - random.below(2);
        let mut resampler = Resampler::build(level, view, placement, filter, [rows, columns], false).unwrap();
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

/// Checks that the outermost pixels go on: each canvas pixel is the nearest one of the resized image, placed by itself.
fn check_edge<T: Oracle + bytemuck::Pod>(
    level: Level,
    image: ImageView<'_, T>,
    placement: &Placement,
    filter: Filter,
) {
    let Placement { resized, canvas, offset_y, offset_x, .. } = *placement;
    let place = |placement: &Placement, border: Border<'_, T>| {
        let Size { h, w } = placement.canvas;
        let mut out = Array3::from_elem((h, w, image.channels()), T::default());
        let mut out_view = ImageViewMut::new(out.view_mut()).unwrap();
        place_image_with_level(level, image, placement, filter, border, &mut out_view).unwrap();
        out
    };
    let alone = Placement { offset_y: 0, offset_x: 0, canvas: resized, ..*placement };
    let whole = place(&alone, Border::Fill(&vec![T::default(); image.channels()]));
    let at = |position: usize, offset: i64, side: usize| {
        (position as i64 - offset).clamp(0, side as i64 - 1) as usize
    };
    let expected = Array3::from_shape_fn((canvas.h, canvas.w, image.channels()), |(y, x, c)| {
        whole[[at(y, offset_y, resized.h), at(x, offset_x, resized.w), c]]
    });
    let found = place(placement, Border::Edge);
    assert_eq!(bits(&found), bits(&expected), "{level:?} {filter:?} {placement:?} edge");
}

#[test]
fn drawn_placements() {
    check_drawn::<u8>();
    check_drawn::<u16>();
    check_drawn::<f32>();
}

#[test]
fn taps_at_every_distance() {
    // From all taps in one load to none together, around the widths of registers, mirrored and not.
    let mut random = Random(1);
    for (width, resized) in [(16, 13), (33, 31), (40, 17), (64, 128), (65, 50), (70, 28), (90, 16), (200, 9)]
    {
        for channels in 1..=5 {
            for hflip in [false, true] {
                let placement =
                    placement((5, width), (4, resized), (0, -1), (4, resized - random.below(3)), hflip);
                check_types(Filter::Linear, &placement, channels, &mut random);
                check_types(Filter::Antialias, &placement, channels, &mut random);
            }
        }
    }
}

#[test]
fn single_columns_and_rows() {
    let mut random = Random(2);
    for (input, resized) in [((1, 1), (9, 20)), ((7, 1), (3, 33)), ((1, 30), (4, 11)), ((2, 2), (1, 1))] {
        for channels in [1, 2, 3, 4, 6] {
            for hflip in [false, true] {
                let placement = placement(input, resized, (1, -1), (resized.0 + 1, resized.1), hflip);
                check_types(Filter::Linear, &placement, channels, &mut random);
                check_types(Filter::Antialias, &placement, channels, &mut random);
            }
        }
    }
}

#[test]
fn wide_rows_are_resampled_segment_by_segment() {
    for (width, hflip) in [(150, false), (400, true), (2100, false)] {
        let placement = placement((4, 90), (6, width + 30), (-1, -7), (5, width), hflip);
        let mut random = Random(width as u64);
        for (filter, channels) in [(Filter::Linear, 3), (Filter::Linear, 1), (Filter::Antialias, 3)] {
            check_types(filter, &placement, channels, &mut random);
        }
    }
}

#[test]
fn long_rows_go_two_at_a_time() {
    for (height, width) in [(12, 1200), (29, 1900), (7, 700)] {
        let placement = placement((13, 1500), (height, width), (1, 2), (height + 2, width + 5), height == 12);
        check_types(Filter::Linear, &placement, 4, &mut Random(width as u64));
    }
}

#[test]
fn rows_that_are_made_together() {
    // Every way in which up to four output rows share source rows, and no row behind the last one.
    let mut random = Random(4);
    for input in 2..9 {
        for height in 1..=4 * input {
            let (from, width) = ([2, 20, 45][random.below(3)], [1, 9, 16, 33, 70][random.below(5)]);
            let offset = (-(random.below(2) as i64), random.below(3) as i64 - 1);
            let canvas = (height + random.below(2), width + random.below(2));
            let placement = placement((input, from), (height, width), offset, canvas, random.below(2) == 1);
            for channels in 1..=5 {
                check::<u16>(Filter::Linear, &placement, channels, &mut random);
                check::<f32>(Filter::Linear, &placement, channels, &mut random);
            }
        }
    }
}

#[test]
fn copies_in_reverse() {
    let mut random = Random(5);
    for width in [1, 2, 5, 15, 16, 17, 40, 67] {
        for offset_x in [0, -3, 4] {
            let size = (2, width);
            let placement = placement(size, size, (0, offset_x), (3, width + 2), true);
            for channels in [1, 2, 3, 4, 5, 6, 17] {
                check_types(Filter::Linear, &placement, channels, &mut random);
                check_types(Filter::Nearest, &placement, channels, &mut random);
            }
        }
    }
}

#[test]
fn nearest_values_close_together_and_apart() {
    // From rows shorter than a register on, and at scales where a register covers some blocks of a row, all and none.
    let mut random = Random(7);
    for width in [1, 7, 8, 9, 15, 16, 17, 40, 300] {
        for resized in [1, 8, 16, 31, width + 1, width * 9 / 10 + 1, width * 2, width * 5 + 3] {
            for hflip in [false, true] {
                let canvas = (3, resized + random.below(3));
                let placement = placement((2, width), (3, resized), (0, -1), canvas, hflip);
                check_types(Filter::Nearest, &placement, 1, &mut random);
            }
        }
    }
}

#[test]
fn nearest_copies_bits_whatever_they_mean() {
    // Those of every NaN too: maps of any dtype are moved as float32.
    let mut random = Random(6);
    for _ in 0..150 {
        let placement = draw_placement(&mut random);
        let Placement { input: Size { h, w }, canvas, .. } = placement;
        let channels = 1 + random.below(5);
        let mut float =
            || f32::from_bits((random.below(1 << 16) << 16 | random.below(1 << 16)) as u32 | 0x7f80_0000);
        let image = Array3::from_shape_simple_fn((h, w, channels), &mut float);
        let fill: Vec<f32> = (0..channels).map(|_| float()).collect();
        let halves: &[u16] = bytemuck::cast_slice(image.as_slice().unwrap());
        let halves = ArrayView3::from_shape((h, w, 2 * channels), halves).unwrap();
        for level in Level::available() {
            let mut out = Array3::zeros((canvas.h, canvas.w, channels));
            let mut expected = Array3::zeros((canvas.h, canvas.w, 2 * channels));
            let (view, nearest) = (ImageView::new(image.view()).unwrap(), Filter::Nearest);
            let mut out_view = ImageViewMut::new(out.view_mut()).unwrap();
            place_image_with_level(level, view, &placement, nearest, Border::Fill(&fill), &mut out_view)
                .unwrap();
            let (view, fill) = (ImageView::new(halves).unwrap(), bytemuck::cast_slice(&fill));
            let mut out_view = ImageViewMut::new(expected.view_mut()).unwrap();
            place_image_with_level(level, view, &placement, nearest, Border::Fill(fill), &mut out_view)
                .unwrap();
            assert_eq!(bits(&out), bits(&expected), "{level:?} {placement:?} {channels} channels");
        }
    }
}

#[test]
fn a_huge_resized_side_costs_what_the_window_costs() {
    let huge = (1 << 31) - 1;
    let image = Array3::from_shape_fn((3, 5, 2), |(y, x, c)| (60 * y + 10 * x + c) as u8);
    let placement = placement((3, 5), (huge, huge), (2 - huge as i64, -3), (4, 7), false);
    let mut out = Array3::from_elem((4, 7, 2), 9);
    for filter in [Filter::Nearest, Filter::Linear, Filter::Antialias] {
        let view = ImageView::new(image.view()).unwrap();
        let mut out_view = ImageViewMut::new(out.view_mut()).unwrap();
        place_image_with_level(
            Level::detect(),
            view,
            &placement,
            filter,
            Border::Fill(&[7, 8]),
            &mut out_view,
        )
        .unwrap();
        let pixel = |y: usize, c: usize| if y < 2 { image[[2, 0, c]] } else { [7, 8][c] };
        assert_eq!(out, Array3::from_shape_fn((4, 7, 2), |(y, _, c)| pixel(y, c)));
    }
}

#[test]
fn antialiasing_needs_an_axis_that_shrinks() {
    let placement = |h, w| placement((20, 30), (h, w), (0, 0), (8, 9), false);
    assert_eq!(Filter::choose(false, true, &placement(20, 30)), Filter::Linear);
    assert_eq!(Filter::choose(false, true, &placement(19, 60)), Filter::Antialias);
    assert_eq!(Filter::choose(false, true, &placement(40, 29)), Filter::Antialias);
    assert_eq!(Filter::choose(false, false, &placement(10, 10)), Filter::Linear);
    assert_eq!(Filter::choose(true, true, &placement(10, 10)), Filter::Nearest);
}
