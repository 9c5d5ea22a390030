"""Input of a draw: its options, and the sources without their pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.plan import MAX_SIGMA, MIN_SIGMA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

Scale: TypeAlias = "str | tuple[SupportsFloat, SupportsFloat] | NDArray[Any]"
Sigma: TypeAlias = "SupportsFloat | tuple[SupportsFloat, SupportsFloat] | None"
Rows: TypeAlias = "Sequence[int] | NDArray[Any]"
Choose: TypeAlias = "Callable[[int, NDArray[np.int64], np.random.Generator], Rows]"
"""Rule of a user's own: number of the source, its candidate rows, a generator; gives some of the rows."""
Select: TypeAlias = "str | SupportsFloat | Choose"
Weigh: TypeAlias = "Callable[[int], ArrayLike]"
"""Weights of a user's own: number of the source; gives a weight for each of its rows."""
ClassWeights: TypeAlias = "Mapping[Any, SupportsFloat] | Weigh"

SELECTIONS: dict[str, tuple[str, int]] = {
    "subset": ("subset", 0),
    "one": ("at_most", 1),
    "all": ("at_most", _checks.MAX_SIDE),
}
"""Selections that have a name, each as the rule of the planners and its number."""

SCALES = {"large": (0.1, 2.0), "standard": (0.8, 1.25)}
"""The two ranges of the paper."""

MAX_SCALE = 1e6
"""Largest jitter: no sensible one is near it, and every product stays finite."""


class PlanSource(NamedTuple):
    """A source as a planner sees it: no pixels and no masks.

    Attributes
    ----------
    size : (int, int)
        Height and width of its image.
    boxes : array, shape (n, 4), float32 or int64, optional
        Box of each row: x0, y0, x1, y1, half-open, in whole pixels; None is no row.
    iscrowd : array of bool, shape (n,), optional
        Which rows are crowds.
    labels : array, shape (n,), optional
        Class of each row; needed where `class_weights` are by label.
    """

    size: tuple[int, int]
    boxes: NDArray[Any] | None = None
    iscrowd: NDArray[np.bool_] | None = None
    labels: NDArray[Any] | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return 0 if self.boxes is None else len(self.boxes)


class PlanOptions(NamedTuple):
    """The options of a draw, checked: `PlanOptions.check` makes them of what a transform takes."""

    canvas: tuple[int, int]
    target_scale: tuple[float, float]
    source_scale: tuple[float, float]
    flip: float
    pad_random: bool
    fit: bool
    """Whether scale 1 fits the canvas, not keeps the size."""
    p: float
    rule: str
    """Name of the rule by which objects of a source are selected: "subset", "at_most", "fraction"."""
    number: float
    """Number that goes with the rule; 0 where none does."""
    uniform: bool
    """Whether each object finds a place of its own."""
    sigma: tuple[float, float] | None
    choose: Choose | None = None
    """Chooses among all candidates, instead of the rule above."""
    class_weights: dict[Any, float] | Weigh | None = None
    """Weights by label, 1 for others, or what gives those of a source; None draws rows alike."""

    @staticmethod
    def check(
        *,
        size: _checks.Size,
        target_scale: Scale = "large",
        source_scale: Scale = "large",
        flip: SupportsFloat = 0.5,
        select: Select = "subset",
        placement: str = "jitter",
        blend_sigma: Sigma = None,
        p: SupportsFloat = 1.0,
        pad: str = "top_left",
        scale_reference: str = "fit",
        class_weights: ClassWeights | None = None,
    ) -> PlanOptions:
        """The options, or an error that names the one that is wrong.

        Arguments are those of `copypaste_rs.SimpleCopyPaste`, but that callables take the number of the source:
        `select` instead of the sample, `class_weights` instead of the instances.

        Examples
        --------
        >>> options = PlanOptions.check(size=640, target_scale="standard", class_weights={3: 2})
        >>> options.target_scale, options.class_weights
        ((0.8, 1.25), {3: 2.0})
        """
        rule, number, choose = _select(select)
        return PlanOptions(
            canvas=_checks.size("size", size),
            target_scale=_scale("target_scale", target_scale),
            source_scale=_scale("source_scale", source_scale),
            flip=_checks.real("flip", flip, 0.0, 1.0),
            pad_random=_checks.choice("pad", pad, ("top_left", "random")) == "random",
            fit=_checks.choice("scale_reference", scale_reference, ("fit", "input")) == "fit",
            p=_checks.real("p", p, 0.0, 1.0),
            rule=rule,
            number=number,
            uniform=_checks.choice("placement", placement, ("jitter", "uniform")) == "uniform",
            sigma=_sigma(blend_sigma),
            choose=choose,
            class_weights=_class_weights(class_weights),
        )


