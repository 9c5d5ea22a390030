"""COCO annotation files as a data set."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets.boxes import BOXES
from copypaste_rs.datasets.categories import flip_pairs, label_weights
from copypaste_rs.datasets.coco_json import image_info, read_coco
from copypaste_rs.datasets.images import check_path, read_image
from copypaste_rs.instances import Instances
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    import os
    from pathlib import Path


@final
class CocoDataset(Sequence[Sample]):
    """A COCO annotation file and its folder of images, as a sequence of `Sample`.

    Opening reads the annotation file, into flat arrays that pickle fast and that forked workers share; images
    are decoded, and polygons rasterised, when an item is taken. Polygons, both kinds of run lengths and crowds
    are read; `labels` are the category ids, `id` those of the annotations, and every further field of the
    annotations that is a number, a string or true or false becomes a column, and so do keypoints, half a pixel further
    right and down than in the file, as `Instances` has them. A field has one dtype in the whole
    file: where an annotation lacks it, numbers are NaN (and floats then), strings are empty, flags are False;
    numbers mixed with strings become strings. `area` and `bbox` are not trusted but derived from the masks, and
    `num_keypoints` from the keypoints; other lists and objects are left out.

    Parameters
    ----------
    annotations : path
        The annotation file.
    images : path
        The folder that the file names in it start from.
    boxes : {"error", "keep", "drop"}
        What is done with annotations that have a ``bbox`` and no ``segmentation``: the file is refused, they become
        rows that are `box_only`, or they are left out and counted.

    Attributes
    ----------
    categories : list of dict
        As they stand in the file.
    keypoint_names : list of str or None
        Names of the keypoints, which all categories that have any share.
    flip_pairs : tuple of (int, int), or None
        Numbers of the keypoints that a mirror image exchanges, found by their names, which begin or end in left and
        right; None where no category has names of keypoints.
    file_info, licenses
        ``info`` and ``licenses`` of the file, as they stand there, or None.
    fields : dict of str to dtype
        The further fields of the annotations that are columns.
    integers : frozenset of str
        Those of them that are integers in the file, though perhaps floats here since not every annotation has
        them; for `CocoWriter`.

    Warns
    -----
    UserWarning
        Once for a file in which something is left out, with counts: polygon parts of fewer than three points,
        annotations that cover no pixel (these give no instance), annotations of images that are not in the file,
        fields that are lists or objects; or in which something may surprise: categories that are not
        in the file, ids that occur twice, a field ``source``, ``source_row`` or ``visibility`` of another origin
        than `CocoWriter`, which copy-paste overwrites.

    Raises
    ------
    OSError
        When the file or the folder cannot be read; on access, when an image cannot.
    ValueError
        When the file is not valid COCO JSON, with the place; when a file name leads out of the folder; when
        integers that not every annotation has are too large for float64; when categories differ in their keypoints,
        or an annotation has a box alone and `boxes` is "error"; on access, when an image has another
        size than the file says.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> photos = CocoDataset(*sample_paths())
    >>> len(photos), photos[0].size, photos[0].info["file_name"]
    (5, (400, 600), 'coffee.jpg')
    >>> [category["name"] for category in photos.categories][:2]
    ['cup', 'cat']
    """

    def __init__(
        self, annotations: str | os.PathLike[str], images: str | os.PathLike[str], *, boxes: str = "error"
    ) -> None:
        path = check_path("annotations", annotations)
        self._images = check_path("images", images)
        self._tables = read_coco(path, _checks.choice("boxes", boxes, BOXES))
        if not self._images.is_dir():
            raise NotADirectoryError(f"{self._images}: expected a folder of images, which is not there")
        self.categories: list[dict[str, Any]] = self._tables.categories
        self.keypoint_names = self._tables.keypoint_names
        self.flip_pairs = flip_pairs(self.keypoint_names)
        self.file_info: Any = self._tables.info
        self.licenses: Any = self._tables.licenses
        self.fields: dict[str, np.dtype[Any]] = {name: field.dtype for name, field in self._tables.fields.items()}
        self.integers = frozenset(name for name, field in self._tables.fields.items() if field.whole)
        skipped = [f"left out {', '.join(self._tables.skipped)}"] if self._tables.skipped else []
        if told := [*skipped, *self._tables.remarks]:
            warnings.warn(f"{annotations}: {'; '.join(told)}", UserWarning, stacklevel=2)

    def __len__(self) -> int:
        return len(self._tables.image_ids)

    def __getitem__(self, index: SupportsIndex) -> Sample:  # type: ignore[override]  # no slices: they would decode
        """Item `index`: its image is decoded now, RGB, uint8."""
        i = self._index(index)
        info = self.info(i)
        h, w = self._tables.sizes[i].tolist()
        image = read_image(self.path(i), (h, w))
        return Sample(image, self.instances(i), info)

    def instances(self, index: SupportsIndex) -> Instances:
        """The instances of item `index`, without decoding its image."""
        i = self._index(index)
        tables = self._tables
        rows = np.arange(tables.row_offsets[i], tables.row_offsets[i + 1])
        h, w = tables.sizes[i].tolist()
        boxes = {} if tables.boxes is None else tables.boxes.take(rows)._asdict()
        return Instances(
            masks=tables.segmentations.masks(rows, (h, w)),
            labels=tables.labels[rows],
            iscrowd=tables.iscrowd[rows],
            id=tables.ids[rows],
            **boxes,
            **{name: field.of(rows) for name, field in tables.fields.items()},
        )

    def info(self, index: SupportsIndex) -> dict[str, Any]:
        """Fields of the image of item `index` in the file: image_id, file_name, width, height, further scalars."""
        i = self._index(index)
        start, stop = self._tables.image_json_offsets[i : i + 2].tolist()
        return image_info(self._tables.image_json[start:stop].tobytes())

    @property
    def has_instances(self) -> bool:
        """Whether there is any instance in the whole set."""
        return len(self._tables.ids) > 0

    def has_unmarked(self, flags: Collection[str]) -> bool:
        """Whether the set has an instance that is no crowd and not marked by any of `flags`, such as `pseudo`."""
        tables = self._tables
        marked = tables.iscrowd.copy()
        if tables.boxes is not None and "box_only" in flags:
            marked |= tables.boxes.box_only
        for name in tables.fields.keys() & flags:
            marked |= tables.fields[name].values.astype(np.bool_)
        return not marked.all()

    def unknown_labels(self, categories: Sequence[Mapping[str, Any]]) -> list[int]:
        """Labels that occur but are not among these categories, ascending."""
        known = {category["id"] for category in categories}
        return [label for label in np.unique(self._tables.labels).tolist() if label not in known]

    def class_weights(self, weights: Mapping[str, SupportsFloat]) -> dict[int, float]:
        """Weights by label, for `SimpleCopyPaste`, of weights by the name of a category.

        Parameters
        ----------
        weights : mapping of str to float
            Finite numbers of at least 0. Categories that are not named are left out, and so weigh 1.

        Returns
        -------
        dict of int to float
            For each category of these names its id and weight; two categories may share a name.

        Raises
        ------
        ValueError, TypeError
            When no category has a name, with those that are near; when a weight is no such number.

        Examples
        --------
        >>> from copypaste_rs.datasets import sample_data
        >>> sample_data().class_weights({"cat": 4})
        {2: 4.0}
        """
        return label_weights("weights", self.categories, weights)

    def path(self, index: SupportsIndex) -> Path:
        """The image file of item `index`."""
        name: str = self.info(index)["file_name"]
        return self._images / name

    def has_objects(self, index: SupportsIndex) -> bool:
        """Whether item `index` has an instance that is not a crowd. Cheap: nothing is decoded."""
        i = self._index(index)
        start, stop = self._tables.row_offsets[i : i + 2].tolist()
        return not bool(self._tables.iscrowd[start:stop].all())

    def _index(self, index: SupportsIndex) -> int:
        try:
            i = operator.index(index)
        except TypeError:
            raise wrong_type("index", "an integer", repr(index)) from None
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {n} images")
        return i % n

    def __repr__(self) -> str:
        return f"CocoDataset({len(self)} images, {len(self._tables.ids)} instances)"
