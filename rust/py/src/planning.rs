//! Plans, drawn.

use copypaste_core::plan::{self, Giver, Jitter, Pasting, Select};
use copypaste_core::{Placement, Size};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::arguments::to_python;

/// The options of a draw, as a transform keeps them.
#[derive(FromPyObject)]
pub(crate) struct Options {
    canvas: (usize, usize),
    target_scale: (f64, f64),
    source_scale: (f64, f64),
    flip: f64,
    pad_random: bool,
    fit: bool,
    p: f64,
    /// So many at most; none is a subset of any size.
    most: Option<usize>,
    fraction: Option<f64>,
    uniform: bool,
    sigma: Option<(f64, f64)>,
}

/// Resized size, offset, mirrored.
type Placed = ((usize, usize), (i64, i64), bool);

/// Size, boxes, crowd.
type PyGiver<'py> = ((usize, usize), Option<PyReadonlyArray2<'py, f32>>, Option<PyReadonlyArray1<'py, bool>>);

#[pyfunction]
pub(crate) fn draw_plan<'py>(
    py: Python<'py>,
    key: (u64, u64),
    counter: (u64, u64, u64, u64),
    options: Options,
    target: (usize, usize),
    sources: Vec<PyGiver<'py>>,
) -> PyResult<(Placed, Bound<'py, PyList>)> {
    let size = |(h, w)| Size { h, w };
    let jitter = |scale| Jitter {
        canvas: size(options.canvas),
        scale,
        flip: options.flip,
        pad_random: options.pad_random,
        fit: options.fit,
    };
    let pasting = Pasting {
        jitter: jitter(options.source_scale),
        p: options.p,
        select: match (options.most, options.fraction) {
            (Some(most), _) => Select::AtMost(most),
            (None, Some(fraction)) => Select::Fraction(fraction),
            (None, None) => Select::Subset,
        },
        uniform: options.uniform,
        sigma: options.sigma,
    };
    let mut givers = Vec::with_capacity(sources.len());
    for (image, boxes, crowd) in &sources {
        let boxes = boxes.as_ref().map(PyReadonlyArray2::as_slice).transpose()?.unwrap_or_default();
        let crowd = crowd.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        givers.push(Giver { size: size(*image), boxes: boxes.as_chunks().0, crowd });
    }
    let (target, pastes) = plan::draw(
        key.into(),
        counter.into(),
        size(target),
        &jitter(options.target_scale),
        &pasting,
        &givers,
    )
    .map_err(to_python)?;
    let list = PyList::empty(py);
    for paste in pastes {
        let rows = PyTuple::new(py, paste.rows)?;
        list.append((paste.source, rows, placed(&paste.placement), paste.sigma))?;
    }
    Ok((placed(&target), list))
}

fn placed(p: &Placement) -> Placed {
    ((p.resized.h, p.resized.w), (p.offset_y, p.offset_x), p.hflip)
}
