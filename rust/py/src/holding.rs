//! Arrays held while a kernel reads or writes them; one that another call holds is an error that names its argument.

use ndarray::Dimension;
use numpy::{Element, PyArray, PyArrayMethods, PyReadonlyArray, PyReadwriteArray};
use pyo3::prelude::*;

use crate::errors::argument_error;

/// Array to read, which no call may write to meanwhile; `what` says in an error what it is: "an image". The pair names the
/// argument, and numbers its item where it is a sequence.
pub(crate) fn reading<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    what: &str,
    (argument, index): (&str, Option<usize>),
) -> PyResult<PyReadonlyArray<'py, T, D>> {
    let expected = || format!("{what} that no other call is writing to");
    array.try_readonly().map_err(|_| argument_error(array.py(), argument, index, &expected(), "one in use"))
}

/// Array to write to, which no other call may use meanwhile.
pub(crate) fn writing<'py, T: Element, D: Dimension>(
    array: &Bound<'py, PyArray<T, D>>,
    (argument, index): (&str, Option<usize>),
) -> PyResult<PyReadwriteArray<'py, T, D>> {
    let expected = "an array that no other call is using";
    array.try_readwrite().map_err(|_| argument_error(array.py(), argument, index, expected, "one in use"))
}
