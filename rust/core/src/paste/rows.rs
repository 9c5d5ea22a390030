//! The masks of the operation: placed, cut by what is pasted later, and dropped when too little is left.

use std::borrow::Cow;

use super::{Layer, Paste, Rows, Rules, Side, Soft};
use crate::rle::{self, Cut, Masks, PixelBox, Placed};
use crate::{Placement, Result};

/// Places the rows of each paste; those too small on the canvas are not pasted, and a paste without any is none.
pub(super) fn place_layers<'a, T>(
    sources: &[Side<'_, T>],
    pastes: &[Paste<'a>],
    rules: &Rules,
) -> Result<Vec<Layer<'a>>> {
    let least = rules.min_area.max(1);
    let place = |paste: &Paste<'a>| {
        let masks = &sources[paste.source].masks;
        let placed = rle::place_rows(masks, &paste.rows, &paste.placement, least)?;
        let union = rle::union(&placed.masks);
        let reach = rle::boxes(&union)[0];
        Ok(Layer {
            source: paste.source,
            placement: paste.placement,
            soft: paste.weights.map(|weights| Soft {
                weights,
                uncut: paste.placement.is_cut().then(|| rle::union(&masks.select(&placed.rows))),
            }),
            placed,
            union,
            reach,
        })
    };
    let mut layers = pastes.iter().map(place).collect::<Result<Vec<_>>>()?;
    layers.retain(|layer| !layer.placed.rows.is_empty());
    Ok(layers)
}

/// Cuts every row by the layers above it and drops what is hidden. The masks that the layers hold go with it.
pub(super) fn cut_and_drop(
    masks: Masks,
    crowd: &[bool],
    placement: &Placement,
    crowds: &[&[bool]],
    layers: &mut [Layer<'_>],
    rules: &Rules,
) -> Result<Rows> {
    let mut left = Left::new(rules);
    let numbers: Vec<usize> = (0..masks.len()).collect();
    let placed = rle::place_rows(&masks, &numbers, placement, 0)?;
    drop(masks);
    left.add(-1, &placed, crowd, layers);
    drop(placed);
    for i in 0..layers.len() {
        let (below, above) = layers.split_at_mut(i + 1);
        let layer = &mut below[i];
        let placed = std::mem::take(&mut layer.placed);
        left.add(layer.source as i32, &placed, crowds[layer.source], above);
    }
    Ok(left.rows)
}

/// The rows left so far.
struct Left<'a> {
    rows: Rows,
    rules: &'a Rules,
}

impl<'a> Left<'a> {
    fn new(rules: &'a Rules) -> Self {
        let rows = Rows {
            counts: Vec::new(),
            offsets: vec![0],
            boxes: Vec::new(),
            area: Vec::new(),
            source: Vec::new(),
            source_row: Vec::new(),
            visibility: Vec::new(),
            hidden: Vec::new(),
        };
        Self { rows, rules }
    }

    /// Adds what the layers `above` leave of the rows `numbers` of one side.
    fn add(&mut self, source: i32, placed: &Placed, crowd: &[bool], above: &[Layer<'_>]) {
        let size = placed.masks.size();
        let cover = cover(&placed.boxes, above);
        let cut = cover
            .as_ref()
            .map(|(union, reach)| (Cut::new(union.bounds(0), placed.masks.bounds_len()), reach));
        // What is cut mostly has fewer runs.
        self.rows.counts.reserve_exact(placed.masks.counts_bound());
        let mut scratch = Vec::new();
        for (i, &row) in placed.rows.iter().enumerate() {
            let (mut bounds, mut area, mut reach) = (placed.masks.bounds(i), placed.area[i], placed.boxes[i]);
            if let Some((cut, cover)) = &cut
                && cover.meets(&reach)
            {
                bounds = cut.apply(bounds, &mut scratch);
                area = rle::pixels(bounds) as i64;
            }
            if area == 0 {
                continue;
            }
            let visibility = area as f64 / placed.area[i] as f64;
            let too_little = area < self.rules.min_area as i64 || visibility < self.rules.min_visibility;
            let hidden = too_little && !crowd[row];
            if hidden && !self.rules.keep_hidden {
                continue;
            }
            if area < placed.area[i] {
                reach = rle::bounding_box(bounds, size.h as u32);
            }
            rle::append_counts(bounds, size, &mut self.rows.counts);
            self.rows.offsets.push(self.rows.counts.len() as i64);
            self.rows.boxes.push(reach);
            self.rows.area.push(area);
            self.rows.source.push(source);
            self.rows.source_row.push(row as i32);
            self.rows.visibility.push(visibility as f32);
            self.rows.hidden.push(hidden);
        }
    }
}

/// The union of the layers that can touch one of the boxes, and its box; none if no layer does.
fn cover<'a>(boxes: &[PixelBox], layers: &'a [Layer<'_>]) -> Option<(Cow<'a, Masks>, PixelBox)> {
    let hull = hull(boxes)?;
    let mut touching = layers.iter().filter(|layer| layer.reach.meets(&hull));
    let first = touching.next()?;
    let Some(second) = touching.next() else { return Some((Cow::Borrowed(&first.union), first.reach)) };
    let mut unions = first.union.clone();
    for layer in std::iter::once(second).chain(touching) {
        unions.push(layer.union.bounds(0));
    }
    let union = rle::union(&unions);
    let reach = rle::boxes(&union)[0];
    Some((Cow::Owned(union), reach))
}

fn hull(boxes: &[PixelBox]) -> Option<PixelBox> {
    boxes.iter().filter(|b| b.y0 < b.y1).copied().reduce(|a, b| PixelBox {
        y0: a.y0.min(b.y0),
        x0: a.x0.min(b.x0),
        y1: a.y1.max(b.y1),
        x1: a.x1.max(b.x1),
    })
}
