"""Rules by which results of a model become pseudo-labels, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.datasets.categories import check_named, names_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MIN_SCORE = 0.7
"""Least score of an object, where nobody says another: ours, as the paper names none."""
MASK_NMS = 0.5
"""Intersection over union above which of two objects of one class the one of the lower score is a duplicate: ours."""
MERGE_IOU = 0.5
"""Intersection over union from which on an old pseudo-label makes room for a new one: CutLER's."""
BOXES = ("error", "drop")
"""Ways to deal with a result that has a box and no outline."""

Threshold: TypeAlias = "SupportsFloat | Mapping[int | str | None, SupportsFloat]"


class Rules(NamedTuple):
    """Rules for results: those of scores, by label, then those of masks, in the order in which they are applied."""

    least: dict[int, float]
    """Score from which on a result of each label is an object."""
    doubtful: dict[int, float]
    """Score from which on it is kept at all, as a crowd where it is no object; at most that of `least`."""
    min_mask_score: float | None
    boxes: str
    min_part_area: int
    connectivity: int
    min_area: int
    mask_nms: float | None
    merge_iou: float
    max_per_image: int | None

    def ignored(self, labels: NDArray[np.int64], scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether rows of these labels and scores are no objects."""
        given, numbers = np.unique(labels, return_inverse=True)
        least = np.array([self.least[label] for label in given.tolist()], np.float64)
        return np.asarray(scores < least[numbers]) if len(given) else np.zeros(len(labels), np.bool_)


def checked_rules(
    categories: Sequence[Mapping[str, Any]],
    *,
    min_score: Threshold,
    min_mask_score: SupportsFloat | None,
    ignore_below: Threshold | None,
    boxes: str,
    min_part_area: SupportsIndex,
    connectivity: SupportsIndex,
    min_area: SupportsIndex,
    mask_nms: SupportsFloat | None,
    merge_iou: SupportsFloat,
    max_per_image: SupportsIndex | None,
) -> Rules:
    """The rules, or an error that names the argument that is wrong; `PseudoLabels.from_results` says what each is."""
    least = _by_label("min_score", categories, min_score, lambda _: MIN_SCORE)
    doubtful = dict(least)
    if ignore_below is not None:
        doubtful = _by_label("ignore_below", categories, ignore_below, least.__getitem__)
        for label, score in doubtful.items():
            if score > least[label]:
                expected = f"at most {least[label]:g}, the min_score of category {label}"
                raise wrong("ignore_below", expected, f"{score:g}")
    part_area, diagonal = _checks.parts_arguments(min_part_area, connectivity, "min_part_area")
    return Rules(
        least,
        doubtful,
        None if min_mask_score is None else _checks.real("min_mask_score", min_mask_score, 0.0, 1.0),
        _checks.choice("boxes", boxes, BOXES),
        part_area,
        8 if diagonal else 4,
        _checks.integer("min_area", min_area, 0, _checks.MAX_PIXELS),
        None if mask_nms is None else _checks.real("mask_nms", mask_nms, 0.0, 1.0),
        _checks.real("merge_iou", merge_iou, 0.0, 1.0),
        None if max_per_image is None else _checks.integer("max_per_image", max_per_image, 1, _checks.MAX_SIDE),
    )


def _by_label(
    name: str, categories: Sequence[Mapping[str, Any]], value: Any, other: Callable[[int], float]
) -> dict[int, float]:
    """A threshold for each label: one for all, or by id or name; others have that of None, or what `other` gives."""
    ids: list[int] = [category["id"] for category in categories]
    if not isinstance(value, Mapping):
        return dict.fromkeys(ids, _checks.real(name, value, 0.0, 1.0))
    names = names_of(categories)
    found: dict[int, float] = {}
    for given, threshold in value.items():
        score = _checks.real(item(name, given), threshold, 0.0, 1.0)
        if given is None:
            labels = []
        elif isinstance(given, str):
            check_named(name, given, names)
            labels = [label for label, own in names.items() if own == given]
        elif isinstance(given, int | np.integer) and not isinstance(given, bool):
            if given not in ids:
                raise wrong(name, "ids or names of categories", repr(given))
            labels = [int(given)]
        else:
            raise wrong_type(name, "ids or names of categories", repr(given))
        for label in labels:
            if label in found:
                raise wrong(name, "each category once", f"{label} by its id and by its name")
            found[label] = score
    if None in value:
        found = dict.fromkeys(ids, float(value[None])) | found
    return {label: found[label] if label in found else other(label) for label in ids}
