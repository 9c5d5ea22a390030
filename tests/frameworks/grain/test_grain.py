"""Grain's own data sets and loaders: no setting of them changes an item, epochs differ, and batches say what is there."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

grain = pytest.importorskip("grain", reason="grain is not installed: make test-frameworks installs it")

from absl import flags  # noqa: E402

from copypaste_rs import ForTraining, Instances, Sample, ScaleJitter, SimpleCopyPaste  # noqa: E402
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, sample_data, sample_paths  # noqa: E402
from copypaste_rs.integrations.grain import CopyPaste, PaddedBatch, source  # noqa: E402
from copypaste_rs.schedules import off_for_last  # noqa: E402
from tests.fixtures.photos import photo  # noqa: E402

AUGMENT = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5))
PHOTOS = [photo(1 + number, 1 + number % 3) for number in range(7)]


@pytest.fixture(autouse=True)
def parsed_flags() -> None:
    """Processes of Grain are handed the flags of absl, which have to be parsed before."""
    flags.FLAGS.mark_as_parsed()


def dataset(seed: int = 3) -> CopyPasteDataset[Sample]:
    return CopyPasteDataset(PHOTOS, AUGMENT, seed=seed)


TRAIN = dataset()
ALL = {(epoch, i): TRAIN[epoch, i] for epoch in range(3) for i in range(len(PHOTOS))}


def placed(items: Any, epochs: int = 3) -> list[tuple[int, int]]:
    """Epoch and number of each item, found by comparing it with all of them; one that is none of them fails."""
    return [next(key for key, item in ALL.items() if item == got) for got in items]


# -- source ------------------------------------------------------------------------------------------------


def test_items_of_every_epoch() -> None:
    assert len({pickle.dumps(item.image) for item in ALL.values()}) == len(ALL), "two items are alike"
    ds = source(dataset())
    assert len(ds) == 7
    assert placed(ds) == [(0, i) for i in range(7)]
    assert placed(ds.repeat(3)) == list(ALL)
    assert placed([ds[8], ds[-1]]) == [(1, 1), (0, 6)]


def test_shuffled_epochs_have_each_item_once() -> None:
    got = placed(source(dataset()).shuffle(seed=7).repeat(3))
    assert sorted(got) == list(ALL)
    assert [epoch for epoch, _ in got] == [0] * 7 + [1] * 7 + [2] * 7
    orders = [tuple(i for _, i in got[7 * e : 7 * e + 7]) for e in range(3)]
    assert len(set(orders)) == 3


@pytest.mark.parametrize("world", [2, 3])
def test_parts_of_a_data_set_know_their_epochs(world: int) -> None:
    """Ranks that train together take slices, before repeating."""
    ds = source(dataset()).shuffle(seed=1)
    got = [placed(ds[rank::world].repeat(2)) for rank in range(world)]
    assert sorted(key for each in got for key in each) == [key for key in ALL if key[0] < 2]


@pytest.mark.parametrize("threads", [1, 4])
def test_threads_change_no_item(threads: int) -> None:
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=8)
    got = source(dataset()).repeat(3).to_iter_dataset(options)
    assert placed(got) == list(ALL)


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_change_no_item_and_no_order(workers: int) -> None:
    ds = source(dataset()).shuffle(seed=7).repeat(2)
    options = grain.MultiprocessingOptions(num_workers=workers)
    assert list(ds.to_iter_dataset().mp_prefetch(options)) == list(ds)


def test_a_stopped_iterator_goes_on() -> None:
    ds = source(dataset()).shuffle(seed=7).repeat(3).to_iter_dataset()
    whole, first = list(ds), iter(ds)
    begun = [next(first) for _ in range(10)]
    state = pickle.loads(pickle.dumps(first.get_state()))
    again = iter(source(dataset()).shuffle(seed=7).repeat(3).to_iter_dataset())
    again.set_state(state)
    assert begun + list(again) == whole


def test_a_schedule_holds() -> None:
    strong = SimpleCopyPaste(size=24, target_scale=(1, 1), source_scale=(1, 1), select="all")
    train = CopyPasteDataset(PHOTOS, schedule=off_for_last(1, 3, strong))
    pasted = [
        "source" in item.instances.columns and (item.instances.source >= 0).any() for item in source(train).repeat(3)
    ]
    assert pasted == [True] * 14 + [False] * 7


def test_samples_that_grain_reads() -> None:
    """What is pasted on may be a data set of Grain itself: records that a map made samples of."""
    records = grain.MapDataset.source(list(range(len(PHOTOS)))).map(PHOTOS.__getitem__)
    train = CopyPasteDataset(records, AUGMENT, seed=3)
    assert placed(source(train).repeat(2)) == [key for key in ALL if key[0] < 2]


def test_grains_own_source_shows_one_epoch_again_and_again() -> None:
    """The trap that the page names."""
    once = [(0, i) for i in range(7)] * 2
    assert placed(grain.MapDataset.source(dataset()).repeat(2)) == once
    assert placed(source(dataset()).repeat(2, reseed_each_epoch=False)) == once
    assert placed(source(dataset()).seed(8).repeat(2)) == list(ALL)[:14]


def test_batches_without_a_function_are_arrays_of_objects() -> None:
    """Another trap that the page names."""
    assert source(dataset()).batch(2)[0].dtype == object


# -- loaders -------------------------------------------------------------------------------------------------


def loaded(workers: int = 0, seed: int | None = 7, train: Any = None, **options: Any) -> Any:
    train = dataset() if train is None else train
    sampler = grain.samplers.IndexSampler(len(train), shuffle=seed is not None, seed=seed, num_epochs=2, **options)
    return grain.DataLoader(
        data_source=range(len(train)), sampler=sampler, operations=[CopyPaste(train)], worker_count=workers
    )


def test_a_loader_augments_each_epoch_anew() -> None:
    items = list(loaded())
    numbers = [item.info["image_id"] for item in items]
    assert sorted(numbers[:7]) == sorted(numbers[7:]) == list(range(1, 8))
    assert len({item.image.tobytes() for item in items}) == 14
    assert all((item.instances.source >= 0).any() for item in items if len(item.instances)), "nothing is pasted"
    assert items == list(loaded())
    assert items != list(loaded(train=dataset(seed=4)))


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_of_a_loader_change_no_item(workers: int) -> None:
    assert list(loaded(workers)) == list(loaded())


def test_a_stopped_loader_goes_on() -> None:
    first = iter(loaded())
    begun = [next(first) for _ in range(5)]
    again = iter(loaded())
    again.set_state(first.get_state())
    assert begun + list(again) == list(loaded())


# -- batches -------------------------------------------------------------------------------------------------


def test_batches_are_tight_and_count_from_zero() -> None:
    photos = CocoDataset(*sample_paths(), labels="from0")
    classes = len(photos.categories)
    train = CopyPasteDataset(
        photos, ForTraining(SimpleCopyPaste(size=(96, 128), min_area=9), layout="hwc", masks="runs")
    )
    (batch,) = source(train).batch(5, batch_fn=PaddedBatch(60, num_classes=classes))
    assert {name: (array.dtype.name, array.shape) for name, array in batch.items()} == {
        "image": ("float32", (5, 96, 128, 3)),
        "boxes": ("float32", (5, 60, 4)),
        "labels": ("int32", (5, 60)),
        "area": ("float32", (5, 60)),
        "valid": ("bool", (5, 60)),
        "masks": ("uint8", (5, 60, 96, 128)),
        "image_id": ("int64", (5,)),
    }
    assert batch["image_id"].tolist() == [photos[i].info["image_id"] for i in range(5)]
    assert batch["valid"].sum() > 10
    names = {category["id"]: category["name"] for category in photos.categories}
    for i in range(5):
        item = train[0, i]
        n = batch["valid"][i].sum()
        assert n == len(item.instances)
        assert batch["valid"][i, :n].all()
        assert item.instances.labels is not None
        assert np.array_equal(batch["labels"][i, :n], item.instances.labels)
        assert {names[int(label)] for label in batch["labels"][i, :n]} <= set(names.values())
        for row in range(60):
            mask = batch["masks"][i, row]
            assert batch["area"][i, row] == mask.sum()
            if row < n:
                ys, xs = np.nonzero(mask)
                assert batch["boxes"][i, row].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            else:
                assert batch["labels"][i, row] == -1
                assert not batch["boxes"][i, row].any()
                assert not mask.any()
        assert batch["masks"][i].sum(axis=0).max() <= 1, "what is covered is cut"


def test_colours_stay_red_green_blue() -> None:
    """A photograph at its own size, beside Pillow's."""
    annotations, images = sample_paths()
    photos = CocoDataset(annotations, images)
    h, w = photos[0].size
    still = ScaleJitter(size=(h, w), scale=(1, 1), flip=0)
    (batch,) = source(CopyPasteDataset([photos[0]], still)).batch(1, batch_fn=PaddedBatch(9, masks=False))
    with Image.open(images / photos[0].info["file_name"]) as file:
        truth = np.asarray(file.convert("RGB")).astype(int)
    assert "masks" not in batch
    assert np.abs(truth.mean((0, 1)) - truth.mean()).max() > 5, "the channels are alike"
    assert np.abs(batch["image"][0] - truth).mean() < 2


