"""What a training by Ultralytics gets: pixels, drawn masks, boxes, classes, beside arrays by hand and its own chain."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("ultralytics", reason="ultralytics is not installed: make test-frameworks installs it")

from copypaste_rs.integrations.ultralytics import copy_paste
from tests.frameworks.ultralytics.loops import (
    GREEN,
    RED,
    SIZE,
    STILL,
    a_trainer,
    boxes_alone,
    folder_of_samples,
    pasting,
    two_photographs,
)

pytestmark = pytest.mark.filterwarnings("ignore")

ALL = {"select": "all", "source_scale": (1, 1)}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    return folder_of_samples(tmp_path_factory.mktemp("set") / "samples", empty=True)


def tight(mask: Any) -> list[float]:
    """Box of a mask, half-open, as centre and size in shares of the image."""
    (rows,), (columns,) = (np.nonzero(mask.any(axis)) for axis in (1, 0))
    h, w = mask.shape
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return [(x0 + x1) / 2 / w, (y0 + y1) / 2 / h, (x1 - x0) / w, (y1 - y0) / h]


def seeded(dataset: Any, index: int, seed: int) -> dict[str, Any]:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (what Ultralytics draws from)
    made: dict[str, Any] = dataset[index]
    return made


@pytest.mark.parametrize("overlap", [True, False])
def test_what_a_paste_covers_is_cut(tmp_path: Path, overlap: bool) -> None:
    """The green object lies on the red one: every array is known by hand, pixels in RGB."""
    dataset = pasting(two_photographs(tmp_path / "set"), ALL, imgsz=SIZE, mask_ratio=1, overlap_mask=overlap, **STILL)
    made = dataset[0]
    image = np.full((SIZE, SIZE, 3), 30, np.uint8)
    image[RED], image[GREEN] = (200, 10, 20), (10, 180, 60)
    np.testing.assert_array_equal(made["img"].numpy(), image.transpose(2, 0, 1))
    red, green = np.zeros((2, SIZE, SIZE), bool)
    red[RED] = green[GREEN] = True
    red &= ~green
    assert made["cls"].tolist() == [[0], [1]]
    np.testing.assert_allclose(made["bboxes"], [tight(red), tight(green)], atol=1e-6)
    expected = (red + 2 * green)[None] if overlap else np.stack([red, green])
    np.testing.assert_array_equal(made["masks"].numpy(), expected)
    np.testing.assert_array_equal(made["sem_masks"].numpy(), 1.0 * green)


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("ratio", [1, 4, 3])
def test_forms_are_those_of_format(samples: str, ratio: int, overlap: bool) -> None:
    """With nothing pasted, the entries are those of Ultralytics' own chain: names, dtypes, shapes, and nearly values."""
    settings: dict[str, Any] = {**STILL, "scale": 0.5, "fliplr": 0.0, "hsv_s": 0.7}
    settings |= {"imgsz": 320, "mask_ratio": ratio, "overlap_mask": overlap}
    own = a_trainer(samples, **settings).train_loader.dataset
    ours = pasting(samples, {"p": 0.0}, **settings)
    for index in range(len(own)):
        theirs, made = seeded(own, index, index), seeded(ours, index, index)
        assert theirs.keys() == made.keys()
        np.testing.assert_array_equal(theirs["img"], made["img"])
        for name in ("img", "cls", "bboxes", "masks", "sem_masks", "batch_idx"):
            assert theirs[name].dtype == made[name].dtype, name
            assert theirs[name].shape == made[name].shape, name
        if not len(theirs["cls"]):
            continue
        assert sorted(theirs["cls"].flatten().tolist()) == sorted(made["cls"].flatten().tolist())
        order = np.argsort([np.abs(theirs["bboxes"] - box).sum(1).argmin() for box in made["bboxes"]])
        np.testing.assert_allclose(made["bboxes"][order], theirs["bboxes"], atol=2 / 320)
        drawn = [each["masks"].numpy().max(0) > 0 for each in (theirs, made)]
        wider = [cv2.dilate(each.astype(np.uint8), np.ones((3, 3))) > 0 for each in drawn]
        assert not (drawn[0] & ~wider[1]).any()  # they fill the border too, and cut fractions off
        assert not (drawn[1] & ~wider[0]).any()
        same = theirs["sem_masks"].numpy() == made["sem_masks"].numpy()
        assert same[drawn[0] & drawn[1]].mean() > 0.97


