//! The masks of the operation: placed, cut by what is pasted later, and dropped when too little is left.

use std::borrow::Cow;

use super::{DropRules, Layer, Objects, Paste, ResultRows, SoftEdge};
use crate::memory::reserve;
use crate::rle::{self, Counts, Cut, Masks, PixelBox, PlacedMask, Placer};
use crate::{Placement, Result, Size};

/// Places the rows of each paste; those too small on the canvas are not pasted, and a paste without any is none.
pub(super) fn place_layers<'a>(
    sources: &[Objects<'_>],
    pastes: &[Paste<'a>],
    rules: &DropRules,
) -> Result<Vec<Layer<'a>>> {
    let least = rules.min_area.max(1);
    let mut layers = Vec::with_capacity(pastes.len());
    for paste in pastes {
        let masks = &sources[paste.source].masks;
        let placed = rle::place_rows(masks, paste.rows, &paste.placement, least)?;
        if placed.rows.is_empty() {
            continue;
        }
        let (source, placement) = (paste.source, paste.placement);
        let (uncut, union) = if paste.weights.is_some() && placement.is_cut() {
            let uncut = rle::union(&Masks::read_rows(masks, &placed.rows)?);
            let union = rle::place(&uncut, &placement)?;
            (Some(uncut), union)
        } else {
            (None, rle::union(&placed.masks))
        };
        let reach = rle::boxes(&union)[0];
        let soft = paste.weights.map(|weights| SoftEdge { weights, uncut });
        layers.push(Layer { source, placement, soft, placed, union, bbox: reach });
    }
    Ok(layers)
}

/// Cuts every row by the layers above it and drops what is hidden. The masks that the layers hold go with it.
pub(super) fn cut_and_drop(
    masks: Counts<'_>,
    crowd: &[bool],
    placement: &Placement,
    crowds: &[&[bool]],
    layers: &mut [Layer<'_>],
    rules: &DropRules,
) -> Result<ResultRows> {
    let placer = Placer::new(placement, masks.bounds_bound());
    let expected = placer.expected(masks.bounds_bound());
    let pasted = layers.iter().map(|layer| layer.placed.masks.counts_bound()).sum::<usize>();
    let rows = masks.len() + layers.iter().map(|layer| layer.placed.rows.len()).sum::<usize>();
    let mut left = Left::new(placement.canvas, rules, rows, expected + masks.len() + pasted)?;
    // One after the other, while it is in the nearest cache: read, placed, cut, and written.
    let cover = Cover::new(landing_box(placement), layers);
    let above = cover.as_ref().map(|cover| cover.above(expected));
    let (mut bounds, mut drawn) = (Vec::new(), Vec::new());
    for (row, &crowd) in crowd.iter().enumerate() {
        bounds.clear();
        masks.read(row, &mut bounds)?;
        let placed = placer.place(&bounds, &mut drawn)?;
        left.add(Origin { source: -1, row, crowd }, placed, above.as_ref())?;
    }
    for i in 0..layers.len() {
        let (below, above) = layers.split_at_mut(i + 1);
        let (number, placed) = (below[i].source, std::mem::take(&mut below[i].placed));
        let cover = hull(&placed.boxes).and_then(|hull| Cover::new(hull, above));
        let above = cover.as_ref().map(|cover| cover.above(placed.masks.bounds_len()));
        for (i, &row) in placed.rows.iter().enumerate() {
            let origin = Origin { source: number as i32, row, crowd: crowds[number][row] };
            let (bounds, area, reach) = (placed.masks.bounds(i), placed.area[i], placed.boxes[i]);
            left.add(origin, PlacedMask { bounds, area, reach }, above.as_ref())?;
        }
    }
    left.rows.counts.shrink_to_fit();
    Ok(left.rows)
}

/// Where a row comes from.
#[derive(Clone, Copy)]
struct Origin {
    source: i32,
    row: usize,
    crowd: bool,
}

/// The rows left so far.
struct Left<'a> {
    rows: ResultRows,
    rules: &'a DropRules,
    canvas: Size,
    scratch: Vec<[u32; 2]>,
}

