//! The items of a batch: what Python hands over, and what a thread takes of it.

use std::sync::OnceLock;

use copypaste_core::copy_paste::{self as paste, Brush, Look, Painting, Rows, Rules, Scene};
use copypaste_core::resample::Pixel;
use copypaste_core::{Error, ImageView, Placement, Result};
use ndarray::{ArrayView3, CowArray, Ix3};
use numpy::{Element, PyReadonlyArray1, PyReadonlyArray3};
use pyo3::exceptions::PyValueError;
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

/// What threads take: views of these. They only borrow it: memory that another thread has asked for is slow to give
/// back.
pub(crate) struct Job<'a, T> {
    target: Placement,
    pastes: Vec<paste::Paste<'a>>,
    images: Vec<ArrayView3<'a, T>>,
    masks: Vec<MaskParts<'a>>,
    crowds: Vec<&'a [bool]>,
}

impl<'py, T: Element + Pixel> Item<'py, T> {
    pub(crate) fn extract((plan, sides, weights): PyItem<'py>) -> PyResult<Self> {
        let sides: Vec<PySide<'py>> = sides.iter().map(PyAnyMethods::extract).collect::<PyResult<_>>()?;
        let image = |(number, side): (usize, &PySide<'py>)| {
            side.image.extract().map_err(|_| {
                let side =
                    number.checked_sub(1).map_or("target".to_owned(), |source| format!("sources[{source}]"));
                PyValueError::new_err(format!("{side}: expected an image that no other call is writing to"))
            })
        };
        let images = sides.iter().enumerate().map(image).collect::<PyResult<_>>()?;
        let pastes = plan.pastes.into_iter().zip(weights).collect();
        Ok(Self { target: plan.target.into(), pastes, images, sides })
    }

    pub(crate) fn job(&self) -> PyResult<Job<'_, T>> {
        let pastes = self.pastes.iter().map(|(paste, weights)| {
            Ok(paste::Paste {
                source: paste.source,
                rows: &paste.instances,
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

impl<'a, T: Pixel> Job<'a, T> {
    /// What is left of every object, and what is to be painted.
    pub(crate) fn arrange(&'a self, rules: &Rules) -> Result<(Rows, Picture<'a, T>)> {
        let mut objects = Vec::with_capacity(self.masks.len());
        for (masks, &crowd) in self.masks.iter().zip(&self.crowds) {
            objects.push(paste::Objects { masks: masks.counts()?, crowd });
        }
        // There always is a target: Python has put it there.
        let (&target, sources) = objects.split_first().ok_or(Error::OffsetsDoNotFit)?;
        let (rows, scene) = paste::arrange(target, &self.target, sources, &self.pastes, rules)?;
        Ok((rows, Picture { scene, images: &self.images, ready: OnceLock::new() }))
    }
}

/// A scene with its images.
pub(crate) struct Picture<'a, T> {
    scene: Scene<'a>,
    images: &'a [ArrayView3<'a, T>],
    /// What all threads share that paint it, made by the first of them.
    ready: OnceLock<Ready<'a, T>>,
}

/// What the layers cover, and the images with rows that are slices.
struct Ready<'a, T> {
    painting: Result<Painting>,
    images: Vec<CowArray<'a, T, Ix3>>,
}

impl<T: Pixel> Picture<'_, T> {
    /// What a thread paints it with.
    pub(crate) fn brush<'b>(&'b self, look: &Look<'b, T>) -> Result<Brush<'b, 'b, T>> {
        let ready = self.ready.get_or_init(|| Ready {
            painting: self.scene.draw(),
            images: self.images.iter().copied().map(with_dense_rows).collect(),
        });
        let images: Option<Vec<_>> = ready.images.iter().map(|image| ImageView::new(image.view())).collect();
        let painting = ready.painting.as_ref().map_err(Clone::clone)?;
        painting.brush(&images.ok_or(Error::OffsetsDoNotFit)?, look)
    }
}
