"""Scenes to measure on: photographs' sizes, objects with outlines like COCO's, scales spread evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample, SimpleCopyPaste

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHOTO = (480, 640)
SCALES = (0.1, 2.0)


class Augmentation(NamedTuple):
    """One call as a data loader makes it, and the plan that it draws."""

    transform: SimpleCopyPaste
    target: Sample
    source: Sample
    key: tuple[int, int, int]
    plan: Plan

    def run(self) -> Sample:
        """Draw the plan and apply it."""
        return self.transform(self.target, self.source, self.key)


class Scene(NamedTuple):
    """A plan with the samples it is for."""

    plan: Plan
    target: Sample
    source: Sample


def photograph(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smooth colours with some grain. What a pixel holds changes no timing; that it is not constant may."""
    h, w = PHOTO
    coarse = rng.random((h // 40 + 2, w // 40 + 2, 3))
    y, x = np.arange(h) / 40, np.arange(w) / 40
    i, j = y.astype(int), x.astype(int)
    v, u = (y - i)[:, None, None], (x - j)[None, :, None]
    top = coarse[i][:, j] * (1 - u) + coarse[i][:, j + 1] * u
    bottom = coarse[i + 1][:, j] * (1 - u) + coarse[i + 1][:, j + 1] * u
    smooth = top * (1 - v) + bottom * v
    return np.ascontiguousarray(smooth * 235 + rng.random((h, w, 3)) * 20, np.uint8)


def outlines(rng: np.random.Generator, n: int) -> list[list[NDArray[np.float64]]]:
    """Wobbly outlines of the sizes that objects have: most small, some filling a third of the picture."""
    h, w = PHOTO
    shapes = []
    for _ in range(n):
        radius = min(h, w) * 0.5 * np.exp(rng.uniform(np.log(0.05), np.log(0.9)))
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        wobble = 1 + 0.15 * np.sin(3 * angles + rng.uniform(0, 7)) + 0.1 * rng.standard_normal(40).cumsum() / 6
        y = np.clip(rng.uniform(0, h) + radius * wobble * np.sin(angles), 0, h)
        x = np.clip(rng.uniform(0, w) + radius * wobble * np.cos(angles), 0, w)
        shapes.append([np.stack([x, y], 1).ravel()])
    return shapes


def photo_sample(seed: int, n: int) -> Sample:
    """One photograph with n objects."""
    rng = np.random.default_rng(seed)
    masks = RleMasks.from_polygons(outlines(rng, n), PHOTO)
    return Sample(photograph(rng), Instances(masks=masks, labels=rng.integers(1, 80, n), score=rng.random(n)))


def spread_scales(rng: np.random.Generator, draws: int) -> list[NDArray[np.float64]]:
    """Scales of target and source that each take every stratum of the range once."""
    lo, hi = SCALES
    return [lo + (hi - lo) * (rng.permutation(draws) + 0.5) / draws for _ in range(2)]


def augmentations(canvas: int, instances: int, draws: int, **options: Any) -> list[Augmentation]:
    """`draws` whole calls: scales as in `stratified`, everything else drawn, a random subset of the objects too."""
    scales = spread_scales(np.random.default_rng(canvas * 1000 + instances), draws)
    target, source = photo_sample(instances, instances), photo_sample(instances + 7919, instances)
    calls = []
    for i, (a, b) in enumerate(zip(*scales, strict=True)):
        transform = SimpleCopyPaste(size=canvas, target_scale=(a, a), source_scale=(b, b), **options)
        key = (0, 0, i)
        calls.append(Augmentation(transform, target, source, key, transform.sample_plan(target, source, key)))
    return calls


def stratified(canvas: int, instances: int, draws: int, **paste: Any) -> list[Scene]:
    """`draws` scenes whose two scales each take every stratum of the range once, all objects pasted."""
    rng = np.random.default_rng(canvas * 1000 + instances)
    scales = spread_scales(rng, draws)
    target, source = photo_sample(instances, instances), photo_sample(instances + 7919, instances)

    def place(scale: float) -> Placement:
        fit = min(canvas / PHOTO[0], canvas / PHOTO[1])
        resized = tuple(max(1, int(side * fit * scale + 0.5)) for side in PHOTO)
        offset = tuple(-int(rng.integers(side - canvas + 1)) if side > canvas else 0 for side in resized)
        return Placement(PHOTO, resized, offset, (canvas, canvas), bool(rng.integers(2)))  # type: ignore[arg-type]

    rows = tuple(range(instances))
    return [
        Scene(Plan(place(a), (Paste(0, rows, place(b), **paste),)), target, source)
        for a, b in zip(*scales, strict=True)
    ]
