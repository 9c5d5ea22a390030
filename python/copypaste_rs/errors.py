"""Errors of arguments: which argument, which item of it, what was expected, what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ArgumentError", "ArgumentTypeError"]

Index = int | str | tuple[int | str, ...] | None


class _Argument(Exception):  # noqa: N818  (a base of errors, raised by nobody)
    """Fields and sentence that both kinds of errors share."""

    # Data loaders of torch make the error of a worker anew, of a sentence alone: then that is all there is to know.
    def __init__(
        self, argument: str, expected: str = "", got: str = "", index: Index = None, item: int | None = None
    ) -> None:
        super().__init__(argument, expected, got, index, item)
        self.argument = argument
        self.expected = expected
        self.got = got
        self.index = index
        self.item = item

    @property
    def place(self) -> str:
        """The argument with number or key of its item: ``sources[1]``, ``objects[0]['size']``."""
        numbers = self.index if isinstance(self.index, tuple) else () if self.index is None else (self.index,)
        return self.argument + "".join(f"[{number!r}]" for number in numbers)

    def __str__(self) -> str:
        if not (self.expected or self.got):
            return self.argument
        item = "" if self.item is None else f"item {self.item}: "
        return f"{item}{self.place}: expected {self.expected}, got {self.got}"

    def of_item(self, item: int | None) -> Self:
        """The error as one of an item of a batch; None makes it one of no item."""
        return type(self)(self.argument, self.expected, self.got, self.index, item)

    def renamed(self, argument: str, index: Index = None) -> Self:
        """The error as one of another argument: that of a caller, who has handed the value on."""
        return type(self)(argument, self.expected, self.got, index, self.item)


class ArgumentError(_Argument, ValueError):
    """An argument has a value that does not fit.

    Parameters
    ----------
    argument : str
        Name of the argument, as the function that was called has it; the whole sentence, where a data loader of torch
        hands on the error of a worker.
    expected, got : str
        What was expected and what came, in words that fit the sentence ``argument[index]: expected ..., got ...``.
    index : int, str, or tuple of these, optional
        Number or key of the item at fault, where the argument has items; for what is nested one for each level.
    item : int, optional
        Number of the item of a batch.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> try:
    ...     Placement((0, 640), (960, 1280), (0, 0), (1024, 1024))
    ... except ArgumentError as error:
    ...     print(error)
    ...     print(error.argument, error.index, error.got)
    input_size[0]: expected an integer from 1 to 2147483647, got 0
    input_size 0 0
    """


class ArgumentTypeError(_Argument, TypeError):
    """An argument is of a type that does not fit; the fields are those of `ArgumentError`.

    Examples
    --------
    >>> str(ArgumentTypeError("plan", "a Plan", "str"))
    'plan: expected a Plan, got str'
    """
