"""Values as text that can be read: arguments that somebody gave, long lists on lines of their own."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from copypaste_rs._equality import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WIDE = 100
"""Characters of a line, beyond which each part has a line of its own."""


def not_default(kind: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str]:
    """Words ``name=value`` for the arguments of a class that are not what it takes by itself.

    Examples
    --------
    >>> not_default(textwrap.TextWrapper, {"width": 70, "tabsize": 4})
    ['tabsize=4']
    """
    defaults = {name: each.default for name, each in inspect.signature(kind).parameters.items()}
    return [f"{name}={value!r}" for name, value in arguments.items() if not same(value, defaults.get(name))]


def call(name: str, parts: Sequence[str], opening: str = "(", closing: str = ")") -> str:
    """A call as text, or another list: on one line, or, where that gets long, with a line for each part.

    Examples
    --------
    >>> print(call("Pair", ["1", "2"]))
    Pair(1, 2)
    >>> print(call("Pair", ["1" * 60, "2" * 60]))
    Pair(
        111111111111111111111111111111111111111111111111111111111111,
        222222222222222222222222222222222222222222222222222222222222,
    )
    """
    line = f"{name}{opening}{', '.join(parts)}{closing}"
    if len(line) <= WIDE and "\n" not in line:
        return line
    lines = "".join(f"{textwrap.indent(part, '    ')},\n" for part in parts)
    return f"{name}{opening}\n{lines}{closing}"
