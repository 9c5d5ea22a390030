"""Boxes without outlines: rectangles where masks would be, cut and dropped as masks are, pasted only when asked."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Instances, Paste, Placement, Plan, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.errors import ArgumentError
from tests.fixtures.ascii import dense, masks, rle
from tests.fixtures.samples import random_sample

SIZE = (6, 9)
IMAGE = np.zeros(SIZE, np.uint8)
STILL = Placement(SIZE, SIZE, (0, 0), SIZE)


def rectangle(box: Any, size: tuple[int, int] = SIZE) -> np.ndarray[Any, Any]:
    """The pixels whose centres lie in a box."""
    x0, y0, x1, y1 = np.array(box, np.float32).tolist()
    inside = [[x0 <= x + 0.5 < x1 and y0 <= y + 0.5 < y1 for x in range(size[1])] for y in range(size[0])]
    return np.array(inside, np.uint8).reshape(size)


def boxes(seed: int, n: int) -> np.ndarray[Any, Any]:
    """Boxes in and beside the image, on halves of pixels and between, some without area."""
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(-3, 12, (n, 2, 2)) if seed % 2 else rng.integers(-6, 24, (n, 2, 2)) / 2, axis=1)
    return corners.reshape(n, 4)


def test_rectangles_are_the_pixels_whose_centres_they_hold() -> None:
    for seed in range(300):
        size = (1 + seed % 7, 1 + seed % 9)
        given = boxes(seed, seed % 5)
        sample = Sample(np.zeros(size, np.uint8), Instances(boxes=given))
        assert sample.instances.masks is not None
        expected = np.array([rectangle(box, size) for box in given], np.uint8).reshape(-1, *size)
        np.testing.assert_array_equal(dense(sample.instances.masks), expected)
        assert RleMasks.from_dense(expected) == sample.instances.masks  # canonical
        np.testing.assert_array_equal(sample.instances.columns["boxes"], sample.instances.masks.boxes)


def test_boxes_stay_as_given_until_there_is_an_image() -> None:
    instances = Instances(boxes=[[0.25, 1, 3.5, 2.75]], labels=[7])
    assert instances.masks is None
    assert instances.boxes is not None
    assert instances.boxes.tolist() == [[0.25, 1, 3.5, 2.75]]
    assert instances.box_only is not None
    assert instances.box_only.tolist() == [True]
    in_image = Sample(IMAGE, instances).instances
    assert in_image.boxes is not None
    assert in_image.boxes.tolist() == [[0, 1, 3, 3]]
    assert list(in_image.columns) == ["masks", "labels", "boxes", "box_only"]
    # A sample made of what another one holds is the same.
    assert Sample(IMAGE, in_image).instances == in_image


def test_boxes_among_masks() -> None:
    outlines = masks("##......./#........" + 4 * "/.........", "........." + 5 * "/.........")
    given: list[Any] = [[5, 5, 6, 6], [2, 1, 5, 3]]
    instances = Instances(masks=outlines, boxes=given, box_only=[False, True])
    assert instances.masks is not None
    found = dense(instances.masks)
    np.testing.assert_array_equal(found[0], dense(outlines)[0])
    np.testing.assert_array_equal(found[1], rectangle(given[1]))
    assert instances.boxes is not None
    assert instances.boxes.tolist() == [[0, 0, 2, 2], [2, 1, 5, 3]]
    # Whatever the mask of such a row was.
    flagged = Instances(masks=outlines, boxes=given, box_only=[True, True])
    assert flagged.masks is not None
    np.testing.assert_array_equal(dense(flagged.masks), [rectangle(box) for box in given])
    assert Instances(masks=outlines, box_only=[False, False]).masks == outlines


def test_joined_with_masks() -> None:
    outlines = random_sample(1, SIZE, 3).instances
    alone = Instances(boxes=[[2, 1, 5, 3]], labels=[9], iscrowd=[False])
    for parts in ([outlines, alone], [alone, outlines]):
        joined = Instances.concat(parts)
        assert joined.masks is not None
        assert joined.box_only is not None
        assert joined.box_only.tolist() == [part is alone for part in parts for _ in range(len(part))]
        np.testing.assert_array_equal(dense(joined.masks)[joined.box_only][0], rectangle([2, 1, 5, 3]))
        np.testing.assert_array_equal(joined.columns["boxes"], joined.masks.boxes)
    assert Instances.concat([alone, alone]).masks is None


BAD_BOXES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"boxes": [[0, 0, 1, 1], [3, 0, 2, 1]]}, ValueError, r"^boxes\[1\]: expected x0 <= x1 and y0 <= y1, got \[3.0, 0.0, "),
    ({"boxes": [[0, 2, 1, 1]]}, ValueError, r"^boxes\[0\]: expected x0 <= x1 and y0 <= y1, got"),
    ({"boxes": [[0, 0, np.nan, 1]]}, ValueError, r"^boxes: expected finite numbers, got NaN or infinity$"),
    ({"boxes": [[0, 0, 1e39, 1]]}, ValueError, r"^boxes: expected finite numbers, got NaN or infinity$"),
    ({"boxes": [[0, 0, 1]]}, ValueError, r"^boxes: expected shape \(n, 4\), got \(1, 3\)$"),
    ({"boxes": [[0, 0, 1, 1]], "box_only": [False]}, ValueError, r"^box_only: expected True for each row, as there are no masks"),
    ({"boxes": [[0, 0, 1, 1]], "box_only": [True, True]}, ValueError, r"^box_only: expected 1 rows as in boxes, got 2$"),
    ({"box_only": [True]}, ValueError, r"^boxes: expected boxes of the rows that are box_only, got none$"),
    ({"box_only": [2], "boxes": [[0, 0, 1, 1]]}, ValueError, r"^box_only: expected 0 and 1 or bools"),
    ({"box_only": ["yes"], "boxes": [[0, 0, 1, 1]]}, TypeError, r"^box_only: expected bools, got dtype"),
    ({"masks": masks("#."), "box_only": [True]}, ValueError, r"^boxes: expected boxes of the rows that are box_only"),
    ({"masks": masks("#."), "box_only": [True], "boxes": np.zeros((2, 4))}, ValueError, r"^boxes: expected 1 rows as in masks, got 2$"),
    ({"masks": masks("#."), "box_only": [True], "boxes": [[1, 0, 0, 0]]}, ValueError, r"^boxes\[0\]: expected x0 <= x1"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "kind", "message"), BAD_BOXES)
def test_boxes_that_are_none(columns: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Instances(**columns)


def without_flags(sample: Sample) -> Sample:
    """A sample whose rectangles are outlines."""
    columns = sample.instances.columns
    del columns["box_only"]
    return Sample(sample.image, Instances(**columns))


def test_boxes_go_the_way_of_masks(backend: str) -> None:
    pasted = 0
    for seed in range(100):
        target, source = (random_sample(seed + i, (14, 19), 5, boxes=True) for i in range(2))
        plain_target, plain_source = without_flags(target), without_flags(source)
        options: dict[str, Any] = {"size": (16, 12), "min_visibility": 0.3, "min_area": 3, "backend": backend}
        with_boxes, usual = SimpleCopyPaste(**options, paste_boxes=True), SimpleCopyPaste(**options)
        plan = with_boxes.sample_plan(target, source, seed)
        assert plan == usual.sample_plan(plain_target, plain_source, seed)
        result, expected = with_boxes.apply(plan, target, source), usual.apply(plan, plain_target, plain_source)
        columns = result.instances.columns
        flags = columns.pop("box_only")
        assert Instances._trusted(columns) == expected.instances
        np.testing.assert_array_equal(result.image, expected.image)
        for flag, number, row in zip(flags, columns["source"], columns["source_row"], strict=True):
            assert flag == (source if number == 0 else target).instances.columns["box_only"][row]
        pasted += int((flags & (columns["source"] == 0)).sum())
        # Not asked for, they are pasted as little as crowds are.
        columns = plain_source.instances.columns
        columns["iscrowd"] = columns["iscrowd"] | source.instances.columns["box_only"]
        crowded = Sample(source.image, Instances(**columns))
        assert usual.sample_plan(target, source, seed) == usual.sample_plan(plain_target, crowded, seed)
    assert pasted > 12


def test_a_side_without_such_rows(kernels: ModuleType) -> None:
    target, source = (
        Sample(IMAGE, Instances(boxes=[[0, 0, 4, 4]])),
        Sample(IMAGE, Instances(masks=rle(rectangle([2, 2, 6, 6])[np.newaxis]))),
    )
    plan = Plan(STILL, (Paste(0, (0,), STILL),))
    result = kernels.copy_paste(plan, target, source).instances
    assert result.box_only.tolist() == [True, False]
    # What is left of the rectangle is no rectangle; its box is.
    np.testing.assert_array_equal(dense(result.masks)[0], rectangle([0, 0, 4, 4]) & ~rectangle([2, 2, 6, 6]))
    assert result.boxes.tolist() == [[0, 0, 4, 4], [2, 2, 6, 6]]
    assert result.visibility[0] == 0.75
    result = kernels.copy_paste(Plan(STILL, (Paste(0, (0,), STILL),)), source, target).instances
    assert result.box_only.tolist() == [False, True]
    # Off the canvas, or without a pixel, it is gone as a mask would be.
    empty = Sample(IMAGE, Instances(boxes=[[0.6, 0.6, 1.4, 1.4], [20.0, 0.0, 30.0, 3.0]]))
    assert len(kernels.copy_paste(Plan(STILL), empty, []).instances) == 0


def test_outlines_of_boxes_are_none() -> None:
    sample = Sample(
        IMAGE, Instances(masks=rle(np.array([rectangle([2, 2, 6, 6])] * 2)), boxes=[[0, 0, 3, 3]] * 2, box_only=[0, 1])
    )
    assert [len(parts) for parts in sample.instances.to_polygons()] == [1, 0]
    assert Instances(boxes=[[0, 0, 3, 3]]).to_polygons() == [[]]
    plain = random_sample(1, SIZE, 3).instances
    assert plain.masks is not None
    assert [[part.tolist() for part in parts] for parts in plain.to_polygons()] == [
        [part.tolist() for part in parts] for parts in plain.masks.to_polygons()
    ]


def test_pseudo_objects_are_pasted_only_when_asked(backend: str) -> None:
    truth = random_sample(1, (14, 19), 6, crowds=False)
    flags = np.arange(6) % 2 == 0
    assert truth.instances.masks is not None
    predicted = Sample(
        truth.image,
        Instances(masks=truth.instances.masks, labels=truth.instances.labels, pseudo=flags, score=np.full(6, 0.5)),
    )
    options: dict[str, Any] = {"size": (14, 19), "source_scale": (1, 1), "select": "all", "backend": backend}
    rows = [row for row, area in enumerate(truth.instances.masks.area) if area]
    plan = SimpleCopyPaste(**options).sample_plan(truth, predicted, 3)
    assert plan.pastes[0].instances == tuple(row for row in rows if row % 2)
    every = SimpleCopyPaste(**options, paste_pseudo=True).sample_plan(truth, predicted, 3)
    assert every.pastes[0].instances == tuple(rows)
    # True objects are no predictions, and certain.
    for target, source in ((truth, predicted), (predicted, truth)):
        result = SimpleCopyPaste(**options).apply(plan, target, source).instances
        from_truth = result.source == (-1 if target is truth else 0)
        assert not result.pseudo[from_truth].any()
        assert (result.score[from_truth] == 1).all()
        assert (result.score[~from_truth] == 0.5).all()
    result = SimpleCopyPaste(**options, missing={"score": 0.25}).apply(plan, truth, predicted).instances
    assert (result.score[result.source == -1] == 0.25).all()
    # Without predictions a score is a column as any other.
    scored = Sample(
        truth.image, Instances(masks=truth.instances.masks, labels=truth.instances.labels, score=np.ones(6))
    )
    with pytest.raises(ArgumentError, match=r"^sources\[0\]: expected the column 'score', which target has"):
        SimpleCopyPaste(**options).apply(plan, scored, truth)


@pytest.mark.parametrize("name", ["paste_boxes", "paste_pseudo"])
def test_flags_are_flags(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: expected True or False, got 1$"):
        SimpleCopyPaste(size=8, **{name: 1})  # type: ignore[arg-type]


def test_for_training_keeps_the_rows_apart() -> None:
    sample = Sample(IMAGE, Instances(boxes=[[0, 0, 4, 4]], labels=[3]))
    ready = ForTraining(SimpleCopyPaste(size=8))(sample, sample, 0)
    assert ready.instances.box_only is not None
    assert isinstance(ready.masks, np.ndarray)
    assert len(ready.masks) == len(ready.instances.box_only)


@pytest.mark.parametrize("name", ["box_only", "pseudo"])
def test_flags_that_a_side_lacks_stay_flags(kernels: ModuleType, name: str) -> None:
    plain, flagged = (
        Sample(IMAGE, Instances(masks=rle(rectangle([2, 2, 6, 6])[np.newaxis]))),
        Sample(IMAGE, Instances(boxes=[[0, 0, 3, 3]])),
    )
    if name == "pseudo":
        flagged = Sample(IMAGE, plain.instances.replace(pseudo=[True]))
    for value, flag in ((0, False), (1, True), (True, True), (np.bool_(False), False), (0.0, False)):
        result = kernels.copy_paste(Plan(STILL), plain, flagged, missing={name: value}).instances.columns[name]
        assert result.dtype == np.bool_
        assert result.tolist() == [flag]
    for wrong in (2, 0.5, "x", None, 0j):
        with pytest.raises(ArgumentError, match=rf"^missing: expected False or True for '{name}', got"):
            kernels.copy_paste(Plan(STILL), plain, flagged, missing={name: wrong})


def test_flags_that_some_lack_are_joined() -> None:
    outline = Instances(masks=rle(rectangle([2, 2, 6, 6])[np.newaxis]), labels=[1])
    joined = Instances.concat([outline, outline.replace(iscrowd=[True])])
    assert joined.iscrowd is not None
    assert joined.iscrowd.tolist() == [False, True]
    predicted = outline.replace(pseudo=[True], score=[0.5])
    joined = Instances.concat([outline, predicted])
    assert (joined.pseudo.tolist(), joined.score.tolist()) == ([False, True], [1.0, 0.5])
    with pytest.raises(ArgumentError, match=r"^instances: expected the same columns in each, got 'score' in some$"):
        Instances.concat([outline, outline.replace(score=[0.5])])


def test_replaced_columns() -> None:
    sample = Sample(IMAGE, Instances(boxes=[[0, 0, 4, 4]], labels=[1]))
    source = Sample(IMAGE, Instances(masks=rle(rectangle([2, 2, 6, 6])[np.newaxis]), labels=[2]))
    cut = SimpleCopyPaste(size=SIZE).apply(Plan(STILL, (Paste(0, (0,), STILL),)), sample, source).instances
    # What was cut stays cut, the rest as it is.
    named = cut.replace(name=["a", "b"], labels=[7, 8])
    assert named.columns["name"].tolist() == ["a", "b"]
    assert named.labels is not None
    assert named.labels.tolist() == [7, 8]
    assert named.masks == cut.masks
    assert list(named.columns) == [*cut.columns, "name"]
    other = cut.replace(masks=rle(np.array([rectangle([0, 0, 1, 1])] * 2)), box_only=[False, False])
    assert other.boxes is not None
    assert other.boxes.tolist() == [[0, 0, 1, 1]] * 2
    with pytest.raises(ArgumentError, match=r"^score: expected 2 rows, got 1$"):
        cut.replace(score=[1])
    with pytest.raises(ArgumentError, match=r"^keypoints: expected shape"):
        cut.replace(keypoints=[1, 2])
    assert Instances().replace(score=[1]).score.tolist() == [1]


@pytest.mark.parametrize("boxes", [np.zeros((3, 0)), np.zeros((0, 7)), np.zeros((2, 5))])
def test_boxes_of_other_shapes(boxes: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^boxes: expected shape \(n, 4\), got"):
        Instances(boxes=boxes)
