//! Kernels on masks.

use copypaste_core::rle::{self, DrawOrder, Masks, Vertices};
use copypaste_core::{Error, Result};
use ndarray::Array2;
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray2,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::arguments::{PyMasks, PyPlacement, Runs, counts, for_integer_type, size};
use crate::errors::{named, out_of_memory, to_python};
use crate::holding::{reading, writing};

/// Outlines on their way back to Python: coordinates, offsets of parts and offsets of instances.
type Outlines<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>);

/// Runs of masks on their way to Python, with their boxes, and whether each has a pixel, where some have none.
type Measured<'py> = (Runs<'py>, Bound<'py, PyArray2<f32>>, Option<Bound<'py, PyArray1<bool>>>);

/// Runs of what a kernel makes of masks.
fn map<'py>(
    py: Python<'py>,
    masks: &PyMasks<'_>,
    kernel: impl Fn(&Masks) -> Result<Masks> + Sync,
) -> PyResult<Runs<'py>> {
    let parts = masks.parts()?;
    let made = py.detach(|| kernel(&parts.read()?)?.to_counts()).map_err(to_python)?;
    Ok(counts(py, made))
}

#[pyfunction]
pub(crate) fn union<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Runs<'py>> {
    map(py, &masks, rle::union)
}

#[pyfunction]
pub(crate) fn intersection<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Runs<'py>> {
    map(py, &masks, rle::intersection)
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
    let others = other.parts()?;
    map(py, &masks, |masks| rle::difference(masks, &others.read()?))
}

#[pyfunction]
pub(crate) fn without_small_parts<'py>(
    py: Python<'py>,
    masks: PyMasks<'_>,
    min_area: u32,
    diagonal: bool,
) -> PyResult<Runs<'py>> {
    map(py, &masks, |masks| rle::without_small_parts(masks, min_area, diagonal))
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
    py.detach(|| rle::iou(&parts.read()?, &others.read()?, crowd, table)).map_err(to_python)
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
    let boxes = py.detach(|| rle::boxes(&parts.read()?)).map_err(to_python)?;
    box_table(py, &boxes)
}

/// Boxes as rows of x0, y0, x1, y1.
pub(crate) fn box_table<'py>(
    py: Python<'py>,
    boxes: &[rle::PixelBox],
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let mut table = Vec::new();
    table.try_reserve_exact(4 * boxes.len()).map_err(out_of_memory)?;
    for &rle::PixelBox { y0, x0, y1, x1 } in boxes {
        table.extend([x0, y0, x1, y1].map(|side| side as f32));
    }
    let table = Array2::from_shape_vec((boxes.len(), 4), table).map_err(out_of_memory)?;
    Ok(table.into_pyarray(py))
}

/// Masks whose rows, or whose columns, lie in one piece.
#[pyfunction]
pub(crate) fn encode<'py>(py: Python<'py>, dense: Bound<'_, PyArray3<u8>>) -> PyResult<Runs<'py>> {
    let dense = reading(&dense, "an array", ("dense", None))?;
    let view = dense.as_array();
    let (n, h, w) = view.dim();
    let size = size((h, w));
    // Masks drawn column by column need no transposing: they come in the order of their runs.
    let columns_first = view.permuted_axes([0, 2, 1]);
    let made = match (columns_first.to_slice(), view.to_slice()) {
        (Some(dense), _) => py.detach(|| rle::encode_f(dense, n, size)?.to_counts()),
        (None, Some(dense)) => py.detach(|| rle::encode_c(dense, n, size)?.to_counts()),
        (None, None) => Err(Error::LengthDiffers { expected: view.len(), found: 0 }),
    };
    Ok(counts(py, made.map_err(to_python)?))
}

#[pyfunction]
pub(crate) fn decode(py: Python<'_>, masks: PyMasks<'_>, out: Bound<'_, PyArray3<u8>>) -> PyResult<()> {
    let (parts, mut out) = (masks.parts()?, writing(&out, ("out", None))?);
    let out = out.as_slice_mut()?;
    py.detach(|| rle::decode(&parts.read()?, out)).map_err(to_python)
}

