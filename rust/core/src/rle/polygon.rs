//! Polygons to masks, bit for bit as the COCO tools draw them.
//!
//! They draw the outline on a grid five times as fine, point by point, and toggle a pixel wherever the outline
//! steps from the middle of a column to the next fine column: from `5k + 2` to `5k + 3`. All other points go
//! unused, so only those steps are computed here. A square from 0 to 9 becomes 9 by 9 pixels.

use std::ops::Range;

use super::sort::sort_into;
use super::wide::Wide;
use super::{Masks, cancel_pairs, union};
use crate::Size;

/// Fine coordinates below this, in size, are computed in floating point as the COCO tools do, who hold them in
/// 32 bits; larger ones exactly.
const NEAR: f64 = 2_147_483_648.0;

/// So many columns are drawn at a time, and more toggles than these are sorted and cancelled before others are
/// made: memory follows what is left, not the number of edges.
const STRIP: usize = 1 << 20;
const MOST_TOGGLES: usize = 1 << 22;

/// The mask of each instance: the union of its parts.
///
/// `coordinates` holds `x, y` of all points; part i has those from `parts[i]` to `parts[i + 1]`, and instance i the
/// parts from `instances[i]` to `instances[i + 1]`. Coordinates are finite, of any size.
#[must_use]
pub fn rasterize(coordinates: &[f64], parts: &[usize], instances: &[usize], size: Size) -> Masks {
    let mut masks = Masks::empty(size);
    if size.pixels() == 0 {
        masks.offsets.resize(instances.len().max(1), 0);
        return masks;
    }
    let mut outline = Outline { size, vertices: Vec::new(), strip: 0..0, toggles: Vec::new() };
    let points = |part: usize| coordinates[parts[part]..parts[part + 1]].as_chunks().0;
    for range in instances.windows(2) {
        if range[1] - range[0] == 1 {
            outline.draw(points(range[0]), &mut masks);
            continue;
        }
        let mut several = Masks::empty(size);
        for part in range[0]..range[1] {
            outline.draw(points(part), &mut several);
        }
        masks.push(union(&several).bounds(0));
    }
    masks
}

/// One part being drawn.
struct Outline {
    size: Size,
    /// The points in fine coordinates.
    vertices: Vec<[i64; 2]>,
    /// The columns at hand.
    strip: Range<i64>,
    /// Pixels from which on the state of their column changes, in no order.
    toggles: Vec<u32>,
}

impl Outline {
    /// Appends the mask of one part.
    fn draw(&mut self, points: &[[f64; 2]], masks: &mut Masks) {
        self.vertices.clear();
        self.vertices.extend(points.iter().map(|point| point.map(|c| fine(c) as i64)));
        let xs = self.vertices.iter().map(|vertex| vertex[0]);
        let (Some(left), Some(right)) = (xs.clone().min(), xs.max()) else {
            masks.close();
            return;
        };
        let columns = steps_between(left, right, &(0..self.size.w as i64));
        let from = masks.bounds.len();
        for start in columns.clone().step_by(STRIP) {
            self.strip = start..columns.end.min(start + STRIP as i64);
            self.draw_strip(points);
            let toggles = masks.bounds.len();
            masks.bounds.resize(toggles + self.toggles.len(), 0);
            sort_into(self.toggles.iter().copied(), |pixel| pixel, &mut masks.bounds[toggles..]);
            // What a strip leaves open at its right side the next one may go on with.
            let touching = toggles - usize::from(toggles > from);
            let kept = cancel_pairs(&mut masks.bounds[touching..]);
            masks.bounds.truncate(touching + kept);
        }
        masks.close();
    }

    /// Collects the toggles of all edges in the strip.
    fn draw_strip(&mut self, points: &[[f64; 2]]) {
        self.toggles.clear();
        let mut most = MOST_TOGGLES;
        for i in 0..points.len() {
            let j = if i + 1 < points.len() { i + 1 } else { 0 };
            self.edge(self.vertices[i], self.vertices[j], [points[i], points[j]]);
            if self.toggles.len() > most {
                self.toggles.sort_unstable();
                let kept = cancel_pairs(&mut self.toggles);
                self.toggles.truncate(kept);
                most = MOST_TOGGLES.max(2 * kept);
            }
        }
    }

