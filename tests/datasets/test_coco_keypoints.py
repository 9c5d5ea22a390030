"""Keypoints of COCO files: half a pixel apart in memory, written as they were read, exchanged by their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, Placement, Plan, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CocoWriter
from tests.fixtures.coco_files import Files, annotation, box_polygon, write

NAMES = ["nose", "left_eye", "right_eye", "tail"]
PERSON = {"id": 1, "name": "person", "keypoints": NAMES, "skeleton": [[1, 2], [1, 3]]}
SQUARE = [box_polygon(2, 2, 9, 9)]
POINTS = [10, 20, 2, 3.25, 4.1, 1, 0, 0, 0, 17.37, 0, 2]


def files(folder: Path, keypoints: list[Any], categories: list[Any] | None = None, **fields: Any) -> Any:
    """A file with one annotation for each list of keypoints; without for an ellipsis."""
    annotations = [
        annotation(i, SQUARE, **({} if each is ... else {"keypoints": each}), **fields)
        for i, each in enumerate(keypoints)
    ]
    return write(folder, annotations, categories=[PERSON] if categories is None else categories)


def test_points_are_half_a_pixel_further(tmp_path: Path) -> None:
    photos = CocoDataset(*files(tmp_path, [POINTS, ..., None, []]))
    points = photos.instances(0).keypoints
    assert points is not None
    assert points.dtype == np.float32
    assert (
        points[0].tolist()
        == np.array([[10.5, 20.5, 2], [3.75, 4.6, 1], [0, 0, 0], [17.87, 0.5, 2]], np.float32).tolist()
    )
    assert not points[1:].any()
    assert photos.keypoint_names == NAMES
    assert photos.flip_pairs == ((1, 2),)
    assert "num_keypoints" not in photos.instances(0).columns


def test_num_keypoints_is_counted(tmp_path: Path) -> None:
    photos = CocoDataset(*files(tmp_path, [POINTS, ...], num_keypoints=99))
    assert photos.instances(0).num_keypoints.tolist() == [3, 0]


def test_a_file_without_keypoints_has_no_column(tmp_path: Path) -> None:
    photos = CocoDataset(*files(tmp_path, [..., None, []], [{"id": 1, "name": "person"}]))
    assert photos.instances(0).keypoints is None
    assert photos.keypoint_names is None
    assert photos.flip_pairs is None


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows: list[Any] = [POINTS]
    for i in range(200):
        xy = rng.integers(0, 2000, (4, 2)).tolist() if i % 2 else rng.uniform(0, 1000, (4, 2)).round(3).tolist()
        rows.append(
            [value for point, v in zip(xy, rng.integers(0, 3, 4).tolist(), strict=True) for value in (*point, v)]
        )
    photos = CocoDataset(*files(tmp_path / "in", rows))
    with CocoWriter(tmp_path / "out", photos.categories, format="png") as writer:
        writer.write(photos[0])
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert written["categories"] == [PERSON]
    for row, found in zip(rows, written["annotations"], strict=True):
        assert found["num_keypoints"] == sum(v > 0 for v in row[2::3])
        for k in range(0, 12, 3):
            assert found["keypoints"][k + 2] == row[k + 2]
            for here, there in zip(found["keypoints"][k : k + 2], row[k : k + 2], strict=True):
                assert isinstance(here, int) == (here == round(here))
                assert here == there if isinstance(there, int) else abs(here - there) < 1e-4
    again = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    np.testing.assert_array_equal(again.instances(0).keypoints, photos.instances(0).keypoints)


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["nose", "left_eye", "right_eye"], ((1, 2),)),
        (["Eye_Right", "eye_left", "LeftEar", "rightEar"], ((1, 0), (2, 3))),
        (["left", "right", "leftmost"], ((0, 1),)),
        (["left_wing", "head"], ()),
        (["left_a_left", "right_a_left", "left_a_right"], ((0, 1),)),
        (["left_eye_left", "right_eye_left", "left_eye_right", "right_eye_right"], ((0, 1), (2, 3))),
        ([], None),
    ],
)
def test_pairs_are_found_by_names(tmp_path: Path, names: list[str], pairs: Any) -> None:
    photos = CocoDataset(
        *files(tmp_path, [...], [{"id": 1, "name": "x", "keypoints": names}, {"id": 2, "name": "rock"}])
    )
    assert photos.flip_pairs == pairs


BAD: list[tuple[list[Any], str]] = [
    ([[1, 2, 2, 4]], r"annotations\[0\]: keypoints: expected three numbers for each point, got 4$"),
    (
        [POINTS, [1, 2, 2]],
        r"annotations\[1\]: keypoints: expected 12 numbers, 3 for each of 4 names in the categories, got 3$",
    ),
    (
        [[1, 2, 3]],
        r"annotations\[0\]: keypoints: expected v of 0 \(not marked\), 1 \(hidden\) or 2 \(visible\), got 3$",
    ),
    ([["1", 2, 2]], r"annotations\[0\]: keypoints: expected a list of numbers x, y, v, "),
    ([{"x": 1}], r"annotations\[0\]: keypoints: expected a list of numbers x, y, v, "),
    ([[1e300, 2, 2]], r"annotations\[0\]: keypoints: expected numbers that float32 holds, got 1e\+300$"),
]


@pytest.mark.parametrize(("keypoints", "message"), BAD)
def test_malformed_keypoints(tmp_path: Path, keypoints: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"annotations\.json: " + message):
        CocoDataset(*files(tmp_path, keypoints))


DIFFERING: list[tuple[Any, list[Any], str]] = [
    (..., [PERSON, {"id": 2, "name": "dog", "keypoints": ["nose", "tail"]}],
     r"categories\[1\]: expected the keypoints of the other categories, \['nose', "),
    (..., [{"id": 1, "name": "x", "keypoints": "nose"}], r"categories\[0\]: expected names of keypoints as a list of strings, got 'nose'"),
    ([1, 1, 2, 2, 2, 2], [PERSON], r"annotations\[0\]: keypoints: expected 12 numbers, 3 for each of 4 names"),
]  # fmt: skip


@pytest.mark.parametrize(("keypoints", "categories", "message"), DIFFERING)
def test_names_that_do_not_fit(tmp_path: Path, keypoints: Any, categories: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CocoDataset(*files(tmp_path, [keypoints], categories))


def test_without_names_all_have_as_many_as_the_first(tmp_path: Path) -> None:
    nameless = [{"id": 1, "name": "x"}]
    assert CocoDataset(*files(tmp_path / "a", [..., POINTS, []], nameless)).flip_pairs is None
    with pytest.raises(
        ValueError, match=r"annotations\[2\]: keypoints: expected 12 numbers as in other annotations, got 3$"
    ):
        CocoDataset(*files(tmp_path / "b", [POINTS, ..., [1, 2, 2]], nameless))


def test_through_the_transform_and_back(tmp_path: Path) -> None:
    photos = CocoDataset(*files(tmp_path / "in", [POINTS, [5, 5, 2] * 4]))
    h, w = photos[0].size
    transform = SimpleCopyPaste(
        size=(15, w),
        target_scale=(1, 1),
        source_scale=(1, 1),
        scale_reference="input",
        flip=1,
        flip_pairs=photos.flip_pairs,
    )
    plan = Plan(Placement((h, w), (h, w), (0, 0), (15, w), hflip=True))
    result = transform.apply(plan, photos[0], [])
    points = result.instances.keypoints
    assert points is not None
    assert points[0, 0].tolist() == [0, 0, 0]  # 20.5 is below the canvas
    assert (
        points[0, 2].tolist() == np.array([w - 3.75, 4.6, 1], np.float32).tolist()
    )  # the left eye is the right one now
    with CocoWriter(tmp_path / "out", photos.categories, format="png") as writer:
        writer.write(result)
    again = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    np.testing.assert_allclose(again.instances(0).columns["keypoints"], points, atol=1e-4)


def test_a_point_at_the_very_edge_stays_on_the_image(tmp_path: Path) -> None:
    edge = np.nextafter(np.float32(60), np.float32(0))
    mask = RleMasks.from_dense(np.ones((1, 40, 60), np.uint8))
    sample = Sample(np.zeros((40, 60, 3), np.uint8), Instances(masks=mask, labels=[1], keypoints=[[[edge, 0, 2]]]))
    with CocoWriter(tmp_path, [{"id": 1, "name": "x"}]) as writer:
        writer.write(sample)
    again = CocoDataset(tmp_path / "annotations.json", tmp_path / "images").instances(0)
    assert again.keypoints is not None
    assert again.keypoints[0, 0, 0] == edge


def test_the_writer_refuses_what_nobody_could_read(tmp_path: Path) -> None:
    mask = RleMasks.from_dense(np.ones((1, 40, 60), np.uint8))

    def sample(k: int, **columns: Any) -> Sample:
        points = {"keypoints": np.zeros((1, k, 3))} if k else {}
        return Sample(np.zeros((40, 60, 3), np.uint8), Instances(masks=mask, labels=[1], **points, **columns))

    with CocoWriter(tmp_path / "a", [PERSON]) as writer:
        with pytest.raises(
            ValueError, match=r"^sample: expected 4 keypoints, as the categories or samples before have, "
        ):
            writer.write(sample(2))
        writer.write(sample(4))
        with pytest.raises(
            ValueError, match=r"^sample: expected no column 'num_keypoints' without 'keypoints', got one"
        ):
            writer.write(sample(0, num_keypoints=[3]))
        writer.write(sample(0))
    with CocoWriter(tmp_path / "b", [{"id": 1, "name": "x"}]) as writer:
        writer.write(sample(2))
        with pytest.raises(
            ValueError, match=r"^sample: expected 2 keypoints, as the categories or samples before have, "
        ):
            writer.write(sample(3))
    with pytest.raises(ValueError, match=r"^categories\[1\]: expected the keypoints of the other categories"):
        CocoWriter(tmp_path / "c", [PERSON, {"id": 2, "name": "dog", "keypoints": ["nose"]}])


def test_the_command_line_finds_the_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def places(of: Files, kind: str = "") -> list[str]:
        return [f"--{kind}annotations", str(of.annotations), f"--{kind}images", str(of.images)]

    def augment(*given: str, to: str) -> int:
        return run(["augment", "--workers", "1", "--size", "32", *given, "--output", str(tmp_path / to)])

    named = files(tmp_path / "named", [POINTS, POINTS])
    assert augment(*places(named), to="out") == 0
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert written["info"]["settings"]["flip_pairs"] == [[1, 2]]
    assert all(len(each["keypoints"]) == 12 for each in written["annotations"])
    nameless = files(tmp_path / "nameless", [POINTS], [{"id": 1, "name": "x"}])
    assert augment(*places(nameless), to="no") == 2
    assert "--flip: expected 0, since the categories have no names of keypoints" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    assert augment(*places(nameless), "--flip", "0", to="no") == 0
    # One file with keypoints and one without.
    both = [*places(files(tmp_path / "plain", [...], [PERSON])), *places(named, "source-")]
    assert augment(*both, to="both") == 2
    assert "--missing keypoints=VALUE is needed" in capsys.readouterr().err
    assert augment(*both, "--missing", "keypoints=0", to="both") == 0
