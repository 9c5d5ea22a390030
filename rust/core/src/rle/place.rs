//! Flip, resize, crop and pad, in one pass over the spans.

use std::ops::Range;

use super::{Masks, for_each_piece, reserve};
use crate::placement::Axis;
use crate::{Placement, Result};

/// The masks on the canvas of a placement, by the nearest rule.
///
/// The cost follows the spans that land on the canvas, whatever the size in between.
///
/// # Errors
/// When there is not enough memory for the result.
pub fn place(masks: &Masks, placement: &Placement) -> Result<Masks> {
    let mut placed = Masks::empty(placement.canvas);
    let (rows, columns) = (placement.rows(), placement.columns());
    if rows.landing().is_empty() || columns.landing().is_empty() {
        placed.offsets.resize(masks.len() + 1, 0);
        return Ok(placed);
    }
    let (row_edges, column_edges) = (Edges::new(rows), Edges::new(columns));
    let frame = Frame::new(placement, &column_edges);
    frame.check_room(masks, placement, &row_edges, &column_edges)?;
    placed.bounds.reserve(masks.bounds.len());
    // Tables of all edges pay when there are spans enough to look them up.
    if placement.input.h + placement.input.w <= 4 * masks.bounds.len() + 4096 {
        let row_table = row_edges.table(1);
        let column_table = column_edges.table(frame.canvas_h);
        let (row, column) = (|y: u32| row_table[y as usize], |x: u32| column_table[x as usize]);
        frame.place(masks, row, column, &mut placed);
    } else {
        let column = |x| column_edges.at(x) * frame.canvas_h;
        frame.place(masks, |y| row_edges.at(y), column, &mut placed);
    }
    Ok(placed)
}

/// What the inner loops need of a placement.
struct Frame {
    canvas_h: u32,
    flip: bool,
    /// Whether an input column can become several.
    repeat: bool,
    /// Width of the input.
    width: u32,
    /// Pixels of the input columns that land on the canvas.
    visible: [u32; 2],
}

impl Frame {
    fn new(placement: &Placement, columns: &Edges) -> Self {
        let width = placement.input.w;
        let Range { start, end } = columns.visible;
        let (left, right) = if placement.hflip { (width - end, width - start) } else { (start, end) };
        Self {
            canvas_h: placement.canvas.h as u32,
            flip: placement.hflip,
            repeat: placement.resized.w > placement.input.w,
            width: width as u32,
            visible: [left, right].map(|x| (x * placement.input.h) as u32),
        }
    }

    /// Columns that become thousands of columns make a small mask huge: ask before, since growing on the way cannot
    /// fail.
    fn check_room(&self, masks: &Masks, placement: &Placement, rows: &Edges, columns: &Edges) -> Result<()> {
        const PLENTY: usize = 1 << 26;
        let repeats = placement.resized.w.div_ceil(placement.input.w).min(placement.canvas.w);
        if masks.bounds.len().saturating_mul(repeats) <= PLENTY {
            return Ok(());
        }
        let mut bounds = 0;
        for mask in masks.iter() {
            for_each_piece(mask, placement.input.h as u32, |x0, x1, y0, y1| {
                let (top, bottom) = (rows.at(y0), rows.at(y1));
                let (x0, x1) = if self.flip { (self.width - x1, self.width - x0) } else { (x0, x1) };
                let across = (columns.at(x1) - columns.at(x0)) as usize;
                // Full columns are one span together.
                let full = top == 0 && bottom == self.canvas_h;
                bounds += if top < bottom { 2 * if full { across.min(1) } else { across } } else { 0 };
            });
        }
        // Twice: as they are made, and as they are kept.
        reserve::<[u32; 2]>(bounds).map(drop)
    }

    /// Places each mask, given where rows begin on the canvas, and where columns do, as pixels.
    fn place(
        &self,
        masks: &Masks,
        row: impl Fn(u32) -> u32,
        column: impl Fn(u32) -> u32,
        placed: &mut Masks,
    ) {
        match (self.flip, self.repeat) {
            (false, false) => place_each::<false, false>(masks, self, row, column, placed),
            (false, true) => place_each::<false, true>(masks, self, row, column, placed),
            (true, false) => place_each::<true, false>(masks, self, row, column, placed),
            (true, true) => place_each::<true, true>(masks, self, row, column, placed),
        }
    }

