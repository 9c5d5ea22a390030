"""CopyPasteRs and CopyPasteRsDataset in MMDetection's own data sets, against pastes by pycocotools and NumPy."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
import warnings
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coloured_set import CATEGORIES, SIZE, STILL, Truth, coloured_set, pasted, truths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.coco_files import Files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("mmdet", reason="mmdet is not installed: make test-frameworks installs it")
    import torch
    from mmdet.registry import DATASETS
    from mmdet.structures.bbox import HorizontalBoxes
    from mmdet.structures.mask import BitmapMasks, PolygonMasks
    from mmengine.hooks import DistSamplerSeedHook
    from mmengine.registry import DefaultScope, init_default_scope
    from mmengine.runner import Runner

    from copypaste_rs.integrations.mmdet import CopyPasteRs, CopyPasteRsDataset, CopyPasteRsSampler

pytestmark = pytest.mark.filterwarnings("ignore")  # mmdet and mmengine warn of much that is theirs

LOAD = {"type": "LoadImageFromFile"}
PACK = {"type": "PackDetInputs"}
MASKS = {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True}
POLYGONS = {**MASKS, "poly2mask": False}


@pytest.fixture(autouse=True)
def scope() -> Iterator[None]:
    """MMDetection's names are found."""
    init_default_scope("mmdet")
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return coloured_set(tmp_path / "set")


def coco(files: Files, *pipeline: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "CocoDataset",
        "ann_file": str(files.annotations),
        "data_prefix": {"img": str(files.images)},
        "metainfo": {"classes": tuple(each["name"] for each in CATEGORIES)},
        "pipeline": [LOAD, *pipeline],
        **more,
    }


def mixed(inner: dict[str, Any], *pipeline: dict[str, Any], **options: Any) -> Any:
    first = {"type": "CopyPasteRs", **options}
    return DATASETS.build({"type": "MultiImageMixDataset", "dataset": inner, "pipeline": [first, *pipeline]})


def check(results: dict[str, Any], truth: Truth) -> None:
    """Results before they are packed: BGR, boxes that fit, labels from 0, crowds flagged."""
    assert results["img"].dtype == np.uint8
    np.testing.assert_array_equal(results["img"], truth.image[..., ::-1])
    assert results["img_shape"] == SIZE
    masks = results["gt_masks"]
    dense = masks.masks if isinstance(masks, BitmapMasks) else masks.to_ndarray()
    np.testing.assert_array_equal(dense, truth.masks)
    assert type(results["gt_bboxes"]) is HorizontalBoxes
    assert results["gt_bboxes"].tensor.dtype == torch.float32
    np.testing.assert_array_equal(results["gt_bboxes"].tensor.numpy(), truth.boxes)
    assert results["gt_bboxes_labels"].dtype == np.int64
    np.testing.assert_array_equal(results["gt_bboxes_labels"], truth.classes)
    np.testing.assert_array_equal(results["gt_ignore_flags"], truth.crowds)


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


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two items before packing are equal to the byte."""
    return (
        np.array_equal(first["img"], second["img"])
        and np.array_equal(first["gt_masks"].masks, second["gt_masks"].masks)
        and np.array_equal(first["gt_bboxes_labels"], second["gt_bboxes_labels"])
    )


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


def loader(files: Files, workers: int, **more: Any) -> Any:
    """A loader as MMEngine's runner builds it; items are images and masks."""
    data = {
        "type": "CopyPasteRsDataset",
        "dataset": coco(files),
        "size": 64,
        "seed": 5,
        "pipeline": [PACK],
    }
    given: dict[str, Any] = {
        "batch_size": 1,
        "num_workers": workers,
        "persistent_workers": workers > 0,
        "sampler": {"type": "CopyPasteRsSampler", "shuffle": False},
        "dataset": more.pop("whole", data),
    }
    return Runner.build_dataloader({**given, **more}, seed=0)


def epochs(made: Any, n: int = 3) -> list[list[Any]]:
    found = []
    for epoch in range(n):
        loop: Any = SimpleNamespace(epoch=epoch, train_loop=SimpleNamespace(dataloader=made))
        DistSamplerSeedHook().before_train_epoch(loop)  # a runner always has this hook
        found.append([(batch["inputs"][0], batch["data_samples"][0].gt_instances.masks.masks) for batch in made])
    return found


def equal(first: Any, second: Any) -> bool:
    return torch.equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_an_item_depends_on_seed_epoch_and_index_alone(files: Files) -> None:
    alone, two = epochs(loader(files, 0)), epochs(loader(files, 2))
    for epoch in range(3):
        assert all(equal(a, b) for a, b in zip(alone[epoch], two[epoch], strict=True))
    assert not equal(alone[0][0], alone[1][0])
    again = CopyPasteRsDataset(coco(files), size=64, seed=5)
    assert np.array_equal(again[4 * 3 + 1]["img"].transpose(2, 0, 1), alone[2][1][0])  # epoch 2, index 1
    other = CopyPasteRsDataset(coco(files), size=64, seed=6)
    assert not same(again[4], other[4])