def test_boxes_are_tight_around_masks_under_mosaic(samples: str) -> None:
    """With mosaic, scale and mirror images as they are by default, each row is one object, whole and visible."""
    dataset = pasting(samples, {"min_area": 4, "num_sources": 2}, imgsz=160, mask_ratio=1, overlap_mask=False)
    pasted = 0
    for seed in range(24):
        made = seeded(dataset, seed % len(dataset), seed)
        masks, boxes = made["masks"].numpy(), made["bboxes"].numpy()
        assert made["img"].shape == (3, 160, 160)
        assert (masks.sum((1, 2)) >= 4).all()
        assert len(masks) == len(boxes) == len(made["cls"]) == len(made["batch_idx"])
        if len(masks):
            np.testing.assert_allclose(boxes, [tight(mask) for mask in masks], atol=1e-6)
            pasted += len(masks)
        assert set(made["cls"].flatten().tolist()) <= set(range(len(dataset.data["names"])))
    assert pasted > 24


def test_smaller_objects_show_in_the_one_map(samples: str) -> None:
    """A map of `overlap_mask` is the masks painted from the largest to the smallest, row + 1 each."""
    settings: dict[str, Any] = {"imgsz": 160, "mask_ratio": 2}
    one = pasting(samples, {"source_scale": "standard"}, overlap_mask=True, **settings)
    many = pasting(samples, {"source_scale": "standard"}, overlap_mask=False, **settings)
    for seed in range(12):
        together, apart = (seeded(each, 3, seed) for each in (one, many))
        masks = apart["masks"].numpy()
        expected = np.zeros(masks.shape[1:], np.int64)
        for row in sorted(range(len(masks)), key=lambda row: -int(masks[row].sum())):
            expected[masks[row] > 0] = row + 1
        np.testing.assert_array_equal(together["masks"].numpy()[0], expected)
        np.testing.assert_array_equal(together["sem_masks"], apart["sem_masks"])


def test_ratio_takes_the_middle_pixels(samples: str) -> None:
    options: dict[str, Any] = {"imgsz": 320, "overlap_mask": False}
    whole = seeded(pasting(samples, {}, mask_ratio=1, **options), 0, 5)
    small = seeded(pasting(samples, {}, mask_ratio=4, **options), 0, 5)
    np.testing.assert_array_equal(small["masks"], whole["masks"][:, 2::4, 2::4])


def test_images_without_objects_get_some(samples: str) -> None:
    dataset = pasting(samples, {"select": "all"}, imgsz=96, **STILL)
    empty = next(i for i, label in enumerate(dataset.labels) if not len(label["cls"]))
    assert max(len(seeded(dataset, empty, seed)["cls"]) for seed in range(5)) > 0


def test_cached_images_stay_as_they_were(samples: str) -> None:
    """Colours are changed in place there, which must not reach the images that a data set keeps."""
    dataset = pasting(samples, ALL, imgsz=96, cache="ram", **{**STILL, "hsv_v": 0.9})
    before = [image.copy() for image in dataset.ims]
    for seed in range(10):
        seeded(dataset, seed % len(dataset), seed)
    for image, old in zip(dataset.ims, before, strict=True):
        np.testing.assert_array_equal(image, old)


@pytest.mark.parametrize("degrees", [0, 25])
def test_settings_of_the_training_stay(samples: str, degrees: int) -> None:
    """MixUp, turns and mirror images upside down are made by Ultralytics; its own copy-paste is not."""
    settings: dict[str, Any] = {"mixup": 1.0, "flipud": 1.0, "degrees": degrees, "imgsz": 96, "copy_paste": 0.5}
    trainer = a_trainer(samples, **settings)
    dataset = trainer.train_loader.dataset
    with pytest.warns(UserWarning, match=r"copy_paste=0.5 of the training is left out"):
        copy_paste()(trainer)
    chain = dataset.transforms.transforms
    assert "CopyPaste" not in [type(each).__name__ for each in chain[0].transforms]
    made = seeded(dataset, 0, 0)
    assert made["img"].shape == (3, 96, 96)
    assert len(made["cls"]) == len(made["bboxes"])


@pytest.mark.parametrize(
    ("settings", "classes"),
    [
        ({"rect": True}, set(range(7))),
        ({"classes": [1, 2]}, {1, 2}),
        ({"single_cls": True}, {0}),
        ({"cache": "disk"}, None),
    ],
)
def test_other_settings_of_the_training(tmp_path: Path, settings: dict[str, Any], classes: set[int] | None) -> None:
    """Canvases that are not square, a choice of classes, one class for all, images kept in files."""
    dataset = pasting(folder_of_samples(tmp_path / "set"), {}, imgsz=160, mask_ratio=1, overlap_mask=False, **settings)
    for i in range(len(dataset)):
        made = seeded(dataset, i, i)
        h, w = made["img"].shape[1:]
        assert (h, w) == (tuple(dataset.batch_shapes[dataset.batch[i]]) if dataset.rect else (160, 160))
        assert made["masks"].shape[1:] == (h, w)
        np.testing.assert_allclose(
            made["bboxes"], np.reshape([tight(mask) for mask in made["masks"].numpy()], (-1, 4)), atol=1e-6
        )
        assert classes is None or set(made["cls"].flatten().tolist()) <= classes


