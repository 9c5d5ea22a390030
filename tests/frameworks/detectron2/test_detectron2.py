"""CopyPasteMapper in Detectron2, against pastes by pycocotools and NumPy."""

from __future__ import annotations

import pickle
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import ForTraining, ScaleJitter, SimpleCopyPaste
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coloured_set import SIZE, STILL, pasted, truths

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.coco_files import Files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("detectron2", reason="detectron2 is not installed: make test-frameworks installs it")
    import torch
    from detectron2.data import (
        DatasetCatalog,
        DatasetMapper,
        build_detection_train_loader,
    )
    from detectron2.data.datasets import load_coco_json
    from detectron2.structures import BitMasks, BoxMode, PolygonMasks

    from copypaste_rs.integrations.detectron2 import CopyPasteMapper, DictSamples, build_copy_paste_train_loader
    from tests.frameworks.detectron2.mapped_dicts import MOVING, check, equal

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("mask_format", ["bitmask", "polygon"])
@pytest.mark.parametrize(("target", "source"), [(0, 1), (1, 0), (2, 0), (3, 2)])
def test_a_paste_is_what_numpy_makes_of_it(
    files: Files, dicts: Any, target: int, source: int, mask_format: str
) -> None:
    mapper = CopyPasteMapper([dicts[source]], SimpleCopyPaste(**STILL), mask_format=mask_format, num_classes=3)
    truth = truths(files)
    mapped = mapper(dicts[target])
    check(mapped, pasted(truth[target], truth[source]))
    assert mapped["image_id"] == target + 1
    assert (mapped["height"], mapped["width"]) == SIZE
    assert mapped["file_name"] == dicts[target]["file_name"]


def test_channels_are_those_of_the_format(files: Files, dicts: Any) -> None:
    truth = truths(files)
    mapper = CopyPasteMapper([dicts[1]], SimpleCopyPaste(**STILL), image_format="RGB")
    check(mapper(dicts[0]), pasted(truth[0], truth[1]), slice(None))
    grey = CopyPasteMapper([dicts[1]], SimpleCopyPaste(**STILL), image_format="L")(dicts[0])
    assert grey["image"].shape == (1, *SIZE)


def test_jitter_alone_gives_what_detectron2s_own_mapper_gives(files: Files, dicts: Any) -> None:
    """Of an image that is not moved, without pastes: all but the borders of boxes, which there are those of the file."""
    own = DatasetMapper(True, augmentations=[], image_format="BGR", use_instance_mask=True,
                        instance_mask_format="bitmask")  # fmt: skip
    mapper = CopyPasteMapper(dicts, ScaleJitter(size=SIZE, scale=(1, 1), flip=0))
    for each in dicts:
        ours, theirs = mapper(each), own(each)
        assert torch.equal(ours["image"], theirs["image"])
        assert torch.equal(ours["instances"].gt_classes, theirs["instances"].gt_classes)
        assert torch.equal(ours["instances"].gt_boxes.tensor, theirs["instances"].gt_boxes.tensor)
        if len(each["annotations"]):
            assert torch.equal(ours["instances"].gt_masks.tensor, theirs["instances"].gt_masks.tensor)
        assert {*ours} == {*theirs}


def test_real_photographs(test_data: Path) -> None:
    """All that Detectron2's own mapper gives of them; and after a paste boxes fit, and no pasted pixel is below."""
    folder = test_data / "coco_free56"
    dicts = load_coco_json(str(folder / "annotations.json"), str(folder / "images"), "real")
    own = DatasetMapper(True, augmentations=[], image_format="BGR", use_instance_mask=True,
                        instance_mask_format="bitmask", recompute_boxes=True)  # fmt: skip
    paste = CopyPasteMapper(dicts, SimpleCopyPaste(size=320, select="all"), num_classes=80)
    for each in dicts:
        jitter = ScaleJitter(size=(each["height"], each["width"]), scale=(1, 1), flip=0)
        ours = CopyPasteMapper(dicts[:1], jitter)(each)
        if each["annotations"]:  # without, it fails where boxes are to be measured
            theirs = own(each)
            assert torch.equal(ours["image"], theirs["image"])
            assert torch.equal(ours["instances"].gt_classes, theirs["instances"].gt_classes)
            assert torch.equal(ours["instances"].gt_masks.tensor, theirs["instances"].gt_masks.tensor)
            assert torch.equal(ours["instances"].gt_boxes.tensor, theirs["instances"].gt_boxes.tensor)
        found = paste(each)["instances"]
        assert torch.equal(found.gt_boxes.tensor, found.gt_masks.get_bounding_boxes().tensor)
        assert found.gt_masks.tensor.flatten(1).any(1).all()


