"""Stages of one call and their time, told from outside: calls that differ in one thing, timed next to each other.

The kernels hold no clock. Python's share is what passes before and after the kernel in a whole call; within the
kernel, a stage is the difference of two calls. The differences telescope: together they are the whole call.
"""

from __future__ import annotations

import functools
import mmap
import time
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.measure import Spread
from benches.parts import nothing, one_mask, union, without_masks, without_target
from benches.scenes import Scene, stratified
from benches.turns import least, take_turn
from copypaste_rs import Sample, _rust, functional
from copypaste_rs._engine import call
from copypaste_rs._engine.options import Options
from copypaste_rs.draws import gaussian_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CANVAS, INSTANCES = 1024, 20
SIGMA = 2.0
REPEATS, TURNS = 5, 8
"""Calls in a row, and how often all have their turn."""

VARIANTS: dict[str, tuple[dict[str, Any], bool]] = {
    "hard, bilinear": ({}, False),
    "hard, antialiased": ({}, True),
    "soft, bilinear": ({"sigma": SIGMA}, False),
    "soft, antialiased": ({"sigma": SIGMA}, True),
}
"""Options of the paste, and whether shrinking averages."""

STAGES = {
    "before": "Python before",
    "binding": "binding",
    "place": "masks placed",
    "cut": "masks united and cut",
    "fill": "canvas filled",
    "target": "target's pixels",
    "source": "source's pixels",
    "fresh": "canvas fresh",
    "after": "Python after",
}

OTHERS = ("copy", "new pages", "Python alone", "weights")

UNSEEN: dict[str, Any] = {"min_area": CANVAS * CANVAS + 1}
"""Masks are placed, found too small and dropped: nothing is pasted."""


def measure(draws: int) -> dict[str, Any]:
    """Milliseconds of each stage, for each variant."""
    return {
        "canvas": CANVAS,
        "instances": INSTANCES,
        "sigma": SIGMA,
        "variants": {name: variant(draws, *options) for name, options in VARIANTS.items()},
    }


def variant(draws: int, paste: dict[str, Any], antialias: bool) -> dict[str, Any]:
    """The stages of one bar; means over the schedule, since medians would not add up."""
    scenes = stratified(CANVAS, INSTANCES, draws, **paste)
    for scene in scenes:
        assert_same_pixels(scene, antialias)
    clocks = [Clock(scene, antialias) for scene in scenes]
    contestants = calls(scenes, antialias) | others(scenes, antialias)
    taken = []
    for number in range(TURNS):
        turn = take_turn({**contestants, "clocked": clocks}, REPEATS, number)
        taken.append(turn | {name: [clock.least[name] for clock in clocks] for name in Clock.PARTS})
        for clock in clocks:
            clock.reset()
    times = least(taken)
    found = stages(times)
    halves = [stages(least([*taken[start::4], *taken[start + 1 :: 4]])) for start in (0, 2)]
    apart = [abs(mean(halves[0][name]) - mean(halves[1][name])) for name in found]
    return {
        "stages": {name: {"mean": mean(each) * 1e3, **Spread.of(each)._asdict()} for name, each in found.items()},
        "apart": max(apart) * 1e3,
        "whole": {"mean": mean(times["whole"]) * 1e3, **Spread.of(times["whole"])._asdict()},
        "others": {name: mean(times[name]) * 1e3 for name in OTHERS if name in times},
        "shares": shares(scenes),
    }


def stages(times: dict[str, list[float]]) -> dict[str, list[float]]:
    """Seconds of each stage on each draw."""
    t = {name: np.array(values) for name, values in times.items()}
    # Placing the one mask is all that the scenes of one mask spend on masks before pixels.
    one = t["one mask, unseen"] - t["target"]
    place = t["unseen"] - t["target"]
    found = {
        "before": t["before"],
        "binding": t["nothing"],
        "place": place,
        "cut": t["all"] - t["one mask"] + one - place,
        "fill": t["blank"] - t["nothing"],
        "target": t["one mask"] - t["one mask, no target"],
        "source": t["one mask, no target"] - one - t["blank"],
        "fresh": t["inside"] - t["all"],
        "after": t["after"],
    }
    return {name: [float(value) for value in values] for name, values in found.items()}


