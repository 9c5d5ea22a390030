"""Masks of one image cleaned: small parts, small objects and duplicates go, and old ones make room for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from copypaste_rs.datasets.pseudo_labels.counts import DUPLICATE, EMPTY, SMALL
from copypaste_rs.functional import without_small_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.datasets.pseudo_labels.counts import Counts
    from copypaste_rs.datasets.pseudo_labels.reading import Found
    from copypaste_rs.datasets.pseudo_labels.rules import Rules
    from copypaste_rs.masks import RleMasks

_BLOCK = 256
"""Rows that are compared with all others at a time: so many objects of one image take memory in proportion."""


class Cleaned(NamedTuple):
    """Rows of one image that are left, by their numbers, with their masks."""

    rows: NDArray[np.int64]
    masks: RleMasks

    def take(self, keep: NDArray[np.bool_]) -> Cleaned:
        """Rows of this one for which `keep` is True."""
        return self if keep.all() else Cleaned(self.rows[keep], self.masks[keep])


def cleaned(found: Found, image: int, size: tuple[int, int], rules: Rules, counts: Counts) -> Cleaned:
    """Rows of an image whose masks are large enough, without duplicates; what goes is counted."""
    start, stop = found.offsets[image : image + 2].tolist()
    masks = found.segmentations.masks((start, stop), size).masks
    left = Cleaned(np.arange(start, stop), masks)
    if start == stop:
        return left
    left = without(left, masks.area == 0, EMPTY, found, counts)
    if rules.min_part_area > 1:
        masks = without_small_parts(left.masks, rules.min_part_area, connectivity=rules.connectivity)
        left = Cleaned(left.rows, masks)
    left = without(left, left.masks.area < max(1, rules.min_area), SMALL, found, counts)
    if rules.mask_nms is None:
        return left
    twice = duplicates(left.masks, found.labels[left.rows], found.scores[left.rows], rules.mask_nms)
    return without(left, twice, DUPLICATE, found, counts)


def without(left: Cleaned, gone: NDArray[np.bool_], why: str, found: Found, counts: Counts) -> Cleaned:
    """Rows of `left` but for those that are gone, which are counted, with the reason."""
    if not gone.any():
        return left
    counts.add_all(why, found.labels[left.rows[gone]])
    return left.take(~gone)


def duplicates(
    masks: RleMasks, labels: NDArray[np.int64], scores: NDArray[np.float64], threshold: float
) -> NDArray[np.bool_]:
    """Masks that overlap one of their label, of a higher score, that is no duplicate itself: True in an array.

    Parameters
    ----------
    masks : RleMasks
        n masks.
    labels, scores : array, shape (n,)
        Of equal scores the first one counts as the higher.
    threshold : float
        Two masks overlap where their intersection over union is above it.

    Returns
    -------
    array, shape (n,), dtype bool

    Examples
    --------
    >>> from copypaste_rs import RleMasks
    >>> masks = RleMasks((1, 6), [0, 4, 2, 1, 4, 1, 4, 2], [0, 3, 6, 8])
    >>> duplicates(masks, np.array([1, 1, 1]), np.array([0.8, 0.9, 0.7]), 0.5)
    array([ True, False, False])
    """
    n = len(masks)
    gone = np.zeros(n, np.bool_)
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    for start in range(0, n, _BLOCK):
        rows = order[start : start + _BLOCK]
        rows = rows[~gone[rows]]
        overlaps = masks[rows].iou(masks) > threshold  # where boxes do not meet, no run is looked at
        overlaps &= labels[rows][:, np.newaxis] == labels
        overlaps &= rank[rows][:, np.newaxis] < rank
        for k in np.flatnonzero(overlaps.any(axis=1)).tolist():
            if not gone[rows[k]]:
                gone |= overlaps[k]
    return gone


def replaced(old: RleMasks, new: RleMasks, threshold: float) -> NDArray[np.bool_]:
    """Old masks that any new one overlaps, whatever its class, as flags: their intersection over union reaches it."""
    if not (len(old) and len(new)):
        return np.zeros(len(old), np.bool_)
    return np.asarray((old.iou(new) >= max(threshold, np.finfo(np.float64).tiny)).any(axis=1))


def over_limit(
    is_old: NDArray[np.bool_], iscrowd: NDArray[np.bool_], scores: NDArray[np.float64], most: int
) -> NDArray[np.bool_]:
    """Objects of an image that are too many, as flags: old ones go before new ones, then those of low scores.

    Crowds do not count. Of equal scores the first ones stay.
    """
    gone = np.zeros(len(scores), np.bool_)
    objects = np.flatnonzero(~iscrowd)
    order = np.lexsort((objects, -scores[objects], is_old[objects]))
    gone[objects[order[most:]]] = True
    return gone
