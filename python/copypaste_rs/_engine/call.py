"""Copy-paste around a kernel: arguments checked, the kernel called, columns gathered."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs._engine import columns, geometry, infos, maps
from copypaste_rs._engine.options import INTERPOLATIONS
from copypaste_rs._result_memory import empty
from copypaste_rs.instances import Instances
from copypaste_rs.maps import number_of_channels
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Plan, check_placement
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs._engine.formats import OutputFormat
    from copypaste_rs._engine.options import KernelOptions, Options
    from copypaste_rs.plan import Placement


class Side(NamedTuple):
    """One image with its masks, as a kernel takes it."""

    image: NDArray[Any]
    masks: RleMasks
    iscrowd: NDArray[np.bool_]


class ComposedRows(Protocol):
    """The rows that are left, in their order, as columns of one length."""

    @property
    def boxes(self) -> NDArray[np.float32]: ...
    @property
    def area(self) -> NDArray[np.int64]: ...
    @property
    def source(self) -> NDArray[np.int32]:
        """Number of the source of each row; -1 is the target."""

    @property
    def source_row(self) -> NDArray[np.int32]:
        """The row within its sample."""

    @property
    def visibility(self) -> NDArray[np.float32]: ...
    @property
    def crowd(self) -> NDArray[np.bool_]:
        """Crowds, and rows that would have been dropped and are kept as crowd."""


class Pasted(NamedTuple):
    """Pastes of a plan, as far as rows and pixels of the result come from them."""

    paste: NDArray[np.int32]
    """Number of the paste of each row, shape (n,); -1 for rows of the target."""
    unions: RleMasks
    """Canvas pixels that each paste covers, one mask for each; hard, whatever edge the image has."""


class Composition(NamedTuple):
    """Result of a kernel: the image, and the columns of the rows that are left."""

    image: NDArray[Any]
    masks: RleMasks
    rows: ComposedRows
    carried: list[NDArray[Any]]
    """The further columns, in the order of the call's layout."""
    pasted: Pasted | None
    """Pastes by row and by pixel, where the call wants to know; else None."""


Compose = Callable[
    ["Call", "KernelOptions", "NDArray[Any]", "OutputFormat | None", "Sequence[NDArray[Any]]"], Composition
]
"""A kernel: writes the image of a call into an array, in another format where there is one, and each of its maps."""


def place_arguments(
    image: NDArray[Any],
    placement: Placement,
    fill: _checks.Fill,
    interpolation: str,
    antialias: bool,
    out: NDArray[Any] | None,
) -> tuple[NDArray[Any], NDArray[Any] | None, bool, NDArray[Any]]:
    """Arguments of placing an image, checked: its pixels, the fill of each channel, whether nearest, the canvas.

    Without a fill, the outermost pixels go on.
    """
    pixels = _checks.image("image", image)
    dtype, shape = pixels.dtype, pixels.shape
    check_placement(placement, shape[:2], "image")
    values = None if isinstance(fill, str) and fill == "edge" else _checks.image_fill(fill, pixels)
    nearest = _checks.choice("interpolation", interpolation, INTERPOLATIONS) == "nearest"
    _checks.flag("antialias", antialias)
    shape = placement.canvas_size + shape[2:]
    if out is None:
        return pixels, values, nearest, empty(shape, dtype)
    return pixels, values, nearest, _checks.output("out", out, shape, dtype, (pixels,))


def samples(sources: Sample | Sequence[Sample]) -> list[Sample]:
    """The sources as a list."""
    if isinstance(sources, Sample):
        return [sources]
    if not isinstance(sources, Sequence):
        raise wrong_type("sources", "a Sample or a sequence of them", type(sources).__name__)
    return [check_sample(item("sources", i), source) for i, source in enumerate(sources)]


def check_sample(place: Place, value: object) -> Sample:
    """`value`, which must be a sample."""
    if not isinstance(value, Sample):
        raise wrong_type(place, "a Sample", type(value).__name__)
    return value


def apply(
    compose: Compose,
    options: Options,
    plan: Plan,
    target: Sample,
    sources: list[Sample],
    out: NDArray[Any] | None,
    target_name: str = "target",
) -> Sample:
    """Apply `plan` with checked options: everything is checked before anything is written."""
    call = Call.check(options, plan, target, sources, target_name)
    if out is None:
        canvas = empty(call.shape, target.image.dtype)
    else:
        canvas = _checks.output("out", out, call.shape, target.image.dtype, call.arrays())
    rasters = call.map_canvases() if call.maps else ()
    return call.result(options, compose(call, options.of_kernel(target.image), canvas, None, rasters), rasters)


