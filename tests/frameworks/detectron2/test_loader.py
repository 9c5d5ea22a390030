"""Training loaders in Detectron2: what an item depends on, and what it is."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs import RleMasks, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.errors import ArgumentError
from copypaste_rs.schedules import off_for_last
from tests.fixtures.coloured_set import STILL, pasted, truths

if TYPE_CHECKING:
    from tests.fixtures.coco_files import Files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("detectron2", reason="detectron2 is not installed: make test-frameworks installs it")
    import torch
    from detectron2.config import LazyCall, instantiate
    from detectron2.data import DatasetCatalog, build_detection_train_loader, get_detection_dataset_dicts
    from detectron2.utils.env import seed_all_rng

    from copypaste_rs.integrations.detectron2 import CopyPasteMapper, DictSamples, build_copy_paste_train_loader
    from tests.frameworks.detectron2.mapped_dicts import MOVING, check, equal

pytestmark = pytest.mark.filterwarnings("ignore")


def taken(loader: Any, n: int) -> list[Any]:
    """The first n items of a loader."""
    return list(itertools.islice(itertools.chain.from_iterable(loader), n))


@pytest.mark.parametrize("workers", [0, 2])
def test_draws_of_the_mapper_are_those_that_detectron2_seeds(dicts: Any, workers: int) -> None:
    def drawn(seed: int) -> list[Any]:
        seed_all_rng(seed)
        mapper = CopyPasteMapper(dicts, SimpleCopyPaste(**MOVING))
        loader = build_detection_train_loader(
            dicts, mapper=mapper, total_batch_size=2, num_workers=workers, aspect_ratio_grouping=False
        )
        return taken(loader, 8)

    first, again, other = drawn(3), drawn(3), drawn(4)
    assert all(map(equal, first, again))
    assert not all(map(equal, first, other))
    images = [each["image"] for each in first]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(images, 2))  # no two workers draw alike


def loader(dicts: Any, workers: int = 0, transform: Any = None, **options: Any) -> Any:
    given: dict[str, Any] = {"total_batch_size": 2, "num_workers": workers, "seed": 5, **options}
    return build_copy_paste_train_loader(dicts, transform or SimpleCopyPaste(**MOVING), **given)


def test_an_item_depends_on_seed_epoch_and_index_alone(dicts: Any) -> None:
    alone, two = taken(loader(dicts), 24), taken(loader(dicts, 2), 24)
    for each in alone:
        assert sum(equal(each, other) for other in two) == 1
    for epoch in range(6):  # each image once in each epoch
        assert {each["image_id"] for each in alone[4 * epoch : 4 * epoch + 4]} == {1, 2, 3, 4}
    items = CopyPasteDataset(DictSamples(dicts, "BGR"), SimpleCopyPaste(**MOVING), seed=5)
    for position, each in enumerate(alone):
        expected = items[position // 4, each["image_id"] - 1]
        np.testing.assert_array_equal(each["image"].permute(1, 2, 0).numpy(), expected.image)
        masks = expected.instances.without_crowds().masks
        assert RleMasks.from_dense(each["instances"].gt_masks.tensor.numpy(), size=(64, 64)) == masks
    assert not all(map(equal, alone, taken(loader(dicts, seed=6), 24)))


def test_processes_share_the_passes(dicts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = taken(loader(dicts), 8)
    found: list[Any] = []
    for rank in range(2):
        monkeypatch.setattr("detectron2.utils.comm.get_rank", lambda rank=rank: rank)
        monkeypatch.setattr("detectron2.utils.comm.get_world_size", lambda: 2)
        monkeypatch.setattr("detectron2.data.build.get_world_size", lambda: 2)
        found.extend(taken(loader(dicts), 4))
    for each in whole:
        assert sum(equal(each, other) for other in found) == 1


def test_a_training_that_is_resumed_goes_on(dicts: Any) -> None:
    whole = taken(loader(dicts), 18)
    assert all(map(equal, taken(loader(dicts, start_iter=5), 8), whole[10:]))  # from the middle of epoch 2
    with pytest.raises(ArgumentError, match=r"^start_iter: expected an integer from 0"):
        loader(dicts, start_iter=-1)


def test_nothing_is_pasted_in_the_last_epochs(files: Files, dicts: Any) -> None:
    truth = truths(files)
    schedule = off_for_last(1, 3, SimpleCopyPaste(**STILL))
    made = loader(dicts, schedule=schedule, transform=SimpleCopyPaste(**STILL))
    items = taken(made, 12)
    for each in items[8:]:
        check(each, truth[each["image_id"] - 1])
    for each in items[:8]:
        assert not np.array_equal(each["image"].permute(1, 2, 0).numpy()[..., ::-1], truth[each["image_id"] - 1].image)


def test_objects_of_other_dicts(files: Files, dicts: Any) -> None:
    truth = truths(files)
    made = loader(dicts[:1], transform=SimpleCopyPaste(**STILL), source_dicts=dicts[2:3])
    check(taken(made, 2)[1], pasted(truth[0], truth[2]))


def test_a_config_makes_the_loader(cfg: Any) -> None:
    cfg.INPUT.MASK_FORMAT = "bitmask"
    made = build_copy_paste_train_loader(cfg, SimpleCopyPaste(**MOVING), seed=5)
    dicts = DatasetCatalog.get("coloured_train")
    assert all(map(equal, taken(made, 8), taken(loader(dicts, mask_format="bitmask"), 8)))
    assert len(next(iter(made))) == 2
    cfg.DATALOADER.SAMPLER_TRAIN = "RepeatFactorTrainingSampler"
    with pytest.raises(ArgumentError, match=r"^cfg\.DATALOADER\.SAMPLER_TRAIN: expected TrainingSampler"):
        build_copy_paste_train_loader(cfg, SimpleCopyPaste(**MOVING))
    assert len(next(iter(build_detection_train_loader(cfg, mapper=CopyPasteMapper(cfg, ScaleJitter(size=64)))))) == 2
    cfg.DATALOADER.SAMPLER_TRAIN = "TrainingSampler"
    alone = build_copy_paste_train_loader(dicts[:1], SimpleCopyPaste(**MOVING), cfg=cfg, source_dicts=dicts)
    assert {each["image_id"] for each in taken(alone, 4)} == {1}


def test_a_lazy_configuration_makes_the_loader(cfg: Any) -> None:
    lazy = LazyCall(build_copy_paste_train_loader)(
        dataset_dicts=LazyCall(get_detection_dataset_dicts)(names="coloured_train", filter_empty=False),
        transform=LazyCall(SimpleCopyPaste)(**MOVING),
        total_batch_size=2,
        seed=5,
    )
    made = build_copy_paste_train_loader(cfg, SimpleCopyPaste(**MOVING), seed=5, mask_format="bitmask")
    assert all(map(equal, taken(instantiate(lazy), 8), taken(made, 8)))
