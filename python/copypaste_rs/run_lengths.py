"""Run lengths as they are given: checked, and made canonical."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._ragged import offsets_of
from copypaste_rs.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import Place


def integers(name: Place, values: ArrayLike, high: int) -> NDArray[Any]:
    """`values` as a one-dimensional array of integers from 0 to `high`."""
    array = _checks.converted(name, values, "a one-dimensional array")
    if array.ndim != 1:
        raise wrong(name, "a one-dimensional array", f"shape {array.shape}")
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise wrong_type(name, "integers", f"dtype {array.dtype}")
    if array.min() < 0 or array.max() > high:
        raise wrong(name, f"numbers from 0 to {high}", f"{array.min()} to {array.max()}")
    return array


def canonical(
    size: tuple[int, int], counts: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Check that the runs of every mask fill it, and merge what a run of zero splits."""
    pixels = size[0] * size[1]
    total = np.zeros(len(counts) + 1, np.uint64)
    np.cumsum(counts, out=total[1:])
    sums = np.diff(total[offsets])
    unequal = np.flatnonzero(sums != pixels)
    if len(unequal):
        i = unequal[0]
        raise wrong("counts", f"counts of mask {i} that sum to {pixels} for size {size}", str(sums[i]))
    zero = counts == 0
    zero[offsets[:-1][offsets[:-1] < len(counts)]] = False
    if pixels > 0 and not zero.any():
        return counts, offsets
    runs = [_merge_zero_runs(counts[a:b], pixels) for a, b in itertools.pairwise(offsets)]
    merged = np.concatenate([*runs, np.zeros(0, np.int64)]).astype(np.uint32)
    return merged, offsets_of(np.array([len(run) for run in runs], np.int64))


def _merge_zero_runs(runs: NDArray[np.uint32], pixels: int) -> NDArray[np.int64]:
    # A mask is the sorted pixels at which it changes; a pixel named twice does not change at all.
    toggles, times = np.unique(np.cumsum(runs[:-1], dtype=np.int64), return_counts=True)
    toggles = toggles[(times % 2 == 1) & (toggles < pixels)]
    merged: NDArray[np.int64] = np.diff(toggles, prepend=0, append=pixels)
    return merged


