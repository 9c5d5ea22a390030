"""Scenes with something taken away, so that the difference in time is the price of what is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benches.scenes import Scene
from copypaste_rs import Instances, Placement, Plan, RleMasks, Sample, functional


def one_mask(scene: Scene) -> Scene:
    """Scene of the same pixels with the fewest masks: one is pasted, none lies below."""
    return _changed(scene, rows=(0,), source=Instances(union(scene)))


def union(scene: Scene) -> RleMasks:
    """Union of the pasted masks, on their own photograph: one mask."""
    masks = scene.source.instances.masks
    assert masks is not None
    return functional.union(masks[list(scene.plan.pastes[0].instances)])


def without_masks(scene: Scene) -> Scene:
    """The target alone, with a paste that has nothing to paste."""
    return _changed(scene, rows=(), source=Instances())


def without_target(scene: Scene) -> Scene:
    """The target lands beside the canvas."""
    return scene._replace(plan=replace(scene.plan, target=replace(scene.plan.target, offset=scene.plan.canvas_size)))


def nothing(scene: Scene) -> Scene:
    """Scene of one pixel: as little as a call can do."""
    here = Placement((1, 1), (1, 1), (0, 0), (1, 1))
    sample = Sample(np.zeros((1, 1, 3), np.uint8), Instances())
    return Scene(Plan(here, (replace(scene.plan.pastes[0], instances=(), placement=here),)), sample, sample)


def grown(placement: Placement, canvas: int) -> Placement:
    """Placement scaled to a square canvas of another size, in pixels a side."""
    factor = canvas / placement.canvas_size[0]
    h, w = (max(1, round(side * factor)) for side in placement.resized_size)
    y, x = (round(offset * factor) for offset in placement.offset)
    return replace(placement, resized_size=(h, w), offset=(y, x), canvas_size=(canvas, canvas))


def _changed(scene: Scene, rows: tuple[int, ...], source: Instances) -> Scene:
    """Scene with other rows of another source over a target without instances."""
    return Scene(
        replace(scene.plan, pastes=(replace(scene.plan.pastes[0], instances=rows),)),
        Sample(scene.target.image, Instances()),
        Sample(scene.source.image, source),
    )
