"""Backgrounds: a folder of images without annotations, to paste on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions, DatasetOptions
from copypaste_rs.datasets.table_cache import cached_tables

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables


@final
class BackgroundDataset(AnnotatedImages):
    """Images of a folder, without annotations, as a sequence of `Sample`: something to paste on.

    Taken are all images in the folder and the folders in it, sorted by name; hidden files are not looked at. Of each
    only its head is read when the set is opened, for its size.

    Parameters
    ----------
    folder : path
        The folder of images.
    **options
        As `CocoDataset` has them; of use are `apply_exif`, `max_pixels`, `dtype` and `cache_dir`.

    Attributes
    ----------
    categories : list of dict
        None: an empty list.

    Warns
    -----
    UserWarning
        Once, with the number of files that are no images, which are left out.

    Raises
    ------
    OSError
        When there is no folder, or no image in it; on access, when an image cannot be read.
    ValueError
        When an image has more pixels than allowed.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import CopyPasteDataset, sample_data, sample_paths
    >>> skies = BackgroundDataset(sample_paths()[1])
    >>> skies[0].info["file_name"], len(skies[0].instances)
    ('astronaut.jpg', 0)
    >>> pasted = CopyPasteDataset(skies, SimpleCopyPaste(size=256), sources=sample_data())
    >>> pasted[1].image.shape
    (256, 256, 3)
    """

    def __init__(self, folder: str | os.PathLike[str], **options: Unpack[DatasetOptions]) -> None:
        place = check_path("folder", folder)
        checked = CheckedOptions.of(**options)
        read = functools.partial(read_backgrounds, place, checked)
        given = cached_tables(place, checked.cache, {"format": "backgrounds", **checked.of_read_images}, read)
        super().__init__(given, place, str(folder), checked)


def read_backgrounds(folder: Path, options: CheckedOptions, sources: Sources) -> AnnotationTables:
    """Read the names and sizes of the images of a folder."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
    builder = TableBuilder(str(folder), (), options, sources)
    others: list[str] = []
    for name in sources.files_below(folder):
        try:
            size = sources.image_size(folder / name, options.images)
        except PermissionError:
            raise
        except OSError:  # no image
            others.append(name)
            continue
        builder.add_image(name, size)
    if not len(builder):
        more = f", got {counted(len(others), 'file', 'files')} of other kinds" if others else ""
        raise FileNotFoundError(f"{folder}: expected a folder with images{more}")
    if others:
        builder.skipped.append(counted(len(others), "file that is no image", "files that are no images"))
        builder.skipped[-1] += f" ({others[0]}{', ...' if others[1:] else ''})"
    return builder.finish()


def _recognises(_: Clue) -> bool:
    """False: any folder of images would pass, also one whose annotations lie elsewhere."""
    return False


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> BackgroundDataset:
    base = path if images is None else images
    return BackgroundDataset(base if split is None else base / split, **options)


FORMAT = Format("backgrounds", "folder of images without annotations", _recognises, _open)
