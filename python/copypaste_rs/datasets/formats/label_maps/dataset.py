"""Folders of images and of label images as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, SupportsIndex, final

from copypaste_rs import _checks
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.label_maps.classes import LabelClasses
from copypaste_rs.datasets.formats.label_maps.reading import read_label_maps
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.table_cache import cached_tables, full_path

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions


@final
class LabelMapDataset(AnnotatedImages):
    """Images and label images, in which each object has a number, as a sequence of `Sample`.

    Label images are PNG or TIFF files of 8, 16 or 32 bits, palette files, whose indices are the numbers, or arrays as
    ``np.save`` writes them. Every value but the background is an instance, also where it has several parts. They are
    decoded when the set is opened, one after the other, and their masks kept as runs.

    An image belongs to the label image of its name, or of its name with ``_mask``, ``_masks``, ``_label``, ``_labels``,
    ``_instance``, ``_instances``, ``_cp_masks`` (Cellpose) or ``_gtFine_instanceIds`` (Cityscapes) after it; an
    ``_img``, ``_image``, ``_rgb`` or ``_leftImg8bit`` at the end of the image's name may be missing there. Folders
    inside the two are looked through; where their names differ, names of files alone decide. Where label images have
    such an ending, files without it are none. Both folders may be one, and then all label images have an ending.

    Parameters
    ----------
    images : path
        The folder of images.
    label_maps : path
        The folder of label images.
    background : int, optional
        The value of pixels that belong to no object; None where each value is an object.
    divisor : int, optional
        Where values tell classes too: value = label * divisor + number of the instance. A value below the divisor is a
        class as a whole: of a class that has instances it is a crowd, a group of objects that are not told apart; of
        another one it is left out and counted.
    categories : sequence of dict, optional
        As in a COCO file, with ``id`` and ``name``. None: without a divisor one category of id 1; with one, those of
        the instances, named by their numbers. ``"cityscapes"``: the classes of Cityscapes that have instances, and
        1000 as `divisor`.
    name : str
        The name of the one category, where there is one.
    **options
        As `CocoDataset` has them: `crowds`, `apply_exif`, `max_pixels`, `dtype`, `labels`.

    Attributes
    ----------
    categories : list of dict
        As given, or as said above.

    Warns
    -----
    UserWarning
        Once, with counts: images without a label image, label images without an image, regions of classes without
        instances, which are left out; or when all label images hold the same value alone, as masks of a class do.

    Raises
    ------
    OSError
        When a folder or a file cannot be read, or no image has a label image.
    ValueError
        When it is not plain which label image belongs to an image; when one has another size than its image, or holds
        colours: with the names, up to ten.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> numbers = np.kron(np.array([[0, 1], [300, 0]], np.uint16), np.ones((20, 30), np.uint16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(Path(folder, "a.png"))
    ...     Image.fromarray(numbers).save(Path(folder, "a_mask.png"))
    ...     cells = LabelMapDataset(folder, folder, name="cell")
    >>> cells, cells.categories
    (LabelMapDataset(1 images, 2 instances), [{'id': 1, 'name': 'cell'}])
    >>> cells.instances(0).boxes
    array([[30.,  0., 60., 20.],
           [ 0., 20., 30., 40.]], dtype=float32)
    """

    def __init__(
        self,
        images: str | os.PathLike[str],
        label_maps: str | os.PathLike[str],
        *,
        background: SupportsIndex | None = 0,
        divisor: SupportsIndex | None = None,
        categories: Sequence[Mapping[str, Any]] | str | None = None,
        name: str = "object",
        **options: Unpack[DatasetOptions],
    ) -> None:
        folder = check_path("images", images)
        rasters = check_path("label_maps", label_maps)
        checked = CheckedOptions.of(**options)
        classes = LabelClasses.of(categories, divisor, name)
        value = None if background is None else _checks.integer("background", background, -(2**63), 2**64 - 1)
        read = functools.partial(read_label_maps, folder, rasters, classes, value, checked)
        own = {"format": "label-maps", "images": full_path(folder), "classes": classes, "background": str(value)}
        given = cached_tables(rasters, checked.cache, {**own, **checked.of_read_images}, read)
        super().__init__(given, folder, str(label_maps), checked)
