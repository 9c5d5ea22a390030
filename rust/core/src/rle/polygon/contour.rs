//! Masks to polygons.
//!
//! The outlines of a mask run along pixel edges: horizontal ones above and below its spans, vertical ones between
//! neighbouring columns. Drawing a polygon toggles pixels at horizontal edges only, so a mask comes back exactly
//! from any rings that contain each of these once. Here each ring bounds one 4-connected part. Tops of spans run from
//! left to right, bottoms back: the mask lies to the right of each ring, below what runs right, left of what runs down.

use std::ops::Range;

use crate::Result;
use crate::memory::{filled, reserve, reserve_more};
use crate::rle::Masks;
use crate::rle::spans::for_each_rectangle;

/// Polygons of several instances in flat arrays.
#[derive(Debug, PartialEq)]
pub struct Polygons {
    /// `x, y` of all points, in pixels.
    pub coordinates: Vec<f64>,
    /// Offset of the coordinates of each part, and, last, their number.
    pub parts: Vec<i64>,
    /// Offset of the parts of each instance, and, last, their number.
    pub instances: Vec<i64>,
}

/// Points of pixels that outlines run through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vertices {
    /// Corners: the ring is the border of the part.
    Corners,
    /// Centres: each corner of that ring is moved into the part, by half a pixel on both axes, and cuts to holes run
    /// through the centres of a column.
    Centers,
}

/// Outlines of each mask: for each 4-connected part of it a ring along pixel edges.
///
/// [`super::rasterize`] of those through corners gives the masks. A hole is joined to the outline around it by a cut without width.
///
/// # Errors
/// When there is not enough memory.
pub fn polygons(masks: &Masks, vertices: Vertices) -> Result<Polygons> {
    let h = masks.size().h as u32;
    let mut found =
        Polygons { coordinates: Vec::new(), parts: reserve(1)?, instances: reserve(masks.len() + 1)? };
    found.parts.push(0);
    found.instances.push(0);
    for spans in masks.iter() {
        Contour::new(spans, h)?.append_rings(vertices, &mut found)?;
        found.instances.push(found.parts.len() as i64 - 1);
    }
    Ok(found)
}

/// A horizontal edge of a mask, over columns that look the same.
#[derive(Clone, Copy, Default)]
struct HorizontalEdge {
    x0: u32,
    x1: u32,
    y: u32,
}

/// Horizontal edges of a mask, column by column from the top: even ones are the tops of spans, odd ones the
/// bottoms. Number `2 * i` is the left end of edge i, number `2 * i + 1` its right end.
struct Contour {
    edges: Vec<HorizontalEdge>,
    /// End that a vertical edge joins to each end.
    joined: Vec<usize>,
}

impl Contour {
    fn new(spans: &[[u32; 2]], h: u32) -> Result<Self> {
        let mut rectangles = 0;
        for_each_rectangle(spans, h, |_, _, _, _| rectangles += 1);
        let mut edges: Vec<HorizontalEdge> = reserve(2 * rectangles)?;
        // Where the edges of each column begin.
        let mut columns = reserve(rectangles + 1)?;
        for_each_rectangle(spans, h, |x0, x1, y0, y1| {
            if edges.last().is_none_or(|last| last.x0 != x0) {
                columns.push(edges.len());
            }
            edges.extend([y0, y1].map(|y| HorizontalEdge { x0, x1, y }));
        });
        columns.push(edges.len());
        let mut made = Self { joined: filled(2 * edges.len())?, edges };
        // Between column and column, the edges that end from the left and from the right.
        let mut left = 0..0;
        for column in columns.windows(2) {
            let right = column[0]..column[1];
            let neighbours = !left.is_empty() && made.edges[left.start].x1 == made.edges[right.start].x0;
            if neighbours {
                made.join(left, right.clone());
            } else {
                made.join(left, 0..0);
                made.join(0..0, right.clone());
            }
            left = right;
        }
        made.join(left, 0..0);
        Ok(made)
    }

    /// Joins the right ends of some edges and the left ends of others, all on one vertical line.
    ///
    /// Down the line the two sides differ from the first end to the second, from the third to the fourth, and so
    /// on: there are the vertical edges.
    fn join(&mut self, left: Range<usize>, right: Range<usize>) {
        let (mut left, mut right) = (left.peekable(), right.peekable());
        // Where two pixels meet at a corner, the edge below the upper comes first, which keeps them apart.
        let order = |edge: usize| (self.edges[edge].y, edge.is_multiple_of(2));
        let mut open = None;
        loop {
            let end = match (left.peek(), right.peek()) {
                (None, None) => return,
                (Some(&a), Some(&b)) if order(a) <= order(b) => left.next().map(|edge| 2 * edge + 1),
                (Some(_), None) => left.next().map(|edge| 2 * edge + 1),
                _ => right.next().map(|edge| 2 * edge),
            };
            match (open, end) {
                (Some(before), Some(end)) => {
                    self.joined[before] = end;
                    self.joined[end] = before;
                    open = None;
                }
                _ => open = end,
            }
        }
    }

