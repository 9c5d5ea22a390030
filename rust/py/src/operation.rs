//! Copy-paste: one item in one call, or a batch on several threads.

use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use copypaste_core::copy_paste::{DropRules, PixelOptions, ResultRows};
use copypaste_core::output::{FormatSink, OutputPixel, RowSink};
use copypaste_core::resample::Pixel;
use copypaste_core::{Error, ImageViewMut, Result};
use half::f16;
use ndarray::{ArrayViewMut3, ArrayViewMut4, Axis};
use numpy::{Element, PyReadonlyArray1, PyReadwriteArray3, PyReadwriteArray4};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::errors::{argument_error, to_python};
use crate::formats::{PyFormat, format};
use crate::images::for_pixel_type;
use crate::items::{ComposedRows, Item, PyCall};
use crate::threads::{for_each, number_of_threads, of_item};

/// `KernelOptions` of Python: one fill value for each channel, whose dtype is that of all images, and the rest.
#[derive(FromPyObject)]
pub(crate) struct PyOptions<'py> {
    fill: Bound<'py, PyAny>,
    nearest: bool,
    antialias: bool,
    min_area: u64,
    min_visibility: f64,
    keep_hidden: bool,
}

impl PyOptions<'_> {
    fn rules(&self) -> DropRules {
        let Self { min_area, min_visibility, keep_hidden, .. } = *self;
        DropRules { min_area, min_visibility, keep_hidden }
    }

    fn pixels<'a, T>(&self, fill: &'a [T]) -> PixelOptions<'a, T> {
        PixelOptions { fill, nearest: self.nearest, antialias: self.antialias }
    }
}

/// Calls a generic function with a view of `out`, held while it is written, and the sink that canvas rows go through.
macro_rules! for_output {
    ($array:ident, $out:expr, $given:expr, $pixel:ty, $call:ident($($argument:expr),*)) => {{
        let in_use = |_| argument_error($out.py(), "out", None, "an array that no other call is using", "one in use");
        macro_rules! with {
            ($value:ty, $first:expr, $sink:expr) => {{
                let mut out: $array<'_, $value> = $out.extract().map_err(in_use)?;
                $call($($argument,)* out.as_array_mut(), $first, $sink)
            }};
        }
        match $given {
            None => with!($pixel, false, whole_rows),
            Some(given) => {
                let format = format(given)?;
                let (first, converted) = (format.channels_first, &format);
                if $out.cast::<numpy::PyArrayDyn<f16>>().is_ok() {
                    with!(f16, first, |out| FormatSink::new(converted.view(out), converted))
                } else if $out.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
                    with!(f32, first, |out| FormatSink::new(converted.view(out), converted))
                } else {
                    with!($pixel, first, |out| FormatSink::new(converted.view(out), converted))
                }
            }
        }
    }};
}

/// Sink of canvas rows that stay as they are.
fn whole_rows<T>(out: ArrayViewMut3<'_, T>) -> Result<ImageViewMut<'_, T>> {
    let expected = out.len();
    ImageViewMut::new(out).ok_or(Error::LengthDiffers { expected, found: 0 })
}

/// Applies a plan to its samples, into `out`: the canvas (H, W, C), or another format of it.
#[pyfunction]
pub(crate) fn copy_paste<'py>(
    py: Python<'py>,
    call: PyCall<'py>,
    options: PyOptions<'py>,
    out: Bound<'py, PyAny>,
    output_format: Option<PyFormat<'py>>,
) -> PyResult<ComposedRows> {
    for_pixel_type!(options.fill, one(py, call, &options, &out, output_format))
}

fn one<'py, T: Element + Pixel + Into<f32> + OutputPixel<T>>(
    py: Python<'py>,
    call: PyCall<'py>,
    options: &PyOptions<'py>,
    out: &Bound<'py, PyAny>,
    given: Option<PyFormat<'py>>,
) -> PyResult<ComposedRows> {
    let item = Item::<T>::extract(py, call)?;
    let fill: PyReadonlyArray1<'_, T> = options.fill.extract()?;
    let (pixels, rules) = (options.pixels(fill.as_slice()?), options.rules());
    let rows = for_output!(PyReadwriteArray3, out, given, T, render_one(py, &item, &pixels, &rules))?;
    item.finish(py, rows)
}

fn render_one<'c, T: Element + Pixel, O: Send, S: RowSink<T>>(
    py: Python<'_>,
    item: &Item<'_, T>,
    options: &PixelOptions<'_, T>,
    rules: &DropRules,
    out: ArrayViewMut3<'c, O>,
    channels_first: bool,
    sink: impl Fn(ArrayViewMut3<'c, O>) -> Result<S> + Sync,
) -> PyResult<ResultRows> {
    let job = item.job()?;
    py.detach(|| {
        let (rows, composed) = job.compose(rules)?;
        let h = out.shape()[usize::from(channels_first)];
        composed.render(options, 0..h, &mut sink(out)?)?;
        Ok(rows)
    })
    .map_err(to_python)
}

