"""Peers: the few lines that every adapter fills in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from benches.peers.masks import Batch
    from benches.peers.resampling import Resize
    from benches.peers.whole import Given


class Job(NamedTuple):
    """Something to time, and how its result reads in the form that all results are compared in."""

    call: Callable[[], Any]
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Peer:
    """A library, what of it runs, and a function for each group that it takes part in.

    The functions import the library when they are called, so that a missing one costs its own figures alone.
    Each gives jobs by operation; `whole` has the one operation `augment`. `same_place` says that it pastes all
    objects that the plan names, where it says.
    """

    name: str
    requirements: str
    """The file of requirements that installs it, without its suffix."""
    distributions: tuple[str, ...]
    licence: str
    runs: str
    differs: str
    same_place: bool = True
    masks: Callable[[Batch], dict[str, Job]] | None = None
    resampling: Callable[[Resize], dict[str, Job]] | None = None
    whole: Callable[[Given], dict[str, Job]] | None = None


class Missing(dict[str, str]):
    """Why a peer has no figures, or none in some row: the reasons that came."""

    def load(self, peer: Peer, group: str, *given: Any) -> dict[str, Job]:
        """The peer's jobs of a group; none, and the reason kept, when it cannot be had."""
        make = getattr(peer, group)
        if make is None or peer.name in self:
            return {}
        made: dict[str, Job] = {}
        self.keeps(peer.name, lambda: made.update(make(*given)))
        return made

    def keeps(self, name: str, check: Callable[[], Any]) -> bool:
        """Whether the check passes; if not, why is kept under the name. Whatever a foreign library raises counts."""
        try:
            check()
        except Exception as error:
            first = (str(error).strip().splitlines() or ["no reason given"])[0]
            self[name] = f"{type(error).__name__}: {first[:300]}"
            return False
        return True
