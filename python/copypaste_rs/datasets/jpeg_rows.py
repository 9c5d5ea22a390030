"""JPEG files made to end early, so that only the rows at the top are decoded.

A JPEG file is decoded from the top, and nearly all of the time goes by rows. Where its header says fewer rows, decoders
stop there and pass over what is left.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from copypaste_rs.datasets.image_headers import JpegFrame

_SEQUENTIAL = frozenset({0xC0, 0xC1})
"""Markers of the segment that has size and channels, in files whose rows come one after the other."""

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
"""Markers of the segment before pixels, and of the end of a file."""

PASSED_OVER = re.compile(r"extraneous bytes before marker 0xd[0-79]$")
"""Remark of libjpeg where it has decoded all rows of a file, and passed over others up to its end or the next restart.

It tells the first remark, or why it gave up. Not being strict one would hear of neither.
"""

_MARGIN = 4
"""Rows below those that are wanted: colours of these are interpolated by two of them at most."""


class TopRows(NamedTuple):
    """A JPEG file of the rows at the top of another one."""

    content: Buffer
    rows: int


def top_rows(data: bytes, frame: JpegFrame, rows: int) -> TopRows | None:
    """The file with so many rows or a few more; None of one that has to be decoded whole.

    All but the last few of its rows are those of the whole file, to the bit; of these, at least as many as asked for.
    A file that is cut short is not taken, nor one with something behind its end: decoders of all rows tell what it is.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> from copypaste_rs.datasets.image_headers import jpeg_frame
    >>> photograph = (sample_paths()[1] / "coffee.jpg").read_bytes()
    >>> top_rows(photograph, jpeg_frame(photograph), 100).rows
    104
    """
    start = frame.start
    if rows + _MARGIN >= frame.height or data[start + 1] not in _SEQUENTIAL or not data.endswith(_END):
        return None
    if data[frame.scan : frame.scan + 2] != _SCAN or data[frame.scan + 4] != frame.channels:
        return None  # channels come one after the other
    factors = data[start + 11 : start + 10 + 3 * frame.channels : 3]  # across and down, four bits each
    unit = 8 * max([factor & 15 for factor in factors], default=0)
    kept = -(-(max(rows, 1) + _MARGIN) // unit) * unit if unit and len(factors) == frame.channels else 0
    if not 0 < kept < frame.height:
        return None
    content = bytearray(data)
    content[start + 5 : start + 7] = kept.to_bytes(2, "big")
    return TopRows(content, kept)
