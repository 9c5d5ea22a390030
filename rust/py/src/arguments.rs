//! Arguments of Python as the core's types.

use copypaste_core::{
    ImageView, ImageViewMut, Placement, Result, Size,
    rle::{Counts, Masks},
};
use ndarray::{ArrayView3, ArrayViewMut3, CowArray, Ix3};
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
        let contiguous = |_| PyValueError::new_err("masks: expected contiguous arrays");
        Ok(MaskParts {
            size: size(self.size),
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

/// Run lengths and offsets on their way back to Python.
pub(crate) fn counts(py: Python<'_>, (counts, offsets): (Vec<u32>, Vec<i64>)) -> Runs<'_> {
    (counts.into_pyarray(py), offsets.into_pyarray(py))
}

/// `Placement` of Python.
#[derive(FromPyObject, Clone, Copy)]
pub(crate) struct PyPlacement {
    input_size: (usize, usize),
    resized_size: (usize, usize),
    offset: (i64, i64),
    canvas_size: (usize, usize),
    hflip: bool,
}

impl From<PyPlacement> for Placement {
    fn from(placement: PyPlacement) -> Self {
        let PyPlacement { input_size, resized_size, offset: (offset_y, offset_x), canvas_size, hflip } =
            placement;
        let (input, resized, canvas) = (size(input_size), size(resized_size), size(canvas_size));
        Self { input, resized, offset_y, offset_x, canvas, hflip }
    }
}

/// Height and width, in pixels, as the core's type.
pub(crate) fn size((h, w): (usize, usize)) -> Size {
    Size { h, w }
}

/// Pixels in an array whose rows are slices: the array itself, or a copy where its layout is another.
pub(crate) fn with_dense_rows<T: Clone>(pixels: ArrayView3<'_, T>) -> CowArray<'_, T, Ix3> {
    if ImageView::new(pixels).is_some() {
        pixels.into()
    } else {
        pixels.as_standard_layout().into_owned().into()
    }
}

/// Image to read, out of `with_dense_rows`.
pub(crate) fn image<T>(pixels: ArrayView3<'_, T>) -> PyResult<ImageView<'_, T>> {
    ImageView::new(pixels).ok_or_else(layout_error)
}

/// Image to write to.
pub(crate) fn canvas<T>(pixels: ArrayViewMut3<'_, T>) -> PyResult<ImageViewMut<'_, T>> {
    ImageViewMut::new(pixels).ok_or_else(layout_error)
}

/// Error for an array that Python should have checked.
fn layout_error() -> PyErr {
    PyValueError::new_err("image: expected an array with contiguous rows")
}

/// Evaluates an expression with a name for the pixel type of an array.
macro_rules! for_pixel_type {
    ($array:expr, $pixel:ident => $body:expr) => {
        if $array.cast::<numpy::PyArrayDyn<u8>>().is_ok() {
            type $pixel = u8;
            $body
        } else if $array.cast::<numpy::PyArrayDyn<u16>>().is_ok() {
            type $pixel = u16;
            $body
        } else if $array.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
            type $pixel = f32;
            $body
        } else {
            Err(pyo3::exceptions::PyTypeError::new_err("image: expected dtype uint8, uint16 or float32"))
        }
    };
}
pub(crate) use for_pixel_type;

/// Evaluates an expression with a name for the type of integers in an array.
macro_rules! for_integer_type {
    ($array:expr, $integer:ident => $body:expr) => {
        for_integer_type!($array, $integer => $body, u8 u16 u32 u64 i8 i16 i32 i64)
    };
    ($array:expr, $integer:ident => $body:expr, $($type:ty)*) => {{
        $(if $array.cast::<numpy::PyArrayDyn<$type>>().is_ok() {
            type $integer = $type;
            return $body;
        })*
        Err(pyo3::exceptions::PyTypeError::new_err("array: expected an integer dtype"))
    }};
}
pub(crate) use for_integer_type;
