"""Dense NumPy and OpenCV, straightforward: everything on the whole canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benches.rivals import Axis, Dense, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs import Placement, Plan


def copy_paste(plan: Plan, target: Dense, source: Dense) -> Result:
    """The transform for one paste from one source, bilinear."""
    paste = plan.pastes[0]
    rows = np.array(paste.instances)
    image, masks = place_image(target.image, plan.target), place_masks(target.masks, plan.target)
    above, pasted = place_image(source.image, paste.placement), place_masks(source.masks[rows], paste.placement)
    labels = source.labels[rows]
    seen = pasted.any((1, 2))
    pasted, labels = pasted[seen], labels[seen]
    union = pasted.any(0)
    image = np.where(union[..., None], above, image)
    masks = masks & ~union
    left = masks.any((1, 2))
    masks = np.concatenate([masks[left], pasted])
    labels = np.concatenate([target.labels[left], labels])
    return Result(image, masks, boxes(masks), masks.sum((1, 2), dtype=np.int64), labels)


def place_image(image: NDArray[Any], placement: Placement) -> NDArray[Any]:
    """Resize all of it, then crop and pad."""
    h, w = placement.resized_size
    resized = cv2.resize(image[:, ::-1] if placement.hflip else image, (w, h), interpolation=cv2.INTER_LINEAR)
    canvas = np.full((*placement.canvas_size, *image.shape[2:]), 128, image.dtype)
    y, x = Axis.of(placement, 0), Axis.of(placement, 1)
    top, left = placement.offset
    canvas[y.start : y.stop, x.start : x.stop] = resized[y.start - top : y.stop - top, x.start - left : x.stop - left]
    return canvas


def place_masks(masks: NDArray[np.uint8], placement: Placement) -> NDArray[np.bool_]:
    """Resize each by the nearest pixel, crop and pad."""
    y, x = Axis.of(placement, 0), Axis.of(placement, 1)
    canvas = np.zeros((len(masks), *placement.canvas_size), np.bool_)
    canvas[:, y.start : y.stop, x.start : x.stop] = masks[:, y.nearest[:, None], x.nearest]
    return canvas


def boxes(masks: NDArray[Any]) -> NDArray[np.float32]:
    """Boxes from the projections on both axes."""
    found = np.zeros((len(masks), 4), np.float32)
    for box, mask in zip(found, masks, strict=True):
        ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box[:] = xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
    return found
