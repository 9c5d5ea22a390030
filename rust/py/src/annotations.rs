//! Annotation files.

use copypaste_annotations::{Column, Coordinates, File, Plain, Reader, Values, Wanted};
use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::threads::number_of_threads;

/// Reader of a COCO annotation file, piece by piece; it has nothing to say about a file that is not plain.
#[pyclass]
pub(crate) struct AnnotationReader {
    /// Reader proper; gone when the file turned out not to be plain, and at the end.
    reader: Option<Reader>,
}

#[pymethods]
impl AnnotationReader {
    /// Reader on so many threads at most, the calling one among them.
    #[new]
    fn new(
        py: Python<'_>,
        lists: Vec<String>,
        counted: Vec<String>,
        ignored: Vec<String>,
        columns: Option<Vec<String>>,
        threads: usize,
    ) -> PyResult<Self> {
        let threads = number_of_threads(py, threads)?;
        Ok(Self { reader: Some(Reader::new(Wanted { lists, counted, ignored, columns }, threads)) })
    }

    /// Reads on from byte `start` of the whole file, until `enough` more bytes are done; says where that is.
    fn read(
        &mut self,
        py: Python<'_>,
        data: PyReadonlyArray1<'_, u8>,
        start: usize,
        enough: usize,
    ) -> PyResult<Option<usize>> {
        let (bytes, reader) = (data.as_slice()?, &mut self.reader);
        let read = |reader: &mut Reader| reader.read(bytes, start, enough);
        let done = py.detach(|| reader.as_mut().filter(|_| start <= bytes.len()).map(read));
        Ok(self.unless_odd(done))
    }

    /// Arrays of the file, when all of it was read.
    fn finish(&mut self, py: Python<'_>) -> Option<AnnotationFile> {
        let reader = self.reader.take()?;
        py.detach(|| reader.finish()).ok().map(|file| AnnotationFile::new(py, file))
    }
}

impl AnnotationReader {
    fn unless_odd<T>(&mut self, done: Option<Plain<T>>) -> Option<T> {
        let value = done?.ok();
        if value.is_none() {
            self.reader = None;
        }
        value
    }
}

/// Values, and the texts that they number where they are such: UTF-8, one after the other, and their ends.
type ColumnValues = (Py<PyAny>, Option<(Py<PyArray1<u8>>, Py<PyArray1<i64>>)>);

/// Rows of a field that holds lists, and the numbers of these.
type RowsAndNumbers = (Py<PyArray1<i64>>, Py<PyArray1<f64>>);

/// Annotation file as flat arrays.
#[pyclass(frozen, get_all)]
pub(crate) struct AnnotationFile {
    image_ids: Py<PyArray1<i64>>,
    sizes: Py<PyArray1<i64>>,
    image_text: Py<PyArray1<u8>>,
    image_offsets: Py<PyArray1<i64>>,
    names_differ: bool,
    image: Py<PyArray1<i64>>,
    ids: Py<PyArray1<i64>>,
    labels: Py<PyArray1<i64>>,
    iscrowd: Py<PyArray1<bool>>,
    /// Hundredths as int32, or float64.
    coordinates: Py<PyAny>,
    part_offsets: Py<PyArray1<i64>>,
    first_part: Py<PyArray1<i64>>,
    parts: Py<PyArray1<i64>>,
    counts: Py<PyArray1<u32>>,
    first_run: Py<PyArray1<i64>>,
    runs: Py<PyArray1<i64>>,
    box_rows: Py<PyArray1<i64>>,
    boxes: Py<PyArray1<f64>>,
    lists: Vec<RowsAndNumbers>,
    counted: Vec<i64>,
    /// Name, rows and values of each further field; no values where there are lists or objects.
    columns: Vec<(String, Py<PyArray1<i64>>, Option<ColumnValues>)>,
    short_parts: i64,
    unknown: i64,
    head: Vec<(String, Py<PyBytes>)>,
}

impl AnnotationFile {
    fn new(py: Python<'_>, File { images, mut rows, head }: File) -> Self {
        let columns = rows.take_columns().into_iter().map(|column| named_values(py, column)).collect();
        let shapes = rows.shapes;
        Self {
            image_ids: array(py, images.ids),
            sizes: array(py, images.sizes),
            names_differ: images.names_differ,
            image_text: array(py, images.text),
            image_offsets: array(py, images.offsets),
            image: array(py, rows.image),
            ids: array(py, rows.ids),
            labels: array(py, rows.labels),
            iscrowd: array(py, rows.iscrowd),
            coordinates: match shapes.coordinates {
                Coordinates::Hundredths(values) => array(py, values).into_any(),
                Coordinates::Floats(values) => array(py, values).into_any(),
            },
            part_offsets: array(py, shapes.part_offsets),
            first_part: array(py, shapes.first_part),
            parts: array(py, shapes.parts),
            counts: array(py, shapes.counts),
            first_run: array(py, shapes.first_run),
            runs: array(py, shapes.runs),
            box_rows: array(py, rows.box_rows),
            boxes: array(py, rows.boxes),
            lists: rows
                .lists
                .into_iter()
                .map(|list| (array(py, list.rows), array(py, list.numbers)))
                .collect(),
            counted: rows.counted,
            columns,
            short_parts: shapes.short_parts,
            unknown: rows.unknown,
            head: head.into_iter().map(|(name, text)| (name, PyBytes::new(py, &text).unbind())).collect(),
        }
    }
}

fn array<T: Element>(py: Python<'_>, values: Vec<T>) -> Py<PyArray1<T>> {
    values.into_pyarray(py).unbind()
}

fn named_values(
    py: Python<'_>,
    Column { name, rows, values, .. }: Column,
) -> (String, Py<PyArray1<i64>>, Option<ColumnValues>) {
    let values = match values {
        Values::Unset | Values::Compound => None,
        Values::Flags(values) => Some((array(py, values).into_any(), None)),
        Values::Integers(values) => Some((array(py, values).into_any(), None)),
        Values::Floats(values) => Some((array(py, values).into_any(), None)),
        Values::Texts(values, texts) => {
            Some((array(py, values).into_any(), Some((array(py, texts.data), array(py, texts.offsets)))))
        }
    };
    (name, array(py, rows), values)
}
