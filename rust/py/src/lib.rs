//! `copypaste_rs._core`: extract, detach, call, wrap. No arithmetic lives here.
//!
//! Arguments come checked from Python, whose messages name them; what only a kernel can find out comes back as
//! a typed error and is mapped in [`errors`].

#![forbid(unsafe_code)]
#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands extracted arguments over by value")]

mod annotations;
mod arguments;
mod columns;
mod drawing;
mod errors;
mod fates;
mod formats;
mod holding;
mod images;
mod items;
mod maps;
mod masks;
mod operation;
mod plans;
mod result_memory;
mod threads;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::annotations::{AnnotationFile, AnnotationReader};
    #[pymodule_export]
    use crate::drawing::draw_masks;
    #[pymodule_export]
    use crate::fates::row_fates;
    #[pymodule_export]
    use crate::formats::convert;
    #[pymodule_export]
    use crate::images::{alpha, blend, place_image};
    #[pymodule_export]
    use crate::items::ComposedRows;
    #[pymodule_export]
    use crate::maps::render_map;
    #[pymodule_export]
    use crate::masks::{
        area, boxes, decode, difference, encode, format_counts, from_label_map, intersection, iou, label_map,
        object_masks, parse_counts, place_masks, polygons, rasterize, union, without_small_parts,
    };
    #[pymodule_export]
    use crate::operation::{copy_paste, copy_paste_batch};
    #[pymodule_export]
    use crate::plans::{draw_plan, philox_words};
    #[pymodule_export]
    use crate::result_memory::ResultMemory;

    use copypaste_core::simd::Level;
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        match Level::unknown_name() {
            None => Ok(()),
            Some(name) => Err(PyValueError::new_err(format!(
                "COPYPASTE_RS_SIMD: expected 'portable', 'avx2' or 'avx512', got {name:?}"
            ))),
        }
    }
}
