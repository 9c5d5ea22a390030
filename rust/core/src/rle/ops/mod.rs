//! Set operations on masks of one size, span by span.

mod difference;
mod overlap;
mod pixel_bits;
mod union;

pub(crate) use difference::SpanIndex;
pub use difference::difference;
pub use overlap::{intersection, iou};
pub(crate) use pixel_bits::{PixelBits, WINDOW};
pub use union::union;
