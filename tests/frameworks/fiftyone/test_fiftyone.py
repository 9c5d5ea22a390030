"""Labels of FiftyOne, there and back: its own rendering and COCO importer, and pycocotools, say what masks are."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from pycocotools.coco import COCO

from copypaste_rs import ForTraining, Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data, sample_paths
from tests.fixtures.masks_of_all_kinds import blobs

pytest.importorskip("fiftyone", reason="fiftyone is not installed: make test-frameworks installs it")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

import fiftyone as fo  # noqa: E402
import fiftyone.utils.coco as fouc  # noqa: E402

from copypaste_rs.integrations.fiftyone import LabelledSamples, from_labels, to_labels  # noqa: E402

CLASSES = ["none", "cup", "cat", "coin", "person", "helmet", "rocket", "shuttle model"]


def rendered(found: Any, size: tuple[int, int]) -> Any:
    """The mask of a detection on the image, by FiftyOne."""
    return found.to_segmentation(frame_size=(size[1], size[0]), target=1).mask


def samples_of(photos: Any, empty: Path | None = None) -> list[Any]:
    """Samples without a data base."""
    made = []
    for i, photo in enumerate(photos):
        made.append(fo.Sample(filepath=str(sample_paths()[1] / photo.info["file_name"])))
        made[-1]["ground_truth"] = to_labels(photos.instances(i), classes=CLASSES)
    if empty is not None:
        Image.fromarray(np.full((40, 60, 3), 50, np.uint8)).save(empty)
        made.append(fo.Sample(filepath=str(empty)))
        made[-1]["ground_truth"] = None
    return made


@pytest.mark.parametrize("size", [(31, 47), (100, 64), (333, 517)])
def test_masks_are_rendered_where_they_were(size: tuple[int, int]) -> None:
    """FiftyOne cuts fractions of its shares off: boxes are such that no pixel moves, whatever the size."""
    for seed in range(12):
        shape = blobs(seed, size, 0.5)
        draw = np.random.default_rng(seed)
        y0, x0 = draw.integers(0, size[0] - 3), draw.integers(0, size[1] - 3)
        shape[:y0], shape[:, :x0] = 0, 0
        shape[y0, x0] = 1
        runs = RleMasks.from_dense(shape[None])
        (found,) = to_labels(Instances(masks=runs, labels=[1]), classes=CLASSES).detections
        np.testing.assert_array_equal(rendered(found, size), shape)
        x, y, w, h = found.bounding_box
        box = np.array([x * size[1], y * size[0], (x + w) * size[1], (y + h) * size[0]])
        np.testing.assert_allclose(box, runs.boxes[0], atol=1e-9)
        assert found.mask.shape == tuple((runs.boxes[0, 3:1:-1] - runs.boxes[0, 1::-1]).astype(int))
        assert from_labels(fo.Detections(detections=[found]), size).masks == runs


def test_there_and_back() -> None:
    masks = RleMasks.from_dense(np.stack([blobs(seed, (40, 60), 0.4) for seed in range(3)]))
    rows = Instances(
        masks=masks,
        labels=[2, 1, 2],
        iscrowd=[False, True, False],
        score=[0.5, 0.25, 1.0],
        index=[4, 9, 2],
        colour=np.array(["red", "", "blue"]),
    )
    labels = to_labels(rows, classes=CLASSES)
    assert [found.label for found in labels.detections] == ["cat", "cup", "cat"]
    assert [found.confidence for found in labels.detections] == [0.5, 0.25, 1.0]
    assert [found.index for found in labels.detections] == [4, 9, 2]
    assert [found["iscrowd"] for found in labels.detections] == [0, 1, 0]
    assert not labels.detections[1].has_attribute("colour")
    assert from_labels(labels, (40, 60), classes=CLASSES) == rows
    named = from_labels(labels, (40, 60))
    assert named.labels is None
    assert named.label.tolist() == ["cat", "cup", "cat"]
    assert [found.label for found in to_labels(named).detections] == ["cat", "cup", "cat"]


def imported(annotations: Path) -> Any:
    """Annotations, image by image, as FiftyOne's COCO importer makes labels of them."""
    truth = COCO(str(annotations))
    for number, record in truth.imgs.items():
        rows = truth.loadAnns(truth.getAnnIds(number))
        size = (record["height"], record["width"])
        found = []
        for row in rows:
            one = fouc.COCOObject.from_anno_dict(row)
            found.append(
                one.to_detection(
                    (size[1], size[0]), {k: v["name"] for k, v in truth.cats.items()}, load_segmentation=True
                )
            )
        yield truth, record, rows, size, fo.Detections(detections=found)


