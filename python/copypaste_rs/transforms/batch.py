"""Batches: plans applied in one call, on several threads; images and masks in the form that is asked for."""

from __future__ import annotations

import itertools
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs._engine.call import Call, check_canvas, check_sample, samples
from copypaste_rs._engine.maps import in_order, pixel_maps
from copypaste_rs._result_memory import empty
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.maps import NO_MAPS, PixelMap
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs._engine.call import Composition
    from copypaste_rs._engine.formats import OutputFormat
    from copypaste_rs.instances import Instances
    from copypaste_rs.plan import Plan
    from copypaste_rs.transforms.base import Transform

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
    _maps: Mapping[str, PixelMap] = field(default_factory=lambda: NO_MAPS)
    """Maps of all samples, each in one array (B, H, W) or (B, H, W, C)."""

    @property
    def maps(self) -> dict[str, NDArray[Any]]:
        """Further rasters of all samples by name, each one array (B, H, W) or (B, H, W, C)."""
        return {name: each.array for name, each in self._maps.items()}

    def __len__(self) -> int:
        return len(self.instances)

    def __getitem__(self, index: SupportsIndex) -> Sample:
        """Sample of a number; its image is a view into `images`, its maps are views into `maps`."""
        i = operator.index(index)
        maps = {name: PixelMap._of(each.array[i], each._kind) for name, each in self._maps.items()}
        return Sample._trusted(self.images[i], self.instances[i], self.infos[i], maps or NO_MAPS)

    def __repr__(self) -> str:
        return f"Batch(images={self.images.shape} {self.images.dtype})"


class MaskDrawing(NamedTuple):
    """How masks are drawn as pixels."""

    label_map: bool
    dtype: np.dtype[Any]

    def fresh(self, n: int, size: tuple[int, int]) -> NDArray[Any]:
        """An array for n masks."""
        return empty(size if self.label_map else (n, *size), self.dtype)

    def check(self, place: Place, out: object, call: Call) -> NDArray[Any]:
        """`out`, which must be able to take the masks of a call, however many are left of them."""
        size = call.plan.canvas_size
        if self.label_map:
            return _checks.output(place, out, size, self.dtype)
        most = len(call.samples[0].instances) + sum(len(paste.instances) for paste in call.plan.pastes)
        planes = _checks.array(place, out)
        if planes.ndim != 3 or len(planes) < most:
            h, w = size
            expected = f"shape (n, {h}, {w}) with n of at least {most}, for as many masks as may be left"
            raise wrong(place, expected, str(planes.shape))
        return _checks.output(place, out, (len(planes), *size), self.dtype)

    def part(self, drawing: NDArray[Any], n: int) -> NDArray[Any]:
        """The part of an array that n masks take."""
        return drawing if self.label_map else drawing[:n]


class TrainingForm(NamedTuple):
    """The form of results for a model."""

    image: OutputFormat
    masks: MaskDrawing | None
    """Form of the masks; None leaves them as runs."""


class Results(NamedTuple):
    """Results of a batch: images, samples, and masks in their form."""

    images: NDArray[Any]
    samples: list[Sample]
    """Samples of the batch, whose images are views into `images`."""
    maps: Mapping[str, PixelMap]
    """Maps of all samples, each in one array (B, H, W) or (B, H, W, C)."""
    masks: list[NDArray[Any]] | None


def apply_batch(
    transform: Transform,
    plans: Sequence[Plan],
    targets: Sequence[Sample],
    sources: Sequence[Sample | Sequence[Sample]],
    threads: SupportsIndex,
    out: NDArray[Any] | None,
    form: TrainingForm | None = None,
    masks_out: Sequence[NDArray[Any]] | None = None,
) -> Results:
    """Apply each plan to its samples; everything is checked before anything is written."""
    most = _checks.integer("threads", threads, 1, MAX_THREADS)
    plans, targets, sources = (
        _checks.items(name, given) for name, given in (("plans", plans), ("targets", targets), ("sources", sources))
    )
    if not len(plans) == len(targets) == len(sources):
        raise wrong("plans", "as many as targets and sources", f"{len(plans)}, {len(targets)} and {len(sources)}")
    if not plans:
        raise wrong("plans", "at least one", "none")
    pixels, given_sources = _given_samples(targets, sources)
    first = pixels[0]
    _checks.fill_values(transform._options.fill, first.dtype, (*first.shape, 1)[2], first.ndim == 2)
    output_format = None if form is None else form.image
    shape, dtype = output_shape(transform._planning.canvas, first, output_format)
    shape = (len(plans), *shape)
    images = empty(shape, dtype) if out is None else _checks.output("out", out, shape, dtype)
    checked = _checked_calls(transform, plans, targets, given_sources, out)
    opening = next(checked)
    calls: Iterable[Call] = itertools.chain([opening], checked)
    backend = transform._backend
    given = None
    if masks_out is not None:
        calls = list(calls)
        given = _given(form and form.masks, calls, masks_out)
        for i, each in enumerate(given):
            if out is not None and _checks.may_overlap(out, [each]):
                raise wrong(("masks_out", i), "memory of its own", "an array that overlaps out")
        backend._check_unused(given, numbered=True)
    options = transform._options.of_kernel(*pixels)
    rasters = [each.canvas(len(plans), *transform._planning.canvas) for each in opening.maps]

    def sample(i: int, call: Call, made: Composition) -> Sample:
        return call.result(transform._options, made, [raster[i] for raster in rasters])

    results = backend._compose_batch(calls, first, options, images, output_format, rasters, most, sample)
    maps = pixel_maps(opening.maps, rasters)
    if form is None or form.masks is None:
        return Results(images, results, maps, None)
    masks = [each.instances._columns["masks"] for each in results]
    drawings = [form.masks.fresh(len(each), transform._planning.canvas) for each in masks] if given is None else given
    backend._draw_masks(masks, drawings, most, numbered=True)
    return Results(images, results, maps, [form.masks.part(d, len(m)) for d, m in zip(drawings, masks, strict=True)])


