"""`TableBuilder`: what is added one by one is what a COCO file with the same objects gives."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from copypaste_rs import RleMasks
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.boxes import BoxAloneError
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.coco import CocoDataset
from copypaste_rs.datasets.options import CheckedOptions
from copypaste_rs.datasets.sources import Sources

CATEGORIES = [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}]
SQUARE = [2.0, 1.0, 9.0, 1.0, 9.0, 6.0, 2.0, 6.0]
SIZES = {"a.png": (8, 12), "b.png": (10, 14)}


def mask() -> RleMasks:
    dense = np.zeros((1, 10, 14), np.uint8)
    dense[0, 2:5, 3:11] = 1
    return RleMasks.from_dense(dense)


def built(**options: object) -> TableBuilder:
    builder = TableBuilder("the set", CATEGORIES, CheckedOptions.of(**options), Sources())  # type: ignore[arg-type]
    builder.add_image("a.png", SIZES["a.png"], fields={"look": "dark"})
    builder.add("a: 1", 3, [SQUARE], fields={"score": 0.5, "note": "x"})
    builder.add("a: 2", 5, [[1, 1, 2, 2], SQUARE], iscrowd=True)
    builder.add_image("b.png", SIZES["b.png"])
    builder.add("b: 1", 5, mask(), number=70, fields={"note": "y"})
    builder.add("b: 2", 3, None, bbox=[1, 2, 3, 4])
    return builder


def coco(folder: Path, **options: object) -> CocoDataset:
    counts = mask().counts.tolist()
    rows = [
        (1, 1, 3, [SQUARE], 0, {"score": 0.5, "note": "x"}),
        (2, 1, 5, [[1, 1, 2, 2], SQUARE], 1, {}),
        (70, 2, 5, {"size": [10, 14], "counts": counts}, 0, {"note": "y"}),
        (4, 2, 3, [], 0, {"bbox": [1, 2, 3, 4]}),
    ]
    annotations = [
        {"id": i, "image_id": image, "category_id": label, "segmentation": outline, "iscrowd": crowd} | fields  # type: ignore[operator]
        for i, image, label, outline, crowd, fields in rows
    ]
    images = [
        {"id": i, "file_name": name, "height": h, "width": w} for i, (name, (h, w)) in enumerate(SIZES.items(), 1)
    ]
    images[0]["look"] = "dark"
    (folder / "a.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": CATEGORIES}))
    return CocoDataset(folder / "a.json", folder, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [{"boxes": "keep"}, {"boxes": "drop"}, {"boxes": "keep", "crowds": "drop"}, {"boxes": "keep", "columns": ["note"]}],
)
def test_equal_to_coco(tmp_path: Path, options: dict[str, object]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        expected = coco(tmp_path, **options)
        found = AnnotatedImages(built(**options).finish(), tmp_path, "the set", CheckedOptions.of())
    assert len(caught) == 2
    assert str(caught[1].message).partition(": ")[2] == str(caught[0].message).partition(": ")[2]
    assert found.categories == expected.categories
    assert found.fields == expected.fields
    for i in range(2):
        assert found.info(i) == expected.info(i)
        assert found.instances(i) == expected.instances(i)


def test_a_box_alone_is_refused_with_its_place() -> None:
    with pytest.raises(BoxAloneError, match=r"^b: 2: expected a segmentation, got a bbox alone"):
        built().finish()


def test_what_is_malformed_has_its_place() -> None:
    builder = built()
    with pytest.raises(ValueError, match=r"^b: 3: segmentation\[0\]: expected an even number"):
        builder.add("b: 3", 3, [[1, 2, 3]])
    with pytest.raises(
        ValueError, match=r"^b: 3: segmentation: expected one mask of size \[10, 14\], got 1 of \(8, 12\)"
    ):
        builder.add("b: 3", 3, RleMasks.from_dense(np.ones((1, 8, 12), np.uint8)))
    with pytest.raises(ValueError, match=r"^b: 3: bbox: expected a width"):
        builder.add("b: 3", 3, [], bbox=[1, 2, -3, 4])


def test_the_digest_depends_on_what_was_read_and_on_the_images(tmp_path: Path) -> None:
    for name, content in (("1", "ab"), ("2", "c"), ("3", "a"), ("4", "bc")):
        (tmp_path / name).write_text(content)
    digests = set()
    for files, size in (("12", 8), ("34", 8), ("", 8), ("12", 9), ("12", 8)):
        sources = Sources()
        builder = TableBuilder("the set", CATEGORIES, CheckedOptions.of(), sources)
        assert [sources.read(tmp_path / name) for name in files[:1]] in ([b"ab"], [b"a"], [])
        for name in files[1:]:
            sources.read(tmp_path / name)
        builder.add_image("a.png", (size, 12))
        digests.add(builder.finish().digest)
    assert len(digests) == 4


def test_categories_that_turn_up_are_numbered_by_name(tmp_path: Path) -> None:
    builder = TableBuilder("the set", None, CheckedOptions.of(), Sources())
    builder.add_image("a.png", (8, 12))
    for name in ("dog", "ant", "dog", "cat"):
        builder.add(name, builder.label_of(name), [SQUARE])
    found = AnnotatedImages(builder.finish(), tmp_path, "the set", CheckedOptions.of())
    assert found.categories == [{"id": 1, "name": "ant"}, {"id": 2, "name": "cat"}, {"id": 3, "name": "dog"}]
    assert found.instances(0).labels.tolist() == [3, 1, 3, 2]  # type: ignore[union-attr]


def test_categories_that_turn_up_in_no_object(tmp_path: Path) -> None:
    builder = TableBuilder("the set", None, CheckedOptions.of(), Sources())
    builder.add_image("a.png", (8, 12))
    found = AnnotatedImages(builder.finish(), tmp_path, "the set", CheckedOptions.of())
    assert (found.categories, found.has_instances) == ([], False)
    with pytest.raises(ValueError, match="the categories were given"):
        TableBuilder("the set", CATEGORIES, CheckedOptions.of(), Sources()).label_of("cat")