/// Applies each plan to its samples, into its canvas of `out`: (N, H, W, C), or another format of it. Nothing is written
/// before the masks of all items are done.
#[pyfunction]
pub(crate) fn copy_paste_batch<'py>(
    py: Python<'py>,
    calls: Vec<PyCall<'py>>,
    options: PyOptions<'py>,
    out: Bound<'py, PyAny>,
    output_format: Option<PyFormat<'py>>,
    threads: usize,
) -> PyResult<Vec<ComposedRows>> {
    for_pixel_type!(options.fill, many(py, calls, &options, &out, output_format, threads))
}

fn many<'py, T: Element + Pixel + Into<f32> + OutputPixel<T>>(
    py: Python<'py>,
    calls: Vec<PyCall<'py>>,
    options: &PyOptions<'py>,
    out: &Bound<'py, PyAny>,
    given: Option<PyFormat<'py>>,
    threads: usize,
) -> PyResult<Vec<ComposedRows>> {
    let numbered = |(item, call)| Item::<T>::extract(py, call).map_err(|error| of_item(py, error, item));
    let items: Vec<_> = calls.into_iter().enumerate().map(numbered).collect::<PyResult<_>>()?;
    let fill: PyReadonlyArray1<'_, T> = options.fill.extract()?;
    let (pixels, rules) = (options.pixels(fill.as_slice()?), options.rules());
    let threads = number_of_threads(py, threads)?;
    let rows =
        for_output!(PyReadwriteArray4, out, given, T, render_many(py, &items, &pixels, &rules, threads))?;
    items.iter().zip(rows).map(|(item, rows)| item.finish(py, rows)).collect()
}

#[expect(clippy::too_many_arguments, reason = "a view and its sink come as three")]
fn render_many<'c, T: Element + Pixel, O: Send, S: RowSink<T>>(
    py: Python<'_>,
    items: &[Item<'_, T>],
    options: &PixelOptions<'_, T>,
    rules: &DropRules,
    threads: usize,
    out: ArrayViewMut4<'c, O>,
    channels_first: bool,
    sink: impl Fn(ArrayViewMut3<'c, O>) -> Result<S> + Sync,
) -> PyResult<Vec<ResultRows>> {
    let jobs: Vec<_> = items.iter().map(Item::job).collect::<PyResult<_>>()?;
    let composed: Vec<_> = jobs.iter().map(|_| OnceLock::new()).collect();
    for_each(py, threads, jobs.len(), |item| {
        let done = jobs[item].compose(rules)?;
        composed[item].get_or_init(|| done);
        Ok(())
    })
    .map_err(|failure| failure.into_python(py, |item| item))?;
    let (mut rows, mut scenes) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
    for (found, scene) in composed.into_iter().filter_map(OnceLock::into_inner) {
        rows.push(found);
        scenes.push(scene);
    }
    let bands = bands(out, usize::from(channels_first), threads);
    for_each(py, threads, bands.len(), |job| {
        let Band { item, rows, out } = &bands[job];
        let out = out.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Each band is rendered once.
        out.map_or(Ok(()), |out| scenes[*item].render(options, rows.clone(), &mut sink(out)?))
    })
    .map_err(|failure| failure.into_python(py, |job| bands[job].item))?;
    Ok(rows)
}

/// Consecutive rows of one canvas of a batch.
struct Band<'c, O> {
    item: usize,
    rows: Range<usize>,
    out: Mutex<Option<ArrayViewMut3<'c, O>>>,
}

/// Least number of rows of a band: with fewer, more of a source is resampled twice where two bands meet.
const BAND: usize = 128;

/// Divides the canvases of a batch into bands. Each is one, but for the last canvases, which are divided so that no
/// thread is without work while another has a whole canvas before it.
fn bands<O>(mut out: ArrayViewMut4<'_, O>, row_axis: usize, threads: usize) -> Vec<Band<'_, O>> {
    let items = out.shape()[0];
    let mut bands = Vec::with_capacity(items + 2 * threads);
    for item in 0..items {
        let (first, rest) = out.split_at(Axis(0), 1);
        out = rest;
        let mut canvas = first.index_axis_move(Axis(0), 0);
        let h = canvas.shape()[row_axis];
        // All threads come to the last canvas. Fewer are free for those before it.
        let shares = match items - item {
            left if threads > 1 && left <= threads => (2 * threads).div_ceil(left + 1).min(h / BAND).max(1),
            _ => 1,
        };
        let mut start = 0;
        for share in 1..=shares {
            let end = h * share / shares;
            let (band, below) = canvas.split_at(Axis(row_axis), end - start);
            canvas = below;
            bands.push(Band { item, rows: start..end, out: Mutex::new(Some(band)) });
            start = end;
        }
    }
    bands
}