    /// Appends the outlines, holes joined to those around them.
    fn append_rings(mut self, vertices: Vertices, found: &mut Polygons) -> Result<()> {
        for edge in self.tops_of_loops()? {
            // The topmost edge of an outline is a top; that of a hole is the bottom of a span, whose top belongs to
            // an outline that reaches higher.
            if edge % 2 == 1 {
                match vertices {
                    Vertices::Corners => self.cross_over(2 * edge, 2 * (edge - 1)),
                    Vertices::Centers => self.cut_through(edge, edge - 1)?,
                }
            }
        }
        self.for_each_loop(|contour, ends| contour.append_ring(ends, vertices, found))
    }

    /// Crosses over between two ends on one vertical line, which makes one loop of two.
    fn cross_over(&mut self, hole: usize, around: usize) {
        let (after_hole, after_around) = (self.joined[hole], self.joined[around]);
        self.join_ends(hole, around);
        self.join_ends(after_hole, after_around);
    }

    /// Makes one loop of those of a hole and of the outline around it, by a cut down the first column of two edges.
    ///
    /// Both edges are parted in this column, whose centres the cut then runs through, there and back: along the left
    /// side of the column it would run through whatever lies beside it.
    fn cut_through(&mut self, hole: usize, around: usize) -> Result<()> {
        reserve_more(&mut self.edges, 2)?;
        reserve_more(&mut self.joined, 4)?;
        let (parted_around, parted_hole) = (self.edges.len(), self.edges.len() + 1);
        for edge in [around, hole] {
            let HorizontalEdge { x0, y, .. } = self.edges[edge];
            self.edges.push(HorizontalEdge { x0, x1: x0 + 1, y });
            self.joined.extend([0; 2]);
        }
        let (before_around, after_hole) = (self.joined[2 * around], self.joined[2 * hole]);
        self.join_ends(2 * parted_around, before_around);
        self.join_ends(2 * parted_hole, after_hole);
        self.join_ends(2 * parted_around + 1, 2 * parted_hole + 1);
        self.join_ends(2 * around, 2 * hole);
        Ok(())
    }

    fn join_ends(&mut self, one: usize, other: usize) {
        self.joined[one] = other;
        self.joined[other] = one;
    }

    /// Topmost edge of each loop, of several the leftmost.
    fn tops_of_loops(&self) -> Result<Vec<usize>> {
        let mut tops = Vec::new();
        self.for_each_loop(|contour, ends| {
            let position = |edge: &usize| (contour.edges[*edge].y, contour.edges[*edge].x0);
            reserve_more(&mut tops, 1)?;
            tops.extend(ends.iter().map(|end| end / 2).min_by_key(position));
            Ok(())
        })?;
        Ok(tops)
    }

    /// Calls `found` with the ends at which each loop enters its edges.
    fn for_each_loop(&self, mut found: impl FnMut(&Self, &[usize]) -> Result<()>) -> Result<()> {
        let mut seen: Vec<bool> = filled(self.edges.len())?;
        let mut ends = Vec::new();
        for first in 0..self.edges.len() {
            let mut end = 2 * first;
            while !seen[end / 2] {
                seen[end / 2] = true;
                reserve_more(&mut ends, 1)?;
                ends.push(end);
                end = self.joined[end ^ 1];
            }
            if !ends.is_empty() {
                found(self, &ends)?;
                ends.clear();
            }
        }
        Ok(())
    }

    /// Appends the corners of a loop.
    fn append_ring(&self, ends: &[usize], vertices: Vertices, found: &mut Polygons) -> Result<()> {
        reserve_more(&mut found.coordinates, 4 * ends.len())?;
        for &end in ends {
            let leave = end ^ 1;
            let HorizontalEdge { x0, x1, y } = self.edges[leave / 2];
            let enter = self.joined[leave];
            let next = self.edges[enter / 2].y;
            // Edges at one height are one side.
            if y != next {
                let x = if leave % 2 == 0 { x0 } else { x1 };
                found.coordinates.extend(match vertices {
                    Vertices::Corners => [x, y, x, next].map(f64::from),
                    Vertices::Centers => {
                        let x = if next > y { x as f64 - 0.5 } else { x as f64 + 0.5 };
                        [x, y as f64 + inwards(leave), x, next as f64 + inwards(enter)]
                    }
                });
            }
        }
        reserve_more(&mut found.parts, 1)?;
        found.parts.push(found.coordinates.len() as i64);
        Ok(())
    }
}

