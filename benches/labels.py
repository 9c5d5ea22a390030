"""Costs of labels beyond masks: keypoints, boxes without outlines, maps; and of drawing by weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benches.measure import Spread, ratio
from benches.scenes import Augmentation, augmentations
from benches.turns import in_turns
from copypaste_rs import Instances, PixelMap, Sample, SimpleCopyPaste

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CANVAS, INSTANCES, POINTS = 1024, 20, 17
PLAIN = "masks alone"


def measure(draws: int) -> dict[str, Any]:
    """Measure calls with further labels beside those without; figures by kind of label."""
    plain = augmentations(CANVAS, INSTANCES, draws)
    kinds: dict[str, Callable[[Sample], Sample]] = {
        f"{POINTS} keypoints an object": with_keypoints,
        "each third object a box": with_boxes,
        "a map of labels, uint8": with_semantic,
        "a map of depth, float32": with_depth,
    }
    calls = {PLAIN: plain}
    for name, change in kinds.items():
        calls[name] = [changed(call, change) for call in plain]
        for call, other in zip(plain, calls[name], strict=True):
            assert np.array_equal(call.run().image, other.run().image), name
    weights = {label: float(label) for label in range(1, 80)}
    calls["objects drawn by weights"] = [changed(call, lambda sample: sample, class_weights=weights) for call in plain]
    contestants: dict[str, Sequence[Callable[[], Any]]] = {
        name: [call.run for call in of_kind] for name, of_kind in calls.items()
    }
    times = in_turns(contestants, repeats=2, turns=3)
    return {
        name: {"milliseconds": Spread.of(values)._asdict(), "of_plain": ratio(times, name, PLAIN)}
        for name, values in times.items()
    }


def changed(call: Augmentation, change: Callable[[Sample], Sample], **options: Any) -> Augmentation:
    """A call on other samples, which draws the same plan: what is pasted is said by `select`."""
    arguments = {**call.transform._arguments, "flip_pairs": (), "paste_boxes": True, **options}
    transform = SimpleCopyPaste(**arguments)
    return call._replace(transform=transform, target=change(call.target), source=change(call.source))


def with_keypoints(sample: Sample) -> Sample:
    """The sample with points in the boxes of its objects."""
    rng = np.random.default_rng(0)
    boxes = sample.instances.columns["boxes"]
    xy = rng.uniform(boxes[:, None, :2], boxes[:, None, 2:], (len(boxes), POINTS, 2))
    points = np.concatenate([xy, np.full((len(boxes), POINTS, 1), 2)], axis=2)
    return Sample(sample.image, Instances(**sample.instances.columns, keypoints=points))


def with_boxes(sample: Sample) -> Sample:
    """The sample with some objects marked as boxes, whose masks stay what they are, so that the pixels are too."""
    columns = sample.instances.columns
    columns["box_only"] = np.arange(len(sample.instances)) % 3 == 0
    return Sample(sample.image, Instances._trusted(columns))


def with_semantic(sample: Sample) -> Sample:
    """The sample with a map of labels."""
    return Sample(sample.image, sample.instances, maps={"semantic": sample.image[:, :, 0].copy()})


def with_depth(sample: Sample) -> Sample:
    """The sample with a map of depth, whose values are averaged."""
    depth = PixelMap(sample.image[:, :, 0].astype(np.float32), interpolation="bilinear")
    return Sample(sample.image, sample.instances, maps={"depth": depth})
