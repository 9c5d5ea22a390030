//! Masks drawn as pixels, those of many images at once.

use copypaste_core::rle::{self, DrawOrder, Masks};
use copypaste_core::{Error, Result};
use numpy::{Element, PyArrayDyn};
use pyo3::prelude::*;

use crate::arguments::PyMasks;
use crate::holding::writing;
use crate::threads::{for_each, number_of_threads};

/// Draws each of `masks` in its array of `out`: label maps where they are of int32, else planes of uint8, the first of
/// which are written. Errors about an array number it where `numbered`. Without any masks, `out` is only checked.
#[pyfunction]
pub(crate) fn draw_masks(
    py: Python<'_>,
    masks: Vec<PyMasks<'_>>,
    out: Vec<Bound<'_, PyAny>>,
    numbered: bool,
    threads: usize,
) -> PyResult<()> {
    match out.first() {
        Some(first) if first.cast::<PyArrayDyn<i32>>().is_ok() => {
            draw(py, &masks, &out, numbered, threads, label_map)
        }
        _ => draw(py, &masks, &out, numbered, threads, planes),
    }
}

fn draw<'py, T: Element + Send>(
    py: Python<'py>,
    masks: &[PyMasks<'_>],
    out: &[Bound<'py, PyAny>],
    numbered: bool,
    threads: usize,
    kernel: impl Fn(&Masks, &mut [T]) -> Result<()> + Sync,
) -> PyResult<()> {
    let held = |(number, array): (usize, &Bound<'py, PyAny>)| {
        writing(array.cast::<PyArrayDyn<T>>()?, ("masks_out", numbered.then_some(number)))
    };
    let mut arrays: Vec<_> = out.iter().enumerate().map(held).collect::<PyResult<_>>()?;
    let threads = number_of_threads(py, threads)?;
    let jobs = masks.iter().zip(&mut arrays).map(|(masks, out)| Ok((masks.parts()?, out.as_slice_mut()?)));
    let jobs = jobs.collect::<PyResult<Vec<_>>>()?.into_iter().enumerate().map(Ok);
    for_each(py, threads, jobs, |_, (masks, out)| kernel(&masks.read()?, out))
}

fn planes(masks: &Masks, out: &mut [u8]) -> Result<()> {
    let (expected, found) = (masks.len() * masks.size().pixels(), out.len());
    rle::decode(masks, out.get_mut(..expected).ok_or(Error::LengthDiffers { expected, found })?)
}

fn label_map(masks: &Masks, out: &mut [i32]) -> Result<()> {
    let (expected, found) = (masks.size().pixels(), out.len());
    if found != expected {
        return Err(Error::LengthDiffers { expected, found });
    }
    rle::label_map(masks, DrawOrder::Rows, 1, out)
}
