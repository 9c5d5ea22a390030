"""What worker processes of the tests run: in a module of its own, so that a spawned process can import it."""

from __future__ import annotations

import hashlib
from multiprocessing.queues import Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copypaste_rs import Sample
    from copypaste_rs.datasets import CopyPasteDataset


def digest(sample: Sample) -> str:
    """A fingerprint of everything in a sample."""
    parts = [sample.image.tobytes(), repr(sorted(sample.info.items())).encode()]
    for name, column in sample.instances.columns.items():
        parts.append(name.encode() + (column.counts.tobytes() if name == "masks" else column.tobytes()))
    return hashlib.sha256(b"|".join(parts)).hexdigest()


def serve(data: CopyPasteDataset[Sample], requests: Queue[Any], answers: Queue[Any]) -> None:
    """Answer each index with epoch and fingerprint of the item, until None comes."""
    while (index := requests.get()) is not None:
        answers.put((index, data.epoch, digest(data[index])))
