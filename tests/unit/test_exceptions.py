"""All exceptions of the package: they pickle, as an error of a worker process has to."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import inspect
import pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import copypaste_rs
from copypaste_rs.datasets.boxes import BoxAloneError
from copypaste_rs.datasets.output import OtherSettingsError
from copypaste_rs.datasets.pseudo_labels.reading import ResultBoxAloneError
from copypaste_rs.datasets.segmentations import MalformedCountsError
from copypaste_rs.errors import ArgumentError, ArgumentTypeError

ARGUMENTS: dict[type[BaseException], tuple[Any, ...]] = {
    OtherSettingsError: ("out: the run there had other settings", ["seed", "copies"]),
    BoxAloneError: ("annotations.json: annotations[3]", 2),
    ResultBoxAloneError: ("results.json: results[3]", 2),
    ArgumentError: ("sources", "a size with pixels", "(0, 4)", (1, 0), 7),
    ArgumentTypeError: ("plan", "a Plan", "str"),
    MalformedCountsError: (3, "counts: expected an even number"),
}
"""What exceptions are made from whose constructor is their own; the others take a sentence."""


def exceptions() -> list[type[BaseException]]:
    """Every class of exceptions that a module of the package defines."""
    found = set()
    for module in pkgutil.walk_packages(copypaste_rs.__path__, "copypaste_rs."):
        if not module.name.endswith("__main__"):
            try:
                members = vars(importlib.import_module(module.name)).values()
            except ImportError as error:
                # A framework that no extra brings.
                framework = error.name if module.name.startswith("copypaste_rs.integrations.") else None
                if framework is None or importlib.util.find_spec(framework):
                    raise
                continue
            found |= {each for each in members if inspect.isclass(each) and issubclass(each, BaseException)}
    ours = {each for each in found if each.__module__.startswith("copypaste_rs")}
    return sorted((each for each in ours if not each.__name__.startswith("_")), key=lambda each: each.__qualname__)


def make(kind: type[BaseException]) -> BaseException:
    own = any(
        {"__init__", "__new__"} & set(vars(each)) for each in kind.__mro__ if each.__module__.startswith("copypaste_rs")
    )
    assert own <= (kind in ARGUMENTS), f"{kind.__name__} has a constructor of its own: give ARGUMENTS for it"
    return kind(*ARGUMENTS.get(kind, ("file: expected this, got that",)))


def raise_it(kind: type[BaseException]) -> None:
    raise make(kind)


def test_some_are_found() -> None:
    assert {each.__name__ for each in exceptions()} >= {"NotEmptyError", "OtherSettingsError", "TerminatedError"}


@pytest.mark.parametrize("kind", exceptions(), ids=lambda kind: kind.__name__)
def test_an_exception_pickles(kind: type[BaseException]) -> None:
    error = make(kind)
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for again in (*copies, copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)


def test_an_exception_comes_out_of_a_process_pool() -> None:
    kinds = [kind for kind in exceptions() if issubclass(kind, Exception)]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for kind in kinds:
            with pytest.raises(kind) as caught:
                pool.submit(raise_it, kind).result()
            assert str(caught.value) == str(make(kind))
