//! Items of copy-paste: a plan with its images, masks and columns, as Python hands it over and as a thread takes it.

use copypaste_core::copy_paste::{
    self, Coverage, DropRules, Objects, Paste, PixelOptions, Renderer, ResultRows,
};
use copypaste_core::resample::Pixel;
use copypaste_core::{Error, ImageView, Placement, Result};
use ndarray::{ArrayView3, CowArray, Ix3};
use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyArray3, PyReadonlyArray1, PyReadonlyArray3};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arguments::{MaskParts, PyMasks, PyPlacement, with_dense_rows};
use crate::columns::pick;
use crate::errors::Place;
use crate::holding::reading;
use crate::masks::box_table;

/// `Side` of Python: one image with its masks.
#[derive(FromPyObject)]
struct PySide<'py> {
    image: Bound<'py, PyAny>,
    masks: PyMasks<'py>,
    iscrowd: PyReadonlyArray1<'py, bool>,
}

/// `Paste` of Python, but for sigma, which comes as weights.
#[derive(FromPyObject)]
pub(crate) struct PyPaste {
    pub(crate) source: usize,
    instances: Vec<usize>,
    pub(crate) placement: PyPlacement,
}

/// `Plan` of Python.
#[derive(FromPyObject)]
pub(crate) struct PyPlan {
    pub(crate) target: PyPlacement,
    pub(crate) pastes: Vec<PyPaste>,
}

/// `KernelCall` of Python: a plan, its samples with the target first, blur weights for each paste, for each further
/// column the arrays of all samples, and whether Python needs to know what each paste covers.
#[derive(FromPyObject)]
pub(crate) struct PyCall<'py> {
    plan: PyPlan,
    sides: Vec<PySide<'py>>,
    weights: Vec<Option<PyReadonlyArray1<'py, u16>>>,
    columns: Vec<Vec<Bound<'py, PyAny>>>,
    wants_unions: bool,
}

/// Rows of a result, as columns.
#[pyclass(frozen, get_all, module = "copypaste_rs._core")]
pub(crate) struct ComposedRows {
    counts: Py<PyArray1<u32>>,
    offsets: Py<PyArray1<i64>>,
    boxes: Py<PyArray2<f32>>,
    area: Py<PyArray1<i64>>,
    source: Py<PyArray1<i32>>,
    source_row: Py<PyArray1<i32>>,
    visibility: Py<PyArray1<f32>>,
    crowd: Py<PyArray1<bool>>,
    row: Py<PyArray1<i64>>,
    carried: Py<PyList>,
    /// Number of the paste of each row, and run lengths and offsets of what each paste covers, where they are wanted.
    paste: Option<Py<PyArray1<i32>>>,
    unions: Option<HeldRuns>,
}

/// Run lengths and offsets that a result holds.
type HeldRuns = (Py<PyArray1<u32>>, Py<PyArray1<i64>>);

/// Rows of a result, and what each paste covers where that is wanted: run lengths and offsets.
pub(crate) struct JobRows {
    rows: ResultRows,
    unions: Option<(Vec<u32>, Vec<i64>)>,
}

/// Arrays of one item, held while they are read.
pub(crate) struct Item<'py, T: Element> {
    call: PyCall<'py>,
    images: Vec<PyReadonlyArray3<'py, T>>,
}

/// Views of an item's arrays, which threads take.
pub(crate) struct Job<'a, T> {
    target: Placement,
    pastes: Vec<Paste<'a>>,
    images: Vec<ArrayView3<'a, T>>,
    masks: Vec<MaskParts<'a>>,
    crowds: Vec<&'a [bool]>,
    wants_unions: bool,
}

/// Images of an item with rows that are slices, and the coverage of its pastes: ready to be rendered.
pub(crate) struct Composed<'a, T> {
    coverage: Coverage,
    images: Vec<CowArray<'a, T, Ix3>>,
}

impl PyCall<'_> {
    /// Pastes, without the images that are pasted.
    pub(crate) fn pastes(&self) -> PyResult<Vec<Paste<'_>>> {
        let pastes = self.plan.pastes.iter().zip(&self.weights).map(|(paste, weights)| {
            Ok(Paste {
                source: paste.source,
                rows: &paste.instances,
                placement: paste.placement.into(),
                weights: weights.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            })
        });
        pastes.collect()
    }

    /// Masks of all sides, the target's first.
    pub(crate) fn masks(&self) -> PyResult<Vec<MaskParts<'_>>> {
        self.sides.iter().map(|side| side.masks.parts()).collect()
    }

    /// Flags of the rows of all sides that are crowds, the target's first.
    pub(crate) fn crowds(&self) -> PyResult<Vec<&[bool]>> {
        self.sides.iter().map(|side| Ok(side.iscrowd.as_slice()?)).collect()
    }

    /// Placement of the target.
    pub(crate) fn target(&self) -> Placement {
        self.plan.target.into()
    }
}

