"""The reader of the extension against the one in Python: equal tables, or nothing to say."""

from __future__ import annotations

import json
import random
import threading
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs import RleMasks
from copypaste_rs.datasets import file_window, plain_coco
from copypaste_rs.datasets.coco_json import read_any, read_coco
from copypaste_rs.datasets.file_window import FileWindow
from copypaste_rs.datasets.plain_coco import read_plain
from tests.fixtures.plain_tables import as_data

if TYPE_CHECKING:
    from copypaste_rs.datasets.tables import AnnotationTables

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog", "keypoints": ["left_eye", "right_eye"]}]


def plain(path: Path, *options: Any) -> AnnotationTables | None:
    """What the extension makes of a file."""
    with path.open("rb", buffering=0) as file, FileWindow(file, path.stat().st_size) as window:
        return read_plain(window, *options)


def both(folder: Path, text: str | bytes, *choices: Any) -> tuple[AnnotationTables | None, Any]:
    """What the extension makes of a file, and what Python does: tables or an error."""
    path = folder / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    options = choices or ("keep", "keep", None)
    found = plain(path, *options)
    try:
        return found, read_any(path, path.read_bytes(), folder, *options)
    except (ValueError, OSError) as error:
        return found, error


def value_of(draw: random.Random, kinds: str) -> Any:
    kind = draw.choice(kinds)
    if kind == "i":
        return draw.choice([0, 1, -3, draw.randrange(10**6), 2**53, 2**53 + 1, 2**62])
    if kind == "f":
        return draw.choice([0.5, -1.25, 3.0, draw.random() * 1000, 1e300])
    if kind == "s":
        return draw.choice(["", "x", "été", "a\\b", 'q"', "line\nbreak", "long" * draw.randrange(200)])
    if kind == "b":
        return draw.random() < 0.5
    return {"n": None, "l": [1, {"a": [2]}], "d": {"a": 1}}[kind]


def segmentation(draw: random.Random, h: int, w: int) -> Any:
    kind = draw.randrange(9)
    if kind <= 4:
        parts = []
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            n = draw.choice([2, 4, 6, 8, 10, 20])
            places = draw.choice([0, 2, 17])
            parts.append([round(draw.uniform(-2, (w, h)[i % 2] + 2), places or None) for i in range(n)])
        return parts if draw.random() < 0.95 else parts[0]
    dense = np.array([[[draw.random() < 0.4 for _ in range(w)] for _ in range(h)]], np.uint8)
    if kind <= 6:
        runs = RleMasks.from_dense(dense).counts.tolist()
        if draw.random() < 0.3:  # an empty run within
            runs[1:1] = [0, 0]
        return {"size": [h, w], "counts": runs}
    if kind == 7:
        return {"counts": RleMasks.from_dense(dense).to_coco()[0]["counts"].decode(), "size": [h, w], "more": 1}
    return draw.choice([None, []])


def plain_file(draw: random.Random) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    for number in draw.sample(range(1, 60), draw.randrange(1, 6)):
        image: dict[str, Any] = {
            "id": number,
            "file_name": f"é/{draw.choice([number, number, number, 7])}.jpg",
            "height": draw.randrange(1, 9),
            "width": draw.randrange(1, 9),
        }
        if draw.random() < 0.5:
            image |= {"license": 3, "look": "dark", "more": [1.5, {"a": None}]}
        images.append(image)
    kinds = {
        name: draw.choice(["i", "f", "if", "s", "b", "in", "sn", "l", "n"])
        for name in ("score", "look", "_own", "note")
    }
    has_points = draw.random() < 0.4
    annotations: list[dict[str, Any]] = []
    for number in range(draw.randrange(12)):
        image = draw.choice(images)
        one: dict[str, Any] = {"id": 10 + number, "image_id": image["id"], "category_id": draw.choice([1, 2, 2, 9])}
        one["segmentation"] = segmentation(draw, image["height"], image["width"])
        if draw.random() < 0.1:
            del one["segmentation"]
        if draw.random() < 0.8:
            one["bbox"] = [draw.randrange(5), draw.random() * 5, draw.randrange(4), draw.random() * 4]
        if draw.random() < 0.8:
            one["iscrowd"] = draw.choice([0, 0, 1, False, True, None])
        if draw.random() < 0.8:
            one["area"] = draw.choice([1, 2.5, "garbage", None])
        if has_points and draw.random() < 0.8:
            one["keypoints"] = draw.choice([[1, 2, 2, 3.5, 4, 1], [0, 0, 0, 1, 1, 2], [], None])
            one["num_keypoints"] = 1
        for name, choice in kinds.items():
            if draw.random() < 0.9:
                one[name] = value_of(draw, choice)
        annotations.append(dict(draw.sample(list(one.items()), len(one))))
    parts = {
        "info": {"a": 1},
        "licenses": [None],
        "images": images,
        "annotations": annotations,
        "categories": CATEGORIES,
    }
    if draw.random() < 0.1:
        annotations.append({**(annotations[0] if annotations else {"id": 1, "category_id": 1}), "image_id": 99})
    return dict(draw.sample(list(parts.items()), len(parts)))


