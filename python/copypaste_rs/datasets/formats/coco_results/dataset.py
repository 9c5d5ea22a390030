"""Lists of COCO results as a data set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, SupportsFloat, final

from copypaste_rs import _checks
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.formats.coco_results.reading import read_results
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.table_cache import cached_tables, full_path

if TYPE_CHECKING:
    import os

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions


@final
class ResultsDataset(AnnotatedImages):
    """Predictions of a model, a list of COCO results, and their images, as a sequence of `Sample`.

    The list is what COCO's evaluation takes: JSON objects with ``image_id``, ``category_id``, ``score``, and a
    ``segmentation`` or a ``bbox``. Sizes and names of images, and the categories, come from a COCO file. Every row has
    `score`, and is marked `pseudo` where the list does not say otherwise, so that it is pasted only with
    ``paste_pseudo=True``. Each ``id`` is the number of the result in the list, from 1. All images of the file are
    items, those without a result too.

    Parameters
    ----------
    results : path
        The list of results.
    annotations : path
        A COCO file with these images, such as ``image_info_test2017.json``; only its images and categories are read.
    images : path
        The folder of images.
    min_score : float
        Results of a lower score are left out, 0 to 1.
    **options
        As `CocoDataset` has them: `boxes`, `crowds`, `columns`, `apply_exif`, `max_pixels`, `dtype`, `labels`,
        `cache_dir`.

    Attributes
    ----------
    categories : list of dict
        As they stand in the COCO file.
    file_info, licenses
        ``info`` and ``licenses`` of the COCO file, as they stand there, or None.

    Warns
    -----
    UserWarning
        As `CocoDataset`, with the number of results that are left out: of a lower score, of images that are not in the
        file.

    Raises
    ------
    OSError
        When a file or the folder cannot be read; on access, when an image cannot.
    ValueError
        When a file is not valid, with the place, a line for each of the first ten: a score that is missing, NaN or
        beyond 0 to 1 among it; when no result is of an image of the file; as `CocoDataset`.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from copypaste_rs.datasets import sample_paths
    >>> annotations, images = sample_paths()
    >>> found = {"image_id": 1, "category_id": 2, "segmentation": [[40, 30, 90, 30, 90, 80, 40, 80]], "score": 0.75}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "results.json")
    ...     _ = path.write_text(json.dumps([found, found | {"score": 0.125}]))
    ...     everything = ResultsDataset(path, annotations, images)
    >>> everything.instances(0).score, everything.instances(0).pseudo
    (array([0.75 , 0.125]), array([ True,  True]))
    """

    def __init__(
        self,
        results: str | os.PathLike[str],
        annotations: str | os.PathLike[str],
        images: str | os.PathLike[str],
        *,
        min_score: SupportsFloat = 0.0,
        **options: Unpack[DatasetOptions],
    ) -> None:
        path = check_path("results", results)
        file = check_path("annotations", annotations)
        folder = check_path("images", images)
        least = _checks.real("min_score", min_score, 0.0, 1.0)
        checked = CheckedOptions.of(**options)
        read = functools.partial(read_results, path, file, folder, checked, least)
        own = {"format": "coco-results", "annotations": full_path(file), "min_score": least}
        given = cached_tables(path, checked.cache, {**own, **checked.of_tables}, read)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
        super().__init__(given, folder, str(results), checked)
