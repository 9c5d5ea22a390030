"""Pictures to look at: masks, boxes, keypoints and labels drawn over images, and sheets of what copy-paste did.

- `overlays`: the image of a sample with its instances drawn over it
- `sheets`: targets, sources and results beside each other
- `looks`: how objects are drawn, by what became of them
- `drawing`, `arguments`: strokes on pictures, and checks of what is to be drawn
"""

from copypaste_rs.visualize.looks import LOOKS, Look
from copypaste_rs.visualize.overlays import MAX_SIDE, overlay
from copypaste_rs.visualize.sheets import contact_sheet

__all__ = ["LOOKS", "MAX_SIDE", "Look", "contact_sheet", "overlay"]
