//! Run-length masks, and what can be done with them without ever drawing them.
//!
//! A *toggle* is the number of a pixel where a mask turns on or off; pixels are numbered down the columns, as COCO does:
//! `x * h + y`. A *span* is two toggles, the first pixel that is set and the one behind the last. A mask is a list of
//! spans, ascending, with a clear pixel between two: kernels can enter it anywhere. Run lengths exist at the edge only,
//! in [`Counts`] and [`Masks::to_counts`].
//!
//! | module | what it has |
//! | --- | --- |
//! | `masks` | [`Masks`]: spans of several masks of one size |
//! | `counts` | [`Counts`]: run lengths as callers have them, read mask by mask |
//! | `spans` | what all kernels need of the spans of one mask: area, box, rectangles, canonical form |
//! | `measure` | areas and boxes of all masks |
//! | `ops` | union, intersection, difference, intersection over union, connected parts |
//! | `place` | flip, resize, crop and pad |
//! | `polygon` | polygons to masks, and masks to polygons |
//! | `objects` | masks of the objects of one image, out of the flat arrays of a data set |
//! | `codec` | COCO's compressed counts |
//! | `dense` | one byte a pixel, to masks and back |
//! | `bitplane` | one bit a pixel, row by row, to paint from |
//! | `label_map` | masks to one number a pixel |
//! | `labels` | one number a pixel to masks |
//! | `sort` | sort of numbers that come from few places |
//! | `dispatch`, `portable`, `avx2` | kernels by instruction set: reading counts, setting bits |
//!
//! A bit plane does not become a mask again: rows of it, combined with others by words, become runs along a row by
//! [`crate::bits::append_runs`].

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod bitplane;
mod codec;
mod counts;
mod dense;
mod dispatch;
mod label_map;
mod labels;
mod masks;
mod measure;
mod objects;
mod ops;
mod place;
mod polygon;
pub(crate) mod portable;
mod sort;
mod spans;

pub use bitplane::BitPlane;
pub use codec::{format, parse};
pub use counts::Counts;
pub use dense::{decode, encode_c, encode_f};
pub use label_map::{DrawOrder, label_map};
pub use labels::{Label, from_label_map_c, from_label_map_f};
pub use masks::Masks;
pub use measure::{PixelBox, area, area_of_counts, boxes};
pub use objects::{DataObjects, Points};
pub(crate) use ops::{PixelBits, SpanIndex};
pub use ops::{difference, intersection, iou, union, without_small_parts};
pub(crate) use place::{PlacedMask, PlacedMasks, Placer, place_rows};
pub use place::{place, place_counts};
pub use polygon::{LARGEST_COORDINATE, Polygons, Vertices, polygons, rasterize};
pub(crate) use spans::{append_counts, bounding_box, number_of_pixels};

#[cfg(test)]
mod tests;
