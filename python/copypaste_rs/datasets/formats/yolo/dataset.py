"""YOLO sets with outlines, as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.yolo.labels import read_yolo
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions, DatasetOptions
from copypaste_rs.datasets.table_cache import cached_tables, folder_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from typing_extensions import Unpack


@final
class YoloDataset(AnnotatedImages):
    """A YOLO set for segmentation, as Ultralytics, Roboflow and others write it, as a sequence of `Sample`.

    A text file for each image has a line for each object: its class and the points of its outline, as shares of the
    image's width and height. Labels are the numbers of the classes, from 0. The label file of an image is found by
    Ultralytics' rule: in ``labels`` for the last ``images`` among the folders of its path, else beside it; an image
    without one, or with an empty one, has no objects. All of them are read when the set is opened, and of each image
    its head, for the size.

    Outlines mean edges of pixels and are filled by COCO's rule. Ultralytics itself cuts the fractions off and fills the
    border too, so that its masks are up to a pixel larger; what `YoloWriter` writes is the same mask by either rule.
    Several parts joined by a bridge of no width, as Ultralytics joins them, are read as they stand.

    Parameters
    ----------
    data : path
        ``data.yaml``, or a folder that has one; where it names no split, as Supervision writes it, images are in
        ``train/images``, ``images/train``, ``images`` or ``train`` beside it. Without one, which needs no PyYAML: a
        folder with ``classes.txt`` (a name a line) and the images in one of these.
    split : str
        ``"train"``, ``"val"`` or ``"test"``; ``"valid"`` and ``"validation"`` are ``"val"``.
    names : sequence of str, optional
        Names of the classes, in the place of those of the files.
    **options
        As `CocoDataset` has them. `apply_exif` is True unless given, as Ultralytics turns images by their orientation.
        `boxes` is for lines of five numbers, a box without an outline; they may stand among outlines, which Ultralytics
        refuses.

    Attributes
    ----------
    categories : list of dict
        ``id``, the number of the class, and ``name``.

    Warns
    -----
    UserWarning
        Once, with counts: lines that stand twice in a file, which Ultralytics leaves out too; label files
        without an image; objects that cover no pixel; and when no image at all has a label file.

    Raises
    ------
    ImportError
        When there is a ``data.yaml`` and PyYAML is not installed, which the extra ``yolo`` brings.
    OSError
        When the set, its split or an image is not there; on access, when an image cannot be read.
    ValueError
        When a file cannot be understood, with file and line, up to ten at once: a class that is not there, coordinates
        far outside 0 to 1, as in pixels (the box of an outline may have a centre and sides of up to 1.01, by
        Ultralytics' rule), numbers too many or too few, as a confidence or track; a set of
        poses; a box without an outline where `boxes` is "error".

    Notes
    -----
    Oriented boxes, of nine numbers, are what they cover: outlines of four points.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from copypaste_rs.datasets import encode_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("images", "labels"):
    ...         Path(folder, name).mkdir()
    ...     image = encode_image(np.zeros((40, 60, 3), np.uint8), "png")
    ...     _ = Path(folder, "images", "a.png").write_bytes(image)
    ...     _ = Path(folder, "labels", "a.txt").write_text("1 0.1 0.2 0.5 0.2 0.5 0.75 0.1 0.75")
    ...     photos = YoloDataset(folder, names=["cat", "dog"])
    ...     photos[0].instances.boxes.tolist(), photos[0].instances.labels.tolist()
    ([[6.0, 8.0, 30.0, 30.0]], [1])
    """

    def __init__(
        self,
        data: str | os.PathLike[str],
        split: str = "train",
        *,
        names: Sequence[str] | None = None,
        **options: Unpack[DatasetOptions],
    ) -> None:
        path = check_path("data", data)
        if not isinstance(split, str):
            raise wrong_type("split", "a string", repr(split))
        if not path.exists():
            raise FileNotFoundError(f"{path}: expected data.yaml or a folder, which is not there")
        options.setdefault("apply_exif", True)
        checked = CheckedOptions.of(**options)
        given_names = _checked_names(names)
        read = functools.partial(read_yolo, str(data), path, split, given_names, checked)
        own = {"format": "yolo", "split": split, "names": given_names}
        given = cached_tables(path, checked.cache, {**own, **checked.of_read_images}, read)
        super().__init__(given, folder_of(given, path.absolute()), str(data), checked)


def _checked_names(names: object) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise wrong_type("names", "a sequence of strings", repr(names))
    found = tuple(names)
    for i, name in enumerate(found):
        if not isinstance(name, str):
            raise wrong_type(("names", i), "a string", repr(name))
    if not found:
        raise wrong("names", "at least one name", "none")
    return found
