"""Writers of formats with several files an item: an item counts whole or not at all, and only what is ours goes."""

from __future__ import annotations

import errno
import json
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.datasets import CocoWriter
from copypaste_rs.datasets.encoding import encode_sample
from copypaste_rs.datasets.images import encode_image
from copypaste_rs.datasets.output import OtherSettingsError
from copypaste_rs.errors import ArgumentError
from tests.fixtures import pair_writers
from tests.fixtures.limits import room_for
from tests.fixtures.pair_writers import CATEGORIES, SAMPLES, BesideWriter, PairWriter, TableWriter, sample, write_on

pytestmark = pytest.mark.filterwarnings("ignore:.*not held by the format:UserWarning")

ROOT = Path(__file__).parents[2]
STATE = ".copypaste-rs"
FILES = ["empty", "images", "images/all", "labels", "lists", "lists/all.txt", "names.txt"]
"""What an output without items has."""


def every_file(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def visible(folder: Path) -> list[str]:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    return sorted(name for name in names if not name.startswith(STATE))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert write_on(folder) == 0
    return every_file(folder)


def test_all_files_of_items_and_of_the_end(whole: dict[str, bytes]) -> None:
    texts = ["0 49\n1 56\n", "", "0 49\n", "0 49\n1 56\n0 63\n"]
    expected = {f"labels/{k:012d}.txt": text.encode() for k, text in enumerate(texts, 1)}
    expected |= {f"images/all/{k:012d}.jpg": encode_image(one.image, "jpg", 95) for k, one in enumerate(SAMPLES, 1)}
    expected["names.txt"] = b"square\nring\n"
    expected["lists/all.txt"] = b"".join(b"%012d.jpg\n" % k for k in range(1, 5))
    assert {name: data for name, data in whole.items() if not name.startswith(STATE)} == expected


# -- cut off ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("placements", range(9))
def test_a_run_that_was_killed_between_files_goes_on(tmp_path: Path, whole: dict[str, bytes], placements: int) -> None:
    """The settings are the first file that is put in place, then label and image of each item."""
    command = [sys.executable, "-m", pair_writers.__name__, str(tmp_path), str(placements)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9
    images = {path.stem for path in tmp_path.rglob("*.jpg")}
    assert len(images) == max(placements - 1, 0) // 2
    assert images <= {path.stem for path in tmp_path.rglob("*.txt")}  # no image without its label
    assert write_on(tmp_path) == len(images)
    assert every_file(tmp_path) == whole


@pytest.mark.parametrize("placements", range(9))
def test_what_a_killed_run_has_left_is_overwritten(tmp_path: Path, placements: int) -> None:
    command = [sys.executable, "-m", pair_writers.__name__, str(tmp_path), str(placements)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9
    PairWriter(tmp_path, CATEGORIES, overwrite=True, format="png").close()
    assert visible(tmp_path) == FILES


@pytest.mark.parametrize("name", ["labels/000000000002.txt", "images/all/000000000002.jpg"])
@pytest.mark.parametrize("damage", ["gone", "short", "changed"])
def test_an_item_counts_when_all_of_its_files_are_whole(
    tmp_path: Path, whole: dict[str, bytes], name: str, damage: str
) -> None:
    write_on(tmp_path)
    path = tmp_path / name
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data + b"x" if damage == "changed" else data[:-1] or b"x")
    assert write_on(tmp_path) == 1
    assert every_file(tmp_path) == whole


def items_after(folder: Path, error: OSError) -> int:
    """Check what is said, and what is there, after the disk was full; the number of items."""
    assert error.errno == errno.EFBIG
    assert folder in Path(error.filename).parents
    images = sorted(path.stem for path in folder.rglob("*.jpg"))
    assert images == sorted(path.stem for path in (folder / "labels").rglob("*.txt"))
    assert not (folder / STATE / "partial").exists()
    log = folder / STATE / "records"
    records = log.read_bytes().splitlines() if log.exists() else []  # not even the settings may be there
    assert [Path(json.loads(line)["file"]).stem for line in records] == images
    return len(images)


@pytest.mark.parametrize("size", [*range(100, 1100, 37), *range(1100, 1500, 97)])
def test_a_full_disk(tmp_path: Path, whole: dict[str, bytes], size: int) -> None:
    try:
        with room_for(size):
            write_on(tmp_path)
    except OSError as error:
        there = items_after(tmp_path, error)
    else:
        there = 4
        assert size > max(map(len, whole.values())) - 1
    assert write_on(tmp_path) == there
    assert every_file(tmp_path) == whole


def test_a_failure_between_the_files_takes_back_the_first(tmp_path: Path) -> None:
    with PairWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample())
        (tmp_path / "images/all/folder.jpg").mkdir()
        with pytest.raises(FileExistsError, match=r"folder\.jpg: is there already, and not by this run; move it away"):
            writer.write(sample(), "folder.jpg")
        blocked = tmp_path / "images/all/x"
        blocked.write_text("mine")
        with pytest.raises(OSError, match="x"):
            writer.write(sample(), "x/1.jpg")  # its label can be put in place
        assert len(writer) == 1
    assert [path.name for path in (tmp_path / "labels").rglob("*.txt")] == ["000000000001.txt"]
    assert blocked.read_text() == "mine"


# -- what is not ours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["labels/000000000001.txt", "images/all/000000000001.jpg", "names.txt"])
def test_a_file_of_somebody_else_is_never_replaced(tmp_path: Path, name: str) -> None:
    writer = PairWriter(tmp_path, CATEGORIES)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")

    def run() -> None:
        with writer:
            writer.write(sample())

    with pytest.raises(FileExistsError, match=f"{name}: is there already, and not by this run"):
        run()
    PairWriter(tmp_path, CATEGORIES, overwrite=True)._let_go()
    assert (tmp_path / name).read_text() == "mine"
    assert [path for path in visible(tmp_path) if (tmp_path / path).is_file()] == [name]


def test_a_file_of_somebody_else_is_not_replaced_by_a_coco_image(tmp_path: Path) -> None:
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        (tmp_path / "images").mkdir()
        mine = tmp_path / "images" / "000000000001.jpg"
        mine.write_text("mine")
        with pytest.raises(FileExistsError, match=r"000000000001\.jpg: is there already, and not by this run"):
            writer.write(sample())
        assert writer.write(sample(), "other.jpg") == 1
    CocoWriter(tmp_path, CATEGORIES, overwrite=True).close()
    assert mine.read_text() == "mine"


def test_overwriting_deletes_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    with PairWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(), "a/b/1.jpg")
        writer.write(sample(), "2.jpg")
    mine = ["annotations.json", "labels/mine.txt", "images/all/a/mine.txt", "lists/mine"]
    for name in mine:
        (tmp_path / name).write_text("mine")
    (tmp_path / "images/all/mine").mkdir()
    PairWriter(tmp_path, CATEGORIES, overwrite=True)._let_go()
    there = visible(tmp_path)
    assert [name for name in there if (tmp_path / name).is_file()] == sorted(mine)
    assert "images/all/mine" in there
    assert "images/all/a/b" not in there


