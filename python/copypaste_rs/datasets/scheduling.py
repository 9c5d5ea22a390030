"""Transforms by epoch: what a data set does in which epoch. Transforms themselves know no epoch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._shown import call
from copypaste_rs.transforms import ForTraining, ScaleJitter, SimpleCopyPaste

if TYPE_CHECKING:
    from copypaste_rs._checks import Place
    from copypaste_rs.sample import Sample

AnyTransform: TypeAlias = "SimpleCopyPaste | ScaleJitter | ForTraining"

_LAST = 2**64 - 1


class Schedule:
    """The transform of each epoch.

    Parameters
    ----------
    transform : SimpleCopyPaste, ScaleJitter or ForTraining, optional
        Transform of the epochs before the first one of `schedule`; None where that begins at 0, or that first one.
    schedule : mapping of int to transform, or callable, optional
        First epoch of each transform, in any order; or a function that gives the transform of an epoch.

    Raises
    ------
    ValueError, TypeError
        When an epoch has no transform, or these are no such things.
    """

    def __init__(self, transform: object, schedule: object) -> None:
        self._of_epoch: Callable[[int], object] | None = None
        steps: dict[int, AnyTransform] = {}
        if transform is not None:
            steps[0] = checked("transform", transform)
        if isinstance(schedule, Mapping):
            given = {}
            for first, each in schedule.items():
                number = _checks.integer("schedule", first, 0, _LAST)
                given[number] = checked(("schedule", number), each)
            if transform is not None and given.get(0, transform) != transform:
                expected = "None, or the transform that schedule begins with at epoch 0"
                raise wrong("transform", expected, f"another {type(transform).__name__}")
            steps |= given
        elif callable(schedule):
            if transform is not None:
                raise wrong_type("transform", "None where schedule is a function", type(transform).__name__)
            self._of_epoch = schedule
        elif schedule is not None:
            raise wrong_type("schedule", "a mapping of first epochs to transforms, or a function",
                             type(schedule).__name__)  # fmt: skip
        if self._of_epoch is None and 0 not in steps:
            if not steps:
                raise wrong_type("transform", "a SimpleCopyPaste, a ScaleJitter or a ForTraining", "none")
            raise wrong("schedule", f"a transform for epochs from 0 on, as there is none to begin with, got the first "
                        f"for epoch {min(steps)}", "none before")  # fmt: skip
        self._firsts = sorted(steps)
        self._steps = [steps[first] for first in self._firsts]

    @property
    def known(self) -> list[AnyTransform]:
        """Transforms that are known beforehand; those that a function gives are not."""
        return list(self._steps)

    @property
    def is_constant(self) -> bool:
        """Whether all epochs have one transform."""
        return len(self._steps) == 1

    def at(self, epoch: int) -> AnyTransform:
        """The transform of an epoch."""
        if self._of_epoch is None:
            return self._steps[bisect_right(self._firsts, epoch) - 1]
        return checked(("schedule", epoch), self._of_epoch(epoch))

    def __repr__(self) -> str:
        if self._of_epoch is not None:
            return f"schedule={self._of_epoch!r}"
        if len(self._steps) == 1:
            return repr(self._steps[0])
        steps = [f"{first}: {each!r}" for first, each in zip(self._firsts, self._steps, strict=True)]
        return call("schedule=", steps, "{", "}")


def checked(place: Place, transform: object) -> AnyTransform:
    """`transform`, if it is one; else an error that names the place."""
    if not isinstance(transform, SimpleCopyPaste | ScaleJitter | ForTraining):
        expected = "a SimpleCopyPaste, a ScaleJitter or a ForTraining around one"
        raise wrong_type(place, expected, type(transform).__name__)
    return transform


def pasting(transform: AnyTransform) -> SimpleCopyPaste | None:
    """The copy-paste of a transform; None where it pastes nothing."""
    inner = transform.transform if isinstance(transform, ForTraining) else transform
    return inner if isinstance(inner, SimpleCopyPaste) else None


def jitter_of(transform: AnyTransform) -> ScaleJitter:
    """The part of a transform that only scales, flips and crops."""
    inner = transform.transform if isinstance(transform, ForTraining) else transform
    if isinstance(inner, ScaleJitter):
        return inner
    given = inner._arguments
    shared = ("size", "flip", "fill", "pad", "interpolation", "antialias", "scale_reference", "min_area", "flip_pairs",
              "backend")  # fmt: skip
    return ScaleJitter(scale=given["target_scale"], **{name: given[name] for name in shared})


def applied(transform: AnyTransform, target: Sample, sources: list[Sample], key: tuple[int, int, int]) -> Any:
    """The item that a transform makes of a target and its partners, which a jitter alone has not."""
    return transform(target, rng=key) if isinstance(transform, ScaleJitter) else transform(target, sources, key)
