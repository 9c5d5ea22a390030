//! Flip, resize, crop and pad, in one pass over the spans.

use std::ops::Range;

use super::algebra::pixels;
use super::draw::{Draw, Drawn};
use super::edges::Edges;
use super::lookup::{Computed, Lookup, Tables};
use super::{Counts, Masks, PixelBox, any_touch, append_counts, cancel_pairs, for_each_piece};
use crate::memory::reserve;
use crate::simd::Level;
use crate::{Placement, Result, Size};

/// The masks on the canvas of a placement, by the nearest rule.
///
/// The cost follows the spans that land on the canvas, whatever the size in between.
///
/// # Errors
/// When there is not enough memory for the result.
pub fn place(masks: &Masks, placement: &Placement) -> Result<Masks> {
    place_with(&Placer::new(placement, masks.bounds.len()), masks)
}

fn place_with(placer: &Placer, masks: &Masks) -> Result<Masks> {
    let mut placed = Masks::with_capacity(placer.canvas, masks.len(), placer.expected(masks.bounds.len()))?;
    let mut drawn = Vec::new();
    for bounds in masks.iter() {
        placed.push_checked(placer.place(bounds, &mut drawn)?.bounds)?;
    }
    Ok(placed)
}

/// The same from run lengths to run lengths, as [`Masks::to_counts`] has them.
///
/// # Errors
/// When the runs of a mask do not add up to its pixels, and when there is not enough memory for the result.
pub fn place_counts(masks: &Counts<'_>, placement: &Placement) -> Result<(Vec<u32>, Vec<i64>)> {
    let placer = Placer::new(placement, masks.bounds_bound());
    let mut counts = reserve(placer.expected(masks.bounds_bound()) + masks.len())?;
    let mut offsets = vec![0];
    offsets.reserve(masks.len());
    let (mut bounds, mut drawn) = (Vec::new(), Vec::new());
    for mask in 0..masks.len() {
        bounds.clear();
        masks.read(mask, &mut bounds)?;
        append_counts(placer.place(&bounds, &mut drawn)?.bounds, placement.canvas, &mut counts)?;
        offsets.push(counts.len() as i64);
    }
    Ok((counts, offsets))
}

/// Masks on a canvas, measured on the way.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The masks.
    pub(crate) masks: Masks,
    /// The number of each.
    pub(crate) rows: Vec<usize>,
    /// Number of pixels of each.
    pub(crate) area: Vec<u32>,
    /// The smallest box around each.
    pub(crate) boxes: Vec<PixelBox>,
}

impl Default for Placed {
    /// No masks.
    fn default() -> Self {
        let masks = Masks::empty(Size { h: 0, w: 0 });
        Self { masks, rows: Vec::new(), area: Vec::new(), boxes: Vec::new() }
    }
}

/// The masks of these numbers, in this order, on the canvas; those of fewer pixels than `least` are left out.
pub(crate) fn place_rows(
    masks: &Counts<'_>,
    rows: &[usize],
    placement: &Placement,
    least: u64,
) -> Result<Placed> {
    let total = rows.iter().map(|&row| masks.of(row).len()).sum();
    let placer = Placer::new(placement, total);
    let mut placed = Placed {
        masks: Masks::with_capacity(placement.canvas, rows.len(), placer.expected(total))?,
        rows: Vec::with_capacity(rows.len()),
        area: Vec::with_capacity(rows.len()),
        boxes: Vec::with_capacity(rows.len()),
    };
    let (mut bounds, mut drawn) = (Vec::new(), Vec::new());
    for &row in rows {
        bounds.clear();
        masks.read(row, &mut bounds)?;
        let mask = placer.place(&bounds, &mut drawn)?;
        if u64::from(mask.area) >= least {
            placed.masks.push_checked(mask.bounds)?;
            placed.rows.push(row);
            placed.area.push(mask.area);
            placed.boxes.push(mask.reach);
        }
    }
    Ok(placed)
}

/// A mask on the canvas, measured on the way.
#[derive(Clone, Copy)]
pub(crate) struct PlacedMask<'a> {
    /// Its canonical spans.
    pub(crate) bounds: &'a [u32],
    /// Number of pixels.
    pub(crate) area: u32,
    /// The smallest box around it.
    pub(crate) reach: PixelBox,
}

