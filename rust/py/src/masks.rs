//! Kernels on masks.

use copypaste_core::{
    Result, Size,
    rle::{self, Masks},
};
use ndarray::Array2;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray3, PyReadwriteArray2, PyReadwriteArray3,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::{PyMasks, PyPlacement, Runs, counts, runs};
use crate::errors::{named, to_python};

/// One mask set in, one out.
fn map<'py>(
    py: Python<'py>,
    masks: &PyMasks<'_>,
    kernel: impl Fn(&Masks) -> Result<Masks> + Sync,
) -> PyResult<Runs<'py>> {
    let parts = masks.parts()?;
    let made = py.detach(|| parts.read().and_then(|masks| kernel(&masks))).map_err(to_python)?;
    Ok(runs(py, made))
}

#[pyfunction]
pub(crate) fn union<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Runs<'py>> {
    map(py, &masks, |masks| Ok(rle::union(masks)))
}

#[pyfunction]
pub(crate) fn intersection<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Runs<'py>> {
    map(py, &masks, |masks| Ok(rle::intersection(masks)))
}

#[pyfunction]
pub(crate) fn place_masks<'py>(
    py: Python<'py>,
    masks: PyMasks<'_>,
    placement: PyPlacement,
) -> PyResult<Runs<'py>> {
    let (parts, placement) = (masks.parts()?, placement.into());
    let made = py.detach(|| rle::place_counts(&parts.counts()?, &placement)).map_err(to_python)?;
    Ok(counts(py, made))
}

#[pyfunction]
pub(crate) fn difference<'py>(
    py: Python<'py>,
    masks: PyMasks<'_>,
    other: PyMasks<'_>,
) -> PyResult<Runs<'py>> {
    let (parts, others) = (masks.parts()?, other.parts()?);
    let made = py.detach(|| Ok(rle::difference(&parts.read()?, &others.read()?))).map_err(to_python)?;
    Ok(runs(py, made))
}

#[pyfunction]
pub(crate) fn iou(
    py: Python<'_>,
    masks: PyMasks<'_>,
    other: PyMasks<'_>,
    iscrowd: Option<PyReadonlyArray1<'_, bool>>,
    mut out: PyReadwriteArray2<'_, f64>,
) -> PyResult<()> {
    let (parts, others) = (masks.parts()?, other.parts()?);
    let crowd = iscrowd.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let table = out.as_slice_mut()?;
    py.detach(|| {
        rle::iou(&parts.read()?, &others.read()?, crowd, table);
        Ok(())
    })
    .map_err(to_python)
}

#[pyfunction]
pub(crate) fn area<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let parts = masks.parts()?;
    let areas = py.detach(|| rle::area_of_counts(&parts.counts()?)).map_err(to_python)?;
    Ok(areas.into_pyarray(py))
}

#[pyfunction]
pub(crate) fn boxes<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let parts = masks.parts()?;
    let boxes = py.detach(|| parts.read().map(|masks| rle::boxes(&masks))).map_err(to_python)?;
    Ok(box_table(&boxes).into_pyarray(py))
}

/// Boxes as rows of x0, y0, x1, y1.
pub(crate) fn box_table(boxes: &[rle::PixelBox]) -> Array2<f32> {
    Array2::from_shape_fn((boxes.len(), 4), |(i, side)| {
        let rle::PixelBox { y0, x0, y1, x1 } = boxes[i];
        [x0, y0, x1, y1][side] as f32
    })
}

#[pyfunction]
pub(crate) fn encode<'py>(py: Python<'py>, dense: PyReadonlyArray3<'_, u8>) -> PyResult<Runs<'py>> {
    let view = dense.as_array();
    let (n, h, w) = view.dim();
    let size = Size { h, w };
    let made = py
        .detach(|| {
            // Masks drawn column by column need no transposing: they come in the order of their runs.
            let columns_first = view.permuted_axes([0, 2, 1]);
            match columns_first.to_slice() {
                Some(dense) => rle::encode_f(dense, n, size),
                None => rle::encode_c(view.as_standard_layout().as_slice().unwrap_or_default(), n, size),
            }
        })
        .map_err(to_python)?;
    Ok(runs(py, made))
}

#[pyfunction]
pub(crate) fn decode(py: Python<'_>, masks: PyMasks<'_>, mut out: PyReadwriteArray3<'_, u8>) -> PyResult<()> {
    let parts = masks.parts()?;
    let out = out.as_slice_mut()?;
    py.detach(|| parts.read().map(|masks| rle::decode(&masks, out))).map_err(to_python)
}

#[pyfunction]
pub(crate) fn label_map(
    py: Python<'_>,
    masks: PyMasks<'_>,
    mut out: PyReadwriteArray2<'_, i32>,
) -> PyResult<()> {
    let parts = masks.parts()?;
    let map = out.as_slice_mut()?;
    py.detach(|| parts.read().map(|masks| rle::label_map(&masks, map))).map_err(to_python)
}

#[pyfunction]
pub(crate) fn parse_counts<'py>(
    py: Python<'py>,
    strings: Vec<Bound<'_, PyBytes>>,
    size: (usize, usize),
) -> PyResult<Runs<'py>> {
    let size = Size { h: size.0, w: size.1 };
    let bytes: Vec<&[u8]> = strings.iter().map(PyBytesMethods::as_bytes).collect();
    let made = py.detach(|| rle::parse_counts(&bytes, size)).map_err(|error| named("strings", error))?;
    Ok(counts(py, made))
}

#[pyfunction]
pub(crate) fn format_counts<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let parts = masks.parts()?;
    let strings = py.detach(|| rle::format_counts(&parts.counts()?)).map_err(to_python)?;
    Ok(strings.iter().map(|string| PyBytes::new(py, string)).collect())
}

#[pyfunction]
pub(crate) fn rasterize<'py>(
    py: Python<'py>,
    coordinates: PyReadonlyArray1<'_, f64>,
    parts: PyReadonlyArray1<'_, i64>,
    instances: PyReadonlyArray1<'_, i64>,
    size: (usize, usize),
) -> PyResult<Runs<'py>> {
    let size = Size { h: size.0, w: size.1 };
    let indices = |offsets: &[i64]| offsets.iter().map(|&offset| offset as usize).collect::<Vec<_>>();
    let (parts, instances) = (indices(parts.as_slice()?), indices(instances.as_slice()?));
    let coordinates = coordinates.as_slice()?;
    let made = py.detach(|| rle::rasterize(coordinates, &parts, &instances, size));
    Ok(runs(py, made))
}

#[pyfunction]
pub(crate) fn polygons<'py>(
    py: Python<'py>,
    masks: PyMasks<'_>,
) -> PyResult<Vec<Vec<Bound<'py, PyArray1<f64>>>>> {
    let parts = masks.parts()?;
    let outlines = py.detach(|| parts.read().map(|masks| rle::polygons(&masks))).map_err(to_python)?;
    let wrap = |rings: Vec<Vec<f64>>| rings.into_iter().map(|ring| ring.into_pyarray(py)).collect();
    Ok(outlines.into_iter().map(wrap).collect())
}
