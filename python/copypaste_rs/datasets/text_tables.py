"""Tables as text: words on the left, numbers on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    r"""Lines of a table whose rows, of one length, begin with words.

    Examples
    --------
    >>> print("\n".join(aligned([["class", "objects"], ["cup", "20"], ["shuttle", "3"]])))
    class    objects
    cup           20
    shuttle        3
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)
    return [line.rstrip() for line in lines]
