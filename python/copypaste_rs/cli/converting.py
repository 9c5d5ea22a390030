"""A data set in one format in, the set in another one out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.cli.augmenting import check_files
from copypaste_rs.cli.writers import open_writer, writer_class
from copypaste_rs.cli.writing import write_all
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.exif_orientation import with_upright_orientation
from copypaste_rs.datasets.formats import format_named
from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.image_headers import orientation
from copypaste_rs.datasets.images import check_whole, encode_image, read_image
from copypaste_rs.errors import ArgumentError
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.encoding import EncodedSample, Encoder

with extra("cli"):
    import click

EMPTY = "outlines that cover no pixel of their image, which are left out"
"""Remark on annotations that are no instances, which is seen only when an image is taken."""
UPRIGHT = "EXIF orientations that outlines do not follow, which are 1 now"
"""Remark on orientations that are taken out of files, which are else as they were."""
TURNED = "images that were turned as their EXIF orientation says, and encoded anew"
"""Remark on images whose pixels had to be turned."""


@dataclass(frozen=True, slots=True)
class ConvertItem:
    """The work for one image of a set, by its number."""

    photos: AnnotatedImages
    encode: Encoder
    format: str
    """Format of the images; "keep" copies their files."""
    quality: int
    turns: bool
    """Whether outlines are those of turned images in the format that is written."""

    def __call__(self, number: int) -> EncodedSample:
        """Encode it."""
        file = self.photos.path(number)
        try:
            return self._kept(number, file) if self.format == "keep" else self._encoded(number, self.photos[number])
        except (ValueError, TypeError) as error:
            if str(error).startswith(f"{file}: "):
                raise
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{self.photos.info(number)['file_name']}: {error}") from None

    def _encoded(self, number: int, sample: Sample) -> EncodedSample:
        encoded = self.encode(sample)
        if not (empty := self.photos.rows(number) - len(sample.instances)):
            return encoded
        return encoded._replace(remarks={**encoded.remarks, EMPTY: empty})

    def _kept(self, number: int, file: Path) -> EncodedSample:
        """The item with the file of its image as it is, but for an orientation that would be taken otherwise."""
        data = file.read_bytes()
        self.photos.check_image(number)
        check_whole(file, data)
        h, w = self.photos.size(number)
        blank = np.zeros((h, w, 3), np.uint8)  # its file is there already
        encoded = self._encoded(number, Sample(blank, self.photos.instances(number), self.photos.info(number)))
        if encoded.data is None:  # a format without images names them all the same
            return encoded._replace(suffix=file.suffix)
        remarks = dict(encoded.remarks)
        if self.photos.applies_exif != self.turns and orientation(data) != 1:
            data, told = self._turned(number, file, data)
            remarks[told] = 1
        return encoded._replace(data=data, suffix=file.suffix, remarks=remarks)

    def _turned(self, number: int, file: Path, data: bytes) -> tuple[bytes, str]:
        """The file of an image whose outlines and orientation belong together, and what was done for that."""
        if not self.photos.applies_exif and (made := with_upright_orientation(data)) is not None:
            return made, UPRIGHT
        kind = {b"\xff\xd8\xff": "jpg", b"\x89PN": "png"}.get(data[:3])
        if kind is None:
            raise ValueError(f"{file}: expected a JPEG or PNG file where an EXIF orientation is applied, got another "
                             "one; --image-format says how images are written")  # fmt: skip
        options = ImageOptions(self.photos.applies_exif, _checks.MAX_PIXELS, "keep")  # its size was checked
        pixels = read_image(file, self.photos.size(number), options, content=data)
        return encode_image(pixels, kind, self.quality), TURNED

    def name(self, number: int) -> str:
        """Name of its image."""
        return output_name(self.photos, number, self.format)


def output_name(photos: AnnotatedImages, number: int, kind: str) -> str:
    """Name of an image in the output: the one it has, with the suffix of the format of images, by name."""
    name = PurePath(photos.path(number).relative_to(photos.image_folder))
    return name.as_posix() if kind == "keep" else name.with_suffix(f".{kind}").as_posix()


def check_names(path: Path, photos: AnnotatedImages, options: Mapping[str, Any]) -> None:
    """Find out at the start that the format which is written cannot hold the name of an image."""
    writer = writer_class(options["output_format"])
    for number in range(len(photos)):
        try:
            writer.checked_name(output_name(photos, number, options["format"]))
        except ArgumentError as error:
            raise ValueError(f"{path}: {error}") from None


def convert(output: Path, photos: AnnotatedImages, options: Mapping[str, Any]) -> int:
    """Write the set in the format that the options ask for; how many images were made now."""
    if options["apply_exif"] and options["format"] == "keep":
        raise click.UsageError("--apply-exif: images are turned, so --image-format has to say how they are written")
    check_files(options["input"], photos, photos.categories)
    settings = {
        "input": f"sha256:{photos.digest}",
        **{name: options[name] for name in ("boxes", "crowds", "dtype")},
        "apply_exif": photos.applies_exif,
        "columns": sorted(options["columns"]),
        **({} if options["divisor"] is None else {"input_divisor": options["divisor"]}),
        "image_format": options["format"],
    }
    check_names(options["input"], photos, options)
    writer = open_writer(output, photos.categories, options, settings, photos.integers,
                         info=photos.file_info, licenses=photos.licenses)  # fmt: skip
    turns = format_named(options["output_format"]).turns
    encoder = writer.encoder_without_files() if options["format"] == "keep" else writer.encoder()
    item = ConvertItem(photos, encoder, options["format"], options["quality"], turns)
    return write_all(writer, item, range(len(writer), len(photos)), options["workers"])
