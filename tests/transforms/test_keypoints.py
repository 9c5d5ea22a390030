"""Keypoints: where they go, which are exchanged, hidden or gone; against pictures in which each is one bright pixel."""

from __future__ import annotations

import pickle
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import ForTraining, Instances, Paste, Placement, Plan, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.errors import ArgumentError
from tests.fixtures.ascii import dense
from tests.fixtures.samples import random_keypoints, random_sample

SIZE = (5, 7)
PAIRS = [(1, 2), (5, 3)]
K = 6


def marked(seed: int) -> tuple[Sample, NDArray[np.uint8]]:
    """A picture whose pixels are black, but for those of K keypoints of two instances: 1 to 12."""
    places = np.random.default_rng(seed).permutation(SIZE[0] * SIZE[1])[: 2 * K].reshape(2, K)
    image = np.zeros(SIZE, np.uint8)
    image.flat[places] = np.arange(1, 2 * K + 1).reshape(2, K)
    y, x = np.divmod(places, SIZE[1])
    points = np.stack([x + 0.5, y + 0.5, np.full((2, K), 2)], axis=2)
    masks = RleMasks.from_dense(np.ones((2, *SIZE), np.uint8))
    return Sample(image, Instances(masks=masks, keypoints=points)), image


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_keypoints_lie_where_their_pixels_do(kernels: ModuleType, scale: int, mirrored: bool) -> None:
    rng = np.random.default_rng(scale)
    for seed in range(20):
        sample, image = marked(seed)
        canvas = int(rng.integers(3, 20)), int(rng.integers(3, 20))
        offset = int(rng.integers(-6, 6)), int(rng.integers(-6, 6))
        place = Placement(SIZE, (SIZE[0] * scale, SIZE[1] * scale), offset, canvas, hflip=mirrored)
        result = kernels.copy_paste(Plan(place), sample, [], interpolation="nearest", fill=0, flip_pairs=PAIRS)
        if len(result.instances) == 0:
            assert not (result.image > 0).any()
            continue
        points = result.instances.keypoints
        assert points.dtype == np.float32
        for row in range(2):
            for number in range(K):
                # In a mirror image the point that is called left is the one that was called right.
                other = {**dict(PAIRS), **{j: i for i, j in PAIRS}}.get(number, number) if mirrored else number
                value = 1 + row * K + other
                ys, xs = np.nonzero(result.image == value)
                x, y, v = points[row, number]
                if v == 0:
                    # Its centre is off the canvas, whatever is left of the block of its pixel.
                    assert (x, y) == (0, 0)
                    assert len(ys) <= scale * scale / 2 + scale
                    continue
                assert v == 2
                assert result.image[int(y), int(x)] == value
                if len(ys) == scale * scale:
                    assert (x, y) == (xs.mean() + 0.5, ys.mean() + 0.5)
                else:
                    blocks = np.kron(image[:, :: -1 if mirrored else 1], np.ones((scale, scale), np.uint8))
                    ys, xs = np.nonzero(blocks == value)
                    assert (x, y) == (xs.mean() + 0.5 + offset[1], ys.mean() + 0.5 + offset[0])


def test_a_point_whose_centre_leaves_the_canvas_is_gone(kernels: ModuleType) -> None:
    masks = RleMasks.from_dense(np.ones((1, 4, 6), np.uint8))
    points = np.array([[[0, 0, 2], [5.999, 3.999, 2], [6, 1, 2], [1, 4, 2], [-0.001, 1, 1], [3, 3, 0]]], np.float32)
    sample = Sample(np.zeros((4, 6), np.uint8), Instances(masks=masks, keypoints=points))
    result = kernels.copy_paste(Plan(Placement((4, 6), (4, 6), (0, 0), (4, 6))), sample, [])
    assert result.instances.keypoints.tolist() == [
        [*points[0, :2].tolist(), *[[0.0, 0.0, 0.0]] * 4],
    ]
    # The box of a canvas is half-open in float32: what is rounded up to its side is off it.
    near = np.array([[[5.9999999, 1, 2]]], np.float64)
    sample = Sample(np.zeros((4, 6), np.uint8), Instances(masks=masks, keypoints=near))
    result = kernels.copy_paste(Plan(Placement((4, 6), (4, 6), (0, 0), (4, 6))), sample, [])
    assert result.instances.keypoints.tolist() == [[[0.0, 0.0, 0.0]]]


