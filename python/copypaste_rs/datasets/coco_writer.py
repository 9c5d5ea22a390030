"""Samples to a COCO data set: image files and an annotation file that pycocotools loads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets.images import FORMATS, check_path, encode_image, is_inside
from copypaste_rs.datasets.output import OutputFolder
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from numpy.typing import NDArray
    from typing_extensions import Self

PROVENANCE = ("source_image_id", "source_annotation_id")
"""Fields of each annotation that say where it comes from."""

_SUFFIXES = {"jpg": (".jpg", ".jpeg"), "png": (".png",)}

_MADE_HERE = ("masks", "labels", "boxes", "iscrowd", "area", "id")
"""Columns that an annotation has under another name, or that are made afresh."""


class EncodedSample(NamedTuple):
    """A sample as it will be written: plain data, which a worker process can make and hand over."""

    data: bytes
    """The image file."""
    image: dict[str, Any]
    """What the annotation file says of the image, but for its id and file name."""
    annotations: list[dict[str, Any]]
    """The annotations, but for ``id`` and ``image_id``."""


@final
class CocoWriter:
    """Writes samples as a COCO data set: ``images/`` and ``annotations.json``.

    An image appears under its final name whole or not at all, and the annotation file when the block ends
    without an exception. Image and annotation ids count from 1. Areas and boxes are those of the masks; masks
    are written as compressed run lengths. Further columns are kept (NaN is left out), and each annotation says
    where it comes from: `source_image_id`, `source_annotation_id`, and of a result of `SimpleCopyPaste` also
    `source` (-1 is the target), `source_row` and `visibility`.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set. Notes of the run lie in
        ``.copypaste-rs/`` in it.
    categories : sequence of dict
        As in a COCO file; `CocoDataset.categories` fits. Each has an ``id``, and labels are among these.
    format : {"jpg", "png"}
        Of the images.
    quality : int
        Of JPEG, 1 to 100.
    info, licenses
        ``info`` and ``licenses`` of the annotation file.
    overwrite : bool
        Whether to delete what an earlier run has written there. Other files are left alone, and a folder that
        was not written by a `CocoWriter` is refused.
    resume : bool
        Whether to go on after the images that are there already: `len` of the writer says how many.
    settings : mapping, optional
        What the output depends on; a run is resumed only with the same settings.
    integers : collection of str
        Columns of floats whose whole numbers are written as integers; `CocoDataset.integers` fits.

    Raises
    ------
    OSError
        When the folder holds something, or another run is writing to it; nothing has been changed then.
    ValueError, TypeError
        When a sample cannot be written; nothing of it has been then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[1], score=[0.5]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with CocoWriter(folder, [{"id": 1, "name": "square"}]) as writer:
    ...         writer.write(sample)
    ...     sorted(path.name for path in Path(folder, "images").iterdir())
    1
    ['000000000001.jpg']
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        format: str = "jpg",  # noqa: A002 (as in Pillow)
        quality: int = 95,
        info: Mapping[str, Any] | None = None,
        licenses: Sequence[Mapping[str, Any]] | None = None,
        overwrite: bool = False,
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
        integers: Collection[str] = (),
    ) -> None:
        folder = check_path("directory", directory)
        self.format = _checks.choice("format", format, FORMATS)
        self.quality = _checks.integer("quality", quality, 1, 100)
        self.integers = frozenset(integers)
        self._categories = _category_ids(categories)
        self._head = {
            "info": dict(info or {}),
            "licenses": [dict(licence) for licence in licenses or ()],
            "categories": [dict(category) for category in categories],
        }
        known = {"format": self.format, "quality": self.quality, "categories": self._head["categories"]}
        self._output = OutputFolder(
            folder,
            {**known, **(settings or {})},
            resume=_checks.flag("resume", resume),
            overwrite=_checks.flag("overwrite", overwrite),
        )
        self._files = set(self._output.files)
        self._annotations = self._output.annotations
        self._open = True

    def __len__(self) -> int:
        """Number of images that are there."""
        return len(self._output.files)

    def write(self, sample: Sample, file_name: str | None = None, *, sources: Sequence[Sample] = ()) -> int:
        """Write one sample and return its image id.

        Parameters
        ----------
        sample : Sample
            An image of dtype uint8, grey or RGB, whose instances have masks and integer labels.
        file_name : str, optional
            Under ``images/``, folders allowed, with the suffix of the format; None counts: ``000000000001.jpg``.
        sources : sequence of Sample
            The sources that the transform was given, for their image ids.
        """
        return self.write_encoded(self._encode(sample, sources), file_name)

    def _encode(self, sample: Sample, sources: Sequence[Sample]) -> EncodedSample:
        return encode_sample(sample, sources, format=self.format, quality=self.quality, integers=self.integers)

    def write_encoded(self, encoded: EncodedSample, file_name: str | None = None) -> int:
        """Write what `encode_sample` has made, here or in another process, and return the image id."""
        if not self._open:
            raise ValueError("CocoWriter: is closed")
        number = len(self) + 1
        file = f"{number:012d}.{self.format}" if file_name is None else file_name
        if not is_inside(file):
            raise ValueError(f"file_name: expected a name inside the folder of images, got {file!r}")
        file = str(PurePosixPath(file))  # "./x.jpg" and "x.jpg" are one file
        if not file.lower().endswith(_SUFFIXES[self.format]):
            raise ValueError(f"file_name: expected the suffix {' or '.join(_SUFFIXES[self.format])}, got {file!r}")
        if file in self._files:
            raise ValueError(f"file_name: expected a name that is not taken yet, got {file!r}")
        for annotation in encoded.annotations:
            if annotation["category_id"] not in self._categories:
                raise ValueError(
                    f"sample: expected labels that are among the categories, got {annotation['category_id']}"
                )
        annotations = [
            {"id": self._annotations + k, "image_id": number, **annotation}
            for k, annotation in enumerate(encoded.annotations, 1)
        ]
        self._output.add(encoded.data, file, {"id": number, "file_name": file, **encoded.image}, annotations)
        self._files.add(file)
        self._annotations += len(annotations)
        return number

    def close(self) -> None:
        """Write the annotation file and let go of the folder."""
        if self._open:
            self._output.finish(self._head)
        self._let_go()

    def _let_go(self) -> None:
        if self._open:
            self._open = False
            self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._let_go()


