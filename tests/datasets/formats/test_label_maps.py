"""`LabelMapDataset`: files are paired by their names, and each value is an instance."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs.datasets import CocoDataset, LabelMapDataset, open_dataset
from tests.fixtures.coco_files import SIZES, photo, small_set

LIMITS = {np.uint8: 255, np.uint16: 65535, np.int32: 2**31 - 1}


def values(size: tuple[int, int], seed: int, numbers: list[int]) -> NDArray[np.int64]:
    """A raster of nothing and these numbers, in blobs and crumbs."""
    y, x = np.indices(size)
    rng = np.random.default_rng(seed)
    index = (np.sin(y / 5 + seed) * 2 + np.cos(x / 7) * 2 + rng.normal(0, 0.2, size) + 4).astype(int)
    found: NDArray[np.int64] = np.array([0, *numbers])[index % (len(numbers) + 1)]
    return found


def save(path: Path, raster: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, raster)
    else:
        assert cv2.imwrite(str(path), raster)


def save_photo(path: Path, i: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo(SIZES[i], i)).save(path)


def opened(*paths: Path, **options: Any) -> tuple[LabelMapDataset, str]:
    """The data set, and its one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = LabelMapDataset(*paths, **options)
    assert len(caught) <= 1
    return found, str(caught[0].message).partition(": ")[2] if caught else ""


@pytest.mark.parametrize(
    ("dtype", "suffix"),
    [(np.uint8, "png"), (np.uint16, "png"), (np.uint8, "tif"), (np.uint16, "tif"), (np.int32, "tif"), (np.int32, "npy"), (np.uint8, "bmp")],
)  # fmt: skip
def test_each_value_is_an_instance(tmp_path: Path, dtype: Any, suffix: str) -> None:
    top = LIMITS[dtype]
    numbers = [1, 7, top - 1, top, 2]
    for i in range(3):
        save_photo(tmp_path / f"images/{i}.jpg", i)
        save(tmp_path / f"masks/{i}.{suffix}", values(SIZES[i], i, numbers).astype(dtype))
    cells, told = opened(tmp_path / "images", tmp_path / "masks", name="cell")
    assert told == ""
    assert cells.categories == [{"id": 1, "name": "cell"}]
    for i in range(3):
        sample = cells[i]
        assert sample.instances.masks is not None
        raster = values(SIZES[i], i, numbers)
        np.testing.assert_array_equal(sample.instances.masks.to_dense(), [raster == n for n in np.unique(raster)[1:]])
        assert set(sample.instances.labels.tolist()) == {1}  # type: ignore[union-attr]
        assert sample.info["file_name"] == f"{i}.jpg"


def test_the_background_may_be_another(tmp_path: Path) -> None:
    save_photo(tmp_path / "images/a.png")
    raster = values(SIZES[0], 1, [3, 255]).astype(np.uint8)
    save(tmp_path / "masks/a.png", raster)
    for background, expected in ((0, [3, 255]), (255, [0, 3]), (None, [0, 3, 255]), (-1, [0, 3, 255])):
        masks = opened(tmp_path / "images", tmp_path / "masks", background=background)[0].instances(0).masks
        assert masks is not None
        np.testing.assert_array_equal(masks.to_dense(), [raster == n for n in expected])


@pytest.mark.parametrize(
    ("image", "label_map"),
    [
        ("a.jpg", "a.png"),
        ("a.jpg", "a_mask.png"),
        ("a.b.tif", "a.b_masks.tif"),
        ("a_img.png", "a_masks.png"),
        ("a.png", "a_cp_masks.png"),
        ("a_mask.png", "a_mask.png"),
        ("t/a.jpg", "t/a_label.tif"),
        ("train/a.jpg", "masks of train/a_labels.npy"),
        ("a/x_leftImg8bit.png", "a/x_gtFine_instanceIds.png"),
        ("image.png", "mask.png"),
        ("Ä 1.JPG", "Ä 1.PNG"),
    ],
)
def test_names(tmp_path: Path, image: str, label_map: str) -> None:
    save_photo(tmp_path / "images" / image)
    save(tmp_path / "masks" / label_map, np.eye(*SIZES[0], dtype=np.uint8))
    fits = image != "image.png"
    if not fits:
        with pytest.raises(
            FileNotFoundError, match=r"got none; 1 image \(image\.png\) and 1 label image \(mask\.png\)"
        ):
            LabelMapDataset(tmp_path / "images", tmp_path / "masks")
        return
    found, told = opened(tmp_path / "images", tmp_path / "masks")
    assert told == ""
    assert found.info(0)["file_name"] == image
    assert found.instances(0).masks.area.tolist() == [40]  # type: ignore[union-attr]


