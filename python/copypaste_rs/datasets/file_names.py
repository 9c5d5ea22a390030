"""Names of image files as annotation files have them, and the files that they mean."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from copypaste_rs.datasets.image_files import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def name_of(image: Mapping[str, Any]) -> str | None:
    """File name of an image record: its own, or the end of its URL, as LVIS has it; None where it has neither."""
    name, url = image.get("file_name"), image.get("coco_url")
    if name is None and isinstance(url, str):
        return PurePosixPath(unquote(urlsplit(url).path)).name or None
    return name if isinstance(name, str) else None


def possible_names(image: Mapping[str, Any], folder: Path) -> list[str]:
    r"""Names below `folder` that an image record may mean, the likeliest first; none that leads out of it.

    As it stands; of an absolute path, what is below the folder; with the separators of Windows read as such; with what
    percent signs encode; without the name of the folder itself, where it begins with that; and, of a URL, the last two
    parts: a split and a file in it.

    Examples
    --------
    >>> possible_names({"file_name": r"train\a%20b.png"}, Path("data"))
    ['train\\a%20b.png', 'train/a%20b.png', 'train\\a b.png', 'train/a b.png']
    >>> possible_names({"file_name": "images/a.png"}, Path("data/images"))
    ['images/a.png', 'a.png']
    """
    name, url = name_of(image) or "", image.get("coco_url")
    found = [name, *_below(name, folder)]
    if "\\" in name:
        found.append(name.replace("\\", "/"))
    if "%" in name:
        found += [unquote(each) for each in found]
    for each in list(found):
        first, _, rest = each.replace("\\", "/").partition("/")
        if rest and first == folder.name:
            found.append(rest)
    if isinstance(url, str):
        found.append("/".join(PurePosixPath(unquote(urlsplit(url).path)).parts[-2:]))
    return [each for each in dict.fromkeys(found) if is_inside(each)]


def _below(name: str, folder: Path) -> list[str]:
    """Path below the folder that an absolute path means, whether or not it goes there by links."""
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        if path.is_absolute():
            folders = [kind(str(each)) for each in (folder.absolute(), folder.resolve())]
            return [path.relative_to(each).as_posix() for each in folders if path.is_relative_to(each)]
    return []


def find_file(image: Mapping[str, Any], folder: Path, is_file: Callable[[Path], bool] = Path.is_file) -> Path:
    """File that an image record means: of several possible names the first that is there, else as it stands.

    Whether one is there, `is_file` says.
    """
    names = possible_names(image, folder)
    if len(names) > 1:
        for name in names:
            if is_file(folder / name):
                return folder / name
    return folder / (names[0] if names else "")


def check_there(paths: Iterable[Path], named_by: str) -> None:
    """Raise a FileNotFoundError about the first of these files that is not there, with the number of the others."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        others = len(missing) - 1
        also = f", nor {'is there 1 other' if others == 1 else f'are there {others} others'} that {named_by}"
        raise FileNotFoundError(f"{missing[0]}: no such file{also if others else ''}")