impl<'a> Left<'a> {
    /// With room for so many rows, and run lengths.
    fn new(canvas: Size, rules: &'a DropRules, rows: usize, counts: usize) -> Result<Self> {
        let mut rows = ResultRows {
            counts: reserve(counts)?,
            offsets: reserve(rows + 1)?,
            boxes: reserve(rows)?,
            area: reserve(rows)?,
            source: reserve(rows)?,
            source_row: reserve(rows)?,
            visibility: reserve(rows)?,
            hidden: reserve(rows)?,
        };
        rows.offsets.push(0);
        Ok(Self { rows, rules, canvas, scratch: Vec::new() })
    }

    /// Adds what is left of one row under what lies above it.
    fn add(&mut self, origin: Origin, placed: PlacedMask<'_>, above: Option<&Above<'_>>) -> Result<()> {
        let PlacedMask { mut bounds, mut area, mut reach } = placed;
        if let Some(above) = above
            && above.reach.meets(&reach)
        {
            bounds = above.cut.apply(bounds, &mut self.scratch);
            area = rle::pixels(bounds);
        }
        if area == 0 {
            return Ok(());
        }
        let visibility = area as f64 / placed.area as f64;
        let too_little = u64::from(area) < self.rules.min_area || visibility < self.rules.min_visibility;
        let hidden = too_little && !origin.crowd;
        if hidden && !self.rules.keep_hidden {
            return Ok(());
        }
        if area < placed.area {
            reach = rle::bounding_box(bounds, self.canvas.h as u32);
        }
        rle::append_counts(bounds, self.canvas, &mut self.rows.counts)?;
        self.rows.offsets.push(self.rows.counts.len() as i64);
        self.rows.boxes.push(reach);
        self.rows.area.push(area as i64);
        self.rows.source.push(origin.source);
        self.rows.source_row.push(origin.row as i32);
        self.rows.visibility.push(visibility as f32);
        self.rows.hidden.push(hidden);
        Ok(())
    }
}

/// The union of layers, and the box of that.
struct Cover<'a> {
    union: Cow<'a, Masks>,
    reach: PixelBox,
}

/// The same, to be taken from many masks.
struct Above<'a> {
    cut: Cut<'a>,
    reach: PixelBox,
}

impl<'a> Cover<'a> {
    /// Of the layers that can touch what is in a box; none if no layer does.
    fn new(hull: PixelBox, layers: &'a [Layer<'_>]) -> Option<Self> {
        let mut touching = layers.iter().filter(|layer| layer.bbox.meets(&hull));
        let first = touching.next()?;
        let Some(second) = touching.next() else {
            return Some(Self { union: Cow::Borrowed(&first.union), reach: first.bbox });
        };
        let mut unions = first.union.clone();
        for layer in std::iter::once(second).chain(touching) {
            unions.push(layer.union.bounds(0));
        }
        let union = rle::union(&unions);
        let reach = rle::boxes(&union)[0];
        Some(Self { union: Cow::Owned(union), reach })
    }

    /// To be taken from masks of about so many bounds.
    fn above(&self, bounds: usize) -> Above<'_> {
        Above { cut: Cut::new(self.union.bounds(0), bounds), reach: self.reach }
    }
}

/// Where an image lands.
fn landing_box(placement: &Placement) -> PixelBox {
    let (rows, columns) = (placement.rows().landing(), placement.columns().landing());
    PixelBox { y0: rows.start, x0: columns.start, y1: rows.end, x1: columns.end }
}

fn hull(boxes: &[PixelBox]) -> Option<PixelBox> {
    boxes.iter().filter(|b| b.y0 < b.y1).copied().reduce(|a, b| PixelBox {
        y0: a.y0.min(b.y0),
        x0: a.x0.min(b.x0),
        y1: a.y1.max(b.y1),
        x1: a.x1.max(b.x1),
    })
}
