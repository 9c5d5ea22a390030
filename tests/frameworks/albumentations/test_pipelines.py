"""What comes out of a pipeline: masks, boxes and label fields that belong together, and to the picture."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed: make test-frameworks installs it")

from copypaste_rs import Instances, RleMasks, Sample  # noqa: E402
from copypaste_rs.datasets import CocoDataset, sample_data  # noqa: E402
from copypaste_rs.integrations.albumentations import IS_X, CopyPaste  # noqa: E402
from tests.frameworks.albumentations.pipelines import arguments, discs, donor, pipeline, tight  # noqa: E402

STILL: dict[str, Any] = {
    "target_scale": (1, 1),
    "source_scale": (1, 1),
    "scale_reference": "input",
    "flip": 0,
    "select": "all",
}
TARGET, DONORS = discs(1), [discs(2, (48, 50)), discs(3, (40, 56), 4)]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Their own remarks are not what is tried."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*annotations that are crowds", UserWarning)
        yield


def belongs_together(result: dict[str, Any], boxes: Any = None) -> None:
    """Masks, boxes and labels are of one number; boxes are tight, pixels are of the colours that labels say."""
    masks, labels = np.asarray(result["masks"]), np.asarray(result["labels"], np.int64)
    boxes = np.asarray(result["bboxes"] if boxes is None else boxes)
    assert len(masks) == len(boxes) == len(labels)
    assert len(masks) == 0 or masks.sum(axis=0).max() <= 1, "what is covered is not cut"
    for mask, box, label in zip(masks, boxes, labels, strict=True):
        assert np.allclose(box, tight(mask), atol=1e-3)
        assert (result["image"][mask == 1] == (label, 100 + label, 50)).all()


def corners(form: str, boxes: Any, size: tuple[int, int]) -> Any:
    """Boxes of a format as corners in pixels."""
    (h, w), (b0, b1, b2, b3) = size, boxes.T
    found = {
        "pascal_voc": [b0, b1, b2, b3],
        "coco": [b0, b1, b0 + b2, b1 + b3],
        "yolo": [(b0 - b2 / 2) * w, (b1 - b3 / 2) * h, (b0 + b2 / 2) * w, (b1 + b3 / 2) * h],
        "albumentations": [b0 * w, b1 * h, b2 * w, b3 * h],
    }
    return np.stack(found[form], axis=1)


@pytest.mark.parametrize("form", ["pascal_voc", "coco", "yolo", "albumentations"])
def test_rows_belong_together(form: str) -> None:
    h, w = size = (64, 72)
    transform = pipeline([CopyPaste(size, placement="uniform", **STILL)], form, seed=3)
    given = arguments(TARGET)
    x0, y0, x1, y1 = given["bboxes"].T
    ih, iw = TARGET.size
    shares = np.array([iw, ih, iw, ih], np.float32)
    given["bboxes"] = {
        "pascal_voc": given["bboxes"],
        "coco": np.stack([x0, y0, x1 - x0, y1 - y0], axis=1),
        "yolo": np.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], axis=1) / shares,
        "albumentations": given["bboxes"] / shares,
    }[form]
    covered = 0
    for _ in range(10):
        result = transform(**given, copy_paste_metadata=[donor(each) for each in DONORS])
        assert result["image"].shape == (h, w, 3)
        assert (np.asarray(result["labels"]) >= 20).any(), "nothing was pasted"
        belongs_together(result, corners(form, np.asarray(result["bboxes"]), size))
        whole = [81, 113, 149, 197]
        covered += any(int(m.sum()) not in whole for m in np.asarray(result["masks"]))
    assert covered


def test_transforms_behind_it_keep_rows_together() -> None:
    transform = pipeline([CopyPaste((64, 72), **STILL), A.HorizontalFlip(p=1), A.VerticalFlip(p=1)], seed=1)
    for _ in range(5):
        belongs_together(transform(**arguments(TARGET), copy_paste_metadata=[donor(DONORS[0])]))


@pytest.mark.parametrize("empty", [False, True])
def test_numbers_of_masks_outlast_a_crop(empty: bool) -> None:
    """Crops drop boxes and labels, and no masks: the trap that the page names, and the way out."""
    transform = pipeline([CopyPaste((64, 72), **STILL), A.RandomCrop(24, 24)], fields=("labels", "mask_index"), seed=1)
    apart = 0
    for _ in range(10):
        given = arguments(TARGET, labels=TARGET.instances.labels, mask_index=np.arange(3))
        if empty:
            given = {name: array if name == "image" else array[:0] for name, array in given.items()}
        result = transform(**given, copy_paste_metadata=[donor(DONORS[0])])
        assert len(result["labels"]) == len(result["bboxes"])
        apart += len(result["masks"]) != len(result["bboxes"])
        if not len(result["labels"]):
            continue
        masks = result["masks"][np.asarray(result["mask_index"], np.int64)]
        for mask, box, label in zip(masks, result["bboxes"], result["labels"], strict=True):
            assert (result["image"][mask == 1] == (label, 100 + label, 50)).all()
            inside = np.zeros(mask.shape, np.bool_)
            x0, y0, x1, y1 = np.rint(box).astype(int)
            inside[y0:y1, x0:x1] = True
            assert not mask[~inside].any()
    assert apart


def test_scale_jitter_and_small_objects() -> None:
    """Rows that are hidden, off the canvas or too small go from masks, boxes and labels alike."""
    transform = pipeline([CopyPaste(48, min_area=12, min_visibility=0.3)], seed=5)
    for _ in range(30):
        result = transform(**arguments(TARGET), copy_paste_metadata=[donor(each) for each in DONORS])
        masks = result["masks"]
        assert len(masks) == len(result["bboxes"]) == len(result["labels"])
        for mask, box in zip(masks, result["bboxes"], strict=True):
            assert mask.sum() >= 12
            assert np.allclose(box, tight(mask), atol=1e-3)


def test_texts_and_further_fields() -> None:
    names = {label: f"class {label}" for label in range(10, 40)}
    fields = {"names": [names[label] for label in TARGET.instances.labels.tolist()], "score": [0.25, 0.5, 0.75]}  # type: ignore[union-attr]
    rows = [names[label] for label in DONORS[0].instances.labels.tolist()]  # type: ignore[union-attr]
    transform = pipeline([CopyPaste((64, 72), **STILL)], fields=("names", "score"), seed=0)
    given = donor(DONORS[0], names=rows, score=[1.0, 1.0, 1.0])
    for _ in range(3):
        result = transform(**arguments(TARGET, **fields), copy_paste_metadata=[given])
        assert isinstance(result["names"], list)
        for mask, name, score in zip(result["masks"], result["names"], result["score"], strict=True):
            label = int(result["image"][mask == 1][0, 0])
            assert name == names[label]
            assert score == (1.0 if label >= 20 else (0.25, 0.5, 0.75)[label - 10])


def test_donors_of_a_data_set() -> None:
    transform = pipeline([CopyPaste((64, 72), donors=DONORS, **STILL)], seed=2)
    seen = set()
    for _ in range(20):
        result = transform(**arguments(TARGET))
        belongs_together(result)
        seen |= {label // 10 for label in result["labels"].tolist()}
    assert seen == {1, 2, 3}
    two = pipeline([CopyPaste((64, 72), donors=DONORS, num_sources=2, **STILL)], seed=2)
    assert any({2, 3} <= {label // 10 for label in two(**arguments(TARGET))["labels"].tolist()} for _ in range(10))


def test_donors_without_objects_are_passed_over() -> None:
    empty = Sample(TARGET.image, Instances(masks=RleMasks.empty(TARGET.size), labels=np.zeros(0, np.int64)))
    transform = pipeline([CopyPaste((64, 72), donors=[empty, empty, DONORS[0]], **STILL)], seed=2)
    pasted = [(transform(**arguments(TARGET))["labels"] >= 20).any() for _ in range(20)]
    assert sum(pasted) >= 18


@pytest.mark.parametrize("as_lists", [False, True])
def test_images_without_objects(as_lists: bool) -> None:
    """They get objects, and those without any left are empty; lists stay lists, arrays arrays."""
    kind: Any = list if as_lists else np.asarray
    given: dict[str, Any] = {"image": TARGET.image, "masks": kind(np.zeros((0, *TARGET.size), np.uint8))}
    given |= {"bboxes": kind(np.zeros((0, 4), np.float32)), "labels": kind(np.zeros(0, np.int64))}
    transform = pipeline([CopyPaste((64, 72), **STILL)], seed=2)
    result = transform(**given, copy_paste_metadata=[donor(DONORS[0])])
    assert len(result["masks"]) == 3
    belongs_together(result)
    assert isinstance(result["labels"], list) == as_lists
    assert isinstance(result["masks"], list) == as_lists
    assert IS_X or isinstance(result["bboxes"], list) == as_lists  # X makes arrays of empty lists
    none = transform(**given, copy_paste_metadata=[])
    assert [len(none[name]) for name in ("masks", "bboxes", "labels")] == [0, 0, 0]
    assert none["image"].shape == (64, 72, 3)
    belongs_together(transform(**arguments(TARGET), copy_paste_metadata=[donor(DONORS[0])]))


@pytest.mark.parametrize("as_lists", [False, True])
def test_donors_change_no_kind(as_lists: bool) -> None:
    """Arrays for lists, and the other way round, in the donor: what comes out is of the kind of the image's own."""
    given, other = arguments(TARGET), donor(DONORS[0])
    for name in ("labels", "masks"):
        (given if as_lists else other)[name] = list((given if as_lists else other)[name])
    result = pipeline([CopyPaste((64, 72), **STILL)], seed=2)(**given, copy_paste_metadata=[other])
    for name in ("labels", "masks"):
        assert type(result[name]) is (list if as_lists else np.ndarray)
    assert np.shape(result["masks"])[1:] == (64, 72)
    assert as_lists or np.asarray(result["labels"]).dtype == np.int64
    belongs_together(result)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("bool", True), ("float32", 1.0), ("int32", 7)])
