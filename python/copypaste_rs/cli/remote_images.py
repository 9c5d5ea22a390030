"""Inputs in an object store: annotations fetched once, images some ahead of the items that need them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from copypaste_rs.cli.parallel import IN_FLIGHT, MOST_IN_GROUP
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.file_names import possible_names
from copypaste_rs.datasets.needed_images import needed_images
from copypaste_rs.datasets.remote import RemoteFolder, Url

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset

AHEAD = 128
"""Items whose images are fetched at once."""


_IN_ONE_FILE = ("coco", "lvis")
"""Formats whose annotations are one file."""


class RemoteImages:
    """Images of targets below a URL, of which those of some items are in a local folder."""

    def __init__(self, folder: RemoteFolder, local: Path) -> None:
        self._folder = folder
        self._local = local

    def numbers(
        self, items: Sequence[int], data: CopyPasteDataset[Any], photos: AnnotatedImages, workers: int
    ) -> Sequence[int]:
        """The numbers of items; whoever takes some of them has their images in the local folder.

        Images are deleted once no item that is under way needs them, with so many workers.
        """
        lag = -(-IN_FLIGHT * workers * MOST_IN_GROUP // AHEAD) + 1
        return _FetchedNumbers(items, lambda some: self._needed(some, data, photos), self._folder, self._local, lag)

    def _needed(self, items: Sequence[int], data: CopyPasteDataset[Any], photos: AnnotatedImages) -> set[str]:
        names = set()
        for number in needed_images(data, items)[0]:
            possible = possible_names(photos.info(number), self._local)
            if not possible:
                raise ValueError(
                    f"{self._folder.url}: expected an image in it, got {photos.info(number)['file_name']!r}"
                )
            names.add(possible[0])
        return names


class _FetchedNumbers(Sequence[int]):
    """Numbers of items in groups, whose files are fetched when the first number of a group is taken."""

    def __init__(self, items: Sequence[int], needed: Any, folder: RemoteFolder, local: Path, lag: int) -> None:
        self._items = items
        self._needed = needed
        self._folder = folder
        self._local = local
        self._lag = lag
        self._held: list[set[str]] = []
        """Names of files by group, empty once they are let go of."""

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        positions = range(len(self))[index]
        last = positions if isinstance(positions, int) else max(positions, default=-1)
        while last >= len(self._held) * AHEAD:
            self._fetch()
        return self._items[index]

    def _fetch(self) -> None:
        start = len(self._held) * AHEAD
        names = self._needed(self._items[start : start + AHEAD])
        there = set().union(*self._held)
        self._folder.fetch({name: self._local / name for name in sorted(names - there)})
        self._held.append(names)
        old = len(self._held) - 1 - self._lag
        if old >= 0:
            gone, self._held[old] = self._held[old], set()
            for name in gone - set().union(*self._held):
                (self._local / name).unlink(missing_ok=True)


@contextmanager
def brought_here(options: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], RemoteImages | None]]:
    """Options whose annotations and images are local, and where images are fetched from, if they are remote."""
    annotations, images = options["annotations"], options["images"]
    if not isinstance(annotations, Url) and not isinstance(images, Url):
        yield dict(options), None
        return
    if images is None:
        raise click.UsageError("--images: expected the folder of images, as --annotations is a URL")
    if options["input_format"] not in {None, *_IN_ONE_FILE}:
        raise click.UsageError(f"--input-format: expected {' or '.join(_IN_ONE_FILE)} where inputs are URLs, since "
                               f"others have files beside their images, got {options['input_format']}")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="copypaste-rs-") as name:
        folder = Path(name)
        if isinstance(annotations, Url):
            url, _, file = annotations.rstrip("/").rpartition("/")
            place = folder / "annotations" / file
            RemoteFolder(Url(url)).fetch({file: place})
            annotations = place
        remote = None
        if isinstance(images, Url):
            remote = RemoteImages(RemoteFolder(images), folder / "images")
            images = folder / "images"
            images.mkdir()
        yield {**options, "annotations": annotations, "images": images}, remote
