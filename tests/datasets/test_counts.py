"""Counts of what copy-paste does: equal to what is counted over the items themselves."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Instances, Paste, Plan, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, MixedDataset, sample_data
from copypaste_rs.datasets.paste_counts import COLUMNS, PasteCounts
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.schedules import off_for_last
from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.coco_files import small_set
from tests.fixtures.samples import random_sample

SIZE = (40, 52)


def crowded(seed: int, n: int, **more: Any) -> Sample:
    """Blobs of four classes, crowds among them, and boxes without outlines where asked."""
    sample = random_sample(seed, (30 + seed % 7, 41, 3), n, **more)
    return sample.replace(instances=sample.instances.replace(labels=np.arange(n) % 4 + 3), info={"image_id": seed})


PHOTOS = [crowded(seed, n) for seed, n in enumerate((5, 9, 0, 3, 7))]
OTHERS = [crowded(50 + seed, n) for seed, n in enumerate((4, 6, 1))]
WITH_BOXES = [crowded(80 + seed, 6, boxes=True) for seed in range(4)]


def heavy_first(instances: Instances) -> list[float]:
    return [1.0 + i for i in range(len(instances))]


def brightest(source: Sample, rows: Any, rng: np.random.Generator) -> Any:
    """A choice by pixels, which blank images would not give."""
    dense = source.instances.masks[rows].to_dense() > 0  # type: ignore[index]
    return rows[[int(np.argmax([source.image[mask].mean() for mask in dense]))]]


Found = dict[Any, Counter[str]]


def truth(data: CopyPasteDataset[Any], epochs: Sequence[int], items: Sequence[int]) -> Found:
    """Counts over decoded items."""
    found: Found = {}
    for epoch in epochs:
        for i in items:
            count_item(found, data, epoch, i)
    return found


def areas(instances: Any) -> dict[tuple[int, int], int]:
    """Area of each row of a result, by its origin."""
    return {
        (s, r): int(a) for s, r, a in zip(instances.source, instances.source_row, instances.masks.area, strict=True)
    }


def count_item(found: Found, data: CopyPasteDataset[Any], epoch: int, i: int) -> None:
    """Count an item: the rows that it has; and why others are missing, by its plan applied without any limit."""
    target, sources = data.inputs(i, epoch)
    transform: Any = data.transform_at(epoch)
    transform = getattr(transform, "transform", transform)
    unlimited = SimpleCopyPaste(size=SIZE, flip_pairs=(), backend=transform.backend)
    if isinstance(transform, SimpleCopyPaste):
        plan = transform.sample_plan(target, sources, data.key(i, epoch))
    else:
        plan = transform.sample_plan(target, data.key(i, epoch))
    empty = Sample(np.zeros_like(target.image), Instances())
    placed = areas(unlimited.apply(Plan(plan.target), target, []).instances)
    pastes = []
    for paste in plan.pastes:  # without rows that are too small on the canvas
        alone = areas(unlimited.apply(Plan(plan.target, (paste,)), empty, sources).instances)
        large = {origin: area for origin, area in alone.items() if area >= max(1, transform.min_area)}
        pastes.append(Paste(paste.source, tuple(row for _, row in large), paste.placement))
        placed |= large
    left = areas(unlimited.apply(Plan(plan.target, tuple(pastes)), target, sources).instances)

    sides = [sample.instances for sample in (target, *sources)]
    result = data[epoch, i].instances
    kept = areas(result)
    flags = dict(zip(kept, [False] * len(kept) if result.iscrowd is None else result.iscrowd.tolist(), strict=True))
    own = [(-1, row) for row in range(len(target.instances))]
    for origin in [*own, *((paste.source, row) for paste in pastes for row in paste.instances)]:
        source, row = origin
        counter = counter_of(found, sides[source + 1], row)
        iscrowd = sides[source + 1].iscrowd
        if iscrowd is not None and iscrowd[row]:
            counter["crowds"] += 1
            continue
        counter["objects" if source < 0 else "pasted"] += 1
        if origin in kept:
            assert kept[origin] == left[origin]
            counter["made_crowd" if flags[origin] else "kept" if source < 0 else "pasted_kept"] += 1
            counter["covered"] += not flags[origin] and left[origin] < placed[origin]
        elif origin not in placed:
            counter["off_canvas"] += 1
        elif origin not in left:
            counter["buried"] += 1
        else:
            counter["under_area" if left[origin] < transform.min_area else "under_visibility"] += 1
    for paste in plan.pastes:
        for row in paste.instances:
            counter_of(found, sides[paste.source + 1], row)["chosen"] += 1


def counter_of(found: Found, instances: Instances, row: int) -> Counter[str]:
    return found.setdefault(None if instances.labels is None else instances.labels[row], Counter())


def by_label(counts: PasteCounts) -> Found:
    found = {row["label"]: Counter({name: row[name] for name in COLUMNS}) for row in counts.to_dict()["classes"]}
    return {label: counter for label, counter in found.items() if counter.total()}


BASE: dict[str, Any] = {"size": SIZE, "target_scale": (0.5, 2.0), "source_scale": (0.4, 1.8)}

TRANSFORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "limits": {"min_area": 30, "min_visibility": 0.6, "select": "all"},
    "crowd": {"min_area": 40, "min_visibility": 0.8, "on_hidden": "crowd", "select": "all"},
    "uniform": {"placement": "uniform", "select": "all", "min_area": 25},
    "soft": {"blend_sigma": (0.5, 2.0), "min_area": 20},
    "seldom": {"p": 0.4, "select": 0.5, "pad": "random", "scale_reference": "input"},
    "weights": {"class_weights": {3: 5.0, 4: 0.0}, "select": 2},
    "weighed": {"class_weights": heavy_first, "select": "one"},
    "chosen": {"select": brightest},
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_counts_are_those_of_the_items(name: str, backend: str) -> None:
    transform = SimpleCopyPaste(**BASE, **TRANSFORMS[name], backend=backend)
    data = CopyPasteDataset(PHOTOS, transform, num_sources=3, seed=3)
    counts = data.count(3)
    assert by_label(counts) == truth(data, range(3), range(5))
    assert counts.images == 15
    results = [data[epoch, i].instances for epoch in range(3) for i in range(5)]
    assert counts.unpasted == sum(not (each.source >= 0).any() for each in results)
    in_results = counts.kept + counts.pasted_kept + counts.made_crowd
    assert (counts.objects + counts.pasted == in_results + counts.dropped).all()
    if name == "limits":  # each reason occurs, so that none is tested by nothing
        total = counts.total
        assert all(total[column] for column in ("buried", "off_canvas", "under_area", "under_visibility", "covered"))
        assert total["chosen"] > total["pasted"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_of_other_sets_partner_weights_boxes_and_training_forms(backend: str) -> None:
    limited: dict[str, Any] = {"min_area": 12, "min_visibility": 0.5, "backend": backend}
    copy_paste = SimpleCopyPaste(**BASE, **limited, paste_boxes=True, select="all")
    for data in (
        CopyPasteDataset(PHOTOS, copy_paste, sources=OTHERS, num_sources=2, seed=9),
        CopyPasteDataset(PHOTOS, copy_paste, partner_weights=[0, 1, 0, 5, 2], seed=9),
        CopyPasteDataset(WITH_BOXES, copy_paste, seed=1),
        CopyPasteDataset(WITH_BOXES, SimpleCopyPaste(**BASE, **limited), seed=1),
        CopyPasteDataset(PHOTOS, ForTraining(copy_paste), seed=2),
        CopyPasteDataset(PHOTOS, ScaleJitter(size=SIZE, scale=(0.1, 3.0), min_area=30, backend=backend), seed=2),
        CopyPasteDataset(PHOTOS, ForTraining(ScaleJitter(size=SIZE, backend=backend)), seed=2),
    ):
        assert by_label(data.count([1, 4])) == truth(data, [1, 4], range(len(data)))


def test_each_epoch_has_its_transform() -> None:
    copy_paste = SimpleCopyPaste(**BASE, select="all")
    data = CopyPasteDataset(PHOTOS, schedule=off_for_last(1, 3, copy_paste))
    assert by_label(data.count(3)) == truth(data, range(3), range(5))
    before = data.count(3)
    data.set_epoch(7)
    assert data.count(3) == before
    assert data.count([2]).total["pasted"] == 0
    assert data.count([2]).unpasted == 5
    assert data.epoch == 7
    assert data.count([0, 1]).total["pasted"] > 0


def test_counts_of_two_sets_as_one_are_those_of_the_items() -> None:
    strong = SimpleCopyPaste(**BASE, min_area=12, select="all")
    labelled = CopyPasteDataset(OTHERS, schedule=off_for_last(1, 3, strong), num_sources=2, seed=1)
    mixed = MixedDataset(labelled, CopyPasteDataset(PHOTOS, strong, sources=OTHERS, seed=2))
    counts = mixed.count(3)
    expected = truth(labelled, range(3), range(3))
    for label, counter in truth(mixed.pseudo, range(3), range(5)).items():
        expected.setdefault(label, Counter()).update(counter)
    assert by_label(counts) == expected
    assert counts.images == 24
    assert counts == mixed.labelled.count(3) + mixed.pseudo.count(3)
    found: Found = {}
    for data, i in ((labelled, 2), (mixed.pseudo, 1), (labelled, 2), (mixed.pseudo, 4)):
        count_item(found, data, 5, i)
    assert by_label(mixed.count([5], items=[2, 4, 2, 7])) == found
    with pytest.raises(ArgumentError, match=r"^items\[1\]: expected an integer from 0 to 7, got 8$"):
        mixed.count(1, [0, 8])


def test_items_are_counted_as_often_as_they_stand_there() -> None:
    data = CopyPasteDataset(PHOTOS, SimpleCopyPaste(**BASE))
    assert by_label(data.count([0], items=[3, 1, 3])) == truth(data, [0], [3, 1, 3])
    assert data.count([0], items=np.array([3, 1, 3])) == data.count([0], [1, 3, 3])
    assert data.count([0], items=[]).images == 0
    assert CopyPasteDataset([], SimpleCopyPaste(**BASE), sources=PHOTOS).count(2).images == 0


def test_parts_add_up() -> None:
    data = CopyPasteDataset(PHOTOS, SimpleCopyPaste(**BASE, min_area=12), seed=3)
    whole = data.count(2)
    parts = [pickle.loads(pickle.dumps(data)).count([epoch], [i]) for epoch in (1, 0) for i in range(5)]
    assert sum(parts[1:], parts[0]) == sum(parts) == whole
    again = pickle.loads(pickle.dumps(whole))
    assert again == whole
    assert not again.pasted.flags.writeable
    assert whole != data.count(1)


def test_images_of_files_are_not_even_read(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    photos = CocoDataset(files.annotations, files.images)
    limited = SimpleCopyPaste(**BASE, min_area=12, min_visibility=0.3)
    data = CopyPasteDataset(photos, limited, num_sources=2)
    expected = truth(data, range(4), range(5))
    for image in files.images.iterdir():
        image.unlink()
    counts = data.count(4)
    assert by_label(counts) == expected
    assert counts.labels == (1, 2)
    assert counts.names == ("square", "ring")
    with pytest.raises(OSError, match="No such file"):
        CopyPasteDataset(photos, SimpleCopyPaste(**BASE, select=brightest)).count(4)


def test_of_real_photographs(test_data: Path) -> None:
    folder = test_data / "coco_free56"
    photos = CocoDataset(folder / "annotations.json", folder / "images")
    data = CopyPasteDataset(photos, SimpleCopyPaste(**BASE, min_area=4, min_visibility=0.5), num_sources=2, seed=8)
    assert by_label(data.count([6], range(3, 19))) == truth(data, [6], range(3, 19))


def test_a_class_that_nothing_has_is_counted_too(tmp_path: Path) -> None:
    files = small_set(tmp_path, 1).edit(categories=[{"id": 1, "name": "square"}, {"id": 2, "name": "ring"}, {"id": 9}])
    photos = CocoDataset(files.annotations, files.images)
    counts = CopyPasteDataset(photos, ScaleJitter(size=SIZE)).count(1)
    assert counts.labels == (1, 2, 9)
    assert counts.objects.tolist() == [1, 1, 0]
    assert counts.crowds.tolist() == [1, 0, 0]
    assert counts.names[:2] == ("square", "ring")


def photo_of(labels: Any) -> Sample:
    masks = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]] * 2, (24, 32))
    columns = {} if labels is None else {"labels": labels}
    return Sample(np.zeros((24, 32), np.uint8), Instances(masks, **columns))


@pytest.mark.parametrize("labels", [None, ["a", "bb"], [1.5, 2.0], [True, False], np.array([1, "a"], object)])
def test_labels_of_any_kind(labels: Any) -> None:
    data = CopyPasteDataset([photo_of(labels), photo_of(labels)], SimpleCopyPaste(**BASE, select="all"))
    counts = data.count(3)
    assert set(counts.labels) == ({None} if labels is None else set(np.asarray(labels).tolist()))
    assert by_label(counts) == truth(data, range(3), range(2))
    assert json.loads(json.dumps(counts.to_dict()))["total"] == counts.total


def test_a_table_shows_what_there_is() -> None:
    data = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=256, target_scale=(0.8, 1.25)))
    counts = data.count(2)
    lines = str(counts).splitlines()
    assert lines[0] == f"10 images, {counts.unpasted} of them without a paste"
    titles = lines[1].split("  ")
    assert titles[0] == "class"
    assert "under area" not in lines[1]
    table, words = lines[: lines.index("")], lines[lines.index("") + 1 :]
    assert len(table) == 3 + len(counts.labels)
    assert table[-1].split()[0] == "all"
    assert table[-1].split()[1] == str(counts.total["objects"])
    explained = [each.partition(":")[0] for line in words for each in line.split("; ")]
    assert explained == [title for title in map(str.strip, titles) if title][1:]
    assert repr(counts).startswith(f"PasteCounts(10 images, {counts.unpasted} unpasted, 7 classes, objects=60, ")
    empty = CopyPasteDataset([], ScaleJitter(size=4)).count(1)
    assert str(empty).splitlines()[0] == "0 images, 0 of them without a paste"


def test_a_table_explains_all_that_is_counted() -> None:
    limited = SimpleCopyPaste(**BASE, min_area=30, min_visibility=0.6, select="all")
    text = str(CopyPasteDataset(PHOTOS, limited, num_sources=3).count(3))
    assert "  crowds  " in text
    assert "crowds: crowds of the images, which no other column counts" in text
    assert "chosen: drawn from other images, too small ones too" in text
    assert "buried: dropped, pastes hide all of it" in text


def test_a_table_of_epochs_without_pasting_has_no_columns_of_it() -> None:
    data = CopyPasteDataset(PHOTOS, schedule=off_for_last(1, 2, SimpleCopyPaste(**BASE, select="all")))
    text = str(data.count([1]))
    assert text.startswith("5 images, 5 of them without a paste")
    assert text.splitlines()[1].split()[:3] == ["class", "objects", "kept"]
    assert not any(word in text.splitlines()[1] for word in ("pasted", "covered", "chosen", "buried"))
    assert not any(word in text for word in ("pasted:", "covered:", "chosen:", "buried:"))
    assert "pasted kept" in str(data.count(2))


def test_names_that_contradict_each_other_do_not_add_up() -> None:
    counts = CopyPasteDataset(sample_data(), ScaleJitter(size=64)).count(1)
    other = PasteCounts((1,), ("dog",), 1, 1, *(np.zeros(1, np.int64) for _ in COLUMNS))
    with pytest.raises(ArgumentError, match=r"^counts: expected one name for label 1, 'cup', got 'dog'$"):
        counts + other
    unnamed = PasteCounts((1,), (None,), 1, 1, *(np.ones(1, np.int64) for _ in COLUMNS))
    assert (unnamed + counts).names[0] == "cup"
    assert (unnamed + counts) == (counts + unnamed)
    with pytest.raises(TypeError):
        counts + 1


@pytest.mark.parametrize(
    ("epochs", "items", "error", "message"),
    [
        (0, None, ArgumentError, r"^epochs: expected an integer from 1 to \d+, got 0$"),
        (-1, None, ArgumentError, r"^epochs: expected an integer from 1 to \d+, got -1$"),
        ([], None, ArgumentError, r"^epochs: expected at least one epoch, got none$"),
        ([0, -2], None, ArgumentError, r"^epochs\[1\]: expected an integer from 0 to \d+, got -2$"),
        ([0.5], None, ArgumentTypeError, r"^epochs\[0\]: expected an integer, got 0.5$"),
        (1.0, None, ArgumentTypeError, r"^epochs: expected an integer, or several, got 1.0$"),
        (True, None, ArgumentTypeError, r"^epochs: expected an integer, or several, got True$"),
        ("3", None, ArgumentTypeError, r"^epochs: expected an integer, or several, got '3'$"),
        (1, [5], ArgumentError, r"^items\[0\]: expected an integer from 0 to 4, got 5$"),
        (1, [0, -1], ArgumentError, r"^items\[1\]: expected an integer from 0 to 4, got -1$"),
        (1, 3, ArgumentTypeError, r"^items: expected several integers, such as range\(100\), got 3$"),
        (1, "03", ArgumentTypeError, r"^items: expected several integers, such as range\(100\), got '03'$"),
        (1, [None], ArgumentTypeError, r"^items\[0\]: expected an integer, got None$"),
    ],
)
def test_errors(epochs: Any, items: Any, error: type[Exception], message: str) -> None:
    data = CopyPasteDataset(PHOTOS, SimpleCopyPaste(**BASE))
    with pytest.raises(error, match=message):
        data.count(epochs, items)


def test_no_item_of_an_empty_set() -> None:
    with pytest.raises(ArgumentError, match=r"^items\[0\]: expected none, as the data set is empty, got 0$"):
        CopyPasteDataset([], ScaleJitter(size=4)).count(1, [0])


def test_wrong_samples_fail_as_items_do() -> None:
    dicts: Any = [{"image": 1}, {"image": 2}]
    with pytest.raises(ArgumentTypeError, match=r"^dataset\[0\]: expected a Sample, got dict$"):
        CopyPasteDataset(dicts, ScaleJitter(size=4)).count(1)
    labelled, bare = photo_of([1, 2]), photo_of(None)
    with pytest.raises(ValueError, match="the column 'labels'"):
        CopyPasteDataset([labelled, bare], SimpleCopyPaste(size=8)).count(1)
