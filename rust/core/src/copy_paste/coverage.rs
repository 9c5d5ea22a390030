//! Canvas pixels that each paste covers: bits where its edge is hard, alpha where it is soft.

use std::ops::Range;

use super::{Layer, check_length, check_size};
use crate::blend::{Alpha, alpha, alpha_of_placed};
use crate::memory::reserve;
use crate::rle::{BitPlane, Masks, PixelBox};
use crate::simd::Level;
use crate::{Placement, Result};

/// Placement of the target, and what lies over it.
pub struct Coverage {
    pub(super) target: Placement,
    pub(super) layers: Vec<LayerCoverage>,
}

/// Canvas pixels that one paste covers, within a box.
pub(super) struct LayerCoverage {
    paste: usize,
    pub(super) source: usize,
    pub(super) placement: Placement,
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) opacity: Opacity,
    /// Union of the pasted masks on the canvas, which labels follow whatever the edge.
    union: Masks,
}

/// Opacity of a paste at each pixel of its box.
pub(super) enum Opacity {
    Hard(BitPlane),
    Soft(Alpha),
}

impl Coverage {
    pub(super) fn new(target: Placement, layers: Vec<Layer<'_>>) -> Result<Self> {
        let mut covered = reserve(layers.len())?;
        for layer in layers {
            covered.push(LayerCoverage::new(layer)?);
        }
        Ok(Self { target, layers: covered })
    }

    /// Coverage of hard pastes, each given by its source, its placement and its mask of `unions`, which has the pixels
    /// that it covers, as [`Coverage::unions`] gives them.
    ///
    /// # Errors
    /// When there are other than one mask for each paste, their canvases differ, or there is not enough memory.
    pub fn of_unions(target: Placement, pastes: &[(usize, Placement)], unions: &Masks) -> Result<Self> {
        check_length(pastes.len(), unions.len())?;
        check_size(target.canvas, unions.size())?;
        let mut layers = reserve(pastes.len())?;
        for (paste, &(source, placement)) in pastes.iter().enumerate() {
            check_size(target.canvas, placement.canvas)?;
            let spans = unions.spans(paste);
            if spans.is_empty() {
                continue;
            }
            let mut union = Masks::with_capacity(target.canvas, 1, 2 * spans.len())?;
            union.push(spans)?;
            let plane = BitPlane::new(&union, 0)?;
            let PixelBox { y0, x0, y1, x1 } = plane.bbox();
            let opacity = Opacity::Hard(plane);
            layers.push(LayerCoverage {
                paste,
                source,
                placement,
                rows: y0..y1,
                columns: x0..x1,
                opacity,
                union,
            });
        }
        Ok(Self { target, layers })
    }

    /// Canvas pixels that each of a number of pastes covers: one mask for each, as run lengths and offsets; an empty
    /// one for a paste of which nothing is on the canvas.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn unions(&self, pastes: usize) -> Result<(Vec<u32>, Vec<i64>)> {
        let mut unions = Masks::with_capacity(self.target.canvas, pastes, 0)?;
        let mut layers = self.layers.iter().peekable();
        for paste in 0..pastes {
            let layer = layers.next_if(|layer| layer.paste == paste);
            unions.push(layer.map_or(&[], |layer| layer.union.spans(0)))?;
        }
        unions.to_counts()
    }
}

impl LayerCoverage {
    fn new(layer: Layer<'_>) -> Result<Self> {
        let (opacity, rows, columns) = match &layer.soft {
            None => {
                let PixelBox { y0, x0, y1, x1 } = layer.bbox;
                (Opacity::Hard(BitPlane::new(&layer.union, 0)?), y0..y1, x0..x1)
            }
            Some(soft) => {
                let alpha = match &soft.uncut {
                    Some(union) => alpha(union, &layer.placement, soft.weights)?,
                    None => alpha_of_placed(Level::detect(), &layer.union, &layer.placement, soft.weights)?,
                };
                let (rows, columns) = (alpha.rows(), alpha.columns());
                (Opacity::Soft(alpha), rows, columns)
            }
        };
        let Layer { paste, source, placement, union, .. } = layer;
        Ok(Self { paste, source, placement, rows, columns, opacity, union })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{dense, random_masks};
    use crate::{Error, Size};

    #[test]
    fn unions_are_those_that_were_given() {
        for unions in random_masks(7) {
            let canvas = unions.size();
            let still =
                Placement { input: canvas, resized: canvas, offset_y: 0, offset_x: 0, canvas, hflip: false };
            let pastes: Vec<_> = (0..unions.len()).map(|paste| (paste % 2, still)).collect();
            let coverage = Coverage::of_unions(still, &pastes, &unions).unwrap();
            assert_eq!(coverage.unions(unions.len()).unwrap(), unions.to_counts().unwrap());
            let filled = dense(&unions).iter().filter(|rows| rows.iter().flatten().any(|&set| set)).count();
            assert_eq!(coverage.layers.len(), filled);
            let sources = coverage.layers.iter().map(|layer| (layer.paste % 2, layer.source));
            assert!(sources.into_iter().all(|(expected, source)| expected == source));
        }
    }

    #[test]
    fn unions_that_do_not_fit_are_refused() {
        let canvas = Size { h: 2, w: 3 };
        let still =
            Placement { input: canvas, resized: canvas, offset_y: 0, offset_x: 0, canvas, hflip: false };
        let unions = Masks::from_counts(canvas, &[1, 2, 3], &[0, 3]).unwrap();
        let error = |target, pastes: &[_]| Coverage::of_unions(target, pastes, &unions).err();
        assert_eq!(error(still, &[(0, still)]), None);
        assert_eq!(error(still, &[]), Some(Error::LengthDiffers { expected: 0, found: 1 }));
        let other = Placement { canvas: Size { h: 3, w: 2 }, ..still };
        let differs = Some(Error::SizeDiffers { expected: other.canvas, found: canvas });
        assert_eq!(error(other, &[(0, still)]), differs);
        let differs = Some(Error::SizeDiffers { expected: canvas, found: other.canvas });
        assert_eq!(error(still, &[(0, other)]), differs);
    }
}
