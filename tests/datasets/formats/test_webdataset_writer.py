"""Tar files of samples against tarfile and the package webdataset; each whole or not at all, whatever happens."""

from __future__ import annotations

import gc
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.cli.writers import WRITTEN
from copypaste_rs.datasets import CocoWriter, Shard, WebdatasetWriter, open_dataset
from copypaste_rs.errors import ArgumentError
from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import arguments, augmented, run
from tests.fixtures.limits import room_for
from tests.fixtures.shards import make_shards, merged

CATEGORIES = [{"id": 1, "name": "square"}, {"id": 2, "name": "ring"}]
STATE = ".copypaste-rs"


def sample(n: int) -> Sample:
    squares = [[[4 + k, 5, 14 + k, 5, 14 + k, 16, 4 + k, 16]] for k in range(n)]
    masks = RleMasks.from_polygons(squares, (20, 30))
    instances = Instances(masks=masks, labels=np.arange(n) % 2 + 1, score=np.arange(n) / 4)
    return Sample(np.full((20, 30, 3), 90 + n, np.uint8), instances, {"image_id": 70 + n, "file_name": f"a.{n}.b.jpg"})


SAMPLES = [sample(n) for n in (2, 0, 1, 3, 2, 0, 1)]


def write(root: Path, tar_samples: int, samples: list[Sample] = SAMPLES, **options: Any) -> int:
    with WebdatasetWriter(root, CATEGORIES, tar_samples=tar_samples, **options) as writer:
        done = len(writer)
        for one in samples[done:]:
            writer.write(one)
    return done


def visible(root: Path) -> dict[str, bytes]:
    return {name: data for name, data in every_file(root).items() if not name.startswith(STATE)}


@pytest.mark.parametrize("tar_samples", [1, 3, 7, 100])
def test_tar_files_are_those_of_tarfile(tmp_path: Path, tar_samples: int) -> None:
    """To the byte, where members have no owner, no time, and the plain mode."""
    write(tmp_path / "tars", tar_samples, format="png")
    with CocoWriter(tmp_path / "coco", CATEGORIES, format="png") as writer:
        for one in SAMPLES:
            writer.write(one)
    coco = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    expected: dict[str, bytes] = {}
    for start in range(0, len(SAMPLES), tar_samples):
        name = f"{start // tar_samples:06d}.tar"
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for image in coco["images"][start : start + tar_samples]:
                image["tar"] = name
                rows = [each for each in coco["annotations"] if each["image_id"] == image["id"]]
                fields = [{key: value for key, value in row.items() if key != "id"} for row in rows]
                text = json.dumps({"image": image, "annotations": fields}, separators=(",", ":")).encode()
                picture = (tmp_path / "coco" / "images" / image["file_name"]).read_bytes()
                for suffix, content in ((".png", picture), (".json", text)):
                    member = tarfile.TarInfo(Path(image["file_name"]).stem + suffix)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
        expected[name] = buffer.getvalue()
    found = visible(tmp_path / "tars")
    assert json.loads(found.pop("annotations.json")) == coco  # whose images name their tar file now
    assert found == expected


