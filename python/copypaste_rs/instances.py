"""Instances: the objects of one image, as columns of one length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, cast, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._equality import same
from copypaste_rs._immutable import Immutable, element
from copypaste_rs.annotations import coco_columns
from copypaste_rs.column_kinds import CHECKS, absent_value, kind_of
from copypaste_rs.masks import RleMasks
from copypaste_rs.rectangles import check_order, rectangle_masks, with_rectangles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import Size

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
        One mask for each instance. Boxes are then derived from them, and given ones are ignored, but for rows that
        are `box_only`.
    labels : array, shape (n,), optional
        Class of each instance, of any dtype.
    boxes : array, shape (n, 4), optional
        x0, y0, x1, y1, half-open, in pixels; kept as float32. Without `masks` every row is `box_only`.
    iscrowd : array of bool (or 0 and 1), shape (n,), optional
        Whether a row marks a region of uncounted objects.
    keypoints : array, shape (n, k, 3), optional
        x, y, v of k points of each instance, kept as float32: x and y in pixels, half-open as boxes are, so that
        the centre of pixel i is i + 0.5; v is 0 for a point that nobody marked, 1 for a hidden, 2 for a visible one.
    box_only : array of bool (or 0 and 1), shape (n,), optional
        Which rows have a box and no outline. The box is taken from `boxes`; in the place of the mask stands its
        rectangle, the pixels whose centres are in it, as soon as the size of the image is known: from `masks`, or
        from the `Sample`. `boxes` are in whole pixels then.
    **fields : array, shape (n, ...)
        Further columns. `pseudo`, bool, marks what a model predicted; it is not pasted unless asked.

    Raises
    ------
    ValueError
        When columns differ in length, a field has a name that means something else here, or a box that stands for
        an outline is upside down.
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
        keypoints: ArrayLike | None = None,
        box_only: ArrayLike | None = None,
        **fields: ArrayLike,
    ) -> None:
        columns: dict[str, Column] = {}
        if masks is not None and not isinstance(masks, RleMasks):
            raise wrong_type("masks", "RleMasks (RleMasks.from_dense takes arrays)", type(masks).__name__)
        flags = None if box_only is None else _column("box_only", box_only)
        if flags is not None or (boxes is not None and masks is None):
            masks, boxes, flags = _with_boxes(masks, boxes, flags)
        if masks is not None:
            columns["masks"] = masks
        if labels is not None:
            columns["labels"] = _column("labels", labels)
        if masks is not None:
            columns["boxes"] = masks.boxes
        elif boxes is not None:
            columns["boxes"] = boxes
        for name, values in {"iscrowd": iscrowd, "keypoints": keypoints, "box_only": flags}.items():
            if values is not None:
                columns[name] = _column(name, values)
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

    @classmethod
    def _of_tables(
        cls,
        masks: RleMasks,
        labels: NDArray[np.int64],
        boxes: NDArray[np.float32],
        iscrowd: NDArray[np.bool_],
        fields: Mapping[str, NDArray[Any]],
    ) -> Instances:
        """Wrap columns of as many rows as there are masks, whose boxes these are: what the constructor makes of them.

        Of the fields only values are checked, not names and lengths.
        """
        columns: dict[str, Column] = {"masks": masks, "labels": labels, "boxes": boxes, "iscrowd": iscrowd}
        if "keypoints" in fields:  # they come first
            columns["keypoints"] = fields["keypoints"]
        columns.update(fields)
        for name, check in CHECKS.items():
            if name in fields:
                columns[name] = check(name, fields[name])
        return cls._trusted(columns)

    @classmethod
    def from_coco(cls, annotations: Iterable[Mapping[str, Any]], size: Size) -> Instances:
        """The rows of COCO annotations of one image, in their order; `size` is height and width of the image.

        ``category_id`` becomes `labels`, ``segmentation`` the masks, in any form that `RleMasks.from_segmentations`
        takes, ``keypoints`` are moved by half a pixel. A row with a ``bbox`` alone is `box_only`; one that covers
        nothing has an empty mask. ``id`` and other numbers, bools and texts are columns of their names, with NaN, False
        or an empty text where a row has none; lists and dicts are left out, and ``area``, ``image_id`` and the ``bbox``
        of what has an outline are not trusted.

        Examples
        --------
        >>> square = {"category_id": 3, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]], "score": 0.5}
        >>> rows = Instances.from_coco([square, {"category_id": 7, "bbox": [0, 0, 2, 1], "score": 0.25}], (2, 4))
        >>> rows.labels, rows.masks.area, rows.box_only, rows.score
        (array([3, 7]), array([4, 2]), array([False,  True]), array([0.5 , 0.25]))
        """
        return cls(**coco_columns(annotations, size, RESERVED))

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

    @property
    def keypoints(self) -> NDArray[np.float32] | None:
        """The keypoints, shape (n, k, 3): x, y, v; or None."""
        return self._columns.get("keypoints")

    @property
    def box_only(self) -> NDArray[np.bool_] | None:
        """Whether each row has a box and no outline, shape (n,), or None when nobody said."""
        return self._columns.get("box_only")

    def to_polygons(self, *, vertices: str = "corners") -> list[list[NDArray[np.float64]]]:
        """Outlines of each row, as `RleMasks.to_polygons` gives them; none of rows that are `box_only`."""
        masks, box_only = self.masks, self.box_only
        if masks is None:
            return [[] for _ in range(self._n)]
        outlines = iter((masks if box_only is None else masks[~box_only]).to_polygons(vertices=vertices))
        hidden = np.zeros(self._n, np.bool_) if box_only is None else box_only
        return [[] if none else next(outlines) for none in hidden]

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

        A column's dtype becomes what NumPy promotes to; masks must be of one size. Boxes without masks get
        rectangles where others have masks. Flags (`iscrowd`, `box_only`, `pseudo`) that some have and others lack are
        False there, and a `score` is 1 where those that have one have `pseudo` too.
        """
        parts = _checks.items("instances", instances)
        for i, part in enumerate(parts):
            if not isinstance(part, Instances):
                raise wrong_type(("instances", i), "Instances", type(part).__name__)
        parts = [part for part in parts if len(part)] or parts[:1]
        if not parts:
            return cls()
        size = next((part.masks.size for part in parts if part.masks is not None), None)
        if size is not None:
            parts = [part._in_image(size) for part in parts]
        joined: dict[str, Column] = {}
        for name in dict.fromkeys(name for part in parts for name in part._columns):
            value = absent_value(name, [part._columns for part in parts if name in part._columns])
            pieces = [part._columns.get(name, None if value is None else np.full(part._n, value)) for part in parts]
            if any(piece is None for piece in pieces):
                raise wrong("instances", "the same columns in each", f"{name!r} in some")
            try:
                joined[name] = RleMasks.concat(pieces) if name == "masks" else np.concatenate(pieces)
            except (TypeError, ValueError) as error:
                wrongly = wrong_type if isinstance(error, TypeError) else wrong
                raise wrongly("instances", f"columns {name!r} that can be joined", f"others: {error}") from None
        return cls._trusted(joined)

    def without_crowds(self) -> Instances:
        """The instances but for crowds; all of them where nobody said which are.

        Examples
        --------
        >>> Instances(labels=[3, 7], iscrowd=[False, True]).without_crowds().labels
        array([3])
        """
        return self if self.iscrowd is None else self[~self.iscrowd]

    def replace(self, **columns: ArrayLike | RleMasks) -> Instances:
        """The instances with some columns replaced or added; all others, and rows cut before, stay as they are.

        New `masks` bring their boxes; `boxes` and `box_only` are taken as by the constructor, with the other columns.

        Examples
        --------
        >>> Instances(labels=[3, 7]).replace(score=[0.5, 0.25]).score
        array([0.5 , 0.25])
        """
        if not columns.keys().isdisjoint(("masks", "boxes", "box_only")):
            return Instances(**{**self._columns, **columns})
        given = Instances(**columns)  # type: ignore[arg-type]  # no masks among them
        if columns and self._columns and len(given) != self._n:
            raise wrong(next(iter(columns)), f"{self._n} rows", str(len(given)))
        return Instances._trusted({**self._columns, **given._columns})

    def _in_image(self, size: tuple[int, int]) -> Instances:
        """The instances in an image of a size: rectangles of boxes that have no masks, in the place of these."""
        boxes = self._columns.get("boxes")
        if boxes is None or "masks" in self._columns:
            return self
        masks = rectangle_masks(boxes, size)
        return Instances._trusted({"masks": masks, **self._columns, "boxes": masks.boxes})

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


