"""Costs besides the pixels: small calls, soft edges, results ready for a model, threads."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.beside import beside
from benches.measure import Spread, median_ratio, paired, ratio
from benches.scenes import augmentations, photo_sample, stratified
from benches.turns import in_turns
from copypaste_rs import ForTraining, Instances, RleMasks, Sample, SimpleCopyPaste, functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CANVAS, INSTANCES = 1024, 20
SIGMA = 2.0
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
THREADS = 2
BATCHES = (1, 4, 8, 16)
"""Images of the largest, 48 MiB, are more than most caches hold: memory is what threads wait for then."""

MOST_MICROSECONDS = {"call": 60.0, "plan": 25.0, "plan_of_many": 60.0}
MOST_FOR_SOFT = 1.5
LEAST_OF_THREADS = {1: 1.3, 16: 1.8}
"""Promised gain of two threads by images of a batch, on the EPYC named in README; few images are soon done."""


def measure(draws: int) -> dict[str, Any]:
    """Measure small calls, soft edges, results for a model and threads; figures by part."""
    return {
        "microseconds": small_calls(),
        "soft": soft(draws),
        "training": training(draws),
        "threads": threads(draws),
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    found = [
        f"{name}: {figures['microseconds'][name]['median']:.0f} us, not {most:.0f}"
        for name, most in MOST_MICROSECONDS.items()
        if figures["microseconds"][name]["median"] > most
    ]
    if figures["soft"]["of_hard"] > MOST_FOR_SOFT:
        found.append(f"soft edges take {figures['soft']['of_hard']:.2f} times as long as hard ones")
    found += [
        f"{THREADS} threads are {row['times_as_fast']:.2f} times as fast as one on a batch of {row['batch']} "
        f"(two processes: {row['processes']:.2f})"
        for row in figures["threads"]["batches"]
        if row["times_as_fast"] < LEAST_OF_THREADS.get(row["batch"], 0)
    ]
    found += [
        f"{name} in the same pass is {row['times_numpy']:.2f} times as fast as NumPy after it"
        for name, row in figures["training"].items()
        if row["times_numpy"] < 1
    ]
    return found


def small_calls() -> dict[str, dict[str, float]]:
    """Microseconds of what does not depend on the pixels: one instance on a 64x64 canvas, and plans."""
    square = np.zeros((1, 64, 64), np.uint8)
    square[0, 20:30, 20:30] = 1
    tiny = Sample(np.zeros((64, 64, 3), np.uint8), Instances(masks=RleMasks.from_dense(square), labels=[1]))
    small = SimpleCopyPaste(size=64, source_scale=(1.0, 1.0))
    large = SimpleCopyPaste(size=CANVAS)
    many = photo_sample(1, 500)
    timed: dict[str, Callable[[], Any]] = {
        "call": lambda: small(tiny, tiny, (0, 0, 1)),
        "plan": lambda: small.sample_plan(tiny, tiny, (0, 0, 1)),
        "plan_of_many": lambda: large.sample_plan(many, many, (0, 0, 1)),
    }
    calls, turns = 200, 30

    def often(call: Callable[[], Any]) -> None:
        for _ in range(calls):
            call()

    contestants: dict[str, Sequence[Callable[[], Any]]] = {
        name: [functools.partial(often, call)] * turns for name, call in timed.items()
    }
    times = paired(contestants, repeats=1)
    # A thousand times the seconds of one call are milliseconds; the same of a thousand calls, microseconds.
    return {name: Spread.of([s / calls * 1e3 for s in values])._asdict() for name, values in times.items()}


def soft(draws: int) -> dict[str, Any]:
    """Soft edges against hard ones, all objects pasted."""
    contestants: dict[str, Sequence[Callable[[], Any]]] = {
        name: [functools.partial(functional.copy_paste, *scene, antialias=False) for scene in scenes]
        for name, scenes in (
            ("hard", stratified(CANVAS, INSTANCES, draws)),
            ("soft", stratified(CANVAS, INSTANCES, draws, sigma=SIGMA)),
        )
    }
    times = in_turns(contestants, repeats=3, turns=4)
    return {
        "sigma": SIGMA,
        "milliseconds": {name: Spread.of(values)._asdict() for name, values in times.items()},
        "of_hard": ratio(times, "soft", "hard"),
    }


def training(draws: int) -> dict[str, Any]:
    """Results in a model's format, made in the same pass against made afterwards."""
    calls = augmentations(CANVAS, INSTANCES, draws)
    formats: dict[str, dict[str, Any]] = {
        "float32, normalised, channels first": {"mean": MEAN, "std": STD, "masks": "runs"},
        "float16, normalised, channels first": {"mean": MEAN, "std": STD, "dtype": "float16", "masks": "runs"},
        "uint8, channels first": {"dtype": "uint8", "masks": "runs"},
        "uint8, masks dense in a given array": {"dtype": "uint8", "masks": "dense"},
        "uint8, masks as one map": {"dtype": "uint8", "masks": "label_map"},
    }
    found = {}
    planes = np.zeros((2 * INSTANCES, CANVAS, CANVAS), np.uint8)
    for name, options in formats.items():
        drawn = options["masks"] == "dense"
        ready = [ForTraining(call.transform, **options) for call in calls]
        for call, transform in zip(calls, ready, strict=True):
            assert_alike(transform, call, options)
        contestants: dict[str, Sequence[Callable[[], Any]]] = {
            "same pass": [
                functools.partial(t, call.target, call.source, call.key, masks_out=planes if drawn else None)
                for t, call in zip(ready, calls, strict=True)
            ],
            "our kernels afterwards": [
                functools.partial(afterwards, call, options, ours=True, planes=planes) for call in calls
            ],
            "NumPy afterwards": [functools.partial(afterwards, call, options, ours=False) for call in calls],
        }
        times = in_turns(contestants, repeats=2, turns=3)
        found[name] = {
            "milliseconds": {who: Spread.of(values)._asdict() for who, values in times.items()},
            "times_as_fast": median_ratio(times, "our kernels afterwards", "same pass"),
            "times_numpy": median_ratio(times, "NumPy afterwards", "same pass"),
        }
    return found


