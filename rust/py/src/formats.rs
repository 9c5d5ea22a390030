//! Output formats: images converted to the layout, dtype and scale that a model takes.

use copypaste_core::output::{self, OutputFormat};
use numpy::{PyArray3, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arguments::{for_pixel_type, image as view, with_dense_rows};
use crate::errors::to_python;
use crate::holding::{reading, writing};

/// Output format as Python hands it over: whether channels come first, and scale and shift of each.
pub(crate) type PyFormat<'py> = (bool, Option<(PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>)>);

/// Evaluates an expression with a name for the value type of an output array: float16, float32 or that of the pixels.
macro_rules! for_output_type {
    ($array:expr, $pixel:ty, $value:ident => $body:expr) => {
        if $array.cast::<numpy::PyArrayDyn<half::f16>>().is_ok() {
            type $value = half::f16;
            $body
        } else if $array.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
            type $value = f32;
            $body
        } else {
            type $value = $pixel;
            $body
        }
    };
}
pub(crate) use for_output_type;

pub(crate) fn format((channels_first, linear): PyFormat<'_>) -> PyResult<OutputFormat> {
    let pairs = |(scale, shift): (PyReadonlyArray1<'_, f32>, PyReadonlyArray1<'_, f32>)| {
        Ok::<_, PyErr>(scale.as_slice()?.iter().copied().zip(shift.as_slice()?.iter().copied()).collect())
    };
    Ok(OutputFormat { channels_first, linear: linear.map(pairs).transpose()? })
}

/// Converts an image into `out`, of shape (H, W, C), or (C, H, W) where channels come first.
#[pyfunction]
pub(crate) fn convert(
    py: Python<'_>,
    image: Bound<'_, PyAny>,
    output_format: PyFormat<'_>,
    out: Bound<'_, PyAny>,
) -> PyResult<()> {
    let format = format(output_format)?;
    for_pixel_type!(image, T => {
        let image = reading(image.cast::<PyArray3<T>>()?, "an image", ("image", None))?;
        for_output_type!(out, T, O => {
            let mut out = writing(out.cast::<PyArray3<O>>()?, ("out", None))?;
            let (pixels, out) = (image.as_array(), out.as_array_mut());
            py.detach(|| {
                let pixels = with_dense_rows(pixels);
                output::convert(view(pixels.view())?, &format, format.view(out)).map_err(to_python)
            })
        })
    })
}
