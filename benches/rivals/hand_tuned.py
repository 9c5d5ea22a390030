"""NumPy and OpenCV, hand-tuned: nothing resized that the crop discards, every mask only inside its box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from benches.rivals import Axis, Dense, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs import Placement, Plan


class Cut(NamedTuple):
    """A mask inside its box on the canvas."""

    y: int
    x: int
    mask: NDArray[np.uint8]


def copy_paste(plan: Plan, target: Dense, source: Dense) -> Result:
    """The transform for one paste from one source; bilinear, up to a fraction of a pixel at the window's edge."""
    paste = plan.pastes[0]
    image = np.full((*plan.canvas_size, *target.image.shape[2:]), 128, target.image.dtype)
    place_window(target.image, plan.target, image, (0, 0), plan.canvas_size)
    pasted = [(row, cut) for row in paste.instances if (cut := place(source.masks[row], paste.placement)) is not None]
    kept = [
        (row, cut) for row in range(len(target.masks)) if (cut := place(target.masks[row], plan.target)) is not None
    ]
    if pasted:
        top, left = min(c.y for _, c in pasted), min(c.x for _, c in pasted)
        bottom = max(c.y + c.mask.shape[0] for _, c in pasted)
        right = max(c.x + c.mask.shape[1] for _, c in pasted)
        union = np.zeros((bottom - top, right - left), np.uint8)
        for _, cut in pasted:
            part = union[cut.y - top :, cut.x - left :][: cut.mask.shape[0], : cut.mask.shape[1]]
            cv2.bitwise_or(part, cut.mask, part)
        above = np.empty((*union.shape, *image.shape[2:]), image.dtype)
        place_window(source.image, paste.placement, above, (top, left), (bottom, right))
        cv2.copyTo(above, union, image[top:bottom, left:right])
        kept = [(row, cut) for row, cut in kept if subtract(cut, union, top, left)]
    cuts = [cut for _, cut in kept + pasted]
    masks = np.zeros((len(cuts), *plan.canvas_size), np.uint8)
    boxes, area = np.zeros((len(cuts), 4), np.float32), np.zeros(len(cuts), np.int64)
    for i, cut in enumerate(cuts):
        h, w = cut.mask.shape
        masks[i, cut.y : cut.y + h, cut.x : cut.x + w] = cut.mask
        x, y, width, height = cv2.boundingRect(cut.mask)
        boxes[i] = cut.x + x, cut.y + y, cut.x + x + width, cut.y + y + height
        area[i] = cv2.countNonZero(cut.mask)
    labels = np.concatenate([target.labels[[row for row, _ in kept]], source.labels[[row for row, _ in pasted]]])
    return Result(image, masks, boxes, area, labels)


def place(mask: NDArray[np.uint8], placement: Placement) -> Cut | None:
    """The mask inside the box that it has on the canvas."""
    x0, y0, width, height = cv2.boundingRect(mask)
    y, x = Axis.of(placement, 0), Axis.of(placement, 1)
    rows = np.flatnonzero((y.nearest >= y0) & (y.nearest < y0 + height))
    columns = np.flatnonzero((x.nearest >= x0) & (x.nearest < x0 + width))
    if len(rows) == 0 or len(columns) == 0:
        return None
    # Rows first: whole rows are copied quickly, and there are fewer of them when the mask shrinks.
    cut = mask.take(y.nearest[rows], 0).take(x.nearest[columns], 1)
    return Cut(y.start + int(rows[0]), x.start + int(columns[0]), cut) if cut.any() else None


def subtract(cut: Cut, union: NDArray[np.uint8], top: int, left: int) -> bool:
    """Take the union off a mask where they meet; whether anything is left."""
    h, w = cut.mask.shape
    y0, y1 = max(cut.y, top), min(cut.y + h, top + union.shape[0])
    x0, x1 = max(cut.x, left), min(cut.x + w, left + union.shape[1])
    if y0 >= y1 or x0 >= x1:
        return True
    part = cut.mask[y0 - cut.y : y1 - cut.y, x0 - cut.x : x1 - cut.x]
    part[union[y0 - top : y1 - top, x0 - left : x1 - left] != 0] = 0
    return bool(cut.mask.any())


def place_window(
    image: NDArray[Any], placement: Placement, out: NDArray[Any], start: tuple[int, int], stop: tuple[int, int]
) -> None:
    """Resize only what lands inside start..stop of the canvas, from only the part of the image it needs."""
    source, target = [], []
    for axis in (0, 1):
        offset, resized, n = placement.offset[axis], placement.resized_size[axis], placement.input_size[axis]
        low, high = max(offset, start[axis]), min(offset + resized, stop[axis])
        if low >= high:
            return
        first = max((low - offset) * n // resized - 1, 0)
        last = min(-((offset - high) * n // resized) + 1, n)
        # What the part of the image becomes: it starts a little before the window and ends a little after.
        begin, end = round(first * resized / n), round(last * resized / n)
        source.append((first, last))
        target.append((low, high, low - offset - begin, max(end - begin, high - offset - begin)))
    (y0, y1), (x0, x1) = source
    if placement.hflip:
        n = placement.input_size[1]
        part = image[y0:y1, n - x1 : n - x0][:, ::-1]
    else:
        part = image[y0:y1, x0:x1]
    (ty0, ty1, dy, h), (tx0, tx1, dx, w) = target
    resized_part = cv2.resize(part, (w, h), interpolation=cv2.INTER_LINEAR)
    window = resized_part[dy : dy + ty1 - ty0, dx : dx + tx1 - tx0]
    out[ty0 - start[0] : ty1 - start[0], tx0 - start[1] : tx1 - start[1]] = window
