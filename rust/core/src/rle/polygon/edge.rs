//! Toggles of one edge of a polygon, on a grid five times as fine as the pixels.
//!
//! The COCO tools walk an edge point by point along its longer axis, and toggle a pixel wherever it steps from the middle
//! of a column to the next fine column: from `5k + 2` to `5k + 3`. All other points go unused, so only those steps are
//! computed here: in floating point as the COCO tools do, and exactly where their integers of 32 bits are too small.

use std::ops::Range;

/// Highest coordinate, in pixels, and with the sign turned the lowest.
pub const LARGEST_COORDINATE: f64 = 2_147_483_648.0;

/// Limit, in size, of the fine coordinates and differences that the COCO tools can hold.
const NEAR: i64 = 1 << 31;

/// A vertex on the fine grid.
pub(super) type Vertex = [i64; 2];

/// A coordinate on the fine grid, its fraction cut off; none where it is not within [`LARGEST_COORDINATE`].
pub(super) fn fine(coordinate: f64) -> Option<i64> {
    const FRACTION: i64 = 1 << 24;
    let rounded = 5.0 * coordinate + 0.5;
    if rounded.abs() < NEAR as f64 {
        return Some(rounded as i64);
    }
    // A coordinate as far out has no more bits behind the point than this.
    let scaled = (coordinate * FRACTION as f64) as i64;
    (coordinate.abs() <= LARGEST_COORDINATE).then(|| (5 * scaled + FRACTION / 2) / FRACTION)
}

/// Columns k, of some, whose step, from `5k + 2` to `5k + 3`, lies between two fine coordinates.
pub(super) fn steps_between(a: i64, b: i64, columns: &Range<i64>) -> Range<i64> {
    let first = (a.min(b) + 2).div_euclid(5).max(columns.start);
    let behind = ((a.max(b) - 3).div_euclid(5) + 1).min(columns.end);
    first..behind.max(first)
}

/// Appends, for each of some columns that an edge crosses, the pixel from which on it toggles the column of height `h`.
pub(super) fn append_toggles(columns: Range<i64>, [a, b]: [Vertex; 2], h: u32, toggles: &mut Vec<u32>) {
    if columns.is_empty() {
        return;
    }
    let columns = columns.start as u32..columns.end as u32;
    let (dx, dy) = ((a[0] - b[0]).abs(), (a[1] - b[1]).abs());
    let near = a.into_iter().chain(b).all(|c| c.abs() < NEAR) && dx.max(dy) < NEAR;
    let steep = dx < dy;
    // Along the longer axis, from its low end.
    let (start, end) = if a[usize::from(steep)] > b[usize::from(steep)] { (b, a) } else { (a, b) };
    match (near, steep) {
        (true, false) => append_flat(columns, start, end, h, toggles),
        (true, true) => append_steep(columns, start, end, h, toggles),
        (false, _) => append_exactly(columns, start, end, h, toggles),
    }
}

/// Toggles of an edge with a point for each fine column.
fn append_flat(columns: Range<u32>, [xs, ys]: Vertex, [xe, ye]: Vertex, h: u32, toggles: &mut Vec<u32>) {
    let slope = (ye - ys) as f64 / (xe - xs) as f64;
    // Of the two points of a step the upper one counts.
    let step = 5 * columns.start as i64 + 2 + i64::from(slope < 0.0) - xs;
    let (ys, step, first, bottom) = (ys as f64, step as f64, columns.start, 5.0 * h as f64);
    toggles.extend(columns.map(|k| {
        let t = step + 5.0 * (k - first) as f64;
        let v = (ys + slope * t + 0.5).clamp(0.0, bottom) as i64;
        k * h + ((v + 2) / 5) as u32
    }));
}