    /// The spans that have a pixel in a column that lands.
    fn visible_spans<'a>(&self, bounds: &'a [u32]) -> &'a [u32] {
        let [from, to] = self.visible;
        match (bounds.first(), bounds.last()) {
            (Some(&first), Some(&last)) if first < from || last > to => {
                let spans = bounds.as_chunks::<2>().0;
                let start = spans.partition_point(|span| span[1] <= from);
                let count = spans[start..].partition_point(|span| span[0] < to);
                &bounds[2 * start..2 * (start + count)]
            }
            _ => bounds,
        }
    }
}

fn place_each<const FLIP: bool, const REPEAT: bool>(
    masks: &Masks,
    frame: &Frame,
    row: impl Fn(u32) -> u32,
    column: impl Fn(u32) -> u32,
    placed: &mut Masks,
) {
    let h = masks.size().h as u32;
    let mut output =
        Output { bounds: vec![0; 64], length: 0, column: [0, 0], from: 0, height: frame.canvas_h };
    for bounds in masks.iter() {
        let bounds = frame.visible_spans(bounds);
        output.start(bounds.len());
        if FLIP {
            for_each_piece_backwards(bounds, h, |x0, x1, y0, y1| {
                let (x0, x1) = (frame.width - x1, frame.width - x0);
                output.put::<FLIP, REPEAT>([column(x0), column(x1)], [row(y0), row(y1)], x1 - x0 > 1);
            });
        } else {
            for_each_piece(bounds, h, |x0, x1, y0, y1| {
                output.put::<FLIP, REPEAT>([column(x0), column(x1)], [row(y0), row(y1)], x1 - x0 > 1);
            });
        }
        output.finish_column::<FLIP, REPEAT>();
        placed.bounds.extend_from_slice(&output.bounds[..output.length]);
        placed.close();
    }
}

/// The bounds of one placed mask, made input column by input column.
struct Output {
    /// Those made so far, and room for more.
    bounds: Vec<u32>,
    length: usize,
    /// Of the input column at hand: the first pixels of the canvas columns it becomes, and of the one after, and
    /// where its bounds begin.
    column: [u32; 2],
    from: usize,
    /// Height of the canvas.
    height: u32,
}

impl Output {
    /// Makes a new mask, of about as many bounds.
    fn start(&mut self, bounds: usize) {
        if self.bounds.len() < bounds + 2 {
            self.bounds.resize(2 * bounds + 2, 0);
        }
        (self.length, self.from, self.column) = (0, 0, [0, 0]);
    }

    /// Writes a span behind the last one; it stays when `keep` is set.
    #[inline]
    fn write(&mut self, start: u32, end: u32, keep: bool) {
        if self.length + 2 > self.bounds.len() {
            self.bounds.resize(2 * self.bounds.len(), 0);
        }
        self.bounds[self.length..self.length + 2].copy_from_slice(&[start, end]);
        self.length += 2 * usize::from(keep);
    }

    /// Adds a piece: between the canvas columns that start with pixels `tops`, rows `rows`. Pieces of one column
    /// come from the top, or, flipped, from the bottom; pieces of `several` columns are full columns.
    #[inline]
    fn put<const FLIP: bool, const REPEAT: bool>(&mut self, tops: [u32; 2], rows: [u32; 2], several: bool) {
        if several {
            self.finish_column::<FLIP, REPEAT>();
            self.put_full_columns(tops, rows);
            (self.from, self.column) = (self.length, [0, 0]);
            return;
        }
        // Columns that do not land have the end of the one before, and keep nothing.
        if (FLIP || REPEAT) && self.column[1] != tops[1] {
            self.finish_column::<FLIP, REPEAT>();
            (self.from, self.column) = (self.length, tops);
        }
        let keep = (tops[0] < tops[1]) & (rows[0] < rows[1]);
        // Behind the last column, where nothing is kept, these may wrap.
        self.write(tops[0].wrapping_add(rows[0]), tops[0].wrapping_add(rows[1]), keep);
    }

    #[cold]
    fn put_full_columns(&mut self, tops: [u32; 2], rows: [u32; 2]) {
        if rows == [0, self.height] {
            self.write(tops[0], tops[1], tops[0] < tops[1]);
            return;
        }
        for top in (tops[0]..tops[1]).step_by(self.height as usize) {
            self.write(top + rows[0], top + rows[1], rows[0] < rows[1]);
        }
    }

