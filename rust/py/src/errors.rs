//! Errors of the core as Python's: the one place where they are mapped.

use copypaste_core::{Error, Size};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Python error for an error of the core, about masks unless it says more.
pub(crate) fn to_python(error: Error) -> PyErr {
    named("masks", error)
}

/// Python error for an error of the core; `argument` is what the function of Python calls the parameter at fault.
pub(crate) fn named(argument: &'static str, error: Error) -> PyErr {
    let size = |Size { h, w }: Size| format!("({h}, {w})");
    let (argument, index, expected, got) = match error {
        Error::OutOfMemory { .. } => return PyMemoryError::new_err(error.to_string()),
        Error::RunsDoNotFill { mask, sum, size: s } => {
            let pixels = s.h as u64 * s.w as u64;
            (
                argument,
                Some(mask),
                format!("counts that sum to {pixels} for size {}", size(s)),
                sum.to_string(),
            )
        }
        Error::TooManyPixels { size: s } => ("size", None, "at most 4294967295 pixels".to_owned(), size(s)),
        Error::OffsetsDoNotFit => {
            (argument, None, "offsets that ascend to the number of counts".to_owned(), "others".to_owned())
        }
        Error::NotInAlphabet { string, position, byte } => (
            argument,
            Some(string),
            "bytes of the RLE alphabet, 0x30 to 0x6f".to_owned(),
            format!("{byte:#04x} at position {position}"),
        ),
        Error::TruncatedCount { string } => {
            (argument, Some(string), "whole counts".to_owned(), "a string that ends inside one".to_owned())
        }
        Error::CountTooLong { string, position } => (
            argument,
            Some(string),
            "counts of at most 7 characters".to_owned(),
            format!("a longer one at position {position}"),
        ),
        Error::CountOutOfRange { string, count, value } => (
            argument,
            Some(string),
            "counts from 0 to 4294967295".to_owned(),
            format!("{value} as count {count}"),
        ),
        Error::SideTooLarge { source, side } => (
            if source.is_none() { "target_scale" } else { "source_scale" },
            None,
            "a resized side of at most 2147483647 pixels".to_owned(),
            side.to_string(),
        ),
        Error::NoSuchSource { source, sources } => {
            ("plan", None, format!("sources below {sources}"), source.to_string())
        }
        Error::NoSuchRow { row, rows } => ("plan", None, format!("rows below {rows}"), row.to_string()),
        Error::SizeDiffers { expected, found } => {
            (argument, None, format!("size {} as the placement has", size(expected)), size(found))
        }
        Error::LengthDiffers { expected, found } => {
            (argument, None, format!("{expected} values"), found.to_string())
        }
        _ => (argument, None, "another value".to_owned(), error.to_string()),
    };
    Python::attach(|py| argument_error(py, argument, index, &expected, &got))
}

/// `ArgumentError` of Python; `index` numbers the item of a sequence.
pub(crate) fn argument_error(
    py: Python<'_>,
    argument: &str,
    index: Option<usize>,
    expected: &str,
    got: &str,
) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "copypaste_rs.errors", "ArgumentError");
    let made = class.and_then(|class| class.call1((argument, expected, got, index)));
    made.map_or_else(|error| error, PyErr::from_value)
}
