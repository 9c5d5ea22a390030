//! Maps: further rasters of images, moved as these are and pasted hard.

use copypaste_core::Placement;
use copypaste_core::copy_paste::{Coverage, PixelOptions, Renderer};
use copypaste_core::resample::Border;
use ndarray::ArrayViewMut3;
use numpy::{PyArray3, PyArray4, PyReadonlyArray1, PyReadonlyArray3};
use pyo3::prelude::*;

use crate::arguments::{PyMasks, for_pixel_type};
use crate::errors::of_item;
use crate::holding::{reading, writing};
use crate::items::{Composed, PyPlan, place_of};
use crate::operation::render_bands;
use crate::threads::{for_each, number_of_threads};

/// `MapCall` of Python: a plan, and the rasters of its samples, the target's first.
#[derive(FromPyObject)]
pub(crate) struct PyMapCall<'py> {
    plan: PyPlan,
    sides: Vec<Bound<'py, PyAny>>,
}

/// `MapOptions` of Python: the name that errors have, the fill, whose dtype is that of all rasters, and the rest.
#[derive(FromPyObject)]
pub(crate) struct PyMapOptions<'py> {
    name: Bound<'py, PyAny>,
    fill: Bound<'py, PyAny>,
    nearest: bool,
    antialias: bool,
    numbered: bool,
}

/// Applies each plan to the rasters of its samples, into its canvas of `out`, (N, H, W, C); the masks of each of `unions`
/// say where the pastes show. Without `unions`, it is only checked that no other call writes to what is to be read.
#[pyfunction]
pub(crate) fn render_map<'py>(
    py: Python<'py>,
    calls: Vec<PyMapCall<'py>>,
    options: PyMapOptions<'py>,
    out: Bound<'py, PyAny>,
    unions: Vec<PyMasks<'py>>,
    threads: usize,
) -> PyResult<()> {
    let PyMapOptions { name, fill, nearest, antialias, numbered } = options;
    let what = format!("a map {}", name.repr()?);
    for_pixel_type!(fill, T => {
        let mut held: Vec<Vec<PyReadonlyArray3<'_, T>>> = Vec::with_capacity(calls.len());
        for (item, call) in calls.iter().enumerate() {
            let sides = call.sides.iter().enumerate();
            let sides = sides.map(|(side, array)| reading(array.cast::<PyArray3<T>>()?, &what, place_of(side)));
            let numbered = |error| if numbered { of_item(py, error, item) } else { error };
            held.push(sides.collect::<PyResult<_>>().map_err(numbered)?);
        }
        if unions.is_empty() {
            return Ok(());
        }
        let fill: PyReadonlyArray1<'_, T> = fill.extract()?;
        let border = Border::Fill(fill.as_slice()?);
        let options = vec![PixelOptions { border, nearest, antialias }; calls.len()];
        let mut out = writing(out.cast::<PyArray4<T>>()?, ("out", None))?;
        let threads = number_of_threads(py, threads)?;
        let mut jobs = Vec::with_capacity(calls.len());
        for ((call, unions), sides) in calls.iter().zip(&unions).zip(&held) {
            let pastes = call.plan.pastes.iter().map(|paste| (paste.source, paste.placement.into()));
            let pastes: Vec<(usize, Placement)> = pastes.collect();
            let sides: Vec<_> = sides.iter().map(PyReadonlyArray3::as_array).collect();
            jobs.push((Placement::from(call.plan.target), pastes, unions.parts()?, sides));
        }
        let mut covered: Vec<_> = jobs.iter().map(|_| None).collect();
        let jobs = jobs.into_iter().zip(&mut covered).enumerate().map(Ok);
        for_each(py, threads, jobs, |_, ((target, pastes, unions, sides), covered)| {
            let coverage = Coverage::of_unions(target, &pastes, &unions.read()?)?;
            *covered = Some(Composed::new(coverage, sides.into_iter()));
            Ok(())
        })?;
        let covered: Vec<_> = covered.into_iter().flatten().collect();
        let render = |renderer: &mut Renderer<'_, '_, T>, rows, out: ArrayViewMut3<'_, T>| renderer.render(rows, out);
        render_bands(py, &covered, &options, threads, out.as_array_mut(), false, render, || Ok(()))
    })
}
