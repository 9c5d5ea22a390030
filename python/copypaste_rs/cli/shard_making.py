"""Shards that somebody else asks for by their numbers, one after the other, in a process that opens the set once."""

from __future__ import annotations

import socket
import warnings
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.augmenting import augment, settings_of
from copypaste_rs.cli.inputs import open_inputs
from copypaste_rs.cli.options import fitted_pairs
from copypaste_rs.cli.words import sentence
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.output import differences
from copypaste_rs.datasets.shards import Shard

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.sample import Sample


def shard_folder(root: Path, number: int) -> Path:
    """Folder of a shard."""
    return root / f"{number:07d}"


class ShardMaker:
    """Makes shards of an output, each in a folder below `root`, or goes on with them.

    Parameters
    ----------
    root : Path
        Where their folders lie.
    options : mapping
        Of the command line, with absolute paths, before they are fitted to the inputs.
    settings : bytes
        JSON of the settings of the output: what is opened here has to have the same.
    count, total, unit : int
        As of `Shard`.
    """

    def __init__(
        self, root: Path, options: Mapping[str, Any], settings: bytes, count: int, total: int, unit: int
    ) -> None:
        self._root = root
        self._options = {**options, "workers": 1, "resume": True, "overwrite": False}
        self._settings = settings
        self._count, self._total, self._unit = count, total, unit
        self._opened: tuple[Inputs, dict[str, Any], CopyPasteDataset[Sample]] | None = None

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
                inputs, options, data = self._open()
                shard = Shard(number, self._count, self._total, self._unit)
                settings = settings_of(data.transform, options, inputs)  # type: ignore[arg-type]
                augment(shard_folder(self._root, number), inputs, data, settings, options, shard)
        except click.ClickException as error:
            return f"{socket.gethostname()}: {error.message}"
        except Exception as error:
            known = isinstance(error, OSError | ValueError | TypeError | MemoryError | ImportError)
            return f"{socket.gethostname()}: {'' if known else f'{type(error).__name__}: '}{sentence(error)}"
        return ""

    def _open(self) -> tuple[Inputs, dict[str, Any], CopyPasteDataset[Sample]]:
        if self._opened is None:
            inputs = open_inputs(self._options)
            options, transform, data = fitted_pairs(inputs, self._options)
            mine = json_text("settings", settings_of(transform, options, inputs))
            if mine != self._settings:
                words, _ = differences(self._settings, mine)
                raise ValueError(f"what is read here differs from what the first machine read: {words}")
            self._opened = inputs, options, data
        return self._opened
