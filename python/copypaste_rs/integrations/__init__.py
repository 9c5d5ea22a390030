"""Integrations: the library in the habits of other frameworks, a module for each.

- `copypaste_rs.integrations.torch`: batches of tensors for data loaders, and the epoch that travels with the index
- `copypaste_rs.integrations.torchvision`: copy-paste as a collate function, and scale jitter as a transform (v2)

A module imports its framework, which no extra of this package brings: ``pip install torch torchvision``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copypaste_rs.integrations import torch as torch
    from copypaste_rs.integrations import torchvision as torchvision

_MODULES = ("torch", "torchvision")

if not TYPE_CHECKING:  # a type checker would take any name to be there

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"copypaste_rs.integrations.{name}")
        raise AttributeError(f"module 'copypaste_rs.integrations' has no attribute {name!r}")

    def __dir__() -> list[str]:
        from importlib.util import find_spec

        return sorted({*globals(), *(name for name in _MODULES if find_spec(name))})  # what can be imported