def calls(scenes: Sequence[Scene], antialias: bool) -> dict[str, Sequence[Callable[[], Any]]]:
    """The kernel on scenes that differ in one thing each, all into one canvas."""
    canvas, pixel = np.zeros((CANVAS, CANVAS, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)
    into = functools.partial(kernel, out=canvas, antialias=antialias)
    return {
        "all": [into(scene) for scene in scenes],
        "unseen": [into(scene, **UNSEEN) for scene in scenes],
        "one mask": [into(one_mask(scene)) for scene in scenes],
        "one mask, unseen": [into(one_mask(scene), **UNSEEN) for scene in scenes],
        "one mask, no target": [into(without_target(one_mask(scene))) for scene in scenes],
        "target": [into(without_masks(scene)) for scene in scenes],
        "blank": [into(without_target(without_masks(scene))) for scene in scenes],
        "nothing": [kernel(nothing(scene), pixel, antialias=antialias) for scene in scenes],
    }


def others(scenes: Sequence[Scene], antialias: bool) -> dict[str, Sequence[Callable[[], Any]]]:
    """Calls that the stages are held against, by name."""
    canvas, copy = (np.full((CANVAS, CANVAS, 3), value, np.uint8) for value in (0, 1))
    found: dict[str, Sequence[Callable[[], Any]]] = {
        "whole": [functools.partial(functional.copy_paste, *scene, antialias=antialias) for scene in scenes],
        "copy": [functools.partial(np.copyto, canvas, copy)] * len(scenes),
        "Python alone": [without_kernel(scene, antialias) for scene in scenes],
        "new pages": [functools.partial(new_pages, scene, antialias) for scene in scenes],
    }
    pastes = [scene.plan.pastes[0] for scene in scenes]
    if pastes[0].sigma is not None:
        weights = gaussian_weights(pastes[0].sigma)
        found["weights"] = [
            functools.partial(functional.alpha, union(scene), paste.placement, weights)
            for scene, paste in zip(scenes, pastes, strict=True)
        ]
    return found


def kernel(scene: Scene, out: NDArray[Any], **options: Any) -> Callable[[], Any]:
    """The kernel alone, on arguments that are checked beforehand."""
    checked = Options.check(**options)
    arguments = call.Call.check(checked, scene.plan, scene.target, [scene.source])
    return functools.partial(_rust.compose, arguments, checked.of_kernel(scene.target.image), out, None, ())


def new_pages(scene: Scene, antialias: bool) -> None:
    """A whole call whose canvas is memory that the process did not have before."""
    pages = np.frombuffer(mmap.mmap(-1, CANVAS * CANVAS * 3), np.uint8)
    functional.copy_paste(*scene, antialias=antialias, out=pages.reshape(CANVAS, CANVAS, 3))


def without_kernel(scene: Scene, antialias: bool) -> Callable[[], Any]:
    """A whole call that has its kernel's results already."""
    kept = kernel(scene, np.zeros((CANVAS, CANVAS, 3), np.uint8), antialias=antialias)()
    return functools.partial(applied, lambda *_: kept, scene, antialias)


def applied(compose: call.Compose, scene: Scene, antialias: bool) -> Sample:
    """A whole call, as `functional.copy_paste` makes it, with any kernel."""
    options = Options.check(antialias=antialias)
    return call.apply(compose, options, scene.plan, scene.target, [scene.source], None)


def shares(scenes: Sequence[Scene]) -> dict[str, float]:
    """Parts of the canvas, 0 to 1, that each image shows in; what a soft edge blends is neither's."""
    shown = {"target": 0.0, "source": 0.0}
    for scene in scenes:
        flat = [
            Sample(np.full_like(sample.image, value), sample.instances)
            for sample, value in ((scene.target, 1), (scene.source, 255))
        ]
        image = functional.copy_paste(scene.plan, *flat, fill=0, antialias=False).image[..., 0]
        for name, value in (("target", 1), ("source", 255)):
            shown[name] += float((image == value).mean()) / len(scenes)
    return shown


class Clock:
    """A whole call that notes when it goes into the kernel and when it comes out, and keeps the least of each part."""

    PARTS = ("before", "inside", "after")

    def __init__(self, scene: Scene, antialias: bool) -> None:
        self.scene, self.antialias = scene, antialias
        self.entered = self.left = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget all calls."""
        self.least = dict.fromkeys(self.PARTS, float("inf"))

    def __call__(self) -> Sample:
        """The call."""
        begin = time.perf_counter()
        result = applied(self.compose, self.scene, self.antialias)
        marks = (begin, self.entered, self.left, time.perf_counter())
        for name, start, end in zip(self.PARTS, marks, marks[1:], strict=False):
            self.least[name] = min(self.least[name], end - start)
        return result

    def compose(self, *arguments: Any) -> call.Composition:
        """The kernel between two looks at the clock."""
        self.entered = time.perf_counter()
        made = _rust.compose(*arguments)
        self.left = time.perf_counter()
        return made


def assert_same_pixels(scene: Scene, antialias: bool) -> None:
    """Check that results repeat, and that one mask gives the same pixels: else the differences would mean nothing."""
    first, second = (functional.copy_paste(*scene, antialias=antialias) for _ in range(2))
    assert first == second
    assert np.array_equal(functional.copy_paste(*one_mask(scene), antialias=antialias).image, first.image)
