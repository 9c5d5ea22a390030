//! The whole operation, one item or a batch, and the words that plans are drawn from.

use copypaste_core::paste::{self, Look, Rows, Rules};
use copypaste_core::resample::Pixel;
use copypaste_core::{ImageView, ImageViewMut, Placement, Result, philox};
use ndarray::{ArrayView3, ArrayViewMut3, Axis};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray3, PyReadwriteArray1,
    PyReadwriteArray4,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arguments::{MaskParts, PyMasks, PyPlacement, to_python, with_dense_rows};
use crate::images::for_pixel_type;
use crate::masks::box_table;
use crate::threads::{Failure, for_each};

/// One image with its masks.
#[derive(FromPyObject)]
struct PySide<'py> {
    image: Bound<'py, PyAny>,
    masks: PyMasks<'py>,
    iscrowd: PyReadonlyArray1<'py, bool>,
}

/// A `Paste`, but for sigma, which comes as weights.
#[derive(FromPyObject)]
struct PyPaste {
    source: usize,
    instances: Vec<usize>,
    placement: PyPlacement,
}

/// A `Plan`.
#[derive(FromPyObject)]
struct PyPlan {
    target: PyPlacement,
    pastes: Vec<PyPaste>,
}

/// A plan, its samples (the target first), and weights for each paste.
type PyItem<'py> = (PyPlan, Vec<Bound<'py, PyAny>>, Vec<Option<PyReadonlyArray1<'py, u16>>>);

/// The arrays of one item, held while they are read.
struct Item<'py, T: Element> {
    target: Placement,
    pastes: Vec<(PyPaste, Option<PyReadonlyArray1<'py, u16>>)>,
    images: Vec<PyReadonlyArray3<'py, T>>,
    sides: Vec<PySide<'py>>,
}

/// What a thread takes: views of these.
struct Job<'a, T> {
    target: Placement,
    pastes: Vec<paste::Paste<'a>>,
    images: Vec<ArrayView3<'a, T>>,
    masks: Vec<MaskParts<'a>>,
    crowds: Vec<&'a [bool]>,
}

/// What all items have in common.
#[derive(Clone, Copy)]
struct Options<'a, T> {
    look: Look<'a, T>,
    rules: Rules,
}

impl<'py, T: Element + Pixel> Item<'py, T> {
    fn extract((plan, sides, weights): PyItem<'py>) -> PyResult<Self> {
        let sides: Vec<PySide<'py>> = sides.iter().map(PyAnyMethods::extract).collect::<PyResult<_>>()?;
        let images = sides.iter().map(|side| side.image.extract()).collect::<std::result::Result<_, _>>()?;
        let pastes = plan.pastes.into_iter().zip(weights).collect();
        Ok(Self { target: plan.target.into(), pastes, images, sides })
    }

    fn job(&self) -> PyResult<Job<'_, T>> {
        let pastes = self.pastes.iter().map(|(paste, weights)| {
            Ok(paste::Paste {
                source: paste.source,
                rows: paste.instances.clone(),
                placement: (&paste.placement).into(),
                weights: weights.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            })
        });
        Ok(Job {
            target: self.target,
            pastes: pastes.collect::<PyResult<_>>()?,
            images: self.images.iter().map(PyReadonlyArray3::as_array).collect(),
            masks: self.sides.iter().map(|side| side.masks.parts()).collect::<PyResult<_>>()?,
            crowds: self.crowds()?,
        })
    }

    fn crowds(&self) -> PyResult<Vec<&[bool]>> {
        self.sides.iter().map(|side| Ok(side.iscrowd.as_slice()?)).collect()
    }
}

impl<T: Pixel> Job<'_, T> {
    fn run(self, options: &Options<'_, T>, canvas: ArrayViewMut3<'_, T>) -> Result<Rows> {
        // Nothing of the two fallbacks is ever taken: Python has checked the canvas, and rows are dense now.
        let misfit = || copypaste_core::Error::PlanDoesNotFit;
        let canvas = ImageViewMut::new(canvas).ok_or_else(misfit)?;
        let dense: Vec<_> = self.images.into_iter().map(with_dense_rows).collect();
        let mut sides = Vec::with_capacity(dense.len());
        for ((image, masks), crowd) in dense.iter().zip(self.masks).zip(self.crowds) {
            let image = ImageView::new(image.view()).ok_or_else(misfit)?;
            sides.push(paste::Side { image, masks: masks.read()?, crowd });
        }
        let sources = sides.split_off(1.min(sides.len()));
        let target = sides.pop().ok_or_else(misfit)?;
        paste::copy_paste(target, &self.target, sources, &self.pastes, &options.look, &options.rules, canvas)
    }
}