def mutated(draw: random.Random, file: dict[str, Any]) -> None:
    """Change a value somewhere to one that may be wrong."""
    place: Any = draw.choice([file, *(each for name in ("images", "annotations") for each in file[name])])
    key = draw.choice(list(place))
    place[key] = draw.choice([
        None, "5", 5.0, 5.5, -1, 2**63, 2**70, [], {}, [[]], True, "a/../b", [[1, 2, 3]], [[1, 2, "3", 4, 5, 6]], 1e308,
        {"size": [1, 1], "counts": [1]}, {"size": [2, 2], "counts": [1, "2"]}, [{"size": [1, 1], "counts": [1]}],
    ])  # fmt: skip
    if draw.random() < 0.2:
        del place[key]


@pytest.mark.parametrize("seed", range(6))
def test_plain_files(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    taken = 0
    for i in range(150):
        file = plain_file(draw)
        form: dict[str, Any] = draw.choice([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])
        choices = (draw.choice(["keep", "drop"]), draw.choice(["keep", "objects", "drop"]),
                   draw.choice([None, None, frozenset({"score", "keypoints", "gone"}), frozenset()]))  # fmt: skip
        found, expected = both(tmp_path, json.dumps(file, **form), *choices)
        if found is not None:
            assert as_data(found) == as_data(expected), i
            taken += 1
    assert taken > 90


@pytest.mark.parametrize("seed", range(4))
def test_files_with_something_odd(tmp_path: Path, seed: int) -> None:
    draw = random.Random(100 + seed)
    for i in range(200):
        file = plain_file(draw)
        mutated(draw, file)
        found, expected = both(tmp_path, json.dumps(file))
        if found is not None:
            assert as_data(found) == as_data(expected), i


@pytest.mark.parametrize("seed", range(4))
def test_files_that_are_damaged(tmp_path: Path, seed: int) -> None:
    """Bytes are changed, left out, or put in; what Python refuses the extension does not take."""
    draw = random.Random(200 + seed)
    for i in range(200):
        text = bytearray(json.dumps(plain_file(draw)).encode())
        at = draw.randrange(len(text))
        piece = draw.choice(
            [b"", b",", b"}", b"]", b"\xff", b"0", b'"', b"\\", b"NaN", b"\\ud800", b"1e999", b" ", b":", b"\x01"]
        )
        text[at : at + draw.choice([0, 1, 1, 5, len(text)])] = piece
        found, expected = both(tmp_path, bytes(text))
        if found is not None:
            assert as_data(found) == as_data(expected), (i, bytes(text))


IMAGE = '{"id": 1, "file_name": "a.png", "height": 4, "width": 4}'
SHAPE = '"segmentation": [[0, 0, 3, 0, 3, 3]]'


def with_annotations(*annotations: str, image: str = IMAGE) -> str:
    return f'{{"images": [{image}], "annotations": [{", ".join(annotations)}], "categories": []}}'


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        (with_annotations('{"id": 1.0, "image_id": 1, "category_id": 3e0, ' + SHAPE + "}"), True),
        (with_annotations('{"id": "1", "image_id": 1, "category_id": 3, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "area": NaN, ' + SHAPE + "}"), True),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "score": NaN, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "x": 1e999, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "x": 1, "x": 2, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "x": 1, "x": null, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "area": 1, "area": null, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "a\\u0062": 1, ' + SHAPE + "}"), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "segmentation": [[1,1,2,2]], "bbox": [0,0,2,2]}'), True),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "segmentation": [[ 1,1 , 3,1, 3,3 ] ] }'), True),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "bbox": [0,0,2,"2"]}'), False),
        (with_annotations('{"id": 1, "image_id": 1, "category_id": 3, "bbox": "0,0", ' + SHAPE + "}"), True),
        (with_annotations(image='{"id": 1, "coco_url": "http://a.org/b/c.jpg", "height": 4, "width": 4}'), True),
        (with_annotations(image='{"id": 1, "file_name": "../c.jpg", "height": 4, "width": 4}'), False),
        (with_annotations(image='{"id": 1, "file_name": "b.jpg", "height": 4, "width": 4, "x": 1e999}'), False),
        (with_annotations(image='{"id": 1, "file_name": "b.jpg", "height": 4, "width": 4, "x": [1e999]}'), False),
        (with_annotations(image='{"id": 1, "file_name": "b.jpg", "height": 0, "width": 4}'), False),
        (with_annotations(image='{"id": 1, "file_name": "b\\ud800.jpg", "height": 3, "width": 4}'), False),
        ('{"images": []}', True),
        ("\ufeff" + '{"images": []}\r\n', True),
        ('{"images": [], "images": []}', False),
        ('{"annotations": []}', False),
        ('{"images": []} x', False),
        ("[]", False),
        ("", False),
        ('{"images": [], "x": ' + "[" * 5000, False),
        ('{"images": [], "x": ' + "[" * 150 + "]" * 150 + "}", True),
    ],
)  # fmt: skip
def test_single_files(tmp_path: Path, text: str, is_plain: bool) -> None:
    found, expected = both(tmp_path, text)
    assert (found is not None) == is_plain
    if found is not None:
        assert as_data(found) == as_data(expected)


