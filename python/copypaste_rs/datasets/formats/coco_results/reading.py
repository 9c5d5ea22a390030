"""Reading a list of results, predictions of a model as COCO's evaluation takes them, into tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import Head, ImageRows, assembled, counted, joined_texts
from copypaste_rs.datasets.categories import category_ids, keypoint_names, plain_categories
from copypaste_rs.datasets.coco_annotations import AnnotationsReader, Id
from copypaste_rs.datasets.coco_json import CocoFile, decoded, read_images
from copypaste_rs.datasets.fields import Field
from copypaste_rs.datasets.given_ids import plain_id
from copypaste_rs.datasets.problems import Problems

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables


class Scored(msgspec.Struct, gc=False):
    """Fields by which a result counts, or does not."""

    image_id: Id
    score: Any = msgspec.UNSET


class ResultsReader(AnnotationsReader):
    """Collects results, whose numbers in the list, from 1, are their ids; a class below says which are wanted."""

    words: ClassVar[tuple[str, str]] = "result", "results"
    have_ids: ClassVar[bool] = False
    head: ClassVar[type[Scored]] = Scored
    """Fields that `_wants` knows."""

    def __init__(self, *of_annotations: Any) -> None:
        super().__init__(*of_annotations)
        self._heads = msgspec.json.Decoder(self.head, strict=False).decode

    def read(self, number: int, raw: msgspec.Raw) -> None:
        """Take a result, whose number in the list is given, if it is wanted."""
        try:
            head = self._heads(raw)
            is_wanted = self._wants(head, checked_score("score", head.score))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            self._problems.add(f"{self.words[1]}[{number}]", error)
            return
        if is_wanted:
            super().read(number, raw)

    def _wants(self, head: Any, score: float) -> bool:
        """Whether a result becomes a row; what is wrong with it is a ValueError."""
        raise NotImplementedError


class _AnyResults(ResultsReader):
    """Collects results of images that are there, of a score that is high enough."""

    def __init__(self, min_score: float, *of_annotations: Any) -> None:
        super().__init__(*of_annotations)
        self._min_score = min_score
        self.low = 0
        """Results of a score below the least."""
        self.elsewhere: int | str | None = None
        """The first image id that no image has, if any."""

    def _wants(self, head: Any, score: float) -> bool:
        image_id = plain_id(head.image_id)
        if image_id not in self._index:
            self._unknown += 1
            self.elsewhere = image_id if self._unknown == 1 else self.elsewhere
            return False
        self.low += score < self._min_score
        return score >= self._min_score

    @property
    def unknown(self) -> int:
        """Number of results of images that are not there."""
        return self._unknown


def read_results(
    path: Path, annotations: Path, folder: Path, options: CheckedOptions, min_score: float, sources: Sources
) -> AnnotationTables:
    """Read a list of results.

    Parameters
    ----------
    path : Path
        The list: JSON objects with ``image_id``, ``category_id``, ``score`` and ``segmentation`` or ``bbox``.
    annotations : Path
        The COCO file of the images, of which only images and categories are read.
    folder : Path
        The folder of the images.
    options : CheckedOptions
        As of data sets.
    min_score : float
        Results of a lower score are left out, and counted.
    sources : Sources
        By which the two files are read.

    Returns
    -------
    AnnotationTables
        Of all images; rows have the columns ``score`` and ``pseudo``.

    Raises
    ------
    OSError
        When a file cannot be read.
    ValueError
        When a file is not valid, with the place; when no result is of one of the images.
    """
    data, of_images = sources.read(path), sources.read(annotations)
    file = decoded(annotations, of_images, CocoFile, "COCO annotations")
    raws: list[msgspec.Raw] = decoded(path, data, list[msgspec.Raw], "a list of COCO results")
    categories, category_names = plain_categories(file.categories)
    category_ids(f"{annotations}: categories", categories)
    problems = Problems(str(annotations))
    index, image_ids, sizes = read_images(problems, file.images, folder)
    problems.tell()
    names = keypoint_names(f"{annotations}: categories", categories)
    columns = options.columns
    if columns is not None and raws:
        columns |= {"score"}
    problems = Problems(str(path))
    reader = _AnyResults(min_score, problems, index, sizes, {"keypoints": names}, columns, category_names)
    for number, raw in enumerate(raws):
        reader.read(number, raw)
    if raws and reader.unknown == len(raws):
        raise ValueError(
            f"{path}: expected results of the images of {annotations}, got those of another set: none of "
            f"{len(raws)} is of one of its {len(sizes)} images, the first is of image {reader.elsewhere!r}"
        )
    below = f"of a score below {min_score}"
    skipped = [counted(reader.low, f"result {below}", f"results {below}")] if reader.low else []
    remarks: list[str] = []
    rows = reader.finish(options.boxes, skipped, remarks)
    n = len(rows.ids)
    scores = rows.fields["score"].values.astype(np.float64) if "score" in rows.fields else np.zeros(n)
    fields = {"pseudo": Field(np.ones(n, np.bool_)), **rows.fields, "score": Field(scores)}
    return assembled(
        Head(categories, names, sources.digest(), file.info, file.licenses),
        ImageRows(image_ids, sizes, *joined_texts(file.images)),
        rows._replace(fields=fields),
        options.crowds,
        skipped,
        remarks,
    )


def checked_score(name: str, value: Any) -> float:
    """A score of a result, which is called `name`: a number from 0 to 1."""
    if type(value) is float and 0 <= value <= 1:  # as it nearly always comes
        return value
    if value is msgspec.UNSET:
        raise ValueError(f"expected a {name}, got none")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        got = "null or NaN" if value is None else repr(value)
        raise ValueError(f"{name}: expected a number from 0 to 1, got {got}")
    return float(value)
