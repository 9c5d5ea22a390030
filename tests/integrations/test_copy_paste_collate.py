"""CopyPasteCollate: a batch as torchvision's scripts have it, against pastes by masks, pixel by pixel."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.tensors import REASON, fingerprint

torch = pytest.importorskip("torch", reason=REASON)
torchvision = pytest.importorskip("torchvision", reason=REASON)

from torch.utils.data import DataLoader  # noqa: E402
from torchvision import tv_tensors  # noqa: E402
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2  # noqa: E402
from torchvision.ops import masks_to_boxes  # noqa: E402

from copypaste_rs.integrations.torchvision import CopyPasteCollate  # noqa: E402

SIZE = (20, 30)
STILL: dict[str, Any] = {"size": SIZE, "target_scale": (1, 1), "source_scale": (1, 1), "flip": 0, "select": "all"}
"""Options with which nothing moves: what a paste gives can be written down."""


def pair(number: int, n: int = 2, **more: Any) -> tuple[Any, dict[str, Any]]:
    """An image of noise and its target, with n rectangles."""
    noise = torch.Generator().manual_seed(number)
    masks = torch.zeros((n, *SIZE), dtype=torch.uint8)
    for k in range(n):
        masks[k, 2 + number + k : 9 + number + k, 3 * number + 6 * k : 3 * number + 6 * k + 8] = 1
    image = torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8, generator=noise)
    labels = torch.arange(n) + 10 * number
    return image, {"masks": masks, "labels": labels, "boxes": torch.rand(n, 4), "image_id": number, **more}


def pasted(target: Any, source: Any) -> tuple[Any, Any, Any]:
    """All objects of a source over a target of the same size: image, masks and labels."""
    over = source[1]["masks"].amax(0, keepdim=True).bool()
    image = torch.where(over, source[0], target[0])
    masks = torch.cat([target[1]["masks"] * ~over, source[1]["masks"]])
    labels = torch.cat([target[1]["labels"], source[1]["labels"]])
    kept = masks.flatten(1).amax(1) > 0
    return image, masks[kept], labels[kept]


@pytest.mark.parametrize("kind", ["uint8", "float32"])
@pytest.mark.parametrize("mask_kind", ["uint8", "bool"])
def test_each_item_gets_the_objects_of_the_one_before(kind: str, mask_kind: str) -> None:
    batch = [
        pair(i, 1 + i % 3, area=torch.zeros(1 + i % 3), iscrowd=torch.zeros(1 + i % 3, dtype=torch.int64))
        for i in range(4)
    ]
    if kind == "float32":
        batch = [(image / 255, target) for image, target in batch]
    batch = [(image, {**target, "masks": target["masks"].to(getattr(torch, mask_kind))}) for image, target in batch]
    images, targets = CopyPasteCollate(**STILL)(batch)
    for i, (image, target) in enumerate(zip(images, targets, strict=True)):
        expected_image, masks, labels = pasted(batch[i], batch[i - 1])
        assert torch.equal(image, expected_image)
        assert image.dtype == getattr(torch, kind)
        assert target["masks"].dtype == getattr(torch, mask_kind)
        assert torch.equal(target["masks"].to(torch.uint8), masks)
        assert torch.equal(target["labels"], labels)
        assert torch.equal(target["boxes"], masks_to_boxes(masks) + torch.tensor([0.0, 0.0, 1.0, 1.0]))
        assert torch.equal(target["area"], masks.sum((1, 2), dtype=torch.float32))
        assert torch.equal(target["iscrowd"], torch.zeros(len(labels), dtype=torch.int64))
        assert target["image_id"] == i
        assert list(target) == list(batch[i][1])


def test_rows_travel_and_other_entries_stay() -> None:
    score, track = torch.tensor([0.5, 0.25]), np.array([[1, 2], [3, 4]])
    batch = [
        pair(
            0,
            2,
            score=score,
            track=track,
            name=["a", "b"],
            note="first",
            size=torch.tensor([20, 30]),
            segmentation=[1, 2],
        ),
        pair(1, 1, score=score[:1] / 8, track=track[:1] * 9, name=["c"], note="second", size=torch.tensor([2, 3])),
    ]
    _, targets = CopyPasteCollate(**STILL)(batch)
    first = targets[0]
    assert first["labels"].tolist() == [0, 1, 10]
    assert torch.equal(first["score"], torch.tensor([0.5, 0.25, 0.0625]))
    assert first["track"].tolist() == [[1, 2], [3, 4], [9, 18]]
    assert first["name"] == ["a", "b", "c"]
    assert first["note"] == "first"
    assert first["size"].tolist() == [20, 30]
    assert "segmentation" not in first
    _, targets = CopyPasteCollate(columns=["score"], **STILL)(batch)
    assert torch.equal(targets[0]["score"], torch.tensor([0.5, 0.25, 0.0625]))
    assert targets[0]["name"] == ["a", "b"]
    # An entry whose length is the number of objects in one image by chance is none with rows.
    batch = [pair(0, 2, depth=torch.tensor([1.0, 9.0])), pair(1, 1, depth=torch.tensor([2.0, 8.0]))]
    _, targets = CopyPasteCollate(**STILL)(batch)
    assert [target["depth"].tolist() for target in targets] == [[1, 9], [2, 8]]


def test_keypoints_and_maps() -> None:
    points = torch.tensor([[[4.0, 5.0, 2.0], [0.0, 0.0, 0.0]]])
    semantic = tv_tensors.Mask(torch.full(SIZE, 3))
    moved = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])
    batch = [pair(i, 1, keypoints=points + i * moved, semantic=semantic + i) for i in range(2)]
    batch = [(image, {**target, "semantic": tv_tensors.Mask(target["semantic"])}) for image, target in batch]
    images, targets = CopyPasteCollate(flip_pairs=(), **STILL)(batch)
    # The target's own point is hidden below what is pasted, where it lies there.
    over = batch[1][1]["masks"][0].bool()
    assert targets[0]["keypoints"][0, 0].tolist() == [4, 5, 1 if over[5, 4] else 2]
    assert targets[0]["keypoints"][:, 1].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert targets[0]["keypoints"][1].tolist() == batch[1][1]["keypoints"][0].tolist()
    assert isinstance(targets[0]["semantic"], tv_tensors.Mask)
    assert torch.equal(targets[0]["semantic"], torch.where(over, 4, 3))
    assert len(images) == 2


def test_classes_of_tensors_are_kept() -> None:
    batch = []
    for i in range(2):
        image, target = pair(i, 2)
        boxes = tv_tensors.BoundingBoxes(torch.zeros(2, 4), format="XYWH", canvas_size=SIZE)
        batch.append((tv_tensors.Image(image), {**target, "masks": tv_tensors.Mask(target["masks"]), "boxes": boxes}))
    plain = [pair(i, 2) for i in range(2)]
    options: dict[str, Any] = {**STILL, "size": (16, 40), "seed": 3}
    images, targets = CopyPasteCollate(**options)(batch)
    same_images, same_targets = CopyPasteCollate(**options)(plain)
    for image, target, expected, rows in zip(images, targets, same_images, same_targets, strict=True):
        assert type(image) is tv_tensors.Image
        assert type(target["masks"]) is tv_tensors.Mask
        assert torch.equal(image, expected)
        assert torch.equal(target["masks"], rows["masks"])
        assert target["boxes"].format.name == "XYWH"
        assert target["boxes"].canvas_size == (16, 40)
        corners = torchvision.ops.box_convert(target["boxes"].as_subclass(torch.Tensor), "xywh", "xyxy")
        assert torch.equal(corners, rows["boxes"])


def test_images_without_objects() -> None:
    crowd = pair(3, 1, iscrowd=torch.tensor([1]))
    batch = [(pair(0)[0], {"image_id": 5}), pair(1, 0, iscrowd=torch.zeros(0, dtype=torch.int64)), crowd]
    images, targets = CopyPasteCollate(**STILL)(batch)
    for i in range(3):  # nobody has an object to give
        assert torch.equal(images[i], batch[i][0])
    assert targets[0]["image_id"] == 5
    for target in targets[:2]:
        shapes = {name: tuple(target[name].shape) for name in ("masks", "labels", "boxes", "iscrowd")}
        assert shapes == {"masks": (0, *SIZE), "labels": (0,), "boxes": (0, 4), "iscrowd": (0,)}
        assert [target[name].dtype for name in ("masks", "labels", "iscrowd")] == [
            torch.uint8,
            torch.int64,
            torch.int64,
        ]
    assert targets[2]["iscrowd"].tolist() == [1]
    # As a target it gets what the one before has.
    _, targets = CopyPasteCollate(**STILL)([(pair(0)[0], {"image_id": 5}), pair(1, 2)])
    assert targets[0]["labels"].tolist() == [10, 11]
    assert CopyPasteCollate(**STILL)([]) == ([], [])


def test_a_batch_of_one_pastes_nothing_and_says_so_once() -> None:
    make = CopyPasteCollate(**STILL)
    with pytest.warns(UserWarning, match=r"^batch: of one item, so that nothing is pasted into it$") as caught:
        made = [make([pair(1)]) for _ in range(2)]
    assert len(caught) == 1
    for (image,), (target,) in made:
        assert torch.equal(image, pair(1)[0])
        assert target["labels"].tolist() == [10, 11]


LARGE: dict[str, Any] = {"size": 24, "source_scale": (0.5, 1.5), "target_scale": (0.5, 1.5)}


class Pairs:
    """A data set of pairs, which workers can take along."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[Any, dict[str, Any]]:
        if not 0 <= index < 8:
            raise IndexError(index)
        return pair(index % 4)


