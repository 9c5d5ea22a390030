"""Options that say on what `augment` runs: processes of this machine, or Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.remote import Url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

with extra("cli"):
    import click

PROCESSES, RAY = "processes", "ray"

SHARD_IMAGES = 512
"""Images of a shard that Ray hands to an actor: what is made again when that is killed, at most."""

ENGINE_OPTIONS = [
    click.option("--engine", type=click.Choice([PROCESSES, RAY]), default=PROCESSES, show_default=True,
                 help="What runs the work: processes of this machine, or Ray, on it or on a cluster; the result is the "
                      "same."),
    click.option("--ray-address", metavar="HOST:PORT", help="Cluster of Ray that is running; else one is started."),
    click.option("--shard-images", type=click.IntRange(1), help="Images that Ray, or an object store, is given at "
                 "once, at most.  "
                 f"[default: {SHARD_IMAGES}]"),
]  # fmt: skip


def check_engine(output: Path | Url, options: Mapping[str, Any], shard: tuple[int, int] | None) -> None:
    """Refuse options of Ray without it, and what it does by itself, or cannot."""
    if options["engine"] == RAY:
        if shard is not None:
            raise click.UsageError("--shard: expected none with --engine ray, which makes shards by itself")
        return
    if options["ray_address"] is not None:
        raise click.UsageError("--ray-address: goes with --engine ray")
    if options["shard_images"] is not None and not isinstance(output, Url):
        raise click.UsageError("--shard-images: goes with --engine ray, or an output that is a URL")