def test_positions_are_computed_in_float64(kernels: ModuleType) -> None:
    points = random_keypoints(3, 1, 50, (40, 60))
    points[:, :, 2] = 2
    masks = RleMasks.from_dense(np.ones((1, 40, 60), np.uint8))
    sample = Sample(np.zeros((40, 60), np.uint8), Instances(masks=masks, keypoints=points))
    place = Placement((40, 60), (71, 93), (-3, 11), (90, 120), hflip=True)
    found = kernels.copy_paste(Plan(place), sample, [], flip_pairs=()).instances.keypoints
    for number in range(50):
        x = float(np.float32((60 - float(points[0, number, 0])) * (93 / 60) + 11))
        y = float(np.float32(float(points[0, number, 1]) * (71 / 40) - 3))
        inside = 0 <= x < 120 and 0 <= y < 90
        assert found[0, number].tolist() == ([x, y, 2.0] if inside else [0, 0, 0])


@pytest.mark.parametrize("sigma", [None, 2.0])
def test_what_a_later_paste_covers_is_hidden(kernels: ModuleType, sigma: float | None) -> None:
    rng = np.random.default_rng(5)
    hidden = 0
    size, canvas, pairs = (20, 31), (24, 26), [(0, 3)]

    def place() -> Placement:
        resized, offset = rng.integers(8, 40, 2).tolist(), rng.integers(-9, 9, 2).tolist()
        return Placement(size, tuple(resized), tuple(offset), canvas, bool(rng.integers(2)))

    for seed in range(60):
        target, *sources = [random_sample(seed + i, size, 5, points=4) for i in range(4)]
        pastes = [Paste(i, tuple(rng.permutation(5)[: rng.integers(5)].tolist()), place(), sigma) for i in range(3)]
        plan, min_area = Plan(place(), tuple(pastes)), int(rng.integers(12))
        result = kernels.copy_paste(plan, target, sources, min_area=min_area, flip_pairs=pairs).instances
        # By themselves, with nothing over them.
        alone = [
            kernels.copy_paste(Plan(each), sample, [], flip_pairs=pairs).instances
            for each, sample in [(plan.target, target), *zip((p.placement for p in pastes), sources, strict=True)]
        ]
        covers = []
        for paste, source in zip(pastes, sources, strict=True):
            assert source.instances.masks is not None
            placed = dense(kernels.place_masks(source.instances.masks[list(paste.instances)], paste.placement))
            covers.append(placed[placed.sum(axis=(1, 2)) >= max(1, min_area)].any(axis=0))
        for points, source, row in zip(result.keypoints, result.source, result.source_row, strict=True):
            moved = alone[source + 1]
            (expected,) = moved.keypoints[moved.source_row == row]
            for point, (x, y, v) in zip(points, expected, strict=True):
                covered = v > 0 and any(cover[int(y), int(x)] for cover in covers[source + 1 :])
                hidden += covered and v == 2
                assert point.tolist() == [x, y, 1 if covered else v]
    assert hidden > 50


def test_one_row_pasted_twice_is_at_two_places(kernels: ModuleType) -> None:
    masks = RleMasks.from_polygons([[[1, 1, 3, 1, 3, 3, 1, 3]]], (6, 10))
    sample = Sample(np.zeros((6, 10), np.uint8), Instances(masks=masks, keypoints=[[[2, 2, 2]]]))
    here, there = (Placement((6, 10), (6, 10), (0, x), (6, 10)) for x in (0, 5))
    for first, second in ((here, there), (there, here)):
        plan = Plan(Placement((6, 10), (6, 10), (9, 9), (6, 10)), (Paste(0, (0,), first), Paste(0, (0,), second)))
        points = kernels.copy_paste(plan, sample, sample).instances.keypoints
        assert points.tolist() == [[[2.0 + place.offset[1], 2.0, 2.0]] for place in (first, second)]
    # Over each other, the first is hidden; without a pixel left it is no row.
    plan = Plan(here, (Paste(0, (0,), Placement((6, 10), (6, 10), (1, 1), (6, 10))),))
    assert kernels.copy_paste(plan, sample, sample).instances.keypoints.tolist() == [[[2, 2, 1]], [[3, 3, 2]]]


def test_num_keypoints_is_counted_anew(kernels: ModuleType) -> None:
    masks = RleMasks.from_dense(np.ones((2, 4, 6), np.uint8))
    points = [[[1, 1, 2], [5, 1, 1]], [[2, 2, 0], [3, 3, 0]]]
    with_number = Instances(masks=masks, keypoints=points, num_keypoints=[77, 77])
    image = np.zeros((4, 6), np.uint8)
    still = Placement((4, 6), (4, 6), (0, 0), (4, 6))
    crop = Placement((4, 6), (4, 6), (0, 0), (4, 4))
    for place, numbers in ((still, [2, 0]), (crop, [1, 0])):
        result = kernels.copy_paste(Plan(place), Sample(image, with_number), []).instances
        assert result.num_keypoints.tolist() == numbers
        assert result.num_keypoints.dtype == np.int64
    # It never conflicts, and is not made where nobody has it.
    without = Sample(image, Instances(masks=masks, keypoints=points))
    paste = Plan(still, (Paste(0, (0,), still),))
    assert kernels.copy_paste(paste, without, Sample(image, with_number)).instances.num_keypoints.tolist() == [2]
    assert "num_keypoints" not in kernels.copy_paste(paste, without, without).instances.columns


