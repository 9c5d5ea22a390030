"""Writers of rasters: what Pillow, OpenCV and plain loops read is what was given, or was counted."""

from __future__ import annotations

import json
import pickle
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.datasets import (
    CocoDataset,
    CopyPasteDataset,
    LabelMapDataset,
    LabelMapWriter,
    PanopticDataset,
    PanopticWriter,
    VocDataset,
    VocWriter,
    open_dataset,
)
from tests.fixtures.coco_files import every_file, small_set
from tests.fixtures.samples import discs, squares
from tests.fixtures.voc_files import COLOURS

CATEGORIES = [{"id": i, "name": f"disc {i}"} for i in range(6)]
FROM_ONE = [{"id": i, "name": f"disc {i}"} for i in range(1, 7)]


def shifted(sample: Sample) -> Sample:
    """The sample with labels from 1."""
    assert sample.instances.labels is not None
    return sample.replace(instances=sample.instances.replace(labels=sample.instances.labels + 1))


SAMPLES = [shifted(discs(seed, (30 + seed, 44), crowd=True)) for seed in range(4)]
EMPTY = Sample(np.zeros((20, 30), np.uint8), Instances(masks=RleMasks.empty((20, 30)), labels=[]))


def painted(sample: Sample) -> NDArray[np.int64]:
    """Row of each pixel, or -1: crowds first, then other rows, each over those before it."""
    assert sample.instances.masks is not None
    rows = np.full(sample.size, -1)
    crowd = sample.instances.iscrowd
    dense = sample.instances.masks.to_dense()
    for flag in (True, False):
        for row, mask in enumerate(dense):
            if flag == (crowd is not None and bool(crowd[row])):
                rows[mask > 0] = row
    return rows


