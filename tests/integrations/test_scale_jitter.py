"""ScaleJitter of torchvision's kind: height is height, against torchvision's own resizing and padding."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.tensors import REASON, fingerprint

torch = pytest.importorskip("torch", reason=REASON)
torchvision = pytest.importorskip("torchvision", reason=REASON)

from torchvision import tv_tensors  # noqa: E402
from torchvision.transforms import v2  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

from copypaste_rs.integrations.torchvision import ScaleJitter  # noqa: E402

SIZE = (24, 48)


def pair(kind: Any = torch.uint8) -> tuple[Any, dict[str, Any]]:
    image = torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    masks = torch.zeros((3, *SIZE), dtype=torch.bool)
    masks[0, 2:10, 4:20], masks[1, 12:20, 30:44], masks[2, 22:24, 46:48] = True, True, True
    boxes = tv_tensors.BoundingBoxes(
        torch.tensor([[4, 2, 20, 10], [30, 12, 44, 20], [46, 22, 48, 24]]), format="XYXY", canvas_size=SIZE
    )
    target = {"masks": tv_tensors.Mask(masks), "boxes": boxes, "labels": torch.tensor([5, 6, 7]), "image_id": 9}
    return tv_tensors.Image(image if kind == torch.uint8 else image / 255), target


def test_the_sides_are_not_swapped() -> None:
    image, target = pair()
    theirs, _ = v2.ScaleJitter(SIZE, scale_range=(1, 1))(image, target)
    assert theirs.shape == (3, 12, 24)  # torchvision takes the height for the width
    ours, rows = ScaleJitter(size=SIZE, scale=(1, 1), flip=0)(image, target)
    assert torch.equal(ours, image)
    assert torch.equal(rows["masks"], target["masks"])
    assert torch.equal(rows["boxes"], target["boxes"].float())
    assert rows["labels"].tolist() == [5, 6, 7]
    assert rows["image_id"] == 9


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize(("scale", "size"), [(0.5, (12, 24)), (0.75, (18, 36)), (2, (48, 96))])
def test_resized_padded_and_cropped_as_by_torchvision(
    kind: Any, flip: int, scale: float, size: tuple[int, int]
) -> None:
    image, target = pair(kind)
    fill = 7 if kind == torch.uint8 else 0.25
    torch.manual_seed(2)
    jitter = ScaleJitter(size=(24, 48), scale=(scale, scale), flip=flip, fill=fill, min_area=1)
    made, rows = jitter(image, target)
    resized = F.resize(F.horizontal_flip(image) if flip else image, list(size), antialias=True)
    if scale < 1:
        expected = F.pad(resized, [0, 0, 48 - size[1], 24 - size[0]], fill=fill)
        error = (made.float() - expected.float()).abs().max()
        assert error <= (1 if kind == torch.uint8 else 1e-5)
    else:
        windows = resized.as_subclass(torch.Tensor).float().unfold(1, 24, 1).unfold(2, 48, 1)
        errors = (windows - made.as_subclass(torch.Tensor).float()[:, None, None]).abs().amax((0, 3, 4))
        assert errors.min() <= (1 if kind == torch.uint8 else 1e-5)
    assert made.dtype == kind
    assert type(made) is tv_tensors.Image
    assert type(rows["masks"]) is tv_tensors.Mask
    n = len(rows["labels"])
    assert len(rows["masks"]) == len(rows["boxes"]) == n > 0
    assert rows["boxes"].canvas_size == (24, 48)
    masks = rows["masks"].as_subclass(torch.Tensor)
    corners = torchvision.ops.masks_to_boxes(masks) + torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert torch.equal(rows["boxes"].as_subclass(torch.Tensor), corners)


def test_rows_that_are_gone_are_dropped_from_all_entries() -> None:
    image, target = pair()
    target["score"] = torch.tensor([0.5, 0.25, 0.125])
    target["depth"] = torch.tensor([1.0, 2.0])
    _, rows = ScaleJitter(size=SIZE, scale=(1, 1), flip=0, min_area=5)(image, target)
    assert rows["labels"].tolist() == [5, 6]
    assert rows["score"].tolist() == [0.5, 0.25]
    assert rows["depth"].tolist() == [1, 2]
    assert len(rows["masks"]) == len(rows["boxes"]) == 2
    small, rows = ScaleJitter(size=(8, 8), scale=(8, 8), flip=0, scale_reference="input", min_area=65)(image, target)
    assert small.shape == (3, 8, 8)
    assert [len(rows[name]) for name in ("masks", "boxes", "labels", "score")] == [0, 0, 0, 0]
    assert rows["labels"].dtype == torch.int64


@pytest.mark.parametrize("form", ["XYXY", "XYWH", "CXCYWH"])
def test_boxes_alone(form: str) -> None:
    image, target = pair()
    del target["masks"]
    given = target["boxes"].as_subclass(torch.Tensor).float()
    boxes = F.convert_bounding_box_format(given, old_format="XYXY", new_format=form)
    target["boxes"] = tv_tensors.BoundingBoxes(boxes, format=form, canvas_size=SIZE)
    _, rows = ScaleJitter(size=(48, 96), scale=(1, 1), flip=0)(image, target)
    assert torch.equal(rows["boxes"].as_subclass(torch.Tensor), boxes * 2)
    assert rows["boxes"].format.name == form
    assert rows["labels"].tolist() == [5, 6, 7]
    assert "masks" not in rows


def test_it_stands_in_a_pipeline() -> None:
    image, target = pair()
    jitter = ScaleJitter(size=32, scale=(0.5, 2.0), fill=0)
    torch.manual_seed(1)
    made = [fingerprint(jitter(image, target)) for _ in range(3)]
    assert len({*made}) == 3
    torch.manual_seed(1)
    assert [fingerprint(pickle.loads(pickle.dumps(jitter))(image, target)) for _ in range(3)] == made
    torch.manual_seed(1)
    steps = v2.Compose(
        [jitter, v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True), v2.SanitizeBoundingBoxes()]
    )
    done, rows = steps(image, target)
    assert done.dtype == torch.float32
    assert done.shape == (3, 32, 32)
    assert len(rows["labels"]) == len(rows["masks"])
    torch.manual_seed(1)
    assert isinstance(jitter((image, target)), tuple)
    alone = jitter(image)
    assert alone.shape == (3, 32, 32)
    _, kept = jitter(image, {"caption": "a"})
    assert kept == {"caption": "a"}
    assert "size=32" in repr(jitter)


def test_errors() -> None:
    jitter = ScaleJitter(size=32)
    image, target = pair()
    with pytest.raises(ArgumentTypeError, match=r"^inputs: expected an image, or an image and a target, got 3 things$"):
        jitter(image, target, 3)
    with pytest.raises(ArgumentTypeError, match=r"^inputs: expected an image that is a tensor \(C, H, W\)"):
        jitter(image[0])
    with pytest.raises(ArgumentTypeError, match=r"^inputs\[0\]: expected a target that is a dict, got int$"):
        jitter(image, 3)
    rotated = tv_tensors.BoundingBoxes(torch.zeros(3, 5), format="XYWHR", canvas_size=SIZE)
    with pytest.raises(
        ArgumentError, match=r"^boxes: expected boxes in one of the formats XYXY, XYWH, CXCYWH, got XYWHR$"
    ):
        jitter(image, {"boxes": rotated})
    with pytest.raises(ArgumentError, match=r"^scale"):
        ScaleJitter(size=32, scale=(2, 1))
