"""Samples to a PASCAL VOC set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, final
from xml.sax.saxutils import escape

import numpy as np

from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.datasets.encoding import EncodedSample, check_sample, image_file
from copypaste_rs.datasets.formats.voc.annotation_files import FLAGS
from copypaste_rs.datasets.formats.voc.classes import BACKGROUNDS, MOST_CLASSES, VOIDS
from copypaste_rs.datasets.formats.voc.palette import PALETTE, VOID
from copypaste_rs.datasets.image_files import is_inside
from copypaste_rs.datasets.label_drawing import draw_rows, raster_file
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import Item, SampleWriter, check_found
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.sample_writer import WriterOptions
    from copypaste_rs.instances import Instances
    from copypaste_rs.sample import Sample

_NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot hold."""
_NO_NAME = re.compile(rf"^#|[:\r\n]|{_NO_XML.pattern}")
"""Parts of names of classes that labelmap.txt, or XML, cannot hold."""
_NO_FILE = re.compile(rf'[\r\\"]|{_NO_XML.pattern}')
"""Characters in names of images that a list of them, or XML, cannot hold."""
MOST_OBJECTS = 254


@final
class VocWriter(SampleWriter):
    """Writes samples as a PASCAL VOC set: images, palette files of objects and classes, XML files, lists, labelmap.txt.

    An object has the number of its place among the objects of its XML file, which holds its box in pixels from 1, the
    last included, and the columns ``difficult``, ``truncated``, ``occluded`` and ``pose``, where there are any. Void,
    255, are crowds and, of more than 254 objects in one image, the smallest: they are not annotated, but no background
    either. A pixel is of one object: later rows lie above earlier ones, crowds below all.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    categories : sequence of dict
        As of `CocoWriter`, at most 254, each with a ``name`` of its own. They are numbered from 1 in their order.
    split : str
        Name of the lists in ``ImageSets``.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings` and `shard` as of `CocoWriter`.

    Warns
    -----
    UserWarning
        On closing, once, with counts of what the format does not hold: crowds and objects that become void, boxes
        without an outline, masks below others, further columns.

    Raises
    ------
    OSError, ValueError, TypeError
        As from `CocoWriter`; when a name or a pose has characters that the files cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> from copypaste_rs.datasets import VocDataset
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[7]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with VocWriter(folder, [{"id": 7, "name": "square"}], split="val") as writer:
    ...         _ = writer.write(sample, "a.jpg")
    ...     again = VocDataset(folder, "val")
    >>> again.categories, again.instances(0).masks == mask
    ([{'id': 1, 'name': 'square'}], True)
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        split: str = "train",
        **options: Unpack[WriterOptions],
    ) -> None:
        if not isinstance(split, str):
            raise wrong_type("split", "a string", repr(split))
        if not split or not is_inside(split) or "/" in split or "\n" in split or _NO_FILE.search(split):
            raise wrong("split", "a name of a file", repr(split))
        self.split = split
        self.layout = OutputLayout(
            "voc", "JPEGImages", ("Annotations", "SegmentationClass", "SegmentationObject"),
            ("labelmap.txt", *(f"ImageSets/{folder}/{split}.txt" for folder in ("Main", "Segmentation"))),
        )  # fmt: skip
        super().__init__(directory, categories, **options, options={"split": split})

    def _prepare(self) -> None:
        if len(self.categories) > MOST_CLASSES:
            raise wrong("categories", f"at most {MOST_CLASSES}, as a palette has", str(len(self.categories)))
        seen = set()
        for i, category in enumerate(self.categories):
            name = category.get("name")
            if not isinstance(name, str):
                raise wrong(("categories", i), "a name", repr(name))
            if name in (*BACKGROUNDS, *VOIDS) or name in seen:
                raise wrong(("categories", i), "a name of its own, which is not that of background or void", repr(name))
            if _NO_NAME.search(name) or name.strip() != name or not name:
                expected = "a name without colons, line breaks, control characters, spaces at its ends or # before it"
                raise wrong(("categories", i), expected, repr(name))
            seen.add(name)

    def encoder(self) -> Encoder:
        """The function that makes of a sample what `write_encoded` takes: pure, and picklable for worker processes."""
        ids, names = (tuple(each[key] for each in self.categories) for key in ("id", "name"))
        return _VocEncoder(self.format, self.quality, ids, names)

    @classmethod
    def _check_file(cls, file: str) -> None:
        check_found(file)
        stem = str(PurePosixPath(file).with_suffix(""))
        if _NO_FILE.search(file) or stem.strip() != stem:
            expected = "a name without control characters, quotes, backslashes, and spaces at its ends"
            raise wrong("file_name", f"{expected}, which a list cannot hold", repr(file))

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        stem = str(PurePosixPath(file).with_suffix(""))
        made = super()._item(encoded, file, number)
        path = f"Annotations/{stem}.xml"
        head = f"<annotation>\n\t<folder>JPEGImages</folder>\n\t<filename>{escape(file)}</filename>\n"
        return made._replace(files=made.files | {path: head.encode() + made.files[path]})

    def _ends(self) -> Mapping[str, bytes | Iterable[bytes]]:
        names = [
            (0, "background"),
            *((i, each["name"]) for i, each in enumerate(self.categories, 1)),
            (VOID, "ignored"),
        ]
        lines = [f"{name}:{','.join(map(str, PALETTE[i]))}::" for i, name in names]
        lists = {f"ImageSets/{folder}/{self.split}.txt": self._list() for folder in ("Main", "Segmentation")}
        return {"labelmap.txt": "\n".join(["# label:color_rgb:parts:actions", *lines, ""]).encode()} | lists

    def _list(self) -> Iterator[bytes]:
        for record in self._output.records():
            yield f"{PurePosixPath(record.item).with_suffix('')}\n".encode()


@dataclass(frozen=True)
class _VocEncoder:
    """The palette files of a sample, the objects of its XML file, and its image."""

    format: str
    quality: int
    ids: tuple[int, ...]
    names: tuple[str, ...]

    def __call__(self, sample: Sample, _: Sequence[Sample] = (), /) -> EncodedSample:
        check_sample(sample, "a PASCAL VOC set")
        drawn = draw_rows(sample, self.ids, (*FLAGS, "pose"))
        numbers, rows, beyond = _numbered(drawn.numbers, drawn.iscrowd)
        remarks = drawn.remarks | {
            "crowds, which are void": int(drawn.iscrowd.sum()),
            f"objects beyond {MOST_OBJECTS} of an image, the smallest, which are void": beyond,
        }
        objects = numbers[drawn.numbers]
        classes = [self.ids.index(label) + 1 for label in drawn.labels[rows].tolist()]
        meanings = np.full(256, VOID, np.uint8)
        meanings[: len(classes) + 1] = [0, *classes]
        files = {
            "Annotations/{}.xml": self._objects(sample, drawn.rows[rows], classes, objects).encode(),
            "SegmentationClass/{}.png": raster_file(meanings[objects], PALETTE),
            "SegmentationObject/{}.png": raster_file(objects, PALETTE),
        }
        image = image_file(sample, self.format, self.quality)
        return EncodedSample(image, {}, [], files, remarks, "voc")

    def _objects(self, sample: Sample, rows: NDArray[np.int64], classes: list[int], objects: NDArray[np.uint8]) -> str:
        """Text of an XML file, from the size of the image on."""
        h, w = sample.size
        depth = 1 if sample.image.ndim == 2 else sample.image.shape[2]
        lines = [f"\t<size><width>{w}</width><height>{h}</height><depth>{depth}</depth></size>"]
        lines.append("\t<segmented>1</segmented>")
        masks, found = RleMasks.from_label_map(objects)
        boxes = masks.boxes.astype(np.int64)[found != VOID].tolist()
        for row, label, (x0, y0, x1, y1) in zip(rows.tolist(), classes, boxes, strict=True):
            fields = {"name": self.names[label - 1], **_fields(sample.instances, row)}
            told = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items())
            box = f"<xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
            lines.append(f"\t<object>{told}<bndbox>{box}</bndbox></object>")
        return "\n".join([*lines, "</annotation>", ""])


def _numbered(drawn: NDArray[np.int32], iscrowd: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Numbers of drawn rows in the raster of objects, the rows that are objects there, and how many are too many."""
    areas = np.bincount(drawn.ravel(), minlength=len(iscrowd) + 1)[1:]
    objects = np.flatnonzero(~iscrowd)
    largest = objects[np.argsort(-areas[objects], kind="stable")[:MOST_OBJECTS]]
    rows = np.sort(largest)
    numbers = np.full(len(iscrowd) + 1, VOID, np.uint8)
    numbers[0] = 0
    numbers[rows + 1] = np.arange(1, len(rows) + 1)
    return numbers, rows, len(objects) - len(rows)


def _fields(instances: Instances, row: int) -> dict[str, str]:
    """Fields of an object in the XML file that columns hold."""
    columns = instances.columns
    found = {}
    if "pose" in columns and (pose := str(columns["pose"][row])):
        if _NO_XML.search(pose):
            raise wrong(item("sample.instances.pose", row), "text that XML can hold", repr(pose))
        found["pose"] = pose
    for flag in FLAGS:
        if flag in columns and columns[flag][row] in (0, 1):  # NaN is neither
            found[flag] = str(int(columns[flag][row]))
    return found
