"""Engines as far as they can be seen without Ray: wrong usage, and shards as an actor makes them."""

from __future__ import annotations

import gc
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.cli import commands
from copypaste_rs.cli.shard_making import ShardMaker, shard_folder
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.remote import Url
from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import arguments, augmented, run
from tests.fixtures.limits import room_for
from tests.fixtures.shards import merged


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ray-address", "localhost:1"], "--ray-address: goes with --engine ray"),
        (["--shard-images", "5"], "--shard-images: goes with --engine ray"),
        (
            ["--engine", "ray", "--shard", "1/2"],
            "--shard: expected none with --engine ray, which makes shards by itself",
        ),
    ],
)
def test_wrong_usage(
    tmp_path: Path, files: Files, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments(files, tmp_path / "out", *options)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="ray is installed")
def test_ray_that_is_not_installed(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(files, tmp_path / "out", "--engine", "ray")) == 1
    expected = "copypaste-rs: ray is not installed; it comes with the extra ray: pip install 'copypaste_rs[ray]'\n"
    assert capsys.readouterr().err == expected
    assert not (tmp_path / "out").exists()


def maker(files: Files, root: Path | Url, monkeypatch: pytest.MonkeyPatch, *more: str) -> ShardMaker:
    """What makes 3 shards of the set, as the command line would hand it to an actor."""
    given: dict[str, Any] = {}

    def noted(output: Path, inputs: Any, data: Any, settings: Any, options: Any, *_: Any) -> int:
        given.update(settings=json_text("settings", settings), total=len(data) * options["copies"])
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(commands, "run_augment", noted)
        checked = commands.checked
        patch.setattr(
            commands, "checked", lambda options, **more: given.setdefault("options", checked(options, **more))
        )
        assert run(arguments(files, Path("never"), *more)) == 0
    return ShardMaker(root, given["options"], given["settings"], 3, given["total"], 1)


def test_shards_by_their_numbers(tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    make = maker(files, tmp_path / "shards", monkeypatch)
    assert make({"shard": [3, 1]}) == {"shard": [3, 1], "error": ["", ""]}
    assert make({"shard": [2]}) == make({"shard": [2]}) == {"shard": [2], "error": [""]}
    roots = [shard_folder(tmp_path / "shards", number) for number in (1, 2, 3)]
    assert merged(roots, tmp_path / "merged") == augmented(tmp_path, files, name="plain")


def test_parts_by_their_numbers(tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts at a URL, of images that come from URLs, which are deleted when a part is done."""
    stores = pytest.importorskip("tests.fixtures.stores", reason="the extra remote is not installed")
    stores.StrictStore.reset()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    given = stores.send(files, "memory://parts-in")
    make = maker(files, Url("strict://bucket/out"), monkeypatch, *given)
    expected = augmented(tmp_path, files, name="plain")
    for numbers in ([3, 1], [2], [2]):
        assert make({"shard": numbers}) == {"shard": numbers, "error": [""] * len(numbers)}
        assert len(list((tmp_path / "temporary").rglob("*.jpg"))) <= len(every_file(files.images))
    images = {name: data for name, data in expected.items() if name.startswith("images/")}
    assert {name: data for name, data in stores.objects("strict://bucket/out").items() if "part" not in name} == images
    stores.StrictStore.left = 2
    (error,) = make({"shard": [1]})["error"]
    assert "strict://bucket/out/images/" in error
    assert error.endswith("the store is down")
    stores.StrictStore.reset()
    del make
    gc.collect()
    assert not list((tmp_path / "temporary").iterdir())


def test_errors_are_values_that_name_machine_and_file(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = maker(files, tmp_path / "shards", monkeypatch)
    monkeypatch.setattr("socket.gethostname", lambda: "node-7")
    with room_for(1500):
        (error,) = make({"shard": [2]})["error"]
    assert error.startswith(f"node-7: {tmp_path / 'shards' / '0000002'}/")
    assert error.endswith("File too large")
    assert make({"shard": [2]})["error"] == [""]
    gone = tmp_path / "gone"
    gone.mkdir()
    make = maker(files._replace(images=shutil.copytree(files.images, gone / "images")), tmp_path / "x", monkeypatch)
    shutil.rmtree(gone / "images")
    (error,) = make({"shard": [1]})["error"]
    assert error == f"node-7: {gone / 'images'}: expected a folder of images, which is not there"


def test_a_machine_that_reads_other_annotations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = small_set(tmp_path / "in")
    make = maker(files, tmp_path / "shards", monkeypatch)
    files.edit(categories=[*files.json["categories"], {"id": 9}])
    (error,) = make({"shard": [1]})["error"]
    assert "what is read here differs from what the first machine read: annotations" in error
    assert every_file(tmp_path / "shards") == {}
