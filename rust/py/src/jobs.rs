//! The items of a batch: what Python hands over, and what a thread takes of it.

use copypaste_core::finish::Sink;
use copypaste_core::paste::{self, Look, Rows, Rules};
use copypaste_core::resample::Pixel;
use copypaste_core::{Error, ImageView, Placement, Result};
use ndarray::ArrayView3;
use numpy::{Element, PyReadonlyArray1, PyReadonlyArray3};
use pyo3::prelude::*;

use crate::arguments::{MaskParts, PyMasks, PyPlacement, with_dense_rows};

/// One image with its masks.
#[derive(FromPyObject)]
struct PySide<'py> {
    image: Bound<'py, PyAny>,
    masks: PyMasks<'py>,
    iscrowd: PyReadonlyArray1<'py, bool>,
}

/// A `Paste`, but for sigma, which comes as weights.
#[derive(FromPyObject)]
pub(crate) struct PyPaste {
    source: usize,
    instances: Vec<usize>,
    placement: PyPlacement,
}

/// A `Plan`.
#[derive(FromPyObject)]
pub(crate) struct PyPlan {
    target: PyPlacement,
    pastes: Vec<PyPaste>,
}

/// A plan, its samples (the target first), and weights for each paste.
pub(crate) type PyItem<'py> = (PyPlan, Vec<Bound<'py, PyAny>>, Vec<Option<PyReadonlyArray1<'py, u16>>>);

/// The arrays of one item, held while they are read and written.
pub(crate) struct Item<'py, T: Element> {
    target: Placement,
    pastes: Vec<(PyPaste, Option<PyReadonlyArray1<'py, u16>>)>,
    images: Vec<PyReadonlyArray3<'py, T>>,
    sides: Vec<PySide<'py>>,
}

/// What a thread takes: views of these.
pub(crate) struct Job<'a, T> {
    target: Placement,
    pastes: Vec<paste::Paste<'a>>,
    images: Vec<ArrayView3<'a, T>>,
    masks: Vec<MaskParts<'a>>,
    crowds: Vec<&'a [bool]>,
}

/// What all items have in common.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a, T> {
    pub(crate) look: Look<'a, T>,
    pub(crate) rules: Rules,
}

impl<'py, T: Element + Pixel> Item<'py, T> {
    pub(crate) fn extract((plan, sides, weights): PyItem<'py>) -> PyResult<Self> {
        let sides: Vec<PySide<'py>> = sides.iter().map(PyAnyMethods::extract).collect::<PyResult<_>>()?;
        let images = sides.iter().map(|side| side.image.extract()).collect::<std::result::Result<_, _>>()?;
        let pastes = plan.pastes.into_iter().zip(weights).collect();
        Ok(Self { target: plan.target.into(), pastes, images, sides })
    }

    pub(crate) fn job(&self) -> PyResult<Job<'_, T>> {
        let pastes = self.pastes.iter().map(|(paste, weights)| {
            Ok(paste::Paste {
                source: paste.source,
                rows: paste.instances.clone(),
                placement: (&paste.placement).into(),
                weights: weights.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            })
        });
        Ok(Job {
            target: self.target,
            pastes: pastes.collect::<PyResult<_>>()?,
            images: self.images.iter().map(PyReadonlyArray3::as_array).collect(),
            masks: self.sides.iter().map(|side| side.masks.parts()).collect::<PyResult<_>>()?,
            crowds: self.crowds()?,
        })
    }

    /// For each side which of its rows are crowds.
    pub(crate) fn crowds(&self) -> PyResult<Vec<&[bool]>> {
        self.sides.iter().map(|side| Ok(side.iscrowd.as_slice()?)).collect()
    }
}

impl<T: Pixel> Job<'_, T> {
    /// Writes the image to `canvas`.
    pub(crate) fn run(self, options: &Options<'_, T>, canvas: &mut impl Sink<T>) -> Result<Rows> {
        // Neither is ever the case: Python has checked, and rows are dense now.
        let misfit = || Error::PlanDoesNotFit;
        let dense: Vec<_> = self.images.into_iter().map(with_dense_rows).collect();
        let mut sides = Vec::with_capacity(dense.len());
        for ((image, masks), crowd) in dense.iter().zip(self.masks).zip(self.crowds) {
            let image = ImageView::new(image.view()).ok_or_else(misfit)?;
            sides.push(paste::Side { image, masks: masks.counts()?, crowd });
        }
        let (&target, sources) = sides.split_first().ok_or_else(misfit)?;
        let Options { look, rules } = options;
        paste::copy_paste(target, &self.target, sources, &self.pastes, look, rules, canvas)
    }
}
