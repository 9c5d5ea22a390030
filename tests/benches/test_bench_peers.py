"""What the benchmark of other libraries does when they are not there, and what it writes down."""

import json
from pathlib import Path

import pytest
from benches.peers import install, page
from benches.peers.adapters import PEERS
from benches.peers.peer import Missing, Peer

ROOT = Path(__file__).parents[2]


def broken(*_: object) -> dict[str, object]:
    raise ImportError("no library\nand more lines")


def test_missing_peer_is_named_once_and_asked_no_more() -> None:
    peer = Peer("absent", "absent", (), "", "", "", masks=broken)  # type: ignore[arg-type]
    missing = Missing()
    assert missing.load(peer, "masks", None) == {}
    assert missing == {"absent": "ImportError: no library"}
    missing["absent"] = "kept"
    assert missing.load(peer, "masks", None) == {}
    assert missing == {"absent": "kept"}
    assert missing.load(peer, "whole", None) == {}


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("building\nERROR: no compiler\n  ERROR: Failed to build\nnotice", "no compiler"),
        ("killed", "killed"),
        ("", "pip gave no reason"),
    ],
)
def test_reason_of_pip(output: str, reason: str) -> None:
    assert install.reason(output) == reason


def test_every_peer_has_requirements() -> None:
    known = {file.stem for file in install.REQUIREMENTS.rglob("*.txt")}
    assert {peer.requirements for peer in PEERS} == known - {install.CONSTRAINTS.stem}


def test_page_shows_the_kept_figures() -> None:
    figures = json.loads((ROOT / "benches" / "results" / "peers.json").read_text())
    text = (ROOT / "docs" / "peers.md").read_text()
    for name, table in page.tables(figures).items():
        assert f"<!-- {name}: begin -->\n{table}\n<!-- {name}: end -->" in text


def test_readme_shows_the_kept_figures() -> None:
    figures = json.loads((ROOT / "benches" / "results" / "peers.json").read_text())
    text = (ROOT / "README.md").read_text()
    table = page.readme_table(figures)
    assert f"<!-- peers: begin -->\n{table}\n<!-- peers: end -->" in text
    assert "They do not do the same work" in table


def test_readme_leaves_out_who_was_not_measured() -> None:
    figures = json.loads((ROOT / "benches" / "results" / "peers.json").read_text())
    for cell in figures["whole"].values():
        del cell["microseconds"]["mmdetection"]
    rows = [line.split("|")[1].strip() for line in page.readme_table(figures).splitlines() if line.startswith("|")]
    assert rows[2:] == [
        "copypaste_rs, dense masks in and out",
        "torchvision, the steps of its training scripts",
        "ultralytics",
    ]
