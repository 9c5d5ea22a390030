//! Masks drawn as pixels, those of many images at once.

use std::marker::PhantomData;

use copypaste_core::crew::Work;
use copypaste_core::rle::{self, Masks};
use copypaste_core::{Error, Result};
use numpy::{PyArrayDyn, PyReadwriteArray2, PyReadwriteArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arguments::{MaskParts, PyMasks};
use crate::threads::{for_each, no_more_threads};

/// The array, held while it is written.
enum PyDrawing<'py> {
    /// One plane for each mask; there may be more than are needed.
    Planes(PyReadwriteArray3<'py, u8>),
    /// One map of numbers.
    Map(PyReadwriteArray2<'py, i32>),
}

/// A view of it.
enum Drawing<'a> {
    Planes(&'a mut [u8]),
    Map(&'a mut [i32]),
}

impl<'py> PyDrawing<'py> {
    /// By its dtype.
    fn extract(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        let in_use = |_| PyValueError::new_err("masks_out: expected an array that no other call is using");
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

/// Draws each of `masks` in its array of `out`: planes of which the first are written, or a map of numbers.
#[pyfunction]
pub(crate) fn draw_masks(
    py: Python<'_>,
    masks: Vec<PyMasks<'_>>,
    out: Vec<Bound<'_, PyAny>>,
    threads: usize,
) -> PyResult<()> {
    let mut drawings: Vec<PyDrawing<'_>> = out.iter().map(PyDrawing::extract).collect::<PyResult<_>>()?;
    let threads = no_more_threads(py, threads)?;
    let mut jobs = Vec::with_capacity(masks.len());
    for (masks, drawing) in masks.iter().zip(&mut drawings) {
        jobs.push(Ok((masks.parts()?, drawing.view()?)));
    }
    for_each(py, jobs.into_iter(), threads, &Draw(PhantomData), |_, ()| Ok(()))
        .map_err(|failure| failure.into_python(py, masks.len()))
}

/// Masks are read, then drawn.
struct Draw<'a>(PhantomData<&'a ()>);

impl<'a> Work for Draw<'a> {
    type Job = (MaskParts<'a>, Drawing<'a>);
    type Found = ();
    type Rest = (Masks, Drawing<'a>);

    fn begin(&self, (masks, drawing): Self::Job) -> Result<((), Self::Rest)> {
        Ok(((), (masks.read()?, drawing)))
    }

    fn complete(&self, (masks, drawing): Self::Rest) -> Result<()> {
        let pixels = masks.size().pixels();
        match drawing {
            Drawing::Planes(planes) => {
                let planes = planes.get_mut(..masks.len() * pixels).ok_or(Error::OffsetsDoNotFit)?;
                rle::decode(&masks, planes);
            }
            Drawing::Map(map) if map.len() == pixels => rle::label_map(&masks, map),
            Drawing::Map(_) => return Err(Error::OffsetsDoNotFit),
        }
        Ok(())
    }
}
