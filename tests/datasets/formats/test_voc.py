"""`VocDataset`: masks and classes are those of the rasters, whatever wrote them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, VocDataset, open_dataset
from tests.fixtures.coco_files import SIZES, photo
from tests.fixtures.voc_files import CAT, COLOURS, DOG, PERSON, object_xml, rasters, save_raster, save_xml, write

LABELS = [CAT, DOG, PERSON]


def opened(root: Path, split: str | None = "train", **options: Any) -> tuple[VocDataset, str]:
    """The data set, and its one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = VocDataset(root, split, **options)
    assert len(caught) <= 1
    return found, str(caught[0].message).partition(": ")[2] if caught else ""


@pytest.mark.parametrize("form", ["palette", "grey", "colours"])
def test_masks_and_classes(tmp_path: Path, form: str) -> None:
    photos, told = opened(write(tmp_path, form=form))
    assert told == ""
    assert [category["name"] for category in photos.categories][CAT - 1 : CAT] == ["cat"]
    assert len(photos) == 3
    for i in range(3):
        sample = photos[i]
        objects, _ = rasters(i)
        assert sample.size == SIZES[i]
        assert sample.instances.masks is not None
        assert sample.instances.labels is not None
        # Colours have another order than indices.
        order = np.argsort(sample.instances.labels)
        assert sample.instances.labels[order].tolist() == LABELS
        np.testing.assert_array_equal(sample.instances.masks[order].to_dense(), [objects == n for n in (1, 2, 3)])
        assert sample.info["file_name"] == f"2007_{i:06d}.jpg"
    assert photos.fields == {}


def test_it_can_be_augmented(tmp_path: Path) -> None:
    photos, _ = opened(write(tmp_path))
    assert CopyPasteDataset(photos, SimpleCopyPaste(size=64), seed=1)[0].size == (64, 64)


def test_the_class_is_that_of_most_pixels(tmp_path: Path) -> None:
    root = write(tmp_path, 2)
    objects, classes = rasters(0)
    classes[objects == 1] = np.where(np.arange((objects == 1).sum()) % 3 == 0, DOG, CAT)
    classes[objects == 2] = 255
    classes[2, 50] = PERSON
    save_raster(root / "SegmentationClass/2007_000000.png", classes)
    photos, told = opened(root)
    assert told == (
        "left out 1 object without a class; 1 object has pixels of several classes; "
        "1 image has pixels of a class that belong to no object"
    )
    assert photos.instances(0).labels.tolist() == [CAT, PERSON]  # type: ignore[union-attr]


def boxes_of(i: int) -> list[tuple[int, int, int, int]]:
    """Boxes of the objects in pixels counted from 1, the last included."""
    objects, _ = rasters(i)
    found = []
    for number in (1, 2, 3):
        y, x = np.nonzero(objects == number)
        found.append((x.min() + 1, y.min() + 1, x.max() + 1, y.max() + 1))
    return found


def test_columns_of_the_xml_files_are_found_by_boxes(tmp_path: Path) -> None:
    root = write(tmp_path)
    cat, dog, person = boxes_of(0)
    wider = cat[0], cat[1], cat[2] + 3, cat[3] + 2  # as it is with the border
    save_xml(
        root / "Annotations/2007_000000.xml",
        SIZES[0],
        [
            object_xml("person", person, difficult=1, truncated=0, pose="Left"),
            object_xml("cat", wider, difficult=0, truncated=1, pose="Unspecified"),
            object_xml("bus", dog, difficult=1, truncated=1),
            object_xml("cat", (1, 1, 3, 3), difficult=1),
        ],
        head='<?xml version="1.0" encoding="UTF-8"?>\n',
    )
    photos, told = opened(root)
    assert told == "left out 2 objects of XML files that no instance is; 1 object is not in its XML file"
    instances = photos.instances(0)
    assert instances.columns["difficult"].tolist() == [False, False, True]
    assert instances.columns["truncated"].tolist() == [True, False, False]
    assert instances.columns["pose"].tolist() == ["Unspecified", "", "Left"]
    assert opened(root, columns=["pose"])[0].fields.keys() == {"pose"}


