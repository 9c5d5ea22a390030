//! Vectors whose memory may not be there: a size that follows the input is an error then, never an abort.

use crate::error::{Error, Result};

/// Empty vector with room for `length` values.
pub(crate) fn reserve<T>(length: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    match values.try_reserve_exact(length) {
        Ok(()) => Ok(values),
        Err(_) => Err(out_of_memory::<T>(length)),
    }
}

/// Makes room for `length` more values; grows as vectors do.
pub(crate) fn reserve_more<T>(values: &mut Vec<T>, length: usize) -> Result<()> {
    match values.try_reserve(length) {
        Ok(()) => Ok(()),
        Err(_) => Err(out_of_memory::<T>(values.len().saturating_add(length))),
    }
}

/// Vector of `length` default values.
pub(crate) fn filled<T: Copy + Default>(length: usize) -> Result<Vec<T>> {
    let mut values = reserve(length)?;
    values.resize(length, T::default());
    Ok(values)
}

fn out_of_memory<T>(length: usize) -> Error {
    Error::OutOfMemory { bytes: length.saturating_mul(size_of::<T>()) }
}
