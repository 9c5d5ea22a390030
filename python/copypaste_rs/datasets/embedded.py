"""The small sample set that comes with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copypaste_rs.datasets.coco import CocoDataset


def sample_paths() -> tuple[Path, Path]:
    """Annotation file and image folder of the sample set.

    Five photographs in the public domain, with masks; ``LICENCE.txt`` beside them says where they are from.

    Returns
    -------
    (Path, Path)
        As `CocoDataset` takes them.

    Examples
    --------
    >>> annotations, images = sample_paths()
    >>> annotations.name, images.name
    ('annotations.json', 'images')
    """
    folder = Path(__file__).parent / "sample"
    return folder / "annotations.json", folder / "images"


def sample_data() -> CocoDataset:
    """The sample set, opened: five photographs with masks, to try things on without data of one's own.

    Returns
    -------
    CocoDataset
        Of the files that `sample_paths` names.

    Raises
    ------
    ImportError
        When a package that reads COCO files is missing; ``pip install 'copypaste_rs[coco]'`` brings them.

    Examples
    --------
    >>> photos = sample_data()
    >>> photos
    CocoDataset(5 images, 30 instances)
    >>> photos[0].info["file_name"], photos[0].size, photos[0].instances.labels
    ('coffee.jpg', (400, 600), array([1]))
    """
    from copypaste_rs.datasets.coco import CocoDataset

    return CocoDataset(*sample_paths())
