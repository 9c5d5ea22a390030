//! Arrays held while a kernel reads or writes them; one that another call holds is an error that names its argument.

use ndarray::Dimension;
use numpy::{Element, PyArray, PyArrayMethods, PyReadonlyArray, PyReadwriteArray};
use pyo3::prelude::*;

use crate::errors::{Place, argument_error};

/// Array to read, which no call may write to meanwhile; `what` says in an error what it is: "an image".
pub(crate) fn reading<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    what: &str,
    place: Place<'_>,
) -> PyResult<PyReadonlyArray<'py, T, D>> {
    let expected = || format!("{what} that no other call is writing to");
    array.try_readonly().map_err(|_| argument_error(array.py(), place, &expected(), "one in use"))
}

/// Array to write to, which no other call may use meanwhile.
pub(crate) fn writing<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    place: Place<'_>,
) -> PyResult<PyReadwriteArray<'py, T, D>> {
    let expected = "an array that no other call is using";
    array.try_readwrite().map_err(|_| argument_error(array.py(), place, expected, "one in use"))
}
