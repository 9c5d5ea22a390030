//! Flip, resize, crop and pad, in one pass over the spans.

use std::ops::Range;

use super::algebra::pixels;
use super::draw::Draw;
use super::edges::Edges;
use super::{Masks, PixelBox, any_touch, cancel_pairs, for_each_piece, reserve};
use crate::{Placement, Result, Size};

/// Masks on a canvas, measured on the way.
#[derive(Debug)]
pub struct Placed {
    /// The masks.
    pub masks: Masks,
    /// The number of each.
    pub rows: Vec<usize>,
    /// Number of pixels of each.
    pub area: Vec<i64>,
    /// The smallest box around each.
    pub boxes: Vec<PixelBox>,
}

impl Default for Placed {
    /// No masks.
    fn default() -> Self {
        Self {
            masks: Masks::empty(Size { h: 0, w: 0 }),
            rows: Vec::new(),
            area: Vec::new(),
            boxes: Vec::new(),
        }
    }
}

/// The masks on the canvas of a placement, by the nearest rule.
///
/// The cost follows the spans that land on the canvas, whatever the size in between.
///
/// # Errors
/// When there is not enough memory for the result.
pub fn place(masks: &Masks, placement: &Placement) -> Result<Masks> {
    Ok(place_each((0..masks.len()).map(|row| (row, masks.bounds(row))), placement, 0)?.masks)
}

/// The same of the masks of these numbers, in this order, with area and box of each; those of fewer pixels than `least`
/// are left out.
///
/// # Errors
/// When there is not enough memory for the result.
pub fn place_rows(masks: &Masks, rows: &[usize], placement: &Placement, least: u64) -> Result<Placed> {
    place_each(rows.iter().map(|&row| (row, masks.bounds(row))), placement, least)
}

fn place_each<'a>(
    chosen: impl ExactSizeIterator<Item = (usize, &'a [u32])> + Clone,
    placement: &Placement,
    least: u64,
) -> Result<Placed> {
    let mut placed = Placed {
        masks: Masks::empty(placement.canvas),
        rows: Vec::with_capacity(chosen.len()),
        area: Vec::with_capacity(chosen.len()),
        boxes: Vec::with_capacity(chosen.len()),
    };
    let (rows, columns) = (placement.rows(), placement.columns());
    if rows.landing().is_empty() || columns.landing().is_empty() {
        if least == 0 {
            placed.rows.extend(chosen.map(|(row, _)| row));
            placed.masks.offsets.resize(placed.rows.len() + 1, 0);
            placed.area.resize(placed.rows.len(), 0);
            placed.boxes.resize(placed.rows.len(), PixelBox::default());
        }
        return Ok(placed);
    }
    let (row_edges, column_edges) = (Edges::new(rows), Edges::new(columns));
    let frame = Frame::new(placement, &column_edges);
    let total = chosen.clone().map(|(_, bounds)| bounds.len()).sum::<usize>();
    frame.check_room(chosen.clone().map(|(_, bounds)| bounds), total, &row_edges, &column_edges)?;
    placed.masks.bounds.reserve(total);
    placed.masks.offsets.reserve(chosen.len());
    // Tables of all edges pay when there are spans enough to look them up.
    if placement.input.h + placement.input.w <= 4 * total + 4096 {
        let row_table = row_edges.table();
        let column_table = column_edges.table_with_counts(frame.canvas_h);
        let (row, column) = (|y: u32| row_table[y as usize], |x: u32| column_table[x as usize]);
        frame.place(chosen, least, row, column, &mut placed);
    } else {
        let column = |x| {
            let left = column_edges.at(x);
            let right = if x < frame.width { column_edges.at(x + 1) } else { left };
            [left * frame.canvas_h, right - left]
        };
        frame.place(chosen, least, |y| row_edges.at(y), column, &mut placed);
    }
    Ok(placed)
}

