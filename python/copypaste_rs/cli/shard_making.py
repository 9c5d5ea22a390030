"""Shards that somebody else asks for by their numbers, one after the other, in a process that opens the set once."""

from __future__ import annotations

import socket
import tempfile
import warnings
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.augmenting import augment, settings_of
from copypaste_rs.cli.inputs import open_inputs
from copypaste_rs.cli.options import fitted_pairs
from copypaste_rs.cli.remote_images import brought_here
from copypaste_rs.cli.words import sentence, with_urls
from copypaste_rs.cli.writing import KEPT
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.output import differences
from copypaste_rs.datasets.remote import RemoteFolder
from copypaste_rs.datasets.remote_output import send_part
from copypaste_rs.datasets.shards import Shard

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.cli.remote_images import RemoteImages
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.remote import Url
    from copypaste_rs.sample import Sample

    _Opened = tuple[Inputs, RemoteImages | None, dict[str, Any], CopyPasteDataset[Sample]]


def shard_folder(root: Path, number: int) -> Path:
    """Folder of a shard."""
    return root / f"{number:07d}"


class ShardMaker:
    """Makes shards of an output: each in a folder below `root`, or goes on with it, or each as a part at a URL.

    Parameters
    ----------
    root : Path or Url
        Where their folders lie, or the output of which they are parts.
    options : mapping
        Of the command line, with absolute paths, before inputs are fetched and options are fitted to them.
    settings : bytes
        JSON of the settings of the output: what is opened here has to have the same.
    count, total, unit : int
        As of `Shard`.
    """

    def __init__(
        self, root: Path | Url, options: Mapping[str, Any], settings: bytes, count: int, total: int, unit: int
    ) -> None:
        self._root = root
        self._options = {**options, "workers": 1, "resume": True, "overwrite": False}
        self._settings = settings
        self._count, self._total, self._unit = count, total, unit
        self._opened: _Opened | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Make the shards whose numbers are in the column ``shard``; the column ``error`` has what failed, or nothing.

        An error is a value here, as a framework that restarts what fails would try again without end.
        """
        numbers = [int(number) for number in batch["shard"]]
        return {"shard": numbers, "error": [self._made(number) for number in numbers]}

    def _made(self, number: int) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # whoever opened the set first, and merges, says them once
                shard = Shard(number, self._count, self._total, self._unit)
                if isinstance(self._root, Path):
                    self._augment(shard_folder(self._root, number), shard)
                else:
                    with tempfile.TemporaryDirectory(prefix="copypaste-rs-") as name:
                        self._augment(Path(name, "part"), shard)
                        send_part(RemoteFolder(self._root), number, Path(name, "part"))
        except click.ClickException as error:
            return f"{socket.gethostname()}: {with_urls(error.message)}"
        except Exception as error:
            known = isinstance(error, OSError | ValueError | TypeError | MemoryError | ImportError)
            said = sentence(error).removesuffix(f"; {KEPT}")  # the command says so of all shards
            return f"{socket.gethostname()}: {'' if known else f'{type(error).__name__}: '}{with_urls(said)}"
        return ""

    def _augment(self, folder: Path, shard: Shard) -> None:
        inputs, images, options, data = self._opened = self._opened or self._open()
        settings = settings_of(data.transform, options, inputs)  # type: ignore[arg-type]
        augment(folder, inputs, data, settings, options, shard, images)

    def _open(self) -> _Opened:
        with ExitStack() as stack:
            given, images = stack.enter_context(brought_here(self._options))
            inputs = open_inputs(given)
            options, transform, data = fitted_pairs(inputs, given)
            mine = json_text("settings", settings_of(transform, options, inputs))
            if mine != self._settings:
                words, _ = differences(self._settings, mine)
                raise ValueError(f"what is read here differs from what the first machine read: {words}")
            weakref.finalize(self, stack.pop_all().close)  # what was fetched is there as long as this
        return inputs, images, options, data