def test_a_link_to_a_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    out = tmp_path / "out"
    PairWriter(out, CATEGORIES, resume=True).close()
    (out / "labels").rmdir()
    (out / "labels").symlink_to(tmp_path / "disk")
    write_on(out)
    assert len(list((tmp_path / "disk").iterdir())) == 4
    PairWriter(out, CATEGORIES, overwrite=True).close()
    assert (out / "labels").is_symlink()
    assert list((tmp_path / "disk").iterdir()) == []


# -- from one format to another --------------------------------------------------------------------------------------

WRITERS: list[Any] = [CocoWriter, PairWriter, TableWriter, BesideWriter]


@pytest.mark.parametrize("first", WRITERS)
@pytest.mark.parametrize("then", WRITERS)
def test_a_run_goes_on_in_its_format_alone_and_any_replaces_it(tmp_path: Path, first: Any, then: Any) -> None:
    with first(tmp_path / "out", CATEGORIES) as writer:
        writer.write(sample(), "a/1.jpg")
    before = every_file(tmp_path / "out")
    with pytest.raises(FileExistsError, match="exists already and is not empty"):
        then(tmp_path / "out", CATEGORIES)
    if first is then:
        with then(tmp_path / "out", CATEGORIES, resume=True) as writer:
            assert len(writer) == 1
    else:
        with pytest.raises(OtherSettingsError, match=r"output_format was '.*' and is '.*'") as caught:
            then(tmp_path / "out", CATEGORIES, resume=True)
        assert caught.value.names == ("output_format",)
    assert every_file(tmp_path / "out") == before
    for folder in ("out", "fresh"):
        with then(tmp_path / folder, CATEGORIES, overwrite=True) as writer:
            writer.write(sample())
    assert every_file(tmp_path / "out") == every_file(tmp_path / "fresh")


@pytest.mark.parametrize("name", ["images/all", "labels", "empty"])
def test_a_file_where_a_folder_should_be_is_found_at_the_start(tmp_path: Path, name: str) -> None:
    PairWriter(tmp_path, CATEGORIES).close()
    (tmp_path / name).rmdir()
    (tmp_path / name).write_text("x")
    with pytest.raises(FileExistsError, match=f"{name}: expected a folder, got a file"):
        PairWriter(tmp_path, CATEGORIES, resume=True)


def test_notes_of_coco_have_the_form_that_they_always_had(tmp_path: Path) -> None:
    """Outputs that are on disk go on."""
    with CocoWriter(tmp_path, CATEGORIES, settings={"seed": 1}) as writer:
        writer.write(sample(1), "a/1.jpg")
    record = json.loads((tmp_path / STATE / "records").read_text())
    assert list(record) == ["file", "size", "crc", "annotations", "image_json", "annotations_json"]
    assert (tmp_path / STATE / "names").read_text() == "a/1.jpg\n"
    assert list(json.loads((tmp_path / STATE / "settings").read_text())) == ["format", "quality", "categories", "seed"]


# -- names -----------------------------------------------------------------------------------------------------------


