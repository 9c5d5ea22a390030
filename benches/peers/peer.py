"""What a peer is: the few lines that every adapter fills in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from benches.measure import version_of

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
    Each gives jobs by name: `masks` and `resampling` by the operation, `whole` by what to put behind the peer's
    name. `same_place` says that `whole` pastes all objects that the plan names, where it says.
    """

    name: str
    distributions: tuple[str, ...]
    licence: str
    runs: str
    differs: str
    same_place: bool = True
    masks: Callable[[Batch], dict[str, Job]] | None = None
    resampling: Callable[[Resize], dict[str, Job]] | None = None
    whole: Callable[[Given], dict[str, Job]] | None = None

    def versions(self) -> dict[str, str]:
        """What is installed of it."""
        return {name: version_of(name) for name in self.distributions}


class Missing(dict[str, str]):
    """Why a peer has no figures, by its name: the first reason that came."""

    def load(self, peer: Peer, group: str, *given: Any) -> dict[str, Job]:
        """The peer's jobs of a group; none, and the reason kept, when it cannot be had."""
        make = getattr(peer, group)
        if make is None or peer.name in self:
            return {}
        try:
            return make(*given)  # type: ignore[no-any-return]
        except Exception as error:  # whatever a foreign library raises while it is set up
            self[peer.name] = f"{group}: {type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
            return {}
