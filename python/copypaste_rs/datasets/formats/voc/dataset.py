"""PASCAL VOC sets as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, final

from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.voc.classes import checked_names
from copypaste_rs.datasets.formats.voc.image_sets import voc_root
from copypaste_rs.datasets.formats.voc.reading import read_voc
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.table_cache import cached_tables, full_path

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions


@final
class VocDataset(AnnotatedImages):
    """A PASCAL VOC set as a sequence of `Sample`.

    The folder has ``JPEGImages`` and, for each image, ``SegmentationObject`` and ``SegmentationClass``, PNG files with
    the number of an object and of a class at each pixel, or an XML file in ``Annotations``, or both; ``ImageSets``
    lists the images of each split. PNG files are decoded when the set is opened, one after the other, and their masks
    kept as runs.

    Values of PNG files are indices, of a palette or grey, or colours of VOC's palette, as converters write them.
    0, black, is background, and 255, the colour 224,224,192, is void: it belongs to no object, so that a mask ends
    where the border of its object begins. An instance is of the class that most of its pixels have, void left out.
    Numbers of objects that are colours may be any.

    An object of the XML file is that of the instance of its class whose box fits, and its ``difficult``, ``truncated``,
    ``occluded`` and ``pose`` become columns. Where an image has no PNG files, the objects of its XML file are boxes
    alone (`boxes`); the file counts pixels from 1 and includes the last.

    Parameters
    ----------
    root : path
        The folder, or one such as ``VOCdevkit`` that holds one such folder.
    split : str, optional
        Name of a list in ``ImageSets/Segmentation`` or, where there is none, in ``ImageSets/Main``; None takes all
        images that have annotations.
    images : path, optional
        The folder of images; None is ``JPEGImages``.
    names : sequence of str, optional
        Names of the classes 1, 2, ... None takes those of ``labelmap.txt``, as CVAT writes it, whose colours count
        then, those of ``class_names.txt``, as LabelMe writes it, or the 20 of PASCAL VOC.
    **options
        As `CocoDataset` has them: `boxes`, `columns`, `apply_exif`, `max_pixels`, `dtype`, `labels`, `cache_dir`.

    Attributes
    ----------
    categories : list of dict
        Classes by name, with ids from 1.

    Warns
    -----
    UserWarning
        Once, with counts: objects that have no class, objects of XML files that no instance is, images without
        annotation, which are left out; objects with pixels of several classes or without an entry in the XML file, and
        images in which pixels of a class belong to no object.

    Raises
    ------
    OSError
        When a folder, a list or a file of it is missing or cannot be read.
    ValueError
        When a PNG has another size than its image, or a value that is no class; when an XML file is malformed or
        declares a document type; with the names of the images, up to ten. When an image has boxes alone and `boxes` is
        "error".

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> cat = np.zeros((40, 60), np.uint8)
    >>> cat[10:20, 20:50] = 1
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for folder, pixels in (
    ...         ("JPEGImages", np.zeros((40, 60, 3), np.uint8)),
    ...         ("SegmentationObject", cat),
    ...         ("SegmentationClass", cat * 8),
    ...     ):
    ...         Path(root, folder).mkdir()
    ...         Image.fromarray(pixels).save(Path(root, folder, "a.png"))
    ...     Path(root, "ImageSets", "Segmentation").mkdir(parents=True)
    ...     _ = Path(root, "ImageSets", "Segmentation", "val.txt").write_text("a")
    ...     photos = VocDataset(root, "val")
    >>> photos.instances(0).boxes, photos.categories[photos.instances(0).labels[0] - 1]["name"]
    (array([[20., 10., 50., 20.]], dtype=float32), 'cat')
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = "train",
        *,
        images: str | os.PathLike[str] | None = None,
        names: Sequence[str] | None = None,
        **options: Unpack[DatasetOptions],
    ) -> None:
        place = check_path("root", root)
        folder = None if images is None else check_path("images", images)
        checked = CheckedOptions.of(**options)
        if split is not None and not isinstance(split, str):
            raise wrong_type("split", "a string", repr(split))
        place = voc_root(place)
        folder = place / "JPEGImages" if folder is None else folder
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
        given_names = None if names is None else checked_names(names)
        read = functools.partial(read_voc, place, split, folder, given_names, checked)
        own = {"format": "voc", "split": split, "names": given_names}
        own |= {} if images is None else {"images": full_path(folder)}
        given = cached_tables(place, checked.cache, {**own, **checked.of_read_images}, read)
        super().__init__(given, folder, str(root), checked)