def test_images_without_objects(files: Files, dicts: Any) -> None:
    """One stays as it is; none is a partner; the image itself is no partner either."""
    mapper = CopyPasteMapper(dicts, SimpleCopyPaste(**STILL))
    truth = truths(files)
    for target in range(4):
        others = [pasted(truth[target], truth[i]).image[..., ::-1] for i in range(3) if i != target]
        for _ in range(5):
            made = mapper(dicts[target])["image"].permute(1, 2, 0).numpy()
            # Eight draws find no other one now and then, with so few images.
            assert any(np.array_equal(made, each) for each in (*others, truth[target].image[..., ::-1]))
    with pytest.warns(UserWarning, match=r"^dataset_dicts: no image with an object; nothing will be pasted$"):
        nothing = CopyPasteMapper(dicts[3:], SimpleCopyPaste(**STILL))
    empty = nothing(dicts[3])["instances"]
    assert empty.gt_masks.tensor.shape == (0, *SIZE)
    assert empty.gt_boxes.tensor.shape == (0, 4)
    polygons = CopyPasteMapper(dicts, ScaleJitter(size=64), mask_format="polygon")(dicts[3])["instances"]
    assert len(polygons.gt_masks) == 0


def test_keypoints_move_with_their_objects(dicts: Any) -> None:
    """Detectron2 counts them from the corner of the first pixel, as boxes."""
    for i, each in enumerate(dicts[:2]):
        for k, row in enumerate(row for row in each["annotations"] if not row["iscrowd"]):
            row["keypoints"] = [20.5 + i, 10.5 + k, 2, 0, 0, 0]
    transform = SimpleCopyPaste(**{**STILL, "size": (120, 168), "target_scale": (1, 1)}, flip_pairs=())
    found = CopyPasteMapper(dicts[1:2], transform, use_keypoints=True)(dicts[0])["instances"].gt_keypoints.tensor
    assert found.shape == (4, 2, 3)
    assert found[:, 1].abs().max() == 0
    # The canvas is twice as large, so that points are twice as far from the corner.
    np.testing.assert_allclose(found[2:, 0], [[43, 21, 2], [43, 23, 2]])
    np.testing.assert_allclose(found[:2, 0, :2], [[41, 21], [41, 23]])
    none = CopyPasteMapper(dicts[2:3], ScaleJitter(size=64), use_keypoints=True)(dicts[3])["instances"]
    assert none.gt_keypoints.tensor.shape[::2] == (0, 3)


def test_semantic_labels_are_pasted_too(files: Files, dicts: Any, tmp_path: Path) -> None:
    for i, each in enumerate(dicts):
        path = tmp_path / f"labels-{i}.png"
        Image.fromarray(np.full(SIZE, 10 + i, np.uint8)).save(path)
        each["sem_seg_file_name"] = str(path)
    mapped = CopyPasteMapper([dicts[1]], SimpleCopyPaste(**STILL))(dicts[0])
    over = truths(files)[1].objects().masks.any(0)
    assert mapped["sem_seg"].dtype == torch.int64
    np.testing.assert_array_equal(mapped["sem_seg"], np.where(over, 11, 10))
    assert "sem_seg_file_name" not in mapped
    larger = CopyPasteMapper([dicts[1]], ScaleJitter(size=(80, 84), scale=(1, 1), flip=0), ignore_value=9)(dicts[0])
    assert (larger["sem_seg"][60:] == 9).all()


def test_boxes_alone(files: Files, dicts: Any) -> None:
    """For a model without masks, in either mode of boxes."""
    truth = truths(files)
    for each in dicts:
        for row in each["annotations"]:
            del row["segmentation"]
    for row in dicts[0]["annotations"]:
        row["bbox"] = BoxMode.convert(row["bbox"], BoxMode.XYWH_ABS, BoxMode.XYXY_ABS)
        row["bbox_mode"] = BoxMode.XYXY_ABS
    jitter = ScaleJitter(size=SIZE, scale=(1, 1), flip=0)
    for i in range(3):
        found = CopyPasteMapper(dicts, jitter, use_masks=False)(dicts[i])["instances"]
        np.testing.assert_array_equal(found.gt_boxes.tensor.numpy(), truth[i].objects().boxes)
        assert not found.has("gt_masks")
    mapped = CopyPasteMapper(dicts[1:2], SimpleCopyPaste(paste_boxes=True, **STILL), use_masks=False)(dicts[0])
    x0, y0, x1, y1 = truth[1].boxes[1].astype(int)
    np.testing.assert_array_equal(
        mapped["image"].permute(1, 2, 0).numpy()[y0:y1, x0:x1], truth[1].image[y0:y1, x0:x1, ::-1]
    )
    with pytest.raises(
        ArgumentError, match=r"0\.png\['annotations'\]: expected outlines of all objects .*, got 2 that"
    ):
        CopyPasteMapper(dicts, jitter)(dicts[0])


