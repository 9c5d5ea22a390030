"""What becomes of rows: small scenes, pixel by pixel on random ones, and the rows that the whole operation keeps."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, Paste, Placement, Plan, PlanOptions, PlanSource, Sample
from copypaste_rs._engine.call import Call
from copypaste_rs._engine.fates import Fate, RowFates
from copypaste_rs._engine.options import Options
from tests.fixtures.ascii import masks
from tests.fixtures.samples import random_sample

CANVAS = (31, 26)


def fates(kernels: Any, plan: Plan, target: Sample, sources: list[Sample], **options: Any) -> RowFates:
    checked = Options.check(**options)
    made: RowFates = kernels._row_fates(Call.check(checked, plan, target, sources), checked.of_masks())
    return made


def scene(*drawings: str, **columns: Any) -> Sample:
    drawn = masks(*drawings)
    return Sample(np.zeros(drawn.size, np.uint8), Instances(masks=drawn, **columns))


def test_each_fate(kernels: ModuleType) -> None:
    target = scene("##......", "..##....", "....####", "......##", ".#......", "........")
    source = scene("##......", "....###.", "........")
    still = Placement((1, 8), (1, 8), (0, 0), (1, 8))
    plan = Plan(still, (Paste(0, (0, 1, 2), still),))
    made = fates(kernels, plan, target, [source], min_area=2, min_visibility=0.5)
    assert [Fate(fate).name for fate in made.fate] == [
        "BURIED",
        "KEPT",
        "UNDER_AREA",
        "UNDER_AREA",
        "BURIED",
        "OFF_CANVAS",
        "KEPT",
        "KEPT",
    ]
    assert made.source.tolist() == [-1] * 6 + [0, 0]  # a row of no pixels is not pasted
    assert made.source_row.tolist() == [0, 1, 2, 3, 4, 5, 0, 1]
    assert made.placed.tolist() == [2, 2, 4, 2, 1, 0, 2, 3]
    assert made.left.tolist() == [0, 2, 1, 1, 0, 0, 2, 3]
    assert made.boxes.tolist()[1:3] == [[2, 0, 4, 1], [7, 0, 8, 1]]
    made = fates(kernels, plan, target, [source], min_visibility=0.4)
    assert [Fate(fate).name for fate in made.fate[1:4]] == ["KEPT", "UNDER_VISIBILITY", "KEPT"]
    made = fates(kernels, plan, target, [source], min_visibility=0.4, on_hidden="crowd")
    assert [Fate(fate).name for fate in made.fate[:4]] == ["BURIED", "KEPT", "CROWD", "KEPT"]


def test_crowds_are_spared(kernels: ModuleType) -> None:
    target = scene("###.", "##..", iscrowd=[True, True])
    still = Placement((1, 4), (1, 4), (0, 0), (1, 4))
    plan = Plan(still, (Paste(0, (0,), still),))
    made = fates(kernels, plan, target, [scene("##..")], min_area=2, min_visibility=0.9, on_hidden="crowd")
    assert [Fate(fate).name for fate in made.fate] == ["KEPT", "BURIED", "KEPT"]


@pytest.mark.parametrize("seed", range(40))
def test_fates_are_what_pixels_and_the_operation_say(kernels: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = random_sample(seed, (23, 19), int(rng.integers(7)), boxes=True)
    sources = [random_sample(100 + seed + k, (17, 28), int(rng.integers(6))) for k in range(int(rng.integers(3)))]
    choices: dict[str, Any] = {
        "placement": ("jitter", "uniform")[seed % 2],
        "blend_sigma": (None, 1.5)[seed // 2 % 2],
    }
    options = PlanOptions.check(size=CANVAS, target_scale=(0.4, 2.0), source_scale=(0.3, 2.0), **choices)
    seen = [PlanSource(s.size, s.instances.boxes, s.instances.iscrowd) for s in sources]
    plan = kernels.draw_plan(options, target.size, seen, seed)
    limits: dict[str, Any] = {"min_area": (0, 9, 30)[seed % 3], "min_visibility": (0.0, 0.7)[seed // 3 % 2]}
    limits["on_hidden"] = ("drop", "crowd")[seed // 5 % 2]
    made = fates(kernels, plan, target, sources, **limits)

    # Pixel by pixel: what each row has on the canvas, and what later pastes leave of it.
    layers = [(-1, [*range(len(target.instances))], target, plan.target)]
    for paste in plan.pastes:
        source = sources[paste.source]
        layers.append((paste.source, [*paste.instances], source, paste.placement))
    rows: list[tuple[int, int, int, int]] = []
    placed = []
    for source_number, numbers, sample, placement in layers:
        dense = sample.instances.masks[numbers].place(placement).to_dense() > 0  # type: ignore[index]
        enough = [i for i in range(len(numbers)) if source_number < 0 or dense[i].sum() >= max(1, limits["min_area"])]
        placed.append((source_number, [numbers[i] for i in enough], dense[enough]))
    for k, (source_number, numbers, dense) in enumerate(placed):
        above = np.zeros(CANVAS, np.bool_)
        for _, _, later in placed[k + 1 :]:
            above |= later.any(axis=0)
        rows += [
            (source_number, number, int(mask.sum()), int((mask & ~above).sum()))
            for number, mask in zip(numbers, dense, strict=True)
        ]
    assert [*zip(made.source, made.source_row, made.placed, made.left, strict=True)] == rows

    # The operation: the rows that it keeps, and as what.
    result = kernels.copy_paste(plan, target, sources, **limits).instances
    kept = made.fate <= Fate.CROWD
    assert made.source[kept].tolist() == result.source.tolist()
    assert made.source_row[kept].tolist() == result.source_row.tolist()
    assert made.left[kept].tolist() == result.masks.area.tolist()
    assert made.boxes[kept].tolist() == result.boxes.tolist()
    assert (made.left[kept] / made.placed[kept]).astype(np.float32).tolist() == result.visibility.tolist()
    sides = [target, *sources]
    crowds = [bool(sides[s + 1].instances.iscrowd[r]) for s, r in zip(result.source, result.source_row, strict=True)]
    flags = np.zeros(len(crowds), np.bool_) if result.iscrowd is None else result.iscrowd
    assert (made.fate[kept] == Fate.CROWD).tolist() == (flags & ~np.array(crowds, np.bool_)).tolist()
    # Those that it drops, each for its reason.
    for fate, before, left in zip(made.fate[~kept], made.placed[~kept], made.left[~kept], strict=True):
        expected = "OFF_CANVAS" if before == 0 else "BURIED" if left == 0 else "UNDER_VISIBILITY"
        if 0 < left < limits["min_area"]:
            expected = "UNDER_AREA"
        assert Fate(fate).name == expected
        assert left == 0 or limits["on_hidden"] == "drop"
