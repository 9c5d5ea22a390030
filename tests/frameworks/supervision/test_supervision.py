"""Detections of Supervision, there and back: pycocotools, Pillow and OpenCV say what masks, boxes and colours are."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from copypaste_rs import ForTraining, Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.datasets import (
    CocoDataset,
    CocoWriter,
    CopyPasteDataset,
    YoloWriter,
    open_dataset,
    sample_data,
    sample_paths,
)

pytest.importorskip("supervision", reason="supervision is not installed: make test-frameworks installs it")

import supervision as sv

from copypaste_rs.integrations.supervision import (
    DetectionSamples,
    from_detections,
    to_detections,
    to_scene,
)

ANNOTATIONS, IMAGES = map(str, sample_paths())


def opened(annotations: Any = ANNOTATIONS, images: Any = IMAGES, **options: Any) -> Any:
    return sv.DetectionDataset.from_coco(str(images), str(annotations), **options)


def scenes(samples: Any, paste: Any, seed: int = 0) -> Any:
    """Pairs of image and detections; Any, as the type of items does not tell of `post`."""
    return CopyPasteDataset(samples, paste, seed=seed, post=to_scene)


def tight(mask: Any) -> list[int]:
    (rows,), (columns,) = (np.nonzero(mask.any(axis)) for axis in (1, 0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def detections(n: int = 3, size: tuple[int, int] = (20, 31), **data: Any) -> Any:
    masks = np.zeros((n, *size), bool)
    for i in range(n):
        masks[i, 2 * i : 3 * i + 4, i : 2 * i + 9] = True
        masks[i, 2 * i + 1, i + 1] = False  # a hole
    boxes = np.array([tight(mask) for mask in masks], np.float32).reshape(n, 4)
    return sv.Detections(
        boxes, masks, np.linspace(0.25, 1, n), np.arange(n, dtype=int), np.arange(n, dtype=int) + 7, data=data
    )


def two_photographs(folder: Path) -> Any:
    """A dark image with a red object, and a grey one with a green object; they overlap."""
    with CocoWriter(folder, [{"id": 3, "name": "red"}, {"id": 9, "name": "green"}], format="png") as writer:
        for label, place, colour, ground in [
            (3, np.s_[8:40, 4:40], (200, 10, 20), 30),
            (9, np.s_[24:56, 20:60], (10, 180, 60), 90),
        ]:
            image, mask = np.full((64, 64, 3), ground, np.uint8), np.zeros((1, 64, 64), np.uint8)
            image[place], mask[0][place] = colour, 1
            writer.write(Sample(image, Instances(masks=RleMasks.from_dense(mask), labels=[label])))
    return opened(folder / "annotations.json", folder / "images")


def test_samples_are_what_the_data_set_says() -> None:
    """Labels count the classes from 0 in the order of their ids, images are RGB, masks those that Supervision drew."""
    truth = COCO(ANNOTATIONS)
    dataset = opened()
    samples = DetectionSamples(dataset)
    ids = sorted(truth.cats)
    assert samples.categories == [{"id": i, "name": truth.cats[number]["name"]} for i, number in enumerate(ids)]
    for sample in (samples[i] for i in range(len(samples))):
        file = Path(IMAGES) / sample.info["file_name"]
        assert Path(sample.info["image_path"]).samefile(file)
        difference = sample.image.astype(int) - np.asarray(Image.open(file).convert("RGB"))
        assert np.abs(difference).mean() < 1  # two decoders of JPEG
        (image_id,) = [number for number, each in truth.imgs.items() if each["file_name"] == file.name]
        rows = truth.loadAnns(truth.getAnnIds(image_id))
        assert sample.instances.masks is not None
        drawn = sample.instances.masks.to_dense()
        np.testing.assert_array_equal(drawn, dataset.annotations[sample.info["image_path"]].mask)
        masks = np.stack([truth.annToMask(row) for row in rows]).astype(np.uint8)
        wider = [cv2.dilate(mask, np.ones((5, 5))) for mask in masks]
        assert not (drawn[np.stack(wider) == 0]).any()  # it cuts fractions off and fills the border
        assert (drawn & masks).sum() > 0.99 * masks.sum()
        assert sample.instances.labels is not None
        assert sample.instances.labels.tolist() == [ids.index(row["category_id"]) for row in rows]
        assert sample.instances.class_name.tolist() == [truth.cats[row["category_id"]]["name"] for row in rows]


@pytest.mark.parametrize("compact", [False, True])
def test_there_and_back(compact: bool) -> None:
    given = detections(4, iscrowd=np.array([0, 1, 0, 0]), area=np.ones(4), name=np.array(["a", "bc", "", "d"]))
    rows = from_detections(given, (20, 31))
    assert rows.iscrowd is not None
    assert rows.iscrowd.tolist() == [False, True, False, False]
    made = to_detections(rows, compact=compact)
    assert isinstance(made.mask, sv.CompactMask if compact else np.ndarray)
    np.testing.assert_array_equal(np.asarray(made.mask), given.mask)
    assert made.data.pop("area").tolist() == given.mask.sum((1, 2)).tolist()
    given.data.pop("area")
    made.mask = given.mask
    assert made == given
    assert from_detections(to_detections(rows, compact=compact), (20, 31)) == rows


def test_compact_masks_are_read() -> None:
    given = detections(3)
    runs = from_detections(given, (20, 31)).masks
    given.mask = sv.CompactMask.from_dense(given.mask, given.xyxy, (20, 31))
    assert from_detections(given, (20, 31)).masks == runs


@pytest.mark.parametrize("compact", [False, True])
def test_boxes_are_tight_around_what_is_left(compact: bool) -> None:
    """Boxes are half-open, as those of the COCO reader, and each mask lies in its box."""
    train = CopyPasteDataset(DetectionSamples(opened()), SimpleCopyPaste(size=160, min_area=16), seed=0)
    for epoch in range(3):
        train.set_epoch(epoch)
        for i in range(len(train)):
            made = to_detections(train[i].instances, compact=compact)
            for mask, box in zip(np.asarray(made.mask), made.xyxy, strict=True):
                assert box.tolist() == tight(mask)
            assert made.mask is not None
            masks = np.asarray(made.mask)
            pasted = made.data["source"] >= 0
            below = masks[~pasted].any(0)
            assert not (below & masks[pasted].any(0)).any()  # what is covered is cut


def test_a_pasted_scene(tmp_path: Path) -> None:
    """Known by hand: the green object is pasted over the red one; the image is BGR."""
    samples = DetectionSamples(two_photographs(tmp_path / "set"))
    paste = SimpleCopyPaste(size=64, target_scale=(1, 1), source_scale=(1, 1), flip=0, select="all")
    image, made = scenes(samples, paste)[0]
    expected = np.full((64, 64, 3), 30, np.uint8)
    expected[8:40, 4:40], expected[24:56, 20:60] = (20, 10, 200), (60, 180, 10)
    np.testing.assert_array_equal(image, expected)
    assert made.class_id.tolist() == [0, 1]
    assert made.data["class_name"].tolist() == ["red", "green"]
    red, green = np.zeros((2, 64, 64), bool)
    red[8:40, 4:40] = green[24:56, 20:60] = True
    np.testing.assert_array_equal(made.mask, [red & ~green, green])
    assert made.xyxy.tolist() == [[4, 8, 40, 40], [20, 24, 60, 56]]
    assert made.xyxy.dtype == np.float32
    drawn = sv.BoxAnnotator().annotate(sv.MaskAnnotator().annotate(image.copy(), made), made)
    assert drawn.shape == image.shape


def test_a_scene_is_what_opencv_reads() -> None:
    photo = sample_data()[3]
    image, made = to_scene(photo)
    difference = image.astype(int) - cv2.imread(str(Path(IMAGES) / photo.info["file_name"]))
    assert np.abs(difference).mean() < 1
    assert made.class_id.tolist() == photo.instances.labels.tolist()  # type: ignore[union-attr]  # it has labels


def test_results_are_written_by_supervision(tmp_path: Path) -> None:
    """A set of results that its own writer stores, read by pycocotools: masks and boxes are those of the results."""
    train = scenes(DetectionSamples(opened()), SimpleCopyPaste(size=200, min_area=30), 3)
    found = {}
    for i, (image, made) in enumerate(train):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
        made.data["iscrowd"] = np.ones(len(made), int)  # exact: others are simplified to polygons
        found[str(tmp_path / f"{i}.png")] = made
    classes = [category["name"] for category in sample_data().categories]
    written = sv.DetectionDataset(classes, list(found), found)
    written.as_coco(annotations_path=str(tmp_path / "out.json"))
    truth = COCO(str(tmp_path / "out.json"))
    for number, record in truth.imgs.items():
        made = found[str(tmp_path / record["file_name"])]
        rows = truth.loadAnns(truth.getAnnIds(number))
        np.testing.assert_array_equal([truth.annToMask(row) for row in rows], made.mask)
        boxes = made.xyxy.copy()
        boxes[:, 2:] -= boxes[:, :2]
        np.testing.assert_array_equal([row["bbox"] for row in rows], boxes)
        assert [row["category_id"] - 1 for row in rows] == made.class_id.tolist()


def test_crowds_are_not_pasted(tmp_path: Path) -> None:
    """The crowd of an image stays where it is, marked, and never comes along to another."""
    data = json.loads(Path(ANNOTATIONS).read_text())
    crowd = next(row for row in data["annotations"] if row["image_id"] == data["images"][0]["id"])
    runs = RleMasks.from_segmentations(
        [crowd["segmentation"]], (data["images"][0]["height"], data["images"][0]["width"])
    ).to_coco()[0]
    crowd |= {"iscrowd": 1, "segmentation": {**runs, "counts": runs["counts"].decode()}}
    (tmp_path / "a.json").write_text(json.dumps(data))
    samples = DetectionSamples(opened(tmp_path / "a.json"))
    assert [samples.has_objects(i) for i in range(len(samples))] == [False, True, True, True, True]
    assert samples[0].instances.iscrowd is not None
    assert samples[0].instances.iscrowd.all()
    train = scenes(samples, SimpleCopyPaste(size=128))
    for i in range(len(train)):
        _, made = train[i]
        assert not made.data["iscrowd"][made.data["source"] >= 0].any()


def test_images_without_objects() -> None:
    rows = from_detections(sv.Detections.empty(), (20, 31))
    assert len(rows) == 0
    assert rows.masks is not None
    assert rows.masks.size == (20, 31)
    assert len(to_detections(rows)) == 0
    assert to_detections(Instances(), size=(20, 31)).mask.shape == (0, 20, 31)
    paste = SimpleCopyPaste(size=32, source_scale=(1, 1), select="all")
    donor = Sample(np.zeros((20, 31, 3), np.uint8), from_detections(detections(2), (20, 31)))
    made = to_scene(paste(Sample(donor.image, rows), donor, rng=0))[1]
    assert sorted(made.class_id.tolist()) == [0, 1]


def test_models_results_have_scores() -> None:
    """Pasting between labelled and predicted images gives the missing scores a value."""
    predicted = detections(2)
    predicted.tracker_id = None
    paste = SimpleCopyPaste(size=(20, 31), target_scale=(1, 1), source_scale=(1, 1), flip=0, missing={"score": 1.0})
    target = Sample(np.zeros((20, 31, 3), np.uint8), Instances(masks=RleMasks.empty((20, 31)), labels=np.zeros(0, int)))
    source = Sample(target.image, from_detections(predicted, (20, 31)))
    made = to_scene(paste(target, source, rng=1))[1]
    assert set(made.confidence) <= set(predicted.confidence)


def test_boxes_alone(tmp_path: Path) -> None:
    data = json.loads(Path(ANNOTATIONS).read_text())
    for row in data["annotations"]:
        row.pop("segmentation")
    (tmp_path / "a.json").write_text(json.dumps(data))
    boxes = opened(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"dataset: expected masks of all objects \(.*\), got 1 boxes alone in item 0"):
        DetectionSamples(boxes)
    samples = DetectionSamples(boxes, boxes="keep")
    train = scenes(samples, SimpleCopyPaste(size=128, paste_boxes=True))
    pasted = 0
    for i in range(len(train)):
        _, made = train[i]
        assert made.mask is None
        assert (made.xyxy[:, 2:] > made.xyxy[:, :2]).all()
        pasted += int((made.data["source"] >= 0).sum())
    assert pasted


def test_a_yolo_set_has_the_same_masks(tmp_path: Path) -> None:
    photos = CocoDataset(ANNOTATIONS, IMAGES, labels="from0", cache_dir=False)
    with YoloWriter(tmp_path / "set", photos.categories) as writer:
        for sample in photos:
            writer.write(sample, sample.info["file_name"])
    folder = tmp_path / "set"
    read = sv.DetectionDataset.from_yolo(
        str(folder / "images/train"), str(folder / "labels/train"), str(folder / "data.yaml"), force_masks=True
    )
    samples = DetectionSamples(read)
    by_file = {samples[i].info["file_name"]: samples[i] for i in range(len(samples))}
    for ours in photos:
        theirs = by_file[ours.info["file_name"]]
        assert ours.instances.masks is not None
        assert theirs.instances.masks is not None
        assert np.diag(ours.instances.masks.iou(theirs.instances.masks)).min() > 0.9
        assert ours.instances.labels is not None
        np.testing.assert_array_equal(ours.instances.labels, theirs.instances.labels)


def test_what_supervision_writes_as_yolo_is_opened(tmp_path: Path) -> None:
    """Outlines of one part: the masks of its own reader, but for the border that it fills."""
    given = two_photographs(tmp_path / "coco")
    folder = tmp_path / "set"
    given.as_yolo(str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml"))
    found = open_dataset(folder)
    assert found.categories == DetectionSamples(given).categories
    theirs = {Path(path).name: each for path, each in given.annotations.items()}
    for ours in found:
        each = theirs[ours.info["file_name"]]
        np.testing.assert_array_equal(ours.instances.labels, each.class_id)
        mask: Any = ours.instances.masks.to_dense().astype(bool)  # type: ignore[union-attr]  # it has masks
        assert not (mask & ~each.mask).any()
        assert (mask & each.mask).sum() > 0.9 * each.mask.sum()


def test_a_set_is_pickled_and_items_are_the_same_again() -> None:
    train = scenes(DetectionSamples(opened()), SimpleCopyPaste(size=96), 4)
    copy = pickle.loads(pickle.dumps(train))
    for (image, made), (other, again) in zip(train, copy, strict=True):
        np.testing.assert_array_equal(image, other)
        assert made == again


def test_photographs(test_data: Path) -> None:
    """Real annotations of several parts and with crowds: masks are those that Supervision has, there and back."""
    dataset = opened(test_data / "coco_free56/annotations.json", test_data / "coco_free56/images")
    samples = DetectionSamples(dataset)
    crowds = 0
    for i in range(len(samples)):
        rows, given = samples[i].instances, dataset.annotations[dataset.image_paths[i]]
        assert rows.masks is not None
        assert len(rows) == len(given)
        for mask, drawn in zip(rows.masks.to_dense(), given.mask if len(given) else (), strict=True):
            np.testing.assert_array_equal(mask, drawn)
        crowds += 0 if rows.iscrowd is None else int(rows.iscrowd.sum())
        assert from_detections(to_detections(rows, compact=True), rows.masks.size).masks == rows.masks
    assert crowds == 14


class TestBadInput:
    """Errors name what does not fit."""

    def test_masks_of_another_size(self) -> None:
        sentence = r"detections\['mask'\]: expected masks of the image's size \(20, 30\), got \(20, 31\)"
        with pytest.raises(ValueError, match=sentence):
            from_detections(detections(), (20, 30))

    def test_turned_boxes(self) -> None:
        given = detections(1)
        given.data["xyxyxyxy"] = np.zeros((1, 4, 2))
        with pytest.raises(ValueError, match=r"'xyxyxyxy'\]: expected no corners of turned boxes"):
            from_detections(given, (20, 31))

    def test_names_with_a_meaning(self) -> None:
        for name in ("labels", "masks", "columns", "score"):
            with pytest.raises(ValueError, match=rf"\['{name}'\]: expected a name without a meaning of its own"):
                from_detections(detections(2, (20, 31), **{name: np.zeros(2)}), (20, 31))

    def test_samples_for_training(self) -> None:
        """Their images have another layout and dtype than annotators take."""
        train = scenes(sample_data(), ForTraining(SimpleCopyPaste(size=32)))
        with pytest.raises(
            TypeError, match=r"^sample: expected a Sample, as transforms give it without ForTraining, got Tr"
        ):
            train[0]

    def test_types(self) -> None:
        with pytest.raises(TypeError, match=r"detections: expected supervision\.Detections, got list"):
            from_detections([], (20, 31))
        with pytest.raises(TypeError, match=r"dataset: expected a supervision\.DetectionDataset, got list"):
            DetectionSamples([])
        with pytest.raises(TypeError, match="instances: expected Instances, got"):
            to_detections(detections())
        with pytest.raises(TypeError, match="sample: expected a Sample"):
            to_scene(detections())
        with pytest.raises(IndexError, match="index 5 is out of range for 5 images"):
            DetectionSamples(opened())[5]
