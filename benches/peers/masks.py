"""Mask kernels one by one: a batch of masks of one canvas, every library from its own prepared form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benches.peers import timing
from benches.peers.peer import Job
from benches.scenes import PHOTO, outlines
from copypaste_rs import Placement, RleMasks, functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benches.peers.peer import Missing, Peer

SIDE = 1024
MASKS = 20
SHAPES = {"objects": 0.81, "small objects": 0.15}
"""How large objects are, of what they are in a photograph as wide as the canvas: as many runs as COCO's, and few."""

ROWS = {
    "area": "area of each mask",
    "box": "box of each mask",
    "union": "union of all",
    "intersection": "intersection of all, of masks that overlap",
    "difference": "difference of each and one mask, the union of as many others",
    "iou": "IoU of each and as many others",
    "parse": "COCO's compressed bytes read",
    "format": "COCO's compressed bytes written",
    "encode rows": "encoding dense masks in row-major order",
    "encode columns": "encoding dense masks in column-major order",
    "decode": "decoding into a fresh array, in each library's own order",
    "decode rows": "decoding into a fresh row-major array",
    "decode into": "decoding into a given row-major array",
    "polygons": "rasterising polygons of 40 corners, from lists",
    "shrink": "mirrored, resized to 0.6, padded to the canvas",
    "enlarge": "mirrored, resized to 1.5, cropped to the canvas",
}

PLACED_AGREEMENT = 0.9
"""Least IoU between placements: libraries round to the nearest pixel in their own ways."""


class Batch(NamedTuple):
    """Objects that a row of the table starts from, in the forms that libraries take."""

    polygons: list[list[list[float]]]
    masks: RleMasks
    others: RleMasks
    cut: RleMasks
    heap: RleMasks
    dense: NDArray[np.uint8]
    columns: NDArray[np.uint8]
    """Dense, column-major; the shape is (n, h, w) all the same."""

    @classmethod
    def draw(cls, seed: int, shrink: float) -> Batch:
        """Masks of one seed."""
        rng = np.random.default_rng(seed)
        first, second = polygons(rng, shrink), polygons(rng, shrink)
        masks, others = RleMasks.from_polygons(first, (SIDE, SIDE)), RleMasks.from_polygons(second, (SIDE, SIDE))
        heap = RleMasks.from_polygons([[towards_middle(part) for part in parts] for parts in first], (SIDE, SIDE))
        dense = masks.to_dense()
        columns = np.ascontiguousarray(dense.transpose(0, 2, 1)).transpose(0, 2, 1)
        return cls(first, masks, others, others.union(), heap, dense, columns)


def polygons(rng: np.random.Generator, shrink: float) -> list[list[list[float]]]:
    """Outlines as in COCO's files, on a photograph that is as wide as the canvas."""
    scaled = []
    for parts in outlines(rng, MASKS):
        points = [part.reshape(-1, 2) * (SIDE / PHOTO[1]) for part in parts]
        scaled.append([((p - p.mean(0)) * shrink + p.mean(0)).ravel().tolist() for p in points])
    return scaled


def towards_middle(part: list[float]) -> list[float]:
    """Outline moved to the middle of the canvas, each corner pushed outwards: all outlines overlap."""
    points = np.array(part).reshape(-1, 2)
    points -= points.mean(0)
    points *= 1 + SIDE * 0.1 / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1)
    return (points + SIDE / 2).ravel().tolist()


def placements() -> dict[str, Placement]:
    """Placements of the two rows that place masks."""
    small, large = round(SIDE * 0.6), round(SIDE * 1.5)
    canvas = (SIDE, SIDE)
    return {
        "shrink": Placement(canvas, (small, small), (100, 200), canvas, hflip=True),
        "enlarge": Placement(canvas, (large, large), (-200, -300), canvas, hflip=True),
    }


def dicts(masks: RleMasks) -> list[dict[str, Any]]:
    """COCO dicts, as the pycocotools family keeps masks."""
    return masks.to_coco()


def same(result: Any) -> Any:
    """Result that needs no reading."""
    return result