    /// Puts the spans of a column in order, and copies them to the other canvas columns that it becomes.
    #[inline]
    fn finish_column<const FLIP: bool, const REPEAT: bool>(&mut self) {
        let to = self.length;
        if FLIP && to - self.from > 2 {
            self.bounds[self.from..to].as_chunks_mut::<2>().0.reverse();
        }
        if REPEAT && to > self.from {
            let [mut top, end] = self.column;
            let mut from = self.from;
            if self.bounds[from + 1] - self.bounds[from] == self.height {
                // Full columns are one span, however many.
                self.bounds[from + 1] = end;
                return;
            }
            while end - top > self.height {
                top += self.height;
                // From the copy before, which is as long.
                let copied = self.length;
                for i in (from..copied).step_by(2) {
                    let (start, end) = (self.bounds[i], self.bounds[i + 1]);
                    self.write(start + self.height, end + self.height, true);
                }
                from = copied;
            }
        }
    }
}

/// As [`for_each_piece`], from the last piece to the first.
#[inline]
fn for_each_piece_backwards(bounds: &[u32], h: u32, mut found: impl FnMut(u32, u32, u32, u32)) {
    let Some(&last) = bounds.last() else { return };
    // Number of the column at hand, and of its first pixel.
    let mut x = (last - 1) / h;
    let mut top = x * h;
    for &[start, end] in bounds.as_chunks().0.iter().rev() {
        if end <= top {
            x -= 1;
            top -= h;
            if end <= top {
                x = (end - 1) / h;
                top = x * h;
            }
        }
        if start >= top {
            found(x, x + 1, start - top, end - top);
            continue;
        }
        // From the column at hand back to that of the start.
        let first = start / h;
        let mut full = [first, x + 1];
        if end - top < h {
            found(x, x + 1, 0, end - top);
            full[1] = x;
        }
        if start > first * h {
            full[0] += 1;
        }
        if full[0] < full[1] {
            found(full[0], full[1], 0, h);
        }
        if start > first * h {
            found(first, first + 1, start - first * h, h);
        }
        (x, top) = (first, first * h);
    }
}

/// Where the samples of an input axis, unflipped, begin on the canvas.
struct Edges {
    input: u64,
    resized: u64,
    offset: i64,
    /// The canvas samples that are reached.
    landing: Range<usize>,
    /// The input samples that these show.
    visible: Range<usize>,
}

impl Edges {
    /// Of an axis with a sample that lands.
    fn new(axis: Axis) -> Self {
        let (axis, landing) = (Axis { flip: false, ..axis }, axis.landing());
        let shown = |position| axis.nearest(axis.resized_at(position));
        Self {
            input: axis.input as u64,
            resized: axis.resized as u64,
            offset: axis.offset,
            visible: shown(landing.start)..shown(landing.end - 1) + 1,
            landing,
        }
    }

    /// The first resized sample i with `((2i + 1) * input) / (2 * resized) >= k`, and the rest of its division.
    fn first_resized(&self, k: u64) -> (u64, u64) {
        let scaled = 2 * self.resized * k + self.input - 1;
        (scaled / (2 * self.input), scaled % (2 * self.input))
    }

    /// Where input sample `k` begins, moved into what lands.
    fn at(&self, k: u32) -> u32 {
        let position = self.first_resized(k as u64).0 as i64 + self.offset;
        position.clamp(self.landing.start as i64, self.landing.end as i64) as u32
    }

