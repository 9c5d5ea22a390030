"""Columns of objects in the targets of a batch: the rows that stay, in one dtype, of true and pseudo-labelled images."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Instances, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, MixedBatchSampler, MixedDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.samples import squares
from tests.fixtures.tensors import REASON

torch = pytest.importorskip("torch", reason=REASON)

from copypaste_rs.integrations.torch import collate  # noqa: E402

FORMS = ["torchvision", "mask2former", "detr"]
JITTER = ForTraining(ScaleJitter(size=(20, 30), scale=(1, 1), flip=0))


def columns_of(form: str, batch: Any, name: str) -> list[Any]:
    """A column of each image of a batch."""
    if form == "mask2former":
        return list(batch[name])
    return [target[name] for target in (batch[1] if form == "torchvision" else batch["labels"])]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ready", [False, True])
def test_rows_of_columns_are_those_of_the_targets(form: str, ready: bool) -> None:
    scores = np.array([0.9, 0.7, 0.8])
    sample = squares(3, 51, labels=[4, 1, 2], iscrowd=[False, True, False], score=scores, rank=np.array([5, 6, 7], np.int8),
                     sure=[True, True, False], vector=np.arange(6, dtype=np.float16).reshape(3, 2))  # fmt: skip
    samples: list[Any] = [JITTER(sample, rng=0) if ready else sample, squares(0, 51)]
    batch = collate(form, columns=["score", "rank", "sure", "vector"])(samples)
    expected = {"score": scores.astype(np.float32), "rank": np.array([5, 6, 7]), "sure": np.array([True, True, False]),
                "vector": np.arange(6, dtype=np.float32).reshape(3, 2)}  # fmt: skip
    for name, values in expected.items():
        first, second = columns_of(form, batch, name)
        assert first.dtype == second.dtype == torch.from_numpy(values).dtype
        assert first.tolist() == values[[0, 2]].tolist()
        assert tuple(second.shape) == (0, *values.shape[1:])
    plain = collate(form)(samples)
    labels = "labels" if form == "torchvision" else "class_labels"
    assert [each.tolist() for each in columns_of(form, batch, labels)] == [
        each.tolist() for each in columns_of(form, plain, labels)
    ]


def test_a_row_without_a_pixel_takes_its_values_along() -> None:
    dense = np.zeros((2, 6, 8), np.uint8)
    dense[1, 2:4, 1:5] = 1
    rows = Instances(masks=RleMasks.from_dense(dense), labels=[1, 2], score=[0.25, 0.5])
    _, (target,) = collate("torchvision", columns=["score"])([Sample(np.zeros((6, 8, 3), np.uint8), rows)])
    assert target["score"].tolist() == [0.5]


@pytest.mark.parametrize("form", FORMS)
def test_true_objects_beside_pseudo_labels_are_sure(form: str) -> None:
    true = [squares(2, 40 + k, labels=[1, 2]) for k in range(2)]
    doubtful = [squares(2, 60 + k, labels=[1, 2], pseudo=[True, True], score=[0.75, 0.5]) for k in range(2)]
    augment = SimpleCopyPaste(size=(20, 30), target_scale=(1, 1), source_scale=(1, 1), flip=0, select="all")
    pseudo = CopyPasteDataset(doubtful, ForTraining(augment), sources=true, seed=1)
    mixed = MixedDataset(CopyPasteDataset(true, ForTraining(augment)), pseudo)
    made = collate(form, columns=("score", "pseudo"))
    for pairs in MixedBatchSampler(mixed.labelled, mixed.pseudo, 2):
        items = [mixed[pair] for pair in pairs]
        batch = made(items)
        scores, flags = columns_of(form, batch, "score"), columns_of(form, batch, "pseudo")
        for item, score, flag in zip(items, scores, flags, strict=True):
            rows = item.instances
            is_pseudo = rows.pseudo if "pseudo" in rows.columns else np.zeros(len(rows), bool)
            assert flag.tolist() == is_pseudo.tolist()
            assert (score < 1).tolist() == is_pseudo.tolist()
            assert score.dtype == torch.float32
            assert flag.dtype == torch.bool
    only = made([mixed[0], mixed[1]])  # nobody has the columns here
    assert all((each == 1).all() and each.dtype == torch.float32 for each in columns_of(form, only, "score"))
    assert all(not each.any() and each.dtype == torch.bool for each in columns_of(form, only, "pseudo"))


def test_numbers_of_several_kinds_have_one_dtype() -> None:
    samples = [squares(1, 1, labels=[1], weight=np.array([2])), squares(1, 1, labels=[1], weight=np.array([0.5]))]
    _, targets = collate("torchvision", columns=["weight"])(samples)
    assert [target["weight"].dtype for target in targets] == [torch.float32] * 2


def test_errors() -> None:
    plain = squares(2, 9, labels=[1, 2])
    made = collate("torchvision", columns=["weight"])
    with pytest.raises(ArgumentError, match=r"^samples\[1\]: expected the column 'weight' of its 2 objects, got none$"):
        made([squares(1, 9, labels=[1], weight=[0.5]), plain])
    with pytest.raises(ArgumentTypeError, match=r"^samples\[0\]: expected numbers in the column 'weight', got <U4$"):
        made([squares(1, 9, labels=[1], weight=["much"])])
    with pytest.raises(
        ArgumentError, match=r"^samples\[1\]: expected rows of shape \(\) in the column 'weight', .*, got \(2,\)$"
    ):
        made([squares(1, 9, labels=[1], weight=[1.0]), squares(1, 9, labels=[1], weight=[[1.0, 2.0]])])
    for form, name in (("torchvision", "boxes"), ("mask2former", "labels"), ("detr", "orig_size")):
        with pytest.raises(ArgumentError, match=rf"^columns\[1\]: expected a column beyond .*, got '{name}'$"):
            collate(form, columns=["score", name])
    with pytest.raises(ArgumentTypeError, match=r"^columns: "):
        collate("detr", columns="score")
    with pytest.raises(ArgumentTypeError, match=r"^columns\[0\]: expected a name of a column, got int$"):
        collate("detr", columns=[1])  # type: ignore[list-item]


def test_it_is_a_value() -> None:
    made = collate("detr", columns=["score"])
    assert pickle.loads(pickle.dumps(made)) == made != collate("detr")
    assert len({made, collate("detr", columns=("score",)), collate("detr")}) == 2
    assert repr(made) == "Collate('detr', num_classes=None, box_only='error', columns=('score',))"
