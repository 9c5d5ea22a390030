"""Names of columns that the library gives a meaning: which it writes, which it cannot move."""

from __future__ import annotations

KERNEL = frozenset({"masks", "boxes", "iscrowd"})
"""Columns that a kernel makes."""

DERIVED = frozenset({"area", "source", "source_row", "visibility"})
"""Columns that every operation writes afresh, so that given ones never conflict."""

WRITTEN = KERNEL | DERIVED
"""Columns of a result that are never taken from an input."""

KEYPOINTS = ("keypoints", "num_keypoints")
"""Keypoints and their number."""

GEOMETRY = frozenset({*KEYPOINTS, "segmentation", "bbox"})
"""Columns that would have to move with the image and cannot yet: refused rather than carried stale."""

PROVENANCE = ("source_image_id", "source_annotation_id")
"""Fields of a written annotation that say where it comes from."""