    /// Where each input sample begins, and the last ends, times `scale`. As [`Edges::at`], by one division.
    fn table(&self, scale: u32) -> Vec<u32> {
        let samples = self.input as usize + 1;
        let mut table = Vec::with_capacity(samples);
        table.resize(self.visible.start + 1, self.landing.start as u32 * scale);
        let inner = self.visible.start + 1..self.visible.end;
        let (first, mut rest) = self.first_resized(inner.start as u64);
        // Before and behind the inner samples these may wrap; they are not used there.
        let mut position = ((first as i64 + self.offset) as u32).wrapping_mul(scale);
        let step = ((self.resized / self.input) as u32).wrapping_mul(scale);
        let step_rest = 2 * (self.resized % self.input);
        table.extend(inner.map(|_| {
            let here = position;
            rest += step_rest;
            let carry = rest >= 2 * self.input;
            rest -= if carry { 2 * self.input } else { 0 };
            position = position.wrapping_add(step).wrapping_add(if carry { scale } else { 0 });
            here
        }));
        table.resize(samples, self.landing.end as u32 * scale);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;
    use crate::rle::tests::{Drawing, Random, dense, draw, from_drawings, map_pixels, mask, random_masks};

    #[test]
    fn place_takes_pixels_by_the_nearest_rule() {
        let mut random = Random(8);
        for masks in random_masks(8).filter(|masks| masks.size().pixels() > 0).chain(random_masks(9).take(9))
        {
            let input = masks.size();
            if input.pixels() == 0 {
                continue;
            }
            for _ in 0..4 {
                let side = |random: &mut Random, side: usize| match random.below(4) {
                    0 => side,
                    1 => 1 + random.below(2 * side),
                    2 => 3 * side,
                    _ => 1 + random.below(30),
                };
                let resized = Size { h: side(&mut random, input.h), w: side(&mut random, input.w) };
                let canvas = Size { h: side(&mut random, resized.h), w: 1 + random.below(25) };
                let offset = |random: &mut Random, side: usize| {
                    [0, random.below(41) as i64 - 20, -(side as i64 / 2)][random.below(3)]
                };
                let placement = Placement {
                    input,
                    resized,
                    offset_y: offset(&mut random, resized.h),
                    offset_x: offset(&mut random, resized.w),
                    canvas,
                    hflip: random.below(2) == 1,
                };
                let drawn = dense(&masks);
                let pick = |rows: &Drawing, y: usize, x: usize| {
                    let nearest = |i: usize, offset: i64, resized: usize, input: usize| {
                        let i = i as i64 - offset;
                        let inside = (0..resized as i64).contains(&i);
                        inside.then(|| (2 * i as usize + 1) * input / (2 * resized))
                    };
                    let y = nearest(y, placement.offset_y, resized.h, input.h);
                    let x = nearest(x, placement.offset_x, resized.w, input.w);
                    let column = |x: usize| if placement.hflip { input.w - 1 - x } else { x };
                    y.zip(x).is_some_and(|(y, x)| rows[y][column(x)])
                };
                let expected: Vec<Drawing> =
                    drawn.iter().map(|rows| map_pixels(&[], canvas, |_, y, x| pick(rows, y, x))).collect();
                assert_eq!(
                    place(&masks, &placement).unwrap(),
                    from_drawings(canvas, &expected),
                    "{placement:?}"
                );
            }
        }
    }

    #[test]
    fn place_costs_what_the_canvas_costs() {
        const HUGE: usize = (1 << 31) - 1;
        let masks = mask("#./.#");
        let placed = |offset_y, offset_x, hflip| {
            let (input, resized) = (masks.size(), Size { h: HUGE, w: HUGE });
            let canvas = Size { h: 2, w: 3 };
            draw(
                &dense(
                    &place(&masks, &Placement { input, resized, offset_y, offset_x, canvas, hflip }).unwrap(),
                )[0],
            )
        };
        let middle = -(HUGE as i64 / 2);
        assert_eq!(placed(0, 0, false), "###/###");
        assert_eq!(placed(0, 0, true), ".../...");
        assert_eq!(placed(middle + 1, middle + 1, false), "#../.##");
        assert_eq!(placed(middle + 1, middle + 1, true), ".##/#..");
        assert_eq!(placed(3, 0, false), ".../...");
        assert_eq!(placed(-(HUGE as i64), 0, false), ".../...");
        // And the other way: a huge input with few spans.
        let line = Size { h: HUGE, w: 2 };
        let tall =
            Masks::from_counts("masks", line, &[0, HUGE as u32 + 5, HUGE as u32 - 5], &[0, 3]).unwrap();
        let placement = Placement {
            input: line,
            resized: Size { h: 4, w: 2 },
            offset_y: 1,
            offset_x: 0,
            canvas: Size { h: 6, w: 3 },
            hflip: true,
        };
        assert_eq!(draw(&dense(&place(&tall, &placement).unwrap())[0]), ".../.#./.#./.#./.#./...");
        // In the last corner of the largest canvas.
        let placement = Placement {
            input: Size { h: 2, w: 2 },
            resized: Size { h: 2, w: 2 },
            offset_y: 65_533,
            offset_x: 65_536,
            canvas: Size { h: 65_535, w: 65_537 },
            hflip: false,
        };
        assert_eq!(place(&mask(".#/##"), &placement).unwrap().bounds(0), [u32::MAX - 1, u32::MAX]);
        // A full canvas is one span, and no pixel of it is touched on its own.
        let line = Size { h: 1, w: 1 };
        let canvas = Size { h: 1, w: HUGE };
        let placement =
            Placement { input: line, resized: canvas, offset_y: 0, offset_x: 0, canvas, hflip: true };
        assert_eq!(place(&mask("#"), &placement).unwrap().bounds(0), [0, HUGE as u32]);
    }
}
