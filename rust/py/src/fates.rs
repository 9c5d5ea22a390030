//! Fates of rows: the masks of copy-paste alone, without an image.

use copypaste_core::copy_paste;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::items::{PyCall, objects};
use crate::masks::box_table;
use crate::operation::PyOptions;

/// `RowFates` of Python, field by field.
type Fates<'py> = (
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray1<u8>>,
);

/// Fate of each row of the target, and of each that is pasted. Images and blur weights of the call are not looked at.
#[pyfunction]
pub(crate) fn row_fates<'py>(
    py: Python<'py>,
    call: PyCall<'py>,
    options: PyOptions<'py>,
) -> PyResult<Fates<'py>> {
    let (masks, crowds, pastes) = (call.masks()?, call.crowds()?, call.pastes()?);
    let (placement, rules) = (call.target(), options.rules());
    let made = py.detach(|| {
        let (target, sources) = objects(&masks, &crowds)?;
        copy_paste::row_fates(target, &placement, &sources, &pastes, &rules)
    });
    let made = made.map_err(to_python)?;
    Ok((
        made.source.into_pyarray(py),
        made.source_row.into_pyarray(py),
        made.placed.into_pyarray(py),
        made.left.into_pyarray(py),
        box_table(py, &made.boxes)?,
        made.fate.into_pyarray(py),
    ))
}
