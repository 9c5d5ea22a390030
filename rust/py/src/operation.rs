//! The whole operation, one item or a batch, and the words that plans are drawn from.

use std::cell::OnceCell;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use copypaste_core::copy_paste::{Look, Rows, Rules};
use copypaste_core::crew::Work;
use copypaste_core::output::{Converted, Finished, Sink, Strip};
use copypaste_core::resample::Pixel;
use copypaste_core::{Result, Size, philox};
use half::f16;
use ndarray::ArrayViewMut4;
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray4,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::formats::{PyFormat, format};
use crate::images::for_pixel_type;
use crate::jobs::{Item, Job, Picture};
use crate::masks::box_table;
use crate::threads::{for_each, no_more_threads, of_item};

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
/// Calls `done` with the number of each item and its columns, as soon as they are there. Without `threads` it is the
/// calling thread that works, whatever the environment says.
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
    threads: Option<usize>,
    output_format: Option<PyFormat<'py>>,
) -> PyResult<()> {
    let threads = threads.map_or(Ok(1), |asked| no_more_threads(py, asked))?;
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
    let call = Call { batch, look, rules, channels_first: given.as_ref().is_some_and(|format| format.0) };
    let Some(given) = given else {
        let mut out = held::<T>(out)?;
        return call.run(py, out.as_array_mut(), Strip::into_image);
    };
    let format = format(given)?;
    if out.cast::<numpy::PyArrayDyn<f16>>().is_ok() {
        call.run(py, held(out)?.as_array_mut(), |strip: Strip<'_, f16>| Converted::new(strip, &format))
    } else if out.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
        call.run(py, held(out)?.as_array_mut(), |strip: Strip<'_, f32>| Converted::new(strip, &format))
    } else {
        call.run(py, held(out)?.as_array_mut(), |strip: Strip<'_, T>| Converted::new(strip, &format))
    }
}

fn held<'py, O: Element>(out: &Bound<'py, PyAny>) -> PyResult<PyReadwriteArray4<'py, O>> {
    out.extract().map_err(|_| PyValueError::new_err("out: expected an array that no other call is using"))
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
    look: Look<'a, T>,
    rules: Rules,
    channels_first: bool,
}

impl<'py, T: Element + Pixel> Call<'_, 'py, T> {
    /// Does all items; `sink` takes rows of an image in their part of `out`.
    fn run<'c, O: Send + 'static, S: Sink<T>>(
        &self,
        py: Python<'py>,
        out: ArrayViewMut4<'c, O>,
        sink: impl Fn(Strip<'c, O>) -> Result<S> + Sync,
    ) -> PyResult<()> {
        let Batch { items, threads, done } = self.batch;
        let (n, a, b, c) = out.dim();
        let (h, w, channels) = if self.channels_first { (b, c, a) } else { (a, b, c) };
        let values = out.into_slice().unwrap_or_default(); // Python has checked the layout
        let canvases = values.chunks_exact_mut((a * b * c).max(1));
        // Jobs borrow from items and threads from jobs: all stay where they are while further ones come.
        let held: Vec<OnceCell<Item<'py, T>>> = (0..n).map(|_| OnceCell::new()).collect();
        let jobs: Vec<OnceCell<Job<'_, T>>> = (0..n).map(|_| OnceCell::new()).collect();
        let mut items = items.clone();
        let given = held.iter().zip(&jobs).zip(canvases).enumerate().map(|(i, ((held, job), canvas))| {
            let item = items.next().ok_or_else(too_few)??;
            let item = Item::extract(item.extract()?).map_err(|error| of_item(py, error, i, n))?;
            let views = held.get_or_init(|| item).job()?;
            let strip = Strip::new(canvas, Size { h, w }, channels, self.channels_first);
            Ok((job.get_or_init(|| views), strip.ok_or_else(too_few)?))
        });
        let finish = |i: usize, rows| {
            let item = held[i].get().ok_or_else(too_few)?;
            done.call1((i, columns(py, rows, &item.crowds()?))).map(drop)
        };
        let compose = Compose { look: &self.look, rules: &self.rules, rows: h, sink, takes: PhantomData };
        for_each(py, given, threads, &compose, finish).map_err(|failure| failure.into_python(py, n))
    }
}

/// Masks first, which tell what is seen; then pixels.
struct Compose<'a, 'c, T, F, O> {
    look: &'a Look<'a, T>,
    rules: &'a Rules,
    /// Rows of a canvas.
    rows: usize,
    sink: F,
    takes: PhantomData<fn(Strip<'c, O>)>,
}

/// A picture, and what of its canvas nobody has begun to paint.
struct Canvas<'a, 'c, T, O> {
    picture: Picture<'a, T>,
    left: Mutex<Left<'c, O>>,
}

struct Left<'c, O> {
    first_row: usize,
    strip: Option<Strip<'c, O>>,
}

impl<'c, T, O> Canvas<'_, 'c, T, O> {
    /// Takes up to so many rows of what is left.
    fn take(&self, rows: usize) -> Option<(Range<usize>, Strip<'c, O>)> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (strip, below) = left.strip.take()?.split_at(rows);
        let first_row = left.first_row;
        left.first_row += strip.size().h;
        left.strip = (below.size().h > 0).then_some(below);
        Some((first_row..left.first_row, strip))
    }
}

/// A canvas to be painted, by one thread or by several that take turns.
struct Share<'a, 'c, T, O> {
    canvas: Arc<Canvas<'a, 'c, T, O>>,
    /// Rows to be taken at a time.
    rows: usize,
}

/// Rows that threads take in turn: with fewer, more of the source is resampled twice where they meet.
const TURN: usize = 128;

impl<'a, 'c, T, O, S, F> Work for Compose<'a, 'c, T, F, O>
where
    T: Pixel,
    O: Send + 'static,
    S: Sink<T>,
    F: Fn(Strip<'c, O>) -> Result<S> + Sync,
{
    type Job = (&'a Job<'a, T>, Strip<'c, O>);
    type Found = Rows;
    type Rest = Share<'a, 'c, T, O>;

    fn begin(&self, (job, strip): Self::Job) -> Result<(Rows, Self::Rest)> {
        let (rows, picture) = job.arrange(self.rules)?;
        let left = Mutex::new(Left { first_row: 0, strip: Some(strip) });
        Ok((rows, Share { canvas: Arc::new(Canvas { picture, left }), rows: self.rows }))
    }

    fn parts(&self) -> usize {
        (self.rows / TURN).max(1)
    }

    fn divide(&self, Share { canvas, .. }: Self::Rest, parts: usize) -> Vec<Self::Rest> {
        (0..parts).map(|_| Share { canvas: Arc::clone(&canvas), rows: TURN }).collect()
    }

    fn complete(&self, share: Self::Rest) -> Result<()> {
        let Some((mut rows, mut strip)) = share.canvas.take(share.rows) else { return Ok(()) };
        let mut brush = share.canvas.picture.brush(self.look)?;
        loop {
            brush.paint(rows, &mut (self.sink)(strip)?)?;
            match share.canvas.take(share.rows) {
                Some(next) => (rows, strip) = next,
                None => return Ok(()),
            }
        }
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
