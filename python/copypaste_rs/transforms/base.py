"""The base of the transforms: arguments by name, immutability, pickling, a backend."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._checks import wrong
from copypaste_rs._engine import geometry
from copypaste_rs._engine.planning import TrustedSource
from copypaste_rs._equality import same
from copypaste_rs._immutable import Immutable
from copypaste_rs._shown import call, not_default
from copypaste_rs.column_kinds import GEOMETRY
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.reference.rle import pixel_boxes
from copypaste_rs.transforms.backend import backend_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from copypaste_rs import draws
    from copypaste_rs._checks import Place
    from copypaste_rs._engine.options import Options
    from copypaste_rs.plan import Plan
    from copypaste_rs.plan_options import PlanOptions, PlanSource
    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms.backend import Backend


class Transform(Immutable):
    """The base of the transforms: arguments by name, immutability, pickling, a backend."""

    __slots__ = ("_arguments", "_backend", "_options", "_planning")

    _arguments: dict[str, Any]
    _backend: Backend
    _options: Options
    _planning: PlanOptions

    @property
    def backend(self) -> str:
        """Name of the implementation that runs, of the two equal ones."""
        return backend_name(self._backend)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._arguments:
            return copy.deepcopy(self._arguments[name])
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transform):
            return NotImplemented
        return type(other) is type(self) and same(self._arguments, other._arguments)

    def _draw_plan(
        self, options: PlanOptions, target: tuple[int, int], sources: Sequence[PlanSource], rng: draws.Rng
    ) -> Plan:
        """The plan that the backend draws; errors about options name the transform's own argument."""
        try:
            return self._backend.draw_plan(options, target, sources, rng)
        except (ArgumentError, ArgumentTypeError) as error:
            kind, _, option = error.argument.partition(".")
            if kind != "options":
                raise
            raise error.renamed("select" if option == "choose" else option, error.index) from None

    __hash__ = None  # type: ignore[assignment]  # arguments may hold a list or a mapping

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._arguments)

    def __repr__(self) -> str:
        return call(type(self).__name__, not_default(type(self), self._arguments))


def _rebuild(kind: Callable[..., Transform], arguments: Mapping[str, Any]) -> Transform:
    # What there was to warn of was said when the transform was made, not again in each worker.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**arguments)


def frozen_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, as values that nobody else can change."""
    return {name: _frozen(value) for name, value in given.items() if name not in ("self", "__class__")}


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _frozen(value.tolist())
    if isinstance(value, list | tuple):
        return tuple(_frozen(each) for each in value)
    return copy.deepcopy(dict(value)) if isinstance(value, Mapping) else value


def plan_source(place: Place, sample: Sample, never: Sequence[str]) -> PlanSource:
    """A sample as a planner sees it; `never` are flags that keep a row from being pasted, as those of crowds do."""
    columns = sample.instances._columns
    boxes, size, kept = columns.get("boxes"), sample.size, columns.get("iscrowd")
    if boxes is None:
        if len(sample.instances):
            raise wrong(place, f"masks or boxes for its {len(sample.instances)} instances", "none")
    elif max(size) > 2**24:  # up to there whole numbers are exact in float32
        boxes = pixel_boxes(columns["masks"])
    for name in never:
        if (flags := columns.get(name)) is not None:
            kept = flags if kept is None else kept | flags
    return TrustedSource(size, boxes, kept, columns.get("labels"))


def check_flips(options: Options, flip: float, sample: Sample) -> None:
    """Check that positions in a sample can be mirrored, where a transform may do so: whatever it draws."""
    columns = sample.instances._columns
    for name in GEOMETRY:  # of which there are few, and columns many
        if name in columns and len(sample.instances):
            geometry.check_pairs(name, [columns[name]], options.flip_pairs, f"flip={flip:g}" if flip > 0 else None)
