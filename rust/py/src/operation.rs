//! Copy-paste: one item in one call, or a batch on several threads.

use std::ops::Range;

use copypaste_core::copy_paste::{DropRules, PixelOptions, ResultRows};
use copypaste_core::output::{FormatSink, RowSink};
use copypaste_core::resample::Pixel;
use copypaste_core::{Error, ImageViewMut, Result};
use ndarray::{ArrayViewMut3, ArrayViewMut4, Axis};
use numpy::{Element, PyArray3, PyArray4, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arguments::for_pixel_type;
use crate::errors::{of_item, to_python};
use crate::formats::{PyFormat, for_output_type, format};
use crate::holding::writing;
use crate::items::{ComposedRows, Item, PyCall};
use crate::threads::{for_each, number_of_threads};

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
    ($array:ident, $out:expr, $given:expr, $pixel:ty, $call:ident($($argument:expr),*)) => {
        if let Some(given) = $given {
            let (format, pixels) = (&format(given)?, $out);
            for_output_type!(pixels, $pixel, O => {
                let mut out = writing(pixels.cast::<$array<O>>()?, ("out", None))?;
                let sink = |out| FormatSink::new(format.view(out), format);
                $call($($argument,)* out.as_array_mut(), format.channels_first, sink)
            })
        } else {
            let mut out = writing($out.cast::<$array<$pixel>>()?, ("out", None))?;
            $call($($argument,)* out.as_array_mut(), false, whole_rows)
        }
    };
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
    for_pixel_type!(options.fill, T => {
        let item = Item::<T>::extract(call)?;
        let fill: PyReadonlyArray1<'_, T> = options.fill.extract()?;
        let (pixels, rules) = (options.pixels(fill.as_slice()?), options.rules());
        let rows = for_output!(PyArray3, &out, output_format, T, render_one(py, &item, &pixels, &rules))?;
        item.finish(py, rows)
    })
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
    for_pixel_type!(options.fill, T => {
        let item = |(item, call)| Item::<T>::extract(call).map_err(|error| of_item(py, error, item));
        let items: Vec<_> = calls.into_iter().enumerate().map(item).collect::<PyResult<_>>()?;
        let fill: PyReadonlyArray1<'_, T> = options.fill.extract()?;
        let (pixels, rules) = (options.pixels(fill.as_slice()?), options.rules());
        let threads = number_of_threads(py, threads)?;
        let rows = for_output!(
            PyArray4, &out, output_format, T, render_batch(py, &items, &pixels, &rules, threads)
        )?;
        items.iter().zip(rows).map(|(item, rows)| item.finish(py, rows)).collect()
    })
}

#[expect(clippy::too_many_arguments, reason = "a view and its sink come as three")]
fn render_batch<'c, T: Element + Pixel, O: Send, S: RowSink<T>>(
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
    let mut composed: Vec<_> = jobs.iter().map(|_| None).collect();
    let jobs = jobs.iter().zip(&mut composed).enumerate().collect();
    for_each(py, threads, jobs, |_, (job, composed)| {
        *composed = Some(job.compose(rules)?);
        Ok(())
    })?;
    let (rows, images): (Vec<_>, Vec<_>) = composed.into_iter().flatten().unzip();
    let bands = bands(out, usize::from(channels_first), threads);
    for_each(py, threads, bands, |item, (rows, out)| images[item].render(options, rows, &mut sink(out)?))?;
    Ok(rows)
}

/// Consecutive rows of one canvas of a batch: the number of its item, the rows, and their pixels.
type CanvasBand<'c, O> = (usize, (Range<usize>, ArrayViewMut3<'c, O>));

/// Least number of rows of a band: with fewer, more of a source is resampled twice where two bands meet.
const LEAST_ROWS: usize = 128;

/// Divides the canvases of a batch into bands. Each is one, but for the last canvases, which are divided so that no
/// thread is without work while another has a whole canvas before it.
fn bands<O>(mut out: ArrayViewMut4<'_, O>, row_axis: usize, threads: usize) -> Vec<CanvasBand<'_, O>> {
    let items = out.shape()[0];
    let mut bands = Vec::with_capacity(items + 2 * threads);
    for item in 0..items {
        let (first, rest) = out.split_at(Axis(0), 1);
        out = rest;
        let mut canvas = first.index_axis_move(Axis(0), 0);
        let h = canvas.shape()[row_axis];
        // All threads come to the last canvas. Fewer are free for those before it.
        let pieces = match items - item {
            remaining if threads > 1 && remaining <= threads => {
                (2 * threads).div_ceil(remaining + 1).min(h / LEAST_ROWS).max(1)
            }
            _ => 1,
        };
        let mut start = 0;
        for piece in 1..=pieces {
            let end = h * piece / pieces;
            let (band, below) = canvas.split_at(Axis(row_axis), end - start);
            canvas = below;
            bands.push((item, (start..end, band)));
            start = end;
        }
    }
    bands
}
