"""Samples to a folder of files: what the writers of all formats share."""

from __future__ import annotations

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypedDict

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import category_ids
from copypaste_rs.datasets.column_names import column_names
from copypaste_rs.datasets.encoding import NO_FILE, EncodedSample
from copypaste_rs.datasets.image_files import is_image_name, is_inside
from copypaste_rs.datasets.images import FORMATS, check_path
from copypaste_rs.datasets.json_values import check_text, json_text
from copypaste_rs.datasets.output import FORMAT, OutputFolder
from copypaste_rs.datasets.places import STATE
from copypaste_rs.datasets.records import noted
from copypaste_rs.datasets.shards import SHARD, Shard
from copypaste_rs.errors import ArgumentError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.places import OutputLayout
    from copypaste_rs.datasets.records import Record
    from copypaste_rs.sample import Sample

_SUFFIXES = {"jpg": (".jpg", ".jpeg"), "png": (".png",), "tif": (".tif", ".tiff")}


class WriterOptions(TypedDict, total=False):
    """Keyword arguments of all writers; `CocoWriter` says what each is."""

    format: str
    quality: int
    overwrite: bool
    resume: bool
    settings: Mapping[str, Any] | None
    integers: Collection[str]
    shard: Shard | None


RENAMED = "names of images that others have too, with a number behind them now"
"""Remark on names that `SampleWriter.write_renamed` has changed."""


class _TakenError(ArgumentError):
    """A name of an image that another image has, or that of a file which belongs to another one."""


class Item(NamedTuple):
    """One item of the output, under the name that it has there."""

    files: dict[str, bytes]
    """Files by their paths below the root, the image last: a file of another kind alone means nothing."""
    image: dict[str, Any]
    """Fields that the files at the end will hold of it, as JSON can hold them."""
    annotations: list[dict[str, Any]]
    """Fields that these will hold of each of its objects."""