def test_two_objects_that_fit_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    root = write(tmp_path, 1)
    objects, classes = rasters(0)
    classes[objects == 2] = CAT
    save_raster(root / "SegmentationClass/2007_000000.png", classes)
    box = (4, 4, 27, 28)
    for order in ((0, 1), (1, 0)):
        save_xml(root / "Annotations/2007_000000.xml", SIZES[0], [object_xml("cat", box, pose=f"p{k}") for k in order])
        photos, _ = opened(root)
        assert photos.instances(0).columns["pose"].tolist() == [f"p{order[0]}", f"p{order[1]}", ""]


def detection(root: Path, head: str = "", **fields: Any) -> Path:
    (root / "JPEGImages").mkdir(parents=True)
    (root / "ImageSets/Main").mkdir(parents=True)
    for i in range(2):
        Image.fromarray(photo(SIZES[i], i)).save(root / f"JPEGImages/a {i}.jpg")
        objects = [object_xml("cat", (1, 1, 10, 20), **fields), object_xml("dog", (11, 3, 20, 12))] if i else []
        save_xml(root / f"Annotations/a {i}.xml", SIZES[i], objects, head)
    (root / "ImageSets/Main/train.txt").write_text("a 0\na 1\n")
    return root


def test_boxes_alone(tmp_path: Path) -> None:
    root = detection(tmp_path, difficult=1)
    with pytest.raises(
        ValueError, match=r"Annotations/a 1\.xml: object\[0\]: expected a segmentation, got a bbox alone.*boxes='keep'"
    ):
        VocDataset(root)
    photos, told = opened(root, boxes="keep")
    assert told == ""
    assert len(photos.instances(0)) == 0
    instances = photos.instances(1)
    assert instances.boxes.tolist() == [[0, 0, 10, 20], [10, 2, 20, 12]]  # type: ignore[union-attr]
    assert instances.box_only.tolist() == [True, True]  # type: ignore[union-attr]
    assert instances.columns["difficult"].tolist() == [True, False]
    assert opened(root, boxes="drop")[1] == "left out 2 annotations with a bbox alone"
    with pytest.raises(
        ValueError, match=r"a 1\.xml: object\[0\]: expected the name of a class \(1 dog\), got 'cat'; names"
    ):
        VocDataset(root, names=["dog"])


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "GBK", "windows-1252", "ascii"])
def test_xml_in_the_encoding_that_it_says(tmp_path: Path, encoding: str) -> None:
    root = detection(tmp_path, head=f'<?xml version="1.0" encoding="{encoding}"?>')
    path = root / "Annotations/a 1.xml"
    name = "cat" if encoding == "ascii" else "é" if encoding != "GBK" else "猫"
    text = path.read_text().replace(">cat<", f">{name}<")
    path.write_bytes(text.encode(encoding))
    found = VocDataset(root, names=[name, "dog"], boxes="keep") if encoding != "UTF-16" else None
    if found is not None:
        assert found.instances(1).labels.tolist() == [1, 2]  # type: ignore[union-attr]


BOMB = '<!DOCTYPE a [<!ENTITY b "' + "x" * 1000 + '"><!ENTITY c "' + "&b;" * 1000 + '">]>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "expected well-formed XML: no element found"),
        (b"<annotation>", r"expected well-formed XML: no element found: line 1, column 12"),
        (b"<html/>", "expected an element 'annotation', got 'html'"),
        (BOMB.encode() + b"<annotation>&c;</annotation>", "expected XML without a document type"),
        (BOMB.encode("utf-16") + "<annotation/>".encode("utf-16-le"), "expected text in UTF-8, got UTF-16"),
        (("<?xml version='1.0' encoding='utf-16'?>" + BOMB).encode(), "a 1.xml: expected "),
        (b"<annotation>\xe9</annotation>", r"expected text in UTF-8, got 0xe9 \(byte 12\)"),
        (b"<?xml version='1.0' encoding='zip'?><annotation/>", "got the encoding 'zip'"),
        (b"<?xml version='1.0' encoding='x-klingon'?><annotation/>", "got the encoding 'x-klingon'"),
        (b"<annotation><object/></annotation>", r"object\[0\]: expected a name, got none"),
        (b"<annotation><object><name>cat</name></object></annotation>", r"object\[0\]: bndbox: xmin: expected a number, got ''"),
        (object_xml("cat", (1, 1, 2, float("nan"))).encode(), "expected an element 'annotation', got 'object'"),
        (f"<annotation>{object_xml('cat', (1, 1, 2, float('nan')))}</annotation>".encode(), "ymax: expected a number, got 'nan'"),
        (f"<annotation>{object_xml('cat', (1, 1, 2, 1e30))}</annotation>".encode(), "ymax: expected a number, got '1e[+]30'"),
        (f"<annotation>{object_xml('cat', (9, 1, 2, 2))}</annotation>".encode(), "expected xmax and ymax of at least"),
        (f"<annotation>{object_xml('cat', (1, 1, 2, 2), difficult='no')}</annotation>".encode(), "difficult: expected 0 or 1, got 'no'"),
        (b"<annotation><size><width>3</width><height>4</height></size></annotation>", r"expected height and width \(48, 32\), as the image has, got \(4, 3\)"),
    ],
)  # fmt: skip
def test_bad_xml(tmp_path: Path, data: bytes, words: str) -> None:
    root = detection(tmp_path)
    (root / "Annotations/a 1.xml").write_bytes(data)
    with pytest.raises(ValueError, match=words):
        VocDataset(root, boxes="keep")


