"""Memory of images that are decoded item after item: used again, and never while somebody sees them."""

from __future__ import annotations

import copy
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Sample, SimpleCopyPaste, _result_memory
from copypaste_rs._core import ResultMemory
from copypaste_rs.datasets import BackgroundDataset, CocoDataset, CopyPasteDataset
from tests.fixtures.coco_files import SIZES, box_polygon, write

TRANSFORM = SimpleCopyPaste(size=48, target_scale=(1.0, 1.0))


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> ResultMemory:
    """Memory in which results of any size lie."""
    fresh = ResultMemory(1 << 24, 60.0)
    monkeypatch.setattr(_result_memory, "memory", lambda: fresh)
    monkeypatch.setattr(_result_memory, "LEAST", 1)
    return fresh


@pytest.fixture
def photos(tmp_path: Path) -> CocoDataset:
    """Photographs of differing sizes, JPEG and PNG by turns."""
    rows = [
        {"segmentation": [box_polygon(3, 4, 20, 10)], "image_id": 10 + i, "category_id": 1, "id": i, "iscrowd": 0}
        for i in range(len(SIZES))
    ]
    return CocoDataset(*write(tmp_path / "set", rows, SIZES, categories=[{"id": 1, "name": "a"}]))


def pixels(sample: Any) -> Any:
    return sample.image


@pytest.mark.parametrize(
    "transform", [TRANSFORM, SimpleCopyPaste(size=48, backend="numpy"), ForTraining(TRANSFORM, layout="hwc")]
)
def test_items_keep_their_pixels(photos: CocoDataset, transform: Any) -> None:
    data: CopyPasteDataset[Any] = CopyPasteDataset(photos, transform, num_sources=2)
    items = [data[i] for i in range(5)]
    expected = [transform(*data.inputs(i), data.key(i)) for i in range(5)]
    assert [data[i] for i in (3, 1, 4, 0, 2)] == [expected[i] for i in (3, 1, 4, 0, 2)]
    assert items == expected
    for i, one in enumerate(items):
        assert not any(np.shares_memory(pixels(one), pixels(other)) for other in items[:i])


def test_memory_is_used_again(photos: CocoDataset, memory: ResultMemory) -> None:
    data = CopyPasteDataset(photos, TRANSFORM)
    for i in range(5):
        data[i]
    pieces = memory.kept
    for i in range(5):
        data[i]
    assert pieces == memory.kept
    assert pieces[0] <= len({h * w * 3 for h, w in SIZES}) + 1  # an image of each size, and a canvas


def test_items_of_a_set_lie_in_it(photos: CocoDataset, memory: ResultMemory) -> None:
    jpeg = [i for i in range(5) if photos.info(i)["file_name"].endswith(".jpg")]
    assert jpeg
    images = [photos[i].image for i in jpeg]
    assert memory.kept[0] == len(jpeg)
    assert all(image.base is not None and image.flags.writeable and image.flags.c_contiguous for image in images)


def test_inputs_are_their_own(photos: CocoDataset) -> None:
    data = CopyPasteDataset(photos, TRANSFORM)
    target, sources = data.inputs(0)
    before = [sample.image.copy() for sample in (target, *sources)]
    for i in range(5):
        data[i]
    assert all(np.array_equal(sample.image, image) for sample, image in zip((target, *sources), before, strict=True))


def test_functions_of_the_user_may_keep_what_they_see(photos: CocoDataset) -> None:
    kept: list[Sample] = []

    def select(source: Sample, rows: Any, rng: Any) -> Any:
        kept.append(source)
        return rows

    data = CopyPasteDataset(photos, SimpleCopyPaste(size=48, target_scale=(1.0, 1.0), select=select))
    partners = [data.inputs(i)[1][0] for i in range(5)]
    for i in range(5):
        data[i]
    assert kept == partners


def test_sets_in_sets_and_threads(photos: CocoDataset) -> None:
    inner = CopyPasteDataset(photos, TRANSFORM)
    data = CopyPasteDataset(photos, TRANSFORM, sources=inner, num_sources=2, seed=4)
    expected = [TRANSFORM(*data.inputs(i), data.key(i)) for i in range(5)]
    found: dict[tuple[int, int], Sample] = {}

    def take(number: int) -> None:
        for i in range(5):
            found[number, i] = data[(i + number) % 5]

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[number, i] == expected[(i + number) % 5] for number in range(4) for i in range(5))


def test_a_class_below_gives_its_own_items(photos: CocoDataset) -> None:
    class Grey(BackgroundDataset):  # type: ignore[misc]  # final for type checkers alone
        def __getitem__(self, index: Any) -> Sample:  # type: ignore[override]  # as its base
            sample = super().__getitem__(index)
            return sample.replace(image=np.full_like(sample.image, 7))

    data = CopyPasteDataset(Grey(photos.image_folder), TRANSFORM, sources=photos)
    assert (data.inputs(0)[0].image == 7).all()
    assert data[0] == TRANSFORM(*data.inputs(0), data.key(0))


def test_a_wrapper_gives_its_own_items(photos: CocoDataset) -> None:
    class Reversed:
        def __len__(self) -> int:
            return len(photos)

        def __getitem__(self, index: int) -> Sample:
            return photos[len(photos) - 1 - index]

        def __getattr__(self, name: str) -> Any:
            return getattr(photos, name)

    data = CopyPasteDataset(Reversed(), TRANSFORM)
    assert data.inputs(0)[0] == photos[4]
    assert data[0] == TRANSFORM(*data.inputs(0), data.key(0))


def test_copies_give_the_same(photos: CocoDataset) -> None:
    data = CopyPasteDataset(photos, TRANSFORM)
    items = [data[i] for i in range(5)]
    again = pickle.loads(pickle.dumps(data))
    assert [again[i] for i in range(5)] == items
    shallow = copy.copy(data)
    assert [shallow[i] for i in range(5)] == [data[i] for i in range(5)] == items


def test_errors_leave_nothing_behind(photos: CocoDataset, tmp_path: Path) -> None:
    (photos.image_folder / "2.jpg").write_bytes((photos.image_folder / "2.jpg").read_bytes()[:900])
    data = CopyPasteDataset(photos, TRANSFORM)
    for _ in range(3):
        with pytest.raises(OSError, match=r"2\.jpg"):
            data[2]
    with pytest.raises(OSError, match=r"2\.jpg"):
        photos[2]
