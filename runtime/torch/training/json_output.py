"""JSON as JavaScript writes it, so that files have the same bytes as crobc's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .json_text import stringify


def json_text(value: Any, indent: int = 0) -> str:
    """The text of JSON.stringify(value, null, indent); 0 is without spaces and lines."""
    return stringify(value) if indent == 0 else _text(value, indent, 0)


def _text(value: Any, indent: int, depth: int) -> str:
    if isinstance(value, Mapping):
        items = [
            f"{stringify(key)}: {_text(one, indent, depth + 1)}"
            for key, one in value.items()
        ]
        return _enclosed("{", items, "}", indent, depth)
    if isinstance(value, list | tuple):
        items = [_text(one, indent, depth + 1) for one in value]
        return _enclosed("[", items, "]", indent, depth)
    return stringify(value)


def _enclosed(begin: str, items: list[str], end: str, indent: int, depth: int) -> str:
    if not items:
        return begin + end
    line = "\n" + " " * indent * (depth + 1)
    last = "\n" + " " * indent * depth
    return begin + line + f",{line}".join(items) + last + end
