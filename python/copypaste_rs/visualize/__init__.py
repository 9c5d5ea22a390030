"""Pictures to look at: masks, boxes, keypoints and labels drawn over images, and sheets of what copy-paste did.

- ``overlays``: the image of a sample with its instances drawn over it
- ``sheets``: targets, sources and results beside each other
- ``looks``: how objects are drawn, by what became of them
- ``drawing``, ``arguments``: strokes on pictures, and checks of what is to be drawn
"""

from copypaste_rs.visualize import looks
from copypaste_rs.visualize.looks import Look
from copypaste_rs.visualize.overlays import overlay
from copypaste_rs.visualize.sheets import contact_sheet

__all__ = ["LOOKS", "Look", "contact_sheet", "overlay"]

LOOKS: dict[str, Look] = looks.LOOKS
"""Looks of objects by the names that `overlay` takes; `contact_sheet` has them as its legend."""
