"""The bar that shows how far the work is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from copypaste_rs.datasets._extras import extra

if TYPE_CHECKING:
    from typing import Any

with extra("cli"):
    from tqdm import tqdm


def progress_bar(done: int, total: int) -> tqdm[Any]:
    """A bar of images, so many of which are done; none where nobody would see it."""
    try:
        return tqdm(total=total, initial=done, unit=" images", dynamic_ncols=True, disable=None if sys.stderr else True)
    except OSError:
        return tqdm(disable=True)
