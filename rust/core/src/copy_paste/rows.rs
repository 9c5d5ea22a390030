//! Rows of the result: placed, cut by what is pasted later, and dropped when too little is left.

use super::{DropRules, Fate, Layer, Objects, Paste, ResultRows, SoftEdge};
use crate::memory::reserve;
use crate::rle::{
    self, Masks, PixelBits, PixelBox, PlacedMask, PlacedMasks, Placer, SpanIndex, append_counts,
    bounding_box, number_of_pixels,
};
use crate::simd::Level;
use crate::{Placement, Result, Size};

/// Places the rows of each paste; those too small on the canvas are not pasted, and a paste without any is none.
pub(super) fn place_layers<'a>(
    sources: &[Objects<'_>],
    pastes: &[Paste<'a>],
    rules: &DropRules,
) -> Result<Vec<Layer<'a>>> {
    let mut layers = reserve(pastes.len())?;
    for (number, paste) in pastes.iter().enumerate() {
        let masks = &sources[paste.source].masks;
        let placed = rle::place_rows(masks, paste.rows, &paste.placement, rules.min_area.max(1))?;
        if placed.rows.is_empty() {
            continue;
        }
        let (source, placement) = (paste.source, paste.placement);
        let (uncut, union) = if paste.weights.is_some() && placement.is_cut() {
            let uncut = rle::union(&Masks::read_rows(masks, &placed.rows)?)?;
            let union = rle::place(&uncut, &placement)?;
            (Some(uncut), union)
        } else {
            (None, rle::union(&placed.masks)?)
        };
        let bbox = bounding_box(union.spans(0), placement.canvas.h as u32);
        let soft = paste.weights.map(|weights| SoftEdge { weights, uncut });
        layers.push(Layer { paste: number, source, placement, soft, placed, union, bbox });
    }
    Ok(layers)
}