#[pyfunction]
pub(crate) fn label_map(
    py: Python<'_>,
    masks: PyMasks<'_>,
    by_area: bool,
    stride: usize,
    out: Bound<'_, PyArray2<i32>>,
) -> PyResult<()> {
    let order = if by_area { DrawOrder::Area } else { DrawOrder::Rows };
    let (parts, mut out) = (masks.parts()?, writing(&out, ("out", None))?);
    let map = out.as_slice_mut()?;
    py.detach(|| rle::label_map(&parts.read()?, order, stride, map)).map_err(to_python)
}

/// Masks of a map of integers, whose rows or columns lie in one piece, and the label of each.
#[pyfunction]
pub(crate) fn from_label_map<'py>(
    array: Bound<'py, PyAny>,
    background: Option<Bound<'py, PyAny>>,
) -> PyResult<(Runs<'py>, Bound<'py, PyAny>)> {
    for_integer_type!(array, Integer => from_labels(array.cast::<PyArray2<Integer>>()?, background))
}

fn from_labels<'py, T: Element + rle::Label + FromPyObjectOwned<'py>>(
    array: &Bound<'py, PyArray2<T>>,
    background: Option<Bound<'py, PyAny>>,
) -> PyResult<(Runs<'py>, Bound<'py, PyAny>)> {
    let py = array.py();
    let background = background.map(|label| label.extract::<T>().map_err(Into::into)).transpose()?;
    let array = reading(array, "an array", ("array", None))?;
    let view = array.as_array();
    let size = size(view.dim());
    let made = match (view.reversed_axes().to_slice(), view.to_slice()) {
        (Some(map), _) => py.detach(|| rle::from_label_map_f(map, size, background)),
        (None, Some(map)) => py.detach(|| rle::from_label_map_c(map, size, background)),
        (None, None) => Err(Error::LengthDiffers { expected: view.len(), found: 0 }),
    };
    let (masks, labels) = made.map_err(to_python)?;
    let runs = py.detach(|| masks.to_counts()).map_err(to_python)?;
    Ok((counts(py, runs), labels.into_pyarray(py).into_any()))
}

#[pyfunction]
pub(crate) fn parse_counts<'py>(
    py: Python<'py>,
    strings: Vec<Bound<'_, PyBytes>>,
    size: (usize, usize),
) -> PyResult<Runs<'py>> {
    let size = crate::arguments::size(size);
    let mut bytes: Vec<&[u8]> = Vec::new();
    bytes.try_reserve_exact(strings.len()).map_err(out_of_memory)?;
    bytes.extend(strings.iter().map(PyBytesMethods::as_bytes));
    let made = py.detach(|| rle::parse(&bytes, size)).map_err(|error| named("strings", error))?;
    Ok(counts(py, made))
}

#[pyfunction]
pub(crate) fn format_counts<'py>(py: Python<'py>, masks: PyMasks<'_>) -> PyResult<Bound<'py, PyList>> {
    let parts = masks.parts()?;
    let (bytes, offsets) = py.detach(|| rle::format(&parts.counts()?)).map_err(to_python)?;
    let strings = PyList::empty(py);
    for range in offsets.windows(2) {
        let string = &bytes[range[0]..range[1]];
        let copy = |out: &mut [u8]| {
            out.copy_from_slice(string);
            Ok(())
        };
        strings.append(PyBytes::new_with(py, string.len(), copy)?)?;
    }
    Ok(strings)
}

#[pyfunction]
pub(crate) fn rasterize<'py>(
    py: Python<'py>,
    coordinates: PyReadonlyArray1<'_, f64>,
    parts: PyReadonlyArray1<'_, i64>,
    instances: PyReadonlyArray1<'_, i64>,
    size: (usize, usize),
) -> PyResult<Runs<'py>> {
    let size = crate::arguments::size(size);
    let (coordinates, parts, instances) = (coordinates.as_slice()?, parts.as_slice()?, instances.as_slice()?);
    let made = until_interrupted(py, |interrupted| {
        rle::rasterize(coordinates, parts, instances, size, interrupted)?.to_counts()
    })?;
    Ok(counts(py, made.map_err(|error| named("polygons", error))?))
}