def afterwards(
    call: Any, options: dict[str, Any], ours: bool, planes: NDArray[np.uint8] | None = None
) -> tuple[NDArray[Any], Any]:
    """The format made out of a plain result: with this library's kernels, or as people write it in NumPy."""
    sample = call.run()
    dtype = options.get("dtype", "float32")
    if ours:
        image = functional.convert_image(sample.image, dtype=dtype, mean=options.get("mean"), std=options.get("std"))
    elif dtype == "uint8":
        image = np.ascontiguousarray(sample.image.transpose(2, 0, 1))
    else:
        scaled = sample.image.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
        mean, std = (np.array(each, np.float32)[:, None, None] for each in (MEAN, STD))
        image = np.ascontiguousarray(((scaled - mean) / std).astype(dtype))
    masks = sample.instances.masks
    if options["masks"] == "dense":
        masks = masks.to_dense(None if planes is None else planes[: len(masks)])
    elif options["masks"] == "label_map":
        masks = masks.to_label_map() if ours else numbered(masks.to_dense())
    return image, masks


def numbered(dense: NDArray[np.uint8]) -> NDArray[np.int32]:
    """One map of dense masks."""
    numbers = np.zeros(dense.shape[1:], np.int32)
    for i, mask in enumerate(dense):
        numbers[mask.astype(bool)] = i + 1
    return numbers


def assert_alike(transform: ForTraining, call: Any, options: dict[str, Any]) -> None:
    """No time without correctness: the bytes of a second pass, and NumPy's but for the order of roundings."""
    ready = transform(call.target, call.source, call.key)
    for ours in (True, False):
        image, masks = afterwards(call, options, ours)
        tolerance = 0 if ours else {"uint8": 0, "float32": 1e-5, "float16": 4e-3}[str(image.dtype)]
        assert np.abs(ready.image.astype(np.float64) - image).max() <= tolerance
        assert np.array_equal(np.asarray(ready.masks), masks) if isinstance(masks, np.ndarray) else ready.masks == masks


def threads(draws: int) -> dict[str, Any]:
    """Batches on two threads against one, and against two processes that do a batch each."""
    return {"threads": THREADS, "batches": [threads_of(batch, draws) for batch in BATCHES]}


def threads_of(batch: int, draws: int) -> dict[str, Any]:
    """Measure batches of one size on one thread and on several: milliseconds, and their ratio."""
    apply = a_batch(batch)
    alone, together = apply(threads=1, out=None), apply(threads=THREADS, out=None)
    assert np.array_equal(alone.images, together.images)
    assert alone.instances == together.instances
    with beside(functools.partial(a_batch, batch)) as two_processes:
        contestants: dict[str, Sequence[Callable[[], Any]]] = {
            "1": [apply] * draws,
            str(THREADS): [functools.partial(apply, threads=THREADS)] * draws,
            "two processes": [two_processes] * draws,
        }
        times = in_turns(contestants, repeats=2, turns=3)
    return {
        "batch": batch,
        "milliseconds": {name: Spread.of(values)._asdict() for name, values in times.items()},
        "times_as_fast": median_ratio(times, "1", str(THREADS)),
        "processes": 2 * median_ratio(times, "1", "two processes"),
    }


def a_batch(batch: int) -> functools.partial[Any]:
    """A batch on one thread, all of whose images are written where those of the last one were.

    Whoever makes batch after batch does that: fresh memory costs the system, not the threads.
    """
    calls = augmentations(CANVAS, INSTANCES, batch)
    out = np.zeros((batch, CANVAS, CANVAS, 3), np.uint8)
    plans, targets = [call.plan for call in calls], [call.target for call in calls]
    sources: list[Any] = [call.source for call in calls]
    transform = SimpleCopyPaste(size=CANVAS)
    return functools.partial(transform.apply_batch, plans, targets, sources, threads=1, out=out)
