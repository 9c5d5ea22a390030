"""Resampling of one whole uint8 image with three channels, bilinear or antialiased."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benches.peers import timing
from benches.peers.peer import Job
from benches.scenes import PHOTO, photograph
from copypaste_rs import Placement, functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benches.peers.peer import Missing, Peer

FACTORS = (0.4, 0.8, 1.25, 2.0)
OPERATIONS = {"linear": "bilinear", "antialias": "antialiased"}

CLOSE = 1.0
"""Greatest mean difference to our image: libraries round in their own ways."""


class Resize(NamedTuple):
    """An image, and the size that it becomes."""

    image: NDArray[np.uint8]
    size: tuple[int, int]


def measure(peers: Sequence[Peer], missing: Missing, draws: int) -> dict[str, Any]:
    """Microseconds for one image, for every factor and both kinds."""
    images = [photograph(np.random.default_rng(seed)) for seed in range(draws)]
    rows = {}
    for factor in FACTORS:
        size = (round(PHOTO[0] * factor), round(PHOTO[1] * factor))
        given = [Resize(image, size) for image in images]
        contestants: dict[str, list[dict[str, Job]]] = {timing.OURS: [ours(each) for each in given]}
        for peer in peers:
            made = [missing.load(peer, "resampling", each) for each in given]
            if all(made):
                contestants[peer.name] = made
        for operation, text in OPERATIONS.items():
            jobs = {
                name: [each[operation] for each in made] for name, made in contestants.items() if operation in made[0]
            }
            truth = [job.call() for job in jobs[timing.OURS]]
            differences: dict[str, int] = {}
            for name in list(jobs):
                if not missing.keeps(f"{name}, {operation}", partial(compare, name, jobs[name], truth, differences)):
                    del jobs[name]
            rows[f"{operation} {factor}"] = {
                "text": f"{text}, {factor}",
                "largest_difference": differences,
                **timing.row(jobs, 1),
            }
    return {"rows": rows}


def ours(given: Resize) -> dict[str, Job]:
    """Onto a canvas that the image fills."""
    place = Placement(given.image.shape[:2], given.size, (0, 0), given.size)
    return {
        "linear": Job(partial(functional.place_image, given.image, place, antialias=False), np.asarray),
        "antialias": Job(partial(functional.place_image, given.image, place), np.asarray),
    }


def compare(name: str, jobs: Sequence[Job], truth: Sequence[NDArray[Any]], largest: dict[str, int]) -> None:
    """Find the largest difference of any byte to ours; on average there may hardly be one."""
    for job, expected in zip(jobs, truth, strict=True):
        difference = np.abs(np.asarray(job.read(job.call()), np.int16) - expected)
        assert difference.mean() <= CLOSE, f"differs by {difference.mean():.2f} on average"
        largest[name] = max(largest.get(name, 0), int(difference.max()))
