//! Output formats: images converted to the layout, dtype and scale that a model takes.

use copypaste_core::output::{self, OutputFormat, OutputPixel};
use copypaste_core::resample::Pixel;
use half::f16;
use numpy::{Element, PyReadonlyArray1, PyReadonlyArray3, PyReadwriteArray3};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arguments::{layout_error, with_dense_rows};
use crate::errors::to_python;
use crate::images::for_pixel_type;

/// Output format as Python hands it over: whether channels come first, and scale and shift of each.
pub(crate) type PyFormat<'py> = (bool, Option<(PyReadonlyArray1<'py, f32>, PyReadonlyArray1<'py, f32>)>);

pub(crate) fn format((channels_first, linear): PyFormat<'_>) -> PyResult<OutputFormat> {
    let linear = match &linear {
        Some((scale, shift)) => {
            Some(scale.as_slice()?.iter().copied().zip(shift.as_slice()?.iter().copied()).collect())
        }
        None => None,
    };
    Ok(OutputFormat { channels_first, linear })
}

/// Converts an image into `out`, of shape (H, W, C), or (C, H, W) where channels come first.
#[pyfunction]
pub(crate) fn convert(
    py: Python<'_>,
    image: Bound<'_, PyAny>,
    output_format: PyFormat<'_>,
    out: Bound<'_, PyAny>,
) -> PyResult<()> {
    for_pixel_type!(image, convert_from(py, &image, output_format, &out))
}

fn convert_from<T>(
    py: Python<'_>,
    image: &Bound<'_, PyAny>,
    given: PyFormat<'_>,
    out: &Bound<'_, PyAny>,
) -> PyResult<()>
where
    T: Element + Pixel + Into<f32> + OutputPixel<T>,
{
    let image: PyReadonlyArray3<'_, T> = image.extract()?;
    let format = format(given)?;
    if out.cast::<numpy::PyArrayDyn<f16>>().is_ok() {
        write::<T, f16>(py, &image, &format, out)
    } else if out.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
        write::<T, f32>(py, &image, &format, out)
    } else {
        write::<T, T>(py, &image, &format, out)
    }
}

fn write<T: Element + Pixel, O: Element + OutputPixel<T>>(
    py: Python<'_>,
    image: &PyReadonlyArray3<'_, T>,
    format: &OutputFormat,
    out: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let mut out: PyReadwriteArray3<'_, O> = out.extract()?;
    let (pixels, out) = (image.as_array(), out.as_array_mut());
    py.detach(|| {
        let rows = with_dense_rows(pixels);
        let image = copypaste_core::ImageView::new(rows.view()).ok_or_else(layout_error)?;
        output::convert(image, format, format.view(out)).map_err(to_python)
    })
}