def test_one_folder(tmp_path: Path) -> None:
    for name in ("001_img", "002_img", "003"):
        save_photo(tmp_path / f"{name}.png")
    for name in ("001_masks", "002_masks", "003_cp_masks"):
        save(tmp_path / f"{name}.png", np.eye(*SIZES[0], dtype=np.uint16) * 500)
    (tmp_path / "003_seg.npy").write_bytes(b"pickled")
    save_photo(tmp_path / "004.png")
    found, told = opened(tmp_path, tmp_path)
    assert [found.info(i)["file_name"] for i in range(3)] == ["001_img.png", "002_img.png", "003.png"]
    assert told.startswith(
        "left out 1 image without a label image (004.png); no label image has another value than 500"
    )
    assert found.instances(2).masks.area.tolist() == [40]  # type: ignore[union-attr]


def test_a_folder_in_the_other(tmp_path: Path) -> None:
    save_photo(tmp_path / "a.png")
    save(tmp_path / "masks/a.png", np.eye(*SIZES[0], dtype=np.uint8))
    assert opened(tmp_path, tmp_path / "masks")[1] == ""
    save_photo(tmp_path / "masks/photos/a.jpg")
    assert opened(tmp_path / "masks/photos", tmp_path / "masks")[1] == ""


def test_files_without_partner_are_counted(tmp_path: Path) -> None:
    for i, name in enumerate("abc"):
        save_photo(tmp_path / f"images/{name}.png", i)
    (tmp_path / "images/notes.txt").write_text("x")
    save(tmp_path / "masks/b.png", values(SIZES[1], 1, [1, 2]).astype(np.uint8))
    save(tmp_path / "masks/z.png", np.zeros((3, 4), np.uint8))
    found, told = opened(tmp_path / "images", tmp_path / "masks")
    assert len(found) == 1
    assert told == "left out 2 images without a label image (a.png, ...), 1 label image without an image (z.png)"


@pytest.mark.parametrize(
    ("images", "label_maps", "words"),
    [
        (["a.png"], ["a.png", "a.tif"], r"a\.png: expected one label image, got a\.png and a\.tif"),
        (["a.png"], ["a_mask.png", "a_masks.png"], r"expected one label image, got a_mask\.png and a_masks\.png"),
        (["t/a.png"], ["u/a.png", "v/a.png"], r"t/a\.png: expected one label image, got u/a\.png and v/a\.png"),
        (["a.png", "a.jpg"], ["a.png"], r"a\.png: expected a label image of one image, got that of a\.jpg and a\.png"),
        (["a.png", "b.png"], ["a.png", "a.tif", "b.png", "b.npy"], r"a\.png: .*\n  b\.png: expected one label image"),
    ],
)
def test_what_is_not_plain_is_refused(tmp_path: Path, images: list[str], label_maps: list[str], words: str) -> None:
    for name in images:
        save_photo(tmp_path / "images" / name)
    for name in label_maps:
        save(tmp_path / "masks" / name, np.zeros(SIZES[0], np.uint8))
    with pytest.raises(ValueError, match=words):
        LabelMapDataset(tmp_path / "images", tmp_path / "masks")


