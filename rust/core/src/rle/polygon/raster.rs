//! Polygons to masks, bit for bit as the COCO tools draw them.
//!
//! A pixel is set where an odd number of toggles stands above it in its column, or on it: see [`super::edge`] for those of
//! one edge. A square from 0 to 9 becomes 9 by 9 pixels.

use std::ops::Range;

use super::edge::{Vertex, append_toggles, fine, steps_between};
use crate::memory::reserve_more;
use crate::rle::counts::{check_offsets, pixels_of};
use crate::rle::sort::sort_into;
use crate::rle::spans::cancel_pairs;
use crate::rle::{Masks, union};
use crate::{Error, Result, Size};

/// Toggles, or points where there are more, that are made and sorted at a time: as many as a near cache holds.
const MOST_TOGGLES: usize = 1 << 17;

/// Toggles made, or points looked at, between two questions whether to go on: some hundredths of a second.
const UNASKED: usize = 1 << 22;

/// Mask of each instance: the union of its parts.
///
/// `coordinates` holds `x, y` of all points, in pixels; part i has those from `parts[i]` to `parts[i + 1]`, and instance
/// i the parts from `instances[i]` to `instances[i + 1]`. Time follows the columns that edges cross within the image, and
/// memory the result. Every few hundredths of a second `interrupted` is asked whether to give up.
///
/// # Errors
/// When offsets do not ascend from 0 to the number of what they count, a coordinate is not within
/// [`super::LARGEST_COORDINATE`], the size has more than 2^32 - 1 pixels, there is not enough memory, or `interrupted` says so.
pub fn rasterize(
    coordinates: &[f64],
    parts: &[i64],
    instances: &[i64],
    size: Size,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<Masks> {
    pixels_of(size)?;
    check_offsets(parts, coordinates.len())?;
    check_offsets(instances, parts.len() - 1)?;
    let mut masks = Masks::with_capacity(size, instances.len() - 1, 0)?;
    let mut raster = Raster::new(size, interrupted);
    for range in instances.windows(2) {
        let mut draw_part = |part: usize, masks: &mut Masks| {
            let range = parts[part] as usize..parts[part + 1] as usize;
            raster.draw(part, coordinates[range].as_chunks().0, masks)
        };
        let range = range[0] as usize..range[1] as usize;
        if range.len() == 1 {
            draw_part(range.start, &mut masks)?;
            continue;
        }
        let mut several = Masks::with_capacity(size, range.len(), 0)?;
        for part in range {
            draw_part(part, &mut several)?;
        }
        masks.push(union(&several)?.spans(0))?;
    }
    Ok(masks)
}

/// Makes masks of parts, one after the other.
struct Raster<'a> {
    size: Size,
    /// Points of the part at hand.
    vertices: Vec<Vertex>,
    /// Pixels from which on the state of their column changes, in no order.
    toggles: Vec<u32>,
    /// Toggles, or points where there are more, that are made at a time.
    most_toggles: usize,
    interrupted: &'a mut dyn FnMut() -> bool,
    /// Work that may be done before the next question.
    unasked: usize,
}

impl<'a> Raster<'a> {
    fn new(size: Size, interrupted: &'a mut dyn FnMut() -> bool) -> Self {
        let (vertices, toggles) = (Vec::new(), Vec::new());
        Self { size, vertices, toggles, most_toggles: MOST_TOGGLES, interrupted, unasked: UNASKED }
    }

    /// Appends the mask of one part.
    fn draw(&mut self, part: usize, points: &[[f64; 2]], masks: &mut Masks) -> Result<()> {
        self.vertices.clear();
        reserve_more(&mut self.vertices, points.len())?;
        for &[x, y] in points {
            let (Some(x), Some(y)) = (fine(x), fine(y)) else {
                return Err(Error::CoordinateOutOfRange { part });
            };
            self.vertices.push([x, y]);
        }
        let xs = self.vertices.iter().map(|vertex| vertex[0]);
        if self.size.pixels() > 0
            && let (Some(left), Some(right)) = (xs.clone().min(), xs.max())
        {
            let from = masks.toggles.len();
            self.draw_columns(steps_between(left, right, &(0..self.size.w as i64)), from, masks)?;
        }
        self.go_on(points.len())?;
        masks.close()
    }

