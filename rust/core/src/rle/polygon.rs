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

/// More toggles than this are sorted and cancelled before others are made: what is left is bounded by the pixels.
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
    let mut outline = Outline { size, vertices: Vec::new(), toggles: Vec::new() };
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
    /// Pixels from which on the state of their column changes, in no order.
    toggles: Vec<u32>,
}

impl Outline {
    /// Appends the mask of one part.
    fn draw(&mut self, points: &[[f64; 2]], masks: &mut Masks) {
        self.vertices.clear();
        self.vertices.extend(points.iter().map(|point| point.map(|c| fine(c) as i64)));
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
        let from = masks.bounds.len();
        masks.bounds.resize(from + self.toggles.len(), 0);
        sort_into(self.toggles.iter().copied(), |pixel| pixel, &mut masks.bounds[from..]);
        masks.close();
    }

    /// Adds the toggles of one edge.
    fn edge(&mut self, a: [i64; 2], b: [i64; 2], points: [[f64; 2]; 2]) {
        // The columns k whose step lies in the edge: from 5k + 2 to 5k + 3.
        let (left, right) = (a[0].min(b[0]), a[0].max(b[0]));
        let first = left.saturating_add(2).div_euclid(5).max(0);
        let last = right.saturating_sub(3).div_euclid(5).min(self.size.w as i64 - 1);
        if first > last {
            return;
        }
        let columns = first as u32..last as u32 + 1;
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
            let near = ((step - 0.5 - xs) * per_column).ceil() as i64;
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
