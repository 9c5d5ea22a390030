"""Sample and Instances: checked columns, value semantics."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, PixelMap, RleMasks, Sample

MASKS = RleMasks((2, 3), [1, 2, 3, 0, 6], [0, 3, 5])
IMAGE = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


def test_columns_are_attributes() -> None:
    instances = Instances(masks=MASKS, labels=[4, 5], iscrowd=[0, 1], score=(0.5, 0.75), vec=np.eye(2))
    assert len(instances) == 2
    assert list(instances.columns) == ["masks", "labels", "boxes", "iscrowd", "score", "vec"]
    assert instances.boxes is not None
    assert instances.boxes.dtype == np.float32
    assert instances.boxes.tolist() == [[0, 0, 2, 2], [0, 0, 3, 2]]
    assert instances.iscrowd is not None
    assert instances.iscrowd.dtype == np.bool_
    assert instances.score.tolist() == [0.5, 0.75]
    assert "score" in dir(instances)
    assert instances.labels is instances.columns["labels"]
    with pytest.raises(AttributeError, match=r"^Instances has no column 'scores'$"):
        _ = instances.scores
    assert Instances().masks is None
    assert len(Instances()) == 0


def test_masks_win_over_boxes() -> None:
    boxes = [[9, 9, 9, 9], [1, 1, 1, 1]]
    assert Instances(masks=MASKS, boxes=boxes) == Instances(masks=MASKS)
    bare = Instances(boxes=boxes)
    assert bare.boxes is not None
    assert bare.boxes.tolist() == boxes
    assert Instances(boxes=[]).columns["boxes"].shape == (0, 4)


def test_rows() -> None:
    instances = Instances(masks=MASKS, labels=[4, 5], name=["a", "b"])
    for rows in (1, -1, [1], slice(1, None), [False, True], np.array([1], np.int16)):
        picked = instances[rows]
        assert picked == Instances(masks=MASKS[1], labels=[5], name=["b"])
    assert instances[[1, 0]][[1, 0]] == instances
    with pytest.raises(IndexError, match=r"^rows: row 2 is out of range for 2 rows$"):
        _ = instances[2]


def test_concat() -> None:
    a = Instances(masks=MASKS, labels=np.array([4, 5], np.uint8), name=["a", "b"])
    b = Instances(masks=MASKS[:1], labels=np.array([300], np.int64), name=["long"])
    joined = Instances.concat([a, b, Instances()])
    assert joined == Instances(masks=RleMasks.concat([MASKS, MASKS[:1]]), labels=[4, 5, 300], name=["a", "b", "long"])
    assert joined.columns["boxes"].shape == (3, 4)
    assert Instances.concat([]) == Instances() == Instances.concat([Instances()])
    with pytest.raises(ValueError, match=r"^instances: expected the same columns in each, got 'name' in some$"):
        Instances.concat([a, Instances(masks=MASKS, labels=[1, 2])])


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"masks": np.zeros((1, 2, 3))}, TypeError, "masks: expected RleMasks (RleMasks.from_dense takes arrays), got ndarray"),
        ({"masks": MASKS, "labels": [1]}, ValueError, "labels: expected 2 rows as in masks, got 1"),
        ({"labels": [1, 2], "score": [1]}, ValueError, "score: expected 2 rows as in labels, got 1"),
        ({"labels": 5}, ValueError, "labels: expected one row for each instance, got the single value 5"),
        ({"v": [[1, 2], [3]]}, ValueError, "v: expected an array with one row for each instance, got rows of differing"),
        ({"boxes": [[1, 2, 3]]}, ValueError, "boxes: expected shape (n, 4), got (1, 3)"),
        ({"boxes": [[0, 0, 1, np.nan]]}, ValueError, "boxes: expected finite numbers, got NaN or infinity"),
        ({"boxes": [["a"] * 4]}, TypeError, "boxes: expected numbers, got dtype <U1"),
        ({"iscrowd": [2]}, ValueError, "iscrowd: expected 0 and 1 or bools, got another number"),
        ({"iscrowd": [0.0]}, TypeError, "iscrowd: expected bools, got dtype float64"),
        ({"columns": [1]}, ValueError, "columns: expected another name for a column, got one that has a meaning of its own"),
        ({"_hidden": [1]}, ValueError, "_hidden: expected another name for a column"),
    ],
)  # fmt: skip
def test_bad_columns(columns: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Instances(**columns)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1]], Instances()), TypeError, "image: expected a NumPy array, got list"),
        ((IMAGE.astype(np.int64), Instances()), TypeError, "image: expected dtype uint8, uint16 or float32, got int64"),
        ((IMAGE.astype(">u2"), Instances()), TypeError, "image: expected the machine's byte order, got dtype '>u2'"),
        ((IMAGE[0, 0], Instances()), ValueError, "image: expected shape (H, W) or (H, W, C), got (3,)"),
        ((IMAGE[:0], Instances()), ValueError, "image: expected no side of length zero, got shape (0, 3, 3)"),
        ((IMAGE[..., :0], Instances()), ValueError, "image: expected no side of length zero, got shape (2, 3, 0)"),
        ((IMAGE, MASKS), TypeError, "instances: expected Instances, got RleMasks"),
        ((IMAGE[:1], Instances(masks=MASKS)), ValueError, "instances: expected masks of the image's size (1, 3), got (2, 3)"),
        ((IMAGE, Instances(), 5), TypeError, "info: expected a mapping, got int"),
    ],
)  # fmt: skip
def test_bad_samples(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Sample(*arguments)
    assert str(caught.value) == message


def test_values() -> None:
    sample = Sample(IMAGE, Instances(masks=MASKS, score=[0.5, np.nan]), {"image_id": 3, "pose": np.zeros(2)})
    again = pickle.loads(pickle.dumps(sample))
    assert again == sample
    assert again.instances.score.dtype == np.float64
    assert sample != Sample(IMAGE + 1, sample.instances, sample.info)
    assert sample != Sample(IMAGE, sample.instances[:1], sample.info)
    assert sample != Sample(IMAGE, sample.instances, {"image_id": 3})
    assert sample.size == (2, 3)
    assert repr(sample) == "Sample(image=(2, 3, 3) uint8, Instances(n=2, columns=[masks, boxes, score]))"
    info = {"a": 1}
    assert Sample(IMAGE, Instances(), info).info is not info
    with pytest.raises(AttributeError, match=r"^Sample is immutable: cannot set 'image'$"):
        sample.image = IMAGE
    with pytest.raises(TypeError, match="unhashable"):
        hash(sample)


def test_equality_looks_into_everything() -> None:
    def with_info(**info: Any) -> Sample:
        return Sample(IMAGE, Instances(), info)

    assert with_info(a={"K": np.eye(3)}) == with_info(a={"K": np.eye(3)})
    assert with_info(a={"K": np.eye(3)}) != with_info(a={"K": np.eye(4)})
    assert with_info(a=[np.eye(3), 2]) == with_info(a=[np.eye(3), 2]) != with_info(a=[np.eye(3), 3])
    assert with_info(a=float("nan")) == with_info(a=float("nan")) != with_info(a=1.0)
    days = np.array(["2020-01-01", "NaT"], "datetime64[D]")
    assert Instances(day=days) == Instances(day=days.copy()) != Instances(day=days[::-1])
    ragged = np.array([np.zeros(2), np.zeros(3)], object)
    assert Instances(v=ragged) == Instances(v=ragged.copy()) != Instances(v=ragged[::-1])
    pairs = np.array([(1, np.nan)], [("a", "i4"), ("b", "f4")])
    assert Instances(v=pairs) == Instances(v=pairs.copy()) != Instances(v=np.zeros(1, pairs.dtype))


def test_rows_without_crowds() -> None:
    mixed = Instances(labels=[3, 7, 9], iscrowd=[False, True, False])
    assert mixed.without_crowds() == Instances(labels=[3, 9], iscrowd=[False, False])
    assert mixed[:0].without_crowds() == mixed[:0]
    unsaid = Instances(labels=[3, 7])
    assert unsaid.without_crowds() == unsaid


def test_parts_of_a_sample_are_replaced() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    rows = Instances(masks=RleMasks((2, 3), [1, 2, 3], [0, 3]), labels=[4])
    depth = PixelMap(np.ones((2, 3), np.float32), fill=7)
    sample = Sample(image, rows, {"image_id": 5}, maps={"depth": depth})
    assert sample.replace() == sample
    assert sample.replace().info is not sample.info
    assert sample.replace(image=image + 1) == Sample(image + 1, rows, {"image_id": 5}, maps={"depth": depth})
    assert sample.replace(instances=Instances()) == Sample(image, Instances(), {"image_id": 5}, maps={"depth": depth})
    assert sample.replace(info={}) == Sample(image, rows, maps={"depth": depth})
    assert sample.replace(maps={}) == Sample(image, rows, {"image_id": 5})
    assert sample == Sample(image, rows, {"image_id": 5}, maps={"depth": depth})
    boxed = Sample(image, Instances(boxes=[[0, 0, 2, 1]]))
    assert boxed.replace(info={"a": 1}).instances == boxed.instances
    with pytest.raises(ValueError, match=r"^instances: expected masks of the image's size \(5, 3\), got \(2, 3\)$"):
        sample.replace(image=np.zeros((5, 3), np.uint8), maps={})
    with pytest.raises(TypeError, match=r"^instances: expected Instances, got list$"):
        sample.replace(instances=[])  # type: ignore[arg-type]


def test_what_cannot_be_joined_is_named() -> None:
    with pytest.raises(ValueError, match=r"^instances: expected columns 'v' that can be joined, got others: "):
        Instances.concat([Instances(v=[[1, 2]]), Instances(v=[[1, 2, 3]])])
    with pytest.raises(TypeError, match=r"^instances: expected a sequence, got int$"):
        Instances.concat(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^rows: expected row numbers, a slice or a bool array, got \[0, \[1\]\]$"):
        _ = Instances(v=[1, 2])[[0, [1]]]  # type: ignore[list-item]


def test_subclasses_of_arrays_count_as_their_memory() -> None:
    masked = np.ma.masked_array(np.arange(6, dtype=np.uint8).reshape(2, 3), mask=True)
    assert type(Sample(masked, Instances()).image) is np.ndarray
    assert Sample(masked, Instances()) == Sample(masked.data, Instances())
