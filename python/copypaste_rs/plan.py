"""Plans: every random choice of one augmentation, as small frozen values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, TypeVar, final, overload

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._immutable import NotAnArray
from copypaste_rs.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs.masks import RleMasks

FlipPairsGiven: TypeAlias = "Sequence[tuple[SupportsIndex, SupportsIndex]] | None"
"""Pairs of points that a mirror image exchanges, as they are given."""

MIN_SIGMA, MAX_SIGMA = 0.1, 20.0


@final
@dataclass(frozen=True, slots=True)
class Placement(NotAnArray):
    """Place of one image on the canvas: mirrored, resized, then cropped or padded.

    Parameters
    ----------
    input_size : (int, int)
        Height and width of the image, each 1 to 2^31 - 1.
    resized_size : (int, int)
        Height and width after resizing, each 1 to 2^31 - 1.
    offset : (int, int)
        Canvas row and column of the resized image's top-left corner: negative crops, positive pads.
    canvas_size : (int, int)
        Height and width of the canvas, at most 2^32 - 1 pixels.
    hflip : bool
        Whether the image is mirrored left to right first.

    Examples
    --------
    >>> Placement((480, 640), (960, 1280), (-100, -256), (1024, 1024), hflip=True).resized_size
    (960, 1280)
    """

    input_size: tuple[int, int]
    resized_size: tuple[int, int]
    offset: tuple[int, int]
    canvas_size: tuple[int, int]
    hflip: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        side = _checks.MAX_SIDE
        put(self, "input_size", _checks.pair("input_size", self.input_size, 1, side))
        put(self, "resized_size", _checks.pair("resized_size", self.resized_size, 1, side))
        put(self, "offset", _checks.pair("offset", self.offset, -side, side))
        put(self, "canvas_size", _checks.size("canvas_size", _pair_only("canvas_size", self.canvas_size)))
        put(self, "hflip", _checks.flag("hflip", self.hflip))

    @overload
    def to_input(self, placed: RleMasks) -> RleMasks: ...
    @overload
    def to_input(self, placed: ArrayLike, *, flip_pairs: FlipPairsGiven = None) -> NDArray[Any]: ...

    def to_input(self, placed: RleMasks | ArrayLike, *, flip_pairs: FlipPairsGiven = None) -> RleMasks | NDArray[Any]:
        """Boxes, points or masks of the canvas, back on the image that was placed there.

        Positions are those that the placement moves to the given ones, exactly but for rounding, on the image or off
        it: nothing is cut. Masks are resized back by the nearest pixel. Where the placement enlarges, a mask comes
        back as it was; what it cropped is not set.

        Parameters
        ----------
        placed : RleMasks, or array of shape (..., 4), (..., 2) or (..., k, 3)
            Masks of the canvas's size; boxes x0, y0, x1, y1; points x, y; or keypoints x, y, v, of which those that
            nobody marked (v = 0) stay as they are. float32 or float64; integers become float64.
        flip_pairs : sequence of pairs of int, optional
            Numbers of points that a mirror image exchanges; a mirrored placement needs them for keypoints.

        Returns
        -------
        RleMasks, or array of the shape and dtype of `placed`
            Masks of the image's size, or positions on it.

        Raises
        ------
        ValueError
            When masks are of another size than the canvas, an array of another shape, a number not finite, or the whole
            resized image has more than 2^32 - 1 pixels, where `placed` are masks.
        TypeError
            When `placed` is none of these.

        Examples
        --------
        >>> placement = Placement((480, 640), (960, 1280), (-100, -256), (1024, 1024))
        >>> placement.to_input([[0, 0, 1024, 860]])
        array([[128.,  50., 640., 480.]])
        """
        if callable(getattr(placed, "place", None)):  # masks, whose module imports this one
            return _masks_to_input(self, placed)
        return _positions_to_input(self, placed, _checks.flip_pairs(flip_pairs))

    @classmethod
    def _trusted(cls, *values: Any) -> Placement:
        """A placement of values that are known to be right: drawing a plan is not worth checking twice."""
        return _filled(cls, values)


@final
@dataclass(frozen=True, slots=True)
class Paste(NotAnArray):
    """Objects of one source that are pasted together.

    Parameters
    ----------
    source : int
        Number of the source, from 0.
    instances : tuple of int
        Rows of the source to paste, each once.
    placement : Placement
        Where the source lands on the canvas.
    sigma : float, optional
        Standard deviation of the soft edge in canvas pixels, 0.1 to 20; None pastes hard.
    """

    source: int
    instances: tuple[int, ...]
    placement: Placement
    sigma: float | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "source", _checks.integer("source", self.source, 0, _checks.MAX_SIDE))
        put(self, "instances", _rows(self.instances))
        if not isinstance(self.placement, Placement):
            raise wrong_type("placement", "a Placement", type(self.placement).__name__)
        if self.sigma is not None:
            put(self, "sigma", _checks.real("sigma", self.sigma, MIN_SIGMA, MAX_SIGMA))

    @classmethod
    def _trusted(cls, *values: Any) -> Paste:
        """A paste of values that are known to be right."""
        return _filled(cls, values)


@final
@dataclass(frozen=True, slots=True)
class Plan(NotAnArray):
    """Placements and pastes drawn for one augmentation. Applying them is a pure function.

    Parameters
    ----------
    target : Placement
        Where the target lands on the canvas.
    pastes : tuple of Paste
        Applied in order; a later one covers an earlier one. All on the target's canvas.

    Examples
    --------
    >>> plan = Plan(Placement((4, 6), (8, 12), (0, -2), (8, 8)))
    >>> Plan.from_json(plan.to_json()) == plan
    True
    """

    target: Placement
    pastes: tuple[Paste, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.target, Placement):
            raise wrong_type("target", "a Placement", type(self.target).__name__)
        given: object = self.pastes
        if isinstance(given, str | bytes) or not isinstance(given, Sequence):
            raise wrong_type("pastes", "a sequence of Paste", type(self.pastes).__name__)
        object.__setattr__(self, "pastes", tuple(self.pastes))
        for i, paste in enumerate(self.pastes):
            if not isinstance(paste, Paste):
                raise wrong_type(("pastes", i), "a Paste", type(paste).__name__)
            if paste.placement.canvas_size != self.target.canvas_size:
                raise wrong(
                    ("pastes", i),
                    f"a paste on canvas {self.target.canvas_size} as in target",
                    str(paste.placement.canvas_size),
                )

    @classmethod
    def _trusted(cls, *values: Any) -> Plan:
        """A plan of values that are known to be right."""
        return _filled(cls, values)

    @property
    def canvas_size(self) -> tuple[int, int]:
        """Height and width of the result."""
        return self.target.canvas_size

    def to_json(self) -> str:
        """The plan as JSON; `from_json` gives an equal plan back."""
        pastes = [
            {
                "source": paste.source,
                "instances": list(paste.instances),
                "placement": _placement_dict(paste.placement),
                "sigma": paste.sigma,
            }
            for paste in self.pastes
        ]
        return json.dumps({"version": 1, "target": _placement_dict(self.target), "pastes": pastes})

    @staticmethod
    def from_json(text: str) -> Plan:
        """The plan that `to_json` wrote. What is not such a text is a ValueError that says where."""
        if not isinstance(text, str):
            raise wrong_type("text", "a str", type(text).__name__)
        try:
            data = json.loads(text, object_pairs_hook=_without_repetition)
        except (ValueError, RecursionError) as error:
            raise wrong("text", "a plan as JSON", f"text that cannot be read: {error}") from None
        try:
            return _plan_from(data)
        except (ArgumentError, ArgumentTypeError) as error:  # a wrong JSON type is a wrong value of the text
            raise wrong("text", f"a plan whose {error.place} is {error.expected}", error.got) from None


_T = TypeVar("_T")


def _filled(kind: type[_T], values: tuple[Any, ...]) -> _T:
    made = object.__new__(kind)
    put = object.__setattr__
    for name, value in zip(kind.__slots__, values):  # type: ignore[attr-defined]  # noqa: B905
        put(made, name, value)
    return made


def check_placement(placement: object, size: tuple[int, ...], name: str) -> Placement:
    """`placement`, which must be a Placement of what `name` is: an input of `size`."""
    if not isinstance(placement, Placement):
        raise wrong_type("placement", "a Placement", type(placement).__name__)
    if placement.input_size != size:
        raise wrong("placement", f"input_size {size} as {name} has", str(placement.input_size))
    return placement


def _masks_to_input(placement: Placement, masks: Any) -> RleMasks:
    """The canvas's masks on the image: the whole resized image, as far as the canvas has it, resized back."""
    if masks.size != placement.canvas_size:
        raise wrong("placed", f"masks of size {placement.canvas_size} as the canvas has", str(masks.size))
    for h, w in (placement.resized_size, placement.input_size):
        if h * w > _checks.MAX_PIXELS:
            expected = f"masks of a placement whose image has at most {_checks.MAX_PIXELS} pixels, resized too"
            raise wrong("placed", expected, f"({h}, {w})")
    y, x = placement.offset
    whole = Placement(placement.canvas_size, placement.canvas_size, (-y, -x), placement.resized_size)
    back = Placement(placement.resized_size, placement.input_size, (0, 0), placement.input_size, placement.hflip)
    made: RleMasks = masks.place(whole).place(back)
    return made