/// Toggles of an edge with a point for each fine row.
fn append_steep(columns: Range<u32>, [xs, ys]: Vertex, [xe, ye]: Vertex, h: u32, toggles: &mut Vec<u32>) {
    let length = ye - ys;
    let slope = (xe - xs) as f64 / length as f64;
    let rightwards = slope > 0.0;
    let (xs, per_column, bottom) = (xs as f64, 1.0 / slope, 5 * h as i64);
    toggles.extend(columns.map(|k| {
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

/// First number from 0 to `last` with a property that all later ones have, and `last` has.
fn first_of(last: i64, has: impl Fn(i64) -> bool) -> i64 {
    let (mut from, mut to) = (0, last);
    while from < to {
        let middle = from + (to - from) / 2;
        if has(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

/// Toggles of any edge, in whole numbers: differences have 35 bits, products 72, and what follows from column to column
/// fits 64 again.
fn append_exactly(columns: Range<u32>, [xs, ys]: Vertex, [xe, ye]: Vertex, h: u32, toggles: &mut Vec<u32>) {
    let (dx, dy) = (xe - xs, ye - ys);
    let before = 5 * columns.start as i64 + 2;
    // The upper point of a step is `base + sign * floor(numerator / divisor)`; from one column to the next `change` is
    // added to the numerator.
    let (base, sign, numerator, change, divisor) = if dx >= dy.abs() {
        // The height over the fine column before the step, or, where the edge rises, behind it; rounded.
        let x = before + i64::from(dy < 0) - xs;
        (ys, 1, 2 * i128::from(dy) * i128::from(x) + i128::from(dx), 10 * i128::from(dy), 2 * dx)
    } else {
        // The last fine row before the edge is half a fine column behind the step.
        let room = i128::from(-2 * (before - xs) - 1) * i128::from(dy);
        let change = -10 * i128::from(dy);
        if dx > 0 { (ys - 1, -1, room, change, 2 * dx) } else { (ys, 1, room, change, -2 * dx) }
    };
    let parts =
        |value: i128| (value.div_euclid(divisor.into()) as i64, value.rem_euclid(divisor.into()) as i64);
    let ((mut whole, mut rest), (whole_change, rest_change)) = (parts(numerator), parts(change));
    toggles.extend(columns.map(|k| {
        let v = (base + sign * whole).clamp(0, 5 * h as i64);
        (whole, rest) = (whole + whole_change, rest + rest_change);
        if rest >= divisor {
            (whole, rest) = (whole + 1, rest - divisor);
        }
        k * h + ((v + 2) / 5) as u32
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    const ALL: Range<i64> = 0..9;

    fn found(edge: [Vertex; 2], h: u32) -> Vec<u32> {
        let mut toggles = Vec::new();
        append_toggles(steps_between(edge[0][0], edge[1][0], &ALL), edge, h, &mut toggles);
        toggles
    }

    #[test]
    fn exact_edges_are_those_of_floating_point() {
        let mut random = Random(15);
        for _ in 0..3000 {
            let h = 1 + random.below(9) as u32;
            let [a, b] = [0; 2].map(|_| [0; 2].map(|_| random.below(300) as i64 - 100));
            let columns = steps_between(a[0], b[0], &ALL);
            if columns.is_empty() {
                continue;
            }
            let along = usize::from((a[0] - b[0]).abs() < (a[1] - b[1]).abs());
            let (start, end) = if a[along] > b[along] { (b, a) } else { (a, b) };
            let mut exact = Vec::new();
            append_exactly(columns.start as u32..columns.end as u32, start, end, h, &mut exact);
            assert_eq!(found([a, b], h), exact, "{a:?} {b:?}");
        }
    }

    /// The row from which on column `k` is toggled, found by looking at the points of the edge near the image.
    fn point_by_point([a, b]: [Vertex; 2], k: i64, h: u32) -> i64 {
        let along = usize::from((a[0] - b[0]).abs() < (a[1] - b[1]).abs());
        let (start, end) = if a[along] > b[along] { (b, a) } else { (a, b) };
        let [length, rise] = [along, 1 - along].map(|axis| i128::from(end[axis] - start[axis]));
        let rounded = |at: i64| {
            let across =
                2 * (i128::from(start[1 - along]) * length + rise * i128::from(at - start[along])) + length;
            across.div_euclid(2 * length) as i64
        };
        let upper = if along == 0 {
            rounded(5 * k + 2).min(rounded(5 * k + 3))
        } else {
            let before = |v: i64| (rounded(v) <= 5 * k + 2) == (rise > 0);
            (-3..5 * i64::from(h) + 3).take_while(|&v| before(v)).last().unwrap_or(-3)
        };
        (upper + 2).div_euclid(5).clamp(0, h.into())
    }

    #[test]
    fn far_edges_go_through_their_points() {
        let mut random = Random(16);
        let mut seen = 0;
        for _ in 0..5000 {
            let h = 1 + random.below(30) as u32;
            let far = [1 << 31, 1 << 33, 5 << 31][random.below(3)];
            let a = [0; 2].map(|_| random.below(2 * far) as i64 - far as i64);
            // Through the image, or along one of its sides.
            let through = [random.below(45) as i64, random.below(5 * h as usize) as i64];
            let mut b = [0, 1].map(|axis| 2 * through[axis] - a[axis]);
            match random.below(4) {
                0 => b[0] = through[0],
                1 => b[1] = through[1],
                _ => {}
            }
            for (k, toggle) in steps_between(a[0], b[0], &ALL).zip(found([a, b], h)) {
                assert_eq!(
                    i64::from(toggle) - k * i64::from(h),
                    point_by_point([a, b], k, h),
                    "{a:?} {b:?} {k}"
                );
                seen += 1;
            }
        }
        assert!(seen > 5000, "{seen}");
    }
}
