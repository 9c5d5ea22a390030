"""Keypoints: x, y and v of k points of each instance, shape (n, k, 3), float32.

Coordinates are half-open, as those of boxes: the centre of pixel i is i + 0.5. COCO files hold pixel numbers
instead, which differ by that half. v is 0 for a point that nobody marked, 1 for a hidden and 2 for a visible one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.column_kinds.kind import FileForm, Geometry

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import FlipPairs
    from copypaste_rs.column_kinds.kind import Covered, Moves

_FARTHEST = float(np.finfo(np.float32).max)


def check(name: str, values: ArrayLike) -> NDArray[np.float32]:
    """`values` as keypoints (n, k, 3): finite, v 0, 1 or 2."""
    array = _checks.converted(name, values, "an array of shape (n, k, 3)", "rows of differing shape")
    if array.dtype.kind not in "iuf" and array.size:
        raise wrong_type(name, "numbers", f"dtype {array.dtype}")
    if array.ndim != 3 or array.shape[2] != 3:
        raise wrong(name, "shape (n, k, 3): x, y, v of each point", str(array.shape))
    with np.errstate(over="ignore"):
        points = array.astype(np.float32, copy=False)
    if not np.isfinite(points).all():
        raise wrong(name, "finite numbers", "NaN or infinity")
    v = points[:, :, 2]
    if not np.isin(v, (0, 1, 2)).all():
        raise wrong(name, "v of 0 (not marked), 1 (hidden) or 2 (visible)", str(v[~np.isin(v, (0, 1, 2))][0]))
    return points


def check_pairs(points: NDArray[Any], flip_pairs: FlipPairs) -> None:
    """Check that the points of all pairs are there."""
    k = points.shape[1]
    if flip_pairs and (last := max(map(max, flip_pairs))) >= k:
        raise wrong("flip_pairs", f"numbers of points from 0 to {k - 1}, since keypoints have {k} each", str(last))


def move(points: NDArray[np.float32], moves: Moves, flip_pairs: FlipPairs) -> NDArray[np.float32]:
    """Points on the canvas; those off it are as those that nobody marked: zeros."""
    xy, v = points[:, :, :2].astype(np.float64), points[:, :, 2:].copy()
    if (mirrored := moves.mirrored).any():
        order = np.arange(points.shape[1])
        for i, j in flip_pairs or ():
            order[[i, j]] = j, i
        turned = xy[mirrored][:, order]
        turned[:, :, 0] = moves.sides[mirrored, :1] - turned[:, :, 0]
        xy[mirrored], v[mirrored] = turned, v[mirrored][:, order]
    with np.errstate(over="ignore"):
        placed = (xy * moves.ratios[:, None] + moves.offsets[:, None]).astype(np.float32)
    moved = np.concatenate([placed, v], axis=2)
    # Compared as they are stored, but in float64: a side of the canvas may have no float32 of its own.
    x, y = placed[:, :, 0].astype(np.float64), placed[:, :, 1].astype(np.float64)
    h, w = moves.canvas
    moved[(moved[:, :, 2] == 0) | (x < 0) | (x >= w) | (y < 0) | (y >= h)] = 0
    return moved


def hide(points: NDArray[np.float32], covered: Covered) -> NDArray[np.float32]:
    """Points with v 1 instead of 2 where a later paste covers their pixel."""
    rows, numbers = np.nonzero(points[:, :, 2] == 2)
    x, y, _ = np.floor(points[rows, numbers]).astype(np.int64).T
    hidden = covered(rows, y, x)
    points = points.copy()
    points[rows[hidden], numbers[hidden], 2] = 1
    return points


def count(points: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number of marked points of each row."""
    return (points[:, :, 2] > 0).sum(axis=1, dtype=np.int64)


GEOMETRY = Geometry(check_pairs, move, hide, {"num_keypoints": count})


def _read(value: Any) -> list[float]:
    if not isinstance(value, list) or not all(isinstance(each, int | float) for each in value):
        raise ValueError("keypoints: expected a list of numbers x, y, v, ..., got something else")
    if len(value) % 3:
        raise ValueError(f"keypoints: expected three numbers for each point, got {len(value)}")
    if far := [number for number in value if abs(number) > _FARTHEST]:
        raise ValueError(f"keypoints: expected numbers that float32 holds, got {far[0]}")
    if strange := [v for v in value[2::3] if v not in (0, 1, 2)]:
        raise ValueError(f"keypoints: expected v of 0 (not marked), 1 (hidden) or 2 (visible), got {strange[0]}")
    return value


def _column(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    points = numbers.reshape(len(numbers), -1, 3).copy()
    points[:, :, :2] += 0.5 * (points[:, :, 2:] > 0)
    return check("keypoints", points)


def _write(points: NDArray[np.float32]) -> list[list[float]]:
    # The shortest decimal that is the same float32 is what was read; rounding takes off what the half adds in float64.
    values = points.astype(str).astype(np.float64)
    values[:, :, :2] = np.round(values[:, :, :2] - 0.5 * (values[:, :, 2:] > 0), 9)
    rows = values.reshape(len(values), -1).tolist()
    return [[int(value) if value.is_integer() else value for value in row] for row in rows]


COCO = FileForm(_read, _column, _write, per_name=3)
