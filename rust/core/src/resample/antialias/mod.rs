//! Antialiased filter, a triangle that widens as an axis shrinks: Pillow's integers for bytes, float32 otherwise.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_floats;
mod bytes;
#[cfg(target_arch = "x86_64")]
mod digits;
mod dispatch;
mod floats;
mod portable;
#[cfg(target_arch = "x86_64")]
mod steps;
mod table;
mod triangle;
#[cfg(target_arch = "x86_64")]
mod vnni;

pub(super) use bytes::AntialiasBytes;
pub(super) use floats::AntialiasFloats;