/// Result of a kernel that runs without the GIL; when it asks whether to give up, signals are looked for.
fn until_interrupted<T: Send>(
    py: Python<'_>,
    kernel: impl FnOnce(&mut dyn FnMut() -> bool) -> Result<T> + Send,
) -> PyResult<Result<T>> {
    let mut raised = Ok(());
    let mut interrupted = || {
        Python::attach(|py| {
            raised = py.check_signals();
            raised.is_err()
        })
    };
    let made = py.detach(|| kernel(&mut interrupted));
    raised?;
    Ok(made)
}

/// `Segmentations` of Python.
#[derive(FromPyObject)]
pub(crate) struct PySegmentations<'py> {
    coordinates: PyCoordinates<'py>,
    part_offsets: PyReadonlyArray1<'py, i64>,
    first_part: PyReadonlyArray1<'py, i64>,
    parts: PyReadonlyArray1<'py, i64>,
    counts: PyReadonlyArray1<'py, u32>,
    first_run: PyReadonlyArray1<'py, i64>,
    runs: PyReadonlyArray1<'py, i64>,
}

enum PyCoordinates<'py> {
    Hundredths(PyReadonlyArray1<'py, i32>),
    Pixels(PyReadonlyArray1<'py, f64>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for PyCoordinates<'py> {
    type Error = PyErr;

    fn extract(array: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // Not derived: the error of a form that does not fit would be put into words, by Python code in which an
        // interruption gets lost.
        match array.cast::<PyArray1<i32>>() {
            Ok(hundredths) => Ok(Self::Hundredths(hundredths.readonly())),
            Err(_) => Ok(Self::Pixels(array.extract()?)),
        }
    }
}

/// Masks of some rows of the objects of a data set, all of one image, and what is found out on the way.
#[pyfunction]
pub(crate) fn object_masks<'py>(
    py: Python<'py>,
    segmentations: PySegmentations<'_>,
    rows: (usize, usize),
    size: (usize, usize),
) -> PyResult<Measured<'py>> {
    let size = crate::arguments::size(size);
    let objects = rle::DataObjects {
        coordinates: match &segmentations.coordinates {
            PyCoordinates::Hundredths(values) => rle::Points::Hundredths(values.as_slice()?),
            PyCoordinates::Pixels(values) => rle::Points::Pixels(values.as_slice()?),
        },
        part_offsets: segmentations.part_offsets.as_slice()?,
        first_part: segmentations.first_part.as_slice()?,
        parts: segmentations.parts.as_slice()?,
        counts: segmentations.counts.as_slice()?,
        first_run: segmentations.first_run.as_slice()?,
        runs: segmentations.runs.as_slice()?,
    };
    let made = until_interrupted(py, |interrupted| {
        let masks = objects.masks(rows.0..rows.1, size, interrupted)?;
        let covers: Vec<bool> = masks.iter().map(|spans| !spans.is_empty()).collect();
        Ok((masks.to_counts()?, rle::boxes(&masks)?, covers))
    })?;
    let (runs, boxes, covers) = made.map_err(|error| named("segmentations", error))?;
    let covers = covers.contains(&false).then(|| covers.into_pyarray(py));
    Ok((counts(py, runs), box_table(py, &boxes)?, covers))
}

#[pyfunction]
pub(crate) fn polygons<'py>(py: Python<'py>, masks: PyMasks<'_>, centers: bool) -> PyResult<Outlines<'py>> {
    let vertices = if centers { Vertices::Centers } else { Vertices::Corners };
    let parts = masks.parts()?;
    let found = py.detach(|| rle::polygons(&parts.read()?, vertices)).map_err(to_python)?;
    let rle::Polygons { coordinates, parts, instances } = found;
    Ok((coordinates.into_pyarray(py), parts.into_pyarray(py), instances.into_pyarray(py)))
}