def _positions_to_input(placement: Placement, placed: Any, flip_pairs: _checks.FlipPairs) -> NDArray[Any]:
    values, dtype = _checks.positions("placed", placed, (4, 2, 3))
    keypoints = values.shape[-1] == 3
    if keypoints and values.ndim == 1:
        raise wrong("placed", "shape (..., 4), (..., 2) or (..., k, 3)", str(values.shape))
    if keypoints and placement.hflip:
        if flip_pairs is None:
            raise wrong("flip_pairs", "the pairs of points that a mirror image exchanges, () for none", "None")
        if flip_pairs and (last := max(map(max, flip_pairs))) >= values.shape[-2]:
            k = values.shape[-2]
            raise wrong("flip_pairs", f"numbers of points from 0 to {k - 1}, since keypoints have {k} each", str(last))
        order = np.arange(values.shape[-2])
        for i, j in flip_pairs:
            order[[i, j]] = j, i
        values = values[..., order, :]
    moved = values.copy()
    axes = zip(placement.offset, placement.input_size, placement.resized_size, strict=True)
    for number, (offset, side, resized) in enumerate(axes):
        along = np.s_[..., 1 - number :: 2] if values.shape[-1] != 3 else np.s_[..., 1 - number]
        moved[along] = (values[along] - offset) * (side / resized)
        if number == 1 and placement.hflip:
            moved[along] = side - moved[along]
    if placement.hflip and values.shape[-1] == 4:
        moved[..., ::2] = moved[..., [2, 0]]
    if keypoints:
        moved = np.where(values[..., 2:] == 0, values, moved)
    return _checks.stored("placed", moved, dtype)


