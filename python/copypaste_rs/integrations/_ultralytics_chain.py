"""Steps of Ultralytics' chain of transforms: one that pastes, and one that makes tensors of drawn masks.

Labels, the dicts that go through the chain, have polygons until something is pasted, and columns of runs from there on.
Nothing of Ultralytics is imported: steps are told apart by the names of their classes.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._checks import wrong
from copypaste_rs.box_formats import convert_boxes
from copypaste_rs.datasets._extras import needed
from copypaste_rs.instances import Instances
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement
from copypaste_rs.sample import Sample
from copypaste_rs.transforms import SimpleCopyPaste

with needed("pip install ultralytics brings it"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Labels = dict[str, Any]
    Step = Callable[[Labels], Labels]

PASTED = "copypaste_rs"
"""Key of the objects between the two steps."""

IMAGE_ALONE = ("RandomHSV",)
"""Steps that leave the objects where they are; they come after the paste, so that both images change alike."""


class PasteStep:
    """Paste objects of other photographs of a data set into an image, and hand both on as runs.

    Parameters
    ----------
    dataset : object
        Data set of Ultralytics.
    options : dict
        Options of `SimpleCopyPaste` but `size`, which is that of the image.
    num_sources : int
        Photographs whose objects are pasted.
    upright : list
        Steps that also happen to each of these photographs: mirror images upside down.
    """

    def __init__(self, dataset: Any, options: dict[str, Any], num_sources: int, upright: list[Step]) -> None:
        self.dataset = dataset
        self.options = options
        self.num_sources = num_sources
        self.upright = upright
        self.on = True
        self.with_objects = [i for i, label in enumerate(dataset.labels) if len(label["cls"])]
        self.transforms: dict[tuple[int, int], SimpleCopyPaste] = {}

    def __call__(self, labels: Labels) -> Labels:
        """The labels with the image that was pasted into, and the objects under `PASTED`."""
        target = sample_of(labels)
        sources = [self._source(index) for index in self._draw(labels.get("im_file"))] if self.on else []
        if target.size not in self.transforms:
            self.transforms[target.size] = SimpleCopyPaste(size=target.size, **self.options)
        made = self.transforms[target.size](target, sources, random.getrandbits(63))
        rest = {name: value for name, value in labels.items() if name not in ("img", "cls", "instances")}
        return {**rest, "img": made.image, PASTED: made.instances}

    def _draw(self, file: str | None) -> list[int]:
        """Photographs to paste from, of which none is the one that is pasted into."""
        chosen: list[int] = []
        for _ in range(self.num_sources):
            n = len(self.with_objects)
            if not n:
                break
            place = random.randrange(n)  # noqa: S311  (what Ultralytics draws from, and seeds in each worker)
            if self.dataset.im_files[self.with_objects[place]] == file:
                place = (place + 1) % n
            if self.dataset.im_files[self.with_objects[place]] != file:
                chosen.append(self.with_objects[place])
        return chosen

    def _source(self, index: int) -> Sample:
        labels = self.dataset.get_image_and_label(index)
        for step in self.upright:
            labels = step(labels)
        return sample_of(labels)


class DrawStep:
    """Make tensors of an image and its objects, as ``Format`` makes them of polygons: masks of runs are exact.

    Parameters
    ----------
    form : object
        The ``Format`` of the chain.
    """

    def __init__(self, form: Any) -> None:
        self.masks = bool(form.return_mask)
        self.ratio = int(form.mask_ratio)
        self.overlap = bool(form.mask_overlap)
        self.bgr = float(getattr(form, "bgr", 0.0))

    def __call__(self, labels: Labels) -> Labels:
        """The labels as the collate function takes them."""
        image = labels.pop("img")
        objects: Instances = labels.pop(PASTED)
        n, size = len(objects), (image.shape[0], image.shape[1])
        classes = np.zeros(0, np.float32) if objects.labels is None else objects.labels.astype(np.float32)
        if self.masks:
            labels |= self._drawn(objects.masks, classes, size)
        boxes = np.zeros((0, 4), np.float32) if objects.boxes is None else objects.boxes
        labels["img"] = torch.from_numpy(self._channels_first(image))
        labels["cls"] = torch.from_numpy(classes[:, None])
        labels["bboxes"] = torch.from_numpy(convert_boxes(boxes, "xyxy", "cxcywhn", size=size))
        labels["batch_idx"] = torch.zeros(n)
        return labels

    def _channels_first(self, image: NDArray[Any]) -> NDArray[Any]:
        pixels = image[..., None] if image.ndim == 2 else image
        pixels = pixels.transpose(2, 0, 1)
        to_rgb = pixels.shape[0] == 3 and random.random() > self.bgr  # noqa: S311  (likewise)
        return np.ascontiguousarray(pixels[::-1] if to_rgb else pixels)

    def _drawn(self, masks: RleMasks | None, classes: NDArray[np.float32], size: tuple[int, int]) -> Labels:
        """Masks and the class of each pixel, both smaller by `ratio`."""
        small = (size[0] // self.ratio, size[1] // self.ratio)
        if min(small) < 1:
            raise wrong("mask_ratio", f"at most {min(size)}, the smaller side of the image", str(self.ratio))
        if masks is None or not len(masks):
            shape = (1 if self.overlap else 0, *small)
            return {"masks": torch.zeros(shape), "sem_masks": torch.zeros(small)}
        runs = masks if self.ratio == 1 else masks.place(Placement(size, small, (0, 0), small))
        numbers = runs.to_label_map(order="area")
        of_pixel = np.append(np.float32(0), classes)[numbers]
        if self.overlap:
            drawn: NDArray[Any] = numbers[None].astype(np.uint8 if len(masks) < 256 else np.int32)
        else:
            drawn = runs.to_dense()
        return {"masks": torch.from_numpy(drawn), "sem_masks": torch.from_numpy(of_pixel)}


def sample_of(labels: Labels) -> Sample:
    """The image of labels, and its objects: masks of the polygons, or boxes where there are none."""
    image = np.ascontiguousarray(labels["img"])
    h, w = image.shape[:2]
    instances, classes = labels["instances"], labels["cls"].reshape(-1).astype(np.int64)
    instances.denormalize(w, h)
    if len(instances.segments) or not len(classes):
        masks = RleMasks.from_polygons([[segment.reshape(-1)] for segment in instances.segments], (h, w))
        return Sample(image, Instances(masks=masks, labels=classes))
    instances.convert_bbox("xyxy")
    return Sample(image, Instances(boxes=instances.bboxes.astype(np.float32), labels=classes))


def with_paste(steps: list[Step], paste: PasteStep) -> list[Step]:
    """The steps of a chain with `paste` among them, in the place of Ultralytics' own, and masks drawn at the end."""
    *moving, form = steps
    after = [step for step in moving if leaves_objects(step)]
    before = [step for step in moving if step not in after and not is_mirror(step, "horizontal")]
    for step in before:
        remove_own(step)
    return [*before, paste, *after, DrawStep(form)]


def leaves_objects(step: object) -> bool:
    """Whether a step changes colours alone."""
    name = type(step).__name__
    return name in IMAGE_ALONE or (name == "Albumentations" and not getattr(step, "contains_spatial", True))


def is_mirror(step: object, direction: str) -> bool:
    """Whether a step is a random mirror image in a direction."""
    return type(step).__name__ == "RandomFlip" and getattr(step, "direction", "") == direction


def remove_own(step: Any) -> None:
    """Take Ultralytics' copy-paste out of a chain in a chain."""
    inner = getattr(step, "transforms", None)
    if isinstance(inner, list):
        inner[:] = [each for each in inner if type(each).__name__ != "CopyPaste"]