def test_draws_are_those_of_torch_or_of_the_seed() -> None:
    batch = [pair(i) for i in range(4)]
    make = CopyPasteCollate(**LARGE)
    torch.manual_seed(4)
    first, second = fingerprint(make(batch)), fingerprint(make(batch))
    assert first != second
    torch.manual_seed(4)
    assert [fingerprint(make(batch)), fingerprint(make(batch))] == [first, second]
    seeded = [
        fingerprint(each(batch)) for each in [CopyPasteCollate(seed=9, **LARGE) for _ in range(2)] for _ in range(2)
    ]
    assert seeded[:2] == seeded[2:]
    assert seeded[0] != seeded[1]
    torch.manual_seed(0)
    assert fingerprint(CopyPasteCollate(seed=9, **LARGE)(batch)) == seeded[0]  # apart from torch's generator
    assert fingerprint(CopyPasteCollate(seed=8, **LARGE)(batch)) not in seeded


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_draw_the_same_from_the_same_seed(seed: int | None, workers: int) -> None:
    def epochs(start: int) -> list[str]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
            torch.manual_seed(start)
            loader = DataLoader(Pairs(), 4, num_workers=workers, collate_fn=CopyPasteCollate(seed=seed, **LARGE))
            return [fingerprint(batch) for _ in range(2) for batch in loader]

    drawn = epochs(1)
    assert drawn == epochs(1)
    assert len({*drawn}) == 4
    assert (drawn == epochs(2)) == (seed is not None and not workers)


