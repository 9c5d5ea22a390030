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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy_paste::{Fate, Paste, compose_masks, row_fates};
    use crate::rle::Counts;
    use crate::testing::{Random, from_drawings};

    #[test]
    fn fates_follow_the_limits() {
        let rules = DropRules { min_area: 5, min_visibility: 0.5, keep_hidden: false };
        let fates = |rules: DropRules, crowd| {
            [(0, 0), (9, 0), (9, 4), (20, 9), (20, 10), (5, 5)]
                .map(|(placed, left)| rules.fate(placed, left, crowd))
        };
        let (off, buried) = (Fate::OffCanvas, Fate::Buried);
        let dropped = [off, buried, Fate::UnderArea, Fate::UnderVisibility, Fate::Kept, Fate::Kept];
        assert_eq!(fates(rules, false), dropped);
        let kept = DropRules { keep_hidden: true, ..rules };
        assert_eq!(fates(kept, false), [off, buried, Fate::Crowd, Fate::Crowd, Fate::Kept, Fate::Kept]);
        for rules in [rules, kept] {
            assert_eq!(fates(rules, true), [off, buried, Fate::Kept, Fate::Kept, Fate::Kept, Fate::Kept]);
        }
    }

    #[test]
    fn rows_are_kept_as_the_operation_keeps_them() {
        let mut random = Random(47);
        for turn in 0..200 {
            let size = Size { h: 1 + random.below(20), w: 1 + random.below(20) };
            let still = Placement {
                input: size,
                resized: size,
                offset_y: 0,
                offset_x: 0,
                canvas: size,
                hflip: false,
            };
            let sides: Vec<_> = (0..3)
                .map(|_| {
                    from_drawings(size, &[random.drawing(size), random.drawing(size)]).to_counts().unwrap()
                })
                .collect();
            let crowd = [turn % 3 == 0, false];
            let objects: Vec<_> = sides
                .iter()
                .map(|(counts, offsets)| Objects {
                    masks: Counts::new(size, counts, offsets).unwrap(),
                    crowd: &crowd,
                })
                .collect();
            let (target, sources) = objects.split_first().unwrap();
            let pastes =
                [0, 1].map(|source| Paste { source, rows: &[0, 1], placement: still, weights: None });
            let pastes = &pastes[..turn % 3];
            let rules = DropRules {
                min_area: random.below(30) as u64,
                min_visibility: random.below(3) as f64 / 2.0,
                keep_hidden: turn % 2 == 0,
            };
            let fates = row_fates(*target, &still, sources, pastes, &rules).unwrap();
            let (rows, _) = compose_masks(*target, &still, sources, pastes, &rules).unwrap();
            let kept: Vec<_> =
                (0..fates.fate.len()).filter(|&i| fates.fate[i] <= Fate::Crowd as u8).collect();
            let rows_of =
                |i: &usize| (fates.source[*i], fates.source_row[*i], fates.left[*i], fates.boxes[*i]);
            let left = (0..rows.area.len())
                .map(|i| (rows.source[i], rows.source_row[i], rows.area[i], rows.boxes[i]));
            assert!(kept.iter().map(rows_of).eq(left));
            let crowds = kept.iter().map(|&i| fates.fate[i] == Fate::Crowd as u8);
            assert!(crowds.eq(rows.hidden.iter().copied()));
        }
    }
}
