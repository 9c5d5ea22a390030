"""A model that is given targets learns what they say: four images until it finds their objects, class and mask.

It does so with the targets that `collate` makes, and with wrong ones it must not; so these are right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data
from tests.fixtures.tensors import REASON

torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("torchvision", reason=REASON)

from copypaste_rs.integrations.torch import collate  # noqa: E402
from examples.evaluation import detections  # noqa: E402
from examples.small_maskrcnn import small_maskrcnn  # noqa: E402

SIZE, STEPS = 128, 60

Target = dict[str, Any]


def boxes_shifted(target: Target, num_classes: int) -> Target:
    """Boxes half their size too far right and below; inside the canvas they stay."""
    boxes = target["boxes"]
    moved = (boxes + (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2) / 2).clamp(0, SIZE)
    inside = ((moved[:, 2:] - moved[:, :2]) > 2).all(1, keepdim=True)
    return {**target, "boxes": torch.where(inside, moved, boxes)}


def labels_permuted(target: Target, num_classes: int) -> Target:
    return {**target, "labels": target["labels"] % (num_classes - 1) + 1}


def right(target: Target, num_classes: int) -> Target:
    return target


@pytest.mark.parametrize(("change", "is_right"), [(right, True), (boxes_shifted, False), (labels_permuted, False)])
def test_right_targets_alone_lead_to_the_objects(change: Callable[[Target, int], Target], is_right: bool) -> None:
    photos = sample_data()
    transform = SimpleCopyPaste(
        size=SIZE, target_scale=(0.9, 1.1), source_scale=(0.6, 1.0), min_area=SIZE, min_visibility=0.3
    )
    train = CopyPasteDataset(photos, transform, seed=3)
    items = [train[0, i] for i in range(4)]
    assert sum(item.instances.visibility.min() < 1 for item in items) >= 2, "nothing is covered"
    assert sum((item.instances.source >= 0).sum() for item in items) >= 3, "nothing was pasted"
    num_classes = 1 + max(category["id"] for category in photos.categories)
    images, targets = collate("torchvision", num_classes=num_classes)(items)
    targets = [change(target, num_classes) for target in targets]

    torch.manual_seed(0)
    model = small_maskrcnn(num_classes, SIZE)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.0)
    for step in range(STEPS):
        batch = slice(2 * (step % 2), 2 * (step % 2) + 2)
        model.train()
        loss = sum(model(images[batch], targets[batch]).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()

    hits, objects = 0, 0
    for item in items:
        truth = item.instances.without_crowds()
        found, labels, _ = detections(model, item.image, "cpu")
        assert truth.masks is not None
        assert truth.labels is not None
        overlap = truth.masks.iou(found) * (truth.labels[:, None] == labels)
        hits += int((np.max(overlap, axis=1, initial=0) >= 0.5).sum())
        objects += len(truth)
    assert objects > 20
    assert (2 * hits >= objects) == is_right, f"{hits} of {objects} objects were found"
    assert hits >= 0.8 * objects if is_right else hits <= 0.2 * objects, f"{hits} of {objects} objects were found"