    /// Adds the toggles of one edge.
    fn edge(&mut self, a: [i64; 2], b: [i64; 2], points: [[f64; 2]; 2]) {
        let columns = steps_between(a[0].min(b[0]), a[0].max(b[0]), &self.strip);
        if columns.is_empty() {
            return;
        }
        let columns = columns.start as u32..columns.end as u32;
        let near = |c: i64| c.unsigned_abs() < NEAR as u64;
        let (dx, dy) = (a[0].abs_diff(b[0]), a[1].abs_diff(b[1]));
        if !(a.into_iter().chain(b).all(near) && dx.max(dy) < NEAR as u64) {
            self.far_edge(columns, points);
        } else if dx >= dy {
            let (start, end) = if a[0] > b[0] { (b, a) } else { (a, b) };
            self.flat_edge(columns, start, end);
        } else {
            let (start, end) = if a[1] > b[1] { (b, a) } else { (a, b) };
            self.steep_edge(columns, start, end);
        }
    }

    /// An edge with a point for each fine column, from left to right.
    fn flat_edge(&mut self, columns: Range<u32>, [xs, ys]: [i64; 2], [xe, ye]: [i64; 2]) {
        let slope = (ye - ys) as f64 / (xe - xs) as f64;
        // Of the two points of a step the upper one counts.
        let step = 5 * columns.start as i64 + 2 + i64::from(slope < 0.0) - xs;
        let (ys, step, first) = (ys as f64, step as f64, columns.start);
        let (h, bottom) = (self.size.h as u32, self.bottom());
        self.toggles.extend(columns.map(|k| {
            let t = step + 5.0 * (k - first) as f64;
            let v = (ys + slope * t + 0.5).clamp(0.0, bottom) as i64;
            k * h + ((v + 2) / 5) as u32
        }));
    }

    /// An edge with a point for each fine row, from top to bottom.
    fn steep_edge(&mut self, columns: Range<u32>, [xs, ys]: [i64; 2], [xe, ye]: [i64; 2]) {
        let length = ye - ys;
        let slope = (xe - xs) as f64 / length as f64;
        let rightwards = slope > 0.0;
        let (xs, per_column) = (xs as f64, 1.0 / slope);
        let (h, bottom) = (self.size.h as u32, 5 * self.size.h as i64);
        self.toggles.extend(columns.map(|k| {
            let step = (5 * k as i64 + 3) as f64;
            let stepped = |t: i64| (xs + slope * t as f64 + 0.5 >= step) == rightwards;
            // The first point behind the step: by a division, which rounding can put one off.
            let near = ((step - 0.5 - xs) * per_column) as i64 + 1;
            let is_first = |&t: &i64| t >= 1 && stepped(t) && !stepped(t - 1);
            let first = [near, near + 1, near - 1].into_iter().find(is_first);
            let first = first.unwrap_or_else(|| first_of(length, stepped));
            let v = (ys + first - 1).clamp(0, bottom);
            k * h + ((v + 2) / 5) as u32
        }));
    }

    /// An edge of any size, by exact arithmetic.
    fn far_edge(&mut self, columns: Range<u32>, points: [[f64; 2]; 2]) {
        let [mut start, mut end] = points.map(|point| point.map(exactly_fine));
        let length = |axis: usize| {
            let difference = end[axis].minus(start[axis]);
            if difference.is_negative() { Wide::from_i64(0).minus(difference) } else { difference }
        };
        let (dx, dy) = (length(0), length(1));
        let steep = dx.minus(dy).is_negative();
        // Along the axis with more points, from its low end; `across` is the other.
        let (along, across) = if steep { (1, 0) } else { (0, 1) };
        if end[along].minus(start[along]).is_negative() {
            (start, end) = (end, start);
        }
        let span = end[along].minus(start[along]);
        let rise = end[across].minus(start[across]);
        let falling = rise.is_negative();
        let one = Wide::from_i64(1);
        // Whether the point of the edge at `at` is, rounded, at or above `level` on the other axis.
        let reaches = |at: i64, level: i64| {
            let above = start[across].minus(Wide::from_i64(level));
            let from_start = Wide::from_i64(at).minus(start[along]);
            let side = above.plus(above).plus(one).times(span).plus(rise.plus(rise).times(from_start));
            !side.is_negative()
        };
        let h = self.size.h as i64;
        for k in columns {
            let step = 5 * k as i64 + 3;
            // The row is the number of rows y with v >= 5y - 2, v being the upper point of the step.
            let y = first_of(h, |y| {
                let v = 5 * y + 3;
                let lower = if steep {
                    reaches(v, step) == falling
                } else {
                    reaches(if falling { step } else { step - 1 }, v)
                };
                y >= h || !lower
            });
            self.toggles.push((k as i64 * h + y) as u32);
        }
    }

