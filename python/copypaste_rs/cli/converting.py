"""A data set in one format in, the set in another one out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs.cli.augmenting import check_files
from copypaste_rs.cli.writers import open_writer
from copypaste_rs.cli.writing import write_all
from copypaste_rs.datasets._extras import extra
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.encoding import EncodedSample, Encoder

with extra("cli"):
    import click


@dataclass(frozen=True, slots=True)
class ConvertItem:
    """The work for one image of a set, by its number."""

    photos: AnnotatedImages
    encode: Encoder
    format: str
    """Format of the images; "keep" copies their files."""

    def __call__(self, number: int) -> EncodedSample:
        """Encode it."""
        try:
            if self.format != "keep":
                return self.encode(self.photos[number])
            file = self.photos.path(number)
            data = file.read_bytes()
            self.photos.check_image(number)
            h, w = self.photos.size(number)
            blank = np.zeros((h, w, 3), np.uint8)  # its file is there already
            encoded = self.encode(Sample(blank, self.photos.instances(number), self.photos.info(number)))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{self.photos.info(number)['file_name']}: {error}") from None
        return encoded if encoded.data is None else encoded._replace(data=data, suffix=file.suffix)

    def name(self, number: int) -> str:
        """Name of its image: the one it has, with the suffix of the format."""
        name = PurePath(self.photos.path(number).relative_to(self.photos.image_folder))
        return name.as_posix() if self.format == "keep" else name.with_suffix(f".{self.format}").as_posix()


def convert(output: Path, photos: AnnotatedImages, options: Mapping[str, Any]) -> int:
    """Write the set in the format that the options ask for; how many images were made now."""
    if options["apply_exif"] and options["format"] == "keep":
        raise click.UsageError("--apply-exif: images are turned, so --image-format has to say how they are written")
    check_files(options["input"], photos, photos.categories)
    settings = {
        "input": f"sha256:{photos.digest}",
        **{name: options[name] for name in ("boxes", "crowds", "apply_exif", "dtype")},
        "columns": sorted(options["columns"]),
        "image_format": options["format"],
    }
    writer = open_writer(output, photos.categories, options, settings, photos.integers,
                         info=photos.file_info if isinstance(photos.file_info, dict) else {},
                         licenses=photos.licenses)  # fmt: skip
    return write_all(writer, ConvertItem(photos, writer.encoder(), options["format"]), len(photos), options["workers"])
