"""Files of COCO's form, which the writers of COCO and of LVIS share: images, and one JSON file of all annotations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.categories import keypoint_names
from copypaste_rs.datasets.encoding import EncodedSample, encode_sample
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.sample_writer import Item, SampleWriter, checked_mapping

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    import os

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.records import Record
    from copypaste_rs.datasets.shards import Shard

_FIELDS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
"""Annotations of an item whose values stay text."""


class CocoFileWriter(SampleWriter):
    """Writes images, and at the end one annotation file, the first of the layout's ``ends``.

    Parameters
    ----------
    directory, categories, format, quality, info, licenses, overwrite, resume, settings, integers, shard
        As of `CocoWriter`.
    """

    _own_options: Mapping[str, Any] = {}
    """Options of a format beside those here, set before ``__init__`` is called."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        format: str = "jpg",  # noqa: A002 (as in Pillow)
        quality: int = 95,
        info: Mapping[str, Any] | None = None,
        licenses: Sequence[Any] | None = None,
        overwrite: bool = False,
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
        integers: Collection[str] = (),
        shard: Shard | None = None,
    ) -> None:
        self._head = {
            "info": dict(checked_mapping("info", {} if info is None else info)),
            "licenses": [] if licenses is None else _sequence("licenses", licenses),
        }
        for name, value in self._head.items():
            json_text(name, value)  # now, and not after the last image
        super().__init__(
            directory,
            categories,
            format=format,
            quality=quality,
            overwrite=overwrite,
            resume=resume,
            settings=settings,
            integers=integers,
            shard=shard,
            options=self._own_options,
        )

    def _prepare(self) -> None:
        names = keypoint_names("categories", self.categories)
        self._points = None if names is None else 3 * len(names)

    def encoder(self) -> Encoder:
        """The function that makes of a sample, and of sources, what `write_encoded` takes.

        Worker processes can have it: it is pure, and can be pickled.
        """
        return partial(encode_sample, format=self.format, quality=self.quality, integers=self.integers)

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        for annotation in encoded.annotations:
            if annotation["category_id"] not in self._category_ids:
                raise wrong("encoded", "labels that are among the categories", str(annotation["category_id"]))
            self._check_points(len(annotation.get("keypoints", ())))
        item = super()._item(encoded, file, number)
        first = self._annotations_before() + 1
        return item._replace(
            image={"id": number, "file_name": file, **item.image},
            annotations=[
                {"id": k, "image_id": number, **annotation} for k, annotation in enumerate(item.annotations, first)
            ],
        )

    def _annotations_before(self) -> int:
        """Number of annotations that are there."""
        return self._output.annotations

    def _check_points(self, numbers: int) -> None:
        """Check that an annotation has as many numbers for keypoints as the categories say, or those before had."""
        if numbers and self._points is None:
            self._points = numbers
        if numbers and numbers != self._points:
            expected = f"{(self._points or 0) // 3} keypoints, as the categories or samples before have"
            raise wrong("encoded", expected, str(numbers // 3))

    def _renumbered(self, record: Record) -> Record:
        before = self._output.annotations
        annotations = _FIELDS.decode(record.annotations_json)
        for number, annotation in enumerate(annotations, before + 1):
            annotation["id"] = msgspec.Raw(b"%d" % number)
        return msgspec.structs.replace(record, annotations_json=msgspec.Raw(msgspec.json.encode(annotations)))

    def _end_arguments(self) -> dict[str, Any]:
        return {name: self._head[name] for name in ("info", "licenses")}

    def _ends(self) -> Mapping[str, Iterable[bytes]]:
        return {self.layout.ends[0]: self._annotation_file()}

    def _final_categories(self) -> list[dict[str, Any]]:
        """Categories as the file has them."""
        return self.categories

    def _image_fields(self, record: Record) -> bytes:
        """JSON of the image, or of the images with commas between them, of a record."""
        return bytes(record.image_json)

    def _annotation_file(self) -> Iterator[bytes]:
        yield json_text("head", {**self._head, "categories": self._final_categories()}).removesuffix(b"}")
        yield b',"images":['
        for i, record in enumerate(self._output.records()):
            yield (b"," if i else b"") + self._image_fields(record)
        yield b'],"annotations":['
        first = True
        for record in self._output.records():
            if record.annotations:
                yield (b"" if first else b",") + bytes(record.annotations_json)[1:-1]
                first = False
        yield b"]}"


def _sequence(name: str, value: object) -> list[Any]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise wrong_type(name, "a sequence", type(value).__name__)
    return list(value)