def check_imported(annotations: Path) -> int:
    crowds = 0
    for truth, _, rows, size, labels in imported(annotations):
        classes = [category["name"] for category in truth.cats.values()]
        made = from_labels(labels, size, classes=classes)
        assert made.masks is not None
        assert made.labels is not None
        for mask, row, label in zip(made.masks.to_dense(), rows, made.labels.tolist(), strict=True):
            x, y, w, h = row["bbox"]
            inside = np.zeros(size, bool)  # it cuts masks out between rounded corners
            inside[round(y) : round(y + h), round(x) : round(x + w)] = True
            np.testing.assert_array_equal(mask, truth.annToMask(row) * inside)
            assert classes[label] == truth.cats[row["category_id"]]["name"]
        if rows:
            assert made.iscrowd is not None
            assert made.iscrowd.tolist() == [bool(row["iscrowd"]) for row in rows]
            crowds += int(made.iscrowd.sum())
    return crowds


def test_what_the_coco_importer_makes() -> None:
    check_imported(sample_paths()[0])


def test_photographs(test_data: Path) -> None:
    assert check_imported(test_data / "coco_free56/annotations.json") == 14


def test_results(tmp_path: Path) -> None:
    """What is covered is cut; labels, boxes and masks of results agree, and FiftyOne's exporter takes them."""
    samples = LabelledSamples(samples_of(sample_data(), tmp_path / "empty.png"))
    assert samples.classes == sorted(CLASSES[1:])
    train = CopyPasteDataset(samples, SimpleCopyPaste(size=160, min_area=16), seed=0)
    pasted = 0
    for i in range(len(train)):
        made = train[i]
        labels = to_labels(made.instances, classes=samples.classes)
        masks = [rendered(found, made.size) for found in labels.detections]
        assert made.instances.masks is not None
        dense = made.instances.masks.to_dense()
        np.testing.assert_array_equal(np.reshape(masks, dense.shape), dense)
        sources = np.array([found["source"] for found in labels.detections], int)
        pasted += int((sources >= 0).sum())
        if masks:
            below, above = dense[sources < 0].any(0), dense[sources >= 0].any(0)
            assert not (below & above).any()
        meta = fo.ImageMetadata(width=160, height=160)
        for found, mask in zip(labels.detections, dense, strict=True):
            found["iscrowd"] = 1  # runs, which keep holes; polygons would not
            written = fouc.COCOObject.from_label(found, meta).to_anno_dict()
            x, y, w, h = written["bbox"]
            rows, columns = np.nonzero(mask)
            box = [columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()]
            np.testing.assert_allclose([x, y, w, h], box, atol=1e-6)
    assert pasted


