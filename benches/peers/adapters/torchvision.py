"""torchvision: the steps of its reference training scripts, which the package does not ship, on its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.resampling import Resize
    from benches.peers.whole import Given
    from benches.rivals import Dense
    from copypaste_rs import Placement


class Target(NamedTuple):
    """Sample as torchvision's detectors take it."""

    image: Any
    masks: Any
    boxes: Any
    labels: Any


def whole(given: Given) -> dict[str, Job]:
    import torch

    torch.set_num_threads(1)
    plan = given.scene.plan
    target, source = (
        (tensors(each, sample.instances.boxes), place)
        for each, sample, place in (
            (given.target, given.scene.target, plan.target),
            (given.source, given.scene.source, plan.pastes[0].placement),
        )
    )

    def augment() -> Target:
        return copy_paste(jitter(*target), jitter(*source))

    return {"augment": Job(augment, read)}


def tensors(sample: Dense, boxes: Any) -> Target:
    """Sample as torchvision's loaders give it: tensors, channels first."""
    import torch

    image = torch.from_numpy(sample.image).permute(2, 0, 1)
    return Target(image, torch.from_numpy(sample.masks), torch.from_numpy(boxes.copy()), torch.as_tensor(sample.labels))


def jitter(sample: Target, place: Placement) -> Target:
    """Scale jitter, fixed-size crop and mirror, with the plan's numbers where they would draw."""
    from torchvision.transforms.v2 import InterpolationMode, functional

    (rh, rw), (ch, cw), (y, x) = place.resized_size, place.canvas_size, place.offset
    image, masks, boxes, labels = sample
    boxes = boxes * boxes.new_tensor([rw / image.shape[-1], rh / image.shape[-2]] * 2)
    image = functional.resize(image, [rh, rw], antialias=True)
    masks = functional.resize(masks, [rh, rw], interpolation=InterpolationMode.NEAREST)
    if rh > ch or rw > cw:
        height, width = min(rh, ch), min(rw, cw)
        left = max(rw - cw, 0) + x if place.hflip else -x  # it crops before it mirrors
        left = left if rw > cw else 0
        image, masks = (functional.crop(each, -y, left, height, width) for each in (image, masks))
        boxes = boxes - boxes.new_tensor([left, -y] * 2)
        boxes[:, 0::2].clamp_(0, width)
        boxes[:, 1::2].clamp_(0, height)
        valid = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
        masks, boxes, labels = masks[valid], boxes[valid], labels[valid]
    if place.hflip:
        width = image.shape[-1]
        image, masks = image.flip(-1), masks.flip(-1)
        boxes = boxes[:, [2, 1, 0, 3]] * boxes.new_tensor([-1, 1, -1, 1]) + boxes.new_tensor([width, 0, width, 0])
    pad = [0, 0, cw - image.shape[-1], ch - image.shape[-2]]
    if any(pad):
        image, masks = functional.pad(image, pad, fill=128), functional.pad(masks, pad)
    return Target(image, masks, boxes, labels)


def copy_paste(target: Target, source: Target) -> Target:
    """Paste every object of the source over the target; the boxes of what is pasted are taken along."""
    import torch
    from torchvision.ops import masks_to_boxes

    above = source.masks.sum(0) > 0
    image = target.image * ~above + source.image * above
    masks = target.masks * ~above
    left = masks.sum((-1, -2)) > 0
    masks = masks[left]
    boxes = torch.cat([masks_to_boxes(masks), source.boxes])
    masks = torch.cat([masks, source.masks])
    labels = torch.cat([target.labels[left], source.labels])
    sound = (boxes[:, 2:] > boxes[:, :2]).all(1)
    if not sound.all():
        masks, boxes, labels = masks[sound], boxes[sound], labels[sound]
    return Target(image, masks, boxes, labels)


def read(result: Target) -> tuple[Any, Any, Any]:
    return result.image.permute(1, 2, 0).numpy(), result.masks.numpy(), result.boxes.numpy()


def resampling(given: Resize) -> dict[str, Job]:
    import torch
    from torchvision.transforms.v2 import functional

    torch.set_num_threads(1)
    image = torch.from_numpy(given.image).permute(2, 0, 1)
    size = list(given.size)

    def shown(result: Any) -> Any:
        return np.ascontiguousarray(result.permute(1, 2, 0).numpy())

    return {
        "linear": Job(lambda: functional.resize(image, size, antialias=False), shown),
        "antialias": Job(lambda: functional.resize(image, size, antialias=True), shown),
    }


PEER = Peer(
    name="torchvision",
    requirements="torchvision",
    distributions=("torchvision", "torch"),
    licence="BSD-3-Clause",
    runs="the steps of `references/detection/transforms.py` (scale jitter, fixed-size crop, mirror, copy-paste without "
    "blending), written anew on `torchvision.transforms.v2.functional`; `resize` of a uint8 tensor",
    differs="Antialiased. Boxes of pasted objects are scaled and clipped, not measured. Dense masks in and out.",
    whole=whole,
    resampling=resampling,
)
