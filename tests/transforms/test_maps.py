"""Maps through the transforms: carried by name, in batches, for training and out of data sets; sides that do not agree."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import (
    Batch,
    ForTraining,
    Instances,
    Paste,
    PixelMap,
    Placement,
    Plan,
    Sample,
    ScaleJitter,
    SimpleCopyPaste,
)
from copypaste_rs._engine.call import Call
from copypaste_rs.datasets import CocoWriter, CopyPasteDataset
from copypaste_rs.visualize import overlay
from tests.fixtures.arrays import raster
from tests.fixtures.samples import SOURCE, TARGET, discs, squares

SIZE = (40, 52)


def mapped(sample: Sample, seed: int, **more: Any) -> Sample:
    """A sample with labels, depth and a second camera beside its image."""
    h, w = sample.size
    rng = np.random.default_rng(seed)
    maps = {
        "semantic": PixelMap(rng.integers(0, 200, (h, w), np.uint8), fill=255),
        "depth": PixelMap(rng.random((h, w), np.float32), fill=np.nan, interpolation="bilinear"),
        "camera": PixelMap(rng.integers(0, 2**16, (h, w, 4), np.uint16), (1, 2, 3, 4), "bilinear"),
        "ids": rng.integers(-(2**60), 2**60, (h, w, 2)),
    }
    return Sample(sample.image, sample.instances, sample.info, maps | more)


A, B, C = mapped(TARGET, 1), mapped(SOURCE, 2), mapped(discs(8), 3)
TARGETS, SOURCES = [A, B, C], [[B, C], [A], [A, B, A]]


def test_scale_jitter_moves_maps_as_the_image(backend: str) -> None:
    jitter = ScaleJitter(size=SIZE, interpolation="nearest", fill=0, backend=backend)
    image = Sample(A.image, A.instances, A.info, {"copy": A.image, "depth": A.pixel_maps["depth"]})
    for index in range(8):
        made = jitter(image, rng=index)
        np.testing.assert_array_equal(made.maps["copy"], made.image)
        assert made.maps["depth"].shape == SIZE
        assert made.maps["depth"].dtype == np.float32
        assert np.isnan(made.pixel_maps["depth"].fill)


def test_maps_change_nothing_else(backend: str) -> None:
    several: list[dict[str, Any]] = [{}, {"blend_sigma": (0.5, 3.0)}, {"min_area": 30, "on_hidden": "crowd"}]
    for options in several:
        augment = SimpleCopyPaste(size=SIZE, backend=backend, **options)
        for index in range(5):
            made = augment(A, [B, C], rng=index)
            bare = augment(TARGET, [SOURCE, discs(8)], rng=index)
            assert Sample(made.image, made.instances, made.info) == bare
            assert {name: (a.shape, a.dtype.name) for name, a in made.maps.items()} == {
                "semantic": (SIZE, "uint8"),
                "depth": (SIZE, "float32"),
                "camera": ((*SIZE, 4), "uint16"),
                "ids": ((*SIZE, 2), "int64"),
            }


def test_a_chain_of_results(backend: str) -> None:
    """Results are samples like others: fill and interpolation go with them."""
    augment = SimpleCopyPaste(size=SIZE, backend=backend)
    first = augment(A, B, rng=1)
    again = augment(first, [C, first], rng=2)
    for name, each in A.pixel_maps.items():
        assert again.pixel_maps[name].interpolation == each.interpolation
        assert np.array_equal(again.pixel_maps[name].fill, each.fill, equal_nan=True)
    assert pickle.loads(pickle.dumps(again)) == again


@pytest.mark.parametrize("name", ["masks", "area", "a b", "\u00fc", "\ud800", "'", "image", "self"])
def test_any_name_will_do(name: str, backend: str) -> None:
    sample = Sample(TARGET.image, TARGET.instances, maps={name: A.maps["semantic"]})
    made = SimpleCopyPaste(size=SIZE, backend=backend)(sample, sample, rng=0)
    assert list(made.maps) == [name]
    assert list(made.instances.columns) == [*TARGET.instances.columns, "source", "source_row", "visibility"]


def test_soft_edges_leave_maps_hard(backend: str) -> None:
    black, white = (
        Sample(np.full((20, 30), v, np.uint8), each.instances, maps={"v": np.full((20, 30), v, np.uint8)})
        for v, each in ((0, squares(0, 0)), (255, squares(1, 0)))
    )
    here = Placement((20, 30), (20, 30), (0, 0), (20, 30))
    plan = Plan(here, (Paste(0, (0,), here, 2.0),))
    augment = SimpleCopyPaste(size=(20, 30), blend_sigma=2.0, interpolation="bilinear", backend=backend)
    made = augment.apply(plan, black, white)
    assert len(np.unique(made.image)) > 5
    masks = made.instances.masks
    assert masks is not None
    np.testing.assert_array_equal(made.maps["v"], masks.to_dense()[0] * 255)


# -- sides that do not agree ---------------------------------------------------------------------------------------

LABELS = A.maps["semantic"]
IDS = A.maps["ids"]


@pytest.mark.parametrize(
    ("name", "other", "message"),
    [
        ("semantic", LABELS, "a map 'semantic' with fill 255 as in target, got 0"),
        ("semantic", PixelMap(LABELS.astype(np.int32), 255), "a map 'semantic' of dtype uint8 as in target, got int32"),
        ("semantic", PixelMap(LABELS[..., None], 255), "a map 'semantic' with no channel axis as in target, got 1 channel"),
        ("semantic", PixelMap(LABELS, 255, "bilinear"), "a map 'semantic' with interpolation 'nearest' as in target, got 'bilinear'"),
        ("ids", IDS[..., 0], "a map 'ids' with 2 channels as in target, got no channel axis"),
        ("ids", IDS[..., :1], "a map 'ids' with 2 channels as in target, got 1 channel"),
        ("ids", PixelMap(IDS, (0, 1)), "a map 'ids' with fill 0 as in target, got (0, 1)"),
    ],
)  # fmt: skip
def test_sides_that_differ_are_named(name: str, other: Any, message: str, backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, p=0.5, backend=backend)
    differing = Sample(A.image, Instances(), maps=A.pixel_maps | {name: other})  # whose objects nobody could paste
    plan = augment.sample_plan(A, [B, differing], 0)
    with pytest.raises(ValueError) as caught:
        augment.apply(plan, A, [B, differing])
    assert str(caught.value) == f"sources[1]: expected {message}"


def without(sample: Sample, name: str) -> Sample:
    maps = sample.pixel_maps
    del maps[name]
    return Sample(sample.image, sample.instances, sample.info, maps)


def test_a_side_without_a_map_is_named(backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, missing={"depth": 1.0}, backend=backend)
    plan = augment.sample_plan(A, [B, C], 0)
    hint = "missing={'semantic': ...} gives a value for it"
    for target, sources, place, holder in (
        (A, [B, without(C, "semantic")], "sources[1]", "target"),
        (without(A, "semantic"), [B, C], "target", "sources[0]"),
        (without(A, "semantic"), [without(B, "semantic"), C], "target", "sources[1]"),
    ):
        with pytest.raises(ValueError) as caught:
            augment.apply(plan, target, sources)
        assert str(caught.value) == f"{place}: expected the map 'semantic', which {holder} has, got none; {hint}"


@pytest.mark.parametrize("lacking", ["target", "sources"])
def test_missing_gives_a_value_for_the_whole_image(lacking: str, backend: str) -> None:
    values: dict[str, Any] = {"semantic": 9, "depth": 2.5, "camera": [9, 8, 7, 6], "ids": np.int64(-5)}
    augment = SimpleCopyPaste(size=SIZE, missing=values, backend=backend)

    def filled(sample: Sample) -> Sample:
        maps = {}
        for name, each in sample.pixel_maps.items():
            array = np.empty_like(each.array)
            array[...] = values[name]
            maps[name] = PixelMap(array, each.fill, each.interpolation)
        return Sample(sample.image, sample.instances, sample.info, maps)

    for index in range(6):
        plan = augment.sample_plan(A, [B, C], index)
        if lacking == "target":
            made, expected = augment.apply(plan, TARGET, [B, C]), augment.apply(plan, filled(A), [B, C])
        else:
            bare = [SOURCE, discs(8)]
            made, expected = augment.apply(plan, A, bare), augment.apply(plan, A, [filled(B), filled(C)])
        assert made.maps.keys() == expected.maps.keys()
        assert made == expected
    # Names that are nowhere are nobody's.
    assert augment(TARGET, SOURCE, rng=0).maps == {}


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("semantic", 256, ValueError, "missing['semantic']: expected a whole number from 0 to 255 for dtype uint8, got 256"),
        ("semantic", "sky", TypeError, "missing['semantic']: expected a number, got 'sky'"),
        ("semantic", [1, 2], ValueError, "missing['semantic']: expected a number or 1 of them for a map with no channel axis, got 2"),
        ("camera", (1, 2, 3, 0.5), ValueError, "missing['camera'][3]: expected a whole number"),
        ("depth", 1e39, ValueError, "missing['depth']: expected a number within 3.40282e+38 for dtype float32, got 1e+39"),
    ],
)  # fmt: skip
def test_missing_has_to_fit(name: str, value: Any, error: type[Exception], message: str, backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, missing={name: value}, backend=backend)
    plan = augment.sample_plan(A, B, 0)
    with pytest.raises(error) as caught:
        augment.apply(plan, A, without(B, name))
    assert str(caught.value).startswith(message)
    assert augment.apply(plan, A, B).maps  # nobody asks for it


def test_a_stand_in_takes_the_memory_of_a_row() -> None:
    size = (30000, 200)
    photo = Sample(np.broadcast_to(np.zeros((1, 200), np.uint8), size), Instances())
    target = Sample(np.zeros((4, 5), np.uint8), Instances(), maps={"wide": np.zeros((4, 5, 64))})
    augment = SimpleCopyPaste(size=(4, 5), missing={"wide": 3})
    plan = augment.sample_plan(target, photo, 0)
    arrays = Call.check(augment._options, plan, target, [photo]).maps[0].arrays
    assert arrays[1].shape == (*size, 64)
    assert arrays[1].strides[0] == 0
    assert augment.apply(plan, target, photo).maps["wide"].shape == (4, 5, 64)


# -- purity --------------------------------------------------------------------------------------------------------


def test_inputs_are_neither_written_nor_aliased(backend: str) -> None:
    augment = SimpleCopyPaste(size=TARGET.size, target_scale=(1.0, 1.0), flip=0.0, backend=backend)
    frozen = {name: each.copy() for name, each in A.maps.items()}
    for each in frozen.values():
        each.flags.writeable = False
    kinds = A.pixel_maps
    target = Sample(
        A.image, A.instances, {}, {n: PixelMap(a, kinds[n].fill, kinds[n].interpolation) for n, a in frozen.items()}
    )
    made = augment(target, [B, target], rng=5)
    assert made == augment(A, [B, A], rng=5)
    for name, array in made.maps.items():
        assert array.flags.c_contiguous
        assert array.flags.writeable
        for other in (*A.maps.values(), *B.maps.values(), *frozen.values()):
            assert not np.may_share_memory(array, other)
        np.testing.assert_array_equal(frozen[name], A.maps[name])


def test_out_may_not_lie_in_a_map(backend: str) -> None:
    augment = SimpleCopyPaste(size=(20, 30), backend=backend)
    memory = np.zeros((20, 30, 3), np.uint8)
    plain = squares(1, 50)
    holder = Sample(plain.image, plain.instances, maps={"a": memory})
    other = Sample(plain.image, plain.instances, maps={"a": memory + 1})
    plan = augment.sample_plan(plain, plain, 0)
    for target, source in ((holder, other), (other, holder)):
        with pytest.raises(ValueError, match=r"^out: expected memory of its own, got an array that overlaps an input$"):
            augment.apply(plan, target, source, out=memory)
        with pytest.raises(ValueError, match=r"^out: expected memory of its own, got an array that overlaps an input$"):
            augment.apply_batch([plan], [target], [source], out=memory[None])


# -- batches and training --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
def test_a_batch_has_them_in_one_array_each(threads: int, backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, blend_sigma=(0.5, 2), backend=backend)
    plans = [augment.sample_plan(t, s, (0, 0, i)) for i, (t, s) in enumerate(zip(TARGETS, SOURCES, strict=True))]
    targets = [A, Sample(B.image, B.instances, B.info, dict(reversed(B.pixel_maps.items()))), C]
    batch = augment.apply_batch(plans, targets, SOURCES, threads=threads)
    assert batch.maps["camera"].shape == (3, *SIZE, 4)
    assert batch.maps["depth"].shape == (3, *SIZE)
    assert list(batch.maps) == list(batch[1].maps) == list(A.maps)
    for again in (batch, pickle.loads(pickle.dumps(batch))):
        for i, plan in enumerate(plans):
            assert again[i] == augment.apply(plan, TARGETS[i], SOURCES[i])
            for name, array in again[i].maps.items():
                assert np.shares_memory(array, again.maps[name])


def test_canvases_shared_by_threads_are_those_of_one() -> None:
    augment = SimpleCopyPaste(size=(128 * 3 + 5, 40), select="all")
    plan = augment.sample_plan(A, [B, C], 3)
    expected = augment.apply(plan, A, [B, C])
    for threads in (1, 2, 5):
        assert augment.apply_batch([plan], [A], [[B, C]], threads=threads)[0] == expected


def test_batches_without_maps_have_none(backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, backend=backend)
    batch = augment.apply_batch([augment.sample_plan(TARGET, SOURCE, 0)], [TARGET], [SOURCE])
    assert batch.maps == {}
    assert batch[0].maps == {}
    assert Batch(batch.images, batch.instances, batch.infos)[0] == batch[0]


def test_items_with_other_maps_are_named(backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, backend=backend)
    plan = augment.sample_plan(A, [], 0)
    more = mapped(TARGET, 1, extra=LABELS)
    kind = mapped(TARGET, 1, ids=IDS.astype(np.int32))
    for item, first, message in (
        (TARGET, A, "the map 'semantic' as in item 0, got none"),
        (without(A, "ids"), A, "the map 'ids' as in item 0, got none"),
        (more, A, "the maps of item 0, got the map 'extra' besides"),
        (A, TARGET, "the maps of item 0, got the map 'semantic' besides"),
        (kind, A, "a map 'ids' of dtype int64 as in item 0, got int32"),
    ):
        out = np.full((3, *SIZE, 3), 7, np.uint8)
        with pytest.raises(ValueError) as caught:
            augment.apply_batch([plan] * 3, [first, first, item], [[]] * 3, out=out)
        assert str(caught.value) == f"item 2: target: expected {message}"
        assert (out == 7).all()


def test_for_training_gives_them_as_they_are(backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, backend=backend)
    ready = ForTraining(augment, mean=0.5, std=0.25)
    plans = [augment.sample_plan(t, s, i) for i, (t, s) in enumerate(zip(TARGETS, SOURCES, strict=True))]
    batch = ready.apply_batch(plans, TARGETS, SOURCES, threads=2)
    assert batch.maps["camera"].shape == (3, *SIZE, 4)
    for i, plan in enumerate(plans):
        one = ready.apply(plan, TARGETS[i], SOURCES[i])
        expected = augment.apply(plan, TARGETS[i], SOURCES[i]).maps
        assert list(one.maps) == list(expected)
        for name, array in expected.items():
            assert one.maps[name].tobytes() == array.tobytes()
            assert np.shares_memory(batch[i].maps[name], batch.maps[name])
        assert one == batch[i] == pickle.loads(pickle.dumps(one))
        one.maps["semantic"] = one.maps["semantic"].astype(np.int16)
        assert one != batch[i]
        one.maps["semantic"] = batch[i].maps["semantic"] + 1
        assert one != batch[i]
    jittered = ForTraining(ScaleJitter(size=SIZE, backend=backend))(A, rng=3)
    assert jittered.maps["ids"].shape == (*SIZE, 2)
    assert ForTraining(augment)(TARGET, SOURCE, rng=0).maps == {}


# -- data sets -------------------------------------------------------------------------------------------------------


def test_a_data_set_carries_them(backend: str) -> None:
    augment = SimpleCopyPaste(size=SIZE, backend=backend)
    data = CopyPasteDataset([A, B, C], augment, seed=4)
    for i in range(3):
        made = data[i]
        assert list(made.maps) == list(A.maps)
        assert made == augment(*data.inputs(i), data.key(i))
    assert CopyPasteDataset([A, B], ForTraining(augment))[0].maps["depth"].shape == SIZE


def test_a_writer_says_that_a_coco_file_holds_none(tmp_path: Path) -> None:
    sample = squares(1, 90, labels=[1])
    raw = Sample(
        sample.image, sample.instances, maps={"semantic": raster(1, (20, 30), "B"), "depth": raster(2, (20, 30), "f")}
    )
    with CocoWriter(tmp_path / "out", [{"id": 1, "name": "a"}]) as writer:
        with pytest.raises(ValueError) as caught:
            writer.write(raw)
        assert str(caught.value) == (
            "sample.maps: expected none, since a COCO data set cannot hold them, got 'semantic', 'depth'; leave them out: "
            "Sample(sample.image, sample.instances, sample.info)"
        )
        assert writer.write(Sample(raw.image, raw.instances, raw.info)) == 1


def test_pictures_leave_them_out() -> None:
    sample = squares(1, 90, labels=[1])
    raw = Sample(sample.image, sample.instances, maps={"depth": raster(2, (20, 30), "f")})
    np.testing.assert_array_equal(overlay(raw), overlay(sample))


@pytest.mark.parametrize("name", ["masks", "segmentation", "area", "source", "boxes"])
def test_stand_ins_of_maps_with_names_of_columns(kernels: ModuleType, name: str) -> None:
    still = Placement((4, 6), (4, 6), (0, 0), (4, 6))
    image = np.zeros((4, 6), np.uint8)
    with_map, without = Sample(image, Instances(), maps={name: np.ones((4, 6), np.uint8)}), Sample(image, Instances())
    result = kernels.copy_paste(Plan(still), without, with_map, missing={name: 9})
    assert (result.maps[name] == 9).all()
    with pytest.raises(ValueError, match=rf"^missing: expected names of maps, or of columns that .*, got '{name}'$"):
        kernels.copy_paste(Plan(still), without, without, missing={name: 9})
