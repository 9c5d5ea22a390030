"""Samples to COCO panoptic files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, final

import numpy as np

from copypaste_rs.datasets.encoding import EncodedSample, check_sample, image_fields, image_file
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.label_drawing import draw_rows, raster_file
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import Item, SampleWriter
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from typing_extensions import Unpack

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.sample_writer import WriterOptions
    from copypaste_rs.sample import Sample


@final
class PanopticWriter(SampleWriter):
    """Writes samples as a COCO panoptic set: ``images/``, ``panoptic/`` with a PNG each, and ``panoptic.json``.

    Instances become segments, numbered from 1 in each image; pixels of none have the number 0. A pixel is of one
    segment: crowds lie below other instances, and of these later rows above earlier ones.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    categories : sequence of dict
        As of `CocoWriter`. Those without ``isthing`` are things.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings` and `shard` as of `CocoWriter`.

    Warns
    -----
    UserWarning
        On closing, once, with counts of what the format does not hold: boxes without an outline, masks below others,
        further columns.

    Raises
    ------
    OSError, ValueError, TypeError
        As from `CocoWriter`.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[1]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with PanopticWriter(folder, [{"id": 1, "name": "square"}]) as writer:
    ...         _ = writer.write(sample, "a.jpg")
    ...     written = json.loads(Path(folder, "panoptic.json").read_text())
    >>> written["annotations"][0]["segments_info"]
    [{'id': 1, 'category_id': 1, 'area': 256, 'bbox': [4, 4, 16, 16], 'iscrowd': 0}]
    """

    layout = OutputLayout("panoptic", folders=("panoptic",), ends=("panoptic.json",))

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        **options: Unpack[WriterOptions],
    ) -> None:
        super().__init__(directory, categories, **options)

    def encoder(self) -> Encoder:
        """The function that makes of a sample what `write_encoded` takes: pure, and picklable for worker processes."""
        return _PanopticEncoder(self.format, self.quality, tuple(each["id"] for each in self.categories))

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        item = super()._item(encoded, file, number)
        return item._replace(image={"id": number, "file_name": file, **item.image})

    def _ends(self) -> Mapping[str, bytes | Iterable[bytes]]:
        return {"panoptic.json": self._file()}

    def _file(self) -> Iterator[bytes]:
        categories = [{"isthing": 1, **each} for each in self.categories]
        yield b'{"images":['
        for i, record in enumerate(self._output.records()):
            yield (b"," if i else b"") + bytes(record.image_json)
        yield b'],"annotations":['
        for i, record in enumerate(self._output.records()):
            name = str(PurePosixPath(record.item).with_suffix(".png"))
            head = json_text("annotations", {"image_id": i + 1, "file_name": name})
            yield (b"," if i else b"") + head[:-1] + b',"segments_info":' + bytes(record.annotations_json) + b"}"
        yield b'],"categories":' + json_text("categories", categories) + b"}"


@dataclass(frozen=True)
class _PanopticEncoder:
    """The PNG of a sample, its segments, and its image."""

    format: str
    quality: int
    ids: tuple[int, ...]

    def __call__(self, sample: Sample, _: Sequence[Sample] = (), /) -> EncodedSample:
        check_sample(sample, "a panoptic data set")
        drawn = draw_rows(sample, self.ids)
        masks, _numbers = RleMasks.from_label_map(drawn.numbers)
        x0, y0, x1, y1 = masks.boxes.astype(np.int64).T
        boxes = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1).tolist()
        rows = zip(drawn.labels.tolist(), masks.area.tolist(), boxes, drawn.iscrowd.tolist(), strict=True)
        segments = [
            {"id": i, "category_id": label, "area": area, "bbox": box, "iscrowd": int(iscrowd)}
            for i, (label, area, box, iscrowd) in enumerate(rows, 1)
        ]
        colours = np.stack([drawn.numbers & 255, drawn.numbers >> 8 & 255, drawn.numbers >> 16], axis=2)
        files = {"panoptic/{}.png": raster_file(colours.astype(np.uint8))}
        image = image_file(sample, self.format, self.quality)
        return EncodedSample(image, image_fields(sample), segments, files, drawn.remarks, "panoptic")
