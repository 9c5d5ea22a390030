"""Soft edges: how much of the source shows at each pixel, and the mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.masks import RleMasks, check_masks
from copypaste_rs.plan import check_placement
from copypaste_rs.reference.geometry import landing, nearest_sample
from copypaste_rs.reference.runs import pixels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.plan import Placement


def alpha(masks: RleMasks, placement: Placement, weights: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Alpha of the source on the canvas, uint8 (h, w): the union of the placed masks, blurred.

    The blur sees the masks beyond the canvas, so that an object which the canvas cuts stays solid there. Where
    the source image does not reach, nothing of it shows.

    Parameters
    ----------
    masks : RleMasks
        Any number of masks of the placement's input size.
    placement : Placement
        Where they land.
    weights : array, shape (2 * radius + 1,), dtype uint16
        Weights of the blur on either axis, adding up to 4096: `copypaste_rs.draws.gaussian_weights`.

    Returns
    -------
    array, shape (h, w), dtype uint8
        Over the canvas: 0 is none of the source, 255 nothing but the source.

    Raises
    ------
    ValueError
        When the masks are of another size than the placement's input, or the weights are not such weights.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> masks = RleMasks((3, 6), [9, 9], [0, 2])
    >>> alpha(masks, Placement((3, 6), (3, 6), (-1, 0), (1, 7)), np.array([1024, 2048, 1024], np.uint16))
    array([[  0,   0,  64, 191, 255, 191,   0]], dtype=uint8)
    """
    check_placement(placement, check_masks("masks", masks).size, "masks")
    return blurred_union(masks, placement, _checks.weights("weights", weights))


def blurred_union(masks: RleMasks, placement: Placement, weights: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """`alpha` on checked arguments."""
    radius = len(weights) // 2
    (top, left), (h, w) = placement.offset, placement.canvas_size
    # The masks on a canvas that is wider by the radius on every side.
    y, rows = landing(top + radius, placement.resized_size[0], h + 2 * radius)
    x, columns = landing(left + radius, placement.resized_size[1], w + 2 * radius)
    picked = np.ix_(
        nearest_sample(rows, placement.input_size[0], placement.resized_size[0]),
        nearest_sample(columns, placement.input_size[1], placement.resized_size[1]),
    )
    wide = np.zeros((h + 2 * radius, w + 2 * radius), np.int64)
    for i in range(len(masks)):
        mask = pixels_of(masks, i)
        wide[y, x] |= (mask[:, ::-1] if placement.hflip else mask)[picked]
    # Sums of whole numbers: neither the order of the axes nor that of the weights matters.
    across = np.zeros((h + 2 * radius, w), np.int64)
    total = np.zeros((h, w), np.int64)
    for k, weight in enumerate(weights.tolist()):
        across += weight * wide[:, k : k + w]
    for k, weight in enumerate(weights.tolist()):
        total += weight * across[k : k + h]
    result = np.zeros((h, w), np.uint8)
    reached = landing(top, placement.resized_size[0], h)[0], landing(left, placement.resized_size[1], w)[0]
    result[reached] = ((total * 255 + 2**23) >> 24)[reached]
    return result


def blend(source: NDArray[Any], target: NDArray[Any], alpha: NDArray[np.uint8]) -> NDArray[Any]:
    """The source over the target, by a weight for each pixel.

    ``(source * alpha + target * (255 - alpha)) / 255``, rounded to nearest: alpha 0 gives the target, 255 the
    source, and mixing equal values changes nothing.

    Parameters
    ----------
    source, target : array, shape (H, W) or (H, W, C), dtype uint8, uint16 or float32
        Both of one shape and dtype. Float values are mixed in float64.
    alpha : array, shape (H, W), dtype uint8
        How much of the source shows.

    Returns
    -------
    array of the shape and dtype of `source`
        The mixture.

    Raises
    ------
    ValueError
        When shapes or dtypes do not fit each other.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> blend(np.array([[200, 50]], np.uint8), np.array([[100, 50]], np.uint8), np.array([[51, 99]], np.uint8))
    array([[120,  50]], dtype=uint8)
    """
    return mixed(*_checks.blend_arguments(source, target, alpha))


def mixed(source: NDArray[Any], target: NDArray[Any], alpha: NDArray[np.uint8]) -> NDArray[Any]:
    """`blend` on checked arguments."""
    share = alpha.reshape(*alpha.shape, *(1,) * (source.ndim - 2))
    if source.dtype == np.float32:
        a = share.astype(np.float64)
        mixture = (source * a + target * (255 - a)) / 255
        result = np.where(share == 0, target, np.where(share == 255, source, mixture))
    else:
        parts = share.astype(np.int64)
        # 255 is odd, so no quotient lies halfway between two whole numbers.
        result = (source * parts + target * (255 - parts) + 127) // 255
    return result.astype(source.dtype, order="C")
