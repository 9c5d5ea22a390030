"""CopyPasteRsDataset and its sampler in MMDetection's loaders: what an item depends on, and what it is."""

from __future__ import annotations

import pickle
import warnings
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coloured_set import STILL, pasted, truths

if TYPE_CHECKING:
    from tests.fixtures.coco_files import Files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("mmdet", reason="mmdet is not installed: make test-frameworks installs it")
    import torch
    from mmengine.hooks import DistSamplerSeedHook
    from mmengine.runner import Runner

    from copypaste_rs.integrations.mmdet import CopyPasteRs, CopyPasteRsDataset, CopyPasteRsSampler
    from tests.frameworks.mmdet.configurations import PACK, check, coco, mixed, same

pytestmark = pytest.mark.filterwarnings("ignore")  # mmdet and mmengine warn of much that is theirs


def loader(files: Files, workers: int, **more: Any) -> Any:
    """A loader as MMEngine's runner builds it; items are images and masks."""
    data = {
        "type": "CopyPasteRsDataset",
        "dataset": coco(files),
        "size": 64,
        "seed": 5,
        "pipeline": [PACK],
    }
    given: dict[str, Any] = {
        "batch_size": 1,
        "num_workers": workers,
        "persistent_workers": workers > 0,
        "sampler": {"type": "CopyPasteRsSampler", "shuffle": False},
        "dataset": more.pop("whole", data),
    }
    return Runner.build_dataloader({**given, **more}, seed=0)


def epochs(made: Any, n: int = 3) -> list[list[Any]]:
    found = []
    for epoch in range(n):
        loop: Any = SimpleNamespace(epoch=epoch, train_loop=SimpleNamespace(dataloader=made))
        DistSamplerSeedHook().before_train_epoch(loop)  # a runner always has this hook
        found.append([(batch["inputs"][0], batch["data_samples"][0].gt_instances.masks.masks) for batch in made])
    return found


def equal(first: Any, second: Any) -> bool:
    return torch.equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_an_item_depends_on_seed_epoch_and_index_alone(files: Files) -> None:
    alone, two = epochs(loader(files, 0)), epochs(loader(files, 2))
    for epoch in range(3):
        assert all(equal(a, b) for a, b in zip(alone[epoch], two[epoch], strict=True))
    assert not equal(alone[0][0], alone[1][0])
    again = CopyPasteRsDataset(coco(files), size=64, seed=5)
    assert np.array_equal(again[4 * 3 + 1]["img"].transpose(2, 0, 1), alone[2][1][0])  # epoch 2, index 1
    other = CopyPasteRsDataset(coco(files), size=64, seed=6)
    assert not same(again[4], other[4])


def test_epochs_differ_where_workers_start_anew(files: Files) -> None:
    """MMEngine seeds NumPy in each worker, and alike in each epoch, so that by it alone all epochs were the same."""

    def made(seed: int) -> list[list[Any]]:
        torch.manual_seed(seed)  # as a runner does, once
        data = {
            "type": "MultiImageMixDataset",
            "dataset": coco(files),
            "pipeline": [{"type": "CopyPasteRs", "size": 64}],
        }
        data["pipeline"].append(PACK)  # type: ignore[attr-defined]
        sampler = {"type": "DefaultSampler", "shuffle": False}
        return epochs(loader(files, 2, whole=data, sampler=sampler, persistent_workers=False), 2)

    first, again, other = made(1), made(1), made(2)
    assert all(equal(a, b) for a, b in zip(chain(*first), chain(*again), strict=True))
    assert not any(equal(a, b) for a, b in zip(*first, strict=True))
    assert not all(equal(a, b) for a, b in zip(chain(*first), chain(*other), strict=True))


def test_shuffling_changes_the_order_alone(files: Files) -> None:
    made = loader(files, 0, sampler={"type": "CopyPasteRsSampler"}, batch_sampler={"type": "AspectRatioBatchSampler"})
    shuffled, ordered = epochs(made, 1)[0], epochs(loader(files, 0), 1)[0]
    for each in ordered:
        assert sum(equal(each, other) for other in shuffled) == 1


def test_without_the_sampler_draws_are_those_of_numpy(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), size=64)
    np.random.seed(3)  # noqa: NPY002
    first, second = data[0], data[0]
    assert not same(first, second)
    np.random.seed(3)  # noqa: NPY002
    assert same(data[0], first)


def test_nothing_is_pasted_in_the_last_epochs(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), off_for_last=(1, 3), **{**STILL, "select": "all"})
    truth = truths(files)
    for index in range(4):
        check(data[4 * 3 + index], truth[index])
        assert not np.array_equal(data[4 * 2 + index]["img"][..., ::-1], truth[index].image)
    with pytest.raises(ArgumentError, match=r"^idx: expected an index with its epoch .*, got 1 alone$"):
        data[1]
    with pytest.raises(ArgumentError, match=r"^n: expected fewer than all epochs"):
        CopyPasteRsDataset(coco(files), off_for_last=(3, 3), size=64)
    with pytest.raises(ArgumentTypeError, match=r"^off_for_last: expected a pair"):
        CopyPasteRsDataset(coco(files), off_for_last=3, size=64)  # type: ignore[arg-type]


def test_the_image_itself_is_never_its_partner(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), **STILL)
    truth = truths(files)
    for epoch in range(1, 20):
        made = data[4 * epoch + 2]["img"][..., ::-1]
        assert any(np.array_equal(made, pasted(truth[2], truth[i]).image) for i in (0, 1))


def test_it_pickles(files: Files) -> None:
    data = CopyPasteRsDataset(coco(files), size=64, seed=5)
    assert same(pickle.loads(pickle.dumps(data))[5], data[5])
    paste = pickle.loads(pickle.dumps(CopyPasteRs(size=64, num_sources=2)))
    assert len(paste.get_indexes(data.dataset)) == 2


def test_wrapped_data_sets_are_known(files: Files) -> None:
    """Concatenated and repeated ones, whose items do not know their number."""
    inner = {"type": "RepeatDataset", "times": 2, "dataset": {"type": "ConcatDataset", "datasets": [coco(files)] * 2}}
    data = CopyPasteRsDataset(inner, size=64)
    assert len(data) == 16
    assert not same(data[16], data[16 + 8])  # one photograph, two items
    assert data.metainfo["classes"] == ("kite", "boat", "lamp")
    assert data.get_data_info(16 + 3)["img_id"] == 4
    made = mixed(inner, size=64)
    assert made[9]["img_shape"] == (64, 64)


def test_later_transforms_run_on_the_result(files: Files) -> None:
    truth = truths(files)
    flip = {"type": "RandomFlip", "prob": 1.0}
    made = CopyPasteRsDataset(coco(files), [flip], **STILL)[4]
    candidates = [pasted(truth[0], truth[i]) for i in (1, 2)]
    expected = next(each for each in candidates if np.array_equal(each.image[:, ::-1, ::-1], made["img"]))
    np.testing.assert_array_equal(made["gt_masks"].masks, expected.masks[:, :, ::-1])
    turned = expected._replace(masks=expected.masks[:, :, ::-1])
    np.testing.assert_array_equal(made["gt_bboxes"].tensor.numpy(), turned.boxes)


def test_the_sampler_gives_each_index_its_epoch() -> None:
    sampler = CopyPasteRsSampler(range(5), shuffle=False, seed=1)
    assert list(sampler) == [5, 6, 7, 8, 9]
    sampler.set_epoch(3)
    assert list(sampler) == [20, 21, 22, 23, 24]
    assert len(sampler) == 5
