"""Label fields and donors of pipelines of Albumentations, as samples; nothing of it is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.maps import PixelMap
from copypaste_rs.masks import RleMasks
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place

CROWDS = "iscrowd"
"""Name of the label field that says which objects are crowds."""

NUMBERS = ("mask_index", "_bbox_instance_id")
"""Label fields that number the rows: a user's own, and that of ``instance_binding`` in AlbumentationsX."""


class LabelFields:
    """Label fields of a call: columns of numbers behind the boxes, as ``Compose`` encodes them.

    Parameters
    ----------
    processor : object or None
        That of the boxes, which encodes labels; None where the pipeline has none.
    data : dict
        The arguments of the call.
    fill_mask : int or float
        Value of the map of the whole image where no image lands.
    """

    def __init__(self, processor: Any, data: Mapping[str, Any], fill_mask: float) -> None:
        self.fill_mask = fill_mask
        self.value = 0  # of objects in masks
        self.names: list[str] = []
        if processor is None or data.get("bboxes") is None:
            return
        if getattr(processor.params, "bbox_type", "hbb") != "hbb":
            raise wrong("bboxes", "boxes along the axes (hbb)", processor.params.bbox_type)
        self.names = list(processor.params.label_fields or [])
        self._manager, self._data = processor.label_manager, data

    @property
    def count(self) -> int:
        """Number of columns."""
        return len(self.names)

    def encoded(self, place: Place, columns: Mapping[str, Any], n: int) -> NDArray[np.float32]:
        """Columns of a donor with n objects."""
        rows = np.zeros((n, self.count), np.float32)
        own = [name for name in self.names if name not in (*NUMBERS, CROWDS)]
        for k, name in enumerate(self.names):
            if name in NUMBERS:
                continue
            values = columns.get(name, columns.get("labels") if own == [name] else None)
            if values is None and name == CROWDS:
                values = np.zeros(n, np.int64)
            if values is None:
                raise wrong(_checks.item(place, name), f"the label field of its {n} objects", "none")
            if len(values) != n:
                raise wrong(_checks.item(place, name), f"a value for each of its {n} objects", str(len(values)))
            if n:
                rows[:, k] = self._column(_checks.item(place, name), name, values)
        return rows

    def _column(self, place: Place, name: str, values: Any) -> NDArray[np.float32]:
        known = self._manager.metadata["bboxes"].get(name) if "bboxes" in self._manager.metadata else None
        if known is not None:
            kinds = [_kind([] if known.is_numerical else known.encoder.classes_), _kind(values)]
            if kinds[0] != kinds[1]:  # joined, numbers would become texts
                raise wrong(place, f"{kinds[0]}, as the image has them", kinds[1])
        return self._encoded(name, values)

    def _encoded(self, name: str, values: Any) -> NDArray[np.float32]:
        given = self._data.get(name)  # still there where the image has no boxes; what is returned is of its kind
        values = list(np.asarray(values).tolist()) if isinstance(given, list | tuple) else np.asarray(values)
        encoded: NDArray[Any] = self._manager.process_field("bboxes", name, values)
        return encoded.reshape(-1).astype(np.float32)

    def crowds(self, rows: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """The flags of crowds among the columns, where there are any."""
        if CROWDS not in self.names:
            return None
        column = rows[:, self.names.index(CROWDS)]
        if not len(column):
            return np.zeros(0, np.bool_)
        return np.asarray(self._manager.restore_field("bboxes", CROWDS, column), np.bool_)

    def rows(self, instances: Instances) -> NDArray[np.float32]:
        """Columns of a result."""
        rows = np.zeros((len(instances), self.count), np.float32)
        if not len(instances):
            return rows
        if self.count:
            rows[:] = instances.columns["fields"]
        if CROWDS in self.names and instances.iscrowd is not None:
            # Rows may have become crowds (on_hidden="crowd").
            changed = instances.iscrowd != self.crowds(rows)
            if changed.any():
                rows[:, self.names.index(CROWDS)] = self._encoded(CROWDS, np.asarray(instances.iscrowd, np.int64))
        for name in set(NUMBERS).intersection(self.names):
            rows[:, self.names.index(name)] = self._encoded(name, np.arange(len(rows)))
        return rows


def donor_sample(
    place: Place, donor: Any, data: Mapping[str, Any], fields: LabelFields, never: tuple[str, ...] = ()
) -> Sample:
    """A donor, with label fields as the image has them; rows of a sample with a flag of `never` are left out."""
    if isinstance(donor, Sample):
        instances = donor.instances.without_crowds()  # flags need not be among the label fields
        for name in never:
            if (flags := instances.columns.get(name)) is not None:
                instances = instances[~np.asarray(flags, np.bool_)]
        masks = RleMasks.empty(donor.size) if instances.masks is None else instances.masks
        if len(masks) != len(instances):
            raise wrong(place, f"masks of its {len(instances)} objects", "none")
        columns: Mapping[str, Any] = instances.columns
        image, semantic = donor.image, donor.maps.get("mask")
    elif hasattr(donor, "keys"):
        for name in ("image", "masks"):
            if donor.get(name) is None:
                more = " (of the whole image, not a mask of one object)" if name == "masks" and "mask" in donor else ""
                raise wrong(_checks.item(place, name), f"an array{more}", "none")
        image, semantic, columns = np.asarray(donor["image"]), donor.get("mask"), donor
        masks = mask_runs(_checks.item(place, "masks"), donor["masks"], image.shape[:2], fields)
    else:
        raise wrong_type(place, "a Sample, or a dict of image, masks and label fields", type(donor).__name__)
    if image.ndim == 2 and data["image"].ndim == 3:
        image = image[..., None]
    wanted = data.get("mask")
    if wanted is None or semantic is None:
        semantic = None
    elif wanted.ndim == 3 and semantic.ndim == 2:
        semantic = semantic[..., None]
    return assembled(image, masks, fields.encoded(place, columns, len(masks)), semantic, fields)


def assembled(image: NDArray[Any], masks: RleMasks, rows: NDArray[Any], mask: Any, fields: LabelFields) -> Sample:
    columns: dict[str, Any] = {"fields": rows} if fields.count else {}
    if (crowds := fields.crowds(rows)) is not None:
        columns[CROWDS] = crowds
    maps = {} if mask is None else {"mask": PixelMap(np.asarray(mask), fill=fields.fill_mask)}
    return Sample(image, Instances(masks=masks, **columns), maps=maps)


def mask_runs(place: Place, masks: Any, size: tuple[int, int], fields: LabelFields) -> RleMasks:
    """Masks (N, H, W) or (N, H, W, 1) of any numbers, or a list of them; their largest value is noted."""
    if masks is None or not len(masks):
        return RleMasks.empty(size)
    dense = np.asarray(masks)
    if dense.ndim == 4 and dense.shape[-1] == 1:
        dense = dense[..., 0]
    if dense.ndim != 3 or dense.shape[1:] != tuple(size):
        raise wrong(place, f"masks of the image's size {tuple(size)}", str(dense.shape))
    fields.value = fields.value or int(dense.max(initial=0))
    try:
        return RleMasks.from_dense(dense if dense.dtype in (np.uint8, np.bool_) else dense != 0)
    except (ArgumentError, ArgumentTypeError) as error:
        raise wrong(place, error.expected, error.got) from None


def _kind(labels: Any) -> str:
    return "texts" if any(isinstance(label, str) for label in labels) else "numbers"
