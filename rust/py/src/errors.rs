//! Errors of the core as Python's: the one place where they are mapped.

use copypaste_core::Error;
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
    let argument = match error {
        Error::OutOfMemory { .. } => return PyMemoryError::new_err(error.to_string()),
        Error::TooManyPixels { .. } => "size",
        Error::SideTooLarge { source: None, .. } => "options.target_scale",
        Error::SideTooLarge { .. } => "options.source_scale",
        Error::NoSuchSource { .. } | Error::NoSuchRow { .. } => "plan",
        _ => argument,
    };
    let (index, expected, got) = error.details();
    Python::attach(|py| argument_error(py, (argument, index), &expected, &got))
}

/// Python error for memory that a vector did not get.
pub(crate) fn out_of_memory(error: impl std::error::Error) -> PyErr {
    PyMemoryError::new_err(error.to_string())
}

/// Name of an argument, and the number of its item where it is a sequence.
pub(crate) type Place<'a> = (&'a str, Option<usize>);

/// `ArgumentError` of Python.
pub(crate) fn argument_error(py: Python<'_>, place: Place<'_>, expected: &str, got: &str) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "copypaste_rs.errors", "ArgumentError");
    let made = class.and_then(|class| class.call1((place.0, expected, got, place.1)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Error with the number of its item of a batch, where it is one of ours.
pub(crate) fn of_item(py: Python<'_>, error: PyErr, item: usize) -> PyErr {
    error.value(py).call_method1("of_item", (item,)).map_or(error, PyErr::from_value)
}
