"""`augment` from and to object stores: the bytes of a plain run, without renames, and gone on with after any failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from copypaste_rs.datasets.remote import RemoteFolder, Url
from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import arguments, augmented, run

fsspec = pytest.importorskip("fsspec", reason="the extra remote is not installed: pip install 'copypaste_rs[remote]'")

from tests.fixtures.stores import StoreOfBuckets, StrictStore, objects, send  # noqa: E402

STATE = ".copypaste-rs"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


@pytest.fixture(autouse=True)
def empty_stores() -> Iterator[None]:
    StrictStore.reset()
    yield
    StrictStore.reset()
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def to(files: Files, output: str, *more: str) -> list[str]:
    return [*arguments(files, Path("unused"), *more), "--output", output]


def visible(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in found.items() if not name.startswith(STATE)}


@pytest.mark.parametrize("kind", ["coco", "lvis", "voc", "webdataset"])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.filterwarnings("ignore:.*not held by the format:UserWarning")
def test_an_output_in_a_store(tmp_path: Path, files: Files, kind: str, workers: str) -> None:
    options = ["--output-format", kind, "--copies", "2", "--workers", workers]
    options += ["--tar-samples", "4"] if kind == "webdataset" else []
    plain = visible(augmented(tmp_path, files, *options, name="plain"))
    assert run(to(files, "strict://bucket/out", *options, "--shard-images", "5")) == 0
    assert objects("strict://bucket/out") == plain
    assert run(to(files, "memory://out", *options)) == 0
    assert objects("memory://out") == plain


def test_what_is_written_last(files: Files) -> None:
    """A part is noted after its images, the end after everything: whoever sees it sees all of the output."""
    assert run(to(files, "strict://bucket/out", "--shard-images", "5")) == 0
    written = [path.removeprefix("/bucket/out/") for path in StrictStore.written]
    assert written[0] == f"{STATE}/settings"
    assert written[-2:] == ["annotations.json", f"{STATE}/finished"]
    assert len(written) == len(set(written)) == 1 + 12 + 3 + 1 + 2
    first, second = (written.index(f"{STATE}/part-{number:07d}") for number in (1, 2))
    assert sorted(written[1:first]) == [f"images/{number:012d}.jpg" for number in range(1, 5)]
    assert all(name.startswith("images/") for name in written[first + 1 : second])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, files: Files) -> dict[str, bytes]:
    """Files of a plain run, without notes."""
    return visible(augmented(tmp_path_factory.mktemp("plain"), files))


DOWN, BUSY = OSError(5, "the store is down"), RuntimeError("503")


@pytest.mark.parametrize(
    ("left", "failure"),
    [*((left, DOWN) for left in range(19)), *((left, BUSY) for left in (0, 9, 18)),
     *((left, KeyboardInterrupt()) for left in (2, 6, 16, 17))],
)  # fmt: skip
def test_a_store_that_fails(
    files: Files, plain: dict[str, bytes], left: int, failure: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    """At any object: the error names its URL, and --resume goes on to the same bytes."""
    StrictStore.left, StrictStore.failure = left, failure
    status = run(to(files, "strict://bucket/out", "--shard-images", "5"))
    errors = capsys.readouterr().err
    assert status == (130 if isinstance(failure, KeyboardInterrupt) else 1)
    if status == 1:
        assert "copypaste-rs: strict://bucket/out/" in errors
        assert str(getattr(failure, "strerror", None) or failure) in errors
    assert "what is done is kept, and --resume goes on" in errors
    there = objects("strict://bucket/out")
    assert there.items() <= plain.items()
    StrictStore.left = None
    assert run(to(files, "strict://bucket/out", "--shard-images", "5", "--resume")) == 0
    assert objects("strict://bucket/out") == plain


def test_what_others_write_is_found() -> None:
    """A listing is not trusted after it was made: another machine writes there too."""
    folder = RemoteFolder(Url("strict://bucket/out"))
    folder.write("first", b"1")
    assert folder.sizes() == {"first": 1}
    fsspec.filesystem("memory").pipe_file("memory://elsewhere", b"2")
    StrictStore.store["/bucket/out/second"] = fsspec.filesystem("memory").store["/elsewhere"]
    assert folder.read("second") == b"2"
    assert folder.sizes() == {"first": 1, "second": 1}


def test_parts_that_are_whole_are_not_made_again(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    command = to(files, "strict://bucket/out", "--shard-images", "5")
    assert run(command) == 0
    before = objects("strict://bucket/out")
    for damage in (
        StrictStore.store.pop,
        lambda image: fsspec.filesystem("strict").pipe_file(image, b"x"),
    ):
        damage("/bucket/out/images/000000000006.jpg")
        capsys.readouterr()
        StrictStore.written.clear()
        StrictStore.left = 0
        assert run([*command, "--resume"]) == 1
        assert f"/bucket/out/{STATE}/finished" not in StrictStore.store  # no longer is it whole
        StrictStore.left = None
        assert run([*command, "--resume"]) == 0
        assert "12 images, 4 of them made now" in capsys.readouterr().out
        assert objects("strict://bucket/out") == before
    StrictStore.written.clear()
    assert run([*command, "--resume"]) == 0
    assert StrictStore.written == []


def test_shards_share_an_output(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """Each machine makes its parts; a run without --shard makes what is missing, and the end."""
    plain = visible(augmented(tmp_path, files, "--copies", "2", name="plain"))
    command = to(files, "strict://bucket/out", "--copies", "2", "--shard-images", "5", "--resume")
    for shard in ("3/3", "1/3"):
        assert run([*command, "--shard", shard]) == 0
    assert "strict://bucket/out: shard 3/3, 10 images" in capsys.readouterr().out
    assert not [name for name in objects("strict://bucket/out") if not name.startswith("images/")]
    assert run(command) == 0
    assert objects("strict://bucket/out") == plain


def test_a_shard_without_a_part(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """With fewer parts than shards, some have nothing to do, and say why."""
    command = to(files, "strict://bucket/out", "--shard-images", "6")
    assert run([*command, "--shard", "1/3"]) == 0
    captured = capsys.readouterr()
    assert "shard 1/3, 0 images" in captured.out
    assert "strict://bucket/out: shard 1/3 has nothing to make: in all there are 2 parts of up to 6 " in captured.err
    assert StrictStore.written == []
    assert run([*command, "--shard", "3/3"]) == 0
    assert "nothing to make" not in capsys.readouterr().err


def test_going_on_takes_the_parts_that_are_there(files: Files, plain: dict[str, bytes]) -> None:
    """Whoever goes on need not know the size of the parts, and cannot have another one."""
    assert run(to(files, "strict://bucket/out", "--shard-images", "5", "--shard", "2/3")) == 0
    for more in (["--shard", "3/3"], []):
        assert run(to(files, "strict://bucket/out", "--resume", *more)) == 0
    assert objects("strict://bucket/out") == plain
    assert f"/bucket/out/{STATE}/part-0000003" in StrictStore.store


def test_warnings_name_the_output(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(to(files, "strict://bucket/out", "--output-format", "yolo")) == 0
    (warning,) = [line for line in capsys.readouterr().err.splitlines() if "not held by the format" in line]
    assert warning.startswith("copypaste-rs: warning: strict://bucket/out: not held by the format: ")


def test_buckets_are_not_made(files: Files, plain: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt bucket is an error, before any image is made."""
    StoreOfBuckets.buckets.add("bucket")
    assert run(to(files, "oss://bukket/out")) == 1
    assert "copypaste-rs: oss://bukket/out/.copypaste-rs/settings: The specified bucket does not" in (
        capsys.readouterr().err
    )
    assert StoreOfBuckets.buckets == {"bucket"}
    assert run(to(files, "oss://bucket/out")) == 0
    found = {name.removeprefix("/bucket/out/"): file.getvalue() for name, file in StoreOfBuckets.store.items()}
    assert visible(found) == plain