    /// Fine coordinates from here on are below the last row.
    fn bottom(&self) -> f64 {
        5.0 * self.size.h as f64
    }
}

/// Of some columns k those whose step, from `5k + 2` to `5k + 3`, lies between two fine coordinates.
fn steps_between(left: i64, right: i64, columns: &Range<i64>) -> Range<i64> {
    let first = left.saturating_add(2).div_euclid(5);
    let last = right.saturating_sub(3).div_euclid(5);
    first.max(columns.start)..(last + 1).min(columns.end)
}

/// The first number from 0 to `last` with a property that all later ones have, and `last` has.
fn first_of(last: i64, has: impl Fn(i64) -> bool) -> i64 {
    let (mut from, mut to) = (0, last);
    while from < to {
        let middle = from + (to - from) / 2;
        if has(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

/// A coordinate on the fine grid, before its fraction is cut off.
fn fine(coordinate: f64) -> f64 {
    5.0 * coordinate + 0.5
}

/// As [`fine`], cut off, and without rounding where the COCO tools would overflow.
fn exactly_fine(coordinate: f64) -> Wide {
    let near = fine(coordinate);
    if near.abs() < NEAR {
        return Wide::from_i64(near as i64);
    }
    let whole = coordinate.trunc();
    let rest = fine(coordinate - whole);
    let rest = if coordinate < 0.0 { rest.ceil() } else { rest.floor() };
    Wide::from_f64(whole).times(Wide::from_i64(5)).plus(Wide::from_i64(rest as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::tests::{Drawing, Random, dense, draw, mask};

    /// Every point of the outline, one after the other, on the fine grid; then every pixel below a step toggled.
    fn point_by_point(part: &[f64], size: Size) -> Drawing {
        let fine: Vec<[i64; 2]> =
            part.chunks(2).map(|p| [p[0], p[1]].map(|c| (5.0 * c + 0.5) as i64)).collect();
        let mut path = Vec::new();
        for (i, &a) in fine.iter().enumerate() {
            let b = fine[(i + 1) % fine.len()];
            let (dx, dy) = ((b[0] - a[0]).abs(), (b[1] - a[1]).abs());
            let long = usize::from(dx < dy);
            let (low, high) = if a[long] <= b[long] { (a, b) } else { (b, a) };
            let slope = (high[1 - long] - low[1 - long]) as f64 / dx.max(dy) as f64;
            let mut points: Vec<[i64; 2]> = (0..=dx.max(dy))
                .map(|t| {
                    let mut point = [low[long] + t; 2];
                    point[1 - long] = (low[1 - long] as f64 + slope * t as f64 + 0.5) as i64;
                    point
                })
                .collect();
            if low != a {
                points.reverse();
            }
            path.extend(points);
        }
        let mut rows = vec![vec![false; size.w]; size.h];
        for step in path.windows(2).filter(|step| step[0][0] != step[1][0]) {
            let (u, v) = (step[0][0].min(step[1][0]), step[0][1].min(step[1][1]));
            if u >= 0 && u % 5 == 2 && u / 5 < size.w as i64 {
                for row in rows.iter_mut().skip((v + 2).div_euclid(5).max(0) as usize) {
                    row[u as usize / 5] ^= true;
                }
            }
        }
        rows
    }

    fn one(part: &[f64], size: Size) -> Drawing {
        dense(&rasterize(part, &[0, part.len()], &[0, 1], size)).remove(0)
    }

    #[test]
    fn same_pixels_as_point_by_point() {
        let mut random = Random(14);
        for i in 0..3000 {
            let size = Size { h: 1 + random.below(20), w: 1 + random.below(25) };
            let (unit, reach) =
                [(1.0, 30), (0.2, 150), (0.1, 250), (0.013, 2000), (7.0, 300)][random.below(5)];
            let mut coordinate = || (random.below(reach) as f64 - reach as f64 / 5.0) * unit;
            let part: Vec<f64> = (0..2 * (3 + i % 6)).map(|_| coordinate()).collect();
            let (found, expected) = (one(&part, size), point_by_point(&part, size));
            assert_eq!(found, expected, "{part:?}: {} for {}", draw(&found), draw(&expected));
        }
    }

    #[test]
    fn parts_of_an_instance_are_united() {
        let mut squares = vec![0.0, 0.0, 2.0, 0.0, 2.0, 2.0, 0.0, 2.0];
        squares.extend([1.0, 1.0, 3.0, 1.0, 3.0, 3.0, 1.0, 3.0].repeat(2));
        let size = Size { h: 4, w: 5 };
        let masks = rasterize(&squares, &[0, 8, 16, 24], &[0, 2, 2, 3], size);
        assert_eq!(masks.select(&[0]), mask("##.../###../.##../....."));
        assert_eq!(masks.select(&[1]), mask("...../...../...../....."));
        assert_eq!(masks.select(&[2]), mask("...../.##../.##../....."));
        assert_eq!(rasterize(&squares, &[0, 8, 16], &[0, 1, 2], Size { h: 0, w: 5 }).len(), 2);
    }

    #[test]
    fn coordinates_of_any_size_are_clipped_exactly() {
        let size = Size { h: 3, w: 4 };
        for far in [1e3, 1e9, 1e12, 1e17, 1e300, f64::MAX] {
            let draws = |part: &[f64]| draw(&one(part, size));
            assert_eq!(draws(&[-far, -far, far, -far, far, far, -far, far]), "####/####/####");
            assert_eq!(draws(&[1.0, -far, 3.0, -far, 3.0, far, 1.0, far]), ".##./.##./.##.");
            assert_eq!(draws(&[-far, 1.0, far, 1.0, far, 2.0, -far, 2.0]), "..../####/....");
            assert_eq!(draws(&[far, far, 2.0 * (far / 4.0), far, far, far / 2.0]), "..../..../....");
            // Along the diagonal, and half a pixel beside it where numbers are fine enough.
            assert_eq!(
                draws(&[-far, -far, far, far, -far, far]),
                draw(&point_by_point(&[-9.0, -9.0, 9.0, 9.0, -9.0, 9.0], size))
            );
        }
        // The limit of the floating-point path, from both sides.
        for far in [429_496_729.0, 429_496_729.5, 429_496_730.0] {
            assert_eq!(draw(&one(&[0.0, 0.0, far, 0.0, far, 1.0, 0.0, 1.0], size)), "####/..../....");
            assert_eq!(draw(&one(&[-far, 0.0, far, 0.0, far, 1.0, -far, 1.0], size)), "####/..../....");
        }
    }

    #[test]
    fn far_edges_are_drawn_as_near_ones() {
        let mut random = Random(15);
        for _ in 0..500 {
            let size = Size { h: 1 + random.below(9), w: 1 + random.below(9) };
            let mut coordinate = || random.below(1200) as f64 / 20.0 - 20.0;
            let part: Vec<f64> = (0..8).map(|_| coordinate()).collect();
            let mut outline =
                Outline { size, vertices: Vec::new(), strip: 0..size.w as i64, toggles: Vec::new() };
            for i in 0..4 {
                let j = (i + 1) % 4;
                let points = [[part[2 * i], part[2 * i + 1]], [part[2 * j], part[2 * j + 1]]];
                let [a, b] = points.map(|point| point.map(|c| fine(c) as i64));
                outline.edge(a, b, points);
                let near = std::mem::take(&mut outline.toggles);
                let steps = steps_between(a[0].min(b[0]), a[0].max(b[0]), &outline.strip);
                outline.far_edge(steps.start as u32..steps.end.max(steps.start) as u32, points);
                assert_eq!(near, std::mem::take(&mut outline.toggles), "{points:?} in {size:?}");
            }
        }
    }

    #[test]
    fn wide_images_and_many_edges_take_little_memory() {
        let size = Size { h: 1, w: 1_200_000 };
        let right = size.w as f64;
        let whole = rasterize(&[0.0, 0.0, right, 0.0, right, 1.0, 0.0, 1.0], &[0, 8], &[0, 1], size);
        assert_eq!(whole.bounds(0), [0, 1_200_000]);
        // Back and forth along one line, and home.
        let mut zigzag = [0.0, 0.0, right, 0.0].repeat(3);
        zigzag.extend([right, 1.0, 0.0, 1.0]);
        assert_eq!(rasterize(&zigzag, &[0, zigzag.len()], &[0, 1], size), whole);
    }
}
