//! Flip, resize, crop and pad, in one pass over the spans.
//!
//! - `axis.rs`: where rows and columns land
//! - `columns.rs`: the spans of one mask, column by column

mod axis;
mod columns;

use std::ops::Range;

use self::axis::AxisMap;
use self::columns::{Mapping, Placing};
use super::spans::{any_equal_neighbours, append_counts, cancel_pairs, number_of_pixels};
use super::{Counts, Masks, PixelBox};
use crate::memory::reserve;
use crate::{Placement, Result};

/// Masks on the canvas of a placement, by the nearest rule.
///
/// The cost follows the spans that land on the canvas, whatever the size in between.
///
/// # Errors
/// When there is not enough memory.
pub fn place(masks: &Masks, placement: &Placement) -> Result<Masks> {
    let placer = Placer::new(placement, masks.toggles_len())?;
    let mut placed =
        Masks::with_capacity(placement.canvas, masks.len(), placer.expected(masks.toggles_len()))?;
    let mut scratch = Vec::new();
    for spans in masks.iter() {
        placed.push(placer.place(spans, &mut scratch)?.spans)?;
    }
    Ok(placed)
}

/// Masks on the canvas of a placement, from run lengths to run lengths, as [`Masks::to_counts`] has them.
///
/// # Errors
/// When the runs of a mask do not add up to its pixels, or there is not enough memory.
pub fn place_counts(masks: &Counts<'_>, placement: &Placement) -> Result<(Vec<u32>, Vec<i64>)> {
    let placer = Placer::new(placement, masks.runs_len())?;
    let mut counts = reserve(placer.expected(masks.runs_len()) + masks.len())?;
    let mut offsets = reserve(masks.len() + 1)?;
    offsets.push(0);
    let (mut toggles, mut scratch) = (Vec::new(), Vec::new());
    for mask in 0..masks.len() {
        toggles.clear();
        masks.read(mask, &mut toggles)?;
        let placed = placer.place(toggles.as_chunks().0, &mut scratch)?;
        append_counts(placed.spans, placement.canvas, &mut counts)?;
        offsets.push(counts.len() as i64);
    }
    Ok((counts, offsets))
}

/// Masks on a canvas, measured on the way.
#[derive(Debug)]
pub(crate) struct PlacedMasks {
    pub(crate) masks: Masks,
    /// Number of each mask among those it was taken from.
    pub(crate) rows: Vec<usize>,
    /// Number of pixels of each mask.
    pub(crate) area: Vec<u32>,
    /// Smallest box around each mask.
    pub(crate) boxes: Vec<PixelBox>,
}

/// Masks of the numbers `rows`, in this order, on the canvas; those of fewer pixels than `min_area` are left out.
pub(crate) fn place_rows(
    masks: &Counts<'_>,
    rows: &[usize],
    placement: &Placement,
    min_area: u64,
) -> Result<PlacedMasks> {
    let total = rows.iter().map(|&row| masks.runs(row).len()).sum();
    let placer = Placer::new(placement, total)?;
    let mut placed = PlacedMasks {
        masks: Masks::with_capacity(placement.canvas, rows.len(), placer.expected(total))?,
        rows: reserve(rows.len())?,
        area: reserve(rows.len())?,
        boxes: reserve(rows.len())?,
    };
    let (mut toggles, mut scratch) = (Vec::new(), Vec::new());
    for &row in rows {
        toggles.clear();
        masks.read(row, &mut toggles)?;
        let mask = placer.place(toggles.as_chunks().0, &mut scratch)?;
        if u64::from(mask.area) >= min_area {
            placed.masks.push(mask.spans)?;
            placed.rows.push(row);
            placed.area.push(mask.area);
            placed.boxes.push(mask.bbox);
        }
    }
    Ok(placed)
}

/// One mask on the canvas, measured on the way.
#[derive(Clone, Copy, Default)]
pub(crate) struct PlacedMask<'a> {
    /// Canonical spans.
    pub(crate) spans: &'a [[u32; 2]],
    /// Number of pixels.
    pub(crate) area: u32,
    /// Smallest box around it.
    pub(crate) bbox: PixelBox,
}

/// Places masks of one image.
pub(crate) struct Placer {
    /// Pixels of the input columns that land on the canvas.
    visible: [u32; 2],
    /// Number of input columns that land, and of canvas columns on which they do.
    across: [usize; 2],
    /// Pixels of the image on the canvas; none where it lies beside it.
    mapping: Option<Mapping>,
}

