"""LVIS annotation files as a data set."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

from copypaste_rs._checks import wrong
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.coco import read_file
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.table_cache import cached_tables

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables

FREQUENCIES = ("r", "c", "f")
"""Groups of categories by how many images have them: rare, common, frequent."""


class _Lists(msgspec.Struct, gc=False):
    """Fields that an image of LVIS has beside those of COCO."""

    neg_category_ids: list[int] | None = None
    not_exhaustive_category_ids: list[int] | None = None


def read_lvis(path: Path, folder: Path, options: CheckedOptions, sources: Sources) -> AnnotationTables:
    """Read an LVIS annotation file, whose images are in a folder.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not COCO JSON, or not as LVIS has it; the message names the file and the place.
    """
    tables = read_file(path, folder, options, sources)
    check_frequencies(f"{path}: categories", tables.categories)
    if not any("frequency" in category for category in tables.categories):
        tables.remarks.append("no category has a frequency, so that each group of them is empty")
    problems = Problems(str(path))
    decode = msgspec.json.Decoder(_Lists, strict=False).decode
    for i, (start, stop) in enumerate(pairwise(tables.image_json_offsets.tolist())):
        try:
            decode(tables.image_json[start:stop])
        except msgspec.ValidationError as error:
            problems.add(f"images[{i}]", error)
    problems.tell()
    return tables


def check_frequencies(name: str, categories: Sequence[Mapping[str, Any]]) -> None:
    """Refuse categories whose frequency is none of `FREQUENCIES`; `name` is what the error calls them."""
    for i, category in enumerate(categories):
        if (group := category.get("frequency")) is not None and group not in FREQUENCIES:
            raise wrong((name, i), "'r', 'c' or 'f' as frequency", repr(group))


@final
class LvisDataset(AnnotatedImages):
    """An LVIS annotation file and its folder of images, as a sequence of `Sample`.

    LVIS is COCO with more about categories and images. Files of version 1 name images by ``coco_url`` alone, whose end
    is looked for in the folder. ``info`` of each sample has the lists ``neg_category_ids``, the categories that are
    known to be absent, and ``not_exhaustive_category_ids``, those of which not every object has an annotation. Pasted
    classes leave the former, and `LvisWriter` and `CocoWriter` write both. Rows and columns are those of `CocoDataset`.

    Parameters
    ----------
    annotations : path
        The annotation file.
    images : path
        The folder of images, or the one that has ``train2017/`` and ``val2017/``, as images of both are in one file.
    **options
        As `CocoDataset` has them: `boxes`, `crowds`, `columns`, `apply_exif`, `max_pixels`, `dtype`, `labels`,
        `cache_dir`.

    Attributes
    ----------
    categories : list of dict
        As they stand in the file, with ``synset``, ``frequency`` and whatever else.
    file_info, licenses
        ``info`` and ``licenses`` of the file, as they stand there, or None.

    Warns
    -----
    UserWarning
        As `CocoDataset`; also when no category has a frequency.

    Raises
    ------
    OSError, ValueError
        As `CocoDataset`; also when a frequency is none of LVIS, or a list of categories holds something else.

    Examples
    --------
    Objects of rare classes are pasted ten times as often as others:

    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from copypaste_rs import SimpleCopyPaste
    >>> image = {"id": 1, "width": 32, "height": 24, "coco_url": "http://images.cocodataset.org/train2017/1.png",
    ...          "neg_category_ids": [2], "not_exhaustive_category_ids": []}
    >>> box = {"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[4, 4, 20, 4, 20, 20, 4, 20]]}
    >>> categories = [{"id": 2, "name": "bob", "frequency": "f"}, {"id": 7, "name": "pan", "frequency": "r"}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "train2017").mkdir()
    ...     Image.new("RGB", (32, 24)).save(Path(folder, "train2017", "1.png"))
    ...     file = {"images": [image], "annotations": [box], "categories": categories}
    ...     _ = Path(folder, "lvis.json").write_text(json.dumps(file))
    ...     photos = LvisDataset(Path(folder, "lvis.json"), folder)
    ...     photos[0].info["neg_category_ids"], photos.frequency
    ([2], {'r': [7], 'c': [], 'f': [2]})
    >>> rare = SimpleCopyPaste(size=512, class_weights=dict.fromkeys(photos.frequency["r"], 10.0))
    """

    def __init__(
        self,
        annotations: str | os.PathLike[str],
        images: str | os.PathLike[str],
        **options: Unpack[DatasetOptions],
    ) -> None:
        path = check_path("annotations", annotations)
        folder = check_path("images", images)
        checked = CheckedOptions.of(**options)
        read = functools.partial(read_lvis, path, folder, checked)
        given = cached_tables(path, checked.cache, {"format": "lvis", **checked.of_tables}, read)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of images, which is not there")
        super().__init__(given, folder, str(annotations), checked)

    @property
    def frequency(self) -> dict[str, list[int]]:
        """Ids of the categories by group: "r" are rare (in at most 10 images of LVIS), "c" common, "f" frequent."""
        groups: dict[str, list[int]] = {group: [] for group in FREQUENCIES}
        for category in self.categories:
            if (group := category.get("frequency")) in groups:
                groups[group].append(category["id"])
        return groups
