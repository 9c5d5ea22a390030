//! Polygons to masks, and masks to polygons.

mod contour;
mod edge;
mod raster;

pub use contour::{Polygons, polygons};
pub use edge::LARGEST_COORDINATE;
pub use raster::rasterize;
