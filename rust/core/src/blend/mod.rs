//! Soft edges: the alpha of a pasted object, and the mixing of two images by it.

mod alpha;
mod alpha_blocks;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod blur;
mod dispatch;
pub(crate) mod mix;
pub(crate) mod opacity_bits;
pub(crate) mod portable;
#[cfg(test)]
mod tests;

pub(crate) use alpha::alpha_of_placed;
pub use alpha::{alpha, alpha_with_level};
pub use alpha_blocks::Alpha;
pub use mix::{Blend, blend, blend_row};
