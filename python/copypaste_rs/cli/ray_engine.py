"""The work of `augment` on Ray: actors make small shards, which are merged in order as they come."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli import TerminatedError, remote_writing
from copypaste_rs.cli.augmenting import check_images, open_output
from copypaste_rs.cli.parallel import available_processors
from copypaste_rs.cli.progress import progress_bar
from copypaste_rs.cli.remote_writing import parts_of
from copypaste_rs.cli.shard_making import ShardMaker, shard_folder
from copypaste_rs.cli.writing import keeping
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.finished_shards import finished_shard
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.places import STATE
from copypaste_rs.datasets.remote import Url
from copypaste_rs.datasets.shards import SHARDS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.cli.remote_images import RemoteImages
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.remote_output import RemoteOutput
    from copypaste_rs.datasets.sample_writer import SampleWriter
    from copypaste_rs.datasets.shards import Shard
    from copypaste_rs.sample import Sample

    _MadeOnRay = Callable[[Path | Url, Sequence[Shard]], AbstractContextManager[Iterator[int]]]

# Else a thread of Ray Data that outlives the cluster, after Ctrl-C say, starts another one, and the process never ends.
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
with extra("ray"):
    import ray
    import ray.data
    from ray.exceptions import RayError

ANSWER_SECONDS, JOIN_SECONDS = 10, 90
"""Seconds in which an address has to answer at all, and to let a process join the cluster."""

_PATHS = ("annotations", "images", "source_annotations", "source_images", "cache_dir")
_JOIN = (
    "import sys, ray; ray.init(address=sys.argv[1], logging_level='ERROR', log_to_driver=False); "
    "print(int(ray.cluster_resources().get('CPU', 0)))"
)


def augment(
    output: Path | Url,
    inputs: Inputs,
    data: CopyPasteDataset[Sample],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    given: Mapping[str, Any],
    images: RemoteImages | None,
) -> int:
    """Write the augmented set and return how many images were made now, beside those that were there.

    Shards that are under way lie in the notes of the output, where a run that goes on finds them; to an object store,
    actors send its parts. `given` are the options before inputs were fetched and options were fitted to them.
    """
    made_on_ray = partial(_made, settings=settings, options=options, given=given)
    if isinstance(output, Url):
        send = partial(_send_parts, made_on_ray)
        return remote_writing.augment(output, inputs, data, settings, options, None, images, send)[1]
    check_images(inputs, data, options, images=images)
    writer = open_output(output, inputs, settings, options)
    total: int = len(data) * options["copies"]
    shards = parts_of(total, options)
    # Shards of another number lie elsewhere, and nobody goes on with them.
    above = (output / STATE / SHARDS).absolute()
    root = above / f"of-{len(shards):07d}"
    for old in [] if not above.is_dir() else [*above.iterdir()]:
        if old != root:
            shutil.rmtree(old, ignore_errors=True)
    there: int = len(writer)
    left = [shard for shard in shards if shard.stop > there]
    with keeping(), writer:
        if left:
            with made_on_ray(root, left) as made:
                _take_over(writer, root, left, made)
    return total - there


def _send_parts(made_on_ray: _MadeOnRay, output: RemoteOutput, missing: Sequence[Shard]) -> None:
    """Have parts made and sent, with progress."""
    if not missing:
        return
    lengths = {int(part.number): part.stop - part.first for part in missing}
    bar = progress_bar(0, sum(lengths.values()))
    try:
        with made_on_ray(output.folder.url, missing) as made:
            for number in made:
                with suppress(OSError):  # the work goes on when the terminal is gone
                    bar.update(lengths[number])
    finally:
        with suppress(OSError):
            bar.close()


def _take_over(writer: SampleWriter, root: Path, shards: Sequence[Shard], made: Iterable[int]) -> None:
    """Merge shards in order, as far as they are made, and delete each then."""
    bar = progress_bar(len(writer), int(shards[0].total))
    lengths = {int(shard.number): shard.stop - max(shard.first, len(writer)) for shard in shards}
    finished: set[int] = set()
    next_number = int(shards[0].number)
    try:
        for number in made:
            finished.add(number)
            while next_number in finished:
                folder = shard_folder(root, next_number)
                shard, _, _ = finished_shard(folder)
                done = shard.first
                for record in shard.records():
                    done += record.images
                    if done > len(writer):
                        writer.take(record, folder)
                shutil.rmtree(folder)
                finished.remove(next_number)
                next_number += 1
            with suppress(OSError):  # the work goes on when the terminal is gone
                bar.update(lengths[number])
    finally:
        with suppress(OSError):
            bar.close()


@contextmanager
def _made(
    root: Path | Url,
    shards: Sequence[Shard],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    given: Mapping[str, Any],
) -> Iterator[Iterator[int]]:
    """Numbers of the shards that actors have made, as they come, from a cluster that is there for this block."""
    absolute = {name: given[name].absolute() for name in _PATHS if isinstance(given[name], Path)}
    first = shards[0]
    maker = (root, {**given, **absolute}, json_text("settings", settings), first.count, first.total, first.unit)
    address = options["ray_address"] or os.environ.get("RAY_ADDRESS")
    with (
        _cluster(address, options["workers"]) as actors,
        closing(_results(maker, shards, min(actors, len(shards)))) as made,
    ):
        yield made


def _results(maker: tuple[Any, ...], shards: Sequence[Shard], actors: int) -> Generator[int, None, None]:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    rows = ray.data.from_items([{"shard": int(shard.number)} for shard in shards], override_num_blocks=len(shards))
    results = rows.map_batches(
        ShardMaker,
        fn_constructor_args=maker,
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=actors),
    )
    found = iter(results.iter_rows())
    try:
        for row in found:
            if row["error"]:
                raise OSError(f"shard {row['shard']} on {row['error']}")
            yield row["shard"]
    except RayError as error:
        raise OSError(f"ray: {type(error).__name__}: {str(error).strip().splitlines()[0]}") from None
    finally:
        if hasattr(found, "close"):
            found.close()


@contextmanager
def _cluster(address: str | None, workers: int | None) -> Iterator[int]:
    """Number of actors on a cluster that runs, or one that runs meanwhile; a processor is left to Ray's own tasks.

    Where actors take all of them, Ray Data waits without end.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if address is None:
        actors = workers or available_processors()
        _start(address="local", num_cpus=actors + 1, include_dashboard=False)
    else:
        processors = _processors(address)
        if processors < 2:
            raise OSError(f"--ray-address {address}: expected a cluster with 2 processors or more, got {processors}")
        actors = min(workers or processors - 1, processors - 1)
        _start(address=address)
    try:
        yield actors
    finally:
        ray.shutdown()


def _start(**arguments: Any) -> None:
    """Start or join a cluster; SIGTERM, which Ray takes for itself, is ours again, and means what it did."""
    terminate = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**arguments, logging_level=logging.ERROR, log_to_driver=False)
    except SystemExit:  # by which Ray answers SIGTERM
        raise TerminatedError from None
    finally:
        signal.signal(signal.SIGTERM, terminate)


def _processors(address: str) -> int:
    """Processors of the cluster at an address; an OSError where nobody answers there, or another program does."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise OSError(f"--ray-address {address}: nobody answers ({error})") from None
    # Joining cannot be bounded, or taken back, in this process.
    command = [sys.executable, "-c", _JOIN, address]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=JOIN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"--ray-address {address}: no cluster of Ray answers within {JOIN_SECONDS} seconds") from None
    if done.returncode:
        if "AuthenticationError" in done.stderr:
            raise OSError(
                f"--ray-address {address}: the cluster asks for a token; RAY_AUTH_MODE=token takes that of "
                "~/.ray/auth_token"
            )
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise OSError(f"--ray-address {address}: no cluster of Ray answers: {last}")
    return int(done.stdout.split()[-1])