def coco_runs(
    objects: Iterable[Mapping[str, Any]], size: tuple[int, int]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Runs of COCO dicts, and the offsets of each mask among them."""
    parts: list[NDArray[Any]] = []
    strings: list[bytes | str] = []
    where: list[int] = []
    for i, item in enumerate(_checks.items("objects", objects)):
        counts = _coco_counts(("objects", i), item, size)
        if isinstance(counts, bytes | str):
            strings.append(counts)
            where.append(i)
            parts.append(np.zeros(0, np.uint32))
        else:
            place = ("objects", i, "counts")
            runs = integers(place, counts, _checks.MAX_PIXELS)
            if (total := int(runs.sum(dtype=np.uint64))) != size[0] * size[1]:
                raise wrong(place, f"counts that sum to {size[0] * size[1]} for size {size}", str(total))
            parts.append(runs.astype(np.uint32))
    if strings:
        try:
            runs, offsets = parsed_counts(strings, size)
        except (ArgumentError, ArgumentTypeError) as error:
            if not isinstance(error.index, int):
                raise
            raise error.renamed("objects", (where[error.index], "counts")) from None
        for k, i in enumerate(where):
            parts[i] = runs[offsets[k] : offsets[k + 1]]
    return np.concatenate([np.zeros(0, np.uint32), *parts]), offsets_of([len(part) for part in parts])


def parsed_counts(
    strings: Sequence[bytes | str], size: tuple[int, int]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Runs of compressed counts, and the offsets of each mask among them; the size is checked."""
    from copypaste_rs import _core

    return _core.parse_counts(_checks.counts_strings("strings", strings), size)


def _coco_counts(name: Place, item: Mapping[str, Any], size: tuple[int, int]) -> Any:
    """Counts of a COCO dict for masks of a size: bytes, str, or what should be a sequence of integers."""
    if not isinstance(item, Mapping) or "counts" not in item or "size" not in item:
        raise wrong_type(name, "a dict with 'size' and 'counts'", type(item).__name__)
    place = _checks.item(name, "size")
    if (given := _checks.size(place, item["size"], 0, _checks.MAX_PIXELS)) != size:
        raise wrong(place, str(size), str(given))
    counts = item["counts"]
    # Before anything is taken for a sequence of numbers: bytes are one too.
    return bytes(counts) if isinstance(counts, bytearray | memoryview) else counts


def starts_lengths_runs(
    text: str | Iterable[str], size: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Runs of texts "start length start length ...", and the offsets of each mask among them; runs may be zero."""
    texts = [text] if isinstance(text, str) else list(_checks.items("text", text))
    toggles = _all_toggles(texts, size)
    if toggles is None:  # something is wrong: where?
        for i, each in enumerate(texts):
            _pairs("text" if isinstance(text, str) else ("text", i), each, size)
        raise AssertionError
    # A mask is its toggles between the first pixel and the end of the image.
    places, offsets = toggles
    behind = offsets_of(np.diff(offsets) + 2)
    bounds = np.zeros(len(places) + 2 * len(texts), np.int64)
    bounds[behind[1:] - 1] = size[0] * size[1]
    is_place = np.ones(len(bounds), np.bool_)
    is_place[behind[:-1]] = is_place[behind[1:] - 1] = False
    bounds[is_place] = places
    runs = np.diff(bounds)
    is_run = np.ones(len(runs), np.bool_)
    is_run[behind[1:-1] - 1] = False
    return runs[is_run], offsets_of(np.diff(offsets) + 1)


def _all_toggles(texts: Sequence[object], size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """First pixel of each run and the one behind its last, counted from 0, and their offsets; None for wrong texts."""
    words: list[str] = []
    lengths = []
    for text in texts:
        if not isinstance(text, str) or _DIGITS.fullmatch(text) is None:
            return None
        found = text.split()
        lengths.append(len(found))
        words += found
    if max(map(len, words), default=0) > _MOST_DIGITS or any(length % 2 for length in lengths):
        return None
    pairs = np.fromiter(map(int, words), np.int64, len(words)).reshape(-1, 2)
    ends = pairs.sum(axis=1)
    before = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    offsets = offsets_of(lengths)
    before[offsets[:-1][np.diff(offsets) > 0] // 2] = 0
    if (pairs < 1).any() or (ends - 1 > size[0] * size[1]).any() or (pairs[:, 0] < before).any():
        return None
    return np.stack([pairs[:, 0], ends], axis=1).ravel() - 1, offsets


def _pairs(place: Place, text: object, size: tuple[int, int]) -> None:
    """Raise for a text that is no starts and lengths."""
    if not isinstance(text, str):
        raise wrong_type(place, "a str of starts and lengths", type(text).__name__)
    words = text.split()
    for k, word in enumerate(words):
        # int() takes more for a number, and takes long for a long one.
        if not (word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS):
            raise wrong(_checks.item(place, k // 2), "a start and a length of digits", repr(word[:20]))
    if len(words) % 2:
        raise wrong(_checks.item(place, len(words) // 2), "a start and a length", f"{words[-1]!r} alone")
    pairs = np.array([int(word) for word in words], np.int64).reshape(-1, 2)
    ends = pairs.sum(axis=1)
    pixels = size[0] * size[1]
    for unfit, expected in (
        ((pairs < 1).any(axis=1), "a start and a length of at least 1"),
        (ends - 1 > pixels, f"pixels up to {pixels}, the last one of size {size}"),
        (pairs[:, 0] < np.concatenate([pairs[:1, 0], ends[:-1]]), "a start behind the pair before"),
    ):
        if unfit.any():
            k = int(np.flatnonzero(unfit)[0])
            raise wrong(_checks.item(place, k), expected, f"'{words[2 * k]} {words[2 * k + 1]}'")


def starts_lengths_texts(counts: NDArray[np.uint32], offsets: NDArray[np.int64]) -> list[str]:
    """Texts "start length start length ..." of masks, which `starts_lengths_runs` reads; empty ones for empty masks."""
    texts = []
    for begin, end in itertools.pairwise(offsets.tolist()):
        runs = counts[begin:end].astype(np.int64)
        lengths = runs[1::2]
        starts = np.cumsum(runs)[: 2 * len(lengths) : 2] + 1
        texts.append(" ".join(map(str, np.stack([starts, lengths], axis=1).ravel().tolist())))
    return texts


_MOST_DIGITS = len(str(_checks.MAX_PIXELS))
_DIGITS = re.compile(r"[0-9\s]*")
