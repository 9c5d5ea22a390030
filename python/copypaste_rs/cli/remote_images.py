"""Inputs in an object store: annotations fetched once, images some ahead of the items that need them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from copypaste_rs.cli.parallel import IN_FLIGHT, MOST_IN_GROUP
from copypaste_rs.cli.words import name_as
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.file_names import possible_names
from copypaste_rs.datasets.needed_images import needed_images
from copypaste_rs.datasets.remote import RemoteFolder, Url

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset

AHEAD = 128
"""Items whose images are fetched at once."""


_IN_ONE_FILE = ("coco", "lvis")
"""Formats whose annotations are one file."""


class _Store(NamedTuple):
    """A folder of images in an object store, and the local folder where some of them are."""

    folder: RemoteFolder
    local: Path


_Names = set[tuple[int, str]]
"""Files of images: 0 for those of targets and 1 for those of sources, and the name."""


class RemoteImages:
    """Images below URLs, of targets, of sources or of both; those of some items are in local folders."""

    def __init__(self, targets: _Store | None, sources: _Store | None) -> None:
        self._stores = (targets, sources)
        self._numbers: _FetchedNumbers | None = None

    @property
    def has_targets(self) -> bool:
        """Whether images of targets are fetched."""
        return self._stores[0] is not None

    @property
    def has_sources(self) -> bool:
        """Whether images of sources are fetched, where these are a set of their own."""
        return self._stores[1] is not None

    def numbers(self, items: Sequence[int], data: CopyPasteDataset[Any], inputs: Inputs, workers: int) -> Sequence[int]:
        """The numbers of items; whoever takes some of them has their images in the local folders.

        Images are deleted once no item that is under way needs them, with so many workers; those of the call before,
        whose items are all done, are deleted now.
        """
        if self._numbers is not None:
            self._numbers.let_go()
        lag = -(-IN_FLIGHT * workers * MOST_IN_GROUP // AHEAD) + 1
        self._numbers = _FetchedNumbers(items, lambda some: self._needed(some, data, inputs), self._stores, lag)
        return self._numbers

    def _needed(self, items: Sequence[int], data: CopyPasteDataset[Any], inputs: Inputs) -> _Names:
        found = set()
        sets = zip(self._stores, (inputs.targets, inputs.sources), needed_images(data, items), strict=True)
        for which, (store, photos, numbers) in enumerate(sets):
            if store is None or photos is None:
                continue
            for number in numbers:
                possible = possible_names(photos.info(number), store.local)
                if not possible:
                    name = photos.info(number)["file_name"]
                    raise ValueError(f"{store.folder.url}: expected an image in it, got {name!r}")
                found.add((which, possible[0]))
        return found


class _FetchedNumbers(Sequence[int]):
    """Numbers of items in groups, whose files are fetched when the first number of a group is taken."""

    def __init__(
        self,
        items: Sequence[int],
        needed: Callable[[Sequence[int]], _Names],
        stores: Sequence[_Store | None],
        lag: int,
    ) -> None:
        self._items = items
        self._needed = needed
        self._stores = stores
        self._lag = lag
        self._held: list[_Names] = []
        """Files by group, none once they are let go of."""

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

    def let_go(self) -> None:
        """Delete the files of all groups."""
        self._delete(set().union(*self._held))
        self._held = [set() for _ in self._held]

    def _fetch(self) -> None:
        start = len(self._held) * AHEAD
        names = self._needed(self._items[start : start + AHEAD])
        missing = sorted(names.difference(*self._held))
        for which, store in enumerate(self._stores):
            files = [name for of, name in missing if of == which]
            if store is not None and files:
                store.folder.fetch({name: store.local / name for name in files})
        self._held.append(names)
        old = len(self._held) - 1 - self._lag
        if old >= 0:
            gone, self._held[old] = self._held[old], set()
            self._delete(gone.difference(*self._held))

    def _delete(self, names: _Names) -> None:
        for which, name in names:
            store = self._stores[which]
            assert store is not None
            (store.local / name).unlink(missing_ok=True)


@contextmanager
def brought_here(options: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], RemoteImages | None]]:
    """Options whose annotations and images are local, and where images are fetched from, if they are remote."""
    given = dict(options)
    sets = {
        of: kind
        for of, kind in (("", "input"), ("source_", "source"))
        if isinstance(options[f"{of}annotations"], Url) or isinstance(options[f"{of}images"], Url)
    }
    for of, kind in sets.items():
        _check_remote(options, of, kind)
    if not sets:
        yield given, None
        return
    stores: dict[str, _Store] = {}
    with tempfile.TemporaryDirectory(prefix="copypaste-rs-") as name:
        for of, kind in sets.items():
            annotations, images = options[f"{of}annotations"], options[f"{of}images"]
            folder = Path(name, kind)
            if isinstance(annotations, Url):
                url, _, file = annotations.rstrip("/").rpartition("/")
                given[f"{of}annotations"] = folder / "annotations" / file
                name_as(folder / "annotations", url)
                RemoteFolder(Url(url)).fetch({file: folder / "annotations" / file})
            if isinstance(images, Url):
                given[f"{of}images"] = folder / "images"
                (folder / "images").mkdir(parents=True)
                name_as(folder / "images", images.rstrip("/"))
                stores[of] = _Store(RemoteFolder(images), folder / "images")
        yield given, RemoteImages(stores.get(""), stores.get("source_")) if stores else None


def _check_remote(options: Mapping[str, Any], of: str, kind: str) -> None:
    """Refuse a set of URLs whose images are elsewhere than said, or whose annotations are many files."""
    start = f"--{of.replace('_', '-')}"
    if options[f"{of}images"] is None:
        raise click.UsageError(f"{start}images: expected the folder of images, as {start}annotations is a URL")
    if options[f"{kind}_format"] not in {None, *_IN_ONE_FILE}:
        raise click.UsageError(f"--{kind}-format: expected {' or '.join(_IN_ONE_FILE)} where inputs are URLs, since "
                               f"others have files beside their images, got {options[f'{kind}_format']}")  # fmt: skip
