//! Run-length masks.
