//! The whole operation, and the words that plans are drawn from.

use copypaste_core::{
    ImageView, ImageViewMut, Placement,
    paste::{self, Look, Rules},
    philox,
    resample::Pixel,
};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray3, PyReadwriteArray3,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arguments::{MaskParts, PyMasks, PyPlacement, layout_error, to_python, with_dense_rows};
use crate::images::for_pixel_type;
use crate::masks::box_table;

/// One image with its masks.
#[derive(FromPyObject)]
struct PySide<'py> {
    image: Bound<'py, PyAny>,
    masks: PyMasks<'py>,
    iscrowd: PyReadonlyArray1<'py, bool>,
}

/// A `Paste`, but for sigma, which comes as weights.
#[derive(FromPyObject)]
pub(crate) struct PyPaste {
    source: usize,
    instances: Vec<usize>,
    placement: PyPlacement,
}

/// A `Plan`.
#[derive(FromPyObject)]
pub(crate) struct PyPlan {
    target: PyPlacement,
    pastes: Vec<PyPaste>,
}

/// Counts, offsets, boxes, area, source, source row, visibility, hidden.
type Columns<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<bool>>,
);

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the operation has as many options as it has")]
pub(crate) fn copy_paste<'py>(
    py: Python<'py>,
    plan: PyPlan,
    sides: Vec<Bound<'py, PyAny>>,
    weights: Vec<Option<PyReadonlyArray1<'_, u16>>>,
    fill: Bound<'_, PyAny>,
    nearest: bool,
    antialias: bool,
    min_area: u64,
    min_visibility: f64,
    keep_hidden: bool,
    out: Bound<'_, PyAny>,
) -> PyResult<Columns<'py>> {
    let sides: Vec<PySide<'_>> = sides.iter().map(PyAnyMethods::extract).collect::<PyResult<_>>()?;
    let rules = Rules { min_area, min_visibility, keep_hidden };
    for_pixel_type!(out, compose(py, plan, &sides, &weights, &fill, nearest, antialias, rules, &out))
}

#[expect(clippy::too_many_arguments, reason = "the same, with a pixel type")]
fn compose<'py, T: Element + Pixel>(
    py: Python<'py>,
    plan: PyPlan,
    sides: &[PySide<'py>],
    weights: &[Option<PyReadonlyArray1<'_, u16>>],
    fill: &Bound<'_, PyAny>,
    nearest: bool,
    antialias: bool,
    rules: Rules,
    out: &Bound<'_, PyAny>,
) -> PyResult<Columns<'py>> {
    let fill: PyReadonlyArray1<'_, T> = fill.extract()?;
    let fill = fill.as_slice()?;
    let mut out: PyReadwriteArray3<'_, T> = out.extract()?;
    let canvas = ImageViewMut::new(out.as_array_mut()).ok_or_else(layout_error)?;
    let weights: Vec<Option<&[u16]>> = weights
        .iter()
        .map(|w| w.as_ref().map(PyReadonlyArray1::as_slice).transpose())
        .collect::<Result<_, _>>()?;
    let images: Vec<PyReadonlyArray3<'_, T>> =
        sides.iter().map(|side| side.image.extract()).collect::<PyResult<_>>()?;
    let views: Vec<_> = images.iter().map(PyReadonlyArray3::as_array).collect();
    let masks: Vec<MaskParts<'_>> = sides.iter().map(|side| side.masks.parts()).collect::<PyResult<_>>()?;
    let crowds: Vec<&[bool]> = sides.iter().map(|side| side.iscrowd.as_slice()).collect::<Result<_, _>>()?;
    let target: Placement = plan.target.into();
    let pastes: Vec<paste::Paste<'_>> = plan
        .pastes
        .into_iter()
        .zip(weights)
        .map(|(paste, weights)| paste::Paste {
            source: paste.source,
            rows: paste.instances,
            placement: paste.placement.into(),
            weights,
        })
        .collect();
    let rows = py.detach(|| {
        let dense: Vec<_> = views.into_iter().map(with_dense_rows).collect();
        let mut sides = Vec::with_capacity(dense.len());
        for ((image, masks), crowd) in dense.iter().zip(&masks).zip(crowds) {
            let image = ImageView::new(image.view()).ok_or_else(layout_error)?;
            sides.push(paste::Side { image, masks: masks.read().map_err(to_python)?, crowd });
        }
        let sources = sides.split_off(1.min(sides.len()));
        let first = sides.pop().ok_or_else(layout_error)?;
        let look = Look { fill, nearest, antialias };
        paste::copy_paste(first, &target, sources, &pastes, &look, &rules, canvas).map_err(to_python)
    })?;
    Ok((
        rows.counts.into_pyarray(py),
        rows.offsets.into_pyarray(py),
        box_table(&rows.boxes).into_pyarray(py),
        rows.area.into_pyarray(py),
        rows.source.into_pyarray(py),
        rows.source_row.into_pyarray(py),
        rows.visibility.into_pyarray(py),
        rows.hidden.into_pyarray(py),
    ))
}

#[pyfunction]
pub(crate) fn philox_words(
    py: Python<'_>,
    key: (u64, u64),
    counter: (u64, u64, u64, u64),
    n: usize,
) -> Bound<'_, PyArray1<u64>> {
    let mut words = vec![0; n];
    philox::fill_words(key.into(), counter.into(), &mut words);
    words.into_pyarray(py)
}