def test_samples_are_what_the_files_say(tmp_path: Path) -> None:
    photos = sample_data()
    samples = LabelledSamples(samples_of(photos, tmp_path / "empty.png"), classes=CLASSES)
    assert [samples.has_objects(i) for i in range(6)] == [True] * 5 + [False]
    for i, ours in enumerate(photos):
        theirs = samples[i]
        np.testing.assert_array_equal(ours.image, theirs.image)
        assert ours.instances.masks == theirs.instances.masks
        np.testing.assert_array_equal(ours.instances.labels, theirs.instances.labels)
    assert len(samples[5].instances) == 0
    assert samples.categories[2] == {"id": 2, "name": "cat"}
    copy = pickle.loads(pickle.dumps(samples))
    assert copy[3] == samples[3]
    assert samples[-1].info["file_name"] == "empty.png"
    train = CopyPasteDataset(samples, SimpleCopyPaste(size=64), seed=0)
    again = CopyPasteDataset(samples, SimpleCopyPaste(size=64), seed=0, post=samples.labelled)
    image, labels = pickle.loads(pickle.dumps(again))[2]
    np.testing.assert_array_equal(image, train[2].image)
    assert from_labels(labels, (64, 64), classes=CLASSES).masks == train[2].instances.masks


def test_crowds_are_not_pasted() -> None:
    photos = sample_data()
    given = samples_of(photos)
    for found in given[0]["ground_truth"].detections:
        found["iscrowd"] = 1
    samples = LabelledSamples(given)
    assert [samples.has_objects(i) for i in range(5)] == [False, True, True, True, True]
    train = CopyPasteDataset(samples, SimpleCopyPaste(size=96), seed=1)
    for made in (train[i] for i in range(len(train))):
        assert made.instances.iscrowd is not None
        assert not made.instances.iscrowd[made.instances.source >= 0].any()


def test_polylines() -> None:
    """Polygons, of two parts, are filled as by pycocotools."""
    from pycocotools import mask as mask_utils

    parts = [[(0.1, 0.1), (0.45, 0.2), (0.3, 0.8)], [(0.6, 0.5), (0.9, 0.5), (0.9, 0.9), (0.6, 0.9)]]
    line = fo.Polyline(label="cat", points=parts, closed=True, filled=True)
    rows = from_labels(fo.Polylines(polylines=[line]), (50, 80), classes=CLASSES)
    flat = [[float(each) for x, y in part for each in (x * 80, y * 50)] for part in parts]
    expected = mask_utils.decode(mask_utils.merge(mask_utils.frPyObjects(flat, 50, 80)))
    assert rows.masks is not None
    np.testing.assert_array_equal(rows.masks.to_dense()[0], expected)


def test_masks_of_another_size_than_the_box(tmp_path: Path) -> None:
    """As models give them, and as files; each is resized to its box."""
    small = np.array([[1, 0], [0, 1]], np.uint8)
    Image.fromarray(small * 255).save(tmp_path / "mask.png")
    box = [0.2, 0.25, 0.4, 0.5]
    given = [
        fo.Detection(label="cat", bounding_box=box, mask=small),
        fo.Detection(label="cat", bounding_box=box, mask_path=str(tmp_path / "mask.png")),
    ]
    rows = from_labels(fo.Detections(detections=given), (8, 10), classes=CLASSES)
    expected = np.zeros((8, 10), np.uint8)
    expected[2:4, 2:4] = expected[4:6, 4:6] = 1
    assert rows.masks is not None
    np.testing.assert_array_equal(rows.masks.to_dense(), [expected, expected])


def test_boxes_alone() -> None:
    boxes = fo.Detections(detections=[fo.Detection(label="cat", bounding_box=[0.1, 0.2, 0.5, 0.5])])
    rows = from_labels(boxes, (40, 60), classes=CLASSES)
    assert rows.box_only is not None
    assert rows.box_only.tolist() == [True]
    (found,) = to_labels(rows, classes=CLASSES).detections
    assert found.mask is None
    np.testing.assert_allclose(found.bounding_box, [0.1, 0.2, 0.5, 0.5], atol=1e-6)
    sample = fo.Sample(filepath=str(sample_paths()[1] / "coffee.jpg"), ground_truth=boxes)
    with pytest.raises(
        ValueError, match=r"samples.*expected masks of all detections \(.*\), got 1 without, in .*coffee"
    ):
        LabelledSamples([sample])
    kept = LabelledSamples([sample, sample], boxes="keep")
    made = SimpleCopyPaste(size=96, paste_boxes=True, select="all")(kept[0], kept[1], rng=0)
    assert made.instances.box_only is not None


