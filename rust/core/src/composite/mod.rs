//! Putting one image over another: how much of it shows, and the mixing itself.

mod blend;

pub use blend::{Blend, blend, blend_row};
