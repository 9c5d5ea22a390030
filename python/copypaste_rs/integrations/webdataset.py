"""Copy-paste in streams of WebDataset: tar files read as samples, and a stage that pastes among neighbours.

Stages are functions of an iterable, so nothing of WebDataset is imported: ``pip install webdataset`` brings it.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypeVar, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.images import read_image
from copypaste_rs.datasets.label_numbers import FIRST, LABELS
from copypaste_rs.datasets.scheduling import Schedule, applied, pasting
from copypaste_rs.datasets.shared_epoch import SharedEpoch
from copypaste_rs.datasets.tables import image_info
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.integrations._drawing import partners, worker
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.copy_paste import ItemTransform
    from copypaste_rs.transforms import SimpleCopyPaste

__all__ = ["CopyPaste", "Decode"]

IMAGES = ("jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp")
"""Endings of images, in the order in which they are looked for."""

KEY, URL = "__key__", "__url__"
"""Names, in WebDataset, of the name of a sample in its tar file, and of that file."""

_WORD = 2**64

T = TypeVar("T")


@final
class Decode:
    """Makes a `Sample` of what is in a tar file: ``WebDataset(urls, shardshuffle=False).map(Decode())``.

    A sample of the tar file is an image, ``KEY.jpg`` or ``KEY.png``, and ``KEY.json`` with the annotations of COCO that
    belong to it: ``{"image": {"id": 7, ...}, "annotations": [{"category_id": 3, "segmentation": ...}, ...]}``, or the
    list of annotations alone. Segmentations have any form that COCO knows. Both may be decoded already, by
    WebDataset's ``decode("rgb8")``.

    ``image_id`` and other fields of the image become the sample's `info`, together with ``__key__`` and ``__url__``,
    the names of sample and tar file.

    Parameters
    ----------
    categories : sequence of dict, optional
        The categories, as COCO files have them: with ``id`` and ``name``.
    labels : {"ids", "from0", "from1"}
        What labels are: ids of the categories, or their places in `categories`, counted from 0 or 1.

    Attributes
    ----------
    categories : list of dict
        The categories, with labels as ids.

    Raises
    ------
    ValueError, TypeError, OSError
        When called with a sample that has no image or no annotations, or wrong ones, of a category that is not there or
        of an image of another size: sample and tar file are named.

    Examples
    --------
    >>> from copypaste_rs.datasets import encode_image
    >>> picture = encode_image(np.zeros((4, 6, 3), np.uint8), "png")
    >>> square = {"category_id": 3, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]]}
    >>> text = json.dumps({"image": {"id": 7}, "annotations": [square]}).encode()
    >>> sample = Decode()({"__key__": "a/0007", "__url__": "train-0.tar", "png": picture, "json": text})
    >>> sample.size, sample.instances.labels, sample.info["image_id"], sample.info["__key__"]
    ((4, 6), array([3]), 7, 'a/0007')
    """

    def __init__(self, categories: Sequence[Mapping[str, Any]] | None = None, *, labels: str = "ids") -> None:
        kind = _checks.choice("labels", labels, LABELS)
        given = [] if categories is None else [dict(each) for each in _checks.items("categories", categories)]
        for i, each in enumerate(given):
            if not isinstance(each.get("id"), int | np.integer):
                raise wrong(("categories", i), "a category with an integer as id", repr(each))
        self._numbers: dict[int, int] | None = None
        if kind in FIRST:
            if not given:
                raise wrong("categories", f"the categories that labels={kind!r} counts", "none")
            self._numbers = {int(each["id"]): i for i, each in enumerate(given, FIRST[kind])}
        self.categories = [{**each, "id": self._label(("categories", i), each["id"])} for i, each in enumerate(given)]

    def __call__(self, sample: Mapping[str, Any]) -> Sample:
        """The sample."""
        if not hasattr(sample, "keys"):
            raise wrong_type("sample", "a dict, as WebDataset gives it", type(sample).__name__)
        key, url = str(sample.get(KEY, "")), str(sample.get(URL, ""))
        where = f"{key} of {url}" if url else key
        ending = next((name for name in IMAGES if name in sample), None)
        content = _parsed(where, sample)
        if ending is None:
            raise wrong(("sample", where), "an image (jpg, png, ...)", _names(sample))
        record, annotations = content
        pixels = _pixels(where, ending, sample[ending])
        h, w = pixels.shape[:2]
        for name, side in (("height", h), ("width", w)):
            if record.get(name, side) != side:
                raise wrong(("sample", where, name), f"{side}, as the image has it", repr(record[name]))
        try:
            instances = Instances.from_coco(annotations, (h, w))
        except (ArgumentError, ArgumentTypeError) as error:
            numbers = error.index if isinstance(error.index, tuple) else () if error.index is None else (error.index,)
            raise error.renamed("sample", (where, error.argument, *numbers)) from None
        if self._numbers is not None and instances.labels is not None:
            numbered = [self._label(("sample", where, i), label) for i, label in enumerate(instances.labels.tolist())]
            instances = instances.replace(labels=np.array(numbered, np.int64))
        return Sample(pixels, instances, _info(record, f"{key}.{ending}", (h, w)) | {KEY: key, URL: url})

    def _label(self, place: tuple[Any, ...], label: int) -> int:
        if self._numbers is None:
            return int(label)
        if label not in self._numbers:
            raise wrong(place, f"one of the {len(self._numbers)} categories", f"category {label}")
        return self._numbers[label]

    def __repr__(self) -> str:
        return f"Decode({len(self.categories)} categories)"


@final
class CopyPaste:
    """A stage of a stream: pastes objects of neighbours into each sample, for ``WebDataset(...).compose(stage)``.

    Each sample that comes in comes out, augmented, in the order in which they came. Its partners are drawn from the
    samples next to it in the same tar file, as many before as after; so the first one has partners too, and an item
    depends neither on the number of workers nor on the order of the tar files. The key of its draws is `seed`, the
    epoch, and its ``__key__``.

    The stage comes after ``map(Decode())``, whose `Sample` it takes, and before ``shuffle``: mixed samples have other
    neighbours in each run. What comes out is what the transform gives, for ``batched(n, collation_fn=...)``.

    Parameters
    ----------
    transform : SimpleCopyPaste, ScaleJitter or ForTraining, optional
        What is done. None where `schedule` says it.
    window : int
        Neighbours among which partners are drawn; so many decoded images are held in memory.
    num_sources : int
        Partners of an item.
    seed : int
        0 to 2^64 - 1.
    across_shards : bool
        Whether neighbours may lie in another tar file, the one that the worker reads before or after: for files of few
        samples. Items then depend on who reads which files in which order.
    schedule : mapping of int to transform, or callable, optional
        Transforms by epoch, as `CopyPasteDataset` takes them.

    Raises
    ------
    ValueError, TypeError
        When an argument is wrong; when called with something that is no `Sample` with a ``__key__``, or, in a worker
        process, with a schedule and no epoch that was set.

    Warns
    -----
    UserWarning
        Once, when a sample has no neighbour with an object, so that nothing is pasted into it.

    Notes
    -----
    `set_epoch`, called before each pass, says which epoch it is, in worker processes too. Where nobody calls it, passes
    are counted, and in worker processes of torch's loaders the loader's seed stands for the epoch, which is drawn from
    torch's generator: each epoch is augmented anew in any case, and ``torch.manual_seed`` makes that reproducible.

    A tar file that comes again within a pass (``resampled=True``) is augmented anew each time.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_data
    >>> photos = [photo.replace(info={"__key__": photo.info["file_name"]}) for photo in sample_data()]
    >>> stage = CopyPaste(SimpleCopyPaste(size=64), seed=1)
    >>> [item.info["__key__"] for item in stage(photos)]
    ['coffee.jpg', 'chelsea.jpg', 'astronaut.jpg', 'coins.jpg', 'rocket.jpg']
    """

    def __init__(
        self,
        transform: ItemTransform[Any] | None = None,
        *,
        window: SupportsIndex = 64,
        num_sources: SupportsIndex = 1,
        seed: SupportsIndex = 0,
        across_shards: bool | np.bool_ = False,
        schedule: Mapping[int, ItemTransform[Any]] | Callable[[int], ItemTransform[Any]] | None = None,
    ) -> None:
        self._schedule = Schedule(transform, schedule)
        self._window = _checks.integer("window", window, 2, 2**31 - 1)
        self._num_sources = _checks.integer("num_sources", num_sources, 1, 1024)
        self._seed = _checks.integer("seed", seed, 0, _WORD - 1)
        self._across_shards = _checks.flag("across_shards", across_shards)
        self._epoch = SharedEpoch()
        self._passes = 0
        self._warned = False

    def set_epoch(self, epoch: SupportsIndex) -> None:
        """Say which epoch it is, 0 to 2^64 - 1; worker processes that were started from here see it at once."""
        self._epoch.set(_checks.integer("epoch", epoch, 0, _WORD - 1))

    def __call__(self, samples: Iterable[Sample]) -> Iterator[Any]:
        """The augmented items."""
        epoch, self._passes = self._number(), self._passes + 1
        transform = self._schedule.at(epoch)
        inner = pasting(transform)
        groups = groupby(_neighbours(samples), key=lambda each: None if self._across_shards else (each.url, each.visit))
        for _, group in groups:
            for held, i in _windows(group, self._window // 2 if inner else 0):
                sample = held[i].sample
                key = (self._seed, epoch, _word(sample.info[KEY], held[i].visit))
                drawn = [] if inner is None else self._partners(inner, held, i, key)
                yield applied(transform, sample, drawn, key)

    def _number(self) -> int:
        """The epoch: that which was set, or the pass, which a worker of torch counts on from the loader's seed."""
        if self._epoch.said:
            return self._epoch.get()
        process = worker()
        if process is None:
            return self._passes
        if not self._schedule.is_constant:
            expected = "set_epoch(epoch) before each pass, as worker processes know no epoch"
            raise wrong("schedule", expected, "none")
        return int(process.seed - process.id + self._passes) % _WORD

    def _partners(
        self, inner: SimpleCopyPaste, held: list[_Neighbour], i: int, key: tuple[int, int, int]
    ) -> list[Sample]:
        able = [j for j, each in enumerate(held) if j != i and each.has_objects]
        if not able:
            if not self._warned:
                self._warned = True
                place = f"{held[i].sample.info[KEY]} of {held[i].url}"
                more = "" if self._across_shards else "; across_shards=True takes them from other tar files too"
                warnings.warn(
                    f"samples: no other one with an object next to {place}, so that nothing is pasted into it{more}",
                    UserWarning,
                    stacklevel=3,
                )
            return []
        return partners(inner, key, self._num_sources, len(able), lambda number: held[able[number]].sample)

    def __repr__(self) -> str:
        return f"CopyPaste({self._schedule!r}, window={self._window}, seed={self._seed})"