class SampleWriter(ABC):
    """Writes samples in some format. A subclass says what the format is; the folder is kept here.

    A subclass has a ``layout``, gives an ``encoder``, and says by ``_ends`` what is written at the end. Where files or
    records of an item hold its name or number, it makes them in ``_item``; what it asks of the categories, it checks in
    ``_prepare``. Options of its own it checks and keeps before it calls ``__init__`` here, and hands them over as
    `options`, since the output depends on them.

    Parameters
    ----------
    directory, categories, format, quality, overwrite, resume, settings, integers, shard
        As of `CocoWriter`.
    options : mapping, optional
        Options of the format, as JSON can hold them: a run is resumed only with the same.
    """

    layout: OutputLayout
    """Layout of the format: of the class, or of an object, set before it calls ``__init__`` here."""
    holds_copies: ClassVar[bool] = True
    """Whether several samples made of one image can be told apart."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        format: str = "jpg",  # noqa: A002 (as in Pillow)
        quality: int = 95,
        overwrite: bool = False,
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
        integers: Collection[str] = (),
        shard: Shard | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        folder = check_path("directory", directory)
        self.format = _checks.choice("format", format, FORMATS)
        self.quality = _checks.integer("quality", quality, 1, 100)
        self.integers = column_names("integers", integers)
        self._category_ids = category_ids("categories", categories)
        self.categories = [dict(category) for category in categories]
        json_text("categories", self.categories)
        more = dict(checked_mapping("settings", {} if settings is None else settings))
        self._options = dict(options or {})
        known = {"format": self.format, "quality": self.quality, "categories": self.categories, **self._options}
        if taken := [name for name in (*known, FORMAT, SHARD) if name in more]:
            raise wrong("settings", f"other names than {', '.join((*known, FORMAT, SHARD))}", repr(taken[0]))
        if shard is not None and not isinstance(shard, Shard):
            raise wrong_type("shard", "a Shard", type(shard).__name__)
        self.shard = shard
        self._prepare()
        self._encode = self.encoder()
        self._output = OutputFolder(
            folder,
            {**known, **more, **({} if shard is None else {SHARD: str(shard)})},
            resume=_checks.flag("resume", resume),
            overwrite=_checks.flag("overwrite", overwrite),
            layout=self.layout,
        )
        self._open = True

    def __len__(self) -> int:
        """Number of images that are there."""
        return self._output.items

    # -- what a format says -------------------------------------------------------------------------------------

    def _prepare(self) -> None:  # noqa: B027  # nothing, where a format asks for nothing
        """Check what the format asks of ``self.categories``, before anything is made."""

    @abstractmethod
    def encoder(self) -> Encoder:
        """The function that makes of a sample, and of sources, what `write_encoded` takes.

        Worker processes can have it: it is pure, and can be pickled.
        """

    def encoder_without_files(self) -> Encoder:
        """The function that `encoder` gives, but for samples whose images are files already: it makes none."""
        like = copy.copy(self)
        like.format = NO_FILE
        return like.encoder()

    def _item(self, encoded: EncodedSample, file: str, number: int) -> Item:
        """Files and record of an encoded sample, once its name and number are known.

        Parameters
        ----------
        encoded : EncodedSample
            What the encoder has made.
        file : str
            Name of its image, below the folder of images.
        number : int
            Of the item, from 1.

        Raises
        ------
        ArgumentError
            About ``encoded``, when it cannot be written.
        """
        del number
        files: dict[str, bytes] = {}
        if encoded.files:
            stem = str(PurePosixPath(file).with_suffix(""))
            files.update((path.replace("{}", stem), data) for path, data in encoded.files.items())
        if encoded.data is not None:
            folder = self.layout.images
            files[f"{folder}/{file}" if folder else file] = encoded.data
        return Item(files, encoded.image, encoded.annotations)

    @abstractmethod
    def _ends(self) -> Mapping[str, bytes | Iterable[bytes]]:
        """The files of the end by their paths below the root, each as bytes, or in pieces.

        ``self._output.records()`` reads anew what is noted of each item, in order, as often as it is called.
        """

    @classmethod
    def _check_file(cls, file: str) -> None:
        """Check what the format asks of names of images: nothing more, where it asks for nothing."""
        del file

    # -- what all have ------------------------------------------------------------------------------------------

    def write(self, sample: Sample, file_name: str | None = None, *, sources: Sequence[Sample] = ()) -> int:
        """Write one sample and return its image id.

        Parameters
        ----------
        sample : Sample
            An image of dtype uint8, grey or RGB, whose instances have masks and integer labels.
        file_name : str, optional
            Of the image, in the folder of images, folders allowed, with the suffix of the format; None counts:
            ``000000000001.jpg``.
        sources : sequence of Sample
            The sources that the transform was given, for their image ids.
        """
        encoded = self._encode(sample, sources)
        try:
            return self.write_encoded(encoded, file_name)
        except ArgumentError as error:
            raise error.renamed("sample") if error.argument == "encoded" else error from None

    def write_encoded(self, encoded: EncodedSample, file_name: str | None = None) -> int:
        """Write what `encoder` has made, here or in another process, and return the image id."""
        try:
            return self._write(encoded, file_name)
        except _TakenError as error:
            raise ArgumentError(error.argument, error.expected, error.got) from None

    def write_renamed(self, encoded: EncodedSample, file_name: str) -> int:
        """Write as `write_encoded` does or, where the name is taken, under the first free one with a number behind it.

        ``a.jpg`` becomes ``a-2.jpg``, which is counted among what the format does not hold.
        """
        try:
            return self._write(encoded, file_name)
        except _TakenError:
            encoded = encoded._replace(remarks={**encoded.remarks, RENAMED: 1})
        path = PurePosixPath(file_name)
        for number in count(2):
            with suppress(_TakenError):
                return self._write(encoded, str(path.with_name(f"{path.stem}-{number}{path.suffix}")))
        raise AssertionError  # there are numbers enough

    def _write(self, encoded: EncodedSample, file_name: str | None) -> int:
        writer = type(self).__name__
        if not self._open:
            raise ValueError(f"{writer}: is closed")
        if not isinstance(encoded, EncodedSample):
            raise wrong_type("encoded", "what encode_sample makes", type(encoded).__name__)
        if encoded.format != self.layout.name:
            raise wrong("encoded", f"what the encoder of {writer} makes", f"a sample for the format {encoded.format}")
        number = self._next()
        suffixes = _SUFFIXES[self.format] if encoded.suffix is None else (encoded.suffix.lower(),)
        name = f"{number:012d}{suffixes[0]}" if file_name is None else file_name
        file = self._name(name, suffixes)
        item = self._item(encoded, file, number)
        self._check_free(file, item.files)
        self._put(file, item, encoded)
        return number

    def _put(self, file: str, item: Item, encoded: EncodedSample) -> None:
        """Put an item in place under the name of its image; or keep it until `_put_last`."""
        self._output.add(file, item.files, item.image, item.annotations, encoded.remarks)

    def _put_last(self) -> None:  # noqa: B027  # nothing, where no item waits
        """Put items in place that wait for others, as there will be none."""

    def _next(self) -> int:
        """Number of the next item, from 1."""
        number = len(self) + 1 + (0 if self.shard is None else self.shard.first)
        if self.shard is not None and number > self.shard.stop:
            raise ValueError(f"{type(self).__name__}: expected {len(self)} samples in shard {self.shard}, got more")
        return number

    def take(self, record: Record, root: Path, *, copies: bool = False) -> bool:
        """Take over an item that a shard of this output has; whether its files are links to those now."""
        return self._output.take(self._renumbered(record), root, copies=copies)

    def note(self, record: Record) -> None:
        """Note an item of a shard, without its files, which lie elsewhere."""
        self._output.note(self._renumbered(record))

    def _renumbered(self, record: Record) -> Record:
        """Record of an item of a shard with the numbers that follow those that are there."""
        return record

    def _end_arguments(self) -> dict[str, Any]:
        """Arguments that matter to the files of the end alone, as JSON can hold them."""
        return {}

    @classmethod
    def checked_name(cls, file_name: object) -> str:
        """A name of an image, if the format can hold it; before it is known which names are taken."""
        if not isinstance(file_name, str):
            raise wrong_type("file_name", "a string", repr(file_name))
        check_text("file_name", file_name)
        if "\n" in file_name:
            raise wrong("file_name", "a name without line breaks", repr(file_name))
        if not is_inside(file_name):
            raise wrong("file_name", "a name inside the folder of images", repr(file_name))
        file = str(PurePosixPath(file_name))  # "./x.jpg" and "x.jpg" are one file
        cls._check_file(file)
        return file

    def _name(self, file_name: object, suffixes: tuple[str, ...]) -> str:
        file = self.checked_name(file_name)
        if not file.lower().endswith(suffixes):
            raise wrong("file_name", f"the suffix {' or '.join(suffixes)}", repr(file))
        if file in self._output.item_names:
            raise _TakenError("file_name", "a name that is not taken yet", repr(file))
        return file

    def _check_free(self, file: str, paths: Collection[str]) -> None:
        """Check that further files of an item are none of another item: those of ``a.jpg`` and ``a.jpeg`` may be."""
        if file in self._output.item_names:
            raise _TakenError("file_name", "a name that is not taken yet", repr(file))
        for path in paths:
            if noted(path) in self._output.taken:
                raise _TakenError(
                    "file_name", "a name whose files are not taken yet", f"{file!r}, and {path!r} is there"
                )
            if path.partition("/")[0].casefold() == STATE:
                raise wrong("file_name", "a name outside the folder of notes", repr(file))

    def close(self) -> None:
        """Write the files of the end, let go of the folder also when that fails, and warn of what was not held."""
        self._close()

    def _close(self) -> None:
        if not self._open:
            return
        try:
            self._put_last()
            if self.shard is None:
                self._output.finish(self._ends())
            else:
                self._finish_shard(self.shard)
        except BaseException:
            with suppress(OSError):
                self._let_go()
            raise
        self._let_go()
        if lost := self._output.remarks:
            told = "; ".join(f"{what}: {count}" for what, count in lost.items())
            warnings.warn(f"{self._output.root}: not held by the format: {told}", UserWarning, stacklevel=3)

    def _finish_shard(self, shard: Shard) -> None:
        if shard.first + len(self) != shard.stop:
            raise ValueError(
                f"{self._output.root}: expected {shard.stop - shard.first} images in shard {shard}, got {len(self)}"
            )
        places = {"first": shard.first, "stop": shard.stop, "total": int(shard.total)}
        self._output.finish_shard(
            {"shard": str(shard), **places, "options": self._options, "ends": self._end_arguments()}
        )

    def _let_go(self) -> None:
        if self._open:
            self._open = False
            self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._close()
        else:
            with suppress(OSError):  # the exception on its way is the one to be seen
                self._let_go()


def check_own_names(categories: Sequence[Mapping[str, Any]], is_refused: Callable[[str], bool]) -> None:
    """Check that each category has a name that no other one has, and that is not refused."""
    names: set[str] = set()
    for i, category in enumerate(categories):
        name = category.get("name")
        if not isinstance(name, str) or name in names or is_refused(name):
            raise wrong(("categories", i), "a name of its own", repr(name))
        names.add(name)


def check_visible(file: str) -> None:
    """Check that no part of a file's name makes it a hidden one."""
    if any(part.startswith(".") for part in PurePosixPath(file).parts):
        raise wrong("file_name", "no hidden file", repr(file))


def check_found(file: str) -> None:
    """Check that whoever looks for images in folders finds the one of this name."""
    check_visible(file)
    if not is_image_name(file):
        raise wrong("file_name", "the suffix of an image, by which it is found in its folder", repr(file))


def checked_mapping(name: str, value: object) -> Mapping[str, Any]:
    """`value`, if it is a mapping."""
    if not isinstance(value, Mapping):
        raise wrong_type(name, "a mapping", type(value).__name__)
    return value