def test_masks_keep_their_values(dtype: str, value: Any) -> None:
    given, other = arguments(TARGET), donor(DONORS[0])
    given["masks"] = given["masks"].astype(dtype) * np.dtype(dtype).type(value)
    result = pipeline([CopyPaste((64, 72), **STILL)], seed=2)(**given, copy_paste_metadata=[other])
    assert result["masks"].dtype == dtype
    assert set(np.unique(result["masks"]).tolist()) == {0, value}
    belongs_together({**result, "masks": (result["masks"] != 0).astype(np.uint8)})


def test_crowds_are_cut_and_never_pasted() -> None:
    crowded = discs(2, (48, 50), crowd=True)
    target = discs(1, crowd=True)
    flags = [target.instances.iscrowd, crowded.instances.iscrowd]
    fields = ("labels", "iscrowd")
    given = arguments(target, labels=target.instances.labels, iscrowd=flags[0].astype(np.int64))  # type: ignore[union-attr]
    other = donor(crowded, labels=crowded.instances.labels, iscrowd=flags[1].astype(np.int64))  # type: ignore[union-attr]
    transform = pipeline([CopyPaste((64, 72), **STILL)], fields=fields, seed=0)
    for _ in range(5):
        result = transform(**given, copy_paste_metadata=[other])
        belongs_together(result)
        assert 21 not in result["labels"]
        assert {20, 22} <= set(result["labels"].tolist())
        assert dict(zip(result["labels"].tolist(), result["iscrowd"].tolist(), strict=True)).get(11, 1) == 1
        assert result["iscrowd"].sum() <= 1
    hidden = pipeline([CopyPaste((64, 72), min_visibility=0.99, on_hidden="crowd", **STILL)], fields=fields, seed=0)
    assert any(hidden(**given, copy_paste_metadata=[other])["iscrowd"].sum() > 1 for _ in range(5))
    lacking = {name: value for name, value in other.items() if name != "iscrowd"}
    assert 21 in transform(**given, copy_paste_metadata=[lacking])["labels"], "a donor that says nothing has no crowds"


