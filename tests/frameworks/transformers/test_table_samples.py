"""TableSamples: tables in the forms that people upload, against pycocotools and Pillow."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from pycocotools.coco import COCO

REASON = "transformers is not installed: make test-frameworks installs it"
pytest.importorskip("transformers", reason=REASON)
datasets = pytest.importorskip("datasets", reason=REASON)

from copypaste_rs import ScaleJitter, SimpleCopyPaste  # noqa: E402
from copypaste_rs.datasets import CopyPasteDataset  # noqa: E402
from copypaste_rs.errors import ArgumentError, ArgumentTypeError  # noqa: E402
from copypaste_rs.integrations.transformers import TableSamples  # noqa: E402
from tests.frameworks.transformers.tables import NAMES, id_map, table, truth  # noqa: E402

# Red, green and blue in other places: an image in another order of colours, or mirrored, is not equal.
COLOURS = np.zeros((4, 6, 3), np.uint8)
COLOURS[0, 0], COLOURS[1, 2], COLOURS[3, 5] = (250, 20, 3), (4, 240, 30), (5, 6, 230)
SQUARE = [1.0, 0.0, 4.0, 0.0, 4.0, 2.0, 1.0, 2.0]
DRAWN = np.zeros((4, 6), np.uint8)
DRAWN[0:2, 1:4] = 1


def samples_of(*rows: Any, **options: Any) -> TableSamples:
    made = [{"image": Pictures.fromarray(COLOURS), **row} for row in rows]
    return TableSamples(datasets.Dataset.from_list(made), **options)


@pytest.mark.parametrize("form", ["polygons", "runs", "masks"])
@pytest.mark.parametrize("layout", ["lists", "dicts", "columns"])
def test_rows_mean_what_the_annotations_say(form: str, layout: str) -> None:
    coco, folder = truth()
    photos = TableSamples(table(form, layout), objects=None if layout == "columns" else "objects")
    assert len(photos) == 5
    assert [each["name"] for each in photos.categories or ()] == NAMES
    for i, number in enumerate(coco.getImgIds()):
        sample, annotations = photos[i], coco.imgToAnns[number]
        with Pictures.open(folder / coco.imgs[number]["file_name"]) as picture:
            assert np.array_equal(sample.image, np.asarray(picture.convert("RGB")))
        assert sample.instances.masks is not None
        assert np.array_equal(sample.instances.masks.to_dense(), [coco.annToMask(each) for each in annotations])
        assert sample.instances.labels is not None
        assert sample.instances.labels.tolist() == [each["category_id"] for each in annotations]
        assert sample.instances.id.tolist() == [each["id"] for each in annotations]
        assert sample.info == {"image_id": number}
        assert photos.has_objects(i)


def test_maps_of_numbers() -> None:
    coco, _ = truth()
    numbers = coco.getImgIds()
    maps = [{"image": np.zeros_like(each), "annotation": each} for each in (id_map(coco, number) for number in numbers)]
    features = datasets.Features({"image": datasets.Image(), "annotation": datasets.Image()})
    photos = TableSamples(datasets.Dataset.from_list(maps, features=features), id_map="annotation")
    for i, number in enumerate(numbers):
        drawn = id_map(coco, number)
        instances = photos[i].instances
        seen = sorted(set(np.unique(drawn[:, :, 1]).tolist()) - {0})
        by_number = dict(zip(instances.id.tolist(), range(len(instances)), strict=True))
        assert sorted(by_number) == seen
        assert instances.masks is not None
        assert instances.labels is not None
        dense = instances.masks.to_dense()
        for each in seen:
            assert np.array_equal(dense[by_number[each]], drawn[:, :, 1] == each)
            assert instances.labels[by_number[each]] == coco.imgToAnns[number][each - 1]["category_id"]
    counted = TableSamples(photos._rows.table, id_map="annotation", category_ids=range(1, 8))
    labels = photos[2].instances.labels
    assert labels is not None
    assert np.array_equal(np.asarray(counted[2].instances.labels), labels - 1)
    alone = [{"image": np.zeros((4, 6, 3), np.uint8), "cells": Pictures.fromarray(DRAWN.astype(np.uint16) * 700)}]
    cells = TableSamples(datasets.Dataset.from_list(alone, features=None), id_map="cells", label=3)
    assert cells[0].instances.masks is not None
    assert np.array_equal(cells[0].instances.masks.to_dense(), DRAWN[None])
    assert (cells[0].instances.labels.tolist(), cells[0].instances.id.tolist()) == ([3], [700])  # type: ignore[union-attr]


def test_images_are_rgb() -> None:
    for mode in ("RGB", "RGBA", "P", "L", "CMYK"):
        picture = Pictures.fromarray(COLOURS).convert(mode)
        rows = [{"image": picture, "objects": {"category": [1], "segmentation": [[SQUARE]]}}]
        made = TableSamples(datasets.Dataset.from_list(rows))[0].image
        if mode == "CMYK":  # stored as JPEG
            assert made.shape == (4, 6, 3)
        else:
            assert np.array_equal(made, np.asarray(picture.convert("RGB")))
    deep = [{"image": Pictures.fromarray(np.zeros((4, 6), np.uint16)), "objects": {"category": [], "mask": []}}]
    with pytest.raises(ArgumentError, match=r"^table\[0\]\['image'\]: expected a picture of 8 bits, got mode I;16$"):
        TableSamples(datasets.Dataset.from_list(deep))[0]


def test_rows_without_objects() -> None:
    empty: dict[str, list[Any]] = {"category": [], "segmentation": []}
    rows = [{"objects": {"category": [1], "segmentation": [[SQUARE]]}}, {"objects": empty}]
    photos = samples_of(*rows)
    listed = samples_of({"objects": [{"label": 2, "mask": DRAWN.tolist()}]}, {"objects": []}, {"objects": None})
    assert [photos.has_objects(i) for i in (0, 1, -1)] == [True, False, False]
    assert [listed.has_objects(i) for i in range(3)] == [True, False, False]
    for each in (photos[1], listed[1], listed[2], photos[np.int64(-1)]):
        assert len(each.instances) == 0
        assert each.instances.masks is not None
    assert np.array_equal(listed[0].instances.masks.to_dense(), DRAWN[None])  # type: ignore[union-attr]


def test_crowds_are_kept_and_not_pasted() -> None:
    fields = {"category": [1, 2], "segmentation": [[SQUARE], [SQUARE]], "iscrowd": [1, 1]}
    dicts = [{"category": 1, "segmentation": [SQUARE], "iscrowd": 1}]
    for photos in (samples_of({"objects": fields}), samples_of({"objects": dicts})):
        assert photos[0].instances.iscrowd is not None
        assert photos[0].instances.iscrowd.all()
        assert not photos.has_objects(0)
    columns = samples_of(fields, objects=None)
    assert not columns.has_objects(0)
    assert samples_of({**fields, "iscrowd": [0, 1]}, objects=None).has_objects(0)


def test_fields_may_have_other_names() -> None:
    objects = {"kind": [2], "category_id": [9], "outline": [[SQUARE]], "score": [0.5]}
    photos = samples_of({"objects": objects, "name": "a"}, label="kind", segmentation="outline")
    instances = photos[0].instances
    assert instances.labels is not None
    assert (instances.labels.tolist(), instances.score.tolist(), photos[0].info) == ([2], [0.5], {"name": "a"})
    assert instances.masks is not None
    assert np.array_equal(instances.masks.to_dense(), DRAWN[None])
    one = samples_of({"objects": {"segmentation": [[SQUARE]]}}, label=4)
    assert one[0].instances.labels is not None
    assert one[0].instances.labels.tolist() == [4]


def test_drawn_masks() -> None:
    """Pictures of any mode: what is not zero is set, and the transparency of a picture says nothing."""
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA"):
        mask = Pictures.fromarray(DRAWN * 255).convert(mode)
        rows = {"objects": [{"label": 2, "mask": mask}]}
        features = datasets.Features(
            {
                "image": datasets.Image(),
                "objects": datasets.List({"label": datasets.Value("int64"), "mask": datasets.Image()}),
            }
        )
        given = [{"image": Pictures.fromarray(COLOURS), **rows}]
        decoded = TableSamples(datasets.Dataset.from_list(given, features=features))
        bare = TableSamples(datasets.Dataset.from_list(given))  # a dict of bytes, since nobody said that it is an image
        for photos in (decoded, bare):
            assert np.array_equal(photos[0].instances.masks.to_dense(), DRAWN[None])  # type: ignore[union-attr]


def test_boxes_without_outlines() -> None:
    photos = samples_of({"objects": {"category": [1], "bbox": [[1.0, 0.0, 3.0, 2.0]]}})
    instances = photos[0].instances
    assert instances.box_only is not None
    assert instances.box_only.tolist() == [True]
    assert instances.boxes is not None
    assert instances.boxes.tolist() == [[1, 0, 4, 2]]


def test_formats_transforms_and_selections() -> None:
    whole = table("polygons")
    for changed in (whole.with_format("numpy"), whole.with_format("torch")):
        assert TableSamples(changed)[2] == TableSamples(whole)[2]
    picked = TableSamples(whole.select([4, 2]))
    assert picked[1] == TableSamples(whole)[2]
    assert picked.has_objects(1)

    def with_objects(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        marked = [{"category": [5], "segmentation": [[SQUARE]]} for _ in rows["image"]]
        return {"image": rows["image"], "objects": marked}

    computed = TableSamples(whole.remove_columns("objects").with_transform(with_objects))
    assert computed[1].instances.labels is not None
    assert computed[1].instances.labels.tolist() == [5]
    copied = pickle.loads(pickle.dumps(TableSamples(whole)))
    assert copied[0] == TableSamples(whole)[0]


def test_what_is_covered_is_cut() -> None:
    train = CopyPasteDataset(TableSamples(table("polygons")), SimpleCopyPaste(size=(96, 128)), seed=2)
    alone = CopyPasteDataset(TableSamples(table("masks", "dicts")), ScaleJitter(size=(96, 128)), seed=2)
    cut = 0
    for i in range(5):
        result = train[i].instances
        assert result.masks is not None
        assert result.boxes is not None
        dense = result.masks.to_dense().astype(bool)
        pasted = result.source >= 0
        over = dense[pasted].any(axis=0)
        assert not (dense[~pasted] & over).any()
        for mask, box in zip(dense, result.boxes, strict=True):
            ys, xs = np.nonzero(mask)
            assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        before = alone[i].instances
        assert before.masks is not None
        whole = {int(each): int(area) for each, area in zip(before.id, before.masks.area, strict=True)}
        cut += sum(
            whole[int(each)] > area for each, area in zip(result.id[~pasted], result.masks.area[~pasted], strict=True)
        )
    assert cut > 0


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ({"objects": {"category": [1]}}, {}, r"^table\['objects'\]: expected objects with a field of segmentation, .*, bbox .*, got category$"),
        ({"objects": {"segmentation": [[SQUARE]]}}, {}, r"^table\['objects'\]: expected objects with a field of category_id, .*, got segmentation$"),
        ({"objects": {"category": [1], "mask": [None]}}, {"segmentation": "mark"}, r"^segmentation: expected a field of the objects: category, mask, got 'mark'$"),
        ({"things": 1}, {}, r"^objects: expected a column of the table: image, things, got 'objects'$"),
        ({"objects": 1}, {"image": "photo"}, r"^image: expected a column of the table: image, objects, got 'photo'$"),
        ({"objects": 1}, {"id_map": "map"}, r"^id_map: expected a column of the table"),
    ],
)  # fmt: skip
def test_tables_that_lack_something(rows: Any, options: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        samples_of(rows, **options)


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"category": [1, 2], "segmentation": [[SQUARE]]}, r"^table\[0\]\['objects'\]: expected lists of one length, got category: 2, segmentation: 1$"),
        ({"category": ["cat"], "segmentation": [[SQUARE]]}, r"^table\[0\]\['objects'\]\[0\]\['category'\]: expected an integer"),
        ({"category": [1], "segmentation": [[[1.0, float("nan"), 4.0, 0.0, 4.0, 2.0]]]}, r"^table\[0\]\['objects'\]\[0\]\['segmentation'\]\[0\]: expected"),
        ({"category": [1], "segmentation": [{"size": [9, 9], "counts": "a"}]}, r"^table\[0\]\['objects'\]\[0\]\['segmentation'\]"),
        ([{"category": 1, "mask": DRAWN[:, :5].tolist()}], r"^table\[0\]\['objects'\]\[0\]\['mask'\]"),
        ("a cat", r"^table\[0\]\['objects'\]: expected a list of dicts or a dict of lists, got str$"),
    ],
)  # fmt: skip
def test_rows_with_other_things(objects: Any, message: str) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        samples_of({"objects": objects})[0]


def test_other_errors_name_the_place() -> None:
    objects = {"category": [1, 9], "segmentation": [[SQUARE], [SQUARE]]}
    counted = samples_of({"objects": objects}, category_ids=[1, 2, 3])
    with pytest.raises(
        ArgumentError, match=r"^table\[0\]\['objects'\]\[1\]: expected one of the 3 category_ids, got 9$"
    ):
        counted[0]
    with pytest.raises(ArgumentError, match=r"^category_ids: expected each id once"):
        samples_of({"objects": objects}, category_ids=[1, 1])
    wrong: Any = datasets.DatasetDict({"train": table("polygons"), "test": table("polygons")})
    with pytest.raises(
        ArgumentTypeError, match=r"^table: expected a datasets.Dataset, .*, got DatasetDict of train, test$"
    ):
        TableSamples(wrong)
    with pytest.raises(ArgumentTypeError, match=r"got IterableDataset$"):
        TableSamples(table("polygons").to_iterable_dataset())
    with pytest.raises(IndexError, match="index 1 is out of range for 1 rows"):
        counted[1]
    paths = datasets.Dataset.from_list([{"image": "a.png", "objects": {"category": [], "mask": []}}])
    with pytest.raises(
        ArgumentTypeError, match=r"^table\[0\]\['image'\]: expected a picture \(cast_column\(name, datasets.Image"
    ):
        TableSamples(paths)[0]
    small = [{"image": Pictures.fromarray(COLOURS), "map": Pictures.fromarray(COLOURS[:3])}]
    with pytest.raises(
        ArgumentError, match=r"^table\[0\]\['map'\]: expected a map of the image's size \(4, 6\), got \(3, 6\)$"
    ):
        TableSamples(datasets.Dataset.from_list(small), id_map="map")[0]


def test_real_photographs(test_data: Path) -> None:
    annotations = test_data / "coco_free56" / "annotations.json"
    coco = COCO(str(annotations))
    ids = sorted(coco.getCatIds())
    rows = []
    for number in coco.getImgIds():
        listed = [{"category": each["category_id"], "iscrowd": each["iscrowd"], "segmentation": {"size": runs["size"], "counts": runs["counts"].decode()}}
                  for each in coco.imgToAnns[number] for runs in [coco.annToRLE(each)]]  # fmt: skip
        rows.append({"image": str(annotations.parent / "images" / coco.imgs[number]["file_name"]), "objects": listed})
    photos = TableSamples(datasets.Dataset.from_list(rows).cast_column("image", datasets.Image()), category_ids=ids)
    for i, number in enumerate(coco.getImgIds()):
        each, instances = coco.imgToAnns[number], photos[i].instances
        assert instances.masks is not None
        dense = instances.masks.to_dense()
        assert len(dense) == len(each)
        assert all(np.array_equal(mask, coco.annToMask(one)) for mask, one in zip(dense, each, strict=True))
        assert instances.labels is not None
        assert instances.labels.tolist() == [ids.index(one["category_id"]) for one in each]
        assert photos.has_objects(i) == any(not one["iscrowd"] for one in each)
