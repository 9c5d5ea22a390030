"""Notes of an output: files before they are there, and a record of each item once all of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.image_files import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

with extra("coco"):
    import msgspec

_SHORT = "images/"


class Record(msgspec.Struct, gc=False, omit_defaults=True):
    """One item that was written, and what the files at the end will say of it."""

    file: str
    """Main file, the image, as `noted` has it; empty where an item has no file of its own."""
    size: int
    crc: int
    annotations: int
    """Number of annotations."""
    image_json: msgspec.Raw
    """Fields of the item, a JSON object."""
    annotations_json: msgspec.Raw
    """Annotations of the item, a JSON array of objects."""
    more: tuple[tuple[str, int, int], ...] = ()
    """Further files: each as `noted` has it, with size and CRC."""
    name: str | None = None
    """Name of the item, where it is another than `file`."""
    remarks: dict[str, int] = {}  # a copy for each, as msgspec has it
    """Losses of the sample in the format, counted."""
    images: int = 1
    """Number of images, whose fields stand one after the other where it is not 1."""

    @property
    def item(self) -> str:
        """Name of the item."""
        return self.file if self.name is None else self.name

    def files(self) -> Iterator[tuple[str, int, int]]:
        """Files of the item, each with size and CRC."""
        if self.file:
            yield self.file, self.size, self.crc
        yield from self.more


def noted(path: str) -> str:
    """The form in which a file below the root is noted: one in ``images/`` without that, others after a slash."""
    return path.removeprefix(_SHORT) if path.startswith(_SHORT) else "/" + path


def path_of(name: str) -> str | None:
    """The file that a noted name means, below the root; None for what is no such name."""
    path = name[1:] if name.startswith("/") else _SHORT + name
    return path if is_inside(name.removeprefix("/")) else None
