//! Arguments of Python as the core's types.

use copypaste_core::{
    ImageView, Placement, Result, Size,
    rle::{Counts, Masks},
};
use ndarray::{ArrayView3, CowArray, Ix3};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Runs and offsets on their way to `RleMasks`.
pub(crate) type Runs<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>);

/// `RleMasks` of Python.
#[derive(FromPyObject)]
pub(crate) struct PyMasks<'py> {
    size: (usize, usize),
    counts: PyReadonlyArray1<'py, u32>,
    offsets: PyReadonlyArray1<'py, i64>,
}

impl PyMasks<'_> {
    /// Size, runs and offsets, for use without the GIL.
    pub(crate) fn parts(&self) -> PyResult<MaskParts<'_>> {
        let (h, w) = self.size;
        let contiguous = |_| PyValueError::new_err("masks: expected contiguous arrays");
        Ok(MaskParts {
            size: Size { h, w },
            counts: self.counts.as_slice().map_err(contiguous)?,
            offsets: self.offsets.as_slice().map_err(contiguous)?,
        })
    }
}

/// Borrowed parts of an `RleMasks`.
#[derive(Clone, Copy)]
pub(crate) struct MaskParts<'a> {
    size: Size,
    counts: &'a [u32],
    offsets: &'a [i64],
}

impl<'a> MaskParts<'a> {
    /// Run lengths, for kernels that need no more; each mask is checked when it is read.
    pub(crate) fn counts(self) -> Result<Counts<'a>> {
        Counts::new(self.size, self.counts, self.offsets)
    }

    /// Masks, checked again: cheap, and arrays can be written to behind a type's back.
    pub(crate) fn read(self) -> Result<Masks> {
        Masks::read(&self.counts()?)
    }
}

/// Masks on their way back to Python.
pub(crate) fn runs(py: Python<'_>, masks: Masks) -> Runs<'_> {
    counts(py, masks.to_counts())
}

/// Run lengths and offsets on their way back to Python.
pub(crate) fn counts(py: Python<'_>, (counts, offsets): (Vec<u32>, Vec<i64>)) -> Runs<'_> {
    (counts.into_pyarray(py), offsets.into_pyarray(py))
}

/// `Placement` of Python.
#[derive(FromPyObject)]
pub(crate) struct PyPlacement {
    input_size: (usize, usize),
    resized_size: (usize, usize),
    offset: (i64, i64),
    canvas_size: (usize, usize),
    hflip: bool,
}

impl From<PyPlacement> for Placement {
    fn from(placement: PyPlacement) -> Self {
        Self::from(&placement)
    }
}

impl From<&PyPlacement> for Placement {
    fn from(p: &PyPlacement) -> Self {
        let size = |(h, w)| Size { h, w };
        Self {
            input: size(p.input_size),
            resized: size(p.resized_size),
            offset_y: p.offset.0,
            offset_x: p.offset.1,
            canvas: size(p.canvas_size),
            hflip: p.hflip,
        }
    }
}

/// Pixels in an array whose rows are slices: the array itself, or a copy where its layout is another.
pub(crate) fn with_dense_rows<T: Clone>(pixels: ArrayView3<'_, T>) -> CowArray<'_, T, Ix3> {
    if ImageView::new(pixels).is_some() {
        pixels.into()
    } else {
        pixels.as_standard_layout().into_owned().into()
    }
}

/// Error for an array that Python should have checked.
pub(crate) fn layout_error() -> PyErr {
    PyValueError::new_err("image: expected an array with contiguous rows")
}
