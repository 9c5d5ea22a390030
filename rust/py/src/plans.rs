//! Plans drawn, and the random words that they are drawn from.

use copypaste_core::plan::{self, PlanOptions, PlanSource, Select};
use copypaste_core::{Placement, philox};
use numpy::{Element, PyArray1, PyArray2, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::arguments::size;
use crate::errors::to_python;
use crate::holding::reading;

/// `PlanOptions` of Python, as numbers.
#[derive(FromPyObject)]
pub(crate) struct PyPlanOptions {
    canvas: (usize, usize),
    target_scale: (f64, f64),
    source_scale: (f64, f64),
    flip: f64,
    pad_random: bool,
    fit: bool,
    p: f64,
    /// Greatest number of objects of a source; none leaves it to `fraction`, or to a subset of any size.
    most: Option<usize>,
    fraction: Option<f64>,
    uniform: bool,
    sigma: Option<(f64, f64)>,
}

/// Placement without what Python knows: resized size, offset, mirrored.
type Placed = ((usize, usize), (i64, i64), bool);

/// `PlanSource` of Python.
#[derive(FromPyObject)]
pub(crate) struct PyPlanSource<'py> {
    size: (usize, usize),
    boxes: Bound<'py, PyAny>,
    iscrowd: Option<Bound<'py, PyArray1<bool>>>,
}

impl<'py> PyPlanSource<'py> {
    /// Boxes in whole pixels, from float32 or, of images too large for these, from int64.
    fn boxes(&self, number: usize) -> PyResult<Vec<[i64; 4]>> {
        fn rows<T: Element + Copy>(
            boxes: &Bound<'_, PyArray2<T>>,
            number: usize,
            whole: fn(T) -> i64,
        ) -> PyResult<Vec<[i64; 4]>> {
            let boxes = reading(boxes, "an array", format!("sources[{number}].boxes").as_str())?;
            Ok(boxes.as_array().rows().into_iter().map(|row| [0, 1, 2, 3].map(|k| whole(row[k]))).collect())
        }
        match self.boxes.cast::<PyArray2<f32>>() {
            Ok(boxes) => rows(boxes, number, |side| side as i64),
            Err(_) => rows(self.boxes.cast::<PyArray2<i64>>()?, number, |side| side),
        }
    }

    fn crowd(&self, number: usize) -> PyResult<Option<PyReadonlyArray1<'py, bool>>> {
        let held = |flags| reading(flags, "an array", format!("sources[{number}].iscrowd").as_str());
        self.iscrowd.as_ref().map(held).transpose()
    }
}

#[pyfunction]
pub(crate) fn draw_plan<'py>(
    py: Python<'py>,
    key: (u64, u64),
    counter: (u64, u64, u64, u64),
    options: PyPlanOptions,
    target: (usize, usize),
    sources: Vec<PyPlanSource<'py>>,
) -> PyResult<(Placed, Bound<'py, PyList>)> {
    let PyPlanOptions { target_scale, source_scale, flip, pad_random, fit, p, uniform, sigma, .. } = options;
    let canvas = size(options.canvas);
    let select = match (options.most, options.fraction) {
        (Some(most), _) => Select::AtMost(most),
        (None, Some(fraction)) => Select::Fraction(fraction),
        (None, None) => Select::Subset,
    };
    let options =
        PlanOptions { canvas, target_scale, source_scale, flip, pad_random, fit, p, select, uniform, sigma };
    let held =
        sources.iter().enumerate().map(|(number, source)| Ok((source.boxes(number)?, source.crowd(number)?)));
    let held: Vec<_> = held.collect::<PyResult<_>>()?;
    let mut given = Vec::with_capacity(sources.len());
    for (source, (boxes, crowd)) in sources.iter().zip(&held) {
        let crowd = crowd.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        given.push(PlanSource { size: size(source.size), boxes, crowd });
    }
    let drawn = plan::draw(key.into(), counter.into(), &options, size(target), &given);
    let (target, pastes) = drawn.map_err(to_python)?;
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

/// Fills `out` with the words of Philox4x64-10 that follow `counter`.
#[pyfunction]
pub(crate) fn philox_words(
    key: (u64, u64),
    counter: (u64, u64, u64, u64),
    mut out: PyReadwriteArray1<'_, u64>,
) -> PyResult<()> {
    philox::fill_words(key.into(), counter.into(), out.as_slice_mut()?);
    Ok(())
}
