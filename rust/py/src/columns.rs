//! Rows picked out of columns.

use numpy::{Element, IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Picks rows out of a column, whose arrays are those of all samples, one after the other. None for a column that is
/// not flat, not in one aligned piece or of a dtype that is rare: NumPy picks from these.
pub(crate) fn pick<'py>(
    py: Python<'py>,
    arrays: &[Bound<'py, PyAny>],
    row: &[i64],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    macro_rules! try_each {
        ($($element:ty),*) => {
            $(if let Some(arrays) = flat::<$element>(arrays) {
                return pick_from(py, &arrays, row).map(Some);
            })*
        };
    }
    try_each!(i64, f64, f32, i32, bool, u8);
    Ok(None)
}

/// Arrays of one element type, where all are flat, in one aligned piece and of this type.
fn flat<'py, T: Element>(arrays: &[Bound<'py, PyAny>]) -> Option<Vec<PyReadonlyArray1<'py, T>>> {
    let flat = |array: &Bound<'py, PyAny>| {
        let array = array.cast::<PyArray1<T>>().ok()?.try_readonly().ok()?;
        array.as_slice().is_ok().then_some(array)
    };
    arrays.iter().map(flat).collect()
}

fn pick_from<'py, T: Element + Copy>(
    py: Python<'py>,
    arrays: &[PyReadonlyArray1<'py, T>],
    row: &[i64],
) -> PyResult<Bound<'py, PyAny>> {
    let slices: Vec<&[T]> = arrays.iter().map(|array| Ok(array.as_slice()?)).collect::<PyResult<_>>()?;
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
    let picked: Option<Vec<T>> = row.iter().map(value).collect();
    let picked =
        picked.ok_or_else(|| PyValueError::new_err("columns: expected a value for each row, got fewer"))?;
    Ok(picked.into_pyarray(py).into_any())
}
