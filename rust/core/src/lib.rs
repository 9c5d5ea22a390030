//! Copy-paste augmentation for instance segmentation: the kernels, without Python.
//!
//! Three ideas carry the design. All randomness is decided before a kernel runs, so every function here is
//! pure. Masks stay run-length encoded ([`rle::Masks`]), so their cost follows the perimeter. Every output
//! pixel is computed once ([`copy_paste`]).

mod bits;
pub mod blend;
pub mod copy_paste;
pub mod error;
pub mod geometry;
mod memory;
pub mod output;
pub mod philox;
pub mod plan;
pub mod resample;
pub mod rle;
pub mod simd;
#[cfg(test)]
mod testing;
pub mod view;

pub use error::{Error, Result};
pub use geometry::{Placement, Size};
pub use view::{ImageView, ImageViewMut};
