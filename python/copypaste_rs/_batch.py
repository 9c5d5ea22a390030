"""Many plans applied in one call, on several threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks, _operation
from copypaste_rs.sample import Instances, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.plan import Plan

THREADS_VARIABLE = "COPYPASTE_RS_THREADS"
"""Environment variable that caps the threads of every call."""

MAX_THREADS = 1024


@final
@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Augmented samples of one size, their images in one array.

    Parameters
    ----------
    images : array, shape (B, H, W) or (B, H, W, C)
        The images.
    instances : list of Instances
        The objects of each.
    infos : list of dict
        The info of each target.
    """

    images: NDArray[Any]
    instances: list[Instances]
    infos: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.instances)

    def __getitem__(self, index: SupportsIndex) -> Sample:
        """One of the samples; its image is a view into `images`."""
        return Sample._trusted(self.images[index], self.instances[index], self.infos[index])


def apply_batch(
    backend: str,
    options: _operation.Options,
    canvas: tuple[int, int],
    plans: Sequence[Plan],
    targets: Sequence[Sample],
    sources: Sequence[Sample | Sequence[Sample]],
    threads: SupportsIndex,
    out: NDArray[Any] | None,
) -> Batch:
    """Apply each plan to its samples; everything is checked before anything is written."""
    most = thread_limit(threads)
    plans, targets = list(plans), list(targets)
    if not len(plans) == len(targets) == len(sources):
        raise ValueError(
            f"plans, targets, sources: expected as many of each, got {len(plans)}, {len(targets)} and {len(sources)}"
        )
    if not plans:
        raise ValueError("plans: expected at least one, got none")
    calls = []
    for i, (plan, target, source) in enumerate(zip(plans, targets, sources, strict=True)):
        try:
            calls.append(_operation.Call.check(options, plan, target, _operation.samples(source)))
        except (TypeError, ValueError) as error:
            raise type(error)(f"item {i}: {error}") from None
    first = targets[0].image
    for i, target in enumerate(targets):
        if target.image.dtype != first.dtype or target.image.shape[2:] != first.shape[2:]:
            raise ValueError(
                f"item {i}: expected images of dtype {first.dtype} and shape (H, W{_tail(first)}) as in item 0, "
                f"got {target.image.dtype} and (H, W{_tail(target.image)})"
            )
    shape = (len(calls), *canvas, *first.shape[2:])
    if out is None:
        images = np.empty(shape, first.dtype)
    else:
        images = _checks.output("out", out, shape, first.dtype, [a for call in calls for a in call.arrays()])
    made = _composer(backend)(
        [(call.plan, *call.sides()) for call in calls], out=images, threads=most, **options.of_kernel(first)
    )
    samples = [call.result(options, each) for call, each in zip(calls, made, strict=True)]
    return Batch(images, [s.instances for s in samples], [s.info for s in samples])


def thread_limit(threads: SupportsIndex) -> int:
    """How many threads to ask for: `threads`, or fewer where the environment says so."""
    asked = _checks.integer("threads", threads, 1, MAX_THREADS)
    text = os.environ.get(THREADS_VARIABLE)
    if not text:
        return asked
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{THREADS_VARIABLE}: expected a positive number, got {text!r}")
    return min(asked, int(text))


def _tail(image: NDArray[Any]) -> str:
    return "".join(f", {side}" for side in image.shape[2:])


def _composer(backend: str) -> Callable[..., list[_operation.Composition]]:
    if backend == "rust":
        from copypaste_rs.functional import compose_batch

        return compose_batch
    from copypaste_rs.reference.paste import compose

    def one_by_one(items: Any, *, out: NDArray[Any], threads: int, **options: Any) -> list[_operation.Composition]:
        del threads  # the reference is for reading, not for speed
        return [compose(*item, out=image, **options) for item, image in zip(items, out, strict=True)]

    return one_by_one
