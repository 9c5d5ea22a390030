"""``neg_category_ids`` of the target: classes that are pasted leave it, by whatever way the operation is called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Instances, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset

ABSENT = [2, 3, 4, 9]


def sample(labels: list[int], **info: Any) -> Sample:
    """An image with one object for each label, in a row."""
    masks = np.zeros((len(labels), 24, 40), np.uint8)
    for i in range(len(labels)):
        masks[i, 4:20, 8 * i + 1 : 8 * i + 7] = 1
    image = np.full((24, 40, 3), 90, np.uint8)
    return Sample(image, Instances(masks=RleMasks.from_dense(masks), labels=labels), info)


def transform(**options: Any) -> SimpleCopyPaste:
    return SimpleCopyPaste(size=(24, 40), target_scale=(1, 1), source_scale=(1, 1), select="one", **options)


def expected(instances: Instances) -> list[int]:
    assert instances.labels is not None
    pasted = [label for label, source in zip(instances.labels, instances.source, strict=True) if source >= 0]
    return [number for number in ABSENT if number not in pasted]


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("backend", ["rust", "reference"])
def test_pasted_classes_leave_it(backend: str, kind: type) -> None:
    target = sample([1, 1, 5], neg_category_ids=kind(ABSENT), not_exhaustive_category_ids=[3], other=[2, 3])
    sources = [sample([2, 3]), sample([4, 7, 2])]
    paste, seen = transform(backend=backend), set()
    for seed in range(20):
        plan = paste.sample_plan(target, sources, rng=seed)
        result = paste.apply(plan, target, sources)
        assert result.info["neg_category_ids"] == kind(expected(result.instances))
        assert result.info["not_exhaustive_category_ids"] == [3]
        assert result.info["other"] == [2, 3]
        seen.add(tuple(result.info["neg_category_ids"]))
        batch = paste.apply_batch([plan], [target], [sources])
        assert batch.infos[0] == result.info
        for training in (ForTraining(paste), ForTraining(paste, masks="dense")):
            assert training.apply(plan, target, sources).info == result.info
            assert training.apply_batch([plan], [target], [sources]).infos[0] == result.info
    assert len(seen) > 3
    assert target.info["neg_category_ids"] == kind(ABSENT)


def test_a_chain_and_a_data_set() -> None:
    photos = [sample([1], neg_category_ids=ABSENT), sample([2]), sample([9])]
    data = CopyPasteDataset(photos, transform(), seed=1)
    result = data[0]
    assert result.info["neg_category_ids"] == expected(result.instances) != ABSENT
    again = transform()(result, photos[2], rng=0)
    assert again.info["neg_category_ids"] == [number for number in result.info["neg_category_ids"] if number != 9]


def test_what_was_not_pasted_stays() -> None:
    target = sample([2], neg_category_ids=ABSENT)  # whatever it says of its own rows
    assert transform(p=1e-12)(target, sample([3]), rng=0).info["neg_category_ids"] == ABSENT
    assert ScaleJitter(size=24)(target, rng=0).info["neg_category_ids"] == ABSENT
    hidden = transform(min_area=500)(target, sample([3]), rng=0)
    assert hidden.info["neg_category_ids"] == ABSENT


@pytest.mark.parametrize("odd", [None, "2, 3", 3, {"2": 3}, [[2], "3", None], [], np.array([2, 3])])
def test_what_is_no_list_of_ids_is_carried(odd: Any) -> None:
    result = transform()(sample([1], neg_category_ids=odd), sample([2]), rng=0)
    np.testing.assert_equal(result.info["neg_category_ids"], odd)


def test_instances_without_labels() -> None:
    photo = sample([1])
    assert photo.instances.masks is not None
    bare = Sample(photo.image, Instances(masks=photo.instances.masks), {"neg_category_ids": [0, 1]})
    assert transform()(bare, bare, rng=0).info["neg_category_ids"] == [0, 1]
