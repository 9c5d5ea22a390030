//! Kernels on pixels.

use copypaste_core::resample::{self, Border, Filter};
use copypaste_core::{Placement, blend as blending};
use ndarray::Axis;
use numpy::{PyArray3, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyReadwriteArray3};
use pyo3::prelude::*;

use crate::arguments::{PyMasks, PyPlacement, canvas, for_pixel_type, image as view, with_dense_rows};
use crate::errors::to_python;
use crate::holding::{reading, writing};

/// Places an image on the canvas `out`; without `fill`, its outermost pixels go on where it does not reach.
#[pyfunction]
pub(crate) fn place_image(
    py: Python<'_>,
    image: Bound<'_, PyAny>,
    placement: PyPlacement,
    fill: Option<Bound<'_, PyAny>>,
    nearest: bool,
    antialias: bool,
    out: Bound<'_, PyAny>,
) -> PyResult<()> {
    let placement = placement.into();
    let filter = Filter::choose(nearest, antialias, &placement);
    for_pixel_type!(image, T => {
        let image = reading(image.cast::<PyArray3<T>>()?, "an image", ("image", None))?;
        let fill: Option<PyReadonlyArray1<'_, T>> = fill.map(|fill| fill.extract()).transpose()?;
        let border = match &fill {
            Some(fill) => Border::Fill(fill.as_slice()?),
            None => Border::Edge,
        };
        let mut out = writing(out.cast::<PyArray3<T>>()?, ("out", None))?;
        let (pixels, out) = (image.as_array(), out.as_array_mut());
        py.detach(|| {
            let pixels = with_dense_rows(pixels);
            resample::place_image(view(pixels.view())?, &placement, filter, border, &mut canvas(out)?)
                .map_err(to_python)
        })
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
    let alpha = alpha.as_array().insert_axis(Axis(2));
    for_pixel_type!(source, T => {
        let source = reading(source.cast::<PyArray3<T>>()?, "an image", ("source", None))?;
        let target = reading(target.cast::<PyArray3<T>>()?, "an image", ("target", None))?;
        let mut out: PyReadwriteArray3<'_, T> = out.extract()?;
        let (source, target, out) = (source.as_array(), target.as_array(), out.as_array_mut());
        py.detach(|| {
            let (source, target) = (with_dense_rows(source), with_dense_rows(target));
            let alpha = with_dense_rows(alpha);
            let (source, target) = (view(source.view())?, view(target.view())?);
            blending::blend(source, target, view(alpha.view())?, &mut canvas(out)?);
            Ok(())
        })
    })
}
