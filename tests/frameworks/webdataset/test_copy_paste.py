"""Streams of WebDataset: every sample comes out, pasted into by its neighbours, whoever reads which tar file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

wds = pytest.importorskip("webdataset", reason="webdataset is not installed: make test-frameworks installs it")
torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch torchvision")

from torch.utils.data import DataLoader  # noqa: E402

from copypaste_rs import ForTraining, SimpleCopyPaste  # noqa: E402
from copypaste_rs.datasets import sample_data  # noqa: E402
from copypaste_rs.errors import ArgumentError  # noqa: E402
from copypaste_rs.integrations.torch import collate  # noqa: E402
from copypaste_rs.integrations.webdataset import CopyPaste  # noqa: E402
from copypaste_rs.schedules import off_for_last  # noqa: E402
from examples.small_maskrcnn import small_maskrcnn  # noqa: E402
from tests.fixtures.photos import photo  # noqa: E402
from tests.frameworks.webdataset.tars import PLACES, SIZES, as_is, numbered, stream, write  # noqa: E402

STILL = SimpleCopyPaste(size=(20, 30), target_scale=(1, 1), source_scale=(1, 1), select="all", placement="uniform")
LIVELY = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Warnings of torch and of WebDataset about processes and tar files are not what is tried."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
        warnings.filterwarnings("ignore", category=ResourceWarning)
        yield


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return numbered(tmp_path_factory.mktemp("tars"))


def loader(data: Any, workers: int, **options: Any) -> Any:
    return DataLoader(data, batch_size=None, num_workers=workers, **options)


def by_key(items: Any) -> dict[str, Any]:
    items = list(items)
    found = {item.info["__key__"]: item for item in items}
    assert len(found) == len(items)
    return found


# -- what is pasted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [2, 4, 64])
@pytest.mark.parametrize("across_shards", [False, True])
def test_partners_are_neighbours(tars: list[str], window: int, across_shards: bool) -> None:
    """Whoever was pasted says so by its label: near enough, in the same tar file, and never the image itself."""
    stage = CopyPaste(STILL, window=window, across_shards=across_shards, seed=1)
    samples = list(stream(tars, as_is))
    seen: set[tuple[int, int]] = set()
    for _ in range(40):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "samples: no other one with an object", UserWarning)
            items = list(stage(samples))
        assert [item.info["image_id"] - 1 for item in items] == list(range(sum(SIZES)))
        for k, item in enumerate(items):
            pasted = item.instances[item.instances.source >= 0] if len(item.instances) else item.instances
            for partner in set((pasted.labels - 1).tolist() if len(pasted) else []):
                assert partner != k
                assert abs(partner - k) <= window // 2
                assert across_shards or PLACES[partner][0] == PLACES[k][0]
                seen.add((k, partner))
    able = {
        (k, j)
        for k in range(sum(SIZES))
        for j in range(sum(SIZES))
        if j != k and j % 4 != 3 and abs(j - k) <= window // 2 and (across_shards or PLACES[j][0] == PLACES[k][0])
    }
    assert seen <= able
    assert len(seen) >= 0.8 * len(able) if window == 64 else seen == able
    firsts = {0, 7, 10, 15} if window == 64 else {0}
    assert firsts <= {k for k, _ in seen}, "the first sample of a tar file has no partner"


def test_covered_objects_are_cut_and_boxes_tight(tars: list[str]) -> None:
    covered = 0
    for item in stream(tars, CopyPaste(STILL, seed=2)):
        if not len(item.instances):
            continue
        dense = item.instances.masks.to_dense()
        pasted = item.instances.source >= 0
        assert (dense[pasted].sum(axis=0)[None] * dense[~pasted]).max(initial=0) == 0
        for mask, box, label in zip(dense, item.instances.boxes, item.instances.labels, strict=True):
            ys, xs = np.nonzero(mask)
            assert box.tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            assert (item.image[mask == 1] == label).all(), "pixels and masks of an object are apart"
        covered += int((item.instances.visibility < 1).sum())
    assert covered


def test_one_source_or_several(tars: list[str]) -> None:
    items = list(stream(tars[:1], CopyPaste(STILL, num_sources=3)))
    assert max(int(item.instances.source.max()) for item in items if len(item.instances)) == 2


# -- who reads what ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "method"), [(1, "fork"), (2, "fork"), (4, "fork"), (2, "spawn")])
def test_workers_change_no_item(tars: list[str], workers: int, method: str) -> None:
    stage = CopyPaste(LIVELY, seed=3)
    data = stream(tars, stage)
    given = loader(data, workers, multiprocessing_context=method, persistent_workers=True)
    epochs = []
    for epoch in (5, 6):
        stage.set_epoch(epoch)
        here, there = by_key(data), by_key(given)
        assert here == there
        assert len(here) == sum(SIZES)
        epochs.append({key: item.image.tobytes() for key, item in here.items()})
    assert all(epochs[0][key] != epochs[1][key] for key in epochs[0])


def test_the_order_of_tar_files_changes_no_item(tars: list[str]) -> None:
    stage = CopyPaste(LIVELY)
    stage.set_epoch(0)
    assert by_key(stream(tars, stage)) == by_key(stream(tars[::-1], stage))
    assert by_key(stream(tars, stage)) == by_key(stream(tars, stage, shardshuffle=4, seed=9))


def test_passes_are_counted_where_nobody_says_the_epoch(tars: list[str]) -> None:
    data = stream(tars, CopyPaste(LIVELY))
    first, second = by_key(data), by_key(data)
    assert all(first[key] != second[key] for key in first)
    again = stream(tars, CopyPaste(LIVELY))
    assert [by_key(again), by_key(again)] == [first, second]
    said = CopyPaste(LIVELY)
    said.set_epoch(1)
    assert by_key(stream(tars, said)) == second


@pytest.mark.parametrize("persistent", [False, True])
def test_epochs_of_workers_differ_by_themselves(tars: list[str], persistent: bool) -> None:
    def epochs(seed: int, workers: int) -> list[dict[str, Any]]:
        torch.manual_seed(seed)
        given = loader(stream(tars, CopyPaste(LIVELY)), workers, persistent_workers=persistent)
        return [by_key(given) for _ in range(3)]

    found = epochs(1, 2)
    assert all(len({each[key].image.tobytes() for each in found}) == 3 for key in found[0])
    assert epochs(1, 2) == found
    assert epochs(1, 3) == found, "the number of workers changes items"
    assert epochs(2, 2)[0] != found[0]


def test_a_tar_file_that_comes_again_is_augmented_anew(tars: list[str]) -> None:
    items = list(stream([tars[0], tars[2], tars[0]], CopyPaste(LIVELY)))
    assert [one != other for one, other in zip(items[:7], items[-7:], strict=True)] == [True] * 7


def test_resampled_streams(tars: list[str]) -> None:
    stage = CopyPaste(LIVELY, across_shards=True)
    given = stream(tars, stage, resampled=True).with_epoch(60)
    items = list(given)
    assert len(items) == 60
    assert len({item.image.tobytes() for item in items}) > 50


def test_schedules(tars: list[str]) -> None:
    stage = CopyPaste(schedule=off_for_last(1, 3, STILL))
    data = stream(tars, stage)
    given = loader(data, 2)
    with pytest.raises(ArgumentError, match="schedule: expected set_epoch"):  # as what it is, from a worker too
        list(given)

    def pasted() -> bool:
        items = list(given)
        assert len(items) == sum(SIZES)
        return any((item.instances.source >= 0).any() for item in items if len(item.instances))

    stage.set_epoch(1)
    assert pasted()
    stage.set_epoch(2)
    assert not pasted()


def test_who_has_no_partner_is_told_of(tmp_path: Path) -> None:
    url = write(tmp_path / "one.tar", {"a": photo(1), "b": photo(2, 0)})
    other = write(tmp_path / "other.tar", {"c": photo(3), "d": photo(4)})
    with pytest.warns(
        UserWarning, match=r"next to a of .*one\.tar, so that nothing is pasted into it; across_shards=True"
    ):
        items = list(stream([url, other], CopyPaste(STILL)))
    assert len(items) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        list(stream([url, other], CopyPaste(STILL, across_shards=True)))


def test_a_model_trains(tmp_path: Path) -> None:
    photos = sample_data()
    url = write(tmp_path / "train.tar", {f"{i}": photos[i] for i in range(len(photos))})
    classes = 1 + max(category["id"] for category in photos.categories)
    stage = CopyPaste(ForTraining(SimpleCopyPaste(size=128, min_area=16)), seed=0)
    make = collate("torchvision", num_classes=classes)
    batches = stream([url], stage).shuffle(4, seed=1).batched(2, collation_fn=make)
    torch.manual_seed(0)
    model = small_maskrcnn(classes, 128).train()
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    seen = []
    for images, targets in wds.WebLoader(batches, batch_size=None, num_workers=1):
        loss = sum(model(images, targets).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert torch.isfinite(loss)
        seen += [target["image_id"] for target in targets]
        assert all((target["boxes"][:, 2:] > target["boxes"][:, :2]).all() for target in targets)
    assert sorted(seen) == sorted(photos[i].info["image_id"] for i in range(len(photos)))


def test_wrong_arguments_are_named(tars: list[str]) -> None:
    with pytest.raises(ValueError, match="window: expected"):
        CopyPaste(STILL, window=1)
    with pytest.raises(TypeError, match="transform: expected a SimpleCopyPaste"):
        CopyPaste()
    with pytest.raises(TypeError, match=r"samples\[0\]: expected a Sample, as map\(Decode\(\)\) makes it, got dict"):
        list(wds.WebDataset(tars, shardshuffle=False).compose(CopyPaste(STILL)))
    with pytest.raises(ValueError, match=r"samples\[0\]: expected a Sample with the text __key__ in its info"):
        list(CopyPaste(STILL)([photo(1)]))