def test_bad_files(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    with pytest.raises(NotADirectoryError, match="images: expected a folder of images"):
        LabelMapDataset(images, masks)
    for i in range(3):
        save_photo(images / f"{i}.png", i)
        save(masks / f"{i}.png", np.zeros(SIZES[i], np.uint8))
    assert [len(opened(images, masks)[0].instances(i)) for i in range(3)] == [0, 0, 0]
    save(masks / "0.png", np.zeros((60, 40), np.uint8))
    save(masks / "2.png", photo(SIZES[2], 1))
    with pytest.raises(
        ValueError,
        match=r"masks: 0\.png: expected width 60 and height 40, as its image 0\.png has, got width 40 and height 60\n"
        r"  2\.png: expected one number a pixel, got colours",
    ):
        LabelMapDataset(images, masks)
    (masks / "0.png").write_bytes((masks / "1.png").read_bytes()[:40])
    with pytest.raises(OSError, match=r"masks/0\.png: "):
        LabelMapDataset(images, masks)


def test_grey_in_three_channels_is_read(tmp_path: Path) -> None:
    raster = values(SIZES[0], 1, [4, 9]).astype(np.uint8)
    save_photo(tmp_path / "images/a.png")
    save(tmp_path / "masks/a.png", np.repeat(raster[:, :, None], 3, axis=2))
    masks = opened(tmp_path / "images", tmp_path / "masks")[0].instances(0).masks
    np.testing.assert_array_equal(masks.to_dense(), [raster == 4, raster == 9])  # type: ignore[union-attr]


def test_images_that_are_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.fromarray(photo(SIZES[0], 0)).save(tmp_path / "images/a.jpg", exif=exif)
    turned = SIZES[0][::-1]
    save(tmp_path / "masks/a.png", np.eye(*turned, dtype=np.uint8))
    with pytest.raises(ValueError, match="the EXIF orientation of the image is 6, which apply_exif=True would apply"):
        LabelMapDataset(tmp_path / "images", tmp_path / "masks")
    found, _ = opened(tmp_path / "images", tmp_path / "masks", apply_exif=True)
    assert found[0].size == turned
    with pytest.raises(ValueError, match=r"images/a\.jpg: expected at most 2399 pixels \(max_pixels\)"):
        LabelMapDataset(tmp_path / "images", tmp_path / "masks", apply_exif=True, max_pixels=2399)


def test_images_of_many_channels(tmp_path: Path) -> None:
    import tifffile

    pixels = np.random.default_rng(0).integers(0, 65536, (*SIZES[0], 5), np.uint16)
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images/a.tif", pixels, photometric="minisblack", planarconfig="contig")
    raster = values(SIZES[0], 1, [4, 9]).astype(np.uint8)
    save(tmp_path / "masks/a.png", raster)
    found, _ = opened(tmp_path / "images", tmp_path / "masks", dtype="keep", labels="from0")
    np.testing.assert_array_equal(found[0].image, pixels)
    assert found[0].instances.labels.tolist() == [0, 0]  # type: ignore[union-attr]
    with pytest.raises(OSError, match=r"a\.tif: "):
        LabelMapDataset(tmp_path / "images", tmp_path / "masks")


IDS = [26001, 26002, 24000, 25, 7, 26, 11]


def cityscapes(folder: Path) -> Path:
    """A set as Cityscapes has it: instances, two groups (25, 26), and two classes without instances (7, 11)."""
    for split, city in (("train", "ulm"), ("val", "bonn")):
        for i in range(2):
            stem = f"{split}/{city}/{city}_00000{i}_000019"
            save_photo(folder / f"leftImg8bit/{stem}_leftImg8bit.png", i)
            raster = values(SIZES[i], i, IDS).astype(np.uint16)
            save(folder / f"gtFine/{stem}_gtFine_instanceIds.png", raster)
            save(
                folder / f"gtFine/{stem}_gtFine_labelIds.png",
                np.where(raster < 1000, raster, raster // 1000).astype(np.uint8),
            )
            save(folder / f"gtFine/{stem}_gtFine_color.png", photo(SIZES[i], 2))
            (folder / f"gtFine/{stem}_gtFine_polygons.json").write_text("{}")
    return folder


def test_cityscapes(tmp_path: Path) -> None:
    folder = cityscapes(tmp_path)
    found, told = opened(folder / "leftImg8bit/val", folder / "gtFine/val", categories="cityscapes")
    assert told == "left out 4 regions of classes without instances"
    assert [each["name"] for each in found.categories][:3] == ["person", "rider", "car"]
    for i in range(2):
        instances = found.instances(i)
        assert instances.labels is not None
        assert instances.iscrowd is not None
        raster = values(SIZES[i], i, IDS)
        assert instances.labels.tolist() == [25, 26, 24, 26, 26]
        assert instances.iscrowd.tolist() == [True, True, False, False, False]
        assert instances.masks is not None
        expected = [raster == n for n in (25, 26, 24000, 26001, 26002)]
        np.testing.assert_array_equal(instances.masks.to_dense(), expected)
    with pytest.warns(UserWarning, match="left out 4 regions"):
        again = open_dataset(folder, split="val")
    assert isinstance(again, LabelMapDataset)
    assert again[1] == found[1]
    with pytest.warns(UserWarning, match="left out 8 regions"):
        assert len(open_dataset(folder)) == 4


def test_a_divisor_without_categories(tmp_path: Path) -> None:
    folder = cityscapes(tmp_path)
    found, told = opened(folder / "leftImg8bit/val", folder / "gtFine/val", divisor=1000)
    assert told == "left out 6 regions of classes without instances"
    assert found.categories == [{"id": 24, "name": "24"}, {"id": 26, "name": "26"}]
    given = [{"id": 7, "name": "road"}, {"id": 24, "name": "person"}]
    with_road, told = opened(folder / "leftImg8bit/val", folder / "gtFine/val", divisor=1000, categories=given)
    assert "annotations have a category that is not among the categories (26)" in told
    assert with_road.instances(0).labels.tolist() == [7, 24, 26, 26]  # type: ignore[union-attr]


def test_arguments(tmp_path: Path) -> None:
    for options, words in (
        ({"divisor": 1}, "divisor: expected an integer from 2"),
        ({"categories": "coco"}, "categories: expected one of 'cityscapes', got 'coco'"),
        ({"categories": [{"id": 1}, {"id": 2}]}, "categories: expected one category where there is no divisor"),
        ({"background": "0"}, "background: expected an integer"),
        ({"name": 3}, "name: expected a string"),
        ({"crowds": 3}, "crowds: expected"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            LabelMapDataset(tmp_path, tmp_path, **options)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        LabelMapDataset(tmp_path, tmp_path, colour=1)  # type: ignore[call-arg]
    save_photo(tmp_path / "a.png")
    save(tmp_path / "a_mask.tif", np.full(SIZES[0], -5, np.int32))
    with pytest.raises(
        ValueError, match=r"a_mask\.tif: expected values from 0 to 2\^63 - 1 where there is a divisor, got -5"
    ):
        LabelMapDataset(tmp_path, tmp_path, divisor=10)


def test_the_digest_is_that_of_names_and_rasters(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        save_photo(tmp_path / name / "images/a.png")
        save(tmp_path / name / "masks/a.png", np.eye(*SIZES[0], dtype=np.uint8) * (3 if name == "three" else 2))
    digests = [
        LabelMapDataset(tmp_path / name / "images", tmp_path / name / "masks").digest
        for name in ("one", "two", "three")
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("images", "masks", "split"),
    [("images", "masks", None), ("train/images", "train/labels", "train"), ("images/train", "masks/train", "train"),
     (".", ".", None), ("train", "train", "train")],
)  # fmt: skip
def test_it_is_found(tmp_path: Path, images: str, masks: str, split: str | None) -> None:
    save_photo(tmp_path / images / "a.png")
    raster = values(SIZES[0], 1, [4, 9]).astype(np.uint8)
    save(tmp_path / masks / "a_masks.png", raster)
    found = open_dataset(tmp_path, split=split)
    assert isinstance(found, LabelMapDataset)
    assert len(found.instances(0)) == 2
    assert open_dataset(tmp_path / masks, tmp_path / images, format="label-maps").instances(0) == found.instances(0)


def test_sets_of_other_formats_are_not_claimed(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    save(files.images.parent / "masks/a.png", np.zeros((3, 4), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert isinstance(open_dataset(tmp_path), CocoDataset)
    (tmp_path / "yolo/images").mkdir(parents=True)
    (tmp_path / "yolo/labels").mkdir()
    (tmp_path / "yolo/labels/a.txt").write_text("0 0 0 1 0 1 1")
    with pytest.raises(ValueError, match="no format that is recognised"):
        open_dataset(tmp_path / "yolo", split=None)
    with pytest.raises(FileNotFoundError, match="expected folders of images"):
        open_dataset(tmp_path / "yolo/labels", format="label-maps")
