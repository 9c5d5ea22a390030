"""COCO annotation files as a data set."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs.datasets.coco_json import image_info, read_coco
from copypaste_rs.datasets.images import read_image
from copypaste_rs.sample import Instances, Sample

if TYPE_CHECKING:
    import os


@final
class CocoDataset(Sequence[Sample]):
    """A COCO annotation file and its folder of images, as a sequence of `Sample`.

    Opening reads the annotation file, into flat arrays that pickle fast and that forked workers share; images
    are decoded, and polygons rasterised, when an item is taken. Polygons, both kinds of run lengths and crowds
    are read; `labels` are the category ids, `id` those of the annotations, and every further field of the
    annotations that is a number, a string or true or false becomes a column. A field has one dtype in the whole
    file: where an annotation lacks it, numbers are NaN (and floats then), strings are empty, flags are False;
    numbers mixed with strings become strings. `area` and `bbox` are not trusted but derived from the masks;
    keypoints are left out.

    Parameters
    ----------
    annotations : path
        The annotation file.
    images : path
        The folder that the file names in it start from.

    Attributes
    ----------
    categories : list of dict
        As they stand in the file.
    file_info, licenses
        ``info`` and ``licenses`` of the file, as they stand there, or None.

    Warns
    -----
    UserWarning
        Once for a file in which something is left out, with counts: polygon parts of fewer than three points,
        annotations that cover no pixel (these give no instance), annotations of images that are not in the file.

    Raises
    ------
    OSError
        When the file or the folder cannot be read; on access, when an image cannot.
    ValueError
        When the file is not valid COCO JSON, with the place; when a file name leads out of the folder; on
        access, when an image has another size than the file says.

    Examples
    --------
    >>> from copypaste_rs.cli import sample_paths
    >>> photos = CocoDataset(*sample_paths())
    >>> len(photos), photos[0].size, photos[0].info["file_name"]
    (5, (400, 600), 'coffee.jpg')
    >>> [category["name"] for category in photos.categories][:2]
    ['cup', 'cat']
    """

    def __init__(self, annotations: str | os.PathLike[str], images: str | os.PathLike[str]) -> None:
        self._tables = read_coco(Path(annotations))
        self._images = Path(images)
        if not self._images.is_dir():
            raise NotADirectoryError(f"{self._images}: expected a folder of images, which is not there")
        self.categories: list[dict[str, Any]] = self._tables.categories
        self.file_info: Any = self._tables.info
        self.licenses: Any = self._tables.licenses
        if self._tables.skipped:
            warnings.warn(f"{annotations}: left out {', '.join(self._tables.skipped)}", UserWarning, stacklevel=2)

    def __len__(self) -> int:
        return len(self._tables.image_ids)

    def __getitem__(self, index: SupportsIndex) -> Sample:  # type: ignore[override]  # no slices: they would decode
        """Item `index`: its image is decoded now, RGB, uint8."""
        i = self._index(index)
        info = self.info(i)
        h, w = self._tables.sizes[i].tolist()
        image = read_image(self._images / info["file_name"], (h, w))
        return Sample(image, self.instances(i), info)

    def instances(self, index: SupportsIndex) -> Instances:
        """The instances of item `index`, without decoding its image."""
        i = self._index(index)
        tables = self._tables
        rows = np.arange(tables.row_offsets[i], tables.row_offsets[i + 1])
        h, w = tables.sizes[i].tolist()
        return Instances(
            masks=tables.segmentations.masks(rows, (h, w)),
            labels=tables.labels[rows],
            iscrowd=tables.iscrowd[rows],
            id=tables.ids[rows],
            **{name: field.of(rows) for name, field in tables.fields.items()},
        )

    def info(self, index: SupportsIndex) -> dict[str, Any]:
        """What the file says of the image of item `index`: image_id, file_name, width, height, further scalars."""
        i = self._index(index)
        start, stop = self._tables.image_json_offsets[i : i + 2].tolist()
        return image_info(self._tables.image_json[start:stop].tobytes())

    def has_objects(self, index: SupportsIndex) -> bool:
        """Whether item `index` has an instance that is not a crowd. Cheap: nothing is decoded."""
        i = self._index(index)
        start, stop = self._tables.row_offsets[i : i + 2].tolist()
        return not bool(self._tables.iscrowd[start:stop].all())

    def _index(self, index: SupportsIndex) -> int:
        i = operator.index(index)
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {n} images")
        return i % n

    def __repr__(self) -> str:
        return f"CocoDataset({len(self)} images, {len(self._tables.ids)} instances)"
