//! Connected parts of masks, found on their rectangles: without those that are small.

use std::cmp::Ordering;

use crate::Result;
use crate::memory::reserve_more;
use crate::rle::Masks;
use crate::rle::spans::for_each_rectangle;

/// Each mask without its connected parts of fewer than `least` pixels.
///
/// Pixels that share a side are connected, and with `diagonal` those too that share a corner.
///
/// # Errors
/// When there is not enough memory.
pub fn without_small_parts(masks: &Masks, least: u32, diagonal: bool) -> Result<Masks> {
    let mut result = Masks::with_capacity(masks.size(), masks.len(), masks.toggles_len())?;
    let mut parts = Parts::default();
    let h = masks.size().h as u32;
    for spans in masks.iter() {
        parts.find(spans, h, diagonal)?;
        reserve_more(&mut result.toggles, 2 * parts.rectangles.len())?;
        for i in 0..parts.rectangles.len() {
            let root = parts.root(i as u32) as usize;
            if parts.areas[root] >= least {
                // Rectangles of one span meet: closing the mask joins them again.
                let Rectangle { x0, x1, y0, y1 } = parts.rectangles[i];
                result.toggles.extend([x0 * h + y0, (x1 - 1) * h + y1]);
            }
        }
        result.close()?;
    }
    Ok(result)
}

/// A part of one column, or several columns in full.
#[derive(Clone, Copy)]
struct Rectangle {
    x0: u32,
    x1: u32,
    y0: u32,
    y1: u32,
}

/// Rectangles of one mask, and which of them are connected.
#[derive(Default)]
struct Parts {
    rectangles: Vec<Rectangle>,
    /// An earlier rectangle of the same part, or the rectangle itself: the first of its part.
    parents: Vec<u32>,
    /// Pixels of each part, at its first rectangle.
    areas: Vec<u32>,
}

impl Parts {
    /// Finds the parts of a mask of height `h`.
    fn find(&mut self, spans: &[[u32; 2]], h: u32, diagonal: bool) -> Result<()> {
        self.rectangles.clear();
        self.parents.clear();
        self.areas.clear();
        // A span is at most the end of a column, whole columns, and the start of one.
        reserve_more(&mut self.rectangles, 3 * spans.len())?;
        for_each_rectangle(spans, h, |x0, x1, y0, y1| self.rectangles.push(Rectangle { x0, x1, y0, y1 }));
        let n = self.rectangles.len();
        reserve_more(&mut self.parents, n)?;
        reserve_more(&mut self.areas, n)?;
        self.parents.extend(0..n as u32);
        self.connect(u32::from(diagonal));
        self.areas.resize(n, 0);
        for i in 0..n {
            let Rectangle { x0, x1, y0, y1 } = self.rectangles[i];
            let root = self.root(i as u32) as usize;
            self.areas[root] += (x1 - x0) * (y1 - y0);
        }
        Ok(())
    }

    /// Connects rectangles that end in one column and start in the next, `reach` rows apart at most.
    fn connect(&mut self, reach: u32) {
        // `i` goes through the rectangles on the left of each edge between columns, `j` through those on its right.
        let (mut i, mut j) = (0, 0);
        while let (Some(&left), Some(&right)) = (self.rectangles.get(i), self.rectangles.get(j)) {
            match left.x1.cmp(&right.x0) {
                Ordering::Less => i += 1,
                Ordering::Greater => j += 1,
                Ordering::Equal => {
                    if left.y0 < right.y1 + reach && right.y0 < left.y1 + reach {
                        self.join(i as u32, j as u32);
                    }
                    // The one that ends first reaches no other: between two of a column there is a clear pixel.
                    i += usize::from(left.y1 <= right.y1);
                    j += usize::from(right.y1 <= left.y1);
                }
            }
        }
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// The first rectangle of the part that a rectangle is in.
    fn root(&mut self, mut i: u32) -> u32 {
        while self.parents[i as usize] != i {
            let above = self.parents[self.parents[i as usize] as usize];
            self.parents[i as usize] = above;
            i = above;
        }
        i
    }
}
