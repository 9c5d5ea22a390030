"""`augment --engine ray` against a plain run: the same bytes with any number of actors, whatever is killed."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import COMMAND, arguments, augmented, run
from tests.fixtures.processes import wait_until
from tests.frameworks.ray.processes import ENVIRONMENT, actors, begun, ended, runs

pytest.importorskip("ray", reason="the extra ray is not installed: pip install 'copypaste_rs[ray]'")

STATE = ".copypaste-rs"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


def on_ray(files: Files, output: Path, *more: str) -> list[str]:
    return [*COMMAND, *arguments(files, output, *more, "--engine", "ray")]


def pictures(folder: Path) -> int:
    """Number of images in a folder and those in it."""
    return sum(name.endswith(".png") for _, _, names in os.walk(folder) for name in names)


def test_one_actor_and_two(tmp_path: Path, files: Files) -> None:
    options = ["--copies", "2"]
    plain = augmented(tmp_path, files, *options, name="plain")
    status, said, errors = ended(on_ray(files, tmp_path / "one", *options, "--shard-images", "5"))
    assert status == 0, errors
    assert f"{tmp_path / 'one'}: 24 images, 24 of them made now" in said
    status, said, errors = ended(on_ray(files, tmp_path / "two", *options, "--workers", "2", "--shard-images", "3"))
    assert status == 0, errors
    assert every_file(tmp_path / "one") == every_file(tmp_path / "two") == plain
    status, said, errors = ended(on_ray(files, tmp_path / "two", *options, "--resume"))
    assert (status, "24 images, 0 of them made now" in said) == (0, True), errors


def test_tar_files(tmp_path: Path, files: Files) -> None:
    options = ["--output-format", "webdataset", "--tar-samples", "4", "--copies", "2"]
    plain = augmented(tmp_path, files, *options, name="plain")
    status, _, errors = ended(on_ray(files, tmp_path / "ray", *options, "--workers", "2", "--shard-images", "6"))
    assert status == 0, errors
    assert every_file(tmp_path / "ray") == plain


def test_actors_that_are_killed(tmp_path: Path, files: Files) -> None:
    """Ray starts others, which go on with the shards."""
    options = ["--copies", "8", "--backend", "numpy", "--format", "png"]
    plain = augmented(tmp_path, files, "--copies", "8", "--format", "png", name="plain")
    process = begun(on_ray(files, tmp_path / "ray", *options, "--workers", "2", "--shard-images", "16"))
    shards = tmp_path / "ray" / STATE / "shards"
    draw = random.Random(1)
    for images in (3, 30):
        assert wait_until(lambda n=images: process.poll() is not None or pictures(tmp_path / "ray") >= n, 200)  # type: ignore[misc]
        if process.poll() is None and (found := actors(process)):
            os.kill(draw.choice(found), signal.SIGKILL)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert not shards.exists()
    assert every_file(tmp_path / "ray") == plain


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_driver_that_is_ended(tmp_path: Path, files: Files, way: signal.Signals) -> None:
    """What is merged and what shards have is gone on with, here without Ray, or with other actors."""
    options = ["--copies", "8", "--format", "png"]
    plain = augmented(tmp_path, files, *options, name="plain")
    process = begun(on_ray(files, tmp_path / "ray", *options, "--backend", "numpy", "--shard-images", "10"))
    images = tmp_path / "ray" / "images"
    assert wait_until(lambda: process.poll() is not None or len(list(images.glob("*.png"))) >= 11, 200)
    assert process.poll() is None, process.communicate()
    others = actors(process)
    os.kill(process.pid, way)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(way, -way), errors
    if way != signal.SIGKILL:
        assert "interrupted; what is done is kept, and --resume goes on" in errors
    assert wait_until(lambda: not any(map(runs, others)), 60)
    assert len(list(images.glob("*.png"))) < 96
    if way == signal.SIGINT:
        assert run(arguments(files, tmp_path / "ray", *options, "--resume")) == 0
    else:
        again = on_ray(files, tmp_path / "ray", *options, "--resume", "--workers", "2", "--shard-images", "7")
        status, _, errors = ended(again)
        assert status == 0, errors
    assert every_file(tmp_path / "ray") == plain


def test_a_full_disk_in_an_actor(tmp_path: Path, files: Files) -> None:
    """Files of workers that Ray starts cannot grow once they work: one sentence says which shard, where, and what."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import resource, sys\n"
        "def limit(event, arguments):\n"
        "    if event == 'open' and '/.copypaste-rs/shards/' in str(arguments[0]):\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))\n"
        "if any('default_worker' in each for each in sys.orig_argv):\n"
        "    sys.addaudithook(limit)\n"
    )
    paths = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    command = on_ray(files, tmp_path / "ray", "--shard-images", "6")
    status, _, errors = ended(command, PYTHONPATH=paths)
    assert status == 1
    line = next(line for line in errors.splitlines() if line.startswith("copypaste-rs:"))
    folder = f"{tmp_path / 'ray'}/{STATE}/shards/of-0000002/0000001/"
    assert line.startswith(f"copypaste-rs: shard 1 on {socket.gethostname()}: {folder}"), errors
    assert line.endswith("File too large; what is done is kept, and --resume goes on")
    assert line.count("--resume") == 1
    assert not (tmp_path / "ray" / "annotations.json").exists()
    status, _, errors = ended([*command, "--resume"])
    assert status == 0, errors
    assert every_file(tmp_path / "ray") == augmented(tmp_path, files, name="plain")


# -- clusters that are not there --------------------------------------------------------------------------------------------


def test_an_address_that_nobody_answers(tmp_path: Path, files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    status, _, errors = ended(on_ray(files, tmp_path / "ray", "--ray-address", address))
    assert status == 1
    assert f"copypaste-rs: --ray-address {address}: nobody answers (" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "ray" / "images").exists()


def test_an_address_where_something_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from copypaste_rs.cli import ray_engine

    monkeypatch.setattr(ray_engine, "JOIN_SECONDS", 8)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(OSError, match=f"--ray-address {address}: no cluster of Ray answers"):
            ray_engine._processors(address)


def test_a_cluster_that_runs(tmp_path: Path, files: Files) -> None:
    """Of its processors one is left to Ray; a cluster of one is refused, and one that asks for a token says so."""
    code = (
        "import sys, ray; c = ray.init(address='local', num_cpus=int(sys.argv[1]), include_dashboard=False, log_to_driver=False);"
        "print(c.address_info['gcs_address'], flush=True); sys.stdin.read()"
    )
    for processors, mode, expected in ((2, "token", 0), (1, "token", 1), (1, "disabled", 1)):
        command = [sys.executable, "-c", code, str(processors)]
        with subprocess.Popen(command, env=os.environ | ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as cluster:  # fmt: skip
            assert cluster.stdout is not None
            address = cluster.stdout.readline().strip()
            more = ["--ray-address", address, "--workers", "4", "--shard-images", "5"]
            status, _, errors = ended(on_ray(files, tmp_path / f"{processors} {mode}", *more), RAY_AUTH_MODE=mode)
            assert status == expected, errors
        if mode == "disabled":
            assert f"--ray-address {address}: the cluster asks for a token" in errors
        elif processors == 1:
            assert f"--ray-address {address}: expected a cluster with 2 processors or more, got 1" in errors
    assert every_file(tmp_path / "2 token") == augmented(tmp_path, files, name="plain")