@pytest.mark.parametrize("length", [3000, 4001, 9000, 1 << 20])
def test_a_window_moves_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    threads = threading.active_count()
    monkeypatch.setattr(file_window, "LENGTH", length)
    monkeypatch.setattr(plain_coco, "LARGEST", 1500)
    annotation = '{"id": %d, "image_id": 1, "category_id": 3, ' + SHAPE + ', "note": "%s"}'
    for n in (0, 1, 7, 40, 500):
        text = with_annotations(*(annotation % (i, "é" * (i % 40)) for i in range(n)))
        path = tmp_path / "a.json"
        path.write_text(text, encoding="utf-8")
        found = plain(path, "keep", "keep", None)
        assert found is not None
        assert as_data(found) == as_data(read_any(path, path.read_bytes(), tmp_path, "keep", "keep", None))
    # What turns out to be odd near the end is read from the start again, by the other reader.
    path.write_text(text.replace('"id": 499,', '"id": "499",'), encoding="utf-8")
    assert plain(path, "keep", "keep", None) is None
    tables = read_coco(path, tmp_path, "keep", "keep", None)
    assert as_data(tables) == as_data(found) | {"digest": sha256(path.read_bytes()).hexdigest()}
    # As is one annotation that no window may hold.
    path.write_text(with_annotations(annotation % (1, "x" * 5000), *(annotation % (i, "y") for i in range(2, 99))))
    assert (plain(path, "keep", "keep", None) is None) == (length < 5000)
    assert read_coco(path, tmp_path, "keep", "keep", None).ids.tolist() == [*range(1, 99)]
    assert threading.active_count() == threads