    /// Appends the toggles of some columns to those from number `from` on.
    ///
    /// Memory follows what is left of the toggles, not their number: where there are too many, half of the columns come
    /// first.
    fn draw_columns(&mut self, columns: Range<i64>, from: usize, masks: &mut Masks) -> Result<()> {
        let width = (columns.end - columns.start).max(0) as usize;
        let most = self.vertices.len().max(self.most_toggles);
        let expected = match self.vertices.len().saturating_mul(width) {
            few if few <= most => few,
            _ => self.edges().map(|[a, b]| steps_between(a[0], b[0], &columns).count()).sum(),
        };
        self.go_on(self.vertices.len())?;
        if expected > most && width > 1 {
            let middle = columns.start + (width / 2) as i64;
            self.draw_columns(columns.start..middle, from, masks)?;
            return self.draw_columns(middle..columns.end, from, masks);
        }
        let mut toggles = std::mem::take(&mut self.toggles);
        toggles.clear();
        reserve_more(&mut toggles, expected)?;
        for [a, b] in self.edges() {
            append_toggles(steps_between(a[0], b[0], &columns), [a, b], self.size.h as u32, &mut toggles);
        }
        self.go_on(toggles.len())?;
        let before = masks.toggles.len();
        reserve_more(&mut masks.toggles, toggles.len())?;
        masks.toggles.resize(before + toggles.len(), 0);
        sort_into(toggles.iter().copied(), |pixel| pixel, &mut masks.toggles[before..])?;
        self.toggles = toggles;
        // What these columns leave open at their right side the next ones may go on with.
        let touching = before - usize::from(before > from);
        let kept = cancel_pairs(&mut masks.toggles[touching..]);
        masks.toggles.truncate(touching + kept);
        Ok(())
    }

    /// Edges of the part at hand, the first one from its last point.
    fn edges(&self) -> impl Iterator<Item = [Vertex; 2]> {
        let before = self.vertices.last().into_iter().chain(&self.vertices);
        before.zip(&self.vertices).map(|(&a, &b)| [a, b])
    }