def _pair_only(name: str, value: object) -> object:
    # A plan is written by programs: both sides are always there, so a single number is a mistake.
    if isinstance(value, int | np.integer):
        raise wrong_type(name, "a pair of integers", repr(value))
    return value


def _rows(instances: object) -> tuple[int, ...]:
    if (
        isinstance(instances, str | bytes)
        or not isinstance(instances, Sequence | np.ndarray)
        or np.ndim(instances) == 0
    ):
        raise wrong_type("instances", "a sequence of row numbers", repr(instances))
    values = instances.tolist() if isinstance(instances, np.ndarray) else instances
    rows = tuple(_checks.integer(("instances", i), row, 0, _checks.MAX_SIDE) for i, row in enumerate(values))
    if len(set(rows)) != len(rows):
        seen: set[int] = set()
        twice = next(row for row in rows if row in seen or seen.add(row))  # type: ignore[func-returns-value]
        raise wrong("instances", "a sequence of distinct rows", f"row {twice} twice")
    return rows


def _placement_dict(placement: Placement) -> dict[str, Any]:
    return {
        "input_size": list(placement.input_size),
        "resized_size": list(placement.resized_size),
        "offset": list(placement.offset),
        "canvas_size": list(placement.canvas_size),
        "hflip": placement.hflip,
    }


def _plan_from(data: object) -> Plan:
    top = _object("top level", data, {"version", "target", "pastes"}, set())
    if type(top["version"]) is not int or top["version"] != 1:
        raise wrong("version", "1", repr(top["version"]))
    if not isinstance(top["pastes"], list):
        raise wrong_type("pastes", "a list", repr(top["pastes"]))
    pastes = []
    for i, item in enumerate(top["pastes"]):
        entry = _object(f"pastes[{i}]", item, {"source", "instances", "placement"}, {"sigma"})
        entry["placement"] = _placement_from(f"pastes[{i}].placement", entry["placement"])
        with _part_of(f"pastes[{i}]"):
            pastes.append(Paste(**entry))
    return Plan(_placement_from("target", top["target"]), tuple(pastes))


def _placement_from(name: str, data: object) -> Placement:
    names = {field.name for field in fields(Placement)}
    given = _object(name, data, names - {"hflip"}, {"hflip"})
    with _part_of(name):
        return Placement(**given)


@contextmanager
def _part_of(name: str) -> Iterator[None]:
    """Errors about a part of what stands at `name`: they name the whole way to it."""
    try:
        yield
    except (ArgumentError, ArgumentTypeError) as error:
        raise error.renamed(f"{name}.{error.argument}", error.index) from None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {max(names, key=names.count)!r} stands there twice")
    return found


def _object(name: str, data: object, needed: set[str], optional: set[str]) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise wrong_type(name, "an object", repr(data))
    if missing := sorted(needed - set(data)):
        raise wrong(name, f"an object with the key {missing[0]!r}", "one without")
    if unknown := sorted(set(data) - needed - optional):
        raise wrong(name, f"an object with no key but {', '.join(sorted(needed | optional))}", repr(unknown[0]))
    return dict(data)
