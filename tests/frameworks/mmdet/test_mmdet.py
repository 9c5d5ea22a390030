"""CopyPasteRs in MMDetection's own data sets, against pastes by pycocotools and NumPy."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs.errors import ArgumentError
from tests.fixtures.coco_files import Files
from tests.fixtures.coloured_set import SIZE, STILL, pasted, truths

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("mmdet", reason="mmdet is not installed: make test-frameworks installs it")
    from mmdet.registry import DATASETS
    from mmdet.structures.mask import BitmapMasks, PolygonMasks

    from copypaste_rs.integrations.mmdet import CopyPasteRs
    from tests.frameworks.mmdet.configurations import LOAD, MASKS, PACK, POLYGONS, check, coco, mixed, same

pytestmark = pytest.mark.filterwarnings("ignore")  # mmdet and mmengine warn of much that is theirs


@pytest.mark.parametrize("pipeline", [(), (MASKS,)], ids=["annotations", "bitmaps"])
@pytest.mark.parametrize(("target", "source"), [(0, 1), (1, 0), (2, 0), (3, 2), (0, 3)])
def test_a_paste_is_what_numpy_makes_of_it(files: Files, pipeline: Any, target: int, source: int) -> None:
    data = DATASETS.build(coco(files, *pipeline))
    truth = truths(files)
    made = CopyPasteRs(**STILL)({**data[target], "mix_results": [data[source]]})
    check(made, pasted(truth[target], truth[source]))
    assert type(made["gt_masks"]) is BitmapMasks
    assert made["ori_shape"] == SIZE
    assert made["img_id"] == target + 1
    assert "instances" not in made


def test_real_photographs(test_data: Path) -> None:
    """Annotations as they stand are what MMDetection's own loader makes of them; boxes fit after a paste."""
    folder = test_data / "coco_free56"
    names = tuple(each["name"] for each in json.loads((folder / "annotations.json").read_text())["categories"])
    given = {**coco(Files(folder / "annotations.json", folder / "images")), "metainfo": {"classes": names}}
    raw, loaded = DATASETS.build(given), DATASETS.build({**given, "pipeline": [LOAD, MASKS]})
    for i in range(len(raw)):
        size = raw[i]["img"].shape[:2]
        still = CopyPasteRs(size=size, target_scale=(1, 1), source_scale=(1, 1), flip=0)
        made, expected = still({**raw[i], "mix_results": []}), loaded[i]
        shown = expected["gt_masks"].masks.any((1, 2))
        np.testing.assert_array_equal(made["gt_masks"].masks, expected["gt_masks"].masks[shown])
        np.testing.assert_array_equal(made["gt_bboxes_labels"], expected["gt_bboxes_labels"][shown])
        np.testing.assert_array_equal(made["gt_ignore_flags"], expected["gt_ignore_flags"][shown])
        pasted = CopyPasteRs(size=320)({**raw[i], "mix_results": [raw[i - 1]]})
        np.testing.assert_array_equal(pasted["gt_bboxes"].tensor, pasted["gt_masks"].get_bboxes("hbox").tensor)


def test_polygons_stay_polygons(files: Files) -> None:
    data = DATASETS.build(coco(files, POLYGONS))
    truth = truths(files)
    made = CopyPasteRs(**STILL)({**data[2], "mix_results": [data[0]]})
    assert type(made["gt_masks"]) is PolygonMasks
    # Its loader makes a polygon of zeros of what is given as runs, so that no pixel of a crowd is left.
    without = pasted(truth[2].objects(), truth[0].objects())
    check(made, without)


def test_several_sources_are_pasted_in_their_order(files: Files) -> None:
    data = DATASETS.build(coco(files))
    truth = truths(files)
    made = CopyPasteRs(num_sources=2, **STILL)({**data[0], "mix_results": [data[1], data[2]]})
    check(made, pasted(pasted(truth[0], truth[1]), truth[2]))


def test_what_is_packed(files: Files) -> None:
    """Of crowds the model hears apart, and the batch is a tensor (C, H, W) in BGR."""
    data = mixed(coco(files), PACK, **STILL)
    truth = truths(files)
    candidates = [pasted(truth[0], other) for other in truth[:3]]
    packed = data[0]
    sample = packed["data_samples"]
    image = packed["inputs"].permute(1, 2, 0).numpy()[..., ::-1]
    expected = next(each for each in candidates if np.array_equal(each.image, image))
    np.testing.assert_array_equal(sample.gt_instances.labels.numpy(), expected.objects().classes)
    np.testing.assert_array_equal(sample.gt_instances.masks.masks, expected.objects().masks)
    np.testing.assert_array_equal(sample.gt_instances.bboxes.tensor.numpy(), expected.objects().boxes)
    np.testing.assert_array_equal(sample.ignored_instances.masks.masks, expected.masks[expected.crowds])
    assert sample.img_shape == SIZE


def test_inputs_are_not_written_to(files: Files) -> None:
    data = DATASETS.build(coco(files, MASKS))
    given = {**data[0], "mix_results": [data[1]]}
    before = copy.deepcopy(given)
    CopyPasteRs(size=64)(given)
    for name in ("img", "gt_bboxes_labels", "gt_ignore_flags"):
        np.testing.assert_array_equal(given[name], before[name])
    np.testing.assert_array_equal(given["gt_masks"].masks, before["gt_masks"].masks)


def test_images_without_objects_give_none(files: Files) -> None:
    """Image 3 has none, and is never drawn to paste from; image 4 has crowds alone where its polygons are taken."""
    paste = CopyPasteRs(**STILL)
    data = DATASETS.build(coco(files))
    np.random.seed(0)  # noqa: NPY002
    drawn = {paste.get_indexes(data)[0] for _ in range(60)}
    assert drawn == {0, 1, 2}
    made = mixed(coco(files), **STILL)
    assert len(made[3]["gt_bboxes_labels"]) > 0
    empty = paste({**data[3], "mix_results": [data[3]]})
    assert empty["gt_masks"].masks.shape == (0, *SIZE)
    assert empty["gt_bboxes"].tensor.shape == (0, 4)