def test_further_files_are_those_of_one_item(tmp_path: Path) -> None:
    writer = PairWriter(tmp_path, CATEGORIES)
    writer.write(sample(), "a.jpg")
    for again in range(2):
        message = r"^file_name: expected a name whose files are not taken yet, got 'a.jpeg', and 'labels/a.txt' is "
        with pytest.raises(ArgumentError, match=message):
            writer.write(sample(), "a.jpeg")
        writer.close()
        if again == 0:
            writer = PairWriter(tmp_path, CATEGORIES, resume=True)
    assert len(writer) == 1


@pytest.mark.parametrize("name", ["all.jpg", "lists/all.jpg"])
def test_an_item_is_no_file_of_the_end(tmp_path: Path, name: str) -> None:
    with BesideWriter(tmp_path, CATEGORIES) as writer, pytest.raises(ArgumentError, match="are not taken yet"):
        writer.write(sample(), name)


def test_an_item_is_not_among_the_notes(tmp_path: Path) -> None:
    with BesideWriter(tmp_path, CATEGORIES) as writer:
        for name in (f"{STATE}/x.jpg", f"{STATE.upper()}/x.jpg"):
            with pytest.raises(ArgumentError, match=r"^file_name: expected a name outside the folder of notes"):
                writer.write(sample(), name)


def test_braces_in_a_name_stay(tmp_path: Path) -> None:
    with PairWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(), "{}/{0}.x.jpg")
    assert (tmp_path / "labels/{}/{0}.x.txt").is_file()


def test_items_without_files(tmp_path: Path) -> None:
    for k in range(3):
        with TableWriter(tmp_path, CATEGORIES, resume=True) as writer:
            assert len(writer) == k
            assert writer.write(sample(k), f"{k}.jpg") == k + 1
            with pytest.raises(ArgumentError, match=r"^file_name: expected a name that is not taken yet"):
                writer.write(sample(), "0.jpg")
    assert visible(tmp_path) == ["table.txt"]
    assert (tmp_path / "table.txt").read_text() == "0.jpg 0\n1.jpg 1\n2.jpg 2\n"


# -- remarks and encoders --------------------------------------------------------------------------------------------


def test_what_is_not_held_is_told_once_and_of_all_runs(tmp_path: Path) -> None:
    writer = PairWriter(tmp_path, CATEGORIES)
    for one in SAMPLES[:3]:
        writer.write(one)
    with pytest.warns(UserWarning, match="not held") as said:
        writer.close()
    assert [str(each.message) for each in said] == [f"{tmp_path}: not held by the format: objects of odd area: 2"]
    assert said[0].filename == __file__
    with pytest.warns(UserWarning, match="not held") as said, PairWriter(tmp_path, CATEGORIES, resume=True) as again:
        again.write(SAMPLES[3], sources=[sample(), sample()])
    assert said[0].filename == __file__
    assert [str(each.message) for each in said] == [
        f"{tmp_path}: not held by the format: objects of odd area: 4; sources: 2"
    ]


def test_where_all_is_held_nothing_is_said(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with PairWriter(tmp_path / "pairs", CATEGORIES) as writer:
            writer.write(sample(0))
        with CocoWriter(tmp_path / "coco", CATEGORIES) as other:
            other.write(sample())


def test_a_warning_that_is_an_error_comes_when_all_is_written(tmp_path: Path) -> None:
    writer = PairWriter(tmp_path, CATEGORIES)
    writer.write(sample())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="not held"):
            writer.close()
        writer.close()
    assert (tmp_path / "lists/all.txt").is_file()
    assert write_on(tmp_path) == 1


@pytest.mark.parametrize("kind", WRITERS)
def test_an_encoder_travels(tmp_path: Path, kind: Any) -> None:
    with kind(tmp_path / "a", CATEGORIES) as here, kind(tmp_path / "b", CATEGORIES) as there:
        encode = pickle.loads(pickle.dumps(there.encoder()))
        for one in SAMPLES:
            here.write(one, sources=[one])
            there.write_encoded(pickle.loads(pickle.dumps(encode(one, [one]))))
    assert every_file(tmp_path / "a") == every_file(tmp_path / "b")


def test_what_is_encoded_for_another_format_is_refused(tmp_path: Path) -> None:
    with PairWriter(tmp_path, CATEGORIES) as writer:
        message = "^encoded: expected what the encoder of PairWriter makes, got a sample for the format coco$"
        with pytest.raises(ArgumentError, match=message):
            writer.write_encoded(encode_sample(sample(), format="jpg", quality=90))
        with pytest.raises(ArgumentError, match=r"^sample: expected labels that are among the categories, got 3$"):
            writer.write(sample(1).replace(instances=sample(1).instances.replace(labels=[3])))
    with pytest.raises(ValueError, match=r"^PairWriter: is closed$"):
        writer.write(sample())
    assert visible(tmp_path) == FILES


def test_the_format_is_no_setting_of_a_run(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^settings: expected other names than .*, got 'output_format'$"):
        PairWriter(tmp_path, CATEGORIES, settings={"output_format": "x"})
    assert list(tmp_path.iterdir()) == []