/// So many bounds make the widest registers worth while.
const MANY: usize = 1 << 14;

/// Places masks of one image.
pub(crate) struct Placer {
    canvas: Size,
    input_h: u32,
    canvas_h: u32,
    flip: bool,
    /// How many columns an input column can become.
    repeats: usize,
    /// Width of the input.
    width: u32,
    /// Pixels of the input columns that land on the canvas.
    visible: [u32; 2],
    /// How many input columns land, and on how many canvas columns.
    across: [usize; 2],
    edges: Looked,
    level: Level,
}

/// Where rows and columns land.
enum Looked {
    /// None of them does.
    Nowhere,
    Up(Tables),
    Computed(Computed),
}

impl Placer {
    /// For masks that have about so many bounds in all.
    pub(crate) fn new(placement: &Placement, bounds: usize) -> Self {
        let Placement { input, canvas, .. } = *placement;
        let mut placer = Self {
            canvas,
            input_h: input.h as u32,
            canvas_h: canvas.h as u32,
            flip: placement.hflip,
            repeats: placement.resized.w.div_ceil(input.w).min(canvas.w),
            width: input.w as u32,
            visible: [0; 2],
            across: [1, 0],
            edges: Looked::Nowhere,
            level: if bounds < MANY { Level::detect().for_little() } else { Level::detect() },
        };
        let (rows, columns) = (placement.rows(), placement.columns());
        let landing = columns.landing();
        if rows.landing().is_empty() || landing.is_empty() {
            return placer;
        }
        let (rows, columns) = (Edges::new(rows), Edges::new(columns));
        let Range { start, end } = columns.visible;
        let (left, right) = if placement.hflip { (input.w - end, input.w - start) } else { (start, end) };
        placer.visible = [left, right].map(|x| (x * input.h) as u32);
        placer.across = [right - left, landing.len()];
        // Tables of all edges pay when there are spans enough to look them up.
        placer.edges = if input.h + input.w <= 4 * bounds + 4096 {
            Looked::Up(Tables::new(&rows, &columns, placer.canvas_h))
        } else {
            Looked::Computed(Computed { rows, columns, canvas_h: placer.canvas_h, width: placer.width })
        };
        placer
    }

    /// About how many bounds so many become.
    pub(crate) fn expected(&self, bounds: usize) -> usize {
        /// More than that is only asked for when it is there.
        const MOST: usize = 1 << 24;
        let [from, to] = self.across;
        (bounds as f64 * to as f64 / from as f64).min(MOST as f64) as usize
    }

