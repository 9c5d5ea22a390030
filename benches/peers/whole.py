"""Whole augmentation of one image: large-scale jitter of target and source, paste, masks and boxes."""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benches.peers import timing
from benches.peers.peer import Job
from benches.rivals import Dense, dense
from benches.scenes import Scene, stratified
from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benches.peers.peer import Missing, Peer

GRID = ((512, 7), (1024, 20), (1024, 60))
"""Canvas and instances a side."""
SECONDS_A_DRAW = 0.1

BOX_TOLERANCE = 2.0
"""Pixels between a box and the mask it belongs to: some take boxes along instead of measuring them."""
COUNT_TOLERANCE = 3
SAME_PLACE = 0.9
"""Least IoU between all that is masked, where peers put objects where the plan says: nearest pixels differ."""


class Given(NamedTuple):
    """A scene, and the masks of its samples as most libraries take them."""

    scene: Scene
    target: Dense
    source: Dense


class Augmented(NamedTuple):
    """Result that every library gives in the end."""

    image: NDArray[Any]
    masks: NDArray[Any]
    boxes: NDArray[Any]


def measure(peers: Sequence[Peer], missing: Missing, draws: int) -> dict[str, Any]:
    """Microseconds for one image, for every cell of the grid."""
    return {f"{canvas}, {instances}": cell(peers, missing, canvas, instances, draws) for canvas, instances in GRID}


def cell(peers: Sequence[Peer], missing: Missing, canvas: int, instances: int, draws: int) -> dict[str, Any]:
    """One cell: every contestant on the same scales, mirrors and offsets."""
    scenes = stratified(canvas, instances, draws)
    target, source = dense(scenes[0].target), dense(scenes[0].source)  # of all draws
    given = [Given(scene, target, source) for scene in scenes]
    truth = [read(job.call()) for job in (ours(each)[timing.OURS] for each in given)]
    jobs: dict[str, list[Job]] = {}
    for name in ours(given[0]):
        jobs[name] = [ours(each)[name] for each in given]
    shared: dict[str, Any] = {}
    for peer in peers:
        made = [missing.load(peer, "whole", each) for each in given]
        if not all(made):
            continue
        several = [job["augment"] for job in made]
        if missing.keeps(peer.name, partial(keep, shared, peer, several, truth)):
            jobs[peer.name] = several
    return {"canvas": canvas, "instances": instances, "shared": shared, **timing.row(jobs, 1, SECONDS_A_DRAW)}


def ours(given: Given) -> dict[str, Job]:
    """The transform from runs to runs, and from dense masks to dense masks."""
    scene = given.scene
    canvas = scene.plan.canvas_size
    default = SimpleCopyPaste(size=canvas)
    linear = SimpleCopyPaste(size=canvas, antialias=False)

    def from_dense() -> Sample:
        target, source = (
            Sample(sample.image, Instances(**{**sample.instances.columns, "masks": RleMasks.from_dense(masks)}))
            for sample, masks in ((scene.target, given.target.masks), (scene.source, given.source.masks))
        )
        result = linear.apply(scene.plan, target, source)
        assert result.instances.masks is not None
        result.instances.masks.to_dense()
        return result

    return {
        timing.OURS: Job(partial(default.apply, *scene), read),
        f"{timing.OURS}, bilinear": Job(partial(linear.apply, *scene), read),
        f"{timing.OURS}, bilinear, dense masks in and out": Job(from_dense, read),
    }


def read(sample: Sample) -> Augmented:
    """Ours, to compare."""
    assert sample.instances.masks is not None
    assert sample.instances.boxes is not None
    return Augmented(sample.image, sample.instances.masks.to_dense(), sample.instances.boxes)


def keep(shared: dict[str, Any], peer: Peer, jobs: Sequence[Job], truth: Sequence[Augmented]) -> None:
    """Store what `compare` finds under the peer's name."""
    shared[peer.name] = {"same_place": peer.same_place, **compare(peer, jobs, truth)}


def compare(peer: Peer, jobs: Sequence[Job], truth: Sequence[Augmented]) -> dict[str, float]:
    """Assert what everyone has to keep, and say how near to ours the rest is: medians over the draws."""
    found: dict[str, list[float]] = {"masks": [], "masks_of_ours": [], "place_iou": [], "image_difference": []}
    for job, expected in zip(jobs, truth, strict=True):
        got = Augmented(*job.read(job.call()))
        check(got, expected)
        covered, wanted = got.masks.any(0), expected.masks.any(0)
        same = int((covered & wanted).sum()) / max(int((covered | wanted).sum()), 1)
        if peer.same_place:
            assert abs(len(got.masks) - len(expected.masks)) <= COUNT_TOLERANCE, (
                f"{len(got.masks)} masks are left, not {len(expected.masks)}"
            )
            assert same >= SAME_PLACE, f"objects lie elsewhere: IoU {same:.2f}"
        difference = np.abs(got.image.astype(np.int16) - expected.image).mean()
        for name, value in zip(found, (len(got.masks), len(expected.masks), same, difference), strict=True):
            found[name].append(float(value))
    return {name: statistics.median(values) for name, values in found.items()}


def check(got: Augmented, expected: Augmented) -> None:
    """Shapes, and a box around every mask."""
    assert got.image.shape == expected.image.shape, f"the image has shape {got.image.shape}"
    assert got.masks.shape[1:] == expected.masks.shape[1:], f"masks have shape {got.masks.shape}"
    assert len(got.boxes) == len(got.masks), f"{len(got.boxes)} boxes for {len(got.masks)} masks"
    tight = RleMasks.from_dense(np.ascontiguousarray(got.masks != 0)).boxes
    for box, mask in zip(got.boxes, tight, strict=True):
        if mask.any():
            inside = (mask[:2] >= box[:2] - BOX_TOLERANCE).all() and (mask[2:] <= box[2:] + BOX_TOLERANCE).all()
            assert inside, f"the box {box} does not hold its mask {mask}"
