"""Samples to a YOLO set for segmentation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.encoding import EncodedSample, Encoder, check_sample, image_file
from copypaste_rs.datasets.losses import plain_objects
from copypaste_rs.datasets.outlines import inset_outlines, joined
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import SampleWriter, check_found

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from copypaste_rs.datasets.sample_writer import WriterOptions
    from copypaste_rs.sample import Sample

WRITTEN_SPLITS = ("train", "val", "test")


@final
class YoloWriter(SampleWriter):
    """Writes samples as a YOLO set for segmentation: ``images/train``, ``labels/train`` and ``data.yaml``.

    Each object is one outline, a twentieth of a pixel inside the edges of its pixels. COCO's rule, by which
    `YoloDataset` reads it, and Ultralytics' own (fractions cut off, border filled) both make exactly the mask of it,
    with its holes, which are cut open. Several parts are joined by bridges of no width where they are nearest: read
    here, the mask is the same; Ultralytics draws a bridge one pixel wide.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    names : sequence of str, or of dict
        Names of the classes, whose labels are 0, 1, ...; or categories, as data sets have them, whose classes are
        numbered in their order.
    split : {"train", "val", "test"}
        The split that is written. ``data.yaml`` names it for the others too, with a comment, as Ultralytics asks for
        both ``train`` and ``val``: another folder's images replace these by hand.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings` and `shard` as of `CocoWriter`.

    Warns
    -----
    UserWarning
        On closing, once, with counts of what the format does not hold: crowds, boxes without an outline (Ultralytics
        refuses them beside outlines), and further columns, which are left out; objects of several parts, which are
        joined.

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
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (20, 40))
    >>> sample = Sample(np.zeros((20, 40, 3), np.uint8), Instances(masks=mask, labels=[1]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with YoloWriter(folder, ["ring", "square"]) as writer:
    ...         _ = writer.write(sample, "a.jpg")
    ...     print(Path(folder, "labels", "train", "a.txt").read_text(), end="")
    1 0.10125 0.9975 0.10125 0.2025 0.49875 0.2025 0.49875 0.9975
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        names: Sequence[str] | Sequence[Mapping[str, Any]],
        *,
        split: str = "train",
        **options: Unpack[WriterOptions],
    ) -> None:
        self.split = _checks.choice("split", split, WRITTEN_SPLITS)
        self.layout = OutputLayout("yolo", f"images/{split}", (f"labels/{split}",), ("data.yaml",))
        super().__init__(directory, _categories(names), **options, options={"split": split})

    def _prepare(self) -> None:
        for i, category in enumerate(self.categories):
            if not isinstance(category.get("name"), str):
                raise wrong(("names", i), "a name", repr(category.get("name")))

    def encoder(self) -> Encoder:
        """The function that makes of a sample what `write_encoded` takes: pure, and picklable for worker processes."""
        ids = tuple(category["id"] for category in self.categories)
        return _YoloEncoder(self.format, self.quality, ids, f"labels/{self.split}/{{}}.txt")

    @classmethod
    def _check_file(cls, file: str) -> None:
        folders = PurePosixPath(file).parts
        if "images" in folders[:-1] or any(part.startswith(".") for part in folders):
            raise wrong("file_name", "no hidden file, nor a folder 'images', for which labels would be looked for "
                        "elsewhere", repr(file))  # fmt: skip
        check_found(file)

    def _ends(self) -> Mapping[str, bytes]:
        images = self.layout.images
        remark = f"  # to be replaced: train and val have to be named, and only {self.split} was written"
        splits = dict.fromkeys(["train", "val", self.split])
        lines = [f"{name}: {images}{remark if name != self.split else ''}" for name in splits]
        names = [f"  {i}: {_quoted(category['name'])}" for i, category in enumerate(self.categories)]
        return {"data.yaml": "\n".join([*lines, "names:" if names else "names: []", *names, ""]).encode()}


@dataclass(frozen=True)
class _YoloEncoder:
    """The label file of a sample, and its image."""

    format: str
    quality: int
    ids: tuple[int, ...]
    file: str

    def __call__(self, sample: Sample, _: Sequence[Sample] = (), /) -> EncodedSample:
        check_sample(sample, "a YOLO set")
        objects = plain_objects(sample, self.ids)
        outlines = inset_outlines(objects.masks)
        lines = [
            f"{number} {_shares(joined(rings), sample.size)}\n"
            for number, rings in zip(objects.classes, outlines, strict=True)
        ]
        parts = {"objects of several parts, which are joined": sum(len(rings) > 1 for rings in outlines)}
        image = image_file(sample, self.format, self.quality)
        return EncodedSample(image, {}, [], {self.file: "".join(lines).encode()}, objects.remarks | parts, "yolo")


def _shares(outline: NDArray[np.float64], size: tuple[int, int]) -> str:
    """Points as shares of the image: seven digits are a hundredth of a pixel in the largest."""
    return " ".join([f"{share:.7f}".rstrip("0").rstrip(".") for share in (outline / size[::-1]).ravel().tolist()])


def _quoted(name: str) -> str:
    """A name as a scalar of YAML: one of JSON, with what YAML does not print escaped."""
    text = json.dumps(name, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in text)


def _categories(names: object) -> Sequence[Mapping[str, Any]]:
    if isinstance(names, str | bytes) or not isinstance(names, Sequence):
        raise wrong_type("names", "a sequence of names, or of categories", type(names).__name__)
    if names and all(isinstance(name, Mapping) for name in names):
        return names
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise wrong_type(("names", i), "a name", type(name).__name__)
    return [{"id": i, "name": name} for i, name in enumerate(names)]
