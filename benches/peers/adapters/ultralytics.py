"""ultralytics: RandomPerspective on both images, CopyPaste from the second, polygons rasterised at the end."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.whole import Given
    from copypaste_rs import Placement, Sample

# Read when it is imported: its settings lie in the environment, and nothing is looked for elsewhere.
os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(sys.prefix) / "ultralytics"))
os.environ.setdefault("YOLO_OFFLINE", "True")
os.environ.setdefault("YOLO_AUTOINSTALL", "False")


def whole(given: Given) -> dict[str, Job]:
    Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(parents=True, exist_ok=True)
    import torch
    from ultralytics.data.augment import Compose, CopyPaste, Format, RandomFlip

    torch.set_num_threads(1)
    plan = given.scene.plan
    target, source = labels(given.scene.target), labels(given.scene.source)

    class Dataset:
        def __len__(self) -> int:
            return 1

        def get_image_and_label(self, _index: int) -> Any:
            return fresh(source)

    steps = Compose(
        [
            jitter(plan.target),
            CopyPaste(Dataset(), pre_transform=jitter(plan.pastes[0].placement), p=1.0, mode="mixup"),
            # Once, in the end, as in its own list of steps: CopyPaste takes boxes for corners that RandomFlip left
            # as centre and size.
            RandomFlip(p=float(plan.target.hflip), direction="horizontal"),
            Format("xyxy", normalize=False, return_mask=True, mask_ratio=1, mask_overlap=False, batch_idx=False),
        ]
    )
    return {"augment": Job(lambda: steps(fresh(target)), read)}


def labels(sample: Sample) -> dict[str, Any]:
    """Labels as the datasets of Ultralytics keep them: polygons of a thousand points each."""
    from ultralytics.utils.instance import Instances
    from ultralytics.utils.ops import resample_segments

    masks, numbers = sample.instances.masks, sample.instances.labels
    assert masks is not None
    assert numbers is not None
    outlines = [max(parts, key=len).reshape(-1, 2).astype(np.float32) for parts in masks.to_polygons()]
    segments = np.stack(resample_segments(outlines, 1000))
    instances = Instances(masks.boxes.copy(), segments, bbox_format="xyxy", normalized=False)
    return {"img": sample.image, "cls": numbers.astype(np.float32)[:, None], "instances": instances}


def fresh(kept: dict[str, Any]) -> dict[str, Any]:
    """Copy labels, not the image, as the datasets of Ultralytics do: its transforms write to what they are given."""
    return {name: value if name == "img" else copy.deepcopy(value) for name, value in kept.items()}


def jitter(place: Placement) -> Any:
    """The plan's scale. Where the crop lies cannot be said: it is centred."""
    from ultralytics.data.augment import RandomPerspective

    scale = place.resized_size[0] / place.input_size[0]
    h, w = place.canvas_size
    return RandomPerspective(translate=0.0, scale=(scale, scale), size=(w, h))


def read(result: dict[str, Any]) -> tuple[Any, Any, Any]:
    image = result["img"].permute(1, 2, 0).numpy()
    return image, result["masks"].numpy(), result["bboxes"].numpy()


PEER = Peer(
    name="ultralytics",
    requirements="ultralytics",
    distributions=("ultralytics", "torch"),
    licence="AGPL-3.0 or commercial",
    runs="`RandomPerspective` on both images, `CopyPaste` in its mode `mixup`, one `RandomFlip`, `Format` for masks",
    differs="From polygons to dense masks, which are not rasterised before the end. Only objects are pasted whose "
    "boxes meet less than 0.3 of any box below, and nothing is cut from the masks below. Bilinear.",
    same_place=False,
    whole=whole,
)
