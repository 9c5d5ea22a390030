"""Shards of an output to the files of a single run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.finished_shards import finished_shards
from copypaste_rs.datasets.formats import format_named
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.output import FORMAT
from copypaste_rs.datasets.places import COCO

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from copypaste_rs.datasets.finished_shards import Shards
    from copypaste_rs.datasets.sample_writer import SampleWriter


class Merged(NamedTuple):
    """Numbers of images that `merge_shards` has put in place."""

    images: int
    """Number of images of the output."""
    made: int
    """Number of them that were put in place now."""
    copied: int
    """Number of these with files that were copied; those of the others are hard links."""


def merge_shards(
    directories: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    copies: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    progress: Callable[[int], object] | None = None,
) -> Merged:
    """Make of all shards of an output what a single run would have written, byte for byte.

    Files are hard links to those of the shards where the file system has such, and copies elsewhere: the shards stay
    as they are, and can be deleted afterwards. Annotations are read and written one image at a time.

    Parameters
    ----------
    directories : sequence of path
        Folders of the shards, in any order, which writers with a `shard` have made, as ``augment --shard`` does.
    output : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    copies : bool
        Whether files are copied even where they can be linked. Their contents are compared with what is noted of them.
    overwrite, resume : bool
        As of `CocoWriter`.
    progress : callable, optional
        Called with the number of images that were put in place since the last call.

    Returns
    -------
    Merged
        Numbers of images.

    Raises
    ------
    OSError, ValueError
        When a folder is no shard, or is not finished; when settings differ, a shard is missing, or is there twice; when
        a file of a shard is missing or not as it was written; as from `CocoWriter`.

    Examples
    --------
    >>> import tempfile
    >>> from copypaste_rs.datasets import CocoWriter, Shard, merge_shards, sample_data
    >>> photos = sample_data()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number in (1, 2):
    ...         shard = Shard(number, 2, len(photos))
    ...         with CocoWriter(f"{folder}/{number}", photos.categories, shard=shard) as writer:
    ...             for i in range(shard.first, shard.stop):
    ...                 _ = writer.write(photos[i])
    ...     merge_shards([f"{folder}/1", f"{folder}/2"], f"{folder}/all").images
    5
    """
    if isinstance(directories, str | bytes) or not hasattr(directories, "__iter__"):
        raise wrong_type("directories", "a sequence of paths", repr(directories))
    roots = [check_path(f"directories[{i}]", each) for i, each in enumerate(directories)]
    place = check_path("output", output)
    check_apart(roots, place)
    copying = _checks.flag("copies", copies)
    found = finished_shards(roots)
    with writer_of(found, place, overwrite=overwrite, resume=resume) as writer:
        return merge_found(found, writer, copies=copying, progress=progress)


def check_apart(roots: Sequence[Path], output: Path) -> None:
    """Refuse an output that is a shard, lies in one, or has one in it."""
    place = output.absolute().resolve()
    for root in roots:
        shard = root.absolute().resolve()
        if place.is_relative_to(shard) or shard.is_relative_to(place):
            raise wrong("output", "a folder apart from the shards", f"{output}, and {root} is a shard")


def merge_found(
    found: Shards, writer: SampleWriter, *, copies: bool, progress: Callable[[int], object] | None
) -> Merged:
    """Have the writer take over the items that it has not yet; it is not closed."""
    there, copied = len(writer), 0
    for shard in found.shards:
        done = shard.first
        for record in shard.records() if shard.stop > there else ():
            done += record.images
            if done > there:
                copied += 0 if writer.take(record, shard.root, copies=copies) else record.images
                if progress is not None:
                    progress(record.images)
    return Merged(found.total, found.total - there, copied)


def writer_of(found: Shards, output: Path, *, overwrite: bool, resume: bool) -> SampleWriter:
    """The writer of the whole output that these are shards of."""
    settings = dict(found.settings)
    kind = cast("type[SampleWriter]", format_named(settings.pop(FORMAT, COCO.name)).writer)
    named = ("format", "quality", "categories", *found.note.options)
    arguments: dict[str, Any] = {name: settings.pop(name) for name in named}
    arguments |= found.note.ends
    return kind(output, arguments.pop("categories"), **arguments, overwrite=overwrite, resume=resume, settings=settings)
