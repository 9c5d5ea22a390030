"""The whole operation around a kernel: arguments checked, the kernel called, columns gathered."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np

from copypaste_rs import _checks, _columns, _fills
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement, Plan, check_placement
from copypaste_rs.sample import Instances, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

INTERPOLATIONS = ("bilinear", "nearest")
ON_HIDDEN = ("drop", "crowd")


class Side(NamedTuple):
    """One image with its masks, as a kernel takes it."""

    image: NDArray[Any]
    masks: RleMasks
    iscrowd: NDArray[np.bool_]


Pick = Callable[[Sequence[Sequence["NDArray[Any]"]], "NDArray[np.int64]"], "list[NDArray[Any]]"]


class Composition(NamedTuple):
    """What a kernel makes of a plan: the image, and the rows that are left, in their order."""

    image: NDArray[Any]
    masks: RleMasks
    boxes: NDArray[np.float32]
    area: NDArray[np.int64]
    source: NDArray[np.int32]
    """Number of the source of each row; -1 is the target."""
    source_row: NDArray[np.int32]
    """The row within its sample."""
    visibility: NDArray[np.float32]
    crowd: NDArray[np.bool_]
    """Crowds, and rows that would have been dropped and are kept as crowd."""
    row: NDArray[np.int64]
    """The row among those of all samples, one sample after the other."""
    pick: Pick = _columns.pick
    """How such rows are picked out of columns."""


Compose = Callable[..., Composition]

Columns: TypeAlias = """tuple[
    NDArray[np.uint32],
    NDArray[np.int64],
    NDArray[np.float32],
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.float32],
    NDArray[np.bool_],
    NDArray[np.int64],
]"""
"""The same as the extension has it: runs and offsets of the masks, then the rest from `boxes` on."""


class Options(NamedTuple):
    """Options of the operation, checked."""

    fill: Any
    interpolation: str
    antialias: bool
    min_area: int
    min_visibility: float
    on_hidden: str
    missing: dict[str, Any]

    @staticmethod
    def check(
        *,
        fill: _fills.Fill = None,
        interpolation: str = "bilinear",
        antialias: bool | np.bool_ = True,
        min_area: SupportsIndex = 0,
        min_visibility: SupportsFloat = 0.0,
        on_hidden: str = "drop",
        missing: Mapping[str, Any] | None = None,
    ) -> Options:
        """The options, or an error that names the one that is wrong."""
        return Options(
            _fills.fill(fill),
            _checks.choice("interpolation", interpolation, INTERPOLATIONS),
            _checks.flag("antialias", antialias),
            _checks.integer("min_area", min_area, 0, _checks.MAX_PIXELS),
            _checks.real("min_visibility", min_visibility, 0.0, 1.0),
            _checks.choice("on_hidden", on_hidden, ON_HIDDEN),
            _columns.check_missing(missing),
        )

    def of_kernel(self, image: NDArray[Any]) -> dict[str, Any]:
        """What a kernel takes of them, for images like `image`."""
        channels = image.shape[2] if image.ndim == 3 else 1
        return {
            "fill": _fills.fill_values(self.fill, image.dtype, channels, image.ndim == 2),
            "interpolation": self.interpolation,
            "antialias": self.antialias,
            "min_area": self.min_area,
            "min_visibility": self.min_visibility,
            "keep_hidden": self.on_hidden == "crowd",
        }


def place_arguments(
    image: NDArray[Any],
    placement: Placement,
    fill: _fills.Fill,
    interpolation: str,
    antialias: bool,
    out: NDArray[Any] | None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """What placing an image takes, checked: its pixels, the fill for each channel, the canvas to write."""
    pixels = _checks.image("image", image)
    dtype, (h, w, *channels) = pixels.dtype, pixels.shape
    check_placement(placement, (h, w), "image")
    values = _fills.fill_values(fill, dtype, channels[0] if channels else 1, not channels)
    _checks.choice("interpolation", interpolation, INTERPOLATIONS)
    _checks.flag("antialias", antialias)
    shape = (*placement.canvas_size, *channels)
    if out is None:
        return pixels, values, np.empty(shape, dtype)
    return pixels, values, _checks.output("out", out, shape, dtype, (pixels,))


def run(
    compose: Compose,
    plan: Plan,
    target: Sample,
    sources: Sample | Sequence[Sample],
    *,
    out: NDArray[Any] | None = None,
    **options: Any,
) -> Sample:
    """Apply `plan` with the kernel `compose`; the options are those of `Options.check`."""
    return apply(compose, Options.check(**options), plan, target, samples(sources), out)


def samples(sources: Sample | Sequence[Sample]) -> list[Sample]:
    """The sources as a list."""
    if isinstance(sources, Sample):
        return [sources]
    if not isinstance(sources, Sequence):
        raise TypeError(f"sources: expected a Sample or a sequence of them, got {type(sources).__name__}")
    found = list(sources)
    return [sample(name, source) for name, source in zip(_source_names(len(found)), found, strict=True)]


def sample(name: str, value: object) -> Sample:
    """`value`, which must be a sample."""
    if not isinstance(value, Sample):
        raise TypeError(f"{name}: expected a Sample, got {type(value).__name__}")
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
    if out is not None:
        _checks.output("out", out, call.shape, target.image.dtype, call.arrays())
    made = compose(plan, *call.sides(), **options.of_kernel(target.image), out=out)
    return call.result(options, made)


class Call(NamedTuple):
    """A plan and the samples it is applied to, checked against each other."""

    plan: Plan
    samples: list[Sample]
    layout: _columns.Layout

    @classmethod
    def check(
        cls, options: Options, plan: Plan, target: Sample, sources: list[Sample], target_name: str = "target"
    ) -> Call:
        """Check that all fits; `target_name` is how errors call the target."""
        names = [target_name, *_source_names(len(sources))]
        samples = [sample(target_name, target), *sources]
        _check_images(names, samples)
        _check_plan(plan, target, sources, target_name)
        return cls(plan, samples, _columns.layout(names, [s.instances for s in samples], options.missing))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image that comes out."""
        return (*self.plan.canvas_size, *self.samples[0].image.shape[2:])

    def arrays(self) -> list[NDArray[Any]]:
        """All arrays that are read."""
        found: list[Any] = []
        for sample in self.samples:
            found.append(sample.image)
            found += sample.instances._columns.values()
        return [each for each in found if isinstance(each, np.ndarray)]

    def sides(self) -> tuple[Side, list[Side]]:
        """Target and sources as a kernel takes them."""
        target, *sources = map(_side, self.samples)
        return target, sources

    def result(self, options: Options, made: Composition) -> Sample:
        """The sample that a kernel's work amounts to."""
        wanted = self.layout.has_crowd or options.on_hidden == "crowd"
        columns = _columns.gather(
            self.layout,
            masks=made.masks,
            boxes=made.boxes,
            area=made.area,
            crowd=made.crowd if wanted else None,
            source=made.source,
            source_row=made.source_row,
            visibility=made.visibility,
            carried=made.pick([column.arrays for column in self.layout.carried], made.row),
        )
        return Sample._trusted(made.image, Instances._trusted(columns), dict(self.samples[0].info))


