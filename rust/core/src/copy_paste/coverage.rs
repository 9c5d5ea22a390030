//! Canvas pixels that each paste covers: bits where its edge is hard, alpha where it is soft.

use std::ops::Range;

use super::Layer;
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
