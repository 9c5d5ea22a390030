//! COCO annotation files as flat arrays, read without an object for each annotation.
//!
//! Files are nearly always plain: fields have the types that they should have. Such files are read here. Whatever is
//! not plain ([`Odd`]), an error in the file among it, is left to a slower reader that knows all of what people write
//! and says what is wrong; [`Reader`] then has nothing to say.

#![forbid(unsafe_code)]

mod annotations;
mod columns;
mod coordinates;
mod decimals;
mod images;
mod item;
mod json;
mod pieces;
mod reader;
mod shapes;

pub use annotations::{NumberLists, Rows};
pub use columns::{Column, Values};
pub use coordinates::Coordinates;
pub use images::Images;
pub use reader::{File, Reader, Wanted};
pub use shapes::Shapes;

/// Sign of a file that is not plain, or for which memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd;

/// Result for a file that may turn out not to be plain.
pub type Plain<T> = Result<T, Odd>;

impl From<jiter::JiterError> for Odd {
    fn from(_: jiter::JiterError) -> Self {
        Self
    }
}

/// Appends a value.
#[inline]
fn put<T>(values: &mut Vec<T>, value: T) -> Plain<()> {
    if values.len() == values.capacity() {
        values.try_reserve(1).map_err(|_| Odd)?;
    }
    values.push(value);
    Ok(())
}

/// Appends values.
#[inline]
fn put_all<T: Copy>(values: &mut Vec<T>, more: &[T]) -> Plain<()> {
    values.try_reserve(more.len()).map_err(|_| Odd)?;
    values.extend_from_slice(more);
    Ok(())
}

/// Appends numbers, each of them larger by `by`.
fn put_moved(values: &mut Vec<i64>, more: &[i64], by: i64) -> Plain<()> {
    values.try_reserve(more.len()).map_err(|_| Odd)?;
    values.extend(more.iter().map(|value| value + by));
    Ok(())
}
