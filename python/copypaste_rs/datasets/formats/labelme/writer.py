"""Samples to a folder of LabelMe."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.encoding import EncodedSample, Encoder, check_sample, image_file
from copypaste_rs.datasets.formats.labelme.files import NO_OBJECTS
from copypaste_rs.datasets.json_values import check_text, json_text
from copypaste_rs.datasets.losses import further_columns, plain_objects
from copypaste_rs.datasets.outlines import inset_outlines
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import Item, SampleWriter, check_own_names, check_visible
from copypaste_rs.plan import Placement

with extra("coco"):
    from PIL import Image

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from copypaste_rs.datasets.losses import PlainObjects
    from copypaste_rs.datasets.sample_writer import WriterOptions
    from copypaste_rs.masks import RleMasks
    from copypaste_rs.sample import Sample

_VERSION = "5.5.0"
"""Version of LabelMe whose files these are like: masks are known since 5.3."""

SHAPES = ("mask", "polygon")


@final
class LabelMeWriter(SampleWriter):
    """Writes samples as a folder of LabelMe: a JSON file beside each image.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    categories : sequence of dict
        As data sets have them; each name stands once, and is a label.
    shapes : {"mask", "polygon"}
        Masks are exact. Polygons can be edited: one for each part, with a ``group_id`` where there are several, a
        twentieth of a pixel inside the edges of its pixels, so that LabelMe's own drawing gives the mask back, holes
        included, which are cut open.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings` and `shard` as of `CocoWriter`.

    Warns
    -----
    UserWarning
        On closing, once, with counts of what the format does not hold: crowds, boxes without an outline, objects
        without a pixel, and columns, but for ``description`` and those of true and false, which become flags.

    Raises
    ------
    OSError, ValueError, TypeError
        As from `CocoWriter`.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[1]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with LabelMeWriter(folder, [{"id": 1, "name": "square"}], shapes="polygon") as writer:
    ...         _ = writer.write(sample, "a.jpg")
    ...     json.loads(Path(folder, "a.json").read_text())["shapes"][0]["points"]
    [[4.05, 19.95], [4.05, 4.05], [19.95, 4.05], [19.95, 19.95]]
    """

    layout = OutputLayout("labelme", images="")

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        shapes: str = "mask",
        **options: Unpack[WriterOptions],
    ) -> None:
        self.shapes = _checks.choice("shapes", shapes, SHAPES)
        super().__init__(directory, categories, **options, options={"shapes": shapes})

    def _prepare(self) -> None:
        check_own_names(self.categories, NO_OBJECTS.__contains__)

    def encoder(self) -> Encoder:
        """The function that makes of a sample what `write_encoded` takes: pure, and picklable for worker processes."""
        named = tuple((category["id"], category["name"]) for category in self.categories)
        return _LabelMeEncoder(self.format, self.quality, named, self.shapes)

    @classmethod
    def _check_file(cls, file: str) -> None:
        check_visible(file)

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        label = {**encoded.image, "shapes": encoded.annotations, "imagePath": PurePosixPath(file).name}
        path = str(PurePosixPath(file).with_suffix(".json"))
        text = json_text("sample", label)
        return super()._item(encoded._replace(image={}, annotations=[], files={path: text}), file, number)

    def _ends(self) -> Mapping[str, bytes]:
        return {}


@dataclass(frozen=True)
class _LabelMeEncoder:
    """The shapes of a sample, and its image."""

    format: str
    quality: int
    named: tuple[tuple[int, str], ...]
    shapes: str

    def __call__(self, sample: Sample, _: Sequence[Sample] = (), /) -> EncodedSample:
        check_sample(sample, "a LabelMe folder")
        columns = further_columns(sample)
        flags = {name: column for name, column in columns.items() if column.ndim == 1 and column.dtype == np.bool_}
        texts = {name: column for name, column in columns.items() if name == "description" and _is_text(column)}
        objects = plain_objects(sample, [number for number, _ in self.named], {*flags, *texts})
        shapes: list[dict[str, Any]] = []
        for k, parts in enumerate(self._drawn(objects)):
            row = objects.rows[k]
            text = str(texts["description"][row]) if texts else ""
            check_text("sample.instances.description", text)
            common = {
                "label": self.named[objects.classes[k]][1],
                "group_id": k + 1 if len(parts) > 1 else None,
                "description": text,
                "flags": {name: bool(column[row]) for name, column in flags.items()},
            }
            shapes += [{**common, **part} for part in parts]
        h, w = sample.size
        image_flags = {name: bool(value) for name, value in sample.info.items() if isinstance(value, bool | np.bool_)}
        head = {"version": _VERSION, "flags": image_flags, "imageData": None, "imageHeight": h, "imageWidth": w}
        return EncodedSample(
            image_file(sample, self.format, self.quality), head, shapes, {}, objects.remarks, "labelme"
        )

    def _drawn(self, objects: PlainObjects) -> list[list[dict[str, Any]]]:
        """Kind and points of the shapes of each object."""
        if self.shapes == "polygon":
            outlines = inset_outlines(objects.masks)
            return [
                [{"shape_type": "polygon", "points": ring.round(2).tolist(), "mask": None} for ring in rings]
                for rings in outlines
            ]
        return [[_mask(objects.masks[k])] for k in range(len(objects.masks))]


def _mask(mask: RleMasks) -> dict[str, Any]:
    """A shape that holds the pixels of a mask in its box."""
    x0, y0, x1, y1 = (int(side) for side in mask.boxes[0])
    inside = mask.place(Placement(mask.size, mask.size, (-y0, -x0), (y1 - y0, x1 - x0)))
    buffer = io.BytesIO()
    Image.fromarray(inside.to_dense()[0] * np.uint8(255)).convert("1").save(buffer, "PNG")
    points = [[x0, y0], [x1 - 1, y1 - 1]]
    return {"shape_type": "mask", "points": points, "mask": base64.b64encode(buffer.getvalue()).decode()}


def _is_text(column: NDArray[Any]) -> bool:
    return column.ndim == 1 and (column.dtype.kind == "U" or all(isinstance(value, str) for value in column.tolist()))
