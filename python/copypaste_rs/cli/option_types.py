"""Values of options that are more than a number or a word."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from copypaste_rs._checks.fills import NAMED as NAMED_FILLS
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.remote import Url, place_of
from copypaste_rs.datasets.shards import MAX_SHARDS
from copypaste_rs.plan_options import SELECTIONS

with extra("cli"):
    import click


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.5
    """Size of the canvas: a side, or height and width."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        if not isinstance(value, str):
            return value
        try:
            sides = [int(side) for side in value.lower().split("x")]
        except ValueError:
            sides = []
        if len(sides) not in (1, 2):
            self.fail(f"expected one number or HEIGHTxWIDTH, got {value!r}", param, ctx)
        return sides[0], sides[-1]


class Numbers(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Numbers with commas between them, one or as many as are allowed."""

    name = "numbers"

    def __init__(self, counts: tuple[int, ...], expected: str) -> None:
        self.counts = counts
        self.expected = expected

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        if not isinstance(value, str):
            return value
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in self.counts:
            self.fail(f"expected {self.expected}, got {value!r}", param, ctx)
        return numbers[0] if len(numbers) == 1 else tuple(numbers)


class Place(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Path, or URL of an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        del param, ctx
        return place_of(value) if isinstance(value, str) else value


class LocalPath(click.Path):
    """Path, where no URL of an object store is read or written."""

    def __init__(self, **how: Any) -> None:
        super().__init__(path_type=Path, **how)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        place = place_of(value) if isinstance(value, str) else value
        if isinstance(place, Url):
            self.fail(f"expected a path, got the URL {place}", param, ctx)
        return super().convert(place, param, ctx)


class ShardOfAll(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Number of a shard, and how many there are: I/N."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        if not isinstance(value, str):
            return value
        number, slash, count = value.partition("/")
        if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) <= MAX_SHARDS):
            self.fail(f"expected I/N, shard I of N, from 1/1 to {MAX_SHARDS}/{MAX_SHARDS}, got {value!r}", param, ctx)
        return int(number), int(count)


class Fill(Numbers):
    """Fill of the canvas: numbers, or the name of one that the image decides."""

    name = "fill"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        return value if value in NAMED_FILLS else super().convert(value, param, ctx)


class Select(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Rule by which objects are chosen."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        if not isinstance(value, str) or value in SELECTIONS:
            return value
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                pass
        return self.fail(f"expected {', '.join(SELECTIONS)}, a number or a fraction, got {value!r}", param, ctx)


class Missing(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Value of a field: JSON, or else text."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"expected NAME=VALUE, got {value!r}", param, ctx)
        try:
            number = json.loads(text)
        except (ValueError, RecursionError):
            number = None
        return name, number if isinstance(number, bool | int | float | str) else text


class Threshold(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Threshold of a score: a number for all categories, or that of one, by its name."""

    name = "score|name=score"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Name, None for all categories, and threshold of the text that was given."""
        name, equals, text = value.rpartition("=")
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        if not (bool(name) == bool(equals) and 0 <= score <= 1):
            self.fail(f"expected a number from 0 to 1, or NAME=NUMBER, got {value!r}", param, ctx)
        return name or None, score


class ClassWeight(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """Weight of a category, by its name."""

    name = "name=weight"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Value of the text that was given."""
        name, equals, text = value.rpartition("=")
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not (name and equals and math.isfinite(weight) and weight >= 0):
            self.fail(f"expected NAME=WEIGHT, a finite number of at least 0, got {value!r}", param, ctx)
        return name, weight
