//! Masks drawn as pixels, those of many images at once.

use std::sync::{Mutex, PoisonError};

use copypaste_core::rle;
use copypaste_core::{Error, Result};
use numpy::{PyArrayDyn, PyReadwriteArray2, PyReadwriteArray3};
use pyo3::prelude::*;

use crate::arguments::PyMasks;
use crate::errors::argument_error;
use crate::threads::{for_each, number_of_threads};

/// Array that masks are drawn in, held while it is written.
enum PyDrawing<'py> {
    /// Planes, one for each mask; there may be more than are needed.
    Planes(PyReadwriteArray3<'py, u8>),
    /// Label map: one plane of numbers.
    Map(PyReadwriteArray2<'py, i32>),
}

/// Memory of such an array.
enum Drawing<'a> {
    Planes(&'a mut [u8]),
    Map(&'a mut [i32]),
}

impl<'py> PyDrawing<'py> {
    /// Array of either kind, by its dtype.
    fn extract(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        let in_use = |_| {
            let expected = "an array that no other call is using";
            argument_error(given.py(), "masks_out", None, expected, "one in use")
        };
        match given.cast::<PyArrayDyn<i32>>() {
            Ok(_) => given.extract().map(Self::Map).map_err(in_use),
            Err(_) => given.extract().map(Self::Planes).map_err(in_use),
        }
    }

    fn view(&mut self) -> PyResult<Drawing<'_>> {
        Ok(match self {
            Self::Planes(planes) => Drawing::Planes(planes.as_slice_mut()?),
            Self::Map(map) => Drawing::Map(map.as_slice_mut()?),
        })
    }
}

/// Draws each of `masks` in its array of `out`: planes of which the first are written, or a label map.
#[pyfunction]
pub(crate) fn draw_masks(
    py: Python<'_>,
    masks: Vec<PyMasks<'_>>,
    out: Vec<Bound<'_, PyAny>>,
    threads: usize,
) -> PyResult<()> {
    let mut drawings: Vec<PyDrawing<'_>> = out.iter().map(PyDrawing::extract).collect::<PyResult<_>>()?;
    let threads = number_of_threads(py, threads)?;
    let mut jobs = Vec::with_capacity(masks.len());
    for (masks, drawing) in masks.iter().zip(&mut drawings) {
        jobs.push((masks.parts()?, Mutex::new(drawing.view()?)));
    }
    for_each(py, threads, jobs.len(), |item| {
        let (parts, drawing) = &jobs[item];
        draw(&parts.read()?, &mut drawing.lock().unwrap_or_else(PoisonError::into_inner))
    })
    .map_err(|failure| failure.into_python(py, |item| item))
}

fn draw(masks: &rle::Masks, drawing: &mut Drawing<'_>) -> Result<()> {
    let pixels = masks.size().pixels();
    match drawing {
        Drawing::Planes(planes) => {
            let (expected, found) = (masks.len() * pixels, planes.len());
            rle::decode(masks, planes.get_mut(..expected).ok_or(Error::LengthDiffers { expected, found })?);
        }
        Drawing::Map(map) if map.len() == pixels => rle::label_map(masks, map),
        Drawing::Map(map) => return Err(Error::LengthDiffers { expected: pixels, found: map.len() }),
    }
    Ok(())
}
