"""Images and target dicts of torchvision as samples, and back: which entries have a row for each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torchvision import tv_tensors

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._checks.places import item
from copypaste_rs.box_formats import convert_boxes
from copypaste_rs.column_kinds.keypoints import check as checked_keypoints
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.masks import RleMasks
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs.transforms import TrainingSample

OF_THE_IMAGE = frozenset({"image_id", "size", "orig_size"})
"""Entries of the image as a whole, though their length may be the number of objects by chance."""

MEASURED = frozenset({"masks", "boxes", "area"})
"""Entries that are made anew from the masks."""

OUTDATED = frozenset({"segmentation", "bbox"})
"""Entries that say where objects were, in forms of files: they are left out, for masks and boxes say it."""

FORMATS = {"XYXY": "xyxy", "XYWH": "xywh", "CXCYWH": "cxcywh"}


class TargetForm:
    """Form of the targets of a batch.

    Parameters
    ----------
    targets : sequence of dict
        The targets, by which entries with rows are found.
    columns : sequence of str, optional
        Names of further entries with a row for each object; None finds them: tensors, arrays and lists whose length is
        the number of objects, in all targets of the batch that have masks or boxes.
    boxes_do : bool
        Whether targets may have boxes and no masks.
    argument : str
        Name of what the targets are items of, for errors.
    """

    def __init__(
        self,
        targets: Sequence[Mapping[str, Any]],
        columns: Sequence[str] | None,
        *,
        boxes_do: bool = False,
        argument: str = "batch",
    ) -> None:
        self._boxes_do = boxes_do
        counts = []
        for i, target in enumerate(targets):
            place: Place = (argument, i)
            if not hasattr(target, "keys"):
                raise wrong_type(place, "a target that is a dict", type(target).__name__)
            counts.append(_count(place, target, boxes_do))
        filled = [(t, n) for t, n in zip(targets, counts, strict=True) if not OF_THE_IMAGE.issuperset(t)]
        names = {name for target, _ in filled for name in target} - MEASURED - OUTDATED - OF_THE_IMAGE
        if columns is None:
            kept = {name for name in names if all(_has_rows(t[name], n) for t, n in filled if name in t)}
        else:
            kept = names & {"labels", "iscrowd", *columns}
            for i, (target, n) in enumerate(filled):
                for name in sorted(kept & set(target)):
                    if not _has_rows(target[name], n):
                        raise wrong((argument, i, name), f"{n} rows, one for each object", _shown(target[name]))
        self.columns = sorted(kept)
        # How an entry looks, for images that lack it because they have no objects.
        self._looks = {name: next(t[name] for t, _ in filled if name in t) for name in kept}
        for name, look in (("masks", torch.zeros(0, dtype=torch.uint8)), ("boxes", torch.zeros(0))):
            self._looks[name] = next((target[name] for target in targets if name in target), look)
        self._measured = {"area": "area"} if any("area" in target for target in targets) else {}

    def sample(self, place: Place, image: Any, target: Mapping[str, Any]) -> Sample:
        """Image and target as a sample."""
        pixels = image_array(place, image)
        size = (pixels.shape[0], pixels.shape[1])
        columns: dict[str, Any] = {}
        if (masks := target.get("masks")) is not None:
            dense = np.asarray(masks)
            if dense.shape[1:] != size:
                raise wrong(item(place, "masks"), f"masks of the image's size {size}", str(dense.shape[1:]))
            try:
                columns["masks"] = RleMasks.from_dense(np.ascontiguousarray(dense))
            except (ArgumentError, ArgumentTypeError) as error:
                raise wrong(item(place, "masks"), error.expected, error.got) from None
        elif (boxes := target.get("boxes")) is not None and len(boxes):
            columns["boxes"] = convert_boxes(np.asarray(boxes, np.float32), _box_format(boxes), "xyxy")
        else:
            columns["masks"] = RleMasks.empty(size)
        n = len(next(iter(columns.values())))
        for name in self.columns:
            if name in target and n:
                columns[name] = _half_a_pixel(name, np.asarray(target[name]), 0.5)
        maps = {name: np.asarray(value) for name, value in target.items() if _is_map(value, name)}
        return Sample(pixels, Instances(**columns), maps=maps)

    def target(self, made: TrainingSample, old: Mapping[str, Any]) -> dict[str, Any]:
        """The target of a result: all entries of the old one, in its forms, those with rows and maps replaced."""
        instances, size = made.instances, (made.image.shape[-2], made.image.shape[-1])
        target = {name: value for name, value in old.items() if name not in OUTDATED}
        for name in self.columns:
            look = self._looks[name]
            rows = instances.columns.get(name)
            target[name] = _like(look, _empty(look) if rows is None else _half_a_pixel(name, rows, -0.5))
        target |= self.maps(made, old)
        masks, boxes = made.masks, instances.boxes
        assert isinstance(masks, np.ndarray)
        if "masks" in old or not self._boxes_do:
            target["masks"] = _like(self._looks["masks"], masks)
        corners = np.zeros((0, 4), np.float32) if boxes is None else boxes
        target["boxes"] = _boxes_like(self._looks["boxes"], corners, size)
        for name in self._measured:
            target[name] = torch.from_numpy(masks.sum(axis=(1, 2), dtype=np.float32))
        return target

    def maps(self, made: TrainingSample, old: Mapping[str, Any]) -> dict[str, Any]:
        """Entries of a result that are rasters of the image's size."""
        return {name: _like(old[name], array) for name, array in made.maps.items()}


