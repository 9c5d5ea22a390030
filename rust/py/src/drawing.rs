//! Masks drawn as pixels, those of many images at once.

use copypaste_core::rle::{self, Masks};
use copypaste_core::{Error, Result};
use numpy::{Element, PyArrayDyn, PyReadwriteArrayDyn};
use pyo3::prelude::*;

use crate::arguments::PyMasks;
use crate::holding::{Place, writing};
use crate::threads::{for_each, number_of_threads};

/// Draws each of `masks` in its array of `out`: label maps where they are of int32, else planes of uint8, the first of
/// which are written. Errors about an array number it where `numbered`.
#[pyfunction]
pub(crate) fn draw_masks(
    py: Python<'_>,
    masks: Vec<PyMasks<'_>>,
    out: Vec<Bound<'_, PyAny>>,
    numbered: bool,
    threads: usize,
) -> PyResult<()> {
    if are_maps(&out) {
        draw(py, &masks, held::<i32>(&out, numbered)?, threads, label_map)
    } else {
        draw(py, &masks, held::<u8>(&out, numbered)?, threads, planes)
    }
}

/// Checks that no other call uses an array of `out`, which `draw_masks` is to write to later.
#[pyfunction]
pub(crate) fn check_unused(out: Vec<Bound<'_, PyAny>>, numbered: bool) -> PyResult<()> {
    if are_maps(&out) { held::<i32>(&out, numbered).map(drop) } else { held::<u8>(&out, numbered).map(drop) }
}

fn are_maps(out: &[Bound<'_, PyAny>]) -> bool {
    out.first().is_some_and(|first| first.cast::<PyArrayDyn<i32>>().is_ok())
}

fn held<'py, T: Element>(
    out: &[Bound<'py, PyAny>],
    numbered: bool,
) -> PyResult<Vec<PyReadwriteArrayDyn<'py, T>>> {
    let held = |(number, array): (usize, &Bound<'py, PyAny>)| {
        writing(
            array.cast::<PyArrayDyn<T>>()?,
            Place { argument: "masks_out", index: numbered.then_some(number) },
        )
    };
    out.iter().enumerate().map(held).collect()
}

fn draw<T: Element + Send>(
    py: Python<'_>,
    masks: &[PyMasks<'_>],
    mut out: Vec<PyReadwriteArrayDyn<'_, T>>,
    threads: usize,
    kernel: impl Fn(&Masks, &mut [T]) -> Result<()> + Sync,
) -> PyResult<()> {
    let masks: Vec<_> = masks.iter().map(|each| each.hold("masks")).collect::<PyResult<_>>()?;
    let threads = number_of_threads(py, threads)?;
    let jobs = masks.iter().zip(&mut out).map(|(masks, out)| Ok((masks.parts()?, out.as_slice_mut()?)));
    let jobs = jobs.collect::<PyResult<Vec<_>>>()?.into_iter().enumerate().collect();
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
    rle::label_map(masks, out)
}
