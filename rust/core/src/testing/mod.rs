//! Support for the tests of all modules: random numbers, and masks as drawings.

mod drawings;
mod random;

pub(crate) use drawings::{Drawing, dense, draw, from_drawings, map_pixels, mask, random_masks};
pub(crate) use random::Random;
