"""AlbumentationsX: CopyAndPaste, after its own resizing, mirroring, padding and cropping."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.whole import Given
    from copypaste_rs import Placement

# Read when it is imported: no call home from a benchmark.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("ALBUMENTATIONS_NO_TELEMETRY", "1")


def whole(given: Given) -> dict[str, Job]:
    import albumentations as A  # noqa: N812  # its own convention

    paste = given.scene.plan.pastes[0]
    source = A.Compose(jitter(A, paste.placement))
    target = A.Compose(
        # What keeps a pixel is kept, as by the others.
        [*jitter(A, given.scene.plan.target), A.CopyAndPaste(min_visibility_after_paste=1e-9, p=1)],
        bbox_params=A.BboxParams(coord_format="pascal_voc", label_fields=["labels"]),
        instance_binding=["masks", "bboxes"],
    )
    masks = given.scene.target.instances.masks
    assert masks is not None
    boxes = masks.boxes

    def augment() -> Any:
        donor = source(image=given.source.image, masks=given.source.masks)
        objects = [
            {"image": donor["image"], "mask": mask, "bbox_labels": {"labels": label}}
            for mask, label in zip(donor["masks"], given.source.labels, strict=True)
        ]
        instances = [
            {"mask": mask, "bbox": box, "bbox_labels": {"labels": label}}
            for mask, box, label in zip(given.target.masks, boxes, given.target.labels, strict=True)
        ]
        return target(image=given.target.image, instances=instances, copy_paste_metadata=objects)

    return {"augment": Job(augment, read)}


def jitter(A: Any, place: Placement) -> list[Any]:  # noqa: N803
    """The placement in its transforms, with the plan's numbers where they would draw."""
    (rh, rw), (ch, cw), (y, x) = place.resized_size, place.canvas_size, place.offset
    return [
        A.Resize(rh, rw),
        A.HorizontalFlip(p=float(place.hflip)),
        A.PadIfNeeded(ch, cw, position="top_left", fill=128),
        A.Crop(-x, -y, cw - x, ch - y),
    ]


def read(result: Any) -> tuple[Any, Any, Any]:
    instances = result["instances"]
    return (
        result["image"],
        np.stack([each["mask"] for each in instances]),
        np.stack([each["bbox"] for each in instances]),
    )


PEER = Peer(
    name="AlbumentationsX",
    requirements="albumentationsx",
    distributions=("albumentationsx",),
    licence="AGPL-3.0 or commercial",
    runs="`Resize`, `HorizontalFlip`, `PadIfNeeded`, `Crop` on both images, then `CopyAndPaste`, rows kept together "
    "by `instance_binding`",
    differs="Each object goes to a place of its own, shrunk to fit. Bilinear. Dense masks in and out.",
    same_place=False,
    whole=whole,
)
