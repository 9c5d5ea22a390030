"""COCO panoptic annotation files as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

from copypaste_rs import _checks
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.panoptic.reading import STUFF, read_panoptic
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.table_cache import cached_tables, folder_of, full_path

if TYPE_CHECKING:
    import os

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions


@final
class PanopticDataset(AnnotatedImages):
    """A COCO panoptic annotation file, its PNG files and its images, as a sequence of `Sample`.

    A segment of a category that is a thing becomes an instance, whose mask are the pixels of its number in the PNG,
    R + 256 G + 256^2 B; 0 is no segment. PNG files are decoded when the set is opened, one after the other, and their
    masks kept as runs. ``area`` and ``bbox`` of the file are not trusted. Instances are numbered from 1: numbers of
    segments are those of one image.

    Parameters
    ----------
    annotations : path
        The annotation file, such as ``panoptic_val2017.json``.
    images : path, optional
        The folder of images; None looks for it beside the file.
    masks : path, optional
        The folder of PNG files; None is the one beside the file, of its name without ``.json``.
    stuff : {"drop", "crowd", "keep"}
        What is done with segments whose category is no thing (``isthing`` is 0), such as sky: they are left out and
        counted, and their categories with them; they become crowds, which are never pasted; they are instances like
        others.
    **options
        As `CocoDataset` has them: `crowds`, `apply_exif`, `max_pixels`, `dtype`, `labels`, `cache_dir`.

    Attributes
    ----------
    categories : list of dict
        As they stand in the file, with ``isthing``; without stuff, where that is dropped.
    file_info, licenses
        ``info`` and ``licenses`` of the file, as they stand there, or None.

    Warns
    -----
    UserWarning
        Once for a file in which something is left out, with counts: segments of stuff, segments that only one of JSON
        and PNG has, annotations of images that are not in the file; or images without annotation, which have no
        instances.

    Raises
    ------
    OSError
        When the file, a folder or a PNG file cannot be read.
    ValueError
        When the file is no valid panoptic JSON, with the places, up to ten; when a PNG has another size than its image,
        or is none of colours.

    Examples
    --------
    Two segments of one image, a square (a thing) and the sky behind it:

    >>> import json, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> numbers = np.full((6, 8), 300)  # 300 = 44 + 256 * 1
    >>> numbers[2:4, 3:7] = 7
    >>> colours = np.stack([numbers % 256, numbers // 256, 0 * numbers], axis=2).astype(np.uint8)
    >>> segments = [{"id": 7, "category_id": 1, "iscrowd": 0}, {"id": 300, "category_id": 2, "iscrowd": 0}]
    >>> content = {
    ...     "images": [{"id": 1, "file_name": "a.jpg", "height": 6, "width": 8}],
    ...     "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
    ...     "categories": [{"id": 1, "name": "square", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}],
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.fromarray(colours).save(Path(folder, "a.png"))
    ...     _ = Path(folder, "panoptic.json").write_text(json.dumps(content))
    ...     photos = PanopticDataset(Path(folder, "panoptic.json"), folder, folder, stuff="crowd")
    >>> photos.instances(0).labels, photos.instances(0).masks.area, photos.instances(0).iscrowd
    (array([1, 2]), array([ 8, 40]), array([False,  True]))
    """

    def __init__(
        self,
        annotations: str | os.PathLike[str],
        images: str | os.PathLike[str] | None = None,
        masks: str | os.PathLike[str] | None = None,
        *,
        stuff: str = "drop",
        **options: Unpack[DatasetOptions],
    ) -> None:
        path = check_path("annotations", annotations)
        folder = None if images is None else check_path("images", images)
        rasters = path.with_suffix("") if masks is None else check_path("masks", masks)
        checked = CheckedOptions.of(**options)
        choice = _checks.choice("stuff", stuff, STUFF)
        read = functools.partial(read_panoptic, path, folder, rasters, choice, checked)
        given_folders = {"images": images, "masks": masks}
        own = {"format": "panoptic", "stuff": choice}
        own |= {name: full_path(each) for name, each in given_folders.items() if each is not None}
        given = cached_tables(path, checked.cache, {**own, **checked.of_read_images}, read)
        super().__init__(given, folder or folder_of(given, path), str(annotations), checked)
