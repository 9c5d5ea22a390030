"""The operation on scenes small enough to be drawn: who shows where, what is left of whom, what is dropped."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample
from tests.fixtures.arrays import DTYPES, photograph
from tests.fixtures.ascii import masks, pictures
from tests.fixtures.samples import random_sample

UNPLACED = 99


def scene(value: int, *drawings: str, **columns: Any) -> Sample:
    """An image of one value with drawn masks."""
    drawn = masks(*drawings)
    return Sample(np.full((*drawn.size, 1), value, np.uint8), Instances(masks=drawn, **columns))


def still(sample: Sample, offset: tuple[int, int] = (0, 0), canvas: tuple[int, int] | None = None) -> Placement:
    """The sample as it is, moved."""
    return Placement(sample.size, sample.size, offset, canvas or sample.size)


TARGET = scene(10, "##.../##.../.....", ".####/.####/.....", labels=[1, 2])
SOURCE = scene(20, "...##/...##/.....", "##.../...../.....", "...../...../#####", labels=[7, 8, 9])


def test_a_pasted_object_shows_and_cuts_what_lies_below(kernels: ModuleType) -> None:
    plan = Plan(still(TARGET), (Paste(0, (0,), still(SOURCE)),))
    result = kernels.copy_paste(plan, TARGET, SOURCE)
    assert result.image[..., 0].tolist() == [[10, 10, 10, 20, 20], [10, 10, 10, 20, 20], [10, 10, 10, 10, 10]]
    assert pictures(result.instances.masks) == ["##.../##.../.....", ".##../.##../.....", "...##/...##/....."]
    assert result.instances.labels.tolist() == [1, 2, 7]
    assert result.instances.boxes.tolist() == [[0, 0, 2, 2], [1, 0, 3, 2], [3, 0, 5, 2]]
    assert result.instances.source.tolist() == [-1, -1, 0]
    assert result.instances.source_row.tolist() == [0, 1, 0]
    assert result.instances.visibility.tolist() == [1.0, 0.5, 1.0]
    assert result.instances.visibility.dtype == np.float32
    assert result.instances.source.dtype == result.instances.source_row.dtype == np.int32


def test_rows_of_one_paste_keep_pixels_they_share_and_a_later_paste_cuts_both(kernels: ModuleType) -> None:
    target = scene(10, "..../....")
    source = scene(20, "###./....", ".###/....")
    plan = Plan(still(target), (Paste(0, (1, 0), still(source)),))
    result = kernels.copy_paste(plan, target, source)
    assert pictures(result.instances.masks) == [".###/....", "###./...."]
    assert result.instances.source_row.tolist() == [1, 0]  # rows keep the order of a hand-written paste
    above = scene(30, "..#./....")
    plan = Plan(still(target), (Paste(0, (0, 1), still(source)), Paste(1, (0,), still(above))))
    result = kernels.copy_paste(plan, target, [source, above])
    assert pictures(result.instances.masks) == ["##../....", ".#.#/....", "..#./...."]
    assert result.image[0, :, 0].tolist() == [20, 20, 30, 20]
    np.testing.assert_allclose(result.instances.visibility, [2 / 3, 2 / 3, 1])


def test_visibility_counts_from_what_was_on_the_canvas(kernels: ModuleType) -> None:
    target = scene(10, "####/####")  # moved left by two: four of its eight pixels stay
    source = scene(20, "#.../....")
    plan = Plan(still(target, (0, -2), (2, 4)), (Paste(0, (0,), still(source)),))
    result = kernels.copy_paste(plan, target, source)
    assert result.instances.visibility.tolist() == [0.75, 1.0]
    assert pictures(result.instances.masks)[0] == ".#../##.."


def test_what_lands_nowhere_is_filled(kernels: ModuleType) -> None:
    target = scene(10, "##/##")
    plan = Plan(still(target, (1, -1), (3, 3)))
    assert kernels.copy_paste(plan, target, []).image[..., 0].tolist() == [
        [128, 128, 128],
        [10, 128, 128],
        [10, 128, 128],
    ]
    assert kernels.copy_paste(plan, target, [], fill=7).image[0, 0].tolist() == [7]
    assert pictures(kernels.copy_paste(plan, target, []).instances.masks) == [".../#../#.."]


def test_small_rows_are_not_pasted_and_cut_nothing(kernels: ModuleType) -> None:
    plan = Plan(still(TARGET), (Paste(0, (0, 1), still(SOURCE)),))
    result = kernels.copy_paste(plan, TARGET, SOURCE, min_area=4)
    assert result.instances.source.tolist() == [-1, -1, 0]
    assert (result.image[0, :2] == 10).all()
    assert pictures(result.instances.masks)[0] == "##.../##.../....."
    off = Plan(still(TARGET), (Paste(0, (0, 1), still(SOURCE, (0, 5), (3, 5))),))
    assert kernels.copy_paste(off, TARGET, SOURCE).instances.source.tolist() == [-1, -1]


def test_hidden_rows_are_dropped_by_area_and_by_visibility(kernels: ModuleType) -> None:
    plan = Plan(still(TARGET), (Paste(0, (0,), still(SOURCE)),))  # row 1 keeps 4 of 8

    def left(**options: Any) -> list[int]:
        rows: list[int] = kernels.copy_paste(plan, TARGET, SOURCE, **options).instances.labels.tolist()
        return rows

    assert left(min_visibility=0.5) == [1, 2, 7]
    assert left(min_visibility=0.51) == [1, 7]
    assert left(min_area=4) == [1, 2, 7]
    assert left(min_area=5) == [2]  # row 0 goes, uncovered as it is; the paste is too small to be one


def test_dropping_a_row_restores_no_pixel(kernels: ModuleType) -> None:
    source = scene(20, "###.", labels=[5])
    above = scene(30, "##..", labels=[6])
    target = scene(10, "####", labels=[4])
    plan = Plan(still(target), (Paste(0, (0,), still(source)), Paste(1, (0,), still(above))))
    result = kernels.copy_paste(plan, target, [source, above], min_visibility=0.5)
    assert result.image[0, :, 0].tolist() == [30, 30, 20, 10]
    assert result.instances.labels.tolist() == [6]


def test_hidden_rows_can_become_crowds(kernels: ModuleType) -> None:
    covered = scene(20, "##.../##.../##...", labels=[7])
    plan = Plan(still(TARGET), (Paste(0, (0,), still(covered)),))
    result = kernels.copy_paste(plan, TARGET, covered, min_visibility=0.9, on_hidden="crowd")
    assert result.instances.labels.tolist() == [2, 7]  # row 0 has no pixel left
    assert result.instances.iscrowd.tolist() == [True, False]
    assert kernels.copy_paste(plan, TARGET, covered, on_hidden="crowd").instances.iscrowd.tolist() == [False, False]


def test_crowds_are_cut_but_spared_by_the_limits(kernels: ModuleType) -> None:
    target = scene(10, "####/####", "#.../....", labels=[1, 2], iscrowd=[True, False])
    source = scene(20, "..##/..##", labels=[3])
    plan = Plan(still(target), (Paste(0, (0,), still(source)),))
    result = kernels.copy_paste(plan, target, source, min_area=2, min_visibility=0.9)
    assert pictures(result.instances.masks) == ["##../##..", "..##/..##"]
    assert result.instances.iscrowd.tolist() == [True, False]  # a source without the column has no crowds
    buried = scene(20, "####/####", labels=[3])
    result = kernels.copy_paste(Plan(still(target), (Paste(0, (0,), still(buried)),)), target, buried)
    assert result.instances.labels.tolist() == [3]


def test_crowds_can_be_pasted_by_a_hand_written_plan(kernels: ModuleType) -> None:
    source = scene(20, "##.", labels=[3], iscrowd=[True])
    target = scene(10, "...")
    target = Sample(target.image, Instances())
    result = kernels.copy_paste(
        Plan(still(target), (Paste(0, (0,), still(source)),)), target, source, min_visibility=1.0
    )
    assert result.instances.iscrowd.tolist() == [True]


def test_a_paste_of_no_rows_is_none(kernels: ModuleType) -> None:
    plan = Plan(still(TARGET), (Paste(0, (), still(SOURCE)),))
    assert kernels.copy_paste(plan, TARGET, SOURCE) == kernels.copy_paste(Plan(still(TARGET)), TARGET, SOURCE)


def test_images_without_instances_are_fine(kernels: ModuleType) -> None:
    empty = Sample(np.zeros((3, 5, 1), np.uint8), Instances(), {"image_id": 3})
    result = kernels.copy_paste(Plan(still(empty)), empty, [empty])
    assert len(result.instances) == 0
    assert result.info == {"image_id": 3}
    assert result.instances.masks == RleMasks.empty((3, 5))
    assert result.instances.boxes.shape == (0, 4)
    assert result.instances.iscrowd is None
    assert set(result.instances.columns) == {"masks", "boxes", "source", "source_row", "visibility"}
    result = kernels.copy_paste(Plan(still(empty), (Paste(0, (0,), still(SOURCE)),)), empty, SOURCE)
    assert result.instances.labels.tolist() == [7]


def test_soft_edges_blend_the_image_and_leave_the_labels_hard(kernels: ModuleType) -> None:
    target = Sample(np.zeros((9, 14), np.uint8), Instances())
    source = Sample(
        np.full((9, 14), 200, np.uint8),
        Instances(masks=masks(*["/".join(["...######....."] * 9)])),
    )
    hard = kernels.copy_paste(Plan(still(target), (Paste(0, (0,), still(source)),)), target, source)
    soft = kernels.copy_paste(Plan(still(target), (Paste(0, (0,), still(source), 1.0),)), target, source)
    assert soft.instances == hard.instances
    row = soft.image[4].astype(int)
    assert (np.diff(row[:6]) >= 0).all()
    assert row[0] < row[1] < row[2] < row[3] < row[4] <= 200
    assert (row[3:9] == row[3:9][::-1]).all()
    assert row[13] == 0


def test_blending_equal_values_changes_nothing(kernels: ModuleType) -> None:
    for value in (0, 1, 49, 50, 128, 254, 255):
        target = scene(value, "......./......./.......")
        source = scene(value, "..###../..###../.......")
        result = kernels.copy_paste(Plan(still(target), (Paste(0, (0,), still(source), 1.5),)), target, source)
        assert (result.image == value).all()


def test_an_object_cut_by_the_canvas_stays_solid_there(kernels: ModuleType) -> None:
    """The edge of the canvas is no edge of the object; the edge of its photograph is."""
    target = Sample(np.zeros((7, 20), np.uint8), Instances())
    wide = np.ones((1, 7, 40), np.uint8)
    source = Sample(np.full((7, 40), 255, np.uint8), Instances(masks=RleMasks.from_dense(wide)))
    plan = Plan(still(target), (Paste(0, (0,), still(source, (0, -10), (7, 20)), 2.0),))
    middle = kernels.copy_paste(plan, target, source).image[3]
    assert (middle == middle[0]).all()
    at_its_edge = Plan(still(target), (Paste(0, (0,), still(source, (0, 0), (7, 20)), 2.0),))
    row = kernels.copy_paste(at_its_edge, target, source).image[3]
    assert row[0] < row[5]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [(), (1,), (3,), (5,)])
def test_every_kind_of_image(kernels: ModuleType, dtype: Any, channels: tuple[int, ...]) -> None:
    """Crop, pad, mirror and paste at scale one move values and change none: plain indexing is the truth."""
    target = Sample(photograph(4, (7, 11, *channels), dtype), Instances())
    pixels = photograph(5, (9, 6, *channels), dtype)
    dense = np.random.default_rng(5).random((2, 9, 6)) < 0.5
    source = Sample(pixels, Instances(masks=RleMasks.from_dense(dense)))
    canvas = (8, 10)
    place = Placement((9, 6), (9, 6), (-2, 3), canvas, hflip=True)
    plan = Plan(Placement((7, 11), (7, 11), (1, -3), canvas), (Paste(0, (0, 1), place),))
    result = kernels.copy_paste(plan, target, source, fill=0)
    expected = np.zeros((*canvas, *channels), dtype)
    expected[1:8, 0:8] = target.image[:, 3:]
    shown = dense.any(0)[:, ::-1][2:9]
    expected[0:7, 3:9][shown] = pixels[:, ::-1][2:9][shown]
    np.testing.assert_array_equal(result.image, expected)
    assert result.image.dtype == dtype


# -- a random scene against pixel-by-pixel painting -----------------------------------------------------------


def painted(
    plan: Plan, target: Sample, sources: list[Sample], min_area: int, min_visibility: float
) -> tuple[NDArray[Any], list[tuple[int, int, NDArray[Any], float]]]:
    """The operation at scale one, as a person would do it with scissors: a dictionary of pixels."""

    def at(sample: Sample, place: Placement, y: int, x: int) -> tuple[int, int] | None:
        v, u = y - place.offset[0], x - place.offset[1]
        if not (0 <= v < sample.size[0] and 0 <= u < sample.size[1]):
            return None
        return v, sample.size[1] - 1 - u if place.hflip else u

    def placed(sample: Sample, place: Placement, row: int) -> set[tuple[int, int]]:
        assert sample.instances.masks is not None
        dense = sample.instances.masks[row].to_dense()[0]
        spots = ((y, x, at(sample, place, y, x)) for y in range(h) for x in range(w))
        return {(y, x) for y, x, spot in spots if spot is not None and dense[spot]}

    h, w = plan.canvas_size
    image = np.full((h, w), UNPLACED, np.uint8)
    for y in range(h):
        for x in range(w):
            if (spot := at(target, plan.target, y, x)) is not None:
                image[y, x] = target.image[spot]
    rows = [(-1, i, placed(target, plan.target, i)) for i in range(len(target.instances))]
    before = [len(pixels) for *_, pixels in rows]
    for paste in plan.pastes:
        sample = sources[paste.source]
        new = [(paste.source, i, placed(sample, paste.placement, i)) for i in paste.instances]
        new = [entry for entry in new if len(entry[2]) >= max(1, min_area)]
        shown = set().union(*(pixels for *_, pixels in new))
        rows = [(s, i, pixels - shown) for s, i, pixels in rows] + new
        before += [len(pixels) for *_, pixels in new]
        for y, x in shown:
            spot = at(sample, paste.placement, y, x)
            assert spot is not None
            image[y, x] = sample.image[spot]
    left = []
    for (s, i, pixels), n in zip(rows, before, strict=True):
        side = target if s < 0 else sources[s]
        crowd = side.instances.iscrowd is not None and bool(side.instances.iscrowd[i])
        if pixels and (crowd or (len(pixels) >= min_area and len(pixels) / n >= min_visibility)):
            dense = np.zeros((h, w), np.uint8)
            dense[tuple(np.array(sorted(pixels)).T)] = 1
            left.append((s, i, dense, len(pixels) / n))
    return image, left


@pytest.mark.parametrize("seed", range(60))
def test_random_scenes(kernels: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def sample() -> Sample:
        h, w, n = (int(v) for v in rng.integers([1, 1, 0], [12, 12, 5]))
        return random_sample(int(rng.integers(2**32)), (h, w), n)

    def place(s: Sample) -> Placement:
        y, x = (int(v) for v in rng.integers(-8, 9, 2))
        return Placement(s.size, s.size, (y, x), canvas, bool(rng.integers(2)))

    canvas = (int(rng.integers(1, 14)), int(rng.integers(1, 80)))
    target, sources = sample(), [sample() for _ in range(3)]
    pastes = []
    for _ in range(int(rng.integers(0, 6))):
        number = int(rng.integers(3))
        n = len(sources[number].instances)
        rows = rng.permutation(n)[: rng.integers(n + 1)]
        pastes.append(Paste(number, tuple(rows.tolist()), place(sources[number])))
    plan = Plan(place(target), tuple(pastes))
    min_area, min_visibility = int(rng.integers(0, 4)), float(rng.choice([0.0, 0.3, 0.5, 1.0]))
    result = kernels.copy_paste(plan, target, sources, fill=UNPLACED, min_area=min_area, min_visibility=min_visibility)
    image, left = painted(plan, target, sources, min_area, min_visibility)
    np.testing.assert_array_equal(result.image, image)
    found = result.instances
    assert found.source.tolist() == [s for s, *_ in left]
    assert found.source_row.tolist() == [i for _, i, *_ in left]
    assert found.masks is not None
    expected = np.array([dense for *_, dense, _ in left], np.uint8).reshape(-1, *canvas)
    np.testing.assert_array_equal(found.masks.to_dense(), expected)
    np.testing.assert_array_equal(found.visibility, np.array([v for *_, v in left], np.float32))
    for box, dense in zip(found.boxes.tolist(), expected, strict=True):
        ys, xs = np.nonzero(dense)
        assert box == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
