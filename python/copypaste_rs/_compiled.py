"""The operation in Rust, on checked arguments: what `copypaste_rs.reference.paste` is in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from copypaste_rs import _columns, _core, _operation
from copypaste_rs.draws import weights_of
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._formats import Format
    from copypaste_rs.plan import Plan

_Job: TypeAlias = "tuple[Plan, list[_operation.Side], list[NDArray[np.uint16] | None]]"


def compose(
    plan: Plan,
    target: _operation.Side,
    sources: Sequence[_operation.Side],
    *,
    fill: NDArray[Any],
    interpolation: str,
    antialias: bool,
    min_area: int,
    min_visibility: float,
    keep_hidden: bool,
    out: NDArray[Any] | None,
) -> _operation.Composition:
    """Apply a plan to checked arguments; `fill` has one value for each channel."""
    image = np.empty((*plan.canvas_size, *target.image.shape[2:]), target.image.dtype) if out is None else out
    done: dict[int, _operation.Columns] = {}
    _core.copy_paste(
        iter([_job(plan, target, sources)]),
        done.__setitem__,
        fill,
        interpolation == "nearest",
        antialias,
        min_area,
        min_visibility,
        keep_hidden,
        planes(image)[np.newaxis],
        None,
        None,
    )
    return _composition(plan, image, done[0])


def compose_batch(
    calls: Iterator[_operation.Call],
    *,
    like: NDArray[Any],
    fill: NDArray[Any],
    interpolation: str,
    antialias: bool,
    min_area: int,
    min_visibility: float,
    keep_hidden: bool,
    out: NDArray[Any],
    threads: int,
    done: Callable[[_operation.Composition], None],
    output_format: Format | None = None,
) -> None:
    """`compose` for each call, into its image of `out`, in another format than the canvas where there is one.

    Images are like `like` in dtype and channels. Nothing is written before all calls have come and their masks are
    read. `done` takes the composition of each, in order; it runs while other threads work, as does what makes calls.
    """
    linear = None if output_format is None else output_format.linear(like)
    first = output_format is not None and output_format.channels_first and like.ndim == 3
    plans: list[Plan] = []

    def jobs() -> Iterator[_Job]:
        for call in calls:
            plans.append(call.plan)
            yield _job(call.plan, *call.sides())

    _core.copy_paste(
        jobs(),
        lambda i, made: done(_composition(plans[i], out[i], made)),
        fill,
        interpolation == "nearest",
        antialias,
        min_area,
        min_visibility,
        keep_hidden,
        out if like.ndim == 3 else out[..., np.newaxis],
        threads,
        None if output_format is None else (first, linear),
    )


def _composition(plan: Plan, image: NDArray[Any], made: _operation.Columns) -> _operation.Composition:
    return _operation.Composition(image, RleMasks._trusted(plan.canvas_size, made[0], made[1]), *made[2:], pick)


def pick(columns: Sequence[Sequence[NDArray[Any]]], row: NDArray[np.int64]) -> list[NDArray[Any]]:
    """`_columns.pick`, quicker: NumPy takes longer to get ready than to work."""
    picked = _core.pick(columns, row)
    return [
        _columns.pick([arrays], row)[0] if values is None else values
        for arrays, values in zip(columns, picked, strict=True)
    ]


def draw_masks(masks: Sequence[RleMasks], out: Sequence[NDArray[Any]], threads: int) -> None:
    """Draw each of `masks` in its array: planes (m, h, w), the first of which are written, or a map (h, w)."""
    bytes_or_numbers = [each.view(np.uint8) if each.ndim == 3 else each for each in out]
    _core.draw_masks(list(masks), bytes_or_numbers, threads)


def _job(plan: Plan, target: _operation.Side, sources: Sequence[_operation.Side]) -> _Job:
    """What the extension takes of one item: images with a channel axis, weights for soft edges."""
    return (
        plan,
        [_operation.Side(planes(side.image), side.masks, side.iscrowd) for side in (target, *sources)],
        [None if paste.sigma is None else weights_of(paste.sigma) for paste in plan.pastes],
    )


def planes(image: NDArray[Any]) -> NDArray[Any]:
    """The image with its channel axis, aligned: as the extension takes it."""
    if not image.flags.aligned:
        image = image.copy()
    return image if image.ndim == 3 else image[:, :, np.newaxis]
