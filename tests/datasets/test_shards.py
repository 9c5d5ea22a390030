"""Shards of a writer: which items each has, and all of them merged, without the command line."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import CocoWriter, Merged, Shard, YoloWriter, merge_shards
from copypaste_rs.datasets.counted_names import CountedNames
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coco_files import every_file

CATEGORIES = [{"id": 1, "name": "square"}, {"id": 2, "name": "ring"}]
DAMAGED = ["a.jpg", "000000000007.jpg", "b/000000000007.jpg", "000000000007.png", "0000000000070.jpg", "00000000007.jpg",
           "000000000007", "000000000007.jpg.jpg", "\n000000000007.jpg", "\u0660" * 12 + ".jpg"]  # fmt: skip


def sample(n: int) -> Sample:
    squares = [[[4 + k, 5, 14 + k, 5, 14 + k, 16, 4 + k, 16]] for k in range(n)]
    masks = RleMasks.from_polygons(squares, (20, 30))
    return Sample(np.full((20, 30, 3), 90 + n, np.uint8), Instances(masks=masks, labels=np.arange(n) % 2 + 1))


SAMPLES = [sample(n) for n in (2, 0, 1, 3, 2)]


def write(root: Path, kind: Any, shard: Shard | None, **options: Any) -> None:
    with kind(root, CATEGORIES, shard=shard, **options) as writer:
        for one in SAMPLES[slice(None) if shard is None else slice(shard.first, shard.stop)]:
            writer.write(one)


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 9))
def test_shards_have_each_item_once_and_keep_units_together(total: int, count: int, unit: int) -> None:
    shards = [Shard(number, count, total, unit) for number in range(1, count + 1)]
    items = list(itertools.chain.from_iterable(range(shard.first, shard.stop) for shard in shards))
    assert items == list(range(total))
    assert all(shard.first % unit == 0 or shard.first == total for shard in shards)
    units = [-(-(shard.stop - shard.first) // unit) for shard in shards]
    assert max(units) - min(units) <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 3, 5), "number: expected an integer from 1 to 3, got 0"),
        ((4, 3, 5), "number: expected an integer from 1 to 3, got 4"),
        ((1, 0, 5), "count: expected an integer from 1 to 1000000, got 0"),
        ((1, 1, -1), "total: expected an integer from 0 to "),
    ],
)
def test_wrong_numbers_of_shards(arguments: tuple[int, int, int], said: str) -> None:
    with pytest.raises(ArgumentError) as error:
        Shard(*arguments)
    assert str(error.value).startswith(said)
    with pytest.raises(ArgumentTypeError):
        Shard(1.5, 2, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [CocoWriter, YoloWriter])
def test_merged_shards_are_the_whole(tmp_path: Path, kind: Any) -> None:
    options = {"settings": {"large": 2**64 - 1, "number": 0.1, "whole": 1.0}, "format": "png"}
    write(tmp_path / "whole", kind, None, **options)
    roots = [tmp_path / f"{number}" for number in (1, 2, 3)]
    for number, root in enumerate(roots, 1):
        write(root, kind, Shard(np.int64(number), 3, len(SAMPLES)), **options)
        assert not [name for name in every_file(root) if name in {"annotations.json", "data.yaml"}]
    steps: list[int] = []
    assert merge_shards(roots[::-1], tmp_path / "all", progress=steps.append) == Merged(5, 5, 0)
    assert steps == [1] * 5
    assert every_file(tmp_path / "all") == every_file(tmp_path / "whole")
    assert merge_shards(roots, str(tmp_path / "all"), resume=True) == Merged(5, 0, 0)
    assert merge_shards(roots, tmp_path / "all", overwrite=True, copies=True) == Merged(5, 5, 5)
    assert every_file(tmp_path / "all") == every_file(tmp_path / "whole")


def test_a_shard_has_as_many_samples_as_it_says(tmp_path: Path) -> None:
    writer = CocoWriter(tmp_path / "few", CATEGORIES, shard=Shard(1, 2, 4))
    assert writer.write(SAMPLES[0]) == 1
    with pytest.raises(ValueError, match="few: expected 2 images in shard 1/2, got 1"):
        writer.close()
    assert not (tmp_path / "few" / ".copypaste-rs" / "shard").exists()
    with CocoWriter(tmp_path / "few", CATEGORIES, shard=Shard(1, 2, 4), resume=True) as writer:
        assert writer.write(SAMPLES[1]) == 2
        with pytest.raises(ValueError, match="CocoWriter: expected 2 samples in shard 1/2, got more"):
            writer.write(SAMPLES[2])
    with CocoWriter(tmp_path / "second", CATEGORIES, shard=Shard(2, 2, 4)) as writer:
        assert [writer.write(one) for one in SAMPLES[:2]] == [3, 4]
    with pytest.raises(ArgumentTypeError, match="shard: expected a Shard, got str"):
        CocoWriter(tmp_path / "third", CATEGORIES, shard="1/2")  # type: ignore[arg-type]
    assert not (tmp_path / "third").exists()


def test_arguments_of_merging(tmp_path: Path) -> None:
    for directories in ("abc", 3, None):
        with pytest.raises(ArgumentTypeError, match="directories: expected a sequence of paths"):
            merge_shards(directories, tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"directories\[1\]: expected a path, got 3"):
        merge_shards([tmp_path, 3], tmp_path / "out")  # type: ignore[list-item]
    with pytest.raises(ValueError, match="directories: expected the folders of shards, got none"):
        merge_shards([], tmp_path / "out")
    write(tmp_path / "1", CocoWriter, Shard(1, 1, len(SAMPLES)))
    with pytest.raises(ArgumentTypeError, match="copies: expected"):
        merge_shards([tmp_path / "1"], tmp_path / "out", copies=1)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="output: expected a folder apart from the shards"):
        merge_shards([tmp_path / "1"], tmp_path / "1" / "out")
    assert not (tmp_path / "out").exists()


# -- names -------------------------------------------------------------------------------------------------------------

NAMES = st.lists(
    st.one_of(st.sampled_from(DAMAGED), st.builds("{}{:012d}{}".format, st.sampled_from(["", "a/", "/b/", "x"]),
                                                  st.integers(0, 9), st.sampled_from([".jpg", ".png", ".JPG"])))
)  # fmt: skip


@given(NAMES, NAMES)
def test_counted_names_are_a_set_of_names(added: list[str], asked: list[str]) -> None:
    names = CountedNames(added[:3])
    names.update(added[3:])
    assert [name in names for name in asked + added] == [name in set(added) for name in asked + added]


def test_names_that_count_take_no_memory() -> None:
    names = CountedNames(f"/labels/{k:012d}.txt" for k in range(1, 2000))
    assert len(names._runs) == 1
    assert not names._others
