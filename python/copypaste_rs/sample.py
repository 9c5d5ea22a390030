"""Samples: an image with its instances, the instances as columns of one length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, cast, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._equality import same
from copypaste_rs._immutable import Immutable
from copypaste_rs.maps import NO_MAPS, PixelMap, check_maps
from copypaste_rs.masks import RleMasks, element

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Column = Any
"""A column: `RleMasks` for masks, otherwise an array whose first axis counts the instances."""


@final
class Instances(Immutable):
    """The objects of one image, as columns of one length n.

    Every column is an attribute: ``instances.labels``, ``instances.score``. Columns the library knows are
    listed below; any other travels along, row by row, through every operation.

    Parameters
    ----------
    masks : RleMasks, optional
        One mask for each instance. Boxes are then derived from them, and given ones are ignored.
    labels : array, shape (n,), optional
        Class of each instance, of any dtype.
    boxes : array, shape (n, 4), optional
        x0, y0, x1, y1, half-open, in pixels; kept as float32.
    iscrowd : array of bool (or 0 and 1), shape (n,), optional
        Whether a row marks a region of uncounted objects.
    **fields : array, shape (n, ...)
        Further columns.

    Raises
    ------
    ValueError
        When columns differ in length, or a field has a name that means something else here.
    TypeError
        When a column is not an array of the kind described.

    Examples
    --------
    >>> instances = Instances(labels=[3, 7], score=[0.5, 0.25])
    >>> len(instances), instances.score[1].item()
    (2, 0.25)
    >>> instances[1:].labels
    array([7])
    """

    __slots__ = ("_columns", "_n")

    _columns: dict[str, Column]
    _n: int

    def __init__(
        self,
        masks: RleMasks | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        iscrowd: ArrayLike | None = None,
        **fields: ArrayLike,
    ) -> None:
        columns: dict[str, Column] = {}
        if masks is not None:
            if not isinstance(masks, RleMasks):
                raise wrong_type("masks", "RleMasks (RleMasks.from_dense takes arrays)", type(masks).__name__)
            columns["masks"] = masks
        if labels is not None:
            columns["labels"] = _column("labels", labels)
        if masks is not None:
            columns["boxes"] = masks.boxes
        elif boxes is not None:
            columns["boxes"] = _boxes(boxes)
        if iscrowd is not None:
            columns["iscrowd"] = _checks.crowd_flags("iscrowd", _column("iscrowd", iscrowd))
        for name, values in fields.items():
            if name in RESERVED or name.startswith("_"):
                raise wrong(name, "another name for a column", "one that has a meaning of its own")
            columns[name] = _column(name, values)
        self._set(columns)
        for name, values in columns.items():
            if len(values) != self._n:
                first = next(iter(columns))
                raise wrong(name, f"{self._n} rows as in {first}", str(len(values)))

    def _set(self, columns: dict[str, Column]) -> None:
        _set_columns(self, columns)
        _set_n(self, len(next(iter(columns.values()))) if columns else 0)

    @classmethod
    def _trusted(cls, columns: dict[str, Column]) -> Instances:
        """Wrap columns that are known to fit, boxes included."""
        instances = object.__new__(cls)
        instances._set(columns)
        return instances

    # -- columns -----------------------------------------------------------------------------------------

    @property
    def columns(self) -> dict[str, Column]:
        """The columns that are there, by name: a new dict of the same arrays."""
        return dict(self._columns)

    @property
    def masks(self) -> RleMasks | None:
        """The masks, or None."""
        return cast("RleMasks | None", self._columns.get("masks"))

    @property
    def labels(self) -> NDArray[Any] | None:
        """The classes, shape (n,), or None."""
        return self._columns.get("labels")

    @property
    def boxes(self) -> NDArray[np.float32] | None:
        """The boxes, shape (n, 4): x0, y0, x1, y1, half-open; or None."""
        return self._columns.get("boxes")

    @property
    def iscrowd(self) -> NDArray[np.bool_] | None:
        """Whether each row is a crowd, shape (n,), or None when nobody said."""
        return self._columns.get("iscrowd")

    def __getattr__(self, name: str) -> NDArray[Any]:
        if not name.startswith("_"):
            try:
                return cast("NDArray[Any]", self._columns[name])
            except KeyError:
                pass
        raise AttributeError(f"Instances has no column {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._columns})

    # -- as a sequence -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, rows: SupportsIndex | slice | Sequence[int] | NDArray[Any]) -> Instances:
        picked = _checks.row_index("rows", rows, self._n)
        return Instances._trusted({name: values[picked] for name, values in self._columns.items()})

    @classmethod
    def concat(cls, instances: Iterable[Instances]) -> Instances:
        """Join the rows of several, in order. Those with rows must have the same columns.

        A column's dtype becomes what NumPy promotes to; masks must be of one size.
        """
        parts = _checks.items("instances", instances)
        for i, part in enumerate(parts):
            if not isinstance(part, Instances):
                raise wrong_type(("instances", i), "Instances", type(part).__name__)
        parts = [part for part in parts if len(part)] or parts[:1]
        if not parts:
            return cls()
        names = list(parts[0]._columns)
        for part in parts[1:]:
            if differing := set(names) ^ set(part._columns):
                raise wrong("instances", "the same columns in each", f"{min(differing)!r} in some")
        joined: dict[str, Column] = {}
        for name in names:
            pieces = [part._columns[name] for part in parts]
            try:
                joined[name] = RleMasks.concat(pieces) if name == "masks" else np.concatenate(pieces)
            except (TypeError, ValueError) as error:
                wrongly = wrong_type if isinstance(error, TypeError) else wrong
                raise wrongly("instances", f"columns {name!r} that can be joined", f"others: {error}") from None
        return cls._trusted(joined)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instances):
            return NotImplemented
        mine, theirs = self._columns, other._columns
        return mine.keys() == theirs.keys() and all(same(mine[name], theirs[name]) for name in mine)

    def __array__(self, dtype: Any = None, copy: object = None) -> NDArray[Any]:
        return element("Instances: expected an array, got columns; Instances.columns holds an array each", self, dtype)

    __hash__ = None  # type: ignore[assignment]  # holds arrays, which may be written to

    def __reduce__(self) -> tuple[Any, ...]:
        return Instances._trusted, (self._columns,)

    def __repr__(self) -> str:
        return f"Instances(n={self._n}, columns=[{', '.join(self._columns)}])"


# Setters of the slots themselves: every operation makes such values, and `object.__setattr__` looks each up by name.
_set_columns, _set_n = (vars(Instances)[name].__set__ for name in ("_columns", "_n"))

RESERVED = frozenset({*dir(Instances), "masks", "labels", "boxes", "iscrowd", "self"})
"""Names that `Instances` gives a meaning of its own, so that no further column can have them."""


@final
class Sample(Immutable):
    """One image, its instances, and whatever else belongs to it.

    Parameters
    ----------
    image : array, shape (H, W) or (H, W, C)
        dtype uint8, uint16 or float32, any number of channels. Not copied, never written to.
    instances : Instances
        The objects. Masks, where there are any, have the size of the image.
    info : mapping, optional
        Data of the image as a whole (image id, file name, ...), carried along.
    maps : mapping of str to array or PixelMap, optional
        Further rasters of the image's size by name, of any integer or float dtype: semantic labels, depth. A
        transform moves and pastes them with the image. An array is a `PixelMap` with its defaults, filled with 0 and
        resized by the nearest pixel.

    Raises
    ------
    ValueError, TypeError
        When the image is not such an array, or masks or maps are of another size.

    Examples
    --------
    >>> import numpy as np
    >>> sample = Sample(np.zeros((480, 640, 3), np.uint8), Instances(), {"image_id": 7})
    >>> sample.size
    (480, 640)
    >>> depth = np.zeros((480, 640), np.float32)
    >>> Sample(sample.image, Instances(), maps={"depth": depth}).maps["depth"] is depth
    True
    """

    __slots__ = ("_maps", "image", "info", "instances")

    image: NDArray[Any]
    instances: Instances
    info: dict[str, Any]
    _maps: Mapping[str, PixelMap]

    def __init__(
        self,
        image: NDArray[Any],
        instances: Instances,
        info: Mapping[str, Any] = {},
        maps: Mapping[str, PixelMap | NDArray[Any]] = {},
    ) -> None:
        pixels = _checks.image("image", image)
        if not isinstance(instances, Instances):
            raise wrong_type("instances", "Instances", type(instances).__name__)
        if not isinstance(info, Mapping):
            raise wrong_type("info", "a mapping", type(info).__name__)
        masks = instances.masks
        if masks is not None and masks.size != pixels.shape[:2]:
            raise wrong("instances", f"masks of the image's size {pixels.shape[:2]}", str(masks.size))
        self._set(pixels, instances, dict(info), check_maps(maps, pixels.shape[:2]))

    def _set(
        self, image: NDArray[Any], instances: Instances, info: dict[str, Any], maps: Mapping[str, PixelMap]
    ) -> None:
        _set_image(self, image)
        _set_instances(self, instances)
        _set_info(self, info)
        _set_maps(self, maps)

    @classmethod
    def _trusted(
        cls,
        image: NDArray[Any],
        instances: Instances,
        info: dict[str, Any],
        maps: Mapping[str, PixelMap] = NO_MAPS,
    ) -> Sample:
        """Wrap parts that are known to fit."""
        sample = object.__new__(cls)
        sample._set(image, instances, info, maps)
        return sample

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def maps(self) -> dict[str, NDArray[Any]]:
        """Arrays of the further rasters by name: a new dict of the same arrays."""
        return {name: each.array for name, each in self._maps.items()}

    @property
    def pixel_maps(self) -> dict[str, PixelMap]:
        """Further rasters by name, with fill and interpolation: what the argument `maps` of another sample takes."""
        return dict(self._maps)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sample):
            return NotImplemented
        return (
            self.image.dtype == other.image.dtype
            and same(self.image, other.image)
            and self.instances == other.instances
            and same(self.info, other.info)
            and same(self._maps, other._maps)
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays, which may be written to

    def __reduce__(self) -> tuple[Any, ...]:
        parts = self.image, self.instances, self.info
        return Sample._trusted, (*parts, self._maps) if self._maps else parts

    def __repr__(self) -> str:
        maps = f", maps=[{', '.join(self._maps)}]" if self._maps else ""
        return f"Sample(image={self.image.shape} {self.image.dtype}, {self.instances!r}{maps})"


_set_image, _set_instances, _set_info, _set_maps = (
    vars(Sample)[name].__set__ for name in ("image", "instances", "info", "_maps")
)


def _column(name: str, values: ArrayLike) -> NDArray[Any]:
    array = _checks.converted(name, values, "an array with one row for each instance", "rows of differing shape")
    if array.ndim == 0:
        raise wrong(name, "one row for each instance", f"the single value {values!r}")
    return array


def _boxes(values: ArrayLike) -> NDArray[np.float32]:
    array = _column("boxes", values)
    if array.size == 0:
        array = array.reshape(-1, 4)
    if array.dtype.kind not in "iuf":
        raise wrong_type("boxes", "numbers", f"dtype {array.dtype}")
    if array.ndim != 2 or array.shape[1] != 4:
        raise wrong("boxes", "shape (n, 4)", str(array.shape))
    with np.errstate(over="ignore"):
        boxes = array.astype(np.float32, copy=False)
    if not np.isfinite(boxes).all():
        raise wrong("boxes", "finite numbers", "NaN or infinity")
    return boxes