def test_samples_line_up_where_attributes_differ() -> None:
    """An image without objects, and rows that lack an attribute, are no trouble to each other."""
    donor = fo.Detection(label="cat", bounding_box=[0, 0, 1, 1], mask=np.ones((20, 30), bool))
    target = fo.Detection(label="cup", bounding_box=[0, 0, 0.5, 0.5], mask=np.ones((10, 15), bool))
    image = np.zeros((20, 30, 3), np.uint8)
    sides = [
        Sample(image, from_labels(None if one is None else fo.Detections(detections=[one]), (20, 30), classes=CLASSES))
        for one in (donor, target, None)
    ]
    paste = SimpleCopyPaste(size=(20, 30), target_scale=(1, 1), source_scale=(0.5, 0.5), flip=0)
    assert len(paste(sides[1], sides[0], rng=0).instances) >= 1
    assert paste(sides[2], sides[0], rng=0).instances.labels.tolist() == [2]  # type: ignore[union-attr]


def test_attributes_and_confidences_of_some_images() -> None:
    """A column of all, with a value that says there is none; what had none before has none in the labels made."""
    given = samples_of(sample_data())
    for found in given[2]["ground_truth"].detections:
        found["occluded"] = True
    given[2]["ground_truth"].detections[0].confidence = 0.5
    given[2]["ground_truth"].detections[0].index = 4
    samples = LabelledSamples(given)
    paste = SimpleCopyPaste(size=160, select="all")
    train: CopyPasteDataset[Any] = CopyPasteDataset(samples, paste, seed=0, post=samples.labelled)
    told: set[tuple[bool, float | None, int | None]] = set()
    for _, labels in (train[i] for i in range(len(train))):
        told |= {(found["occluded"], found.confidence, found.index) for found in labels.detections}
    assert told == {(False, None, None), (True, None, None), (True, 0.5, 4)}
    assert {type(index) for _, _, index in told} == {int, type(None)}


