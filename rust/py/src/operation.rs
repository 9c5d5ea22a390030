//! Copy-paste: one item in one call, or a batch on several threads.

use std::cell::OnceCell;
use std::iter::repeat_n;
use std::ops::Range;
use std::sync::Mutex;

use copypaste_core::Result;
use copypaste_core::copy_paste::{DropRules, PixelOptions, Renderer};
use copypaste_core::resample::{Border, Pixel};
use ndarray::{ArrayView2, ArrayViewMut3, ArrayViewMut4, Axis};
use numpy::{Element, PyArray3, PyArray4, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arguments::for_pixel_type;
use crate::errors::{of_item, to_python};
use crate::formats::{PyFormat, for_output_type, format};
use crate::holding::writing;
use crate::items::{Composed, ComposedRows, Item, JobRows, PyCall};
use crate::threads::{for_each, for_each_beside, lock, number_of_threads};

/// `KernelOptions` of Python: for each item one fill value for each channel, whose dtype is that of all images, whether
/// the edge of the target goes on instead, and the rest.
#[derive(FromPyObject)]
#[expect(clippy::struct_excessive_bools, reason = "these are the fields that Python has")]
pub(crate) struct PyOptions<'py> {
    fill: Bound<'py, PyAny>,
    edge: bool,
    nearest: bool,
    antialias: bool,
    min_area: u64,
    min_visibility: f64,
    keep_hidden: bool,
}

impl PyOptions<'_> {
    pub(crate) fn rules(&self) -> DropRules {
        let Self { min_area, min_visibility, keep_hidden, .. } = *self;
        DropRules { min_area, min_visibility, keep_hidden }
    }

    /// Options of each item, out of the fills of all.
    fn pixels<'a, T>(&self, fill: ArrayView2<'a, T>) -> PyResult<Vec<PixelOptions<'a, T>>> {
        let Self { edge, nearest, antialias, .. } = *self;
        let one = |item| {
            let pixel = fill.index_axis_move(Axis(0), item).to_slice();
            let pixel = pixel.ok_or_else(|| PyValueError::new_err("fill: expected a contiguous array"))?;
            let border = if edge { Border::Edge } else { Border::Fill(pixel) };
            Ok(PixelOptions { border, nearest, antialias })
        };
        (0..fill.nrows()).map(one).collect()
    }
}

/// Calls a generic function with a view of `out`, held while it is written, and how canvas rows are rendered there.
macro_rules! for_output {
    ($array:ident, $out:expr, $given:expr, $pixel:ty, $call:ident($($argument:expr),*)) => {
        if let Some(given) = $given {
            let (format, pixels) = (&format(given)?, $out);
            for_output_type!(pixels, $pixel, O => {
                let mut out = writing(pixels.cast::<$array<O>>()?, ("out", None))?;
                $call($($argument,)* out.as_array_mut(), format.channels_first, |renderer, rows, out| {
                    renderer.render_as(rows, format, format.view(out))
                })
            })
        } else {
            let mut out = writing($out.cast::<$array<$pixel>>()?, ("out", None))?;
            $call($($argument,)* out.as_array_mut(), false, |renderer, rows, out| renderer.render(rows, out))
        }
    };
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
        let fill: PyReadonlyArray2<'_, T> = options.fill.extract()?;
        let (pixels, rules) = (options.pixels(fill.as_array())?, options.rules());
        let pixels = pixels.first().ok_or_else(|| PyValueError::new_err("fill: expected one for the item"))?;
        let rows = for_output!(PyArray3, &out, output_format, T, render_one(py, &item, pixels, &rules))?;
        item.finish(py, rows)
    })
}

fn render_one<'c, T: Element + Pixel, O: Send>(
    py: Python<'_>,
    item: &Item<'_, T>,
    options: &PixelOptions<'_, T>,
    rules: &DropRules,
    out: ArrayViewMut3<'c, O>,
    channels_first: bool,
    render: impl Fn(&mut Renderer<'_, '_, T>, Range<usize>, ArrayViewMut3<'c, O>) -> Result<()> + Sync,
) -> PyResult<JobRows> {
    let job = item.job()?;
    py.detach(|| {
        let (rows, composed) = job.compose(rules)?;
        let h = out.shape()[usize::from(channels_first)];
        render(&mut composed.renderer(options)?, 0..h, out)?;
        Ok(rows)
    })
    .map_err(to_python)
}

/// Applies each plan to its samples, into its canvas of `out`: (N, H, W, C), or another format of it. Nothing is written
/// before the masks of all items are done.
///
/// The results are what `collect` makes of the number and the rows of each item. Calls are taken from the iterable, and
/// results are made, while threads do what needs no Python.
#[pyfunction]
pub(crate) fn copy_paste_batch<'py>(
    py: Python<'py>,
    calls: Bound<'py, PyAny>,
    options: PyOptions<'py>,
    out: Bound<'py, PyAny>,
    output_format: Option<PyFormat<'py>>,
    threads: usize,
    collect: Bound<'py, PyAny>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    for_pixel_type!(options.fill, T => {
        let mut calls = calls.try_iter()?;
        let mut next_item = || match calls.next() {
            Some(call) => Item::<T>::extract(call?.extract()?),
            None => Err(PyValueError::new_err("calls: expected one for each fill, got fewer")),
        };
        let fill: PyReadonlyArray2<'_, T> = options.fill.extract()?;
        let (pixels, rules) = (options.pixels(fill.as_array())?, options.rules());
        let threads = number_of_threads(py, threads)?;
        for_output!(
            PyArray4, &out, output_format, T, render_batch(py, &mut next_item, &collect, &pixels, &rules, threads)
        )
    })
}