/// Objects of the target, and those of the sources.
pub(crate) fn objects<'a>(
    masks: &[MaskParts<'a>],
    crowds: &[&'a [bool]],
) -> Result<(Objects<'a>, Vec<Objects<'a>>)> {
    let mut sides =
        masks.iter().zip(crowds).map(|(masks, &crowd)| Ok(Objects { masks: masks.counts()?, crowd }));
    // There always is a target: Python has put it there.
    let no_target = Error::LengthDiffers { expected: 1, found: 0 };
    let target = sides.next().ok_or(no_target)??;
    Ok((target, sides.collect::<Result<_>>()?))
}

impl<'py, T: Element + Pixel> Item<'py, T> {
    pub(crate) fn extract(call: PyCall<'py>) -> PyResult<Self> {
        let image = |(number, side): (usize, &PySide<'py>)| {
            reading(side.image.cast::<PyArray3<T>>()?, "an image", place_of(number))
        };
        let images = call.sides.iter().enumerate().map(image).collect::<PyResult<_>>()?;
        Ok(Self { call, images })
    }

    pub(crate) fn job(&self) -> PyResult<Job<'_, T>> {
        let call = &self.call;
        Ok(Job {
            target: call.target(),
            pastes: call.pastes()?,
            images: self.images.iter().map(PyReadonlyArray3::as_array).collect(),
            masks: call.masks()?,
            crowds: call.crowds()?,
            wants_unions: call.wants_unions,
        })
    }

    /// Result rows for Python, with the further columns of these rows.
    pub(crate) fn finish(&self, py: Python<'py>, made: JobRows) -> PyResult<ComposedRows> {
        let JobRows { rows, unions } = made;
        let crowds = self.call.crowds()?;
        // Rows are counted through all samples, the target's first.
        let mut starts = vec![0];
        starts.extend(crowds.iter().scan(0, |end, crowd| {
            *end += crowd.len();
            Some(*end)
        }));
        let places = || {
            rows.source.iter().zip(&rows.source_row).map(|(&side, &row)| ((side + 1) as usize, row as usize))
        };
        let crowd: Vec<bool> =
            places().zip(&rows.hidden).map(|((side, row), hidden)| crowds[side][row] || *hidden).collect();
        let row: Vec<i64> = places().map(|(side, row)| (starts[side] + row) as i64).collect();
        let carried = self.call.columns.iter().map(|arrays| pick(py, arrays, &row));
        Ok(ComposedRows {
            carried: PyList::new(py, carried.collect::<PyResult<Vec<_>>>()?)?.unbind(),
            counts: rows.counts.into_pyarray(py).unbind(),
            offsets: rows.offsets.into_pyarray(py).unbind(),
            boxes: box_table(py, &rows.boxes)?.unbind(),
            area: rows.area.into_pyarray(py).unbind(),
            source: rows.source.into_pyarray(py).unbind(),
            source_row: rows.source_row.into_pyarray(py).unbind(),
            visibility: rows.visibility.into_pyarray(py).unbind(),
            crowd: crowd.into_pyarray(py).unbind(),
            row: row.into_pyarray(py).unbind(),
            paste: unions.is_some().then(|| rows.paste.into_pyarray(py).unbind()),
            unions: unions
                .map(|(runs, ends)| (runs.into_pyarray(py).unbind(), ends.into_pyarray(py).unbind())),
        })
    }
}

impl<'a, T: Pixel> Job<'a, T> {
    /// Finds out what is left of every object, and what is to be rendered.
    pub(crate) fn compose(&self, rules: &DropRules) -> Result<(JobRows, Composed<'a, T>)> {
        let (target, sources) = objects(&self.masks, &self.crowds)?;
        let (rows, coverage) =
            copy_paste::compose_masks(target, &self.target, &sources, &self.pastes, rules)?;
        let unions = self.wants_unions.then(|| coverage.unions(self.pastes.len())).transpose()?;
        Ok((JobRows { rows, unions }, Composed::new(coverage, self.images.iter().copied())))
    }
}

/// Name of a side in errors, by its number: the target is 0.
pub(crate) fn place_of(side: usize) -> Place<'static> {
    if side == 0 { ("target", None) } else { ("sources", Some(side - 1)) }
}

impl<'a, T: Pixel> Composed<'a, T> {
    /// Images of all sides, the target's first, under a coverage.
    pub(crate) fn new(coverage: Coverage, images: impl Iterator<Item = ArrayView3<'a, T>>) -> Self {
        Self { coverage, images: images.map(with_dense_rows).collect() }
    }

    /// Renderer of any rows of the canvas.
    pub(crate) fn renderer<'r>(&'r self, options: &PixelOptions<'r, T>) -> Result<Renderer<'r, 'r, T>> {
        let images: Vec<_> = self.images.iter().filter_map(|image| ImageView::new(image.view())).collect();
        Renderer::new(&self.coverage, &images, options)
    }
}
