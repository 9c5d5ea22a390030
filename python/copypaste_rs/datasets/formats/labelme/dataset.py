"""Folders of LabelMe as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.labelme.files import embedded_image, read_labelme
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions, DatasetOptions
from copypaste_rs.datasets.table_cache import cached_tables, full_path

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from typing_extensions import Unpack


@final
class LabelMeDataset(AnnotatedImages):
    """A folder of LabelMe's JSON files, each beside its image, as a sequence of `Sample`.

    Polygons, rectangles, circles and masks are drawn when the set is opened, as LabelMe's ``shape_to_mask`` does with
    Pillow: fractions of coordinates are cut off, and the border belongs to the shape. Shapes of one label with one
    ``group_id`` are one object. Labels are numbered from 1 by their names, sorted. Flags of shapes become columns of
    true and false, and so does ``description``; flags of images are in ``info``.

    Parameters
    ----------
    folder : path
        The folder of JSON files, and folders in it.
    images : path, optional
        The folder of images, where they do not lie beside the JSON files. An image is looked for as ``imagePath`` says,
        by its name, and by the name of the JSON file; where there is none, the image in the file is taken (its
        ``imageData``), and its ``file_name`` is that of the JSON file.
    **options
        As `CocoDataset` has them. `apply_exif` is True unless given, as LabelMe turns images by their orientation.

    Attributes
    ----------
    categories : list of dict
        ``id`` and ``name``.

    Warns
    -----
    UserWarning
        Once, with counts of what is left out: lines and points, polygons of fewer than three points, shapes labelled
        ``__ignore__`` or ``_background_``, as LabelMe's own exports do; images without a JSON file, and JSON files of
        other kinds.

    Raises
    ------
    OSError
        When there is no folder, or no file of LabelMe in it; on access, when an image cannot be read.
    ValueError
        When files say what cannot be, with file and shape, up to ten at once: no such image; points, or a mask, that do
        not fit; JSON that is broken.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from copypaste_rs.datasets import encode_image
    >>> shape = {"label": "nut", "shape_type": "rectangle", "points": [[2, 1], [5, 3]]}
    >>> file = {"imagePath": "a.png", "imageData": None, "imageHeight": 6, "imageWidth": 8, "shapes": [shape]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.json").write_text(json.dumps(file))
    ...     _ = Path(folder, "a.png").write_bytes(encode_image(np.zeros((6, 8, 3), np.uint8), "png"))
    ...     photos = LabelMeDataset(folder)
    ...     photos[0].instances.boxes.tolist(), photos.categories
    ([[2.0, 1.0, 6.0, 4.0]], [{'id': 1, 'name': 'nut'}])
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        images: str | os.PathLike[str] | None = None,
        **options: Unpack[DatasetOptions],
    ) -> None:
        place = check_path("folder", folder)
        other = None if images is None else check_path("images", images)
        options.setdefault("apply_exif", True)
        checked = CheckedOptions.of(**options)
        for each in (place, other):
            if each is not None and not each.is_dir():
                raise NotADirectoryError(f"{each}: expected a folder, which is not there")
        read = functools.partial(read_labelme, place, other, checked)
        own = {"format": "labelme", **({} if other is None else {"images": full_path(other)})}
        given = cached_tables(place, checked.cache, {**own, **checked.of_read_images}, read)
        super().__init__(given, place if other is None else other, str(folder), checked)

    def _content(self, path: Path) -> bytes:
        return embedded_image(path) if path.suffix.lower() == ".json" else super()._content(path)