def _category_ids(categories: object) -> frozenset[int]:
    if isinstance(categories, str | bytes) or not isinstance(categories, Sequence):
        raise TypeError(f"categories: expected a sequence of dicts, got {type(categories).__name__}")
    ids: set[int] = set()
    for i, category in enumerate(categories):
        if not isinstance(category, Mapping):
            raise TypeError(f"categories[{i}]: expected a dict, got {type(category).__name__}")
        number = category.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise ValueError(f"categories[{i}]: expected an integer as id, got {number!r}")
        if number in ids:
            raise ValueError(f"categories: expected each id once, got {number} more than once")
        ids.add(number)
    return frozenset(ids)


def encode_sample(
    sample: Sample,
    sources: Sequence[Sample] = (),
    *,
    format: str,  # noqa: A002 (as in Pillow)
    quality: int,
    integers: Collection[str] = (),
) -> EncodedSample:
    """The image file and the annotations of a sample. A pure function."""
    if not isinstance(sample, Sample):
        raise TypeError(f"sample: expected a Sample, got {type(sample).__name__}")
    h, w = sample.size
    info = {name: kept for name, value in sample.info.items() if (kept := _scalar(value)) is not None}
    image_id, file_name = info.pop("image_id", None), info.pop("file_name", None)
    image = {**info, "width": w, "height": h}
    image.pop("id", None)
    if image_id is not None:
        image["source_image_id"] = image_id
    if file_name is not None:
        image["source_file_name"] = file_name
    annotations = _annotations(sample, image_id, [source.info.get("image_id") for source in sources], integers)
    return EncodedSample(encode_image(sample.image, format, quality), image, annotations)


def _annotations(
    sample: Sample, image_id: Any, source_ids: list[Any], integers: Collection[str]
) -> list[dict[str, Any]]:
    instances = sample.instances
    n = len(instances)
    if n == 0:
        return []
    masks, labels = instances.masks, instances.labels
    if masks is None:
        raise ValueError("sample: expected masks for its instances, got none")
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise TypeError("sample: expected integer labels, which become category ids")
    crowd = instances.iscrowd if instances.iscrowd is not None else np.zeros(n, np.bool_)
    columns = instances.columns
    assert instances.boxes is not None  # they come with the masks
    x0, y0, x1, y1 = instances.boxes.astype(np.float64).T
    boxes = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1).tolist()
    annotations: list[dict[str, Any]] = [
        {
            "category_id": label,
            "iscrowd": int(flag),
            "area": area,
            "bbox": box,
            "segmentation": {"size": list(masks.size), "counts": mask["counts"].decode("ascii")},
        }
        for label, flag, area, box, mask in zip(
            labels.tolist(), crowd.tolist(), masks.area.tolist(), boxes, masks.to_coco(), strict=True
        )
    ]
    for name, values in columns.items():
        if name not in _MADE_HERE:
            for annotation, value in zip(annotations, _values(name, values, name in integers), strict=True):
                if value is not None:
                    annotation[name] = value
    ids = columns["id"].tolist() if "id" in columns else [None] * n
    givers = columns["source"].tolist() if "source" in columns else [-1] * n
    for annotation, number, source in zip(annotations, ids, givers, strict=True):
        origin = image_id if source < 0 else source_ids[source] if source < len(source_ids) else None
        for name in PROVENANCE:
            annotation.pop(name, None)  # of an earlier round: it says nothing of this one
        if origin is not None:
            annotation["source_image_id"] = _scalar(origin)
        if number is not None:
            annotation["source_annotation_id"] = number
    return annotations


def _values(name: str, column: NDArray[Any], whole: bool) -> list[Any]:
    """A column as Python values; None for what JSON cannot say."""
    if column.dtype.kind not in "biufU":
        raise TypeError(f"{name}: expected numbers, bools or strings to write, got dtype {column.dtype}")
    if column.dtype.kind != "f":
        return list(column.tolist())
    if column.dtype.itemsize < 8:  # the shortest number that is the same float32
        column = column.astype(str).astype(np.float64)
    finite = np.isfinite(column).reshape(len(column), -1).all(axis=1)
    values = [value if good else None for value, good in zip(column.tolist(), finite.tolist(), strict=True)]
    if whole and column.ndim == 1:
        return [value if value is None or not value.is_integer() else int(value) for value in values]
    return values


def _scalar(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else None
