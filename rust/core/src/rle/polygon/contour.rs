//! Masks to polygons.
//!
//! The outlines of a mask run along pixel edges: horizontal ones above and below its spans, vertical ones between
//! neighbouring columns. Drawing a polygon toggles pixels at horizontal edges only, so a mask comes back exactly
//! from any rings that contain each of these once. Here each ring bounds one 4-connected part.

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
    /// Start of the coordinates of each part, and the end of the last one's.
    pub parts: Vec<i64>,
    /// Start of the parts of each instance, and the end of the last one's.
    pub instances: Vec<i64>,
}

/// Outlines of each mask: for each 4-connected part of it a ring along pixel edges.
///
/// [`super::rasterize`] of these gives the masks. A hole is joined to the outline around it by a cut without width.
///
/// # Errors
/// When there is not enough memory.
pub fn polygons(masks: &Masks) -> Result<Polygons> {
    let h = masks.size().h as u32;
    let mut found =
        Polygons { coordinates: Vec::new(), parts: reserve(1)?, instances: reserve(masks.len() + 1)? };
    found.parts.push(0);
    found.instances.push(0);
    for spans in masks.iter() {
        Contour::new(spans, h)?.append_rings(&mut found)?;
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
    /// For each end the one that a vertical edge joins it to.
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
    fn append_rings(mut self, found: &mut Polygons) -> Result<()> {
        for edge in self.tops_of_loops()? {
            // The topmost edge of an outline is a top; that of a hole is the bottom of a span, whose top belongs to
            // an outline that reaches higher. Crossing over between the two left ends, both on one vertical line,
            // makes one loop of both.
            if edge % 2 == 1 {
                let (hole, around) = (2 * edge, 2 * (edge - 1));
                let (after_hole, after_around) = (self.joined[hole], self.joined[around]);
                self.joined[hole] = around;
                self.joined[around] = hole;
                self.joined[after_hole] = after_around;
                self.joined[after_around] = after_hole;
            }
        }
        self.for_each_loop(|contour, ends| contour.append_ring(ends, found))
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
    fn append_ring(&self, ends: &[usize], found: &mut Polygons) -> Result<()> {
        reserve_more(&mut found.coordinates, 4 * ends.len())?;
        for &end in ends {
            let leave = end ^ 1;
            let HorizontalEdge { x0, x1, y } = self.edges[leave / 2];
            let next = self.edges[self.joined[leave] / 2].y;
            // Edges at one height are one side.
            if y != next {
                let x = if leave % 2 == 0 { x0 } else { x1 } as f64;
                found.coordinates.extend([x, y as f64, x, next as f64]);
            }
        }
        reserve_more(&mut found.parts, 1)?;
        found.parts.push(found.coordinates.len() as i64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::rasterize;
    use crate::testing::{mask, random_masks};

    /// Rings of the only mask of a drawing.
    fn rings(drawing: &str) -> Vec<Vec<f64>> {
        let Polygons { coordinates, parts, instances } = polygons(&mask(drawing)).unwrap();
        assert_eq!(instances, [0, parts.len() as i64 - 1]);
        parts.windows(2).map(|range| coordinates[range[0] as usize..range[1] as usize].to_vec()).collect()
    }

    #[test]
    fn rings_give_the_mask_back() {
        for masks in random_masks(12) {
            let Polygons { coordinates, parts, instances } = polygons(&masks).unwrap();
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
        assert_eq!(polygons(&whole).unwrap().coordinates, expected);
    }
}