class Call(NamedTuple):
    """A plan and the samples it is applied to, checked against each other."""

    plan: Plan
    samples: list[Sample]
    layout: columns.Layout
    maps: Sequence[maps.CarriedMap]
    wants_pasted: bool
    """Whether what the pastes cover matters beyond masks and image."""

    @classmethod
    def check(
        cls, options: Options, plan: Plan, target: Sample, sources: list[Sample], target_name: str = "target"
    ) -> Call:
        """Check that all fits; `target_name` is how errors call the target."""
        places = (target_name, *_source_places(len(sources)))
        samples = [check_sample(target_name, target), *sources]
        _check_images(places, samples)
        _check_plan(plan, target, sources, target_name)
        layout = columns.layout(places, [s.instances for s in samples], options.missing)
        if options.for_maps:
            maps.check_names(options.for_maps, samples)
        wants_pasted = False
        if layout.geometry:
            geometry.check_flips(layout, plan, options.flip_pairs)
            wants_pasted = True
        for sample in samples:
            if sample._maps:
                carried = maps.carried(places, samples, options.missing)
                return cls(plan, samples, layout, carried, wants_pasted=True)
        return cls(plan, samples, layout, (), wants_pasted)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the canvas."""
        return (*self.plan.canvas_size, *self.samples[0].image.shape[2:])

    def arrays(self) -> list[NDArray[Any]]:
        """Arrays that a kernel reads."""
        found: list[Any] = []
        for sample in self.samples:
            found.append(sample.image)
            found += sample.instances._columns.values()
            found += [each.array for each in sample._maps.values()]
        return [each for each in found if isinstance(each, np.ndarray)]

    def sides(self) -> tuple[Side, list[Side]]:
        """Target and sources as a kernel takes them."""
        target, *sources = map(_side, self.samples)
        return target, sources

    def carried(self) -> list[list[NDArray[Any]]]:
        """Arrays of each further column, those of all samples that have rows."""
        return [column.arrays for column in self.layout.carried]

    def map_canvases(self) -> list[NDArray[Any]]:
        """Arrays for the maps of the result."""
        return [each.canvas(*self.plan.canvas_size) for each in self.maps]

    def result(self, options: Options, made: Composition, rasters: Sequence[NDArray[Any]]) -> Sample:
        """The sample that a kernel's work amounts to; `rasters` are its maps."""
        layout = self.layout
        kept = {column.name: values for column, values in zip(layout.carried, made.carried, strict=True)}
        if made.pasted is not None and layout.geometry:
            kept |= geometry.moved(layout, self.plan, made.pasted, kept, options.flip_pairs)
        wanted = "iscrowd" in layout.found or options.on_hidden == "crowd"
        gathered = columns.gather(layout, made, kept, crowd=wanted)
        info = infos.of_result(self.samples[0].info, gathered.get("labels"), made.rows.source)
        instances = Instances._trusted(gathered)
        if not self.maps:
            return Sample._trusted(made.image, instances, info)
        return Sample._trusted(made.image, instances, info, maps.pixel_maps(self.maps, rasters))


@functools.lru_cache(8)
def _source_places(n: int) -> tuple[Place, ...]:
    return tuple(item("sources", i) for i in range(n))


def _check_images(places: Sequence[Place], sides: Sequence[Sample]) -> None:
    first = sides[0].image
    for place, sample in zip(places, sides, strict=True):
        if sample.image.dtype != first.dtype:
            raise wrong(place, f"an image of dtype {first.dtype} as the target's", str(sample.image.dtype))
        if sample.image.shape[2:] != first.shape[2:]:
            raise wrong(place, f"an image with {_channels(first)} as the target's", _channels(sample.image))


def _channels(image: NDArray[Any]) -> str:
    return number_of_channels(image.shape[2:])


def _check_plan(plan: Plan, target: Sample, sources: Sequence[Sample], target_name: str) -> None:
    if not isinstance(plan, Plan):
        raise wrong_type("plan", "a Plan", type(plan).__name__)
    if plan.target.input_size != target.size:
        raise wrong("plan", f"a plan for a {target_name} of size {target.size}", str(plan.target.input_size))
    for i, paste in enumerate(plan.pastes):
        if paste.source >= len(sources):
            expected = f"pastes[{i}] to take one of {len(sources)} sources"
            raise wrong("plan", expected, f"sources[{paste.source}]")
        source = sources[paste.source]
        if paste.placement.input_size != source.size:
            expected = f"pastes[{i}] for sources[{paste.source}] of size {source.size}"
            raise wrong("plan", expected, str(paste.placement.input_size))
        rows = len(source.instances)
        if paste.instances and max(paste.instances) >= rows:
            expected = f"pastes[{i}] to take rows of the {rows} instances of sources[{paste.source}]"
            raise wrong("plan", expected, f"row {max(paste.instances)}")


def check_canvas(plan: Plan, canvas: tuple[int, int]) -> None:
    """Check that a plan is for canvases of this size."""
    if isinstance(plan, Plan) and plan.canvas_size != canvas:
        raise wrong("plan", f"a canvas of size {canvas}", str(plan.canvas_size))


def _side(sample: Sample) -> Side:
    held = sample.instances._columns
    masks = held.get("masks")
    if masks is None:
        masks = RleMasks.empty(sample.size)
    crowd = held.get("iscrowd")
    if crowd is None:
        crowd = np.zeros(len(masks), np.bool_)
    return Side(sample.image, masks, crowd)
