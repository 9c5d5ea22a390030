"""Samples to a COCO data set: image files and an annotation file that pycocotools loads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, final

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import keypoint_names
from copypaste_rs.datasets.encoding import EncodedSample, encode_sample
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.places import COCO
from copypaste_rs.datasets.sample_writer import Item, SampleWriter, checked_mapping

if TYPE_CHECKING:
    import os

    from copypaste_rs.datasets.encoding import Encoder


@final
class CocoWriter(SampleWriter):
    """Writes samples as a COCO data set: ``images/`` and ``annotations.json``.

    An image appears under its final name whole or not at all, and the annotation file when the block ends
    without an exception. Image and annotation ids count from 1. Areas and boxes are those of the masks; masks
    are written as compressed run lengths. Further columns are kept (NaN is left out; `image_id`, `category_id`,
    `bbox` and `segmentation`, which are made from what the sample holds, are refused), and each annotation says
    where it comes from: `source_image_id`, `source_annotation_id`, and of a result of `SimpleCopyPaste` also
    `source` (-1 is the target), `source_row` and `visibility`.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set. Notes of the run lie in
        ``.copypaste-rs/`` in it.
    categories : sequence of dict
        As in a COCO file; `CocoDataset.categories` fits. Each has an ``id``, and labels are among these.
    format : {"jpg", "png", "tif"}
        Of the images: JPEG holds 8 bits, PNG 8 or 16, TIFF these and float32 with any number of channels, as
        `encode_image` says.
    quality : int
        Of JPEG, 1 to 100.
    info : mapping, optional
        ``info`` of the annotation file.
    licenses : sequence, optional
        ``licenses`` of the annotation file.
    overwrite : bool
        Whether to delete what an earlier run has written there. Other files are left alone, and a folder that
        was not written by a `CocoWriter` is refused.
    resume : bool
        Whether to go on after the images that are there already: ``len(writer)`` says how many.
    settings : mapping, optional
        What the output depends on besides format, quality and categories; a run is resumed only with the same.
    integers : collection of str
        Columns of floats whose whole numbers are written as integers; `CocoDataset.integers` fits.

    Raises
    ------
    OSError
        When the folder holds something, or another run is writing to it; nothing has been changed then. When a file
        cannot be written, on a full disk say; what was written before is whole then, and `resume` goes on.
    ValueError, TypeError
        When an argument, or a sample, cannot be written; nothing of it has been then.

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

    layout = COCO

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
        first = self._output.annotations + 1
        return item._replace(
            image={"id": number, "file_name": file, **item.image},
            annotations=[
                {"id": k, "image_id": number, **annotation} for k, annotation in enumerate(item.annotations, first)
            ],
        )

    def _check_points(self, numbers: int) -> None:
        """Check that an annotation has as many numbers for keypoints as the categories say, or those before had."""
        if numbers and self._points is None:
            self._points = numbers
        if numbers and numbers != self._points:
            expected = f"{(self._points or 0) // 3} keypoints, as the categories or samples before have"
            raise wrong("encoded", expected, str(numbers // 3))

    def _ends(self) -> Mapping[str, Iterable[bytes]]:
        return {COCO.ends[0]: self._annotation_file()}

    def _annotation_file(self) -> Iterator[bytes]:
        yield json_text("head", {**self._head, "categories": self.categories}).removesuffix(b"}")
        yield b',"images":['
        for i, record in enumerate(self._output.records()):
            yield (b"," if i else b"") + bytes(record.image_json)
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
