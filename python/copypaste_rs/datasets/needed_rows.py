"""Rows of images that an item needs: JPEG files are decoded from the top, and what lies below is left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets.scheduling import applied
from copypaste_rs.datasets.undecoded import UndecodedSample, decoded
from copypaste_rs.transforms import ForTraining, ScaleJitter, SimpleCopyPaste

if TYPE_CHECKING:
    from copypaste_rs.datasets.scheduling import AnyTransform
    from copypaste_rs.plan import Placement, Plan
    from copypaste_rs.sample import Sample

_OURS = (SimpleCopyPaste, ScaleJitter, ForTraining)


def item_of(
    transform: AnyTransform,
    target: Sample | UndecodedSample,
    partners: list[Sample | UndecodedSample],
    key: tuple[int, int, int],
) -> Any:
    """The item that a transform makes of a target and its partners, which are decoded as far as their pixels matter."""
    given = [target, *partners]
    if not _is_plain(transform) or not any(isinstance(each, UndecodedSample) for each in given):
        return applied(transform, decoded(target), [decoded(partner) for partner in partners], key)
    blanks = [each.blank() if isinstance(each, UndecodedSample) else each for each in given]
    if isinstance(transform, ScaleJitter):
        plan = transform.sample_plan(blanks[0], key)
    else:
        plan = transform.sample_plan(blanks[0], blanks[1:], key)
    rows = needed_rows(plan, blanks)
    first, *others = [
        each.decoded(n) if isinstance(each, UndecodedSample) else each for each, n in zip(given, rows, strict=True)
    ]
    return transform.apply(plan, first) if isinstance(transform, ScaleJitter) else transform.apply(plan, first, others)


def _is_plain(transform: AnyTransform) -> bool:
    """Whether no pixel matters before a plan is drawn, nor any off the canvas: to none of a class of the user's."""
    inner = transform.transform if isinstance(transform, ForTraining) else transform
    if type(transform) not in _OURS or type(inner) not in _OURS or isinstance(inner._options.fill, str):
        return False
    return not isinstance(inner, SimpleCopyPaste) or inner._planning.choose is None


def needed_rows(plan: Plan, samples: list[Sample]) -> list[int]:
    """Rows of each image, target first, counted from the top, below which no pixel matters to the result."""
    needed = [0] * len(samples)
    needed[0] = _rows(plan.target, plan.target.input_size[0])
    for paste in plan.pastes:
        boxes = samples[paste.source + 1].instances.boxes
        if boxes is None or not paste.instances:
            continue
        bottoms = boxes[:, 3].tolist()  # of so few, NumPy's own maximum takes longer
        bottom = max([bottoms[row] for row in paste.instances])
        # Soft edges show pixels beside the objects.
        beside = 0 if paste.sigma is None else math.ceil(3 * paste.sigma)
        needed[paste.source + 1] = max(needed[paste.source + 1], _rows(paste.placement, bottom, beside))
    return needed


def _rows(placement: Placement, bottom: float, beside: int = 0) -> int:
    """Rows of an image that show on a canvas, of what lies above `bottom` and so many canvas rows below it.

    It may be some more: the nearest pixel, two taps and the widest filter, which averages over two output pixels, are
    all within.
    """
    h, resized = placement.input_size[0], placement.resized_size[0]
    shown = min(resized, placement.canvas_size[0] - placement.offset[0])
    last = min(shown, math.ceil(bottom * resized / h) + beside)
    if last <= 0:
        return 0
    step = h / resized
    return min(h, math.ceil(last * step + max(1.0, step)) + 1)
