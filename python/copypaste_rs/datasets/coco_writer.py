"""Samples to a COCO data set: image files and an annotation file that pycocotools loads."""

from __future__ import annotations

from typing import final

from copypaste_rs.datasets.coco_file_writer import CocoFileWriter
from copypaste_rs.datasets.places import COCO


@final
class CocoWriter(CocoFileWriter):
    """Writes samples as a COCO data set: ``images/`` and ``annotations.json``.

    An image appears under its final name whole or not at all, and the annotation file when the block ends
    without an exception. Image and annotation ids count from 1. Areas and boxes are those of the masks; masks
    are written as compressed run lengths. Further columns are kept (NaN is left out; `image_id`, `category_id`,
    `bbox` and `segmentation`, which are made from what the sample holds, are refused), and each annotation says
    where it comes from: `source_image_id`, `source_annotation_id`, and of a result of `SimpleCopyPaste` also
    `source` (-1 is the target), `source_row` and `visibility`.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set. Notes of the run lie in
        ``.copypaste-rs/`` in it.
    categories : sequence of dict
        As in a COCO file; `CocoDataset.categories` fits. Each has an ``id``, and labels are among these.
    format : {"jpg", "png", "tif"}
        Of the images: JPEG holds 8 bits, PNG 8 or 16, TIFF these and float32 with any number of channels, as
        `encode_image` says.
    quality : int
        Of JPEG, 1 to 100.
    info : mapping, optional
        ``info`` of the annotation file.
    licenses : sequence, optional
        ``licenses`` of the annotation file.
    overwrite : bool
        Whether to delete what an earlier run has written there. Other files are left alone, and a folder that
        was not written by a `CocoWriter` is refused.
    resume : bool
        Whether to go on after the images that are there already: ``len(writer)`` says how many.
    settings : mapping, optional
        What the output depends on besides format, quality and categories; a run is resumed only with the same.
    integers : collection of str
        Columns of floats whose whole numbers are written as integers; `CocoDataset.integers` fits.
    shard : Shard, optional
        Part of a larger output, whose images are numbered as in the whole. It gets no annotation file, and
        `merge_shards` makes the whole of all shards.

    Raises
    ------
    OSError
        When the folder holds something, or another run is writing to it; nothing has been changed then. When a file
        cannot be written, on a full disk say; what was written before is whole then, and `resume` goes on.
    ValueError, TypeError
        When an argument, or a sample, cannot be written; nothing of it has been then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[1], score=[0.5]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with CocoWriter(folder, [{"id": 1, "name": "square"}]) as writer:
    ...         writer.write(sample)
    ...     sorted(path.name for path in Path(folder, "images").iterdir())
    1
    ['000000000001.jpg']
    """

    layout = COCO
