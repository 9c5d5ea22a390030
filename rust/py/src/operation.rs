//! The whole operation, one item or a batch, and the words that plans are drawn from.

use std::cell::OnceCell;

use copypaste_core::finish::{Converted, Finished, Format, Sink};
use copypaste_core::paste::{Look, Rows, Rules};
use copypaste_core::resample::Pixel;
use copypaste_core::{Error, ImageViewMut, Result, Size, philox};
use half::f16;
use ndarray::{ArrayViewMut3, ArrayViewMut4};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray4,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::formats::{PyFormat, format};
use crate::images::for_pixel_type;
use crate::jobs::{Item, Job, Options};
use crate::masks::box_table;
use crate::threads::for_each;

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

/// Applies each plan to its samples, into its canvas of `out`: shape (items, H, W, C), or as `output_format` says.
/// Calls `done` with the number of each item and its columns, as soon as they are there.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the operation has as many options as it has")]
pub(crate) fn copy_paste<'py>(
    py: Python<'py>,
    items: Bound<'py, PyIterator>,
    done: Bound<'py, PyAny>,
    fill: Bound<'py, PyAny>,
    nearest: bool,
    antialias: bool,
    min_area: u64,
    min_visibility: f64,
    keep_hidden: bool,
    out: Bound<'py, PyAny>,
    threads: usize,
    output_format: Option<PyFormat<'py>>,
) -> PyResult<()> {
    let rules = Rules { min_area, min_visibility, keep_hidden };
    let batch = Batch { items: &items, threads, done: &done };
    for_pixel_type!(fill, compose(py, batch, &fill, nearest, antialias, rules, &out, output_format))
}

#[expect(clippy::too_many_arguments, reason = "the same, with a pixel type")]
fn compose<'py, T>(
    py: Python<'py>,
    batch: Batch<'_, 'py>,
    fill: &Bound<'py, PyAny>,
    nearest: bool,
    antialias: bool,
    rules: Rules,
    out: &Bound<'py, PyAny>,
    given: Option<PyFormat<'py>>,
) -> PyResult<()>
where
    T: Element + Pixel + Default + Into<f32> + Finished<T>,
{
    let fill: PyReadonlyArray1<'_, T> = fill.extract()?;
    let look = Look { fill: fill.as_slice()?, nearest, antialias };
    let call = Call { batch, options: Options { look, rules } };
    let Some(given) = given else {
        let mut out = held::<T>(out)?;
        return call
            .run(py, out.as_array_mut(), |canvas| ImageViewMut::new(canvas).ok_or(Error::PlanDoesNotFit));
    };
    let format = format(given)?;
    if out.cast::<numpy::PyArrayDyn<f16>>().is_ok() {
        call.run(py, held(out)?.as_array_mut(), |canvas| converted::<T, f16>(canvas, &format))
    } else if out.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
        call.run(py, held(out)?.as_array_mut(), |canvas| converted::<T, f32>(canvas, &format))
    } else {
        call.run(py, held(out)?.as_array_mut(), |canvas| converted::<T, T>(canvas, &format))
    }
}

fn held<'py, O: Element>(out: &Bound<'py, PyAny>) -> PyResult<PyReadwriteArray4<'py, O>> {
    out.extract()
        .map_err(|_| PyValueError::new_err("out: expected an array that no other call is writing to"))
}

fn converted<'a, T: Pixel + Default, O: Finished<T>>(
    canvas: ArrayViewMut3<'a, O>,
    format: &'a Format,
) -> Result<Converted<'a, T, O>> {
    let (a, b, c) = canvas.dim();
    let (h, w, channels) = if format.channels_first { (b, c, a) } else { (a, b, c) };
    let out = canvas.into_slice().ok_or(Error::PlanDoesNotFit)?;
    Converted::new(out, Size { h, w }, channels, format)
}

/// Items, and what takes their results.
#[derive(Clone, Copy)]
struct Batch<'a, 'py> {
    items: &'a Bound<'py, PyIterator>,
    threads: usize,
    done: &'a Bound<'py, PyAny>,
}

/// The same with the options that all have in common.
struct Call<'a, 'py, T> {
    batch: Batch<'a, 'py>,
    options: Options<'a, T>,
}

impl<'py, T: Element + Pixel> Call<'_, 'py, T> {
    /// Does all items; `sink` takes an image in its part of `out`.
    fn run<'c, O: Send, S: Sink<T>>(
        &self,
        py: Python<'py>,
        out: ArrayViewMut4<'c, O>,
        sink: impl Fn(ArrayViewMut3<'c, O>) -> Result<S> + Sync,
    ) -> PyResult<()> {
        let Batch { items, threads, done } = self.batch;
        let (n, a, b, c) = out.dim();
        let values = out.into_slice().unwrap_or_default(); // Python has checked the layout
        let canvases = values.chunks_exact_mut((a * b * c).max(1));
        // Jobs borrow from items, which stay where they are while further ones come.
        let held: Vec<OnceCell<Item<'py, T>>> = (0..n).map(|_| OnceCell::new()).collect();
        let mut items = items.clone();
        let jobs = held.iter().zip(canvases).map(|(held, canvas)| {
            let item = items.next().ok_or_else(too_few)??;
            let item = Item::extract(item.extract()?)?;
            Ok((held.get_or_init(|| item).job()?, canvas))
        });
        let options = &self.options;
        let work = |(job, canvas): (Job<'_, T>, _)| {
            let canvas = ArrayViewMut3::from_shape((a, b, c), canvas).map_err(|_| Error::PlanDoesNotFit)?;
            job.run(options, &mut sink(canvas)?)
        };
        let finish = |i: usize, rows| {
            let item = held[i].get().ok_or_else(too_few)?;
            done.call1((i, columns(py, rows, &item.crowds()?))).map(drop)
        };
        for_each(py, jobs, threads, work, finish).map_err(|failure| failure.into_python(py, n))
    }
}

fn too_few() -> PyErr {
    PyValueError::new_err("items: expected one for each image of out, got fewer")
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
