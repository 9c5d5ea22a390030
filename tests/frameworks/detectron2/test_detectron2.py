"""CopyPasteMapper and the training loader in Detectron2, against pastes by pycocotools and NumPy."""

from __future__ import annotations

import itertools
import pickle
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import ForTraining, RleMasks, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.schedules import off_for_last
from tests.fixtures.coloured_set import SIZE, STILL, Truth, coloured_set, decoded, pasted, truths

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.coco_files import Files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("detectron2", reason="detectron2 is not installed: make test-frameworks installs it")
    import torch
    from detectron2.config import LazyCall, get_cfg, instantiate
    from detectron2.data import (
        DatasetCatalog,
        DatasetMapper,
        MetadataCatalog,
        build_detection_train_loader,
        get_detection_dataset_dicts,
    )
    from detectron2.data.datasets import load_coco_json, register_coco_instances
    from detectron2.structures import BitMasks, Boxes, BoxMode, PolygonMasks
    from detectron2.utils.env import seed_all_rng

    from copypaste_rs.integrations.detectron2 import CopyPasteMapper, DictSamples, build_copy_paste_train_loader

pytestmark = pytest.mark.filterwarnings("ignore")

MOVING: dict[str, Any] = {"size": 64, "target_scale": (0.5, 1.5), "source_scale": (0.5, 1.5)}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return coloured_set(tmp_path / "set")


@pytest.fixture
def dicts(files: Files) -> Any:
    return load_coco_json(str(files.annotations), str(files.images), "coloured")


def check(mapped: dict[str, Any], truth: Truth, channels: slice = slice(None, None, -1)) -> None:
    """A mapped dict: BGR, boxes that fit, classes from 0, no crowds, masks as they show."""
    assert mapped["image"].dtype == torch.uint8
    np.testing.assert_array_equal(mapped["image"].permute(1, 2, 0).numpy(), truth.image[..., channels])
    objects, found = truth.objects(), mapped["instances"]
    assert found.image_size == SIZE
    assert type(found.gt_boxes) is Boxes
    assert found.gt_boxes.tensor.dtype == torch.float32
    np.testing.assert_array_equal(found.gt_boxes.tensor.numpy(), objects.boxes)
    assert found.gt_classes.dtype == torch.int64
    np.testing.assert_array_equal(found.gt_classes.numpy(), objects.classes)
    np.testing.assert_array_equal(dense(found.gt_masks), objects.masks)
    assert "annotations" not in mapped


def dense(masks: Any) -> Any:
    """Pixels of masks of either class; polygons are filled by pycocotools, as Detectron2 does."""
    if isinstance(masks, BitMasks):
        assert masks.tensor.dtype == torch.bool
        return masks.tensor.numpy()
    assert isinstance(masks, PolygonMasks)
    return np.array([decoded([ring.tolist() for ring in rings]) for rings in masks.polygons], bool).reshape(-1, *SIZE)


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
        loader(dicts, schedule={0: ForTraining(SimpleCopyPaste(size=64))})
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


@pytest.fixture
def cfg(files: Files) -> Any:
    register_coco_instances("coloured_train", {}, str(files.annotations), str(files.images))
    cfg = get_cfg()
    cfg.DATASETS.TRAIN = ("coloured_train",)
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False
    cfg.SOLVER.IMS_PER_BATCH = 2
    cfg.MODEL.MASK_ON = True
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 3
    yield cfg
    DatasetCatalog.remove("coloured_train")
    MetadataCatalog.remove("coloured_train")


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


def taken(loader: Any, n: int) -> list[Any]:
    """The first n items of a loader."""
    return list(itertools.islice(itertools.chain.from_iterable(loader), n))


def equal(first: Any, second: Any) -> bool:
    one, two = first["instances"], second["instances"]
    return bool(
        first["image_id"] == second["image_id"]
        and torch.equal(first["image"], second["image"])
        and torch.equal(one.gt_classes, two.gt_classes)
        and torch.equal(one.gt_masks.tensor, two.gt_masks.tensor)
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_draws_of_the_mapper_are_those_that_detectron2_seeds(dicts: Any, workers: int) -> None:
    def drawn(seed: int) -> list[Any]:
        seed_all_rng(seed)
        mapper = CopyPasteMapper(dicts, SimpleCopyPaste(**MOVING))
        loader = build_detection_train_loader(
            dicts, mapper=mapper, total_batch_size=2, num_workers=workers, aspect_ratio_grouping=False
        )
        return taken(loader, 8)

    first, again, other = drawn(3), drawn(3), drawn(4)
    assert all(map(equal, first, again))
    assert not all(map(equal, first, other))
    images = [each["image"] for each in first]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(images, 2))  # no two workers draw alike


def loader(dicts: Any, workers: int = 0, transform: Any = None, **options: Any) -> Any:
    given: dict[str, Any] = {"total_batch_size": 2, "num_workers": workers, "seed": 5, **options}
    return build_copy_paste_train_loader(dicts, transform or SimpleCopyPaste(**MOVING), **given)