class Albumentations:
    """Stands for the step of Ultralytics, which does nothing where the package of that name is missing."""

    def __init__(self, contains_spatial: bool) -> None:
        self.contains_spatial = contains_spatial

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        return labels


@pytest.mark.parametrize("moves", [True, False])
def test_steps_that_move_objects_come_before_the_paste(tmp_path: Path, moves: bool) -> None:
    trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=SIZE)
    steps = trainer.train_loader.dataset.transforms.transforms
    (place,) = [i for i, step in enumerate(steps) if type(step).__name__ == "Albumentations"]
    steps[place] = Albumentations(moves)
    copy_paste()(trainer)
    names = [type(step).__name__ for step in trainer.train_loader.dataset.transforms.transforms]
    assert (names.index("Albumentations") < names.index("PasteStep")) == moves
    assert names.index("PasteStep") < names.index("RandomHSV")
    assert len(trainer.train_loader.dataset[0]["cls"])


@pytest.mark.parametrize("upside_down", [0.0, 1.0])
def test_sources_are_turned_upside_down_too(tmp_path: Path, upside_down: float) -> None:
    data = two_photographs(tmp_path / "set")
    made = pasting(data, ALL, imgsz=SIZE, mask_ratio=1, **{**STILL, "flipud": upside_down})[0]
    green = np.zeros((SIZE, SIZE), bool)
    green[GREEN] = True
    np.testing.assert_array_equal(made["masks"][0].numpy() == 2, green[::-1] if upside_down else green)


def test_outlines_of_a_detector(tmp_path: Path) -> None:
    """Without masks in the end, boxes are those of what is left of the outlines."""
    made = pasting(two_photographs(tmp_path / "set"), ALL, task="detect", imgsz=SIZE, **STILL)[0]
    red, green = np.zeros((2, SIZE, SIZE), bool)
    red[RED] = green[GREEN] = True
    assert "masks" not in made
    np.testing.assert_allclose(made["bboxes"], [tight(red & ~green), tight(green)], atol=1e-6)


def test_boxes_of_a_detector(tmp_path: Path) -> None:
    """Rectangles are pasted where that is asked for."""
    data = boxes_alone(two_photographs(tmp_path / "set"))
    dataset = pasting(data, {**ALL, "paste_boxes": True}, task="detect", imgsz=SIZE, **STILL)
    made = dataset[0]
    red, green = np.zeros((2, SIZE, SIZE), bool)
    red[RED] = green[GREEN] = True
    assert made["cls"].tolist() == [[0], [1]]
    np.testing.assert_allclose(made["bboxes"], [tight(red & ~green), tight(green)], atol=1.5 / SIZE)
    assert (made["img"][:, 40, 40] == made["img"].new_tensor([10, 180, 60])).all()


def test_images_of_one_channel(tmp_path: Path) -> None:
    data = Path(two_photographs(tmp_path / "set"))
    data.write_text(data.read_text() + "channels: 1\n")
    made = pasting(str(data), ALL, imgsz=SIZE, **STILL)[0]
    assert made["img"].shape == (1, SIZE, SIZE)
    assert len(made["cls"]) == 2


def test_weights_by_name(samples: str) -> None:
    dataset = pasting(samples, {"class_weights": {"coin": 0.0, "cat": 0.0}, "select": "all"}, imgsz=96, **STILL)
    empty = next(i for i, label in enumerate(dataset.labels) if not len(label["cls"]))
    names = {dataset.data["names"][int(n)] for seed in range(12) for n in seeded(dataset, empty, seed)["cls"].flatten()}
    assert names
    assert not names & {"coin", "cat"}


def test_photographs(test_data: Path, tmp_path: Path) -> None:
    """Real annotations, of several parts and with crowds, through the whole default chain."""
    from copypaste_rs.datasets import CocoDataset, YoloWriter

    photos = CocoDataset(
        test_data / "coco_free56/annotations.json", test_data / "coco_free56/images", cache_dir=False, crowds="drop"
    )
    with YoloWriter(tmp_path / "set", photos.categories) as writer:
        for sample in photos:
            writer.write(sample)
    dataset = pasting(str(tmp_path / "set/data.yaml"), {"min_area": 16}, imgsz=320, mask_ratio=1, overlap_mask=False)
    for seed in range(len(dataset)):
        made = seeded(dataset, seed, seed)
        for mask, box in zip(made["masks"].numpy(), made["bboxes"].numpy(), strict=True):
            np.testing.assert_allclose(box, tight(mask), atol=1e-6)
