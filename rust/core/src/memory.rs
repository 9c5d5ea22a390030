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
#[inline]
pub(crate) fn reserve_more<T>(values: &mut Vec<T>, length: usize) -> Result<()> {
    match values.try_reserve(length) {
        Ok(()) => Ok(()),
        Err(_) => Err(out_of_memory::<T>(values.len().saturating_add(length))),
    }
}

/// Makes scratch space at least `length` values long, with defaults behind the values it has; grows as vectors do.
#[inline]
pub(crate) fn lengthen<T: Copy + Default>(values: &mut Vec<T>, length: usize) -> Result<()> {
    if values.len() < length { lengthen_now(values, length) } else { Ok(()) }
}

#[cold]
fn lengthen_now<T: Copy + Default>(values: &mut Vec<T>, length: usize) -> Result<()> {
    reserve_more(values, (length - values.len()).max(64))?;
    // As long as there is room: most later calls find enough.
    values.resize(values.capacity(), T::default());
    Ok(())
}

/// Vector of `length` default values.
pub(crate) fn filled<T: Copy + Default>(length: usize) -> Result<Vec<T>> {
    let mut values = reserve(length)?;
    values.resize(length, T::default());
    Ok(values)
}

/// Vector of as many values as an iterator says it has.
pub(crate) fn collect<T>(values: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut collected = reserve(values.len())?;
    collected.extend(values);
    Ok(collected)
}

#[cold]
fn out_of_memory<T>(length: usize) -> Error {
    Error::OutOfMemory { bytes: length.saturating_mul(size_of::<T>()) }
}
