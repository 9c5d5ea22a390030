"""Table of docs/frameworks.md: what was run, how many lines a user writes, and what a sample costs."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from benches.tables import markdown, put

from tests.frameworks.registry import FRAMEWORKS, HERE, PAGES, ROOT, Framework

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = HERE / "results.json"
INDEX = ROOT / "docs" / "frameworks.md"
HEADS = ("framework", "versions", "what ran", "lines", "ms a sample", "its own copy-paste", "canvas")


def lines_to_write(page: Path) -> int:
    """Lines that `After` has and `Before` has not, without imports and blank ones."""
    text = page.read_text()
    before, after = (block(text, heading) for heading in ("Before", "After"))
    added = [line[2:].strip() for line in difflib.ndiff(before, after) if line.startswith("+ ")]
    return sum(1 for line in added if line and not line.startswith(("import ", "from ", "#")))


def block(text: str, heading: str) -> list[str]:
    """Lines of the first block of code below a heading."""
    found = re.search(rf"^## {heading}\n.*?^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"a page needs a heading `## {heading}` with a block of code"
    return found[1].splitlines()


def row(framework: Framework, result: dict[str, Any]) -> list[str]:
    """One line of the table."""
    versions = (f"{name} {version}" for name, version in result.get("versions", {}).items() if name != "numpy")
    timing = result.get("timing", {})
    ours, own = timing.get("ours"), timing.get("own")
    return [
        f"[{framework.title}]({framework.page.relative_to(PAGES.parent).as_posix()})",
        ", ".join(versions),
        result["ran"],
        "" if framework.guide else str(lines_to_write(framework.page)),
        shown(ours),
        f"{shown(own)}, {timing['own_name']}" if own else "none" if ours else "",
        " x ".join(map(str, timing.get("canvas", []))),
    ]


def shown(measured: dict[str, float] | None) -> str:
    """A time with its quartiles."""
    return f"{measured['ms']:.2f} ({measured['low']:.2f} to {measured['high']:.2f})" if measured else ""


def write_table() -> None:
    """Write the table of all results that are kept; a framework without one says that it was not run."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    put(
        INDEX,
        "frameworks",
        markdown(HEADS, [row(each, kept.get(each.name, {"ran": "not run"})) for each in FRAMEWORKS]),
    )
