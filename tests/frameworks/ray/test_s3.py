"""`augment` from and to URLs of S3, which a server of this machine answers: without Ray and with it, after kills too."""

from __future__ import annotations

import os
import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import COMMAND, arguments, augmented
from tests.fixtures.processes import wait_until
from tests.frameworks.ray.processes import actors, begun, ended

pytest.importorskip("ray", reason="the extra ray is not installed: pip install 'copypaste_rs[ray]'")
server = pytest.importorskip("moto.server", reason="moto is not installed: make test-frameworks installs it")
s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: make test-frameworks installs it")

STATE = ".copypaste-rs"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
OUT = "s3://bucket/out"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server with one bucket, empty, that this process and those it starts know."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serving = server.ThreadedMotoServer("127.0.0.1", port, verbose=False)
    serving.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        system = s3fs.S3FileSystem(skip_instance_cache=True)
        system.mkdir("bucket")
        yield system
        system.rm("bucket", recursive=True)
    finally:
        serving.stop()


def send(files: Files, system: Any) -> list[str]:
    """Options of inputs that are objects."""
    system.pipe({f"bucket/in/train/{name}": data for name, data in every_file(files.images).items()})
    system.pipe_file("bucket/in/train.json", files.annotations.read_bytes())
    return ["--annotations", "s3://bucket/in/train.json", "--images", "s3://bucket/in/train"]


def objects(system: Any) -> dict[str, bytes]:
    """Content of the objects of the output, but for notes."""
    system.invalidate_cache()
    found = system.cat(system.find("bucket/out")) if system.find("bucket/out") else {}
    named = {path.removeprefix("bucket/out/"): data for path, data in found.items()}
    return {name: data for name, data in named.items() if not name.startswith(STATE)}


def plain(tmp_path: Path, files: Files, *more: str) -> dict[str, bytes]:
    found = augmented(tmp_path, files, *more, name="plain")
    return {name: data for name, data in found.items() if not name.startswith(STATE)}


def to_store(files: Files, *more: str) -> list[str]:
    return [*COMMAND, *arguments(files, Path("unused"), *more), "--output", OUT]


@pytest.mark.parametrize("engine", [["--workers", "2"], ["--engine", "ray"], ["--engine", "ray", "--workers", "2"]])
@pytest.mark.parametrize("kind", [["coco"], ["webdataset", "--tar-samples", "4"]])
def test_from_s3_to_s3(tmp_path: Path, files: Files, store: Any, engine: list[str], kind: list[str]) -> None:
    options = ["--copies", "2", "--output-format", *kind]
    given = send(files, store)
    sources = [each.replace("--", "--source-") for each in given]
    status, said, errors = ended(to_store(files, *options, *engine, *given, "--shard-images", "5"))
    assert status == 0, errors
    assert f"{OUT}: 24 images, 24 of them made now" in said
    assert objects(store) == plain(tmp_path, files, *options)
    assert store.exists(f"bucket/out/{STATE}/finished")
    status, said, errors = ended(to_store(files, *options, *engine, *sources, "--shard-images", "5", "--resume"))
    assert (status, "--source-annotations has changed since" in errors) == (2, True), errors


def test_inputs_alone_with_ray(tmp_path: Path, files: Files, store: Any) -> None:
    """Images come from the store, and the output lies in a folder that all machines have."""
    command = [
        *COMMAND,
        *arguments(files, tmp_path / "out", *send(files, store), "--engine", "ray", "--shard-images", "5"),
    ]
    status, _, errors = ended(command)
    assert status == 0, errors
    assert every_file(tmp_path / "out") == augmented(tmp_path, files, name="plain")


def test_actors_and_drivers_that_are_killed(tmp_path: Path, files: Files, store: Any) -> None:
    """An actor, and the command itself then; what is there is gone on with, with and without Ray, and no part is lost."""
    options = ["--copies", "8", "--format", "png", "--shard-images", "8", *send(files, store)]
    slow = ["--backend", "numpy", "--engine", "ray", "--workers", "2"]
    process = begun(to_store(files, *options, *slow))

    def parts() -> int:
        store.invalidate_cache()
        return sum("/part-" in name for name in store.find(f"bucket/out/{STATE}"))

    draw = random.Random(2)
    assert wait_until(lambda: process.poll() is not None or parts() >= 2, 200)
    if process.poll() is None and (found := actors(process)):
        os.kill(draw.choice(found), signal.SIGKILL)
    assert wait_until(lambda: process.poll() is not None or parts() >= 5, 200)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate(timeout=60)
    assert not store.exists(f"bucket/out/{STATE}/finished")
    there = parts()
    assert there < 12
    status, said, errors = ended(to_store(files, *options, "--resume", "--shard", "2/2"))
    assert status == 0, errors
    status, said, errors = ended(to_store(files, *options, "--resume", "--engine", "ray"))
    assert status == 0, errors
    assert f"{OUT}: 96 images" in said
    assert objects(store) == plain(tmp_path, files, "--copies", "8", "--format", "png")


def test_what_cannot_be_reached(tmp_path: Path, files: Files, store: Any) -> None:
    """A bucket that is not there, and images that are not: one sentence that names the object, and the machine."""
    status, _, errors = ended([*to_store(files, "--engine", "ray")[:-1], "s3://nosuch/out"])
    assert status == 1
    assert "copypaste-rs: s3://nosuch/out" in errors
    assert not store.exists("nosuch"), "a bucket was made"
    given = send(files, store)
    store.rm("bucket/in/train", recursive=True)
    status, _, errors = ended(to_store(files, *given, "--engine", "ray"))
    assert status == 1
    line = next(line for line in errors.splitlines() if line.startswith("copypaste-rs:"))
    assert line.startswith(f"copypaste-rs: shard 1 on {socket.gethostname()}: s3://bucket/in/train/"), errors
    assert line.endswith("No such object; what is done is kept, and --resume goes on")
    assert line.count("--resume") == 1
    assert "Traceback" not in errors
