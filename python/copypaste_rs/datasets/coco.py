"""COCO annotation files as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, SupportsIndex, final

from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.coco_json import read_coco
from copypaste_rs.datasets.image_checks import MAX_PIXELS
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.table_cache import cached_tables

if TYPE_CHECKING:
    import os
    from collections.abc import Collection
    from pathlib import Path

    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables


def read_file(path: Path, folder: Path, options: CheckedOptions, sources: Sources) -> AnnotationTables:
    """Tables of an annotation file, whose images are in a folder."""
    sources.note(path, is_whole=True)
    return read_coco(path, folder, options.boxes, options.crowds, options.columns, sources.settle)


@final
class CocoDataset(AnnotatedImages):
    """A COCO annotation file and its folder of images, as a sequence of `Sample`.

    Opening reads the annotation file, into flat arrays that forked workers share, or maps these from a cache, with
    which the set pickles small; images are decoded, and polygons rasterised, when an item is taken. Polygons, both
    kinds of run lengths and crowds are read; `labels` are the category ids, `id` those of the annotations, and every
    further field of the annotations that is a number, a string or true or false becomes a column, and so do keypoints,
    half a pixel further right and down than in the file, as `Instances` has them. A field has one dtype in the whole
    file: where an annotation lacks it, numbers are NaN (and floats then), strings are empty, flags are False;
    numbers mixed with strings become strings. `area` and `bbox` are not trusted but derived from the masks, and
    `num_keypoints` from the keypoints; other lists and objects are left out.

    Ids that are names, such as UUIDs, become integers: the lowest from 1 up that no other has, in the order of the
    file. The names are kept: in the column ``given_id`` ("" where the id is an integer), in ``Sample.info`` and in
    `categories` under the same name. Text of an integer ("12") is that integer.

    Parameters
    ----------
    annotations : path
        The annotation file.
    images : path
        The folder that the file names in it start from. Names written by other tools are found too: with separators
        of Windows, encoded by percent signs, absolute ones inside it, or by ``coco_url`` alone.
    boxes : {"error", "keep", "drop"}
        What is done with annotations that have a ``bbox`` and no ``segmentation``: the file is refused, they become
        rows that are `box_only`, or they are left out and counted.
    crowds : {"keep", "objects", "drop"}
        What is done with annotations whose ``iscrowd`` is 1: they are crowds, which are never pasted; they are objects
        like others, for files whose tool marks every mask that it writes as runs; or they are left out and counted.
    columns : collection of str, optional
        Further fields of annotations that become columns, ``keypoints`` among them; None takes all. Time and room of
        the others are saved. ``pseudo``, by which pseudo-labels are not pasted, is read whatever is asked for.
    apply_exif : bool
        Whether images are turned as their EXIF orientation says. COCO's sizes and outlines are of the pixels as they
        are stored; some tools write those of the turned image.
    max_pixels : int
        Height times width of the largest image that is decoded: a small file may claim any size.
    dtype : {"uint8", "keep"}
        Pixels of images: 8-bit RGB whatever the file holds; or as they are stored, with 8 or 16 bits or as float32.
        Grey is (H, W) then, grey with alpha (H, W, 2), RGB (H, W, 3), RGBA (H, W, 4), and a TIFF of n channels
        (H, W, n), which needs tifffile (``pip install 'copypaste_rs[tiff]'``); palettes and other models of colour
        become RGB. Images that meet in a transform are alike in dtype and channels.
    labels : {"ids", "from0", "from1"}
        What labels are: the ids of the categories, or 0 to n - 1, or 1 to n, in the order in which the n categories
        stand in the file. Then `categories` have these ids too.
    cache_dir : path, None or False
        Folder of the cache, a file from which annotations are mapped into memory when they are opened again, and in
        worker processes, whatever their format. None is the folder of the annotations or, of a format that has many
        files, that of the set, where at least 8 MB of annotations, or 1,000 files with the images whose sizes are
        looked for, are read; False makes no cache. It is made anew when a file that was read has changed, or one has
        come or gone, and never needed.

    Attributes
    ----------
    categories : list of dict
        As they stand in the file, but for their ids where `labels` says so.
    category_ids : list of int or None
        The id in the file of each of `categories`: ``category_ids[label]`` for labels from 0. None is for a category
        that only another set has, of `with_categories`.
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
        annotations that cover no pixel (these give no instance; of a polygon that turns out when its image is taken),
        annotations of images that are not in the file, crowds that are dropped,
        fields that are lists or objects, a field ``given_id`` beside ids that are names,
        fields whose integers float64 does not hold exactly, though not every annotation has them, or that are rare in
        a file with very many; or in which something may surprise: categories that are not in the file, ids that occur
        twice, images that have the file of another one, a field ``source``, ``source_row`` or ``visibility`` of another
        origin than `CocoWriter`, which copy-paste overwrites. On access, once, when an image has an EXIF orientation
        that is not applied.

    Raises
    ------
    OSError
        When the file or the folder cannot be read; on access, when an image cannot.
    ValueError
        When the file is not valid COCO JSON, with the place, a line for each of the first ten; when a file name leads
        out of the folder; when categories differ in their keypoints,
        an annotation has a box alone and `boxes` is "error", or is of a category that is not there and `labels` number
        them; on access, when an image has another
        size than the file says.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> photos = CocoDataset(*sample_paths())
    >>> len(photos), photos[0].size, photos[0].info["file_name"]
    (5, (400, 600), 'coffee.jpg')
    >>> [category["name"] for category in photos.categories][:2]
    ['cup', 'cat']
    >>> numbered = CocoDataset(*sample_paths(), labels="from0")
    >>> photos.instances(0).labels, numbered.instances(0).labels, numbered.category_ids[0]
    (array([1]), array([0]), 1)
    """

    def __init__(
        self,
        annotations: str | os.PathLike[str],
        images: str | os.PathLike[str],
        *,
        boxes: str = "error",
        crowds: str = "keep",
        columns: Collection[str] | None = None,
        apply_exif: bool = False,
        max_pixels: SupportsIndex = MAX_PIXELS,
        dtype: str = "uint8",
        labels: str = "ids",
        cache_dir: str | os.PathLike[str] | bool | None = None,
    ) -> None:
        path = check_path("annotations", annotations)
        folder = check_path("images", images)
        options = CheckedOptions.of(
            boxes=boxes,
            crowds=crowds,
            columns=columns,
            apply_exif=apply_exif,
            max_pixels=max_pixels,
            dtype=dtype,
            labels=labels,
            cache_dir=cache_dir,
        )
        read = functools.partial(read_file, path, folder, options)
        mapped = cached_tables(path, options.cache, options.of_tables, read)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
        super().__init__(mapped, folder, str(annotations), options)