@functools.lru_cache(8)
def _source_names(n: int) -> tuple[str, ...]:
    return tuple(f"sources[{i}]" for i in range(n))


def _check_images(names: Sequence[str], sides: Sequence[Sample]) -> None:
    first = sides[0].image
    for name, sample in zip(names, sides, strict=True):
        if sample.image.dtype != first.dtype:
            raise ValueError(
                f"{name}: expected an image of dtype {first.dtype} as the target's, got {sample.image.dtype}"
            )
        if sample.image.shape[2:] != first.shape[2:]:
            raise ValueError(
                f"{name}: expected an image with {_channels(first)} as the target's, got {_channels(sample.image)}"
            )


def _channels(image: NDArray[Any]) -> str:
    return "no channel axis" if image.ndim == 2 else f"{image.shape[2]} channels"


def _check_plan(plan: Plan, target: Sample, sources: Sequence[Sample], target_name: str) -> None:
    if not isinstance(plan, Plan):
        raise TypeError(f"plan: expected a Plan, got {type(plan).__name__}")
    if plan.target.input_size != target.size:
        raise ValueError(f"plan: expected a {target_name} of size {plan.target.input_size}, got {target.size}")
    for i, paste in enumerate(plan.pastes):
        if paste.source >= len(sources):
            raise ValueError(f"plan: pastes[{i}] takes sources[{paste.source}], but there are {len(sources)} sources")
        source = sources[paste.source]
        if paste.placement.input_size != source.size:
            raise ValueError(
                f"plan: pastes[{i}] expects sources[{paste.source}] of size {paste.placement.input_size}, "
                f"got {source.size}"
            )
        rows = len(source.instances)
        if paste.instances and max(paste.instances) >= rows:
            raise ValueError(
                f"plan: pastes[{i}] takes row {max(paste.instances)}, but sources[{paste.source}] has {rows} instances"
            )


def check_canvas(plan: Plan, canvas: tuple[int, int]) -> None:
    """Check that a plan is for canvases of this size."""
    if isinstance(plan, Plan) and plan.canvas_size != canvas:
        raise ValueError(f"plan: expected a canvas of size {canvas}, got {plan.canvas_size}")


def _side(sample: Sample) -> Side:
    columns = sample.instances._columns
    masks = columns.get("masks")
    if masks is None:
        masks = RleMasks.empty(sample.size)
    crowd = columns.get("iscrowd")
    if crowd is None:
        crowd = np.zeros(len(masks), np.bool_)
    return Side(sample.image, masks, crowd)
