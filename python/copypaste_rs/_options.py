"""Arguments of the transforms, checked and made into what draws and kernels take."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._planning import Jitter
from copypaste_rs.plan import MAX_SIGMA, MIN_SIGMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._planning import Select

Scale: TypeAlias = "str | tuple[SupportsFloat, SupportsFloat] | NDArray[Any]"
Sigma: TypeAlias = "SupportsFloat | tuple[SupportsFloat, SupportsFloat] | None"

SCALES = {"large": (0.1, 2.0), "standard": (0.8, 1.25)}
"""The two ranges of the paper."""

MAX_SCALE = 1e6
"""No sensible jitter is near it; it keeps every product finite."""


def frozen_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, as values that nobody else can change."""
    return {name: _frozen(value) for name, value in given.items() if name not in ("self", "__class__")}


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _frozen(value.tolist())
    if isinstance(value, list | tuple):
        return tuple(_frozen(each) for each in value)
    return copy.deepcopy(dict(value)) if isinstance(value, Mapping) else value


def checked_backend(backend: str) -> str:
    # "reference" is the name of the module that the NumPy backend lives in.
    chosen = _checks.choice("backend", backend, ("rust", "numpy", "reference"))
    return "numpy" if chosen == "reference" else chosen


def checked_jitter(arguments: Mapping[str, Any], scale: str) -> Jitter:
    """The jitter that the arguments describe; `scale` names that of its range."""
    return Jitter(
        _checks.size("size", arguments["size"]),
        checked_scale(scale, arguments[scale]),
        _checks.real("flip", arguments["flip"], 0.0, 1.0),
        _checks.choice("pad", arguments["pad"], ("top_left", "random")),
        _checks.choice("scale_reference", arguments["scale_reference"], ("fit", "input")),
        scale,
    )


def checked_scale(name: str, scale: Scale) -> tuple[float, float]:
    if isinstance(scale, str):
        return SCALES[_checks.choice(name, scale, tuple(SCALES))]
    lo, hi = _range(name, scale)
    if not 0 < lo <= hi <= MAX_SCALE:
        raise ValueError(f"{name}: expected 0 < lo <= hi <= {MAX_SCALE:g}, got ({lo:g}, {hi:g})")
    return lo, hi


def _range(name: str, value: object) -> tuple[float, float]:
    if isinstance(value, bytes) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise TypeError(f"{name}: expected a pair of numbers, got {value!r}")
    if len(value) != 2:
        raise ValueError(f"{name}: expected a pair of numbers, got {len(value)} values")
    return (
        _checks.real(f"{name}[0]", value[0], -math.inf, math.inf),
        _checks.real(f"{name}[1]", value[1], -math.inf, math.inf),
    )


def checked_sigma(sigma: Sigma) -> float | tuple[float, float] | None:
    if sigma is None:
        return None
    if not hasattr(sigma, "__len__"):
        return _checks.real("blend_sigma", sigma, MIN_SIGMA, MAX_SIGMA)
    lo, hi = _range("blend_sigma", sigma)
    if not MIN_SIGMA <= lo <= hi <= MAX_SIGMA:
        raise ValueError(f"blend_sigma: expected {MIN_SIGMA} <= lo <= hi <= {MAX_SIGMA}, got ({lo:g}, {hi:g})")
    return lo, hi


def checked_select(select: Select) -> Select:
    if callable(select):
        return select
    if isinstance(select, str):
        return _checks.choice("select", select, ("subset", "one", "all"))
    try:
        return _checks.integer("select", select, 1, _checks.MAX_SIDE)  # type: ignore[arg-type]
    except TypeError:
        pass
    try:
        fraction = _checks.real("select", select, 0.0, 1.0)
    except TypeError:
        raise TypeError(
            f"select: expected 'subset', 'one', 'all', an int, a fraction or a callable, got {select!r}"
        ) from None
    if fraction == 0.0:
        raise ValueError("select: expected a fraction above 0, got 0")
    return fraction