def test_epochs_differ_where_workers_start_anew(files: Files) -> None:
    """MMEngine seeds NumPy in each worker, and alike in each epoch, so that by it alone all epochs were the same."""

    def made(seed: int) -> list[list[Any]]:
        torch.manual_seed(seed)  # as a runner does, once
        data = {
            "type": "MultiImageMixDataset",
            "dataset": coco(files),
            "pipeline": [{"type": "CopyPasteRs", "size": 64}],
        }
        data["pipeline"].append(PACK)  # type: ignore[attr-defined]
        sampler = {"type": "DefaultSampler", "shuffle": False}
        return epochs(loader(files, 2, whole=data, sampler=sampler, persistent_workers=False), 2)

    first, again, other = made(1), made(1), made(2)
    assert all(equal(a, b) for a, b in zip(chain(*first), chain(*again), strict=True))
    assert not any(equal(a, b) for a, b in zip(*first, strict=True))
    assert not all(equal(a, b) for a, b in zip(chain(*first), chain(*other), strict=True))


def test_shuffling_changes_the_order_alone(files: Files) -> None:
    made = loader(files, 0, sampler={"type": "CopyPasteRsSampler"}, batch_sampler={"type": "AspectRatioBatchSampler"})
    shuffled, ordered = epochs(made, 1)[0], epochs(loader(files, 0), 1)[0]
    for each in ordered:
        assert sum(equal(each, other) for other in shuffled) == 1


def test_without_the_sampler_draws_are_those_of_numpy(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), size=64)
    np.random.seed(3)  # noqa: NPY002
    first, second = data[0], data[0]
    assert not same(first, second)
    np.random.seed(3)  # noqa: NPY002
    assert same(data[0], first)


def test_nothing_is_pasted_in_the_last_epochs(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), off_for_last=(1, 3), **{**STILL, "select": "all"})
    truth = truths(files)
    for index in range(4):
        check(data[4 * 3 + index], truth[index])
        assert not np.array_equal(data[4 * 2 + index]["img"][..., ::-1], truth[index].image)
    with pytest.raises(ArgumentError, match=r"^idx: expected an index with its epoch .*, got 1 alone$"):
        data[1]
    with pytest.raises(ArgumentError, match=r"^n: expected fewer than all epochs"):
        CopyPasteRsDataset(coco(files), off_for_last=(3, 3), size=64)
    with pytest.raises(ArgumentTypeError, match=r"^off_for_last: expected a pair"):
        CopyPasteRsDataset(coco(files), off_for_last=3, size=64)  # type: ignore[arg-type]


def test_the_image_itself_is_never_its_partner(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), **STILL)
    truth = truths(files)
    for epoch in range(1, 20):
        made = data[4 * epoch + 2]["img"][..., ::-1]
        assert any(np.array_equal(made, pasted(truth[2], truth[i]).image) for i in (0, 1))


def test_it_pickles(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), size=64, seed=5)
    assert same(pickle.loads(pickle.dumps(data))[5], data[5])
    paste = pickle.loads(pickle.dumps(CopyPasteRs(size=64, num_sources=2)))
    assert len(paste.get_indexes(data.dataset)) == 2


def test_wrapped_data_sets_are_known(files: Files) -> None:
    """Concatenated and repeated ones, whose items do not know their number."""
    inner = {"type": "RepeatDataset", "times": 2, "dataset": {"type": "ConcatDataset", "datasets": [coco(files)] * 2}}
    data = CopyPasteRsDataset(inner, size=64)
    assert len(data) == 16
    assert not same(data[16], data[16 + 8])  # one photograph, two items
    assert data.metainfo["classes"] == ("kite", "boat", "lamp")
    assert data.get_data_info(16 + 3)["img_id"] == 4
    made = mixed(inner, size=64)
    assert made[9]["img_shape"] == (64, 64)


def test_later_transforms_run_on_the_result(files: Files) -> None:
    truth = truths(files)
    flip = {"type": "RandomFlip", "prob": 1.0}
    made = CopyPasteRsDataset(coco(files), [flip], **STILL)[4]
    candidates = [pasted(truth[0], truth[i]) for i in (1, 2)]
    expected = next(each for each in candidates if np.array_equal(each.image[:, ::-1, ::-1], made["img"]))
    np.testing.assert_array_equal(made["gt_masks"].masks, expected.masks[:, :, ::-1])
    turned = expected._replace(masks=expected.masks[:, :, ::-1])
    np.testing.assert_array_equal(made["gt_bboxes"].tensor.numpy(), turned.boxes)


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


def test_the_sampler_gives_each_index_its_epoch() -> None:
    sampler = CopyPasteRsSampler(range(5), shuffle=False, seed=1)
    assert list(sampler) == [5, 6, 7, 8, 9]
    sampler.set_epoch(3)
    assert list(sampler) == [20, 21, 22, 23, 24]
    assert len(sampler) == 5
