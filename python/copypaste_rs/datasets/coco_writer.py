"""Samples to a COCO data set: image files and an annotation file that pycocotools loads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import category_ids, keypoint_names
from copypaste_rs.datasets.column_names import column_names
from copypaste_rs.datasets.encoding import EncodedSample, encode_sample
from copypaste_rs.datasets.images import FORMATS, check_path, is_inside
from copypaste_rs.datasets.json_values import check_text, json_text
from copypaste_rs.datasets.output import OutputFolder
from copypaste_rs.errors import ArgumentError

if TYPE_CHECKING:
    import os

    from typing_extensions import Self

    from copypaste_rs.sample import Sample

_SUFFIXES = {"jpg": (".jpg", ".jpeg"), "png": (".png",), "tif": (".tif", ".tiff")}

_NOTED = ("format", "quality", "categories")
"""Settings that the writer notes by itself."""


@final
class CocoWriter:
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
        folder = check_path("directory", directory)
        self.format = _checks.choice("format", format, FORMATS)
        self.quality = _checks.integer("quality", quality, 1, 100)
        self.integers = column_names("integers", integers)
        self._categories = category_ids("categories", categories)
        names = keypoint_names("categories", categories)
        self._points = None if names is None else 3 * len(names)
        self._head = {
            "info": dict(_mapping("info", {} if info is None else info)),
            "licenses": [] if licenses is None else _sequence("licenses", licenses),
            "categories": [dict(category) for category in categories],
        }
        for name, value in self._head.items():
            json_text(name, value)  # now, and not after the last image
        more = dict(_mapping("settings", {} if settings is None else settings))
        if taken := [name for name in _NOTED if name in more]:
            raise wrong("settings", f"other names than {', '.join(_NOTED)}", repr(taken[0]))
        known = {"format": self.format, "quality": self.quality, "categories": self._head["categories"]}
        self._output = OutputFolder(
            folder,
            {**known, **more},
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
            An image that the format holds, whose instances have masks and integer labels.
        file_name : str, optional
            Under ``images/``, folders allowed, with the suffix of the format; None counts: ``000000000001.jpg``.
        sources : sequence of Sample
            The sources that the transform was given, for their image ids.
        """
        encoded = self._encode(sample, sources)
        try:
            return self.write_encoded(encoded, file_name)
        except ArgumentError as error:
            raise error.renamed("sample") if error.argument == "encoded" else error from None

    def _encode(self, sample: Sample, sources: Sequence[Sample]) -> EncodedSample:
        return encode_sample(sample, sources, format=self.format, quality=self.quality, integers=self.integers)

    def write_encoded(self, encoded: EncodedSample, file_name: str | None = None) -> int:
        """Write what ``encode_sample`` has made, here or in another process, and return the image id."""
        if not self._open:
            raise ValueError("CocoWriter: is closed")
        if not isinstance(encoded, EncodedSample):
            raise wrong_type("encoded", "what encode_sample makes", type(encoded).__name__)
        number = len(self) + 1
        file = f"{number:012d}.{self.format}" if file_name is None else self._checked_name(file_name)
        for annotation in encoded.annotations:
            if annotation["category_id"] not in self._categories:
                raise wrong("encoded", "labels that are among the categories", str(annotation["category_id"]))
            self._check_points(len(annotation.get("keypoints", ())))
        annotations = [
            {"id": self._annotations + k, "image_id": number, **annotation}
            for k, annotation in enumerate(encoded.annotations, 1)
        ]
        self._output.add(encoded.data, file, {"id": number, "file_name": file, **encoded.image}, annotations)
        self._files.add(file)
        self._annotations += len(annotations)
        return number

    def _check_points(self, numbers: int) -> None:
        """Check that an annotation has as many numbers for keypoints as the categories say, or those before had."""
        if numbers and self._points is None:
            self._points = numbers
        if numbers and numbers != self._points:
            expected = f"{(self._points or 0) // 3} keypoints, as the categories or samples before have"
            raise wrong("encoded", expected, str(numbers // 3))

    def _checked_name(self, file_name: object) -> str:
        if not isinstance(file_name, str):
            raise wrong_type("file_name", "a string", repr(file_name))
        check_text("file_name", file_name)
        if "\n" in file_name:
            raise wrong("file_name", "a name without line breaks", repr(file_name))
        if not is_inside(file_name):
            raise wrong("file_name", "a name inside the folder of images", repr(file_name))
        file = str(PurePosixPath(file_name))  # "./x.jpg" and "x.jpg" are one file
        if not file.lower().endswith(_SUFFIXES[self.format]):
            raise wrong("file_name", f"the suffix {' or '.join(_SUFFIXES[self.format])}", repr(file))
        if file in self._files:
            raise wrong("file_name", "a name that is not taken yet", repr(file))
        return file

    def close(self) -> None:
        """Write the annotation file and let go of the folder, of the latter also when the former fails."""
        try:
            if self._open:
                self._output.finish(self._head)
        except BaseException:
            with suppress(OSError):
                self._let_go()
            raise
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
            with suppress(OSError):  # the exception on its way is the one to be seen
                self._let_go()


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong_type(name, "a mapping", type(value).__name__)
    return value


def _sequence(name: str, value: object) -> list[Any]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise wrong_type(name, "a sequence", type(value).__name__)
    return list(value)
