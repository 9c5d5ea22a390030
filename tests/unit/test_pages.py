"""Links of README, CONTRIBUTING and docs/: each leads to a file, and to a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Headings of a page, as GitHub names them in links."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        found = page.parent / path if path else page
        assert found.exists(), link
        assert not anchor or anchor in anchors(found), link


@pytest.mark.parametrize(
    ("start", "folder"), [("README.md", ""), ("README.md", "docs"), ("docs/frameworks.md", "docs/frameworks")]
)
def test_every_page_is_linked_from_the_one_above(start: str, folder: str) -> None:
    page = ROOT / start
    linked = {(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(page.read_text())}
    assert {each for each in PAGES if each.parent == ROOT / folder} - {page} <= linked
