"""The whole transform against its NumPy reference and against OpenCV resizing the two images and nothing more."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np

from benches.measure import MEBI, Spread, paired, peak_above, ratio
from benches.scenes import Scene, photo_sample, stratified
from copypaste_rs import SimpleCopyPaste, functional, reference

CANVAS, INSTANCES = 1024, 20
MEMORY_INSTANCES = (20, 500)

SLOWEST_OF_RESIZE = 1.0
LEAST_OF_NUMPY = 60.0
MOST_MEMORY = 8.0


def measure(draws: int, numpy_draws: int) -> dict[str, Any]:
    """Figures for 640x480 photographs on a 1024x1024 canvas, 20 objects on each side, one thread."""
    cv2.setNumThreads(1)
    scenes = stratified(CANVAS, INSTANCES, draws)
    for scene in scenes[:: max(1, draws // numpy_draws)]:
        assert_equal(scene)
    two_taps = functools.partial(functional.copy_paste, antialias=False)
    contestants: dict[str, Any] = {
        "copy_paste": [functools.partial(functional.copy_paste, *scene) for scene in scenes],
        "copy_paste, two taps": [functools.partial(two_taps, *scene) for scene in scenes],
        "cv2.resize, both images": [functools.partial(resize_both, scene) for scene in scenes],
        "transform, drawn anew": transforms(draws),
    }
    times = paired(contestants, repeats=5)
    slow: dict[str, Any] = {
        "rust": contestants["copy_paste"][:: max(1, draws // numpy_draws)],
        "numpy": [functools.partial(reference.copy_paste, *s) for s in scenes[:: max(1, draws // numpy_draws)]],
    }
    against = paired(slow, repeats=1)
    return {
        "canvas": CANVAS,
        "instances": INSTANCES,
        "milliseconds": {
            **{name: Spread.of(values)._asdict() for name, values in times.items()},
            "NumPy reference": Spread.of(against["numpy"])._asdict(),
        },
        "of_resize": ratio(times, "copy_paste", "cv2.resize, both images"),
        "of_resize_two_taps": ratio(times, "copy_paste, two taps", "cv2.resize, both images"),
        "times_numpy": ratio(against, "numpy", "rust"),
        "memory_above_canvas": {n: memory(n) for n in MEMORY_INSTANCES},
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    found = []
    if figures["of_resize"] > SLOWEST_OF_RESIZE:
        found.append(f"the transform takes {figures['of_resize']:.2f} of what OpenCV needs to resize both images")
    if figures["times_numpy"] < LEAST_OF_NUMPY:
        found.append(f"the transform is {figures['times_numpy']:.0f} times as fast as NumPy, not {LEAST_OF_NUMPY:.0f}")
    for n, mebibytes in figures["memory_above_canvas"].items():
        if mebibytes > MOST_MEMORY:
            found.append(f"{mebibytes:.1f} MiB above the canvas at {n} instances a side")
    return found


def assert_equal(scene: Scene) -> None:
    """No time without correctness."""
    fast, slow = functional.copy_paste(*scene), reference.copy_paste(*scene)
    assert np.array_equal(fast.image, slow.image)
    assert fast == slow


def resize_both(scene: Scene) -> None:
    """What any implementation on OpenCV pays before it starts on the masks."""
    for sample, place in ((scene.target, scene.plan.target), (scene.source, scene.plan.pastes[0].placement)):
        h, w = place.resized_size
        cv2.resize(sample.image, (w, h), interpolation=cv2.INTER_LINEAR)


def transforms(draws: int) -> list[Any]:
    """Whole calls as a data loader makes them: plan drawn, random subset, random scales."""
    transform = SimpleCopyPaste(size=CANVAS)
    target, source = photo_sample(1, INSTANCES), photo_sample(2, INSTANCES)
    return [functools.partial(transform, target, source, (0, 0, i)) for i in range(draws)]


def memory(instances: int) -> float:
    """Mebibytes above the output canvas, at worst over the schedule."""
    scenes = stratified(CANVAS, instances, 6)
    canvas = CANVAS * CANVAS * 3 / MEBI
    return max(peak_above(functools.partial(functional.copy_paste, *scene)) - canvas for scene in scenes)