def test_xml_that_lies_deep(tmp_path: Path) -> None:
    root = detection(tmp_path)
    n = 200_000
    (root / "Annotations/a 1.xml").write_bytes(b"<annotation>" + b"<a>" * n + b"</a>" * n + b"</annotation>")
    assert len(VocDataset(root).instances(1)) == 0
    (root / "Annotations/a 1.xml").write_bytes(b"<annotation>" + b"<a>" * n)
    with pytest.raises(ValueError, match="expected well-formed XML"):
        VocDataset(root)


def test_a_label_map_says_which_class_a_colour_is(tmp_path: Path) -> None:
    root = write(tmp_path, 1)
    objects, classes = rasters(0)
    colours = np.zeros((*SIZES[0], 3), np.uint8)
    for value, colour in ((CAT, (250, 50, 83)), (DOG, (10, 20, 30)), (PERSON, (51, 221, 255))):
        colours[classes == value] = colour
    Image.fromarray(colours).save(root / "SegmentationClass/2007_000000.png")
    shades = np.zeros((*SIZES[0], 3), np.uint8)
    shades[objects == 1], shades[objects == 2], shades[objects == 3] = (9, 9, 9), (7, 200, 1), (128, 0, 0)
    Image.fromarray(shades).save(root / "SegmentationObject/2007_000000.png")
    text = "# label:color_rgb:parts:actions\r\nbackground:0,0,0::\r\ntabby cat:250,50,83::\r\nbig dog:10,20,30::\r\nman:51,221,255:head,hand:\r\n"
    (root / "labelmap.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    photos, told = opened(root)
    assert told == ""
    assert photos.categories == [{"id": 1, "name": "tabby cat"}, {"id": 2, "name": "big dog"}, {"id": 3, "name": "man"}]
    instances = photos.instances(0)
    assert instances.labels is not None
    order = np.argsort(instances.labels)
    assert instances.labels[order].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(instances.masks[order].to_dense(), [objects == n for n in (1, 2, 3)])  # type: ignore[index]
    (root / "labelmap.txt").write_text(text.replace("10,20,30", "10,20,31"))
    with pytest.raises(
        ValueError,
        match=r"SegmentationClass/2007_000000\.png: expected a class \(1 tabby cat, 2 big dog, 3 man\), got the colour 10,20,30 at x 14, y 12; ",
    ):
        VocDataset(root)


def test_a_label_map_of_indices(tmp_path: Path) -> None:
    root = write(tmp_path, 1)
    lines = [
        f"{name}:{r},{g},{b}::"
        for name, (r, g, b) in (("a", COLOURS[CAT]), ("b", COLOURS[DOG]), ("c", COLOURS[PERSON]))
    ]
    (root / "labelmap.txt").write_text("\n".join(lines))
    assert opened(root)[0].instances(0).labels.tolist() == [1, 2, 3]  # type: ignore[union-attr]
    names = ["background", *(f"class {i}" for i in range(1, 16))]
    (root / "labelmap.txt").write_text("\n".join(f"{name}:::" for name in names))
    photos, _ = opened(root)
    assert photos.instances(0).labels.tolist() == LABELS  # type: ignore[union-attr]
    assert photos.categories[CAT - 1] == {"id": CAT, "name": f"class {CAT}"}


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("labelmap.txt", "a:1,2:", r"labelmap\.txt: line 1: expected name:red,green,blue:parts:actions, got the colour '1,2'"),
        ("labelmap.txt", "#\na:1,2,256::", r"line 2: expected name:red"),
        ("labelmap.txt", "a:1,2,3::\nb:1,2,3::", "expected a colour of its own for each class, got that of 'b' twice"),
        ("labelmap.txt", "a:1,2,3::\na:1,2,4::", "expected each name once, got 'a' more than once"),
        ("class_names.txt", "a\nb", r"expected _background_, the name of index 0, in the first line, got 'a'"),
        ("class_names.txt", "", "got no name"),
        ("class_names.txt", "_background_\na\na", "expected each name once"),
        ("class_names.txt", "_background_\n" + "\n".join(map(str, range(255))), "expected at most 254 classes, got 255"),
    ],
)  # fmt: skip
def test_bad_lists_of_classes(tmp_path: Path, file: str, text: str, words: str) -> None:
    root = write(tmp_path, 1)
    (root / file).write_text(text)
    with pytest.raises(ValueError, match=words):
        VocDataset(root)


