//! Arrays held while a kernel reads or writes them; one that another call holds is an error that names its argument.

use ndarray::Dimension;
use numpy::{BorrowError, Element, PyArray, PyArrayMethods, PyReadonlyArray, PyReadwriteArray};
use pyo3::prelude::*;

use crate::errors::argument_error;

/// Argument that an array comes from, as errors name it; `index` numbers the item of a sequence.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) argument: &'a str,
    pub(crate) index: Option<usize>,
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(argument: &'a str) -> Self {
        Self { argument, index: None }
    }
}

/// Array to read, which no call may write to meanwhile; `what` says in an error what it is: "an image".
pub(crate) fn reading<'py, 'a, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    what: &str,
    place: impl Into<Place<'a>>,
) -> PyResult<PyReadonlyArray<'py, T, D>> {
    array.try_readonly().map_err(|error| {
        refused(array.py(), error, place.into(), &format!("{what} that no other call is writing to"))
    })
}

/// Array to write to, which no other call may use meanwhile.
pub(crate) fn writing<'py, 'a, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    place: impl Into<Place<'a>>,
) -> PyResult<PyReadwriteArray<'py, T, D>> {
    array
        .try_readwrite()
        .map_err(|error| refused(array.py(), error, place.into(), "an array that no other call is using"))
}

fn refused(py: Python<'_>, error: BorrowError, place: Place<'_>, expected: &str) -> PyErr {
    match error {
        BorrowError::AlreadyBorrowed => {
            argument_error(py, place.argument, place.index, expected, "one in use")
        }
        other => other.into(),
    }
}
