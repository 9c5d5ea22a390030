"""Masks as their toggles: the pixels, numbered column by column, whose state differs from that of the pixel before.

The runs of a mask are the distances between its toggles.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def pixels_of(masks: RleMasks, i: int) -> NDArray[np.bool_]:
    """Mask `i` as pixels, shape (h, w)."""
    h, w = masks.size
    run = runs_of(masks)[i]
    return np.repeat(np.arange(len(run)) % 2 == 1, run).reshape(w, h).T


def from_pixels(size: tuple[int, int], pixels: Iterable[NDArray[np.bool_]]) -> RleMasks:
    """Masks of pixels, each of shape `size`, taken one after the other."""
    return from_toggles(size, (toggles_of_pixels(mask) for mask in pixels))


def runs_of(masks: RleMasks) -> list[NDArray[np.uint32]]:
    """The runs of each mask."""
    return [masks.counts[a:b] for a, b in pairwise(masks.offsets)]


def toggles_of(masks: RleMasks) -> list[NDArray[np.int64]]:
    """The toggles of each mask, ascending."""
    return [np.cumsum(run[:-1], dtype=np.int64) for run in runs_of(masks)]


def toggles_of_pixels(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The toggles of a mask of shape (h, w)."""
    return np.flatnonzero(np.diff(mask.T.ravel(), prepend=False))


def edges_of(toggles: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Pixels from each of which on, up to the next, no mask changes."""
    return np.unique(np.concatenate([np.zeros(1, np.int64), *toggles]))


def is_set(toggles: NDArray[np.int64], pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A pixel is set when an odd number of toggles lie before it or on it."""
    return np.asarray(np.searchsorted(toggles, pixels, side="right") % 2 == 1)


def toggles_of_states(edges: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The toggles of a mask that is in a certain state from each edge on, up to the next."""
    return edges[np.diff(inside, prepend=False)]


def from_toggles(size: tuple[int, int], toggles: Iterable[NDArray[np.int64]]) -> RleMasks:
    """Masks with the given toggles."""
    runs = [np.diff(each, prepend=0, append=size[0] * size[1]) for each in toggles]
    counts = np.concatenate([np.zeros(0, np.int64), *runs])
    return RleMasks(size, counts, np.cumsum([0, *(len(run) for run in runs)]))