def written(writer: Any, *samples: Sample, names: list[str] | None = None) -> str:
    """Write samples; the warning at the end."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with writer:
            for i, sample in enumerate(samples):
                writer.write(sample, None if names is None else names[i])
    assert len(caught) <= 1
    return str(caught[0].message).partition("not held by the format: ")[2] if caught else ""


def quiet(open_it: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return open_it()


def test_panoptic(tmp_path: Path) -> None:
    names = ["a.png", "b/c.png", "d.png", "e.png", "f.png"]
    told = written(PanopticWriter(tmp_path, FROM_ONE, format="png"), *SAMPLES, EMPTY, names=names)
    content = json.loads((tmp_path / "panoptic.json").read_text())
    assert [each["isthing"] for each in content["categories"]] == [1] * 6
    cut = lost = 0
    for k, sample in enumerate([*SAMPLES, EMPTY]):
        image, annotation = content["images"][k], content["annotations"][k]
        assert (image["id"], image["file_name"], image["height"], image["width"]) == (k + 1, names[k], *sample.size)
        assert (annotation["image_id"], annotation["file_name"]) == (k + 1, names[k])
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "images" / names[k])), sample.image)
        colours = np.asarray(Image.open(tmp_path / "panoptic" / names[k])).astype(int)
        ids = colours[..., 0] + 256 * colours[..., 1] + 256 * 256 * colours[..., 2]
        rows = painted(sample)
        expected = [row for row in range(len(sample.instances)) if (rows == row).any()]
        assert set(np.unique(ids)) - {0} == {segment["id"] for segment in annotation["segments_info"]}
        for row, segment in zip(expected, annotation["segments_info"], strict=True):
            mask = rows == row
            np.testing.assert_array_equal(ids == segment["id"], mask)
            y, x = np.nonzero(mask)
            assert segment["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
            assert segment["area"] == mask.sum()
            assert segment["category_id"] == row + 1
            assert segment["iscrowd"] == int(row % 3 == 1)
        if k < 4:
            areas = np.array([(rows == row).sum() for row in range(6)])
            full = sample.instances.masks.area  # type: ignore[union-attr]
            lost, cut = lost + int(((areas == 0) & (full > 0)).sum()), cut + int(((areas > 0) & (areas < full)).sum())
    counts = {"objects that others cover, which are left out": lost, "objects of which others cover a part": cut}
    assert told == "; ".join(f"{what}: {n}" for what, n in counts.items() if n)
    again = open_dataset(tmp_path)
    assert isinstance(again, PanopticDataset)
    assert [len(again.instances(i)) for i in range(5)] == [
        len(each["segments_info"]) for each in content["annotations"]
    ]
    assert again.categories[0] == {"isthing": 1, "id": 1, "name": "disc 1"}


def test_label_maps_with_classes(tmp_path: Path) -> None:
    written(LabelMapWriter(tmp_path, FROM_ONE, divisor=100, format="png"), *SAMPLES, EMPTY)
    for k, sample in enumerate([*SAMPLES, EMPTY], 1):
        raster = cv2.imread(str(tmp_path / f"masks/{k:012d}.png"), cv2.IMREAD_UNCHANGED)
        assert raster is not None
        assert raster.dtype == np.uint16
        rows = painted(sample)
        # Each row is a class of its own here, so that numbers within a class are 0.
        np.testing.assert_array_equal(
            raster, np.where(rows < 0, 0, np.where(rows % 3 == 1, rows + 1, (rows + 1) * 100))
        )
    again = LabelMapDataset(tmp_path / "images", tmp_path / "masks", divisor=100, categories=FROM_ONE)
    assert set(again.instances(0).labels.tolist()) <= {1, 2, 3, 4, 5, 6}  # type: ignore[union-attr]
    assert again.instances(0).iscrowd.sum() == sum((painted(SAMPLES[0]) == row).any() for row in (1, 4))  # type: ignore[union-attr]


def test_label_maps_without_classes(tmp_path: Path) -> None:
    told = written(LabelMapWriter(tmp_path, FROM_ONE), *SAMPLES)
    assert "crowds, which are left out: 8" in told
    assert "objects whose class is not written, as there is no divisor: " in told
    for k, sample in enumerate(SAMPLES, 1):
        raster = cv2.imread(str(tmp_path / f"masks/{k:012d}.png"), cv2.IMREAD_UNCHANGED)
        assert raster is not None
        alone = sample.replace(instances=sample.instances.without_crowds())
        rows = painted(alone)
        there = [row for row in range(4) if (rows == row).any()]
        np.testing.assert_array_equal(
            raster, np.array([0, *(there.index(r) + 1 if r in there else 0 for r in range(4))])[rows + 1]
        )
    one = written(LabelMapWriter(tmp_path / "one", CATEGORIES[:1]), squares(1, 9, labels=[0]))
    assert one == ""


def test_numbers_within_a_class(tmp_path: Path) -> None:
    sample = squares(4, 9, labels=[3, 1, 3, 3], iscrowd=[False, False, True, False])
    told = written(LabelMapWriter(tmp_path / "a", FROM_ONE, divisor=2), sample)
    assert told == "objects that others cover, which are left out: 1; objects of which others cover a part: 2"
    raster = cv2.imread(str(tmp_path / "a/masks/000000000001.png"), cv2.IMREAD_UNCHANGED)
    assert raster is not None
    assert set(np.unique(raster)) == {0, 2, 6, 7}
    many = squares(3, 9, labels=[3, 3, 3])
    with pytest.raises(ValueError, match="sample: expected at most 2 objects of a class, as is the divisor, got more"):
        written(LabelMapWriter(tmp_path / "b", FROM_ONE, divisor=2), many)
    crowds = squares(3, 9, labels=[3, 3, 1], iscrowd=[True, True, True])
    assert "crowds that become one with another of their class: 1" in written(
        LabelMapWriter(tmp_path / "c", FROM_ONE, divisor=2), crowds
    )


def test_large_values_are_tiff(tmp_path: Path) -> None:
    written(LabelMapWriter(tmp_path, FROM_ONE, divisor=10**6), squares(2, 9, labels=[3, 3]), squares(0, 9))
    raster = cv2.imread(str(tmp_path / "masks/000000000001.tif"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(raster)) == {0, 3_000_000, 3_000_001}  # type: ignore[arg-type]
    assert (tmp_path / "masks/000000000002.png").is_file()
    again = LabelMapDataset(tmp_path / "images", tmp_path / "masks", divisor=10**6)
    assert again.instances(0).labels.tolist() == [3, 3]  # type: ignore[union-attr]


def voc_parts(root: Path, stem: str) -> tuple[NDArray[Any], NDArray[Any], ET.Element]:
    rasters = [Image.open(root / f"Segmentation{kind}/{stem}.png") for kind in ("Object", "Class")]
    for raster in rasters:
        assert raster.mode == "P"
        palette = np.reshape(raster.getpalette() or [], (-1, 3))
        for index, colour in COLOURS.items():
            assert tuple(palette[index].tolist()) == colour
    objects, classes = map(np.asarray, rasters)
    return objects, classes, ET.parse(root / f"Annotations/{stem}.xml").getroot()


def test_voc(tmp_path: Path) -> None:
    names = ["a.png", "b/c.png", "d e.png", "f 1.png", "g.png"]
    told = written(VocWriter(tmp_path, FROM_ONE, split="val", format="png"), *SAMPLES, EMPTY, names=names)
    assert "crowds, which are void: " in told
    for k, sample in enumerate([*SAMPLES, EMPTY]):
        stem = names[k][:-4]
        objects, classes, root = voc_parts(tmp_path, stem)
        rows = painted(sample)
        there = [row for row in range(len(sample.instances)) if row % 3 != 1 and (rows == row).any()]
        number = {row: i for i, row in enumerate(there, 1)} | {1: 255, 4: 255, -1: 0}
        np.testing.assert_array_equal(objects, np.vectorize(lambda row, of=number: of[row])(rows))
        np.testing.assert_array_equal(classes, np.where(np.isin(rows, (1, 4)), 255, rows + 1))
        assert root.findtext("filename") == names[k]
        assert (root.findtext("size/height"), root.findtext("size/width")) == tuple(map(str, sample.size))
        assert root.findtext("size/depth") == ("1" if k == 4 else "3")
        for row, each in zip(there, root.findall("object"), strict=True):
            y, x = np.nonzero(rows == row)
            box = [each.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
            assert box == [str(n) for n in (x.min() + 1, y.min() + 1, x.max() + 1, y.max() + 1)]
            assert each.findtext("name") == f"disc {row + 1}"
    for folder in ("Segmentation", "Main"):
        assert (tmp_path / f"ImageSets/{folder}/val.txt").read_text().split("\n") == ["a", "b/c", "d e", "f 1", "g", ""]
    lines = (tmp_path / "labelmap.txt").read_text().splitlines()
    assert (lines[1], lines[2], lines[-1]) == ("background:0,0,0::", "disc 1:128,0,0::", "ignored:224,224,192::")
    again = open_dataset(tmp_path, split="val")
    assert isinstance(again, VocDataset)
    assert again.categories == FROM_ONE
    assert [again.info(i)["file_name"] for i in range(5)] == names
    np.testing.assert_array_equal(again[1].image, SAMPLES[1].image)


def test_columns_of_voc(tmp_path: Path) -> None:
    masks = RleMasks.from_dense(np.kron(np.eye(3, dtype=np.uint8), np.ones((1, 5, 6), np.uint8)).reshape(3, 5, 18))
    columns = {
        "difficult": [True, False, True],
        "truncated": [1.0, np.nan, 0.0],
        "pose": ["Left", "", "a<b&c"],
        "score": [1, 2, 3],
    }
    sample = Sample(np.zeros((5, 18, 3), np.uint8), Instances(masks=masks, labels=[4, 2, 1], **columns))  # type: ignore[arg-type]
    told = written(
        VocWriter(tmp_path, [{"id": 4, "name": "<é>"}, {"id": 2, "name": "b"}, {"id": 1, "name": "c"}]), sample
    )
    assert told == "values of the column 'score': 3"
    again = VocDataset(tmp_path)
    instances = again.instances(0)
    assert again.categories[0] == {"id": 1, "name": "<é>"}
    assert instances.masks == masks
    assert instances.labels.tolist() == [1, 2, 3]  # type: ignore[union-attr]
    assert instances.columns["difficult"].tolist() == [True, False, True]
    assert instances.columns["truncated"].tolist() == [True, False, False]
    assert instances.columns["pose"].tolist() == ["Left", "", "a<b&c"]
    bad = sample.replace(instances=sample.instances.replace(pose=["a", "b\1", "c"]))
    with pytest.raises(
        ValueError, match=r"sample\.instances\.pose\[1\]: expected text that XML can hold, got 'b\\x01'"
    ):
        written(VocWriter(tmp_path / "x", FROM_ONE), bad)


def test_more_objects_than_a_palette_has(tmp_path: Path) -> None:
    n = 300
    raster = np.zeros((20, 2 * n), np.int32)
    for i in range(n):
        raster[: 3 + i % 7, 2 * i] = i + 1
    masks, _ = RleMasks.from_label_map(raster)
    sample = Sample(np.zeros((*raster.shape, 3), np.uint8), Instances(masks=masks, labels=np.ones(n, int)))
    told = written(VocWriter(tmp_path, FROM_ONE, format="png"), sample)
    assert told == "objects beyond 254 of an image, the smallest, which are void: 46"
    found = VocDataset(tmp_path).instances(0)
    assert len(found) == 254
    largest = sorted(range(n), key=lambda row: -(3 + row % 7))[:254]
    np.testing.assert_array_equal(found.masks.to_dense(), masks[sorted(largest)].to_dense())  # type: ignore[union-attr]
    objects, classes, _ = voc_parts(tmp_path, "000000000001")
    assert (objects == 255).sum() == (classes == 255).sum() == (raster > 0).sum() - masks[largest].area.sum()


@pytest.mark.parametrize(
    ("categories", "words"),
    [
        ([{"id": 1}], r"categories\[0\]: expected a name, got None"),
        ([{"id": 1, "name": "a"}, {"id": 2, "name": "a"}], r"categories\[1\]: expected a name of its own"),
        ([{"id": 1, "name": "background"}], "which is not that of background or void"),
        ([{"id": 1, "name": "a:b"}], "expected a name without colons"),
        ([{"id": 1, "name": "#b"}], "expected a name without colons"),
        ([{"id": 1, "name": " b"}], "expected a name without colons"),
        ([{"id": 1, "name": "b\x01"}], "expected a name without colons"),
        ([{"id": 1, "name": ""}], "expected a name without colons"),
        (
            [{"id": i, "name": str(i)} for i in range(255)],
            "categories: expected at most 254, as a palette has, got 255",
        ),
    ],
)
def test_categories_that_voc_cannot_hold(tmp_path: Path, categories: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        VocWriter(tmp_path / "out", categories)
    assert not (tmp_path / "out").exists()


def test_arguments(tmp_path: Path) -> None:
    for split in ("", "a/b", "..", "a\nb", "a\\b"):
        with pytest.raises(ValueError, match="split: expected a name of a file"):
            VocWriter(tmp_path / "out", FROM_ONE, split=split)
    with pytest.raises(TypeError, match="split: expected a string"):
        VocWriter(tmp_path / "out", FROM_ONE, split=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="divisor: expected an integer from 2"):
        LabelMapWriter(tmp_path / "out", FROM_ONE, divisor=1)
    with pytest.raises(
        ValueError, match=r"categories\[0\]: expected an id from 1 to 2147482 where the divisor is 1000, got 0"
    ):
        LabelMapWriter(tmp_path / "out", CATEGORIES, divisor=1000)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        PanopticWriter(tmp_path / "out", FROM_ONE, colour=1)  # type: ignore[call-arg]
    assert not (tmp_path / "out").exists()
    with VocWriter(tmp_path / "out", FROM_ONE) as writer:
        for name in ('a"b.jpg', "a\\b.jpg", "a .jpg", "a\x01.jpg", "a\rb.jpg"):
            with pytest.raises(ValueError, match="file_name: expected a name without control characters"):
                writer.write(SAMPLES[0], name)
    with pytest.raises(ValueError, match="labels that are among the categories, got 6"):
        written(PanopticWriter(tmp_path / "x", FROM_ONE[:5]), SAMPLES[0])


Make = Callable[..., Any]
WRITERS: dict[str, Make] = {
    "panoptic": lambda folder, **options: PanopticWriter(folder, FROM_ONE, **options),
    "labels": lambda folder, **options: LabelMapWriter(folder, FROM_ONE, divisor=1000, **options),
    "voc": lambda folder, **options: VocWriter(folder, FROM_ONE, **options),
}


@pytest.mark.parametrize("name", WRITERS)
def test_runs_go_on_and_are_replaced(tmp_path: Path, name: str) -> None:
    make = WRITERS[name]
    whole = written(make(tmp_path / "whole"), *SAMPLES)
    writer = make(tmp_path / "parts")
    for sample in SAMPLES[:2]:
        writer.write(sample)
    writer._let_go()
    assert written(make(tmp_path / "parts", resume=True), *SAMPLES[2:]) == whole
    assert every_file(tmp_path / "parts") == every_file(tmp_path / "whole")
    written(make(tmp_path / "parts", overwrite=True), *SAMPLES)
    assert every_file(tmp_path / "parts") == every_file(tmp_path / "whole")
    assert pickle.loads(pickle.dumps(writer.encoder()))(SAMPLES[0]) == writer.encoder()(SAMPLES[0])


@pytest.mark.parametrize("name", WRITERS)
def test_results_of_copy_paste(tmp_path: Path, name: str) -> None:
    photos = CocoDataset(*small_set(tmp_path / "in", 5))
    data = CopyPasteDataset(photos, SimpleCopyPaste(size=(50, 70)), seed=3)
    told = written(WRITERS[name](tmp_path / "out"), *(data[i] for i in range(5)))
    assert "'score'" in told
    assert "'visibility'" not in told
    again = quiet(
        lambda: (
            LabelMapDataset(tmp_path / "out/images", tmp_path / "out/masks", divisor=1000)
            if name == "labels"
            else open_dataset(tmp_path / "out")
        )
    )
    for i in range(5):
        rows = painted(data[i])
        crowds = data[i].instances.iscrowd
        assert crowds is not None
        expected = sum((rows == row).any() and not (name == "voc" and crowds[row]) for row in range(len(crowds)))
        kept = again.instances(i)
        assert len(kept) == expected or name == "labels"  # crowds of a class become one there


@pytest.mark.parametrize("name", WRITERS)
def test_real_masks(tmp_path: Path, test_data: Path, name: str) -> None:
    photos = quiet(lambda: CocoDataset(test_data / "nuclei30/annotations.json", test_data / "nuclei30/images"))
    categories = photos.categories
    samples = [photos[i] for i in range(len(photos))]
    made: dict[str, Callable[[], Any]] = {
        "panoptic": lambda: PanopticWriter(tmp_path, categories, format="png"),
        "labels": lambda: LabelMapWriter(tmp_path, categories[:1], format="png"),
        "voc": lambda: VocWriter(tmp_path, categories, format="png"),
    }
    quiet(lambda: written(made[name](), *samples))
    again = quiet(lambda: open_dataset(tmp_path))
    for i, sample in enumerate(samples):
        rows = painted(sample)
        expected = RleMasks.from_label_map(rows, background=-1)[0]
        assert again.instances(i).masks == expected
        np.testing.assert_array_equal(again[i].image, sample.image)
