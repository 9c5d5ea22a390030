//! Set operations on masks of one size, span by span.
//!
//! - `union.rs`: union, by bits or by sorting
//! - `difference.rs`: difference, and an index for a mask that is subtracted from many
//! - `overlap.rs`: intersection, and intersection over union
//! - `parts.rs`: connected parts, and masks without the small ones
//! - `pixel_bits.rs`: a set of pixels as bits, to which masks are added and which is subtracted from masks

mod difference;
mod overlap;
mod parts;
mod pixel_bits;
mod union;

pub(crate) use difference::SpanIndex;
pub use difference::difference;
pub use overlap::{intersection, iou};
pub use parts::without_small_parts;
pub(crate) use pixel_bits::{PixelBits, WINDOW};
pub use union::union;
