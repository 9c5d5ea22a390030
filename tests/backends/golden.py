"""Golden vectors: fingerprints of plans and results of a few options, for processes of their own too.

`python -m tests.backends.golden` writes them anew: only for a release that may change them.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from copypaste_rs import SimpleCopyPaste
from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.samples import SOURCE, TARGET, digest

STORED = Path(__file__).with_name("golden.json")

OPTIONS: dict[str, dict[str, Any]] = {
    "default": {"size": (48, 56)},
    "two taps": {"size": (48, 56), "antialias": False, "min_area": 5},
    "nearest, uniform": {"size": 40, "interpolation": "nearest", "placement": "uniform", "pad": "random"},
    "soft": {"size": (33, 70), "blend_sigma": (0.5, 3), "select": "all", "scale_reference": "input"},
    "soft, uniform": {"size": 64, "blend_sigma": 1.5, "placement": "uniform", "on_hidden": "crowd", "min_visibility": 0.5},
}  # fmt: skip


@functools.cache
def golden() -> dict[str, list[str]]:
    """Fingerprints by options and backend: of the plans as JSON, then of each result."""
    found: dict[str, list[str]] = {}
    for name, options in OPTIONS.items():
        for backend in BACKENDS:
            transform = SimpleCopyPaste(**options, backend=backend)
            plans = [transform.sample_plan(TARGET, [SOURCE, TARGET], (2026, 1, i)) for i in range(8)]
            text = "".join(plan.to_json() for plan in plans)
            results = [digest(transform.apply(plan, TARGET, [SOURCE, TARGET])) for plan in plans]
            found[f"{name} ({backend})"] = [hashlib.sha256(text.encode()).hexdigest()[:16], *results]
    return found


def main() -> None:
    """Write the golden vectors."""
    vectors = {name.rsplit(" (", 1)[0]: values for name, values in golden().items()}
    STORED.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