def ours(batch: Batch) -> dict[str, Job]:
    """Jobs of ours from RleMasks to RleMasks."""
    masks, others, out = batch.masks, batch.others, np.empty_like(batch.dense)
    strings = functional.format_counts(masks)
    return {
        "area": Job(partial(functional.area, masks), same),
        "box": Job(partial(functional.boxes, masks), same),
        "union": Job(partial(functional.union, masks), functional.format_counts),
        "intersection": Job(partial(functional.intersection, batch.heap), functional.format_counts),
        "difference": Job(partial(functional.difference, masks, batch.cut), functional.format_counts),
        "iou": Job(partial(functional.iou, masks, others), same),
        "parse": Job(partial(functional.parse_counts, strings, masks.size), functional.format_counts),
        "format": Job(partial(functional.format_counts, masks), same),
        "encode rows": Job(partial(functional.encode, batch.dense), functional.format_counts),
        "encode columns": Job(partial(functional.encode, batch.columns), functional.format_counts),
        "decode": Job(partial(functional.decode, masks), same),
        "decode rows": Job(partial(functional.decode, masks), same),
        "decode into": Job(partial(functional.decode, masks, out), same),
        "polygons": Job(partial(functional.rasterize, batch.polygons, masks.size), functional.format_counts),
        **{
            name: Job(partial(functional.place_masks, masks, placement), functional.decode)
            for name, placement in placements().items()
        },
    }


def ours_from_bytes(batch: Batch) -> dict[str, Job]:
    """Jobs of ours from COCO's bytes, and back to them where the result is masks."""
    given, size = functional.format_counts(batch.masks), batch.masks.size
    others, heap = functional.format_counts(batch.others), functional.format_counts(batch.heap)
    cut = functional.format_counts(batch.cut)
    parse, write = functional.parse_counts, functional.format_counts
    return {
        "area": Job(lambda: functional.area(parse(given, size)), same),
        "box": Job(lambda: functional.boxes(parse(given, size)), same),
        "union": Job(lambda: write(functional.union(parse(given, size))), same),
        "intersection": Job(lambda: write(functional.intersection(parse(heap, size))), same),
        "difference": Job(lambda: write(functional.difference(parse(given, size), parse(cut, size))), same),
        "iou": Job(lambda: functional.iou(parse(given, size), parse(others, size)), same),
        "encode rows": Job(lambda: write(functional.encode(batch.dense)), same),
        "decode": Job(lambda: functional.decode(parse(given, size)), same),
        "polygons": Job(lambda: write(functional.rasterize(batch.polygons, size)), same),
    }


def measure(peers: Sequence[Peer], missing: Missing, draws: int) -> dict[str, Any]:
    """Microseconds for each mask, for objects and for small ones."""
    return {name: measure_shapes(peers, missing, draws, shrink) for name, shrink in SHAPES.items()}


def measure_shapes(peers: Sequence[Peer], missing: Missing, draws: int, shrink: float) -> dict[str, Any]:
    """Every row for masks of one kind."""
    batches = [Batch.draw(seed, shrink) for seed in range(draws)]
    contestants: dict[str, list[dict[str, Job]]] = {
        timing.OURS: [ours(batch) for batch in batches],
        f"{timing.OURS}, from bytes": [ours_from_bytes(batch) for batch in batches],
    }
    for peer in peers:
        made = [missing.load(peer, "masks", batch) for batch in batches]
        if all(made):
            contestants[peer.name] = made
    rows = {}
    for operation, text in ROWS.items():
        jobs = {
            name: [job[operation] for job in several]
            for name, several in contestants.items()
            if operation in several[0]
        }
        rows[operation] = {"text": text, **timing.row(right(operation, jobs, missing), MASKS)}
    return {"runs_a_mask": float(np.mean([len(batch.masks.counts) / MASKS for batch in batches])), "rows": rows}


def right(operation: str, jobs: dict[str, list[Job]], missing: Missing) -> dict[str, list[Job]]:
    """No time without correctness: those that have what pycocotools has, or what we have where it has nothing."""
    truth = jobs.get("pycocotools", jobs[timing.OURS])
    expected = [job.read(job.call()) for job in truth]
    kept = {}
    for name, several in jobs.items():
        check = partial(compare, operation, several, expected)
        if name.startswith(timing.OURS):
            check()
            kept[name] = several
        elif missing.keeps(f"{name}, {operation}", check):
            kept[name] = several
    return kept


def compare(operation: str, jobs: list[Job], expected: list[Any]) -> None:
    """Equal, but for placements, which round in several ways."""
    for job, wanted in zip(jobs, expected, strict=True):
        got = job.read(job.call())
        same = agreement(got, wanted) >= PLACED_AGREEMENT if operation in placements() else np.array_equal(got, wanted)
        assert same, f"another result for {operation}"


def agreement(a: NDArray[Any], b: NDArray[Any]) -> float:
    """IoU of two stacks of masks as wholes."""
    return float((a & b).sum() / max(int((a | b).sum()), 1))