def test_it_pickles() -> None:
    make = CopyPasteCollate(seed=2, columns=["score"], **LARGE)
    batch = [pair(i) for i in range(2)]
    again = pickle.loads(pickle.dumps(make))
    assert fingerprint(again(batch)) == fingerprint(make(batch))
    assert repr(again) == repr(make)
    assert repr(make).endswith("seed=2, columns=['score'])")


def test_torchvisions_own_coco_data_set(test_data: Path) -> None:
    folder = test_data / "coco_free56"
    data = CocoDetection(
        str(folder / "images"), str(folder / "annotations.json"), transforms=torchvision.transforms.v2.ToImage()
    )
    wrapped = wrap_dataset_for_transforms_v2(
        data, target_keys=["boxes", "labels", "masks", "image_id", "iscrowd", "area"]
    )
    batch = [wrapped[i] for i in range(len(wrapped))]
    assert any(set(target) == {"image_id"} for _, target in batch)
    images, targets = CopyPasteCollate(size=128, min_area=4, seed=1)(batch)
    assert {tuple(image.shape) for image in images} == {(3, 128, 128)}
    added = 0
    for target, (_, old) in zip(targets, batch, strict=True):
        n = len(target["labels"])
        assert {len(target[name]) for name in ("boxes", "masks", "iscrowd", "area")} == {n}
        assert target["image_id"] == old["image_id"]
        added += n > len(old.get("labels", []))
        boxes = target["boxes"].as_subclass(torch.Tensor)
        masks = target["masks"].as_subclass(torch.Tensor)
        whole = masks.flatten(1).amax(1) > 0
        if whole.any():
            assert torch.equal(boxes[whole], masks_to_boxes(masks[whole]) + torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert added


def test_errors_name_the_item() -> None:
    make, good = CopyPasteCollate(**STILL), pair(0)
    image, target = good

    def without(name: str) -> dict[str, Any]:
        return {key: value for key, value in target.items() if key != name}

    for wrong, message in [
        (3, r"^batch\[1\]: expected a pair of image and target, got int$"),
        ((image, 3), r"^batch\[1\]: expected a target that is a dict, got int$"),
        (
            (image, without("masks")),
            r"^batch\[1\]: expected a target with masks, got one with boxes, image_id, labels$",
        ),
        (
            (image[0], target),
            r"^batch\[1\]: expected an image that is a tensor \(C, H, W\); .*, got Tensor \(20, 30\)$",
        ),
        ((image.numpy(), target), r"^batch\[1\]: expected an image that is a tensor"),
        (
            (image.double(), target),
            r"^batch\[1\]: expected an image of dtype uint8, or float32 in 0..1, got torch.float64$",
        ),
        (
            (image, {**target, "masks": target["masks"][0]}),
            r"^batch\[1\]\['masks'\]: expected masks \(N, H, W\), got Tensor \(20, 30\)$",
        ),
        (
            (image, {**target, "masks": target["masks"][:, 1:]}),
            r"^batch\[1\]\['masks'\]: expected masks of the image's size \(20, 30\), got \(19, 30\)$",
        ),
        ((image, {**target, "masks": target["masks"].float()}), r"^batch\[1\]\['masks'\]: expected "),
        ((image, without("labels")), r"^item [01]: .*labels"),
        ((image[:1], target), r"^item [01]: "),
    ]:
        given: Any = [good, wrong]
        with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
            make(given)
    with pytest.raises(
        ArgumentError, match=r"^batch\[0\]\['score'\]: expected 2 rows, one for each object, got Tensor \(3,\)$"
    ):
        CopyPasteCollate(columns=["score"], **STILL)([pair(0, 2, score=torch.zeros(3)), pair(1)])
    with pytest.raises(ArgumentError, match=r"^seed: "):
        CopyPasteCollate(seed=-1, **STILL)
    with pytest.raises(TypeError, match="scale"):
        CopyPasteCollate(scale=(1, 1), **STILL)