def test_a_region_to_ignore_may_be_a_box(files: Files) -> None:
    data = DATASETS.build(coco(files))
    truth, given = truths(files), data[0]
    del given["instances"][2]["mask"]  # the crowd, a rectangle
    check(CopyPasteRs(**STILL)({**given, "mix_results": [data[1]]}), pasted(truth[0], truth[1]))
    check(CopyPasteRs(**STILL)({**data[1], "mix_results": [given]}), pasted(truth[1], truth[0]))


def test_semantic_maps_are_pasted_too(files: Files) -> None:
    data = DATASETS.build(coco(files))
    truth = truths(files)
    results = [{**data[i], "gt_seg_map": np.full(SIZE, 10 + i, np.uint8)} for i in range(2)]
    made = CopyPasteRs(**STILL)({**results[0], "mix_results": [results[1]]})
    np.testing.assert_array_equal(made["gt_seg_map"], np.where(truth[1].objects().masks.any(0), 11, 10))
    larger = CopyPasteRs(**{**STILL, "size": (80, 84)})({**results[0], "mix_results": [results[1]]})
    assert (larger["gt_seg_map"][60:] == 255).all()


def test_boxes_alone_are_pasted_when_asked(files: Files) -> None:
    data = DATASETS.build(coco(files, {"type": "LoadAnnotations", "with_bbox": True}))
    given = {**data[2], "mix_results": [data[1]]}
    with pytest.raises(ArgumentError, match=r"^results: expected gt_masks .*, got boxes alone$"):
        CopyPasteRs(**STILL)(given)
    made = CopyPasteRs(paste_boxes=True, **STILL)(given)
    truth = truths(files)
    image = truth[2].image.copy()
    for x0, y0, x1, y1 in truth[1].boxes.astype(int):
        image[y0:y1, x0:x1] = truth[1].image[y0:y1, x0:x1]
    np.testing.assert_array_equal(made["img"], image[..., ::-1])
    assert made["gt_bboxes"].tensor[-2:].tolist() == truth[1].boxes.tolist()
    assert "gt_masks" not in made


def test_draws_are_those_of_numpy(files: Files) -> None:
    """Seeded by MMEngine in each worker, as all of MMDetection's transforms."""
    data = mixed(coco(files), size=64)
    made = []
    for seed in (3, 3, 4):
        np.random.seed(seed)  # noqa: NPY002
        made.append([data[0], data[0]])
    assert same(made[0][0], made[1][0])
    assert same(made[0][1], made[1][1])
    assert not same(made[0][0], made[0][1])
    assert not same(made[0][0], made[2][0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"img": None}, r"^results: expected an img"),
        ({"gt_keypoints": 1}, r"^results: expected no entries that a paste would make wrong, got gt_keypoints$"),
        ({"height": 61}, r"^results\['img'\]: expected the image of the annotations, \(61, 84\)"),
        ({"mix_results": None}, r"^results: expected mix_results"),
    ],
)
def test_results_that_do_not_fit_are_named(files: Files, change: dict[str, Any], sentence: str) -> None:
    data = DATASETS.build(coco(files))
    given = {**data[0], "mix_results": [data[1]], **change}
    given = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(ArgumentError, match=sentence):
        CopyPasteRs(size=64)(given)


def test_annotations_that_do_not_fit_are_named(files: Files) -> None:
    data = DATASETS.build(coco(files))
    other = data[1]
    boxed, odd = copy.deepcopy(data[0]), copy.deepcopy(data[0])
    del boxed["instances"][1]["mask"]
    with pytest.raises(ArgumentError, match=r"^results\['instances'\]\[1\]: expected a mask, got a box alone$"):
        CopyPasteRs(size=64)({**boxed, "mix_results": [other]})
    odd["instances"][0]["mask"] = [[1, 2, 3, 4, 5, 6, 7]]
    with pytest.raises(ValueError, match=re.escape(f"{files.images}/0.png[0]")):
        CopyPasteRs(size=64)({**odd, "mix_results": [other]})
    with pytest.raises(ArgumentError, match=r"labels from 0 to 1, for num_classes=2, got 2$"):
        CopyPasteRs(size=64, num_classes=2)({**data[0], "mix_results": [other]})
    floats = {**data[0], "img": data[0]["img"].astype(np.float32)}
    with pytest.raises(ArgumentError, match=r"^results\['img'\]: expected uint8, or fill="):
        CopyPasteRs(size=64)({**floats, "mix_results": [floats]})
    made = CopyPasteRs(size=64, fill=(104, 116, 124))({**floats, "mix_results": [{**other, "img": floats["img"]}]})
    assert made["img"].dtype == np.float32


def test_options_are_checked_when_the_transform_is_made() -> None:
    with pytest.raises(ArgumentError, match=r"^num_sources: expected an integer from 1"):
        CopyPasteRs(size=64, num_sources=0)
    with pytest.raises(ArgumentError, match=r"^num_classes"):
        CopyPasteRs(size=64, num_classes=0)
    assert repr(CopyPasteRs(size=64)).startswith("CopyPasteRs(SimpleCopyPaste(size=64)")


def test_a_version_that_does_not_fit_is_named(tmp_path: Path) -> None:
    (tmp_path / "mmdet.py").write_text("__version__ = '2.28.2'\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import copypaste_rs.integrations.mmdet"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: mmdet 2.28.2 is installed; copypaste_rs.integrations.mmdet needs version 3 or newer"
    )
