"""Tables of runs, as competitions have them, as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.csv.runs import read_runs
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions, DatasetOptions
from copypaste_rs.datasets.table_cache import cached_tables, full_path

if TYPE_CHECKING:
    import os

    from typing_extensions import Unpack


@final
class CsvDataset(AnnotatedImages):
    r"""A table of masks as runs, a row for each object, and its folder of images, as a sequence of `Sample`.

    Kaggle's form: a column of images and one of runs, "start length start length ...", which count pixels from 1 down
    the columns. An empty cell, or -1, is an image without objects. A column of classes is read, and further ones become
    columns. Names of columns are found in any spelling: ``ImageId``, ``image_id``, ``id``, ``filename``;
    ``EncodedPixels``, ``rle``, ``annotation``; ``ClassId``, ``label``, ``category``, ``cell_type``; ``width`` and
    ``height``, which save looking for the sizes in the images. ``ImageId_ClassId`` is taken apart.

    Parameters
    ----------
    table : path
        The CSV file, with commas, semicolons or tabs.
    images : path
        The folder of images, and folders in it. The table has their names with or without folders and suffixes.
    order : {"F", "C"}
        Whether runs go down the columns, as most do, or along the rows.
    category : str
        Name of the one category, 1, of a table without classes.
    **options
        As `CocoDataset` has them.

    Attributes
    ----------
    categories : list of dict
        Numbers as classes are the ids; names are numbered from 1, sorted.

    Warns
    -----
    UserWarning
        Once, with the number of images in the folder that the table does not name, which are left out.

    Raises
    ------
    OSError
        When the table or the folder cannot be read; on access, when an image cannot.
    ValueError
        When the table cannot be understood, with lines, up to ten at once: no such image, or several of the name;
        runs that are no pairs of numbers, overlap, or leave the image; a size that is another one in another row.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from copypaste_rs.datasets import encode_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     image = encode_image(np.zeros((4, 6, 3), np.uint8), "png")
    ...     _ = Path(folder, "a.png").write_bytes(image)
    ...     table = Path(folder, "train.csv")
    ...     _ = table.write_text("ImageId,EncodedPixels,Class\na,1 2 5 2,nut\na,15 2,bolt")
    ...     photos = CsvDataset(table, folder)
    ...     photos[0].instances.boxes.tolist(), photos[0].instances.labels.tolist()
    ([[0.0, 0.0, 2.0, 2.0], [3.0, 2.0, 4.0, 4.0]], [2, 1])
    """

    def __init__(
        self,
        table: str | os.PathLike[str],
        images: str | os.PathLike[str],
        *,
        order: str = "F",
        category: str = "object",
        **options: Unpack[DatasetOptions],
    ) -> None:
        path, folder = check_path("table", table), check_path("images", images)
        _checks.choice("order", order, ("F", "C"))
        if not isinstance(category, str):
            raise wrong_type("category", "a string", repr(category))
        checked = CheckedOptions.of(**options)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
        read = functools.partial(read_runs, path, folder, checked, order, category)
        own = {"format": "csv", "images": full_path(folder), "order": order, "category": category}
        given = cached_tables(path, checked.cache, {**own, **checked.of_read_images}, read)
        super().__init__(given, folder, str(table), checked)