def test_paths_are_no_urls(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no URL is read or written, one is refused by name, and those of files are paths."""
    url = "s3://bucket/x.json"
    for command in (
        to(files, str(tmp_path / "x"), "--validation-images", url),
        ["merge", url, "--output", str(tmp_path / "x")],
        ["merge", str(tmp_path), "--output", url],
        ["convert", "--input", url, "--output-format", "yolo", "--output", str(tmp_path / "x")],
        ["pseudo-label", "--results", url, "--images", str(files.annotations), "--output", str(tmp_path / "x.json")],
    ):
        assert run(command) == 2
        assert f": expected a path, got the URL {url}" in capsys.readouterr().err
    given = ["--input", f"file://{files.annotations}", "--images", f"file://{files.images}"]
    assert run(["convert", *given, "--output-format", "coco", "--output", f"file://{tmp_path / 'out'}"]) == 0
    assert (tmp_path / "out" / "annotations.json").is_file()


@pytest.mark.parametrize(
    "options", [["--workers", "2"], ["--shard", "2/3"], ["--image-format", "png", "--copies", "20"]]
)
def test_inputs_in_a_store(tmp_path: Path, files: Files, options: list[str]) -> None:
    given = send(files, "memory://data")
    expected = augmented(tmp_path, files, *options, name="plain")
    assert run(arguments(files, tmp_path / "out", *options, *given)) == 0
    assert every_file(tmp_path / "out") == expected
    if "--shard" not in options:
        assert run([*to(files, "strict://bucket/out", *options, *given)]) == 0
        assert objects("strict://bucket/out") == visible(expected)
    here = ["--annotations", str(files.annotations)]
    assert run(arguments(files, tmp_path / "half", *options, *given, *here)) == 0
    assert every_file(tmp_path / "half") == expected


@pytest.mark.parametrize("remote", ["targets", "sources", "both"])
@pytest.mark.parametrize("options", [["--workers", "2", "--copies", "12"], ["--shard", "2/3", "--copies", "2"]])
def test_sources_in_a_store(tmp_path: Path, files: Files, remote: str, options: list[str]) -> None:
    """Names of images are alike in both sets, and pixels are not."""
    others = small_set(tmp_path / "others", 7)
    for path in sorted(others.images.iterdir()):
        with Image.open(path) as photo:
            ImageOps.invert(photo.convert("RGB")).save(path)
    here = ["--source-annotations", str(others.annotations), "--source-images", str(others.images)]
    expected = augmented(tmp_path, files, *options, *here, name="plain")
    there = [*options, *(here if remote == "targets" else send(others, "memory://others", "source-"))]
    there += [] if remote == "sources" else send(files, "memory://data")
    assert run(arguments(files, tmp_path / "out", *there)) == 0
    assert every_file(tmp_path / "out") == expected


def test_images_of_a_store_that_are_not_needed_are_not_fetched(tmp_path: Path, files: Files) -> None:
    """Images that no item of the shard is made of may be missing."""
    given = send(files, "memory://data", "source-")
    command = arguments(files, tmp_path / "out", "--shard", "1/12", *given)
    assert run(command) == 0
    before = every_file(tmp_path / "out")
    system = fsspec.filesystem("memory")
    for name in every_file(files.images):
        system.mv(f"/data/train/{name}", f"/away/{name}")
        status = run([*command, "--overwrite"])
        system.mv(f"/away/{name}", f"/data/train/{name}")
        if status:
            break
    else:
        raise AssertionError("no image was needed")
    for other in every_file(files.images):
        if other != name:
            system.rm_file(f"/data/train/{other}")
    assert run([*command, "--overwrite"]) == 0
    assert every_file(tmp_path / "out") == before


def test_files_by_url_are_files(tmp_path: Path, files: Files) -> None:
    plain = augmented(tmp_path, files, name="plain")
    given = ["--annotations", f"file://{files.annotations}", "--images", f"local://{files.images}"]
    assert run([*to(files, f"file://{tmp_path / 'out'}", *given)]) == 0
    assert every_file(tmp_path / "out") == plain


def test_overwrite_deletes_what_was_written_alone(tmp_path: Path, files: Files) -> None:
    system = fsspec.filesystem("strict")
    assert run(to(files, "strict://bucket/out", "--copies", "2", "--shard-images", "5")) == 0
    system.pipe_file("/bucket/out/mine.txt", b"mine")
    assert run(to(files, "strict://bucket/out", "--seed", "4", "--output-format", "voc", "--overwrite")) == 0
    plain = visible(augmented(tmp_path, files, "--seed", "4", "--output-format", "voc", name="plain"))
    assert objects("strict://bucket/out") == plain | {"mine.txt": b"mine"}


def test_sentences_name_urls(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors and warnings about what was fetched name the URL, not where it was fetched to."""
    given = send(files, "memory://data")
    system = fsspec.filesystem("memory")
    first = min(every_file(files.images))
    system.pipe_file(f"/data/train/{first}", b"no image")
    assert run(arguments(files, tmp_path / "x", *given)) == 1
    assert f"copypaste-rs: memory://data/train/{first}: expected an image file" in capsys.readouterr().err
    annotations = files.json
    annotations["annotations"][0]["image_id"] = 999
    system.pipe_file("/data/train.json", json.dumps(annotations).encode())
    run(arguments(files, tmp_path / "y", *given, "--resume"))
    assert "copypaste-rs: warning: memory://data/train.json: left out 1 annotation" in capsys.readouterr().err
    system.pipe_file("/data/train.json", files.annotations.read_bytes()[:-9])
    sources = [each.replace("--", "--source-") for each in given]
    for more in (given, sources):
        assert run(arguments(files, tmp_path / "z", *more)) == 1
        assert "copypaste-rs: memory://data/train.json: cannot be read" in capsys.readouterr().err


def test_what_is_refused(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(command: list[str], status: int, said: str) -> None:
        capsys.readouterr()
        assert run(command) == status
        assert said in (errors := capsys.readouterr().err), errors
        assert "Traceback" not in errors

    out = "strict://bucket/out"
    assert run(to(files, out)) == 0
    before = objects(out)
    refused(to(files, out), 2, f"--output: {out} is not empty; --resume goes on with it, --overwrite replaces it")
    refused(to(files, out, "--resume", "--seed", "1"), 2, "--seed has changed since; --overwrite starts anew")
    refused(to(files, out, "--resume", "--shard-images", "7"), 2, "--shard-images has changed since")
    refused(to(files, out, "--resume", "--overwrite"), 2, "--resume and --overwrite exclude each other")
    fsspec.filesystem("strict").pipe_file("/other/mine.txt", b"mine")
    for more in ([], ["--resume"], ["--overwrite"]):
        refused(to(files, "strict://other", *more), 2, "--output: strict://other: holds other objects; choose another")
    assert objects(out) == before
    refused(to(files, "nosuch://x"), 1, "copypaste-rs: nosuch://x: Protocol not known: nosuch")
    given = send(files, "memory://data")
    refused(arguments(files, tmp_path / "x", "--annotations", "memory://data/no.json", *given[2:]), 1,
            "copypaste-rs: memory://data/no.json: No such object")  # fmt: skip
    fsspec.filesystem("memory").rm_file("/data/train/" + next(iter(every_file(files.images))))
    refused(
        arguments(files, tmp_path / "x", *given), 1, f"memory://data/train/{next(iter(every_file(files.images)))}: No "
    )
    refused(arguments(files, tmp_path / "y", "--annotations", given[1], "--images", "memory://data/train",
                      "--input-format", "voc"), 2, "--input-format: expected coco or lvis where inputs are URLs")  # fmt: skip
    refused(["augment", "--annotations", given[1], "--output", str(tmp_path / "y")], 2,
            "--images: expected the folder of images, as --annotations is a URL")  # fmt: skip
    refused(
        ["stats", "--annotations", given[1]], 2, "--annotations: expected a path, got the URL memory://data/train.json"
    )
    refused(arguments(files, tmp_path / "y", "--source-annotations", given[1]), 2,
            "--source-images: expected the folder of images, as --source-annotations is a URL")  # fmt: skip
    refused(arguments(files, tmp_path / "y", "--source-annotations", given[1], "--source-images", "memory://data/train",
                      "--source-format", "voc"), 2, "--source-format: expected coco or lvis where inputs")  # fmt: skip
    refused(["stats", "--annotations", str(files.annotations), "--source-annotations", given[1]], 2,
            "--source-annotations: expected a path, got the URL memory://data/train.json")  # fmt: skip