/// Way from the horizontal edge of an end into the mask, half a pixel down from a top, up from a bottom.
fn inwards(end: usize) -> f64 {
    if (end / 2).is_multiple_of(2) { 0.5 } else { -0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::rasterize;
    use crate::testing::{mask, random_masks};

    /// Rings of the only mask of a drawing.
    fn rings(drawing: &str) -> Vec<Vec<f64>> {
        rings_through(drawing, Vertices::Corners)
    }

    fn rings_through(drawing: &str, vertices: Vertices) -> Vec<Vec<f64>> {
        let Polygons { coordinates, parts, instances } = polygons(&mask(drawing), vertices).unwrap();
        assert_eq!(instances, [0, parts.len() as i64 - 1]);
        parts.windows(2).map(|range| coordinates[range[0] as usize..range[1] as usize].to_vec()).collect()
    }

    #[test]
    fn rings_give_the_mask_back() {
        for masks in random_masks(12) {
            let Polygons { coordinates, parts, instances } = polygons(&masks, Vertices::Corners).unwrap();
            let drawn = rasterize(&coordinates, &parts, &instances, masks.size(), &mut || false);
            assert_eq!(drawn, Ok(masks));
        }
    }

    #[test]
    fn rings_run_along_pixel_edges() {
        assert_eq!(rings(".../..."), Vec::<Vec<f64>>::new());
        assert_eq!(rings("..../.##."), [[3.0, 1.0, 3.0, 2.0, 1.0, 2.0, 1.0, 1.0]]);
        assert_eq!(rings("##/##/#."), [[2.0, 0.0, 2.0, 2.0, 1.0, 2.0, 1.0, 3.0, 0.0, 3.0, 0.0, 0.0]]);
    }

    #[test]
    fn rings_run_through_pixel_centres() {
        let rings = |drawing: &str| rings_through(drawing, Vertices::Centers);
        assert_eq!(rings(".../..."), Vec::<Vec<f64>>::new());
        assert_eq!(rings("..../.##."), [[2.5, 1.5, 2.5, 1.5, 1.5, 1.5, 1.5, 1.5]]);
        assert_eq!(rings("##/##/#."), [[1.5, 0.5, 1.5, 1.5, 0.5, 1.5, 0.5, 2.5, 0.5, 2.5, 0.5, 0.5]]);
        // A hole, joined by a cut down the second column: its sides run through the pixels around it.
        let ring = rings("###/#.#/###").concat();
        let points: Vec<String> =
            ring.as_chunks().0.iter().map(|[x, y]: &[f64; 2]| format!("{x},{y}")).collect();
        let expected =
            "1.5,0.5 1.5,0.5 0.5,0.5 0.5,2.5 2.5,2.5 2.5,0.5 1.5,0.5 1.5,0.5 2.5,0.5 2.5,2.5 0.5,2.5 0.5,0.5";
        assert_eq!(points.join(" "), expected);
    }

    #[test]
    fn each_vertex_is_the_centre_of_a_pixel_of_the_mask() {
        for masks in random_masks(13) {
            let drawn = crate::testing::dense(&masks);
            let Polygons { coordinates, parts, instances } = polygons(&masks, Vertices::Centers).unwrap();
            for (mask, range) in drawn.iter().zip(instances.windows(2)) {
                let of_mask = parts[range[0] as usize] as usize..parts[range[1] as usize] as usize;
                for [x, y] in coordinates[of_mask].as_chunks().0 {
                    assert!(
                        mask[(y - 0.5) as usize][(x - 0.5) as usize] && x.fract() == 0.5 && y.fract() == 0.5
                    );
                }
            }
        }
    }

    #[test]
    fn one_ring_for_each_part() {
        let count = |drawing: &str| rings(drawing).len();
        assert_eq!(count("#./.#"), 2);
        assert_eq!(count("##/.#"), 1);
        assert_eq!(count("###/#.#/###/..."), 1);
        // Two holes that touch at a corner, and a hole that is open at one.
        assert_eq!(count("####/#.##/##.#/####"), 1);
        assert_eq!(count("##./#.#/###"), 1);
        // A part in the hole of another.
        assert_eq!(count("#####/#...#/#.#.#/#...#/#####"), 2);
    }

    #[test]
    fn cost_follows_the_spans() {
        let size = crate::Size { h: 1, w: 4_294_967_295 };
        let whole = Masks::from_counts(size, &[3, u32::MAX - 3], &[0, 2]).unwrap();
        let end = u32::MAX as f64;
        let expected = [end, 0.0, end, 1.0, 3.0, 1.0, 3.0, 0.0];
        assert_eq!(polygons(&whole, Vertices::Corners).unwrap().coordinates, expected);
    }
}
