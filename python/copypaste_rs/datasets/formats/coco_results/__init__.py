"""Lists of COCO results: predictions of a model, whose images another file names."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.coco_results.dataset import ResultsDataset
from copypaste_rs.datasets.formats.coco_results.writer import IMAGES, RESULTS, ResultsWriter
from copypaste_rs.datasets.formats.image_folders import folder_of_images
from copypaste_rs.datasets.formats.kind import Clue, Format

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_BESIDE = (IMAGES, "annotations.json", "image_info*.json", "instances_*.json")
"""Files of images by their names beside a list: ours, COCO's."""
_OF_SPLIT = ("image_info_{0}*.json", "instances_{0}*.json", "{0}.json")
"""Files of images of one split."""


def _recognises(clue: Clue) -> bool:
    if clue.is_folder:
        file = clue.path / RESULTS
        return file.is_file() and (clue.path / IMAGES).is_file() and _recognises(Clue.of(file))
    return clue.is_json_list and clue.has_keys("image_id", "category_id", "score")


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> ResultsDataset:
    results = path / RESULTS if path.is_dir() else path
    patterns = _BESIDE if split is None else tuple(pattern.format(glob.escape(split)) for pattern in _OF_SPLIT)
    for pattern in patterns:
        found = sorted(each for each in results.parent.glob(pattern) if each != results)
        if len(found) == 1:
            return ResultsDataset(results, found[0], folder_of_images(found[0], split) if images is None else images,
                                  **options)  # fmt: skip
    raise FileNotFoundError(
        f"{results}: expected one file of its images beside it, such as {IMAGES} or annotations.json; "
        "ResultsDataset(results, annotations, images) takes one from elsewhere"
    )


FORMAT = Format("coco-results", "list of COCO results", _recognises, _open, ResultsWriter)