def _given_samples(
    targets: Sequence[object], sources: Sequence[Sample | Sequence[Sample]]
) -> tuple[list[NDArray[Any]], list[list[Sample]]]:
    """Images of the targets, which must be alike in dtype and channels, and the sources of each as a list.

    Sequences may be of the user's own, whose code is not run beside threads: it may fork.
    """
    images: list[NDArray[Any]] = []
    given: list[list[Sample]] = []
    for i, (target, source) in enumerate(zip(targets, sources, strict=True)):
        try:
            image = check_sample("target", target).image
            _check_alike(image, images[0] if images else image)
            given.append(samples(source))
        except (ArgumentError, ArgumentTypeError) as error:
            raise error.of_item(i) from None
        images.append(image)
    return images, given


def _checked_calls(
    transform: Transform,
    plans: Sequence[Plan],
    targets: Sequence[Sample],
    sources: Sequence[list[Sample]],
    out: NDArray[Any] | None,
) -> Iterator[Call]:
    """Calls of a batch, each checked when it is asked for: threads work on those before meanwhile."""
    first: Call | None = None
    for i, (plan, target, source) in enumerate(zip(plans, targets, sources, strict=True)):
        try:
            check_canvas(plan, transform._planning.canvas)
            call = Call.check(transform._options, plan, target, source)
            if first is None:
                first = call
            elif call.maps or first.maps:
                call = call._replace(maps=in_order(call.maps, first.maps))
        except (ArgumentError, ArgumentTypeError) as error:
            raise error.of_item(i) from None
        if out is not None:
            _checks.apart("out", out, call.arrays())
        yield call


def output_shape(
    canvas: tuple[int, int], image: NDArray[Any], output_format: OutputFormat | None
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of a result made of images like `image`."""
    if output_format is None:
        return (*canvas, *image.shape[2:]), image.dtype
    output_format.linear(image)  # refuses what cannot be had in this format
    return output_format.shape(canvas, image), output_format.dtype


def _check_alike(image: NDArray[Any], first: NDArray[Any]) -> None:
    if image.dtype != first.dtype or image.shape[2:] != first.shape[2:]:
        expected = f"images of dtype {first.dtype} and shape (H, W{_tail(first)}) as in item 0"
        raise wrong("target", expected, f"{image.dtype} and (H, W{_tail(image)})")


def _given(drawing: MaskDrawing | None, calls: Sequence[Call], given: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """`masks_out`, which must be able to take the masks, however many are left of them."""
    given = _checks.items("masks_out", given)
    if len(given) != len(calls):
        raise wrong("masks_out", f"{len(calls)} arrays, one for each item", str(len(given)))
    inputs = [array for call in calls for array in call.arrays()]
    checked: list[NDArray[Any]] = []
    for i, (out, call) in enumerate(zip(given, calls, strict=True)):
        array = check_masks_out(("masks_out", i), drawing, call, out, inputs)
        for k, other in enumerate(checked):
            if _checks.may_overlap(array, [other]):
                raise wrong(("masks_out", i), "memory of its own", f"an array that overlaps masks_out[{k}]")
        checked.append(array)
    return checked


def check_masks_out(
    place: Place, drawing: MaskDrawing | None, call: Call, out: object, inputs: Sequence[NDArray[Any]]
) -> NDArray[Any]:
    """An array that takes masks, apart from all inputs."""
    if drawing is None:
        raise wrong("masks_out", "None where masks stay runs", 'arrays; masks="dense" draws them')
    array = drawing.check(place, out, call)
    _checks.apart(place, array, inputs)
    return array


def _tail(image: NDArray[Any]) -> str:
    return "".join(f", {side}" for side in image.shape[2:])