def _column(name: str, values: ArrayLike) -> NDArray[Any]:
    array = _checks.converted(name, values, "an array with one row for each instance", "rows of differing shape")
    if array.ndim == 0:
        raise wrong(name, "one row for each instance", f"the single value {values!r}")
    check = kind_of(name).check
    return array if check is None else check(name, array)


def _with_boxes(
    masks: RleMasks | None, boxes: ArrayLike | None, flags: NDArray[np.bool_] | None
) -> tuple[RleMasks | None, NDArray[np.float32] | None, NDArray[np.bool_]]:
    """Masks, with rectangles where rows are `box_only`, the boxes, and which rows these are."""
    if boxes is None:
        if masks is None or flags is None or flags.any():
            raise wrong("boxes", "boxes of the rows that are box_only", "none")
        return masks, None, flags
    given = _boxes(boxes)
    if flags is None:
        flags = np.ones(len(given), np.bool_)
    rows = len(given) if masks is None else len(masks)
    for name, values in (("boxes", given), ("box_only", flags)):
        if len(values) != rows:
            raise wrong(name, f"{rows} rows as in {'boxes' if masks is None else 'masks'}", str(len(values)))
    if masks is None and not flags.all():
        raise wrong("box_only", "True for each row, as there are no masks", "False in some")
    check_order(given, flags)
    if masks is not None and flags.any():
        masks = with_rectangles(masks, given, flags)
    return masks, given, flags


def _boxes(values: ArrayLike) -> NDArray[np.float32]:
    array = _column("boxes", values)
    if array.shape in ((0,), (0, 0)):
        array = array.reshape(0, 4)
    if array.dtype.kind not in "iuf":
        raise wrong_type("boxes", "numbers", f"dtype {array.dtype}")
    if array.ndim != 2 or array.shape[1] != 4:
        raise wrong("boxes", "shape (n, 4)", str(array.shape))
    with np.errstate(over="ignore"):
        boxes = array.astype(np.float32, copy=False)
    if not np.isfinite(boxes).all():
        raise wrong("boxes", "finite numbers", "NaN or infinity")
    return boxes