impl Placer {
    /// Placer of masks that have about `toggles` toggles in all.
    pub(crate) fn new(placement: &Placement, toggles: usize) -> Result<Self> {
        let Placement { input, canvas, .. } = *placement;
        let nowhere = Self { visible: [0; 2], across: [1, 0], mapping: None };
        let (Some(mut rows), Some(mut columns)) =
            (AxisMap::new(placement.rows()), AxisMap::new(placement.columns()))
        else {
            return Ok(nowhere);
        };
        let Range { start, end } = columns.visible;
        let (left, right) = if placement.hflip { (input.w - end, input.w - start) } else { (start, end) };
        let visible = [left, right].map(|x| (x * input.h) as u32);
        let across = [right - left, columns.landing.len()];
        // Tables pay when there are spans enough to look up in them.
        if input.h + input.w <= 4 * toggles + 4096 {
            rows.tabulate()?;
            columns.tabulate()?;
        }
        let mapping = Mapping {
            rows,
            columns,
            input_h: input.h as u32,
            input_w: input.w as u32,
            canvas_h: canvas.h as u32,
            flip: placement.hflip,
            repeats: placement.resized.w.div_ceil(input.w).min(canvas.w),
        };
        Ok(Self { visible, across, mapping: Some(mapping) })
    }

    /// Number of toggles on the canvas that `toggles` on the image become, about.
    pub(crate) fn expected(&self, toggles: usize) -> usize {
        /// Highest number that room is made for before it is needed.
        const MOST: usize = 1 << 24;
        let [from, to] = self.across;
        (toggles as f64 * to as f64 / from as f64).min(MOST as f64) as usize
    }

    /// Places one mask; `scratch` is there to be used again.
    pub(crate) fn place<'a>(
        &self,
        spans: &[[u32; 2]],
        scratch: &'a mut Vec<[u32; 2]>,
    ) -> Result<PlacedMask<'a>> {
        let Some(mapping) = &self.mapping else { return Ok(PlacedMask::default()) };
        let Placing { written, rows, touching, .. } =
            Placing::place(mapping, self.visible_spans(spans), scratch)?;
        let mut spans = &mut scratch[..written];
        if touching && any_equal_neighbours(spans.as_flattened()) {
            let kept = cancel_pairs(spans.as_flattened_mut()) / 2;
            spans = &mut spans[..kept];
        }
        let (Some(&[first, _]), Some(&[_, last])) = (spans.first(), spans.last()) else {
            return Ok(PlacedMask::default());
        };
        let bbox = PixelBox {
            y0: rows[0] as usize,
            x0: (first / mapping.canvas_h) as usize,
            y1: rows[1] as usize,
            x1: ((last - 1) / mapping.canvas_h + 1) as usize,
        };
        Ok(PlacedMask { spans, area: number_of_pixels(spans), bbox })
    }

    /// Spans that have a pixel in a column that lands.
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
    use crate::Size;
    use crate::rle::bounding_box;
    use crate::testing::{Drawing, Random, dense, draw, from_drawings, map_pixels, mask, random_masks};

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
                assert_eq!(place(&masks, &placement).unwrap(), expected, "{placement:?}");
                let placer = Placer::new(&placement, masks.toggles_len()).unwrap();
                let mut scratch = Vec::new();
                for (i, spans) in masks.iter().enumerate() {
                    let placed = placer.place(spans, &mut scratch).unwrap();
                    let expected = expected.spans(i);
                    assert_eq!(placed.area, number_of_pixels(expected), "{placement:?}");
                    assert_eq!(placed.bbox, bounding_box(expected, canvas.h as u32), "{placement:?}");
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
        assert_eq!(place(&mask(".#/##"), &placement).unwrap().spans(0), [[u32::MAX - 1, u32::MAX]]);
        // A full canvas is one span, and no pixel of it is touched on its own.
        let line = Size { h: 1, w: 1 };
        let canvas = Size { h: 1, w: HUGE };
        let placement =
            Placement { input: line, resized: canvas, offset_y: 0, offset_x: 0, canvas, hflip: true };
        assert_eq!(place(&mask("#"), &placement).unwrap().spans(0), [[0, HUGE as u32]]);
    }
}