def test_dicts_are_not_written_to(dicts: Any) -> None:
    before = pickle.dumps(dicts)
    mapper = CopyPasteMapper(dicts, SimpleCopyPaste(**MOVING))
    for each in dicts:
        mapper(each)
    assert pickle.dumps(dicts) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"category_id": 3}, r"0\.png\['category_id'\]: expected labels from 0 to 2, for num_classes=3, got 3$"),
        ({"category_id": -1}, r"0\.png\['category_id'\]: expected labels from 0 on, got -1$"),
        ({"category_id": "boat"}, r"0\.png\['annotations'\]\[0\]\['category_id'\]: expected an integer"),
        ({"segmentation": [[1, 2, 3]]}, r"0\.png\['annotations'\]\[0\]\['segmentation'\]"),
        ({"segmentation": None, "bbox": None}, r"0\.png\['annotations'\]\[0\]: expected a segmentation or a bbox"),
    ],
)
def test_annotations_that_do_not_fit_are_named(dicts: Any, change: dict[str, Any], sentence: str) -> None:
    dicts[0]["annotations"][0] |= change
    mapper = CopyPasteMapper(dicts[2:3], ScaleJitter(size=SIZE, scale=(1, 1)), num_classes=3)
    with pytest.raises((ArgumentError, ArgumentTypeError), match=sentence):
        mapper(dicts[0])


def test_arguments_are_checked(dicts: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^transform: expected a SimpleCopyPaste or a ScaleJitter"):
        CopyPasteMapper(dicts, ForTraining(SimpleCopyPaste(size=64)))  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"^transform: expected a SimpleCopyPaste or a ScaleJitter"):
        build_copy_paste_train_loader(dicts, schedule={0: ForTraining(SimpleCopyPaste(size=64))}, total_batch_size=2)
    with pytest.raises(ArgumentTypeError, match=r"^total_batch_size: expected a number of images, or a config"):
        build_copy_paste_train_loader(dicts, SimpleCopyPaste(size=64))
    with pytest.raises(ArgumentError, match=r"^mask_format: expected one of 'polygon', 'bitmask', got 'rle'$"):
        CopyPasteMapper(dicts, SimpleCopyPaste(size=64), mask_format="rle")
    with pytest.raises(ArgumentError, match=r"^dataset_dicts\[0\]: expected a dict with a file_name, got image_id$"):
        CopyPasteMapper([{"image_id": 1}], SimpleCopyPaste(size=64))
    with pytest.raises(ArgumentError, match=r"^dataset_dicts: expected at least one dict, got none$"):
        DictSamples([])
    with pytest.raises(ArgumentError, match=r"0\.png: expected no proposal_boxes"):
        CopyPasteMapper(dicts, SimpleCopyPaste(size=64))({**dicts[0], "proposal_boxes": []})
    wrong_size = {**dicts[0], "height": 61}
    with pytest.raises(Exception, match=r"Mismatched image shape.*0\.png"):  # Detectron2's own sentence
        CopyPasteMapper(dicts, SimpleCopyPaste(size=64))(wrong_size)


def test_a_config_says_the_form(cfg: Any, files: Files) -> None:
    transform = SimpleCopyPaste(**STILL)
    truth = truths(files)
    mapper = CopyPasteMapper(cfg, transform)
    batch = next(iter(build_detection_train_loader(cfg, mapper=mapper)))
    assert [type(each["instances"].gt_masks) for each in batch] == [PolygonMasks, PolygonMasks]
    cfg.INPUT.MASK_FORMAT, cfg.INPUT.FORMAT = "bitmask", "RGB"
    dicts = DatasetCatalog.get("coloured_train")
    mapped = CopyPasteMapper(dicts[1:2], transform, cfg=cfg)(dicts[0])
    check(mapped, pasted(truth[0], truth[1]), slice(None))
    assert type(mapped["instances"].gt_masks) is BitMasks
    cfg.MODEL.LOAD_PROPOSALS = True
    with pytest.raises(ArgumentError, match=r"^cfg\.MODEL\.LOAD_PROPOSALS: expected False"):
        CopyPasteMapper(cfg, transform)
    cfg.MODEL.LOAD_PROPOSALS = False
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 1
    with pytest.raises(ArgumentError, match=r"for num_classes=1, got"):
        CopyPasteMapper(cfg, transform)(DatasetCatalog.get("coloured_train")[0])
    cfg.MODEL.MASK_ON = False
    cfg.MODEL.META_ARCHITECTURE = "Another"
    assert not CopyPasteMapper(cfg, transform)(DatasetCatalog.get("coloured_train")[0])["instances"].has("gt_masks")


def test_it_pickles(dicts: Any) -> None:
    mapper = CopyPasteMapper(dicts, SimpleCopyPaste(**MOVING))
    again = pickle.loads(pickle.dumps(mapper))
    np.random.seed(1)  # noqa: NPY002
    first = mapper(dicts[0])
    np.random.seed(1)  # noqa: NPY002
    assert equal(again(dicts[0]), first)
    assert re.fullmatch(r"CopyPasteMapper\(4 dicts, SimpleCopyPaste\(.*\)\)", repr(again))
