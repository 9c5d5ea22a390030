"""The whole transform, plan drawn and all, against its rivals, its NumPy reference, and what bounds it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benches.measure import MEBI, Spread, median_ratio, paired, peak_above, ratio
from benches.memory import own_memory
from benches.rivals import dense, hand_tuned, straightforward
from benches.scenes import Augmentation, augmentations, stratified
from benches.turns import in_turns
from copypaste_rs import Placement, functional, reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CANVAS, INSTANCES = 1024, 20
GRID = ((512, 7), (1024, 20), (1024, 60))
"""Canvas and instances a side, as in the table."""
MEMORY_INSTANCES = (20, 500)

OURS = "copypaste_rs, bilinear"
DEFAULT = "copypaste_rs"
PASS = "its windows resampled, no more"
COPY = "the canvas copied"
RESIZE = "OpenCV resizing both images"
TUNED = "NumPy + OpenCV, hand-tuned"
DENSE = "NumPy + OpenCV, dense"

PROMISES: dict[str, tuple[str, float]] = {
    "of_resize": ("at most", 0.3),
    "of_pass": ("at most", 2.0),
    "antialias_of_linear": ("at most", 1.3),
    "times_tuned": ("at least", 10.0),
    "times_dense": ("at least", 120.0),
}
"""Limits of the middle of the grid."""
LEAST_TUNED_OF_MANY = 15.0
LEAST_OF_NUMPY = 60.0
MOST_MEMORY = 8.0


def measure(draws: int, numpy_draws: int) -> dict[str, Any]:
    """Figures for 640x480 photographs, one thread; bilinear where a rival has nothing else."""
    cv2.setNumThreads(1)
    grid = [against_rivals(canvas, instances, draws) for canvas, instances in GRID]
    some = augmentations(CANVAS, INSTANCES, draws)[:: max(1, draws // numpy_draws)]
    against: dict[str, Sequence[Callable[[], Any]]] = {
        "rust": [functools.partial(functional.copy_paste, c.plan, c.target, c.source) for c in some],
        "numpy": [functools.partial(reference.copy_paste, c.plan, c.target, c.source) for c in some],
    }
    for fast, slow in zip(against["rust"], against["numpy"], strict=True):
        assert fast() == slow()
    times = paired(against, repeats=1)
    return {
        "grid": grid,
        "times_numpy": ratio(times, "numpy", "rust"),
        "memory_above_canvas": {n: memory(n, given=False) for n in MEMORY_INSTANCES},
        "memory_with_out": memory(INSTANCES, given=True),
    }


def against_rivals(canvas: int, instances: int, draws: int) -> dict[str, Any]:
    """One cell of the grid."""
    calls = augmentations(canvas, instances, draws, antialias=False)
    default = augmentations(canvas, instances, draws)
    given = [(call.plan, dense(call.target), dense(call.source)) for call in calls]
    for call, arguments in zip(calls, given, strict=True):
        assert_shared(call, arguments)
    canvas_of_ours = calls[0].run().image
    ours = [call.run for call in calls]
    # Rivals have turns of their own: what they leave behind of the caches and of the allocator's memory would be felt
    # by the small ones.
    small: dict[str, Sequence[Callable[[], Any]]] = {
        OURS: ours,
        DEFAULT: [call.run for call in default],
        PASS: [bare_pass(call) for call in calls],
        COPY: [canvas_of_ours.copy] * draws,
        RESIZE: [functools.partial(resize_both, call) for call in calls],
    }
    rivals: dict[str, Sequence[Callable[[], Any]]] = {
        OURS: ours,
        TUNED: [functools.partial(hand_tuned.copy_paste, *arguments) for arguments in given],
        DENSE: [functools.partial(straightforward.copy_paste, *arguments) for arguments in given],
    }
    times, beside = in_turns(small, repeats=3, turns=4), in_turns(rivals, repeats=2, turns=3)
    slower = [name for name in beside if name != OURS]
    return {
        "canvas": canvas,
        "instances": instances,
        "milliseconds": {
            name: Spread.of(values)._asdict()
            for name, values in [*times.items(), *((name, beside[name]) for name in slower)]
        },
        "times_as_fast": {
            **{name: median_ratio(times, name, OURS) for name in times},
            **{name: median_ratio(beside, name, OURS) for name in slower},
        },
        "of_resize": median_ratio(times, OURS, RESIZE),
        "of_resize_summed": ratio(times, OURS, RESIZE),
        "of_pass": median_ratio(times, OURS, PASS),
        "pass_of_copy": median_ratio(times, PASS, COPY),
        "antialias_of_linear": ratio(times, DEFAULT, OURS),
        "times_tuned": median_ratio(beside, TUNED, OURS),
        "times_dense": median_ratio(beside, DENSE, OURS),
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    middle, many = figures["grid"][1], figures["grid"][2]
    found = [
        f"{name}: expected {bound} {limit}, got {middle[name]:.2f}"
        for name, (bound, limit) in PROMISES.items()
        if (middle[name] > limit) == (bound == "at most")
    ]
    if many["times_tuned"] < LEAST_TUNED_OF_MANY:
        found.append(f"times_tuned at {many['instances']} objects: {many['times_tuned']:.1f}")
    if figures["times_numpy"] < LEAST_OF_NUMPY:
        found.append(f"the transform is {figures['times_numpy']:.0f} times as fast as NumPy, not {LEAST_OF_NUMPY:.0f}")
    for n, mebibytes in {**figures["memory_above_canvas"], "given": figures["memory_with_out"]}.items():
        if mebibytes > MOST_MEMORY:
            found.append(f"{mebibytes:.1f} MiB above the canvas at {n} instances a side")
    return found


def assert_shared(call: Augmentation, arguments: Any) -> None:
    """The rivals give the same masks, boxes, areas and labels; the straightforward one the same image."""
    ours = call.run()
    masks = ours.instances.masks
    assert masks is not None
    plain, tuned = straightforward.copy_paste(*arguments), hand_tuned.copy_paste(*arguments)
    assert np.array_equal(plain.image, ours.image)
    # A window resized alone lies off by a fraction of a pixel: close, as fast as it gets, and what people do.
    assert np.abs(tuned.image.astype(np.int16) - ours.image).mean() < 4
    for result in (plain, tuned):
        assert np.array_equal(result.masks, masks.to_dense())
        assert np.array_equal(result.boxes, ours.instances.columns["boxes"])
        assert np.array_equal(result.area, masks.area)
        assert np.array_equal(result.labels, ours.instances.columns["labels"])


def bare_pass(call: Augmentation) -> Callable[[], None]:
    """The target over all of the canvas, and of the source the box of what is pasted: bilinear, no masks."""
    passes = [(call.target.image, call.plan.target)]
    masks = call.source.instances.masks
    assert masks is not None
    for paste in call.plan.pastes:
        place = paste.placement
        union = functional.union(functional.place_masks(masks[list(paste.instances)], place))
        x0, y0, x1, y1 = (int(side) for side in union.boxes[0])
        if y0 < y1:
            offset = (place.offset[0] - y0, place.offset[1] - x0)
            box = Placement(place.input_size, place.resized_size, offset, (y1 - y0, x1 - x0), place.hflip)
            passes.append((call.source.image, box))

    def run() -> None:
        for image, placement in passes:
            functional.place_image(image, placement, antialias=False)

    return run


def resize_both(call: Augmentation) -> None:
    """Resize both images with OpenCV: what any implementation on it pays before it starts on the masks."""
    placements = [call.plan.target, *(paste.placement for paste in call.plan.pastes)]
    for sample, place in zip((call.target, call.source), placements, strict=True):
        h, w = place.resized_size
        cv2.resize(sample.image, (w, h), interpolation=cv2.INTER_LINEAR)


def memory(instances: int, given: bool) -> float:
    """Mebibytes above the output canvas, at worst over the schedule; the canvas given, or made by the call."""
    out = np.zeros((CANVAS, CANVAS, 3), np.uint8) if given else None
    canvas = 0 if given else CANVAS * CANVAS * 3 / MEBI
    calls = [functools.partial(functional.copy_paste, *s, out=out) for s in stratified(CANVAS, instances, 6)]
    with own_memory():  # else the canvas is there before the call
        return max(peak_above(call) - canvas for call in calls)
