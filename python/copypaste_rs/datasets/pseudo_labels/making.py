"""Results, and the pseudo-labels of an earlier round, to the tables of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._ragged import offsets_of
from copypaste_rs.datasets.assembly import AnnotationRows, Head, assembled
from copypaste_rs.datasets.categories import keypoint_names
from copypaste_rs.datasets.fields import Field
from copypaste_rs.datasets.pseudo_labels.cleaning import Cleaned, cleaned, over_limit, replaced, without
from copypaste_rs.datasets.pseudo_labels.counts import EMPTY, IGNORED, KEPT, OVER_LIMIT, REPLACED
from copypaste_rs.datasets.pseudo_labels.reading import MASK_SCORE
from copypaste_rs.datasets.segmentations import Segmentations
from copypaste_rs.datasets.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.pseudo_labels.counts import Counts
    from copypaste_rs.datasets.pseudo_labels.images import ImageSet
    from copypaste_rs.datasets.pseudo_labels.reading import Found
    from copypaste_rs.datasets.pseudo_labels.rules import Rules
    from copypaste_rs.datasets.tables import AnnotationTables


class _Part(NamedTuple):
    """Rows of one source that are left, in the order of the images."""

    found: Found
    rows: list[NDArray[np.int64]]
    counts: list[NDArray[np.uint32]]
    runs: list[NDArray[np.int64]]

    @classmethod
    def of(cls, found: Found) -> _Part:
        return cls(found, [], [], [])

    def add(self, left: Cleaned) -> None:
        self.rows.append(left.rows)
        self.counts.append(left.masks.counts)
        self.runs.append(np.diff(left.masks.offsets))


def tables_of(images: ImageSet, new: Found, old: Found | None, rules: Rules, counts: Counts) -> AnnotationTables:
    """The tables of all images, with the rows that the rules leave; what they leave out is counted."""
    parts = [_Part.of(found) for found in (new, old) if found is not None]
    for i, (h, w) in enumerate(images.rows.sizes.tolist()):
        left = cleaned(new, i, (h, w), rules, counts)
        kept = [left] if old is None else [left, _merged(old, i, (h, w), left, rules, counts)]
        if rules.max_per_image is not None:
            kept = _limited(kept, [part.found for part in parts], rules.max_per_image, counts)
        for part, each in zip(parts, kept, strict=True):
            part.add(each)
    return _joined(images, parts, counts)


def _merged(old: Found, image: int, size: tuple[int, int], new: Cleaned, rules: Rules, counts: Counts) -> Cleaned:
    """Old rows of an image that no new one overlaps."""
    start, stop = old.offsets[image : image + 2].tolist()
    left = Cleaned(np.arange(start, stop), old.segmentations.masks((start, stop), size).masks)
    left = without(left, left.masks.area == 0, EMPTY, old, counts)
    return without(left, replaced(left.masks, new.masks, rules.merge_iou), REPLACED, old, counts)


def _limited(kept: list[Cleaned], founds: Sequence[Found], most: int, counts: Counts) -> list[Cleaned]:
    if sum(len(each.rows) for each in kept) <= most:
        return kept
    sides = [(found.iscrowd[each.rows], found.scores[each.rows]) for found, each in zip(founds, kept, strict=True)]
    crowds, scores = (np.concatenate(columns) for columns in zip(*sides, strict=True))
    ends = offsets_of([len(each.rows) for each in kept])
    gone = over_limit(np.arange(len(crowds)) >= ends[1], crowds, scores, most)
    left = []
    for found, each, start, stop in zip(founds, kept, ends[:-1], ends[1:], strict=True):
        over = gone[start:stop]
        counts.add_all(OVER_LIMIT, found.labels[each.rows[over]])
        left.append(each.take(~over))
    return left


def _joined(images: ImageSet, parts: Sequence[_Part], counts: Counts) -> AnnotationTables:
    """The tables of rows of one or two sources: in each image new ones come first."""
    places = [np.repeat(np.arange(len(part.rows)), [len(rows) for rows in part.rows]) for part in parts]
    image = np.concatenate(places)
    order = np.argsort(image, kind="stable")
    rows = [np.concatenate([np.zeros(0, np.int64), *part.rows]) for part in parts]
    founds = [part.found for part in parts]

    def column(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([each[own] for each, own in zip(values, rows, strict=True)])[order]

    labels, iscrowd = column([found.labels for found in founds]), column([found.iscrowd for found in founds])
    fields = {
        "score": Field(column([found.scores for found in founds])),
        "pseudo": Field(np.ones(len(order), np.bool_)),
    }
    if any(found.mask_scores is not None for found in founds):
        scores = [np.full(len(f.labels), np.nan) if f.mask_scores is None else f.mask_scores for f in founds]
        fields[MASK_SCORE] = Field(column(scores))
    runs = np.concatenate([np.zeros(0, np.int64), *(each for part in parts for each in part.runs)])
    flat = np.concatenate([np.zeros(0, np.uint32), *(each for part in parts for each in part.counts)])
    n = len(order)
    segmentations = Segmentations(
        np.zeros(0),
        np.zeros(1, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        flat,
        offsets_of(runs)[:-1],
        runs,
    ).take(order)
    counts.add_all(KEPT, labels[~iscrowd])
    counts.add_all(IGNORED, labels[iscrowd])
    said = Sources()
    for array in (images.rows.json, image, labels, iscrowd, *(each.values for each in fields.values()), runs, flat):
        said.include(np.ascontiguousarray(array).tobytes())
    names = keypoint_names("categories", images.categories)
    return assembled(
        Head(images.categories, names, said.digest(), images.info, images.licenses),
        images.rows,
        AnnotationRows(image[order], np.arange(1, n + 1), labels, iscrowd, fields, segmentations, None, 0),
        "keep",
        [],
        [],
    )