def image_array(place: Place, image: Any) -> NDArray[Any]:
    """The array (H, W, C) of an image tensor (C, H, W)."""
    if not isinstance(image, torch.Tensor) or image.ndim != 3:
        raise wrong_type(place, "an image that is a tensor (C, H, W); v2.ToImage() makes one", _shown(image))
    if image.dtype not in (torch.uint8, torch.float32):
        raise wrong_type(place, "an image of dtype uint8, or float32 in 0..1", str(image.dtype))
    if image.device.type != "cpu":
        raise wrong(place, "an image in the memory of the processor", f"one on {image.device}")
    return np.ascontiguousarray(image.detach().permute(1, 2, 0).numpy())


def image_like(image: Any, pixels: NDArray[Any]) -> Any:
    """The tensor (C, H, W) of an array of that shape, of the class of `image`."""
    return _like(image, pixels)


def _count(place: Place, target: Mapping[str, Any], boxes_do: bool) -> int:
    """Number of objects of a target."""
    if (masks := target.get("masks")) is not None:
        if getattr(masks, "ndim", 0) != 3:
            raise wrong(item(place, "masks"), "masks (N, H, W)", _shown(masks))
        return len(masks)
    boxes = target.get("boxes")
    if boxes is not None and (boxes_do or not len(boxes)):
        return len(boxes)
    # An image without annotations, as torchvision's wrapper of CocoDetection gives it, says nothing of objects.
    if not (boxes_do or OF_THE_IMAGE.issuperset(target)):
        raise wrong(place, "a target with masks", f"one with {', '.join(sorted(target))}")
    return 0


def _has_rows(value: Any, n: int) -> bool:
    if isinstance(value, torch.Tensor | np.ndarray):
        return value.ndim > 0 and len(value) == n
    return isinstance(value, list) and len(value) == n and all(np.ndim(each) == 0 for each in value)


def _is_map(value: Any, name: str) -> bool:
    return isinstance(value, tv_tensors.Mask) and value.ndim == 2 and name != "masks"


def _half_a_pixel(name: str, rows: NDArray[Any], half: float) -> NDArray[Any]:
    """Rows of keypoints, which torchvision counts from the centre of the first pixel, moved; others as they are."""
    if name != "keypoints" or not len(rows):
        return rows
    points = np.array(checked_keypoints(name, rows))
    points[:, :, :2] += np.float32(half) * (points[:, :, 2:] > 0)
    return points


def _empty(look: Any) -> NDArray[Any]:
    return np.asarray(look)[:0]


def _like(look: Any, array: NDArray[Any]) -> Any:
    """An array in the form of `look`: a tensor of its class and dtype, an array, or a list."""
    if isinstance(look, list):
        return array.tolist()
    if not isinstance(look, torch.Tensor):
        return array
    made = torch.from_numpy(np.require(array, requirements="W")).to(look.dtype)
    return tv_tensors.wrap(made, like=look) if isinstance(look, tv_tensors.TVTensor) else made


def _box_format(boxes: Any) -> str:
    name = boxes.format.name if isinstance(boxes, tv_tensors.BoundingBoxes) else "XYXY"
    if name not in FORMATS:
        raise wrong("boxes", f"boxes in one of the formats {', '.join(FORMATS)}", name)
    return FORMATS[name]


def _boxes_like(look: Any, corners: NDArray[np.float32], size: tuple[int, int]) -> Any:
    if not isinstance(look, tv_tensors.BoundingBoxes):
        return torch.from_numpy(np.array(corners))
    boxes = torch.from_numpy(convert_boxes(corners, "xyxy", _box_format(look)))
    return tv_tensors.wrap(boxes, like=look, canvas_size=size)


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"{type(value).__name__} {tuple(shape)}"