def test_a_side_without_keypoints(kernels: ModuleType) -> None:
    with_points = random_sample(1, (9, 12), 3, points=2)
    without = random_sample(2, (9, 12), 3)
    still = Placement((9, 12), (9, 12), (0, 0), (9, 12))
    plan = Plan(still, (Paste(0, (0, 1), still),))
    with pytest.raises(ArgumentError, match=r"^sources\[0\]: expected the column 'keypoints', which target has"):
        kernels.copy_paste(plan, with_points, without)
    result = kernels.copy_paste(plan, with_points, without, missing={"keypoints": 0}).instances
    assert (result.keypoints[result.source == 0] == 0).all()
    assert (result.source == 0).any()
    with pytest.raises(ArgumentError, match=r"^missing: expected 0 for 'keypoints', got 1$"):
        kernels.copy_paste(plan, with_points, without, missing={"keypoints": 1})
    with pytest.raises(
        ArgumentError, match=r"^sources\[0\]: expected rows of shape \(2, 3\) in column 'keypoints' as in"
    ):
        kernels.copy_paste(plan, with_points, random_sample(2, (9, 12), 3, points=4))
    # A background image has none, and none are asked for.
    assert len(kernels.copy_paste(Plan(still), Sample(without.image, Instances()), with_points).instances) == 0


BAD_PAIRS: list[tuple[Any, type[Exception], str]] = [
    ([(0, 2), (2, 1)], ValueError, r"^flip_pairs\[1\]: expected each point in one pair at most, got point 2 twice$"),
    ([(1, 1)], ValueError, r"^flip_pairs\[0\]: expected each point in one pair at most, got point 1 twice$"),
    ([(0, 1, 2)], ValueError, r"^flip_pairs\[0\]: expected a pair of integers, got 3 values$"),
    ([(0, -1)], ValueError, r"^flip_pairs\[0\]\[1\]: expected an integer from 0"),
    ([(0, 1.0)], TypeError, r"^flip_pairs\[0\]\[1\]: expected an integer, got 1.0$"),
    ([3], TypeError, r"^flip_pairs\[0\]: expected a pair of integers, got 3$"),
    (3, TypeError, r"^flip_pairs: expected a sequence, got int$"),
    ("lr", TypeError, r"^flip_pairs: expected a sequence, got str$"),
]


@pytest.mark.parametrize(("pairs", "kind", "message"), BAD_PAIRS)
def test_pairs_that_are_none(pairs: Any, kind: type[Exception], message: str) -> None:
    for transform in (SimpleCopyPaste, ScaleJitter):
        with pytest.raises(kind, match=message):
            transform(size=8, flip_pairs=pairs)


def test_keypoints_are_not_mirrored_without_pairs(kernels: ModuleType, backend: str) -> None:
    sample, other = random_sample(1, (9, 12), 3, points=3), random_sample(2, (9, 12), 3)
    needed = (
        r"^flip_pairs: expected pairs of keypoints that a mirror image exchanges, \(\) for none, since {}, got None; "
    )
    for samples in ((sample, sample), (sample, other), (other, sample)):
        transform = SimpleCopyPaste(size=8, backend=backend, missing={"keypoints": 0})
        for rng in range(4):  # whatever is drawn
            with pytest.raises(ArgumentError, match=needed.format("flip=0.5")):
                transform(*samples, rng=rng)
    with pytest.raises(ArgumentError, match=needed.format("flip=0.5")):
        ScaleJitter(size=8, backend=backend)(sample, rng=1)
    with pytest.raises(ArgumentError, match=needed.format("flip=1")):
        ForTraining(ScaleJitter(size=8, flip=1, backend=backend))(sample, rng=1)
    ScaleJitter(size=8, flip=0, backend=backend)(sample, rng=1)
    ScaleJitter(size=8, flip_pairs=(), backend=backend)(sample, rng=1)
    mirrored = Placement((9, 12), (9, 12), (0, 0), (9, 12), hflip=True)
    still = Placement((9, 12), (9, 12), (0, 0), (9, 12))
    for plan in (Plan(mirrored), Plan(still, (Paste(0, (0,), mirrored),))):
        with pytest.raises(ArgumentError, match=needed.format("the plan mirrors an image")):
            kernels.copy_paste(plan, sample, sample)
        with pytest.raises(ArgumentError, match=needed.format("the plan mirrors an image")):
            SimpleCopyPaste(size=(9, 12), flip=0, backend=backend).apply(plan, sample, sample)
    kernels.copy_paste(Plan(still), sample, sample)
    far = r"^flip_pairs: expected numbers of points from 0 to 2, since keypoints have 3 each, got 5$"
    with pytest.raises(ArgumentError, match=far):
        kernels.copy_paste(Plan(still), sample, sample, flip_pairs=[(0, 5)])
    with pytest.raises(ArgumentError, match=far):
        ScaleJitter(size=8, flip_pairs=[(0, 5)], backend=backend)(sample, rng=1)


