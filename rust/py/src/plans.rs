//! Plans drawn, and the random words that they are drawn from.

use copypaste_core::plan::{self, PlanOptions, PlanSource, RowWeights, Select};
use copypaste_core::{Placement, philox};
use numpy::{Element, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyList, PyTuple};

use crate::arguments::size;
use crate::errors::{argument_error, to_python};

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
    rule: PyBackedStr,
    number: f64,
    uniform: bool,
    sigma: Option<(f64, f64)>,
}

/// Placement without what Python knows: resized size, offset, mirrored.
type Placed = ((usize, usize), (i64, i64), bool);

/// Counter of the words for weights, and for each source the weights of its rows.
type PyRowWeights<'py> = ((u64, u64, u64, u64), Vec<PyReadonlyArray1<'py, i64>>);

/// `PlanSource` of Python.
#[derive(FromPyObject)]
pub(crate) struct PyPlanSource<'py> {
    size: (usize, usize),
    boxes: Bound<'py, PyAny>,
    iscrowd: Option<PyReadonlyArray1<'py, bool>>,
}

impl PyPlanSource<'_> {
    /// Boxes in whole pixels, from float32 or, of images too large for these, from int64.
    fn boxes(&self) -> PyResult<Vec<[i64; 4]>> {
        fn rows<T: Element + Copy>(boxes: &Bound<'_, PyAny>, whole: fn(T) -> i64) -> PyResult<Vec<[i64; 4]>> {
            let boxes: PyReadonlyArray2<'_, T> = boxes.extract()?;
            Ok(boxes.as_array().rows().into_iter().map(|row| [0, 1, 2, 3].map(|k| whole(row[k]))).collect())
        }
        rows(&self.boxes, |side: f32| side as i64).or_else(|_| rows(&self.boxes, |side: i64| side))
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
    weights: Option<PyRowWeights<'py>>,
) -> PyResult<(Placed, Bound<'py, PyList>)> {
    let PyPlanOptions { target_scale, source_scale, flip, pad_random, fit, p, uniform, sigma, .. } = options;
    let canvas = size(options.canvas);
    let select = Select::named(&options.rule, options.number).ok_or_else(|| {
        let got = format!("'{}'", options.rule);
        argument_error(py, ("options.rule", None), "a rule as PlanOptions.check gives it", &got)
    })?;
    let options =
        PlanOptions { canvas, target_scale, source_scale, flip, pad_random, fit, p, select, uniform, sigma };
    let boxes: Vec<_> = sources.iter().map(PyPlanSource::boxes).collect::<PyResult<_>>()?;
    let mut given = Vec::with_capacity(sources.len());
    for (source, boxes) in sources.iter().zip(&boxes) {
        let crowd = source.iscrowd.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        given.push(PlanSource { size: size(source.size), boxes, crowd });
    }
    let (weight_counter, arrays) = weights.unzip();
    let rows: Vec<_> = arrays.iter().flatten().map(PyReadonlyArray1::as_slice).collect::<Result<_, _>>()?;
    let weights = weight_counter.map(|counter| RowWeights { counter: counter.into(), sources: &rows });
    let drawn = plan::draw(key.into(), counter.into(), &options, size(target), &given, weights.as_ref());
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
