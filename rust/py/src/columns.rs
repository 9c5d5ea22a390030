//! Rows picked out of columns.

use numpy::{Element, IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Picks rows out of a column, whose arrays are those of all samples, one after the other. None for a column that is
/// not flat, not in one aligned piece or of a dtype that is rare: NumPy picks from these.
pub(crate) fn pick<'py>(
    py: Python<'py>,
    arrays: &[Bound<'py, PyAny>],
    rows: &[i64],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let of_dtype = [
        pick_from::<i64>,
        pick_from::<f64>,
        pick_from::<f32>,
        pick_from::<i32>,
        pick_from::<bool>,
        pick_from::<u8>,
    ];
    of_dtype.iter().find_map(|pick_from| pick_from(py, arrays, rows)).transpose()
}

/// Picks rows out of arrays that are all of one element type, flat and in one aligned piece; none where one is not.
fn pick_from<'py, T: Element + Copy>(
    py: Python<'py>,
    arrays: &[Bound<'py, PyAny>],
    rows: &[i64],
) -> Option<PyResult<Bound<'py, PyAny>>> {
    let readable = |array: &Bound<'py, PyAny>| array.cast::<PyArray1<T>>().ok()?.try_readonly().ok();
    let arrays: Vec<PyReadonlyArray1<'_, T>> = arrays.iter().map(readable).collect::<Option<_>>()?;
    let slices: Vec<&[T]> = arrays.iter().map(|array| array.as_slice().ok()).collect::<Option<_>>()?;
    let value = |&row: &i64| {
        let mut row = row as usize;
        for slice in &slices {
            match slice.get(row) {
                Some(&value) => return Some(value),
                None => row -= slice.len(),
            }
        }
        None
    };
    let picked: Option<Vec<T>> = rows.iter().map(value).collect();
    let fewer = || PyValueError::new_err("columns: expected a value for each row, got fewer");
    Some(picked.map(|values| values.into_pyarray(py).into_any()).ok_or_else(fewer))
}
