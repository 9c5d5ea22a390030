//! Fates of rows, where only these are asked: nothing is made of what is left.

use super::rows::{Origin, RowTaker, cut_rows, number_of_rows};
use super::{DropRules, Layer, Objects};
use crate::memory::reserve;
use crate::rle::{PixelBox, PlacedMask, Placer, bounding_box, number_of_pixels};
use crate::{Placement, Result, Size};

/// Fates of all rows of the target, in order, then of those pasted: columns of one length.
#[derive(Debug)]
pub struct RowFates {
    /// Number of the source of each row; -1 is the target.
    pub source: Vec<i32>,
    /// Row number within the target or the source.
    pub source_row: Vec<i32>,
    /// Pixels on the canvas before anything covered the row.
    pub placed: Vec<i64>,
    /// Pixels that are left, whether or not the row is dropped.
    pub left: Vec<i64>,
    /// Boxes of the pixels that are left.
    pub boxes: Vec<PixelBox>,
    /// Fates, as their numbers.
    pub fate: Vec<u8>,
}

/// Cuts every row by the layers above it, and says what becomes of it; rows of the target first, then those pasted.
pub(super) fn judge(
    target: &Objects<'_>,
    placement: &Placement,
    sources: &[Objects<'_>],
    layers: &[Layer<'_>],
    rules: &DropRules,
) -> Result<RowFates> {
    let placer = Placer::new(placement, target.masks.runs_len())?;
    let mut result = FateBuilder::new(placement.canvas, rules, number_of_rows(target, layers))?;
    cut_rows(target, &placer, sources, layers, &mut result)?;
    Ok(result.fates)
}

/// Builder of fates.
struct FateBuilder<'a> {
    fates: RowFates,
    rules: &'a DropRules,
    canvas: Size,
}

impl<'a> FateBuilder<'a> {
    /// Builder with room for a number of rows.
    fn new(canvas: Size, rules: &'a DropRules, rows: usize) -> Result<Self> {
        let fates = RowFates {
            source: reserve(rows)?,
            source_row: reserve(rows)?,
            placed: reserve(rows)?,
            left: reserve(rows)?,
            boxes: reserve(rows)?,
            fate: reserve(rows)?,
        };
        Ok(Self { fates, rules, canvas })
    }
}

impl RowTaker for FateBuilder<'_> {
    fn add(&mut self, origin: Origin, placed: PlacedMask<'_>, left: Option<&[[u32; 2]]>) -> Result<()> {
        let area = left.map_or(placed.area, number_of_pixels);
        let bbox = left.map_or(placed.bbox, |spans| bounding_box(spans, self.canvas.h as u32));
        self.fates.source.push(origin.source);
        self.fates.source_row.push(origin.row as i32);
        self.fates.placed.push(i64::from(placed.area));
        self.fates.left.push(i64::from(area));
        self.fates.boxes.push(bbox);
        self.fates.fate.push(self.rules.fate(placed.area, area, origin.crowd) as u8);
        Ok(())
    }
}
