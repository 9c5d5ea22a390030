"""Many plans applied in one call, on several threads; images and masks in the form that is asked for."""

from __future__ import annotations

import operator
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks, _operation
from copypaste_rs.sample import Instances, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._formats import Format
    from copypaste_rs.masks import RleMasks
    from copypaste_rs.plan import Plan

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
        i = operator.index(index)
        return Sample._trusted(self.images[i], self.instances[i], self.infos[i])

    def __repr__(self) -> str:
        return f"Batch(images={self.images.shape} {self.images.dtype})"


class Drawn(NamedTuple):
    """How masks are drawn as pixels."""

    label_map: bool
    dtype: np.dtype[Any]

    def fresh(self, n: int, size: tuple[int, int]) -> NDArray[Any]:
        """An array for n masks."""
        return np.empty(size if self.label_map else (n, *size), self.dtype)

    def check(self, name: str, out: object, most: int, size: tuple[int, int]) -> NDArray[Any]:
        """`out`, which must be able to take up to `most` masks."""
        if self.label_map:
            return _checks.output(name, out, size, self.dtype)
        planes = _checks.array(name, out)
        if planes.ndim != 3 or len(planes) < most:
            h, w = size
            raise ValueError(
                f"{name}: expected shape (n, {h}, {w}) with n of at least {most}, "
                f"for as many masks as may be left, got {planes.shape}"
            )
        return _checks.output(name, out, (len(planes), *size), self.dtype)

    def part(self, drawing: NDArray[Any], n: int) -> NDArray[Any]:
        """What of an array the n masks take."""
        return drawing if self.label_map else drawing[:n]


class Form(NamedTuple):
    """What results look like, where it is not a `Sample`."""

    image: Format
    drawn: Drawn | None
    """None leaves the masks as runs."""


class Results(NamedTuple):
    """What comes out of a batch."""

    images: NDArray[Any]
    samples: list[Sample]
    """Their images are views into `images`."""
    masks: list[NDArray[Any]] | None


def apply_batch(
    backend: str,
    options: _operation.Options,
    canvas: tuple[int, int],
    plans: Sequence[Plan],
    targets: Sequence[Sample],
    sources: Sequence[Sample | Sequence[Sample]],
    threads: SupportsIndex,
    out: NDArray[Any] | None,
    form: Form | None = None,
    masks_out: Sequence[NDArray[Any]] | None = None,
) -> Results:
    """Apply each plan to its samples; everything is checked before anything is written."""
    most = _checks.integer("threads", threads, 1, MAX_THREADS)
    plans, targets, sources = (
        _checks.items(name, given) for name, given in (("plans", plans), ("targets", targets), ("sources", sources))
    )
    if not len(plans) == len(targets) == len(sources):
        raise ValueError(
            f"plans, targets, sources: expected as many of each, got {len(plans)}, {len(targets)} and {len(sources)}"
        )
    if not plans:
        raise ValueError("plans: expected at least one, got none")
    first = _operation.sample("item 0: target", targets[0]).image
    shape, dtype = (*canvas, *first.shape[2:]), first.dtype
    extra: dict[str, Any] = {}
    if form is not None:
        form.image.linear(first)
        shape, dtype = form.image.shape(canvas, first), form.image.dtype
        extra = {"output_format": form.image}
    shape = (len(plans), *shape)
    images = np.empty(shape, dtype) if out is None else _checks.output("out", out, shape, dtype)
    calls: deque[_operation.Call] = deque()
    taken = _one_by_one(options, canvas, first, zip(plans, targets, sources, strict=True), out, calls)
    given: list[NDArray[Any]] | None = None
    if masks_out is not None:
        taken = iter([*taken])  # their memory is compared with that of all
        given = _given(form and form.drawn, calls, canvas, masks_out)
        if out is not None and _checks.may_overlap(out, given):
            raise ValueError("masks_out: expected memory of its own, got an array that overlaps out")
    compose_batch, draw_masks = _kernels(backend)
    samples: list[Sample] = []
    masks: list[RleMasks] = []

    def done(made: _operation.Composition) -> None:
        # Calls go here, where other threads are at work meanwhile, not when all is done.
        samples.append(calls.popleft().result(options, made))
        masks.append(made.masks)

    compose_batch(taken, like=first, done=done, out=images, threads=most, **extra, **options.of_kernel(first))
    if form is None or form.drawn is None:
        return Results(images, samples, None)
    drawings = [form.drawn.fresh(len(each), canvas) for each in masks] if given is None else given
    draw_masks(masks, drawings, most)
    return Results(images, samples, [form.drawn.part(d, len(m)) for d, m in zip(drawings, masks, strict=True)])


def _one_by_one(
    options: _operation.Options,
    canvas: tuple[int, int],
    first: NDArray[Any],
    items: Iterable[tuple[Plan, Sample, Sample | Sequence[Sample]]],
    out: NDArray[Any] | None,
    calls: deque[_operation.Call],
) -> Iterator[_operation.Call]:
    """Checks each item when it is asked for, and adds it to `calls`: a kernel gets others ready meanwhile."""
    for i, item in enumerate(items):
        call = _call(options, canvas, i, *item)
        image = call.samples[0].image
        if image.dtype != first.dtype or image.shape[2:] != first.shape[2:]:
            raise ValueError(
                f"item {i}: expected images of dtype {first.dtype} and shape (H, W{_tail(first)}) as in item 0, "
                f"got {image.dtype} and (H, W{_tail(image)})"
            )
        if out is not None:
            _checks.apart("out", out, call.arrays())
        calls.append(call)
        yield call


def _call(
    options: _operation.Options,
    canvas: tuple[int, int],
    i: int,
    plan: Plan,
    target: Sample,
    source: Sample | Sequence[Sample],
) -> _operation.Call:
    try:
        _operation.check_canvas(plan, canvas)
        return _operation.Call.check(options, plan, target, _operation.samples(source))
    except (TypeError, ValueError) as error:
        raise type(error)(f"item {i}: {error}") from None


def _given(
    drawn: Drawn | None,
    calls: Collection[_operation.Call],
    canvas: tuple[int, int],
    given: Sequence[NDArray[Any]],
) -> list[NDArray[Any]]:
    """`masks_out`, which must be able to take the masks, however many are left of them."""
    if drawn is None:
        raise ValueError('masks_out: expected None where masks stay runs; masks="dense" draws them')
    inputs = [array for call in calls for array in call.arrays()]
    most = [len(call.samples[0].instances) + sum(len(p.instances) for p in call.plan.pastes) for call in calls]
    given = _checks.items("masks_out", given)
    if len(given) != len(calls):
        raise ValueError(f"masks_out: expected {len(calls)} arrays, one for each item, got {len(given)}")
    checked: list[NDArray[Any]] = []
    for i, (out, n) in enumerate(zip(given, most, strict=True)):
        name = "masks_out" if len(calls) == 1 else f"masks_out[{i}]"
        array = drawn.check(name, out, n, canvas)
        if _checks.may_overlap(array, inputs) or _checks.may_overlap(array, checked):
            raise ValueError(f"{name}: expected memory of its own, got an array that overlaps another")
        checked.append(array)
    return checked


def _tail(image: NDArray[Any]) -> str:
    return "".join(f", {side}" for side in image.shape[2:])


def _kernels(backend: str) -> tuple[Callable[..., None], Callable[..., None]]:
    if backend == "rust":
        from copypaste_rs._compiled import compose_batch, draw_masks
    else:
        from copypaste_rs.reference.paste import compose_batch, draw_masks
    return compose_batch, draw_masks
