"""Samples to an LVIS data set: the files of COCO, with what LVIS says of categories and images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from copypaste_rs._engine.infos import NEGATIVE
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.category_lists import NOT_EXHAUSTIVE
from copypaste_rs.datasets.coco_file_writer import CocoFileWriter
from copypaste_rs.datasets.encoding import EncodedSample, encode_sample
from copypaste_rs.datasets.formats.lvis.dataset import check_frequencies
from copypaste_rs.datasets.places import OutputLayout

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.sample_writer import Item
    from copypaste_rs.sample import Sample

LAYOUT = OutputLayout("lvis", ends=("annotations.json",))

_MOST = {"r": 10, "c": 100}
"""Images that have a category of each group, at most; others are frequent."""


@dataclass(frozen=True)
class LvisEncoder:
    """The image and the annotations of a sample; crowds and boxes alone become classes not annotated throughout."""

    format: str
    quality: int
    integers: frozenset[str]

    def __call__(self, sample: Sample, sources: Sequence[Sample] = (), /) -> EncodedSample:
        """The sample, and the sources that the transform was given."""
        encoded = encode_sample(sample, sources, format=self.format, quality=self.quality, integers=self.integers)
        crowds = [each for each in encoded.annotations if each["iscrowd"]]
        boxes = [each for each in encoded.annotations if not each["iscrowd"] and "segmentation" not in each]
        held = [each for each in encoded.annotations if not each["iscrowd"] and "segmentation" in each]
        image, there = encoded.image, {each["category_id"] for each in encoded.annotations}
        partly = [*image.get(NOT_EXHAUSTIVE, ()), *(each["category_id"] for each in (*crowds, *boxes))]
        lists = {
            NEGATIVE: [number for number in image.get(NEGATIVE, ()) if number not in there],
            NOT_EXHAUSTIVE: list(dict.fromkeys(partly)),
        }
        lost = {"crowds": len(crowds), "boxes without outlines": len(boxes)}
        return encoded._replace(image=image | lists, annotations=held, remarks=lost, format=LAYOUT.name)


class _WithLists(msgspec.Struct, gc=False):
    """The category of an annotation."""

    category_id: int


@final
class LvisWriter(CocoFileWriter):
    """Writes samples as an LVIS data set: ``images/`` and ``annotations.json``, which the package lvis reads.

    The files are those of `CocoWriter`, and beside their fields each image has ``coco_url`` (the path of the image
    below `directory`; an URL that the sample came with becomes ``source_coco_url``), ``neg_category_ids`` and
    ``not_exhaustive_category_ids``: those of the sample's info, or none. LVIS has no crowds, and no boxes without
    outlines: these are left out and counted, and their classes are put down as not annotated exhaustively.

    Each category gets ``image_count`` and ``instance_count`` of what was written, and ``frequency`` where it has none:
    "r" for at most 10 images, "c" for at most 100, else "f".

    Parameters
    ----------
    directory, categories, format, quality, info, licenses, overwrite, resume, settings, integers, shard
        As of `CocoWriter`.

    Warns
    -----
    UserWarning
        When it is closed, of what LVIS cannot hold, with counts.

    Raises
    ------
    OSError, ValueError, TypeError
        As `CocoWriter`; also when a category has a ``frequency`` that LVIS does not know.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from copypaste_rs.datasets import sample_data
    >>> photos = sample_data()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with LvisWriter(folder, photos.categories[:1]) as writer:
    ...         writer.write(photos[0].replace(info={"neg_category_ids": [2]}))
    ...     written = json.loads(Path(folder, "annotations.json").read_text())
    1
    >>> written["images"][0]["neg_category_ids"], written["categories"]
    ([2], [{'id': 1, 'name': 'cup', 'frequency': 'r', 'image_count': 1, 'instance_count': 1}])
    """

    layout = LAYOUT

    def _prepare(self) -> None:
        super()._prepare()
        check_frequencies("categories", self.categories)

    def encoder(self) -> Encoder:
        """The function that makes of a sample, and of sources, what `write_encoded` takes.

        Worker processes can have it: it is pure, and can be pickled.
        """
        return LvisEncoder(self.format, self.quality, self.integers)

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        item = super()._item(encoded, file, number)
        image = {**item.image, "coco_url": f"{LAYOUT.images}/{file}"}
        if (url := item.image.get("coco_url")) is not None:
            image["source_coco_url"] = url
        return item._replace(image=image)

    def _final_categories(self) -> list[dict[str, Any]]:
        images: Counter[int] = Counter()
        instances: Counter[int] = Counter()
        decode = msgspec.json.Decoder(list[_WithLists]).decode
        for record in self._output.records():
            labels = [each.category_id for each in decode(record.annotations_json)]
            images.update({*labels})
            instances.update(labels)
        return [
            {
                **category,
                "frequency": category.get("frequency") or _group(images[category["id"]]),
                "image_count": images[category["id"]],
                "instance_count": instances[category["id"]],
            }
            for category in self.categories
        ]


def _group(images: int) -> str:
    """The group of a category that so many images have."""
    return next((group for group, most in _MOST.items() if images <= most), "f")
