"""Samples to a list of COCO results, and a file that names their images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from copypaste_rs._checks import wrong
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.encoding import EncodedSample, check_sample, sample_fields
from copypaste_rs.datasets.given_ids import GIVEN
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import Item, SampleWriter

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.sample import Sample

RESULTS, IMAGES = "results.json", "image_info.json"
LAYOUT = OutputLayout("coco-results", images="", ends=(RESULTS, IMAGES))
_NO_FIELDS = ("area", "iscrowd", "num_keypoints", "source_image_id", "source_annotation_id")
"""Fields of annotations that results do not have."""


@dataclass(frozen=True)
class ResultsEncoder:
    """The results of a sample; crowds, which no model predicts, are left out, and a score that is missing is 1."""

    integers: frozenset[str]

    def __call__(self, sample: Sample, sources: Sequence[Sample] = (), /) -> EncodedSample:
        """The sample, and the sources that the transform was given."""
        check_sample(sample, "a list of results")
        image, annotations = sample_fields(sample, sources, self.integers)
        crowds, unscored = 0, 0
        results = []
        for each in annotations:
            if each["iscrowd"]:
                crowds += 1
                continue
            score = each.setdefault("score", None)
            if score is None:
                unscored += 1
                each["score"] = 1.0
            elif isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
                raise wrong("sample.instances.score", "numbers from 0 to 1", repr(score))
            results.append({name: value for name, value in each.items() if name not in _NO_FIELDS})
        number, name = (image.pop(f"source_{field}", None) for field in ("image_id", "file_name"))
        number = image.pop(GIVEN, number)
        if not isinstance(number, int | str) or isinstance(number, bool):
            raise wrong("sample.info", "an image_id, which results name", repr(number))
        image = {**image, "id": number} if name is None else {**image, "id": number, "file_name": name}
        lost = {"crowds": crowds, "objects without a score, which have 1 now": unscored}
        return EncodedSample(None, image, results, {}, lost, LAYOUT.name)


class _Numbered(msgspec.Struct, gc=False):
    """The id of an image."""

    id: int | str


class _Outlined(msgspec.Struct, gc=False):
    """Whether a result has an outline."""

    segmentation: msgspec.Raw = msgspec.Raw()


@final
class ResultsWriter(SampleWriter):
    """Writes the instances of samples as a list of COCO results, which pycocotools loads; no images.

    ``results.json`` is the list. Each result has the ``image_id`` of its sample's info, and the further columns. It has
    its outline as compressed run lengths, and a ``bbox`` only where the list has objects without outlines, as
    pycocotools takes the area of a box where there is one. ``image_info.json`` has the images and categories, for
    `ResultsDataset`.

    Parameters
    ----------
    directory, categories, format, quality, overwrite, resume, settings, integers, shard
        As of `CocoWriter`; no image is written, so that `format` matters to names alone, and `quality` to nothing.

    Warns
    -----
    UserWarning
        When it is closed: of crowds, which are left out, and of objects without a score, which get 1, with counts.

    Raises
    ------
    OSError, ValueError, TypeError
        As `CocoWriter`; also when a score is not in 0 to 1, or an image has no ``image_id``, or that of another one.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from copypaste_rs.datasets import sample_data
    >>> photo = sample_data()[0]
    >>> scored = photo.replace(instances=photo.instances.replace(score=[0.5]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ResultsWriter(folder, sample_data().categories) as writer:
    ...         writer.write(scored)
    ...     results = json.loads(Path(folder, "results.json").read_text())
    1
    >>> results[0]["image_id"], results[0]["category_id"], results[0]["score"]
    (1, 1, 0.5)
    """

    layout = LAYOUT
    holds_copies = False

    _image_ids: set[int | str] | None = None
    """Ids of the images that are there, once they are asked for."""

    def encoder(self) -> Encoder:
        """The function that makes of a sample, and of sources, what `write_encoded` takes.

        Worker processes can have it: it is pure, and can be pickled.
        """
        return ResultsEncoder(self.integers)

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        for result in encoded.annotations:
            if result["category_id"] not in self._category_ids:
                raise wrong("encoded", "labels that are among the categories", str(result["category_id"]))
        if self._image_ids is None:
            decode = msgspec.json.Decoder(_Numbered).decode
            self._image_ids = {decode(record.image_json).id for record in self._output.records()}
        image_id = encoded.image["id"]
        if image_id in self._image_ids:
            raise wrong("encoded", "an image_id that is not taken yet", repr(image_id))
        item = super()._item(encoded, file, number)
        return item._replace(
            image={"file_name": file, **item.image},
            annotations=[{"image_id": image_id, **result} for result in item.annotations],
        )

    def _write(self, encoded: EncodedSample, file_name: str | None) -> int:
        number = super()._write(encoded, file_name)
        assert self._image_ids is not None
        self._image_ids.add(encoded.image["id"])
        return number

    def _ends(self) -> Mapping[str, Iterable[bytes]]:
        return {RESULTS: self._results(), IMAGES: self._images()}

    def _results(self) -> Iterator[bytes]:
        outlined = msgspec.json.Decoder(list[_Outlined]).decode
        fields = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
        records = self._output.records
        has_boxes = not all(bytes(each.segmentation) for one in records() for each in outlined(one.annotations_json))
        before = b"["
        for record in records():
            for result in fields(record.annotations_json):
                if not has_boxes:
                    del result["bbox"]
                yield before + msgspec.json.encode(result)
                before = b",\n"
        yield b"[]" if before == b"[" else b"]"

    def _images(self) -> Iterator[bytes]:
        yield b'{"images":['
        for i, record in enumerate(self._output.records()):
            yield (b"," if i else b"") + bytes(record.image_json)
        yield b'],"annotations":[],"categories":' + json_text("categories", self.categories) + b"}"
