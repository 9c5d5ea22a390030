"""How the time of the whole operation grows, with the number of instances and with the canvas."""

from __future__ import annotations

import functools
import json
import statistics
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benches.measure import Spread
from benches.parts import grown, one_mask
from benches.rivals import dense, hand_tuned
from benches.scenes import Scene, photo_sample, stratified
from benches.turns import in_turns
from copypaste_rs import Plan, functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CANVAS, INSTANCES = 1024, 20
CANVASES = (256, 512, 768, 1024, 1536, 2048)
COUNTS = (1, 5, 20, 60, 120, 250, 500)
"""Instances a side."""
FEW, MANY = 20, 500
RIVAL_COUNTS = (20, 60)

OURS, DEFAULT = "copypaste_rs, bilinear", "copypaste_rs"
PIXELS, TARGET, COPY = "the same pixels, one mask", "the target's image alone", "canvas copied"
RIVAL = "NumPy + OpenCV, hand-tuned"

REPEATS, TURNS = 5, 4
RIVAL_REPEATS = 1

MOST_FOR_MANY = 3.0
MOST_FOR_AN_INSTANCE = 2.0
"""Microseconds."""


def measure(draws: int) -> dict[str, Any]:
    """Milliseconds by instances and by canvas, one thread, always the same placements."""
    cv2.setNumThreads(1)
    base = stratified(CANVAS, INSTANCES, draws)
    by_instances = {n: with_instances(base, n) for n in COUNTS}
    by_canvas = {canvas: on_canvas(base, canvas) for canvas in CANVASES}
    times = taken(by_instances, RIVAL_COUNTS)
    return {
        "by_instances": {"canvas": CANVAS, **spreads(times)},
        "by_canvas": {"instances": INSTANCES, **spreads(taken(by_canvas, ()))},
        "growth": growth(times),
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    found, growth = [], figures["growth"]
    if growth["times_few"] > MOST_FOR_MANY:
        found.append(f"{MANY} instances a side take {growth['times_few']:.2f} times as long as {FEW}")
    if growth["microseconds"] > MOST_FOR_AN_INSTANCE:
        found.append(f"a further instance takes {growth['microseconds']:.2f} microseconds")
    return found


def with_instances(scenes: Sequence[Scene], n: int) -> list[Scene]:
    """Scenes of the same placements with `n` instances a side, all pasted."""
    target, source = photo_sample(n, n), photo_sample(n + 7919, n)
    rows = tuple(range(n))
    return [
        Scene(replace(plan, pastes=(replace(plan.pastes[0], instances=rows),)), target, source) for plan, *_ in scenes
    ]


def on_canvas(scenes: Sequence[Scene], canvas: int) -> list[Scene]:
    """Scenes of the same pictures on a canvas of another size, in pixels a side."""

    def plan(scene: Scene) -> Plan:
        paste = scene.plan.pastes[0]
        pastes = (replace(paste, placement=grown(paste.placement, canvas)),)
        return Plan(grown(scene.plan.target, canvas), pastes)

    return [scene._replace(plan=plan(scene)) for scene in scenes]


def taken(points: dict[int, list[Scene]], rival_at: Sequence[int]) -> dict[int, dict[str, list[float]]]:
    """Seconds of every contestant at every point; one draw runs at all points before the next one runs.

    The rival has turns of its own: its masks push everything else out of the caches.
    """
    calls: dict[str, Sequence[Callable[[], Any]]] = {}
    slow: dict[str, Sequence[Callable[[], Any]]] = {}
    for at, scenes in points.items():
        for scene in scenes:
            assert_same(scene)
        calls |= {f"{at}: {name}": several for name, several in contestants(scenes).items()}
        if at in rival_at:
            target, source = dense(scenes[0].target), dense(scenes[0].source)  # those of all
            slow[f"{at}: {RIVAL}"] = [
                functools.partial(hand_tuned.copy_paste, scene.plan, target, source) for scene in scenes
            ]
    times = in_turns(calls, REPEATS, TURNS)
    if slow:
        times |= in_turns(slow, RIVAL_REPEATS, TURNS)
    found: dict[int, dict[str, list[float]]] = {at: {} for at in points}
    for key, values in times.items():
        point, _, name = key.partition(": ")
        found[int(point)][name] = values
    return found


def contestants(scenes: Sequence[Scene]) -> dict[str, Sequence[Callable[[], Any]]]:
    """The operation, and what no way of doing it gets around."""
    linear = functools.partial(functional.copy_paste, antialias=False)
    canvas, other = canvases(scenes[0].plan.canvas_size)
    place = functools.partial(functional.place_image, antialias=False, out=canvas)
    return {
        OURS: [functools.partial(linear, *scene) for scene in scenes],
        DEFAULT: [functools.partial(functional.copy_paste, *scene) for scene in scenes],
        PIXELS: [functools.partial(linear, *one_mask(scene)) for scene in scenes],
        TARGET: [functools.partial(place, scene.target.image, scene.plan.target) for scene in scenes],
        COPY: [functools.partial(np.copyto, canvas, other)] * len(scenes),
    }


@functools.cache
def canvases(size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two arrays, the same for all points: memory is not equally fast everywhere. Written to, so that it is there."""
    return np.full((*size, 3), 0, np.uint8), np.full((*size, 3), 1, np.uint8)


def assert_same(scene: Scene) -> None:
    """Check that the result is the same every time, and the pixels those of one mask."""
    first, second = (functional.copy_paste(*scene, antialias=False) for _ in range(2))
    assert first == second
    assert np.array_equal(functional.copy_paste(*one_mask(scene), antialias=False).image, first.image)


def spreads(times: dict[int, dict[str, list[float]]]) -> dict[str, Any]:
    """Medians, quartiles and how many, by contestant and point."""
    lines: dict[str, dict[str, Any]] = {}
    for at, contestants_at in times.items():
        for name, values in contestants_at.items():
            lines.setdefault(name, {})[str(at)] = Spread.of(values)._asdict()
    return {"at": list(times), "milliseconds": lines}


def growth(times: dict[int, dict[str, list[float]]]) -> dict[str, float]:
    """From few instances to many, on the same placements."""
    pairs = list(zip(times[FEW][OURS], times[MANY][OURS], strict=True))
    pixels = list(zip(times[FEW][PIXELS], times[MANY][PIXELS], strict=True))
    return {
        "few": FEW,
        "many": MANY,
        "times_few": statistics.median(many / few for few, many in pairs),
        "microseconds": statistics.median((many - few) / (MANY - FEW) for few, many in pairs) * 1e6,
        "microseconds_of_pixels": statistics.median((many - few) / (MANY - FEW) for few, many in pixels) * 1e6,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(24), indent=1) + "\n")
