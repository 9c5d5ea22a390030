//! Polygons to masks, and masks to polygons.
//!
//! - `raster.rs`: masks of polygons, part by part
//! - `edge.rs`: pixels at which one edge changes the state of a column
//! - `contour.rs`: polygons around masks

mod contour;
mod edge;
mod raster;

pub use contour::{Polygons, Vertices, polygons};
pub use edge::LARGEST_COORDINATE;
pub use raster::rasterize;
