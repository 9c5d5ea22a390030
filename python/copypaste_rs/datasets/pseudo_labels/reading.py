"""Results of a model, read as far as their scores are high enough; what is not is counted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.boxes import BoxAloneError
from copypaste_rs.datasets.coco_json import decoded
from copypaste_rs.datasets.formats.coco_results.dense_masks import pixels_in_memory
from copypaste_rs.datasets.formats.coco_results.reading import ResultsReader, Scored, checked_score
from copypaste_rs.datasets.given_ids import plain_id
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.pseudo_labels.counts import BOX_ALONE, EMPTY, LOW_MASK_SCORE, LOW_SCORE
from copypaste_rs.datasets.segmentations import EXPECTED

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from copypaste_rs.datasets.pseudo_labels.counts import Counts
    from copypaste_rs.datasets.pseudo_labels.images import ImageSet
    from copypaste_rs.datasets.pseudo_labels.rules import Rules
    from copypaste_rs.datasets.segmentations import Segmentations

MASK_SCORE = "mask_score"
"""Field of a result, and column, that has the score of the mask alone."""
COLUMNS = frozenset({"score", MASK_SCORE})
_ABSENT = (b"", b"null")
"""JSON texts of a field without a value."""


class ResultBoxAloneError(BoxAloneError):
    """A result has a box and no outline, of which no pseudo-label is made."""

    def __str__(self) -> str:
        return f"{self.args[0]}; boxes='drop' leaves such results out"


class Found(NamedTuple):
    """Results, or earlier pseudo-labels, by image: those of image i are rows ``offsets[i]`` to ``offsets[i + 1]``."""

    offsets: NDArray[np.int64]
    labels: NDArray[np.int64]
    iscrowd: NDArray[np.bool_]
    scores: NDArray[np.float64]
    mask_scores: NDArray[np.float64] | None
    segmentations: Segmentations


class _Head(Scored, gc=False):
    """Fields by which a result is judged before its mask is read."""

    category_id: Any = msgspec.UNSET
    mask_score: Any = msgspec.UNSET
    file_name: Any = msgspec.UNSET
    segmentation: msgspec.Raw = msgspec.Raw()
    bbox: msgspec.Raw = msgspec.Raw()


class _ScoredReader(ResultsReader):
    """Collects results whose scores are high enough."""

    head: ClassVar[type[Scored]] = _Head

    def __init__(self, problems: Problems, images: ImageSet, rules: Rules, counts: Counts) -> None:
        super().__init__(problems, images.number_of, images.rows.sizes, {}, COLUMNS, images.category_names)
        self._set = images
        self._rules = rules
        self._results = counts
        self._by_name: dict[str, int] | None = None

    def _wants(self, head: Any, score: float) -> bool:
        image = self._image(head.image_id)
        if isinstance(head.file_name, str):
            self._check_name(head, image)
        label = self._known_label(head.category_id)
        if head.mask_score is not msgspec.UNSET or self._rules.min_mask_score is not None:
            mask_score = checked_score(MASK_SCORE, head.mask_score)
        if score < self._rules.doubtful[label]:
            self._results.add(LOW_SCORE, label)
            return False
        if self._rules.min_mask_score is not None and mask_score < self._rules.min_mask_score:
            self._results.add(LOW_MASK_SCORE, label)
            return False
        if bytes(head.segmentation) in _ABSENT and bytes(head.bbox) in _ABSENT:
            raise ValueError("expected a segmentation or a bbox, got neither")
        return True

    def _image(self, given: int | str) -> int:
        """The number of an image by its id, or by the name of its file, which some tools write for it."""
        found = self._index.get(given)
        if found is None and isinstance(given, str):
            if (found := self._index.get(plain_id(given))) is None:
                self._by_name = self._set.by_file_name() if self._by_name is None else self._by_name
                found = self._by_name.get(given)
            if found is not None:
                self._index[given] = found  # type: ignore[index]  # a dict of our own
        if found is None:
            n = len(self._set.file_names)
            expected = f"the id of one of the {counted(n, 'image', 'images')} of {self._set.name}"
            raise ValueError(f"image_id: expected {expected}, got {given!r}")
        return found

    def _check_name(self, head: Any, image: int) -> None:
        """Refuse a result that names another file than its image has: it is one of another set."""
        own, given = (
            PurePosixPath(name.replace("\\", "/")).name for name in (self._set.file_names[image], head.file_name)
        )
        if own and given != own:
            raise ValueError(f"file_name: expected {own!r}, that of image {head.image_id!r}, got {given!r}")

    def _known_label(self, given: Any) -> int:
        if type(given) is int and given in self._rules.least:  # as it nearly always comes
            return given
        if isinstance(given, float) and given.is_integer():
            given = int(given)
        if given is not msgspec.UNSET:
            label = self._label(given) if isinstance(given, int | str) and not isinstance(given, bool) else None
            if label in self._rules.least:
                return int(label)
        got = "none" if given is msgspec.UNSET else repr(given)
        raise ValueError(f"category_id: expected the id of one of {self._set.categories_name}, got {got}")


def read(results: Any, images: ImageSet, rules: Rules, counts: Counts) -> tuple[Found, list[str]]:
    """Read results, a file or a list, and say what of them was left out within a row.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError, TypeError
        When they are no results, or not of these images and categories, with the place, up to ten at once.
    """
    name, raws = _raws(results)
    problems = Problems(name)
    reader = _ScoredReader(problems, images, rules, counts)
    _read_all(reader, raws)
    del raws
    skipped: list[str] = []
    try:
        rows = reader.finish("error" if rules.boxes == "error" else "keep", skipped, [])
    except BoxAloneError as error:
        raise ResultBoxAloneError(error.place, error.others) from None
    covers = rows.segmentations.may_cover()
    alone = np.zeros(len(covers), np.bool_) if rows.boxes is None else rows.boxes.box_only
    counts.add_all(BOX_ALONE, rows.labels[alone])
    counts.add_all(EMPTY, rows.labels[~covers & ~alone])
    order = np.flatnonzero(covers)[np.argsort(rows.image[covers], kind="stable")]
    edges = np.arange(len(images.file_names) + 1)
    labels = rows.labels[order]
    scores, mask_scores = (
        rows.fields[each].values[order].astype(np.float64) if each in rows.fields else None
        for each in ("score", MASK_SCORE)
    )
    scores = np.zeros(0) if scores is None else scores
    found = Found(
        np.searchsorted(rows.image[order], edges),
        labels,
        rules.ignored(labels, scores),
        scores,
        mask_scores,
        rows.segmentations.take(order),
    )
    return found, skipped


def _read_all(reader: _ScoredReader, raws: Iterator[tuple[int, msgspec.Raw]]) -> None:
    """Read all results; afterwards nothing holds the bytes of the file, which each of them is a view of."""
    for number, raw in raws:
        reader.read(number, raw)


def _raws(results: Any) -> tuple[str, Iterator[tuple[int, msgspec.Raw]]]:
    """Name of the results for errors, and each of them as JSON, with its number."""
    if isinstance(results, str | os.PathLike):
        path = check_path("results", results)
        given: list[msgspec.Raw] = decoded(path, path.read_bytes(), list[msgspec.Raw], "a list of COCO results")
        return str(path), iter(enumerate(given))
    if isinstance(results, Mapping | bytes) or not isinstance(results, Iterable):
        expected = "the path of a list of COCO results, or the list"
        raise wrong_type("results", expected, type(results).__name__)
    return "results", ((i, _as_json(i, result)) for i, result in enumerate(results))


def _as_json(number: int, result: Any) -> msgspec.Raw:
    """A result in memory as a file would have it: counts as text, arrays as lists."""
    place = ("results", number)
    if not isinstance(result, Mapping):
        raise wrong_type(place, "a dict", type(result).__name__)
    for name in ("score", MASK_SCORE):
        value = result.get(name)
        if hasattr(value, "__float__") and not isinstance(value, float | int | np.generic | np.ndarray):
            got = f"{type(value).__name__}; float({name}) makes one"
            raise wrong_type(item(place, name), "a number", got)
    if (pixels := pixels_in_memory(result.get("segmentation"))) is not None:
        raise wrong(item(place, "segmentation"), EXPECTED, pixels)
    return msgspec.Raw(json_text(place, {name: _plain(value) for name, value in result.items()}))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, bytes | bytearray):  # counts as pycocotools makes them
        return value.decode("latin-1")
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) if isinstance(each, Mapping | np.ndarray) else each for each in value]
    return value
