"""What the transforms share: arguments by name, immutability, pickling, a backend."""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from copypaste_rs._equality import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from copypaste_rs import _operation
    from copypaste_rs._planning import DrawOptions, Jitter


class Transform:
    """What the transforms share: arguments by name, immutability, pickling, a backend."""

    __slots__ = ("_arguments", "_drawing", "_jitter", "_options", "_p", "_pastes", "backend")

    _arguments: dict[str, Any]
    _drawing: DrawOptions | None
    _jitter: Jitter
    _options: _operation.Options
    backend: str

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name!r}")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._arguments:
            return copy.deepcopy(self._arguments[name])
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transform):
            return NotImplemented
        return type(other) is type(self) and same(self._arguments, other._arguments)

    __hash__ = None  # type: ignore[assignment]  # arguments may hold a list or a mapping

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._arguments)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({arguments})"

    def _put(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _compose(self) -> _operation.Compose:
        if self.backend == "rust":
            from copypaste_rs._compiled import compose
        else:
            from copypaste_rs.reference.paste import compose
        return compose


def _rebuild(kind: Callable[..., Transform], arguments: Mapping[str, Any]) -> Transform:
    # What there was to warn of was said when the transform was made, not again in each worker.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**arguments)