def _scale(name: str, scale: Scale) -> tuple[float, float]:
    if isinstance(scale, str):
        return SCALES[_checks.choice(name, scale, tuple(SCALES))]
    lo, hi = _range(name, scale)
    if not 0 < lo <= hi <= MAX_SCALE:
        raise wrong(name, f"0 < lo <= hi <= {MAX_SCALE:g}", f"({lo:g}, {hi:g})")
    return lo, hi


def _range(name: str, value: object) -> tuple[float, float]:
    if isinstance(value, bytes) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise wrong_type(name, "a pair of numbers", repr(value))
    if len(value) != 2:
        raise wrong(name, "a pair of numbers", f"{len(value)} values")
    lo, hi = (_checks.real((name, i), value[i], -math.inf, math.inf) for i in (0, 1))
    return lo, hi


def _sigma(sigma: Sigma) -> tuple[float, float] | None:
    if sigma is None:
        return None
    if not hasattr(sigma, "__len__"):
        number = _checks.real("blend_sigma", sigma, MIN_SIGMA, MAX_SIGMA)
        return number, number
    lo, hi = _range("blend_sigma", sigma)
    if not MIN_SIGMA <= lo <= hi <= MAX_SIGMA:
        raise wrong("blend_sigma", f"{MIN_SIGMA} <= lo <= hi <= {MAX_SIGMA}", f"({lo:g}, {hi:g})")
    return lo, hi


def _select(select: Select) -> tuple[str, float, Choose | None]:
    """The rule of the planners with its number, and a user's own rule, which chooses among all candidates."""
    if callable(select):
        return *SELECTIONS["all"], select
    if isinstance(select, str):
        return *SELECTIONS[_checks.choice("select", select, tuple(SELECTIONS))], None
    try:
        return "at_most", _checks.integer("select", select, 1, _checks.MAX_SIDE), None  # type: ignore[arg-type]
    except TypeError:
        pass
    try:
        fraction = _checks.real("select", select, 0.0, 1.0)
    except TypeError:
        names = ", ".join(map(repr, SELECTIONS))
        raise wrong_type("select", f"{names}, an int, a fraction or a callable", repr(select)) from None
    if fraction == 0.0:
        raise wrong("select", "a fraction above 0", "0")
    return "fraction", fraction, None


def _class_weights(weights: ClassWeights | None) -> dict[Any, float] | Weigh | None:
    if isinstance(weights, Mapping):
        return checked_weights("class_weights", weights)
    if weights is None or callable(weights):
        return weights
    raise wrong_type("class_weights", "a mapping of labels to weights, a callable or None", type(weights).__name__)


def checked_weights(name: str, weights: Mapping[Any, SupportsFloat]) -> dict[Any, float]:
    """Weights by label or by name: finite numbers of at least 0. Labels of NumPy become Python's."""
    plain = {key.item() if isinstance(key, np.generic) else key: weight for key, weight in weights.items()}
    return {key: _checks.real((name, key), weight, 0.0, math.inf) for key, weight in plain.items()}