def test_what_samples_mark_is_not_pasted() -> None:
    """Crowds, boxes without outlines and pseudo-labels of a data set, though no label field says so."""
    crowded = discs(2, (48, 50), crowd=True)
    only_boxes = discs(3).instances.replace(box_only=[True, False, False])
    marked = discs(4).instances.replace(pseudo=[False, False, True])
    donors = [crowded, discs(3).replace(instances=only_boxes), discs(4).replace(instances=marked)]

    def pasted(**options: Any) -> set[int]:
        transform = pipeline([CopyPaste((64, 72), donors=donors, num_sources=3, **STILL, **options)], seed=0)
        return {int(label) for _ in range(20) for label in transform(**arguments(TARGET))["labels"]} - {10, 11, 12}

    assert pasted() == {20, 22, 31, 32, 40, 41}
    assert pasted(paste_boxes=True, paste_pseudo=True) == {20, 22, 30, 31, 32, 40, 41, 42}
    transform = pipeline([CopyPaste((64, 72), **STILL)], seed=0)
    result = transform(**arguments(TARGET), copy_paste_metadata=donors[:1])
    assert set(result["labels"].tolist()) - {10, 11, 12} == {20, 22}


def test_maps_are_pasted_where_objects_are() -> None:
    def classes(sample: Sample) -> Any:
        """Labels as pixels; 5 where nothing is."""
        drawn = np.full(sample.size, 5, np.uint8)
        for mask, label in zip(sample.instances.masks.to_dense(), sample.instances.labels, strict=True):  # type: ignore[union-attr, arg-type]
            drawn[mask == 1] = label
        return drawn

    transform = pipeline([CopyPaste((64, 72), fill_mask=255, **STILL)], seed=0)
    given = {**arguments(TARGET), "mask": classes(TARGET)}
    result = transform(**given, copy_paste_metadata=[donor(DONORS[0]) | {"mask": classes(DONORS[0])}])
    belongs_together(result)
    assert result["mask"].shape == (64, 72)
    for mask, label in zip(result["masks"], result["labels"], strict=True):
        assert (result["mask"][mask == 1] == label).all()
    rest = result["masks"].sum(axis=0) == 0
    assert set(np.unique(result["mask"][rest]).tolist()) == {5, 255}
    with pytest.raises(ValueError, match="mask"):
        transform(**given, copy_paste_metadata=[donor(DONORS[0])])
    zeros = pipeline([CopyPaste((64, 72), missing={"mask": 0}, **STILL)], seed=0)
    result = zeros(**given, copy_paste_metadata=[donor(DONORS[0])])
    for mask, label in zip(result["masks"], result["labels"], strict=True):
        assert (result["mask"][mask == 1] == (label if label < 20 else 0)).all()