def test_crowds_and_images_without_objects() -> None:
    items = [photo(1, 0), photo(2, 3), photo(3, 2, crowd=True), Sample(PHOTOS[0].image, Instances())]
    batch = PaddedBatch(4)(items)
    assert batch["valid"].sum(axis=1).tolist() == [0, 3, 0, 0]
    assert batch["masks"].shape == (4, 4, 20, 30)
    assert "image_id" not in batch
    assert PaddedBatch(4)(items[3:])["masks"].shape == (1, 4, 20, 30)
    ready = ForTraining(ScaleJitter(size=(24, 32)))(Sample(PHOTOS[0].image, Instances()))
    assert PaddedBatch(4)([ready])["masks"].shape == (1, 4, 24, 32)


def test_real_photographs(test_data: Path) -> None:
    """Crowds and images without objects among them."""
    folder = test_data / "coco_free56"
    photos = CocoDataset(folder / "annotations.json", folder / "images", labels="from0")
    assert any(np.any(photos.instances(i).iscrowd) for i in range(len(photos)))
    ds = source(CopyPasteDataset(photos, SimpleCopyPaste(size=128, min_area=4), seed=1))
    for batch in ds.batch(8, batch_fn=PaddedBatch(100, surplus="drop", num_classes=len(photos.categories))):
        for mask, box in zip(batch["masks"][batch["valid"]], batch["boxes"][batch["valid"]], strict=True):
            ys, xs = np.nonzero(mask)
            assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_surplus_drops_the_smallest() -> None:
    train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=256, select="all", min_area=4))
    item = train[0, 3]
    assert item.instances.masks is not None
    areas = item.instances.masks.area
    assert len(areas) > 5
    batch = PaddedBatch(5, surplus="drop")([item])
    assert sorted(batch["area"][0]) == sorted(areas)[-5:]
    with pytest.raises(ValueError, match=rf"samples\[0\]: expected at most 5 objects .*, got {len(areas)}"):
        PaddedBatch(5)([item])