@pytest.mark.parametrize("seed", range(4))
def test_several_threads_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Whatever an annotation holds, wherever a thread begins; types change between some that are of one type."""
    draw = random.Random(300 + seed)
    notes = ["},{", '"},{"id": 7},{', "é" * 30, "", "x"]

    def annotation(number: int) -> dict[str, Any]:
        one: dict[str, Any] = {
            "id": number,
            "image_id": draw.choice([1, 1, 2, 9]) if seed == 3 and number % 9000 == 5 else 1,
            "category_id": draw.randrange(4),
            "segmentation": draw.choice([
                [[draw.randrange(8), 1.25, 3, 0, 3, 3.5]], [[0, 0, 1.125, 0, 3, 3], [1, 1, 2, 2]] if seed == 2 else [],
                {"size": [4, 4], "counts": [1, 5, 10]}, None,
            ]),
            "bbox": [1, 1, 2, 2],
            "iscrowd": draw.randrange(2),
            "note": draw.choice(notes) if seed else f"{number}",
            "more": [{"a": 1}, {"a": [{}, {}]}],
            "score": number if seed != 1 or number < 11_000 else number / 8,
            "keypoints": [1, 2, 2, 3, 4, number % 3],
        }  # fmt: skip
        if number > 18_000:
            one["late"] = True
        return one

    file = {
        "images": [{"id": i, "file_name": f"{i}.png", "height": 4, "width": 4} for i in (1, 2)],
        "annotations": [annotation(number) for number in range(24_000)],
        "categories": CATEGORIES,
    }
    parts = list(file.items())
    path = tmp_path / "a.json"
    space = draw.choice(["", " "])
    text = json.dumps(dict(parts if seed % 2 else parts[::-1]), separators=(f",{space}", f":{space}"))
    path.write_text(text)
    assert path.stat().st_size > 2 * plain_coco.WORTH_IT
    threads = threading.active_count()
    several = plain(path, "keep", "keep", None)
    assert threading.active_count() == threads
    monkeypatch.setattr(plain_coco, "THREADS", 1)
    alone = plain(path, "keep", "keep", None)
    monkeypatch.undo()
    assert alone is not None
    assert several is not None
    assert as_data(several) == as_data(alone)
    assert as_data(alone) == as_data(read_any(path, path.read_bytes(), tmp_path, "keep", "keep", None))
    # Something odd is found whichever thread meets it.
    for number in (3, 13_000, 23_999):
        path.write_text(text.replace(f'"id":{space}{number},', f'"id":{space}"{number}",'))
        assert plain(path, "keep", "keep", None) is None


def test_number_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment caps it, and what is no number is refused as for batches."""
    path = tmp_path / "a.json"
    path.write_text(with_annotations('{"id": 1, "image_id": 1, "category_id": 3, ' + SHAPE + "}"))
    monkeypatch.setenv("COPYPASTE_RS_THREADS", "0")
    with pytest.raises(ValueError, match="COPYPASTE_RS_THREADS: expected a positive number, got '0'"):
        plain(path, "keep", "keep", None)
    monkeypatch.setenv("COPYPASTE_RS_THREADS", "1")
    assert plain(path, "keep", "keep", None) is not None


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 300_000])
@pytest.mark.parametrize("step", [1, 1000, 4096])
def test_all_bytes_come_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, step: int) -> None:
    monkeypatch.setattr(file_window, "LENGTH", 4096)
    data = random.Random(size).randbytes(size)
    (tmp_path / "a").write_bytes(data)
    seen = b""
    with (tmp_path / "a").open("rb", buffering=0) as file, FileWindow(file, size) as window:
        while not window.is_last and len(seen) < 20_000:
            assert len(window.data) == 4096
            seen += window.data[:step].tobytes()
            window.move(step)
        if window.is_last:
            assert seen + window.data.tobytes() == data
            assert window.digest() == sha256(data).hexdigest()
    assert data.startswith(seen)


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * 500)
    with path.open("rb", buffering=0) as file:
        with path.open("ab") as more:
            more.write(b"b" * 900)
        with FileWindow(file, 500) as window:
            seen = b""
            while not window.is_last:
                seen += window.data[:400].tobytes()
                window.move(400)
            assert seen + window.data.tobytes() == path.read_bytes()
