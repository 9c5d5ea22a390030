"""Any data set of files, opened by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets.formats import all_formats, format_named
from copypaste_rs.datasets.formats.kind import Clue
from copypaste_rs.datasets.images import check_path

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.formats.kind import Format
    from copypaste_rs.datasets.options import DatasetOptions


def open_dataset(
    path: str | os.PathLike[str],
    images: str | os.PathLike[str] | None = None,
    *,
    format: str | None = None,  # noqa: A002 (as in Pillow)
    split: str | None = None,
    **options: Unpack[DatasetOptions],
) -> AnnotatedImages:
    """Open a data set of any format that is known, which is found out by looking at the path.

    Parameters
    ----------
    path : path
        An annotation file or a folder.
    images : path, optional
        The folder of images; None looks for it where the format has it.
    format : str, optional
        Name of the format, such as ``"coco"``; None finds it out.
    split : str, optional
        Which part of a set with several, such as ``"train"``.
    **options
        As `CocoDataset` has them: `boxes`, `crowds`, `columns`, `apply_exif`, `max_pixels`, `dtype`, `labels`,
        `cache_dir`.

    Returns
    -------
    AnnotatedImages
        A sequence of `Sample`.

    Raises
    ------
    OSError
        When there is nothing, or it cannot be read.
    ValueError
        When no format, or more than one, fits; when the files are not valid.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> open_dataset(sample_paths()[0])
    CocoDataset(5 images, 30 instances)
    """
    place = check_path("path", path)
    folder = None if images is None else check_path("images", images)
    if split is not None and not isinstance(split, str):
        raise wrong_type("split", "a string", repr(split))
    found = find_format(place, split) if format is None else format_named(format)
    return found.open(place, folder, split, **options)


def find_format(path: Path, split: str | None = None) -> Format:
    """The format of what lies at a path; where it is not plain, a ValueError that lists formats."""
    fitting = recognised(path, split)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " or ".join(f"format={each.name!r}" for each in fitting)
        raise ValueError(f"{path}: could be of more than one format; give {names}")
    known = ", ".join(f"{each.title} ({each.name!r})" for each in all_formats())
    what = "folder" if path.is_dir() else "file"
    raise ValueError(f"{path}: expected annotations, got a {what} of no format that is recognised; known are {known}; "
                     "format names one of them")  # fmt: skip


def recognised(path: Path, split: str | None = None) -> list[Format]:
    """Formats that what lies at a path looks like."""
    clue = Clue.of(path, split)
    return [each for each in all_formats() if each.recognises(clue)]
