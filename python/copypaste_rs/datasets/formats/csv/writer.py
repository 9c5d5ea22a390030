"""Samples to a table of runs and a folder of images."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from copypaste_rs._checks import wrong
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.encoding import EncodedSample, Encoder, check_sample, column_values, image_file
from copypaste_rs.datasets.losses import further_columns, plain_objects
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import Item, SampleWriter, check_found, check_own_names
from copypaste_rs.run_lengths import starts_lengths_texts

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from copypaste_rs.datasets.sample_writer import WriterOptions
    from copypaste_rs.sample import Sample

TABLE = "annotations.csv"

HEADER = ("ImageId", "EncodedPixels", "Class", "Width", "Height")


@final
class CsvWriter(SampleWriter):
    """Writes samples as a table of runs, in Kaggle's form: ``images/`` and ``annotations.csv``.

    A row is an object: its image, runs down the columns counted from 1, name of the class, width and height of the
    image, and further columns; an image without objects has a row without runs. `CsvDataset` reads it.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    categories : sequence of dict
        As data sets have them; each name stands once.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings`, `integers` and `shard` as of `CocoWriter`.

    Warns
    -----
    UserWarning
        On closing, once, with counts of what the table does not hold: crowds, boxes without an outline, objects without
        a pixel, columns of more than one value a row.

    Raises
    ------
    OSError, ValueError, TypeError
        As from `CocoWriter`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> mask = RleMasks((4, 6), [0, 2, 2, 2, 18], [0, 5])
    >>> sample = Sample(np.zeros((4, 6, 3), np.uint8), Instances(masks=mask, labels=[7], score=[0.5]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with CsvWriter(folder, [{"id": 7, "name": "nut"}]) as writer:
    ...         _ = writer.write(sample)
    ...     print(Path(folder, "annotations.csv").read_text(), end="")
    ImageId,EncodedPixels,Class,Width,Height,score
    000000000001.jpg,1 2 5 2,nut,6,4,0.5
    """

    layout = OutputLayout("csv", ends=(TABLE,))

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        **options: Unpack[WriterOptions],
    ) -> None:
        super().__init__(directory, categories, **options)

    def _prepare(self) -> None:
        check_own_names(self.categories, lambda name: not name.strip())

    def encoder(self) -> Encoder:
        """The function that makes of a sample what `write_encoded` takes: pure, and picklable for worker processes."""
        named = tuple((category["id"], category["name"]) for category in self.categories)
        return _CsvEncoder(self.format, self.quality, named, self.integers)

    @classmethod
    def _check_file(cls, file: str) -> None:
        check_found(file)
        if file.strip() != file:
            raise wrong("file_name", "a name without spaces at its ends, which cells do not keep", repr(file))

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        item = super()._item(encoded, file, number)
        return item._replace(image={"file_name": file, **item.image})

    def _ends(self) -> Mapping[str, Iterable[bytes]]:
        return {TABLE: self._lines()}

    def _lines(self) -> Iterator[bytes]:
        columns: dict[str, None] = {}
        for record in self._output.records():
            for annotation in msgspec.json.decode(record.annotations_json):
                columns.update(dict.fromkeys(annotation["columns"]))
        yield _line([*HEADER, *columns])
        for record in self._output.records():
            image = msgspec.json.decode(record.image_json)
            size = [image["width"], image["height"]]
            rows = msgspec.json.decode(record.annotations_json)
            for row in rows or [{"runs": "", "class": "", "columns": {}}]:
                values = [row["columns"].get(name) for name in columns]
                yield _line([image["file_name"], row["runs"], row["class"], *size, *values])


@dataclass(frozen=True)
class _CsvEncoder:
    """Runs, class and further values of each object of a sample, and its image."""

    format: str
    quality: int
    named: tuple[tuple[int, str], ...]
    integers: frozenset[str]

    def __call__(self, sample: Sample, _: Sequence[Sample] = (), /) -> EncodedSample:
        check_sample(sample, "a CSV table")
        columns = {name: column for name, column in further_columns(sample).items() if _fits(name, column)}
        objects = plain_objects(sample, [number for number, _ in self.named], columns)
        values = {
            name: column_values(name, column[objects.rows], name in self.integers) for name, column in columns.items()
        }
        runs = starts_lengths_texts(objects.masks.counts, objects.masks.offsets)
        annotations = [
            {"runs": text, "class": self.named[position][1],
             "columns": {name: column[k] for name, column in values.items()}}
            for k, (text, position) in enumerate(zip(runs, objects.classes, strict=True))
        ]  # fmt: skip
        h, w = sample.size
        image = image_file(sample, self.format, self.quality)
        return EncodedSample(image, {"width": w, "height": h}, annotations, {}, objects.remarks, "csv")


def _fits(name: str, column: NDArray[np.generic]) -> bool:
    """Whether a column has one value a row, and a name that a header can have."""
    return column.ndim == 1 and name.strip() == name != "" and not any(mark in name for mark in "\r\n")


def _line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
