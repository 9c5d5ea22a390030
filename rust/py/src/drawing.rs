//! Arrays that masks are drawn in, as pixels.

use copypaste_core::rle::{self, Masks};
use copypaste_core::{Error, Result};
use numpy::{PyArrayDyn, PyReadwriteArray2, PyReadwriteArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The array, held while it is written.
pub(crate) enum PyDrawing<'py> {
    /// One plane for each mask; there may be more than are needed.
    Planes(PyReadwriteArray3<'py, u8>),
    /// One map of numbers.
    Map(PyReadwriteArray2<'py, i32>),
}

/// A view of it.
pub(crate) enum Drawing<'a> {
    Planes(&'a mut [u8]),
    Map(&'a mut [i32]),
}

impl<'py> PyDrawing<'py> {
    /// By its dtype.
    pub(crate) fn extract(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        let in_use =
            |_| PyValueError::new_err("masks_out: expected an array that no other call is writing to");
        match given.cast::<PyArrayDyn<i32>>() {
            Ok(_) => given.extract().map(Self::Map).map_err(in_use),
            Err(_) => given.extract().map(Self::Planes).map_err(in_use),
        }
    }

    pub(crate) fn view(&mut self) -> PyResult<Drawing<'_>> {
        Ok(match self {
            Self::Planes(planes) => Drawing::Planes(planes.as_slice_mut()?),
            Self::Map(map) => Drawing::Map(map.as_slice_mut()?),
        })
    }
}

impl Drawing<'_> {
    /// Draws all masks.
    pub(crate) fn draw(self, masks: &Masks) -> Result<()> {
        let pixels = masks.size().pixels();
        match self {
            Self::Planes(planes) => {
                let planes = planes.get_mut(..masks.len() * pixels).ok_or(Error::PlanDoesNotFit)?;
                rle::decode(masks, planes);
            }
            Self::Map(map) if map.len() == pixels => rle::label_map(masks, map),
            Self::Map(_) => return Err(Error::PlanDoesNotFit),
        }
        Ok(())
    }
}