def test_probability_is_that_of_pasting() -> None:
    transform = pipeline([CopyPaste((64, 72), donors=DONORS, p=0.5, **STILL)], seed=2)
    results = [transform(**arguments(TARGET)) for _ in range(60)]
    assert {each["image"].shape for each in results} == {(64, 72, 3)}
    alone = pipeline([CopyPaste((64, 72), donors=[], **STILL)], seed=2)(**arguments(TARGET))
    assert alone["image"].shape == (64, 72, 3)
    assert alone["labels"].tolist() == [10, 11, 12]
    assert 15 < sum((each["labels"] >= 20).any() for each in results) < 45


@pytest.mark.skipif(not IS_X, reason="instance_binding is of AlbumentationsX")
def test_instances_that_are_bound() -> None:
    params = A.BboxParams(coord_format="pascal_voc", label_fields=["labels"])
    transform = A.Compose(
        [CopyPaste((64, 72), donors=DONORS, **STILL), A.HorizontalFlip(p=0.5)],
        bbox_params=params,
        instance_binding=["masks", "bboxes"],
        seed=1,
    )
    rows = arguments(TARGET)
    instances = [
        {"mask": mask, "bbox": box, "bbox_labels": {"labels": int(label)}}
        for mask, box, label in zip(rows["masks"], rows["bboxes"], rows["labels"], strict=True)
    ]
    for given in [instances] * 10 + [[]]:
        result = transform(image=TARGET.image, instances=given)
        found = result["instances"]
        assert len(found) > len(given)
        masks = np.stack([each["mask"].reshape(64, 72) for each in found])  # (H, W, 1) where there were none
        labels = [each["bbox_labels"]["labels"] for each in found]
        together = {"image": result["image"], "masks": masks, "labels": labels}
        belongs_together(together, [each["bbox"] for each in found])


@pytest.mark.parametrize("name", ["sample", "coco_free56"])
def test_real_photographs(name: str, request: pytest.FixtureRequest) -> None:
    if name == "sample":
        photos = sample_data()
    else:
        folder: Path = request.getfixturevalue("test_data") / name
        photos = CocoDataset(folder / "annotations.json", folder / "images", crowds="drop")
    transform = pipeline([CopyPaste(160, donors=photos, min_area=4), A.HorizontalFlip(p=0.5)], seed=2)
    for i in range(min(len(photos), 20)):
        result = transform(**arguments(photos[i]))
        masks = result["masks"]
        assert len(masks) == len(result["bboxes"]) == len(result["labels"])
        for mask, box in zip(masks, result["bboxes"], strict=True):
            assert np.allclose(box, tight(mask), atol=1e-3)