#[expect(clippy::too_many_arguments, reason = "a view and how it is written come as three")]
fn render_batch<'py, 'c, T: Element + Pixel, O: Send>(
    py: Python<'py>,
    next_item: &mut dyn FnMut() -> PyResult<Item<'py, T>>,
    collect: &Bound<'py, PyAny>,
    options: &[PixelOptions<'_, T>],
    rules: &DropRules,
    threads: usize,
    out: ArrayViewMut4<'c, O>,
    channels_first: bool,
    render: impl Fn(&mut Renderer<'_, '_, T>, Range<usize>, ArrayViewMut3<'c, O>) -> Result<()> + Sync,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let items: Vec<_> = options.iter().map(|_| OnceCell::new()).collect();
    let mut composed: Vec<_> = options.iter().map(|_| None).collect();
    let jobs = items.iter().zip(&mut composed).enumerate().map(|(number, (item, composed))| {
        let taken = next_item().map_err(|error| of_item(py, error, number))?;
        Ok((number, (item.get_or_init(|| taken).job()?, composed)))
    });
    for_each(py, threads, jobs, |_, (job, composed)| {
        *composed = Some(job.compose(rules)?);
        Ok(())
    })?;
    let (rows, images): (Vec<_>, Vec<_>) = composed.into_iter().flatten().unzip();
    let mut results = Vec::with_capacity(rows.len());
    let collected = || {
        for (number, (item, rows)) in items.iter().filter_map(OnceCell::get).zip(rows).enumerate() {
            results.push(collect.call1((number, item.finish(py, rows)?))?);
        }
        Ok(())
    };
    render_bands(py, &images, options, threads, out, channels_first, render, collected)?;
    Ok(results)
}

/// Renders what was composed of each item into its canvas of `out`, by its options, band by band, on several threads,
/// while Python does something else.
#[expect(clippy::too_many_arguments, reason = "a view and how it is written come as three")]
pub(crate) fn render_bands<'c, T: Pixel, O: Send>(
    py: Python<'_>,
    images: &[Composed<'_, T>],
    options: &[PixelOptions<'_, T>],
    threads: usize,
    out: ArrayViewMut4<'c, O>,
    channels_first: bool,
    render: impl Fn(&mut Renderer<'_, '_, T>, Range<usize>, ArrayViewMut3<'c, O>) -> Result<()> + Sync,
    meanwhile: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    let bands = bands(out, usize::from(channels_first), threads);
    // A job takes the bands of one canvas, from the top, as long as there are some; several may share them.
    let mut jobs = Vec::new();
    for (item, bands) in bands.iter().enumerate() {
        jobs.extend(repeat_n((item, bands), threads.min(lock(bands).len())));
    }
    let render = |item: usize, bands: &CanvasBands<'c, O>| {
        let (next, mut renderer) = (|| lock(bands).pop(), images[item].renderer(&options[item])?);
        while let Some((rows, out)) = next() {
            render(&mut renderer, rows, out)?;
        }
        Ok(())
    };
    for_each_beside(py, threads, jobs.into_iter().map(Ok), render, meanwhile)
}

/// Bands of one canvas that are still to be rendered: rows and their pixels, the last ones first.
type CanvasBands<'c, O> = Mutex<Vec<(Range<usize>, ArrayViewMut3<'c, O>)>>;

/// Least number of rows of a band: with fewer, more of a source is resampled twice where two bands meet.
const LEAST_ROWS: usize = 128;

/// Divides the canvases of a batch into bands. Each is one, but for the last canvases, which are divided so that no
/// thread is without work while another has a whole canvas before it.
fn bands<O>(mut out: ArrayViewMut4<'_, O>, row_axis: usize, threads: usize) -> Vec<CanvasBands<'_, O>> {
    let items = out.shape()[0];
    let mut all = Vec::with_capacity(items);
    for item in 0..items {
        let (first, rest) = out.split_at(Axis(0), 1);
        out = rest;
        let mut above = first.index_axis_move(Axis(0), 0);
        let h = above.shape()[row_axis];
        let pieces = if threads > 1 && items - item <= threads { (h / LEAST_ROWS).max(1) } else { 1 };
        let mut bands = Vec::with_capacity(pieces);
        for piece in (0..pieces).rev() {
            let rows = h * piece / pieces..h * (piece + 1) / pieces;
            let (rest, band) = above.split_at(Axis(row_axis), rows.start);
            above = rest;
            bands.push((rows, band));
        }
        all.push(Mutex::new(bands));
    }
    all
}