@pytest.mark.parametrize("turn", range(2, 9))
def test_images_are_turned_as_fiftyone_turns_them(tmp_path: Path, turn: int) -> None:
    """The metadata of FiftyOne has the size of the upright image, of which labels are shares."""
    draw = np.random.default_rng(turn)
    stored = Image.fromarray(draw.integers(0, 256, (40, 60, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = turn
    stored.save(tmp_path / "photo.jpg", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "photo.jpg")))
    size = upright.shape[:2]
    metadata = fo.ImageMetadata.build_for(str(tmp_path / "photo.jpg"))
    assert (metadata.height, metadata.width) == size
    mask = np.zeros(size, np.uint8)
    mask[5:20, 10:35] = 1
    labels = to_labels(Instances(masks=RleMasks.from_dense(mask[None]), labels=[1]), classes=CLASSES)
    sample = fo.Sample(filepath=str(tmp_path / "photo.jpg"), ground_truth=labels)
    made = LabelledSamples([sample])[0]
    np.testing.assert_array_equal(made.image, upright)
    assert made.instances.masks is not None
    np.testing.assert_array_equal(made.instances.masks.to_dense()[0], mask)
    as_stored = LabelledSamples([sample], apply_exif=False)[0]
    np.testing.assert_array_equal(as_stored.image, np.asarray(Image.open(tmp_path / "photo.jpg")))


class TestBadInput:
    """Errors name what does not fit."""

    def test_a_detection_without_a_label(self) -> None:
        given = samples_of(sample_data())
        given[3]["ground_truth"].detections[0].label = None
        with pytest.raises(ValueError, match=r"samples\[3\]\['ground_truth'\]\[0\]: expected a label, got none, in "):
            LabelledSamples(given)

    def test_results_for_a_model(self) -> None:
        samples = LabelledSamples(samples_of(sample_data()))
        ready = CopyPasteDataset(samples, ForTraining(SimpleCopyPaste(size=64)), seed=0, post=samples.labelled)
        with pytest.raises(TypeError, match=r"sample: expected a Sample \(ForTraining .*\), got TrainingSample"):
            ready[0]
        with pytest.raises(TypeError, match="apply_exif: expected True or False"):
            LabelledSamples([], apply_exif="yes")  # type: ignore[arg-type]  # the error is tried

    def test_a_label_beyond_the_classes(self) -> None:
        labels = fo.Detections(detections=[fo.Detection(label="dog", bounding_box=[0, 0, 1, 1])])
        with pytest.raises(ValueError, match=r"labels\[0\]: expected a label of the classes none, cup, .* got 'dog'"):
            from_labels(labels, (4, 4), classes=CLASSES)
        rows = Instances(masks=RleMasks.from_dense(np.ones((1, 4, 4), bool)), labels=[9])
        with pytest.raises(ValueError, match=r"instances\[0\]: expected a label from 0 to 7, .* got 9"):
            to_labels(rows, classes=CLASSES)
        with pytest.raises(ValueError, match="classes: expected names of the classes, as rows have numbers, got none"):
            to_labels(rows)

    def test_boxes(self) -> None:
        for box in ([0, 0, 1], [0, 0, float("nan"), 1], None):
            labels = fo.Detections(detections=[fo.Detection(label="cat", bounding_box=box)])
            with pytest.raises(ValueError, match=r"labels\[0\]: expected a bounding box of four numbers"):
                from_labels(labels, (4, 4))
        labels = fo.Detections(detections=[fo.Detection(label="cat", bounding_box=[0.5, 0, -0.5, 1])])
        with pytest.raises(ValueError, match=r"labels\[0\]\['bbox'\]: expected a width and a height of at least 0"):
            from_labels(labels, (4, 4))

    def test_columns_that_are_fields(self) -> None:
        rows = Instances(masks=RleMasks.from_dense(np.ones((1, 4, 4), bool)), labels=[1], tags=["a"])
        with pytest.raises(ValueError, match=r"instances: expected no column of the name of a field .* got 'tags'"):
            to_labels(rows, classes=CLASSES)

    def test_an_open_polyline(self) -> None:
        line = fo.Polyline(label="cat", points=[[(0, 0), (1, 0), (1, 1)]])
        with pytest.raises(ValueError, match=r"labels\[0\]: expected a polyline that is closed"):
            from_labels(fo.Polylines(polylines=[line]), (4, 4))

    def test_types(self) -> None:
        with pytest.raises(TypeError, match=r"labels: expected fiftyone.Detections, .* got Classification"):
            from_labels(fo.Classification(label="cat"), (4, 4))
        with pytest.raises(TypeError, match=r"samples\[0\]: expected a fiftyone.Sample, got int"):
            LabelledSamples([3])
        sample = fo.Sample(filepath=str(sample_paths()[1] / "coffee.jpg"), kind=fo.Classification(label="cup"))
        with pytest.raises(TypeError, match=r"samples\[0\]\['kind'\]: expected fiftyone.Detections, .* Classification"):
            LabelledSamples([sample], "kind")
        with pytest.raises(TypeError, match="instances: expected Instances"):
            to_labels([])  # type: ignore[arg-type]  # the error is tried

    def test_fields_and_files(self) -> None:
        sample = fo.Sample(filepath="/nowhere/a.jpg")
        with pytest.raises(ValueError, match=r"samples\[0\]: expected a field 'ground_truth', got none in /nowhere"):
            LabelledSamples([sample])
        sample["ground_truth"] = fo.Detections()
        with pytest.raises(OSError, match="nowhere"):
            LabelledSamples([sample])
