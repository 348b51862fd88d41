"""Categories and attributes of samples."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import UserError
from .json_text import MISSING, parse, quoted
from .lines import MOST_LINES, read_lines

_MOST_BYTES = 1 << 16


class Attributes(NamedTuple):
    category: str | None
    attributes: Mapping[str, str] | None


def read_attributes(path: str) -> list[Attributes | str] | None:
    """Reads attributes_{split}.jsonl, an object for each line of the phrase file. Returns for
    each line what it has, or what is wrong with it; None if there is no such file."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return None
    except OSError:
        # It is reported when the file is read.
        pass
    found: list[Attributes | str] = []
    for number, text, fault in read_lines(path, _MOST_BYTES):
        if number > MOST_LINES:
            raise UserError(f"{path} has more than {MOST_LINES:,} lines")
        found.append(fault if text is None else _parsed(text))
    return found


def _parsed(text: str) -> Attributes | str:
    try:
        json = parse(text)
    except ValueError:
        return "the line is not JSON"
    if not isinstance(json, dict):
        return "the line is not a JSON object"
    return attribute_members(json)


def attribute_members(json: dict[str, Any]) -> Attributes | str:
    """The category and the attributes of an object, or what is wrong with them."""
    category = json.get("category", MISSING)
    attributes = json.get("attributes", MISSING)
    if category is not MISSING and not isinstance(category, str):
        return '"category" is not a string'
    if attributes is not MISSING and not isinstance(attributes, dict):
        return '"attributes" is not an object'
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if not isinstance(value, str):
            return f"the attribute {quoted(name)} is not a string"
    return Attributes(
        category if isinstance(category, str) else None,
        attributes if isinstance(attributes, dict) else None,
    )
