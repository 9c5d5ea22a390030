//! Mask kernels against masks drawn pixel by pixel.

use super::*;
use crate::testing::{Drawing, Random, dense, draw, from_drawings, map_pixels, random_masks};
use crate::{Error, Size};

#[test]
fn counts_round_trip_in_canonical_form() {
    for masks in random_masks(2) {
        let size = masks.size();
        assert_eq!(from_drawings(size, &dense(&masks)), masks);
        let (counts, offsets) = masks.to_counts().unwrap();
        for range in offsets.windows(2) {
            let runs = &counts[range[0] as usize..range[1] as usize];
            assert!(!runs.is_empty() && runs[1..].iter().all(|&run| run > 0), "{runs:?}");
        }
        assert_eq!(Masks::from_counts(size, &counts, &offsets), Ok(masks));
    }
    let of = |h, w, counts: &[u32]| {
        let read = Masks::from_counts(Size { h, w }, counts, &[0, counts.len() as i64]);
        read.unwrap().to_counts().unwrap().0
    };
    assert_eq!(of(2, 3, &[6]), [6]);
    assert_eq!(of(2, 3, &[0, 6]), [0, 6]);
    assert_eq!(of(0, 3, &[0]), [0]);
    assert_eq!(of(0, 3, &[]), [0]);
    assert_eq!(of(0, 3, &[0, 0, 0, 0]), [0]);
    assert_eq!(of(2, 3, &[0, 0, 6, 0]), [6]);
    assert_eq!(of(2, 3, &[1, 0, 0, 2, 0, 1, 2, 0, 0]), [1, 3, 2]);
    assert_eq!(of(1, 4_294_967_295, &[4_294_967_294, 1]), [4_294_967_294, 1]);
}

#[test]
fn malformed_counts_are_refused() {
    let size = Size { h: 2, w: 3 };
    let read = |counts: &[u32], offsets: &[i64]| Masks::from_counts(size, counts, offsets).unwrap_err();
    let sums = |mask, sum| Error::RunsDoNotFill { mask, sum, size };
    assert_eq!(read(&[6, 1, 2], &[0, 1, 3]), sums(1, 3));
    assert_eq!(read(&[u32::MAX, u32::MAX, 8], &[0, 3]), sums(0, 8_589_934_598));
    assert_eq!(read(&[], &[0, 0]), sums(0, 0));
    for offsets in [&[][..], &[1], &[0, 2], &[1, 1], &[0, -1, 1], &[0, 2, 1], &[-1, 1]] {
        assert_eq!(read(&[6], offsets), Error::OffsetsDoNotFit, "{offsets:?}");
    }
    let huge = Size { h: 65_536, w: 65_536 };
    let error = Masks::from_counts(huge, &[], &[0]).unwrap_err();
    assert_eq!(error, Error::TooManyPixels { size: huge });
}

#[test]
fn union_and_intersection_are_those_of_pixels() {
    for masks in random_masks(4) {
        let (drawn, size) = (dense(&masks), masks.size());
        let any = map_pixels(&drawn, size, |masks, y, x| masks.iter().any(|mask| mask[y][x]));
        assert_eq!(union(&masks).unwrap(), from_drawings(size, &[any]));
        if !masks.is_empty() {
            let all = map_pixels(&drawn, size, |masks, y, x| masks.iter().all(|mask| mask[y][x]));
            assert_eq!(intersection(&masks).unwrap(), from_drawings(size, &[all]));
        }
    }
}

#[test]
fn difference_is_that_of_pixels() {
    let mut random = Random(5);
    for masks in random_masks(5) {
        let (drawn, size) = (dense(&masks), masks.size());
        let minus = |a: &Drawing, b: &Drawing| -> Drawing {
            let row = |(a, b): (&Vec<bool>, &Vec<bool>)| a.iter().zip(b).map(|(a, b)| *a && !b).collect();
            a.iter().zip(b).map(row).collect()
        };
        let one = random.drawing(size);
        let expected: Vec<Drawing> = drawn.iter().map(|mask| minus(mask, &one)).collect();
        let left = difference(&masks, &from_drawings(size, &[one])).unwrap();
        assert_eq!(left, from_drawings(size, &expected));
        let each: Vec<Drawing> = drawn.iter().map(|_| random.drawing(size)).collect();
        let expected: Vec<Drawing> = drawn.iter().zip(&each).map(|(a, b)| minus(a, b)).collect();
        let left = difference(&masks, &from_drawings(size, &each)).unwrap();
        assert_eq!(left, from_drawings(size, &expected));
    }
}

#[test]
fn small_parts_are_those_of_flooded_pixels() {
    for masks in random_masks(7) {
        let (drawn, size) = (dense(&masks), masks.size());
        for (least, diagonal) in [(0, true), (2, false), (2, true), (4, false), (9, true)] {
            let expected: Vec<Drawing> =
                drawn.iter().map(|mask| large_parts(mask, least, diagonal)).collect();
            let left = without_small_parts(&masks, least as u32, diagonal).unwrap();
            assert_eq!(left, from_drawings(size, &expected), "{least} {diagonal}");
        }
    }
    let whole = Masks::from_counts(Size { h: 1, w: 4_294_967_295 }, &[0, u32::MAX], &[0, 2]).unwrap();
    assert_eq!(without_small_parts(&whole, u32::MAX, true).unwrap(), whole);
}

