"""Problems of a file, told at once: whoever mends one sees the others too."""

from __future__ import annotations

MOST = 10
"""Problems that are named; of the others only the number is told."""


class Problems:
    """Collects what is wrong with a file, in time and memory that do not grow with the number of problems.

    Parameters
    ----------
    name : str
        What the error calls the file.

    Examples
    --------
    >>> problems = Problems("a.json")
    >>> problems.add("images[0]", "expected a width, got none")
    >>> problems.add("images[2]", "expected a width, got none")
    >>> problems.tell()
    Traceback (most recent call last):
    ...
    ValueError: a.json: images[0]: expected a width, got none
      images[2]: expected a width, got none
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[str] = []
        self._number = 0

    def add(self, place: str, error: Exception | str) -> None:
        """Note what is wrong at a place of the file."""
        self._number += 1
        if self._number <= MOST:
            self._found.append(f"{place}: {error}")

    def tell(self) -> None:
        """Raise a ValueError of a line for each problem, where there are any."""
        if self._number:
            more = [f"and {self._number - MOST} more"] if self._number > MOST else []
            raise ValueError(f"{self.name}: " + "\n  ".join([*self._found, *more]))
