"""Masks as COCO stores them, drawn as by pycocotools 2.0.11, to the pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FIRST = 48
"""Characters from `0` on: five bits of a number each, the lowest first, and a sixth that says
that more follow."""

_MOST_CHARACTERS = 7
_FINE = 5
"""Boundaries are followed in steps of a fifth of a pixel."""

_MOST_STEPS = 50_000_000
_MOST_EXACT = 2**53 - 1


class MaskPartFault(Exception):
    """Why a part is none of a mask of this size, as a phrase."""


def runs_plane(
    counts: Sequence[int] | str, height: int, width: int
) -> NDArray[np.bool_]:
    """Draws run lengths, which alternate between off and on and go down the columns.
    Raises MaskPartFault."""
    runs = decompressed(counts) if isinstance(counts, str) else counts
    for count in runs:
        if count < 0 or count > _MOST_EXACT:
            raise MaskPartFault(f"a run of {count} pixels")
    total, area = sum(runs), height * width
    if total != area:
        raise MaskPartFault(
            f"its runs have {total} pixels, and {height} × {width} are {area}"
        )
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, np.asarray(runs, np.int64)).reshape(width, height).T


def decompressed(text: str) -> list[int]:
    """The run lengths of a compressed text. From the fourth on, each is stored as the
    difference from the second before. Raises MaskPartFault."""
    counts: list[int] = []
    value = shift = 0
    for at, character in enumerate(text):
        bits = ord(character) - _FIRST
        if not 0 <= bits < 64:
            raise MaskPartFault(
                f"the character {at + 1} of its runs is no part of a number"
            )
        if shift >= 5 * _MOST_CHARACTERS:
            raise MaskPartFault(f"the number before character {at + 1} is too long")
        value += (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        # The highest bit of the last character is the sign.
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift > 0:
        raise MaskPartFault("its runs end within a number")
    return counts


def polygon_plane(
    corners: Sequence[float], height: int, width: int
) -> NDArray[np.bool_]:
    """Draws a polygon. Its boundary is drawn on a grid that is five times finer; wherever the
    line moves to another column of this grid at the middle of a pixel column, the pixels
    below the crossing change between in and out. Raises MaskPartFault."""
    fine = [_fine(value) for value in corners]
    points = list(zip(fine[0::2], fine[1::2], strict=True))
    edges = list(zip(points, points[1:] + points[:1], strict=True))
    steps = sum(max(abs(b[0] - a[0]), abs(b[1] - a[1])) + 1 for a, b in edges)
    if steps > _MOST_STEPS:
        raise MaskPartFault(
            f"a polygon whose boundary is {math.floor(steps / _FINE + 0.5)} pixels long"
        )
    changes = np.zeros(height * width + 1, np.uint8)
    for a, b in edges:
        x, y = _line(a, b)
        _change(changes, x, y, height, width)
    inside = np.bitwise_xor.accumulate(changes[: height * width])
    return inside.reshape(width, height).T.astype(np.bool_)


def _fine(value: float) -> int:
    scaled = _FINE * value + 0.5
    if not math.isfinite(scaled) or abs(math.trunc(scaled)) > _MOST_EXACT:
        raise MaskPartFault("a corner of a polygon that is no point")
    return math.trunc(scaled)


def _line(
    a: tuple[int, int], b: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of a line, rounded as if it were always drawn towards larger coordinates."""
    across, down = abs(b[0] - a[0]), abs(b[1] - a[1])
    steps = max(across, down)
    if steps == 0:
        return np.array([a[0]]), np.array([a[1]])
    axis = 0 if across >= down else 1
    turned = a[axis] > b[axis]
    start, end = (b, a) if turned else (a, b)
    slope = (end[1 - axis] - start[1 - axis]) / steps
    t = np.arange(steps + 1)
    if turned:
        t = t[::-1]
    along = start[axis] + t
    other = np.trunc(start[1 - axis] + slope * t + 0.5).astype(np.int64)
    return (along, other) if axis == 0 else (other, along)


def _change(
    changes: NDArray[np.uint8],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    height: int,
    width: int,
) -> None:
    """Marks the crossings between neighbouring points that lie in the middle of a pixel column
    of the image."""
    before, after = x[:-1], x[1:]
    column = (np.where(after < before, after, after - 1) + 0.5) / _FINE - 0.5
    row = (np.minimum(y[:-1], y[1:]) + 0.5) / _FINE - 0.5
    crossing = (before != after) & (column == np.floor(column))
    crossing &= (column >= 0) & (column <= width - 1)
    rows = np.ceil(np.clip(row[crossing], 0, height)).astype(np.int64)
    at = column[crossing].astype(np.int64) * height + rows
    np.bitwise_xor.at(changes, at, 1)
