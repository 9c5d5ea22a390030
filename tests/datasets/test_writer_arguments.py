"""CocoWriter with wrong arguments and samples: each is named at once, and nothing of it is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.datasets import CocoWriter
from copypaste_rs.datasets.encoding import encode_sample
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.argument_errors import raised

CATEGORIES = [{"id": 1, "name": "square"}, {"id": 2, "name": "ring"}]
NO_TEXT = "\udcff"
"""What Python makes of a byte that is no UTF-8, in a file name say."""


def sample(n: int = 2, info: Any = {}, **fields: Any) -> Sample:  # noqa: B006  # not changed
    squares = [[[4 + k, 5, 14 + k, 5, 14 + k, 16, 4 + k, 16]] for k in range(n)]
    masks = RleMasks.from_polygons(squares, (20, 30))
    instances = Instances(masks=masks, labels=np.arange(n) + 1, **fields)
    return Sample(np.full((20, 30, 3), 90, np.uint8), instances, info)


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- the writer's own fields ---------------------------------------------------------------------------------------

OWN: dict[str, Any] = {
    "image_id": [70, 80],
    "category_id": [7, 8],
    "bbox": [[0, 0, 1, 1]] * 2,
    "segmentation": ["a", "b"],
}


@pytest.mark.parametrize("name", OWN)
def test_a_column_cannot_replace_what_the_writer_makes(tmp_path: Path, name: str) -> None:
    for n in (2, 0):
        given = sample(n, **{name: np.array(OWN[name])[:n]})
        with CocoWriter(tmp_path / str(n), CATEGORIES) as writer:
            with pytest.raises(ValueError, match=f"^sample: expected no column '{name}', which is made from "):
                writer.write(given)
            assert len(writer) == 0


@pytest.mark.parametrize("name", ["image_id", "category_id"])  # the others are refused by the transform already
def test_nor_can_it_after_a_transform(tmp_path: Path, name: str) -> None:
    given = sample(**{name: OWN[name]})
    result = SimpleCopyPaste(size=(20, 30))(given, given, 0)
    writer = CocoWriter(tmp_path, CATEGORIES)
    with pytest.raises(ValueError, match=f"^sample: expected no column '{name}'"):
        writer.write(result)
    writer.close()


def test_nor_can_what_the_sample_says_of_its_image(tmp_path: Path) -> None:
    info = {"id": 9, "file_name": "mine.jpg", "width": 1, "height": 2, "image_id": 4, "license": 3}
    columns: dict[str, Any] = {
        "id": [5, 6],
        "area": [0, 0],
        "source_image_id": [-1, -1],
        "source_annotation_id": [-1, -1],
    }
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(info=info, **columns))
    content = json.loads((tmp_path / "annotations.json").read_text())
    assert content["images"] == [
        {"license": 3, "width": 30, "height": 20, "id": 1, "file_name": "000000000001.jpg", "source_image_id": 4,
         "source_file_name": "mine.jpg"}
    ]  # fmt: skip
    assert [(a["id"], a["image_id"], a["area"]) for a in content["annotations"]] == [(1, 1, 110), (2, 1, 110)]
    assert [(a["source_image_id"], a["source_annotation_id"]) for a in content["annotations"]] == [(4, 5), (4, 6)]


@pytest.mark.parametrize("name", ["format", "quality", "categories"])
def test_settings_cannot_replace_those_of_the_writer(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"^settings: expected other names than .*, got '{name}'$"):
        CocoWriter(tmp_path / "out", CATEGORIES, settings={"seed": 1, name: 3})
    assert list(tmp_path.iterdir()) == []


# -- arguments of the writer ---------------------------------------------------------------------------------------

ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"info": "x"}, r"TypeError: info: expected a mapping, got str"),
    ({"info": {(1, 2): 3}}, r"TypeError: info: expected text as keys, got \(1, 2\)"),
    ({"info": {"a": [Ellipsis]}}, r"TypeError: info\['a'\]\[0\]: expected what JSON can hold .*, got ellipsis"),
    ({"info": {"a": np.longdouble(1)}}, r"TypeError: info\['a'\]: expected what JSON can hold .*, got longdouble"),
    ({"info": {"a": NO_TEXT}}, r"ValueError: info\['a'\]: expected text that UTF-8 can hold, got '\\udcff'"),
    ({"licenses": "MIT"}, r"TypeError: licenses: expected a sequence, got str"),
    ({"licenses": {"id": 1}}, r"TypeError: licenses: expected a sequence, got dict"),
    ({"licenses": 3}, r"TypeError: licenses: expected a sequence, got int"),
    ({"licenses": [{"id": {1j}}]}, r"TypeError: licenses\[0\]\['id'\]: expected what JSON can hold .*, got set"),
    ({"categories": [{"id": 1, "name": NO_TEXT}]}, r"ValueError: categories\[0\]\['name'\]: expected text that UTF-8"),
    ({"categories": [{"id": 1, None: 2}]}, r"TypeError: categories\[0\]: expected text as keys, got None"),
    ({"settings": 3}, r"TypeError: settings: expected a mapping, got int"),
    ({"settings": {"a": {"b": np.zeros(2)}}}, r"TypeError: settings\['a'\]\['b'\]: expected what JSON can hold"),
    ({"integers": "track"}, r"TypeError: integers: expected a collection of column names, got 'track'"),
    ({"integers": None}, r"TypeError: integers: expected a collection of column names, got None"),
    ({"integers": np.array("a")}, r"TypeError: integers: expected a collection of column names, got array\('a'"),
    ({"integers": ["a", 3]}, r"TypeError: integers: expected column names, got 3"),
    ({"integers": [["a"]]}, r"TypeError: integers: expected column names, got \['a'\]"),
    ({"directory": "a\0b"}, r"ValueError: directory: expected a path without null characters, got 'a\\x00b'"),
    ({"settings": {"format": 3}}, r"ValueError: settings: expected other names than .*, got 'format'"),
    ({"resume": True, "overwrite": True}, r"ValueError: overwrite: expected False where resume is True, got True"),
    ({"directory": b"out"}, r"TypeError: directory: expected a path, got b'out'"),
]


@pytest.mark.parametrize(("options", "message"), ARGUMENTS, ids=lambda value: str(value)[:60])
def test_an_argument_is_named_before_anything_is_made(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    given = {"directory": tmp_path / "out", "categories": CATEGORIES, **options}
    with raised(message, CocoWriter):
        CocoWriter(given.pop("directory"), given.pop("categories"), **given)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_and_licences_of_any_kind_are_written(tmp_path: Path) -> None:
    info = {"year": np.int64(2026), "share": np.float32(0.5), "by": np.str_("me")}
    with CocoWriter(tmp_path, CATEGORIES, info=info, licenses=["MIT", None, {"id": 3}]) as writer:
        writer.write(sample())
    content = json.loads((tmp_path / "annotations.json").read_text())
    assert content["info"] == {"year": 2026, "share": 0.5, "by": "me"}
    assert content["licenses"] == ["MIT", None, {"id": 3}]


# -- samples -------------------------------------------------------------------------------------------------------

WRITES: list[tuple[dict[str, Any], str]] = [
    ({"file_name": Path("a.jpg")}, r"TypeError: file_name: expected a string, got PosixPath\('a.jpg'\)"),
    ({"file_name": 3}, r"TypeError: file_name: expected a string, got 3"),
    ({"file_name": b"a.jpg"}, r"TypeError: file_name: expected a string, got b'a.jpg'"),
    ({"file_name": f"{NO_TEXT}.jpg"}, r"ValueError: file_name: expected text that UTF-8 can hold, got '\\udcff.jpg'"),
    ({"file_name": "a\nb.jpg"}, r"ValueError: file_name: expected a name without line breaks, got 'a\\nb.jpg'"),
    ({"sources": sample()}, r"TypeError: sources: expected a sequence of Sample, got Sample"),
    ({"sources": None}, r"TypeError: sources: expected a sequence of Sample, got NoneType"),
    ({"sources": "ab"}, r"TypeError: sources: expected a sequence of Sample, got str"),
    ({"sources": [sample(), 3]}, r"TypeError: sources\[1\]: expected a Sample, got int"),
    ({"sources": [sample(info={"image_id": NO_TEXT})]}, r"ValueError: sources\[0\]\.info\['image_id'\]: expected text"),
    ({"sample": sample(info={"file_name": NO_TEXT})}, r"ValueError: sample\.info\['file_name'\]: expected text that"),
    ({"sample": sample(info={"by": NO_TEXT})}, r"ValueError: sample\.info\['by'\]: expected text that UTF-8 can hold"),
    ({"sample": sample(info={(1, 2): 3})}, r"TypeError: sample\.info: expected text as keys, got \(1, 2\)"),
    (
        {"sample": sample(info={NO_TEXT: 3})},
        r"ValueError: sample\.info: expected keys that UTF-8 can hold, got '\\udcff'",
    ),
    (
        {"sample": sample(name=["a", NO_TEXT])},
        r"ValueError: sample\.instances\.name\[1\]: expected text that UTF-8 can hold, got",
    ),
    (
        {"sample": sample(name=[["a", "b"], ["c", NO_TEXT]])},
        r"ValueError: sample\.instances\.name\[1\]: expected text that UTF-8",
    ),
    (
        {"sample": sample(2, {}, **{NO_TEXT: [1, 2]})},
        r"ValueError: sample: expected names of columns that UTF-8 can hold, got '",
    ),
    (
        {"sample": sample(score=np.ones(2, np.longdouble))},
        r"TypeError: sample\.instances\.score: expected numbers of at most 64 bits",
    ),
    (
        {"sample": sample(id=np.ones(2, np.longdouble))},
        r"TypeError: sample\.instances\.id: expected numbers of at most 64 bits to write",
    ),
    (
        {"sample": sample(id=np.ones(2, "M8[s]"))},
        r"TypeError: sample\.instances\.id: expected numbers, bools or strings to write, got",
    ),
    (
        {"sample": sample(id=["a", NO_TEXT])},
        r"ValueError: sample\.instances\.id\[1\]: expected text that UTF-8 can hold, got '\\udcff'",
    ),
    (
        {"sample": sample(source=["a", "b"])},
        r"TypeError: sample\.instances\.source: expected numbers of sources, shape \(2,\), got shape",
    ),
    (
        {"sample": sample(source=[[0], [1]])},
        r"TypeError: sample\.instances\.source: expected numbers of sources, shape \(2,\), got shape",
    ),
    ({"sample": sample(3)}, r"ValueError: sample: expected labels that are among the categories, got 3"),
    ({"sample": sample().image}, r"TypeError: sample: expected a Sample, got ndarray"),
    ({"sample": Sample(np.zeros((4, 5), np.uint16), Instances())}, r"TypeError: sample\.image: expected dtype uint8"),
    ({"sample": Sample(np.zeros((4, 5, 2), np.uint8), Instances())}, r"ValueError: sample\.image: expected 1 or 3 ch"),
    ({"sample": Sample(np.zeros((1, 65501), np.uint8), Instances())}, r"ValueError: sample\.image: expected sides of"),
    (
        {"sample": Sample(sample().image, Instances(masks=sample().instances.masks))},
        r"TypeError: sample: expected integer labels, which become category ids, got none",
    ),
    (
        {"sample": Sample(sample().image, Instances(masks=sample().instances.masks, labels=["a", "b"]))},
        r"TypeError: sample: expected integer labels, which become category ids, got shape \(2,\) and dtype <U1",
    ),
    (
        {"sample": Sample(sample().image, Instances(labels=[1]))},
        r"ValueError: sample: expected masks for its instances",
    ),
    (
        {"sample": sample(image_id=[1, 2])},
        r"ValueError: sample: expected no column 'image_id', which is made from the ",
    ),
    ({"file_name": "../a.jpg"}, r"ValueError: file_name: expected a name inside the folder of images, got '../a.jpg'"),
    ({"file_name": "a.png"}, r"ValueError: file_name: expected the suffix .*, got 'a.png'"),
    ({"file_name": "000000000001.jpg"}, r"ValueError: file_name: expected a name that is not taken yet, got '0000"),
    (
        {"sample": sample(both=np.ones(2, [("a", int), ("b", int)]))},
        r"TypeError: sample\.instances\.both: expected numbers, bools or",
    ),
]


@pytest.mark.parametrize(("call", "message"), WRITES, ids=lambda value: str(value)[:60])
def test_a_sample_is_named_and_leaves_nothing(tmp_path: Path, call: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"sample": sample(), **call}
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(1))
        before = every_file(tmp_path)
        with raised(message, writer.write):
            writer.write(**given)
        assert every_file(tmp_path) == before
        assert writer.write(sample()) == 2
    assert [image["id"] for image in json.loads((tmp_path / "annotations.json").read_text())["images"]] == [1, 2]


def test_what_is_no_encoded_sample_is_refused(tmp_path: Path) -> None:
    nothing: Any = sample()
    writer = CocoWriter(tmp_path, CATEGORIES)
    with pytest.raises(ArgumentTypeError, match=r"^encoded: expected what encode_sample makes, got Sample$"):
        writer.write_encoded(nothing)
    foreign = encode_sample(sample(3), format="jpg", quality=90)
    with pytest.raises(ArgumentError, match=r"^encoded: expected labels that are among the categories, got 3$"):
        writer.write_encoded(foreign)
    writer.close()
    assert list((tmp_path / "images").iterdir()) == []


def test_columns_that_are_odd_but_can_be_written(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "nothing": np.zeros((2, 0)), "small": np.array([0.1, 2], np.float16), "source": [np.nan, -1.0],
        "id": [np.nan, 7.0], "names": [["a", "b"], ["c", "é"]],
    }  # fmt: skip
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(info={"image_id": 3}, **columns), sources=[sample(info={"image_id": 4})])
    first, second = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    assert (first["nothing"], first["small"], first["names"]) == ([], 0.1, ["a", "b"])
    assert "source_image_id" not in first
    assert "source_annotation_id" not in first
    assert (second["source"], second["source_image_id"], second["source_annotation_id"]) == (-1.0, 3, 7.0)


def test_a_name_with_odd_characters_is_overwritten_as_well(tmp_path: Path) -> None:
    names = ["a\rb.jpg", "a\x85b.jpg", "a\u2028b.jpg", " .jpg", "\\.jpg".replace("\\", "'")]
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        for name in names:
            writer.write(sample(1), name)
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == sorted(names)
    with CocoWriter(tmp_path, CATEGORIES, overwrite=True):
        pass
    assert list((tmp_path / "images").iterdir()) == []
