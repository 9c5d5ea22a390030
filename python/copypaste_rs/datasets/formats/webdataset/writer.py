"""Samples to tar files of webdataset, and one annotation file."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets.coco_file_writer import CocoFileWriter
from copypaste_rs.datasets.encoding import EncodedSample, encode_sample
from copypaste_rs.datasets.formats.webdataset.tar_members import end, member
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.logs import AppendLog
from copypaste_rs.datasets.output import Draft
from copypaste_rs.datasets.places import OutputLayout

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from typing_extensions import Unpack

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.records import Record
    from copypaste_rs.datasets.sample_writer import Item, WriterOptions
    from copypaste_rs.sample import Sample

LAYOUT = OutputLayout("webdataset", images="", ends=("annotations.json",))

TAR_SAMPLES = 1000
"""Samples of a tar file where nobody says how many."""


@dataclass(frozen=True)
class WebdatasetEncoder:
    """The image and the annotations of a sample, as COCO has them."""

    format: str
    quality: int
    integers: frozenset[str]

    def __call__(self, sample: Sample, sources: Sequence[Sample] = (), /) -> EncodedSample:
        """The sample, and the sources that the transform was given."""
        made = encode_sample(sample, sources, format=self.format, quality=self.quality, integers=self.integers)
        return made._replace(format=LAYOUT.name)


@final
class WebdatasetWriter(CocoFileWriter):
    """Writes samples as tar files, which the package webdataset streams: ``000000.tar`` and on, ``annotations.json``.

    A sample is an image and a JSON file in a tar file, under the number of the sample as key: ``000000000001.jpg``,
    ``000000000001.json``. The latter has the fields of COCO: ``image`` with ``file_name`` and ``tar``, and
    ``annotations`` without ids. ``annotations.json`` is that of `CocoWriter` for all samples.

    A tar file appears whole or not at all: `resume` goes on after the last whole one. Its bytes depend on the samples
    alone: members have neither times nor owners.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    categories : sequence of dict
        As of `CocoWriter`.
    tar_samples : int
        Samples of a tar file, at most: all but the last have as many.
    info, licenses
        As of `CocoWriter`.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings`, `integers` and `shard` as of `CocoWriter`; of a shard,
        the `unit` is `tar_samples`.

    Raises
    ------
    OSError, ValueError, TypeError
        As from `CocoWriter`.

    Examples
    --------
    >>> import tarfile, tempfile
    >>> from copypaste_rs.datasets import sample_data
    >>> photos = sample_data()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with WebdatasetWriter(folder, photos.categories, tar_samples=3) as writer:
    ...         for i in range(5):
    ...             _ = writer.write(photos[i])
    ...     with tarfile.open(f"{folder}/000001.tar") as second:
    ...         second.getnames()
    ['000000000004.jpg', '000000000004.json', '000000000005.jpg', '000000000005.json']
    """

    layout = LAYOUT

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        tar_samples: SupportsIndex = TAR_SAMPLES,
        info: Mapping[str, Any] | None = None,
        licenses: Sequence[Any] | None = None,
        **options: Unpack[WriterOptions],
    ) -> None:
        self.tar_samples = _checks.integer("tar_samples", tar_samples, 1, 10**6)
        shard = options.get("shard")
        if shard is not None and shard.unit != self.tar_samples:
            raise wrong("shard", f"one whose unit is {self.tar_samples}, as samples of a tar file are", repr(shard))
        self._own_options = {"tar_samples": self.tar_samples}
        self._waiting = _Waiting()
        super().__init__(directory, categories, info=info, licenses=licenses, **options)

    def __len__(self) -> int:
        """Number of samples that are there; those of the tar file that is not whole yet are among them."""
        return super().__len__() + self._waiting.images

    def encoder(self) -> Encoder:
        """The function that makes of a sample, and of sources, what `write_encoded` takes.

        Worker processes can have it: it is pure, and can be pickled.
        """
        return WebdatasetEncoder(self.format, self.quality, self.integers)

    def write_renamed(self, encoded: EncodedSample, file_name: str) -> int:
        """Write as `write_encoded` does: samples have numbers for names; their files' names stand in the fields."""
        del file_name
        return self.write_encoded(encoded)

    def _name(self, file_name: object, suffixes: tuple[str, ...]) -> str:
        name = super()._name(file_name, suffixes)
        if name != f"{self._next():012d}{suffixes[0]}":
            raise wrong("file_name", "none, as samples of tar files are numbered", repr(file_name))
        return name

    def _annotations_before(self) -> int:
        return super()._annotations_before() + self._waiting.annotations

    def _put(self, file: str, item: Item, encoded: EncodedSample) -> None:
        waiting = self._waiting
        number = self._next() - 1
        tar = f"{number // self.tar_samples:06d}.tar"
        if not waiting.images:
            if number % self.tar_samples:
                raise ValueError(f"{self._output.root / tar}: is finished with fewer samples; overwrite starts anew")
            waiting.log = AppendLog(self._output.draft, 0)
        image = {**item.image, "tar": tar}
        fields = [{name: value for name, value in each.items() if name != "id"} for each in item.annotations]
        key = file.rpartition(".")[0]
        text = json_text("sample", {"image": image, "annotations": fields})
        waiting.append(member(file, item.files[file]) + member(f"{key}.json", text))
        waiting.take(json_text("image", image), json_text("annotations", item.annotations), item, encoded)
        if waiting.images == self.tar_samples:
            self._put_tar()

    def _put_tar(self) -> None:
        """Put the tar file in place whose samples wait."""
        waiting = self._waiting
        first = len(self) - waiting.images + (0 if self.shard is None else self.shard.first)
        tar = f"{first // self.tar_samples:06d}.tar"
        try:
            waiting.append(end(waiting.length))
            waiting.close()
            self._output.add_encoded(
                tar,
                {tar: Draft(self._output.draft, waiting.length, waiting.crc)},
                b"[" + b",".join(waiting.image_texts) + b"]",
                b"[" + b",".join(waiting.annotation_texts) + b"]",
                waiting.annotations,
                waiting.remarks,
                images=waiting.images,
            )
        except BaseException:
            with suppress(OSError):
                self._let_go()  # a part of its samples may be gone: only another writer can go on
            raise
        self._waiting = _Waiting()

    def _put_last(self) -> None:
        if self._waiting.images:
            self._put_tar()

    def _let_go(self) -> None:
        self._waiting.close()
        super()._let_go()

    def _image_fields(self, record: Record) -> bytes:
        return bytes(record.image_json)[1:-1]


class _Waiting:
    """Samples of a tar file that is not whole yet: its members are on disk, what is noted of them is held."""

    def __init__(self) -> None:
        self.log: AppendLog | None = None
        self.images = 0
        self.annotations = 0
        self.length = 0
        self.crc = 0
        self.image_texts: list[bytes] = []
        self.annotation_texts: list[bytes] = []
        self.remarks: dict[str, int] = {}

    def append(self, data: bytes) -> None:
        """Append to the tar file; where that fails, it is as before."""
        assert self.log is not None
        self.log.append(data)
        self.length += len(data)
        self.crc = zlib.crc32(data, self.crc)

    def close(self) -> None:
        """Close the tar file, if there is one."""
        if self.log is not None:
            self.log.close()

    def take(self, image: bytes, annotations: bytes, item: Item, encoded: EncodedSample) -> None:
        """Take note of a sample."""
        self.images += 1
        self.annotations += len(item.annotations)
        self.image_texts.append(image)
        if item.annotations:
            self.annotation_texts.append(annotations[1:-1])
        for what, count in encoded.remarks.items():
            self.remarks[what] = self.remarks.get(what, 0) + count