class _Neighbour(NamedTuple):
    """A sample, its tar file and how often that was begun before, and whether it can be a partner."""

    sample: Sample
    url: str
    visit: int
    has_objects: bool


def _neighbours(samples: Iterable[Sample]) -> Iterator[_Neighbour]:
    """Samples with what is asked of them again and again, checked."""
    begun: dict[str, int] = {}
    last = None
    for number, sample in enumerate(samples):
        if not isinstance(sample, Sample):
            raise wrong_type(("samples", number), "a Sample, as map(Decode()) makes it", type(sample).__name__)
        if not isinstance(sample.info.get(KEY), str):
            raise wrong(("samples", number), f"a Sample with the text {KEY} in its info, as Decode puts it", "none")
        if (url := str(sample.info.get(URL, ""))) != last:
            begun[url] = begun.get(url, -1) + 1
            last = url
        yield _Neighbour(sample, url, begun[url], len(sample.instances.without_crowds()) > 0)


def _windows(items: Iterable[T], half: int) -> Iterator[tuple[list[T], int]]:
    """For each item the list of those around it, `half` on either side as far as there are any, and its place in it."""
    held: deque[T] = deque()
    i = 0
    for each in items:
        held.append(each)
        if len(held) > i + half:
            yield list(held), i
            if i == half:
                held.popleft()
            else:
                i += 1
    while i < len(held):
        yield list(held), i
        if i == half:
            held.popleft()
        else:
            i += 1


