"""Parts of masks in COCO's JSON."""

from __future__ import annotations

from .json_text import MISSING, is_count, is_number, shown
from .masks import Outline, Runs


def read_runs(value: object) -> tuple[Runs, tuple[int, int]] | str:
    """Run lengths with the height and width of their mask, or what is wrong with them."""
    if not isinstance(value, dict):
        return f"{shown(value)} has no run lengths"
    size = read_size(value.get("size", MISSING))
    if isinstance(size, str):
        return size
    counts = value.get("counts", MISSING)
    if isinstance(counts, str):
        return Runs(counts), size
    if isinstance(counts, list) and all(is_count(one) for one in counts):
        return Runs(tuple(counts)), size
    return (
        f'"counts" is {shown(counts)}, neither a text nor a list of numbers of pixels'
    )


def read_size(value: object) -> tuple[int, int] | str:
    """Height and width, or what is wrong with them."""
    if not isinstance(value, list) or len(value) != 2 or not all(map(is_count, value)):
        return f'"size" is {shown(value)}, not [height, width]'
    height, width = value
    if height == 0 or width == 0:
        return f'"size" is {shown(value)}: there are no pixels'
    return height, width


def read_polygon(value: object) -> Outline | str:
    """A polygon, or what is wrong with it."""
    numbers = isinstance(value, list) and all(map(is_number, value))
    if isinstance(value, list) and numbers and len(value) >= 6 and len(value) % 2 == 0:
        return Outline(tuple(value))
    return f"{shown(value)} is no polygon: x and y of three corners or more"