def test_names(tmp_path: Path) -> None:
    root = write(tmp_path, 1)
    (root / "class_names.txt").write_text(
        "__ignore__\n_background_\n" + "\n".join(f"c{i}" for i in range(1, 16)) + "\n"
    )
    assert opened(root)[0].categories[CAT - 1] == {"id": CAT, "name": f"c{CAT}"}
    assert opened(root, names=["background", *map(str, range(1, 16))])[0].categories[0] == {"id": 1, "name": "1"}
    for names, words in (
        (["cat"], r"expected a class \(1 cat\), got 8 at x 4, y 3"),
        ("cat", "names: expected a sequence of names of classes, got str"),
        (["cat", 3], r"names\[1\]: expected a string, got 3"),
        (["cat", "cat"], "names: expected each name once, got 'cat' more than once"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            VocDataset(root, names=names)  # type: ignore[arg-type]


def test_lists(tmp_path: Path) -> None:
    root = write(tmp_path, 3)
    path = root / "ImageSets/Segmentation/train.txt"
    (root / "JPEGImages/sub").mkdir()
    for folder, suffix in (("JPEGImages", "jpg"), ("SegmentationObject", "png"), ("SegmentationClass", "png")):
        (root / folder / "sub").mkdir(exist_ok=True)
        (root / folder / f"2007_000002.{suffix}").rename(root / folder / f"sub/a b.{suffix}")
    path.write_bytes(b'\xef\xbb\xbf2007_000001 -1\r\n2007_000000.jpg\r\n\r\n"sub/a b"\r\nsub\\a b\r\n')
    photos, told = opened(root)
    assert told == "1 name stands again in the list"
    assert [photos.info(i)["file_name"] for i in range(3)] == ["2007_000001.jpg", "2007_000000.jpg", "sub/a b.jpg"]
    assert photos[2].size == SIZES[2]
    path.write_text("2007_000001\n../x\n/etc/x\n")
    with pytest.raises(ValueError, match=r"train\.txt: line 2: expected a name inside .*\n  line 3"):
        VocDataset(root)
    path.write_text("2007_000001\nx\ny")
    with pytest.raises(FileNotFoundError, match=r"train\.txt: no image in .*JPEGImages has the name x, y$"):
        VocDataset(root)
    path.write_text("2007_000001\n")
    Image.fromarray(photo(SIZES[1], 1)).save(root / "JPEGImages/2007_000001.png")
    with pytest.raises(ValueError, match=r"2007_000001: expected one image of this name, got 2007_000001\.jpg and"):
        VocDataset(root)
    path.write_text("")
    assert len(VocDataset(root)) == 0
    path.write_bytes("2007".encode("utf-16"))
    with pytest.raises(ValueError, match="expected text in UTF-8, got UTF-16"):
        VocDataset(root)
    path.write_bytes(b"2007_\xe9")
    with pytest.raises(ValueError, match=r"got 0xe9 \(byte 5\)"):
        VocDataset(root)


def test_splits(tmp_path: Path) -> None:
    root = write(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"Segmentation/val\.txt: no such file, .* \(there are: 'train'\)"):
        VocDataset(root, "val")
    with pytest.raises(ValueError, match="split: expected a name inside ImageSets"):
        VocDataset(root, "../train")
    Image.fromarray(photo(SIZES[0], 3)).save(root / "JPEGImages/more.jpg")
    photos, told = opened(root, None)
    assert (len(photos), told) == (3, "left out 1 image without annotation")
    (root / "ImageSets/Segmentation/train.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"there are: none, so that split=None takes all images"):
        VocDataset(root)


def test_bad_rasters(tmp_path: Path) -> None:
    root = write(tmp_path)
    objects, classes = (root / f"Segmentation{kind}/2007_000000.png" for kind in ("Object", "Class"))
    other = root / "SegmentationClass/2007_000002.png"
    whole = classes.read_bytes()
    save_raster(classes, np.zeros((60, 40), np.uint8))
    save_raster(other, np.full(SIZES[2], 99, np.uint8))
    with pytest.raises(
        ValueError,
        match=r"2007_000000\.jpg: .*Class/2007_000000\.png: expected width 60 and height 40, as its image 2007_000000\.jpg has, "
        r"got width 40 and height 60\n  2007_000002\.jpg: .*expected a class \(1 aeroplane, 2 bicycle, 3 bird, \.\.\.\), got 99 at x 0, y 0",
    ):
        VocDataset(root)
    Image.fromarray(np.full(SIZES[0], 256, np.uint16)).save(objects)
    classes.write_bytes(whole)
    other.unlink()
    with pytest.raises(FileNotFoundError, match=r"SegmentationClass/2007_000002\.png: no such file"):
        VocDataset(root)
    save_raster(other, rasters(2).classes)
    with pytest.raises(ValueError, match=r"Object/2007_000000\.png: expected indices up to 255, or colours, got 256"):
        VocDataset(root)
    objects.unlink()
    with pytest.raises(FileNotFoundError, match=r"Object/2007_000000\.png: no such file"):
        VocDataset(root)
    (root / "SegmentationObject/2007_000001.png").write_bytes(whole[:60])
    save_raster(objects, rasters(0).objects)
    with pytest.raises(OSError, match=r"2007_000001\.png: cannot be read as a label image"):
        VocDataset(root)


@pytest.mark.parametrize("place", ["", "VOC2012"])
def test_it_is_found(tmp_path: Path, place: str) -> None:
    write(tmp_path / place)
    found = open_dataset(tmp_path)
    assert isinstance(found, VocDataset)
    assert found[1] == VocDataset(tmp_path / place, "train")[1]
    (tmp_path / place / "ImageSets/Segmentation/val.txt").write_text("2007_000001")
    assert len(open_dataset(tmp_path)) == 3
    assert len(open_dataset(tmp_path, split="val")) == 1
    (tmp_path / place / "ImageSets/Segmentation/train.txt").rename(tmp_path / place / "ImageSets/Segmentation/test.txt")
    with pytest.raises(ValueError, match="expected one split of images, got test, val; split names one of them"):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path, tmp_path / place / "JPEGImages", split="test")) == 3


def test_what_is_no_root(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a PASCAL VOC set: folders JPEGImages and"):
        VocDataset(tmp_path)
    with pytest.raises(NotADirectoryError, match="expected a folder, which is not there"):
        VocDataset(tmp_path / "x")
    for name in ("VOC2007", "VOC2012"):
        write(tmp_path / name, 1)
    with pytest.raises(ValueError, match=r"got several folders of such \(VOC2007, VOC2012\)"):
        VocDataset(tmp_path)
    with pytest.raises(TypeError, match="split: expected a string, got 3"):
        VocDataset(tmp_path / "VOC2007", 3)  # type: ignore[arg-type]
    with pytest.raises(NotADirectoryError, match="expected a folder of images"):
        VocDataset(tmp_path / "VOC2007", images=tmp_path / "x")


def test_the_palette_is_the_published_one() -> None:
    from copypaste_rs.datasets.formats.voc.palette import INDICES, PALETTE

    assert {index: PALETTE[index] for index in COLOURS} == COLOURS
    assert len(INDICES) == 256
