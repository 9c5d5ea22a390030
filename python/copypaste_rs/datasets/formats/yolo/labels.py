"""Label files of YOLO: a line for each object, its class and the outline as shares of the image."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.formats.yolo.description import classes
from copypaste_rs.datasets.formats.yolo.layout import YoloFiles, label_file, yolo_files
from copypaste_rs.datasets.image_files import is_image_name
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.table_cache import stored_path
from copypaste_rs.datasets.text_encoding import lines_of

if TYPE_CHECKING:
    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables

SLACK = 0.01
"""Share of a side by which the centre of a box may lie outside the image, or its sides be too long, as Ultralytics
has it: outlines that reach a little out of the image are common."""


class Label(NamedTuple):
    """A line of a label file."""

    number: int
    """Number of its class."""
    shares: list[float]
    """x, y, ... of an outline, or x, y of the centre, width and height of a box, as shares of the image."""

    @property
    def is_box(self) -> bool:
        """Whether it is a box without an outline."""
        return len(self.shares) == 4

    def outline(self, size: tuple[int, int]) -> list[float]:
        """The outline in pixels: x, y, ..."""
        h, w = size
        points = [0.0] * len(self.shares)
        points[::2] = [x * w for x in self.shares[::2]]
        points[1::2] = [y * h for y in self.shares[1::2]]
        return points

    def bbox(self, size: tuple[int, int]) -> list[float]:
        """The box in pixels: x, y, width and height, as COCO has it."""
        h, w = size
        x, y, width, height = self.shares
        return [(x - width / 2) * w, (y - height / 2) * h, width * w, height * h]


def read_label(line: str, names: dict[int, str]) -> Label:
    """The object of a line; what is none is a ValueError."""
    words = line.split()
    if len(words) < 5 or len(words) % 2 == 0:
        raise ValueError(_odd_number(len(words)))
    try:
        number, *shares = map(float, words)
    except ValueError:
        raise ValueError(f"expected numbers, got {_no_number(words)!r:.40}") from None
    if not line.isascii() or "_" in line:  # float() takes more for digits
        raise ValueError(f"expected numbers, got {_no_number(words)!r:.40}")
    if number not in names:
        raise ValueError(f"expected {classes(names)}, got {words[0]:.20}")
    box = shares if len(shares) == 4 else _box(shares)
    if math.isnan(sum(shares)) or max(box) > 1 + SLACK or min(box) < -SLACK:
        k = max(range(len(shares)), key=lambda k: math.inf if math.isnan(shares[k]) else abs(shares[k] - 0.5))
        hint = ", as in pixels" if 2 < shares[k] < math.inf else ""
        raise ValueError(f"expected coordinates as shares of the image, from 0 to 1, got {words[k + 1]:.20}{hint}")
    if len(shares) == 4 and min(shares[2:]) < 0:
        raise ValueError(f"expected a width and a height of at least 0, got {' '.join(words[3:])}")
    return Label(int(number), shares)


def _box(shares: list[float]) -> tuple[float, float, float, float]:
    """Centre, width and height of the box of an outline, by which Ultralytics judges it."""
    x0, x1, y0, y1 = min(shares[::2]), max(shares[::2]), min(shares[1::2]), max(shares[1::2])
    return (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0


def _odd_number(n: int) -> str:
    """A line of so many numbers, in words for an error."""
    expected = "expected a class and x, y of at least three points"
    if n == 6:
        return f"{expected}, got 6 numbers: a box with a confidence or a track, as in predictions"
    if n > 6:
        return f"{expected}, got {n} numbers: half a point, or a confidence or a track behind the points"
    return f"{expected}, or a class and the centre, width and height of a box, got {counted(n, 'number', 'numbers')}"


def _no_number(words: list[str]) -> str:
    for word in words:
        try:
            float(word)
        except ValueError:
            return word
        if "_" in word or not word.isascii():
            return word
    return words[0]


def read_yolo(
    name: str,
    data: Path,
    split: str,
    names: tuple[str, ...] | None,
    options: CheckedOptions,
    sources: Sources,
) -> AnnotationTables:
    """Read a split of the set at a path, whose classes may be named by hand.

    Raises
    ------
    OSError
        When a file cannot be read, or the set has no such split.
    ValueError
        When files say what cannot be; of label files with files and lines of up to ten.
    """
    files = yolo_files(data, split, names, sources)
    categories = [{"id": number, "name": each} for number, each in files.names.items()]
    builder = TableBuilder(name, categories, options, sources)
    problems = Problems(name)
    repeated = missing = 0
    expected: set[str] = set()
    for image in files.images:
        size = sources.image_size(image, options.images)
        file_name = image.relative_to(files.folder).as_posix()
        builder.add_image(file_name, size)
        path = label_file(image)
        expected.add(str(path))
        if sources.is_file(path):
            repeated += _read_file(builder, problems, path, sources.read(path), size, files)
        else:
            missing += 1
    problems.tell()
    if repeated:
        builder.skipped.append(counted(repeated, "line that stands twice", "lines that stand twice") + " in its file")
    if missing == len(files.images):
        builder.remarks.append(f"no image has a label file (looked for {label_file(files.images[0])})")
    if others := _without_images(files, expected, sources):
        builder.skipped.append(f"{counted(len(others), 'label file', 'label files')} without an image ({others[0]}"
                               f"{', ...' if others[1:] else ''})")  # fmt: skip
    return builder.finish()._replace(folder=stored_path(files.folder, data))


def _read_file(
    builder: TableBuilder, problems: Problems, path: Path, data: bytes, size: tuple[int, int], files: YoloFiles
) -> int:
    """Read the bytes of a label file; the result is the number of lines that stand there again."""
    try:
        lines = lines_of(path, data)
    except ValueError as error:
        problems.add(*str(error).split(": ", 1))
        return 0
    repeated = 0
    seen: set[tuple[float, ...]] = set()
    for k, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}: line {k}"
        try:
            label = read_label(line, files.names)
            same = (label.number, *label.shares)
            if same in seen:
                repeated += 1
                continue
            seen.add(same)
            if label.is_box:
                builder.add(place, label.number, None, bbox=label.bbox(size))
            else:
                builder.add(place, label.number, [label.outline(size)])
        except ValueError as error:
            problems.add(place, str(error).removeprefix(f"{place}: "))
    return repeated


def _without_images(files: YoloFiles, expected: set[str], sources: Sources) -> list[str]:
    """Label files of these images' own folders that belong to none of them."""
    found: list[str] = []
    for folder in sorted(files.label_folders):
        try:
            names = sources.names_in(Path(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        images = any(map(is_image_name, names))  # text beside images may be anything
        found += [name for name in names if name.endswith(".txt") and name != "classes.txt" and not images
                  and f"{folder}/{name}" not in expected]  # fmt: skip
    return found
