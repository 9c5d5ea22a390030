//! Arrays that masks are drawn in, as pixels.

use copypaste_core::rle::{self, Masks};
use copypaste_core::{Error, Result};
use numpy::{PyReadwriteArray2, PyReadwriteArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The array, held while it is written.
pub(crate) enum PyDrawing<'py> {
    /// One plane for each mask; there may be more than are needed. `blank`: it holds zeros already.
    Planes { planes: PyReadwriteArray3<'py, u8>, blank: bool },
    /// One map of numbers.
    Map(PyReadwriteArray2<'py, i32>),
}

/// A view of it.
pub(crate) enum Drawing<'a> {
    Planes { planes: &'a mut [u8], blank: bool },
    Map(&'a mut [i32]),
}

impl<'py> PyDrawing<'py> {
    /// Planes come with whether they are blank; a map comes alone.
    pub(crate) fn extract(given: &Bound<'py, PyAny>) -> PyResult<Self> {
        let in_use =
            |_| PyValueError::new_err("masks_out: expected an array that no other call is writing to");
        if let Ok((planes, blank)) = given.extract::<(Bound<'py, PyAny>, bool)>() {
            Ok(Self::Planes { planes: planes.extract().map_err(in_use)?, blank })
        } else {
            Ok(Self::Map(given.extract().map_err(in_use)?))
        }
    }

    pub(crate) fn view(&mut self) -> PyResult<Drawing<'_>> {
        Ok(match self {
            Self::Planes { planes, blank } => {
                Drawing::Planes { planes: planes.as_slice_mut()?, blank: *blank }
            }
            Self::Map(map) => Drawing::Map(map.as_slice_mut()?),
        })
    }
}

impl Drawing<'_> {
    /// Draws all masks.
    pub(crate) fn draw(self, masks: &Masks) -> Result<()> {
        let pixels = masks.size().pixels();
        match self {
            Self::Planes { planes, blank } => {
                let planes = planes.get_mut(..masks.len() * pixels).ok_or(Error::PlanDoesNotFit)?;
                rle::decode(masks, planes, blank);
            }
            Self::Map(map) if map.len() == pixels => rle::label_map(masks, map),
            Self::Map(_) => return Err(Error::PlanDoesNotFit),
        }
        Ok(())
    }
}
