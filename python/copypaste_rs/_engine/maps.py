"""Maps of the result: which there are, and the rasters of all sides that they are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong
from copypaste_rs._checks.places import part
from copypaste_rs._result_memory import empty
from copypaste_rs.maps import NO_MAPS, MapKind, PixelMap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs.sample import Sample


class CarriedMap(NamedTuple):
    """Rasters of one name on all sides, the target's first, all of one kind."""

    name: str
    kind: MapKind
    arrays: list[NDArray[Any]]

    def canvas(self, *shape: int) -> NDArray[Any]:
        """An array for results of this kind: for a canvas, or for several where `shape` begins with their number."""
        return empty((*shape, *self.kind.channels), self.kind.dtype)


def check_names(names: Sequence[str], samples: Sequence[Sample]) -> None:
    """Check that stand-ins whose names no column of the result can have are those of maps."""
    for name in names:
        if not any(name in sample._maps for sample in samples):
            raise wrong("missing", "names of maps, or of columns that can be taken from a value", repr(name))


def carried(places: Sequence[Place], samples: Sequence[Sample], missing: Mapping[str, Any]) -> Sequence[CarriedMap]:
    """The maps of a result made from `samples`, the target first; `places` say how errors call them.

    They depend on all samples given, whatever is pasted, so that a data set gives the same maps throughout.
    """
    held = [sample._maps for sample in samples]
    names = dict.fromkeys(name for maps in held for name in maps)
    return [_carried(name, places, samples, [maps.get(name) for maps in held], missing) for name in names]


def _carried(
    name: str,
    places: Sequence[Place],
    samples: Sequence[Sample],
    maps: Sequence[PixelMap | None],
    missing: Mapping[str, Any],
) -> CarriedMap:
    holder, kind = next((place, each._kind) for place, each in zip(places, maps, strict=True) if each is not None)
    arrays = []
    for place, sample, each in zip(places, samples, maps, strict=True):
        if each is None:
            if name not in missing:
                given = f"none; missing={{{name!r}: ...}} gives a value for it"
                raise wrong(place, f"the map {name!r}, which {part(holder)} has", given)
            arrays.append(_stand_in(name, missing[name], kind, sample.size))
            continue
        if (differing := kind.difference(each._kind)) is not None:
            expected, got = differing
            raise wrong(place, f"a map {name!r} {expected} as in {part(holder)}", got)
        arrays.append(each.array)
    return CarriedMap(name, kind, arrays)


def _stand_in(name: str, value: Any, kind: MapKind, size: tuple[int, int]) -> NDArray[Any]:
    """An array of one value, in the memory of one row."""
    values = _checks.map_values(item("missing", name), value, kind.dtype, kind.channels)
    h, w = size
    row = np.empty((w, *kind.channels), kind.dtype)
    row[...] = values
    return np.broadcast_to(row, (h, *row.shape))


def in_order(maps: Sequence[CarriedMap], first: Sequence[CarriedMap]) -> Sequence[CarriedMap]:
    """`maps` in the order of `first`, those of the first item of a batch, which must be the same ones."""
    if not (maps or first):
        return maps
    found = {each.name: each for each in maps}
    for each in first:
        if each.name not in found:
            raise wrong("target", f"the map {each.name!r} as in item 0", "none")
        if (differing := each.kind.difference(found[each.name].kind)) is not None:
            expected, got = differing
            raise wrong("target", f"a map {each.name!r} {expected} as in item 0", got)
    if len(found) > len(first):
        more = next(name for name in found if name not in {each.name for each in first})
        raise wrong("target", "the maps of item 0", f"the map {more!r} besides")
    return [found[each.name] for each in first]


def pixel_maps(maps: Sequence[CarriedMap], made: Sequence[NDArray[Any]]) -> Mapping[str, PixelMap]:
    """The maps of a result, by name, from the arrays that a kernel has written."""
    return {each.name: PixelMap._of(array, each.kind) for each, array in zip(maps, made, strict=True)} or NO_MAPS
