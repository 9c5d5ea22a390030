//! Linear filter, two taps on each axis: OpenCV's integers for bytes, float32 otherwise.
//!
//! What is `inline(always)` is compiled once more, with their instructions, into functions for AVX2 and AVX-512.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_floats;
#[cfg(target_arch = "x86_64")]
mod avx2_quads;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod axis;
mod bytes;
mod dispatch;
mod floats;
mod fused;
#[cfg(target_arch = "x86_64")]
mod groups;
#[cfg(target_arch = "x86_64")]
mod permutations;
mod portable;
#[cfg(target_arch = "x86_64")]
mod shuffles;
mod table;
mod whole;

pub(super) use bytes::LinearBytes;
pub(super) use floats::LinearFloats;
pub(super) use whole::LinearFilter;