BAD_KEYPOINTS: list[tuple[Any, type[Exception], str]] = [
    (np.zeros((2, 3)), ValueError, r"^keypoints: expected shape \(n, k, 3\): x, y, v of each point, got \(2, 3\)$"),
    (np.zeros((2, 3, 2)), ValueError, r"^keypoints: expected shape \(n, k, 3\)"),
    ([[[1, 2, np.nan]], [[1, 2, 2]]], ValueError, r"^keypoints: expected finite numbers, got NaN or infinity$"),
    ([[[1, 2, 3]], [[1, 2, 2]]], ValueError, r"^keypoints: expected v of 0 \(not marked\), .* got 3.0$"),
    ([[[1, 2, 0.5]], [[1, 2, 2]]], ValueError, r"^keypoints: expected v of 0 \(not marked\), .* got 0.5$"),
    ([[["a", "b", "c"]], [["a", "b", "c"]]], TypeError, r"^keypoints: expected numbers, got dtype <U1$"),
    ([[[1, 2, 2]]], ValueError, r"^keypoints: expected 2 rows as in masks, got 1$"),
    (7, ValueError, r"^keypoints: expected one row for each instance, got the single value 7$"),
]


@pytest.mark.parametrize(("values", "kind", "message"), BAD_KEYPOINTS)
def test_keypoints_that_are_none(values: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Instances(masks=RleMasks.from_dense(np.ones((2, 4, 6), np.uint8)), keypoints=values)


def test_inputs_are_left_alone(kernels: ModuleType) -> None:
    sample = random_sample(1, (9, 12), 3, points=3)
    before = sample.instances.columns["keypoints"].copy()
    mirrored = Placement((9, 12), (9, 12), (0, 0), (9, 12), hflip=True)
    result = kernels.copy_paste(Plan(mirrored), sample, [], flip_pairs=[(0, 1)])
    np.testing.assert_array_equal(sample.instances.columns["keypoints"], before)
    assert not np.shares_memory(result.instances.keypoints, sample.instances.keypoints)


@pytest.mark.parametrize(
    "pairs",
    [zip([1, 5], [2, 3], strict=True), iter(PAIRS), (pair for pair in PAIRS), {1: 2, 5: 3}.items(), np.array(PAIRS)],
)
def test_pairs_of_any_kind_are_kept(pairs: Any) -> None:
    sample, _ = marked(0)
    for transform in (
        SimpleCopyPaste(size=SIZE, flip=1, flip_pairs=pairs),
        ScaleJitter(size=SIZE, flip=1, flip_pairs=PAIRS),
    ):
        again = pickle.loads(pickle.dumps(transform))
        assert again == transform
        assert transform.flip_pairs == tuple(PAIRS)
        assert "flip_pairs=((1, 2), (5, 3))" in repr(again)
        assert again._options == transform._options
    assert ScaleJitter(size=SIZE, flip=1, flip_pairs=tuple(PAIRS))(sample, 0) == ScaleJitter(
        size=SIZE, flip=1, flip_pairs=PAIRS
    )(sample, 0)


@pytest.mark.parametrize(
    "value", [1, "0", None, 0j, np.array(0), [[0], [0, 0]], [0], Decimal(0), np.timedelta64(0, "s"), np.nan]
)
def test_stand_ins_that_are_no_zero(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^missing: expected 0 for 'keypoints', got"):
        SimpleCopyPaste(size=8, missing={"keypoints": value})


@pytest.mark.parametrize("value", [0, 0.0, np.int8(0), np.float64(0)])
def test_stand_ins_that_are_zero(kernels: ModuleType, value: Any) -> None:
    with_points, without = random_sample(1, (9, 12), 3, points=2), random_sample(2, (9, 12), 3)
    still = Placement((9, 12), (9, 12), (0, 0), (9, 12))
    result = kernels.copy_paste(Plan(still), without, with_points, missing={"keypoints": value}).instances
    assert result.keypoints.dtype == np.float32