def test_an_item_depends_on_seed_epoch_and_index_alone(dicts: Any) -> None:
    alone, two = taken(loader(dicts), 24), taken(loader(dicts, 2), 24)
    for each in alone:
        assert sum(equal(each, other) for other in two) == 1
    for epoch in range(6):  # each image once in each epoch
        assert {each["image_id"] for each in alone[4 * epoch : 4 * epoch + 4]} == {1, 2, 3, 4}
    items = CopyPasteDataset(DictSamples(dicts, "BGR"), SimpleCopyPaste(**MOVING), seed=5)
    for position, each in enumerate(alone):
        expected = items[position // 4, each["image_id"] - 1]
        np.testing.assert_array_equal(each["image"].permute(1, 2, 0).numpy(), expected.image)
        masks = expected.instances.without_crowds().masks
        assert RleMasks.from_dense(each["instances"].gt_masks.tensor.numpy(), size=(64, 64)) == masks
    assert not all(map(equal, alone, taken(loader(dicts, seed=6), 24)))


def test_processes_share_the_passes(dicts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = taken(loader(dicts), 8)
    found: list[Any] = []
    for rank in range(2):
        monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda rank=rank: rank)
        monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: 2)
        monkeypatch.setattr("detectron2.data.build.get_world_size", lambda: 2)
        found.extend(taken(loader(dicts), 4))
    for each in whole:
        assert sum(equal(each, other) for other in found) == 1


def test_a_training_that_is_resumed_goes_on(dicts: Any) -> None:
    whole = taken(loader(dicts), 18)
    assert all(map(equal, taken(loader(dicts, start_iter=5), 8), whole[10:]))  # from the middle of epoch 2
    with pytest.raises(ArgumentError, match=r"^start_iter: expected an integer from 0"):
        loader(dicts, start_iter=-1)


def test_nothing_is_pasted_in_the_last_epochs(files: Files, dicts: Any) -> None:
    truth = truths(files)
    schedule = off_for_last(1, 3, SimpleCopyPaste(**STILL))
    made = loader(dicts, schedule=schedule, transform=SimpleCopyPaste(**STILL))
    items = taken(made, 12)
    for each in items[8:]:
        check(each, truth[each["image_id"] - 1])
    for each in items[:8]:
        assert not np.array_equal(each["image"].permute(1, 2, 0).numpy()[..., ::-1], truth[each["image_id"] - 1].image)


def test_objects_of_other_dicts(files: Files, dicts: Any) -> None:
    truth = truths(files)
    made = loader(dicts[:1], transform=SimpleCopyPaste(**STILL), source_dicts=dicts[2:3])
    check(taken(made, 2)[1], pasted(truth[0], truth[2]))


def test_a_config_makes_the_loader(cfg: Any) -> None:
    cfg.INPUT.MASK_FORMAT = "bitmask"
    made = build_copy_paste_train_loader(cfg, SimpleCopyPaste(**MOVING), seed=5)
    dicts = DatasetCatalog.get("coloured_train")
    assert all(map(equal, taken(made, 8), taken(loader(dicts, mask_format="bitmask"), 8)))
    assert len(next(iter(made))) == 2
    cfg.DATALOADER.SAMPLER_TRAIN = "RepeatFactorTrainingSampler"
    with pytest.raises(ArgumentError, match=r"^cfg\.DATALOADER\.SAMPLER_TRAIN: expected TrainingSampler"):
        build_copy_paste_train_loader(cfg, SimpleCopyPaste(**MOVING))
    assert len(next(iter(build_detection_train_loader(cfg, mapper=CopyPasteMapper(cfg, ScaleJitter(size=64)))))) == 2
    cfg.DATALOADER.SAMPLER_TRAIN = "TrainingSampler"
    alone = build_copy_paste_train_loader(dicts[:1], SimpleCopyPaste(**MOVING), cfg=cfg, source_dicts=dicts)
    assert {each["image_id"] for each in taken(alone, 4)} == {1}


def test_a_lazy_configuration_makes_the_loader(cfg: Any) -> None:
    lazy = LazyCall(build_copy_paste_train_loader)(
        dataset_dicts=LazyCall(get_detection_dataset_dicts)(names="coloured_train", filter_empty=False),
        transform=LazyCall(SimpleCopyPaste)(**MOVING),
        total_batch_size=2,
        seed=5,
    )
    made = build_copy_paste_train_loader(cfg, SimpleCopyPaste(**MOVING), seed=5, mask_format="bitmask")
    assert all(map(equal, taken(instantiate(lazy), 8), taken(made, 8)))


def test_it_pickles(dicts: Any) -> None:
    mapper = CopyPasteMapper(dicts, SimpleCopyPaste(**MOVING))
    again = pickle.loads(pickle.dumps(mapper))
    np.random.seed(1)  # noqa: NPY002
    first = mapper(dicts[0])
    np.random.seed(1)  # noqa: NPY002
    assert equal(again(dicts[0]), first)
    assert re.fullmatch(r"CopyPasteMapper\(4 dicts, SimpleCopyPaste\(.*\)\)", repr(again))