    /// Places one mask; `drawn` is there to be used again.
    pub(crate) fn place<'a>(&self, bounds: &[u32], drawn: &'a mut Vec<[u32; 2]>) -> Result<PlacedMask<'a>> {
        let spans = self.visible_spans(bounds.as_chunks().0);
        let Drawn { length, rows, area } = match &self.edges {
            Looked::Nowhere => Drawn::default(),
            Looked::Up(tables) => self.draw(spans, tables.open(), drawn)?,
            Looked::Computed(edges) => self.draw(spans, edges, drawn)?,
        };
        let mut bounds = &mut drawn.as_flattened_mut()[..2 * length];
        if area.is_none() && any_touch(bounds) {
            let kept = cancel_pairs(bounds);
            bounds = &mut bounds[..kept];
        }
        let reach = match (bounds.first(), bounds.last()) {
            (Some(&first), Some(&last)) => PixelBox {
                y0: rows[0] as usize,
                x0: (first / self.canvas_h) as usize,
                y1: rows[1] as usize,
                x1: ((last - 1) / self.canvas_h + 1) as usize,
            },
            _ => PixelBox::default(),
        };
        Ok(PlacedMask { bounds, area: area.unwrap_or_else(|| pixels(bounds)), reach })
    }

    fn draw(&self, spans: &[[u32; 2]], lookup: impl Lookup, drawn: &mut Vec<[u32; 2]>) -> Result<Drawn> {
        self.check_room(spans, lookup)?;
        Ok(match (self.flip, self.repeats) {
            (false, 0..=1) => self.draw_with::<false, 1>(spans, lookup, drawn),
            (false, 2) => self.draw_with::<false, 2>(spans, lookup, drawn),
            (false, 3..=4) => self.draw_with::<false, 4>(spans, lookup, drawn),
            (false, _) => self.draw_with::<false, 0>(spans, lookup, drawn),
            (true, 0..=1) => self.draw_with::<true, 1>(spans, lookup, drawn),
            (true, 2) => self.draw_with::<true, 2>(spans, lookup, drawn),
            (true, 3..=4) => self.draw_with::<true, 4>(spans, lookup, drawn),
            (true, _) => self.draw_with::<true, 0>(spans, lookup, drawn),
        })
    }

    fn draw_with<const FLIP: bool, const COPIES: usize>(
        &self,
        spans: &[[u32; 2]],
        lookup: impl Lookup,
        drawn: &mut Vec<[u32; 2]>,
    ) -> Drawn {
        let Self { input_h, canvas_h, width, level, .. } = *self;
        Draw::<FLIP, COPIES, _> { input_h, canvas_h, width, lookup, level }.mask(spans, drawn)
    }

    /// Columns that become thousands of columns make a small mask huge: ask before, since growing on the way cannot
    /// fail.
    fn check_room(&self, spans: &[[u32; 2]], lookup: impl Lookup) -> Result<()> {
        const PLENTY: usize = 1 << 25;
        if spans.len().saturating_mul(self.repeats) <= PLENTY {
            return Ok(());
        }
        let mut found = 0;
        for_each_piece(spans.as_flattened(), self.input_h, |x0, x1, y0, y1| {
            let (top, bottom) = (lookup.row(y0), lookup.row(y1));
            let [first, last] = if self.flip { [self.width - x1, self.width - x0 - 1] } else { [x0, x1 - 1] };
            let [first, last] = [lookup.column(first), lookup.column(last)];
            let across = ((last[0] - first[0]) / self.canvas_h + last[1]) as usize;
            // Full columns are one span together.
            let full = top == 0 && bottom == self.canvas_h;
            found += if top < bottom { if full { across.min(1) } else { across } } else { 0 };
        });
        // Twice: as they are made, and as they are kept.
        reserve::<[[u32; 2]; 2]>(found).map(drop)
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
    use crate::rle::bounding_box;
    use crate::rle::tests::{Drawing, Random, dense, draw, from_drawings, map_pixels, mask, random_masks};

    #[test]
    fn place_takes_pixels_by_the_nearest_rule() {
        let mut random = Random(8);
        // And some of more spans than there is room for at first.
        let wide = Size { h: 12, w: 150 };
        let large = from_drawings(wide, &[random.drawing(wide), random.drawing(wide)]);
        let small = random_masks(8).filter(|masks| masks.size().pixels() > 0);
        let objects: Vec<Masks> = (0..60)
            .map(|_| {
                let size = Size { h: 1 + random.below(40), w: 2 + random.below(120) };
                from_drawings(size, &[random.object(size), random.object(size)])
            })
            .collect();
        for masks in small.chain(random_masks(9).take(9)).chain([large]).chain(objects) {
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
                let expected = from_drawings(canvas, &expected);
                for level in Level::available() {
                    let placer = Placer { level, ..Placer::new(&placement, masks.bounds.len()) };
                    assert_eq!(place_with(&placer, &masks).unwrap(), expected, "{level:?} {placement:?}");
                    let mut drawn = Vec::new();
                    for (i, bounds) in masks.iter().enumerate() {
                        let placed = placer.place(bounds, &mut drawn).unwrap();
                        assert_eq!(placed.area, pixels(expected.bounds(i)), "{level:?} {placement:?}");
                        let reach = bounding_box(expected.bounds(i), canvas.h as u32);
                        assert_eq!(placed.reach, reach, "{level:?} {placement:?}");
                    }
                }
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
        let tall = Masks::from_counts(line, &[0, HUGE as u32 + 5, HUGE as u32 - 5], &[0, 3]).unwrap();
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
