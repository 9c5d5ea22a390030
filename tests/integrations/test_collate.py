"""Batches that detection models take: targets against pycocotools and torchvision's own functions."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import ForTraining, Instances, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.ascii import rle
from tests.fixtures.samples import squares
from tests.fixtures.tensors import REASON, fingerprint

torch = pytest.importorskip("torch", reason=REASON)
torchvision = pytest.importorskip("torchvision", reason=REASON)

from torchvision.ops import box_convert, masks_to_boxes  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

from copypaste_rs.integrations.torch import Collate, collate  # noqa: E402
from examples.small_maskrcnn import small_maskrcnn  # noqa: E402

FORMS = ["torchvision", "mask2former", "detr"]
JITTER = ScaleJitter(size=(20, 30), scale=(1, 1), flip=0)  # leaves the squares as they are


def dense_of(sample: Any) -> Any:
    return torch.from_numpy(sample.instances.masks.to_dense())


def test_targets_of_torchvision() -> None:
    sample = squares(3, 51, {"image_id": 7}, labels=[4, 1, 2], iscrowd=[False, True, False])
    (image,), (target,) = collate("torchvision")([sample])
    assert torch.equal(image, F.to_dtype(F.to_image(sample.image), torch.float32, scale=True))
    masks = dense_of(sample)[[0, 2]]
    assert torch.equal(target["masks"], masks)
    far = torch.tensor([0.0, 0.0, 1.0, 1.0])  # `masks_to_boxes` has the last pixel, boxes here end behind it
    assert torch.equal(target["boxes"], masks_to_boxes(masks) + far)
    assert target["labels"].tolist() == [4, 2]
    assert torch.equal(target["area"], masks.sum((1, 2), dtype=torch.float32))
    assert target["iscrowd"].tolist() == [0, 0]
    assert target["image_id"] == 7
    kinds = {name: value.dtype for name, value in target.items() if name != "image_id"}
    integers = dict.fromkeys(["labels", "iscrowd"], torch.int64)
    assert kinds == {"boxes": torch.float32, "area": torch.float32, "masks": torch.uint8, **integers}
    assert set(target) == {*kinds, "image_id"}


@pytest.mark.parametrize("masks", ["dense", "label_map", "runs"])
@pytest.mark.parametrize("mask_dtype", ["uint8", "bool"])
@pytest.mark.parametrize("crowd", [False, True])
def test_training_samples_give_the_same_targets(masks: str, mask_dtype: str, crowd: bool) -> None:
    sample = squares(3, 51, {"image_id": 7}, labels=[4, 1, 2], iscrowd=[False, crowd, False])
    ready = ForTraining(JITTER, masks=masks, mask_dtype=mask_dtype)(sample, rng=0)
    for form in FORMS:
        assert fingerprint(collate(form)([ready, ready])) == fingerprint(collate(form)([sample, sample]))


def test_nothing_large_is_copied() -> None:
    ready = ForTraining(JITTER)(squares(3, 51, labels=[4, 1, 2]), rng=0)
    assert isinstance(ready.masks, np.ndarray)
    (image,), (target,) = collate("torchvision")([ready])
    assert image.data_ptr() == ready.image.ctypes.data
    assert target["masks"].data_ptr() == ready.masks.ctypes.data
    # A data set may keep its samples, and loops change targets in place.
    sample = squares(3, 51, labels=[4, 1, 2])
    _, (target,) = collate("torchvision")([sample])
    target["boxes"] += 1
    target["labels"] += 1
    assert sample == squares(3, 51, labels=[4, 1, 2])


@pytest.mark.parametrize(
    ("options", "dtype"),
    [({"layout": "hwc"}, torch.float32), ({"dtype": "uint8"}, torch.uint8), ({"dtype": "float16"}, torch.float16)],
)
def test_images_keep_what_for_training_made(options: Any, dtype: Any) -> None:
    ready = ForTraining(JITTER, **options)(squares(1, 51, labels=[4]), rng=0)
    (image,), _ = collate("torchvision")([ready])
    assert (image.dtype, tuple(image.shape)) == (dtype, (3, 20, 30))
    value = torch.tensor(51.0 if dtype == torch.uint8 else 0.2)
    assert torch.allclose(image.float(), value, atol=1e-3 if dtype == torch.float16 else 1e-6)


def test_arrays_that_are_read_only_and_images_without_channels() -> None:
    grey = np.full((20, 30), 51, np.uint8)
    grey.setflags(write=False)
    labels = np.array([2])
    labels.setflags(write=False)
    sample = Sample(grey, Instances(masks=rle(np.ones((1, 20, 30), np.uint8)), labels=labels))
    for each in (sample, ForTraining(JITTER)(sample, rng=0)):
        (image,), (target,) = collate("torchvision")([each])
        assert image.shape == (1, 20, 30)
        assert target["labels"].tolist() == [2]
        assert "image_id" not in target


def test_batches_of_mask2former() -> None:
    samples = [squares(2, 51, labels=[0, 3]), squares(0, 9), squares(1, 8, labels=[1], iscrowd=[True])]
    batch = collate("mask2former", num_classes=4)(samples)
    assert list(batch) == ["pixel_values", "mask_labels", "class_labels"]
    images, _ = collate("torchvision")([each.replace(instances=Instances()) for each in samples])
    assert torch.equal(batch["pixel_values"], torch.stack(images))
    assert torch.equal(batch["mask_labels"][0], dense_of(samples[0]).float())
    assert [tuple(each.shape) for each in batch["mask_labels"]] == [(2, 20, 30), (0, 20, 30), (0, 20, 30)]
    assert [each.tolist() for each in batch["class_labels"]] == [[0, 3], [], []]
    assert {each.dtype for each in batch["mask_labels"]} == {torch.float32}
    assert {each.dtype for each in batch["class_labels"]} == {torch.int64}


def test_batches_of_detr() -> None:
    samples = [squares(2, 51, {"image_id": np.int64(5)}, labels=[0, 3]), squares(0, 9, {"image_id": "a"})]
    batch = collate("detr")(samples)
    assert torch.equal(batch["pixel_values"], collate("mask2former")(samples)["pixel_values"])
    assert torch.equal(batch["pixel_mask"], torch.ones((2, 20, 30), dtype=torch.int64))
    boxes = box_convert(torch.from_numpy(np.asarray(samples[0].instances.boxes)), "xyxy", "cxcywh")
    first, second = batch["labels"]
    assert torch.allclose(first["boxes"], boxes / torch.tensor([30.0, 20.0, 30.0, 20.0]), atol=1e-7)
    assert first["class_labels"].tolist() == [0, 3]
    assert first["size"].tolist() == first["orig_size"].tolist() == [20, 30]
    assert first["area"].tolist() == [110, 110]
    assert first["iscrowd"].tolist() == [0, 0]
    assert first["image_id"].tolist() == [5]
    assert tuple(second["boxes"].shape) == (0, 4)
    assert set(first) - set(second) == {"image_id"}
    assert first["boxes"].dtype == first["area"].dtype == torch.float32
    integers = [name for name, value in first.items() if value.dtype == torch.int64]
    assert integers == ["class_labels", "iscrowd", "size", "orig_size", "image_id"]


def test_batches_of_detr_with_masks() -> None:
    samples = [squares(2, 51, labels=[0, 3], iscrowd=[False, True]), squares(0, 9)]
    plain, masked = collate("detr")(samples)["labels"], collate("detr", masks=True)(samples)["labels"]
    assert torch.equal(masked[0]["masks"], dense_of(samples[0])[:1].bool())
    assert masked[0]["masks"].dtype == masked[1]["masks"].dtype == torch.bool
    assert tuple(masked[1]["masks"].shape) == (0, 20, 30)
    for one, other in zip(plain, masked, strict=True):
        assert fingerprint(one) == fingerprint({name: each for name, each in other.items() if name != "masks"})
    ready = ForTraining(JITTER, masks="runs")(samples[0], rng=0)
    assert torch.equal(collate("detr", masks=True)([ready])["labels"][0]["masks"], masked[0]["masks"])


@pytest.mark.parametrize("form", FORMS)
def test_images_without_objects_are_valid(form: str) -> None:
    empty = squares(0, 9)
    augment = SimpleCopyPaste(size=(20, 30), p=1)
    samples: list[Any] = [empty, Sample(empty.image, Instances()), augment(empty, empty, rng=0)]
    samples += [ForTraining(augment)(empty, (), rng=0), squares(2, 9, labels=[1, 2], iscrowd=[True, True])]
    batch = collate(form)(samples)
    targets = batch[1] if form == "torchvision" else batch.get("labels", [])
    assert all(tuple(each["boxes"].shape) == (0, 4) for each in targets)
    assert all(each["boxes"].dtype == torch.float32 for each in targets)
    for masks in [each["masks"] for each in targets] if form == "torchvision" else batch.get("mask_labels", []):
        assert tuple(masks.shape) == (0, 20, 30)
    assert collate("torchvision")([]) == ([], [])


def test_rows_without_a_pixel_are_left_out() -> None:
    dense = np.zeros((2, 6, 8), np.uint8)
    dense[1, 2:4, 1:5] = 1
    sample = Sample(np.zeros((6, 8, 3), np.uint8), Instances(masks=RleMasks.from_dense(dense), labels=[0, 2]))
    _, (target,) = collate("torchvision")([sample])
    assert target["labels"].tolist() == [2]
    assert target["boxes"].tolist() == [[1, 2, 5, 4]]


def test_objects_that_have_only_a_box() -> None:
    rows = Instances(boxes=[[1, 2, 5, 4], [0, 0, 3, 3]], labels=[1, 2], box_only=[True, True])
    boxes = Sample(np.zeros((6, 8, 3), np.uint8), rows)
    mixed = boxes.replace(instances=boxes.instances.replace(box_only=[False, True]))
    for form in ("torchvision", "mask2former"):
        with pytest.raises(
            ArgumentError, match=r"^samples\[1\]: expected outlines of all .*'drop'.*, got 1 that have only a box$"
        ):
            collate(form)([boxes.replace(instances=Instances()), mixed])
    with pytest.raises(ArgumentError, match=r"^samples\[0\]: expected outlines of all"):
        collate("detr", masks=True)([mixed])
    _, (target,) = collate("torchvision", box_only="drop")([mixed])
    assert target["labels"].tolist() == [1]
    _, (target,) = collate("torchvision", box_only="keep")([mixed])
    assert target["masks"][1].nonzero().tolist() == [[y, x] for y in range(3) for x in range(3)]
    for rule in ("error", "keep", "drop"):
        target = collate("detr", box_only=rule)([boxes])["labels"][0]
        assert target["boxes"][0].tolist() == pytest.approx([3 / 8, 3 / 6, 4 / 8, 2 / 6])


def test_labels_that_the_model_does_not_know() -> None:
    zero, named = squares(2, 9, labels=[3, 0]), squares(1, 9, labels=["car"])
    with pytest.raises(
        ArgumentError,
        match=r"^samples\[1\]: expected labels from 1 on, as torchvision takes 0 for the background \(labels='from1' .*\), got 0$",
    ):
        collate("torchvision")([squares(1, 9, labels=[1]), zero])
    with pytest.raises(ArgumentError, match=r"^samples\[0\]: expected labels from 1 to 2, for num_classes=3, got 3$"):
        collate("torchvision", num_classes=3)([squares(1, 9, labels=[3])])
    collate("torchvision", num_classes=4)([squares(1, 9, labels=[3])])
    for form in ("mask2former", "detr"):
        with pytest.raises(
            ArgumentError, match=r"^samples\[0\]: expected labels from 0 on \(labels='from0' .*\), got -1$"
        ):
            collate(form)([squares(1, 9, labels=[-1])])
        with pytest.raises(ArgumentError, match=r"expected labels from 0 to 2, for num_classes=3, got 3$"):
            collate(form, num_classes=3)([zero])
    for form in FORMS:
        with pytest.raises(ArgumentTypeError, match=r"^samples\[0\]: expected labels that are integers, .*, got <U3"):
            collate(form)([named])
        with pytest.raises(ArgumentError, match=r"^samples\[0\]: expected labels of its 2 objects, got none$"):
            collate(form)([squares(2, 9)])
    collate("torchvision")([squares(2, 9, labels=[0, 1], iscrowd=[True, False])])  # a crowd goes out with its label


def test_other_errors_name_the_sample() -> None:
    other: Any = {"image": 1}
    with pytest.raises(ArgumentTypeError, match=r"^samples\[1\]: expected a Sample or a TrainingSample, got dict$"):
        collate("torchvision")([squares(0, 9), other])
    bare = Sample(np.zeros((6, 8, 3), np.uint8), Instances(labels=[1]))
    with pytest.raises(ArgumentError, match=r"^samples\[0\]: expected masks of its 1 objects, got none$"):
        collate("torchvision")([bare])
    large = Sample(np.zeros((6, 8, 3), np.uint8), Instances())
    for form in ("mask2former", "detr"):
        with pytest.raises(
            ArgumentError, match=r"^samples\[1\]: expected an image of shape \(3, 20, 30\), .*, got \(3, 6, 8\)$"
        ):
            collate(form)([squares(0, 9), large])
    assert len(collate("torchvision")([squares(0, 9), large])[0]) == 2
    with pytest.raises(
        ArgumentError, match=r"^form: expected one of 'torchvision', 'mask2former', 'detr', got 'yolo'$"
    ):
        collate("yolo")
    with pytest.raises(ArgumentError, match=r"^box_only: expected one of"):
        collate("detr", box_only="rectangle")
    with pytest.raises(ArgumentError, match=r"^num_classes: expected an integer from 2"):
        collate("torchvision", num_classes=1)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_without_it_names_it(workers: int) -> None:
    for transform in (ForTraining(JITTER), JITTER):
        train: Any = CopyPasteDataset([squares(1, 9, labels=[1])] * 2, transform)
        loader = torch.utils.data.DataLoader(
            train, 2, num_workers=workers, multiprocessing_context="fork" if workers else None
        )
        with pytest.raises(
            ArgumentTypeError, match=r"collate_fn: .*integrations\.torch\.collate makes one .*collate_fn=list"
        ):
            next(iter(loader))
        as_they_are = torch.utils.data.DataLoader(train, 2, collate_fn=list)
        assert [len(batch) for batch in as_they_are] == [2]


def test_it_is_a_value() -> None:
    made = collate("torchvision", num_classes=5, box_only="drop")
    assert pickle.loads(pickle.dumps(made)) == made == Collate("torchvision", num_classes=5, box_only="drop")
    masked = collate("detr", masks=True)
    assert len({made, collate("torchvision", num_classes=5), collate("detr"), masked}) == 4
    assert pickle.loads(pickle.dumps(masked)) == masked
    assert repr(masked) == "Collate('detr', num_classes=None, box_only='error', masks=True)"
    assert repr(made) == "Collate('torchvision', num_classes=5, box_only='drop')"


@pytest.mark.parametrize("name", ["coco_free56", "fruits_nuts18", "dali_pixelwise6"])
def test_real_targets_mean_what_the_file_says(test_data: Path, name: str) -> None:
    from pycocotools.coco import COCO

    photos = CocoDataset(test_data / name / "annotations.json", test_data / name / "images", cache_dir=False)
    truth = COCO(str(test_data / name / "annotations.json"))
    checked = 0
    for sample in (photos[i] for i in range(len(photos))):
        (image,), (target,) = collate("torchvision", num_classes=1 + max(truth.getCatIds()))([sample])
        record = truth.imgs[target["image_id"]]
        with Image.open(test_data / name / "images" / record["file_name"]) as picture:
            assert image.shape == (3, picture.height, picture.width)
        annotations = [each for each in truth.imgToAnns[record["id"]] if not each.get("iscrowd")]
        masks = [truth.annToMask(each) for each in annotations]
        rows = [i for i, mask in enumerate(masks) if mask.any()]
        assert target["labels"].tolist() == [annotations[i]["category_id"] for i in rows]
        if rows:
            expected = torch.from_numpy(np.stack([masks[i] for i in rows]))
            assert torch.equal(target["masks"], expected)
            assert torch.equal(target["boxes"], masks_to_boxes(expected) + torch.tensor([0.0, 0.0, 1.0, 1.0]))
        checked += len(rows)
    assert checked > 10


@pytest.mark.filterwarnings("ignore::UserWarning")  # what was left out of a file
@pytest.mark.parametrize(
    "annotations",
    [
        "coco_free56/annotations.json",
        "dali_pixelwise6/annotations.json",
        "dali_quirks/annotations.json",
        "fruits_nuts18/annotations.json",
        "nuclei30/annotations.json",
        "nuclei664/val.json",
        "nuclei664/train.json",
    ],
)
def test_the_loss_is_finite_on_every_item(test_data: Path, annotations: str) -> None:
    size = 128
    path = test_data / annotations
    photos = CocoDataset(path, path.parent / "images", cache_dir=False, labels="from1")
    train = CopyPasteDataset(photos, ForTraining(SimpleCopyPaste(size=size, target_scale=(0.5, 1.5), p=0.5)), seed=1)
    jitter = CopyPasteDataset(photos, ForTraining(ScaleJitter(size=size, scale=(0.5, 1.5))))
    empty = [i for i in range(len(photos)) if not photos.has_objects(i)]
    assert empty or "coco_free56" not in annotations
    num_classes = 1 + max(category["id"] for category in photos.categories)
    torch.manual_seed(0)
    model = small_maskrcnn(num_classes, size).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    make = collate("torchvision", num_classes=num_classes)
    batches = [range(i, min(i + 8, len(photos))) for i in range(0, len(photos), 8)]
    items = [*([train[i] for i in batch] for batch in batches), *([jitter[i]] for i in empty)]
    for i, batch in enumerate(items):
        images, targets = make(batch)
        assert len(targets[0]["labels"]) == 0 or i < len(batches), "only crowds, or nothing"
        trained = i % 4 == 0 or i >= len(batches)
        with torch.set_grad_enabled(trained):
            loss = sum(model(images, targets).values())
        assert torch.isfinite(loss), i
        if trained:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            assert all(torch.isfinite(each).all() for each in model.parameters()), i