/// What the inner loops need of a placement.
struct Frame {
    input_h: u32,
    canvas_h: u32,
    flip: bool,
    /// How many columns an input column can become.
    repeats: usize,
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
            input_h: placement.input.h as u32,
            canvas_h: placement.canvas.h as u32,
            flip: placement.hflip,
            repeats: placement.resized.w.div_ceil(width).min(placement.canvas.w),
            width: width as u32,
            visible: [left, right].map(|x| (x * placement.input.h) as u32),
        }
    }

    /// Columns that become thousands of columns make a small mask huge: ask before, since growing on the way cannot
    /// fail.
    fn check_room<'a>(
        &self,
        masks: impl Iterator<Item = &'a [u32]>,
        total: usize,
        rows: &Edges,
        columns: &Edges,
    ) -> Result<()> {
        const PLENTY: usize = 1 << 26;
        if total.saturating_mul(self.repeats) <= PLENTY {
            return Ok(());
        }
        let mut bounds = 0;
        for mask in masks {
            for_each_piece(mask, self.input_h, |x0, x1, y0, y1| {
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

    /// Places each mask, given where rows begin on the canvas, and for each column its first pixel on the canvas
    /// and how many columns it becomes.
    fn place<'a>(
        &self,
        masks: impl Iterator<Item = (usize, &'a [u32])>,
        least: u64,
        row: impl Fn(u32) -> u32,
        column: impl Fn(u32) -> [u32; 2],
        placed: &mut Placed,
    ) {
        match (self.flip, self.repeats) {
            (false, 0..=1) => self.place_all::<false, 1>(masks, least, row, column, placed),
            (false, 2) => self.place_all::<false, 2>(masks, least, row, column, placed),
            (false, 3..=4) => self.place_all::<false, 4>(masks, least, row, column, placed),
            (false, _) => self.place_all::<false, 0>(masks, least, row, column, placed),
            (true, 0..=1) => self.place_all::<true, 1>(masks, least, row, column, placed),
            (true, 2) => self.place_all::<true, 2>(masks, least, row, column, placed),
            (true, 3..=4) => self.place_all::<true, 4>(masks, least, row, column, placed),
            (true, _) => self.place_all::<true, 0>(masks, least, row, column, placed),
        }
    }

    fn place_all<'a, const FLIP: bool, const COPIES: usize>(
        &self,
        masks: impl Iterator<Item = (usize, &'a [u32])>,
        least: u64,
        row: impl Fn(u32) -> u32,
        column: impl Fn(u32) -> [u32; 2],
        placed: &mut Placed,
    ) {
        let draw = Draw::<FLIP, COPIES, _, _> {
            input_h: self.input_h,
            canvas_h: self.canvas_h,
            width: self.width,
            row,
            column,
        };
        let mut output = Vec::new();
        for (number, bounds) in masks {
            let (length, rows) = draw.mask(self.visible_spans(bounds.as_chunks().0), &mut output);
            let bounds = &mut output.as_flattened_mut()[..2 * length];
            let kept = if any_touch(bounds) { cancel_pairs(bounds) } else { bounds.len() };
            let bounds = &bounds[..kept];
            let area = pixels(bounds);
            if u64::from(area) < least {
                continue;
            }
            placed.masks.push(bounds);
            placed.rows.push(number);
            placed.area.push(area as i64);
            placed.boxes.push(match (bounds.first(), bounds.last()) {
                (Some(&first), Some(&last)) => PixelBox {
                    y0: rows[0] as usize,
                    x0: (first / self.canvas_h) as usize,
                    y1: rows[1] as usize,
                    x1: ((last - 1) / self.canvas_h + 1) as usize,
                },
                _ => PixelBox::default(),
            });
        }
    }

    /// The spans that have a pixel in a column that lands.
    fn visible_spans<'a>(&self, spans: &'a [[u32; 2]]) -> &'a [[u32; 2]] {
        let [from, to] = self.visible;
        let (Some(&[first, _]), Some(&[_, last])) = (spans.first(), spans.last()) else { return spans };
        if last <= from || first >= to {
            return &[];
        }
        let start = if first < from { spans.partition_point(|span| span[1] <= from) } else { 0 };
        let spans = &spans[start..];
        let count = if last > to { spans.partition_point(|span| span[0] < to) } else { spans.len() };
        &spans[..count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::tests::{Drawing, Random, dense, draw, from_drawings, map_pixels, mask, random_masks};

    #[test]
    fn place_takes_pixels_by_the_nearest_rule() {
        let mut random = Random(8);
        // And some of more spans than there is room for at first.
        let wide = Size { h: 12, w: 150 };
        let large = from_drawings(wide, &[random.drawing(wide), random.drawing(wide)]);
        let small = random_masks(8).filter(|masks| masks.size().pixels() > 0);
        for masks in small.chain(random_masks(9).take(9)).chain([large]) {
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
                let w = if input == wide { side(&mut random, resized.w) } else { 1 + random.below(25) };
                let canvas = Size { h: side(&mut random, resized.h), w };
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
