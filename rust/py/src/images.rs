//! Kernels on pixels.

use copypaste_core::{
    ImageView, ImageViewMut, Placement, blend as blending,
    resample::{self, Filter, Pixel},
};
use ndarray::Axis;
use numpy::{
    Element, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyReadwriteArray2, PyReadwriteArray3,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arguments::{PyMasks, PyPlacement, layout_error, with_dense_rows};
use crate::errors::to_python;

/// Calls a generic function with the pixel type of an array.
macro_rules! for_pixel_type {
    ($array:expr, $call:ident($($argument:expr),*)) => {
        if $array.cast::<numpy::PyArrayDyn<u8>>().is_ok() {
            $call::<u8>($($argument),*)
        } else if $array.cast::<numpy::PyArrayDyn<u16>>().is_ok() {
            $call::<u16>($($argument),*)
        } else if $array.cast::<numpy::PyArrayDyn<f32>>().is_ok() {
            $call::<f32>($($argument),*)
        } else {
            Err(PyTypeError::new_err("image: expected dtype uint8, uint16 or float32"))
        }
    };
}
pub(crate) use for_pixel_type;

#[pyfunction]
pub(crate) fn place_image(
    py: Python<'_>,
    image: Bound<'_, PyAny>,
    placement: PyPlacement,
    fill: Bound<'_, PyAny>,
    nearest: bool,
    antialias: bool,
    out: Bound<'_, PyAny>,
) -> PyResult<()> {
    for_pixel_type!(image, place(py, &image, placement, &fill, nearest, antialias, &out))
}

fn place<T: Element + Pixel>(
    py: Python<'_>,
    image: &Bound<'_, PyAny>,
    placement: PyPlacement,
    fill: &Bound<'_, PyAny>,
    nearest: bool,
    antialias: bool,
    out: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let image: PyReadonlyArray3<'_, T> = image.extract()?;
    let fill: PyReadonlyArray1<'_, T> = fill.extract()?;
    let mut out: PyReadwriteArray3<'_, T> = out.extract()?;
    let (pixels, fill, canvas) = (image.as_array(), fill.as_slice()?, out.as_array_mut());
    let placement: Placement = placement.into();
    py.detach(|| {
        let rows = with_dense_rows(pixels);
        let image = ImageView::new(rows.view()).ok_or_else(layout_error)?;
        let mut canvas = ImageViewMut::new(canvas).ok_or_else(layout_error)?;
        let filter = Filter::choose(nearest, antialias, &placement);
        resample::place_image(image, &placement, filter, fill, &mut canvas).map_err(to_python)
    })
}

/// Writes the alpha of placed masks into `out`, which holds zeros.
#[pyfunction]
pub(crate) fn alpha(
    py: Python<'_>,
    masks: PyMasks<'_>,
    placement: PyPlacement,
    weights: PyReadonlyArray1<'_, u16>,
    mut out: PyReadwriteArray2<'_, u8>,
) -> PyResult<()> {
    let parts = masks.parts()?;
    let (placement, weights): (Placement, _) = (placement.into(), weights.as_slice()?);
    let (canvas, w) = (out.as_slice_mut()?, placement.canvas.w);
    py.detach(|| {
        let alpha = blending::alpha(&parts.read()?, &placement, weights)?;
        for y in alpha.rows() {
            alpha.write_row(y, &mut canvas[y * w..(y + 1) * w][alpha.columns()]);
        }
        Ok(())
    })
    .map_err(to_python)
}

#[pyfunction]
pub(crate) fn blend(
    py: Python<'_>,
    source: Bound<'_, PyAny>,
    target: Bound<'_, PyAny>,
    alpha: PyReadonlyArray2<'_, u8>,
    out: Bound<'_, PyAny>,
) -> PyResult<()> {
    for_pixel_type!(source, blend_images(py, &source, &target, &alpha, &out))
}

fn blend_images<T: Element + Pixel>(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    target: &Bound<'_, PyAny>,
    alpha: &PyReadonlyArray2<'_, u8>,
    out: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let source: PyReadonlyArray3<'_, T> = source.extract()?;
    let target: PyReadonlyArray3<'_, T> = target.extract()?;
    let mut out: PyReadwriteArray3<'_, T> = out.extract()?;
    let (above, below, alpha, canvas) =
        (source.as_array(), target.as_array(), alpha.as_array(), out.as_array_mut());
    py.detach(|| {
        let (above, below) = (with_dense_rows(above), with_dense_rows(below));
        let weights = with_dense_rows(alpha.insert_axis(Axis(2)));
        let above = ImageView::new(above.view()).ok_or_else(layout_error)?;
        let below = ImageView::new(below.view()).ok_or_else(layout_error)?;
        let mut canvas = ImageViewMut::new(canvas).ok_or_else(layout_error)?;
        let weights = ImageView::new(weights.view()).ok_or_else(layout_error)?;
        blending::blend(above, below, weights, &mut canvas);
        Ok(())
    })
}