/// Counts, offsets, boxes, area, source, source row, visibility, crowd, row among all.
type Columns<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<i64>>,
);

fn columns<'py>(py: Python<'py>, rows: Rows, crowds: &[&[bool]]) -> Columns<'py> {
    // Rows are counted through all sides, the target's first.
    let mut starts = vec![0];
    starts.extend(crowds.iter().scan(0, |end, crowd| {
        *end += crowd.len();
        Some(*end)
    }));
    let places =
        || rows.source.iter().zip(&rows.source_row).map(|(&side, &row)| ((side + 1) as usize, row as usize));
    let crowd: Vec<bool> =
        places().zip(&rows.hidden).map(|((side, row), hidden)| crowds[side][row] || *hidden).collect();
    let row: Vec<i64> = places().map(|(side, row)| (starts[side] + row) as i64).collect();
    (
        rows.counts.into_pyarray(py),
        rows.offsets.into_pyarray(py),
        box_table(&rows.boxes).into_pyarray(py),
        rows.area.into_pyarray(py),
        rows.source.into_pyarray(py),
        rows.source_row.into_pyarray(py),
        rows.visibility.into_pyarray(py),
        crowd.into_pyarray(py),
        row.into_pyarray(py),
    )
}

/// Applies each plan to its samples, into its canvas of `out`, which has the shape (items, H, W, C).
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the operation has as many options as it has")]
pub(crate) fn copy_paste<'py>(
    py: Python<'py>,
    items: Bound<'py, PyList>,
    fill: Bound<'py, PyAny>,
    nearest: bool,
    antialias: bool,
    min_area: u64,
    min_visibility: f64,
    keep_hidden: bool,
    out: Bound<'py, PyAny>,
    threads: usize,
) -> PyResult<Vec<Columns<'py>>> {
    let rules = Rules { min_area, min_visibility, keep_hidden };
    for_pixel_type!(out, compose(py, &items, &fill, nearest, antialias, rules, &out, threads))
}

#[expect(clippy::too_many_arguments, reason = "the same, with a pixel type")]
fn compose<'py, T: Element + Pixel>(
    py: Python<'py>,
    items: &Bound<'py, PyList>,
    fill: &Bound<'py, PyAny>,
    nearest: bool,
    antialias: bool,
    rules: Rules,
    out: &Bound<'py, PyAny>,
    threads: usize,
) -> PyResult<Vec<Columns<'py>>> {
    let fill: PyReadonlyArray1<'_, T> = fill.extract()?;
    let options = Options { look: Look { fill: fill.as_slice()?, nearest, antialias }, rules };
    let in_use = |_| PyValueError::new_err("out: expected an array that no other call is writing to");
    let mut out: PyReadwriteArray4<'_, T> = out.extract().map_err(in_use)?;
    let items: Vec<Item<'_, T>> =
        items.iter().map(|item| Item::extract(item.extract()?)).collect::<PyResult<_>>()?;
    let mut canvases = out.as_array_mut();
    let mut jobs = Vec::with_capacity(items.len());
    for (item, canvas) in items.iter().zip(canvases.axis_iter_mut(Axis(0))) {
        jobs.push((item.job()?, canvas));
    }
    let made = for_each(py, jobs, threads, |(job, canvas)| job.run(&options, canvas)).map_err(|failure| {
        match failure {
            Failure::Signal(raised) => raised,
            Failure::Job(_, error) if items.len() == 1 => to_python(error),
            Failure::Job(item, error) => {
                let message = format!("item {item}: {error}");
                with_message(py, to_python(error), message)
            }
        }
    })?;
    made.into_iter().zip(&items).map(|(rows, item)| Ok(columns(py, rows, &item.crowds()?))).collect()
}

/// The same error with another message.
fn with_message(py: Python<'_>, error: PyErr, message: String) -> PyErr {
    PyErr::from_type(error.get_type(py), message)
}

#[pyfunction]
pub(crate) fn philox_words(
    key: (u64, u64),
    counter: (u64, u64, u64, u64),
    mut out: PyReadwriteArray1<'_, u64>,
) -> PyResult<()> {
    philox::fill_words(key.into(), counter.into(), out.as_slice_mut()?);
    Ok(())
}
