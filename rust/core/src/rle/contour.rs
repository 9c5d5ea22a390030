//! Masks to polygons.
//!
//! The outlines of a mask run along pixel edges: horizontal ones above and below its spans, vertical ones between
//! neighbouring columns. Drawing a polygon toggles pixels at horizontal edges only, so a mask comes back exactly
//! from any rings that contain each of these once. Here each ring bounds one 4-connected part.

use std::ops::Range;

use super::{Masks, for_each_piece};

/// For each mask its rings, flat `x, y, x, y, ...` in whole numbers, one for each 4-connected part.
///
/// [`super::rasterize`] of the rings of a mask gives the mask. A hole is joined to the outline around it by a cut
/// without width.
#[must_use]
pub fn polygons(masks: &Masks) -> Vec<Vec<Vec<f64>>> {
    let h = masks.size().h as u32;
    masks.iter().map(|bounds| Edges::of(bounds, h).rings()).collect()
}

/// A horizontal edge of the mask, over columns that look the same.
#[derive(Clone, Copy)]
struct Edge {
    x0: u32,
    x1: u32,
    y: u32,
}

/// The horizontal edges of a mask, column by column from the top: even ones are the tops of spans, odd ones the
/// bottoms. Number `2 * i` is the left end of edge i, number `2 * i + 1` its right end.
struct Edges {
    edges: Vec<Edge>,
    /// For each end the one that a vertical edge joins it to.
    joined: Vec<usize>,
}

impl Edges {
    fn of(bounds: &[u32], h: u32) -> Self {
        let mut edges: Vec<Edge> = Vec::with_capacity(bounds.len());
        // Where the edges of each column begin.
        let mut columns = Vec::new();
        for_each_piece(bounds, h, |x0, x1, y0, y1| {
            if edges.last().is_none_or(|last| last.x0 != x0) {
                columns.push(edges.len());
            }
            edges.extend([y0, y1].map(|y| Edge { x0, x1, y }));
        });
        columns.push(edges.len());
        let mut made = Self { joined: vec![0; 2 * edges.len()], edges };
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
        made
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

    /// The outlines, holes joined to those around them.
    fn rings(mut self) -> Vec<Vec<f64>> {
        for edge in self.tops_of_loops() {
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
        let mut rings = Vec::new();
        self.for_each_loop(|edges, ends| rings.push(edges.ring(ends)));
        rings
    }

    /// The topmost edge of each loop, of several the leftmost.
    fn tops_of_loops(&self) -> Vec<usize> {
        let mut tops = Vec::new();
        self.for_each_loop(|edges, ends| {
            let position = |edge: &usize| (edges.edges[*edge].y, edges.edges[*edge].x0);
            tops.extend(ends.iter().map(|end| end / 2).min_by_key(position));
        });
        tops
    }

    /// Calls `found` with the ends at which each loop enters its edges.
    fn for_each_loop(&self, mut found: impl FnMut(&Self, &[usize])) {
        let mut seen = vec![false; self.edges.len()];
        let mut ends = Vec::new();
        for first in 0..self.edges.len() {
            let mut end = 2 * first;
            while !seen[end / 2] {
                seen[end / 2] = true;
                ends.push(end);
                end = self.joined[end ^ 1];
            }
            if !ends.is_empty() {
                found(self, &ends);
                ends.clear();
            }
        }
    }

    /// The corners of a loop.
    fn ring(&self, ends: &[usize]) -> Vec<f64> {
        let mut ring = Vec::new();
        for &end in ends {
            let leave = end ^ 1;
            let Edge { x0, x1, y } = self.edges[leave / 2];
            let next = self.edges[self.joined[leave] / 2].y;
            // Edges at one height are one side.
            if y != next {
                let x = if leave % 2 == 0 { x0 } else { x1 } as f64;
                ring.extend([x, y as f64, x, next as f64]);
            }
        }
        ring
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::rasterize;
    use crate::rle::tests::{mask, random_masks};

    /// The mask that rings draw.
    fn drawn(rings: &[Vec<Vec<f64>>], size: crate::Size) -> Masks {
        let (mut coordinates, mut parts, mut instances) = (Vec::new(), vec![0], vec![0]);
        for rings in rings {
            for ring in rings {
                coordinates.extend(ring);
                parts.push(coordinates.len());
            }
            instances.push(parts.len() - 1);
        }
        rasterize(&coordinates, &parts, &instances, size)
    }

    #[test]
    fn rings_give_the_mask_back() {
        for masks in random_masks(12) {
            assert_eq!(drawn(&polygons(&masks), masks.size()), masks);
        }
    }

    #[test]
    fn rings_run_along_pixel_edges() {
        let rings = |drawing: &str| polygons(&mask(drawing)).remove(0);
        assert_eq!(rings(".../..."), Vec::<Vec<f64>>::new());
        assert_eq!(rings("..../.##."), [[3.0, 1.0, 3.0, 2.0, 1.0, 2.0, 1.0, 1.0]]);
        assert_eq!(rings("##/##/#."), [[2.0, 0.0, 2.0, 2.0, 1.0, 2.0, 1.0, 3.0, 0.0, 3.0, 0.0, 0.0]]);
    }

    #[test]
    fn one_ring_for_each_part() {
        let count = |drawing: &str| polygons(&mask(drawing))[0].len();
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
        assert_eq!(polygons(&whole), [[[end, 0.0, end, 1.0, 3.0, 1.0, 3.0, 0.0]]]);
    }
}