def _word(key: str, visit: int) -> int:
    """A word of a sample's name; another one for each time that it comes."""
    text = key if not visit else f"{visit}\0{key}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _parsed(where: str, sample: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The image as the annotations describe it, and its objects."""
    if "json" not in sample:
        raise wrong(("sample", where), "annotations (json)", _names(sample))
    content = sample["json"]
    place = ("sample", where, "json")
    if isinstance(content, bytes | str):
        try:
            content = json.loads(content)
        except ValueError as error:
            raise wrong(place, "JSON", f"{content[:40]!r}: {error}") from None
    record, annotations = {}, content
    if isinstance(content, dict):
        record, annotations = content.get("image", {}), content.get("annotations")
    if not isinstance(annotations, list) or not isinstance(record, dict):
        expected = 'a list of annotations, or {"image": {...}, "annotations": [...]}'
        raise wrong(place, expected, f"{type(content).__name__} {_names(content)}".strip())
    return record, annotations


def _pixels(where: str, ending: str, content: Any) -> NDArray[Any]:
    """The image, decoded where it is not."""
    if isinstance(content, bytes):
        return read_image(f"{where}: {ending}", options=ImageOptions(), content=content)
    if isinstance(content, np.ndarray) and content.ndim in (2, 3) and content.shape[-1:] != (0,):
        return content
    expected = "an image file, or an array (H, W, C) as decode('rgb8') makes it"
    raise wrong_type(("sample", where, ending), expected, type(content).__name__)


def _info(record: Mapping[str, Any], name: str, size: tuple[int, int]) -> dict[str, Any]:
    """Fields of the image, as data sets have them in the info of a sample."""
    number = record.get("id")
    fields = {"file_name": name, **record, "id": 0, "height": size[0], "width": size[1]}
    info = image_info(json.dumps(fields).encode(), 0)
    if number is None:
        del info["image_id"]
        return info
    return info | {"image_id": number}


def _names(sample: Any) -> str:
    return ", ".join(name for name in sample if not name.startswith("__")) if hasattr(sample, "keys") else ""