    /// Counts work, and asks every now and then whether to go on.
    fn go_on(&mut self, work: usize) -> Result<()> {
        self.unasked = self.unasked.saturating_sub(work);
        if self.unasked == 0 {
            self.unasked = UNASKED;
            if (self.interrupted)() {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::LARGEST_COORDINATE;
    use crate::testing::{Drawing, Random, dense, draw};

    /// Drawing by all points of the outline, one after the other, on the fine grid: pixels below a step are toggled.
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

    fn raster(coordinates: &[f64], parts: &[i64], instances: &[i64], size: Size) -> Masks {
        rasterize(coordinates, parts, instances, size, &mut || false).unwrap()
    }

    fn one(part: &[f64], size: Size) -> Drawing {
        dense(&raster(part, &[0, part.len() as i64], &[0, 1], size)).remove(0)
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
        let masks = raster(&squares, &[0, 8, 16, 24], &[0, 2, 2, 3], size);
        let drawn: Vec<String> = dense(&masks).iter().map(draw).collect();
        assert_eq!(drawn, ["##.../###../.##../.....", "...../...../...../.....", "...../.##../.##../....."]);
        assert_eq!(raster(&squares[..16], &[0, 8, 16], &[0, 1, 2], Size { h: 0, w: 5 }).len(), 2);
    }

    #[test]
    fn far_coordinates_are_clipped_exactly() {
        let size = Size { h: 3, w: 4 };
        for far in [1e3, 429_496_729.5, 1e9, 2_147_483_647.3, LARGEST_COORDINATE] {
            let draws = |part: &[f64]| draw(&one(part, size));
            assert_eq!(draws(&[-far, -far, far, -far, far, far, -far, far]), "####/####/####");
            assert_eq!(draws(&[1.0, -far, 3.0, -far, 3.0, far, 1.0, far]), ".##./.##./.##.");
            assert_eq!(draws(&[-far, 1.0, far, 1.0, far, 2.0, -far, 2.0]), "..../####/....");
            assert_eq!(draws(&[far, far, far / 2.0, far, far, far / 2.0]), "..../..../....");
            // Along the diagonal.
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
    fn what_does_not_fit_is_refused() {
        let size = Size { h: 3, w: 4 };
        let refused = |coordinates: &[f64], parts: &[i64], instances: &[i64]| {
            rasterize(coordinates, parts, instances, size, &mut || false).unwrap_err()
        };
        for wrong in [f64::NAN, f64::INFINITY, -2_147_483_648.5, 1e300] {
            let mut coordinates = [0.0; 12];
            coordinates[9] = wrong;
            let error = refused(&coordinates, &[0, 6, 12], &[0, 2]);
            assert_eq!(error, Error::CoordinateOutOfRange { part: 1 });
        }
        for (parts, instances) in
            [(&[0, 5][..], &[0, 1][..]), (&[0, 6], &[0, 2]), (&[0, 6], &[]), (&[0, 7, 6], &[0, 2])]
        {
            assert_eq!(refused(&[0.0; 6], parts, instances), Error::OffsetsDoNotFit);
        }
        let huge = Size { h: 65_536, w: 65_536 };
        let error = rasterize(&[], &[0], &[0], huge, &mut || false).unwrap_err();
        assert_eq!(error, Error::TooManyPixels { size: huge });
    }

    #[test]
    fn columns_drawn_apart_make_one_mask() {
        let mut random = Random(17);
        for _ in 0..300 {
            let size = Size { h: 1 + random.below(20), w: 1 + random.below(90) };
            let points: Vec<[f64; 2]> =
                (0..3 + random.below(6)).map(|_| [0; 2].map(|_| random.below(120) as f64 - 10.0)).collect();
            let draw_with = |most_toggles: usize| {
                let mut masks = Masks::empty(size);
                let mut go_on = || false;
                let mut raster = Raster { most_toggles, ..Raster::new(size, &mut go_on) };
                raster.draw(0, &points, &mut masks).map(|()| masks)
            };
            assert_eq!(draw_with(1), draw_with(MOST_TOGGLES));
        }
    }

    #[test]
    fn work_can_be_interrupted() {
        let size = Size { h: 1000, w: 100_000 };
        let across = [0.0, 0.0, 100_000.0, 999.0].repeat(200);
        let mut asked = 0;
        let mut stop = || {
            asked += 1;
            asked == 3
        };
        let error = rasterize(&across, &[0, 800], &[0, 1], size, &mut stop).unwrap_err();
        assert_eq!((error, asked), (Error::Interrupted, 3));
        // And many parts, of which none is much work.
        let few = [0.0, 0.0, 5.0, 0.0, 5.0, 5.0].repeat(2_000_000);
        let parts: Vec<i64> = (0..=2_000_000).map(|part| 6 * part).collect();
        let instances: Vec<i64> = (0..=2_000_000).collect();
        let error = rasterize(&few, &parts, &instances, Size { h: 9, w: 9 }, &mut || true).unwrap_err();
        assert_eq!(error, Error::Interrupted);
    }

    #[test]
    fn wide_images_and_many_edges_take_little_memory() {
        let size = Size { h: 1, w: 1_200_000 };
        let right = size.w as f64;
        let whole = raster(&[0.0, 0.0, right, 0.0, right, 1.0, 0.0, 1.0], &[0, 8], &[0, 1], size);
        assert_eq!(whole.spans(0), [[0, 1_200_000]]);
        // Back and forth along one line, and home.
        let mut zigzag = [0.0, 0.0, right, 0.0].repeat(3);
        zigzag.extend([right, 1.0, 0.0, 1.0]);
        assert_eq!(raster(&zigzag, &[0, zigzag.len() as i64], &[0, 1], size), whole);
    }
}
