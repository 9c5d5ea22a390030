"""PseudoLabels: results and arguments that are wrong, named with their places; nothing is written by halves."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from copypaste_rs.datasets import PseudoLabels
from tests.fixtures.coco_files import every_file
from tests.fixtures.pseudo_labels import CATEGORIES, IMAGES, made, one

RUN: dict[str, Any] = {"size": [24, 31], "counts": [100, 5, 639]}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"image_id": 3}, "image_id: expected the id of one of the 3 images of images, got 3"),
    ({"image_id": "3.jpg"}, "image_id: expected the id of one of the 3 images of images, got '3.jpg'"),
    ({"score": 1.5}, "score: expected a number from 0 to 1, got 1.5"),
    ({"score": -0.1}, "score: expected a number from 0 to 1, got -0.1"),
    ({"score": float("nan")}, "score: expected a number from 0 to 1, got null or NaN"),
    ({"score": None}, "score: expected a number from 0 to 1, got null or NaN"),
    ({"score": "0.5"}, "score: expected a number from 0 to 1, got '0.5'"),
    ({"score": True}, "score: expected a number from 0 to 1, got True"),
    ({"mask_score": 2}, "mask_score: expected a number from 0 to 1, got 2"),
    ({"category_id": 2}, "category_id: expected the id of one of the categories of images, got 2"),
    ({"category_id": "cat"}, "Expected an id of a category, got 'cat'"),
    ({"category_id": None}, "category_id: expected the id of one of the categories of images, got None"),
    ({"category_id": 1.5}, "category_id: expected the id of one of the categories of images, got 1.5"),
    ({"category_id": True}, "category_id: expected the id of one of the categories of images, got True"),
    ({"file_name": "x/9.jpg"}, "file_name: expected '0.jpg', that of image 7, got '9.jpg'"),
    ({"segmentation": {"size": [31, 24], "counts": "0"}},
     "segmentation: expected size [24, 31], height and width of its image, got [31, 24]"),
    ({"segmentation": {"size": [24, 31], "counts": [1, 2]}}, "segmentation: expected counts that sum to 744 for size [24, 31], got 3"),
    ({"segmentation": {"size": [24, 31], "counts": b"P"}}, "segmentation: counts: expected whole counts, got a string that ends inside one"),
    ({"segmentation": {"size": [24, 31], "counts": b"\xff"}}, "segmentation: counts: expected ASCII characters, got 'ÿ' at position 0"),
    ({"segmentation": [[1, 2, 3]]}, "segmentation[0]: expected an even number of coordinates, got 3"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_is_malformed_has_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as info:
        made([one(), one() | change])
    assert str(info.value).startswith(f"results: results[1]: {message}")


@pytest.mark.parametrize("change", [change for change, _ in WRONG if "image_id" in change or "category_id" in change])
def test_what_is_of_another_set_is_found_below_the_threshold_too(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^results: results\[0\]: "):
        made([one(0.01) | change])


@pytest.mark.parametrize("name", ["score", "category_id", "image_id"])
def test_what_is_missing(name: str) -> None:
    result = one()
    del result[name]
    with pytest.raises(ValueError, match=rf"^results: results\[0\]: .*{name}"):
        made([result])


def test_several_problems_at_once(tmp_path: Path) -> None:
    results = [one(image_id=3 + k) for k in range(30)]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    for given, name in ((results, "results"), (path, str(path))):
        with pytest.raises(ValueError) as info:
            made(given)
        lines = str(info.value).splitlines()
        assert lines[0] == f"{name}: results[0]: image_id: expected the id of one of the 3 images of images, got 3"
        assert (len(lines), lines[-1]) == (11, "  and 17 more")
    every = [one(), one() | {"segmentation": {"size": [24, 31], "counts": "P"}}] * 2
    with pytest.raises(
        ValueError, match=r"results\[1\]: segmentation: counts: .*\n  results\[3\]: segmentation: counts: "
    ):
        made(every)


def test_mask_scores_that_are_asked_for_and_missing() -> None:
    with pytest.raises(ValueError, match=r"^results: results\[1\]: expected a mask_score, got none$"):
        made([one(mask_score=0.5), one()], min_mask_score=0.25)
    found = made([one(mask_score=0.5), one(0.8, (12, 12, 5, 5))])
    assert found.kept == {1: 2}


@pytest.mark.parametrize("fields", [{}, {"segmentation": None}, {"bbox": None}, {"keypoints": [1, 2, 2]}])
@pytest.mark.parametrize("boxes", ["error", "drop"])
def test_neither_outline_nor_box(fields: dict[str, Any], boxes: str) -> None:
    result = {name: value for name, value in one().items() if name != "segmentation"} | fields
    with pytest.raises(ValueError, match=r"^results: results\[1\]: expected a segmentation or a bbox, got neither$"):
        made([one(), result], boxes=boxes)
    assert made([one(), result | {"score": 0.5}]).dropped == {1: {"low score": 1}}


SQUARE = np.zeros((24, 31), np.uint8)
SQUARE[3:11, 2:11] = 1
OTHER_SIZE = np.pad(SQUARE, 2)


@pytest.mark.parametrize(
    ("pixels", "shape"),
    [
        (SQUARE, "(24, 31)"),
        (SQUARE.astype(bool), "(24, 31)"),
        (SQUARE * np.uint8(255), "(24, 31)"),
        (SQUARE * 0.75, "(24, 31)"),
        (SQUARE * 0, "(24, 31)"),
        (SQUARE[np.newaxis], "(1, 24, 31)"),
        (OTHER_SIZE, "(28, 35)"),
        (SQUARE.tolist(), "(24, 31)"),
        (SQUARE.astype(bool).tolist(), "(24, 31)"),
        (list(SQUARE), "(24, 31)"),
        (list(SQUARE.astype(bool)), "(24, 31)"),
    ],
)
def test_masks_as_pixels(pixels: Any, shape: str) -> None:
    with pytest.raises(ValueError) as info:
        made([one(), one() | {"segmentation": pixels}])
    found = str(info.value).replace("results[1]['segmentation']", "results: results[1]: segmentation")
    assert found == (
        f"results: results[1]: segmentation: expected run lengths or polygons, got an array of shape {shape}; "
        "RleMasks.from_dense(masks).to_coco() makes them"
    )


def test_masks_as_pixels_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([one() | {"segmentation": SQUARE.tolist()}]))
    with pytest.raises(ValueError, match=r"results\[0\]: segmentation: expected run lengths or polygons, got an array"):
        made(path)


def test_polygons_that_look_like_pixels() -> None:
    """One row as wide as the image, or as many parts as it is high: outlines, as pycocotools draws them."""
    parts: list[tuple[tuple[int, int], list[list[float]]]] = [
        ((1, 8), [[0, 0, 1, 0, 1, 1, 0, 1]]),
        ((2, 8), [[0, 0, 3, 0, 3, 2, 0, 2], [4, 0, 7, 0, 7, 2, 4, 2]]),
    ]
    for (h, w), outline in parts:
        images = {"images": [{"id": 7, "file_name": "a.jpg", "height": h, "width": w}], "categories": CATEGORIES}
        for form in (outline, np.array(outline), [np.array(part) for part in outline]):
            labels = made([one() | {"segmentation": form}], images)
            expected = coco.decode(coco.merge(coco.frPyObjects(outline, h, w)))
            masks = labels.dataset(".").instances(0).masks
            assert masks is not None
            np.testing.assert_array_equal(masks.to_dense(), expected[np.newaxis])


@pytest.mark.parametrize(
    ("results", "options", "said"),
    [
        ([one(0.5)], {}, "1 result: none has a score of at least min_score"),
        ([one(0.5), one(0.6)], {"ignore_below": 0.55}, "2 results: none has a score of at least min_score"),
        ([one(0.5), one(), one()], {"min_area": 100}, "3 results: 1 low score, 2 small"),
        ([one() | {"segmentation": []}], {}, "1 result: 1 no pixel"),
    ],
)
def test_no_object_at_all_is_said(results: Any, options: dict[str, Any], said: str) -> None:
    with pytest.warns(UserWarning, match="no object was made") as found:
        made(results, **options)
    assert [str(each.message) for each in found] == [f"results: no object was made of {said}"]
    assert found[0].filename.endswith("pseudo_labels.py")  # of the line that asked: made() of the tests


def test_categories_are_named_by_where_they_are_from(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps({"images": [], "categories": CATEGORIES}))
    for categories, name in ((path, f"the categories of {path}"), (CATEGORIES, "categories")):
        with pytest.raises(ValueError) as info:
            made([one(category_id=2)], IMAGES, categories=categories)
        assert str(info.value) == f"results: results[0]: category_id: expected the id of one of {name}, got 2"
    with pytest.raises(ValueError, match=r"^categories: expected those of the results, got none$"):
        made([one()], IMAGES, categories=[])
    with pytest.raises(ValueError, match=r"^categories\[0\]: expected an integer as id, got None$"):
        made([one()], IMAGES, categories=[{"name": "cat"}])


def test_boxes_alone() -> None:
    results = [one(), one(0.9, image_id=8) | {"segmentation": None, "bbox": [1, 2, 3, 4]}]
    message = (
        r"^results: results\[1\]: expected a segmentation, got a bbox alone; boxes='drop' leaves such results out$"
    )
    with pytest.raises(ValueError, match=message):
        made(results)
    labels = made([*results, one() | {"segmentation": []}], boxes="drop")
    assert (labels.kept, labels.dropped) == ({1: 1}, {1: {"box alone": 1, "no pixel": 1}})


def test_short_parts_are_told() -> None:
    with pytest.warns(UserWarning, match=r"^results: left out 1 polygon part of fewer than three points$"):
        made([one() | {"segmentation": [[1, 2, 3, 4], [1, 1, 9, 1, 9, 9]]}])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"min_score": 1.5}, ValueError, "min_score: expected a number from 0 to 1, got 1.5"),
        ({"min_score": "0.5"}, TypeError, "min_score: expected a number, got '0.5'"),
        ({"min_score": {"cat": 2}}, ValueError, "min_score['cat']: expected a number from 0 to 1, got 2"),
        ({"min_score": {"cats": 0.5}}, ValueError, "min_score: expected names of categories, got 'cats' (is 'cat' meant?)"),
        ({"min_score": {3: 0.5}}, ValueError, "min_score: expected ids or names of categories, got 3"),
        ({"min_score": {True: 0.5}}, TypeError, "min_score: expected ids or names of categories, got True"),
        ({"min_score": {"cat": 0.5, 9: 0.6}}, ValueError, "min_score: expected each category once, got 9 by its id and by its name"),
        ({"ignore_below": 0.8}, ValueError, "ignore_below: expected at most 0.7, the min_score of category 1, got 0.8"),
        ({"ignore_below": {"dog": 0.8}}, ValueError, "ignore_below: expected at most 0.7, the min_score of category 4, got 0.8"),
        ({"min_mask_score": -1}, ValueError, "min_mask_score: expected a number from 0 to 1, got -1"),
        ({"mask_nms": 1.1}, ValueError, "mask_nms: expected a number from 0 to 1, got 1.1"),
        ({"merge_iou": 1.1}, ValueError, "merge_iou: expected a number from 0 to 1, got 1.1"),
        ({"max_per_image": 0}, ValueError, "max_per_image: expected an integer from 1 to 2147483647, got 0"),
        ({"max_per_image": 2.0}, TypeError, "max_per_image: expected an integer, got 2.0"),
        ({"min_area": -1}, ValueError, "min_area: expected an integer from 0 to 4294967295, got -1"),
        ({"min_part_area": -1}, ValueError, "min_part_area: expected an integer from 0 to 4294967295, got -1"),
        ({"connectivity": 5}, ValueError, "connectivity: expected 4 or 8, got 5"),
        ({"boxes": "keep"}, ValueError, "boxes: expected one of 'error', 'drop', got 'keep'"),
        ({"merge": 3}, TypeError, "merge: expected the path of a file that save has written, PseudoLabels, or a data set of such, got int"),
    ],
)  # fmt: skip
def test_arguments(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as info:
        made([one()], **options)
    assert str(info.value) == message


@pytest.mark.parametrize(
    ("results", "images", "error", "message"),
    [
        (3, None, TypeError, "results: expected the path of a list of COCO results, or the list, got int"),
        ({"annotations": []}, None, TypeError, "results: expected the path of a list of COCO results, or the list, got dict"),
        ([3], None, TypeError, "results[0]: expected a dict, got int"),
        ([one() | {"x": 3j}], None, TypeError, "results[0]['x']: expected what JSON can hold"),
        ([], 3, TypeError, "images: expected the path of a COCO file or of a folder of images, a dict or list of images, or a data set, got int"),
        ([], {"images": []}, ValueError, "images: expected a dict with images and categories, as a COCO file has them, got one without categories"),
        ([], {"images": [3], "categories": CATEGORIES}, TypeError, "images['images'][0]: expected a dict, the record of an image, got int"),
        ([], {"images": IMAGES, "categories": ["cat"]}, TypeError, "categories[0]: expected a dict, got str"),
        ([], {"images": [{"id": 1, "file_name": "a.jpg"}], "categories": CATEGORIES}, ValueError,
         "images: images[0]: Object missing required field `width`"),
        ([], {"images": [*IMAGES, IMAGES[0]], "categories": CATEGORIES}, ValueError, "images: images: expected each id once, got 7 more than once"),
        ([], {"images": IMAGES, "categories": [{"name": "cat"}]}, ValueError, "images: categories[0]: expected an integer as id, got None"),
    ],
)  # fmt: skip
def test_what_is_no_list_or_no_images(results: Any, images: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as info:
        made(results, images)
    assert str(info.value).startswith(message)


def test_files_that_are_something_else(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"images": IMAGES, "categories": CATEGORIES}))
    with pytest.raises(
        ValueError, match=r"file\.json: cannot be read as a list .*; this is a COCO data set; results are a list$"
    ):
        made(path)
    path.write_text("")
    with pytest.raises(ValueError, match=r"file\.json: expected a list of COCO results, got a file that is empty$"):
        made(path)
    path.write_text(json.dumps([one()]))
    with pytest.raises(
        ValueError, match=r"file\.json: cannot be read as COCO annotations: .*this is a list of results"
    ):
        made([], path)
    with pytest.raises(FileNotFoundError):
        made(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError):
        made([], tmp_path / "none.json")
    labels: Any = PseudoLabels
    with pytest.raises(TypeError, match=r"^PseudoLabels: PseudoLabels\.from_results makes them$"):
        labels()


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    labels = made([one()])
    path = tmp_path / "pseudo.json"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"pseudo\.json: exists already; overwrite=True replaces it$"):
        labels.save(path)
    assert every_file(tmp_path) == {"pseudo.json": b"mine"}
    labels.save(path, overwrite=True)
    assert json.loads(path.read_text())["annotations"][0]["score"] == 0.9
    with pytest.raises(IsADirectoryError, match=r"expected the name of a file, got a folder$"):
        labels.save(tmp_path, overwrite=True)
    with pytest.raises(FileNotFoundError, match=r"none is not there$"):
        labels.save(tmp_path / "none" / "pseudo.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError, match="expected a file, got a link to"):
        labels.save(tmp_path / "link.json", overwrite=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this platform")
def test_a_pipe_or_device_is_not_replaced(tmp_path: Path) -> None:
    """Nor what is one by a link, as /dev/stdout is."""
    pipe, link = tmp_path / "pipe.json", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(FileExistsError, match=r"expected the name of a file, got a device or a pipe$"):
            made([one()]).save(path, overwrite=True)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert set(tmp_path.iterdir()) == {pipe, link}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_what_was_cut_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    labels = made([one(), one(image_id=8)])
    path = tmp_path / "pseudo.json"
    labels.save(path)
    before = every_file(tmp_path)
    pieces = list(labels._pieces())

    def cut_off() -> Any:
        yield from pieces[:-2]
        raise error

    monkeypatch.setattr(labels, "_pieces", cut_off)
    with pytest.raises(type(error)):
        labels.save(path, overwrite=True)
    with pytest.raises(type(error)):
        labels.save(tmp_path / "other.json")
    assert every_file(tmp_path) == before