def test_batches_of_processes() -> None:
    train = CopyPasteDataset(PHOTOS, ForTraining(AUGMENT, layout="hwc", masks="runs"), seed=3)
    ds = source(train).repeat(2).batch(2, batch_fn=PaddedBatch(10))
    here, there = list(ds), list(ds.to_iter_dataset().mp_prefetch(grain.MultiprocessingOptions(num_workers=2)))
    assert len(here) == len(there) == 7
    for one, other in zip(here, there, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


# -- what is wrong --------------------------------------------------------------------------------------------


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="train: expected a CopyPasteDataset, got list"):
        source(PHOTOS)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="train: expected a CopyPasteDataset, got SimpleCopyPaste"):
        CopyPaste(AUGMENT)  # type: ignore[arg-type]
    scheduled = CopyPasteDataset(PHOTOS, schedule=off_for_last(1, 3, AUGMENT))
    with pytest.raises(ValueError, match=r"train: expected one transform for all epochs, .*\(source\(train\) knows\)"):
        CopyPaste(scheduled)
    with pytest.raises(TypeError, match=r"element: expected the number of an item, .*got Sample"):
        CopyPaste(dataset()).random_map(PHOTOS[0], np.random.default_rng(0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"rng: expected the generator of a sampler with a seed"):
        list(loaded(seed=None))
    with pytest.raises(ValueError, match="max_objects"):
        PaddedBatch(0)


@pytest.mark.parametrize(
    ("items", "kind", "message"),
    [
        ([photo(5)], ValueError, r"samples\[0\]: expected labels from 0 to 3, for num_classes=4, got 5"),
        ([photo(1), Sample(PHOTOS[0].image, Instances(labels=[1]))], ValueError, r"samples\[1\]: expected masks of its 1 objects, got none"),
        ([photo(1), 3], TypeError, r"samples\[1\]: expected a Sample or a TrainingSample, got int"),
        ([photo(1), Sample(np.zeros((9, 9, 3), np.uint8), Instances())], ValueError, r"samples\[1\]: expected an image of shape \(20, 30, 3\)"),
        ([PHOTOS[0].replace(instances=Instances(masks=PHOTOS[0].instances.masks))], ValueError, r"samples\[0\]: expected labels of its \d+ objects, got none"),
    ],
)  # fmt: skip
def test_wrong_samples_are_named(items: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        PaddedBatch(9, num_classes=4)(items)