/// Cuts every row by the layers above it and drops what is hidden; rows of the target first, then those pasted.
pub(super) fn cut_and_drop(
    target: &Objects<'_>,
    placement: &Placement,
    sources: &[Objects<'_>],
    layers: &[Layer<'_>],
    rules: &DropRules,
) -> Result<ResultRows> {
    let placer = Placer::new(placement, target.masks.runs_len())?;
    let pasted = layers.iter().map(|layer| layer.placed.masks.counts_len()).sum::<usize>();
    let counts = placer.expected(target.masks.runs_len()) + target.masks.len() + pasted;
    let mut result = RowBuilder::new(placement.canvas, rules, number_of_rows(target, layers), counts)?;
    cut_rows(target, &placer, sources, layers, &mut result)?;
    result.rows.counts.shrink_to_fit();
    Ok(result.rows)
}

/// Number of the rows of the target and of those pasted.
pub(super) fn number_of_rows(target: &Objects<'_>, layers: &[Layer<'_>]) -> usize {
    target.masks.len() + layers.iter().map(|layer| layer.placed.rows.len()).sum::<usize>()
}

/// Taker of the rows of a result, one after the other.
pub(super) trait RowTaker {
    /// Takes one row: its mask on the canvas, and what is left of it; all of it where `left` is none.
    fn add(&mut self, origin: Origin, placed: PlacedMask<'_>, left: Option<&[[u32; 2]]>) -> Result<()>;
}

/// Hands every row, cut by the layers above it, to `result`.
pub(super) fn cut_rows(
    target: &Objects<'_>,
    placer: &Placer,
    sources: &[Objects<'_>],
    layers: &[Layer<'_>],
    result: &mut impl RowTaker,
) -> Result<()> {
    let expected = placer.expected(target.masks.runs_len());
    let (cut, union) = cut_layers(layers)?;
    let union = if let [only] = layers { only.union.spans(0) } else { union.as_chunks().0 };
    let occluder = Occluder::Spans(SpanIndex::new(union, expected / 2)?);
    let bbox = hull(layers);
    // One after the other, while it is in the nearest cache: read, placed, cut, and written.
    let (mut toggles, mut on_canvas, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
    for (row, &crowd) in target.crowd.iter().enumerate() {
        toggles.clear();
        target.masks.read(row, &mut toggles)?;
        let placed = placer.place(toggles.as_chunks().0, &mut on_canvas)?;
        let left = if bbox.meets(&placed.bbox) {
            Some(occluder.subtract_from(placed.spans, &mut scratch)?)
        } else {
            None
        };
        result.add(Origin { paste: -1, source: -1, row, crowd }, placed, left)?;
    }
    for (layer, cut) in layers.iter().zip(&cut) {
        let PlacedMasks { masks, rows, area, boxes } = &layer.placed;
        for (i, &row) in rows.iter().enumerate() {
            let crowd = sources[layer.source].crowd[row];
            let origin = Origin { paste: layer.paste as i32, source: layer.source as i32, row, crowd };
            let placed = PlacedMask { spans: masks.spans(i), area: area[i], bbox: boxes[i] };
            result.add(origin, placed, cut.as_ref().map(|cut| cut.spans(i)))?;
        }
    }
    Ok(())
}

/// Rows of each layer without what lies above it, where anything does; and the toggles of the union of several layers.
///
/// From the last layer down, with one union that grows: the cost is in proportion to the number of layers.
fn cut_layers(layers: &[Layer<'_>]) -> Result<(Vec<Option<Masks>>, Vec<u32>)> {
    let mut cut = reserve(layers.len())?;
    cut.resize_with(layers.len(), || None);
    if layers.len() < 2 {
        return Ok((cut, Vec::new()));
    }
    let spans = || layers.iter().flat_map(|layer| layer.union.spans(0));
    let low = spans().fold(u32::MAX, |low, span| low.min(span[0]));
    let high = spans().fold(0, |high, span| high.max(span[1]));
    let mut union = PixelBits::new(low.min(high) as usize..high as usize)?;
    let mut scratch = Vec::new();
    for (i, layer) in layers.iter().enumerate().rev() {
        let occluder = match &layers[i + 1..] {
            [] => None,
            // Two sources are common, and lists of spans quicker for so few.
            [only] => Some(Occluder::Spans(SpanIndex::new(
                only.union.spans(0),
                layer.placed.masks.toggles_len() / 2,
            )?)),
            _ => Some(Occluder::Bits(&union)),
        };
        if let Some(occluder) = occluder {
            let masks = &layer.placed.masks;
            let mut left = Masks::with_capacity(masks.size(), masks.len(), masks.toggles_len())?;
            for spans in masks.iter() {
                left.push(occluder.subtract_from(spans, &mut scratch)?)?;
            }
            cut[i] = Some(left);
        }
        union.add(Level::detect(), layer.union.spans(0));
    }
    let most = layers.iter().map(|layer| layer.union.toggles_len()).sum();
    Ok((cut, union.toggles(most)?))
}

/// Union of layers, to be subtracted from rows below them.
enum Occluder<'a> {
    Spans(SpanIndex<'a>),
    Bits(&'a PixelBits),
}

impl Occluder<'_> {
    /// Spans of a row without what the layers cover; `scratch` is there to be used again.
    fn subtract_from<'b>(
        &self,
        spans: &'b [[u32; 2]],
        scratch: &'b mut Vec<[u32; 2]>,
    ) -> Result<&'b [[u32; 2]]> {
        match self {
            Self::Spans(index) => index.subtract_from(spans, scratch),
            Self::Bits(bits) => bits.subtract_from(spans, scratch),
        }
    }
}

/// Origin of a row: its paste and source, -1 for the target, its number there, and whether it is a crowd.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) paste: i32,
    pub(super) source: i32,
    pub(super) row: usize,
    pub(super) crowd: bool,
}

/// Builder of the rows of a result.
struct RowBuilder<'a> {
    rows: ResultRows,
    rules: &'a DropRules,
    canvas: Size,
}

impl<'a> RowBuilder<'a> {
    /// Builder with room for a number of rows, and of run lengths.
    fn new(canvas: Size, rules: &'a DropRules, rows: usize, counts: usize) -> Result<Self> {
        let mut rows = ResultRows {
            counts: reserve(counts)?,
            offsets: reserve(rows + 1)?,
            boxes: reserve(rows)?,
            area: reserve(rows)?,
            source: reserve(rows)?,
            source_row: reserve(rows)?,
            paste: reserve(rows)?,
            visibility: reserve(rows)?,
            hidden: reserve(rows)?,
        };
        rows.offsets.push(0);
        Ok(Self { rows, rules, canvas })
    }
}

impl RowTaker for RowBuilder<'_> {
    /// Adds what is left of one row, unless the rules drop it.
    fn add(&mut self, origin: Origin, placed: PlacedMask<'_>, left: Option<&[[u32; 2]]>) -> Result<()> {
        let spans = left.unwrap_or(placed.spans);
        let area = left.map_or(placed.area, number_of_pixels);
        let hidden = match self.rules.fate(placed.area, area, origin.crowd) {
            Fate::Kept => false,
            Fate::Crowd => true,
            _ => return Ok(()),
        };
        let visibility = f64::from(area) / f64::from(placed.area);
        let whole = area == placed.area;
        let bbox = if whole { placed.bbox } else { bounding_box(spans, self.canvas.h as u32) };
        append_counts(spans, self.canvas, &mut self.rows.counts)?;
        self.rows.offsets.push(self.rows.counts.len() as i64);
        self.rows.boxes.push(bbox);
        self.rows.area.push(i64::from(area));
        self.rows.source.push(origin.source);
        self.rows.source_row.push(origin.row as i32);
        self.rows.paste.push(origin.paste);
        self.rows.visibility.push(visibility as f32);
        self.rows.hidden.push(hidden);
        Ok(())
    }
}

/// Smallest box around all layers; one without a pixel if there are none.
fn hull(layers: &[Layer<'_>]) -> PixelBox {
    let boxes = layers.iter().map(|layer| layer.bbox).filter(|bbox| bbox.y0 < bbox.y1);
    let joined = boxes.reduce(|a, b| PixelBox {
        y0: a.y0.min(b.y0),
        x0: a.x0.min(b.x0),
        y1: a.y1.max(b.y1),
        x1: a.x1.max(b.x1),
    });
    joined.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rle::{difference, union};
    use crate::testing::{Random, dense, from_drawings};

    #[test]
    fn each_layer_loses_what_those_above_cover() {
        let mut random = Random(31);
        for layers in (0..6).cycle().take(60) {
            let size = Size { h: 1 + random.below(40), w: 1 + random.below(40) };
            let placement = Placement {
                input: size,
                resized: size,
                offset_y: 0,
                offset_x: 0,
                canvas: size,
                hflip: false,
            };
            let layers: Vec<Layer<'_>> = (0..layers)
                .map(|source| {
                    let drawings = [random.drawing(size), random.drawing(size)];
                    let masks = from_drawings(size, &drawings[random.below(2)..]);
                    let union = union(&masks).unwrap();
                    let bbox = bounding_box(union.spans(0), size.h as u32);
                    let placed = PlacedMasks { masks, rows: Vec::new(), area: Vec::new(), boxes: Vec::new() };
                    Layer { paste: source, source, placement, soft: None, placed, union, bbox }
                })
                .collect();
            let (cut, toggles) = cut_layers(&layers).unwrap();
            let united = |layers: &[Layer<'_>]| {
                let drawings: Vec<_> = layers.iter().flat_map(|layer| dense(&layer.union)).collect();
                union(&from_drawings(size, &drawings)).unwrap()
            };
            for (i, cut) in cut.iter().enumerate() {
                let above = &layers[i + 1..];
                let expected =
                    (!above.is_empty()).then(|| difference(&layers[i].placed.masks, &united(above)).unwrap());
                assert_eq!(*cut, expected);
            }
            let all = united(&layers);
            assert_eq!(toggles, if layers.len() < 2 { &[] } else { all.toggles(0) });
        }
    }
}