def test_pycocotools_loads_the_annotation_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, 3)
    coco = COCO(str(tmp_path / "annotations.json"))
    assert [len(coco.imgToAnns[number]) for number in range(1, 8)] == [2, 0, 1, 3, 2, 0, 1]
    assert sorted(coco.anns) == list(range(1, 10))
    for number in coco.imgs:
        for k, row in enumerate(coco.imgToAnns[number]):
            assert np.array_equal(coco.annToMask(row), SAMPLES[number - 1].instances.masks[k].to_dense()[0])
    capsys.readouterr()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_the_package_webdataset_streams_them(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    write(tmp_path, 3, format="png")
    stream = webdataset.WebDataset(f"{tmp_path}/{{000000..000002}}.tar", shardshuffle=False).decode("rgb8")
    found = list(stream)
    del stream
    gc.collect()  # it leaves files open
    assert [each["__key__"] for each in found] == [f"{number:012d}" for number in range(1, 8)]
    for one, each in zip(SAMPLES, found, strict=True):
        assert np.array_equal(each["png"], one.image)
        assert each["json"]["image"]["source_file_name"] == one.info["file_name"]
        assert [row["category_id"] for row in each["json"]["annotations"]] == one.instances.labels.tolist()  # type: ignore[union-attr]


# -- cut off -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", range(7))
def test_a_run_that_was_cut_off_goes_on_after_the_last_whole_file(tmp_path: Path, written: int) -> None:
    write(tmp_path / "whole", 3)
    writer = WebdatasetWriter(tmp_path / "out", CATEGORIES, tar_samples=3)
    for one in SAMPLES[:written]:
        writer.write(one)
    assert len(writer) == written
    assert set(visible(tmp_path / "out")) == {f"{i:06d}.tar" for i in range(written // 3)}
    writer._let_go()  # as where the process is gone
    assert write(tmp_path / "out", 3, resume=True) == written // 3 * 3
    assert every_file(tmp_path / "out") == every_file(tmp_path / "whole")
    assert write(tmp_path / "out", 3, resume=True) == 7


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    write(tmp_path / "out", 3)
    whole = every_file(tmp_path / "out")
    (tmp_path / "out" / "000001.tar").write_bytes(b"x")
    assert write(tmp_path / "out", 3, resume=True) == 3
    assert every_file(tmp_path / "out") == whole


def check_named(error: OSError, folder: Path) -> None:
    assert folder in Path(error.filename).parents


@pytest.mark.parametrize("size", [*range(100, 21000, 1511)])
def test_a_full_disk(tmp_path: Path, size: int) -> None:
    write(tmp_path / "whole", 3)
    try:
        with room_for(size):
            write(tmp_path / "out", 3)
    except OSError as error:
        check_named(error, tmp_path / "out")
    there = visible(tmp_path / "out") if (tmp_path / "out").exists() else {}
    assert there.items() <= visible(tmp_path / "whole").items()
    write(tmp_path / "out", 3, resume=True)
    assert every_file(tmp_path / "out") == every_file(tmp_path / "whole")


def test_what_is_refused(tmp_path: Path) -> None:
    for wrong in (0, 10**6 + 1):
        with pytest.raises(ArgumentError, match="tar_samples: expected an integer from 1 to 1000000"):
            WebdatasetWriter(tmp_path / "out", CATEGORIES, tar_samples=wrong)
    with pytest.raises(ArgumentError, match="shard: expected one whose unit is 3"):
        WebdatasetWriter(tmp_path / "out", CATEGORIES, tar_samples=3, shard=Shard(1, 2, 7))
    assert not (tmp_path / "out").exists()
    write(tmp_path / "out", 3, SAMPLES[:4])
    with (
        pytest.raises(ValueError, match=r"000001\.tar: is finished with fewer samples; overwrite starts anew"),
        WebdatasetWriter(tmp_path / "out", CATEGORIES, tar_samples=3, resume=True) as writer,
    ):
        writer.write(SAMPLES[4])
    with (
        pytest.raises(ArgumentError, match="file_name: expected none, as samples of tar files are numbered"),
        WebdatasetWriter(tmp_path / "named", CATEGORIES) as writer,
    ):
        writer.write(SAMPLES[0], "b.jpg")
    with pytest.raises(ValueError, match="expected another format than webdataset, whose tar files are streamed"):
        open_dataset(tmp_path, format="webdataset")


# -- the command line ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_have_whole_tar_files(tmp_path: Path, files: Files, count: int) -> None:
    options = ["--output-format", "webdataset", "--tar-samples", "5", "--copies", "2"]
    plain = augmented(tmp_path, files, *options, "--workers", "2", name="plain")
    assert sorted(name for name in plain if name.endswith(".tar")) == [f"{i:06d}.tar" for i in range(5)]
    roots = make_shards(files, tmp_path, count, *options)
    assert merged(roots[::-1], tmp_path / "linked") == plain
    assert merged(roots, tmp_path / "copied", "--copy") == plain
    assert run(arguments(files, tmp_path / "linked", *options, "--resume")) == 0
    assert every_file(tmp_path / "linked") == plain


def test_convert_keeps_image_files(tmp_path: Path, files: Files) -> None:
    """Under numbers, as a name with several dots would be cut at the first; the fields have it."""
    command = ["convert", "--input", str(files.annotations), "--images", str(files.images), "--output-format",
               "webdataset", "--output", str(tmp_path / "out")]  # fmt: skip
    assert run(command) == 0
    photos = open_dataset(files.annotations, files.images)
    with tarfile.open(tmp_path / "out" / "000000.tar") as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]
    for i in range(len(photos)):
        text = json.loads(members[f"{i + 1:012d}.json"])
        path = photos.path(i)
        assert members[f"{i + 1:012d}{path.suffix}"] == path.read_bytes()
        assert text["image"]["source_file_name"] == path.name
        with Image.open(io.BytesIO(members[text["image"]["file_name"]])) as image:
            assert image.size == (text["image"]["width"], text["image"]["height"])


def test_tar_samples_of_another_format(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert "webdataset" in WRITTEN
    assert run(arguments(files, tmp_path / "out", "--tar-samples", "5")) == 2
    assert "--tar-samples: expected none, as coco has no tar files" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
