//! Putting one image over another: how much of it shows, and the mixing itself.

mod alpha;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod blend;
mod blur;
mod edge;
pub(crate) mod kinds;
pub(crate) mod portable;
mod spans;
#[cfg(test)]
mod tests;

pub(crate) use alpha::alpha_of_placed;
pub use alpha::{alpha, alpha_with_level};
pub use blend::{Blend, blend, blend_row};
pub use edge::Alpha;