/// A mask without parts of fewer than `least` pixels, each flooded from its first pixel.
fn large_parts(mask: &Drawing, least: usize, diagonal: bool) -> Drawing {
    let (mut left, mut kept) = (mask.clone(), mask.clone());
    for (y, x) in (0..mask.len()).flat_map(|y| (0..mask[y].len()).map(move |x| (y, x))) {
        let (mut part, mut ahead) = (Vec::new(), vec![(y, x)]);
        while let Some((y, x)) = ahead.pop() {
            if left.get(y).is_none_or(|row| row.get(x) != Some(&true)) {
                continue;
            }
            left[y][x] = false;
            part.push((y, x));
            for (dy, dx) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 0), (0, 2), (2, 0), (2, 2)] {
                if (diagonal || dy == 1 || dx == 1) && y + dy > 0 && x + dx > 0 {
                    ahead.push((y + dy - 1, x + dx - 1));
                }
            }
        }
        if part.len() < least {
            for (y, x) in part {
                kept[y][x] = false;
            }
        }
    }
    kept
}

#[test]
fn area_and_boxes_are_those_of_pixels() {
    for masks in random_masks(6) {
        let (areas, found) = (area(&masks).unwrap(), boxes(&masks).unwrap());
        for (i, rows) in dense(&masks).iter().enumerate() {
            let set = |y: usize, x: usize| rows[y][x];
            let Size { h, w } = masks.size();
            let ys: Vec<usize> = (0..h).filter(|&y| (0..w).any(|x| set(y, x))).collect();
            let xs: Vec<usize> = (0..w).filter(|&x| (0..h).any(|y| set(y, x))).collect();
            let expected = match (ys.first(), ys.last(), xs.first(), xs.last()) {
                (Some(&y0), Some(&y1), Some(&x0), Some(&x1)) => PixelBox { y0, x0, y1: y1 + 1, x1: x1 + 1 },
                _ => PixelBox::default(),
            };
            assert_eq!(found[i], expected, "{}", draw(rows));
            let (counts, offsets) = masks.to_counts().unwrap();
            assert_eq!(
                area_of_counts(&Counts::new(masks.size(), &counts, &offsets).unwrap()).as_ref(),
                Ok(&areas)
            );
            assert_eq!(areas[i], rows.iter().flatten().filter(|set| **set).count() as i64);
        }
    }
    let whole = Masks::from_counts(Size { h: 1, w: 4_294_967_295 }, &[0, u32::MAX], &[0, 2]).unwrap();
    assert_eq!(area(&whole).unwrap(), [4_294_967_295]);
    assert_eq!(boxes(&whole).unwrap(), [PixelBox { y0: 0, x0: 0, y1: 1, x1: 4_294_967_295 }]);
}

#[test]
fn iou_is_that_of_pixels() {
    let mut random = Random(7);
    for rows in random_masks(7) {
        let columns = random.masks(rows.size());
        let crowd: Vec<bool> = (0..columns.len()).map(|_| random.below(2) == 1).collect();
        let (a, b) = (dense(&rows), dense(&columns));
        let count = |a: &Drawing, b: &Drawing, f: fn(bool, bool) -> bool| {
            a.iter().flatten().zip(b.iter().flatten()).filter(|(a, b)| f(**a, **b)).count() as f64
        };
        let expected = |marks: Option<&[bool]>| -> Vec<f64> {
            let mut values = Vec::new();
            for a in &a {
                for (j, b) in b.iter().enumerate() {
                    let common = count(a, b, |a, b| a && b);
                    let crowd = marks.is_some_and(|marks| marks[j]);
                    let union = if crowd { count(a, b, |a, _| a) } else { count(a, b, |a, b| a || b) };
                    values.push(if common == 0.0 { 0.0 } else { common / union });
                }
            }
            values
        };
        for marks in [None, Some(&crowd[..])] {
            let mut table = vec![f64::NAN; rows.len() * columns.len()];
            iou(&rows, &columns, marks, &mut table).unwrap();
            assert_eq!(table, expected(marks));
        }
    }
}

#[test]
fn encode_and_decode_are_inverse() {
    for masks in random_masks(10) {
        let (Size { h, w }, n) = (masks.size(), masks.len());
        let mut out = vec![7; n * h * w];
        decode(&masks, &mut out).unwrap();
        let expected: Vec<u8> = dense(&masks).iter().flatten().flatten().map(|&set| u8::from(set)).collect();
        assert_eq!(out, expected);
        for (i, value) in out.iter_mut().enumerate().filter(|(_, value)| **value != 0) {
            *value = [1, 2, 128, 255][i % 4];
        }
        assert_eq!(encode_c(&out, n, masks.size()).unwrap(), masks);
        let mut columns_first = Vec::new();
        for mask in 0..n {
            for x in 0..w {
                columns_first.extend((0..h).map(|y| out[(mask * h + y) * w + x]));
            }
        }
        assert_eq!(encode_f(&columns_first, n, masks.size()).unwrap(), masks);
    }
}
